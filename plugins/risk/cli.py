"""The command line ``./riskctl``: books and simulated desks without a database, and the local stack."""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from devstack.clone import Clone
from devstack.commands import app as stack_app
from devstack.models import app as model_app
from devstack.operation import app as operation_app
from devstack.services import running_environment
from risk.core.errors import InputError, RequestError, RiskError

if TYPE_CHECKING:
    from risk.core.entities import Statements
    from risk.model.backtest_checks import Checks
    from risk.model.backtest_record import Record
    from risk.model.panel import Panel

app = typer.Typer(
    name="riskctl",
    help="The morning risk run: books, simulated desks and the local stack.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
PNL_COLUMNS = (
    "account_id",
    "session_date",
    "gross_pnl_usd",
    "fees_usd",
    "net_pnl_usd",
    "unrealized_pnl_usd",
    "unrealized_delta_usd",
    "total_pnl_usd",
)

ADJUSTMENTS_COLUMN = "adjustments_usd"

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


class ParameterSet(StrEnum):
    """Parameter sets of the known-truth generator."""

    strong = "strong"
    medium = "medium"
    weak = "weak"
    null = "null"


def _instant(text: str | None) -> dt.datetime | None:
    if text is None:
        return None
    try:
        instant = dt.datetime.fromisoformat(text)
    except ValueError:
        raise RequestError(f"--as-of {text!r} is no instant: write it as 2025-08-15T11:00:00+00:00.") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=dt.UTC)


@app.command()
def pnl(
    fills: Annotated[Path, typer.Option(help="Folder of fills*.csv[.gz], with or without a manifest.")],
    marks: Annotated[
        Path | None, typer.Option(help="CSV of closing prices in place of the folder's marks*.csv.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(help="Use what was published until this instant (ISO 8601, UTC).")
    ] = None,
    *,
    adjustments: Annotated[
        bool, typer.Option("--adjustments", help="One more column, adjustments_usd: booked beside trading, in no P&L.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Print daily P&L per account-session as CSV; rejected rows go to standard error and make the exit code 1."""
    from risk.books.session import daily_pnl
    from risk.ingest.reading import read_drop, read_stated

    executions, rejects = read_drop(fills, _instant(as_of))
    statements, rejected = read_stated(fills, marks)
    books = daily_pnl(executions, statements.marks, statements.instruments, statements.splits)
    rows = [{column: _plain(getattr(row, column)) for column in PNL_COLUMNS} for row in books]
    if adjustments:
        rows = _with_adjustments(rows, statements)
    if as_json:
        typer.echo(json.dumps(rows))
    else:
        columns = (*PNL_COLUMNS, ADJUSTMENTS_COLUMN) if adjustments else PNL_COLUMNS
        writer = csv.DictWriter(sys.stdout, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    for reject in (*rejects, *rejected):
        typer.echo(reject.reason, err=True)
    if rejects or rejected:
        raise typer.Exit(1)


def _with_adjustments(rows: list[dict[str, str]], statements: Statements) -> list[dict[str, str]]:
    """Add what was booked beside trading, with rows of their own for account-sessions that have no books."""
    from risk.books.adjustments import booked_adjustments

    booked = booked_adjustments(statements.adjustments)
    amounts = {(account_id, str(session_date)): amount for (account_id, session_date), amount in booked.items()}
    keyed = {(row["account_id"], row["session_date"]): row for row in rows}
    for key in amounts.keys() - keyed.keys():
        keyed[key] = dict.fromkeys(PNL_COLUMNS, "") | {"account_id": key[0], "session_date": key[1]}
    return [row | {ADJUSTMENTS_COLUMN: _plain(amounts.get(key))} for key, row in sorted(keyed.items())]


def _plain(value: Any) -> str:
    """Write exact decimals without exponent, dates in ISO, a missing value as nothing."""
    if value is None:
        return ""
    return f"{value:f}" if hasattr(value, "as_tuple") else str(value)


@app.command()
def simulate(
    parameter_set: Annotated[ParameterSet, typer.Option("--set", help="How much there is to predict.")],
    out: Annotated[Path, typer.Option(help="Folder to write; created if absent.")],
    traders: Annotated[int, typer.Option(min=1, help="Number of traders.")] = 12,
    sessions: Annotated[int, typer.Option(min=1, help="Number of sessions.")] = 130,
    seed: Annotated[int, typer.Option(help="Seed of the random numbers.")] = 1,
    *,
    as_json: JsonFlag = False,
) -> None:
    """Write a simulated desk with known truth: fills in API shape, marks, truth.csv."""
    from simulation.writing import simulate as write_simulation

    write_simulation(parameter_set.value, traders, sessions, seed, out)
    typer.echo(json.dumps({"folder": str(out)}) if as_json else f"Simulated desk written to {out}.")


@app.command()
def backtest(
    pnl_file: Annotated[Path | None, typer.Option("--pnl", help="CSV account_id,session_date,net_pnl_usd.")] = None,
    fills: Annotated[Path | None, typer.Option(help="Folder of fills: all features instead of those of P&L.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="File that receives the result as JSON.")] = None,
    plots: Annotated[Path | None, typer.Option(help="Folder that receives SVG plots; created if absent.")] = None,
) -> None:
    """Walk the forecast forward over past sessions and score it against every baseline; judge it by the gate."""
    from risk.ingest.sources.folder import MARKER
    from risk.model.backtest_checks import checks_of
    from risk.model.backtest_reading import panel_of_pnl
    from risk.model.backtest_record import record_of, walk
    from risk.report.backtest_plots import draw_plots

    if (pnl_file is None) == (fills is None):
        raise RequestError("Name either --pnl FILE or --fills DIR.")
    panel = panel_of_pnl(pnl_file) if pnl_file else _panel_of_drop(fills or Path())
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("Walking forward, one refit a week", total=1.0)
        history, forecasts = walk(panel, lambda share: progress.update(task, completed=share))
    result, checks = record_of(history, forecasts), checks_of(history, forecasts)
    if json_file:
        _write_json(json_file, result.facts())
    origin = "simulated desk" if fills and (fills / MARKER).is_file() else "given history"
    _print_record(result, checks, origin)
    for file in draw_plots(plots, history, forecasts, result, checks) if plots else ():
        typer.echo(file)


def _write_json(file: Path, facts: dict[str, Any]) -> None:
    try:
        file.write_text(json.dumps(facts, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise RequestError(f"The result cannot be written to {file}: {error.strerror}. Name another file.") from None


def _panel_of_drop(folder: Path) -> Panel:
    from risk.ingest.reading import read_drop, read_stated
    from risk.model.backtest_reading import panel_of_fills

    executions, rejects = read_drop(folder, None)
    stated, rejected = read_stated(folder, None)
    for reject in (*rejects, *rejected):
        typer.echo(reject.reason, err=True)
    return panel_of_fills(executions, stated.marks, stated.instruments, stated.splits)


def _print_record(result: Record, checks: Checks, origin: str) -> None:
    """Print scores by model, best first, the back-tests of the calibrated forecast and the gate's verdict."""
    title = f"{result.forecast_count} forecasts of {result.session_count} sessions, one step ahead, {origin}"
    table = Table(title=title, box=SIMPLE, padding=(0, 1))
    for heading in ("model", "loss", "gain", "95 % of gains", "breach", "Kupiec", "Chr'sen"):
        table.add_column(heading, justify="left" if heading == "model" else "right")
    for name, score in sorted(result.models.items(), key=lambda item: item[1].loss):
        low, high = score.gain_interval
        p_values = (_p_value(score.kupiec_p), _p_value(score.christoffersen_p))
        numbers = (f"{score.loss:.4f}", f"{score.gain_vs_historical:+.1%}", f"{100 * low:+.1f}..{high:+.1%}")
        table.add_row(name, *numbers, f"{score.breach:.1%}", *p_values)
    console = Console()
    console.print(table)
    for sentence in checks.sentences():
        console.print(sentence, highlight=False)
    served = "The model would serve" if result.gate["served"] == "model" else "Rules would serve"
    console.print(f"{served}: {'; '.join(result.gate['reasons'])}.", highlight=False)


def _p_value(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


@app.command()
def watchdog(*, as_json: JsonFlag = False) -> None:
    """Look from outside Airflow whether today's report is out; mail and print what is wrong.

    Exit code: 0 nothing is wrong, or no session today; 1 something is wrong and was mailed; 3 nobody could be told.
    """
    from risk.core.settings import read_settings
    from risk.report.watchdog import notify, read_watched, run_checks

    # The settings of mails are read from the environment too: those of the stack, where it is this clone's own.
    os.environ.update(running_environment(Clone()))
    watched = read_watched(os.environ)
    instant = dt.datetime.now(dt.UTC)
    findings = run_checks(watched, instant)
    sentences = [finding.sentence for finding in findings]
    typer.echo(json.dumps({"findings": sentences}) if as_json else "\n".join(sentences), nl=as_json or bool(sentences))
    if not findings:
        return
    try:
        notify(watched, findings, instant, read_settings())
    except RiskError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(3) from None
    raise typer.Exit(1)


for commands in (stack_app, model_app, operation_app):
    app.registered_commands.extend(commands.registered_commands)


def main() -> None:
    """Run the command line; an error of ours is one sentence and exit code 2 for a wrong request, 1 otherwise."""
    try:
        app(prog_name="riskctl")
    except RiskError as error:
        typer.echo(str(error), err=True)
        sys.exit(2 if isinstance(error, (RequestError, InputError)) else 1)
