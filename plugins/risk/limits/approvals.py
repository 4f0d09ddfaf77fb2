"""Approvals: who decides about a recommended limit, until when, and which answers count."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from risk.core.errors import RequestError
from risk.core.money import percent, usd_exact
from risk.core.runs import Run, read_run
from risk.core.settings import DECISION_DEADLINE, EXCHANGE_ZONE
from risk.core.warehouse import Connection, execute, records, rows, writing
from risk.limits.policy import new_limit_usd, read_terms

LONGEST_REASON = 500
AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,2})?")
APPROVED, REJECTED, TIMED_OUT, NOT_REQUIRED = "approved", "rejected", "timed_out", "not_required"


@dataclass(frozen=True, slots=True)
class ApprovalPolicy:
    """What needs approval, and by whom.

    Attributes
    ----------
    scope
        ``high``: high-risk traders; ``all``: every trader with a cut.
    has_dual_control
        Whether the person who edits a limit may not approve it.
    """

    scope: str
    has_dual_control: bool


@dataclass(frozen=True, slots=True)
class Publication:
    """The publication of a run's limits; see the table ``publications``."""

    publication_id: int
    run_id: int
    effective_session: dt.date
    approval_scope: str
    has_dual_control: bool
    decision_deadline: dt.datetime
    is_live: bool
    dag_run_id: str

    @property
    def deadline_text(self) -> str:
        """The deadline for people: date and time in New York."""
        return f"{self.decision_deadline.astimezone(EXCHANGE_ZONE):%Y-%m-%d %H:%M} New York"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is recommended, in force and decided for one account.

    Attributes
    ----------
    account_id, level, cut_ratio, base_limit_usd, recommended_limit_usd, reasons
        The recommendation, US dollars.
    in_force_limit_usd
        Limit published for the newest earlier session; ``None`` = none.
    edit_id, edited_limit_usd, editor_id, editor_name, edit_reason
        Newest edit; ``None`` = not edited.
    outcome_id, outcome, decided_limit_usd, decider_name
        The decision; ``None`` = open.
    maximum_cut_ratio, restore_step
        Largest cut, and the share of the way back that one session gives, of the policy that decided.
    """

    account_id: str
    level: str
    cut_ratio: Decimal
    base_limit_usd: Decimal
    recommended_limit_usd: Decimal
    reasons: Sequence[str]
    in_force_limit_usd: Decimal | None
    edit_id: int | None
    edited_limit_usd: Decimal | None
    editor_id: str | None
    editor_name: str | None
    edit_reason: str | None
    outcome_id: int | None
    outcome: str | None
    decided_limit_usd: Decimal | None
    decider_name: str | None
    maximum_cut_ratio: Decimal
    restore_step: Decimal

    @property
    def proposed_limit_usd(self) -> Decimal:
        """The limit an approval approves: the newest edit's, else the recommended one."""
        return self.recommended_limit_usd if self.edited_limit_usd is None else self.edited_limit_usd

    @property
    def kept_limit_usd(self) -> Decimal:
        """The limit a rejection keeps: the one in force, never more than the base limit."""
        in_force = self.base_limit_usd if self.in_force_limit_usd is None else self.in_force_limit_usd
        return min(in_force, self.base_limit_usd)

    @property
    def lowest_limit_usd(self) -> Decimal:
        """The lowest limit an edit may set: the base limit less the largest cut."""
        return new_limit_usd(self.base_limit_usd, self.maximum_cut_ratio)


@dataclass(frozen=True, slots=True)
class AirflowUser:
    """Who edits or decides: Airflow's id and name."""

    user_id: str
    user_name: str


NO_USER = AirflowUser("", "nobody")
"""Stored as the decider where no person decided: the deadline passed, or no approval was required."""


@dataclass(frozen=True, slots=True)
class LimitEdit:
    """What a person entered to change a proposed limit.

    Attributes
    ----------
    limit_text, reason
        As typed.
    seen_edit_id
        The edit that the person saw; ``None`` = none.
    """

    limit_text: str
    reason: str
    seen_edit_id: int | None


def decision_deadline(effective_session: dt.date, instant: dt.datetime) -> dt.datetime:
    """Return when the recommended cuts apply without an answer: 09:00 New York of the effective session.

    For a past session (dry run) it is the next 09:00 New York after the instant.
    """
    local = instant.astimezone(EXCHANGE_ZONE)
    day = max(effective_session, local.date())
    if day > effective_session and local.time() >= DECISION_DEADLINE:
        day += dt.timedelta(days=1)
    return dt.datetime.combine(day, DECISION_DEADLINE, tzinfo=EXCHANGE_ZONE).astimezone(dt.UTC)


def open_publication(
    connection: Connection, run: Run, policy: ApprovalPolicy, dag_run_id: str, instant: dt.datetime
) -> Publication:
    """Open the publication of a run's limits; one that is open keeps its policy and its deadline.

    Parameters
    ----------
    connection
        The warehouse.
    run
        Whose recommendations are to be published.
    policy
        What needs approval.
    dag_run_id
        Airflow's name of the run that asks.
    instant
        Aware instant of the request: the deadline is computed from it.
    """
    today = instant.astimezone(EXCHANGE_ZONE).date()
    binds = {
        "run_id": run.run_id,
        "approval_scope": policy.scope,
        "has_dual_control": policy.has_dual_control,
        "decision_deadline": decision_deadline(run.effective_session, instant),
        "is_live": run.effective_session >= today and not run.is_simulated and not run.is_point_in_time,
        "dag_run_id": dag_run_id,
    }
    with writing(connection):
        execute(connection, "publish_limits/insert_publications", binds)
    return read_publication(connection, run_id=run.run_id)


def read_publication(
    connection: Connection, *, publication_id: int | None = None, run_id: int | None = None
) -> Publication:
    """Read a publication by its own key or its run's.

    Raises
    ------
    RequestError
        If there is none.
    """
    binds = {"publication_id": publication_id, "run_id": run_id}
    found = records(connection, "publish_limits/select_publications", binds)
    if not found:
        raise RequestError("No approval was requested for these limits: there is nothing to decide.")
    return Publication(**found[0])


def read_proposals(connection: Connection, publication: Publication) -> list[Proposal]:
    """Read every account of a publication, by name."""
    binds = {"publication_id": publication.publication_id}
    run = read_run(connection, publication.run_id)
    terms = read_terms(connection, run.effective_session, run.as_of)
    proposals = []
    for row in records(connection, "publish_limits/select_proposals", binds):
        policy = terms.of(row["account_id"]).policy
        own = {"maximum_cut_ratio": policy.cut.maximum, "restore_step": policy.restore.step}
        proposals.append(Proposal(**{**row, **own}))
    return proposals


def read_required_approvals(connection: Connection, publication: Publication) -> list[Proposal]:
    """Read the accounts of a publication that need approval, most urgent first."""
    required = [one for one in read_proposals(connection, publication) if needs_approval(publication, one)]
    return sorted(required, key=lambda one: (-one.cut_ratio, one.account_id))


def superseded_by(connection: Connection, publication: Publication) -> int | None:
    """Return the publication of a later report for the same session; ``None`` = this one counts."""
    binds = {"publication_id": publication.publication_id}
    found: int | None = rows(connection, "publish_limits/select_superseding_publication", binds)[0][0]
    return found


def needs_approval(publication: Publication, proposal: Proposal) -> bool:
    """Return whether an account needs approval: high-risk traders, or every trader with a cut."""
    return proposal.level == "high" or (publication.approval_scope == "all" and proposal.cut_ratio > 0)


def approval_request(publication: Publication, proposal: Proposal) -> dict[str, str]:
    """Write the request for one approval: its subject, and its body in Markdown."""
    reasons = "; ".join(proposal.reasons) or "none"
    return {
        "subject": (
            f"{proposal.account_id}: limit {usd_exact(proposal.recommended_limit_usd)} "
            f"(was {usd_exact(proposal.base_limit_usd)}) for {publication.effective_session}"
        ),
        "body": (
            f"{percent(proposal.cut_ratio)} cut, {proposal.level} risk. Reasons: {reasons}.\n\n"
            "Approve: the proposed limit is published; an edit on the Risk page changes the proposal. "
            f"Reject: the limit in force stays. No decision by {publication.deadline_text}: the recommended cut "
            f"applies.\n\n[Edit on the Risk page](/risk/approvals/{publication.publication_id})"
        ),
    }


def edit(
    connection: Connection, publication_id: int, account_id: str, user: AirflowUser, entered: LimitEdit
) -> Decimal:
    """Propose another limit for an account; an approval then approves this one.

    Returns
    -------
    Decimal
        The new proposal, US dollars.

    Raises
    ------
    RequestError
        If the limit is not a number, below the floor or above the base limit, the reason is missing, the deadline has
        passed, the account is decided or its publication superseded, or somebody else has edited meanwhile; nothing
        is stored then.
    """
    limit_usd = parsed_amount(entered.limit_text)
    with writing(connection):
        publication = read_publication(connection, publication_id=publication_id)
        proposal = _open_proposal(connection, publication, account_id)
        if proposal.edit_id != entered.seen_edit_id:
            if proposal.edited_limit_usd == limit_usd and proposal.editor_id == user.user_id:
                return limit_usd  # a double click
            raise RequestError(
                f"{proposal.editor_name} has meanwhile changed the limit of {account_id} to "
                f"{usd_exact(proposal.proposed_limit_usd)}: review it, then edit again if you still want to."
            )
        _check_limit(proposal, limit_usd)
        _store_decision(
            connection, publication, account_id, ("edited", limit_usd, cleaned_reason(entered.reason)), user
        )
    return limit_usd


def decide(connection: Connection, publication: Publication, account_id: str, action: str, user: AirflowUser) -> bool:
    """Store the decision for an account; the first one counts.

    Parameters
    ----------
    connection, publication, account_id
        What is decided.
    action
        ``APPROVED``, ``REJECTED``, ``TIMED_OUT`` or ``NOT_REQUIRED``.
    user
        Who decides; with ``NO_USER`` the recommended limit applies, edited or not.

    Returns
    -------
    bool
        False under dual control if the person edited this limit: the approval does not count.
    """
    with writing(connection):
        proposal = _proposal(connection, publication, account_id)
        is_own_edit = user != NO_USER and proposal.editor_id == user.user_id
        if publication.has_dual_control and is_own_edit and action == APPROVED and proposal.outcome is None:
            return False
        limit_usd = {APPROVED: proposal.proposed_limit_usd, REJECTED: proposal.kept_limit_usd}.get(
            action, proposal.recommended_limit_usd
        )
        reason = (proposal.edit_reason or "") if action == APPROVED else ""
        _store_decision(connection, publication, account_id, (action, limit_usd, reason), user)
    return True


def _store_decision(
    connection: Connection,
    publication: Publication,
    account_id: str,
    decision: tuple[str, Decimal, str],
    user: AirflowUser,
) -> None:
    action, limit_usd, reason = decision
    execute(
        connection,
        "publish_limits/insert_limit_decisions",
        {
            "publication_id": publication.publication_id,
            "account_id": account_id,
            "action": action,
            "limit_usd": limit_usd,
            "reason": reason,
            "user_id": user.user_id,
            "user_name": user.user_name,
        },
    )


def _proposal(connection: Connection, publication: Publication, account_id: str) -> Proposal:
    for proposal in read_proposals(connection, publication):
        if proposal.account_id == account_id:
            return proposal
    raise RequestError(f"This run has no recommendation for {account_id}: see the list of today's traders.")


def _open_proposal(connection: Connection, publication: Publication, account_id: str) -> Proposal:
    proposal = _proposal(connection, publication, account_id)
    later = superseded_by(connection, publication)
    if later is not None:
        raise RequestError(f"A later report superseded these limits: edit them in approval {later}.")
    if proposal.outcome is not None and proposal.decided_limit_usd is not None:
        raise RequestError(
            f"The limit of {account_id} is already decided: {proposal.outcome} by {proposal.decider_name}, "
            f"{usd_exact(proposal.decided_limit_usd)}. The next report opens a new decision."
        )
    if not needs_approval(publication, proposal):
        raise RequestError(f"{account_id} needs no approval: its recommended limit is published unchanged.")
    if rows(connection, "publish_limits/select_clock")[0][0] >= publication.decision_deadline:
        raise RequestError(f"Decision window closed at {publication.deadline_text}.")
    return proposal


def parsed_amount(text: str) -> Decimal:
    """Read an amount of US dollars that a person typed.

    Raises
    ------
    RequestError
        If it is not dollars and cents; a negative one is not.
    """
    plain = text.strip().removeprefix("$").replace(",", "")
    if not AMOUNT.fullmatch(plain):
        raise RequestError(f"{text!r} is not an amount in dollars and cents: enter 3000 or 3000.50.")
    return Decimal(plain)


def _check_limit(proposal: Proposal, limit_usd: Decimal) -> None:
    if not proposal.lowest_limit_usd <= limit_usd <= proposal.base_limit_usd:
        raise RequestError(
            f"{usd_exact(limit_usd)} is not between the lowest limit {usd_exact(proposal.lowest_limit_usd)} and the "
            f"base limit {usd_exact(proposal.base_limit_usd)} of {proposal.account_id}: choose a limit in between."
        )


def cleaned_reason(reason: str) -> str:
    """Return a reason on one line, without control characters.

    Raises
    ------
    RequestError
        If nothing is left, or it is too long.
    """
    plain = " ".join("".join(sign if sign.isprintable() else " " for sign in reason).split())
    if not plain:
        raise RequestError("A reason is missing: say why in a sentence.")
    if len(plain) > LONGEST_REASON:
        raise RequestError(f"The reason has {len(plain)} characters: use at most {LONGEST_REASON}.")
    return plain
