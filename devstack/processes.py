"""Processes of the stack: started detached, and identified before any signal is sent.

A process id alone proves nothing, since systems use it again. A process is ours if its id, its start time and its
command match the record; what it has forked is ours if it lives in the session it opened. Supervision is by hand: a
supervisor (systemd, supervisord, circus) would be one more process to start, find and stop on every machine, and none
of them outlives the command that started it without a service of the system. psutil reads the process table.
"""

from __future__ import annotations

import operator
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from devstack.workspace import read_json, write_json
from risk.core.errors import StackError

GRACE_S = 20.0
POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Process:
    """A started process.

    Attributes
    ----------
    pid
        Its id, which is also the id of the session it leads.
    started
        When it started, in the system's own terms: comparable only for equality.
    mark
        A part of its command line, kept also when the program renames itself.
    cwd
        Its working folder, which its children share.
    """

    pid: int
    started: str
    mark: str
    cwd: str


def start_time(pid: int) -> str:
    """Return when a process started; empty if there is none or it is a zombie."""
    stat = Path(f"/proc/{pid}/stat")
    try:
        if not Path("/proc/self/stat").exists():
            return f"{psutil.Process(pid).create_time():.0f}"
        # The command may hold blanks and parentheses: fields are counted from the last ")".
        fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except (OSError, psutil.Error):
        return ""
    return "" if fields[0] in "ZX" else f"{boot} {fields[19]}"


def command_line(pid: int) -> str:
    """Return the command line of a process; empty if it has none or is gone."""
    try:
        return " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return ""


def is_alive(process: Process) -> bool:
    """Return whether exactly this process still runs."""
    if not process.started or start_time(process.pid) != process.started:
        return False
    command = command_line(process.pid)
    return process.mark in command or not command  # it has none for a moment while it becomes another program


def session_members(process: Process) -> list[int]:
    """List what lives in the session the process opened, itself included, even after its own death."""
    members = []
    leader = start_time(process.pid)
    if leader not in ("", process.started):
        return []  # the id belongs to another process now
    for candidate in psutil.process_iter():
        try:
            is_member = os.getsid(candidate.pid) == process.pid and candidate.status() != psutil.STATUS_ZOMBIE
            if is_member and (candidate.pid == process.pid or candidate.cwd() == process.cwd):
                members.append(candidate.pid)
        except (psutil.Error, OSError):
            continue  # it has ended meanwhile, or belongs to another user
    return members


def launch(
    command: Sequence[str], *, log: Path, mark: str, cwd: Path, environment: Mapping[str, str] | None = None
) -> Process:
    """Start a program in a new session with its output in a log file; what it makes is readable by its user only.

    Raises
    ------
    StackError
        If the program does not exist or ends immediately.
    """
    if log.exists():
        log.replace(log.with_suffix(".previous.log"))
    try:
        with log.open("ab") as output:
            log.chmod(0o600)
            child = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=0o077,
                cwd=cwd,
                env=None if environment is None else dict(environment),
            )
    except OSError as error:
        raise StackError(
            f"{command[0]} cannot be started: {error.strerror}. Run make setup, then start again."
        ) from None
    started = start_time(child.pid)
    if not started:
        raise StackError(f"{mark} ended immediately.{tail(log)}")
    return Process(child.pid, started, mark, str(cwd))


def write_record(file: Path, process: Process) -> None:
    """Record a process so that a later command can find it."""
    write_json(file, asdict(process))


def read_record(file: Path) -> Process | None:
    """Return the recorded process, alive or not; nothing if there is no usable record."""
    content = read_json(file)
    try:
        return Process(int(content["pid"]), str(content["started"]), str(content["mark"]), str(content["cwd"]))
    except (KeyError, TypeError, ValueError):
        return None


def running(file: Path) -> Process | None:
    """Return the recorded process if it is alive."""
    process = read_record(file)
    return process if process and is_alive(process) else None


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until the condition holds, at most so many seconds; return whether it does."""
    retrying = Retrying(
        retry=retry_if_result(operator.not_),
        stop=stop_after_delay(seconds),
        wait=wait_fixed(POLL_S),
        retry_error_callback=lambda _state: False,
    )
    return retrying(condition)


def stop(process: Process, *, stop_signal: signal.Signals = signal.SIGTERM, grace_s: float = GRACE_S) -> bool:
    """End a process and everything it has forked; see `stop_all`."""
    return stop_all([process], stop_signal=stop_signal, grace_s=grace_s)


def stop_all(
    processes: Sequence[Process], *, stop_signal: signal.Signals = signal.SIGTERM, grace_s: float = GRACE_S
) -> bool:
    """End processes and everything they have forked, side by side; kill what ignores the signal.

    Returns
    -------
    bool
        True if anything had to be ended.

    Raises
    ------
    StackError
        If something survives SIGKILL.
    """
    was_running = bool(all_members(processes))
    for process in processes:
        if is_alive(process):
            send(process.pid, stop_signal)
    wait_until(lambda: not any(is_alive(process) for process in processes), grace_s if was_running else 0.0)
    for signal_number, timeout_s in ((signal.SIGTERM, 3.0), (signal.SIGKILL, 5.0)):
        leftovers = all_members(processes)
        for pid in leftovers:
            send(pid, signal_number)
        if leftovers:
            wait_until(lambda: not all_members(processes), timeout_s)
    if leftovers := all_members(processes):
        raise StackError(f"Processes {leftovers} survive SIGKILL: end them, then try again.")
    for process in processes:
        reap(process.pid)
    return was_running


def all_members(processes: Sequence[Process]) -> list[int]:
    """List what lives in the sessions of these processes."""
    return [pid for process in processes for pid in session_members(process)]


def send(pid: int, signal_number: signal.Signals) -> None:
    """Signal a process that may be ending just now."""
    try:
        os.kill(pid, signal_number)
    except ProcessLookupError:
        return


def reap(pid: int) -> None:
    """Take the exit status of a child of ours, so that no zombie stays while this program runs on."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def tail(log: Path, lines: int = 5) -> str:
    """Quote the last lines of a log, for an error message."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    last = [line for line in text.splitlines() if line.strip()][-lines:]
    return f" Last lines of {log}:\n  " + "\n  ".join(last) if last else ""


def python(module: str, *arguments: str) -> list[str]:
    """Build the command that runs a module with this Python."""
    return [sys.executable, "-m", module, *arguments]
