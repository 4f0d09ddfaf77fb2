"""Charts: of a trader in the mail, cumulative P&L and the forecast for the next session; and the plots of a backtest.

Charts in the mail repeat the facts beside them, so a mail with images turned off is complete.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from risk.core.errors import RequestError
from risk.core.settings import TAIL_PROBABILITY, VAR_DIR
from risk.report.facts import FORECAST_LEVELS, AccountFacts, Facts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from risk.model.backtest import BacktestRecord, CoverageChecks
    from risk.model.panel import FeaturePanel
    from risk.model.walk_forward import WalkForward

CHART_OVERHEAD_BYTES = 600
"""Size that a chart adds to a mail besides its own bytes: the headers of its part and its alternative text."""

SIZE_IN = (2.4, 0.6)
DOTS_PER_IN = 110
COLOR_COUNT = 16
"""Mid tones on a transparent background: visible on white and on black."""
PNL, DRAWDOWN, GRAY, LIMIT, TAIL = "#3b82c4", "#d9827a", "#8a95a1", "#c0392b", "#a855c8"
BANDS = {(0, 6): "#b9cfe6", (1, 6): "#8fb2d6", (3, 5): "#5f94ca"}
"""Bands of the forecast distribution by the positions of their ends in ``FORECAST_LEVELS``."""

PLOT_SIZE_IN = (7.0, 4.0)
PLOT_MARGINS = {"left": 0.24, "right": 0.97, "top": 0.9, "bottom": 0.14}
PLOT_COLORS = ("#8a95a1", "#3b82c4", "#2f9e6e", "#d08a1d", "#a855c8", "#14919b")
PLOT_COLOR, REJECTED_COLOR = "#3b82c4", "#c0392b"

SVG_SETTINGS: dict[Any, Any] = {"svg.hashsalt": "risk", "svg.fonttype": "none"}
NO_DATE = {"Date": None, "Creator": None}
"""Plots of a backtest: as SVG, the same numbers give the same bytes."""


def draw_charts(facts: Facts, room_bytes: int) -> Mapping[str, bytes]:
    """Draw the charts of the traders whose limit changes, most urgent first, as long as they fit into the mail.

    Parameters
    ----------
    facts
        Accounts in the report's order.
    room_bytes
        Space left for charts in the mail.

    Returns
    -------
    mapping of str to bytes
        PNG by name: ``pnl-<n>`` and ``forecast-<n>`` for the account at position *n*; equal facts give equal bytes.
    """
    drawn: dict[str, bytes] = {}
    for position, account in enumerate(facts.accounts):
        if account.limit_change_usd == 0:
            continue
        added = {f"pnl-{position}": draw_pnl(account), f"forecast-{position}": draw_forecast(account)}
        kept = {name: chart for name, chart in added.items() if chart}
        # A mail carries images in base64: four bytes for three, and a line break after every 76.
        room_bytes -= sum(len(chart) * 7 // 5 + CHART_OVERHEAD_BYTES for chart in kept.values())
        if room_bytes < 0:
            return drawn
        drawn |= kept
    return drawn


def cumulative_pnl(account: AccountFacts) -> tuple[list[Decimal], list[Decimal]]:
    """Return the running sum of an account's recent P&L, US dollars, gains positive, and its peaks from 0 on."""
    sums = list(accumulate(account.recent_results_usd))
    return sums, list(accumulate(sums, max, initial=Decimal(0)))[1:]


def draw_pnl(account: AccountFacts) -> bytes:
    """Draw cumulative P&L of the recent sessions, drawdown shaded; empty with fewer than two sessions."""
    sums, peaks = cumulative_pnl(account)
    if len(sums) < 2:
        return b""
    axes = _axes()
    positions, heights = range(len(sums)), [float(amount) for amount in sums]
    axes.fill_between(positions, heights, [float(peak) for peak in peaks], color=DRAWDOWN, linewidth=0)
    axes.axhline(0, color=GRAY, linewidth=0.8)
    axes.plot(positions, heights, color=PNL, linewidth=1.5)
    return _png(axes)


def draw_forecast(account: AccountFacts) -> bytes:
    """Draw the next-session forecast on a dollar axis, the two limits as lines; empty without a forecast."""
    quantiles = [float(quantile) for quantile in account.forecast_fan_usd]
    quantile = account.forecast_quantile_05_usd
    if quantile is None:
        return b""
    axes = _axes()
    if len(quantiles) == len(FORECAST_LEVELS):
        for number, ((low, high), color) in enumerate(BANDS.items()):
            axes.barh(0, quantiles[high] - quantiles[low], left=quantiles[low], height=0.9 - 0.2 * number, color=color)
    tail = quantiles[FORECAST_LEVELS.index(TAIL_PROBABILITY)] if quantiles else float(quantile)
    axes.plot([tail], [0], marker="D", markersize=6, color=TAIL)
    axes.axvline(0, color=GRAY, linewidth=0.8)
    axes.axvline(-float(account.base_limit_usd), color=GRAY, linewidth=1.5, linestyle=":")
    axes.axvline(-float(account.new_limit_usd), color=LIMIT, linewidth=2)
    axes.set_ylim(-0.6, 0.6)
    return _png(axes)


def new_figure() -> Figure:
    """Return an empty figure; the first call imports matplotlib, which takes a second."""
    # By default matplotlib writes its list of fonts to the home directory; this project writes only to its own.
    os.environ.setdefault("MPLCONFIGDIR", str(VAR_DIR / "matplotlib"))
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
    """Encode a figure with a palette: a third of the bytes, without a time or a software name."""
    from PIL import Image

    canvas: Any = axes.figure.canvas
    canvas.draw()
    image = Image.frombuffer("RGBA", canvas.get_width_height(), bytes(canvas.buffer_rgba()))
    stream = io.BytesIO()
    image.quantize(COLOR_COUNT, method=Image.Quantize.FASTOCTREE).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def draw_plots(
    folder: Path, history: FeaturePanel, forecasts: WalkForward, record: BacktestRecord, checks: CoverageChecks
) -> list[Path]:
    """Draw calibration, loss by expert, weights over time and exceedances per trader.

    Parameters
    ----------
    folder
        Receives the files; created if absent.
    history, forecasts, record, checks
        What was walked and what came of it.

    Returns
    -------
    list of Path
        The files written; none where nothing could be scored.

    Raises
    ------
    RequestError
        If the folder cannot be written.
    """
    if not record.models:
        return []
    pictures: dict[str, Callable[[Axes], None]] = {
        "calibration": lambda axes: _draw_calibration(axes, checks),
        "loss_by_expert": lambda axes: _draw_losses(axes, record),
        "weights_over_time": lambda axes: _draw_weights(axes, history, forecasts),
        "breaches_per_trader": lambda axes: _draw_exceedances(axes, checks),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [_written(folder / f"{name}.svg", draw) for name, draw in pictures.items()]
    except OSError as error:
        raise RequestError(f"The plots cannot be written to {folder}: {error.strerror}. Name another folder.") from None


def _written(file: Path, draw: Callable[[Axes], None]) -> Path:
    figure: Figure = new_figure()
    import matplotlib as mpl

    figure.set_size_inches(PLOT_SIZE_IN)
    figure.subplots_adjust(**PLOT_MARGINS)
    draw(figure.add_subplot())
    with mpl.rc_context(SVG_SETTINGS):
        figure.savefig(file, format="svg", metadata=NO_DATE)
    return file


def _draw_calibration(axes: Axes, checks: CoverageChecks) -> None:
    promised, found = zip(*checks.levels, strict=True)
    axes.plot([0, 1], [0, 1], color=PLOT_COLORS[0], linestyle=":")
    axes.plot(promised, found, color=PLOT_COLOR, marker="o")
    axes.set(title="Calibration of the forecast", xlabel="promised share of results below", ylabel="share found")


def _draw_losses(axes: Axes, record: BacktestRecord) -> None:
    names = sorted(record.models, key=lambda name: -record.models[name].loss)
    gains = [100.0 * record.models[name].gain_vs_historical for name in names]
    lows, highs = zip(*(record.models[name].gain_interval for name in names), strict=True)
    # An interval of resamples need not hold the gain itself.
    errors = [
        [max(gain - 100.0 * low, 0.0) for gain, low in zip(gains, lows, strict=True)],
        [max(100.0 * high - gain, 0.0) for gain, high in zip(gains, highs, strict=True)],
    ]
    axes.barh(names, gains, xerr=errors, color=PLOT_COLOR, ecolor=PLOT_COLORS[0])
    axes.axvline(0.0, color=PLOT_COLORS[0], linewidth=0.8)
    axes.set(title="Loss below that of historical, with 95% interval", xlabel="%")


def _draw_weights(axes: Axes, history: FeaturePanel, forecasts: WalkForward) -> None:
    dates = [day.toordinal() for day in history.panel.session_dates]
    axes.stackplot(dates, forecasts.weights.T, labels=forecasts.names, colors=PLOT_COLORS)
    places = dates[:: max(len(dates) // 4, 1)]
    axes.set_xticks(places, [history.panel.session_dates[dates.index(place)].isoformat() for place in places])
    axes.set(title="Weights of the experts", ylabel="share of the mixture", ylim=(0, 1))
    axes.legend(loc="lower left", fontsize="small")


def _draw_exceedances(axes: Axes, checks: CoverageChecks) -> None:
    names = [account.account_id for account in checks.accounts]
    shares = [100.0 * account.exceedance_count / account.forecast_count for account in checks.accounts]
    axes.barh(
        names, shares, color=[REJECTED_COLOR if account.is_rejected else PLOT_COLOR for account in checks.accounts]
    )
    axes.axvline(100.0 * TAIL_PROBABILITY, color=PLOT_COLORS[0], linestyle=":")
    axes.set(title="Results below the 5% forecast, by trader (red: off)", xlabel="%")
    axes.invert_yaxis()
