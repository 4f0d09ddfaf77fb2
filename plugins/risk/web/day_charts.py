"""The charts of a trader's day and of his past results: running P&L and results against the limits in force."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from risk.core.exchange import exchange_zone
from risk.core.money import counted, percent, signed_usd, signed_usd_cents, usd_exact
from risk.limits.receipt_rows import FollowedSession
from risk.limits.receipts import AT_CLOSE, AT_LIMIT_CHANGE, RunningPoint
from risk.web.charts import Chart, bars, layout, line, markers
from risk.web.day_tables import CLOCK
from risk.web.day_views import DayView
from risk.web.tables import DATE, LIMIT, PNL, SHARE, TEXT, Column, Table
from risk.web.trader_results import SessionResult

DRAWN_POINTS: Final = 1_000
"""More points than these are drawn by the first, lowest, highest and last of each part: a page stays small."""

STEPS: Final = "hv"
"""What is known stays until the next fill."""


class RunningEvent(NamedTuple):
    """A turn of the day: instant, running P&L and limit then, US dollars, and what it was."""

    at: dt.datetime
    pnl_usd: Decimal
    limit_usd: Decimal
    words: str


def running_chart(view: DayView) -> Chart | None:
    """Draw the running P&L fill by fill against the limits in force, the crossing marked; ``None`` = it is unknown."""
    followed, books = view.followed, view.books
    if followed is None or books is None:
        return None
    points = followed.points
    starts_at = min([books["opens_at"], *(point.at for point in points)])
    drawn = thinned(points, DRAWN_POINTS)
    pnl = line(
        "Running P&L",
        _local([starts_at, *(point.at for point in drawn)]),
        [0, *(one.pnl_usd for one in drawn)],
        "curve",
    )
    traces = [_stepped(pnl), _stepped(_limit_line(followed, starts_at, points[-1].at))]
    events = list(_events(followed, starts_at))
    crossing = [event for event in events if event.words.startswith("limit first reached")]
    traces.append(
        markers(
            "Limit first reached", _local([one.at for one in crossing]), [one.pnl_usd for one in crossing], "high", "x"
        )
    )
    columns = (
        Column("Time", CLOCK, "at"),
        Column("Running P&L", PNL, "pnl_usd"),
        Column("Limit", LIMIT, "limit_usd"),
        Column("Event", TEXT, "words"),
    )
    table = Table(
        "running-pnl", "Turns of the day", "Every fill is in the table of fills.", columns, events, is_sortable=False
    )
    heading = f"Running P&L of {view.account_id} on {view.session_date}"
    return Chart(heading, _summary(view, events), traces, layout(hovermode="closest"), table)


def _summary(view: DayView, events: Sequence[RunningEvent]) -> str:
    low, close = min(events, key=lambda one: one.pnl_usd), events[-1]
    crossing = next((one for one in events if one.words.startswith("limit first reached")), None)
    reached = (
        f"the limit of {usd_exact(crossing.limit_usd)} was first reached at {CLOCK.write(crossing.at)}"
        if crossing
        else "the limit was not reached"
    )
    return (
        f"{counted(len(view.steps), 'fill')}: lowest {signed_usd_cents(low.pnl_usd)} at {CLOCK.write(low.at)}, "
        f"{signed_usd_cents(close.pnl_usd)} at the close; {reached}. Between his own fills the running P&L is not seen."
    )


def _events(followed: FollowedSession, starts_at: dt.datetime) -> Iterator[RunningEvent]:
    """Yield the turns of the day in their order: the start, new limits, the crossing, low and top, the close."""
    points, hit = followed.points, followed.receipt.hit
    low, top = min(points, key=lambda one: one.pnl_usd), max(points, key=lambda one: one.pnl_usd)
    place, changes = 0, list(followed.limits)
    yield RunningEvent(starts_at, Decimal(0), changes[0][1].limit_usd, f"start: {changes[0][1].origin}")
    before = Decimal(0)
    for point in points:
        while place + 1 < len(changes) and changes[place + 1][0] <= point.at:
            place += 1
            instant, limit = changes[place]
            is_crossing = hit is not None and hit.kind == AT_LIMIT_CHANGE and hit.at == instant
            words = f"new limit: {limit.origin}"
            yield RunningEvent(
                instant, before, limit.limit_usd, f"limit first reached by a {words}" if is_crossing else words
            )
        before = point.pnl_usd
        parts = [
            _crossing_words(point) if point.is_hit else "",
            "the day's low" if point is low and point.pnl_usd < 0 else "",
            "the day's top" if point is top and point.pnl_usd > 0 else "",
            "close" if point.step is None else "",
        ]
        if any(parts):
            words = ", ".join(part for part in parts if part)
            yield RunningEvent(point.at, point.pnl_usd, point.limit.limit_usd, words)


def _crossing_words(point: RunningPoint) -> str:
    if point.step is None:
        return f"limit first reached at the {AT_CLOSE}"
    gap = ", by gap" if point.step.has_gapped else ""
    return f"limit first reached with a fill of {point.step.symbol}{gap}"


def thinned(points: Sequence[RunningPoint], count: int) -> list[RunningPoint]:
    """Return at most so many points that look like all: of each part the first, lowest, highest and last one."""
    if len(points) <= count:
        return list(points)
    size = -(-len(points) * 4 // count)
    kept: list[RunningPoint] = []
    for start in range(0, len(points), size):
        part = range(start, min(start + size, len(points)))
        low, high = (choose(part, key=lambda place: points[place].pnl_usd) for choose in (min, max))
        kept += [points[place] for place in sorted({part[0], low, high, part[-1]})]
    return kept


def _limit_line(followed: FollowedSession, starts_at: dt.datetime, ends_at: dt.datetime) -> dict[str, Any]:
    limits = [(max(instant, starts_at), limit.limit_usd) for instant, limit in followed.limits]
    limits[0] = starts_at, limits[0][1]
    ends = [*limits, (ends_at, limits[-1][1])]
    return line("Limit in force", _local([instant for instant, _ in ends]), [-usd for _, usd in ends], "high", "dash")


def _stepped(trace: dict[str, Any]) -> dict[str, Any]:
    return {**trace, "line": {**trace["line"], "shape": STEPS}}


def _local(instants: Sequence[dt.datetime]) -> list[dt.datetime]:
    """Return the exchange's times without a zone, as an axis shows them."""
    return [instant.astimezone(exchange_zone()).replace(tzinfo=None) for instant in instants]


def results_chart(account_id: str, results: Sequence[SessionResult]) -> Chart | None:
    """Draw daily results, oldest first, as bars against the limits in force; breaches and limit hits are marked."""
    known = [one for one in results if one.total_pnl_usd is not None]
    if not known:
        return None
    days = [one.session_date for one in known]
    limits = [None if one.limit_usd is None else -one.limit_usd for one in known]
    reached = [one for one in known if one.is_reached]
    traces = [
        bars("P&L", days, [one.total_pnl_usd for one in known], "curve"),
        _stepped(line("Limit in force", days, limits, "high", "dash")),
        markers(
            "Limit reached", [one.session_date for one in reached], [one.total_pnl_usd for one in reached], "high", "x"
        ),
    ]
    lost = sum((one.total_pnl_usd or 0) < 0 for one in known)
    summary = (
        f"{counted(len(known), 'session')} with complete books, from {days[0]} to {days[-1]}: {lost} with a loss, the "
        f"largest {signed_usd(min(one.total_pnl_usd or 0 for one in known))}; the limit was reached on "
        f"{counted(len(reached), 'day')}."
    )
    columns = (
        Column("Session", DATE, "session_date"),
        Column("P&L", PNL, "total_pnl_usd"),
        Column("Limit", LIMIT, "limit_usd", missing="unknown"),
    )
    table = Table("results-chart", "Results and limits", "Newest first.", columns, known[::-1])
    return Chart(f"Results of {account_id} and his limits", summary, traces, layout(), table)


def use_chart(account_id: str, results: Sequence[SessionResult]) -> Chart | None:
    """Draw the use of the limit over time, oldest first."""
    known = [one for one in results if one.use_ratio is not None]
    if not known:
        return None
    days, uses = [one.session_date for one in known], [one.use_ratio for one in known]
    ends = [days[0], days[-1]]
    traces = [bars("Use of the limit", days, uses, "curve"), line("Limit", ends, [1, 1], "high", "dash")]
    largest = max(known, key=lambda one: one.use_ratio or 0)
    full = sum((one.use_ratio or 0) >= 1 for one in known)
    summary = (
        f"Largest loss of the running P&L over the limit in force, {counted(len(known), 'session')}: at most "
        f"{percent(largest.use_ratio or 0)} on {largest.session_date}; 100% or more on {counted(full, 'day')}."
    )
    columns = (Column("Session", DATE, "session_date"), Column("Use", SHARE, "use_ratio"))
    table = Table("use-chart", "Use of the limit", "Newest first.", columns, known[::-1])
    return Chart(f"Use of the limit by {account_id}", summary, traces, layout("share"), table)
