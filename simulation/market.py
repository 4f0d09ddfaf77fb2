"""Prices on a simulated desk: one path for each symbol and session, shared by all accounts."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.core.calendar import session_close, session_open
from risk.core.exchange import exchange_zone
from simulation.law import stream

SYMBOL_PRICES_USD = {
    "AAPL": 201.0, "ABNB": 129.0, "AMD": 138.0, "AMZN": 214.0, "AVGO": 252.0, "BA": 208.0, "BAC": 45.5, "C": 79.0,
    "COIN": 265.0, "CRM": 268.0, "CSCO": 66.0, "CVX": 146.0, "DAL": 50.5, "DIS": 117.0, "F": 15.6, "FCX": 41.5,
    "GM": 49.5, "GOOGL": 172.0, "HOOD": 72.0, "INTC": 21.4, "IWM": 211.0, "JPM": 267.0, "KO": 70.5, "MARA": 16.8,
    "META": 690.0, "MRVL": 71.0, "MSFT": 472.0, "MU": 113.0, "NFLX": 1210.0, "NKE": 63.0, "NVDA": 143.0,
    "ORCL": 195.0, "PFE": 24.1, "PLTR": 131.0, "PYPL": 73.5, "QQQ": 527.0, "RIVN": 14.4, "SHOP": 110.0,
    "SMCI": 43.0, "SOFI": 14.9, "SPY": 598.0, "TSLA": 318.0, "UBER": 86.0, "WFC": 75.5, "XOM": 108.0,
}  # fmt: skip
"""Levels around which the simulated prices move: realistic sizes, not quotes."""

SYMBOLS = tuple(SYMBOL_PRICES_USD)
DAILY_VOLATILITY = 0.015
DAILY_REVERSION = 0.98
SECONDS_PER_MINUTE = 60
DAY_START = 7 * 3600
"""First second with fills: 07:00. Every time in this package is in seconds since midnight, New York."""
TRADING_AFTER_CLOSE = 30 * 60


@dataclass(frozen=True, slots=True)
class MarketDay:
    """One session's clock and prices.

    Attributes
    ----------
    session_date
        The session.
    opens, closes, ends
        Regular opening and closing and the last second with fills.
    path_usd
        Price by symbol and minute from `DAY_START` to the end, ``(n_symbols, n_minutes)``.
    """

    session_date: dt.date
    opens: int
    closes: int
    ends: int
    path_usd: NDArray[np.float64]

    @property
    def close_usd(self) -> NDArray[np.float64]:
        """Closing price by symbol, ``(n_symbols,)``."""
        return self.path_usd[:, -1]

    def price_usd(self, symbol: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float64]:
        """Read the path at given symbols (positions in `SYMBOLS`) and seconds."""
        price: NDArray[np.float64] = self.path_usd[symbol, (second - DAY_START) // SECONDS_PER_MINUTE]
        return price


def draw_closes(session_count: int, seed: int) -> NDArray[np.float64]:
    """Draw closing prices, ``(n_sessions + 1, n_symbols)``; row 0 is the close before the first session.

    They revert slowly to the symbol's level, so that a desk of twenty years still has plausible prices.
    """
    noise = DAILY_VOLATILITY * stream(seed, 6).standard_normal((session_count + 1, len(SYMBOLS)))
    deviation = np.zeros(len(SYMBOLS))
    for row in noise:
        deviation = DAILY_REVERSION * deviation + row
        row[:] = deviation
    return np.array(list(SYMBOL_PRICES_USD.values())) * np.exp(noise)


def draw_day(
    session_date: dt.date,
    previous_close_usd: NDArray[np.float64],
    close_usd: NDArray[np.float64],
    draws: np.random.Generator,
) -> MarketDay:
    """Draw the path of a session: a Brownian bridge from the previous close to this one."""
    opens, closes = _second(session_open(session_date)), _second(session_close(session_date))
    ends = closes + TRADING_AFTER_CLOSE
    steps = (ends - DAY_START) // SECONDS_PER_MINUTE
    elapsed = np.arange(steps + 1) / steps
    walk = np.zeros((len(SYMBOLS), steps + 1))
    np.cumsum(draws.standard_normal((len(SYMBOLS), steps)) / np.sqrt(steps), axis=1, out=walk[:, 1:])
    bridge = DAILY_VOLATILITY * (walk - walk[:, -1:] * elapsed)
    change = np.log(close_usd / previous_close_usd)[:, None] * elapsed
    return MarketDay(session_date, opens, closes, ends, previous_close_usd[:, None] * np.exp(change + bridge))


def _second(instant: dt.datetime) -> int:
    local = instant.astimezone(exchange_zone())
    return local.hour * 3600 + local.minute * 60
