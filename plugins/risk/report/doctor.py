"""The doctor: checks everything that a daily run needs; each answer is a sentence with the next step."""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
import socket
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from risk import __version__
from risk.core import calendar, warehouse
from risk.core.connections import (
    API_CONNECTION,
    SMTP_CONNECTION,
    VENDOR_CONNECTION,
    WAREHOUSE_CONNECTION,
    AirflowApi,
    api_of,
    postgres_dsn,
    read_connection,
)
from risk.core.desks import DAILY_DAG, own_command, own_connection_variable, own_dag
from risk.core.errors import ReleaseError, RiskError
from risk.core.exchange import exchange
from risk.core.money import counted
from risk.core.release import difference, installed_release, tagged_release
from risk.core.schema import pending_files
from risk.core.settings import Settings
from risk.core.warehouse import Connection, records, rows
from risk.limits.confirmations import platform_sentences
from risk.report.doctor_roles import Diagnosis, check_roles
from risk.report.session_state import todays_problem
from risk.report.signals import check_notifiers
from risk.report.watchdog import calls_deadlines, needed_dags

REQUIRED_FREE_BYTES = 2_000_000_000
EXECUTOR = "AIRFLOW__CORE__EXECUTOR"
LOOK_BACK = dt.timedelta(days=14)
LOOK_AHEAD = dt.timedelta(days=30)
COMPONENTS = ("metadatabase", "scheduler", "dag_processor")


@dataclass(frozen=True, slots=True)
class Installation:
    """What the doctor examines.

    Attributes
    ----------
    settings
        The settings of the installation.
    environment
        Variables with its connections.
    now
        The instant of the examination, UTC.
    """

    settings: Settings
    environment: Mapping[str, str]
    now: dt.datetime


def examine(installation: Installation) -> Iterator[Diagnosis]:
    """Check everything, cheapest first; a part that is out of reach is one diagnosis, not the end."""
    environment = installation.environment
    yield check_disk(installation.settings.reports_dir)
    yield from check_private_files(installation.settings)
    yield check_calendar(installation.now.date())
    yield check_mail(environment)
    yield from check_signals(installation.settings)
    yield from check_deadlines(environment)
    vendor = environment.get(own_connection_variable(VENDOR_CONNECTION))
    if vendor:
        yield check_vendor(vendor)
    yield from check_airflow(environment, needed_dags(asks_approval=installation.settings.asks_approval))
    yield from check_warehouse(installation)


def check_disk(folder: Path) -> Diagnosis:
    """Check the free space of the disk that holds the reports and, in a clone, data and logs."""
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    free_bytes = shutil.disk_usage(existing).free
    found = f"{free_bytes / 1e9:.1f} GB free at {existing}"
    if free_bytes < REQUIRED_FREE_BYTES:
        sentence = f"{found}: free up space, at least {REQUIRED_FREE_BYTES / 1e9:.0f} GB are needed."
        return Diagnosis("disk", is_healthy=False, sentence=sentence)
    return Diagnosis("disk", is_healthy=True, sentence=f"{found}.")


def check_private_files(settings: Settings) -> Iterator[Diagnosis]:
    """Check that no other user can read files with passwords, reports, vendor's pages and alarms."""
    for path in (*settings.private_files, settings.reports_dir, settings.alarms_dir):
        if path.exists():
            mode, closed = stat.S_IMODE(path.stat().st_mode), 0o700 if path.is_dir() else 0o600
            is_healthy = not mode & 0o077 or (path.is_dir() and _is_within_closed(path))
            remedy = "" if is_healthy else f": other users may read it; run chmod {closed:o} {path}"
            yield Diagnosis("privacy", is_healthy=is_healthy, sentence=f"{path.name} has mode {mode:o}{remedy}.")


def _is_within_closed(path: Path) -> bool:
    """Tell whether a folder above lets in nobody but its owner."""
    return any(not folder.stat().st_mode & 0o011 for folder in path.absolute().parents)


def check_calendar(today: dt.date) -> Diagnosis:
    """Check that the installed exchange calendar reaches far enough."""
    code, last = exchange().code, calendar.last_session()
    if last < today + LOOK_AHEAD:
        sentence = f"{code} ends on {last}: upgrade the package exchange_calendars."
        return Diagnosis("calendar", is_healthy=False, sentence=sentence)
    holidays = ", ".join(map(str, calendar.next_closed_weekdays(today, 3)))
    sentence = f"{code} reaches to {last}; the next holidays without a run are {holidays}."
    return Diagnosis("calendar", is_healthy=True, sentence=sentence)


def check_deadlines(environment: Mapping[str, str]) -> Iterator[Diagnosis]:
    """Say where Airflow cannot alert of a late report, so that only the watchdog does."""
    executors = environment.get(EXECUTOR, "")
    if executors and not calls_deadlines(executors):
        sentence = f"{executors} runs no callback of a deadline: of a late report only the watchdog alerts (ops/)."
        yield Diagnosis("deadlines", is_healthy=True, sentence=sentence)


def check_mail(environment: Mapping[str, str]) -> Diagnosis:
    """Check that the mail server greets."""
    try:
        server = read_connection(environment, SMTP_CONNECTION)
    except RiskError as error:
        return Diagnosis("mail", is_healthy=False, sentence=str(error))
    address = (server.host or "localhost", server.port or 25)
    shown = f"{address[0]}:{address[1]}"
    try:
        with socket.create_connection(address, timeout=5) as connection:
            greeting = connection.recv(200).decode(errors="replace").strip()
    except OSError as error:
        sentence = f"No mail server answers at {shown} ({error}): start it, or correct {SMTP_CONNECTION}."
        return Diagnosis("mail", is_healthy=False, sentence=sentence)
    is_healthy = greeting.startswith("220") or not greeting
    return Diagnosis("mail", is_healthy=is_healthy, sentence=f"The server at {shown} answers {greeting[:60]!r}.")


def check_signals(settings: Settings) -> Iterator[Diagnosis]:
    """Check that each notifier of RISK_NOTIFIERS can be imported and takes its arguments; nothing is sent."""
    if not settings.notifiers:
        return
    faults = check_notifiers(settings.notifiers, {})
    for fault in faults:
        yield Diagnosis("notifiers", is_healthy=False, sentence=fault.message)
    if not faults:
        count = counted(len(settings.notifiers), "notifier")
        yield Diagnosis("notifiers", is_healthy=True, sentence=f"{count} can be imported and constructed.")


def check_vendor(connection: str) -> Diagnosis:
    """Check that the vendor accepts the login."""
    from risk.ingest.propreports.client import Client, RateLimiter, Timeouts, read_endpoint

    try:
        place = read_endpoint(connection)
        with Client(place, RateLimiter(), Timeouts(connect_s=5, read_s=10, answer_s=10, attempts=1)) as client:
            client.login()
    except RiskError as error:
        return Diagnosis("vendor", is_healthy=False, sentence=str(error))
    return Diagnosis("vendor", is_healthy=True, sentence=f"{place.host} accepts the login.")


def check_airflow(environment: Mapping[str, str], dag_ids: Sequence[str]) -> Iterator[Diagnosis]:
    """Check the health of Airflow's components, the import of the DAG files and the switches of the DAGs."""
    try:
        with api_of(read_connection(environment, API_CONNECTION)) as api:
            health = api.health()
            errors = api.call("GET", "/importErrors")["import_errors"]
            dags = {dag_id: _unless(HTTPStatus.NOT_FOUND, api, f"/dags/{dag_id}") for dag_id in dag_ids}
            plugins = _unless(HTTPStatus.FORBIDDEN, api, "/plugins")
    except RiskError as error:
        yield Diagnosis("airflow", is_healthy=False, sentence=str(error))
        return
    for component in COMPONENTS:
        state = health.get(component, {}).get("status")
        remedy = "" if state == "healthy" else ": read its log, then restart it"
        yield Diagnosis("airflow", is_healthy=state == "healthy", sentence=f"{component} is {state}{remedy}.")
    for broken in errors:
        yield Diagnosis("airflow", is_healthy=False, sentence=_import_error(broken))
    for dag_id, dag in dags.items():
        if dag is None:
            sentence = f"Airflow does not know {dag_id}: bring the folder dags/ to it, or fix its import error."
            yield Diagnosis("airflow", is_healthy=False, sentence=sentence)
        elif dag["is_paused"]:
            sentence = f"{dag_id} is paused, so no run starts: unpause it in the UI."
            yield Diagnosis("airflow", is_healthy=False, sentence=sentence)
    if plugins is None:
        sentence = (
            f"Airflow shows its plugins to others than the login of {API_CONNECTION}: its wheel was not compared."
        )
        yield Diagnosis("release", is_healthy=True, sentence=sentence)
    yield from check_releases([dag for dag in dags.values() if dag], plugins["plugins"] if plugins else [])


def _unless(status: HTTPStatus, api: AirflowApi, path: str) -> Any:
    """Ask Airflow for something, ``None`` where it answers with the status; other refusals are errors."""
    return None if api.request("GET", path)[0] == status else api.call("GET", path)


def _import_error(broken: Mapping[str, str]) -> str:
    """Say which DAG file cannot be imported; one of another release than the code says so itself."""
    last = (broken.get("stack_trace") or "").strip().rpartition("\n")[2]
    kind, _, said = last.partition(": ")
    remedy = said if kind.endswith(ReleaseError.__name__) else "fix the file."
    return f"{broken['filename']} cannot be imported: {remedy}"


def check_releases(dags: Sequence[Mapping[str, Any]], plugins: Sequence[Mapping[str, Any]]) -> Iterator[Diagnosis]:
    """Compare the release that the DAG files need with the code here and with the api-server's wheel.

    Parameters
    ----------
    dags, plugins
        As Airflow's API describes them.
    """
    needed = {tagged_release(tag["name"] for tag in dag["tags"]) for dag in dags} - {""}
    served = {installed_release(plugin["source"]) for plugin in plugins} - {""}
    for expected in sorted(needed):
        for place, found in [("here", __version__), *(("in the api-server", version) for version in sorted(served))]:
            if found != expected:
                sentence = f"The DAG files need {difference(expected, found, place)}"
                yield Diagnosis("release", is_healthy=False, sentence=sentence)
    if needed == served | {__version__}:
        yield Diagnosis("release", is_healthy=True, sentence=f"Code and DAG files are of release {__version__}.")


def check_warehouse(installation: Installation) -> Iterator[Diagnosis]:
    """Check that the warehouse answers, its schema, its roles, its calendar and its reports."""
    try:
        dsn = postgres_dsn(installation.environment, WAREHOUSE_CONNECTION)
        with contextlib.closing(warehouse.connect(dsn)) as connection:
            yield Diagnosis("warehouse", is_healthy=True, sentence="The warehouse answers.")
            yield check_schema(connection)
            yield from check_roles(connection, dsn, installation.settings.page_dsn, installation.settings.reader_role)
            yield check_stored_calendar(connection, installation.now.date())
            yield check_newest_run(connection)
            yield from check_platform_limits(connection, installation.now)
            yield from check_reports(connection, installation)
            yield from check_today(connection, installation)
    except RiskError as error:
        yield Diagnosis("warehouse", is_healthy=False, sentence=str(error))


def check_schema(connection: Connection) -> Diagnosis:
    """Check that every schema file has been applied, unchanged."""
    pending = pending_files(connection)
    if pending:
        sentence = f"Schema files are not applied: {', '.join(pending)}. Run {own_command('migrate')}."
        return Diagnosis("schema", is_healthy=False, sentence=sentence)
    return Diagnosis("schema", is_healthy=True, sentence="The schema is up to date.")


def check_stored_calendar(connection: Connection, today: dt.date) -> Diagnosis:
    """Check that the warehouse keeps this exchange, and that its calendar reaches far enough; runs store it again."""
    kept, code = rows(connection, "sessions/select_calendar"), exchange().code
    if kept and kept != [(code,)]:
        sentence = (
            f"The warehouse keeps the sessions of {kept[0][0]}, and RISK_CALENDAR is {code}: correct the setting."
        )
        return Diagnosis("calendar", is_healthy=False, sentence=sentence)
    (last,) = rows(connection, "doctor/select_calendar_end")[0]
    is_healthy = last is None or last >= today + LOOK_AHEAD
    sentence = f"The warehouse's calendar reaches to {last}." if last else "The first run stores the calendar."
    return Diagnosis("calendar", is_healthy=is_healthy, sentence=sentence)


def check_newest_run(connection: Connection) -> Diagnosis:
    """Check that the newest run did not end with a failure."""
    failed = records(connection, "watchdog/select_failed_run", {"dag_id": own_dag(DAILY_DAG)})
    if not failed:
        return Diagnosis("runs", is_healthy=True, sentence="The newest run did not fail.")
    found = failed[0]
    session = f" of session {found['session_date']}" if found["session_date"] else ""
    sentence = (
        f"The newest run failed in task {found['task_id']}{session}, {found['recorded_at']:%Y-%m-%d %H:%M} UTC: "
        f"{found['message']} Follow its sentence, then clear the task in Airflow."
    )
    return Diagnosis("runs", is_healthy=False, sentence=sentence)


def check_platform_limits(connection: Connection, now: dt.datetime) -> Iterator[Diagnosis]:
    """Compare the limits in force with those on the trading platform, where anybody states these."""
    names = [name for (name,) in rows(connection, "register/select_recommended_accounts")]
    for sentence in platform_sentences(connection, now, names):
        yield Diagnosis("platform", is_healthy=False, sentence=sentence)


def check_excerpts(connection: Connection, run_id: int) -> Iterator[Diagnosis]:
    """Name the groups' recipients who did not get the excerpt of a report, which fails no task."""
    for row in records(connection, "doctor/select_refused_excerpts", {"run_id": run_id}):
        reason = row["last_error"] or "The attempt was interrupted."
        sentence = (
            f"The excerpt for group {row['group_name']} has not reached {row['recipient']}: {reason} Correct the "
            "group's recipients in the policy or the mail server, then clear send_report."
        )
        yield Diagnosis("excerpt", is_healthy=False, sentence=sentence)


def check_reports(connection: Connection, installation: Installation) -> Iterator[Diagnosis]:
    """Report the last report and, on a scheduled desk, sessions of the last two weeks without one."""
    found = records(connection, "doctor/select_last_report")
    if not found:
        yield Diagnosis("report", is_healthy=True, sentence="There is no report yet.")
        return
    sentence = f"The last report is for {found[0]['session_date']}, made {found[0]['recorded_at']:%Y-%m-%d %H:%M} UTC."
    yield Diagnosis("report", is_healthy=True, sentence=sentence)
    yield from check_excerpts(connection, found[0]["run_id"])
    if installation.settings.schedule == "sessions":
        yield check_missed_sessions(connection, installation.now)


def check_today(connection: Connection, installation: Installation) -> Iterator[Diagnosis]:
    """Check that today's report and limits are out, as far as they are due; the Risk page says the same."""
    found = todays_problem(connection, installation.now, installation.settings)
    if found:
        sentence = f"{found} Open the DAGs of today in Airflow: unpause them, or clear what failed in their last runs."
        yield Diagnosis("today", is_healthy=False, sentence=sentence)
    for row in records(connection, "doctor/select_refused_mails"):
        reason = row["last_error"] or "The attempt was interrupted."
        sentence = (
            f"The mail about the limits for {row['effective_session']} ({row['kind']}) has not reached "
            f"{row['recipient']}: {reason} Correct the address or the mail server, then clear send_limits."
        )
        yield Diagnosis("mail", is_healthy=False, sentence=sentence)


def check_missed_sessions(connection: Connection, now: dt.datetime) -> Diagnosis:
    """List the sessions of the last two weeks without a report, and the command that makes them."""
    last = calendar.last_finished_session(now)
    range_of_days = {"first": last - LOOK_BACK, "last": last}
    reported = {day for (day,) in rows(connection, "doctor/select_reported_sessions", range_of_days)}
    missed = [day for day in calendar.sessions_between(**range_of_days) if day not in reported]
    if not missed:
        sentence = "Every session of the last two weeks has a report."
        return Diagnosis("report", is_healthy=True, sentence=sentence)
    command = f"make backfill FROM={missed[0]} TO={missed[-1]}"
    listed = ", ".join(map(str, missed))
    sentence = f"{len(missed)} sessions of the last two weeks have no report ({listed}): {command} makes them."
    return Diagnosis("report", is_healthy=False, sentence=sentence)
