"""Decisions about proposed limits: a person logged in to Airflow decides on what he was shown, before the deadline.

Whether he was in time is for the database's clock, and whether he was shown what stands now for the hash of the
proposal that his page carried: a decision about anything else is refused, and asked for again.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from risk.core.errors import RequestError
from risk.core.money import usd_exact
from risk.core.typed import cleaned_reason, parsed_amount
from risk.core.warehouse import Connection, execute, rows, writing
from risk.limits.approvals import (
    APPROVED,
    EDITED,
    NO_USER,
    NOT_REQUIRED,
    REJECTED,
    TIMED_OUT,
    AirflowUser,
    Proposal,
    Publication,
    needs_approval,
    open_proposals,
    read_proposals,
    read_publication,
    superseded_by,
)
from risk.limits.second_person import is_same_person


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decides about one account.

    Attributes
    ----------
    account_id
        The account.
    action
        ``APPROVED``, ``REJECTED``, or ``EDITED``: another limit is set.
    seen_sha256
        Hash of the proposal that he was shown.
    reason, limit_text
        As typed. A reason is required for a limit that is set or raised.
    """

    account_id: str
    action: str
    seen_sha256: str
    reason: str = ""
    limit_text: str = ""


@dataclass(frozen=True, slots=True)
class Decider:
    """Who decides, and when the page was shown to him; ``None`` where no page was."""

    user: AirflowUser
    shown_at: dt.datetime | None = None


NOBODY = Decider(NO_USER)


def decide(connection: Connection, publication_id: int, decision: Decision, decider: Decider) -> None:
    """Store what a person decides about one account; the first decision counts, repeated it counts once.

    Setting a limit approves it; under dual control it proposes it to a second person.

    Raises
    ------
    RequestError
        If the decision is not about what stands now, is late, needs somebody else, or its limit or reason cannot be
        used; nothing is stored.
    """
    with writing(connection):
        publication, proposals = _standing(connection, publication_id, decider.user)
        proposal = _proposal(proposals, decision.account_id)
        if _is_repeated(proposal, decision, decider.user):
            return
        _check_open(publication, proposal, decision)
        if decision.action == REJECTED:
            _store(connection, publication, [(proposal, REJECTED, proposal.kept_limit_usd, "")], decider)
        elif decision.action == APPROVED:
            _approve(connection, publication, proposal, decision, decider)
        else:
            _set_limit(connection, publication, proposal, decision, decider)


def approve_cuts(connection: Connection, publication_id: int, seen: Sequence[str], decider: Decider) -> int:
    """Approve all cuts that wait for an answer, as recommended; all or none.

    Parameters
    ----------
    seen
        Hashes of the cuts that the person was shown, in any order.

    Returns
    -------
    int
        How many were approved; 0 where all of them were already.

    Raises
    ------
    RequestError
        If the cuts that wait are not the ones shown, or it is too late; nothing is stored.
    """
    with writing(connection):
        publication, proposals = _standing(connection, publication_id, decider.user)
        own = [one for one in proposals if one.decided.seen_sha256 in seen]
        if own and len(own) == len(seen) and all(one.decided.decider_id == decider.user.user_id for one in own):
            return 0  # a double click
        cuts = recommended_cuts(publication, proposals)
        _check_in_time(connection, publication)
        if sorted(one.sha256 for one in cuts) != sorted(seen):
            raise RequestError(
                "The cuts that wait for an answer are no longer the ones you were shown: nothing was approved. Reload "
                "the page Approval and decide again."
            )
        _store(connection, publication, [(one, APPROVED, one.approved_limit_usd, "") for one in cuts], decider)
    return len(cuts)


def recommended_cuts(publication: Publication, proposals: Sequence[Proposal]) -> list[Proposal]:
    """List the accounts that wait for an answer, raise no limit, and for which nobody has set another limit."""
    return [one for one in open_proposals(publication, proposals) if not one.is_rise and one.decided.edit_id is None]


def may_approve(publication: Publication, proposal: Proposal, user: AirflowUser) -> bool:
    """Return whether a person may approve a proposal: under dual control whoever set its limit may not."""
    editor = (proposal.decided.editor_id or "", proposal.decided.editor_name or "")
    return not (publication.has_dual_control and is_same_person(editor, (user.user_id, user.user_name)))


def decide_without_answer(connection: Connection, publication: Publication) -> int:
    """Give every account without a decision the limit that applies without an answer, once nobody may answer any more.

    Returns
    -------
    int
        How many accounts still wait for an answer; nothing is stored then.
    """
    with writing(connection):
        proposals = read_proposals(connection, publication)
        waiting = open_proposals(publication, proposals)
        if waiting and _now(connection) < publication.decision_deadline:
            return len(waiting)
        missing = [
            (one, TIMED_OUT if needs_approval(publication, one) else NOT_REQUIRED, one.silent_limit_usd, "")
            for one in proposals
            if one.decided.outcome is None
        ]
        if missing:
            _store(connection, publication, missing, NOBODY)
    return 0


def _standing(connection: Connection, publication_id: int, user: AirflowUser) -> tuple[Publication, list[Proposal]]:
    """Read what is to be decided now, unless a later report counts, a restore closed it or the person is not due."""
    publication = read_publication(connection, publication_id=publication_id)
    if publication.closing:
        raise RequestError(publication.closing)
    if publication.stand_in is not None:
        publication.stand_in.check_turn(user, _now(connection))
    later = superseded_by(connection, publication)
    if later is not None:
        raise RequestError(f"A later report superseded these limits: decide about them in approval {later}.")
    return publication, read_proposals(connection, publication)


def _proposal(proposals: Iterable[Proposal], account_id: str) -> Proposal:
    for proposal in proposals:
        if proposal.account_id == account_id:
            return proposal
    raise RequestError(f"This run has no recommendation for {account_id}: see the list of today's traders.")


def _is_repeated(proposal: Proposal, decision: Decision, user: AirflowUser) -> bool:
    """Return whether the person has decided just this already: a double click."""
    decided = proposal.decided
    if decision.action == EDITED:
        is_same = (decided.editor_id, decided.edit_reason) == (user.user_id, decision.reason.strip())
        return is_same and decided.edited_limit_usd == parsed_amount(decision.limit_text)
    seen = (decided.decider_id, decided.outcome, decided.seen_sha256)
    return seen == (user.user_id, decision.action, decision.seen_sha256)


def _check_open(publication: Publication, proposal: Proposal, decision: Decision) -> None:
    name, decided = proposal.account_id, proposal.decided
    if decided.outcome is not None and decided.decided_limit_usd is not None:
        raise RequestError(
            f"The limit of {name} is already decided: {decided.outcome} by {decided.decider_name}, "
            f"{usd_exact(decided.decided_limit_usd)}. The next report opens a new decision."
        )
    if not needs_approval(publication, proposal):
        raise RequestError(f"{name} needs no approval: its recommended limit is published unchanged.")
    if decision.seen_sha256 != proposal.sha256:
        change = (
            "the limit in force or the recommendation has changed"
            if decided.edited_limit_usd is None
            else f"{decided.editor_name} has set {usd_exact(decided.edited_limit_usd)}"
        )
        raise RequestError(
            f"{name} is no longer what you were shown ({change}): your answer does not count. Reload the page Approval "
            "and decide again."
        )


def _check_in_time(connection: Connection, publication: Publication) -> None:
    if _now(connection) >= publication.decision_deadline:
        raise RequestError(f"Decision window closed at {publication.deadline_text}.")


def _approve(
    connection: Connection, publication: Publication, proposal: Proposal, decision: Decision, decider: Decider
) -> None:
    decided = proposal.decided
    if not may_approve(publication, proposal, decider.user):
        raise RequestError(
            f"{decided.editor_name} has set the limit of {proposal.account_id} and may not approve it: a second "
            "person has to."
        )
    is_reason_needed = proposal.is_rise and decided.edit_id is None
    reason = cleaned_reason(decision.reason) if is_reason_needed else decided.edit_reason or ""
    _store(connection, publication, [(proposal, APPROVED, proposal.approved_limit_usd, reason)], decider)


def _set_limit(
    connection: Connection, publication: Publication, proposal: Proposal, decision: Decision, decider: Decider
) -> None:
    limit_usd, reason = parsed_amount(decision.limit_text), cleaned_reason(decision.reason)
    _check_limit(proposal, limit_usd)
    actions = (EDITED,) if publication.has_dual_control else (EDITED, APPROVED)
    _store(connection, publication, [(proposal, action, limit_usd, reason) for action in actions], decider)


def _store(
    connection: Connection,
    publication: Publication,
    decisions: Sequence[tuple[Proposal, str, Decimal, str]],
    decider: Decider,
) -> None:
    """Store decisions: proposal, action, limit in US dollars, reason."""
    is_person = decider.user != NO_USER
    if is_person:
        _check_in_time(connection, publication)
    stored = [
        {
            "account_id": proposal.account_id,
            "action": action,
            "limit_usd": limit_usd,
            "reason": reason,
            "seen_sha256": proposal.sha256 if is_person else None,
        }
        for proposal, action, limit_usd, reason in decisions
    ]
    binds = {
        "publication_id": publication.publication_id,
        "user_id": decider.user.user_id,
        "user_name": decider.user.user_name,
        "shown_at": decider.shown_at,
        "decisions": json.dumps(stored, default=str),
    }
    execute(connection, "publish_limits/insert_limit_decisions", binds)


def _now(connection: Connection) -> dt.datetime:
    now: dt.datetime = rows(connection, "publish_limits/select_clock")[0][0]
    return now


def _check_limit(proposal: Proposal, limit_usd: Decimal) -> None:
    if not proposal.lowest_limit_usd <= limit_usd <= proposal.base_limit_usd:
        raise RequestError(
            f"{usd_exact(limit_usd)} is not between the lowest limit {usd_exact(proposal.lowest_limit_usd)} and the "
            f"base limit {usd_exact(proposal.base_limit_usd)} of {proposal.account_id}: choose a limit in between."
        )
