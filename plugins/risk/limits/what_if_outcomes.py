"""What became of the account-sessions under each of two policies: use, limit hits, breaches, net and tail.

Paths are those that were traded, at the newest knowledge of the books: under another limit a trader may have traded
otherwise. A limit holds for the whole session, as recommended.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from itertools import groupby
from operator import attrgetter

import numpy as np

from risk.core.money import EXACT
from risk.core.warehouse import Connection, rows
from risk.limits.in_force import DEFAULT, LimitInForce
from risk.limits.receipt_rows import BookedSession, read_paths
from risk.limits.receipts import BREACH, WITHIN, Receipt, ReceiptTerms, SessionPath, receipt, receipt_within
from risk.limits.tail_effect import CutDays, Effect, TailEffect, measure_against, measure_effect
from risk.limits.track_record import (
    IntradayPath,
    PastCut,
    TrackRecord,
    benefit_usd,
    evaluate_cuts,
    outcome_usd,
    sum_interval,
)
from risk.limits.what_if import RATIO_STEP, MorningDecisions, PastDecision
from risk.model.panel import FloatMatrix


@dataclass(frozen=True, slots=True)
class ComparedDay:
    """An account-session that both policies have a limit for, with its running P&L."""

    effective_session: dt.date
    is_live: bool
    adopted: PastDecision
    other: PastDecision
    booked: BookedSession

    @property
    def has_unit(self) -> bool:
        """Whether both policies know the account's usual loss, the unit of the tail."""
        return self.adopted.usual_loss_usd is not None and self.other.usual_loss_usd is not None

    @property
    def path(self) -> IntradayPath:
        """What a limit acts on."""
        return IntradayPath(self.booked.running_lows_usd, self.booked.close_usd)


@dataclass(frozen=True, slots=True)
class LimitUse:
    """How limits were used: shares of the limit, 0.7 = 70 %; ``None`` without a day."""

    day_count: int
    median_ratio: float | None
    high_ratio: float | None
    hit_count: int
    breach_count: int


@dataclass(frozen=True, slots=True)
class SessionNet:
    """What the cuts of a session were worth, and had everybody been cut by the average of all; US dollars."""

    effective_session: dt.date
    net_usd: Decimal
    equal_net_usd: Decimal


@dataclass(frozen=True, slots=True)
class PolicyOutcome:
    """What a policy's limits would have done.

    Attributes
    ----------
    use
        Of its limits; a breach is a hit, too.
    record
        What its cuts were worth, with everybody cut by its average as control; see `risk.limits.track_record`.
    nets
        The same by session, ascending.
    tail
        Against its own controls of the same size; ``None`` = too few sessions or no cut.
    """

    use: LimitUse
    record: TrackRecord
    nets: Sequence[SessionNet]
    tail: TailEffect | None


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Two policies on the same account-sessions; US dollars.

    Attributes
    ----------
    open_count
        Account-mornings without a known outcome: the session is not over, or its books are incomplete.
    single_count
        Account-mornings that only one of the two has a limit for.
    lead_usd, lead_low_usd, lead_high_usd
        Sum of the results under the other policy less that under the adopted ones, and its 95 % interval; ``None`` with
        fewer than 20 sessions.
    tail_lead
        How much smaller the tail is under the other policy than under the adopted ones.
    """

    open_count: int
    single_count: int
    adopted: PolicyOutcome
    other: PolicyOutcome
    lead_usd: Decimal
    lead_low_usd: Decimal | None
    lead_high_usd: Decimal | None
    tail_lead: Effect | None


def measure_outcomes(connection: Connection, decided: Sequence[MorningDecisions]) -> Outcomes:
    """Measure the outcomes of past mornings, at least one, under both policies."""
    days, open_count, single_count = compared_days(connection, decided)
    paths = _paths_to_walk(connection, days)
    adopted, other = (_policy_outcome(days, paths, side) for side in SIDES)
    with localcontext(EXACT):
        leads = [sum(map(_lead_usd, of_session), Decimal(0)) for _, of_session in _by_session(days)]
    cut_days = _cut_days(days, SIDES[1])
    other_limits = np.array([float(day.adopted.limit_usd) for day in days if day.has_unit])
    tail_lead = measure_against(cut_days, other_limits) if len(other_limits) else None
    lead = sum(leads, Decimal(0))
    return Outcomes(open_count, single_count, adopted, other, round(lead, 2), *sum_interval(leads), tail_lead)


Side = Callable[[ComparedDay], PastDecision]
SIDES: tuple[Side, Side] = (attrgetter("adopted"), attrgetter("other"))


def compared_days(connection: Connection, decided: Sequence[MorningDecisions]) -> tuple[list[ComparedDay], int, int]:
    """Pair decisions with what became of them; count those without an outcome, and those of one policy only."""
    sessions = [one.morning.run.effective_session for one in decided]
    binds = {"first_session": sessions[0], "last_session": sessions[-1]}
    found = [BookedSession(*row) for row in rows(connection, "what_if/select_running_lows", binds)]
    booked = {one.key: one for one in found}
    days, open_count, single_count = [], 0, 0
    for one, session in zip(decided, sessions, strict=True):
        both = sorted(one.adopted.keys() & one.other.keys())
        single_count += len(one.adopted.keys() ^ one.other.keys())
        for name in both:
            path = booked.get((name, session))
            open_count += path is None
            if path is not None:
                days.append(ComparedDay(session, one.morning.is_live, one.adopted[name], one.other[name], path))
    return days, open_count, single_count


def _by_session(days: Sequence[ComparedDay]) -> Iterator[tuple[dt.date, Iterator[ComparedDay]]]:
    return groupby(days, key=attrgetter("effective_session"))


def _paths_to_walk(connection: Connection, days: Sequence[ComparedDay]) -> Mapping[tuple[str, dt.date], SessionPath]:
    """Read, fill by fill, the sessions in which either limit was reached."""
    walked = [day.booked for day in days if any(_within(day, side) is None for side in SIDES)]
    with connection:
        return read_paths(connection, "infinity", walked) if walked else {}


def _limit(day: ComparedDay, side: Side) -> LimitInForce:
    return LimitInForce(side(day).limit_usd, DEFAULT, 0, None)


def _within(day: ComparedDay, side: Side) -> Receipt | None:
    return receipt_within(day.booked.lows, _limit(day, side), ReceiptTerms.of(side(day).policy))


def _receipt(day: ComparedDay, side: Side, paths: Mapping[tuple[str, dt.date], SessionPath]) -> Receipt:
    made = _within(day, side)
    if made is not None:
        return made
    terms, path = ReceiptTerms.of(side(day).policy), paths[day.booked.key]
    if not terms.has_fees:
        with localcontext(EXACT):
            path = replace(path, close_usd=path.close_usd + sum(step.fees_usd for step in path.steps))
    return receipt(path, [(day.booked.first_at, _limit(day, side))], terms)


def _policy_outcome(
    days: Sequence[ComparedDay], paths: Mapping[tuple[str, dt.date], SessionPath], side: Side
) -> PolicyOutcome:
    receipts = [_receipt(day, side, paths) for day in days]
    uses = [float(one.use_ratio) for one in receipts if one.use_ratio is not None]
    median, high = np.quantile(uses, (0.5, 0.95)).tolist() if uses else (None, None)
    hits = sum(one.outcome != WITHIN for one in receipts)
    use = LimitUse(len(days), median, high, hits, sum(one.outcome == BREACH for one in receipts))
    tail = measure_effect(_cut_days(days, side)) if any(day.has_unit for day in days) else None
    record = _track_record(days, side)
    return PolicyOutcome(use, record, _session_nets(days, side, record.average_cut_ratio), tail)


def _track_record(days: Sequence[ComparedDay], side: Side) -> TrackRecord:
    cuts = [[_past_cut(day, side) for day in of_session] for _, of_session in _by_session(days)]
    bases = sum((cut.base_limit_usd for of_session in cuts for cut in of_session), Decimal(0))
    taken = sum((cut.base_limit_usd - cut.limit_usd for of_session in cuts for cut in of_session), Decimal(0))
    average = (taken / bases).quantize(RATIO_STEP) if bases else Decimal(0)
    return evaluate_cuts(cuts, average)


def _session_nets(days: Sequence[ComparedDay], side: Side, average: Decimal) -> list[SessionNet]:
    with localcontext(EXACT):
        return [
            SessionNet(
                session,
                sum((benefit_usd(cut.path, cut.base_limit_usd, cut.limit_usd) for cut in cuts), Decimal(0)),
                sum(
                    (benefit_usd(cut.path, cut.base_limit_usd, cut.base_limit_usd * (1 - average)) for cut in cuts),
                    Decimal(0),
                ),
            )
            for session, cuts in (
                (session, [_past_cut(day, side) for day in found]) for session, found in _by_session(days)
            )
        ]


def _past_cut(day: ComparedDay, side: Side) -> PastCut:
    decision = side(day)
    return PastCut(day.is_live, decision.base_limit_usd, decision.kept_cut_ratio, decision.limit_usd, day.path)


def _lead_usd(day: ComparedDay) -> Decimal:
    return outcome_usd(day.path, day.other.limit_usd) - outcome_usd(day.path, day.adopted.limit_usd)


def padded_lows(days: Sequence[ComparedDay]) -> FloatMatrix:
    """Lay out the running lows, ``(n_days, n_lows)``, US dollars, positive; infinite behind the last of each day."""
    most = max((len(day.booked.running_lows_usd) for day in days), default=0)
    lows = np.full((len(days), most + 1), np.inf)
    for number, day in enumerate(days):
        lows[number, : len(day.booked.running_lows_usd)] = day.booked.running_lows_usd
    return lows


def _cut_days(days: Sequence[ComparedDay], side: Side) -> CutDays:
    """Lay out the days with a usual loss under one policy; the unit is that of the adopted one."""
    chosen = [day for day in days if day.has_unit]
    numbers = {name: number for number, name in enumerate(sorted({day.booked.account_id for day in chosen}))}
    lows = padded_lows(chosen)
    bases, limits, usual, closes = np.array(
        [
            [
                float(side(day).base_limit_usd),
                float(side(day).limit_usd),
                float(day.adopted.usual_loss_usd or 0),
                float(day.booked.close_usd),
            ]
            for day in chosen
        ]
    ).reshape(-1, 4).T  # fmt: skip
    sessions = np.array([day.effective_session.toordinal() for day in chosen], np.int64)
    accounts = np.array([numbers[day.booked.account_id] for day in chosen], np.int64)
    return CutDays(sessions, accounts, bases, limits, usual, lows, closes)
