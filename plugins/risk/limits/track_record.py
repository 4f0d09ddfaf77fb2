"""Track record of past cuts: what each one was worth on the fills' own path, and whether the sum is evidence.

For each recommendation whose session is over, the account's running net P&L is followed fill by fill, once under the
recommended limit and once under the base limit; the difference is the benefit of the cut. Of several recommendations
for a session the last one reported before the open counts (SQL function ``scored_runs``); one reported later counts
only where there was none before, and is marked.

A measure that rises with every cut proves nothing, so two controls stand beside the cuts: everybody cut by the same
average, and each session's cuts assigned to its accounts at random.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal, localcontext
from itertools import chain, groupby, islice
from operator import itemgetter, sub
from typing import Any, NamedTuple

import numpy as np

from risk.core.money import EXACT, count, counted, p_value, percent, usd
from risk.core.runs import Run
from risk.core.warehouse import Connection, execute, planning, records, rows, statement, writing
from risk.model.backtests import INTERVAL, resampled_sessions

SLIPPAGE_RATIO = Decimal("0.05")
"""What getting out costs beyond the mark that reached the limit, as a share of the limit."""

LARGEST_P_VALUE = 0.05
INTERVAL_SESSIONS = 20
"""Fewest sessions with known outcomes for an interval, and with it for a verdict."""

FETCHED_ROWS = 2_000

CREATE_STEPS = "create temporary table pg_temp.running_steps on commit drop as "
ONE_PROCESS: Mapping[str, str | int] = {"max_parallel_workers_per_gather": 0, "jit": "off"}
"""How the steps are planned."""


class IntradayPath(NamedTuple):
    """What of a session's running net P&L a limit can act on; exact US dollars.

    The running P&L starts at 0 with carried positions at the previous close's mark, and is marked after each fill at
    the account's own last price of each symbol, fees paid.

    Attributes
    ----------
    running_lows_usd
        Its new lows as losses, positive, ascending: whatever falls between two of them reaches no limit first.
    close_usd
        The session's total P&L, gains positive.
    """

    running_lows_usd: Sequence[Decimal]
    close_usd: Decimal


class PastCut(NamedTuple):
    """One past recommendation and the path of its session; limits in US dollars, 0.40 = 40 %."""

    is_live: bool
    base_limit_usd: Decimal
    cut_ratio: Decimal
    limit_usd: Decimal
    path: IntradayPath


def outcome_usd(path: IntradayPath, limit_usd: Decimal) -> Decimal:
    """Return the session's P&L had a loss limit been in force, US dollars.

    Trading ends at the first mark whose loss reaches the limit, less the slippage; else at the close, which is no mark
    to stop at. Call it within ``decimal.localcontext(EXACT)``.
    """
    place = bisect_left(path.running_lows_usd, limit_usd)
    if place == len(path.running_lows_usd):
        return path.close_usd
    return -path.running_lows_usd[place] - SLIPPAGE_RATIO * limit_usd


def benefit_usd(path: IntradayPath, base_limit_usd: Decimal, limit_usd: Decimal) -> Decimal:
    """Return what a limit in place of the base limit was worth: positive = it prevented a loss."""
    return outcome_usd(path, limit_usd) - outcome_usd(path, base_limit_usd)


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """What past recommendations were worth; US dollars, benefits positive.

    Attributes
    ----------
    entry_count, live_count, cut_count, session_count
        Recommendations; those reported before the open; those with a cut; sessions.
    average_cut_ratio
        Share of all their base limits that was cut.
    prevented_usd, forgone_usd, net_usd
        Sum of positive benefits (losses prevented), of negative ones (gains forgone), and of both.
    uniform_prevented_usd, uniform_forgone_usd, uniform_net_usd
        The same had everybody been cut by that average.
    net_low_usd, net_high_usd
        95 % interval of the net; ``None`` with fewer than 20 sessions.
    lead_low_usd, lead_high_usd
        95 % interval of the net's lead over the uniform one; ``None`` with fewer than 20 sessions.
    random_net_usd, random_deviation_usd
        Mean and standard deviation of the net had each session's cuts been assigned to its accounts at random.
    random_p_value
        Probability of a random net at least as large as the actual one; 1 where all assignments are alike.
    """

    entry_count: int
    live_count: int
    cut_count: int
    session_count: int
    average_cut_ratio: Decimal
    prevented_usd: Decimal
    forgone_usd: Decimal
    net_usd: Decimal
    uniform_prevented_usd: Decimal
    uniform_forgone_usd: Decimal
    uniform_net_usd: Decimal
    net_low_usd: Decimal | None
    net_high_usd: Decimal | None
    lead_low_usd: Decimal | None
    lead_high_usd: Decimal | None
    random_net_usd: Decimal
    random_deviation_usd: Decimal
    random_p_value: float

    @property
    def verdict(self) -> str:
        """``nothing``, ``too few``, ``harm``, ``no evidence`` or ``evidence``."""
        if self.cut_count == 0:
            return "nothing"
        if self.net_low_usd is None or self.net_high_usd is None or self.lead_low_usd is None:
            return "too few"
        if self.net_high_usd < 0:
            return "harm"
        is_selective = self.lead_low_usd > 0 and self.random_p_value < LARGEST_P_VALUE
        return "evidence" if self.net_low_usd > 0 and is_selective else "no evidence"


class _SessionBenefits(NamedTuple):
    """One session: exact totals of the cuts and of the uniform ones, mean and variance of the random net."""

    prevented_usd: Decimal
    forgone_usd: Decimal
    uniform_prevented_usd: Decimal
    uniform_forgone_usd: Decimal
    random_mean: float
    random_variance: float


def evaluate_cuts(sessions: Iterable[Sequence[PastCut]], average_cut_ratio: Decimal) -> TrackRecord:
    """Add up what past recommendations were worth and compute the controls.

    Parameters
    ----------
    sessions
        The recommendations session by session, ascending; they are read once.
    average_cut_ratio
        Share of all their base limits that was cut.
    """
    known: list[_SessionBenefits] = []
    counts: Counter[str] = Counter()
    with localcontext(EXACT):
        for cuts in sessions:
            known.append(_session_benefits(cuts, average_cut_ratio))
            counts["entry"] += len(cuts)
            counts["live"] += sum(cut.is_live for cut in cuts)
            counts["cut"] += sum(cut.cut_ratio > 0 for cut in cuts)
        prevented = sum((one.prevented_usd for one in known), Decimal(0))
        forgone = sum((one.forgone_usd for one in known), Decimal(0))
        uniform_prevented = sum((one.uniform_prevented_usd for one in known), Decimal(0))
        uniform_forgone = sum((one.uniform_forgone_usd for one in known), Decimal(0))
        net, uniform_net = prevented + forgone, uniform_prevented + uniform_forgone
        nets = [one.prevented_usd + one.forgone_usd for one in known]
        uniform_nets = [one.uniform_prevented_usd + one.uniform_forgone_usd for one in known]
        lead = sum_interval(list(map(sub, nets, uniform_nets)))
    random_net, random_deviation, p = _permutation_test(known, float(net))
    # In the order of the fields, a line for each group of its docstring.
    return TrackRecord(
        *(counts["entry"], counts["live"], counts["cut"], len(known), average_cut_ratio),
        *(prevented, forgone, net),
        *(uniform_prevented, uniform_forgone, uniform_net),
        *sum_interval(nets),
        *lead,
        random_net,
        random_deviation,
        p,
    )


def _session_benefits(cuts: Sequence[PastCut], average_cut_ratio: Decimal) -> _SessionBenefits:
    actual = [benefit_usd(cut.path, cut.base_limit_usd, cut.limit_usd) for cut in cuts]
    uniform = [benefit_usd(cut.path, cut.base_limit_usd, cut.base_limit_usd * (1 - average_cut_ratio)) for cut in cuts]
    return _SessionBenefits(*_totals(actual), *_totals(uniform), *_permutation_moments(cuts))


def _totals(benefits: Sequence[Decimal]) -> tuple[Decimal, Decimal]:
    """Sum the positive benefits and the negative ones."""
    return (
        sum((benefit for benefit in benefits if benefit > 0), Decimal(0)),
        sum((benefit for benefit in benefits if benefit < 0), Decimal(0)),
    )


def _permutation_moments(cuts: Sequence[PastCut]) -> tuple[float, float]:
    """Return mean and variance of a session's net over all ways to assign its cuts to its accounts.

    Source: Hoeffding (1951), "A Combinatorial Central Limit Theorem", theorem 2: with c(i, j) the benefit of account i
    under cut j, mean ``sum c / n`` and variance ``sum d^2 / (n - 1)``, d being c less its row's and its column's mean
    plus the mean of all. Equal cuts are one column with a weight.
    """
    ratios = Counter(cut.cut_ratio for cut in cuts)
    benefits = np.array(
        [[float(benefit_usd(path, base, base * (1 - ratio))) for ratio in ratios] for _, base, _, _, path in cuts]
    )
    weights = np.array(list(ratios.values()), dtype=np.float64)
    account_count = len(cuts)
    mean = float((benefits @ weights).sum() / account_count)
    if len(ratios) == 1:
        return mean, 0.0
    by_account, by_cut = benefits @ weights / account_count, benefits.mean(axis=0)
    deviations = benefits - by_account[:, None] - by_cut + mean / account_count
    return mean, float((deviations**2 @ weights).sum() / (account_count - 1))


def sum_interval(by_session: Sequence[Decimal]) -> tuple[Decimal | None, Decimal | None]:
    """Return the 95 % interval of a sum over sessions, US dollars; ``None`` with fewer than 20."""
    if len(by_session) < INTERVAL_SESSIONS:
        return None, None
    sums = np.array(by_session, np.float64)[resampled_sessions(len(by_session))].sum(axis=1)
    low, high = np.quantile(sums, INTERVAL)
    return round(Decimal(float(low)), 2), round(Decimal(float(high)), 2)


def _permutation_test(sessions: Sequence[_SessionBenefits], net_usd: float) -> tuple[Decimal, Decimal, float]:
    """Return mean, deviation and p-value of the net against random ones; sums of many sessions are close to normal."""
    mean = math.fsum(session.random_mean for session in sessions)
    deviation = math.sqrt(math.fsum(session.random_variance for session in sessions))
    p = 0.5 * math.erfc((net_usd - mean) / deviation / math.sqrt(2)) if deviation else 1.0
    return round(Decimal(mean), 2), round(Decimal(deviation), 2), p


def sentences(record: TrackRecord) -> list[str]:
    """Say what past recommendations were worth, the verdict first."""
    if record.verdict == "nothing":
        return ["No cut has a known outcome yet."]
    totals = (
        f"{count(record.cut_count)} of {counted(record.entry_count, 'recommendation')} cut a limit: "
        f"{usd(record.prevented_usd)} of losses prevented, {usd(-record.forgone_usd)} of gains forgone."
    )
    controls = (
        f"Controls: everybody cut by {percent(record.average_cut_ratio, 1)}, net {usd(record.uniform_net_usd)}; the "
        f"same cuts assigned at random, net {usd(record.random_net_usd)} on average "
        f"(permutation test p = {p_value(record.random_p_value)})."
    )
    timing = (
        "All were recommended before the open."
        if record.live_count == record.entry_count
        else f"{count(record.live_count)} of {count(record.entry_count)} were recommended before the open; "
        "the others were computed later (backfill)."
    )
    return [_verdict_sentence(record), totals, controls, timing]


def _verdict_sentence(record: TrackRecord) -> str:
    if record.net_low_usd is None or record.net_high_usd is None:
        known = counted(record.session_count, "session")
        return f"No evidence of benefit yet: {known} with known outcomes, {INTERVAL_SESSIONS} required."
    interval = f"95% interval {usd(record.net_low_usd)} to {usd(record.net_high_usd)}"
    net = f"net benefit {usd(record.net_usd)} ({interval})"
    if record.verdict == "harm":
        return f"No evidence of benefit: the cuts cost money, {net}."
    if record.verdict == "evidence":
        return f"Evidence of benefit: {net}, more than both controls."
    if record.net_low_usd > 0:
        return (
            f"No evidence of benefit from choosing whom to cut: {net}, but cutting everybody the same, or others at "
            "random, does as well."
        )
    return f"No evidence of benefit: {net}, which chance explains."


def store_track_record(connection: Connection, run: Run) -> TrackRecord:
    """Compute the outcomes of recommendations whose sessions are over by now, and store what all of them were worth.

    Outcomes are a cache of the newest knowledge and are computed once; ``risk.books`` removes those of the sessions it
    computes again. A point-in-time run has its own, see ``risk.report.replay``, and knows no later report.

    Parameters
    ----------
    connection
        The warehouse.
    run
        Whose session is the last one that is known.
    """
    known = {"as_of": run.as_of if run.is_point_in_time else "infinity"}
    with writing(connection):
        follow_running_pnl(connection, known["as_of"])
        execute(connection, "track_record/delete_stale_outcomes", known)
        paths = _stream(connection, "track_record/select_paths", known)
        while chunk := list(islice(paths, FETCHED_ROWS)):
            with localcontext(EXACT):
                outcomes = json.dumps([_with_outcomes(row) for row in chunk], default=str)
            execute(connection, "track_record/insert_outcomes", {"outcomes": outcomes})
        binds = {"through_session_date": run.session_date, "as_of": run.as_of}
        settled = _stream(connection, "track_record/select_outcomes", binds)
        first = list(islice(settled, 1))
        average = first[0]["average_cut_ratio"] if first else Decimal(0)
        sessions = groupby(chain(first, settled), key=itemgetter("effective_session"))
        record = evaluate_cuts(([_past_cut(row) for row in cuts] for _, cuts in sessions), average)
        columns = {**asdict(record), "verdict": record.verdict, "sentences": sentences(record)}
        execute(connection, "track_record/upsert_track_record", {"run_id": run.run_id, **columns})
    return record


def follow_running_pnl(connection: Connection, as_of: dt.datetime | str) -> None:
    """Follow the running P&L of every account-session whose books are new or were computed again; the caller commits.

    Parameters
    ----------
    as_of
        Cut-off of the fills; ``infinity`` = all.
    """
    missing = rows(connection, "receipts/select_missing_lows")
    if missing:
        listed = create_running_steps(connection, missing, as_of)
        execute(connection, "receipts/insert_running_lows", listed)


def create_running_steps(
    connection: Connection, keys: Sequence[tuple[Any, ...]], as_of: dt.datetime | str
) -> dict[str, Any]:
    """Make the transaction's table of the steps of some account-sessions, in place of an earlier one.

    Parameters
    ----------
    keys
        Accounts and sessions, at least one.
    as_of
        Cut-off of the fills; ``infinity`` = all.

    Returns
    -------
    dict
        Binds that list the account-sessions.
    """
    binds = _binds_of_steps(connection, keys, as_of)
    with connection.cursor() as cursor:
        cursor.execute("drop table if exists running_steps")
    with planning(connection, **ONE_PROCESS), connection.cursor() as cursor:
        cursor.execute(CREATE_STEPS + statement("receipts/follow_fills"), binds)
    return {name: binds[name] for name in ("account_ids", "session_dates")}


def read_running_steps(
    connection: Connection, account_id: str, session_date: dt.date, as_of: dt.datetime | str = "infinity"
) -> list[dict[str, Any]]:
    """Read the steps of one account-session; it needs no table, so a role that only reads may call it.

    Parameters
    ----------
    as_of
        Cut-off of the fills; ``infinity`` = all.
    """
    binds = _binds_of_steps(connection, [(account_id, session_date)], as_of)
    with planning(connection, **ONE_PROCESS):
        return records(connection, "receipts/follow_fills", binds)


def _binds_of_steps(
    connection: Connection, keys: Sequence[tuple[Any, ...]], as_of: dt.datetime | str
) -> dict[str, Any]:
    """Name the account-sessions and the deliveries that count for them."""
    account_ids, session_dates = map(list, zip(*keys, strict=True))
    listed = {"account_ids": account_ids, "session_dates": session_dates, "as_of": as_of}
    delivered = rows(connection, "receipts/select_deliveries", listed)
    return {
        **listed,
        "first_session_date": min(session_dates),
        "last_session_date": max(session_dates),
        "delivery_ids": [delivery_id for delivery_id, _ in delivered],
        "delivery_account_ids": [account_id for _, account_id in delivered],
    }


def _with_outcomes(row: dict[str, Any]) -> dict[str, Any]:
    path = IntradayPath(row["running_lows_usd"], row["close_usd"])
    return {
        **row,
        "base_outcome_usd": outcome_usd(path, row["base_limit_usd"]),
        "cut_outcome_usd": outcome_usd(path, row["limit_usd"]),
    }


def _past_cut(row: dict[str, Any]) -> PastCut:
    path = IntradayPath(row["running_lows_usd"], row["close_usd"])
    return PastCut(row["is_live"], row["base_limit_usd"], row["cut_ratio"], row["limit_usd"], path)


def _stream(connection: Connection, name: str, binds: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a statement's rows through a server-side cursor, so that memory does not grow with the record."""
    with connection.cursor(name=name.replace("/", "_")) as cursor:
        cursor.itersize = FETCHED_ROWS
        cursor.execute(statement(name), binds)
        for row in cursor:
            yield dict(zip((column.name for column in cursor.description or ()), row, strict=True))
