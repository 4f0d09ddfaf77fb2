"""The order of executions at one instant, and which id says which execution a row is."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from risk.books.session import daily_pnl
from risk.core.settings import Settings
from risk.ingest.order import newest_first, rank_ids
from risk.ingest.read import read_drop
from tests.order_drops import CANCELED_FILLS, CANCELS, FIRST_IN_FIRST_OUT, HEADER, KEYS, at


def books(folder: Path, *rows: str) -> tuple[dict[str, Decimal | None], list[str], list[str]]:
    """Return gross P&L by day, and what is said of rejected rows and of others."""
    (folder / "fills.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    drop = read_drop(folder, Settings())
    gross = {f"{day.session_date:%m/%d}": day.gross_pnl_usd for day in daily_pnl(drop.executions, [])}
    return gross, [reject.reason for reject in drop.rejects], [notice.sentence for notice in drop.notices]


@pytest.mark.parametrize(
    ("texts", "ranks"),
    [
        pytest.param(["10", "9", "007"], [10, 9, 7], id="numbers"),
        pytest.param(["", "1" * 5000, "2" * 4999, "9"], [0, 3, 2, 1], id="numbers of any length after blanks"),
        pytest.param(["4-10", "4-9", "4", "3-99"], [3, 2, 1, 0], id="numbers within a number"),
        pytest.param(["A2", "A10", "7", "6-1"], [3, 2, 1, 0], id="texts after numbers"),
        pytest.param(["007", "7", "x"], [0, 0, 1], id="equal numbers"),
        pytest.param([], [], id="nothing"),
    ],
)
def test_ids_compare_as_numbers_then_as_texts(texts: list[str], ranks: list[int]) -> None:
    assert rank_ids(pa.array(texts, pa.string())).tolist() == ranks


@pytest.mark.parametrize(
    ("accounts", "seconds", "expected"),
    [
        ([0, 0, 0], [9, 9, 8], [True]),
        ([0, 0, 0], [8, 9, 8], [False]),
        ([0, 0], [9, 9], [False]),
        # Account 1 has one instant only: it is as account 0.
        ([0, 1, 0, 1], [9, 5, 8, 5], [True, True]),
        ([0, 0, 1, 1, 2, 2], [9, 8, 1, 2, 5, 5], [True, False, False]),
    ],
)
def test_account_is_newest_first_where_its_times_fall_and_never_rise(
    accounts: list[int], seconds: list[int], expected: list[bool]
) -> None:
    found = newest_first(np.array(accounts), np.array(seconds), max(accounts) + 1)

    assert found.tolist() == expected


@pytest.mark.parametrize(("rows", "gross"), FIRST_IN_FIRST_OUT)
def test_equal_instants_are_ordered_by_id_then_order_then_line(tmp_path: Path, rows: list[str], gross: int) -> None:
    found, rejects, _ = books(tmp_path, *rows)

    assert (found["08/14"], rejects) == (gross, [])


@pytest.mark.parametrize(("rows", "gross", "rejected", "noticed"), KEYS)
def test_id_is_unique_with_its_order_and_symbol(
    tmp_path: Path, rows: list[str], gross: int, rejected: int, noticed: int
) -> None:
    found, rejects, notices = books(tmp_path, *(at("10:00:00", row) for row in rows))

    assert found["08/14"] == gross
    assert (len(rejects), len(notices)) == (rejected, noticed)


def test_dropped_repetition_is_said_with_file_line_and_id(tmp_path: Path) -> None:
    _, _, (said,) = books(tmp_path, at("10:00:00", "B,9,X,10,5,F7,"), at("10:00:00", "B,9,X,10,5,F7,"))

    assert said.startswith(
        "fills.csv line 3, account 'A1': repeats the execution with the id 'F7' in line 2; it counts once."
    )


@pytest.mark.parametrize(("cancel", "gross", "waiting"), CANCELS)
def test_correction_means_the_fill_of_its_id_and_order(tmp_path: Path, cancel: str, gross: int, waiting: int) -> None:
    found, rejects, notices = books(tmp_path, *(at("10:00:00", row) for row in (*CANCELED_FILLS, cancel)))

    assert (found["08/14"], rejects, len(notices)) == (gross, [], waiting)


@pytest.mark.parametrize(
    ("rows", "gross"),
    [
        (["B,9,X,10,,1,", "B,9,Y,10,,1,", "B,9,Y,10,,1,CANCEL", "S,9,X,11,,2,"], 9),
        (["B,9,X,10,,1,", "B,9,Y,10,,1,", "B,9,X,10,,1,CANCEL", "S,9,Y,11,,2,"], 9),
        (["B,9,X,10,5,5,", "S,9,X,11,6,6,", "B,9,X,99,7,7,", "B,9,X,99,7,7,CANCEL"], 9),
    ],
)
def test_correction_without_order_means_the_fill_of_its_symbol_or_the_only_one(
    tmp_path: Path, rows: list[str], gross: int
) -> None:
    found, rejects, notices = books(tmp_path, *(at("10:00:00", row) for row in rows))

    assert (found["08/14"], rejects, notices) == (gross, [], [])


def test_later_correction_holds_wherever_it_stands(tmp_path: Path) -> None:
    early, late = at("11:00:00", "S,100,X,12,,2,CORRECTED"), at("12:00:00", "S,100,X,13,,2,CORRECTED")
    fills = [at("10:00:00", "B,100,X,10,,1,"), at("10:00:01", "S,100,X,11,,2,")]

    assert books(tmp_path, *fills, early, late)[0] == books(tmp_path, late, *fills, early)[0] == {"08/14": 300}


def test_last_price_of_a_symbol_does_not_depend_on_the_order_of_the_file(tmp_path: Path) -> None:
    rows = [
        "08/14/2025 10:00:00,A1,B,1,X,10,,1,",
        "08/14/2025 10:00:00,A2,B,1,X,12,,2,",
        "08/14/2025 10:00:00,A3,B,1,X,11,,3,",
    ]

    def unrealized(*written: str) -> list[Decimal | None]:
        (tmp_path / "fills.csv").write_text("\n".join([HEADER, *written]) + "\n")
        return [day.unrealized_pnl_usd for day in daily_pnl(read_drop(tmp_path, Settings()).executions, [])]

    assert unrealized(*rows) == unrealized(*reversed(rows)) == [2, 0, 1]
