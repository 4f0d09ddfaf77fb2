"""What the report reads from the warehouse."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from risk.core.runs import Run
from risk.core.warehouse import Connection, writing
from risk.report.build_facts import build_facts
from risk.report.facts import AccountFacts, Counts, DeskFacts, Facts, RosterEntry
from tests.report_desks import AS_OF, SESSION, book, deliver_fills, insert, open_run, recommend

EARLIER = dt.date(2025, 8, 14)


def only_account(facts: Facts) -> AccountFacts:
    (found,) = facts.accounts
    return found


def messages(facts: Facts, kind: str) -> list[str]:
    return [warning.message for warning in facts.warnings if warning.kind == kind]


def test_facts_hold_the_recommendation_and_the_session_of_an_account(connection: Connection) -> None:
    run = open_run(connection)
    delivery_id = deliver_fills(connection, run)
    book(connection, input_fingerprint=delivery_id)
    recommend(connection, run)

    facts = build_facts(connection, run)

    assert (facts.session_date, facts.effective_session) == (SESSION, dt.date(2025, 8, 18))
    assert facts.counts == Counts(high=1, moderate=0, low=0, restricted=1)
    found = only_account(facts)
    assert (found.account_id, found.level, found.cut_ratio) == ("NET001", "high", Decimal("0.40"))
    assert (found.new_limit_usd, found.base_limit_usd) == (Decimal("3000.00"), Decimal("5000.00"))
    assert (found.net_pnl_usd, found.total_pnl_usd) == (Decimal("-812.30"), Decimal("-1033.20"))
    assert (found.delivery_state, found.reasons) == ("delivered", ("Loss streak: 5 sessions",))
    assert facts.roster == (RosterEntry("NET001", 1, SESSION, "active"),)
    assert facts.warnings == ()


def test_facts_put_the_most_urgent_account_first(connection: Connection) -> None:
    run = open_run(connection)
    # Forecast loss in base limits: A 1000/5000 = 0.2, B 3000/5000 = 0.6, C 3000/30000 = 0.1, D and E none.
    recommend(connection, run, "A", "0.40", forecast_quantile_05_usd=Decimal(-1000))
    recommend(connection, run, "B", "0.40", forecast_quantile_05_usd=Decimal(-3000))
    recommend(connection, run, "C", "0.40", forecast_quantile_05_usd=Decimal(-3000), base_limit_usd=Decimal(30000))
    recommend(connection, run, "E", "0.40", forecast_quantile_05_usd=None)
    recommend(connection, run, "D", "0.40", forecast_quantile_05_usd=None)
    recommend(connection, run, "LOW", "0.10")
    recommend(connection, run, "MODERATE", "0.20")
    recommend(connection, run, "WORST", "0.80", forecast_quantile_05_usd=None)

    order = [account.account_id for account in build_facts(connection, run).accounts]

    assert order == ["WORST", "B", "A", "C", "D", "E", "MODERATE", "LOW"]


def test_facts_count_levels_and_restricted_accounts(connection: Connection) -> None:
    run = open_run(connection)
    for name, cut in (("A", "0.80"), ("B", "0.40"), ("C", "0.35"), ("D", "0.05"), ("E", "0.00")):
        recommend(connection, run, name, cut)

    assert build_facts(connection, run).counts == Counts(high=2, moderate=1, low=2, restricted=4)


def test_facts_are_empty_but_whole_when_nobody_is_active(connection: Connection) -> None:
    facts = build_facts(connection, open_run(connection))

    assert (facts.accounts, facts.roster, facts.warnings) == ((), (), ())
    assert facts.desk == DeskFacts(0, 0, 0, None, None, Decimal(0), Decimal(0))


def test_facts_tell_adjustments_beside_the_result_and_only_of_known_accounts(connection: Connection) -> None:
    run = open_run(connection)
    recommend(connection, run, "NET001")
    deliver_fills(connection, run, "NET001")
    deliver_fills(connection, run, "OTHER")
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into adjustments (load_id, file_name, line_number, session_date, account_id, offset_account_id, "
            "category, amount_usd, comment, recorded_at) select %s, 'adjustments.csv', number, %s, 'NET001', other, "
            "'Software', -10, '', %s from unnest(array[2, 3], array['OTHER', 'GHOST']) as listed (number, other)",
            (run.load_id, run.session_date, run.as_of),
        )

    facts = build_facts(connection, run)

    # 20 paid by NET001, half of it to OTHER; nobody knows GHOST.
    assert only_account(facts).adjustments_usd == -20
    assert facts.desk.adjustments_usd == -10


@pytest.mark.parametrize(
    ("published_at", "state"),
    [
        # The session closes at 20:00 UTC on 2025-08-15; 24 hours later an empty file means something else.
        (dt.datetime(2025, 8, 15, 9, tzinfo=dt.UTC), "not posted"),
        (dt.datetime(2025, 8, 16, 19, 59, 59, tzinfo=dt.UTC), "not posted"),
        (dt.datetime(2025, 8, 16, 20, 0, tzinfo=dt.UTC), "no trades"),
    ],
)
def test_facts_tell_not_posted_from_no_trades_by_publication(
    connection: Connection, published_at: dt.datetime, state: str
) -> None:
    run = open_run(connection)
    recommend(connection, run)
    delivery_id = deliver_fills(connection, run, rows=0, published_at=published_at)
    # A carried position has books although nothing was traded.
    book(
        connection,
        input_fingerprint=delivery_id,
        fill_count=0,
        gross_pnl_usd=0,
        fees_usd=0,
        net_pnl_usd=0,
        total_pnl_usd=Decimal("-220.90"),
    )

    found = only_account(build_facts(connection, run))

    assert found.delivery_state == state
    assert found.net_pnl_usd == (None if state == "not posted" else 0)
    assert found.total_pnl_usd == (None if state == "not posted" else Decimal("-220.90"))


def test_facts_say_missing_when_only_others_delivered(connection: Connection) -> None:
    run = open_run(connection)
    recommend(connection, run, "NET001")
    recommend(connection, run, "NET002")
    deliver_fills(connection, run, "NET001")

    facts = build_facts(connection, run)

    assert {one.account_id: one.delivery_state for one in facts.accounts} == {
        "NET001": "delivered",
        "NET002": "missing",
    }
    assert messages(facts, "delivery") == [
        "NET002: no fills received for 2025-08-15 (others received). Contact the source."
    ]


def test_facts_ignore_a_delivery_recorded_after_the_cut_off(connection: Connection) -> None:
    run = open_run(connection)
    recommend(connection, run, "NET001")
    deliver_fills(connection, run, "NET002")
    deliver_fills(connection, run, "NET001", recorded_at=AS_OF + dt.timedelta(seconds=1))

    assert only_account(build_facts(connection, run)).delivery_state == "missing"


def test_facts_say_rejected_when_no_delivered_row_was_good(connection: Connection) -> None:
    run = open_run(connection)
    recommend(connection, run)
    deliver_fills(connection, run, rows=3, loaded_count=0, rejected_count=3)

    facts = build_facts(connection, run)

    assert only_account(facts).delivery_state == "rejected"
    assert messages(facts, "delivery") == [
        "NET001: every row for 2025-08-15 was rejected; limits use data through the previous session."
    ]


def test_facts_show_no_result_but_the_reason_when_books_are_incomplete(connection: Connection) -> None:
    run = open_run(connection)
    recommend(connection, run)
    unknown: dict[str, Any] = {"net_pnl_usd": None, "total_pnl_usd": None, "incomplete_reason": "no mark for XYZ"}
    book(connection, input_fingerprint=deliver_fills(connection, run), **unknown)

    facts = build_facts(connection, run)

    assert only_account(facts).total_pnl_usd is None
    (message,) = messages(facts, "books")
    assert all(word in message for word in ("NET001", "incomplete", "2025-08-15", "no mark for XYZ"))
    assert (facts.desk.traded_account_count, facts.desk.incomplete_account_count) == (1, 1)
    assert facts.desk.total_pnl_usd is None


def test_facts_add_up_the_desk_over_traded_accounts(connection: Connection) -> None:
    run = open_run(connection)
    recommend(connection, run, "NET001", "0.40")
    recommend(connection, run, "NET002", "0.00")
    book(connection, "NET001", net_pnl_usd=Decimal("-10.25"), total_pnl_usd=Decimal("5.50"), fill_count=3)
    book(connection, "NET001_OLD", net_pnl_usd=Decimal("1.00"), total_pnl_usd=Decimal("1.00"), fill_count=2)
    book(connection, "NET002", net_pnl_usd=0, total_pnl_usd=Decimal(99), fill_count=0)
    book(connection, "NET003", total_pnl_usd=None, incomplete_reason="no mark for XYZ", fill_count=1)

    # NET002 carried a position without a fill, NET003 knows its net but not what its position is worth:
    # net -10.25 + 1.00, total 5.50 + 1.00, limits 3,000 + 5,000.
    assert build_facts(connection, run).desk == DeskFacts(
        3, 1, 6, Decimal("-9.25"), Decimal("6.50"), Decimal("10000.00"), Decimal("8000.00")
    )


def test_roster_counts_trading_days_through_the_session_and_names_the_status(connection: Connection) -> None:
    run = open_run(connection)
    recommend(connection, run, "NET001", "0.30", status="limited history")
    for day in (dt.date(2025, 8, 13), EARLIER, SESSION, dt.date(2025, 8, 18)):
        book(connection, "NET001", day)
    book(connection, "NET001_OLD", EARLIER)
    book(connection, "NETXOLD", EARLIER)
    book(connection, "CARRIED", EARLIER, fill_count=0)

    assert build_facts(connection, run).roster == (
        RosterEntry("NET001", 3, SESSION, "limited history"),
        RosterEntry("NET001_OLD", 1, EARLIER, "legacy"),
        # The suffix is literal: its underscore is no wildcard.
        RosterEntry("NETXOLD", 1, EARLIER, "inactive"),
    )


def test_facts_name_failed_checks_but_not_passed_ones_nor_those_of_another_run(connection: Connection) -> None:
    run, other = open_run(connection), open_run(connection, revision=2)
    verdict = {"check_name": "fees", "severity": "warn", "observed": "4.2"}
    insert(connection, "quality_results", run_id=run.run_id, subject="B", has_passed=True, message="fine", **verdict)
    insert(connection, "quality_results", run_id=run.run_id, subject="A", has_passed=False, message="odd\n", **verdict)
    insert(connection, "quality_results", run_id=other.run_id, subject="A", has_passed=False, message="no", **verdict)

    assert [(one.kind, one.subject, one.message) for one in build_facts(connection, run).warnings] == [
        ("check", "A", "odd")
    ]


def test_facts_tell_a_missing_account_once_when_a_check_names_it_too(connection: Connection) -> None:
    run = open_run(connection)
    recommend(connection, run, "NET001")
    deliver_fills(connection, run, "NET002")
    for name in ("NET001", "NET003"):
        verdict = {"check_name": "accounts_delivered", "severity": "warn", "observed": "missing", "has_passed": False}
        insert(connection, "quality_results", run_id=run.run_id, subject=name, message=f"{name} is missing", **verdict)

    facts = build_facts(connection, run)

    # NET003 is not among the active accounts: only the check knows it.
    assert [warning.message for warning in facts.warnings] == [
        "NET001: no fills received for 2025-08-15 (others received). Contact the source.",
        "NET003 is missing",
    ]


def test_facts_name_quarantined_files_and_rejected_rows_of_the_load(connection: Connection) -> None:
    run, other = open_run(connection), open_run(connection, revision=2)
    insert(
        connection,
        "source_files",
        load_id=run.load_id,
        file_name="fills-2.csv",
        content_sha256="0",
        state="quarantined",
        reason="column Price is missing",
    )
    for load, line in ((run, 17), (run, 4), (other, 1)):
        insert(
            connection,
            "fill_rejects",
            load_id=load.load_id,
            file_name="fills.csv",
            line_number=line,
            raw_text="<img onerror>",
            reason=f"side of line {line} is \u202eX",
            cause="side",
        )

    facts = build_facts(connection, run)

    (file,) = messages(facts, "file")
    assert all(word in file for word in ("fills-2.csv", "not loaded", "column Price is missing"))
    # The right-to-left override that would disguise the sentence is gone.
    assert messages(facts, "rejects") == ["side of line 4 is X", "side of line 17 is X"]


def test_facts_are_the_same_bytes_when_later_sessions_arrive(connection: Connection) -> None:
    run = open_run(connection)
    recommend(connection, run)
    book(connection, input_fingerprint=deliver_fills(connection, run))
    before = build_facts(connection, run).canonical

    later = open_run(connection, session_date=dt.date(2025, 8, 18))
    deliver_fills(connection, later, recorded_at=AS_OF + dt.timedelta(days=1))
    book(connection, session_date=dt.date(2025, 8, 18))
    recommend(connection, later, "NET002")

    assert build_facts(connection, run).canonical == before


def test_facts_compare_with_the_newest_earlier_report_known_at_the_cut_off(connection: Connection) -> None:
    run = open_run(connection)
    recommend(connection, run, "NET001", "0.40")
    recommend(connection, run, "NET002", "0.00")
    for day, revision, cut in ((13, 1, "0.80"), (14, 1, "0.60"), (14, 2, "0.30"), (14, 3, "0.20")):
        earlier = open_run(connection, session_date=dt.date(2025, 8, day), revision=revision)
        recommend(connection, earlier, "NET001", cut)
        # Revision 3 was reported after this run's cut-off.
        known_at = AS_OF + dt.timedelta(hours=1 if revision == 3 else -20)
        insert(connection, "reports", run_id=earlier.run_id, facts="{}", facts_sha256="0", recorded_at=known_at)
    open_run(connection, session_date=EARLIER, revision=4)

    facts = build_facts(connection, run)

    assert facts.previous_session_date == EARLIER
    assert {one.account_id: one.previous_cut_ratio for one in facts.accounts} == {
        "NET001": Decimal("0.30"),
        "NET002": None,
    }


def reported(connection: Connection, day: dt.date = EARLIER) -> Facts:
    """Store the report of a run that knew what the tables hold now."""
    run = open_run(connection, session_date=day)
    recommend(connection, run)
    facts = build_facts(connection, run)
    insert(
        connection,
        "reports",
        run_id=run.run_id,
        facts=facts.canonical,
        facts_sha256=facts.sha256,
        recorded_at=AS_OF - dt.timedelta(hours=1),
    )
    return facts


def rebook(connection: Connection, **changes: Any) -> None:
    """Book the earlier session anew."""
    with writing(connection), connection.cursor() as cursor:
        cursor.execute("delete from daily_pnl where session_date = %s", (EARLIER,))
    book(connection, session_date=EARLIER, **changes)


def restatements(connection: Connection, run: Run) -> list[tuple[Any, ...]]:
    return [dataclasses.astuple(one) for one in build_facts(connection, run).restatements]


def test_facts_tell_a_result_that_was_reported_otherwise_once(connection: Connection) -> None:
    load, run = open_run(connection, session_date=dt.date(2025, 8, 12)), open_run(connection, revision=2)
    delivery = {"session_date": EARLIER, "recorded_at": AS_OF - dt.timedelta(hours=2)}
    book(connection, session_date=EARLIER, input_fingerprint=deliver_fills(connection, load, **delivery))
    assert reported(connection).restatements == ()
    assert restatements(connection, run) == []

    # Delivered again after that report, with fees of 3 cents more: -1,033.20 becomes -1,033.23.
    again = deliver_fills(connection, load, **{**delivery, "recorded_at": AS_OF + dt.timedelta(minutes=1)})
    rebook(connection, input_fingerprint=again, total_pnl_usd=Decimal("-1033.23"))

    before, after = Decimal("-1033.20"), Decimal("-1033.23")
    run = dataclasses.replace(run, as_of=AS_OF + dt.timedelta(minutes=2))
    assert restatements(connection, run) == [("NET001", EARLIER, before, after, "fees restated")]
    reported(connection, SESSION)
    assert restatements(connection, open_run(connection, session_date=dt.date(2025, 8, 18))) == []


def test_facts_tell_a_result_that_no_report_knew(connection: Connection) -> None:
    load, run = open_run(connection, session_date=dt.date(2025, 8, 12)), open_run(connection)
    # A carried position of a session whose fills are not posted is no result, before and after.
    book(connection, session_date=EARLIER)
    reported(connection)
    assert restatements(connection, run) == []

    rebook(connection, input_fingerprint=deliver_fills(connection, load, session_date=EARLIER))

    why = "books were incomplete and are complete now"
    assert restatements(connection, run) == [("NET001", EARLIER, None, Decimal("-1033.20"), why)]


@pytest.mark.parametrize(
    ("changes", "after", "reason"),
    [
        (
            {"total_pnl_usd": Decimal("-1000")},
            Decimal(-1000),
            "closing mark, rate, multiplier, split or earlier session changed",
        ),
        ({"total_pnl_usd": None, "incomplete_reason": "no mark"}, None, "books are incomplete now"),
        # Less than half a cent is nothing anybody could see.
        ({"total_pnl_usd": Decimal("-1033.204")}, "nothing", ""),
    ],
)
def test_facts_say_why_a_result_is_another_one(
    connection: Connection, changes: dict[str, Any], after: Any, reason: str
) -> None:
    load, run = open_run(connection, session_date=dt.date(2025, 8, 12)), open_run(connection)
    delivery_id = deliver_fills(connection, load, session_date=EARLIER, recorded_at=AS_OF - dt.timedelta(hours=2))
    book(connection, session_date=EARLIER, input_fingerprint=delivery_id)
    reported(connection)

    rebook(connection, input_fingerprint=delivery_id, **changes)

    expected = [] if after == "nothing" else [("NET001", EARLIER, Decimal("-1033.20"), after, reason)]
    assert restatements(connection, run) == expected


def test_facts_hold_the_last_sixty_complete_results_oldest_first(connection: Connection) -> None:
    run = open_run(connection)
    recommend(connection, run)
    sessions = [
        SESSION - dt.timedelta(days=age) for age in range(200) if (SESSION - dt.timedelta(days=age)).weekday() < 5
    ]
    trading = [day for day in sessions if day not in {dt.date(2025, 7, 4), dt.date(2025, 6, 19), dt.date(2025, 5, 26)}][
        :63
    ]
    for age, day in enumerate(trading):
        is_incomplete = age == 1
        book(
            connection,
            session_date=day,
            total_pnl_usd=None if is_incomplete else Decimal(age),
            incomplete_reason="no mark" if is_incomplete else None,
        )

    results = only_account(build_facts(connection, run)).recent_results_usd

    # Ages 0 and 2 to 60: sixty results without the incomplete one of age 1.
    assert results == (*(Decimal(age) for age in range(60, 1, -1)), Decimal(0))
