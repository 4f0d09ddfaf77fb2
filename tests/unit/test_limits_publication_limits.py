"""The limit in force: down at once, up as the policy says, never compounded; the platform's file whole and once."""

from __future__ import annotations

import datetime as dt
import os
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.core.errors import StackError
from risk.limits.approvals import decision_deadline
from risk.limits.policy import limit_in_force
from risk.limits.publish import platform_csv, write_once

BASE = Decimal("5000.00")
HALF = Decimal("0.50")
EFFECTIVE = dt.date(2025, 8, 18)


def usd(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


@pytest.mark.parametrize(
    ("decided", "in_force", "level", "limit"),
    [
        ("3000", None, "high", "3000"),
        ("1000", "4000", "high", "1000"),
        ("3000", "3000", "moderate", "3000"),
        # From 1,000 to 5,000 the gap is 4,000: half of it is 2,000.
        ("5000", "1000", "low", "3000.00"),
        # Not of low risk: no rise.
        ("4000", "1000", "moderate", "1000"),
        ("3000", "1000", "high", "1000"),
        # A gap of 1 % of the base limit is closed at once, one of a cent more is halved: 50.01 / 2 is 25.00.
        ("5000", "4950.00", "low", "5000"),
        ("5000", "4949.99", "low", "4974.99"),
    ],
)
def test_limit_falls_at_once_and_rises_by_half_while_the_risk_is_low_with_a_step_of_half(
    decided: str, in_force: str | None, level: str, limit: str
) -> None:
    assert limit_in_force(Decimal(decided), usd(in_force), BASE, level, HALF)[0] == Decimal(limit)


def test_restored_limit_reaches_the_base_limit_in_a_few_sessions() -> None:
    limit, path = Decimal("1000.00"), []
    while limit < BASE:
        limit = limit_in_force(BASE, limit, BASE, "low", HALF)[0]
        path.append(str(limit))

    # Gaps 4,000, 2,000, 1,000, 500, 250, 125, 62.50, 31.25: the last is less than 50.
    assert path == ["3000.00", "4000.00", "4500.00", "4750.00", "4875.00", "4937.50", "4968.75", "5000.00"]


amounts = st.decimals(min_value=1, max_value=5000, places=2)


@given(decided=amounts, in_force=amounts, level=st.sampled_from(["high", "moderate", "low"]))
def test_limit_lies_between_what_is_in_force_and_what_was_decided(
    decided: Decimal, in_force: Decimal, level: str
) -> None:
    limit, _ = limit_in_force(decided, in_force, BASE, level, HALF)

    assert min(decided, in_force) <= limit <= decided
    # At most half of the gap, but for a gap too small to halve.
    if decided - in_force > BASE / 100:
        assert limit - in_force <= (decided - in_force) / 2


@pytest.mark.parametrize("level", ["high", "moderate", "low"])
def test_limit_is_the_decided_one_at_once_with_a_step_of_all(level: str) -> None:
    assert limit_in_force(Decimal(4000), Decimal(1000), BASE, level, Decimal(1)) == (Decimal(4000), "")


@pytest.mark.parametrize(
    ("asked_at", "until"),
    [
        # The morning of the effective session, in summer 4 hours behind UTC.
        ("2025-08-18T11:02:00+00:00", "2025-08-18T13:00:00+00:00"),
        # Late that day: half an hour, before 09:00 and after.
        ("2025-08-18T12:30:00+00:00", "2025-08-18T13:00:00+00:00"),
        ("2025-08-18T12:30:01+00:00", "2025-08-18T13:00:01+00:00"),
        ("2025-08-18T20:30:00+00:00", "2025-08-18T21:00:00+00:00"),
        # The evening before.
        ("2025-08-15T22:00:00+00:00", "2025-08-18T13:00:00+00:00"),
        # A dry run in winter, before and after 09:00 New York (14:00 UTC).
        ("2026-01-20T13:30:00+00:00", "2026-01-20T14:00:00+00:00"),
        ("2026-01-20T13:31:00+00:00", "2026-01-21T14:00:00+00:00"),
    ],
)
def test_answers_are_taken_until_nine_in_new_york_and_at_least_half_an_hour(asked_at: str, until: str) -> None:
    assert decision_deadline(EFFECTIVE, dt.datetime.fromisoformat(asked_at)) == dt.datetime.fromisoformat(until)


def test_platform_file_is_written_once_and_never_replaced(tmp_path: Path) -> None:
    file = tmp_path / "out" / "limits.csv"

    assert write_once(file, b"first")
    assert not write_once(file, b"first")
    with pytest.raises(StackError, match="nothing was written"):
        write_once(file, b"second")

    assert {path.name: path.read_bytes() for path in file.parent.iterdir()} == {"limits.csv": b"first"}


def test_platform_file_leaves_nothing_when_its_folder_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")

    with pytest.raises(StackError, match="RISK_OUTBOUND_DIR"):
        write_once(tmp_path / "out" / "limits.csv", b"x")


def test_platform_file_has_exact_values_by_name() -> None:
    row = {"account_id": "A, B", "effective_session": EFFECTIVE, "limit_usd": Decimal("3000.50")}

    written = platform_csv([{**row, "base_limit_usd": BASE, "action": "approved", "reason": 'as "said"', "more": 1}])

    assert written == (
        "account_id,effective_session,limit_usd,base_limit_usd,action,reason\n"
        '"A, B",2025-08-18,3000.50,5000.00,approved,"as ""said"""\n'
    )


def test_file_is_written_through_no_link_and_waits_for_no_pipe(tmp_path: Path) -> None:
    victim, file = tmp_path / "victim", tmp_path / "out" / "limits.csv"
    victim.write_text("mine")
    (tmp_path / "out" / ".unfinished").mkdir(parents=True)
    (tmp_path / "out" / ".unfinished" / file.name).symlink_to(victim)

    assert write_once(file, b"ours")

    assert (victim.read_text(), file.read_bytes(), file.is_symlink()) == ("mine", b"ours", False)
    for plant in (lambda path: path.symlink_to(file), os.mkfifo):
        plant(other := file.with_name(f"other-{plant is os.mkfifo}.csv"))
        with pytest.raises(StackError, match="already exists with other limits"):
            write_once(other, b"ours")
