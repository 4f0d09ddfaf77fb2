"""Pictures of a backtest as SVG: the same numbers give the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from risk.core.errors import RequestError
from risk.core.settings import TAIL_PROBABILITY
from risk.model.backtest import BacktestRecord, CoverageChecks
from risk.model.fitted import MIXED_EXPERTS
from risk.model.panel import FeaturePanel
from risk.model.walk_forward import WalkForward
from risk.report.charts import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE_IN = (7.0, 4.0)
MARGINS = {"left": 0.24, "right": 0.97, "top": 0.9, "bottom": 0.14}
COLORS = ("#8a95a1", "#3b82c4", "#2f9e6e", "#d08a1d", "#a855c8")
RIGHT, OFF = "#3b82c4", "#c0392b"

SVG_SETTINGS: dict[Any, Any] = {"svg.hashsalt": "risk", "svg.fonttype": "none"}
NO_DATE = {"Date": None, "Creator": None}


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

    figure.set_size_inches(SIZE_IN)
    figure.subplots_adjust(**MARGINS)
    draw(figure.add_subplot())
    with mpl.rc_context(SVG_SETTINGS):
        figure.savefig(file, format="svg", metadata=NO_DATE)
    return file


def _draw_calibration(axes: Axes, checks: CoverageChecks) -> None:
    promised, found = zip(*checks.levels, strict=True)
    axes.plot([0, 1], [0, 1], color=COLORS[0], linestyle=":")
    axes.plot(promised, found, color=RIGHT, marker="o")
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
    axes.barh(names, gains, xerr=errors, color=RIGHT, ecolor=COLORS[0])
    axes.axvline(0.0, color=COLORS[0], linewidth=0.8)
    axes.set(title="Loss below that of historical, with 95% interval", xlabel="%")


def _draw_weights(axes: Axes, history: FeaturePanel, forecasts: WalkForward) -> None:
    dates = [day.toordinal() for day in history.panel.session_dates]
    axes.stackplot(dates, forecasts.weights.T, labels=MIXED_EXPERTS, colors=COLORS)
    places = dates[:: max(len(dates) // 4, 1)]
    axes.set_xticks(places, [history.panel.session_dates[dates.index(place)].isoformat() for place in places])
    axes.set(title="Weights of the experts", ylabel="share of the mixture", ylim=(0, 1))
    axes.legend(loc="lower left", fontsize="small")


def _draw_exceedances(axes: Axes, checks: CoverageChecks) -> None:
    names = [account.account_id for account in checks.accounts]
    shares = [100.0 * account.exceedance_count / account.forecast_count for account in checks.accounts]
    axes.barh(names, shares, color=[OFF if account.is_rejected else RIGHT for account in checks.accounts])
    axes.axvline(100.0 * TAIL_PROBABILITY, color=COLORS[0], linestyle=":")
    axes.set(title="Results below the 5% forecast, by trader (red: off)", xlabel="%")
    axes.invert_yaxis()
