"""The simulated desk of a first run without data: the firm's accounts with the firm's trading days."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from risk.core.policy_document import default_policy
from simulation.law import law_of, stream
from simulation.truth import LAST_SESSION, Truth, draw_results, sessions_through
from simulation.writing import WrittenDesk, write_truth

DESK_SET = "real"
DESK_SEED = 7108
"""The first seed, from 1, with a desk to learn from: by the rules two traders are high on 2025-08-15, NET005 among
them, two moderate and eight low; by the review of the limits $5,000 fits nine, none of whom ever reached it, and the
losses of two are too large; NET002 reached it on one to six of his 12 days; a session has about 1,600 fills (within
10%, from the round trips). Because the seed was selected, this desk is evidence of nothing: neither of how strict the
rules are nor of how many traders a limit fits.
"""
DESK_SESSION_COUNT = 68
LEGACY_SESSION_COUNT = 34

TRADING_DAYS = {
    "NET001": 68, "NET002": 12, "NET005": 68, "NET009": 66, "NET010": 63, "NET015": 39,
    "NET018": 63, "NET026": 60, "NECS005": 65, "NECS010": 36, "NEL004": 49, "NEL005": 36,
}  # fmt: skip
"""Trading days of the active accounts, within the newest 68 sessions; 625 in total."""

LEGACY_TRADING_DAYS = {
    "NET001": 34, "NET002": 7, "NET005": 30, "NET009": 26, "NET010": 21, "NET015": 15,
    "NET018": 19, "NET026": 13, "NECS005": 23, "NECS010": 10, "NEL004": 17,
}  # fmt: skip
"""Trading days of the legacy accounts, by name without the suffix, within the 34 sessions before the 68."""

SCALE_USD = {
    "NET001": 1200, "NET002": 4500, "NET005": 1500, "NET009": 5000, "NET010": 800, "NET015": 1000,
    "NET018": 650, "NET026": 4000, "NECS005": 1400, "NECS010": 300, "NEL004": 900, "NEL005": 500,
}  # fmt: skip
"""Scale of each trader before volatility and jumps move it, US dollars; a legacy account has that of its successor.

NET002, NET009 and NET026 are too large for $5,000. The review of the limits says so of the last two; NET002 has limited
history. It calls nobody *never reached*, not NECS010 with a largest use of 8% either: that takes 120 days.
"""

ABSENT_ON_LAST_SESSION = "NET002"
ATTENDANCE = 0.92
"""Share of the sessions since it opened (or until it closed) on which an account trades."""


def write_desk(folder: Path) -> WrittenDesk:
    """Write the simulated desk into a folder: new, empty, or an earlier simulation.

    Notes
    -----
    Twelve accounts have the numbers of trading days that the firm gives, 625 trader-days over the 68 sessions from
    2025-05-09 to 2025-08-15; an account with fewer days opened later, NET002 last traded on 2025-08-14. The firm gives
    no dates for the eleven legacy accounts: here they closed when the twelve opened, so they trade only in the 34
    sessions before (2025-03-21 to 2025-05-08), 215 trader-days, and none is active in August.

    Results follow the set *real* at the sizes of `SCALE_USD`. For the seed see `DESK_SEED`.
    """
    return write_truth(draw_desk(), DESK_SET, DESK_SEED, folder)


def draw_desk(seed: int = DESK_SEED) -> Truth:
    """Draw the desk's results without writing fills."""
    session_dates = sessions_through(LAST_SESSION, LEGACY_SESSION_COUNT + DESK_SESSION_COUNT)
    suffix = default_policy().desk.accounts.legacy_suffix
    legacy = {name + suffix: days for name, days in LEGACY_TRADING_DAYS.items()}
    account_ids = sorted([*TRADING_DAYS, *legacy])
    draws = stream(seed, 1)
    is_active = np.zeros((len(session_dates), len(account_ids)), dtype=np.bool_)
    for column, account_id in enumerate(account_ids):
        if account_id in legacy:
            first_rows = _trading_days(legacy[account_id], LEGACY_SESSION_COUNT, draws)
            is_active[:LEGACY_SESSION_COUNT, column] = first_rows[::-1]
        else:
            available = DESK_SESSION_COUNT - (account_id == ABSENT_ON_LAST_SESSION)
            rows = _trading_days(TRADING_DAYS[account_id], available, draws)
            is_active[LEGACY_SESSION_COUNT : LEGACY_SESSION_COUNT + available, column] = rows
    scale_usd = [SCALE_USD[account_id.removesuffix(suffix)] for account_id in account_ids]
    return draw_results(law_of(DESK_SET), account_ids, session_dates, is_active, seed, scale_usd=scale_usd)


def _trading_days(count: int, available: int, draws: np.random.Generator) -> NDArray[np.bool_]:
    """Choose trading days among the last sessions, always including the last one, ``(available,)``."""
    span = min(available, round(count / ATTENDANCE))
    chosen = draws.choice(span - 1, size=count - 1, replace=False) if count > 1 else np.empty(0, dtype=np.int64)
    rows = np.zeros(available, dtype=np.bool_)
    rows[available - span + chosen] = True
    rows[-1] = True
    return rows
