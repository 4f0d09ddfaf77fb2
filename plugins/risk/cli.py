"""The command line ``riskctl``: books and back-tests without a database, and the care of an installation.

Commands that need a warehouse read its connection from the environment, as Airflow does. In a clone ``./riskctl`` sets
these variables for the local stack (`devstack.riskctl`).
"""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import importlib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE
from rich.console import Console, JustifyMethod
from rich.progress import Progress
from rich.table import Table

from risk import __version__, cli_backup, cli_chain, cli_desk, cli_examine, cli_export, cli_limits, cli_map, cli_policy
from risk.cli_parts import (
    STANDARD_OUTPUT,
    Commands,
    JsonFlag,
    MappingOption,
    instant_of,
    print_table,
    read_settings_with,
    session_date_of,
    warehouse,
)
from risk.core.connections import WAREHOUSE_CONNECTION, postgres_dsn
from risk.core.desks import at_desk
from risk.core.errors import InputError, RequestError, RiskError
from risk.core.settings import read_settings

if TYPE_CHECKING:
    from risk.core.entities import Statements
    from risk.ingest.read import DropExecutions
    from risk.ingest.reasons import Notice
    from risk.ingest.rules import Reject
    from risk.model.backtest import BacktestRecord, CoverageChecks
    from risk.model.panel import Panel

app = typer.Typer(
    name="riskctl",
    cls=Commands,
    help="Daily loss limits for day traders: P&L, back-tests, and the care of an installation.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command(name="map")(cli_map.show_mapping)
app.command(name="verify")(cli_chain.verify_chain)
app.command()(cli_examine.examine)
app.command()(cli_export.export)
app.command()(cli_backup.backup)
app.command()(cli_backup.restore)
for command in (cli_desk.desk, cli_desk.traders, cli_desk.use, cli_desk.breaches):
    app.command()(command)
app.add_typer(cli_limits.app)
app.add_typer(cli_policy.app)
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

TRACK_RECORD_COLUMNS: dict[str, JustifyMethod] = {
    "account_id": "left",
    "sessions": "right",
    "cuts": "right",
    "prevented_usd": "right",
    "forgone_usd": "right",
    "net_usd": "right",
}


class ParameterSet(StrEnum):
    """Parameter sets of the known-truth generator."""

    strong = "strong"
    medium = "medium"
    weak = "weak"
    null = "null"


def _print_version(*, is_asked: bool) -> None:
    if is_asked:
        from risk.core.runs import code_version

        typer.echo(f"riskctl {__version__} (code {code_version()})")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    desk: Annotated[str, typer.Option("--desk", help="Which of the desks in RISK_DESKS.")] = "",
    *,
    version: Annotated[  # noqa: ARG001  (its callback prints it)
        bool,
        typer.Option(
            "--version",
            help="Print the release and exit.",
            callback=lambda value: _print_version(is_asked=value),
            is_eager=True,
        ),
    ] = False,
) -> None:
    """Daily loss limits for day traders: P&L, back-tests, and the care of an installation."""
    context.with_resource(at_desk(desk))


@app.command()
def pnl(
    fills: Annotated[Path, typer.Option(help="Folder of fills*.csv[.gz], with or without a manifest.")],
    marks: Annotated[
        Path | None, typer.Option(help="CSV of closing prices in place of the folder's marks*.csv.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(help="Use what was published until this instant (ISO 8601, UTC).")
    ] = None,
    mapping: MappingOption = "",
    *,
    adjustments: Annotated[
        bool,
        typer.Option("--adjustments", help="Add the column adjustments_usd: amounts booked outside trading."),
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Print daily P&L per account-session as CSV, warnings to standard error; rejected rows make the exit code 1."""
    from risk.books.notices import book_warnings
    from risk.books.session import account_sessions, exact_pnl
    from risk.ingest.read import read_drop, read_stated, with_multipliers

    settings = read_settings_with(mapping)
    drop = read_drop(fills, settings, instant_of(as_of))
    statements, rejected, noticed = read_stated(fills, settings, marks)
    instruments = with_multipliers(statements.instruments, drop.instruments)
    days = account_sessions(drop.executions, statements.marks, instruments, statements.splits)
    books = map(exact_pnl, days)
    rows = [{column: _plain(getattr(row, column)) for column in PNL_COLUMNS} for row in books]
    if adjustments:
        rows = _with_adjustments(rows, statements)
    _print_pnl(rows, (*PNL_COLUMNS, ADJUSTMENTS_COLUMN) if adjustments else PNL_COLUMNS, as_json=as_json)
    for sentence in book_warnings(days, drop.executions, statements.splits):
        typer.echo(sentence, err=True)
    _print_notices(drop, rejected, noticed)
    if drop.rejects or drop.incomplete or rejected:
        raise typer.Exit(1)


def _print_pnl(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(rows))
        return
    writer = csv.DictWriter(sys.stdout, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def _print_notices(drop: DropExecutions, rejected: Iterable[Reject], noticed: Iterable[Notice]) -> None:
    """Print rejected rows and warnings to standard error, grouped by their cause."""
    from risk.ingest.completeness import say_incomplete
    from risk.ingest.reasons import summarize

    rejects = summarize(reject.notice for reject in (*drop.rejects, *rejected))
    notices = summarize((*drop.notices, *noticed), "affected")
    for sentence in (*drop.unread, *rejects, *say_incomplete(drop.incomplete), *notices):
        typer.echo(sentence, err=True)


def _with_adjustments(rows: list[dict[str, str]], statements: Statements) -> list[dict[str, str]]:
    """Add amounts booked outside trading, and rows for account-sessions that have only these."""
    from risk.books.session import booked_adjustments

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
    """Write a simulated desk with known truth: fills in the vendor's format, closing prices, truth.csv (clone only)."""
    try:
        # Looked up only now: the package is part of a clone of the repository, not of an installation.
        writing = importlib.import_module("simulation.writing")
    except ModuleNotFoundError:
        raise RequestError("riskctl simulate needs a clone of the repository: run ./riskctl there.") from None
    writing.simulate(parameter_set.value, traders, sessions, seed, out)
    typer.echo(json.dumps({"folder": str(out)}) if as_json else f"Simulated desk written to {out}.")


@app.command()
def backtest(
    pnl_file: Annotated[Path | None, typer.Option("--pnl", help="CSV account_id,session_date,net_pnl_usd.")] = None,
    fills: Annotated[Path | None, typer.Option(help="Folder of fills: all features instead of those of P&L.")] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Print JSON; with a file behind it, write it there.")
    ] = None,
    plots: Annotated[Path | None, typer.Option(help="Folder that receives SVG plots; created if absent.")] = None,
) -> None:
    """Walk the forecast forward over past sessions, score it against every baseline and apply the gate.

    Rows of --pnl that are exactly 0 are days without trading: they are left out, and their number is printed.
    """
    from risk.core.money import counted
    from risk.ingest.file_names import MARKER
    from risk.limits.decide import cut_functions
    from risk.limits.policy import default_terms
    from risk.model.backtest import backtest_record, coverage_checks, panel_of_pnl, walk
    from risk.model.experts.prior import read_prior
    from risk.model.features import LEARNED_NAMES
    from risk.report.charts import draw_plots

    if (pnl_file is None) == (fills is None):
        raise RequestError("Name either --pnl FILE or --fills DIR.")
    panel, zero_count = panel_of_pnl(pnl_file) if pnl_file else (_panel_of_drop(fills or Path()), 0)
    if zero_count:
        said = f"{counted(zero_count, 'row')} of exactly 0 left out: a day without trading is not a P&L of zero."
        typer.echo(said, err=json_file == STANDARD_OUTPUT)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("Walking forward, one refit a week", total=1.0)
        given = read_prior(LEARNED_NAMES)
        history, forecasts = walk(panel, lambda share: progress.update(task, completed=share), given.prior)
    result, checks = (
        backtest_record(history, forecasts, cut_functions(default_terms())),
        coverage_checks(history, forecasts),
    )
    drawn = draw_plots(plots, history, forecasts, result, checks) if plots else ()
    if json_file == STANDARD_OUTPUT:
        typer.echo(json.dumps(result.facts(), allow_nan=False))
        return
    if json_file:
        _write_json(json_file, result.facts())
    origin = "simulated desk" if fills and (fills / MARKER).is_file() else "given history"
    _print_record(result, checks, origin)
    if given.reason:
        typer.echo(given.reason)
    for file in drawn:
        typer.echo(file)


def _write_json(file: Path, facts: dict[str, Any]) -> None:
    try:
        file.write_text(json.dumps(facts, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise RequestError(f"The result cannot be written to {file}: {error.strerror}. Name another file.") from None


def _panel_of_drop(folder: Path) -> Panel:
    from risk.ingest.read import fills_of, read_drop, read_stated, with_multipliers
    from risk.model.backtest import panel_of_fills

    settings = read_settings()
    drop = read_drop(folder, settings)
    stated, rejected, noticed = read_stated(folder, settings)
    _print_notices(drop, rejected, noticed)
    given = (stated.marks, with_multipliers(stated.instruments, drop.instruments), stated.splits, drop.incomplete)
    return panel_of_fills(list(fills_of(drop.executions)), *given)


def _print_record(result: BacktestRecord, checks: CoverageChecks, origin: str) -> None:
    """Print scores by model, best first, the back-tests of the calibrated forecast and the gate's verdict."""
    title = f"{result.forecast_count} forecasts of {result.session_count} sessions, one step ahead, {origin}"
    table = Table(title=title, box=SIMPLE, padding=(0, 1))
    for heading in ("model", "loss", "gain", "95% of gains", "exceed", "Kupiec", "Chr'sen"):
        table.add_column(heading, justify="left" if heading == "model" else "right")
    for name, score in sorted(result.models.items(), key=lambda item: item[1].loss):
        low, high = score.gain_interval
        p_values = (_p_value(score.kupiec_p), _p_value(score.christoffersen_p))
        numbers = (f"{score.loss:.4f}", f"{score.gain_vs_historical:+.1%}", f"{100 * low:+.1f}..{high:+.1%}")
        table.add_row(name, *numbers, f"{score.exceedance_rate:.1%}", *p_values)
    console = Console()
    console.print(table)
    if result.models:
        own = _p_value(result.models["calibrated"].kupiec_independent_p)
        said = f"Kupiec: p of whole sessions drawn again; were traders independent, that of calibrated would be {own}."
        console.print(said, highlight=False)
    for sentence in checks.sentences():
        console.print(sentence, highlight=False)
    kind = "Model-based" if result.gate["served"] == "model" else "Rule-based"
    console.print(f"{kind} limits would apply. {' '.join(result.gate['reasons'])}", highlight=False)


def _p_value(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


@app.command()
def watchdog(*, as_json: JsonFlag = False) -> None:
    """Check from outside Airflow whether today's report is out; email and print what is wrong.

    Exit code: 0 nothing is wrong, or no session today; 1 something is wrong and was emailed; 3 no email could be sent.
    """
    from risk.report.watchdog import notify, read_watched, run_checks

    watched = read_watched(os.environ)
    instant = dt.datetime.now(dt.UTC)
    findings = run_checks(watched, instant)
    sentences = [finding.sentence for finding in findings]
    typer.echo(json.dumps({"findings": sentences}) if as_json else "\n".join(sentences), nl=as_json or bool(sentences))
    if not findings:
        return
    try:
        faults = notify(watched, findings, instant, read_settings())
    except RiskError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(3) from None
    for fault in faults:
        typer.echo(fault, err=True)
    raise typer.Exit(1)


@app.command()
def doctor(*, as_json: JsonFlag = False) -> None:
    """Check everything that a daily run needs; exit code 1 with the next step if anything is not healthy."""
    from risk.report.doctor import Installation, examine

    diagnoses = list(examine(Installation(read_settings(), os.environ, dt.datetime.now(dt.UTC))))
    is_healthy = all(diagnosis.is_healthy for diagnosis in diagnoses)
    if as_json:
        facts = [{"subject": d.subject, "is_well": d.is_healthy, "sentence": d.sentence} for d in diagnoses]
        typer.echo(json.dumps({"is_well": is_healthy, "findings": facts}))
    else:
        console = Console()
        for diagnosis in diagnoses:
            mark = "[green]ok     [/]" if diagnosis.is_healthy else "[red]PROBLEM[/]"
            console.print(f"{mark} {diagnosis.subject:<10} {diagnosis.sentence}", highlight=False, soft_wrap=True)
    if not is_healthy:
        raise typer.Exit(1)


@app.command()
def migrate(*, as_json: JsonFlag = False) -> None:
    """Bring the warehouse's schema up to date, as its owner, and grant each role its privileges."""
    from risk.core.money import counted
    from risk.core.schema import Logins, migrate_as_owner

    settings = read_settings()
    warehouse_dsn = postgres_dsn(os.environ, WAREHOUSE_CONNECTION)
    logins = Logins(warehouse_dsn, settings.owner_dsn, settings.page_dsn, settings.reader_role)
    applied = migrate_as_owner(logins, settings.default_limit_usd)
    roles = {name: sorted(duties) for name, duties in logins.roles.duties.items()}
    if as_json:
        typer.echo(json.dumps({"applied": list(applied), "roles": roles}))
        return
    listed = ", ".join(f"{name} ({' and '.join(duties)})" for name, duties in roles.items())
    typer.echo(f"Applied {counted(len(applied), 'schema file')}. Roles: {listed}.")


@app.command()
def replay(
    session: Annotated[str, typer.Option("--session", help="Session whose report is built again, YYYY-MM-DD.")],
    as_of: Annotated[str, typer.Option("--as-of", help="then, or a timestamp; empty: as the report knew it.")] = "",
    *,
    as_json: JsonFlag = False,
) -> None:
    """Build a past report again and compare it with the stored one; exit code 1 if they differ."""
    from risk.core.calendar import next_session
    from risk.core.runs import resolve_as_of
    from risk.report.replay import replay as build_again

    session_date = session_date_of(session)
    instant = resolve_as_of(as_of, next_session(session_date), dt.datetime.now(dt.UTC))
    with warehouse() as connection:
        dsn = postgres_dsn(os.environ, WAREHOUSE_CONNECTION)
        found = build_again(connection, dsn, session_date, instant)
    facts = {
        "session_date": session,
        "as_of": found.as_of.isoformat(),
        "report_sha256": found.digest,
        "sha256": found.facts.sha256,
        "stored_sha256": found.stored_sha256,
        "is_equal": found.is_equal,
        "changed_accounts": list(found.changed_accounts),
    }
    typer.echo(json.dumps(facts) if as_json else found.sentence)
    if found.stored_sha256 is not None and not found.is_equal:
        raise typer.Exit(1)


@app.command()
def withdraw(
    account: Annotated[str, typer.Option("--account", help="Account whose delivery is wrong.")],
    session: Annotated[str, typer.Option("--session", help="Session it was delivered for, YYYY-MM-DD.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, in a sentence; it is kept with your name.")],
    *,
    undo: Annotated[bool, typer.Option("--undo", help="Let a withdrawn delivery count again.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Withdraw what was delivered for an account-session: it counts as missing until other content is delivered."""
    from risk.ingest.withdraw import withdraw as withdraw_delivery

    with warehouse() as connection:
        decided = (account, session_date_of(session), reason, dt.datetime.now(dt.UTC))
        sentence = withdraw_delivery(connection, *decided, is_undone=undo)
    typer.echo(json.dumps({"sentence": sentence}) if as_json else sentence)


@app.command()
def track_record(
    session: Annotated[str, typer.Option("--session", help="As known at this session's run; empty: now.")] = "",
    *,
    as_json: JsonFlag = False,
) -> None:
    """Print the track record of past cuts: the total and the tail with their controls, and each trader."""
    from risk.core.warehouse import records

    with warehouse() as connection:
        binds = {"session_date": session_date_of(session) if session else None}
        found = records(connection, "track_record/select_track_record", binds)
        if not found:
            raise RequestError("No run has settled past recommendations yet: run a session (make trigger DATE=).")
        settled = {"session_date": found[0]["session_date"], "as_of": found[0]["as_of"]}
        benefits = records(connection, "track_record/select_benefits", settled)
        by_trader = [row for row in benefits if row["account_id"] is not None]
    if as_json:
        typer.echo(json.dumps({**found[0], "traders": by_trader}, default=str))
        return
    for sentence in (*found[0]["sentences"], *found[0]["tail_sentences"]):
        typer.echo(sentence)
    amounts = ("prevented_usd", "forgone_usd", "net_usd")
    print_table(
        f"Sessions through {settled['session_date']}, US dollars",
        TRACK_RECORD_COLUMNS,
        (
            (
                row["account_id"],
                str(row["entry_count"]),
                str(row["cut_count"]),
                *(f"{row[name]:,.2f}" for name in amounts),
            )
            for row in by_trader
        ),
        {"account_id"},
    )


@contextlib.contextmanager
def exit_with_sentence() -> Iterator[None]:
    """Turn an error of ours into its sentence on standard error and exit code 2 for a wrong request, 1 otherwise."""
    try:
        yield
    except RiskError as error:
        typer.echo(str(error), err=True)
        sys.exit(2 if isinstance(error, (RequestError, InputError)) else 1)


def main() -> None:
    """Run the command line."""
    with exit_with_sentence():
        app(prog_name="riskctl")
