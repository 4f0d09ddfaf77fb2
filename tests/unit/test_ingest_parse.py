"""Parsing files of executions into columns."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from risk.core.errors import InputError
from risk.core.settings import Settings
from risk.ingest.parse import Parser
from risk.ingest.read import read_drop
from risk.ingest.rules import RowRules

HEADER = "Date/Time,Account,B/S,Qty,Symbol,Price"
RULES = RowRules(Settings(), dt.date(2025, 8, 29))


def test_hash_of_texts_is_the_one_that_stored_deliveries_were_made_with() -> None:
    # An upgrade of pandas that changes it makes every delivery of a file that is read again count as new once.
    found = pd.util.hash_array(np.array(["", "9000000001"], object))

    assert found.tolist() == [1760245841805064774, 7601475912968839201]


def test_parser_hands_over_executions_block_by_block_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "fills.csv"
    row = "08/15/2025 09:45:00,NET001,B,100,xyz,12.5"
    path.write_text("\n".join([HEADER, row, "", row.replace("NET001", "NET002"), "too,few", ""]))
    tables: list[object] = []

    parsed = Parser(RULES).parse(path, tables.append)

    (table,) = tables
    assert table.to_pydict()["line_number"] == [2, 4]  # type: ignore[attr-defined]
    assert parsed.places == {("NET001", dt.date(2025, 8, 15)): 0, ("NET002", dt.date(2025, 8, 15)): 1}
    assert [one.reject.line_number for one in parsed.rejects] == [5]
    assert parsed.record_count == 3


def test_lines_of_delimiters_that_a_spreadsheet_leaves_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "fills.csv"
    row = "08/15/2025 09:45:00,NET001,B,100,xyz,12.5"
    path.write_text("\n".join([HEADER, ",,,,,", row, " , ,,,,", "   ", row, *[",,,,,"] * 100, ""]))

    parsed = Parser(RULES).parse(path, lambda _: None)

    assert (parsed.record_count, parsed.rejects) == (2, [])


@pytest.mark.parametrize(
    ("ids", "counted"),
    [
        # two equal rows are two partial fills where no id says which is which
        *((text, 2) for text in ("", "0", "000", "0.0", "-", "N/A", "nan", "NULL", "None")),
        ("7", 1),
    ],
)
def test_word_for_no_id_is_no_id(tmp_path: Path, ids: str, counted: int) -> None:
    row = f"08/15/2025 09:45:00,NET001,B,100,xyz,12.5,{ids}"
    (tmp_path / "fills.csv").write_text("\n".join([f"{HEADER},Fill Id", row, row, row.replace(f"5,{ids}", "6,8"), ""]))

    drop = read_drop(tmp_path, Settings())

    assert (len(drop.executions), drop.rejects) == (counted + 1, [])


def test_blanks_around_ids_and_currencies_say_nothing(tmp_path: Path) -> None:
    row = "08/15/2025 09:45:00,NET001,B,100,xyz,12.5"
    rows = (f"{row},5,5 , usd,", f"{row},5 ,5,USD ,", f"{row},6,7,USD,", f"{row},6, 7 ,USD,CANCEL")
    (tmp_path / "fills.csv").write_text("\n".join([f"{HEADER},Order Id,Fill Id,Currency,Status", *rows, ""]))

    drop = read_drop(tmp_path, Settings())

    # id 5 counts once, and id 7 is canceled
    assert [(one["fill_key"], one["currency"]) for one in drop.executions.to_dict("records")] == [("5", "USD")]
    assert (drop.rejects, len(drop.notices)) == ([], 1)


def test_repeated_id_that_excel_shortened_is_said_to_be_one(tmp_path: Path) -> None:
    row = "08/15/2025 09:45:00,NET001,B,100,xyz,12.5,1.23457E+15"
    (tmp_path / "fills.csv").write_text("\n".join([f"{HEADER},Fill Id", row, row, ""]))

    (notice,) = read_drop(tmp_path, Settings()).notices

    assert "re-saved by Excel" in notice.sentence


def test_file_with_a_field_of_a_hundred_thousand_characters_is_refused(tmp_path: Path) -> None:
    (tmp_path / "fills.csv").write_text(f"{HEADER}\n08/15/2025 09:45:00,NET001,B,100,{'A' * 200_000},12.5\n")

    with pytest.raises(InputError, match=r"fills\.csv line 2 cannot be read \(field larger than"):
        read_drop(tmp_path, Settings())


@pytest.mark.parametrize(
    ("prices", "is_refused"),
    [
        # 1.010 beside 1.011,50 is one thousand and ten, and was 1.01
        (("1.010", "1.011,50"), True),
        (("1.010", "10,5"), True),
        (("1.010", "1.011"), False),
        (("1.010", "1.011,50", "10.5"), False),
        (("1010", "1.011,50"), False),
    ],
)
def test_point_is_no_decimal_mark_beside_decimal_commas(
    tmp_path: Path, prices: tuple[str, ...], is_refused: bool
) -> None:
    rows = (f"08/15/2025 09:45:00,NET001,B,100,XYZ,{price}".replace(",", ";", 5) for price in prices)
    (tmp_path / "fills.csv").write_text("\n".join([HEADER.replace(",", ";"), *rows, ""]))

    if is_refused:
        with pytest.raises(InputError, match=r"line 2 says '1\.010', in which the point may stand between thousands"):
            read_drop(tmp_path, Settings())
    else:
        assert len(read_drop(tmp_path, Settings()).executions) > 0
