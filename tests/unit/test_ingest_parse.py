"""Parsing files of executions into columns."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd

from risk.core.settings import Settings
from risk.ingest.parse import Parser
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
