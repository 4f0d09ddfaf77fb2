"""The commands of the local stack, behind make: ``python -m devstack run|up|down|status|trigger|model|backfill``."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
from rich.console import Console

from devstack import processes, runs, stack
from devstack.environment import Desk, DeskKind, airflow_environment, choose_desk, desk_name
from devstack.stack import Stack
from devstack.terminal import COLORS, counting, follow_tasks, limits_table, step
from devstack.workspace import UI_USER, Workspace, load_secrets, read_json
from risk.cli import exit_with_sentence
from risk.core.connections import WAREHOUSE_CONNECTION, postgres_dsn
from risk.core.errors import RequestError, RiskError
from risk.core.exchange import exchange
from risk.core.settings import read_settings

app = typer.Typer(
    name="devstack",
    help="The local stack of this clone: Postgres, mail server and Airflow.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

CURRENT_WITHIN = dt.timedelta(days=14)
"""Data whose newest session is older are historical: `make up` does not schedule them."""

DateOption = Annotated[str, typer.Option("--date", help="Session, YYYY-MM-DD; empty: the last one in the data.")]
FillsOption = Annotated[str, typer.Option("--fills", help="Folder of the file drop; empty: the simulated desk.")]
AsOfOption = Annotated[
    str,
    typer.Option("--as-of", help="now, then (when the run was due), or a timestamp such as 2025-08-18T11:00Z."),
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Conf = dict[str, str | bool | None]


@app.command()
def run(
    session: DateOption = "",
    fills: FillsOption = "",
    as_of: AsOfOption = "",
    history: Annotated[str, typer.Option(help="1 = backdate a bulk import to the published_at of its manifest.")] = "",
) -> None:
    """Run the daily DAG once, print the report, stop what was started."""
    is_history = checked_switch(history, "HISTORY")
    workspace, console = Workspace(), Console()
    session_date, desk = checked_date(session), choose_desk(workspace, fills)
    prepare_desk(workspace, desk)
    session_date = session_date or newest_session_of(desk)
    check_early(session_date, as_of)
    signal.signal(signal.SIGTERM, raise_on_sigterm)
    try:
        with stack.in_use(workspace):
            run_once(workspace, run_conf(session_date, desk, as_of=as_of, is_history=is_history), desk, console)
    except KeyboardInterrupt:
        typer.echo("Interrupted: stopping what this command has started.", err=True)
        raise
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        stack.release(workspace)


@app.command()
def up(fills: FillsOption = "", *, as_json: JsonFlag = False) -> None:
    """Start Postgres, mail server and Airflow, and leave them running."""
    workspace = Workspace()
    desk = choose_desk(workspace, fills)
    prepare_desk(workspace, desk)
    desk = replace(desk, is_scheduled=is_current(desk, dt.datetime.now(dt.UTC)))
    with step(Console(stderr=True), "Starting Postgres, mail server and Airflow"):
        stack.start(workspace, desk, is_kept=True)
    status(as_json=as_json)


@app.command()
def down(*, as_json: JsonFlag = False) -> None:
    """Stop what this clone has started."""
    workspace = Workspace()
    was_running = False
    if workspace.records.is_dir():
        with workspace.exclusive():
            was_running = stack.stop_everything(workspace)
    sentence = "Stopped Airflow, mail server and Postgres." if was_running else "Nothing was running in this clone."
    typer.echo(json.dumps({"stopped": was_running}) if as_json else sentence)


@app.command()
def status(*, as_json: JsonFlag = False) -> None:
    """Show what runs, where the UI is and where its password is; exit code 1 unless everything runs."""
    workspace = Workspace()
    state = read_json(stack.state_file(workspace))
    names = state.get("services", [*stack.SERVICES, "postgres"])
    found = {name: processes.running(workspace.records / f"{name}.json") for name in sorted(names)}
    pids = {name: process.pid if process else None for name, process in found.items()}
    desk = stack.running_desk(workspace)
    facts = {
        "desk": desk,
        "schedule": state.get("schedule"),
        "url": stack.attach(workspace).url if desk else None,
        "user": UI_USER,
        "password_file": str(workspace.login),
        "processes": pids,
    }
    typer.echo(json.dumps(facts) if as_json else describe_status(workspace, facts, pids))
    if desk is None:
        raise typer.Exit(1)


@app.command()
def trigger(session: DateOption = "", fills: FillsOption = "") -> None:
    """Start one more daily run on the running Airflow and follow it."""
    workspace, console = Workspace(), Console()
    session_date = checked_date(session)
    check_early(session_date)
    with stack.in_use(workspace):
        running, kind = stack.attach(workspace), stack.running_desk(workspace)
        if fills and kind is DeskKind.simulated:
            raise RequestError("Airflow runs for the simulated desk: run make down, then make run FILLS=dir.")
        desk = choose_desk(workspace, fills) if fills else desk_of(workspace, kind)
        session_date = session_date or newest_session_of(desk)
        since = dt.datetime.now(dt.UTC)
        run_id = follow_run(running, run_conf(session_date, desk), console)
        print_report(workspace, runs.session_of(running.api, run_id), since, console)


@app.command()
def model(session: DateOption = "") -> None:
    """Train the model for the week of a session on the running Airflow."""
    workspace, console = Workspace(), Console()
    session_date = checked_date(session)
    with stack.in_use(workspace):
        running = stack.attach(workspace)
        desk = desk_of(workspace, stack.running_desk(workspace))
        train(running, session_date or newest_session_of(desk), console)


@app.command()
def backfill(
    first: Annotated[str, typer.Option("--from", help="First session, YYYY-MM-DD.")] = "",
    last: Annotated[str, typer.Option("--to", help="Last session, YYYY-MM-DD; empty: the first one only.")] = "",
    deliver: Annotated[str, typer.Option("--deliver", help="1 = email every report; empty: none.")] = "",
    as_of: AsOfOption = "",
) -> None:
    """Run a range of sessions on the running Airflow, one at a time, and follow it."""
    first_date = checked_date(first, "FROM")
    last_date = checked_date(last, "TO") or first_date
    if first_date is None or last_date is None or last_date < first_date:
        raise RequestError("Name the sessions, the first one first: make backfill FROM=2025-08-11 TO=2025-08-15.")
    workspace, console = Workspace(), Console()
    conf: Conf = {"deliver": checked_switch(deliver, "DELIVER"), "as_of": as_of or None}
    with stack.in_use(workspace):
        follow_backfill(stack.attach(workspace), first_date, last_date, console, conf)


def checked_date(text: str, name: str = "DATE") -> str | None:
    """Return an ISO date; nothing where the text is empty."""
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text).isoformat()
    except ValueError:
        raise RequestError(f"{name}={text} is not a date: write it as {name}=YYYY-MM-DD, such as 2025-08-15.") from None


def checked_switch(text: str, name: str) -> bool:
    """Return whether a variable of the command line is 1."""
    if text not in {"", "0", "1"}:
        raise RequestError(f"{name}={text} is neither 1 nor 0: write {name}=1, or leave it out.")
    return text == "1"


def check_early(session_date: str | None, as_of: str = "") -> None:
    """Check a request before Airflow is started, as the run itself will.

    Raises
    ------
    RequestError
        If the date is not a session that has happened, or ``as_of`` is not a timestamp in the past.
    """
    if session_date is None:
        return
    # Imported here: the exchange calendar takes a second.
    from risk.core.calendar import checked_session, next_session
    from risk.core.runs import resolve_as_of

    now = dt.datetime.now(dt.UTC)
    day = checked_session(dt.date.fromisoformat(session_date), now)
    resolve_as_of(as_of, next_session(day), now)


def prepare_desk(workspace: Workspace, desk: Desk) -> None:
    """Write the simulated desk's file drop if it is needed and missing."""
    if desk.kind is DeskKind.real or workspace.desk.is_dir():
        return
    from simulation.desk import write_desk

    workspace.prepare()
    unfinished = workspace.desk.with_name("desk.unfinished")
    with step(Console(stderr=True), "Simulating a desk"):
        write_desk(unfinished)
    unfinished.rename(workspace.desk)


def desk_of(workspace: Workspace, kind: DeskKind | None) -> Desk:
    """Return the desk that a running stack works on."""
    return Desk(kind or DeskKind.real, workspace.desk if kind is DeskKind.simulated else None)


def newest_session_of(desk: Desk) -> str | None:
    """Return the last session in the desk's data; nothing where they are not in a folder."""
    if desk.fills is None:
        return None
    from risk.ingest.read import newest_session

    return newest_session(desk.fills, read_settings()).isoformat()


def is_current(desk: Desk, now: dt.datetime) -> bool:
    """Return whether a desk still gets new sessions: a real desk whose newest session is recent.

    Simulated and historical data have no next session; a schedule would start a run without data every day.
    """
    if desk.kind is DeskKind.simulated:
        return False
    newest = newest_session_of(desk)
    return newest is None or dt.date.fromisoformat(newest) >= now.date() - CURRENT_WITHIN


def run_conf(session_date: str | None, desk: Desk, *, as_of: str = "", is_history: bool = False) -> Conf:
    """Build the parameters of a run that a person has requested."""
    return {
        "session_date": session_date,
        "fills": str(desk.fills) if desk.fills else None,
        "deliver": True,
        "as_of": as_of or None,
        "history": is_history or None,
    }


def run_once(workspace: Workspace, conf: Conf, desk: Desk, console: Console) -> None:
    """Start what is needed, run, print the report."""
    began = time.monotonic()
    with step(console, "Starting Postgres, mail server and Airflow"):
        running = stack.start(workspace, desk, is_kept=False)
    took_s = time.monotonic() - began
    console.print(f"Airflow for the {desk.kind} desk is up ({took_s:.1f} s): {running.url}", highlight=False)
    runs.await_dag(running)
    if not conf["as_of"]:
        prepare_model(workspace, running, desk, conf, console)
    since = dt.datetime.now(dt.UTC)
    run_id = follow_run(running, conf, console)
    print_report(workspace, runs.session_of(running.api, run_id), since, console)


def follow_run(running: Stack, conf: Conf, console: Console) -> str:
    """Start a run, print a line for each change, and return its id once it has succeeded."""
    runs.await_dag(running)
    run_id = runs.trigger(running.api, conf)
    console.print(f"Run {run_id}", highlight=False)
    try:
        follow_tasks(running.api, run_id, console)
    except KeyboardInterrupt:
        runs.cancel_run(running.api, run_id)
        raise
    runs.raise_for_failure(running.api, run_id)
    return run_id


def follow_backfill(running: Stack, first: str, last: str, console: Console, conf: Conf) -> None:
    """Start a backfill, print a line for each session that has ended, and explain the first failure."""
    runs.await_dag(running)
    backfill_id = runs.create_backfill(running.api, first, last, dict(conf))
    console.print(f"Backfill {backfill_id}: sessions {first} to {last}, one at a time", highlight=False)
    failed = []
    try:
        total = len(runs.runs_between(running.api, first, last))
        with counting(console, "Backfill", total) as count_one:
            for end in runs.follow_backfill(running.api, first, last):
                color = COLORS.get(end.state, "default")
                console.print(f"  {end.session_date} [{color}]{end.state}[/] {end.duration_s:7.1f} s", highlight=False)
                count_one()
                if end.state != "success":
                    failed.append(end.run_id)
    except KeyboardInterrupt:
        runs.cancel_backfill(running.api, backfill_id)
        raise
    for run_id in failed[:1]:
        runs.raise_for_failure(running.api, run_id)


def prepare_model(workspace: Workspace, running: Stack, desk: Desk, conf: Conf, console: Console) -> None:
    """Run the week before and train a model on it, so that the first run of the simulated desk has one.

    Nothing is emailed. A real desk's model is trained by its own weekly_model, or by ``make model``.
    """
    session_date = conf["session_date"]
    if desk.kind is not DeskKind.simulated or not isinstance(session_date, str) or has_model(workspace, session_date):
        return
    from risk.model.train import last_training_session

    week_before = last_training_session(dt.date.fromisoformat(session_date))
    if desk.fills is None or week_before < first_session(desk.fills):
        return
    console.print("No model is available yet: running the week before and training on it.", highlight=False)
    run_id = runs.trigger(running.api, {**conf, "session_date": week_before.isoformat(), "deliver": False})
    follow_tasks(running.api, run_id, console)
    runs.raise_for_failure(running.api, run_id)
    train(running, session_date, console)


def train(running: Stack, session_date: str | None, console: Console) -> None:
    """Run weekly_model for the week of a session, print a line for each change, and say why if nothing was trained."""
    runs.await_dag(running, runs.WEEKLY_MODEL)
    run_id = runs.trigger(running.api, {"session_date": session_date, "deliver": False}, runs.WEEKLY_MODEL)
    console.print(f"Training {run_id}", highlight=False)
    follow_tasks(running.api, run_id, console, runs.WEEKLY_MODEL)
    runs.raise_for_failure(running.api, run_id, runs.WEEKLY_MODEL)
    reason = runs.result_of(running.api, run_id, "train_model", runs.WEEKLY_MODEL)["reason"]
    if reason:
        console.print(f"  {reason}", highlight=False)


def first_session(folder: Path) -> dt.date:
    """Return the oldest session of a simulated desk."""
    from risk.ingest.file_names import MARKER
    from simulation.truth import sessions_through

    marker = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    return sessions_through(dt.date.fromisoformat(marker["last_session"]), marker["sessions"])[0]


def has_model(workspace: Workspace, session_date: str) -> bool:
    """Return whether a stored model is recent enough for a session's run."""
    from risk.core.warehouse import connect, records
    from risk.model.gate import OLDEST_SESSIONS

    desk = Desk(stack.last_desk(workspace), None)
    ports = {"api": 0, **read_json(workspace.ports)}
    environment = airflow_environment(workspace, load_secrets(workspace), desk, ports)
    binds = {"session_date": session_date, "as_of": dt.datetime.now(dt.UTC)}
    with contextlib.closing(connect(postgres_dsn(environment, WAREHOUSE_CONNECTION))) as warehouse:
        found = records(warehouse, "predict_limits/select_model_versions", binds)
    return bool(found) and found[0]["session_count"] <= OLDEST_SESSIONS


def print_report(workspace: Workspace, session_date: str, since: dt.datetime, console: Console) -> None:
    """Print the text report, and where its files and its email are."""
    root = Path(os.environ.get("RISK_REPORTS_DIR") or workspace.var / "reports")
    folder = root / desk_name(stack.last_desk(workspace), os.environ) / session_date
    text = folder / "report.txt"
    if not text.exists():
        raise RiskError(f"The run succeeded but {text} does not exist: read the log of send_report (make up).")
    typer.echo("\n" + text.read_text(encoding="utf-8"))
    console.print(limits_table((folder / "report.json").read_text(encoding="utf-8"), console.width))
    for name in runs.REPORT_FILES:
        if (folder / name).exists():
            console.print(str(folder / name), highlight=False, soft_wrap=True)
    for mail in runs.new_mails(workspace.mail, since):
        console.print(f"{mail} (the email)", highlight=False, soft_wrap=True)


def describe_status(workspace: Workspace, facts: Mapping[str, Any], pids: Mapping[str, int | None]) -> str:
    """Return the lines of ``make status``."""
    lines = [f"  {name:<14} {f'running, process {pid}' if pid else 'not running'}" for name, pid in pids.items()]
    if facts["url"]:
        lines.insert(0, f"Airflow for the {facts['desk']} desk: {facts['url']}")
        lines.append(
            f"  Runs every session at {exchange().run_at:%H:%M} {exchange().city}."
            if facts["schedule"] == "sessions"
            else "  Runs on request: make trigger DATE=, make backfill FROM= TO=. RISK_SCHEDULE=sessions schedules it."
        )
        lines.append(f"  Log in as {UI_USER}; the password is in {workspace.login}; logs are in {workspace.logs}.")
    else:
        lines.insert(0, "Airflow is not running. Run make up to start it.")
    return "\n".join(lines)


def raise_on_sigterm(signal_number: int, frame: FrameType | None) -> None:  # noqa: ARG001  (the signature of handlers)
    """Turn SIGTERM into what Ctrl-C does, so that nothing is left running."""
    raise KeyboardInterrupt


def main() -> None:
    """Run the command line."""
    with exit_with_sentence():
        app(prog_name="python -m devstack")
