"""The command line ``./riskctl``: books and simulated desks without a database, and the local stack."""

from __future__ import annotations

import csv
import datetime as dt
import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from risk.errors import InputError, RequestError, RiskError
from risk.stack.commands import app as stack_app
from risk.stack.operation import app as operation_app

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
        Path | None, typer.Option(help="CSV of closing prices; without it the last fill price serves.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(help="Use what was published until this instant (ISO 8601, UTC).")
    ] = None,
    *,
    as_json: JsonFlag = False,
) -> None:
    """Print daily P&L per account-session as CSV; rejected rows go to standard error and make the exit code 1."""
    from risk.fills import read_drop, read_marks
    from risk.pnl import daily_pnl

    executions, rejects = read_drop(fills, _instant(as_of))
    books = daily_pnl(executions, read_marks(marks) if marks else [])
    rows = [{column: _plain(getattr(row, column)) for column in PNL_COLUMNS} for row in books]
    if as_json:
        typer.echo(json.dumps(rows))
    else:
        writer = csv.DictWriter(sys.stdout, PNL_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    for reject in rejects:
        typer.echo(reject.reason, err=True)
    if rejects:
        raise typer.Exit(1)


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
    from risk.simulation import simulate as write_simulation

    write_simulation(parameter_set.value, traders, sessions, seed, out)
    typer.echo(json.dumps({"folder": str(out)}) if as_json else f"Simulated desk written to {out}.")


app.registered_commands.extend([*stack_app.registered_commands, *operation_app.registered_commands])


def main() -> None:
    """Run the command line; an error of ours is one sentence and exit code 2 for a wrong request, 1 otherwise."""
    try:
        app(prog_name="riskctl")
    except RiskError as error:
        typer.echo(str(error), err=True)
        sys.exit(2 if isinstance(error, (RequestError, InputError)) else 1)
