"""The weekly digest: what the last week's mornings were worth, in one mail of a few sentences."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from risk.core.calendar import previous_session
from risk.core.settings import EXCHANGE_ZONE, TAIL_PROBABILITY, settings
from risk.core.warehouse import Connection, execute, records, writing
from risk.report.alert_pages import NoticePage
from risk.report.mail import SmtpServer
from risk.report.templates import compose, render

WEEK = dt.timedelta(days=6)

SHOWN_PARTS = 8
"""A sentence lists so many parts; the Risk page has them all."""


def send_digest(connection: Connection, server: SmtpServer, instant: dt.datetime) -> int:
    """Mail what happened in the seven days up to the last finished session.

    Parameters
    ----------
    connection
        Warehouse.
    server
        Takes the mails; it is greeted first, so that an unreachable one is an error and no silence.
    instant
        Aware instant of the question.

    Returns
    -------
    int
        Mails that left.

    Raises
    ------
    ConnectionLostError, RequestError
        If the server takes a mail not now, or never; those before it have left.
    """
    through = previous_session(instant.astimezone(EXCHANGE_ZONE).date())
    server.greet()
    week = {"from_date": through - WEEK, "through_date": through}
    database = records(connection, "digest/select_database", week)[0]
    rendered = render("notice", digest_page(connection, through))
    recipients = tuple(dict.fromkeys(settings().recipients))
    for recipient in recipients:
        name = hashlib.sha256(f"digest {through} {recipient}".encode()).hexdigest()[:40]
        message_id = f"<{name}@risk-digest>"
        server.send(
            compose(rendered, recipient=recipient, variable="RISK_RECIPIENTS", message_id=message_id, date=instant)
        )
    with writing(connection):
        size = {"through_date": through, "database_bytes": database["database_bytes"]}
        execute(connection, "digest/insert_digests", size)
    return len(recipients)


def digest_page(connection: Connection, through: dt.date) -> NoticePage:
    """Gather the sentences of a week that ends with a session."""
    week = {"from_date": through - WEEK, "through_date": through}
    sessions = records(connection, "digest/select_sessions", week)
    newest = records(connection, "digest/select_freshness")[0]
    actions = (*_actions(sessions), *_staleness(newest["newest_session_date"], through))
    reported = sum(row["is_reported"] for row in sessions)
    return NoticePage(
        is_simulated=settings().is_simulated,
        tone="bad" if actions else "good",
        label="WEEKLY DIGEST",
        title=f"Risk digest - week to {through}",
        headline=f"{reported} of {len(sessions)} sessions from {week['from_date']} to {through} have their report.",
        sentences=(
            *_mornings(connection, week, sessions),
            *_freshness(newest),
            *_model(connection, week),
            *_performance(connection, week),
            *_ledger(connection, week),
            *_database(records(connection, "digest/select_database", week)[0]),
            "The mail server took this mail: reports can be delivered.",
        ),
        actions=actions,
        url=settings().base_url and f"{settings().base_url.rstrip('/')}/risk/",
    )


def _actions(sessions: Sequence[dict[str, Any]]) -> Iterator[str]:
    for row in sessions:
        day = row["session_date"]
        if not row["is_reported"]:
            yield f"Session {day} has no report: make backfill FROM={day}."
        elif not row["is_mailed"]:
            yield f"The report of {day} was mailed to nobody: look at send_report, or at who ran it without mail."


def _staleness(newest_session_date: dt.date | None, through: dt.date) -> Iterator[str]:
    if newest_session_date is None or newest_session_date < through:
        known = "the books are empty" if newest_session_date is None else f"the books end with {newest_session_date}"
        yield f"No fill of {through} is in the books ({known}): look at the source, then make backfill FROM={through}."


def _freshness(newest: Mapping[str, Any]) -> Iterator[str]:
    if newest["newest_session_date"] is not None and newest["recorded_at"] is not None:
        recorded_at = f"{newest['recorded_at'].astimezone(EXCHANGE_ZONE):%Y-%m-%d %H:%M}"
        yield f"Newest fills: session {newest['newest_session_date']}; last delivery recorded {recorded_at} New York."


def _mornings(connection: Connection, week: Mapping[str, dt.date], sessions: Sequence[dict[str, Any]]) -> Iterator[str]:
    counts = [row["trader_count"] for row in sessions if row["is_reported"]]
    if counts:
        span = f"{counts[0]}" if len(set(counts)) == 1 else f"{min(counts)} to {max(counts)}"
        changes = [
            f"{row['account_id']} {'came' if row['has_come'] else 'went'} on {row['session_date']}"
            for row in records(connection, "digest/select_roster_changes", week)
        ]
        yield f"Traders with a limit: {span} a session; {_few(changes) or 'the same as before'}."
    incidents = [
        f"{row['check_name']} {row['incident_count']:,}" for row in records(connection, "digest/select_incidents", week)
    ]
    rejected = sum(row["rejected_count"] for row in sessions)
    yield f"Data: checks that did not pass: {_few(incidents) or 'none'}; {rejected:,} rows were rejected."


def _few(parts: Sequence[str]) -> str:
    """List some parts, and how many more there are."""
    more = f" and {len(parts) - SHOWN_PARTS} more" if len(parts) > SHOWN_PARTS else ""
    return ", ".join(parts[:SHOWN_PARTS]) + more


def _model(connection: Connection, week: Mapping[str, dt.date]) -> Iterator[str]:
    for row in records(connection, "digest/select_gate", week):
        seen = "no model was there" if row["last_session_date"] is None else f"trained up to {row['last_session_date']}"
        yield (
            f"The model served in {row['serving_count']} of {row['judged_count']} sessions ({seen}); the gate at last: "
            f"{_few(row['reasons']) or 'nothing to say'}."
        )
        yield from row["drifts"]


def _ledger(connection: Connection, week: Mapping[str, dt.date]) -> Iterator[str]:
    for row in records(connection, "digest/select_ledger", week):
        first, *others = row["sentences"]
        yield f"Ledger of past cuts. {first}"
        yield from others


def _performance(connection: Connection, week: dict[str, dt.date]) -> Iterator[str]:
    for row in records(connection, "digest/select_breaches", week):
        count, breaches = row["forecast_count"], row["breach_count"]
        yield (
            f"Forecast {row['expert']}: {breaches} of {count} results below the 5 % quantile; "
            f"{count * TAIL_PROBABILITY:.1f} are expected."
        )
    for row in records(connection, "digest/select_cuts", week):
        who = "cut" if row["is_cut"] else "not cut"
        yield (
            f"Traders who were {who}: {row['losing_count']} of {row['session_count']} results were losses, "
            f"{row['total_pnl_usd']:+,.2f} USD in sum. A cut that changes nothing would show the same on both sides."
        )
    outcomes = records(connection, "digest/select_outcomes", week)
    told = ", ".join(f"{row['decision_count']} {row['action']}" for row in outcomes)
    yield f"Decisions about limits: {told or 'nobody was asked'}."


def _database(row: dict[str, Any]) -> Iterator[str]:
    size = f"Warehouse: {row['database_bytes'] / 1e6:,.0f} MB"
    if row["earlier_bytes"] is not None:
        size += f", {(row['database_bytes'] - row['earlier_bytes']) / 1e6:+,.0f} MB since the digest before"
    share = row["dead_row_count"] / max(row["live_row_count"] + row["dead_row_count"], 1)
    vacuumed = (
        "never" if row["vacuumed_at"] is None else f"{row['vacuumed_at'].astimezone(EXCHANGE_ZONE):%Y-%m-%d %H:%M}"
    )
    yield f"{size}; {share:.0%} of its rows are dead, last vacuum {vacuumed}."
    yield f"Failed attempts of tasks: {row['failure_count']}."
