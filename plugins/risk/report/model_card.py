"""The model card: the email that says what a training produced, or why it produced nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from risk.core.money import count, percent
from risk.core.settings import Settings
from risk.core.warehouse import Connection, records
from risk.model.train import TrainingResult
from risk.report.mail import Mail, MailServer, send_mail
from risk.report.page import NoticePage, ui_address
from risk.report.render import render_views

CARD_FORECASTS = {"calibrated": "Model", "rules": "Rules"}
"""Forecasts that the card compares with the historical quantile, and their names."""


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
        url=ui_address(settings.base_url, "/risk/model"),
    )


def _sentences(version: Mapping[str, Any]) -> list[str]:
    card = version["card"]
    models, gate = card["record"]["models"], card["record"]["gate"]
    period = f"{version['first_session_date']} to {version['last_session_date']}"
    source = "model-based" if gate["served"] == "model" else "rule-based"
    return [
        f"Training data: {count(version['pair_count'])} daily results, {card['account_count']} accounts, {period}.",
        "Leakage check passed: outputs of sampled past sessions do not change when later data is removed or replaced.",
        *(_score_sentence(name, models[key]) for key, name in CARD_FORECASTS.items() if key in models),
        f"Gate on past sessions: {source} limits would apply. {' '.join(gate['reasons'])}",
        *card.get("check_sentences", ()),
    ]


def _score_sentence(name: str, score: Mapping[str, Any]) -> str:
    return (
        f"{name} forecast: pinball loss {percent(-score['gain_vs_historical'], 1)} against the historical quantile; "
        f"95% VaR exceedance rate {percent(score['breach'], 1)} (5% expected)."
    )
