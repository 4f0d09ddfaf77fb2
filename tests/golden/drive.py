"""The only file of the golden tests that imports the product: a change of its names is followed here, nowhere else.

What the functions return are plain texts, dicts and tuples under the names that the golden files use. Where the
product renames a key or a column, ``FORMER_NAMES`` maps the new name to the golden one.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from psycopg2.extensions import make_dsn
from typer.testing import CliRunner

from devstack.postgres import temporary_cluster
from risk.books.warehouse import aggregate
from risk.checks.run import check_fills
from risk.cli import app
from risk.core import calendar, schema
from risk.core import warehouse as database
from risk.core.errors import QualityError
from risk.core.policy_document import default_policy
from risk.core.runs import Run, open_run
from risk.core.settings import Settings, read_settings
from risk.ingest.load import load_drop
from risk.ingest.read import read_drop, read_stated
from risk.limits.decide import apply_rules, decide, predict, read_inputs
from risk.limits.policy import read_terms
from risk.model.build_features import store_features
from risk.model.train import train
from risk.report.page import Links
from risk.report.send import send_report
from simulation.desk import write_desk
from simulation.writing import simulate
from tests.databases import create_database, drop_database
from tests.policies import CUT_FUNCTIONS, adopt

FORMER_NAMES: dict[str, str] = {
    "adds_to_loser_count": "enlarging_fill_count",
    "side_conflicts": "odd_fills",
    "input_fingerprint": "delivery_id",
    "exceedance_rate": "breach",
    "exceedance_count": "breach_count",
}
"""New name to golden name, for keys of report.json and columns of tables and CSV files."""

FORECASTS = "select account_id, effective_session, expert, quantile_05_usd from derived.forecasts"
CARDS = "select last_session_date, pair_count, card from risk.model_versions order by model_id"
LEDGER = (
    "select runs.session_date, cut_track_records.* from results.cut_track_records inner join risk.runs using (run_id)"
)
DAILY_PNL = "select * from derived.daily_pnl order by account_id, session_date"
POSITIONS = "select * from derived.positions order by account_id, session_date, symbol"
FILL_COUNTS = (
    "select account_id, session_date, count(*) from risk.current_fills('infinity') group by 1, 2 order by 1, 2"
)
REFUSED = (
    "select file_name, to_jsonb(array_agg(line_number order by line_number)) as refused_lines, count(*) "
    "from risk.fill_rejects group by 1 order by 1"
)
FILE_COUNTS = (
    "select file_name, sum(row_count) as row_count, sum(loaded_count) as loaded_count, "
    "sum(rejected_count) as rejected_count, sum(duplicate_count) as duplicate_count, "
    "sum(unchanged_count) as unchanged_count, sum(deferred_count) as deferred_count "
    "from risk.source_files group by 1 order by 1"
)
VERDICTS = (
    "select runs.session_date, severity, has_passed, count(*) "
    "from results.quality_results inner join risk.runs using (run_id) "
    "where not has_passed group by 1, 2, 3 order by 1, 2, 3"
)
"""Findings only: how many rules pass says how many rules there are."""

Rows = list[dict[str, Any]]


@dataclass
class Outcome:
    """What the runs of some sessions have left: files by session, rows of the warehouse."""

    limits: dict[str, str] = field(default_factory=dict)
    reports: dict[str, dict[str, Any]] = field(default_factory=dict)
    forecasts: Rows = field(default_factory=list)
    cards: Rows = field(default_factory=list)
    ledger: Rows = field(default_factory=list)
    shipped: Rows = field(default_factory=list)


def pnl_csv(folder: Path, *options: str) -> str:
    """Run ``riskctl pnl`` on a folder and give what it prints."""
    result = CliRunner().invoke(app, ["pnl", "--fills", str(folder), *options])
    if result.exit_code not in (0, 1) or (result.exception and not isinstance(result.exception, SystemExit)):
        raise AssertionError(f"riskctl pnl {folder} ended with {result.exit_code}: {result.exception!r}")
    header, newline, body = result.stdout.partition("\n")
    names = ",".join(FORMER_NAMES.get(name, name) for name in header.split(","))
    return names + newline + body


def refused_lines(folder: Path) -> dict[str, list[int]]:
    """Read a folder without a warehouse and give the numbers of the lines that were refused, by file."""
    lines: dict[str, list[int]] = {}
    for reject in (*read_drop(folder, Settings())[1], *read_stated(folder, Settings())[1]):
        lines.setdefault(reject.file_name, []).append(reject.line_number)
    return {name: sorted(numbers) for name, numbers in lines.items()}


def write_run_desk(folder: Path) -> None:
    """Write the simulated desk of ``make run``."""
    write_desk(folder)


def write_simulation(set_name: str, traders: int, session_count: int, seed: int, folder: Path) -> None:
    """Write what ``riskctl simulate`` writes."""
    simulate(set_name, traders, session_count, seed, folder)


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Run a throw-away Postgres in a folder and give its connection string."""
    with temporary_cluster(folder) as dsn:
        yield dsn


@contextlib.contextmanager
def warehouse(server_dsn: str, name: str) -> Iterator[str]:
    """Give a fresh, migrated database with the calendar stored, and drop it afterwards."""
    name = f"{name}_{os.getpid()}"
    create_database(server_dsn, name, "template1")
    dsn = make_dsn(server_dsn, dbname=name)
    try:
        with contextlib.closing(database.connect(dsn)) as connection:
            schema.migrate(connection)
            with database.writing(connection):
                calendar.store_sessions(connection)
        yield dsn
    finally:
        drop_database(server_dsn, name)


@contextlib.contextmanager
def _settings_of(reports: Path, *, is_simulated: bool) -> Iterator[None]:
    """Let the product's settings be the defaults, but for the folder of reports and the kind of desk."""
    kept = {name: value for name, value in os.environ.items() if name.startswith("RISK_")}
    for name in kept:
        del os.environ[name]
    own = {"RISK_REPORTS_DIR": str(reports), "RISK_DESK": "simulated" if is_simulated else "desk"}
    os.environ.update(own)
    try:
        yield
    finally:
        for name in own:
            del os.environ[name]
        os.environ.update(kept)


def run_sessions(
    dsn: str,
    folder: Path,
    dates: Sequence[dt.date],
    reports: Path,
    *,
    is_simulated: bool,
    trained_after: Collection[dt.date] = (),
) -> Outcome:
    """Run the whole line for sessions in order, in one warehouse, and train the week's model after some of them."""
    outcome = Outcome()
    with (
        _settings_of(reports, is_simulated=is_simulated),
        contextlib.closing(database.connect(dsn)) as connection,
    ):
        adopt(connection)
        for date in dates:
            run = _books(connection, dsn, folder, date, is_simulated=is_simulated)
            store_features(connection, run)
            predict(connection, run)
            apply_rules(connection, run)
            outcome.shipped += _decided_otherwise(connection, run)
            links = Links(run_url="/dags/daily_risk/runs/golden")
            folder_of_report = send_report(connection, run, None, links, read_settings()).folder
            outcome.limits[str(date)] = (folder_of_report / "limits.csv").read_text(encoding="utf-8")
            outcome.reports[str(date)] = json.loads((folder_of_report / "report.json").read_text(encoding="utf-8"))
            if date in trained_after:
                trained = train(connection, date, f"golden__{date}", CUT_FUNCTIONS)
                assert trained.content_sha256 is not None, trained.reason
        outcome.forecasts, outcome.cards, outcome.ledger = (
            _records(connection, query) for query in (FORECASTS, CARDS, LEDGER)
        )
    return outcome


def _decided_otherwise(connection: Any, run: Run) -> Rows:
    """Decide a morning again by the shipped policy; give the cuts that differ from those of the adopted one."""
    terms = read_terms(connection, run.effective_session, run.as_of)
    adopted, shipped = (
        {row["account_id"]: row for row in decide(read_inputs(connection, run, tried))}
        for tried in (terms, replace(terms, document=default_policy()))
    )
    return [
        {
            "session_date": run.session_date,
            "account_id": name,
            "adopted_cut_ratio": adopted[name]["cut_ratio"],
            "shipped_cut_ratio": row["cut_ratio"],
        }
        for name, row in shipped.items()
        if (row["cut_ratio"], row["level"]) != (adopted[name]["cut_ratio"], adopted[name]["level"])
    ]


def load_books(dsn: str, folder: Path, dates: Sequence[dt.date], reports: Path) -> dict[str, Rows]:
    """Load, check and aggregate sessions in order; give books and counts as the warehouse has them."""
    queries = {
        "daily_pnl": DAILY_PNL,
        "positions": POSITIONS,
        "fill_counts": FILL_COUNTS,
        "refused_lines": REFUSED,
        "file_counts": FILE_COUNTS,
        "verdicts": VERDICTS,
    }
    with _settings_of(reports, is_simulated=False), contextlib.closing(database.connect(dsn)) as connection:
        for date in dates:
            _books(connection, dsn, folder, date, is_simulated=False)
        return {name: _records(connection, query) for name, query in queries.items()}


def _books(connection: Any, dsn: str, folder: Path, date: dt.date, *, is_simulated: bool) -> Run:
    load = load_drop(connection, folder, date, Settings(desk="simulated" if is_simulated else "desk"))
    assert load.quarantined == (), load.quarantined
    run = open_run(connection, date, load.load_id, f"golden__{date}")
    # Verdicts are stored before the check raises; a drawn desk may hold more bad rows than a morning would bear.
    with contextlib.suppress(QualityError):
        check_fills(connection, dsn, run)
    aggregate(connection, run)
    return run


def _records(connection: Any, query: str) -> Rows:
    with connection, connection.cursor() as cursor:
        cursor.execute(query)
        names = [FORMER_NAMES.get(column.name, column.name) for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
