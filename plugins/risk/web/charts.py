"""Charts as coordinates: templates write them down as SVG, nothing is drawn in the browser."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

WIDTH, HEIGHT, MARGIN = 720.0, 200.0, 8.0
LEFT = 64.0
"""Room for the dollars beside the picture."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A point to be marked: its place and what it says."""

    x: str
    y: str
    words: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What a chart's template writes down.

    Attributes
    ----------
    line, area, bound
        Points of polylines and of a closed area in SVG's form; empty where there is none.
    zero
        Height of the line of 0.
    marks
        Breaches.
    low, high
        Ends of the scale, US dollars.
    first, last
        Sessions at the ends.
    """

    line: str
    area: str
    bound: str
    zero: str
    marks: tuple[Mark, ...]
    low: float
    high: float
    first: dt.date
    last: dt.date


@dataclass(frozen=True, slots=True)
class Day:
    """One session of a trader: result and forecast, US dollars; the forecast is negative or ``None``."""

    session_date: dt.date
    total_pnl_usd: float
    quantile_05_usd: float | None

    @property
    def is_breach(self) -> bool:
        """Whether the loss went beyond the forecast."""
        return self.quantile_05_usd is not None and self.total_pnl_usd < self.quantile_05_usd


@dataclass(frozen=True, slots=True)
class Curve:
    """One named line of several, drawn in the style of its number, and where it ends."""

    name: str
    number: int
    points: str
    last: float


@dataclass(frozen=True, slots=True)
class Curves:
    """Several lines over the same sessions; attributes as in `Chart`."""

    curves: tuple[Curve, ...]
    zero: str
    low: float
    high: float
    first: dt.date
    last: dt.date


@dataclass(frozen=True, slots=True)
class Reliability:
    """Shares of results found below a quantile against those promised, in a square; both ends of the diagonal."""

    line: str
    diagonal: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Worth:
    """What the cuts of one session were worth, US dollars: what they prevented, and what they cost, negative."""

    session_date: dt.date
    prevented_usd: float
    forgone_usd: float


class _Scale:
    """Maps sessions and dollars to places in the picture."""

    def __init__(self, count: int, values: Sequence[float]) -> None:
        self.low, self.high = min(0.0, *values), max(0.0, *values)
        self._step = (WIDTH - LEFT - MARGIN) / max(count - 1, 1)
        self._factor = (HEIGHT - 2 * MARGIN) / ((self.high - self.low) or 1.0)

    def point(self, place: int, value: float) -> str:
        return f"{LEFT + place * self._step:.1f},{self.height(value)}"

    def height(self, value: float) -> str:
        return f"{MARGIN + (self.high - value) * self._factor:.1f}"


def curve_chart(days: Sequence[Day]) -> Chart | None:
    """Draw cumulative P&L, and as an area what it lies below its running peak, which starts at 0."""
    if not days:
        return None
    sums, peaks, total, peak = [], [], 0.0, 0.0
    for day in days:
        total += day.total_pnl_usd
        peak = max(peak, total)
        sums.append(total)
        peaks.append(peak)
    scale = _Scale(len(days), [*sums, *peaks])
    line = [scale.point(place, value) for place, value in enumerate(sums)]
    top = [scale.point(place, value) for place, value in enumerate(peaks)]
    ends = (scale.low, scale.high, days[0].session_date, days[-1].session_date)
    return Chart(" ".join(line), " ".join([*line, *reversed(top)]), "", scale.height(0.0), (), *ends)


def forecast_chart(days: Sequence[Day]) -> Chart | None:
    """Draw each session's result against the 5 % quantile forecast for it; breaches are marked."""
    known = [day for day in days if day.quantile_05_usd is not None]
    if not known:
        return None
    bounds = [day.quantile_05_usd or 0.0 for day in known]
    scale = _Scale(len(known), [*(day.total_pnl_usd for day in known), *bounds])
    line = " ".join(scale.point(place, day.total_pnl_usd) for place, day in enumerate(known))
    bound = " ".join(scale.point(place, value) for place, value in enumerate(bounds))
    marks = []
    for place, day in enumerate(known):
        if day.is_breach:
            x, y = scale.point(place, day.total_pnl_usd).split(",")
            marks.append(Mark(x, y, f"{day.session_date}: {day.total_pnl_usd:,.0f} below {day.quantile_05_usd:,.0f}"))
    ends = (scale.low, scale.high, known[0].session_date, known[-1].session_date)
    return Chart(line, "", bound, scale.height(0.0), tuple(marks), *ends)


def worth_chart(days: Sequence[Worth]) -> Chart | None:
    """Draw the cumulative net worth of cuts, and as an area from all that they cost to all that they prevented."""
    if not days:
        return None
    prevented = list(accumulate(day.prevented_usd for day in days))
    forgone = list(accumulate(day.forgone_usd for day in days))
    scale = _Scale(len(days), [*prevented, *forgone])
    line = [scale.point(place, sum(ends)) for place, ends in enumerate(zip(prevented, forgone, strict=True))]
    top, bottom = ([scale.point(place, value) for place, value in enumerate(ends)] for ends in (prevented, forgone))
    ends = (scale.low, scale.high, days[0].session_date, days[-1].session_date)
    return Chart(" ".join(line), " ".join([*top, *reversed(bottom)]), "", scale.height(0.0), (), *ends)


def curves_chart(days: Sequence[dt.date], values: Mapping[str, Sequence[float]]) -> Curves | None:
    """Draw named lines over the same sessions."""
    if not days or not values:
        return None
    scale = _Scale(len(days), [value for line in values.values() for value in line])
    curves = tuple(
        Curve(name, number, " ".join(scale.point(place, value) for place, value in enumerate(line)), line[-1])
        for number, (name, line) in enumerate(values.items())
    )
    return Curves(curves, scale.height(0.0), scale.low, scale.high, days[0], days[-1])


def threshold_chart(values: Sequence[tuple[dt.date, float]], threshold: float) -> Chart | None:
    """Draw a line by session beside the level it is asked to pass."""
    if not values:
        return None
    scale = _Scale(len(values), [threshold, *(value for _, value in values)])
    line = " ".join(scale.point(place, value) for place, (_, value) in enumerate(values))
    bound = f"{scale.point(0, threshold)} {WIDTH - MARGIN:.1f},{scale.height(threshold)}"
    return Chart(line, "", bound, scale.height(0.0), (), scale.low, scale.high, values[0][0], values[-1][0])


def reliability_chart(levels: Sequence[Sequence[float]]) -> Reliability | None:
    """Draw what share of results fell below each forecast quantile, promised to the right and found upwards."""
    if not levels:
        return None
    side = HEIGHT - 2 * MARGIN
    places = [(f"{MARGIN + promised * side:.1f}", f"{MARGIN + (1 - found) * side:.1f}") for promised, found in levels]
    marks = [
        Mark(x, y, f"{found:.1%} found where {promised:.0%} are promised".replace("%", " %"))
        for (x, y), (promised, found) in zip(places, levels, strict=True)
    ]
    low, high = f"{MARGIN:.1f}", f"{HEIGHT - MARGIN:.1f}"
    return Reliability(" ".join(f"{x},{y}" for x, y in places), f"{low},{high} {high},{low}", tuple(marks))
