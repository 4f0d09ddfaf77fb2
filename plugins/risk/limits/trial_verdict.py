"""The verdict on a trial: whether its policy is better at choosing whom to cut, from mornings after it was sealed.

Past mornings decide nothing here. The sealed policy and the adopted ones decide every later morning side by side, from
what that morning knew; nothing of the sealed one acts. `risk.limits.betting` says what is bet, and why any number of
trials is allowed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

import numpy as np

from risk.core.calendar import session_open
from risk.core.exchange import exchange_zone
from risk.core.money import counted
from risk.core.warehouse import Connection
from risk.limits.betting import PastSession, log_growth, needed_wealth, wealth_path
from risk.limits.past_mornings import PastMorning, read_mornings
from risk.limits.trials import Trial
from risk.limits.what_if import decide_again
from risk.limits.what_if_outcomes import ComparedDay, compared_days, padded_lows
from risk.model.panel import FloatMatrix


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of a trial.

    Attributes
    ----------
    sealed_on, variant_number
        Date of the exchange on which the policy was sealed, and its number among all policies that were tried.
    session_count, last_session
        Sessions since with results of at least two accounts, and the last of them.
    wealth, needed_wealth
        Wealth after the last session, and what the variant needs.
    better_since
        Session whose results made it better; it stays so. ``None`` = open.
    wealth_path
        Wealth after each session, ascending.
    """

    sealed_on: dt.date
    variant_number: int
    session_count: int
    last_session: dt.date | None
    wealth: float
    needed_wealth: float
    better_since: dt.date | None
    wealth_path: Sequence[tuple[dt.date, float]] = ()

    @property
    def sentence(self) -> str:
        """The verdict and its progress, for people."""
        progress = (
            f"wealth {self.wealth:,.2f} of {self.needed_wealth:,.0f} needed by variant {self.variant_number}, "
            f"{counted(self.session_count, 'session')} since {self.sealed_on}"
        )
        if self.better_since is None:
            return f"Verdict: open ({progress})."
        return f"Verdict: better at choosing whom to cut, since {self.better_since} ({progress})."


def judge_trial(connection: Connection, trial: Trial) -> Verdict:
    """Bet on the mornings after a trial was sealed; nothing is stored.

    A morning counts if its session opened after the seal and it was reported before that.
    """
    sealed_on = trial.sealed_at.astimezone(exchange_zone()).date()
    later = [one for one in read_mornings(connection, sealed_on, dt.date.max) if _counts(one, trial)]
    days: list[ComparedDay] = []
    if later:
        decided = list(decide_again(connection, later, trial.document))
        days = [day for day in compared_days(connection, decided)[0] if day.has_unit]
    by_session = ((session, list(found)) for session, found in groupby(days, key=attrgetter("effective_session")))
    bets = [(session, _growth(found)) for session, found in by_session if len(found) > 1]
    needed = needed_wealth(trial.variant_number)
    if not bets:
        return Verdict(sealed_on, trial.variant_number, 0, None, 1.0, needed, None)
    path = wealth_path(np.concatenate([growth for _, growth in bets]))
    reached = np.flatnonzero(path >= needed)
    better_since = bets[int(reached[0])][0] if reached.size else None
    wealth = [(session, float(value)) for (session, _), value in zip(bets, path, strict=True)]
    return Verdict(sealed_on, trial.variant_number, len(bets), *wealth[-1], needed, better_since, wealth)


def _counts(morning: PastMorning, trial: Trial) -> bool:
    return morning.is_live and session_open(morning.run.effective_session) > trial.sealed_at


def _growth(days: Sequence[ComparedDay]) -> FloatMatrix:
    """Return how the bettors' wealth grows in one session, ``(1, n_stakes)``."""
    numbers = np.array(
        [
            [
                float(day.booked.close_usd),
                float(day.adopted.usual_loss_usd or 0),
                float(day.adopted.base_limit_usd),
                float(day.adopted.kept_cut_ratio),
                float(day.other.base_limit_usd),
                float(day.other.kept_cut_ratio),
            ]
            for day in days
        ]
    )
    closes, usual, adopted_bases, adopted_cuts, other_bases, other_cuts = numbers.T
    session = PastSession(padded_lows(days), closes, usual)
    differences = session.tail_losses(other_bases, other_cuts) - session.tail_losses(adopted_bases, adopted_cuts)
    gaps = np.abs(other_cuts - adopted_cuts)
    return log_growth(differences[None], gaps[None], np.ones((1, len(days)), np.bool_))
