"""The rows of the weekly digest that stand by name: what a person checks every week, with its numbers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from risk.core.calendar import local_time, next_session
from risk.core.errors import RiskError
from risk.core.money import count, counted, percent
from risk.core.policy_store import read_policy
from risk.core.settings import TAIL_PROBABILITY, Settings
from risk.core.warehouse import Connection, records
from risk.report.build_facts import policy_facts
from risk.report.mail import second_server

SERVED_FORECAST = "calibrated"
"""The forecast that limits come from."""


@dataclass(frozen=True, slots=True)
class AlertTest:
    """A test of the way that failure mails take: the login to the mail servers that they are handed to.

    Attributes
    ----------
    tested_at
        Aware instant.
    has_second_server
        Whether a second mail server is set.
    fault
        Why the second one does not accept mail; empty = it does, or there is none.
    """

    tested_at: dt.datetime
    has_second_server: bool = False
    fault: str = ""


def try_alerts(settings: Settings, instant: dt.datetime) -> AlertTest:
    """Log in to the second mail server of alerts; the first one has accepted a login before the digest is built."""
    try:
        second = second_server(settings.alarm_smtp_uri)
        if second is None:
            return AlertTest(instant)
        second.check_connection()
    except RiskError as error:
        return AlertTest(instant, has_second_server=True, fault=str(error))
    return AlertTest(instant, has_second_server=True)


def digest_rows(
    connection: Connection,
    week: Mapping[str, dt.date],
    sessions: Sequence[Mapping[str, Any]],
    settings: Settings,
    test: AlertTest,
) -> tuple[tuple[str, str], ...]:
    """Return the rows by name.

    Parameters
    ----------
    week
        ``from_date`` and ``through_date``.
    sessions
        Rows of ``digest/select_sessions.sql``.
    test
        Of the failure mail.
    """
    return (
        ("Database size", _database_size(records(connection, "digest/select_database", week)[0])),
        ("Model performance", _model_performance(connection, week)),
        ("Thresholds", _thresholds(connection, week["through_date"], sessions)),
        ("Error-mail test", _error_mail(connection, settings, test)),
    )


def _database_size(row: Mapping[str, Any]) -> str:
    size = f"{row['database_bytes'] / 1e6:,.0f} MB"
    if row["earlier_bytes"] is not None:
        size += f" ({(row['database_bytes'] - row['earlier_bytes']) / 1e6:+,.0f} MB since the last digest)"
    dead_ratio = row["dead_row_count"] / max(row["live_row_count"] + row["dead_row_count"], 1)
    vacuumed = "never" if row["vacuumed_at"] is None else local_time(row["vacuumed_at"])
    return (
        f"{size}; {percent(dead_ratio)} dead rows, last vacuum {vacuumed}; failed task attempts: {row['failure_count']}"
    )


def _model_performance(connection: Connection, week: Mapping[str, dt.date]) -> str:
    """Compare the forecast that limits come from with the week's P&L, and count the sessions that it decided."""
    scored = {row["expert"]: row for row in records(connection, "digest/select_exceedances", week)}
    judged = records(connection, "digest/select_gate", week)
    parts = [exceedances(scored[SERVED_FORECAST])] if SERVED_FORECAST in scored else ["no forecast with an outcome"]
    for row in judged:
        trained = f"trained through {row['last_session_date']}" if row["last_session_date"] else "no model"
        parts.append(f"forecast-based limits in {row['serving_count']} of {row['judged_count']} sessions ({trained})")
    return "; ".join(parts)


def exceedances(row: Mapping[str, Any]) -> str:
    """Count the results below a forecast beside what is expected."""
    forecast_count = row["forecast_count"]
    return (
        f"{counted(row['exceedance_count'], 'exceedance')} of the 95% VaR in {counted(forecast_count, 'forecast')} "
        f"({forecast_count * TAIL_PROBABILITY:.1f} expected)"
    )


def _thresholds(connection: Connection, through: dt.date, sessions: Sequence[Mapping[str, Any]]) -> str:
    """Say which policy decides next, from which forecast loss on, and how often the week's traders were beyond it."""
    version = read_policy(connection, next_session(through))
    policy = policy_facts(version)
    since = "since installation" if version.valid_from is None else f"since {version.valid_from}"
    sums = {name: sum(row[f"{name}_count"] for row in sessions) for name in ("trader", "high", "moderate", "cut")}
    return (
        f"policy version {policy.version} {since}, {counted(len(version.desk.rules), 'rule')}; moderate from "
        f"{policy.moderate_from}, high from {policy.high_from} the usual forecast loss; {count(sums['high'])} high, "
        f"{count(sums['moderate'])} moderate, {counted(sums['cut'], 'cut')} in {counted(sums['trader'], 'trader-day')}"
    )


def _error_mail(connection: Connection, settings: Settings, test: AlertTest) -> str:
    """Say what the test of the failure mail gave, to how many it goes, and when one was last accepted."""
    servers = "mail server and second mail server accept" if test.has_second_server else "mail server accepts"
    passed = (
        f"passed {local_time(test.tested_at)}: {servers} mail to {counted(len(settings.alert_recipients), 'recipient')}"
    )
    outcome = f"failed {local_time(test.tested_at)}: {test.fault.rstrip('.')}" if test.fault else passed
    second = "" if test.has_second_server else ", no second mail server is set"
    last = records(connection, "digest/select_last_alert", {"instant": test.tested_at})
    sent = [f"last {row['kind']} mail accepted {local_time(row['recorded_at'])}" for row in last]
    return f"{outcome}{second}; {''.join(sent) or 'no failure mail was ever needed'}"
