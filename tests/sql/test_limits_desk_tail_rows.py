"""The desk's tail in the warehouse: stored with the run that recommends, replaced with it, and read by its report."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from psycopg2.extensions import parse_dsn
from typer.testing import CliRunner

from risk.cli import app
from risk.core.connections import WAREHOUSE_CONNECTION
from risk.core.runs import Run
from risk.core.warehouse import Connection, records
from risk.limits.decide import apply_rules
from risk.report.build_facts import build_facts
from risk.report.facts import parse_facts
from tests.sql.daily_rows import effective, insert_pnl, new_run, trading_days

FORECASTS = {"BIG": "-4000", "CALM": "-500"}


def _desk(connection: Connection, session_count: int) -> tuple[Run, list[dt.date]]:
    """Store two accounts with constant forecasts: one loses 8,000 every tenth session, the other never loses."""
    days = trading_days(session_count)
    insert_pnl(connection, "BIG", {day: -8000 if number % 10 == 9 else 100 for number, day in enumerate(days)})
    insert_pnl(connection, "CALM", {day: 50 + number % 2 for number, day in enumerate(days)})
    insert_pnl(connection, "NEW", dict.fromkeys(days[-2:], "-10"))
    run = new_run(connection, days[-1])
    with connection, connection.cursor() as cursor:
        cursor.executemany(
            "insert into forecasts values (%s, %s, 'calibrated', %s, %s, false)",
            [
                (name, day, run.run_id, loss)
                for name, loss in FORECASTS.items()
                for day in (*days[1:], effective(days[-1]))
            ],
        )
    return run, days


def _rows(connection: Connection, run: Run) -> list[dict[str, Any]]:
    return records(connection, "send_report/select_desk_tails", {"run_id": run.run_id})


def test_tail_is_stored_with_the_run_and_replaced_by_a_rerun(connection: Connection) -> None:
    # given 60 scenarios, of which six cost 8,000 less what the other earns
    run, _ = _desk(connection, 61)

    # when
    apply_rules(connection, run)
    first = _rows(connection, run)
    apply_rules(connection, run)

    # then the worst three are -8,000 + 51 each, at base limits of 5,000 -5,250 + 51; NEW has no forecast
    assert _rows(connection, run) == first
    assert [row["account_id"] for row in first] == ["BIG", "CALM"]
    assert (first[0]["session_count"], first[0]["account_count"]) == (60, 2)
    assert (first[0]["value_at_risk_usd"], first[0]["expected_shortfall_usd"]) == (7949, 7949)
    assert (first[0]["shortfall_usd"], first[1]["shortfall_usd"]) == (8000, -51)
    assert first[0]["share_ratio"] + first[1]["share_ratio"] == 1
    assert first[0]["at_base_usd"] == 5199
    assert first[0]["limit_usd"] == 5000 * (1 - _cut(connection, run, "BIG"))


def _cut(connection: Connection, run: Run, account_id: str) -> Decimal:
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select cut_ratio from recommendations where run_id = %s and account_id = %s", (run.run_id, account_id)
        )
        return Decimal(cursor.fetchall()[0][0])


def test_too_few_sessions_leave_the_amounts_open_but_not_the_exposures(connection: Connection) -> None:
    run, _ = _desk(connection, 60)
    apply_rules(connection, run)
    rows = _rows(connection, run)
    assert rows[0]["session_count"] == 59
    assert all(row["expected_shortfall_usd"] is row["share_ratio"] is row["relief_usd"] is None for row in rows)
    assert all(row["expected_excess_usd"] >= 0 for row in rows)


def test_report_lists_the_largest_exposure_first_and_reads_back(connection: Connection) -> None:
    run, _ = _desk(connection, 61)
    assert build_facts(connection, run).desk_tail is None
    apply_rules(connection, run)

    facts = build_facts(connection, run)

    assert facts.desk_tail is not None
    assert facts.desk_tail.expected_shortfall_usd == 7949
    assert [one.account_id for one in facts.exposures] == ["BIG", "CALM"]
    # 6 of the 120 results of the pool lie beyond the limit: 6.5 / 121.
    assert facts.exposures[0].loss_probability > Decimal("0.05")
    assert parse_facts(facts.canonical) == facts


def test_nobody_with_a_forecast_is_an_empty_tail(connection: Connection) -> None:
    days = trading_days(3)
    insert_pnl(connection, "A", dict.fromkeys(days, "10"))
    run = new_run(connection, days[-1])
    apply_rules(connection, run)
    [row] = _rows(connection, run)
    assert (row["account_id"], row["session_count"], row["account_count"]) == (None, 0, 0)
    assert build_facts(connection, run).exposures == ()


def test_tail_effect_is_stored_with_the_run_and_printed_with_the_track_record(
    connection: Connection, warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a desk whose cuts have no outcome yet
    run, _ = _desk(connection, 61)
    for _ in range(2):
        apply_rules(connection, run)

    # when
    [record] = records(connection, "track_record/select_track_record", {"session_date": run.session_date})
    parts = parse_dsn(warehouse_dsn)
    place = f"{parts['user']}:{parts['password']}@{parts['host']}:{parts['port']}/{parts['dbname']}"
    monkeypatch.setenv(WAREHOUSE_CONNECTION, f"postgres://{place}")
    printed = CliRunner().invoke(app, ["track-record"])

    # then
    [sentence] = record["tail_sentences"]
    assert sentence.startswith("Too few to say what cuts do to the tail: 0 sessions")
    assert sentence in printed.stdout.replace("\n", " ")
