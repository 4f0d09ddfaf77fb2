"""A file in a broker's shape, through its mapping, gives the books of the same fills in our own shape."""

from __future__ import annotations

import datetime as dt
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.books.session import daily_pnl
from risk.core.errors import InputError
from risk.core.settings import Settings
from risk.ingest.mapping_files import preset, preset_names, read_mapping
from risk.ingest.read import read_drop, read_stated, with_multipliers
from tests.broker_shapes import INSTRUMENTS, SHAPES, Drawn
from tests.properties.effort import examples

cents = st.integers(0, 500).map(lambda number: Decimal(number) / 100)
fills = st.builds(
    Drawn,
    st.integers(0, 23_000).map(lambda second: dt.datetime(2025, 8, 15, 9, 30) + dt.timedelta(seconds=second)),  # noqa: DTZ001
    st.sampled_from(("A1", "B2")),
    st.sampled_from("BSTC"),
    st.integers(1, 900),
    st.integers(0, 1),
    st.integers(100, 99_999).map(lambda number: Decimal(number) / 100),
    cents,
    st.integers(-200, 200).map(lambda number: Decimal(number) / 100),
    st.just(0),
)
desks = st.lists(fills, min_size=1, max_size=12).map(
    lambda drawn: [fill._replace(number=1000 + number) for number, fill in enumerate(sorted(drawn))]
)


def books(folder: Path, mapping: str = "") -> list[Any]:
    """Return the P&L of a folder without a database, every row of it loaded."""
    choice = Settings(fills_mapping=mapping)
    executions, rejects, _, multipliers, *_ = read_drop(folder, choice)
    assert [reject.reason for reject in rejects] == []
    stated, *_ = read_stated(folder, choice)
    instruments = with_multipliers(stated.instruments, multipliers)
    return list(daily_pnl(executions, stated.marks, instruments, stated.splits))


@pytest.mark.parametrize("name", preset_names())
@examples(6)
@given(desk=desks)
def test_file_in_the_shape_of_a_preset_gives_the_books_of_the_same_fills_in_ours(name: str, desk: list[Drawn]) -> None:
    shape = SHAPES[name]
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        shape.write_ours(Path(one) / "fills.csv", desk, preset(name).account or "")
        shape.write(Path(other) / shape.file_name, desk)
        for folder in (one, other):
            (Path(folder) / "instruments.csv").write_text(INSTRUMENTS, encoding="utf-8")

        expected, found = books(Path(one)), books(Path(other), name)

    assert found == expected
    assert all(row.gross_pnl_usd is not None for row in found)


SOME_TOML = st.dictionaries(
    st.sampled_from(
        (
            *("files", "delimiter", "encoding", "skip_lines", "columns", "time", "account", "currency", "numbers"),
            *(
                "quantity_sign",
                "sides",
                "fees",
                "statuses",
                "symbols",
                "order_id",
                "ignore",
                "optional",
                "unused",
                "preset",
            ),
            *("x", "name"),
        )
    ),
    st.recursive(
        st.sampled_from(
            (
                *(
                    '"a"',
                    "'Qty'",
                    "1",
                    "-1",
                    "true",
                    "1.5",
                    "18:00:00",
                    "2025-08-15",
                    '""',
                    '"("',
                    '"das"',
                    '"side"',
                    "[]",
                ),
                *('["a", "b"]', "{}", '{ column = "a" }', '{ column = "a", equals = "b" }', "[[1]]", '"\\u0000"'),
            )
        ),
        lambda inner: (
            st.lists(inner, max_size=3).map(lambda parts: f"[{', '.join(parts)}]")
            | st.dictionaries(
                st.sampled_from(("column", "formats", "zone", "STK", "side", "account")), inner, max_size=3
            ).map(lambda parts: "{ " + ", ".join(f"{key} = {value}" for key, value in parts.items()) + " }")
        ),
        max_leaves=6,
    ),
    max_size=8,
).map(lambda table: "\n".join(f"{key} = {value}" for key, value in table.items()).encode())


@examples(200)
@given(
    content=st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
    | SOME_TOML
)
def test_mapping_file_of_any_content_is_read_or_refused_with_a_sentence(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "mapping.toml"
        path.write_bytes(content)
        try:
            read_mapping(path)
        except InputError as error:
            said = str(error)
        else:
            said = "mapping.toml is read"
    assert said.startswith("mapping.toml ")
