"""Charts as data: the sentence, the traces and the exact table, by hand."""

from __future__ import annotations

import datetime as dt
import json
import math
from decimal import Decimal

import pytest

from risk.web.charts import (
    Chart,
    SessionBenefit,
    TraderSession,
    band,
    benefit_chart,
    curves_chart,
    drawdown_chart,
    forecast_chart,
    reliability_chart,
    wealth_chart,
)

DAYS = [dt.date(2025, 8, day) for day in (13, 14, 15)]


def sessions(*amounts: str, quantile: float | None = None) -> list[TraderSession]:
    return [TraderSession(day, Decimal(amount), quantile) for day, amount in zip(DAYS, amounts, strict=False)]


def trace(chart: Chart | None, name: str) -> list[float | None]:
    assert chart
    (found,) = [one["y"] for one in chart.data if one["name"] == name]
    return list(found)


def test_drawdown_lies_below_a_peak_that_starts_at_nothing() -> None:
    chart = drawdown_chart("NET001", sessions("-100.10", "300", "-50.20"))

    # sums -100.10, 199.90, 149.70 below peaks 0, 199.90, 199.90
    assert trace(chart, "Cumulative P&L") == [-100.10, 199.90, 149.70]
    assert trace(chart, "Drawdown") == [0.0, 199.90, 199.90]
    assert chart
    assert [list(row)[2:] for row in chart.table.values()] == [
        [Decimal("149.70"), Decimal("50.20")],
        [Decimal("199.90"), Decimal("0.00")],
        [Decimal("-100.10"), Decimal("100.10")],
    ]
    assert "between -$100 and +$200, +$150 at the end; largest drawdown below the running peak $100" in chart.summary


def test_forecast_marks_losses_beyond_it_only() -> None:
    chart = forecast_chart("NET001", [*sessions("-100", "-99.99", quantile=-99.99), *sessions("7")])

    assert trace(chart, "Exceedance") == [-100.0]
    assert trace(chart, "P&L") == [-100.0, -99.99]
    assert chart
    assert chart.summary.startswith("1 exceedance in 2 forecasts, from 2025-08-13 to 2025-08-14; 5% expected.")


def test_benefit_adds_up_from_the_first_session() -> None:
    chart = benefit_chart(
        [SessionBenefit(DAYS[0], Decimal("0.10"), Decimal("-5")), SessionBenefit(DAYS[1], Decimal("0.20"), Decimal(0))]
    )

    assert chart
    # 0.10 + 0.20 is 0.30 exactly, and 0.30 less 5 is -4.70
    assert next(iter(chart.table.values())) == [DAYS[1], Decimal("0.30"), Decimal("-5"), Decimal("-4.70")]


def test_wealth_without_a_float_is_drawn_at_the_largest_one() -> None:
    chart = wealth_chart("wealth", "Wealth", [(DAYS[0], 0.0), (DAYS[1], 5000.0)], 40.0)

    first, last = trace(chart, "Wealth")
    assert first == 1.0
    assert last is not None
    assert math.isfinite(last)
    assert trace(chart, "Needed") == [40.0, 40.0]


def test_nothing_to_draw_is_no_chart() -> None:
    assert drawdown_chart("NET001", []) is None
    assert forecast_chart("NET001", sessions("5")) is None
    assert benefit_chart([]) is None
    assert curves_chart("c", "C", [], {}, "usd") is None
    assert wealth_chart("w", "W", [], 40.0) is None
    assert reliability_chart([]) is None


@pytest.mark.parametrize(
    "chart",
    [
        drawdown_chart("NET001", sessions("5")),
        forecast_chart("NET001", sessions("5", "-9", quantile=-1.0)),
        curves_chart("c", "C", DAYS[:2], {str(number): [0.1, 0.2] for number in range(9)}, "share"),
        reliability_chart([(0.05, 0.06)]),
    ],
)
def test_figure_is_json_of_traces_that_the_pages_may_draw(chart: Chart | None) -> None:
    assert chart
    drawn = json.loads(json.dumps(chart.figure, allow_nan=False))

    assert {one["type"] for one in drawn["data"]} <= {"scatter", "bar"}
    assert all(len(one["x"]) == len(one["y"]) for one in drawn["data"])


def test_band_is_in_the_legend_once() -> None:
    edge, area = band("Drawdown", DAYS, [1, 2, 3], [4, 5, 6], "loss")

    assert (edge["showlegend"], area.get("showlegend", True)) == (False, True)
    assert area["fill"] == "tonexty"
