"""Deliveries put into a warehouse, and the books that aggregate_pnl makes of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from random import Random
from typing import Any

from psycopg2.extras import execute_values

from risk.books.warehouse import Aggregate, aggregate
from risk.core.calendar import sessions_between
from risk.core.entities import Fill
from risk.core.runs import Run, open_run
from risk.core.warehouse import Connection

SESSIONS = sessions_between(dt.date(2025, 8, 4), dt.date(2025, 8, 15))
MON, TUE, WED, THU, FRI = SESSIONS[:5]


def query(connection: Connection, text: str, binds: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    with connection, connection.cursor() as cursor:
        cursor.execute(text, binds)
        return cursor.fetchall() if cursor.description else []


def fill(
    session_date: dt.date,
    side: str,
    quantity: str,
    price: str,
    *,
    symbol: str = "XYZ",
    minute: int = 0,
    fees: str = "0",
) -> Fill:
    executed_at = dt.datetime.combine(session_date, dt.time(14, minute), dt.UTC)
    amounts = (Decimal(quantity), symbol, Decimal(price), "USD", Decimal(fees))
    return Fill("NET001", session_date, executed_at, minute + 1, side, *amounts)


def load(connection: Connection) -> int:
    [(load_id,)] = query(
        connection,
        "insert into loads (source, is_simulated, through_session_date) values ('test', false, %s) returning load_id",
        (SESSIONS[-1],),
    )
    return int(load_id)


def deliver(connection: Connection, fills: Iterable[Fill], account_id: str = "", session_date: dt.date = MON) -> None:
    """Store one delivery for each account-session among the fills, or an empty one for the one named."""
    groups: dict[tuple[str, dt.date], list[Fill]] = {}
    for each in fills:
        groups.setdefault((each.account_id, each.session_date), []).append(each)
    if account_id:
        groups.setdefault((account_id, session_date), [])
    load_id = load(connection)
    for (account, day), group in groups.items():
        [(delivery_id,)] = query(
            connection,
            "insert into deliveries (load_id, file_name, account_id, session_date, content_sha256, recorded_at, "
            "row_count, loaded_count, rejected_count, duplicate_count) values (%s, 'test.csv', %s, %s, 'test', "
            "clock_timestamp(), %s, %s, 0, 0) returning delivery_id",
            (load_id, account, day, len(group), len(group)),
        )
        with connection, connection.cursor() as cursor:
            execute_values(
                cursor,
                "insert into fills (delivery_id, line_number, account_id, session_date, executed_at, is_time_unknown, "
                "tie_rank, side, quantity, symbol, price, currency, fees_usd) values %s",
                [(delivery_id, f.tie_rank, account, day, f.executed_at, False, *f[3:]) for f in group],
            )


def state_mark(
    connection: Connection, session_date: dt.date, symbol: str, price: str | None, multiplier: str | None = None
) -> None:
    query(
        connection,
        "insert into marks (load_id, file_name, line_number, session_date, symbol, price, currency, multiplier, "
        "recorded_at) values (%s, 'marks.csv', 1, %s, %s, %s, 'USD', %s, clock_timestamp())",
        (load(connection), session_date, symbol, price, multiplier),
    )


def run_of(connection: Connection, session_date: dt.date) -> Run:
    return open_run(connection, session_date, load(connection), "test")


def aggregate_session(connection: Connection, session_date: dt.date) -> Aggregate:
    return aggregate(connection, run_of(connection, session_date))


def books_of(connection: Connection) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    daily = query(
        connection,
        "select account_id, session_date, fill_count, volume, turnover_usd, gross_pnl_usd, fees_usd, net_pnl_usd, "
        "unrealized_pnl_usd, unrealized_delta_usd, total_pnl_usd, incomplete_reason, input_fingerprint from daily_pnl "
        "order by account_id, session_date",
    )
    return daily, query(connection, "select * from positions order by account_id, session_date, symbol")


def totals(connection: Connection) -> list[tuple[Any, ...]]:
    return query(connection, "select session_date, total_pnl_usd from daily_pnl order by account_id, session_date")


def stored_versions(connection: Connection) -> list[tuple[Any, ...]]:
    """Transaction that wrote each row: unchanged as long as nobody writes the row, even with the same content."""
    return query(
        connection,
        "select account_id, session_date, '' as symbol, xmin::text from daily_pnl union all "
        "select account_id, session_date, symbol, xmin::text from positions order by 1, 2, 3",
    )


def random_desk(seed: int, account_count: int = 4) -> list[Fill]:
    random = Random(seed)
    return [
        Fill(
            f"NET{random.randrange(account_count):03d}",
            session_date,
            dt.datetime.combine(session_date, dt.time(13), dt.UTC) + dt.timedelta(seconds=number),
            number,
            random.choice("BSTC"),
            Decimal(random.randrange(1, 500)),
            random.choice(["ABC", "XYZ", "QQQ", "AAPL  250117C00150000"]),
            Decimal(random.randrange(100, 9000)).scaleb(-2),
            "USD",
            Decimal(random.randrange(-20, 200)).scaleb(-3),
        )
        for session_date in SESSIONS
        if random.random() < 0.8
        for number in range(random.randrange(1, 40))
    ]
