"""The warehouse and the plain reader make the same books of a folder with every kind of instrument and statement."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from random import Random

import pytest

from risk.database import Connection
from risk.fills import load_drop, read_drop, read_stated
from risk.pnl import aggregate, daily_pnl, export
from risk.runs import open_run
from risk.sessions import sessions_between

SESSIONS = sessions_between(dt.date(2025, 8, 6), dt.date(2025, 8, 20))
OPTION = "AAPL  250815C00150000"
PRICES = {"XYZ": 2000, "SHOP": 9000, "RY.TO": 18000, "/ESU5": 500000, "@USDJPY": 15000, OPTION: 300, "ABC": 700}
HEADER = "Date/Time,Account,B/S,Qty,Symbol,Price,Comm,Currency"
STATEMENTS = {
    "instruments.csv": [
        "Date,Symbol,Multiplier,Currency",
        "2025-01-01,/ESU5,50,",
        "2025-01-01,SHOP,,CAD",
    ],
    "splits.csv": ["Date,Symbol,Ratio", "2025-08-12,XYZ,3", "2025-08-14,ABC,1:7", "2025-08-19,XYZ,1:2"],
}


def write_folder(folder: Path, seed: int) -> None:
    """Write a desk whose every account goes long and short in everything, and is often left with something."""
    random = Random(seed)
    lines = [HEADER]
    for session_date in SESSIONS:
        for number in range(random.randrange(8, 30)):
            symbol = random.choice(list(PRICES))
            price = PRICES[symbol] + random.randrange(-PRICES[symbol] // 20, PRICES[symbol] // 20)
            moment = f"{session_date:%m/%d/%Y} {random.choice(('00:00:00', f'{10 + number // 10}:{number % 6}5:00'))}"
            who = f"NET{random.randrange(3)},{random.choice('BSTC')}"
            amounts = f"{random.randrange(1, 40)},{symbol},{price / 100},{random.randrange(99) / 100}"
            currency = "JPY" if symbol == "@USDJPY" else ""
            lines.append(f"{moment},{who},{amounts},{currency}")
    (folder / "fills.csv").write_text("\n".join(lines) + "\n")
    marks = ["Date,Symbol,Price,Currency"]
    for session_date in SESSIONS:
        marks.append(f"{session_date},@CADUSD,{random.randrange(7000, 7400) / 10000},USD")
        marks.append(f"{session_date},@JPYUSD,{random.randrange(6600, 6900) / 1000000},")
        marks += [f"{session_date},{name},{PRICES[name] / 100}," for name in ("XYZ", "/ESU5") if random.random() < 0.5]
    (folder / "marks.csv").write_text("\n".join(marks) + "\n")


def load_and_aggregate(connection: Connection, folder: Path, session_date: dt.date) -> None:
    loaded = load_drop(connection, folder, session_date, is_simulated=False)
    assert (loaded.quarantined, loaded.rejected_count) == ((), 0)
    aggregate(connection, open_run(connection, session_date, loaded.load_id, "test"))


def stored(connection: Connection) -> list[tuple[object, ...]]:
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select account_id, session_date, gross_pnl_usd, fees_usd, net_pnl_usd, unrealized_pnl_usd, "
            'unrealized_delta_usd, total_pnl_usd from daily_pnl order by account_id collate "C", session_date'
        )
        return cursor.fetchall()


def read(folder: Path) -> list[tuple[object, ...]]:
    (fills, _), (statements, _) = read_drop(folder), read_stated(folder)
    return [tuple(day) for day in daily_pnl(fills, statements.marks, statements.instruments, statements.splits)]


@pytest.mark.parametrize(("seed", "part_fills"), [(1, export.PART_FILLS), (2, 5)])
def test_warehouse_and_plain_reader_agree_whenever_the_statements_come(
    connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, part_fills: int
) -> None:
    monkeypatch.setattr(export, "PART_FILLS", part_fills)
    write_folder(tmp_path, seed)
    for session_date in SESSIONS[:-1:3]:
        load_and_aggregate(connection, tmp_path, session_date)
    unstated = stored(connection)
    for name, lines in STATEMENTS.items():
        (tmp_path / name).write_text("\n".join(lines) + "\n")
        load_and_aggregate(connection, tmp_path, SESSIONS[-1])

    # What was computed before anything was stated is computed again wherever a statement changes it, and is complete.
    assert None in {row[7] for row in unstated}
    assert stored(connection) == read(tmp_path)
    assert None not in {row[7] for row in stored(connection)}
    with connection, connection.cursor() as cursor:
        cursor.execute("select bool_or(expired_quantity <> 0), bool_or(split_quantity <> 0) from positions")
        assert cursor.fetchone() == (True, True)
