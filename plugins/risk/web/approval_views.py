"""What the page Approval shows: the proposals, the forms that decide about them, and what is in force."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import BackgroundTasks, Request
from pydantic import BaseModel, Field

from risk.core.chain import Head, newest_head
from risk.core.warehouse import Connection, records, rows
from risk.limits.approvals import (
    AirflowUser,
    Proposal,
    Publication,
    needs_approval,
    open_proposals,
    read_proposals,
    read_publication,
    superseded_by,
)
from risk.limits.decisions import Decision, may_approve, recommended_cuts
from risk.web.limit_views import PageNumber
from risk.web.tables import PAGE_ROWS, Page, page_of
from risk.web.views import warehouse
from risk.web.wake import wake_publication

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class DecisionForm(BaseModel):
    """The form that decides about one limit, as it is sent; the token says to whom it was shown, and when."""

    account_id: Annotated[str, Field(max_length=100)]
    action: Literal["approved", "rejected", "edited"]
    seen: Sha256
    token: str
    limit: Annotated[str, Field(max_length=30)] = ""
    reason: Annotated[str, Field(max_length=2000)] = ""
    page: PageNumber = 1

    @property
    def decision(self) -> Decision:
        """What it decides."""
        return Decision(self.account_id, self.action, self.seen, self.reason, self.limit)


class CutsForm(BaseModel):
    """The form that approves all cuts: the hashes of those that were shown, in one field: a form has 1,000 at most."""

    seen: Annotated[str, Field(pattern="^[0-9a-f]{64}( [0-9a-f]{64})*$", max_length=65 * 10_000)]
    token: str

    @property
    def hashes(self) -> list[str]:
        """The hashes, each of a cut."""
        return self.seen.split()


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """The page of an approval.

    Attributes
    ----------
    publication
        What is to be published.
    proposals
        The accounts that need approval, most urgent first.
    page
        A page of them.
    cuts
        Those that one button approves.
    decisions
        What was decided, in order: the newest rows.
    decision_count
        All of them.
    published
        What is in force by it, by account; empty before the publication.
    is_closed
        Whether the database's clock takes no answer any more.
    superseded_by
        Publication of a later report that counts instead; ``None`` = this one counts.
    now
        Instant of the database's clock.
    head
        Head of the chain now.
    """

    publication: Publication
    proposals: Sequence[Proposal]
    page: Page[Proposal]
    cuts: Sequence[Proposal]
    decisions: Sequence[Mapping[str, Any]]
    decision_count: int
    published: Mapping[str, Mapping[str, Any]]
    is_closed: bool
    superseded_by: int | None
    now: dt.datetime
    head: Head | None

    def is_turn_of(self, user: AirflowUser) -> bool:
        """Return whether a person may decide by now: the stand-in not before his time."""
        return self.publication.stand_in is None or self.publication.stand_in.may_decide(user, self.now)

    @property
    def stand_in_sentence(self) -> str:
        """Who may decide now; empty where nobody stands in."""
        return "" if self.publication.stand_in is None else self.publication.stand_in.sentence(self.now)

    def may_approve(self, proposal: Proposal, user: AirflowUser) -> bool:
        """Return whether a person may approve a proposal."""
        return may_approve(self.publication, proposal, user)

    @property
    def waiting_count(self) -> int:
        """How many limits wait for an answer."""
        return sum(one.decided.outcome is None for one in self.proposals)


def wake_if_decided(request: Request, publication_id: int, tasks: BackgroundTasks) -> None:
    """Wake the task that waits for decisions, after the answer to a request, if nothing waits for one any more."""
    with warehouse() as connection:
        publication = read_publication(connection, publication_id=publication_id)
        if not open_proposals(publication, read_proposals(connection, publication)):
            tasks.add_task(wake_publication, request, publication.dag_run_id)


def read_approval(
    connection: Connection, publication_id: int, page_number: int = 1, row_count: int = PAGE_ROWS
) -> ApprovalView:
    """Read an approval, with a page of the accounts and the newest decisions.

    Raises
    ------
    RequestError
        If there is none of this number.
    """
    publication = read_publication(connection, publication_id=publication_id)
    proposals = [one for one in read_proposals(connection, publication) if needs_approval(publication, one)]
    proposals.sort(key=lambda one: (-one.recommendation.cut_ratio, one.account_id))
    decisions = records(connection, "risk_page/select_decisions", {"publication_id": publication_id})
    published = records(connection, "risk_page/select_published", {"run_id": publication.run_id})
    now = rows(connection, "publish_limits/select_clock")[0][0]
    return ApprovalView(
        publication,
        proposals,
        page_of(proposals, page_number),
        recommended_cuts(publication, proposals),
        decisions[-row_count:],
        len(decisions),
        {row["account_id"]: row for row in published},
        now >= publication.decision_deadline or publication.closed_at is not None,
        superseded_by(connection, publication),
        now,
        newest_head(connection),
    )
