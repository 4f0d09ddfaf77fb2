"""Approvals of fabricated desks: reports, what was published before, and persons who decide on what stands now."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from risk.core.runs import Run, read_run
from risk.core.warehouse import Connection, rows, writing
from risk.limits.approvals import (
    EDITED,
    AirflowUser,
    ApprovalPolicy,
    Proposal,
    Publication,
    open_publication,
    read_proposals,
    read_publication,
)
from risk.limits.decisions import Decider, Decision, decide
from risk.limits.publish import publish
from risk.limits.stand_in import StandInPolicy
from tests.report_desks import open_run, recommend, store_report

ANN, BOB = AirflowUser("1", "ann"), AirflowUser("2", "bob")
MORNING = dt.datetime(2025, 8, 18, 11, 5, tzinfo=dt.UTC)
LONG_AGO = dt.datetime(2025, 8, 18, 14, 0, tzinfo=dt.UTC)
FAR = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
"""The database clock decides what is late, so open requests of these tests end in a far future."""


def answer(
    connection: Connection,
    publication: Publication,
    account_id: str,
    action: str,
    user: AirflowUser,
    *,
    limit: str = "",
    reason: str = "calm since",
) -> None:
    """Decide about an account as shown now."""
    seen = proposal(connection, publication, account_id).sha256
    decide(connection, publication.publication_id, Decision(account_id, action, seen, reason, limit), Decider(user))


def after_deadline(connection: Connection, publication: Publication) -> Publication:
    """Let the deadline of a publication pass."""
    key = {"publication_id": publication.publication_id}
    with writing(connection), connection.cursor() as cursor:
        changed = "update risk.publications set decision_deadline = clock_timestamp()"
        cursor.execute(f"{changed} where publication_id = %(publication_id)s", key)
    return read_publication(connection, **key)


def stand_in_due(connection: Connection, publication: Publication) -> Publication:
    """Let the time come from which the stand-in decides."""
    key = {"publication_id": publication.publication_id}
    with writing(connection), connection.cursor() as cursor:
        changed = "update risk.publications set stand_in_from = clock_timestamp()"
        cursor.execute(f"{changed} where publication_id = %(publication_id)s", key)
    return read_publication(connection, **key)


def reported(connection: Connection, revision: int, *, is_point_in_time: bool = False, **cuts: str) -> Run:
    """Report a run of the session, with cuts by account."""
    run = open_run(connection, revision=revision, is_point_in_time=is_point_in_time)
    for name, cut in cuts.items():
        recommend(connection, run, name, cut)
    store_report(connection, run)
    return run


def opened(
    connection: Connection,
    run: Run,
    scope: str = "all",
    *,
    dual_control: bool = False,
    at: dt.datetime = FAR,
    stand_in: StandInPolicy | None = None,
) -> Publication:
    return open_publication(connection, run, ApprovalPolicy(scope, dual_control, stand_in), at)


def proposal(connection: Connection, publication: Publication, name: str = "HIGH") -> Proposal:
    return next(one for one in read_proposals(connection, publication) if one.account_id == name)


def in_force(connection: Connection, publication: Publication) -> dict[str, Decimal]:
    binds = {"publication_id": publication.publication_id}
    return {row[0]: row[2] for row in rows(connection, "publish_limits/select_published_limits", binds)}


def actions(connection: Connection) -> list[tuple[str, str, Decimal, str]]:
    with connection, connection.cursor() as cursor:
        cursor.execute("select account_id, action, limit_usd, user_name from limit_decisions order by decision_id")
        return list(cursor.fetchall())


def earlier_run(connection: Connection, name: str, cut: str, *, is_point_in_time: bool = False) -> Run:
    """Report the session before."""
    run = open_run(connection, session_date=dt.date(2025, 8, 14), is_point_in_time=is_point_in_time)
    recommend(connection, run, name, cut)
    with writing(connection), connection.cursor() as cursor:
        cursor.execute("update runs set effective_session = '2025-08-15' where run_id = %s", (run.run_id,))
    run = read_run(connection, run.run_id)
    store_report(connection, run)
    return run


def published_before(
    connection: Connection, name: str, cut: str, *, is_point_in_time: bool = False, set_to: str = ""
) -> None:
    """Publish a limit for the session before; by a person where it was set to an amount."""
    publication = opened(connection, earlier_run(connection, name, cut, is_point_in_time=is_point_in_time))
    if set_to:
        answer(connection, publication, name, EDITED, ANN, limit=set_to)
    publish(connection, after_deadline(connection, publication), None)
