"""Desks whose recommendations have met their sessions: the fills, marks and reports of the track record's tests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from psycopg2.extras import execute_values

from risk.books.warehouse import aggregate
from risk.core.calendar import previous_session, session_open
from risk.core.entities import Fill
from risk.core.runs import Run
from risk.core.warehouse import Connection
from risk.limits.track_record import store_track_record
from tests.report_desks import insert, recommend, store_report
from tests.sql.daily_rows import new_load, new_run

MON, TUE = dt.date(2025, 8, 4), dt.date(2025, 8, 5)
EARLY = dt.timedelta(hours=2)


def fill(day: dt.date, minute: int, side: str, quantity: str, price: str, fees: str = "0", symbol: str = "XYZ") -> Fill:
    executed_at = session_open(day) + dt.timedelta(minutes=minute)
    amounts = (Decimal(quantity), symbol, Decimal(price), "USD", Decimal(fees))
    return Fill("NET001", day, executed_at, minute, side, *amounts)


def deliver(connection: Connection, fills: Iterable[Fill], account_id: str = "NET001") -> None:
    """Store one delivery of an account's fills of one session."""
    group = list(fills)
    day = group[0].session_date
    counts = {"row_count": len(group), "loaded_count": len(group), "rejected_count": 0, "duplicate_count": 0}
    source = {"file_name": "f.csv", "content_sha256": "0", "recorded_at": dt.datetime.now(dt.UTC)}
    key = {"load_id": new_load(connection, day), "account_id": account_id, "session_date": day}
    delivery_id = insert(connection, "deliveries", **key, **source, **counts)
    with connection, connection.cursor() as cursor:
        execute_values(
            cursor,
            "insert into fills (delivery_id, line_number, account_id, session_date, executed_at, is_time_unknown, "
            "tie_rank, side, quantity, symbol, price, currency, fees_usd) values %s",
            [(delivery_id, one.tie_rank, account_id, day, one.executed_at, False, *one[3:]) for one in group],
        )


def mark(connection: Connection, day: dt.date, price: str, symbol: str = "XYZ") -> None:
    source = {"file_name": "marks.csv", "line_number": 1, "currency": "USD", "recorded_at": dt.datetime.now(dt.UTC)}
    insert(
        connection, "marks", load_id=new_load(connection, day), session_date=day, symbol=symbol, price=price, **source
    )


def rename(connection: Connection, valid_from: dt.date, former_account_id: str, account_id: str = "NET001") -> None:
    """State that an account was formerly another."""
    source = {"file_name": "accounts.csv", "line_number": 1, "recorded_at": dt.datetime.now(dt.UTC)}
    names = {"account_id": account_id, "former_account_id": former_account_id}
    insert(connection, "accounts", load_id=new_load(connection, MON), valid_from=valid_from, **names, **source)


def report(
    connection: Connection,
    effective_session: dt.date,
    cut: str,
    *,
    since_open: dt.timedelta = -EARLY,
    accounts: Iterable[str] = ("NET001",),
    is_point_in_time: bool = False,
) -> Run:
    """Store the next run that recommended a cut for accounts, and reported it before or after the session opened."""
    day, recorded_at = previous_session(effective_session), session_open(effective_session) + since_open
    run = new_run(connection, day)
    with connection, connection.cursor() as cursor:
        changes = (recorded_at, is_point_in_time, run.run_id)
        cursor.execute("update runs set as_of = %s, is_point_in_time = %s where run_id = %s", changes)
    for account_id in accounts:
        recommend(connection, run, account_id, cut)
    store_report(connection, run, recorded_at=recorded_at)
    return run


def update_record(connection: Connection, day: dt.date) -> Run:
    run = new_run(connection, day)
    aggregate(connection, run)
    store_track_record(connection, run)
    return run


def entries(connection: Connection) -> list[dict[str, Any]]:
    """Return the outcomes by session and account."""
    with connection, connection.cursor() as cursor:
        cursor.execute("select * from cut_outcomes order by effective_session, account_id")
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
