"""Whether a desk runs by itself, and what a backfill may be asked for."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from devstack.commands import backfill, is_current
from devstack.environment import Desk, DeskKind
from risk.core.errors import RequestError
from tests.drops import write_drop

NOW = dt.datetime(2025, 8, 18, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(("session_date", "is_scheduled"), [(dt.date(2025, 8, 15), True), (dt.date(2025, 8, 1), False)])
def test_real_desk_is_scheduled_while_its_data_go_on(tmp_path: Path, session_date: dt.date, is_scheduled: bool) -> None:
    drop = write_drop(tmp_path, session_date, {"NET001": 2})

    assert is_current(Desk(DeskKind.real, drop), NOW) is is_scheduled


def test_desk_behind_a_query_is_scheduled_and_a_simulated_one_never(tmp_path: Path) -> None:
    drop = write_drop(tmp_path, dt.date(2025, 8, 15), {"NET001": 2})

    assert is_current(Desk(DeskKind.real, None), NOW)
    assert not is_current(Desk(DeskKind.simulated, drop), NOW)


@pytest.mark.parametrize(("first", "last"), [("", ""), ("", "2025-08-15"), ("2025-08-15", "2025-08-11")])
def test_backfill_names_its_form_when_the_range_is_missing_or_backwards(first: str, last: str) -> None:
    with pytest.raises(RequestError, match="make backfill FROM=2025-08-11 TO=2025-08-15"):
        backfill(first=first, last=last)
