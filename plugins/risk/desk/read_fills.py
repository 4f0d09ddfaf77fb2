"""Reading the fills of the last sessions as arrays, as known to a run."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from risk.core.calendar import sessions_between
from risk.core.runs import Run
from risk.core.warehouse import Connection
from risk.desk.executions import DeskFills
from risk.model.panel import read_frame

if TYPE_CHECKING:
    import pandas as pd

WINDOW_SESSIONS = 5
"""Sessions that each run judges: a week."""


@dataclass(frozen=True, slots=True)
class ReadFills:
    """Fills of the last sessions, and what of them cannot be compared.

    Attributes
    ----------
    fills
        Those with a time of day and a price.
    skipped_counts
        The others, by session.
    """

    fills: DeskFills
    skipped_counts: Mapping[dt.date, int]


def read_fills(connection: Connection, run: Run) -> ReadFills:
    """Read the fills of the run's session and the four before it."""
    days = sessions_between(run.session_date - dt.timedelta(days=4 * WINDOW_SESSIONS), run.session_date)
    session_dates = tuple(days[-WINDOW_SESSIONS:])
    binds = {"as_of": run.as_of, "first_session": session_dates[0], "last_session": session_dates[-1]}
    frame = read_frame(connection, "desk/select_fills", binds, {"symbol": str, "route": str, "is_time_unknown": str})
    volumes = read_frame(connection, "desk/select_volumes", binds, {"symbol": str})
    is_compared = (frame["is_time_unknown"] == "f") & (frame["price"] > 0)
    skipped = Counter(stamp.date() for stamp in frame.loc[~is_compared, "session_date"])
    return ReadFills(_as_arrays(frame[is_compared], session_dates, volumes), skipped)


def _as_arrays(frame: pd.DataFrame, session_dates: Sequence[dt.date], volumes: pd.DataFrame) -> DeskFills:
    """Turn texts into places in their sorted lists."""
    import pandas as pd

    (account, account_ids), (symbol, symbols), (route, routes) = (
        pd.factorize(frame[name], sort=True) for name in ("account_id", "symbol", "route")
    )
    place_of = {pd.Timestamp(day): place for place, day in enumerate(session_dates)}
    session = frame["session_date"].map(place_of)
    second, sign, quantity, price = (
        np.asarray(frame[name], np.int64) for name in ("second", "sign", "quantity", "price")
    )
    return DeskFills(
        session_dates=tuple(session_dates),
        account_ids=tuple(map(str, account_ids)),
        symbols=tuple(map(str, symbols)),
        routes=tuple(map(str, routes)),
        session=np.asarray(session, np.int64),
        account=np.asarray(account, np.int64),
        symbol=np.asarray(symbol, np.int64),
        route=np.asarray(route, np.int64),
        second=second,
        sign=sign,
        quantity=quantity,
        price=price,
        volumes=_volumes(volumes, session_dates, list(map(str, symbols))),
    )


def _volumes(volumes: pd.DataFrame, session_dates: Sequence[dt.date], symbols: Sequence[str]) -> NDArray[np.float64]:
    """Lay out the market's volumes, ``(n_sessions, n_symbols)``; NaN = unknown."""
    known = np.full((len(session_dates), len(symbols)), np.nan)
    rows = {day: place for place, day in enumerate(session_dates)}
    columns = {symbol: place for place, symbol in enumerate(symbols)}
    for stamp, symbol, volume in volumes.itertuples(index=False):
        if symbol in columns:
            known[rows[stamp.date()], columns[symbol]] = volume
    return known
