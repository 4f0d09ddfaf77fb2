"""The watchdog: checks from outside Airflow whether today's report is out and its limits published; alerts if not.

It runs by cron or a systemd timer 45 and 20 minutes before the opening, imports no Airflow and queries only the two
databases and the mail server, so it works while Airflow is down. On days without a session it sends nothing.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import psycopg2
from psycopg2.extensions import make_dsn, parse_dsn

from risk.core.calendar import is_session
from risk.core.connections import METADATA_DSN, SMTP_CONNECTION, WAREHOUSE_CONNECTION, postgres_dsn, read_connection
from risk.core.desks import DAILY_DAG, PUBLICATION_DAG, own_dag
from risk.core.errors import ConnectionLostError, RiskError
from risk.core.exchange import exchange_zone
from risk.core.settings import Settings, read_settings
from risk.core.warehouse import Connection, connect, records
from risk.report import webhook
from risk.report.alerts import send_alert
from risk.report.mail import SmtpServer, second_server, smtp_server_from_uri, smtp_server_of
from risk.report.page import NoticePage
from risk.report.render import render_views
from risk.report.session_state import LIMITS_STAY, problem, read_session_state
from risk.report.signals import Signal

CONNECT_SECONDS = 10
CLOCK_TOLERANCE = dt.timedelta(seconds=30)
SILENT_AFTER = dt.timedelta(minutes=2)
"""Airflow's components send a heartbeat every 5 seconds; a busy one may miss some."""
LOOK_BACK = dt.timedelta(hours=6)
"""A failure within this many hours belongs to today's run."""
COMPONENTS = {"SchedulerJob": "scheduler", "DagProcessorJob": "dag-processor"}
UTC = dt.UTC


@dataclass(frozen=True, slots=True)
class Watched:
    """What the watchdog checks.

    Attributes
    ----------
    warehouse_dsn, metadata_dsn
        The pipeline's and Airflow's database, in libpq's form.
    server
        The mail server of the report; ``None`` if unknown.
    asks_approval
        Whether people approve limits before they are published.
    """

    warehouse_dsn: str
    metadata_dsn: str
    server: SmtpServer | None
    asks_approval: bool = False


@dataclass(frozen=True, slots=True)
class WatchdogFinding:
    """A problem.

    Attributes
    ----------
    sentence, action
        What is wrong, and what to do.
    doubts_report
        Whether today's report is missing or its state unknown.
    """

    sentence: str
    action: str
    doubts_report: bool = False


def read_watched(environment: Mapping[str, str]) -> Watched:
    """Read what to check from the environment variables of Airflow.

    Raises
    ------
    RequestError
        If a variable is missing or has another form than expected.
    """
    return Watched(
        warehouse_dsn=postgres_dsn(environment, WAREHOUSE_CONNECTION),
        metadata_dsn=postgres_dsn(environment, METADATA_DSN),
        server=_mail_server(environment),
        asks_approval=read_settings().asks_approval,
    )


def run_checks(watched: Watched, instant: dt.datetime) -> list[WatchdogFinding]:
    """Check everything that today's report requires; a day without a session has no findings.

    Parameters
    ----------
    watched
        Databases and mail server.
    instant
        Aware instant of this machine's clock; its date of the exchange is the effective session checked.
    """
    today = instant.astimezone(exchange_zone()).date()
    if not is_session(today):
        return []
    return [
        *_check_warehouse(watched, today, instant),
        *check_airflow(watched.metadata_dsn, instant, needed_dags(asks_approval=watched.asks_approval)),
        *_check_mail(watched.server),
    ]


CALLING_EXECUTORS = ("LocalExecutor", "CeleryExecutor")
"""Those that run the callback of a deadline; KubernetesExecutor refuses it, inside the scheduler's loop (3.3.2)."""


def calls_deadlines(executors: str) -> bool:
    """Return whether Airflow itself alerts of late reports; else the watchdog alone does.

    Parameters
    ----------
    executors
        Airflow's setting ``[core] executor``, the first of which is the usual one.
    """
    return re.split(r"[.:]", executors.partition(",")[0].strip())[-1] in CALLING_EXECUTORS


def needed_dags(*, asks_approval: bool) -> tuple[str, ...]:
    """Return the DAGs that today's limits need."""
    return tuple(map(own_dag, (DAILY_DAG, PUBLICATION_DAG) if asks_approval else (DAILY_DAG,)))


def check_airflow(dsn: str, instant: dt.datetime, dag_ids: Sequence[str]) -> Iterator[WatchdogFinding]:
    """Check in Airflow's database that its components run, that it can parse the DAGs and that these are active."""
    try:
        with contextlib.closing(_connect(dsn)) as connection:
            yield from _check_components(connection, instant)
            yield from _check_dags(connection, dag_ids)
    except (ConnectionLostError, psycopg2.Error) as error:
        yield WatchdogFinding(
            f"Airflow's database is unreachable: {_one_line(error)}",
            "Start Airflow's database (make up, or docker compose up --detach).",
        )


def notify(
    watched: Watched, findings: Sequence[WatchdogFinding], instant: dt.datetime, settings: Settings
) -> list[str]:
    """Mail the findings, through the second mail server first, because the first one may be the problem.

    Plain webhooks of RISK_NOTIFIERS get them too, also where no mail server accepts the mail; other notifiers need an
    Airflow that works.

    Returns
    -------
    list of str
        What went wrong with the webhooks.

    Raises
    ------
    ConnectionLostError
        If no mail server accepts it.
    """
    today = instant.astimezone(exchange_zone()).date().isoformat()
    is_doubted = any(finding.doubts_report for finding in findings)
    page = NoticePage(
        is_simulated=settings.is_simulated,
        tone="bad",
        label="WATCHDOG",
        title=f"RISK WATCHDOG - {today} - {_shortened(findings[0].sentence)}",
        headline=findings[0].sentence,
        sentences=tuple(finding.sentence for finding in findings[1:]),
        actions=tuple(dict.fromkeys(finding.action for finding in findings)),
        url=settings.base_url,
        consequences=(LIMITS_STAY if is_doubted else f"The report for {today} is out.",),
    )
    servers = [server for server in (second_server(settings.alarm_smtp_uri), watched.server) if server is not None]
    rendered = render_views("notice", page)
    text = " ".join(finding.sentence for finding in findings)
    desk, is_simulated = settings.desk, settings.is_simulated
    signal = Signal("watchdog", desk, today, is_simulated, "", "", rendered.subject, text, settings.base_url)
    try:
        send_alert(rendered, servers, settings, key=f"watchdog {instant.isoformat()}")
    except ConnectionLostError as error:
        faults = _post(signal, settings)
        raise ConnectionLostError(" ".join((str(error), *faults))) from None
    return _post(signal, settings)


def _post(signal: Signal, settings: Settings) -> list[str]:
    """Post a signal to the plain webhooks, and return what went wrong."""
    faults = []
    for one in settings.notifiers:
        if one.path == webhook.NOTIFIER_PATH and signal.is_for(one):
            try:
                webhook.post_facts(signal.facts, **one.arguments)
            except (RiskError, TypeError) as error:
                faults.append(f"{error}.")
    return faults


def _check_warehouse(watched: Watched, today: dt.date, instant: dt.datetime) -> Iterator[WatchdogFinding]:
    try:
        with contextlib.closing(_connect(watched.warehouse_dsn)) as connection:
            yield from _check_clock(connection)
            state = read_session_state(connection, today)
            sentence = problem(state, today, instant, asks_approval=watched.asks_approval)
            if sentence and not state.is_delivered:
                yield _missing_report(connection, sentence, instant)
            elif sentence:
                action = (
                    f"Open DAG {own_dag(PUBLICATION_DAG)} in Airflow: unpause it, or clear what failed in its last run."
                )
                yield WatchdogFinding(sentence, action)
    except (ConnectionLostError, psycopg2.Error) as error:
        yield WatchdogFinding(
            f"The state of the report for {today} is unknown: {_one_line(error)}",
            "Start the warehouse (make up, or docker compose up --detach), then open today's run in Airflow. "
            f"{LIMITS_STAY}",
            doubts_report=True,
        )


def _check_clock(connection: Connection) -> Iterator[WatchdogFinding]:
    before = dt.datetime.now(UTC)
    asked_at = records(connection, "watchdog/select_clock")[0]["asked_at"]
    after = dt.datetime.now(UTC)
    apart = max(before - asked_at, asked_at - after, dt.timedelta(0))
    if apart > CLOCK_TOLERANCE:
        yield WatchdogFinding(
            f"The clocks of the warehouse ({asked_at:%Y-%m-%d %H:%M:%S} UTC) and of this machine "
            f"({after:%Y-%m-%d %H:%M:%S} UTC) differ by {apart.total_seconds():.0f} s.",
            "Synchronize both machines with a time server (timedatectl): the schedule and as_of depend on it.",
        )


def _missing_report(connection: Connection, sentence: str, instant: dt.datetime) -> WatchdogFinding:
    failures = records(connection, "watchdog/select_last_failures", {"since": instant - LOOK_BACK})
    if not failures:
        action = (
            "Open today's run in Airflow and see what it waits for; if there is no run, start one (DAG "
            f"{own_dag(DAILY_DAG)})."
        )
        return WatchdogFinding(sentence, action, doubts_report=True)
    found = failures[0]
    action = f"Follow the sentence of task {found['task_id']}, then clear the task in Airflow."
    return WatchdogFinding(f"{sentence} Task {found['task_id']} failed: {found['message']}", action, doubts_report=True)


def _check_components(connection: Connection, instant: dt.datetime) -> Iterator[WatchdogFinding]:
    known = {row["job_type"]: row for row in records(connection, "watchdog/select_components")}
    for job_type, name in COMPONENTS.items():
        row = known.get(job_type)
        if row and row["is_running"] and instant - row["beat_at"] <= SILENT_AFTER:
            continue
        since = f"has had no heartbeat since {row['beat_at']:%Y-%m-%d %H:%M:%S} UTC" if row else "has never run"
        yield WatchdogFinding(
            f"Airflow's {name} {since}.",
            "Start Airflow (make up, or docker compose up --detach) and read the log of the component.",
        )


def _check_dags(connection: Connection, dag_ids: Sequence[str]) -> Iterator[WatchdogFinding]:
    unreadable = records(connection, "watchdog/select_import_errors")
    for row in unreadable:
        reason = (row["stacktrace"] or "").strip().splitlines()[-1:]
        yield WatchdogFinding(
            f"Airflow cannot parse the DAG file {row['filename']}: {' '.join(reason)}",
            "Fix the DAG file; Airflow parses it again automatically.",
        )
    for dag_id in dag_ids:
        dags = records(connection, "watchdog/select_dags", {"dag_id": dag_id})
        if not dags:
            yield WatchdogFinding(
                f"DAG {dag_id} does not exist in Airflow.", "Check the log of the dag-processor and the folder dags/."
            )
            continue
        if dags[0]["is_paused"]:
            yield WatchdogFinding(f"DAG {dag_id} is paused: nothing runs.", "Unpause it in the Airflow UI.")
        if dags[0]["is_stale"] and not unreadable:
            yield WatchdogFinding(f"The file of DAG {dag_id} is missing.", "Restore the folder dags/.")


def _check_mail(server: SmtpServer | None) -> Iterator[WatchdogFinding]:
    if server is None:
        return
    try:
        server.check_connection()
    except ConnectionLostError as error:
        yield WatchdogFinding(
            _one_line(error), "Start the mail server, or set another one in the connection smtp_default."
        )


def _connect(dsn: str) -> Connection:
    try:
        return connect(make_dsn(dsn, connect_timeout=CONNECT_SECONDS))
    except ConnectionLostError:
        place = parse_dsn(dsn)
        where = f"{place.get('host', 'local socket')}:{place.get('port', '5432')}/{place.get('dbname', '')}"
        raise ConnectionLostError(f"no Postgres server responds at {where}.") from None


def _mail_server(environment: Mapping[str, str]) -> SmtpServer | None:
    """Read the mail server of the report from its connection, JSON or URI; ``None`` if it is not set."""
    value = environment.get(SMTP_CONNECTION, "")
    if not value or value.startswith("{"):
        return smtp_server_of(read_connection(environment, SMTP_CONNECTION)) if value else None
    return smtp_server_from_uri(value, SMTP_CONNECTION)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def _shortened(sentence: str) -> str:
    return sentence if len(sentence) <= 90 else f"{sentence[:87]}..."
