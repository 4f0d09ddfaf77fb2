"""Signals: what an email has said goes to the firm's chat, pager and other systems too, through Airflow's notifiers.

They come after the mail and never instead of it: notifiers run in a process of their own, which ends after a fixed time
whatever they do, and a notifier that fails is a row of the audit log and nothing else.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal as signals_of_processes
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg2
from psycopg2.extensions import make_dsn

import risk
from risk.core.errors import ConnectionLostError
from risk.core.notifiers import Kind, Notifier
from risk.core.settings import Settings
from risk.core.warehouse import connect, execute, writing

log = logging.getLogger(__name__)

CHILD: Final = "risk.operators.notifier_process"
NOTIFY_SECONDS: Final = 10.0
"""How long notifiers may work, all at the same time."""
CHILD_SECONDS: Final = 30.0
"""How long their process may live: it imports Airflow and them first."""
CONNECT_SECONDS: Final = 10
LONGEST_TEXT: Final = 1_000
REMEDY: Final = "Correct RISK_NOTIFIERS or its connection."

TRIGGER, RESOLVE = "trigger", "resolve"
SEVERITIES: Final[Mapping[Kind, str]] = {
    "failure": "critical",
    "lateness": "critical",
    "watchdog": "critical",
    "breach": "warning",
    "approval": "warning",
    "recovery": "info",
    "limits": "info",
}
"""In the words of PagerDuty's events."""


@dataclass(frozen=True, slots=True)
class Signal:
    """What happened, for other systems.

    Attributes
    ----------
    kind
        What it is about.
    desk, session, is_simulated
        The desk, and the effective session in ISO form, ``unknown`` where the run failed before it was known.
    dag_id, dag_run_id
        The DAG that owes what is missing or has been done, and its run; empty if it is about none.
    title, text, url
        Subject, a few sentences, and where to look.
    resolves
        The kind of earlier signals that are over with this one; ``None`` = it opens one of its own kind.
    """

    kind: Kind
    desk: str
    session: str
    is_simulated: bool
    dag_id: str
    dag_run_id: str
    title: str
    text: str
    url: str
    resolves: Kind | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """What a notifier's templates see as ``risk``, before it is escaped."""
        return {
            "kind": self.kind,
            "desk": self.desk,
            "session": self.session,
            "is_simulated": self.is_simulated,
            "dag_id": self.dag_id,
            "title": " ".join(self.title.split()),
            "text": self.text[:LONGEST_TEXT],
            "url": self.url,
            "severity": SEVERITIES[self.kind],
            "action": TRIGGER if self.resolves is None else RESOLVE,
            "dedup_key": "/".join(filter(None, (self.desk, self.session, self.dag_id, self.resolves or self.kind))),
        }

    def is_for(self, notifier: Notifier) -> bool:
        """Whether a notifier gets it: by its own kind, or as the end of a signal of another kind."""
        return self.kind in notifier.kinds or self.resolves in notifier.kinds


@dataclass(frozen=True, slots=True)
class NotifierFault:
    """A notifier that did not do its work: its class, the class of the error, and a sentence without secrets."""

    path: str
    error_class: str
    message: str


def announce(dsn: str, settings: Settings, found: Sequence[Signal], environment: Mapping[str, str]) -> None:
    """Give signals to the notifiers that want them, and store in the audit log which of them failed; never raises.

    Parameters
    ----------
    dsn
        The warehouse.
    settings
        Names the notifiers.
    found
        What happened, in order.
    environment
        Connections that notifiers name, as variables ``AIRFLOW_CONN_*``.
    """
    asked = [(one, tuple(each.facts for each in found if each.is_for(one))) for one in settings.notifiers]
    faults = run_notifiers([(one, facts) for one, facts in asked if facts], environment)
    for fault in faults:
        log.warning("%s", fault.message)
    if not faults:
        return
    run = {"dag_id": found[0].dag_id, "dag_run_id": found[0].dag_run_id, "task_id": "notifier", "try_number": 0}
    try:
        with contextlib.closing(connect(make_dsn(dsn, connect_timeout=CONNECT_SECONDS))) as connection:
            for fault in faults:
                values = {
                    "event": "notifier",
                    **run,
                    "session_date": None,
                    "error_class": fault.error_class,
                    "log_lines": [],
                }
                with writing(connection):
                    execute(connection, "alarms/insert_audit_log", {**values, "message": fault.message})
    except (ConnectionLostError, psycopg2.Error) as error:
        log.warning("The failure of a notifier was not stored in the audit log: %s", error)


def check_notifiers(notifiers: Sequence[Notifier], environment: Mapping[str, str]) -> list[NotifierFault]:
    """Import and construct notifiers in a process of their own; they send nothing."""
    return run_notifiers([(one, ()) for one in notifiers], environment)


def run_notifiers(
    asked: Sequence[tuple[Notifier, Sequence[Mapping[str, Any]]]], environment: Mapping[str, str]
) -> list[NotifierFault]:
    """Run notifiers at the same time in a process of their own, each once for each of its signals.

    Parameters
    ----------
    asked
        Notifiers, each with the facts of its signals; without any it is only constructed.
    environment
        Variables that the process gets beside this one's.

    Returns
    -------
    list of NotifierFault
        Notifiers that failed, or were still at work when their time was over.
    """
    if not asked:
        return []
    listed = [{"path": one.path, "arguments": one.arguments, "signals": list(facts)} for one, facts in asked]
    answers, silence = _answers(json.dumps({"seconds": NOTIFY_SECONDS, "notifiers": listed}), environment)
    unanswered = {"error_class": "TimeoutError", "message": silence}
    faults = []
    for index, (one, facts) in enumerate(asked):
        answer = answers.get(index, unanswered)
        if answer["error_class"]:
            outcome = "The email does not depend on it." if facts else "It will not be notified."
            sentence = f"Notifier {one.path} {answer['message'].rstrip('.')}. {outcome} {REMEDY}"
            faults.append(NotifierFault(one.path, answer["error_class"], sentence))
    return faults


def _answers(request: str, environment: Mapping[str, str]) -> tuple[dict[int, dict[str, str]], str]:
    """Run the process and return what it says of each notifier, by its place in the list, and why of others nothing."""
    try:
        # Its group ends with it: a notifier may have started processes.
        child = subprocess.Popen(
            [sys.executable, "-m", CHILD],
            env=_child_environment(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        return {}, f"was not asked, since no process starts ({error.strerror})"
    try:
        printed, _ = child.communicate(request, timeout=CHILD_SECONDS)
    except subprocess.TimeoutExpired:
        _end(child)
        printed, _ = child.communicate()
    _end(child)
    answers = filter(None, map(_answer, printed.splitlines()))
    silence = f"gave no answer within {NOTIFY_SECONDS:.0f} s"
    if child.returncode > 0:
        silence = f"was not asked, since its process ended with exit code {child.returncode}"
    return {answer["notifier"]: answer for answer in answers}, silence


def _child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the process, which needs Airflow's code and connections, not its database.

    A task's own variables name a database that no code can open, so that the import of Airflow would fail.
    """
    packages = str(Path(risk.__file__).resolve().parents[1])
    path = os.pathsep.join(filter(None, (packages, os.environ.get("PYTHONPATH", ""))))
    inherited = {name: value for name, value in os.environ.items() if not name.endswith("__SQL_ALCHEMY_CONN")}
    return {**inherited, **environment, "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "sqlite://", "PYTHONPATH": path}


def _answer(line: str) -> dict[str, Any] | None:
    """Read a line of the process; settings of the firm that Airflow imports may print others."""
    with contextlib.suppress(ValueError):
        answer = json.loads(line)
        if isinstance(answer, dict) and "notifier" in answer:
            return answer
    return None


def _end(child: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signals_of_processes.SIGKILL)
