"""Approval and publication: a person decides about recommended limits, and what was decided comes into force."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path

from risk.core.runs import Run
from risk.core.settings import EXCHANGE_ZONE
from risk.core.warehouse import Connection, execute, records, writing
from risk.limits.approvals import (
    APPROVED,
    DEFAULTED,
    NOBODY,
    REJECTED,
    UNASKED,
    Person,
    Proposal,
    Publication,
    decide,
    decision_deadline,
    edit,
    is_asked,
    read_proposals,
    read_publication,
    replaced_by,
)
from risk.limits.in_force import limit_in_force, lowest_limit_usd
from risk.limits.outbound import outbound_csv, write_once

__all__ = [
    "APPROVED",
    "DEFAULTED",
    "NOBODY",
    "REJECTED",
    "Asking",
    "Person",
    "Proposal",
    "Publication",
    "Published",
    "decide",
    "edit",
    "is_asked",
    "lowest_limit_usd",
    "open_publication",
    "publish",
    "read_proposals",
    "read_publication",
    "replaced_by",
]


@dataclass(frozen=True, slots=True)
class Published:
    """What became of a publication.

    Attributes
    ----------
    account_count
        Limits in force.
    file
        The file for the trading platform; ``None`` where none was written.
    """

    account_count: int
    file: Path | None


@dataclass(frozen=True, slots=True)
class Asking:
    """How approval is asked for.

    Attributes
    ----------
    asked_for
        ``high`` or ``all``.
    has_dual_control
        Whether who edits a limit may not approve it.
    dag_run_id
        Airflow's name of the run that asks.
    """

    asked_for: str
    has_dual_control: bool
    dag_run_id: str


def open_publication(
    connection: Connection, run: Run, asking: Asking, instant: dt.datetime
) -> tuple[Publication, list[Proposal]]:
    """Open the publication of a run's limits and list the accounts a person is asked about, most urgent first.

    Parameters
    ----------
    connection
        Warehouse.
    run
        Whose recommendations are to be published.
    asking
        Who is asked; a publication that is open keeps what it was opened with.
    instant
        Aware instant of the question: the deadline is computed from it.
    """
    today = instant.astimezone(EXCHANGE_ZONE).date()
    binds = {
        "run_id": run.run_id,
        "asked_for": asking.asked_for,
        "has_dual_control": asking.has_dual_control,
        "decision_deadline": decision_deadline(run.effective_session, instant),
        "is_live": run.effective_session >= today and not run.is_simulated and not run.is_point_in_time,
        "dag_run_id": asking.dag_run_id,
    }
    with writing(connection):
        execute(connection, "publish_limits/insert_publications", binds)
    publication = read_publication(connection, run_id=run.run_id)
    asked = [one for one in read_proposals(connection, publication) if is_asked(publication, one)]
    return publication, sorted(asked, key=lambda one: (-one.cut_ratio, one.account_id))


def publish(connection: Connection, publication: Publication, outbound_dir: Path | None) -> Published:
    """Bring the decided limits into force, once; an account without an outcome gets the recommended one.

    Limits that a later report for the same session has replaced never come into force, however late they are decided.

    Parameters
    ----------
    connection
        Warehouse.
    publication
        What was asked.
    outbound_dir
        Folder of the file for the trading platform; ``None`` = no file. Limits of simulated desks and of sessions
        that have gone by never get there.

    Raises
    ------
    StackError
        If the file cannot be written; the limits are in force in the warehouse.
    """
    if replaced_by(connection, publication) is not None:
        return Published(0, None)
    for proposal in read_proposals(connection, publication):
        if proposal.outcome is None:
            answer = DEFAULTED if is_asked(publication, proposal) else UNASKED
            decide(connection, publication, proposal.account_id, answer, Person(*NOBODY))
    limits = [_limit(proposal) for proposal in read_proposals(connection, publication)]
    key = {"publication_id": publication.publication_id}
    with writing(connection):
        execute(
            connection, "publish_limits/insert_published_limits", {**key, "limits": json.dumps(limits, default=str)}
        )
    published = records(connection, "publish_limits/select_published_limits", key)
    if outbound_dir is None or not publication.is_live:
        return Published(len(published), None)
    file = outbound_dir / f"limits-{publication.effective_session}-{publication.publication_id}.csv"
    write_once(file, outbound_csv(published).encode())
    return Published(len(published), file)


def _limit(proposal: Proposal) -> dict[str, object]:
    decided = proposal.recommended_limit_usd if proposal.decided_limit_usd is None else proposal.decided_limit_usd
    is_edited = proposal.outcome == APPROVED and proposal.edit_id is not None
    # What a person has typed is meant: the restore path holds back recommendations only.
    limit_usd, held_back = (
        (decided, "")
        if is_edited
        else limit_in_force(decided, proposal.in_force_limit_usd, proposal.base_limit_usd, proposal.level)
    )
    why = {
        APPROVED: f"edited by {proposal.editor_name}: {proposal.edit_reason}" if is_edited else "as recommended",
        REJECTED: "the recommended cut was rejected: the limit in force stays",
        DEFAULTED: "nobody answered in time: as recommended",
        UNASKED: "as recommended",
    }[proposal.outcome or DEFAULTED]
    return {
        "account_id": proposal.account_id,
        "base_limit_usd": proposal.base_limit_usd,
        "recommended_limit_usd": proposal.recommended_limit_usd,
        "decided_limit_usd": decided,
        "limit_usd": limit_usd,
        "reason": f"{why}; {held_back}" if held_back else why,
        "decision_id": proposal.outcome_id,
    }
