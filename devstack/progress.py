"""Progress in a terminal: the current step with a clock; in a file or pipe only the lines that stay."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from devstack import runs
from risk.core.airflow_api import AirflowApi

COLORS = {"success": "green", "failed": "red", "upstream_failed": "red", "up_for_retry": "yellow", "running": "cyan"}


@contextlib.contextmanager
def step(console: Console, what: str) -> Iterator[Callable[[str], None]]:
    """Show the current step with a clock until the block ends; the yielded function names the next step."""
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        shown = progress.add_task(what, total=None)
        yield lambda text: progress.update(shown, description=text)


@contextlib.contextmanager
def counting(console: Console, what: str, total: int) -> Iterator[Callable[[], None]]:
    """Show how many of a known number are done; the yielded function adds one."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        shown = progress.add_task(what, total=total)
        yield lambda: progress.advance(shown)


def follow_tasks(api: AirflowApi, run_id: str, console: Console, dag_id: str = runs.DAILY_RISK) -> None:
    """Follow a run to its end and print a line for each change of a task."""
    with step(console, f"{dag_id} starts") as show:
        for change in runs.follow(api, run_id, dag_id):
            show(f"{dag_id}: {change.task_id} {change.state}")
            # The clock shows it already, and the line would stay.
            if change.state != "running" or not console.is_terminal:
                print_change(console, change)


def print_change(console: Console, change: runs.TaskChange) -> None:
    """Print one line for one task."""
    color = COLORS.get(change.state, "default")
    attempt = f" (attempt {change.try_number})" if change.try_number > 1 else ""
    took = f"{change.duration_s:7.1f} s" if change.duration_s is not None and change.state in runs.TASK_ENDED else ""
    console.print(f"  {change.task_id:<16} [{color}]{change.state}[/]{attempt} {took}".rstrip(), highlight=False)
