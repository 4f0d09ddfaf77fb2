"""Who decides about a recommended limit, until when, and what counts."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from risk.core.errors import RequestError
from risk.core.settings import DECISION_DEADLINE, EXCHANGE_ZONE
from risk.core.warehouse import Connection, execute, records, rows, writing
from risk.limits.in_force import lowest_limit_usd

LONGEST_REASON = 500
AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,2})?")
NOBODY = ("", "nobody")
APPROVED, REJECTED, DEFAULTED, UNASKED = "approved", "rejected", "defaulted", "unasked"


@dataclass(frozen=True, slots=True)
class Publication:
    """A request to publish a run's limits; see the table ``publications``."""

    publication_id: int
    run_id: int
    effective_session: dt.date
    asked_for: str
    has_dual_control: bool
    decision_deadline: dt.datetime
    is_live: bool
    dag_run_id: str


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
        Newest edit; ``None`` = nobody has edited.
    outcome_id, outcome, decided_limit_usd, decider_name
        How it ended; ``None`` = it is open.
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

    @property
    def proposed_limit_usd(self) -> Decimal:
        """The limit an approval approves: the newest edit's, else the recommended one."""
        return self.recommended_limit_usd if self.edited_limit_usd is None else self.edited_limit_usd

    @property
    def kept_limit_usd(self) -> Decimal:
        """The limit a rejection keeps: the one in force, never more than the base limit."""
        in_force = self.base_limit_usd if self.in_force_limit_usd is None else self.in_force_limit_usd
        return min(in_force, self.base_limit_usd)


@dataclass(frozen=True, slots=True)
class Person:
    """Who decides: Airflow's id and name."""

    user_id: str
    user_name: str


def decision_deadline(effective_session: dt.date, instant: dt.datetime) -> dt.datetime:
    """Return when the recommended cuts apply: 09:00 New York of the effective session.

    For a session that has gone by, a rehearsal, it is the next 09:00 New York after the instant.
    """
    local = instant.astimezone(EXCHANGE_ZONE)
    day = max(effective_session, local.date())
    if day > effective_session and local.time() >= DECISION_DEADLINE:
        day += dt.timedelta(days=1)
    return dt.datetime.combine(day, DECISION_DEADLINE, tzinfo=EXCHANGE_ZONE).astimezone(dt.UTC)


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
        raise RequestError("Nobody has asked for an approval of these limits: there is nothing to decide.")
    return Publication(**found[0])


def read_proposals(connection: Connection, publication: Publication) -> list[Proposal]:
    """Read every account of a publication, by name."""
    binds = {"publication_id": publication.publication_id}
    return [Proposal(**row) for row in records(connection, "publish_limits/select_proposals", binds)]


def replaced_by(connection: Connection, publication: Publication) -> int | None:
    """Tell which publication of a later report for the same session counts instead; ``None`` = this one counts."""
    binds = {"publication_id": publication.publication_id}
    found: int | None = rows(connection, "publish_limits/select_replacement", binds)[0][0]
    return found


def is_asked(publication: Publication, proposal: Proposal) -> bool:
    """Tell whether a person is asked about an account: high-risk traders, or every trader with a cut."""
    return proposal.level == "high" or (publication.asked_for == "all" and proposal.cut_ratio > 0)


def edit(
    connection: Connection, publication_id: int, account_id: str, person: Person, form: tuple[str, str, int | None]
) -> Decimal:
    """Propose another limit for an account; an approval then approves this one.

    Parameters
    ----------
    connection
        Warehouse.
    publication_id, account_id
        What is decided.
    person
        Who edits.
    form
        New limit as typed, reason, and the key of the edit the person has seen (``None`` = none).

    Returns
    -------
    Decimal
        The new proposal, US dollars.

    Raises
    ------
    RequestError
        If the limit is none, below the floor or above the base limit, the reason is missing, it is too late, the
        matter is decided or replaced by a later report, or somebody else has edited meanwhile; nothing is stored then.
    """
    limit_text, reason, seen_edit_id = form
    limit_usd = _amount(limit_text)
    with writing(connection):
        publication = read_publication(connection, publication_id=publication_id)
        proposal = _open_proposal(connection, publication, account_id)
        if proposal.edit_id != seen_edit_id:
            if proposal.edited_limit_usd == limit_usd and proposal.editor_id == person.user_id:
                return limit_usd  # a double click
            raise RequestError(
                f"{proposal.editor_name} has edited the limit of {account_id} to {proposal.edited_limit_usd:,.2f} USD "
                "meanwhile: look at it, then edit again if you still want to."
            )
        _check_limit(proposal, limit_usd)
        _note(connection, publication, account_id, ("edited", limit_usd, _checked_reason(reason)), person)
    return limit_usd


def decide(connection: Connection, publication: Publication, account_id: str, answer: str, person: Person) -> bool:
    """Store the outcome for an account; the first one counts.

    Parameters
    ----------
    connection, publication, account_id
        What is decided.
    answer
        ``approved``, ``rejected``, ``defaulted`` or ``unasked``.
    person
        Who decides; without a user id it is the clock, and the recommended limit applies whatever was edited.

    Returns
    -------
    bool
        False where four eyes are asked for and the person has edited this limit: the answer does not count.
    """
    with writing(connection):
        proposal = _proposal(connection, publication, account_id)
        is_own_edit = person.user_id != "" and proposal.editor_id == person.user_id
        if publication.has_dual_control and is_own_edit and answer == APPROVED and proposal.outcome is None:
            return False
        limit_usd = {APPROVED: proposal.proposed_limit_usd, REJECTED: proposal.kept_limit_usd}.get(
            answer, proposal.recommended_limit_usd
        )
        reason = (proposal.edit_reason or "") if answer == APPROVED else ""
        _note(connection, publication, account_id, (answer, limit_usd, reason), person)
    return True


def _note(
    connection: Connection, publication: Publication, account_id: str, said: tuple[str, Decimal, str], person: Person
) -> None:
    action, limit_usd, reason = said
    execute(
        connection,
        "publish_limits/insert_limit_decisions",
        {
            "publication_id": publication.publication_id,
            "account_id": account_id,
            "action": action,
            "limit_usd": limit_usd,
            "reason": reason,
            "user_id": person.user_id,
            "user_name": person.user_name,
        },
    )


def _proposal(connection: Connection, publication: Publication, account_id: str) -> Proposal:
    for proposal in read_proposals(connection, publication):
        if proposal.account_id == account_id:
            return proposal
    raise RequestError(f"No limit is recommended for {account_id} in this run: look at the list of today's traders.")


def _open_proposal(connection: Connection, publication: Publication, account_id: str) -> Proposal:
    proposal = _proposal(connection, publication, account_id)
    later = replaced_by(connection, publication)
    if later is not None:
        raise RequestError(f"A later report has replaced these limits: edit them in approval {later}.")
    if proposal.outcome is not None:
        raise RequestError(
            f"The limit of {account_id} is decided already: {proposal.outcome} by {proposal.decider_name}, "
            f"{proposal.decided_limit_usd:,.2f} USD. The next report opens a new decision."
        )
    if not is_asked(publication, proposal):
        raise RequestError(f"Nobody is asked about {account_id}: the recommended limit is published as it is.")
    if rows(connection, "publish_limits/select_clock")[0][0] >= publication.decision_deadline:
        until = publication.decision_deadline.astimezone(EXCHANGE_ZONE)
        raise RequestError(f"It is too late: answers were taken until {until:%Y-%m-%d %H:%M} New York.")
    return proposal


def _amount(text: str) -> Decimal:
    plain = text.strip().removeprefix("$").replace(",", "")
    if not AMOUNT.fullmatch(plain):
        raise RequestError(f"{text!r} is no amount in dollars and cents: write it as 3000 or 3000.50.")
    return Decimal(plain)


def _check_limit(proposal: Proposal, limit_usd: Decimal) -> None:
    lowest = lowest_limit_usd(proposal.base_limit_usd)
    if not lowest <= limit_usd <= proposal.base_limit_usd:
        raise RequestError(
            f"{limit_usd:,.2f} USD is not between the floor {lowest:,.2f} and the base limit "
            f"{proposal.base_limit_usd:,.2f} of {proposal.account_id}: choose a limit in between."
        )


def _checked_reason(reason: str) -> str:
    plain = " ".join("".join(sign if sign.isprintable() else " " for sign in reason).split())
    if not plain:
        raise RequestError("An edit needs a reason: say in a sentence why the recommended limit is not right.")
    if len(plain) > LONGEST_REASON:
        raise RequestError(f"The reason has {len(plain)} characters: say it in at most {LONGEST_REASON}.")
    return plain
