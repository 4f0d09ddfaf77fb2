"""The commands that start, use and stop the local stack."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console

from devstack import processes, runs, services
from devstack.clone import Clone, read_json
from devstack.environment import UI_USER, Desk, DeskKind, choose_desk, desk_name
from devstack.limits_table import limits_table
from devstack.progress import follow_tasks, working
from risk.core.errors import RequestError, RiskError

app = typer.Typer()
"""The commands of the local stack; ``risk.cli`` makes them part of ``riskctl``."""

LIVING_DAYS = dt.timedelta(days=14)
"""Data whose newest session is older are historical: `make up` does not schedule them by itself."""

DateOption = Annotated[str, typer.Option("--date", help="Session, YYYY-MM-DD; empty: the last one in the data.")]
FillsOption = Annotated[str, typer.Option("--fills", help="Folder of the file drop; empty: the simulated desk.")]
AsOfOption = Annotated[
    str,
    typer.Option("--as-of", help="now, then (07:00 New York of the morning), or an instant such as 2025-08-18T11:00Z."),
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def checked_date(text: str, name: str = "DATE") -> str | None:
    """Return an ISO date, or nothing where none was asked for."""
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text).isoformat()
    except ValueError:
        raise RequestError(f"{name}={text} is no date: write it as {name}=YYYY-MM-DD, such as 2025-08-15.") from None


def refuse_early(session_date: str | None, as_of: str = "") -> None:
    """Raise at once what the run itself would raise once Airflow is up.

    Raises
    ------
    RequestError
        If the date is no session that has happened, or ``as_of`` is no instant that has passed.
    """
    if session_date is None:
        return
    # Imported here: the exchange's calendar takes a second.
    from risk.core.calendar import checked_session, next_session
    from risk.core.runs import known_until

    now = dt.datetime.now(dt.UTC)
    day = checked_session(dt.date.fromisoformat(session_date), now)
    known_until(as_of, next_session(day), now)


def prepare_desk(clone: Clone, desk: Desk) -> None:
    """Write the simulated desk's file drop if it is asked for and not there."""
    if desk.kind is DeskKind.real or clone.desk.is_dir():
        return
    from simulation.desk import write_desk

    clone.prepare()
    unfinished = clone.desk.with_name("desk.unfinished")
    with working(Console(stderr=True), "Simulating a desk"):
        write_desk(unfinished)
    unfinished.rename(clone.desk)


def newest_session_of(desk: Desk) -> str | None:
    """Return the last session in the desk's data; nothing where it is not a folder that can be looked at."""
    if desk.fills is None:
        return None
    from risk.ingest.reading import newest_session

    return newest_session(desk.fills).isoformat()


def run_conf(
    session_date: str | None, desk: Desk, *, as_of: str = "", is_history: bool = False
) -> dict[str, str | bool | None]:
    """Build the parameters of a run that a person has asked for."""
    return {
        "session_date": session_date,
        "fills": str(desk.fills) if desk.fills else None,
        "deliver": True,
        "as_of": as_of or None,
        "history": is_history or None,
    }


def checked_switch(text: str, name: str) -> bool:
    """Return whether a variable of the command line is 1."""
    if text not in {"", "0", "1"}:
        raise RequestError(f"{name}={text} is neither 1 nor 0: write {name}=1, or leave it out.")
    return text == "1"


def follow_run(stack: services.Stack, conf: dict[str, str | bool | None], console: Console) -> str:
    """Start a run, print a line for each change, and return its id once it has succeeded."""
    runs.await_dag(stack)
    run_id = runs.trigger(stack.api, conf)
    console.print(f"Run {run_id}", highlight=False)
    try:
        follow_tasks(stack.api, run_id, console)
    except KeyboardInterrupt:
        runs.give_up(stack.api, run_id)
        raise
    runs.raise_for_failure(stack.api, run_id)
    return run_id


def print_report(clone: Clone, session_date: str, since: dt.datetime, console: Console) -> None:
    """Print the text report, and where its files and its mail lie."""
    folder = Path(os.environ.get("RISK_REPORTS_DIR") or clone.var / "reports")
    folder = folder / desk_name(services.last_desk(clone), os.environ) / session_date
    text = folder / "report.txt"
    if not text.exists():
        raise RiskError(f"The run succeeded but {text} is not there: look at send_report's log (make up).")
    typer.echo("\n" + text.read_text(encoding="utf-8"))
    console.print(limits_table((folder / "report.json").read_text(encoding="utf-8"), console.width))
    for name in runs.REPORT_FILES:
        if (folder / name).exists():
            console.print(str(folder / name), highlight=False, soft_wrap=True)
    for mail in runs.new_mails(clone.mail, since):
        console.print(f"{mail} (the mail)", highlight=False, soft_wrap=True)


def run_once(clone: Clone, conf: dict[str, str | bool | None], desk: Desk, console: Console) -> None:
    """Start what is needed, run, print the report."""
    began = time.monotonic()
    with working(console, "Starting Postgres, mail server and Airflow"):
        stack = services.start(clone, desk, is_kept=False)
    console.print(
        f"Airflow for the {desk.kind} desk is up ({time.monotonic() - began:.1f} s): {stack.url}", highlight=False
    )
    runs.await_dag(stack)
    if not conf["as_of"]:
        # Imported here: it is the one command that starts others.
        from devstack.models import prepare

        prepare(clone, stack, desk, conf, console)
    since = dt.datetime.now(dt.UTC)
    run_id = follow_run(stack, conf, console)
    print_report(clone, runs.session_of(stack.api, run_id), since, console)


@app.command()
def run(
    session: DateOption = "",
    fills: FillsOption = "",
    as_of: AsOfOption = "",
    history: Annotated[
        str, typer.Option(help="1 = what the manifest says was published counts as recorded then.")
    ] = "",
) -> None:
    """Run the daily line once, print the report, stop what was started."""
    is_history = checked_switch(history, "HISTORY")
    clone, console = Clone(), Console()
    session_date, desk = checked_date(session), choose_desk(Clone(), fills)
    prepare_desk(clone, desk)
    session_date = session_date or newest_session_of(desk)
    refuse_early(session_date, as_of)
    signal.signal(signal.SIGTERM, end_politely)
    try:
        with services.in_use(clone):
            run_once(clone, run_conf(session_date, desk, as_of=as_of, is_history=is_history), desk, console)
    except KeyboardInterrupt:
        typer.echo("Interrupted: stopping what this command has started.", err=True)
        raise
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        services.release(clone)


@app.command()
def up(fills: FillsOption = "", *, as_json: JsonFlag = False) -> None:
    """Start Postgres, mail server and Airflow, and leave them running."""
    clone = Clone()
    desk = choose_desk(clone, fills)
    prepare_desk(clone, desk)
    desk = replace(desk, is_scheduled=is_living(desk, dt.datetime.now(dt.UTC)))
    with working(Console(stderr=True), "Starting Postgres, mail server and Airflow"):
        services.start(clone, desk, is_kept=True)
    status(as_json=as_json)


def is_living(desk: Desk, now: dt.datetime) -> bool:
    """Tell whether a desk's data go on: a real desk whose newest session is not long ago.

    Simulated and historical data have no next morning; scheduling them would bring a run without data each day.
    """
    if desk.kind is DeskKind.simulated:
        return False
    newest = newest_session_of(desk)
    return newest is None or dt.date.fromisoformat(newest) >= now.date() - LIVING_DAYS


@app.command()
def down(*, as_json: JsonFlag = False) -> None:
    """Stop what this clone has started."""
    clone = Clone()
    had_any = False
    if clone.records.is_dir():
        with clone.exclusive():
            had_any = services.stop_everything(clone)
    sentence = (
        "Stopped Airflow, mail server and Postgres of this clone." if had_any else "Nothing of this clone was running."
    )
    typer.echo(json.dumps({"stopped": had_any}) if as_json else sentence)


@app.command()
def status(*, as_json: JsonFlag = False) -> None:
    """Show what runs, where the UI is and where its password lies; exit code 1 if it does not all run."""
    clone = Clone()
    state = read_json(clone.records / "stack.json")
    names = state.get("services", ["postgres", "mailbox", "scheduler", "api-server", "dag-processor"])
    found = {name: processes.running(clone.records / f"{name}.json") for name in sorted(names)}
    pids = {name: process.pid if process else None for name, process in found.items()}
    desk = services.running_desk(clone)
    url = services.attach(clone).url if desk else None
    facts = {
        "desk": desk,
        "schedule": state.get("schedule"),
        "url": url,
        "user": UI_USER,
        "password_file": str(clone.login),
        "processes": pids,
    }
    typer.echo(json.dumps(facts) if as_json else describe_status(clone, facts, pids))
    if desk is None:
        raise typer.Exit(1)


def describe_status(clone: Clone, facts: Mapping[str, object], pids: Mapping[str, int | None]) -> str:
    """Say in lines what runs."""
    lines = [f"  {name:<14} {f'runs, process {pid}' if pid else 'does not run'}" for name, pid in pids.items()]
    if facts["url"]:
        lines.insert(0, f"Airflow for the {facts['desk']} desk: {facts['url']}")
        lines.append(
            "  Runs by itself every session at 07:00 New York."
            if facts["schedule"] == "sessions"
            else "  Runs when asked: make trigger DATE=, make backfill FROM= TO=. RISK_SCHEDULE=sessions schedules it."
        )
        lines.append(f"  Log in as {UI_USER}; the password is in {clone.login}; logs are in {clone.logs}.")
    else:
        lines.insert(0, "Airflow does not run. Type make up to start it.")
    return "\n".join(lines)


@app.command()
def trigger(session: DateOption = "", fills: FillsOption = "") -> None:
    """Start one more daily run on the running Airflow and follow it."""
    clone, console = Clone(), Console()
    session_date = checked_date(session)
    refuse_early(session_date)
    with services.in_use(clone):
        stack, kind = services.attach(clone), services.running_desk(clone)
        if fills and kind is DeskKind.simulated:
            raise RequestError("Airflow runs for the simulated desk: type make down, then make run FILLS=dir.")
        is_simulated = kind is DeskKind.simulated
        desk = choose_desk(clone, fills) if fills else Desk(kind or DeskKind.real, clone.desk if is_simulated else None)
        session_date = session_date or newest_session_of(desk)
        since = dt.datetime.now(dt.UTC)
        run_id = follow_run(stack, run_conf(session_date, desk), console)
        print_report(clone, runs.session_of(stack.api, run_id), since, console)


def end_politely(signal_number: int, frame: FrameType | None) -> None:  # noqa: ARG001  (the signature of handlers)
    """Turn SIGTERM into what Ctrl-C does, so that nothing is left running."""
    raise KeyboardInterrupt
