"""Charts as coordinates: templates write them as SVG, nothing is drawn in the browser."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from risk.core.money import percent, usd

WIDTH, HEIGHT, MARGIN = 720.0, 200.0, 8.0
LEFT = 64.0
"""Room for the scale beside the chart."""


@dataclass(frozen=True, slots=True)
class ChartPoint:
    """A marked point: its place and its label."""

    x: str
    y: str
    label: str


@dataclass(frozen=True, slots=True)
class NamedCurve:
    """One named curve, drawn in the style of its number, and its last value."""

    name: str
    number: int
    points: str
    last: float


@dataclass(frozen=True, slots=True)
class SessionChart:
    """A chart over sessions.

    Attributes
    ----------
    line, area, bound
        Points of polylines and of a closed area in SVG's form; empty where there is none.
    marks
        Marked points.
    curves
        Several named curves instead of one line.
    zero
        Height of the line of 0.
    low, high
        Ends of the scale, US dollars or shares of 1.
    first, last
        Sessions at the ends.
    """

    zero: str
    low: float
    high: float
    first: dt.date
    last: dt.date
    line: str = ""
    area: str = ""
    bound: str = ""
    marks: tuple[ChartPoint, ...] = ()
    curves: tuple[NamedCurve, ...] = ()


@dataclass(frozen=True, slots=True)
class ReliabilityChart:
    """Observed shares of results below a quantile against its probability, in a square; ends of the diagonal."""

    line: str
    diagonal: str
    marks: tuple[ChartPoint, ...]


@dataclass(frozen=True, slots=True)
class TraderSession:
    """One session of a trader: P&L and 5 % quantile forecast, US dollars; the forecast is negative or ``None``."""

    session_date: dt.date
    total_pnl_usd: float
    quantile_05_usd: float | None

    @property
    def is_exceedance(self) -> bool:
        """Whether the loss exceeded the forecast."""
        return self.quantile_05_usd is not None and self.total_pnl_usd < self.quantile_05_usd


@dataclass(frozen=True, slots=True)
class SessionBenefit:
    """What the cuts of one session were worth, US dollars: losses prevented, and gains forgone, negative."""

    session_date: dt.date
    prevented_usd: float
    forgone_usd: float


class _Scale:
    """Maps sessions and values to places in the chart."""

    def __init__(self, sessions: Sequence[dt.date], values: Sequence[float]) -> None:
        self.low, self.high = min(0.0, *values), max(0.0, *values)
        self._ends = sessions[0], sessions[-1]
        self._step = (WIDTH - LEFT - MARGIN) / max(len(sessions) - 1, 1)
        self._factor = (HEIGHT - 2 * MARGIN) / ((self.high - self.low) or 1.0)

    def point(self, place: int, value: float) -> str:
        return f"{LEFT + place * self._step:.1f},{self.height(value)}"

    def points(self, values: Sequence[float]) -> str:
        return " ".join(self.point(place, value) for place, value in enumerate(values))

    def band(self, one: Sequence[float], other: Sequence[float]) -> str:
        """Enclose the area between two lines."""
        return " ".join([self.points(one), *reversed(self.points(other).split(" "))])

    def height(self, value: float) -> str:
        return f"{MARGIN + (self.high - value) * self._factor:.1f}"

    def chart(
        self,
        *,
        line: str = "",
        area: str = "",
        bound: str = "",
        marks: tuple[ChartPoint, ...] = (),
        curves: tuple[NamedCurve, ...] = (),
    ) -> SessionChart:
        return SessionChart(self.height(0.0), self.low, self.high, *self._ends, line, area, bound, marks, curves)


def drawdown_chart(sessions: Sequence[TraderSession]) -> SessionChart | None:
    """Draw cumulative P&L, and as an area the drawdown below its running peak, which starts at 0."""
    if not sessions:
        return None
    cumulative = list(accumulate(session.total_pnl_usd for session in sessions))
    peaks = list(accumulate(cumulative, max, initial=0.0))[1:]
    scale = _Scale([session.session_date for session in sessions], [*cumulative, *peaks])
    return scale.chart(line=scale.points(cumulative), area=scale.band(cumulative, peaks))


def forecast_chart(sessions: Sequence[TraderSession]) -> SessionChart | None:
    """Draw each session's P&L against the 5 % quantile forecast for it; exceedances are marked."""
    known = [(one, one.quantile_05_usd) for one in sessions if one.quantile_05_usd is not None]
    if not known:
        return None
    pnl, quantiles = [one.total_pnl_usd for one, _ in known], [quantile for _, quantile in known]
    scale = _Scale([one.session_date for one, _ in known], [*pnl, *quantiles])
    marks = []
    for place, (one, quantile) in enumerate(known):
        if one.is_exceedance:
            x, y = scale.point(place, one.total_pnl_usd).split(",")
            marks.append(ChartPoint(x, y, f"{one.session_date}: {usd(one.total_pnl_usd)}, forecast {usd(quantile)}"))
    return scale.chart(line=scale.points(pnl), bound=scale.points(quantiles), marks=tuple(marks))


def benefit_chart(sessions: Sequence[SessionBenefit]) -> SessionChart | None:
    """Draw the cumulative net benefit of cuts, and as an area from all gains forgone to all losses prevented."""
    if not sessions:
        return None
    prevented = list(accumulate(session.prevented_usd for session in sessions))
    forgone = list(accumulate(session.forgone_usd for session in sessions))
    scale = _Scale([session.session_date for session in sessions], [*prevented, *forgone])
    net = [sum(ends) for ends in zip(prevented, forgone, strict=True)]
    return scale.chart(line=scale.points(net), area=scale.band(prevented, forgone))


def curves_chart(sessions: Sequence[dt.date], values: Mapping[str, Sequence[float]]) -> SessionChart | None:
    """Draw named curves over the same sessions."""
    if not sessions or not values:
        return None
    scale = _Scale(sessions, [value for line in values.values() for value in line])
    curves = tuple(
        NamedCurve(name, number, scale.points(line), line[-1]) for number, (name, line) in enumerate(values.items())
    )
    return scale.chart(curves=curves)


def threshold_chart(values: Sequence[tuple[dt.date, float]], threshold: float) -> SessionChart | None:
    """Draw a line by session beside the level it has to pass."""
    if not values:
        return None
    scale = _Scale([day for day, _ in values], [threshold, *(value for _, value in values)])
    bound = f"{scale.point(0, threshold)} {WIDTH - MARGIN:.1f},{scale.height(threshold)}"
    return scale.chart(line=scale.points([value for _, value in values]), bound=bound)


def reliability_chart(levels: Sequence[Sequence[float]]) -> ReliabilityChart | None:
    """Draw what share of results fell below each forecast quantile: its probability to the right, observed upward."""
    if not levels:
        return None
    side = HEIGHT - 2 * MARGIN
    marks = tuple(
        ChartPoint(
            f"{MARGIN + expected * side:.1f}",
            f"{MARGIN + (1 - observed) * side:.1f}",
            f"{percent(observed, 1)} observed at {percent(expected)} expected",
        )
        for expected, observed in levels
    )
    low, high = f"{MARGIN:.1f}", f"{HEIGHT - MARGIN:.1f}"
    return ReliabilityChart(" ".join(f"{mark.x},{mark.y}" for mark in marks), f"{low},{high} {high},{low}", marks)
