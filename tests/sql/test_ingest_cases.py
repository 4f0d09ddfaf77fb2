"""Small inputs as brokers write them, with the right answers: the warehouse and `riskctl pnl` both give these."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from risk.books.warehouse import aggregate
from risk.checks.run import check_fills
from risk.cli import app
from risk.core.errors import QualityError, RiskError
from risk.core.runs import open_run
from risk.core.settings import Settings
from risk.core.warehouse import Connection
from risk.ingest.load import load_drop

CASES_DIR = Path(__file__).resolve().parents[3] / "shared" / "data" / "cases"
LAST_SESSION = dt.date(2025, 8, 18)
NOTED = (
    "select reason from risk.source_files where reason is not null",
    "select reason from risk.fill_rejects",
    "select message from results.quality_results where not has_passed",
    "select incomplete_reason from derived.daily_pnl where incomplete_reason is not null",
)
"""Where the warehouse keeps what it says about an input."""

Cells = dict[str, dict[str, dict[str, str]]]
"""Account to session to column to cell; blank = unknown."""


def _cases() -> list[Any]:
    listed = CASES_DIR / "cases.json"
    if not listed.is_file():
        return [pytest.param({}, marks=pytest.mark.skip(f"The cases are not at {CASES_DIR}."), id="no-cases")]
    return [pytest.param(case, id=case["name"]) for case in json.loads(listed.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("case", _cases())
def test_riskctl_pnl_gives_the_right_answer(case: dict[str, Any]) -> None:
    result = CliRunner().invoke(app, ["pnl", "--fills", str(CASES_DIR / case["name"])])

    cells: Cells = {}
    for row in csv.DictReader(result.stdout.splitlines()):
        cells.setdefault(row["account_id"], {})[row["session_date"]] = row
    assert list(_wrong_cells(case, cells)) == []
    said = result.stderr + str(result.exception or "")
    assert [word for word in case["says"] if word not in said] == []


@pytest.mark.parametrize("case", _cases())
def test_warehouse_gives_the_right_answer(case: dict[str, Any], connection: Connection, warehouse_dsn: str) -> None:
    session_date, said = _last_session(case), []
    try:
        load = load_drop(connection, CASES_DIR / case["name"], session_date, Settings())
        run = open_run(connection, session_date, load.load_id, "test")
        with contextlib.suppress(QualityError):
            check_fills(connection, warehouse_dsn, run)
        aggregate(connection, run)
    except RiskError as error:
        said.append(str(error))

    assert list(_wrong_cells(case, _stored_cells(connection))) == []
    said += _noted(connection)
    assert [word for word in case["says"] if not any(word in text for text in said)] == []


def _last_session(case: dict[str, Any]) -> dt.date:
    """Return the last session that the case names, else that of its executions; earlier books come with it."""
    named = {session_date for sessions in case["expect"].values() for session_date in sessions}
    return LAST_SESSION if "sum" in named else dt.date.fromisoformat(max(named, default="2025-08-14"))


def _stored_cells(connection: Connection) -> Cells:
    cells: Cells = {}
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select account_id, session_date, gross_pnl_usd, fees_usd, net_pnl_usd, total_pnl_usd"
            " from derived.daily_pnl"
        )
        for account_id, session_date, *amounts in cursor.fetchall():
            names = ("gross_pnl_usd", "fees_usd", "net_pnl_usd", "total_pnl_usd")
            row = {name: "" if amount is None else str(amount) for name, amount in zip(names, amounts, strict=True)}
            cells.setdefault(account_id, {})[str(session_date)] = row
    return cells


def _noted(connection: Connection) -> list[str]:
    texts: list[str] = []
    with connection, connection.cursor() as cursor:
        for query in NOTED:
            cursor.execute(query)
            texts += [text for (text,) in cursor.fetchall()]
    return texts


def _wrong_cells(case: dict[str, Any], cells: Cells) -> Iterator[str]:
    """Say which cells are not as the case expects them, to half a cent."""
    for account_id, sessions in case["expect"].items():
        rows = cells.get(account_id, {})
        for session_date, expected in sessions.items():
            for column, right in expected.items():
                found = (
                    [row[column] for row in rows.values()]
                    if session_date == "sum"
                    else _cell(rows, session_date, column)
                )
                if not _is_right(found, right, is_blank_right=case["either_blank"]):
                    yield f"{account_id} {session_date} {column}: {found}, right is {right}"


def _cell(rows: dict[str, dict[str, str]], session_date: str, column: str) -> list[str]:
    return [rows[session_date][column]] if session_date in rows else []


def _is_right(found: list[str], right: float | None, *, is_blank_right: bool) -> bool:
    if not found:
        return False
    if "" in found:
        return right is None or is_blank_right
    return right is not None and abs(sum(map(float, found)) - right) < 0.005
