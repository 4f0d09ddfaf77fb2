"""What ``make run`` and its siblings show in a terminal: progress, tasks as they change, the limits of a report.

In a file or pipe only the lines that stay are printed, without the progress.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from rich import box
from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from devstack import runs
from risk.core.connections import AirflowApi
from risk.core.money import percent, signed_usd_cents, usd, usd_exact
from risk.report.facts import AccountFacts, Facts, parse_facts

COLORS = {"success": "green", "failed": "red", "upstream_failed": "red", "up_for_retry": "yellow", "running": "cyan"}
STYLES = {"high": "bold red", "moderate": "yellow", "low": "green"}

REASON_WIDTH = 120
"""Minimum width of the terminal for the column with the strongest reason."""


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


def limits_table(canonical: str, width: int) -> RenderableType:
    """Return the limits of a stored report as a table.

    Parameters
    ----------
    canonical
        Content of ``report.json``.
    width
        Columns of the terminal.
    """
    return Group(*_parts(parse_facts(canonical), has_reason=width >= REASON_WIDTH))


def _parts(facts: Facts, *, has_reason: bool) -> Iterator[RenderableType]:
    if facts.is_simulated:
        yield Text("SIMULATED DESK: all accounts and trades are simulated.", style="bold magenta")
    title = Text(f"Limits for {facts.effective_session}, based on fills through {facts.session_date}", style="bold")
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("Trader", overflow="fold")
    table.add_column("Level", no_wrap=True)
    for heading in ("Cut", "Base limit", "New limit", "95% VaR", "P&L"):
        table.add_column(heading, justify="right", no_wrap=True)
    if has_reason:
        table.add_column("Strongest reason", overflow="fold")
    for account in facts.accounts:
        reason = Text(next(iter(account.reasons), ""))
        table.add_row(*_cells(account), *([reason] if has_reason else []))
    yield table


def _cells(account: AccountFacts) -> tuple[Text, ...]:
    """Return the cells of a row, as Text so that names are not parsed as markup."""
    style = STYLES[account.level]
    return (
        Text(account.account_id),
        Text(account.level.upper(), style=style),
        Text(percent(account.cut_ratio)),
        Text(usd_exact(account.base_limit_usd)),
        Text(usd_exact(account.new_limit_usd), style=style if account.cut_ratio else ""),
        Text("none" if account.value_at_risk_usd is None else usd(account.value_at_risk_usd)),
        Text("unknown" if account.total_pnl_usd is None else signed_usd_cents(account.total_pnl_usd)),
    )
