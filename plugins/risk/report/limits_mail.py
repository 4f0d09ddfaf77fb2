"""Mails about a publication: what waits for an answer, to the stand-in; *Limits in force*, and who decided it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from risk.core.chain import read_head
from risk.core.desks import own_page
from risk.core.money import counted, usd_exact
from risk.core.runs import read_run
from risk.core.settings import Settings
from risk.core.warehouse import Connection, records
from risk.limits.approvals import (
    NOT_REQUIRED,
    TIMED_OUT,
    Proposal,
    Publication,
    open_proposals,
    read_proposals,
)
from risk.report.mail import Mail, MailOutcome, MailServer, send_mail
from risk.report.page import NoticePage, ui_address
from risk.report.render import render_views
from risk.report.send import NOT_MAILED, recorded_delivery, with_policy_recipients

LIMITS_IN_REMINDER = 10
"""The page has all of them."""


def send_limits(
    connection: Connection, server: MailServer, publication: Publication, settings: Settings
) -> MailOutcome:
    """Mail to the report's recipients what a publication brought into force; nothing where it published nothing.

    Returns
    -------
    MailOutcome
        Mails accepted by the server now, and those that it refused; whoever has the mail does not get it again.
    """
    published = records(connection, "risk_page/select_published", {"run_id": publication.run_id})
    if not published:
        return NOT_MAILED
    run = read_run(connection, publication.run_id)
    addressed = with_policy_recipients(connection, run, settings)
    subjects = [str(row["decision_id"]) for row in published]
    page = replace(
        limits_page(publication, published, settings), head=read_head(connection, "published_limits", subjects)
    )
    mail = Mail(
        rendered=render_views("notice", page),
        sender=settings.sender,
        recipients=tuple(dict.fromkeys(addressed.recipients)),
        recipients_setting="RISK_RECIPIENTS",
        kind="risk-limits",
        key=f"{publication.effective_session} {publication.publication_id}",
        date=max(row["published_at"] for row in published).astimezone(dt.UTC),
    )
    key = {"publication_id": publication.publication_id, "kind": "limits"}
    return send_mail(mail, [server], partial(recorded_delivery, connection, "publication_deliveries", key))


def send_reminder(connection: Connection, server: MailServer, publication: Publication, settings: Settings) -> int:
    """Mail the stand-in, once, that limits still wait for an answer, with the link to the page that decides.

    Returns
    -------
    int
        Mails accepted by the server now; what failed is recorded, and tried again at the next call.
    """
    waiting = open_proposals(publication, read_proposals(connection, publication))
    if publication.stand_in is None or not waiting:
        return 0
    mail = Mail(
        rendered=render_views("notice", reminder_page(publication, waiting, settings)),
        sender=settings.sender,
        recipients=settings.stand_in_recipients,
        recipients_setting="RISK_STAND_IN_RECIPIENTS",
        kind="risk-reminder",
        key=f"{publication.effective_session} {publication.publication_id}",
        date=publication.stand_in.starts_at,
    )
    key = {"publication_id": publication.publication_id, "kind": "reminder"}
    return send_mail(mail, [server], partial(recorded_delivery, connection, "publication_deliveries", key)).sent_count


def reminder_page(publication: Publication, waiting: Sequence[Proposal], settings: Settings) -> NoticePage:
    """Build the page of what waits for an answer: the first limits, and how many more there are."""
    session, more = publication.effective_session, len(waiting) - LIMITS_IN_REMINDER
    count = counted(len(waiting), "limit")
    return NoticePage(
        is_simulated=settings.is_simulated,
        tone="bad",
        label="NO ANSWER YET",
        title=f"{count} for {session} without an answer: decide by {publication.deadline_text}",
        headline=f"{count} for {session} without an answer. You stand in: decide by {publication.deadline_text}.",
        sentences=(
            *(
                f"{one.account_id}: {usd_exact(one.approved_limit_usd)} proposed, {usd_exact(one.kept_limit_usd)} in "
                f"force; without an answer {usd_exact(one.silent_limit_usd)} applies."
                for one in waiting[:LIMITS_IN_REMINDER]
            ),
            *((f"{more} more on the page.",) if more > 0 else ()),
        ),
        actions=("Open the page Approval and decide there; log in as yourself.",),
        url=ui_address(settings.base_url, f"{own_page()}/approvals/{publication.publication_id}"),
        link_text="Decide",
    )


def limits_page(publication: Publication, published: list[dict[str, Any]], settings: Settings) -> NoticePage:
    """Build the page of a publication: every limit somebody was asked about, and how many others there are."""
    asked = [row for row in published if row["action"] != NOT_REQUIRED]
    others = len(published) - len(asked)
    session = publication.effective_session
    closing = (f"{counted(others, 'other limit')} as recommended, without an approval.",) if others else ()
    dry = ("Dry run: nothing was sent to the trading platform.",) if not publication.is_live else ()
    return NoticePage(
        is_simulated=settings.is_simulated,
        tone="good",
        label="Limits in force",
        title=f"Limits in force for {session}",
        headline=f"{counted(len(published), 'limit')} in force for {session}.",
        sentences=(*map(_sentence, asked), *closing, *dry),
        actions=(),
        url=ui_address(settings.base_url, f"{own_page()}/approvals/{publication.publication_id}"),
    )


def _sentence(row: Mapping[str, Any]) -> str:
    who = "" if row["action"] == TIMED_OUT else f"{row['action']} by {row['user_name']}, "
    return f"{row['account_id']}: {usd_exact(row['limit_usd'])} ({who}{row['reason']})."
