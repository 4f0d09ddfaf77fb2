"""The model of the week on the local stack: trained where a run would have none."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from devstack import runs, services
from devstack.clone import Clone
from devstack.commands import DateOption, checked_date, newest_session_of
from devstack.environment import WAREHOUSE_CONNECTION, Desk, DeskKind
from devstack.progress import follow_tasks
from devstack.warehouse import libpq_dsn
from risk.core.warehouse import connect, records
from risk.ingest.sources.folder import MARKER
from risk.model.train import last_training_session
from risk.model.versions import OLDEST_SESSIONS
from simulation.truth import sessions_through

app = typer.Typer()

DAG_ID = "weekly_model"


@app.command()
def model(session: DateOption = "") -> None:
    """Train the model for the week of a session on the running Airflow."""
    clone, console = Clone(), Console()
    session_date = checked_date(session)
    with services.in_use(clone):
        stack, kind = services.attach(clone), services.running_desk(clone)
        desk = Desk(kind or DeskKind.real, clone.desk if kind is DeskKind.simulated else None)
        train(stack, session_date or newest_session_of(desk), console)


def train(stack: services.Stack, session_date: str | None, console: Console) -> None:
    """Start the DAG for the week of a session, print a line for each change, and say why where nothing was trained."""
    runs.await_dag(stack, DAG_ID)
    run_id = runs.trigger(stack.api, {"session_date": session_date, "deliver": False}, DAG_ID)
    console.print(f"Training {run_id}", highlight=False)
    follow_tasks(stack.api, run_id, console, DAG_ID)
    runs.raise_for_failure(stack.api, run_id, DAG_ID)
    reason = runs.result_of(stack.api, run_id, "train_model", DAG_ID)["reason"]
    if reason:
        console.print(f"  {reason}", highlight=False)


def prepare(clone: Clone, stack: services.Stack, desk: Desk, conf: dict[str, Any], console: Console) -> None:
    """Give the first run of the simulated desk what a later one has: books of last week, and a model trained on them.

    Nothing is mailed. A desk of real fills is trained by its own weekly_model, or by ``make model``.
    """
    session_date = conf["session_date"]
    if desk.kind is not DeskKind.simulated or session_date is None or has_model(clone, session_date):
        return
    week_before = last_training_session(dt.date.fromisoformat(session_date))
    if desk.fills is None or week_before < first_session(desk.fills):
        return
    console.print("No model may serve yet: the week before is run, and a model trained on it.", highlight=False)
    earlier = {**conf, "session_date": week_before.isoformat(), "deliver": False}
    run_id = runs.trigger(stack.api, earlier)
    follow_tasks(stack.api, run_id, console)
    runs.raise_for_failure(stack.api, run_id)
    train(stack, session_date, console)


def first_session(folder: Path) -> dt.date:
    """Return the oldest session of a simulated desk."""
    marker = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    return sessions_through(dt.date.fromisoformat(marker["last_session"]), marker["sessions"])[0]


def has_model(clone: Clone, session_date: str) -> bool:
    """Tell whether a stored model is young enough for a session's run."""
    dsn = libpq_dsn(services.running_environment(clone)[WAREHOUSE_CONNECTION])
    binds = {"session_date": session_date, "as_of": dt.datetime.now(dt.UTC)}
    with contextlib.closing(connect(dsn)) as warehouse:
        found = records(warehouse, "predict_limits/select_model_versions", binds)
    return bool(found) and found[0]["session_count"] <= OLDEST_SESSIONS
