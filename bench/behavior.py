"""What the features from fills are worth: the gain of the forecast on simulated fills, with and without them.

``PYTHONPATH=plugins .venv/bin/python -m bench behavior``; not among all of them: a desk takes two minutes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import numpy as np

from bench.forecast import gain_of
from risk.books.executions import Executions
from risk.books.prices import PriceBook
from risk.books.session import AccountSession, Holdings, close_session
from risk.core.calendar import next_session, session_open
from risk.model.backtest import panel_of_days
from risk.model.build_features import build_features
from risk.model.features import LEARNED_NAMES
from risk.model.panel import MEASURES, Panel, feature_panel
from simulation.law import stream
from simulation.market import SYMBOLS, draw_closes, draw_day
from simulation.trips import Fills, draw_fills
from simulation.truth import Truth, draw

DESKS = (("strong", 1), ("strong", 2), ("weak", 1))
COUNTED = MEASURES[1:5]
"""What a panel knows without following the fills."""


def measure() -> dict[str, float]:
    """Print the gain over ``historical`` by desk, without and with the features from fills."""
    figures = {}
    for set_name, seed in DESKS:
        truth = draw(set_name, 23, 625, seed)
        known = panel_of_days(_days(truth, seed))
        counted = {name: getattr(known, name) for name in COUNTED}
        without = Panel.of(known.session_dates, known.account_ids, known.total_pnl_usd, **counted)
        for name, panel in (("without", without), ("with", known)):
            figures[f"{set_name} {seed} {name}"] = _gain(truth, panel)
            print(f"{set_name} {seed} {name:8s} {figures[f'{set_name} {seed} {name}']:.4f}", flush=True)
    return figures


def _gain(truth: Truth, panel: Panel) -> float:
    features = build_features(panel, next_session(panel.session_dates[-1]))
    return gain_of(truth, feature_panel(panel, features, LEARNED_NAMES))


def _days(truth: Truth, seed: int) -> Iterator[AccountSession]:
    """Draw the fills that a simulated desk would be written with, and keep its books."""
    closes = draw_closes(len(truth.session_dates), seed)
    prices = PriceBook(list(truth.session_dates), (), ())
    holdings: Holdings = {}
    for row, session_date in enumerate(truth.session_dates):
        draws = stream(seed, 7, row)
        day = draw_day(session_date, closes[row], closes[row + 1], draws)
        # The marks' volumes are drawn between the day and its fills.
        draws.integers(1_000_000, 60_000_000, len(SYMBOLS))
        traded = []
        if truth.is_active[row].any():
            traded.append(_executions(draw_fills(truth, row, day, draws), truth, session_date))
        yield from close_session(session_date, traded, holdings, prices)


def _executions(fills: Fills, truth: Truth, session_date: dt.date) -> Executions:
    midnight = int(session_open(session_date).timestamp()) - 34_200
    order = np.lexsort((fills.second, fills.symbol, fills.account))
    account, symbol = fills.account[order], fills.symbol[order]
    is_bought = fills.is_entry == fills.is_long
    starts = np.append(0, np.flatnonzero(np.diff(account) | np.diff(symbol)) + 1)
    return Executions(
        [truth.account_ids[number] for number in account[starts].tolist()],
        [SYMBOLS[number] for number in symbol[starts].tolist()],
        ["USD"] * len(starts),
        [None] * len(starts),
        starts,
        (np.where(is_bought, 1, -1) * fills.quantity * 10**8)[order],
        fills.price[order],
        fills.fees_cents.sum(axis=0)[order] * 10**6,
        fills.second[order] + midnight,
        np.where(is_bought, ord("B"), ord("S"))[order].astype(np.uint8),
    )
