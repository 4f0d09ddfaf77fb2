"""Approvals: what is proposed about each limit, who has to answer, until when, and what was decided."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, NamedTuple

from risk.core.calendar import day_start, exchange_time, local_time
from risk.core.errors import BooksError, RequestError
from risk.core.exchange import exchange, exchange_zone
from risk.core.runs import Run, read_run
from risk.core.settings import SHORTEST_DECISION_WINDOW
from risk.core.warehouse import Connection, execute, records, rows, writing
from risk.limits.in_force import PUBLISHED, AccountLimits, standing_limit
from risk.limits.limit_inputs import read_account_limits, unnamed_limits
from risk.limits.policy import DeskTerms, limit_in_force, new_limit_usd, read_terms
from risk.limits.stand_in import StandIn, StandInPolicy

EDITED, APPROVED, REJECTED, TIMED_OUT, NOT_REQUIRED = "edited", "approved", "rejected", "timed_out", "not_required"

ONE_MOMENT = dt.timedelta(microseconds=1)
ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class AirflowUser:
    """Who edits or decides: Airflow's id and name."""

    user_id: str
    user_name: str


DECIDED_ON_PAGE = "Decided on the Risk page"
"""Only option of the required action in Airflow: it decides nothing and makes the waiting task look again."""

NO_USER = AirflowUser("", "nobody")
"""Stored as the decider where no person decided: the deadline passed, or no approval was required."""


@dataclass(frozen=True, slots=True)
class ApprovalPolicy:
    """What needs approval, and by whom.

    Attributes
    ----------
    scope
        ``high``: high-risk traders; ``all``: every trader with a cut.
    has_dual_control
        Whether the person who sets another limit may not approve it.
    stand_in
        Who takes over shortly before the deadline; ``None`` = nobody.
    """

    scope: str
    has_dual_control: bool
    stand_in: StandInPolicy | None = None


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
    recorded_at: dt.datetime
    stand_in_names: str | None = None
    stand_in_from: dt.datetime | None = None
    closed_at: dt.datetime | None = None

    @property
    def closing(self) -> str:
        """Why nothing is decided or published of it any more, as a sentence; empty = it is not closed."""
        if self.closed_at is None:
            return ""
        return (
            f"A restore of a backup at {local_time(self.closed_at)} closed this "
            "approval: these limits never come into force. Run the session again; its report asks again."
        )

    @property
    def stand_in(self) -> StandIn | None:
        """Who stands in; ``None`` = nobody."""
        if self.stand_in_from is None:
            return None
        return StandIn(tuple(filter(None, (self.stand_in_names or "").split(", "))), self.stand_in_from)

    @property
    def deadline_text(self) -> str:
        """The deadline for people: date and time in the exchange's zone."""
        return local_time(self.decision_deadline)


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What the report recommends for an account, and what may become of it; amounts in US dollars.

    Attributes
    ----------
    maximum_cut_ratio, restore_step, restores_without_answer
        Largest cut, the share of the way back that one session gives, and whether giving back what a cut took needs no
        answer, of the policy that decided.
    """

    level: str
    cut_ratio: Decimal
    base_limit_usd: Decimal
    recommended_limit_usd: Decimal
    maximum_cut_ratio: Decimal
    restore_step: Decimal
    restores_without_answer: bool


@dataclass(frozen=True, slots=True)
class Decided:
    """What persons, or the deadline, have decided about an account; see ``select_account_decisions.sql``."""

    edit_id: int | None = None
    edited_limit_usd: Decimal | None = None
    editor_id: str | None = None
    editor_name: str | None = None
    edit_reason: str | None = None
    outcome_id: int | None = None
    outcome: str | None = None
    decided_limit_usd: Decimal | None = None
    decider_id: str | None = None
    decider_name: str | None = None
    decision_reason: str | None = None
    seen_sha256: str | None = None
    earlier_publication_id: int | None = None
    earlier_limit_usd: Decimal | None = None
    earlier_decider_name: str | None = None

    @property
    def is_a_persons(self) -> bool:
        """Whether a person has decided, or has set a limit that still waits for a second one."""
        return bool(self.decider_id) or (self.outcome is None and self.edit_id is not None)


@dataclass(frozen=True)
class Proposal:
    """What is recommended, in force and decided for one account.

    Attributes
    ----------
    account_id, reasons
        The account, and the report's sentences behind its cut.
    recommendation
        What the report recommends.
    in_force_limit_usd
        Limit in force when the session begins if nothing is decided, without temporary changes, US dollars.
    previous_limit_usd
        Limit reported for an earlier session, from which a cut is given back; ``None`` = none.
    is_held_by_person
        Whether the limit in force is lower than was recommended because a person has set or kept it.
    decided
        What was decided so far.
    decision_deadline
        Until when.
    """

    account_id: str
    reasons: Sequence[str]
    recommendation: Recommendation
    in_force_limit_usd: Decimal
    previous_limit_usd: Decimal | None
    is_held_by_person: bool
    decided: Decided
    decision_deadline: dt.datetime

    @property
    def recommended_limit_usd(self) -> Decimal:
        """The recommended limit."""
        return self.recommendation.recommended_limit_usd

    @property
    def base_limit_usd(self) -> Decimal:
        """The base limit."""
        return self.recommendation.base_limit_usd

    @cached_property
    def restored(self) -> tuple[Decimal, str]:
        """The limit that the recommendation brings into force, US dollars, and why it is not the recommended one."""
        terms = self.recommendation
        return limit_in_force(
            terms.recommended_limit_usd, self.previous_limit_usd, terms.base_limit_usd, terms.level, terms.restore_step
        )

    @property
    def approved_limit_usd(self) -> Decimal:
        """The limit that an approval brings into force: the one a person has set, else the recommendation's."""
        edited = self.decided.edited_limit_usd
        return self.restored[0] if edited is None else edited

    @property
    def kept_limit_usd(self) -> Decimal:
        """The limit that a rejection keeps: an earlier decision's of this session or the one in force."""
        earlier = self.decided.earlier_limit_usd
        return min(self.in_force_limit_usd if earlier is None else earlier, self.base_limit_usd)

    @property
    def silent_limit_usd(self) -> Decimal:
        """The limit without an answer: silence may lower a limit, and give back what a cut took, never raise it."""
        is_kept = self.decided.earlier_limit_usd is not None or self.needs_answer_to_rise
        return self.kept_limit_usd if is_kept else self.restored[0]

    @property
    def needs_answer_to_rise(self) -> bool:
        """Whether the recommendation raises the limit in force, and more than the policy gives back by itself."""
        is_given_back = self.recommendation.restores_without_answer and not self.is_held_by_person
        return self.restored[0] > self.kept_limit_usd and not is_given_back

    @property
    def is_rise(self) -> bool:
        """Whether an approval raises the limit in force."""
        return self.approved_limit_usd > self.kept_limit_usd

    @property
    def lowest_limit_usd(self) -> Decimal:
        """The lowest limit a person may set: the base limit less the largest cut."""
        return new_limit_usd(self.base_limit_usd, self.recommendation.maximum_cut_ratio)

    @property
    def shown(self) -> str:
        """Everything that a person is shown of it before he decides, as JSON."""
        decided = self.decided
        facts = {
            "account_id": self.account_id,
            "decision_deadline": self.decision_deadline.astimezone(dt.UTC).isoformat(),
            "base_limit_usd": self.base_limit_usd,
            "recommended_limit_usd": self.recommended_limit_usd,
            "in_force_limit_usd": self.in_force_limit_usd,
            "set": (decided.edit_id, decided.edited_limit_usd, decided.editor_id, decided.edit_reason),
            "approved_limit_usd": self.approved_limit_usd,
            "kept_limit_usd": self.kept_limit_usd,
            "silent_limit_usd": self.silent_limit_usd,
        }
        return json.dumps(facts, sort_keys=True, default=str)

    @property
    def sha256(self) -> str:
        """Hash of what is shown."""
        return hashlib.sha256(self.shown.encode()).hexdigest()


def decision_deadline(effective_session: dt.date, asked_at: dt.datetime) -> dt.datetime:
    """Return when the recommended cuts apply without an answer: half an hour before the opening.

    A late report stays open for ``SHORTEST_DECISION_WINDOW``; for a past session (dry run) it is that time of
    the next day after that.

    Parameters
    ----------
    asked_at
        Aware instant at which the approval is asked for.
    """
    earliest = asked_at + SHORTEST_DECISION_WINDOW
    deadline = _deadline_of(effective_session)
    if earliest <= deadline:
        return deadline
    local = earliest.astimezone(exchange_zone())
    if asked_at.astimezone(exchange_zone()).date() <= effective_session:
        return earliest.astimezone(dt.UTC)
    today = _deadline_of(local.date())
    return today if earliest <= today else _deadline_of(local.date() + ONE_DAY)


def _deadline_of(day: dt.date) -> dt.datetime:
    return exchange_time(day, exchange().decision_deadline)


def approval_run_id(run: Run) -> str:
    """Return Airflow's name of the run of publish_limits that publishes a run's limits."""
    return f"approval__{run.effective_session}__run_{run.run_id}"


def open_publication(
    connection: Connection, run: Run, policy: ApprovalPolicy, asked_at: dt.datetime | None = None
) -> Publication:
    """Open the publication of a reported run's limits; one that is open keeps its policy and its deadline.

    What persons have decided about an earlier report of the session is carried over where this one recommends the
    same.

    Parameters
    ----------
    connection
        The warehouse.
    run
        Whose report is to be published.
    policy
        What needs approval.
    asked_at
        Aware instant of the request, from which the deadline is computed; ``None`` = now, by the warehouse's clock.
    """
    asked_at = asked_at or rows(connection, "publish_limits/select_clock")[0][0]
    today = asked_at.astimezone(exchange_zone()).date()
    deadline, stand_in = decision_deadline(run.effective_session, asked_at), policy.stand_in
    binds = {
        "run_id": run.run_id,
        "approval_scope": policy.scope,
        "has_dual_control": policy.has_dual_control,
        "decision_deadline": deadline,
        "is_live": run.is_live(today),
        "dag_run_id": approval_run_id(run),
        "stand_in_names": None if stand_in is None else ", ".join(stand_in.names),
        "stand_in_from": None if stand_in is None else stand_in.starts_at(asked_at, deadline),
    }
    with writing(connection):
        is_new = bool(rows(connection, "publish_limits/insert_publications", binds))
        publication = read_publication(connection, run_id=run.run_id)
        if is_new:
            _carry_over(connection, publication)
    return publication


def _carry_over(connection: Connection, publication: Publication) -> None:
    key = {"publication_id": publication.publication_id}
    earlier_id = rows(connection, "publish_limits/select_earlier_publication", key)[0][0]
    if earlier_id is None:
        return
    earlier = read_proposals(connection, read_publication(connection, publication_id=earlier_id))
    answered = {one.account_id: one.recommendation for one in earlier if one.decided.is_a_persons}
    for proposal in read_proposals(connection, publication):
        if answered.get(proposal.account_id) == proposal.recommendation:
            binds = {**key, "earlier_publication_id": earlier_id, "account_id": proposal.account_id}
            execute(connection, "publish_limits/insert_carried_decisions", binds)


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


class StoredFacts(NamedTuple):
    """What a report says, as its canonical text, and the hash that was stored with it."""

    text: str
    sha256: str


def read_proposals(
    connection: Connection,
    publication: Publication,
    known_at: dt.datetime | None = None,
    stored: StoredFacts | None = None,
) -> list[Proposal]:
    """Read every account of a publication, by name, from the facts that were reported.

    Parameters
    ----------
    known_at
        Aware instant at which the limits in force are read, decisions in any case as they are; ``None`` = now.
    stored
        The publication's report, of a caller who has it; ``None`` = it is read.

    Raises
    ------
    BooksError
        If the stored report is missing or is not the one whose hash was stored with it.
    """
    key = {"publication_id": publication.publication_id}
    stored = stored or _read_stored(connection, key)
    accounts = sorted(_reported_accounts(stored, key), key=lambda one: str(one["account_id"]))
    run = read_run(connection, publication.run_id)
    terms = read_terms(connection, run.effective_session, run.as_of)
    decided = _decisions(connection, key)
    now = known_at or rows(connection, "publish_limits/select_clock")[0][0]
    begins_at = day_start(run.effective_session)
    instant = max(now, begins_at)
    known = read_account_limits(
        connection,
        now,
        terms=terms,
        through_session=run.effective_session,
        first_at=begins_at - ONE_MOMENT,
        last_at=instant,
    )
    lowered = {(row[0], row[1]) for row in rows(connection, "publish_limits/select_lowered_limits")}
    return [
        Proposal(
            account_id=account["account_id"],
            reasons=account["reasons"],
            recommendation=_recommendation(account, terms),
            **_standing(
                known.get(account["account_id"]) or unnamed_limits(terms, account["account_id"]),
                (account["account_id"], run.effective_session, instant),
                lowered,
            ),
            decided=decided.get(account["account_id"], Decided()),
            decision_deadline=publication.decision_deadline,
        )
        for account in accounts
    ]


def _decisions(connection: Connection, key: Mapping[str, Any]) -> dict[str, Decided]:
    """Read what was decided last about each account of a publication."""
    found = records(connection, "publish_limits/select_account_decisions", key)
    return {row.pop("account_id"): Decided(**row) for row in found}


def _read_stored(connection: Connection, key: Mapping[str, int]) -> StoredFacts | None:
    found = rows(connection, "publish_limits/select_reported_facts", key)
    return StoredFacts(*found[0]) if found else None


def _reported_accounts(stored: StoredFacts | None, key: Mapping[str, int]) -> list[dict[str, Any]]:
    if stored is None or hashlib.sha256(stored.text.encode()).hexdigest() != stored.sha256:
        raise BooksError(
            f"The stored report of publication {key['publication_id']} is missing or was changed after it was sent: "
            "nothing is decided or published. Call the developers."
        )
    return list(json.loads(stored.text)["accounts"])


def _recommendation(account: Mapping[str, Any], terms: DeskTerms) -> Recommendation:
    policy = terms.of(account["account_id"]).policy
    return Recommendation(
        level=account["level"],
        cut_ratio=Decimal(account["cut_ratio"]),
        base_limit_usd=Decimal(account["base_limit_usd"]),
        recommended_limit_usd=Decimal(account["new_limit_usd"]),
        maximum_cut_ratio=policy.cut.maximum,
        restore_step=policy.restore.step,
        restores_without_answer=policy.restore.without_answer,
    )


def _standing(
    known: AccountLimits, place: tuple[str, dt.date, dt.datetime], lowered: Collection[tuple[int, str]]
) -> dict[str, Any]:
    account_id, session, instant = place
    standing = standing_limit(known, instant, session)
    previous = known.last_reported(instant, session - ONE_DAY)
    return {
        "in_force_limit_usd": standing.limit_usd,
        "previous_limit_usd": None if previous is None else previous.limit_usd,
        "is_held_by_person": standing.source == PUBLISHED and (standing.source_id, account_id) in lowered,
    }


def read_required_approvals(connection: Connection, publication: Publication) -> list[Proposal]:
    """Read the accounts of a publication that need approval, most urgent first."""
    required = [one for one in read_proposals(connection, publication) if needs_approval(publication, one)]
    return sorted(required, key=lambda one: (-one.recommendation.cut_ratio, one.account_id))


def superseded_by(connection: Connection, publication: Publication) -> int | None:
    """Return the publication of a later report for the same session; ``None`` = this one counts."""
    binds = {"publication_id": publication.publication_id}
    found: int | None = rows(connection, "publish_limits/select_superseding_publication", binds)[0][0]
    return found


def needs_approval(publication: Publication, proposal: Proposal) -> bool:
    """Return whether an account needs approval.

    High-risk traders, or every trader with a cut; a rise beyond what the policy gives back; whoever a person has
    decided about before.
    """
    terms = proposal.recommendation
    is_in_scope = terms.level == "high" or (publication.approval_scope == "all" and terms.cut_ratio > 0)
    is_answered = proposal.decided.earlier_limit_usd is not None or proposal.decided.edit_id is not None
    return is_in_scope or is_answered or proposal.needs_answer_to_rise


def open_proposals(publication: Publication, proposals: Sequence[Proposal]) -> list[Proposal]:
    """List the accounts that wait for an answer; none of a publication that a restore has closed."""
    if publication.closing:
        return []
    return [one for one in proposals if one.decided.outcome is None and needs_approval(publication, one)]
