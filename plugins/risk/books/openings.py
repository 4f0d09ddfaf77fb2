"""Openings: the lots that FIFO leaves of a session's fills where none was open before, of all positions at once."""

from __future__ import annotations

from itertools import repeat
from operator import mul

import numpy as np

from risk.books.executions import Executions, summable
from risk.books.fifo import OpenLots


def last_openings(fills: Executions, session: int) -> list[OpenLots]:
    """Return the lots that FIFO leaves of each account and symbol's fills, as if nothing had been open before.

    What is closed are the oldest lots, so what is left are the last fills on the side of the position, as many of them
    as come to it. `risk.books.fifo.match_fills` finds the same from the other end.

    Parameters
    ----------
    session
        Ordinal of the session, which the lots note.
    """
    quantities, starts = summable(fills.quantities), fills.starts
    counts = fills.stops - starts
    left = np.add.reduceat(quantities, starts)
    due = np.repeat(left, counts)
    sizes = np.where((quantities > 0) == (due > 0), np.abs(quantities), 0)
    running = np.cumsum(sizes)
    later = np.repeat(running[fills.stops - 1], counts) - running
    parts = np.minimum(sizes, np.abs(due) - later)
    rows = np.flatnonzero(parts > 0)
    bounds = np.searchsorted(rows, np.append(starts, len(parts))).tolist()
    signed = np.where(due > 0, parts, -parts)[rows].tolist()
    prices = fills.prices[rows].tolist()
    lots = list(zip(signed, prices, repeat(session)))
    costs = list(map(mul, signed, prices))
    return [
        OpenLots(tuple(lots[start:stop]), quantity, sum(costs[start:stop]))
        for quantity, start, stop in zip(left.tolist(), bounds, bounds[1:], strict=False)
    ]
