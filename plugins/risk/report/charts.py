"""The two pictures of a trader in the mail: where the P&L comes from, and where it may go.

Pictures repeat what the facts beside them say, so a mail with pictures off lacks nothing.
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from risk.core.settings import PROJECT_DIR, TAIL_PROBABILITY
from risk.report.facts import FAN_LEVELS, AccountFacts, Facts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PICTURE_BYTES = 600
"""What a picture costs a mail beside its own bytes: the headers of its part, and the words in its place."""

SIZE_IN = (2.4, 0.6)
DOTS_PER_IN = 110
COLOR_COUNT = 16
"""Middle tones on a transparent ground: they are seen on white and on black."""
CURVE, LOSS, GRAY, LIMIT, TAIL = "#3b82c4", "#d9827a", "#8a95a1", "#c0392b", "#a855c8"
FANS = {(0, 6): "#b9cfe6", (1, 6): "#8fb2d6", (3, 5): "#5f94ca"}
"""Bands of the fan by the places of their ends among ``FAN_LEVELS``."""


def draw_pictures(facts: Facts, room_bytes: int) -> Mapping[str, bytes]:
    """Draw the pictures of the restricted traders, most urgent first, while they fit into the mail.

    Parameters
    ----------
    facts
        Accounts in the report's order.
    room_bytes
        What is left for pictures in the mail.

    Returns
    -------
    mapping of str to bytes
        PNG by name: ``curve-<n>`` and ``fan-<n>`` for the account at place *n*; the same facts give the same bytes.
    """
    drawn: dict[str, bytes] = {}
    for place, account in enumerate(facts.accounts):
        if account.level == "low":
            continue
        added = {f"curve-{place}": draw_curve(account), f"fan-{place}": draw_fan(account)}
        kept = {name: picture for name, picture in added.items() if picture}
        # A mail carries pictures in base64: four bytes for three, and a line break after each 76.
        room_bytes -= sum(len(picture) * 7 // 5 + PICTURE_BYTES for picture in kept.values())
        if room_bytes < 0:
            return drawn
        drawn |= kept
    return drawn


def cumulated(account: AccountFacts) -> list[Decimal]:
    """Return the running sum of an account's recent results, US dollars."""
    sums, total = [], Decimal(0)
    for result in account.recent_results_usd:
        total += result
        sums.append(total)
    return sums


def peaks(sums: Sequence[Decimal]) -> list[Decimal]:
    """Return the running peak of cumulative P&L; it starts at 0."""
    found, peak = [], Decimal(0)
    for amount in sums:
        peak = max(peak, amount)
        found.append(peak)
    return found


def draw_curve(account: AccountFacts) -> bytes:
    """Draw cumulative P&L of the recent sessions, the drawdown below its running peak shaded; nothing without two."""
    sums = cumulated(account)
    if len(sums) < 2:
        return b""
    axes = _axes()
    places, heights = range(len(sums)), [float(amount) for amount in sums]
    axes.fill_between(places, heights, [float(peak) for peak in peaks(sums)], color=LOSS, linewidth=0)
    axes.axhline(0, color=GRAY, linewidth=0.8)
    axes.plot(places, heights, color=CURVE, linewidth=1.5)
    return _png(axes)


def draw_fan(account: AccountFacts) -> bytes:
    """Draw the forecast of the next result on a dollar axis, the two limits as lines; nothing without a forecast."""
    fan = [float(quantile) for quantile in account.forecast_fan_usd]
    quantile = account.forecast_quantile_05_usd
    if quantile is None:
        return b""
    axes = _axes()
    if len(fan) == len(FAN_LEVELS):
        for number, ((low, high), color) in enumerate(FANS.items()):
            axes.barh(0, fan[high] - fan[low], left=fan[low], height=0.9 - 0.2 * number, color=color)
    tail = fan[FAN_LEVELS.index(TAIL_PROBABILITY)] if fan else float(quantile)
    axes.plot([tail], [0], marker="D", markersize=6, color=TAIL)
    axes.axvline(0, color=GRAY, linewidth=0.8)
    axes.axvline(-float(account.base_limit_usd), color=GRAY, linewidth=1.5, linestyle=":")
    axes.axvline(-float(account.new_limit_usd), color=LIMIT, linewidth=2)
    axes.set_ylim(-0.6, 0.6)
    return _png(axes)


def new_figure() -> Figure:
    """Load matplotlib, which takes a second the first time, and give an empty picture."""
    # Else matplotlib keeps its list of fonts in the user's home; nothing of ours lies outside the project.
    os.environ.setdefault("MPLCONFIGDIR", str(PROJECT_DIR / "var" / "matplotlib"))
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE_IN, dpi=DOTS_PER_IN)
    FigureCanvasAgg(figure)
    return figure


def _axes() -> Axes:
    figure = new_figure()
    figure.patch.set_alpha(0)
    axes = figure.add_axes((0.01, 0.05, 0.98, 0.9))
    axes.axis("off")
    return axes


def _png(axes: Axes) -> bytes:
    """Encode a figure with a palette: a third of the bytes, and none of them says when or by what it was made."""
    from PIL import Image

    canvas: Any = axes.figure.canvas
    canvas.draw()
    image = Image.frombuffer("RGBA", canvas.get_width_height(), bytes(canvas.buffer_rgba()))
    stream = io.BytesIO()
    image.quantize(COLOR_COUNT, method=Image.Quantize.FASTOCTREE).save(stream, "PNG", optimize=True)
    return stream.getvalue()
