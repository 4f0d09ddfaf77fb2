"""The review of limits and the evidence for rules in the warehouse: stored with the run, replaced, and printed."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from psycopg2.extensions import parse_dsn
from typer.testing import CliRunner

from risk.cli import app
from risk.core.connections import WAREHOUSE_CONNECTION
from risk.core.errors import RequestError
from risk.core.runs import ALL_SESSIONS, Run
from risk.core.settings import read_settings
from risk.core.warehouse import Connection, records, writing
from risk.ingest.load import load_drop
from risk.limits.decide import apply_rules
from risk.limits.evidence import RuleEvidence, store_evidence
from risk.limits.fit import read_loss_records, review_limits, store_fits
from risk.limits.policy import read_terms
from risk.limits.trader_fits import read_trader_records, review_traders, store_trader_fits
from risk.report.build_facts import build_facts
from risk.report.facts import parse_facts
from tests.drops import write_drop
from tests.report_desks import insert
from tests.sql.daily_rows import insert_pnl, new_run, table, trading_days

SESSIONS = 130


LOWS = """
insert into running_lows (account_id, session_date, running_lows_usd, low_instants, loss_from_top_usd, close_usd)
values (%(account_id)s, %(day)s, array[%(loss)s], array[null::timestamptz], %(loss)s, 1)
"""
RECEIPT = """
insert into limit_receipts (
    account_id, session_date, inputs_sha256, policy_version, limit_usd, limit_source, limit_count, largest_loss_usd,
    loss_from_top_usd, use_ratio, final_usd, outcome, hit_kind, breach_reasons
) values (
    %(account_id)s, %(day)s, '', '0', 5000, 'default', 1, %(loss)s, %(loss)s, 0, 1, %(outcome)s, %(hit_kind)s,
    %(reasons)s
)
"""


def _lose(connection: Connection, account_id: str, losses: Mapping[dt.date, int]) -> None:
    """Store the largest running loss of each session, which closed at 1; at 5,000 and beyond the limit is broken."""
    for_days = {day: (loss, "breach", "fill") for day, loss in losses.items() if loss >= 5000}
    _receive(connection, account_id, {day: (loss, "within", None) for day, loss in losses.items()} | for_days)


def _receive(connection: Connection, account_id: str, days: Mapping[dt.date, tuple[int, str, str | None]]) -> None:
    """Store receipts: largest loss, outcome and what first reached the limit."""
    with connection, connection.cursor() as cursor:
        for day, (loss, outcome, hit_kind) in days.items():
            reasons = ["traded on"] if outcome == "breach" else []
            values = {"account_id": account_id, "day": day, "loss": Decimal(loss), "outcome": outcome}
            cursor.execute(LOWS, values)
            cursor.execute(RECEIPT, {**values, "hit_kind": hit_kind, "reasons": reasons})


def _reviewed_desk(connection: Connection) -> Run:
    """Store one account that never comes near its limit, and one that is beyond it on every fifth day."""
    days = trading_days(SESSIONS)
    for name in ("CALM", "WILD"):
        insert_pnl(connection, name, {day: 10 + number % 3 for number, day in enumerate(days)})
    run = new_run(connection, days[-1])
    _lose(connection, "CALM", {day: number % 40 for number, day in enumerate(days)})
    _lose(connection, "WILD", {day: 1000 + 2000 * (number % 5) for number, day in enumerate(days)})
    _review(connection, run)
    return run


def _review(connection: Connection, run: Run, accounts: Sequence[str] = ("CALM", "WILD")) -> None:
    """Review the limits as apply_rules does, without making the receipts anew from fills that are not there."""
    names = ("forecast_quantile_05_usd", "expected_shortfall_usd", "loss_probability")
    active = [{"account_id": name, **dict.fromkeys(names)} for name in accounts]
    terms = read_terms(connection, run.effective_session, run.as_of)
    fits = review_limits(read_loss_records(connection, run, terms, active))
    traders = review_traders(read_trader_records(connection, run, terms, accounts))
    with writing(connection):
        store_fits(connection, run, fits)
        store_trader_fits(connection, run, traders)


def _fits(connection: Connection) -> dict[str, dict[str, Any]]:
    found = records(connection, "apply_rules/select_limit_fits", ALL_SESSIONS)
    return {row["account_id"]: row for row in found}


def test_review_is_stored_with_the_run_and_replaced_by_a_rerun(connection: Connection) -> None:
    run = _reviewed_desk(connection)
    first = _fits(connection)
    _review(connection, run)

    assert _fits(connection) == first
    # losses of 1,000 to 9,000: 5,000, 7,000 and 9,000 reach the limit, on 3 of 5 days
    assert list(first) == ["WILD", "CALM"]
    assert (first["WILD"]["verdict"], first["WILD"]["hit_count"], first["WILD"]["session_count"]) == (
        "too large",
        78,
        130,
    )
    assert first["WILD"]["proposed_limit_usd"] is None
    # largest use 39 of 5,000
    assert (first["CALM"]["verdict"], first["CALM"]["largest_use_ratio"]) == ("never reached", 0.0078)
    assert first["CALM"]["proposed_limit_usd"] < 50


def test_a_proposal_is_never_a_raise(connection: Connection) -> None:
    run = _reviewed_desk(connection)
    change = "update limit_fits set proposed_limit_usd = 6000 where run_id = %s"
    with pytest.raises(Exception, match="limit_fits_check"), connection, connection.cursor() as cursor:
        cursor.execute(change, (run.run_id,))


def test_review_and_its_sentences_are_printed(
    connection: Connection, warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = parse_dsn(warehouse_dsn)
    place = f"{parts['user']}:{parts['password']}@{parts['host']}:{parts['port']}/{parts['dbname']}"
    monkeypatch.setenv(WAREHOUSE_CONNECTION, f"postgres://{place}")
    nothing = CliRunner().invoke(app, ["limits", "review"])
    run = _reviewed_desk(connection)

    printed = CliRunner().invoke(app, ["limits", "review"]).stdout
    listed = json.loads(CliRunner().invoke(app, ["limits", "review", "--json"]).stdout)["accounts"]
    past = CliRunner().invoke(app, ["limits", "review", "--session", "2024-01-02"])

    assert isinstance(nothing.exception, RequestError)
    assert isinstance(past.exception, RequestError)
    assert "WILD: losses too large for the limit: reached on 78 of 130 days" in printed
    assert "CALM: never reached: largest use 1% in 130 days" in printed
    assert "CALM: proposed base limit $" in printed
    assert [row["account_id"] for row in listed] == ["WILD", "CALM"]
    assert listed[0]["session_date"] == run.session_date.isoformat()


def test_every_rule_of_the_policy_has_its_evidence(connection: Connection) -> None:
    run = _reviewed_desk(connection)
    apply_rules(connection, run)
    rows = table(connection, "rule_evidence", ("rule_name", "firing_count", "other_count", "verdict"))
    # 129 mornings of two accounts; the first 19 of each have a limited history
    assert ("limited history", 38, 220, "open") in rows
    assert len(rows) == 7


def test_step_reviews_every_account_that_gets_a_limit_over_all_its_sessions(connection: Connection) -> None:
    # given: books of months, no report ever, and a newcomer
    run = _reviewed_desk(connection)
    insert_pnl(connection, "NEW", {run.session_date: "5"})
    for line, name in enumerate(("CALM", "NEW")):
        _name_trader(connection, run, name, "T. Jones", line)

    apply_rules(connection, run)

    reviewed = {name: (row["session_count"], row["verdict"]) for name, row in _fits(connection).items()}
    assert reviewed["NEW"] == (1, "limited history")
    assert reviewed["CALM"] == (SESSIONS, "never reached")
    assert reviewed["WILD"][0] == SESSIONS
    assert [(row["trader_name"], row["account_ids"]) for row in _traders(connection)] == [("T. Jones", ["CALM", "NEW"])]


def test_loss_that_a_limit_ended_was_at_least_that(connection: Connection) -> None:
    run = _reviewed_desk(connection)
    days = trading_days(SESSIONS)
    insert_pnl(connection, "HELD", dict.fromkeys(days, "1"))
    kinds = {days[3]: "fill", days[5]: "gap", days[7]: "limit change", days[9]: "close"}
    stopped = {day: (5000, "hit", kind) for day, kind in kinds.items()}
    _receive(connection, "HELD", {day: stopped.get(day, (300, "within", None)) for day in days})

    _review(connection, run, ("HELD",))

    held = _fits(connection)["HELD"]
    # the marks at the close stop nobody
    assert (held["hit_count"], held["stopped_count"], held["is_band_open"]) == (4, 3, True)


def test_days_without_a_fill_or_a_position_are_not_reviewed(connection: Connection) -> None:
    run = _reviewed_desk(connection)
    with connection, connection.cursor() as cursor:
        cursor.execute("update running_lows set close_usd = 0 where account_id = 'CALM'")
        cursor.execute(
            "update running_lows set first_fill_at = 'now' where account_id = 'CALM' and session_date = %s",
            (run.session_date,),
        )
    _review(connection, run)

    assert {name: row["session_count"] for name, row in _fits(connection).items()} == {"CALM": 1, "WILD": SESSIONS}


def test_later_sessions_are_not_reviewed(connection: Connection) -> None:
    run = _reviewed_desk(connection)
    earlier = dataclasses.replace(run, session_date=trading_days(SESSIONS)[9])
    _review(connection, earlier)

    assert {name: row["session_count"] for name, row in _fits(connection).items()} == {"CALM": 10, "WILD": 10}


def test_report_says_what_does_not_fit_and_which_rule_is_contradicted(connection: Connection) -> None:
    run = _reviewed_desk(connection)
    found = [RuleEvidence("streak", 100, 1, 900, 90, -0.12, -0.05), RuleEvidence("spike", 100, 9, 900, 90, -0.05, 0.02)]
    with writing(connection):
        store_evidence(connection, run, found)

    facts = build_facts(connection, run)

    assert [(fit.account_id, fit.verdict) for fit in facts.fits] == [("WILD", "too large"), ("CALM", "never reached")]
    [sentence] = facts.contradicted_rules
    assert sentence.startswith("streak: a large loss followed less often")
    assert parse_facts(facts.canonical) == facts


def _name_trader(connection: Connection, run: Run, account_id: str, trader_name: str, line: int) -> None:
    """Let an accounts file say who trades an account."""
    stated = {"valid_from": trading_days(SESSIONS)[0], "account_id": account_id, "trader_name": trader_name}
    insert(connection, "accounts", load_id=run.load_id, file_name="accounts.csv", line_number=line,
           recorded_at=run.as_of - dt.timedelta(hours=1), **stated)  # fmt: skip


def _traders(connection: Connection) -> list[dict[str, Any]]:
    return records(connection, "apply_rules/select_trader_fits", ALL_SESSIONS)


def test_accounts_of_one_trader_are_reviewed_together(
    connection: Connection, warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: two accounts of one person, one of another
    run = _reviewed_desk(connection)
    insert_pnl(connection, "SOLO", dict.fromkeys(trading_days(SESSIONS), "1"))
    for line, (name, trader) in enumerate((("CALM", "T. Jones"), ("WILD", "T. Jones"), ("SOLO", "A. Other"))):
        _name_trader(connection, run, name, trader, line)

    # when
    _review(connection, run, ("CALM", "WILD", "SOLO"))
    _review(connection, run, ("CALM", "WILD", "SOLO"))

    # then: both closed at 1 each day, and their lows, 0 to 39 and 1,000 to 9,000, add up to at most 9,039 of 10,000
    [fit] = _traders(connection)
    assert (fit["trader_name"], fit["account_ids"], fit["base_limit_usd"]) == ("T. Jones", ["CALM", "WILD"], 10000)
    assert (fit["session_count"], fit["close_use_ratio"], fit["lows_use_ratio"]) == (SESSIONS, 0, 0.9039)
    assert (fit["close_hit_count"], fit["lows_hit_count"]) == (0, 0)
    # By the closes the limits are never reached, by the lows they fit: what is between was not seen.
    assert fit["verdict"] == "not known"
    place = parse_dsn(warehouse_dsn)
    uri = f"postgresql://{place['user']}:{place.get('password', '')}@{place['host']}:{place['port']}/{place['dbname']}"
    monkeypatch.setenv(WAREHOUSE_CONNECTION, uri)
    printed = CliRunner().invoke(app, ["limits", "review"]).stdout
    assert "T. Jones (CALM, WILD), $10,000 together: not known: reached at the close on 0 of 130 days" in printed
    listed = json.loads(CliRunner().invoke(app, ["limits", "review", "--json"]).stdout)
    assert [row["trader_name"] for row in listed["traders"]] == ["T. Jones"]


def test_session_with_incomplete_books_of_an_account_is_left_out_for_its_trader(connection: Connection) -> None:
    run = _reviewed_desk(connection)
    for line, name in enumerate(("CALM", "WILD")):
        _name_trader(connection, run, name, "T. Jones", line)
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "delete from limit_receipts where account_id = 'CALM' and session_date = %s", (run.session_date,)
        )
        cursor.execute(
            "update daily_pnl set total_pnl_usd = null, incomplete_reason = 'no mark' "
            "where account_id = 'CALM' and session_date = %s", (run.session_date,),
        )  # fmt: skip
    terms = read_terms(connection, run.effective_session, run.as_of)

    [record] = read_trader_records(connection, run, terms, ["CALM", "WILD"])

    assert len(record.at_lows.largest_losses_usd) == SESSIONS - 1
    assert read_trader_records(connection, run, terms, ["WILD"]) == []


def test_trader_of_an_account_is_read_from_the_roster_file(connection: Connection, tmp_path: Path) -> None:
    session = dt.date(2025, 8, 15)
    write_drop(tmp_path, session, {"NET001": 2, "NET002": 2, "NET003": 2})
    lines = ("Account,Trader", "NET001,T. Jones", "NET002, T.  Jones ", "NET003,", "")
    (tmp_path / "accounts.csv").write_text("\n".join(lines))

    load_drop(connection, tmp_path, session, read_settings())

    binds = {"effective_session": session, "as_of": "infinity"}
    found = [tuple(row.values()) for row in records(connection, "apply_rules/select_traders", binds)]
    assert found == [("NET001", "T. Jones"), ("NET002", "T. Jones")]
