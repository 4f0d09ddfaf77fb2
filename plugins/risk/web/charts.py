"""Charts as plain data: a sentence, the exact table, and what plotly draws in the reader's browser.

Nothing is drawn here: a page carries ``data`` and ``layout`` as JSON (figure format of plotly.js 4), and ``risk.js``
draws it. Colors are names of the style sheet's variables, ``var(--curve)``, so that light and dark pages both fit.
Traces of the types ``scatter`` and ``bar`` only: others break the pages' Content-Security-Policy
(docs/decisions/0022-charts-in-the-browser.md).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from typing import Any, Final, Literal

from risk.core.money import EXACT, counted, percent, signed_usd, usd
from risk.web.tables import DATE, PNL, SHARE, SHORT_FIGURE, TEXT, Column, Kind, Table

Unit = Literal["usd", "share", "figure"]
Amount = Decimal | float

AXES: Final[Mapping[Unit, Mapping[str, Any]]] = {
    "usd": {"tickformat": "$,.0f", "hoverformat": "$,.2f"},
    "share": {"tickformat": ".0%", "hoverformat": ".1%"},
    "figure": {"hoverformat": ",.3f"},
}
"""How an axis writes its numbers, in d3's format."""

KINDS: Final[Mapping[Unit, Kind]] = {"usd": PNL, "share": SHARE, "figure": SHORT_FIGURE}

CURVE_STYLES: Final = (
    ("ink", "dot"),
    ("ink", "dash"),
    ("low", "solid"),
    ("curve", "solid"),
    ("moderate", "longdash"),
    ("low", "dashdot"),
)
"""Color and dash of the curves of one chart, in order: no two are alike in both."""

LARGEST_LOG = 700.0
"""``exp`` of more has no float."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: what it says, what is drawn, and the table behind it.

    Attributes
    ----------
    heading
        What is shown, without a full stop; names the drawing and its table.
    summary
        The text alternative, one sentence or two, with the numbers that matter.
    data, layout
        Traces and layout of plotly; JSON, with ``None`` for what is missing. The script adds fonts, colors of the
        grid, margins, legend and hover.
    table
        What is drawn, exact.
    """

    heading: str
    summary: str
    data: Sequence[Mapping[str, Any]]
    layout: Mapping[str, Any]
    table: Table

    @property
    def figure(self) -> dict[str, Any]:
        """What the page carries for the script."""
        return {"data": self.data, "layout": self.layout}


def chart_tables(*charts: Chart | None) -> list[Table]:
    """Return the tables of those charts that have something to draw, for a page's exports."""
    return [chart.table for chart in charts if chart is not None]


@dataclass(frozen=True, slots=True)
class TraderSession:
    """One session of a trader: P&L and 5 % quantile forecast, US dollars; the forecast is negative or ``None``."""

    session_date: dt.date
    total_pnl_usd: Decimal
    quantile_05_usd: float | None

    @property
    def is_exceedance(self) -> bool:
        """Whether the loss exceeded the forecast."""
        return self.quantile_05_usd is not None and float(self.total_pnl_usd) < self.quantile_05_usd


@dataclass(frozen=True, slots=True)
class SessionBenefit:
    """What the cuts of one session were worth, US dollars: losses prevented, and gains forgone, negative."""

    session_date: dt.date
    prevented_usd: Decimal
    forgone_usd: Decimal


def line(name: str, x: Sequence[Any], y: Sequence[Amount | None], color: str, dash: str = "solid") -> dict[str, Any]:
    """Return a trace: a line through points; dates are written as ISO 8601.

    Parameters
    ----------
    name
        In legend and hover.
    x, y
        Points.
    color
        A variable of the style sheet without its dashes: ``curve``.
    dash
        ``solid``, ``dot``, ``dash``, ``longdash`` or ``dashdot``.
    """
    style = {"color": f"var(--{color})", "width": 2, "dash": dash}
    return {"type": "scatter", "mode": "lines", "name": name, "x": _places(x), "y": _heights(y), "line": style}


def markers(
    name: str, x: Sequence[Any], y: Sequence[Amount | None], color: str, symbol: str = "circle"
) -> dict[str, Any]:
    """Return a trace: marked points."""
    style = {"color": f"var(--{color})", "size": 9, "symbol": symbol}
    return {"type": "scatter", "mode": "markers", "name": name, "x": _places(x), "y": _heights(y), "marker": style}


def bars(name: str, x: Sequence[Any], y: Sequence[Amount | None], color: str) -> dict[str, Any]:
    """Return a trace: a bar at each place."""
    return {"type": "bar", "name": name, "x": _places(x), "y": _heights(y), "marker": {"color": f"var(--{color})"}}


def band(
    name: str, x: Sequence[Any], one: Sequence[Amount], other: Sequence[Amount], color: str
) -> list[dict[str, Any]]:
    """Return two traces: the area between two lines, in the legend once."""
    edge = {"type": "scatter", "mode": "lines", "x": _places(x), "line": {"width": 0}, "hoverinfo": "skip"}
    return [
        {**edge, "y": _heights(one), "showlegend": False, "name": f"{name}, edge"},
        {**edge, "y": _heights(other), "name": name, "fill": "tonexty", "fillcolor": f"var(--{color})"},
    ]


def layout(unit: Unit = "usd", **further: Any) -> dict[str, Any]:
    """Return a layout whose upright axis writes its numbers in a unit; ``further`` replaces or adds parts."""
    upright = {**AXES[unit], **further.pop("yaxis", {})}
    return {"yaxis": upright, **further}


def drawdown_chart(account_id: str, sessions: Sequence[TraderSession]) -> Chart | None:
    """Draw cumulative P&L, and as an area the drawdown below its running peak, which starts at 0."""
    if not sessions:
        return None
    days = [session.session_date for session in sessions]
    cumulative: list[Decimal] = list(accumulate((session.total_pnl_usd for session in sessions), EXACT.add))
    peaks: list[Decimal] = list(accumulate(cumulative, max, initial=Decimal(0)))[1:]
    drawdowns = [EXACT.subtract(peak, value) for peak, value in zip(peaks, cumulative, strict=True)]
    summary = (
        f"{counted(len(days), 'session')} with complete books, {_range(days)}: cumulative P&L between "
        f"{signed_usd(min(Decimal(0), *cumulative))} and {signed_usd(peaks[-1])}, {signed_usd(cumulative[-1])} at "
        f"the end; largest drawdown below the running peak {usd(max(drawdowns))} (shaded)."
    )
    rows = zip(days, (session.total_pnl_usd for session in sessions), cumulative, drawdowns, strict=True)
    return Chart(
        f"Cumulative P&L of {account_id}",
        summary,
        [*band("Drawdown", days, cumulative, peaks, "loss"), line("Cumulative P&L", days, cumulative, "curve")],
        layout(),
        _table("drawdown", "Cumulative P&L", ("P&L", "Cumulative P&L", "Drawdown"), list(rows)),
    )


def forecast_chart(account_id: str, sessions: Sequence[TraderSession]) -> Chart | None:
    """Draw each session's P&L against the 5 % quantile forecast for it; exceedances are marked."""
    known = [session for session in sessions if session.quantile_05_usd is not None]
    if not known:
        return None
    days = [session.session_date for session in known]
    exceeded = [session for session in known if session.is_exceedance]
    summary = (
        f"{counted(len(exceeded), 'exceedance')} in {counted(len(known), 'forecast')}, {_range(days)}; 5% expected. "
        "An exceedance is a loss beyond the 5% quantile forecast, the negative of the 95% VaR."
    )
    rows = [
        (one.session_date, one.total_pnl_usd, one.quantile_05_usd, "exceedance" if one.is_exceedance else "")
        for one in known
    ]
    traces = [
        bars("P&L", days, [one.total_pnl_usd for one in known], "curve"),
        line("5% quantile forecast", days, [one.quantile_05_usd for one in known], "high", "dash"),
        markers("Exceedance", [one.session_date for one in exceeded], [one.total_pnl_usd for one in exceeded], "high"),
    ]
    named = ("P&L", "5% quantile forecast")
    table = _table("forecast", "Forecast vs. actual P&L", named, rows, further=(Column("Outcome", TEXT, _item(3)),))
    return Chart(f"P&L of {account_id} and its 5% quantile forecast", summary, traces, layout(), table)


def benefit_chart(sessions: Sequence[SessionBenefit]) -> Chart | None:
    """Draw the cumulative net benefit of cuts, and as an area from all gains forgone to all losses prevented."""
    if not sessions:
        return None
    days = [session.session_date for session in sessions]
    prevented = list(accumulate((session.prevented_usd for session in sessions), EXACT.add))
    forgone = list(accumulate((session.forgone_usd for session in sessions), EXACT.add))
    net = [EXACT.add(*ends) for ends in zip(prevented, forgone, strict=True)]
    summary = (
        f"{_range(days).capitalize()}: losses prevented {signed_usd(prevented[-1])}, gains forgone "
        f"{signed_usd(forgone[-1])}, net {signed_usd(net[-1])}; cumulative, shaded from gains forgone to losses "
        "prevented."
    )
    traces = [
        *band("Forgone to prevented", days, forgone, prevented, "shade"),
        line("Losses prevented", days, prevented, "low", "dash"),
        line("Gains forgone", days, forgone, "high", "dot"),
        line("Net", days, net, "curve"),
    ]
    rows = list(zip(days, prevented, forgone, net, strict=True))
    named = ("Losses prevented", "Gains forgone", "Net")
    return Chart(
        "Cumulative benefit of past cuts",
        summary,
        traces,
        layout(),
        _table("benefit", "Cumulative benefit", named, rows),
    )


def curves_chart(
    name: str, heading: str, days: Sequence[dt.date], values: Mapping[str, Sequence[float]], unit: Unit
) -> Chart | None:
    """Draw named curves over the same sessions; ``name`` is that of the table."""
    if not days or not values:
        return None
    write = signed_usd if unit == "usd" else KINDS[unit].write
    latest = ", ".join(f"{curve} {write(found[-1])}" for curve, found in values.items())
    styles = (CURVE_STYLES[number % len(CURVE_STYLES)] for number in range(len(values)))
    traces = [line(curve, days, values[curve], *style) for curve, style in zip(values, styles, strict=False)]
    rows = list(zip(days, *values.values(), strict=True))
    return Chart(
        heading,
        f"{_range(days).capitalize()}. Latest: {latest}.",
        traces,
        layout(unit),
        _table(name, heading, tuple(values), rows, unit=unit),
    )


def wealth_chart(
    name: str, heading: str, log_wealth: Sequence[tuple[dt.date, float]], threshold: float
) -> Chart | None:
    """Draw the wealth of a bet after each session, on a logarithmic scale, beside the wealth that it has to reach.

    Parameters
    ----------
    name, heading
        Of the table and of the chart.
    log_wealth
        Natural logarithm of the wealth by session.
    threshold
        Wealth, not its logarithm.
    """
    if not log_wealth:
        return None
    days = [day for day, _ in log_wealth]
    values = [math.exp(min(found, LARGEST_LOG)) for _, found in log_wealth]
    last, low, high = map(SHORT_FIGURE.write, (values[-1], min(values), max(values)))
    summary = (
        f"{_range(days).capitalize()}: wealth {last} after the last session, between {low} and {high}; "
        f"{threshold:,.0f} is needed (dashed). "
        "The scale is logarithmic."
    )
    traces = [
        line("Wealth", days, values, "curve"),
        line("Needed", [days[0], days[-1]], [threshold, threshold], "high", "dash"),
    ]
    table = _table(name, heading, ("Wealth",), list(zip(days, values, strict=True)), unit="figure")
    return Chart(heading, summary, traces, layout("figure", yaxis={"type": "log"}), table)


def reliability_chart(levels: Sequence[Sequence[float]]) -> Chart | None:
    """Draw what share of results fell below each forecast quantile: its probability to the right, observed upward."""
    if not levels:
        return None
    expected, observed = ([level[side] for level in levels] for side in (0, 1))
    pairs = "; ".join(f"{percent(found, 1)} observed at {percent(level)} expected" for level, found in levels)
    found = markers("Observed", expected, observed, "curve")
    traces = [line("Both equal", [0, 1], [0, 1], "high", "dash"), {**found, "mode": "lines+markers"}]
    axis = {**AXES["share"], "range": [0, 1], "title": {"text": "Expected"}}
    columns = (Column("Expected", SHARE, _item(0)), Column("Observed", SHARE, _item(1)))
    heading = "Expected and observed shares of results below the forecast quantiles"
    return Chart(
        heading,
        f"{pairs}.",
        traces,
        layout("share", xaxis=axis, yaxis={"range": [0, 1], "title": {"text": "Observed"}}, hovermode="closest"),
        Table("reliability", "Calibration", "By probability of the quantile.", columns, levels),
    )


def _table(
    name: str,
    label: str,
    named: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    unit: Unit = "usd",
    further: Sequence[Column] = (),
) -> Table:
    """Make the table behind a chart over sessions: rows oldest first, the session, then values of one unit."""
    values = (Column(heading, KINDS[unit], _item(place)) for place, heading in enumerate(named, 1))
    columns = (Column("Session", DATE, _item(0)), *values, *further)
    return Table(name, label, "Newest first.", columns, rows[::-1])


def _item(place: int) -> Any:
    return lambda row: row[place]


def _range(days: Sequence[dt.date]) -> str:
    return f"from {days[0]} to {days[-1]}"


def _places(x: Sequence[Any]) -> list[Any]:
    return [place.isoformat() if isinstance(place, dt.date) else place for place in x]


def _heights(y: Sequence[Amount | None]) -> list[float | None]:
    return [None if value is None else float(value) for value in y]
