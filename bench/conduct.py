"""What the features from fills are worth: the gain of the forecast on simulated fills, with and without them.

``PYTHONPATH=plugins .venv/bin/python -m bench conduct``; not among all of them: a desk takes two minutes.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from bench.forecast import gain_of
from risk.backtest.reading import panel_of_days
from risk.features import LEARNED_NAMES, build_features
from risk.forecast import history_of
from risk.panel import MATRICES, Panel
from risk.pnl.books import AccountSession, close_sessions
from risk.pnl.positions import SymbolFills
from risk.pnl.valuation import Valuer
from risk.sessions import next_session, session_open
from risk.simulation import Truth, draw
from risk.simulation.law import stream
from risk.simulation.market import SYMBOLS, draw_closes, draw_day
from risk.simulation.trips import Fills, draw_fills

DESKS = (("strong", 1), ("strong", 2), ("weak", 1))
COUNTED = MATRICES[1:5]
"""What a panel knows without following the fills."""


def measure() -> dict[str, float]:
    """Print the gain over ``historical`` by desk, without and with what the fills tell."""
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
    return gain_of(truth, history_of(panel, features, LEARNED_NAMES))


def _days(truth: Truth, seed: int) -> Iterator[AccountSession]:
    """Draw the fills that a simulated desk would be written with, and keep its books."""
    groups: dict[str, list[SymbolFills]] = {account_id: [] for account_id in truth.account_ids}
    closes = draw_closes(len(truth.session_dates), seed)
    for row, session_date in enumerate(truth.session_dates):
        draws = stream(seed, 7, row)
        day = draw_day(session_date, closes[row], closes[row + 1], draws)
        # The marks' volumes are drawn between the day and its fills.
        draws.integers(1_000_000, 60_000_000, len(SYMBOLS))
        if truth.is_active[row].any():
            for group in _groups(draw_fills(truth, row, day, draws), truth, row):
                groups[group.account_id].append(group)
    valuer = Valuer(list(truth.session_dates), (), ())
    for account_id, found in groups.items():
        yield from close_sessions(account_id, truth.session_dates, found, {}, valuer)


def _groups(fills: Fills, truth: Truth, row: int) -> Iterator[SymbolFills]:
    session_date = truth.session_dates[row]
    midnight = int(session_open(session_date).timestamp()) - 34_200
    order = np.lexsort((fills.second, fills.symbol, fills.account))
    account, symbol = fills.account[order], fills.symbol[order]
    signed = np.where(fills.is_entry == fills.is_long, 1, -1)[order] * fills.quantity[order] * 10**8
    columns: Sequence[list[int]] = (
        signed.tolist(),
        fills.price[order].tolist(),
        (fills.second[order] + midnight).tolist(),
    )
    fees = (fills.fees_cents.sum(axis=0)[order] * 10**6).tolist()
    bounds = [0, *(np.flatnonzero(np.diff(account) | np.diff(symbol)) + 1).tolist(), len(account)]
    for start, stop in itertools.pairwise(bounds):
        quantities, prices, seconds = (column[start:stop] for column in columns)
        name, account_id = SYMBOLS[symbol[start]], truth.account_ids[account[start]]
        total = sum(fees[start:stop])
        yield SymbolFills(account_id, session_date, name, "USD", quantities, prices, seconds, total, None)
