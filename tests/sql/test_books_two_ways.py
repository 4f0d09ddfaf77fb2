"""The warehouse and the plain reader make the same books of a folder with every kind of instrument and statement."""

from __future__ import annotations

import datetime as dt
from decimal import Context, Decimal
from pathlib import Path
from random import Random

import pytest

from risk.books import bulk, store
from risk.books.executions import AMOUNT_DIGITS, UNIT_DIGITS, USD_DIGITS
from risk.books.positions import Position, average_open_price
from risk.books.session import AccountSession, account_sessions
from risk.books.store import decimal_text
from risk.books.warehouse import aggregate
from risk.core.calendar import sessions_between
from risk.core.runs import open_run
from risk.core.settings import Settings
from risk.core.warehouse import Connection
from risk.ingest.load import load_drop
from risk.ingest.read import read_stated
from tests.drops import read_fills

SESSIONS = sessions_between(dt.date(2025, 8, 6), dt.date(2025, 8, 20))
OPTION = "AAPL  250815C00150000"
PRICES = {"XYZ": 2000, "SHOP": 9000, "RY.TO": 18000, "/ESU5": 500000, "@USDJPY": 15000, OPTION: 300, "ABC": 700}
STATED = dict.fromkeys(PRICES, ("", "")) | {"SHOP": ("", "CAD", "USD"), "ABC": ("", "USD"), "@USDJPY": ("JPY",)}
HEADER = "Date/Time,Account,B/S,Qty,Symbol,Price,Comm,Currency"
STATEMENTS = {
    "instruments.csv": [
        "Date,Symbol,Multiplier,Currency",
        "2025-01-01,/ESU5,50,",
        "2025-01-01,SHOP,,CAD",
    ],
    "accounts.csv": ["Date,Account,Formerly", "2025-08-21,NET1,NET2"],
    "splits.csv": ["Date,Symbol,Ratio", "2025-08-12,XYZ,3", "2025-08-14,ABC,1:7", "2025-08-19,XYZ,1:2"],
}


def write_folder(folder: Path, seed: int) -> None:
    """Write a desk whose every account goes long and short in everything, and is often left with something."""
    random = Random(seed)
    files = {"fills_a.csv": [HEADER], "fills_b.csv": [HEADER]}
    for session_date in SESSIONS:
        for _ in range(random.randrange(8, 30)):
            symbol, account = random.choice(list(PRICES)), random.randrange(3)
            price = PRICES[symbol] + random.randrange(-PRICES[symbol] // 20, PRICES[symbol] // 20)
            clock = (
                f"{random.randrange(8, 18):02}:{random.choice((0, 30)):02}:00" if random.random() < 0.9 else "00:00:00"
            )
            amounts = f"{random.randrange(1, 40)},{symbol},{price / 100},{random.randrange(99) / 100}"
            line = f"{session_date:%m/%d/%Y} {clock},NET{account},{random.choice('BSTC')},{amounts}"
            files["fills_b.csv" if account == 2 else "fills_a.csv"].append(f"{line},{random.choice(STATED[symbol])}")
    marks = ["Date,Symbol,Price,Currency"]
    for session_date in SESSIONS:
        marks.append(f"{session_date},@CADUSD,{random.randrange(7000, 7400) / 10000},USD")
        marks.append(f"{session_date},@JPYUSD,{random.randrange(6600, 6900) / 1000000},")
        marks += [f"{session_date},{name},{PRICES[name] / 100}," for name in ("XYZ", "/ESU5") if random.random() < 0.5]
    for name, lines in {**files, "marks.csv": marks}.items():
        (folder / name).write_text("\n".join(lines) + "\n")


def load_and_aggregate(connection: Connection, folder: Path, session_date: dt.date) -> None:
    loaded = load_drop(connection, folder, session_date, Settings())
    assert (loaded.quarantined, loaded.rejected_count) == ((), 0)
    aggregate(connection, open_run(connection, session_date, loaded.load_id, "test"))


def stored(connection: Connection) -> dict[str, list[tuple[object, ...]]]:
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select account_id, session_date, fill_count, volume, turnover_usd, gross_pnl_usd, fees_usd, "
            "net_pnl_usd, unrealized_pnl_usd, unrealized_delta_usd, total_pnl_usd, incomplete_reason, early_pnl_usd, "
            "late_pnl_usd, holding_seconds, adds_to_loser_count, concentration_ratio, overnight_usd "
            'from daily_pnl order by account_id collate "C", session_date'
        )
        days = cursor.fetchall()
        cursor.execute(
            "select account_id, session_date, symbol, currency, quantity, average_open_price, lots, multiplier, "
            "mark_price, mark_source, realized_pnl, unrealized_pnl, rate, rate_source, rate_date, realized_pnl_usd, "
            "unrealized_pnl_usd, split_ratio, split_quantity, expired_quantity, side_conflicts "
            'from positions order by account_id collate "C", session_date, symbol collate "C"'
        )
        return {"days": days, "positions": cursor.fetchall()}


def exact(value: int | None, digits: int = UNIT_DIGITS) -> Decimal | None:
    return None if value is None else Decimal(value).scaleb(-digits, Context(prec=120))


def usd(value: int | None) -> Decimal | None:
    return exact(value, USD_DIGITS)


def day_row(day: AccountSession) -> tuple[object, ...]:
    behavior = day.behavior
    results = (day.turnover, day.gross, day.fees, day.net, day.unrealized, day.unrealized_delta, day.total)
    return (
        day.account_id, day.session_date, day.fill_count, exact(day.volume), *map(usd, results), day.incomplete_reason,
        usd(behavior.early), usd(behavior.late), behavior.holding_seconds, behavior.adds_to_loser_count,
        exact(behavior.concentration, 6), usd(behavior.overnight),
    )  # fmt: skip


def position_row(day: AccountSession, held: Position) -> tuple[object, ...]:
    lots, value, ratio = held.lots, held.valuation, held.splits
    listed = [[str(dt.date.fromordinal(opened)), decimal_text(quantity, 8), decimal_text(price, 8)]
              for quantity, price, opened in lots.lots]  # fmt: skip
    return (
        day.account_id, day.session_date, held.symbol, held.currency, exact(sum(lot[0] for lot in lots.lots)),
        exact(average_open_price(lots)) if lots.lots else None, listed, exact(value.multiplier), exact(value.price),
        value.source, exact(held.realized, AMOUNT_DIGITS), exact(held.unrealized, AMOUNT_DIGITS), exact(value.rate),
        value.rate_source, value.rate_date, usd(held.realized_usd), usd(held.unrealized_usd),
        f"{ratio[0].new_shares // 10**8}:{ratio[0].old_shares // 10**8}" if ratio else None,
        exact(held.split), exact(held.expired), list(held.path.side_conflicts if held.path else ()) or None,
    )  # fmt: skip


def read(folder: Path, through: dt.date) -> dict[str, list[tuple[object, ...]]]:
    (fills, _), (statements, *_) = read_fills(folder), read_stated(folder, Settings())
    books = account_sessions(fills, statements.marks, statements.instruments, statements.splits)
    known = [day for day in books if day.session_date <= through]
    return {
        "days": [day_row(day) for day in known],
        "positions": [position_row(day, held) for day in known for held in day.positions],
    }


@pytest.mark.parametrize(("seed", "in_bulk"), [(1, False), (2, True)])
def test_warehouse_and_plain_reader_agree_whenever_the_statements_come(
    connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, in_bulk: bool
) -> None:
    if in_bulk:
        monkeypatch.setattr(bulk, "BULK_FILLS", 0)
        monkeypatch.setattr(bulk, "PART_FILLS", 5)
        monkeypatch.setattr(store, "BATCH_POSITIONS", 3)
        monkeypatch.setattr(bulk, "WAITING_CALLS", 1)
    write_folder(tmp_path, seed)
    for session_date in SESSIONS[:-1:3]:
        load_and_aggregate(connection, tmp_path, session_date)
    unstated, expected = stored(connection), read(tmp_path, SESSIONS[9])
    for name, lines in STATEMENTS.items():
        (tmp_path / name).write_text("\n".join(lines) + "\n")
        load_and_aggregate(connection, tmp_path, SESSIONS[-1])
    stated = stored(connection)

    # What was computed before anything was stated is computed again wherever a statement changes it, and is complete.
    assert unstated == expected
    assert stated == read(tmp_path, SESSIONS[-1])
    assert {row[11] for row in stated["days"]} == {None}
    assert {"CAD", "USD", "XXX"} <= {row[3] for row in unstated["positions"] if row[2] == "SHOP"}
    # Sessions with and without times, splits, expiries and odd sides are among them.
    assert {row[12] is None for row in stated["days"]} == {True, False}
    assert all(any(row[column] for row in stated["positions"]) for column in (17, 18, 19, 20))
