"""Walks the seven steps of one small morning and counts what a reader meets on the way of a fill to the mail.

Two accounts, four CSV rows a day, from July 1 to August 15, 2025. A step counts the distinct first-party functions that
it calls (comprehensions and lambdas apart), their modules, and the statement files of ``include/sql`` that it runs
together with the schema functions that these call. As in the first count, a step is the function that its operator
delegates to, on a migrated warehouse, with settings read; other than then, the mail goes to a real server.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from psycopg2.extensions import make_dsn

SESSION = dt.date(2025, 8, 15)
FIRST_SESSION = dt.date(2025, 7, 1)
HEADER = "Date/Time,Account,B/S,Qty,Symbol,Price,Comm,Fill Id"
STEPS = (
    "extract_fills",
    "check_fills",
    "aggregate_pnl",
    "build_features",
    "predict_limits",
    "apply_rules",
    "send_report",
)
MEASURED_FIRST: Mapping[str, tuple[int, int, int]] = {
    "extract_fills": (79, 17, 47),
    "check_fills": (18, 3, 14),
    "aggregate_pnl": (104, 19, 25),
    "build_features": (59, 6, 6),
    "predict_limits": (77, 15, 9),
    "apply_rules": (52, 10, 13),
    "send_report": (70, 13, 18),
    "whole line": (374, 70, 127),
}
"""Functions, modules and statement files (no schema functions, no connection) before the layout of nine packages."""

PROJECT_DIR = Path(__file__).resolve().parents[1]
FIRST_PARTY = ("plugins", "dags", "devstack", "simulation")


@dataclass
class Footprint:
    """What a step has met: functions as pairs of file and name, statement files, schema functions."""

    functions: set[tuple[str, str]] = field(default_factory=set)
    statements: set[str] = field(default_factory=set)
    schema_functions: set[str] = field(default_factory=set)

    def __or__(self, other: Footprint) -> Footprint:
        return Footprint(
            self.functions | other.functions,
            self.statements | other.statements,
            self.schema_functions | other.schema_functions,
        )

    @property
    def counts(self) -> tuple[int, int, int]:
        """Functions, modules, and statement files with schema functions."""
        modules = {file for file, _ in self.functions}
        return len(self.functions), len(modules), len(self.statements) + len(self.schema_functions)


def measure(dsn: str, folder: Path) -> dict[str, tuple[int, int, int]]:
    """Walk on the server of ``dsn``, print the table and return functions, modules and SQL objects by step.

    With ``WALK_LIST=<step>`` in the environment the names met in that step are printed below the table.
    """
    footprints = walk(dsn, folder)
    whole = Footprint()
    for footprint in footprints.values():
        whole |= footprint
    footprints["whole line"] = whole
    print(f"{'step':15} {'functions':>15} {'modules':>15} {'SQL':>15}   statements + schema functions")
    for step, found in footprints.items():
        before = MEASURED_FIRST[step]
        cells = " ".join(f"{now:6} was {old:4}" for now, old in zip(found.counts, before, strict=True))
        parts = f"{len(found.statements)} + {len(found.schema_functions)}"
        print(f"{step:15} {cells}   {parts:>29}")
    listed = footprints.get(os.environ.get("WALK_LIST", ""))
    if listed:
        _print_names(listed)
    return {step: found.counts for step, found in footprints.items()}


def _print_names(found: Footprint) -> None:
    for module in sorted({file for file, _ in found.functions}):
        print(f"  {module}: {', '.join(sorted(name for file, name in found.functions if file == module))}")
    print(f"  statements: {', '.join(sorted(found.statements))}")
    print(f"  schema functions: {', '.join(sorted(found.schema_functions))}")


def walk(dsn: str, folder: Path) -> dict[str, Footprint]:
    """Run the seven steps on a small desk in a database of its own and trace each."""
    warehouse_dsn = _new_database(dsn)
    _configure(folder)
    from risk.core.schema import migrate
    from risk.core.warehouse import connect
    from tests.smtp_boxes import Box, served

    _import_everything()
    with contextlib.closing(connect(warehouse_dsn)) as connection:
        migrate(connection)
    _write_desk(folder / "drop")
    read = _record_statements()
    definitions = _schema_functions(warehouse_dsn)
    footprints = {}
    with served(Box()) as server, contextlib.closing(connect(warehouse_dsn)) as connection:
        for step, work in _steps(connection, warehouse_dsn, folder / "drop", server):
            read.clear()
            functions = _traced(work)
            statements = set(read)
            footprints[step] = Footprint(functions, statements, _called(statements, definitions))
    return footprints


def _new_database(dsn: str) -> str:
    import psycopg2

    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    connection.cursor().execute("create database walk")
    connection.close()
    return str(make_dsn(dsn, dbname="walk"))


def _configure(folder: Path) -> None:
    """Point Airflow and the settings to the folder; before either is imported."""
    os.environ |= {
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        "RISK_REPORTS_DIR": str(folder / "reports"),
        "RISK_SCRATCH_DIR": str(folder),
    }


def _import_everything() -> None:
    """Import the steps' modules, so that what runs at an import is not counted."""
    for path in sorted((PROJECT_DIR / "plugins" / "risk").rglob("*.py")):
        parts = path.relative_to(PROJECT_DIR / "plugins").with_suffix("").parts
        if "web" not in parts and parts[-1] not in {"__init__", "__main__"}:
            importlib.import_module(".".join(parts))


def _write_desk(drop: Path) -> None:
    """Write a file a session: each of two accounts buys 100 shares and sells them with a gain or a loss."""
    from risk.core.calendar import sessions_between

    drop.mkdir()
    sessions = sessions_between(FIRST_SESSION, SESSION)
    number = 0
    for day in sessions:
        lines = [HEADER]
        for account in ("NET001", "NET002"):
            for minute, (side, price) in enumerate((("B", 10.0), ("S", 10.5 if day.day % 3 else 9.0))):
                number += 1
                lines.append(f"{day:%m/%d/%Y} 10:{minute:02d}:00,{account},{side},100,XYZ,{price},0.5,{number}")
        (drop / f"fills_{day}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    marks = ["Date,Symbol,Price", *(f"{day},XYZ,10" for day in sessions)]
    (drop / "marks.csv").write_text("\n".join(marks) + "\n", encoding="utf-8")


def _steps(connection: Any, dsn: str, drop: Path, server: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield each step's name and its work on the run that the first one opens."""
    from risk.books.warehouse import aggregate
    from risk.checks.run import check_fills
    from risk.core.calendar import store_sessions
    from risk.core.runs import open_run
    from risk.core.settings import read_settings
    from risk.core.warehouse import writing
    from risk.ingest.load import load_drop
    from risk.ingest.poll import load_or_wait
    from risk.limits.decide import apply_rules, predict
    from risk.model.build_features import store_features
    from risk.report.page import Links
    from risk.report.send import send_report

    opened: list[Any] = []
    settings = read_settings()
    with writing(connection):
        store_sessions(connection)

    def extract() -> None:
        deadline = dt.datetime(2025, 8, 18, 12, 15, tzinfo=dt.UTC)
        load = load_or_wait(connection, SESSION, lambda: load_drop(connection, drop, SESSION, settings), deadline)
        opened.append(open_run(connection, SESSION, load.load_id, "scheduled__1"))

    yield STEPS[0], extract
    (run,) = opened
    works = (
        partial(check_fills, connection, dsn, run),
        partial(aggregate, connection, run),
        partial(store_features, connection, run),
        partial(predict, connection, run),
        partial(apply_rules, connection, run),
        partial(send_report, connection, run, server, Links(), settings),
    )
    yield from zip(STEPS[1:], works, strict=True)


def _traced(work: Callable[[], Any]) -> set[tuple[str, str]]:
    """Run some work and return the first-party functions that it called, in this thread or in one it started."""
    seen: set[tuple[str, str]] = set()
    roots = tuple(f"{PROJECT_DIR}/{name}/" for name in FIRST_PARTY)

    def profile(frame: FrameType, event: str, _argument: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(roots) and not code.co_name.startswith("<"):
            seen.add((code.co_filename.removeprefix(f"{PROJECT_DIR}/"), code.co_name))

    threading.setprofile(profile)
    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return seen


def _record_statements() -> set[str]:
    """Put a recorder in front of the one function that reads statement files, and return the names it will fill."""
    from risk.core import warehouse

    names: set[str] = set()
    original = warehouse.statement

    def statement(name: str) -> str:
        names.add(name)
        return original(name)

    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("risk") and getattr(module, "statement", None) is original:
            module.statement = statement  # type: ignore[attr-defined]
    return names


def _schema_functions(dsn: str) -> dict[str, str]:
    """Read the body of each function of the project's schemas by its name."""
    import psycopg2

    connection = psycopg2.connect(dsn)
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select pg_proc.proname, string_agg(coalesce(pg_proc.prosrc, '') || pg_get_functiondef(pg_proc.oid), ' ')"
            " from pg_proc inner join pg_namespace on pg_proc.pronamespace = pg_namespace.oid"
            " where pg_namespace.nspname not like 'pg_%' and pg_namespace.nspname <> 'information_schema'"
            " group by pg_proc.proname"
        )
        definitions = dict(cursor.fetchall())
    connection.close()
    return definitions


def _called(statements: set[str], definitions: Mapping[str, str]) -> set[str]:
    """Return the schema functions that statement files call, and those that these call in turn."""
    texts = [(PROJECT_DIR / "include" / "sql" / f"{name}.sql").read_text(encoding="utf-8") for name in statements]
    called: set[str] = set()
    while texts:
        code = re.sub(r"--.*", "", texts.pop())
        new = {name for name in definitions if name not in called and re.search(rf"\b{name}\s*\(", code)}
        called |= new
        texts += [definitions[name] for name in new]
    return called
