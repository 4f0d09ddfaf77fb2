"""Resampling whole blocks of sessions: what accounts share on a day, and one day with the next, stays together."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

BLOCK_SESSIONS = 5
RESAMPLE_COUNT = 2000
RESAMPLE_SEED = 5

INTERVAL = (0.025, 0.975)
"""Probabilities at the ends of a 95 % interval."""


def resampled_sessions(session_count: int) -> NDArray[np.int64]:
    """Draw circular blocks of 5 sessions until each resample is as long as the record.

    Source: Politis and Romano (1992), "A Circular Block-Resampling Procedure for Stationary Data".

    Parameters
    ----------
    session_count
        Sessions of the record, at least one.

    Returns
    -------
    ndarray
        Numbers of sessions, ``(2000, session_count)``; the same at every call.
    """
    draws = np.random.default_rng(RESAMPLE_SEED)
    starts = draws.integers(0, session_count, (RESAMPLE_COUNT, math.ceil(session_count / BLOCK_SESSIONS), 1))
    chosen = (starts + np.arange(BLOCK_SESSIONS)) % session_count
    return chosen.reshape(RESAMPLE_COUNT, -1)[:, :session_count]
