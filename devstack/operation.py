"""Commands of daily operation: backfill, backup, restore, replay, traders, ledger, migrate, doctor."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console, JustifyMethod
from rich.markup import escape
from rich.table import Table

from devstack import backfill as backfills
from devstack import backup as backups
from devstack import doctor as doctors
from devstack import postgres, runs, services, warehouse
from devstack.clone import Clone, read_json
from devstack.commands import AsOfOption, JsonFlag, checked_date, checked_switch
from devstack.environment import WAREHOUSE_CONNECTION, load_secrets
from devstack.ports import kept_port
from devstack.progress import COLORS, counting
from devstack.warehouse import libpq_dsn
from risk.core.calendar import next_session
from risk.core.errors import RequestError
from risk.core.runs import known_until
from risk.core.settings import read_settings
from risk.core.warehouse import connect, records, rows

app = typer.Typer()

LEDGER_COLUMNS: dict[str, JustifyMethod] = {
    "account_id": "left",
    "sessions": "right",
    "cuts": "right",
    "prevented_usd": "right",
    "forgone_usd": "right",
    "net_usd": "right",
}

TRADER_COLUMNS: dict[str, JustifyMethod] = {
    "account_id": "left",
    "display_name": "left",
    "trading_day_count": "right",
    "latest_session_date": "left",
    "base_limit_usd": "right",
    "status": "left",
}
"""What a terminal shows of the roster; ``--json`` has everything."""

FileOption = Annotated[str, typer.Option("--file", help="The backup file.")]


@app.command()
def backfill(
    first: Annotated[str, typer.Option("--from", help="First session, YYYY-MM-DD.")] = "",
    last: Annotated[str, typer.Option("--to", help="Last session, YYYY-MM-DD; empty: the first one only.")] = "",
    deliver: Annotated[str, typer.Option("--deliver", help="1 = mail every report; empty: none.")] = "",
    as_of: AsOfOption = "",
) -> None:
    """Run a range of sessions on the running Airflow, one at a time, and follow it."""
    first_date = checked_date(first, "FROM")
    last_date = checked_date(last, "TO") or first_date
    if first_date is None or last_date is None or last_date < first_date:
        raise RequestError("Name the sessions, the first one first: make backfill FROM=2025-08-11 TO=2025-08-15.")
    clone, console = Clone(), Console()
    with services.in_use(clone):
        conf = {"deliver": checked_switch(deliver, "DELIVER"), "as_of": as_of or None}
        follow_backfill(services.attach(clone), first_date, last_date, console, conf)


def follow_backfill(stack: services.Stack, first: str, last: str, console: Console, conf: Mapping[str, object]) -> None:
    """Start a backfill, print a line for each session that has ended, and explain the first failure."""
    runs.await_dag(stack)
    backfill_id = backfills.create(stack.api, first, last, dict(conf))
    console.print(f"Backfill {backfill_id}: sessions {first} to {last}, one at a time", highlight=False)
    failed = []
    try:
        total = len(backfills.runs_between(stack.api, first, last))
        with counting(console, "Backfill", total) as count_one:
            for run in backfills.follow(stack.api, first, last):
                color = COLORS.get(run.state, "default")
                console.print(f"  {run.session_date} [{color}]{run.state}[/] {run.duration_s:7.1f} s", highlight=False)
                count_one()
                if run.state != "success":
                    failed.append(run.run_id)
    except KeyboardInterrupt:
        backfills.cancel(stack.api, backfill_id)
        raise
    for run_id in failed[:1]:
        runs.raise_for_failure(stack.api, run_id)


@app.command()
def backup(file: FileOption = "", *, as_json: JsonFlag = False) -> None:
    """Write the warehouses and Airflow's metadata into one file, while everything runs."""
    clone = Clone()
    moment = dt.datetime.now(dt.UTC)
    path = Path(file).absolute() if file else clone.var / "backups" / f"risk-{moment:%Y%m%dT%H%M%SZ}.tar"
    with embedded_server(clone) as dsn:
        digests = backups.back_up(dsn, services.DATABASES, path)
    sentence = f"{path} ({path.stat().st_size / 1e6:.1f} MB) holds {', '.join(digests)}. Keep it on another machine."
    typer.echo(json.dumps({"file": str(path), "sha256": digests}) if as_json else sentence)


@app.command()
def restore(file: FileOption = "", *, as_json: JsonFlag = False) -> None:
    """Put the databases of a backup in place of those of this clone; Airflow must be down."""
    if not file or not Path(file).is_file():
        raise RequestError(f"FILE={file} is no file: name a backup, make restore FILE=var/backups/risk-....tar.")
    clone = Clone()
    clone.prepare()
    if services.running_desk(clone) is not None:
        raise RequestError("Airflow runs, and a restore replaces what it works on: type make down first.")
    with embedded_server(clone) as dsn:
        names = backups.restore(dsn, Path(file).absolute())
    # Metadata of an older Airflow are migrated at the next start.
    (clone.postgres / "airflow-schema.json").unlink(missing_ok=True)
    typer.echo(json.dumps({"restored": names}) if as_json else f"Restored {', '.join(names)}. Type make up.")


@contextlib.contextmanager
def embedded_server(clone: Clone) -> Iterator[str]:
    """Give the superuser's connection to this clone's Postgres, started for the command if it does not run."""
    if WAREHOUSE_CONNECTION in os.environ:
        raise RequestError(
            f"{WAREHOUSE_CONNECTION} names a server of your own: back it up with its own pg_dump and pg_restore."
        )
    clone.prepare()
    with clone.exclusive():
        kept = load_secrets(clone)
        server = services.cluster(clone, kept)
        was_running = postgres.postmaster(server) is not None
        ports = clone.var / "ports.json"
        port = read_json(ports).get("postgres", 0) if was_running else services.start_postgres(clone, kept)
        try:
            yield server.dsn(port or kept_port(ports, "postgres"))
        finally:
            if not was_running:
                postgres.stop(server)


@app.command()
def replay(
    session: Annotated[str, typer.Option("--session", help="Session whose report is built again, YYYY-MM-DD.")],
    as_of: Annotated[str, typer.Option("--as-of", help="then, or an instant; empty: as the report knew it.")] = "",
    *,
    as_json: JsonFlag = False,
) -> None:
    """Build a past report again and compare it with the stored one; exit code 1 if they differ."""
    from risk.report.replay import replay as build_again

    session_date = dt.date.fromisoformat(checked_date(session, "--session") or "")
    instant = known_until(as_of, next_session(session_date), dt.datetime.now(dt.UTC))
    with warehouse_server(Clone()) as dsn, contextlib.closing(connect(dsn)) as connection:
        found = build_again(connection, dsn, session_date, instant, read_settings())
    facts = {
        "session_date": session,
        "as_of": found.as_of.isoformat(),
        "sha256": found.facts.sha256,
        "stored_sha256": found.stored_sha256,
        "is_equal": found.is_equal,
    }
    verdict = "nothing was reported then" if found.stored_sha256 is None else f"reported as {found.stored_sha256}"
    sentence = f"{found.facts.sha256}  as of {facts['as_of']}: {'equal to the report' if found.is_equal else verdict}"
    told, present = found.code_versions
    if not found.is_equal and told not in {None, present}:
        sentence += f" by the code {told}; this is {present}"
    typer.echo(json.dumps(facts) if as_json else sentence + ".")
    if found.stored_sha256 is not None and not found.is_equal:
        raise typer.Exit(1)


@app.command()
def traders(*, as_json: JsonFlag = False) -> None:
    """Print the roster: trading days, latest session, base limit and status of every account, as last run."""
    from risk.ingest.roster import newest_run, read_roster

    with warehouse_server(Clone()) as dsn, contextlib.closing(connect(dsn)) as connection:
        run = newest_run(connection)
        roster = read_roster(connection, run)
    if as_json:
        typer.echo(json.dumps([trader._asdict() for trader in roster], default=str))
        return
    desk = ", simulated desk" if run.is_simulated else ""
    table = Table(title=f"Accounts after session {run.session_date}, base limits for {run.effective_session}{desk}")
    for heading, justify in TRADER_COLUMNS.items():
        table.add_column(heading.removesuffix("_usd").replace("_", " "), justify=justify, overflow="fold")
    for trader in roster:
        table.add_row(*(escape(str(getattr(trader, name) or "")) for name in TRADER_COLUMNS))
    Console().print(table)


@app.command()
def ledger(
    session: Annotated[str, typer.Option("--session", help="As known with this session's run; empty: now.")] = "",
    *,
    as_json: JsonFlag = False,
) -> None:
    """Print what past cuts were worth, in all with the two controls and by trader."""
    with warehouse_server(Clone()) as dsn, contextlib.closing(connect(dsn)) as connection:
        found = records(
            connection, "track_record/select_track_record", {"session_date": checked_date(session, "--session")}
        )
        if not found:
            raise RequestError("No run has judged past recommendations yet: run a session (make trigger DATE=).")
        known = {"session_date": found[0]["session_date"], "as_of": found[0]["as_of"]}
        by_trader = [
            row for row in records(connection, "track_record/select_benefits", known) if row["account_id"] is not None
        ]
    if as_json:
        typer.echo(json.dumps({**found[0], "traders": by_trader}, default=str))
        return
    for sentence in found[0]["sentences"]:
        typer.echo(sentence)
    table = Table(title=f"Sessions up to {known['session_date']}, US dollars")
    for heading, justify in LEDGER_COLUMNS.items():
        table.add_column(heading.removesuffix("_usd").replace("_", " "), justify=justify, overflow="fold")
    for row in by_trader:
        amounts = (f"{row[name]:,.2f}" for name in ("prevented_usd", "forgone_usd", "net_usd"))
        table.add_row(escape(row["account_id"]), str(row["entry_count"]), str(row["cut_count"]), *amounts)
    Console().print(table)


@contextlib.contextmanager
def warehouse_server(clone: Clone) -> Iterator[str]:
    """Give the pipeline's connection to the warehouse; the clone's own server is started if it does not run."""
    with contextlib.ExitStack() as held:
        if WAREHOUSE_CONNECTION not in os.environ:
            held.enter_context(embedded_server(clone))
        dsn = libpq_dsn(doctors.patient_of(clone, os.environ, dt.datetime.now(dt.UTC)).warehouse_uri)
        with contextlib.closing(connect(dsn)) as connection:
            if not rows(connection, "migrate/select_tables"):
                raise RequestError("This warehouse has no tables yet: make run, or make up and make trigger, fill it.")
        yield dsn


@app.command()
def migrate(*, as_json: JsonFlag = False) -> None:
    """Bring a warehouse of your own up to date, as its owner, and grant the pipeline's role its privileges."""
    if WAREHOUSE_CONNECTION not in os.environ:
        raise RequestError(f"{WAREHOUSE_CONNECTION} names no warehouse: the embedded one is migrated by make up.")
    applied = warehouse.prepare(os.environ[WAREHOUSE_CONNECTION], None)
    typer.echo(json.dumps({"applied": list(applied)}) if as_json else f"{len(applied)} schema files applied.")


@app.command()
def doctor(*, as_json: JsonFlag = False) -> None:
    """Look at everything a morning run needs; exit code 1 if anything is not well."""
    patient = doctors.patient_of(Clone(), os.environ, dt.datetime.now(dt.UTC))
    findings = list(doctors.examine(patient))
    is_well = all(finding.is_well for finding in findings)
    if as_json:
        facts = [{"subject": f.subject, "is_well": f.is_well, "sentence": f.sentence} for f in findings]
        typer.echo(json.dumps({"is_well": is_well, "findings": facts}))
    else:
        console = Console()
        for finding in findings:
            mark = "[green]well[/]" if finding.is_well else "[red]NOT WELL[/]"
            console.print(f"{mark:<14} {finding.subject:<11} {finding.sentence}", highlight=False, soft_wrap=True)
    if not is_well:
        raise typer.Exit(1)
