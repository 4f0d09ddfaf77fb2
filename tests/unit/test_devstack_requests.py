"""What a command refuses before it starts anything."""

from __future__ import annotations

import pytest

from devstack.commands import check_early, checked_date
from risk.core.errors import RequestError


@pytest.mark.parametrize("text", ["25.12.2025", "2025-02-30", "2025-12-31'; drop table fills; --", "yesterday"])
def test_command_refuses_a_date_that_is_none(text: str) -> None:
    with pytest.raises(RequestError, match="is not a date: write it as DATE=YYYY-MM-DD"):
        checked_date(text)


@pytest.mark.parametrize(
    ("day", "as_of", "sentence"),
    [
        ("2025-12-25", "", "2025-12-25 is no session of XNYS: ask for 2025-12-24 or 2025-12-26"),
        ("2025-12-27", "", "ask for 2025-12-26 or 2025-12-29"),
        ("2099-01-05", "", "lies in the future"),
        ("1950-01-03", "", "before the calendar's first day"),
        ("2025-12-31", "yesterday", "as_of 'yesterday' is not now, then or an instant"),
        ("2025-12-31", "2099-01-01T00:00Z", "future"),
    ],
    ids=["holiday", "weekend", "future", "before the calendar", "no instant", "future instant"],
)
def test_command_refuses_at_once_what_the_run_would_refuse(day: str, as_of: str, sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        check_early(day, as_of)


@pytest.mark.parametrize("day", [None, "2025-12-31"])
def test_command_takes_a_session_that_has_happened_or_none_at_all(day: str | None) -> None:
    assert check_early(day, "then") is None
