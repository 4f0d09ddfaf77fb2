"""The backtest: the forecast walked forward over past sessions, scored, judged and drawn."""

from __future__ import annotations

from risk.backtest.checks import Checks, checks_of
from risk.backtest.plots import draw_plots
from risk.backtest.reading import panel_of_fills, panel_of_pnl
from risk.backtest.record import Record, Score, backtest, record_of, walk

__all__ = [
    "Checks",
    "Record",
    "Score",
    "backtest",
    "checks_of",
    "draw_plots",
    "panel_of_fills",
    "panel_of_pnl",
    "record_of",
    "walk",
]
