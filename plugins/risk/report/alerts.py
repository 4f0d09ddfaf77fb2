"""Sends an alert for a run that failed, is late or recovered, once for each clearing of the run.

The log of sent alerts is in the warehouse, and in files while the warehouse is unreachable. An alert is logged after a
mail server accepted it: a crash in between sends it twice rather than never.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import psycopg2
from psycopg2.extensions import make_dsn

from risk.core.errors import ConnectionLostError
from risk.core.exchange import exchange_zone
from risk.core.notifiers import Kind
from risk.core.settings import Settings, make_private
from risk.core.warehouse import Connection, connect, execute, records, rows
from risk.report.incidents import (
    FailedRun,
    RunKey,
    failure_page,
    is_refused_request,
    lateness_page,
    read_cause,
    read_log_tail,
    recovery_page,
)
from risk.report.mail import Mail, MailServer, send_mail
from risk.report.render import Rendered, render_views
from risk.report.session_state import RunDates, SessionState, is_done, read_session_state
from risk.report.signals import Signal, announce

log = logging.getLogger(__name__)

OPENED: tuple[Kind, ...] = ("failure", "lateness")
"""What a recovery ends."""

CONNECT_SECONDS = 10
"""Longest wait of an alert for a warehouse that may be the cause of the failure."""


@dataclass(frozen=True, slots=True)
class AlertContext:
    """Where alerts come from and go to.

    Attributes
    ----------
    warehouse_dsn
        The warehouse.
    servers
        Mail servers in the order in which they are tried.
    settings
        Recipients, sender, notifiers and the folder of the log.
    environment
        Returns the connections that the notifiers name, as variables; asked after the mail.
    """

    warehouse_dsn: str
    servers: Sequence[MailServer]
    settings: Settings
    environment: Callable[[], Mapping[str, str]] = dict


@dataclass(frozen=True, slots=True)
class AlertLog:
    """The alerts sent about one run.

    Attributes
    ----------
    connection
        Warehouse; ``None`` if it is unreachable.
    key
        The run and its clearing.
    folder
        Folder of the files that replace the warehouse.
    """

    connection: Connection | None
    key: RunKey
    folder: Path

    def has_sent(self, kind: str) -> bool:
        """Return whether this kind of alert was sent for this clearing of the run."""
        return self._marker(kind).exists() or (kind, self.key.clear_number) in self._stored()

    def alerted_kinds(self) -> tuple[Kind, ...]:
        """Return which of failure and lateness were ever reported of this run, at any clearing."""
        stored = {kind for kind, _ in self._stored()}
        clearings = range(self.key.clear_number + 1)
        return tuple(
            kind for kind in OPENED if kind in stored or any(self._marker(kind, one).exists() for one in clearings)
        )

    def add(self, kind: str, subject: str) -> None:
        """Log an alert that was sent."""
        values = {**asdict(self.key), "kind": kind, "subject": subject}
        if self.connection is not None:
            execute(self.connection, "alarms/insert_alarms", values)
            return
        try:
            self._marker(kind).write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            log.warning("This alert may be sent again: %s is not writable (%s).", self.folder, error)

    def _stored(self) -> list[tuple[str, int]]:
        if self.connection is None:
            return []
        run = {"dag_id": self.key.dag_id, "dag_run_id": self.key.dag_run_id}
        return [(row["kind"], row["clear_number"]) for row in records(self.connection, "alarms/select_alarms", run)]

    def _marker(self, kind: str, clear_number: int | None = None) -> Path:
        number = self.key.clear_number if clear_number is None else clear_number
        name = hashlib.sha256(f"{self.key.dag_id} {self.key.dag_run_id}".encode()).hexdigest()[:32]
        return self.folder / f"{name}-{number}-{kind}.json"


@contextlib.contextmanager
def alert_lock(connection: Connection | None, key: RunKey, folder: Path) -> Iterator[AlertLog]:
    """Let one process at a time decide on a run's alerts, until they are sent and logged.

    Airflow may report the same failure twice at the same moment.
    """
    with contextlib.ExitStack() as stack:
        if connection is None:
            stack.enter_context(_folder_lock(folder))
        else:
            stack.enter_context(connection)
            rows(connection, "alarms/lock_alarms", {"key": f"alarm {key.dag_id} {key.dag_run_id}"})
        yield AlertLog(connection, key, folder)


@contextlib.contextmanager
def _folder_lock(folder: Path) -> Iterator[None]:
    """Lock a folder; if it is not writable the alert is sent anyway, perhaps twice."""
    try:
        make_private(folder)
        file = (folder / "lock").open("a", encoding="utf-8")
    except OSError as error:
        log.warning("This alert may be sent twice: %s is not writable (%s).", folder, error)
        yield
        return
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def mail_failure(context: AlertContext, failed: FailedRun, log_folder: Path, *, today: dt.date | None = None) -> bool:
    """Send an alert about a failed run, once; without the warehouse it contains what Airflow knows.

    Of the runs of a backfill only the first that fails on a day is reported, of mistakes in a request by hand none.

    Parameters
    ----------
    context
        Warehouse, mail servers and settings.
    failed
        The run, from Airflow.
    log_folder
        Airflow's folder of task logs.
    today
        Current date of the exchange; ``None`` = by this machine's clock.

    Returns
    -------
    bool
        False if this clearing of the run, or another run of the backfill, was reported before.

    Raises
    ------
    ConnectionLostError
        If no recipient got the alert; the next call tries again.
    """
    tail = read_log_tail(log_folder, failed.key, failed.task)
    reported = _reported_as(failed, today or dt.datetime.now(exchange_zone()).date())
    signals: list[Signal] = []

    def send(connection: Connection | None) -> bool:
        cause = read_cause(connection, failed.key, failed.task, tail)
        if is_refused_request(failed.run_type, failed.task.task_id, cause):
            return False
        state = _session_state(connection, failed.dates)
        page = failure_page(failed, cause, state, is_simulated=context.settings.is_simulated)
        rendered = render_views("task_failure", page)
        text = " ".join((page.headline, f"{cause.error_class}: {cause.message}", page.remedy))
        signals[:] = [_signal(context, "failure", failed.key, failed.dates, rendered, text, failed.run_url)]
        with alert_lock(connection, reported, context.settings.alarms_dir) as alert_log:
            return _send_once(alert_log, "failure", rendered, context)

    return _mail_then_announce(context, send, signals)


def mail_recovery(context: AlertContext, key: RunKey, dates: RunDates, run_url: str) -> bool:
    """Send an alert that a run has succeeded, once, if its failure or lateness was reported."""
    signals: list[Signal] = []

    def send(connection: Connection | None) -> bool:
        state = _session_state(connection, dates)
        page = recovery_page(key, dates, state, run_url, is_simulated=context.settings.is_simulated)
        rendered = render_views("notice", page)
        with alert_lock(connection, key, context.settings.alarms_dir) as alert_log:
            opened = alert_log.alerted_kinds()
            signal = _signal(context, "recovery", key, dates, rendered, page.headline, run_url)
            signals[:] = [replace(signal, resolves=kind) for kind in opened]
            return bool(opened) and _send_once(alert_log, "recovery", rendered, context)

    return _mail_then_announce(context, send, signals)


def mail_lateness(context: AlertContext, key: RunKey, dates: RunDates, run_url: str, *, today: dt.date) -> bool:
    """Send an alert that today's report is not out, or its limits are not published, once; for other sessions none.

    Parameters
    ----------
    context
        Warehouse, mail servers and settings.
    key, dates, run_url
        The run, its sessions and its link.
    today
        Current date of the exchange: nobody waits for the reports of older runs that catch up after an outage.
    """
    if dates.effective_session != today:
        return False
    signals: list[Signal] = []

    def send(connection: Connection | None) -> bool:
        state = _session_state(connection, dates)
        if state is not None and is_done(key.dag_id, state):
            return False
        page = lateness_page(key, dates, state, run_url, is_simulated=context.settings.is_simulated)
        rendered = render_views("notice", page)
        signals[:] = [_signal(context, "lateness", key, dates, rendered, page.headline, run_url)]
        with alert_lock(connection, key, context.settings.alarms_dir) as alert_log:
            return _send_once(alert_log, "lateness", rendered, context)

    return _mail_then_announce(context, send, signals)


def send_alert(rendered: Rendered, servers: Sequence[MailServer], settings: Settings, *, key: str) -> None:
    """Mail an alert to every recipient of alerts.

    Parameters
    ----------
    rendered
        The mail.
    servers
        In the order in which they are tried.
    settings
        Recipients and sender.
    key
        Identity of the alert.

    Raises
    ------
    ConnectionLostError
        If no recipient got the alert; the message holds every server's sentence.
    """
    mail = Mail(
        rendered=rendered,
        sender=settings.sender,
        recipients=settings.alert_recipients,
        recipients_setting="RISK_ALARM_RECIPIENTS",
        kind="risk-alarm",
        key=key,
        date=dt.datetime.now(exchange_zone()),
    )
    outcome = send_mail(mail, servers)
    if outcome.sent_count == 0:
        sentences = " ".join(dict.fromkeys(map(str, outcome.faults))) or "RISK_ALARM_RECIPIENTS has no address."
        raise ConnectionLostError(f"The alert {rendered.subject!r} reached nobody: {sentences}")


def _mail_then_announce(
    context: AlertContext, send: Callable[[Connection | None], bool], signals: Sequence[Signal]
) -> bool:
    """Send a mail, then its signals; also where the mail reached nobody, since they may.

    Parameters
    ----------
    signals
        What ``send`` fills.
    """

    def pass_on() -> None:
        if signals and context.settings.notifiers:
            announce(context.warehouse_dsn, context.settings, signals, context.environment())

    try:
        is_sent = _with_warehouse(context.warehouse_dsn, send)
    except ConnectionLostError:
        pass_on()
        raise
    if is_sent:
        pass_on()
    return is_sent


def _signal(
    context: AlertContext, kind: Kind, key: RunKey, dates: RunDates, rendered: Rendered, text: str, url: str
) -> Signal:
    session = "unknown" if dates.effective_session is None else dates.effective_session.isoformat()
    settings = context.settings
    return Signal(
        kind, settings.desk, session, settings.is_simulated, key.dag_id, key.dag_run_id, rendered.subject, text, url
    )


def _with_warehouse(dsn: str, send: Callable[[Connection | None], bool]) -> bool:
    """Send with the warehouse; without it if it is unreachable, breaks off or has no tables yet."""
    try:
        connection = connect(make_dsn(dsn, connect_timeout=CONNECT_SECONDS))
    except ConnectionLostError as error:
        log.warning("The alert is sent without the warehouse: %s", error)
        return send(None)
    with contextlib.closing(connection):
        try:
            return send(connection)
        except psycopg2.Error as error:
            log.warning("The alert is sent without the warehouse: %s", error)
    return send(None)


def _reported_as(failed: FailedRun, today: dt.date) -> RunKey:
    """Return what an alert is logged for: the clearing of a run, or all that fails of a backfill on one day."""
    if failed.run_type != "backfill":
        return failed.key
    return RunKey(failed.key.dag_id, f"backfill failed on {today.isoformat()}", 0)


def _session_state(connection: Connection | None, dates: RunDates) -> SessionState | None:
    if connection is None or dates.effective_session is None:
        return None
    with connection:
        return read_session_state(connection, dates.effective_session)


def _send_once(alert_log: AlertLog, kind: str, rendered: Rendered, context: AlertContext) -> bool:
    if alert_log.has_sent(kind):
        return False
    key = alert_log.key
    alert_key = f"{kind} {key.dag_id} {key.dag_run_id} {key.clear_number}"
    send_alert(rendered, context.servers, context.settings, key=alert_key)
    alert_log.add(kind, rendered.subject)
    return True
