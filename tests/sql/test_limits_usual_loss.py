"""Counts and usual losses from SQL are those of the panel and of a third count by hand; a trader who returns."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from risk.books.warehouse import aggregate
from risk.core.policy_document import default_policy
from risk.core.runs import Run, open_run
from risk.core.settings import Settings
from risk.core.warehouse import Connection
from risk.ingest.load import load_drop
from risk.limits.decide import ActiveAccount, apply_rules, read_inputs
from risk.limits.policy import read_terms
from risk.limits.tail_effect import usual_losses
from tests.sql.daily_rows import insert_pnl, issue_forecasts, new_run, trading_days

POLICY = default_policy().desk


def _accounts(connection: Connection, run: Run) -> dict[str, ActiveAccount]:
    inputs = read_inputs(connection, run, read_terms(connection, run.effective_session, run.as_of))
    return {account.account_id: account for account in inputs.accounts}


def _counted_by_hand(is_active: list[bool]) -> list[int]:
    """List the active sessions, as positions, since the last gap of 45 or more."""
    counted: list[int] = []
    for row, active in enumerate(is_active):
        if active and counted and row - counted[-1] - 1 >= 45:
            counted = []
        if active:
            counted.append(row)
    return counted


def _usual_by_hand(losses: list[Decimal]) -> Decimal:
    """Weigh in fractions: 2^(place / 60), to 40 digits."""
    weights = [Fraction(Decimal(2) ** (Decimal(place) / 60)) for place in range(len(losses))]
    for loss in sorted(losses):
        below = sum(weight for other, weight in zip(losses, weights, strict=True) if other <= loss)
        if 2 * below >= sum(weights):
            return loss
    raise AssertionError("no weight")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_sql_counts_as_the_panel_and_as_by_hand(connection: Connection, seed: int) -> None:
    # given absences of up to 60 sessions, sessions with carried positions or incomplete books, forecasts not issued
    draws = np.random.default_rng(seed)
    days = trading_days(171)
    is_active = draws.random((170, 6)) < 0.9
    for column, absent in enumerate((0, 43, 44, 45, 46, 60)):
        first = int(draws.integers(30, 70))
        is_active[first : first + absent, column] = False
        is_active[[first - 1, first + absent, 169], column] = True
    names = [f"NET{column}" for column in range(6)]
    issued: dict[str, dict[dt.date, str]] = {}
    for column, name in enumerate(names):
        insert_pnl(connection, name, {days[row]: "100" for row in np.flatnonzero(is_active[:, column])})
        others = np.flatnonzero(~is_active[:, column])
        insert_pnl(connection, name, {days[row]: "-999" for row in others[::3]}, fill_count=0)
        insert_pnl(connection, name, {days[row]: "0" for row in others[1::3]}, incomplete_reason="No mark for XYZ.")
        known = 1 + np.flatnonzero(
            draws.random(169) < 0.95
        )  # before the first session there is nothing to forecast from
        issued[name] = {days[row]: f"{-draws.integers(100, 999)}.25" for row in known}
    run = new_run(connection, days[169])
    for name, quantiles in issued.items():
        issue_forecasts(connection, run, name, quantiles)

    # when
    found = _accounts(connection, run)
    inputs = read_inputs(connection, run, read_terms(connection, run.effective_session, run.as_of))
    usual = usual_losses(inputs.panel, inputs.issued_usd, np.full(6, 20))

    # then
    for column, name in enumerate(names):
        counted = _counted_by_hand(is_active[:, column].tolist())
        losses = [-Decimal(issued[name][days[row]]) for row in counted if days[row] in issued[name]]
        assert list(found[name].issued_losses_usd) == losses
        assert found[name].active_session_count == len(counted)
        history = inputs.histories[name]
        assert history.pnl_usd.size - history.count_before_return == len(counted)
        expected = _usual_by_hand(losses) if len(losses) >= 20 else None
        assert found[name].usual_loss_usd(POLICY) == expected
        assert np.isnan(usual[-1, column]) if expected is None else usual[-1, column] == float(expected)


@pytest.mark.parametrize(("absent", "status", "count"), [(44, "active", 35), (45, "limited history", 5)])
def test_trader_who_returns_after_45_sessions_is_counted_anew(
    connection: Connection, absent: int, status: str, count: int
) -> None:
    days = trading_days(30 + absent + 5)
    insert_pnl(connection, "NET001", dict.fromkeys([*days[:30], *days[-5:]], "100"))
    run = new_run(connection, days[-1])

    apply_rules(connection, run)

    with connection, connection.cursor() as cursor:
        cursor.execute("select status, active_session_count, cut_ratio, reasons from recommendations")
        [(found, counted, cut, reasons)] = cursor.fetchall()
    assert (found, counted) == (status, count)
    if status == "active":
        assert (cut, reasons) == (0, [])
    else:
        assert cut == Decimal("0.30")
        [reason] = reasons
        assert all(words in reason for words in ("5 active days", "45", "20 required"))


@pytest.mark.parametrize(("first", "count"), [(dt.date(2025, 6, 2), 27), (dt.date(2025, 3, 3), 2)])
def test_trader_who_returns_under_another_name_is_counted_anew_too(
    connection: Connection, tmp_path: Path, first: dt.date, count: int
) -> None:
    # given 25 sessions as OLD1, the first of them in June or in March, and two in August as NEW1
    header = "Date/Time,Account,B/S,Qty,Symbol,Price,Comm,Fill Id"
    august = [dt.date(2025, 8, 14), dt.date(2025, 8, 15)]
    lines = [header]
    for number, day in enumerate([*trading_days(25, first), *august]):
        start = f"{day:%m/%d/%Y} 09:45:00,{'NEW1' if day in august else 'OLD1'}"
        lines += [f"{start},B,100,XYZ,10,0,{number}-1", f"{start},S,100,XYZ,11,0,{number}-2"]
    (tmp_path / "fills.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "accounts.csv").write_text("Date,Account,Formerly\n2025-08-14,NEW1,OLD1\n")
    loaded = load_drop(connection, tmp_path, august[-1], Settings())
    run = open_run(connection, august[-1], loaded.load_id, "test")
    aggregate(connection, run)

    # when, then
    [account] = _accounts(connection, run).values()
    assert (account.account_id, account.active_session_count) == ("NEW1", count)
