"""What is frozen: tables of numbers by golden file, how they are computed, kept and compared.

A table is row name -> column name -> text of a number. Real data are kept as SHA-256 digests of such tables only.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.golden import drawing, drive

GOLDEN_DIR = Path(__file__).resolve().parent / "data"
REAL_DIR = Path(__file__).resolve().parents[3] / "shared" / "data" / "propreports"
REAL_DIGESTS = "real_digests"

Table = dict[str, dict[str, str]]

NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")

SIMULATED_SESSIONS = tuple(dt.date(2025, 8, day) for day in (4, 5, 6, 7, 8, 11, 12, 13, 14, 15))
TRAINED_AFTER = dt.date(2025, 8, 8)
"""The model of the week of 11 August serves the last five sessions."""

REAL_SESSIONS = tuple(dt.date(2025, 12, day) for day in (17, 18, 19, 22, 23, 24, 26, 29, 30, 31))
"""The supplied history is too short for a model: training refuses it."""

REAL_OPTIONS = {
    "plain": (),
    "adjustments": ("--adjustments",),
    "as of 2025-08-01": ("--as-of", "2025-08-01T00:00:00+00:00"),
    "as of 2025-10-15": ("--as-of", "2025-10-15T12:00:00+00:00"),
    "as of 2025-12-24": ("--as-of", "2025-12-24T10:00:00+00:00"),
}

BOOKED_PLANS = ("futures", "corrections", "renames", "everything")
"""Drawn desks that are loaded into a warehouse, too."""

KEYS = ("account_id", "session_date", "symbol", "file_name", "severity", "has_passed")
UNFROZEN = ("delivery_id", "run_id", "recorded_at")


def exact(value: Any) -> str | None:
    """Write a number, or a text that is one, in the one plain form; ``None`` for anything else."""
    if isinstance(value, bool) or value is None:
        return None
    if not isinstance(value, (str, int, float, Decimal)) or (isinstance(value, str) and not NUMBER.fullmatch(value)):
        return None
    number = Decimal(f"{value:.6g}" if isinstance(value, float) else value)
    whole, point, fraction = f"{number:f}".partition(".")
    return whole + (point + fraction).rstrip("0").rstrip(".") if number else "0"


def numbers_in(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Walk a JSON value; give the path and the text of each number in it, elements of lists by their account."""
    if isinstance(value, Mapping):
        for key in sorted(value):
            yield from numbers_in(value[key], f"{path}.{drive.FORMER_NAMES.get(key, key)}".lstrip("."))
    elif isinstance(value, list):
        names = [element.get("account_id") if isinstance(element, Mapping) else None for element in value]
        for number, element in enumerate(value):
            name = names[number] if names.count(names[number]) == 1 and names[number] else f"{number:02}"
            yield from numbers_in(element, f"{path}[{name}]")
    elif (number := exact(value)) is not None:
        yield path, number


def simulated(folder: Path, server_dsn: str) -> dict[str, Table]:
    """Compute the tables of the simulated desk of ``make run``."""
    desk = folder / "desk"
    drive.write_run_desk(desk)
    with ThreadPoolExecutor(1) as pool:
        # A process of its own: a hundred thousand fills, computed beside the sessions on the second core.
        printed = pool.submit(_printed_pnl, desk)
        with drive.warehouse(server_dsn, "golden_simulated") as dsn:
            outcome = drive.run_sessions(
                dsn, desk, SIMULATED_SESSIONS, folder / "reports", is_simulated=True, trained_after=(TRAINED_AFTER,)
            )
        tables = {"pnl": pnl_table(printed.result())} | outcome_tables(outcome)
    return {f"simulated_{name}": table for name, table in tables.items()}


def _printed_pnl(desk: Path) -> str:
    """Run ``riskctl pnl`` in a process of its own."""
    code = f"from pathlib import Path; from tests.golden import drive; print(drive.pnl_csv(Path({str(desk)!r})))"
    paths = f"import sys; sys.path[:0] = {[str(Path(path).resolve()) for path in sys.path if path]!r}; "
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", paths + code]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout.strip() + "\n"


def outcome_tables(outcome: drive.Outcome) -> dict[str, Table]:
    """Turn what the runs of some sessions have left into tables with a column for each session."""
    tables: dict[str, Table] = {}
    for name, row, session, number in _outcome_numbers(outcome):
        tables.setdefault(name, {}).setdefault(row, {})[session] = number
    return tables


def _outcome_numbers(outcome: drive.Outcome) -> Iterator[tuple[str, str, str, str]]:
    """Give table, row, session and text of each number that the runs have left."""
    for session, text in outcome.limits.items():
        for row, number in _limits(text):
            yield "limits", row, session, number
    for session, report in outcome.reports.items():
        for path, number in numbers_in(report):
            yield "report", path, session, number
    yield from _rows_numbers(outcome)


def _rows_numbers(outcome: drive.Outcome) -> Iterator[tuple[str, str, str, str]]:
    """Give the same of what the runs have left in the warehouse; forecasts to the cent."""
    for forecast in outcome.forecasts:
        row = f"{forecast['account_id']} {forecast['expert']}"
        yield "forecasts", row, str(forecast["effective_session"]), f"{forecast['quantile_05_usd']:.2f}"
    for card in outcome.cards:
        stated = {name: value for name, value in card["card"].items() if name != "versions"}
        for path, number in numbers_in({"pair_count": card["pair_count"], **stated}):
            yield "model_card", path, str(card["last_session_date"]), number
    for row in outcome.shipped:
        for name in ("adopted_cut_ratio", "shipped_cut_ratio"):
            yield "shipped_policy", f"{row['account_id']} {name}", str(row["session_date"]), exact(row[name]) or ""
    for entry in outcome.ledger:
        for name, number in numbers_in({name: value for name, value in entry.items() if name not in UNFROZEN}):
            yield "ledger", name, str(entry["session_date"]), number


def _limits(text: str) -> Iterator[tuple[str, str]]:
    """Give account and column, and the text as it is written, of each number of limits.csv."""
    for row in csv.DictReader(text.splitlines()):
        for name, value in row.items():
            if NUMBER.fullmatch(value):
                yield f"{row['account_id']} {drive.FORMER_NAMES.get(name, name)}", value


def pnl_table(text: str) -> Table:
    """Turn what ``riskctl pnl`` prints into a table, every number as it is written."""
    table: Table = {}
    for row in csv.DictReader(text.splitlines()):
        table[f"{row.pop('account_id')} {row.pop('session_date')}"] = row
    return table


def streams(folder: Path) -> dict[str, Table]:
    """Compute the digests of what ``riskctl simulate`` writes for each set: the streams of random numbers."""
    digests: Table = {}
    for set_name in ("strong", "medium", "weak", "null"):
        drive.write_simulation(set_name, 4, 6, 7, folder / set_name)
        for path in sorted((folder / set_name).glob("*.csv")):
            digests[f"{set_name} {path.name}"] = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    return {"streams_simulate": digests}


def drawn(plan: drawing.Plan, folder: Path, server_dsn: str) -> dict[str, Table]:
    """Compute the tables of a drawn desk: ``riskctl pnl``, refused lines, and the warehouse's books of some."""
    desk = folder / plan.name
    drawing.write_desk(plan, desk)
    tables = {"pnl": pnl_table(drive.pnl_csv(desk, "--adjustments"))}
    if plan.has_manifest:
        as_of = f"{plan.sessions[-4]}T22:00:00+00:00"
        tables["pnl_as_of"] = pnl_table(drive.pnl_csv(desk, "--as-of", as_of))
    refused = drive.refused_lines(desk)
    if refused:
        tables["refused"] = {name: {"lines": " ".join(map(str, lines))} for name, lines in sorted(refused.items())}
    if plan.name in BOOKED_PLANS:
        dates = (plan.sessions[-4], plan.sessions[-1])
        with drive.warehouse(server_dsn, f"golden_{plan.name}") as dsn:
            loaded = drive.load_books(dsn, desk, dates, folder / "reports")
        tables |= {name: rows_table(rows) for name, rows in loaded.items() if rows}
    return {f"drawn_{plan.name}_{name}": table for name, table in tables.items()}


def rows_table(rows: Iterable[Mapping[str, Any]]) -> Table:
    """Turn rows of the warehouse into a table, named by their keys; a list becomes one text of its numbers."""
    table: Table = {}
    for row in rows:
        name = " ".join(str(row[key]) for key in KEYS if key in row)
        table[name] = {
            column: " ".join(number for _, number in numbers_in(value))
            for column, value in row.items()
            if column not in (*KEYS, *UNFROZEN) and any(numbers_in(value))
        }
    return table


def real(folder: Path, server_dsn: str) -> dict[str, Table]:
    """Compute the digests of the real executions; no number of theirs leaves this function."""
    digests: dict[str, dict[str, str]] = {}
    for name, options in REAL_OPTIONS.items():
        text = drive.pnl_csv(REAL_DIR, *options)
        digests[f"riskctl pnl, {name}"] = {"sha256": hashlib.sha256(text.encode()).hexdigest()}
    with drive.warehouse(server_dsn, "golden_real") as dsn:
        outcome = drive.run_sessions(dsn, REAL_DIR, REAL_SESSIONS, folder / "real_reports", is_simulated=False)
    for name, table in outcome_tables(outcome).items():
        for session in sorted({column for columns in table.values() for column in columns}):
            own = {row: columns[session] for row, columns in table.items() if session in columns}
            digests[f"{name} {session}"] = {"sha256": hashlib.sha256(canonical(own).encode()).hexdigest()}
    return {REAL_DIGESTS: digests}


def canonical(value: Any) -> str:
    """Write a value as the one JSON text that is hashed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def write(name: str, table: Table) -> None:
    """Keep a table as a golden file."""
    columns = list(dict.fromkeys(column for row in table.values() for column in row))
    if all(re.fullmatch(r"\d{4}-\d{2}-\d{2}", column) for column in columns):
        columns.sort()
    GOLDEN_DIR.mkdir(exist_ok=True)
    with (GOLDEN_DIR / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["", *columns], restval="absent", lineterminator="\n")
        writer.writeheader()
        writer.writerows({"": row, **columns} for row, columns in sorted(table.items()))


def read(name: str) -> Table:
    """Read a golden file."""
    with (GOLDEN_DIR / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row[""]: {column: text for column, text in row.items() if column and text != "absent"} for row in rows}


def differences(name: str, golden: Table, found: Table) -> list[str]:
    """List in sentences every number that is not what it was."""
    sentences = []
    for row in sorted(golden.keys() | found.keys()):
        before, now = golden.get(row, {}), found.get(row, {})
        sentences += [
            f"{name}: {row}, {column}: was {before.get(column, 'absent')}, is {now.get(column, 'absent')}"
            for column in sorted(before.keys() | now.keys())
            if before.get(column) != now.get(column)
        ]
    return sentences
