"""What a run is asked to know."""

from __future__ import annotations

import datetime as dt

import pytest

from risk.core.errors import RequestError
from risk.core.runs import resolve_as_of

EFFECTIVE = dt.date(2025, 8, 18)
NOW = dt.datetime(2025, 8, 20, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("asked", "known"),
    [
        ("", None),
        ("now", None),
        # New York is four hours behind in August.
        ("then", dt.datetime(2025, 8, 18, 11, tzinfo=dt.UTC)),
        ("2025-08-19T07:30:00-04:00", dt.datetime(2025, 8, 19, 11, 30, tzinfo=dt.UTC)),
        ("2025-08-20T12:00:00Z", NOW),
    ],
)
def test_as_of_names_the_last_instant_known(asked: str, known: dt.datetime | None) -> None:
    assert resolve_as_of(asked, EFFECTIVE, NOW) == known


@pytest.mark.parametrize("asked", ["yesterday", "2025-08-19T07:30:00", "2025-08-19", "Then", "13/01/2025"])
def test_as_of_without_instant_or_offset_is_refused_with_the_form(asked: str) -> None:
    with pytest.raises(RequestError, match=r"write it as 2025-08-18T11:00:00\+00:00"):
        resolve_as_of(asked, EFFECTIVE, NOW)


def test_as_of_in_the_future_is_refused() -> None:
    with pytest.raises(RequestError, match="in the future: use now"):
        resolve_as_of("then", dt.date(2025, 8, 21), NOW)
