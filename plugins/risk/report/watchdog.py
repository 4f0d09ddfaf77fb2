"""The dead man's switch: looks from outside whether this morning's report is out, and tells when nothing else can.

It runs by cron or a systemd timer at 08:45 New York, imports no Airflow, and asks the two databases and the mail
server alone: it works while Airflow does not. On days without a session it says nothing.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import psycopg2
from psycopg2.extensions import make_dsn, parse_dsn

from risk.core.calendar import is_session
from risk.core.errors import ConnectionLostError, RequestError
from risk.core.settings import EXCHANGE_ZONE, settings
from risk.core.warehouse import Connection, connect, records
from risk.report.alert_pages import NoticePage
from risk.report.alert_records import Morning, read_morning
from risk.report.mail import SmtpServer
from risk.report.smtp_servers import second_server, send, smtp_server
from risk.report.templates import render

DAG_ID = "daily_risk"
CONNECT_SECONDS = 10
CLOCK_TOLERANCE = dt.timedelta(seconds=30)
SILENT_AFTER = dt.timedelta(minutes=2)
"""Airflow's components beat every 5 seconds; one that is busy may miss some."""
LOOK_BACK = dt.timedelta(hours=6)
"""A failure noted within so many hours belongs to this morning."""
COMPONENTS = {"SchedulerJob": "scheduler", "DagProcessorJob": "dag-processor"}
UTC = dt.UTC


@dataclass(frozen=True, slots=True)
class Watched:
    """What is watched.

    Attributes
    ----------
    warehouse_dsn, metadata_dsn
        The pipeline's and Airflow's database, in libpq's form.
    server
        The mail server the report leaves by; ``None`` where it is not known.
    """

    warehouse_dsn: str
    metadata_dsn: str
    server: SmtpServer | None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong.

    Attributes
    ----------
    sentence, action
        What it is, and what to do.
    doubts_report
        Whether this morning's report is missing, or cannot be looked for.
    """

    sentence: str
    action: str
    doubts_report: bool = False


def watched(environment: Mapping[str, str]) -> Watched:
    """Read what is to be watched from the variables that Airflow itself reads.

    Raises
    ------
    RequestError
        If a variable is missing or holds something else than expected.
    """
    mail = environment.get("AIRFLOW_CONN_SMTP_DEFAULT", "")
    return Watched(
        warehouse_dsn=_postgres(environment, "AIRFLOW_CONN_RISK_WAREHOUSE"),
        metadata_dsn=_postgres(environment, "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"),
        server=_mail_server(mail) if mail else None,
    )


def look(what: Watched, instant: dt.datetime) -> list[Finding]:
    """Look at everything that this morning's report needs; nothing is found on a day without a session.

    Parameters
    ----------
    what
        Databases and mail server.
    instant
        Aware instant of this machine's clock; its New York date is the morning that is judged.
    """
    today = instant.astimezone(EXCHANGE_ZONE).date()
    if not is_session(today):
        return []
    return [
        *_look_at_warehouse(what.warehouse_dsn, today, instant),
        *look_at_airflow(what.metadata_dsn, instant),
        *_look_at_mail(what.server),
    ]


def look_at_airflow(dsn: str, instant: dt.datetime) -> Iterator[Finding]:
    """Look at Airflow through its database: do its components live, can it read the DAG, is the DAG switched on."""
    try:
        with contextlib.closing(_connect(dsn)) as connection:
            yield from _look_at_components(connection, instant)
            yield from _look_at_dag(connection)
    except (ConnectionLostError, psycopg2.Error) as error:
        yield Finding(
            f"Airflow's database cannot be asked: {_one_line(error)}",
            "Start Airflow's database (make status, make up).",
        )


def tell(what: Watched, findings: Sequence[Finding], instant: dt.datetime) -> None:
    """Mail what was found, by the second mail server first: the first one may be what is broken.

    Raises
    ------
    ConnectionLostError
        If no mail server takes it.
    """
    today = instant.astimezone(EXCHANGE_ZONE).date().isoformat()
    known = [finding.sentence for finding in findings[1:]]
    if not any(finding.doubts_report for finding in findings):
        known.append(f"The report for {today} is out.")
    page = NoticePage(
        is_simulated=settings().is_simulated,
        tone="bad",
        label="WATCHDOG",
        title=f"RISK WATCHDOG - {today} - {_shortened(findings[0].sentence)}",
        headline=findings[0].sentence,
        sentences=tuple(known),
        actions=tuple(dict.fromkeys(finding.action for finding in findings)),
        url=settings().base_url,
    )
    servers = [server for server in (second_server(), what.server) if server is not None]
    send(render("notice", page), servers, key=f"watchdog {instant.isoformat()}", date=instant)


def _look_at_warehouse(dsn: str, today: dt.date, instant: dt.datetime) -> Iterator[Finding]:
    try:
        with contextlib.closing(_connect(dsn)) as connection:
            yield from _look_at_clock(connection)
            yield from _look_at_report(connection, today, instant)
    except (ConnectionLostError, psycopg2.Error) as error:
        yield Finding(
            f"Whether the report for {today} is out cannot be known: {_one_line(error)}",
            "Start the warehouse (make status, make up), then clear the failed task of this morning's run.",
            doubts_report=True,
        )


def _look_at_clock(connection: Connection) -> Iterator[Finding]:
    before = dt.datetime.now(UTC)
    asked_at = records(connection, "watchdog/select_clock")[0]["asked_at"]
    after = dt.datetime.now(UTC)
    apart = max(before - asked_at, asked_at - after, dt.timedelta(0))
    if apart > CLOCK_TOLERANCE:
        yield Finding(
            f"The clocks of the warehouse ({asked_at:%Y-%m-%d %H:%M:%S} UTC) and of this machine "
            f"({after:%Y-%m-%d %H:%M:%S} UTC) are {apart.total_seconds():.0f} s apart.",
            "Let both machines take their time from a time server (timedatectl): the schedule and as_of depend on it.",
        )


def _look_at_report(connection: Connection, today: dt.date, instant: dt.datetime) -> Iterator[Finding]:
    morning = read_morning(connection, today)
    if morning.is_delivered:
        return
    failures = records(connection, "watchdog/select_last_failures", {"since": instant - LOOK_BACK})
    cause = f" Task {failures[0]['task_id']} failed: {failures[0]['message']}" if failures else ""
    yield Finding(
        f"{_missing(morning, today)}{cause}",
        "Open today's run in Airflow and clear the failed task; where there is no run, start one (make trigger).",
        doubts_report=True,
    )


def _missing(morning: Morning, today: dt.date) -> str:
    if morning.sent_count:
        return f"{morning.open_count} recipients do not have the report for {today}, {morning.sent_count} have it."
    if morning.has_report:
        return f"The report for {today} is stored, and nobody has it."
    if morning.has_limits:
        return f"Limits for {today} are computed, and there is no report of them."
    return f"There are no limits and no report for {today}."


def _look_at_components(connection: Connection, instant: dt.datetime) -> Iterator[Finding]:
    known = {row["job_type"]: row for row in records(connection, "watchdog/select_components")}
    for job_type, name in COMPONENTS.items():
        row = known.get(job_type)
        if row and row["is_running"] and instant - row["beat_at"] <= SILENT_AFTER:
            continue
        since = f"is silent since {row['beat_at']:%Y-%m-%d %H:%M:%S} UTC" if row else "has never run"
        yield Finding(f"Airflow's {name} {since}.", "Start Airflow (make up) and read the log of what had ended.")


def _look_at_dag(connection: Connection) -> Iterator[Finding]:
    unreadable = records(connection, "watchdog/select_import_errors")
    for row in unreadable:
        reason = (row["stacktrace"] or "").strip().splitlines()[-1:]
        yield Finding(
            f"Airflow cannot read the DAG file {row['filename']}: {' '.join(reason)}",
            "Mend the DAG file; Airflow reads it again by itself.",
        )
    dags = records(connection, "watchdog/select_dags", {"dag_id": DAG_ID})
    if not dags:
        yield Finding(f"Airflow does not know the DAG {DAG_ID}.", "Look at the dag-processor's log and at dags/.")
        return
    if dags[0]["is_paused"]:
        yield Finding(f"The DAG {DAG_ID} is paused: nothing runs.", "Switch it on in the Airflow UI.")
    if dags[0]["is_stale"] and not unreadable:
        yield Finding(f"The file of the DAG {DAG_ID} is gone.", "Restore dags/daily_risk.py.")


def _look_at_mail(server: SmtpServer | None) -> Iterator[Finding]:
    if server is None:
        return
    try:
        server.greet()
    except ConnectionLostError as error:
        yield Finding(_one_line(error), "Start the mail server, or name another one in the connection smtp_default.")


def _connect(dsn: str) -> Connection:
    try:
        return connect(make_dsn(dsn, connect_timeout=CONNECT_SECONDS))
    except ConnectionLostError:
        place = parse_dsn(dsn)
        where = f"{place.get('host', 'local socket')}:{place.get('port', '5432')}/{place.get('dbname', '')}"
        raise ConnectionLostError(f"no Postgres answers at {where}.") from None


def _postgres(environment: Mapping[str, str], variable: str) -> str:
    """Return the libpq URI of a variable that holds one, SQLAlchemy's form of one, or Airflow's JSON."""
    value = environment.get(variable, "")
    if value.startswith("{"):
        return _postgres_of(json.loads(value))
    scheme, separator, rest = value.partition("://")
    if not separator or not scheme.startswith("postgres"):
        raise RequestError(
            f"{variable} names no Postgres database: the watchdog reads the variables of Airflow's processes. "
            "Set it (for systemd and cron in the file that the unit names), then run it again."
        )
    return f"postgresql://{rest}"


def _postgres_of(fields: Mapping[str, str]) -> str:
    return make_dsn(
        host=fields.get("host", "localhost"),
        port=fields.get("port", 5432),
        user=fields.get("login", ""),
        password=fields.get("password", ""),
        dbname=fields.get("schema", ""),
    )


def _mail_server(value: str) -> SmtpServer:
    """Read Airflow's connection ``smtp_default`` from its JSON or its URI."""
    if not value.startswith("{"):
        return smtp_server(value, "AIRFLOW_CONN_SMTP_DEFAULT")
    fields = json.loads(value)
    extra = fields.get("extra") or {}
    extra = json.loads(extra) if isinstance(extra, str) else extra
    return SmtpServer(
        host=fields.get("host") or "localhost",
        port=int(fields.get("port") or 25),
        user=fields.get("login") or "",
        password=fields.get("password") or "",
        use_ssl=str(extra.get("disable_ssl", "true")).lower() == "false",
        use_starttls=str(extra.get("disable_tls", "true")).lower() == "false",
    )


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def _shortened(sentence: str) -> str:
    return sentence if len(sentence) <= 90 else f"{sentence[:87]}..."
