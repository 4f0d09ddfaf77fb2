"""The order and the ids of executions in the warehouse: the books of the plain reader, and what is new content."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from risk.books.warehouse import aggregate
from risk.checks.run import check_fills
from risk.core.runs import Run, open_run
from risk.core.settings import Settings
from risk.core.warehouse import Connection
from risk.ingest.load import load_drop
from tests.order_drops import CANCELED_FILLS, CANCELS, FIRST_IN_FIRST_OUT, HEADER, KEYS, at

SESSION = dt.date(2025, 8, 14)


def run(connection: Connection, folder: Path, *rows: str) -> tuple[int, Run]:
    """Load rows and compute the books; return the number of new deliveries, too."""
    (folder / "fills.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    loaded = load_drop(connection, folder, SESSION, Settings())
    opened = open_run(connection, SESSION, loaded.load_id, "test")
    aggregate(connection, opened)
    return loaded.delivery_count, opened


def gross(connection: Connection) -> Decimal | None:
    return rows_of(connection, f"select gross_pnl_usd from daily_pnl where session_date = '{SESSION}'")[0][0]


def rows_of(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    with connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


@pytest.mark.parametrize(("rows", "expected"), FIRST_IN_FIRST_OUT)
def test_books_order_equal_instants_by_id_then_order_then_line(
    connection: Connection, tmp_path: Path, rows: list[str], expected: int
) -> None:
    run(connection, tmp_path, *rows)

    assert gross(connection) == expected


@pytest.mark.parametrize(("rows", "expected", "rejected", "dropped"), KEYS)
def test_warehouse_knows_an_id_with_its_order_and_symbol(
    connection: Connection,
    warehouse_dsn: str,
    tmp_path: Path,
    rows: list[str],
    expected: int,
    rejected: int,
    dropped: int,
) -> None:
    _, opened = run(connection, tmp_path, *(at("10:00:00", row) for row in rows))

    assert gross(connection) == expected
    counts = rows_of(connection, "select rejected_count, duplicate_count, note is not null from deliveries")
    assert counts == [(rejected, dropped, dropped > 0)]
    if not rejected:
        check_fills(connection, warehouse_dsn, opened)
    found = rows_of(
        connection, "select message from quality_results where check_name = 'rows_distinct' and not has_passed"
    )
    assert len(found) == dropped
    assert all("A1: fills.csv line 3, account 'A1': repeats the execution" in message for (message,) in found)


@pytest.mark.parametrize(("cancel", "expected", "waiting"), CANCELS)
def test_correction_means_the_fill_of_its_id_and_order_in_the_warehouse_too(
    connection: Connection, warehouse_dsn: str, tmp_path: Path, cancel: str, expected: int, waiting: int
) -> None:
    _, opened = run(connection, tmp_path, *(at("10:00:00", row) for row in (*CANCELED_FILLS, cancel)))
    check_fills(connection, warehouse_dsn, opened)

    assert gross(connection) == expected
    found = "select count(*) from quality_results where check_name = 'corrections_applied' and not has_passed"
    assert rows_of(connection, found) == [(waiting,)]


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([f"{'BS'[n % 2]},100,X,{10 + n},,{n}," for n in range(6)], id="ids"),
        pytest.param([f"{'BS'[n % 2]},100,X,{10 + n},O{n // 2},{n % 2 + 1}," for n in range(6)], id="ids per order"),
        pytest.param([f"B,100,X,10,O{n},," for n in range(6)], id="order ids only"),
        pytest.param(["B,100,X,10,,,"] * 6, id="equal rows"),
    ],
)
def test_same_rows_in_another_order_are_no_news(connection: Connection, tmp_path: Path, rows: list[str]) -> None:
    written = [at("10:00:00", row) for row in rows]
    run(connection, tmp_path, *written)
    before = gross(connection)

    for seed in range(3):
        assert run(connection, tmp_path, *random.Random(seed).sample(written, 6))[0] == 0
    assert gross(connection) == before


@pytest.mark.parametrize("ids", [(",", ","), ("O1,0", "O1,0"), ("O1,O1", "O1,O1")])
def test_order_of_rows_of_one_instant_without_ids_is_content(
    connection: Connection, tmp_path: Path, ids: tuple[str, str]
) -> None:
    held = at("10:00:00", "B,100,X,9,O0,O0,", "08/13")
    buy, sell = (at("10:00:00", row) for row in (f"B,100,X,10,{ids[0]},", f"S,100,X,10.10,{ids[1]},"))
    run(connection, tmp_path, held, buy, sell)
    found = [gross(connection)]

    for rows in ((held, sell, buy), (buy, sell, held), (held, buy, sell)):
        found += [run(connection, tmp_path, *rows)[0], gross(connection)]

    # Bought first: 0.10 on 100. Sold first: 1.10 on 100; the same when the newest come first.
    assert found == [10, 1, 110, 0, 110, 1, 10]


def test_file_turned_newest_first_is_no_news_without_ids(connection: Connection, tmp_path: Path) -> None:
    rows = [at("09:45:00", "B,100,X,9,,,"), at("10:00:00", "B,100,X,10,,,"), at("10:00:00", "S,100,X,10.10,,,")]
    run(connection, tmp_path, *rows)

    assert run(connection, tmp_path, *reversed(rows))[0] == 0


def test_tie_rank_is_stored_from_0_and_0_where_nothing_is_tied(connection: Connection, tmp_path: Path) -> None:
    run(connection, tmp_path, *(at("10:00:00", f"B,1,X,10,,{n},") for n in (3, 1, 2)), at("11:00:00", "B,1,X,10,,4,"))

    assert rows_of(connection, "select line_number, tie_rank from fills order by 1") == [(2, 2), (3, 0), (4, 1), (5, 0)]
