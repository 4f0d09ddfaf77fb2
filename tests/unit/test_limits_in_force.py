"""The limit in force, worked by hand."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from risk.core.calendar import day_start
from risk.limits.in_force import (
    BASE,
    DEFAULT,
    EMAILED,
    INTRADAY,
    PUBLISHED,
    TEMPORARY,
    AccountLimits,
    LimitChange,
    ReportedLimit,
    change_usd,
    limit_at,
    limits_in_session,
)

MON, TUE, WED = (dt.date(2025, 8, day) for day in (4, 5, 6))


def at(day: dt.date, hours: float) -> dt.datetime:
    """Return an hour of a day in New York."""
    return day_start(day) + dt.timedelta(hours=hours)


def reported(session: dt.date, when: dt.datetime, limit: int, source: str = PUBLISHED) -> ReportedLimit:
    return ReportedLimit(source, 1, session, when, Decimal(limit))


def changed(kind: str, limit: int, starts: dt.datetime, ends: dt.datetime | None, **more: Any) -> LimitChange:
    values = {"change_id": 7, "approved_at": starts - dt.timedelta(hours=1), **more}
    return LimitChange(kind=kind, limit_usd=Decimal(limit), starts_at=starts, ends_at=ends, **values)


def account(*reports: ReportedLimit, changes: tuple[LimitChange, ...] = (), **more: Any) -> AccountLimits:
    return AccountLimits(reports, changes, more.get("file_limits", ()), Decimal(5000))


def test_last_limit_stands_through_mornings_without_a_report() -> None:
    known = account(reported(MON, at(MON, 8), 3000))

    assert limit_at(known, at(MON, 7), MON).source == DEFAULT
    found = limit_at(known, at(WED, 12), WED)
    assert (found.limit_usd, found.source, found.since) == (Decimal(3000), PUBLISHED, at(MON, 8))


def test_limit_for_tomorrow_begins_at_midnight_in_new_york() -> None:
    known = account(reported(TUE, at(MON, 20), 2000))

    assert limit_at(known, at(MON, 23.9), MON).source == DEFAULT
    assert limit_at(known, at(TUE, 0), TUE).since == at(TUE, 0)


def test_late_publication_of_an_earlier_session_does_not_replace_a_newer_one() -> None:
    known = account(reported(TUE, at(TUE, 7), 3000, EMAILED), reported(MON, at(TUE, 10), 5000))

    assert limit_at(known, at(TUE, 11), TUE).limit_usd == Decimal(3000)


def test_what_was_reported_for_a_later_session_does_not_count_for_an_earlier_one() -> None:
    later = at(WED, 12)
    known = account(reported(TUE, later, 2000), reported(WED, later, 1000))

    assert limit_at(known, later, TUE).limit_usd == Decimal(2000)
    assert limit_at(known, later, MON).source == DEFAULT


def test_temporary_change_lasts_until_its_end_and_needs_nothing_to_end() -> None:
    change = changed(TEMPORARY, 8000, at(MON, 10), at(MON, 12))
    known = account(reported(MON, at(MON, 7), 3000), changes=(change,))

    found = limits_in_session(known, MON, at(MON, 9), at(MON, 16))

    assert [(since, limit.limit_usd) for since, limit in found] == [
        (at(MON, 9), Decimal(3000)),
        (at(MON, 10), Decimal(8000)),
        (at(MON, 12), Decimal(3000)),
    ]


@pytest.mark.parametrize(("temporary", "expected"), [(8000, 3000), (1000, 1000)])
def test_lower_one_applies_where_a_change_is_older_than_a_report(temporary: int, expected: int) -> None:
    change = changed(TEMPORARY, temporary, at(MON, 10), at(WED, 16))
    known = account(reported(TUE, at(TUE, 7), 3000), changes=(change,))

    assert limit_at(known, at(MON, 11), MON).limit_usd == Decimal(temporary)
    assert limit_at(known, at(TUE, 8), TUE).limit_usd == Decimal(expected)


def test_change_without_approval_is_not_in_force_and_never_acts_before_it() -> None:
    pending = changed(INTRADAY, 9000, at(MON, 9), at(TUE, 0), approved_at=None)
    approved = changed(INTRADAY, 9000, at(MON, 9), at(TUE, 0), approved_at=at(MON, 14))

    assert limit_at(account(changes=(pending,)), at(MON, 15), MON).limit_usd == Decimal(5000)
    assert limit_at(account(changes=(approved,)), at(MON, 13), MON).limit_usd == Decimal(5000)
    assert limit_at(account(changes=(approved,)), at(MON, 14), MON).limit_usd == Decimal(9000)


def test_replaced_change_ends_when_the_new_one_takes_effect_and_does_not_come_back() -> None:
    first = changed(TEMPORARY, 2000, at(MON, 9), at(WED, 16))
    second = changed(TEMPORARY, 4000, at(MON, 12), at(MON, 14), change_id=8, replaces=7)
    known = account(changes=(first, second))

    amounts = [limit_at(known, at(MON, hour), MON).limit_usd for hour in (11, 13, 15)]

    assert amounts == [Decimal(2000), Decimal(4000), Decimal(5000)]


def test_base_limit_lowers_at_once_and_raises_with_the_next_report() -> None:
    known = account(
        reported(MON, at(MON, 7), 3000),
        reported(WED, at(WED, 7), 6000),
        changes=(
            changed(BASE, 2000, at(MON, 0), None, approved_at=at(MON, 12)),
            changed(BASE, 10000, at(TUE, 0), None, change_id=8),
        ),
    )

    amounts = [limit_at(known, when, when.date()).limit_usd for when in (at(MON, 11), at(MON, 13), at(TUE, 9))]

    assert amounts == [Decimal(3000), Decimal(2000), Decimal(3000)]
    assert limit_at(known, at(WED, 8), WED).limit_usd == Decimal(6000)


def test_account_without_a_limit_has_what_its_file_says_now_about_the_day() -> None:
    recorded = at(WED, 20)
    stated = (
        changed(BASE, 4000, at(MON, 0), None, change_id=0, approved_at=recorded),
        changed(BASE, 6000, at(TUE, 0), None, change_id=0, approved_at=recorded),
    )

    assert limit_at(account(file_limits=stated), at(MON, 12), MON).limit_usd == Decimal(4000)
    assert limit_at(account(file_limits=stated), at(TUE, 12), TUE).limit_usd == Decimal(6000)


def test_person_s_base_limit_outlasts_an_unchanged_file_and_yields_to_a_new_one() -> None:
    entered = changed(BASE, 8000, at(TUE, 0), None)
    old = changed(BASE, 5000, at(MON, 0), None, change_id=0, approved_at=at(MON, 0))
    new = changed(BASE, 4000, at(MON, 0), None, change_id=0, approved_at=at(WED, 9))
    before, after = account(changes=(entered,), file_limits=(old,)), account(changes=(entered,), file_limits=(old, new))

    assert limit_at(before, at(WED, 10), WED).limit_usd == Decimal(8000)
    assert limit_at(after, at(WED, 10), WED).limit_usd == Decimal(4000)


def test_of_two_equal_temporary_changes_the_newer_one_counts() -> None:
    changes = (
        changed(TEMPORARY, 2000, at(MON, 9), at(TUE, 9), change_id=1, approved_at=at(MON, 11)),
        changed(TEMPORARY, 2000, at(MON, 9), at(TUE, 9), change_id=2, approved_at=at(MON, 9)),
    )
    report = reported(MON, at(MON, 10), 1000)

    assert limit_at(account(report, changes=changes), at(MON, 12), MON).source_id == 1


def test_of_two_base_limits_of_one_day_the_one_approved_last_counts() -> None:
    changes = (
        changed(BASE, 4000, at(WED, 0), None, change_id=1, approved_at=at(TUE, 10)),
        changed(BASE, 3000, at(WED, 0), None, change_id=2, approved_at=at(TUE, 9)),
    )

    assert limit_at(account(changes=changes), at(WED, 10), WED).limit_usd == Decimal(4000)


@pytest.mark.parametrize(
    ("reports", "recommended", "expected"),
    [
        # The first report is compared with the base limit.
        ((), 3000, -2000),
        ((reported(MON, at(MON, 7), 3000),), 3000, 0),
        ((reported(MON, at(MON, 7), 4000),), 5000, 1000),
    ],
)
def test_change_compares_the_next_session_with_now(
    reports: tuple[ReportedLimit, ...], recommended: int, expected: int
) -> None:
    assert change_usd(account(*reports), Decimal(recommended), TUE, at(TUE, 7)) == Decimal(expected)


def test_change_counts_a_temporary_change_that_ends_before_the_session() -> None:
    change = changed(TEMPORARY, 8000, at(MON, 10), at(TUE, 0))
    known = account(reported(MON, at(MON, 7), 3000), changes=(change,))

    assert change_usd(known, Decimal(3000), TUE, at(MON, 20)) == Decimal(-5000)
