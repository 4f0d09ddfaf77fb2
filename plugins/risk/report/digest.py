"""The weekly emails: the digest of the last seven days, and the card of the model that was trained, or why none was."""

from __future__ import annotations

import datetime as dt
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from risk.core.calendar import local_time, previous_session
from risk.core.desks import own_page
from risk.core.exchange import exchange_zone
from risk.core.money import count, counted, percent, signed_usd
from risk.core.runs import ALL_SESSIONS
from risk.core.settings import Settings
from risk.core.warehouse import Connection, execute, records, writing
from risk.limits.breaches import open_items, read_items
from risk.limits.notes import read_notes
from risk.limits.trader_fits import trader_sentence
from risk.report.digest_rows import SERVED_FORECAST, AlertTest, digest_rows, exceedances, try_alerts
from risk.report.facts import SERVING_NAMES
from risk.report.mail import Mail, MailServer, SmtpServer, send_mail
from risk.report.page import NoticePage, ui_address
from risk.report.receipt_facts import readable
from risk.report.render import render_views

if TYPE_CHECKING:
    from risk.model.train import TrainingResult

WEEK = dt.timedelta(days=6)
DIGEST_INTERVAL = dt.timedelta(days=7)

LISTED_TRADERS = 5
"""Traders with several accounts in a digest; the page Limits has all of them."""

UNFIT_LIMITS = {
    "too large": "losses too large for the limit",
    "never reached": "limit never reached",
    "limited history": "limited history",
}
"""Verdicts of the review of limits that the digest lists, and how they are said."""

CARD_FORECASTS = {"calibrated": "Model", "rules": "Rules"}
"""Forecasts that the card compares with the historical quantile, and their names."""

NOTE_CHARACTERS = 300
"""Longest note in a digest."""

LISTED_ITEMS = 8
"""Longest list in a sentence; the Risk page shows every item."""


def send_digest(connection: Connection, server: SmtpServer, instant: dt.datetime, settings: Settings) -> int:
    """Mail the digest of the seven days up to the last finished session.

    Parameters
    ----------
    connection
        Warehouse.
    server
        Accepts the mail; its connection is checked first, so that an unreachable server is an error.
    instant
        Aware current instant.
    settings
        Recipients and sender.

    Returns
    -------
    int
        Mails accepted by the server.

    Raises
    ------
    ConnectionLostError, RequestError
        If the server did not accept a mail; the other recipients have theirs.
    """
    through = previous_session(instant.astimezone(exchange_zone()).date())
    server.check_connection()
    mail = Mail(
        rendered=render_views("notice", digest_page(connection, through, settings, try_alerts(settings, instant))),
        sender=settings.sender,
        recipients=settings.recipients,
        recipients_setting="RISK_RECIPIENTS",
        kind="risk-digest",
        key=f"digest {through}",
        date=instant,
    )
    outcome = send_mail(mail, [server])
    outcome.raise_for_faults("send_digest")
    with writing(connection):
        execute(connection, "digest/insert_digests", {"through_date": through})
    return outcome.sent_count


def digest_page(connection: Connection, through: dt.date, settings: Settings, test: AlertTest) -> NoticePage:
    """Build the page of the seven days that end with a session, with the outcome of the test of alerts."""
    week = {"from_date": through - WEEK, "through_date": through}
    sessions = records(connection, "digest/select_sessions", week)
    newest = records(connection, "digest/select_freshness")[0]
    stale = _stale_books(newest["newest_session_date"], through)
    actions = (*_missing_reports(sessions), *stale, *_failed_test(test))
    reported = sum(row["is_reported"] for row in sessions)
    return NoticePage(
        is_simulated=settings.is_simulated,
        tone="bad" if actions else "good",
        label="WEEKLY DIGEST",
        title=f"Risk digest - week to {through}",
        headline=f"{reported} of {len(sessions)} sessions from {week['from_date']} to {through} reported.",
        sentences=(
            *_traders_and_data(connection, week, sessions),
            *_freshness(newest),
            *_limit_use(connection, week),
            *_model(connection, week),
            *_outcomes(connection, week),
            *_notes(connection, week["from_date"], through),
            *_track_record(connection, week),
            *_limit_review(connection, through),
        ),
        rows=digest_rows(connection, week, sessions, settings, test),
        actions=actions,
        url=ui_address(settings.base_url, f"{own_page()}/"),
    )


def _missing_reports(sessions: Sequence[dict[str, Any]]) -> Iterator[str]:
    for row in sessions:
        day = row["session_date"]
        if not row["is_reported"]:
            yield f"Session {day} has no report. Run: make backfill FROM={day}"
        elif not row["is_mailed"]:
            yield f"The report for {day} was not emailed. Check task send_report and how the run was started."


def _stale_books(newest_session_date: dt.date | None, through: dt.date) -> Iterator[str]:
    if newest_session_date is None or newest_session_date < through:
        known = "the books are empty" if newest_session_date is None else f"the books end on {newest_session_date}"
        yield f"No fills for {through} ({known}). Check the source, then run: make backfill FROM={through}"


def _failed_test(test: AlertTest) -> Iterator[str]:
    if test.fault:
        yield f"{test.fault} Start the second mail server, or correct RISK_ALARM_SMTP_URI: failure mails go there too."


def _freshness(newest: Mapping[str, Any]) -> Iterator[str]:
    if newest["newest_session_date"] is not None and newest["recorded_at"] is not None:
        recorded_at = local_time(newest["recorded_at"])
        yield f"Latest fills: session {newest['newest_session_date']}, received {recorded_at}."


def _traders_and_data(
    connection: Connection, week: Mapping[str, dt.date], sessions: Sequence[dict[str, Any]]
) -> Iterator[str]:
    counts = [row["trader_count"] for row in sessions if row["is_reported"]]
    if counts:
        span = f"{counts[0]}" if len(set(counts)) == 1 else f"{min(counts)} to {max(counts)}"
        changes = [
            f"{row['account_id']} {'added' if row['has_come'] else 'removed'} {row['session_date']}"
            for row in records(connection, "digest/select_roster_changes", week)
        ]
        yield f"Traders with a limit: {span} per session; {_listed(changes) or 'no changes'}."
    incidents = [
        f"{row['check_name']} {count(row['incident_count'])}"
        for row in records(connection, "digest/select_incidents", week)
    ]
    rejected = sum(row["rejected_count"] for row in sessions)
    yield f"Data: failed checks: {_listed(incidents) or 'none'}; {counted(rejected, 'row')} rejected."


def _limit_use(connection: Connection, week: Mapping[str, dt.date]) -> Iterator[str]:
    """Count breaches and other limit hits of the week, and the breaches that nobody has closed."""
    (use,) = records(connection, "digest/select_limit_use", week)
    items = open_items(read_items(connection, through_session=week["through_date"]))
    oldest = f", the oldest of {items[0].session_date} ({items[0].account_id})" if items else ""
    yield (
        f"Limits: {counted(use['breach_count'], 'breach', 'breaches')} and "
        f"{counted(use['hit_count'], 'other limit hit')} in {counted(use['receipt_count'], 'trader-day')}; "
        f"{counted(len(items), 'open item')}{oldest}."
    )


def _listed(items: Sequence[str]) -> str:
    """List the first items, and how many more there are."""
    more = f" and {len(items) - LISTED_ITEMS} more" if len(items) > LISTED_ITEMS else ""
    return ", ".join(items[:LISTED_ITEMS]) + more


def _model(connection: Connection, week: Mapping[str, dt.date]) -> Iterator[str]:
    for row in records(connection, "digest/select_gate", week):
        yield f"Last gate result: {_listed(row['reasons']) or 'no reason given'}."
        yield from row["drifts"]


def _track_record(connection: Connection, week: Mapping[str, dt.date]) -> Iterator[str]:
    for row in records(connection, "digest/select_track_record", week):
        first, *others = row["sentences"]
        yield f"Cut track record: {first}"
        yield from others


def _outcomes(connection: Connection, week: dict[str, dt.date]) -> Iterator[str]:
    """Compare forecasts and cuts with the P&L of their sessions."""
    for row in records(connection, "digest/select_exceedances", week):
        if row["expert"] != SERVED_FORECAST:
            yield f"Forecast {row['expert']}: {exceedances(row)}."
    for row in records(connection, "digest/select_cuts", week):
        group = "Traders with a cut" if row["is_cut"] else "Traders without a cut"
        losses = counted(row["losing_count"], "loss", "losses")
        days = counted(row["session_count"], "trading day")
        yield f"{group}: {losses} in {days}, total P&L {signed_usd(row['total_pnl_usd'])}."
    decisions = [
        f"{row['decision_count']} {row['action'].replace('_', ' ')}"
        for row in records(connection, "digest/select_outcomes", week)
    ]
    yield f"Limit decisions: {', '.join(decisions) or 'none requested'}."


def _notes(connection: Connection, first: dt.date, last: dt.date) -> Iterator[str]:
    """Repeat what people noted in the week; the Risk page has every note whole."""
    notes = read_notes(connection, recorded=(first, last))
    for note in notes[:LISTED_ITEMS]:
        sentence = textwrap.shorten(note.sentence, NOTE_CHARACTERS, placeholder=" ...")
        correction = f" (corrects note {note.corrects})" if note.corrects is not None else ""
        yield f"Note {note.note_id} about {note.subject}, by {note.user_name}{correction}: {sentence}"
    if len(notes) > LISTED_ITEMS:
        yield f"{counted(len(notes) - LISTED_ITEMS, 'more note')} of the week on the pages of traders and sessions."


def _limit_review(connection: Connection, through: dt.date) -> Iterator[str]:
    """Say in the first digest of a month which base limits do not fit."""
    if through.month == (through - DIGEST_INTERVAL).month:
        return
    found = records(connection, "apply_rules/select_limit_fits", {**ALL_SESSIONS, "last_session": through})
    if not found:
        return
    by_verdict: dict[str, list[str]] = {}
    for row in found:
        by_verdict.setdefault(row["verdict"], []).append(row["account_id"])
    unfit = [
        f"; {label}: {_listed(by_verdict[verdict])}" for verdict, label in UNFIT_LIMITS.items() if verdict in by_verdict
    ]
    fitting = len(by_verdict.get("fits", []))
    yield f"Monthly review of limits: {fitting} of {counted(len(found), 'base limit')} fit{''.join(unfit)}."
    traders = records(connection, "apply_rules/select_trader_fits", {**ALL_SESSIONS, "last_session": through})
    for row in [row for row in traders if row["verdict"] not in ("fits", "limited history")][:LISTED_TRADERS]:
        yield f"Trader with several accounts: {readable(trader_sentence(row))}."


def send_card(
    connection: Connection, server: MailServer, trained: TrainingResult, instant: dt.datetime, settings: Settings
) -> int:
    """Mail the card of a training to the report's recipients.

    Parameters
    ----------
    connection
        Warehouse.
    server
        Accepts the mail.
    trained
        Outcome of the training.
    instant
        Aware instant in the Date header.
    settings
        Recipients and sender.

    Returns
    -------
    int
        Mails accepted by the server.

    Raises
    ------
    ConnectionLostError, RequestError
        If the server did not accept a mail; the other recipients have theirs.
    """
    mail = Mail(
        rendered=render_views("notice", card_page(connection, trained, settings)),
        sender=settings.sender,
        recipients=settings.recipients,
        recipients_setting="RISK_RECIPIENTS",
        kind="risk-model",
        key=f"{trained.content_sha256} {trained.last_session_date}",
        date=instant,
    )
    outcome = send_mail(mail, [server])
    outcome.raise_for_faults("send_model_card")
    return outcome.sent_count


def card_page(connection: Connection, trained: TrainingResult, settings: Settings) -> NoticePage:
    """Build the page of a training."""
    binds = {"content_sha256": trained.content_sha256}
    versions = records(connection, "train_model/select_model_versions", binds)
    return NoticePage(
        is_simulated=settings.is_simulated,
        tone="good" if versions else "bad",
        label="MODEL",
        title=f"Risk model - sessions through {trained.last_session_date}",
        headline=(
            f"Model {versions[0]['content_sha256'][:12]} is trained and forecasts from the next session on."
            if versions
            else "No model was trained."
        ),
        sentences=tuple(_sentences(versions[0])) if versions else (trained.reason,),
        actions=(),
        url=ui_address(settings.base_url, f"{own_page()}/model"),
    )


def _sentences(version: Mapping[str, Any]) -> list[str]:
    card = version["card"]
    models, gate = card["record"]["models"], card["record"]["gate"]
    period = f"{version['first_session_date']} to {version['last_session_date']}"
    return [
        f"Training data: {count(version['pair_count'])} daily results, {card['account_count']} accounts, {period}.",
        "Leakage check passed: outputs of sampled past sessions do not change when later data is removed or replaced.",
        *(_score_sentence(name, models[key]) for key, name in CARD_FORECASTS.items() if key in models),
        f"Gate on past sessions, were they live: {SERVING_NAMES[gate['served']]} apply. {' '.join(gate['reasons'])}",
        *card.get("check_sentences", ()),
    ]


def _score_sentence(name: str, score: Mapping[str, Any]) -> str:
    return (
        f"{name} forecast: pinball loss {percent(-score['gain_vs_historical'], 1)} against the historical quantile; "
        f"95% VaR exceedance rate {percent(score['breach'], 1)} (5% expected)."
    )
