"""The receipts in the warehouse: made for account-sessions that are new, restated or under other limits."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, localcontext
from itertools import islice
from typing import Any, NamedTuple

from risk.core.money import EXACT
from risk.core.policy import Policy
from risk.core.policy_store import Instant, PolicyVersion, read_policies
from risk.core.runs import Run
from risk.core.warehouse import Connection, execute, rows, writing
from risk.limits.in_force import EMAILED, AccountLimits, LimitInForce, limits_in_session
from risk.limits.limit_inputs import read_reported_limits, read_unreported_limits, unnamed_limits, with_reported
from risk.limits.policy import DeskTerms, read_terms
from risk.limits.receipts import (
    Receipt,
    ReceiptTerms,
    RunningLows,
    RunningPoint,
    SessionPath,
    Step,
    receipt,
    receipt_within,
    running_pnl,
)
from risk.limits.track_record import FETCHED_ROWS, create_running_steps

STORED_ROWS = 2_000


class BookedSession(NamedTuple):
    """An account-session with complete books, and its running P&L; see ``select_stale_receipts.sql``."""

    account_id: str
    session_date: dt.date
    inputs_sha256: str
    running_lows_usd: Sequence[Decimal]
    low_instants: Sequence[dt.datetime | None]
    loss_from_top_usd: Decimal
    close_usd: Decimal
    first_at: dt.datetime
    last_at: dt.datetime
    closes_at: dt.datetime

    @property
    def key(self) -> tuple[str, dt.date]:
        """Account and session."""
        return self.account_id, self.session_date

    @property
    def lows(self) -> RunningLows:
        """What is stored of its running P&L."""
        return RunningLows(self.running_lows_usd, self.low_instants, self.loss_from_top_usd, self.close_usd)


@dataclass(frozen=True)
class _Desk:
    """What the receipts of a desk are made with, as known at one instant.

    Attributes
    ----------
    terms
        Policy and groups of the run.
    versions
        Policies that were adopted, newest first.
    limits
        What limits in force follow from, by account.
    """

    terms: DeskTerms
    versions: Sequence[PolicyVersion]
    limits: Mapping[str, AccountLimits]
    known: dict[tuple[str, int], AccountLimits] = field(default_factory=dict)

    def version(self, session_date: dt.date) -> PolicyVersion:
        """Return the policy of a session."""
        return next(one for one in self.versions if one.valid_from is None or one.valid_from <= session_date)

    def policy(self, account_id: str, version: PolicyVersion) -> Policy:
        """Return a policy's values for an account."""
        return version.document.of_group(self.terms.groups.get(account_id))

    def account(self, account_id: str, version: PolicyVersion) -> AccountLimits:
        """Return what an account's limits follow from under a policy."""
        key = (account_id, version.version)
        if key not in self.known:
            limits = self.limits.get(account_id) or unnamed_limits(self.terms, account_id)
            policy = self.policy(account_id, version)
            counting = [one for one in limits.reported if policy.use.emailed_counts or one.source != EMAILED]
            default = policy.accounts.default_base_limit_usd
            self.known[key] = replace(limits, reported=counting, default_limit_usd=default)
        return self.known[key]

    def inputs_sha256(self, account_id: str) -> str:
        """Return the beginning of a hash of everything that may change a past receipt of an account.

        What is reported later never does: it takes effect later.
        """
        limits = self.limits.get(account_id) or unnamed_limits(self.terms, account_id)
        policies = [
            (version.label, str(version.valid_from), repr(ReceiptTerms.of(policy)), policy.use.emailed_counts,
             str(policy.accounts.default_base_limit_usd))
            for version in self.versions
            for policy in (self.policy(account_id, version),)
        ]  # fmt: skip
        text = repr((policies, [*limits.changes], [*limits.file_limits]))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def store_receipts(connection: Connection, run: Run) -> int:
    """Make the receipts that are missing or were made with other limits or thresholds, of all sessions in the books.

    The running P&L must be followed, see `risk.limits.track_record.follow_running_pnl`.

    Parameters
    ----------
    run
        A point-in-time run has its own receipts, of what was known then.

    Returns
    -------
    int
        Receipts made.
    """
    with writing(connection):
        desk = _read_desk(connection, run.effective_session, run.as_of)
        names = [name for (name,) in rows(connection, "receipts/select_accounts")]
        keys = [desk.inputs_sha256(name) for name in names]
        found = rows(connection, "receipts/select_stale_receipts", {"account_ids": names, "inputs": keys})
        wanted = [BookedSession(*row) for row in found]
        if wanted:
            made = _make(connection, run, _with_reported(connection, run.as_of, desk, wanted), wanted)
            while chunk := list(islice(made, STORED_ROWS)):
                receipts = json.dumps(chunk, default=str)
                execute(connection, "receipts/replace_limit_receipts", {"receipts": receipts})
    return len(wanted)


def _read_desk(connection: Connection, effective_session: dt.date, as_of: Instant) -> _Desk:
    """Read what may change past receipts: policies, groups, the register and the accounts files."""
    terms = read_terms(connection, effective_session, as_of)
    versions = read_policies(connection, as_of=as_of)
    return _Desk(terms, versions, read_unreported_limits(connection, as_of, terms))


def _with_reported(
    connection: Connection,
    as_of: Instant,
    desk: _Desk,
    wanted: Sequence[BookedSession],
    account_ids: Sequence[str] | None = None,
) -> _Desk:
    """Add the limits that were reported around some sessions, of all accounts or some."""
    reported = read_reported_limits(
        connection,
        as_of,
        # Which policies count emails is asked session by session.
        emailed_counts=True,
        through_session=max(one.session_date for one in wanted),
        first_at=min(one.first_at for one in wanted),
        last_at=max(one.last_at for one in wanted),
        account_ids=account_ids,
    )
    return _Desk(desk.terms, desk.versions, with_reported(desk.limits, reported, desk.terms))


def _make(connection: Connection, run: Run, desk: _Desk, wanted: Sequence[BookedSession]) -> Iterator[dict[str, Any]]:
    """Make receipts: by the stored lows where one limit was not reached, else fill by fill."""
    to_walk: list[BookedSession] = []
    for one in wanted:
        version, limits = _limits(desk, one)
        terms = ReceiptTerms.of(desk.policy(one.account_id, version))
        made = receipt_within(one.lows, limits[0][1], terms) if len(limits) == 1 else None
        if made is None:
            to_walk.append(one)
        else:
            yield _row(one, version, made)
    for first in range(0, len(to_walk), FETCHED_ROWS):
        part = to_walk[first : first + FETCHED_ROWS]
        paths = read_paths(connection, run.as_of if run.is_point_in_time else "infinity", part)
        for one in part:
            version, limits = _limits(desk, one)
            terms = ReceiptTerms.of(desk.policy(one.account_id, version))
            yield _row(one, version, receipt(_closed_by(paths[one.key], terms), limits, terms))


def _limits(desk: _Desk, one: BookedSession) -> tuple[PolicyVersion, list[tuple[dt.datetime, LimitInForce]]]:
    version = desk.version(one.session_date)
    account = desk.account(one.account_id, version)
    return version, limits_in_session(account, one.session_date, one.first_at, one.last_at)


def read_paths(
    connection: Connection, as_of: Instant, wanted: Sequence[BookedSession]
) -> dict[tuple[str, dt.date], SessionPath]:
    """Read the ways of accounts through sessions, by account and session; the caller commits.

    Parameters
    ----------
    as_of
        Cut-off of the fills.
    """
    listed = create_running_steps(connection, [one.key for one in wanted], as_of)
    steps: dict[tuple[str, dt.date], list[Step]] = defaultdict(list)
    for account_id, session_date, *values in rows(connection, "receipts/select_running_steps"):
        steps[account_id, session_date].append(Step(*values))
    carried: dict[tuple[str, dt.date], dict[str, Decimal]] = defaultdict(dict)
    for account_id, session_date, symbol, quantity in rows(connection, "receipts/select_carried", listed):
        carried[account_id, session_date][symbol] = quantity
    return {one.key: SessionPath(steps[one.key], carried[one.key], one.closes_at, one.close_usd) for one in wanted}


def _closed_by(path: SessionPath, terms: ReceiptTerms) -> SessionPath:
    """Close a path with the P&L that the policy counts."""
    if terms.has_fees:
        return path
    with localcontext(EXACT):
        return replace(path, close_usd=path.close_usd + sum(step.fees_usd for step in path.steps))


@dataclass(frozen=True, slots=True)
class FollowedSession:
    """An account-session with complete books as its receipt sees it, fill by fill.

    Attributes
    ----------
    points
        The running P&L after each fill, the close last.
    limits
        In force in turn, each with the instant from which on it acted.
    receipt
        What the account did with them.
    terms
        The policy's thresholds, and whether fees count in the running P&L.
    """

    points: Sequence[RunningPoint]
    limits: Sequence[tuple[dt.datetime, LimitInForce]]
    receipt: Receipt
    terms: ReceiptTerms


def follow_session(
    connection: Connection,
    account_id: str,
    session_date: dt.date,
    steps: Sequence[Step],
    closing: tuple[dt.datetime, Decimal],
    effective_session: dt.date,
    as_of: Instant = "infinity",
) -> FollowedSession:
    """Follow one account-session as its stored receipt was made; nothing is written.

    Parameters
    ----------
    steps
        Its fills, see `risk.limits.track_record.read_running_steps`.
    closing
        Aware instant of the close, and the total P&L of the session, US dollars.
    effective_session
        Session whose policy and groups apply to all receipts: the one after the newest.
    as_of
        Cut-off of the limits and policies; ``infinity`` = all. What it opened with is read from the books as they are.
    """
    closes_at, total_usd = closing
    instants = [step.executed_at for step in steps]
    first_at, last_at = (instants or [closes_at])[0], max([closes_at, *instants])
    one = BookedSession(account_id, session_date, "", (), (), Decimal(0), total_usd, first_at, last_at, closes_at)
    desk = _with_reported(connection, as_of, _read_desk(connection, effective_session, as_of), [one], [account_id])
    version, limits = _limits(desk, one)
    terms = ReceiptTerms.of(desk.policy(account_id, version))
    listed = {"account_ids": [account_id], "session_dates": [session_date]}
    carried = {symbol: quantity for _, _, symbol, quantity in rows(connection, "receipts/select_carried", listed)}
    points, made = running_pnl(_closed_by(SessionPath(steps, carried, closes_at, total_usd), terms), limits, terms)
    return FollowedSession(points, limits, made, terms)


def _row(one: BookedSession, version: PolicyVersion, made: Receipt) -> dict[str, Any]:
    """Lay out a receipt as the columns of ``limit_receipts``."""
    hit = made.hit
    return {
        "account_id": one.account_id,
        "session_date": one.session_date,
        "inputs_sha256": one.inputs_sha256,
        "policy_version": version.label,
        "limit_usd": made.limit.limit_usd,
        "limit_source": made.limit.source,
        "limit_since": made.limit.since,
        "limit_count": made.limit_count,
        "largest_loss_usd": made.largest_loss_usd,
        "largest_loss_at": made.largest_loss_at,
        "loss_from_top_usd": made.loss_from_top_usd,
        "use_ratio": made.use_ratio,
        "final_usd": made.final_usd,
        "outcome": made.outcome,
        "hit_kind": hit and hit.kind,
        "hit_at": hit and hit.at,
        "hit_symbol": hit and hit.symbol,
        "hit_price": hit and hit.price,
        "hit_before_usd": hit and hit.before_usd,
        "hit_after_usd": hit and hit.after_usd,
        "furthest_usd": hit and hit.furthest_usd,
        "enlarging_fill_count": hit and hit.enlarging_fill_count,
        "minutes_until_flat": hit and hit.minutes_until_flat,
        "breach_reasons": made.breach_reasons,
    }
