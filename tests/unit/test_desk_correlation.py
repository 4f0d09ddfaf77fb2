"""Rank correlation of daily results, worked by hand."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest

from risk.desk.correlation import correlations
from risk.model.panel import Panel


def _panel(columns: dict[str, list[float]]) -> Panel:
    count = len(next(iter(columns.values())))
    days = tuple(dt.date(2025, 1, 1) + dt.timedelta(days=day) for day in range(count))
    return Panel.of(days, tuple(columns), np.array(list(columns.values()), np.float64).T)


def test_ranks_count_and_one_bad_day_does_not() -> None:
    # given results in the same order but for the largest loss, and in the opposite order
    rising = [float(day) for day in range(20)]
    found = correlations(_panel({"A": rising, "B": [-1e6, *rising[1:]], "C": rising[::-1]}))

    # then
    assert [(one.account_id, one.other_account_id, one.session_count) for one in found] == [
        ("A", "B", 20), ("A", "C", 20), ("B", "C", 20),
    ]  # fmt: skip
    assert [one.correlation for one in found] == pytest.approx([1.0, -1.0, -1.0])


def test_interval_is_fishers_with_the_variance_of_ranks() -> None:
    # given 28 sessions in which neighbors are swapped: d = 1 each, r = 1 - 6 * 28 / (28 * 783)
    days = np.arange(28)
    found = correlations(_panel({"A": days.tolist(), "B": (days ^ 1).tolist()}))[0]
    ratio = 1 - 6 * 28 / (28 * (28**2 - 1))
    assert found.correlation == pytest.approx(ratio)
    assert found.low == pytest.approx(math.tanh(math.atanh(ratio) - 1.959964 * math.sqrt(1.06 / 25)))


def test_too_few_common_sessions_or_constant_results_are_unknown() -> None:
    nan = math.nan
    rising = [float(day) for day in range(30)]
    found = correlations(_panel({"A": [*rising[:20], *[nan] * 10], "B": [*[nan] * 10, *rising[10:]], "C": [5.0] * 30}))
    assert [(one.session_count, one.correlation) for one in found] == [(10, None), (20, None), (20, None)]


def test_one_trader_and_no_trader_have_none() -> None:
    assert correlations(_panel({"A": [1.0, 2.0]})) == []
    assert correlations(Panel.of((), (), np.empty((0, 0)))) == []
