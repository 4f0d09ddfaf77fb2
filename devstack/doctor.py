"""The doctor: what a morning run needs, looked at one by one, each with a sentence and the next step."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import shutil
import socket
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from devstack import services
from devstack.clone import Clone, read_json
from devstack.environment import VENDOR_CONNECTION
from devstack.ports import LOOPBACK
from devstack.runs import DAG_ID
from devstack.warehouse import libpq_dsn
from risk.core import calendar, warehouse
from risk.core.errors import RiskError
from risk.core.roles import REPLACED_TABLES
from risk.core.settings import EXCHANGE_CALENDAR
from risk.core.warehouse import Connection, pending_files, records, rows

REQUIRED_FREE_BYTES = 2_000_000_000
LOOK_BACK = dt.timedelta(days=14)
LOOK_AHEAD = dt.timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer of the doctor.

    Attributes
    ----------
    subject
        What was looked at.
    is_well
        False makes the exit code 1.
    sentence
        What was found and, where it is not well, what to do.
    """

    subject: str
    is_well: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Patient:
    """Where the parts of an installation are.

    Attributes
    ----------
    clone
        The working copy.
    warehouse_uri
        Airflow connection of the warehouse.
    mail_uri
        Airflow connection of the mail server, URI or JSON.
    vendor_uri
        Airflow connection of the vendor's API, URI or JSON; empty where fills come from elsewhere.
    is_scheduled
        Whether a report is due every session.
    now
        The instant of the question, UTC.
    """

    clone: Clone
    warehouse_uri: str
    mail_uri: str
    vendor_uri: str
    is_scheduled: bool
    now: dt.datetime


def examine(patient: Patient) -> Iterator[Finding]:
    """Look at everything, cheapest first; a part that cannot be reached is one finding, not the end."""
    yield disk(patient.clone.var)
    yield from secret_files(patient.clone)
    yield calendar_reach(patient.now.date())
    yield mail(patient.mail_uri)
    if patient.vendor_uri:
        yield vendor(patient.vendor_uri)
    yield from airflow(patient.clone)
    try:
        with contextlib.closing(warehouse.connect(libpq_dsn(patient.warehouse_uri))) as connection:
            yield Finding("warehouse", is_well=True, sentence="It answers.")
            for look in (schema, privileges, stored_calendar):
                yield look(connection, patient)
            yield from reports(connection, patient)
    except RiskError as error:
        yield Finding("warehouse", is_well=False, sentence=str(error))


def disk(folder: Path) -> Finding:
    """Ask for the free space of the disk that holds data, logs and reports."""
    free = shutil.disk_usage(folder if folder.exists() else folder.parent).free
    said = f"{free / 1e9:.1f} GB free at {folder}"
    if free < REQUIRED_FREE_BYTES:
        return Finding(
            "disk", is_well=False, sentence=f"{said}: free some, {REQUIRED_FREE_BYTES / 1e9:.0f} GB at least."
        )
    return Finding("disk", is_well=True, sentence=f"{said}.")


def secret_files(clone: Clone) -> Iterator[Finding]:
    """Ask that nobody else can read the passwords."""
    for file in (clone.secrets, clone.login):
        if file.exists():
            mode = stat.S_IMODE(file.stat().st_mode)
            remedy = "" if mode == 0o600 else f": others may read it, type chmod 600 {file}"
            yield Finding("secrets", is_well=mode == 0o600, sentence=f"{file.name} has mode {mode:o}{remedy}.")


def calendar_reach(today: dt.date) -> Finding:
    """Ask that the installed calendar reaches far enough."""
    last = calendar.calendar().last_session.date()
    is_well = last >= today + LOOK_AHEAD
    holidays = ", ".join(map(str, calendar.next_closed_weekdays(today, 3))) if is_well else "unknown"
    said = f"{EXCHANGE_CALENDAR} of exchange_calendars ends on {last}; no run for the holidays {holidays}"
    return Finding("calendar", is_well=is_well, sentence=f"{said}." if is_well else f"{said}: upgrade the package.")


def mail(uri: str) -> Finding:
    """Ask for the mail server's greeting."""
    host, port = mail_place(uri)
    try:
        with socket.create_connection((host, port), timeout=5) as connection:
            greeting = connection.recv(200).decode(errors="replace").strip()
    except OSError as error:
        remedy = "start it (make up), or mend AIRFLOW_CONN_SMTP_DEFAULT"
        return Finding("mail", is_well=False, sentence=f"No server at {host}:{port} ({error}): {remedy}.")
    is_well = greeting.startswith("220") or not greeting
    return Finding("mail", is_well=is_well, sentence=f"The server at {host}:{port} says {greeting[:60]!r}.")


def mail_place(uri: str) -> tuple[str, int]:
    """Read host and port from an Airflow connection, URI or JSON."""
    if uri.lstrip().startswith("{"):
        given = json.loads(uri)
        return str(given.get("host") or "localhost"), int(given.get("port") or 25)
    parts = urlsplit(uri)
    return parts.hostname or "localhost", parts.port or 25


def vendor(uri: str) -> Finding:
    """Ask the vendor for a login."""
    from risk.ingest.sources.propreports.client import Client, Patience
    from risk.ingest.sources.propreports.pace import Pace
    from risk.ingest.sources.propreports.place import read_place

    try:
        place = read_place(uri)
        with Client(place, Pace(), Patience(connect_s=5, read_s=10, answer_s=10, attempts=1)) as client:
            client.login()
    except RiskError as error:
        return Finding("vendor", is_well=False, sentence=str(error))
    return Finding("vendor", is_well=True, sentence=f"{place.host} accepts the login.")


def airflow(clone: Clone) -> Iterator[Finding]:
    """Ask the running Airflow of this clone for the health of its parts, import errors and the DAG's switch."""
    if not read_json(clone.records / "stack.json"):
        yield Finding("airflow", is_well=False, sentence="It does not run here: type make up.")
        return
    try:
        api = services.attach(clone).api
        health = api.health()
        errors = api.call("GET", "/importErrors")["import_errors"]
        dag = api.call("GET", f"/dags/{DAG_ID}")
    except RiskError as error:
        yield Finding("airflow", is_well=False, sentence=f"{error} Type make down, then make up.")
        return
    for part in ("metadatabase", "scheduler", "dag_processor"):
        state = health.get(part, {}).get("status")
        remedy = "" if state == "healthy" else f": read {clone.logs}, then make down and make up"
        yield Finding("airflow", is_well=state == "healthy", sentence=f"{part} is {state}{remedy}.")
    for broken in errors:
        yield Finding("airflow", is_well=False, sentence=f"{broken['filename']} cannot be imported: mend it.")
    if dag["is_paused"]:
        yield Finding("airflow", is_well=False, sentence=f"{DAG_ID} is paused: no run starts. Switch it on in the UI.")


def schema(connection: Connection, patient: Patient) -> Finding:  # noqa: ARG001  (one signature for all looks)
    """Ask that every schema file has been applied, unchanged."""
    pending = pending_files(connection)
    if pending:
        return Finding("schema", is_well=False, sentence=f"Not applied: {', '.join(pending)}. Make down, then make up.")
    return Finding("schema", is_well=True, sentence="It is up to date.")


def privileges(connection: Connection, patient: Patient) -> Finding:  # noqa: ARG001
    """Ask that the pipeline's role cannot change what happened."""
    binds = {"replaced_tables": sorted(REPLACED_TABLES)}
    tables = [table for (table,) in rows(connection, "doctor/select_writable_inputs", binds)]
    if tables:
        remedy = "give the pipeline a role of its own and name the owner's in RISK_OWNER_DSN (CONTRIBUTING, Roles)"
        sentence = f"The pipeline's role may change {', '.join(tables)}: {remedy}."
        return Finding("privileges", is_well=False, sentence=sentence)
    return Finding("privileges", is_well=True, sentence="The pipeline cannot change inputs, runs or reports.")


def stored_calendar(connection: Connection, patient: Patient) -> Finding:
    """Ask that the warehouse's own calendar reaches far enough; every run stores it anew."""
    (last,) = rows(connection, "doctor/select_calendar_end")[0]
    is_well = last is None or last >= patient.now.date() + LOOK_AHEAD
    sentence = f"The warehouse's calendar ends on {last}." if last else "The first run stores the calendar."
    return Finding("calendar", is_well=is_well, sentence=sentence)


def reports(connection: Connection, patient: Patient) -> Iterator[Finding]:
    """Name the last report and, on a scheduled desk, the sessions of the last two weeks that have none."""
    found = records(connection, "doctor/select_last_report")
    if found:
        said = (
            f"The last one is for session {found[0]['session_date']}, of {found[0]['recorded_at']:%Y-%m-%d %H:%M} UTC."
        )
    else:
        said = "There is none yet."
    yield Finding("report", is_well=True, sentence=said)
    if patient.is_scheduled and found:
        yield missed_sessions(connection, patient.now)


def missed_sessions(connection: Connection, now: dt.datetime) -> Finding:
    """Name the finished sessions of the last two weeks without a report, and the command that makes up for them."""
    last = calendar.last_finished_session(now)
    range_of_days = {"first": last - LOOK_BACK, "last": last}
    reported = {day for (day,) in rows(connection, "doctor/select_reported_sessions", range_of_days)}
    missed = [day for day in calendar.sessions_between(**range_of_days) if day not in reported]
    if not missed:
        return Finding("report", is_well=True, sentence="No session of the last two weeks lacks one.")
    command = f"make backfill FROM={missed[0]} TO={missed[-1]}"
    sentence = f"{len(missed)} sessions of the last two weeks have none ({', '.join(map(str, missed))}): {command}"
    return Finding("report", is_well=False, sentence=f"{sentence} writes them without mailing.")


def patient_of(clone: Clone, given: Mapping[str, str], now: dt.datetime) -> Patient:
    """Find where this installation's parts are: the user's environment first, then the clone's own servers."""
    state, ports = read_json(clone.records / "stack.json"), read_json(clone.var / "ports.json")
    schedule = given.get("RISK_SCHEDULE") or state.get("schedule", "off")
    return Patient(
        clone,
        given.get("AIRFLOW_CONN_RISK_WAREHOUSE")
        or services.pipeline_dsn(clone, ports.get("postgres", 0), services.last_desk(clone)),
        given.get("AIRFLOW_CONN_SMTP_DEFAULT") or f"smtp://{LOOPBACK}:{ports.get('mail', 25)}",
        given.get(VENDOR_CONNECTION, ""),
        schedule == "sessions",
        now,
    )
