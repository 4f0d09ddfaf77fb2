"""The register in the warehouse: what a person asks for, what is refused, and which limit is in force from rows."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest
from psycopg2.extensions import parse_dsn
from typer.testing import CliRunner

from risk.cli import app
from risk.core.calendar import day_start, next_closed_weekdays, next_session
from risk.core.connections import WAREHOUSE_CONNECTION
from risk.core.errors import RequestError
from risk.core.exchange import exchange_zone
from risk.core.warehouse import Connection
from risk.limits.approvals import AirflowUser
from risk.limits.change_approvals import (
    ChangeDecision,
    ShownChange,
    acting_changes,
    decide_change,
    open_changes,
    pending_sentences,
    show_change,
)
from risk.limits.in_force import BASE, DEFAULT, EMAILED, INTRADAY, NEVER, PUBLISHED, TEMPORARY, LimitInForce
from risk.limits.limit_inputs import RegisteredChange, read_changes
from risk.limits.policy import read_terms
from risk.limits.register import (
    RequestedChange,
    change_sentences,
    limits_in_force,
    read_change,
    read_known_limits,
    request_change,
)
from risk.limits.second_person import APPROVED, REJECTED
from tests.policies import adopt, policy_document
from tests.report_desks import insert
from tests.sql.daily_rows import new_load
from tests.track_record_desks import MON, TUE, rename, report

ANN, BOB = AirflowUser("1", "Ann"), AirflowUser("2", "Bob")
NOW = dt.datetime.now(dt.UTC)
TODAY = NOW.astimezone(exchange_zone()).date()
SOON = next_session(TODAY)
LATER = next_session(SOON)
[HOLIDAY] = next_closed_weekdays(LATER, 1)


@pytest.fixture(autouse=True)
def named(connection: Connection) -> None:
    """Name the account in a file without a base limit."""
    state(connection, MON, None)


def state(connection: Connection, valid_from: dt.date, limit: int | None, recorded_at: dt.datetime = NOW) -> None:
    """Store a line of an accounts file."""
    source = {"file_name": "accounts.csv", "line_number": 2, "recorded_at": recorded_at}
    names = {"account_id": "NET001", "base_limit_usd": limit}
    insert(connection, "accounts", load_id=new_load(connection, MON), valid_from=valid_from, **names, **source)


def asked(limit: str, start: object, end: object = "", **changes: Any) -> RequestedChange:
    values = {"account_id": "NET001", "reason": "agreed", **changes}
    return RequestedChange(limit_text=limit, start_text=str(start), end_text=str(end), **values)


def ask(connection: Connection, *entered: Any, **changes: Any) -> RegisteredChange:
    return request_change(connection, asked(*entered, **changes), ANN, has_dual_control=False)


def shown_changes(connection: Connection, *, has_dual_control: bool) -> list[ShownChange]:
    now = dt.datetime.now(dt.UTC)
    pending = open_changes(read_changes(connection, now), now)
    known = read_known_limits(connection, now, last_at=NEVER)
    return [show_change(known, change, has_dual_control=has_dual_control) for change in pending]


def decide(
    connection: Connection, change: RegisteredChange, action: str, user: AirflowUser, *, has_dual_control: bool = False
) -> RegisteredChange:
    """Decide on what is shown now; what is not shown is decided blindly."""
    pending = shown_changes(connection, has_dual_control=has_dual_control)
    seen = {shown.change.change_id: shown.sha256 for shown in pending}
    decision = ChangeDecision(change.change_id, action, seen.get(change.change_id, ""))
    return decide_change(connection, decision, user, has_dual_control=has_dual_control)


def in_force(connection: Connection, instant: dt.datetime) -> LimitInForce:
    return limits_in_force(connection, instant)["NET001"]


def mailed(connection: Connection, effective_session: dt.date, cut: str, sent_at: dt.datetime) -> int:
    run = report(connection, effective_session, cut)
    message = {"message_id": f"<{run.run_id}@desk>", "recipient": "a@desk.example", "sent_at": sent_at}
    insert(connection, "report_deliveries", run_id=run.run_id, attempt_count=1, **message)
    return run.run_id


def published(connection: Connection, effective_session: dt.date, limit: int, recorded_at: dt.datetime) -> None:
    run = report(connection, effective_session, str(1 - Decimal(limit) / 5000))
    publication = {"run_id": run.run_id, "effective_session": effective_session, "approval_scope": "all"}
    key = insert(
        connection, "publications", **publication, has_dual_control=False, decision_deadline=recorded_at, is_live=True,
        dag_run_id="x",
    )  # fmt: skip
    decision = insert(
        connection, "limit_decisions", publication_id=key, account_id="NET001", action="timed_out", limit_usd=limit,
        reason="", user_id="", user_name="nobody",
    )  # fmt: skip
    names = ("recommended_limit_usd", "decided_limit_usd", "limit_usd")
    insert(
        connection, "published_limits", publication_id=key, account_id="NET001", effective_session=effective_session,
        **dict.fromkeys(names, limit), base_limit_usd=5000, reason="x", decision_id=decision, recorded_at=recorded_at,
    )  # fmt: skip


def test_change_is_in_force_from_its_approval_until_its_end(connection: Connection) -> None:
    change = ask(connection, "2000.50", TODAY, LATER)
    assert in_force(connection, dt.datetime.now(dt.UTC)).source == DEFAULT

    decided = decide(connection, change, APPROVED, BOB)

    assert decided.decided_at is not None
    found = in_force(connection, dt.datetime.now(dt.UTC))
    assert (found.limit_usd, found.source, found.since) == (Decimal("2000.50"), TEMPORARY, decided.decided_at)
    assert in_force(connection, day_start(LATER)).source == TEMPORARY
    # A date counts whole.
    assert in_force(connection, day_start(LATER) + dt.timedelta(hours=25)).source == DEFAULT
    # What is known at an instant is what had been recorded by then.
    assert in_force(connection, decided.decided_at - dt.timedelta(microseconds=1)).source == DEFAULT


def test_kind_follows_from_the_times(connection: Connection) -> None:
    base = ask(connection, "8000", SOON)
    intraday = ask(connection, "0", f"{SOON}T10:30")

    assert (base.kind, base.ends_at, base.starts_at) == (BASE, None, day_start(SOON))
    assert (intraday.kind, intraday.ends_at) == (INTRADAY, day_start(SOON + dt.timedelta(days=1)))
    assert intraday.starts_at == day_start(SOON) + dt.timedelta(hours=10, minutes=30)


@pytest.mark.parametrize(
    ("entered", "sentence"),
    [
        (asked("0", SOON), "A base limit of $0 for NET001 would leave nothing to cut"),
        (asked("-5", SOON), "'-5' is not an amount in dollars and cents"),
        (asked("3000.505", SOON), "is not an amount in dollars and cents"),
        (asked("3000", LATER, SOON), "before it begins"),
        (asked("3000", "2025-08-04", "2025-08-05"), "enter a later end"),
        (asked("3000", "soon"), "From 'soon' is neither a date nor an instant"),
        (asked("3000", SOON, reason=" "), "A reason is missing"),
        (asked("3000", SOON, account_id="NOBODY"), "There is no account 'NOBODY'"),
        (asked("3000", SOON, LATER, replaces=99), "has no temporary change 99"),
        (asked("3000", SOON, "2099-01-04"), "Until '2099-01-04' is outside the calendar"),
        (asked("3000", HOLIDAY), f"{HOLIDAY} is no session, and a base limit begins with one: enter"),
        (asked("3000", SOON, kind=TEMPORARY), "A temporary change has an end"),
        (asked("3000", SOON, LATER, kind=BASE), "A base limit begins with a session and has no end"),
        (asked("3000", SOON, kind=INTRADAY), "enter a date with a time, and no end"),
        (asked("3000", SOON, kind="x"), "A change is of one of the kinds base, temporary, intraday"),
        (asked("3000", HOLIDAY, HOLIDAY), f"There is no session from {HOLIDAY} to {HOLIDAY}"),
    ],
)
def test_bad_request_is_refused_with_a_sentence(
    connection: Connection, entered: RequestedChange, sentence: str
) -> None:
    with pytest.raises(RequestError, match=sentence.replace("$", r"\$")):
        request_change(connection, entered, ANN, has_dual_control=False)

    assert count(connection) == 0


def count(connection: Connection) -> int:
    with connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from limit_changes")
        return int(cursor.fetchall()[0][0])


def test_overlapping_temporary_change_must_name_the_one_it_replaces(connection: Connection) -> None:
    first = ask(connection, "2000", SOON, LATER)

    with pytest.raises(RequestError, match=f"NET001 has change {first.change_id} to"):
        ask(connection, "3000", f"{LATER}T09:30")

    second = ask(connection, "3000", f"{LATER}T09:30", replaces=first.change_id)
    # The first one is spoken for; a base limit overlaps nothing.
    with pytest.raises(RequestError, match="has no temporary change"):
        ask(connection, "1000", SOON, LATER, replaces=first.change_id)
    assert ask(connection, "4000", SOON).kind == BASE
    for change in (first, second):
        decide(connection, change, APPROVED, BOB)
    opening = day_start(LATER) + dt.timedelta(hours=9.5)
    assert in_force(connection, opening - dt.timedelta(seconds=1)).limit_usd == Decimal(2000)
    assert in_force(connection, opening).limit_usd == Decimal(3000)


def test_rejected_change_blocks_nothing_and_is_decided_once(connection: Connection) -> None:
    change = ask(connection, "2000", SOON, LATER)
    decide(connection, change, REJECTED, ANN)

    assert ask(connection, "3000", SOON, LATER).state == "pending"
    with pytest.raises(RequestError, match="already rejected by Ann"):
        decide(connection, change, APPROVED, BOB)
    with pytest.raises(RequestError, match="has no change 99"):
        read_change(connection, 99)


@pytest.mark.parametrize(
    ("limit", "has_dual_control", "is_needed"),
    [("10000", False, False), ("10000.01", False, True), ("5100", True, True)],
)
def test_second_person_approves_a_large_change_or_under_dual_control(
    connection: Connection, limit: str, *, has_dual_control: bool, is_needed: bool
) -> None:
    change = request_change(connection, asked(limit, SOON), ANN, has_dual_control=has_dual_control)

    # The base limit is 5,000: 10,000.00 is the largest change a person may make alone.
    assert change.needs_second_person is is_needed
    assert ("a second person" in " ".join(change_sentences(change))) is is_needed
    if is_needed:
        with pytest.raises(
            RequestError, match="Ann requested change 1 of NET001 and may not approve it: a second person has to"
        ):
            decide(connection, change, APPROVED, ANN)
        assert decide(connection, change, APPROVED, BOB).state == "approved"
    else:
        assert decide(connection, change, APPROVED, ANN).state == "approved"


def test_second_person_is_needed_where_the_limit_has_moved_away_since_the_request(connection: Connection) -> None:
    # given: 9,000 is 4,000 from the base limit of 5,000; an approved one of 3,000 takes it 6,000 away
    change = ask(connection, "9000", LATER)
    assert not change.needs_second_person
    lower = ask(connection, "3000", SOON)
    decide(connection, lower, APPROVED, ANN)

    # when, then
    with pytest.raises(RequestError, match="may not approve it: a second person has to"):
        decide(connection, change, APPROVED, ANN)
    assert decide(connection, change, APPROVED, BOB).state == "approved"


def test_small_changes_of_one_person_add_up_until_a_second_one_approves(connection: Connection) -> None:
    # given: 5,000 to 9,000 by Ann alone
    decide(connection, ask(connection, "9000", SOON), APPROVED, ANN)

    # when: 9,000 to 13,000 is 8,000 from the limit that nobody changed alone
    second = ask(connection, "13000", SOON)

    # then
    assert second.needs_second_person
    with pytest.raises(RequestError, match="may not approve it"):
        decide(connection, second, APPROVED, ANN)
    [shown] = shown_changes(connection, has_dual_control=False)
    assert (shown.before_usd, shown.reference_usd) == (Decimal(9000), Decimal(5000))
    decide(connection, second, APPROVED, BOB)
    # Two persons agreed on 13,000: from there it counts anew, whoever asks.
    assert not ask(connection, "17000", SOON).needs_second_person
    assert ask(connection, "18000.01", SOON).needs_second_person


def test_change_that_ends_one_of_two_persons_for_good_is_judged_by_what_follows(connection: Connection) -> None:
    # given: Ann and Bob stop the account for two days; its limit would be 5,000.01
    base = request_change(connection, asked("5000.01", SOON), BOB, has_dual_control=False)
    decide(connection, base, APPROVED, ANN)
    stop = ask(connection, "0", SOON, LATER)
    decide(connection, stop, APPROVED, BOB)

    # when: an hour at 100 would leave the rest of the two days at 5,000.01
    hour = (f"{SOON}T09:30", f"{SOON}T10:30")
    instead = ask(connection, "100", *hour, replaces=stop.change_id)

    # then
    assert instead.needs_second_person


def test_change_is_approved_only_as_it_was_shown(connection: Connection) -> None:
    # given: Bob sees 5,000 to 6,000, and the limit becomes 3,000 before he answers
    change = ask(connection, "6000", LATER)
    [seen] = shown_changes(connection, has_dual_control=False)
    assert (seen.before_usd, seen.change_usd) == (Decimal(5000), Decimal(1000))
    decide(connection, ask(connection, "3000", SOON), APPROVED, BOB)

    # when, then
    decision = ChangeDecision(change.change_id, APPROVED, seen.sha256)
    with pytest.raises(RequestError, match="no longer what you were shown"):
        decide_change(connection, decision, BOB, has_dual_control=False)
    assert read_change(connection, change.change_id).state == "pending"


def test_requester_of_the_command_line_is_known_by_name(connection: Connection) -> None:
    change = request_change(
        connection, asked("20000", SOON), AirflowUser("ann@desk1", "ann@desk1"), has_dual_control=False
    )

    with pytest.raises(RequestError, match="Ann requested change"):
        decide(connection, change, APPROVED, ANN)
    assert decide(connection, change, APPROVED, BOB).state == "approved"


def test_same_request_and_same_decision_twice_count_once(connection: Connection) -> None:
    first, again = (ask(connection, "2000", SOON, LATER) for _ in range(2))
    assert first == again
    assert count(connection) == 1

    decided, repeated = (decide(connection, first, APPROVED, BOB) for _ in range(2))
    assert decided == repeated


def test_changes_that_act_are_those_that_hold_or_will(connection: Connection) -> None:
    # given: a base limit in force, one for later, a temporary change and the one that replaces it
    base = ask(connection, "6000", SOON)
    later = ask(connection, "7000", LATER)
    spell = ask(connection, "2000", SOON, LATER)
    for change in (base, later, spell):
        decide(connection, change, APPROVED, BOB)
    instead = ask(connection, "1000", SOON, LATER, replaces=spell.change_id)
    decide(connection, instead, APPROVED, BOB)
    rejected = ask(connection, "4000", LATER)
    decide(connection, rejected, REJECTED, BOB)

    def acting(instant: dt.datetime, base_id: int) -> list[int]:
        found = acting_changes(read_changes(connection, "infinity"), frozenset({base_id}), instant)
        return [change.change_id for change in found]

    ids = [change.change_id for change in (base, later, spell, instead)]
    assert acting(dt.datetime.now(dt.UTC), 0) == ids
    noon = dt.timedelta(hours=12)
    assert acting(day_start(SOON) + noon, base.change_id) == [base.change_id, later.change_id, instead.change_id]
    assert acting(day_start(LATER) + noon, later.change_id) == [later.change_id, instead.change_id]
    assert acting(day_start(next_session(LATER)) + noon, later.change_id) == [later.change_id]


def test_report_says_which_changes_wait_for_a_decision(connection: Connection) -> None:
    change = ask(connection, "8000", SOON)
    rejected = ask(connection, "2000", SOON, LATER)
    decide(connection, rejected, REJECTED, BOB)

    [sentence] = pending_sentences(connection, dt.datetime.now(dt.UTC))

    assert sentence == (
        f"1 limit change is pending and not in force: NET001 base limit $8,000 from {SOON} 00:00 New York. "
        "Approve or reject on the page Limits."
    )
    # What is known at an instant is what had been recorded by then.
    assert pending_sentences(connection, change.recorded_at - dt.timedelta(microseconds=1)) == []
    decide(connection, change, APPROVED, BOB)
    assert pending_sentences(connection, dt.datetime.now(dt.UTC)) == []


def test_change_that_covers_a_holiday_says_so(connection: Connection) -> None:
    change = ask(connection, "3000", HOLIDAY, next_session(HOLIDAY))

    assert f"No session on {HOLIDAY}: nothing is traded under it there." in change_sentences(change)


def test_accepted_email_and_publication_are_in_force_from_then_on(connection: Connection) -> None:
    eight, nine = (day_start(MON) + dt.timedelta(hours=hour) for hour in (8, 9))
    mailed(connection, MON, "0.40", eight)
    published(connection, MON, 4000, nine)

    moment = dt.timedelta(microseconds=1)
    assert in_force(connection, eight - moment).source == DEFAULT
    assert in_force(connection, eight) == LimitInForce(Decimal(3000), EMAILED, 1, eight)
    assert in_force(connection, nine).limit_usd == Decimal(4000)
    assert in_force(connection, day_start(TUE)).source == PUBLISHED


def test_email_does_not_count_where_the_policy_says_so(connection: Connection) -> None:
    mailed(connection, MON, "0.40", day_start(MON))
    assert in_force(connection, dt.datetime.now(dt.UTC)).source == EMAILED

    adopt(connection, policy_document(use__emailed_counts="false"))

    assert in_force(connection, dt.datetime.now(dt.UTC)).source == DEFAULT


def test_report_that_reached_nobody_changes_nothing(connection: Connection) -> None:
    run = report(connection, MON, "0.40")
    attempt = {"message_id": "<1@desk>", "recipient": "a@desk.example", "last_error": "refused"}
    insert(connection, "report_deliveries", run_id=run.run_id, attempt_count=3, **attempt)

    assert in_force(connection, day_start(TUE)).source == DEFAULT


def test_point_in_time_report_is_never_in_force(connection: Connection) -> None:
    run = report(connection, MON, "0.40", is_point_in_time=True)
    sent = {"message_id": "<1@desk>", "recipient": "a@desk.example", "sent_at": day_start(MON)}
    insert(connection, "report_deliveries", run_id=run.run_id, attempt_count=1, **sent)

    assert in_force(connection, day_start(TUE)).source == DEFAULT


def test_limit_of_a_renamed_account_is_the_present_one_s(connection: Connection) -> None:
    run = report(connection, MON, "0.40", accounts=("OLD1",))
    sent = {"message_id": "<1@desk>", "recipient": "a@desk.example", "sent_at": day_start(MON)}
    insert(connection, "report_deliveries", run_id=run.run_id, attempt_count=1, **sent)
    rename(connection, TUE, "OLD1")

    assert limits_in_force(connection, dt.datetime.now(dt.UTC))["NET001"].limit_usd == Decimal(3000)


def test_unchanged_file_does_not_undo_a_person_s_base_limit(connection: Connection) -> None:
    state(connection, MON, 6000, NOW - dt.timedelta(days=30))
    change = ask(connection, "7000", TODAY) if _is_session_today() else ask(connection, "7000", SOON)
    decided = decide(connection, change, APPROVED, BOB)
    instant = max(decided.starts_at, dt.datetime.now(dt.UTC)) + dt.timedelta(days=7)

    state(connection, MON, 6000, dt.datetime.now(dt.UTC))
    assert in_force(connection, instant).limit_usd == Decimal(7000)

    state(connection, MON, 4000, instant - dt.timedelta(days=1))
    assert in_force(connection, instant).limit_usd == Decimal(4000)


def _is_session_today() -> bool:
    return next_session(TODAY - dt.timedelta(days=1)) == TODAY


def invoke(monkeypatch: pytest.MonkeyPatch, dsn: str, *arguments: str) -> Any:
    place = parse_dsn(dsn)
    uri = f"postgresql://{place['user']}:{place.get('password', '')}@{place['host']}:{place['port']}/{place['dbname']}"
    monkeypatch.setenv(WAREHOUSE_CONNECTION, uri)
    return CliRunner().invoke(app, ["limits", *arguments], catch_exceptions=False)


def test_command_line_asks_and_does_not_approve(
    connection: Connection, warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = ("--account", "NET001", "--limit", "2000", "--from", str(SOON), "--until", str(LATER), "--reason", "watch")
    found = invoke(monkeypatch, warehouse_dsn, "set", *wanted)

    assert "pending and not in force until" in found.stdout
    [change] = [read_change(connection, 1)]
    assert "@" in change.requested_by
    asked_again = invoke(monkeypatch, warehouse_dsn, "set", *wanted, "--replaces", "1", "--json")
    assert json.loads(asked_again.stdout)["state"] == "pending"
    shown = invoke(monkeypatch, warehouse_dsn, "in-force", "--at", f"{SOON}T12:00")
    assert "NET001" in shown.stdout
    listed = json.loads(invoke(monkeypatch, warehouse_dsn, "in-force", "--json").stdout)
    assert listed == [
        {"account_id": "NET001", "limit_usd": "5000.00", "source": "default", "since": None, "platform": "unconfirmed"}
    ]


def test_decision_starts_from_the_person_s_base_limit(connection: Connection) -> None:
    state(connection, MON, 6000, NOW - dt.timedelta(days=30))
    change = ask(connection, "7000", SOON)
    before = read_terms(connection, SOON, NOW + dt.timedelta(days=1)).of("NET001").base_limit_usd

    decide(connection, change, APPROVED, BOB)

    known = [read_terms(connection, day).of("NET001").base_limit_usd for day in (SOON, TODAY)]
    assert (before, known) == (Decimal(6000), [Decimal(7000), Decimal(6000)])
