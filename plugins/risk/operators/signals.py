"""What notifiers need of Airflow: the connections that their arguments name."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import psycopg2
from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException, AirflowRuntimeError

from risk.core.errors import RiskError
from risk.core.runs import Run
from risk.core.settings import Settings
from risk.core.warehouse import Connection
from risk.operators.base import warehouse_dsn
from risk.report.signals import Signal, announce

log = logging.getLogger(__name__)


def named_connections(settings: Settings) -> dict[str, str]:
    """Return the connections that notifiers name in arguments ``*conn_id``, as variables of their process.

    That process is no task of Airflow's and cannot ask for connections kept in the UI.
    """
    named = {
        value
        for one in settings.notifiers
        for argument, value in one.arguments.items()
        if argument.endswith("conn_id") and isinstance(value, str)
    }
    found = {}
    for connection_id in sorted(named):
        try:
            found[f"AIRFLOW_CONN_{connection_id.upper()}"] = BaseHook.get_connection(connection_id).as_json()
        except (AirflowNotFoundException, AirflowRuntimeError, PermissionError) as error:
            log.warning("RISK_NOTIFIERS names the connection %s, which cannot be read: %s", connection_id, error)
    return found


def pass_on(settings: Settings, found: Sequence[Signal]) -> None:
    """Give signals to the notifiers; never raises."""
    if found and settings.notifiers:
        announce(warehouse_dsn(), settings, found, named_connections(settings))


def announce_report(connection: Connection, run: Run, settings: Settings, *, asks_approval: bool) -> None:
    """Tell the notifiers of a report that was mailed; never raises."""
    if not settings.notifiers:
        return
    from risk.report.morning_signals import report_signals

    try:
        found = report_signals(connection, run, settings, asks_approval=asks_approval)
    except (RiskError, psycopg2.Error) as error:
        log.warning("Notifiers got no signal of the report: %s", error)
        return
    pass_on(settings, found)
