"""Rows for the tables behind the model steps, as tests state them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from risk.core.calendar import next_session, sessions_between
from risk.core.runs import Run, open_run
from risk.core.warehouse import Connection

FIRST_SESSION = dt.date(2025, 1, 2)


def trading_days(count: int, first: dt.date = FIRST_SESSION) -> list[dt.date]:
    """List the first sessions from a day on."""
    return sessions_between(first, first + dt.timedelta(days=2 * count + 10))[:count]


def insert_pnl(
    connection: Connection,
    account_id: str,
    pnl_by_session: Mapping[dt.date, str | float],
    *,
    fill_count: int = 10,
    incomplete_reason: str | None = None,
) -> None:
    """Store daily results of an account."""
    with connection, connection.cursor() as cursor:
        for session_date, pnl in pnl_by_session.items():
            total = None if incomplete_reason else Decimal(str(pnl))
            cursor.execute(
                """
                insert into daily_pnl (
                    account_id, session_date, fill_count, volume, turnover_usd, gross_pnl_usd, fees_usd, net_pnl_usd,
                    unrealized_pnl_usd, unrealized_delta_usd, total_pnl_usd, incomplete_reason
                ) values (%s, %s, %s, 1000, 50000, %s, 5, %s, 0, 0, %s, %s)
                on conflict (account_id, session_date) do update set
                    fill_count = excluded.fill_count,
                    total_pnl_usd = excluded.total_pnl_usd,
                    incomplete_reason = excluded.incomplete_reason
                """,
                (account_id, session_date, fill_count, total, total, total, incomplete_reason),
            )


def insert_delivery(
    connection: Connection,
    account_id: str,
    session_date: dt.date,
    *,
    row_count: int,
    loaded_count: int | None = None,
    published_at: dt.datetime | None = None,
) -> None:
    """Store that a source delivered an account-session."""
    loaded = row_count if loaded_count is None else loaded_count
    with connection, connection.cursor() as cursor:
        cursor.execute(
            """
            insert into deliveries (
                load_id, file_name, account_id, session_date, content_sha256, published_at, recorded_at, row_count,
                loaded_count, rejected_count, duplicate_count
            ) values (%s, 'fills.csv', %s, %s, 'x', %s, clock_timestamp(), %s, %s, %s, 0)
            """,
            (
                new_load(connection, session_date),
                account_id,
                session_date,
                published_at,
                row_count,
                loaded,
                row_count - loaded,
            ),
        )


def issue_forecasts(connection: Connection, run: Run, account_id: str, quantiles: Mapping[dt.date, str]) -> None:
    """Store what the baseline forecast for an account, by effective session."""
    with connection, connection.cursor() as cursor:
        for effective_session, quantile in quantiles.items():
            cursor.execute(
                "insert into forecasts values (%s, %s, 'calibrated', %s, %s, false)",
                (account_id, effective_session, run.run_id, quantile),
            )


def new_load(connection: Connection, through_session_date: dt.date) -> int:
    """Store a load."""
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into loads (source, is_simulated, through_session_date) values ('test', false, %s) "
            "returning load_id",
            (through_session_date,),
        )
        found = cursor.fetchall()
    connection.commit()
    return int(found[0][0])


def new_run(connection: Connection, session_date: dt.date) -> Run:
    """Open a run of a session."""
    return open_run(connection, session_date, new_load(connection, session_date), "test")


def table(connection: Connection, name: str, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """Read a table's columns in a fixed order."""
    listed = ", ".join(columns)
    with connection, connection.cursor() as cursor:
        cursor.execute(f"select {listed} from {name} order by {listed}")
        return list(cursor.fetchall())


def effective(session_date: dt.date) -> dt.date:
    """Return the session the limits are for."""
    return next_session(session_date)
