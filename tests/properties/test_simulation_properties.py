"""Fills of any simulated desk realize its truth: recomputed from the written files by plain cash."""

from __future__ import annotations

import csv
import tempfile
from collections import Counter
from decimal import Decimal
from pathlib import Path

from hypothesis import assume, given
from hypothesis import strategies as st

from risk.books.notices import book_warnings
from risk.books.session import account_sessions
from risk.core.settings import Settings
from risk.ingest.read import read_drop, read_stated
from simulation.law import LAWS
from simulation.writing import simulate
from tests.properties.effort import examples

FEES = ("Comm", "Ecn Fee", "SEC", "ORF", "CAT", "TAF", "FTT", "NSCC", "Acc", "Clr", "Misc")
CASH_SIGN = {"B": -1, "C": -1, "S": 1, "T": 1}

desks = st.tuples(st.sampled_from(sorted(LAWS)), st.integers(1, 6), st.integers(1, 5), st.integers(0, 2**32 - 1))


def _rows(folder: Path, pattern: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for path in sorted(folder.glob(pattern)):
        with path.open(encoding="ascii", newline="") as lines:
            found += csv.DictReader(lines)
    return found


def _iso(stamp: str) -> str:
    return f"{stamp[6:10]}-{stamp[:2]}-{stamp[3:5]}"


@examples(30)
@given(desk=desks)
def test_cash_of_the_fills_less_fees_is_the_true_result_to_the_cent(desk: tuple[str, int, int, int]) -> None:
    with tempfile.TemporaryDirectory() as name:
        written = simulate(*desk, Path(name))
        fills, truth = _rows(Path(name), "fills_*.csv"), _rows(Path(name), "truth.csv")

    # Every position is closed in its session, so its cash is its result; Counter holds exact Decimals.
    cash: Counter[tuple[str, str]] = Counter()
    for fill in fills:
        fees = sum(Decimal(fill[column]) for column in FEES)
        amount = CASH_SIGN[fill["B/S"]] * Decimal(fill["Qty"]) * Decimal(fill["Price"])
        cash[fill["Account"], _iso(fill["Date/Time"])] += amount - fees  # type: ignore[assignment]

    stated = {(row["account_id"], row["session_date"]): Decimal(row["net_pnl_usd"]) for row in truth}
    assert dict(cash) == stated
    assert (len(fills), len(stated)) == (written.fill_count, written.trader_day_count)


@examples(30)
@given(desk=desks)
def test_sides_follow_the_position_and_every_position_is_closed(desk: tuple[str, int, int, int]) -> None:
    with tempfile.TemporaryDirectory() as name:
        simulate(*desk, Path(name))
        fills = _rows(Path(name), "fills_*.csv")

    position: Counter[tuple[str, str]] = Counter()
    for fill in fills:
        key, quantity = (fill["Account"], fill["Symbol"]), int(fill["Qty"])
        held = position[key]
        is_intended = {
            "B": held >= 0, "T": held <= 0, "S": held >= quantity, "C": held <= -quantity,
        }  # fmt: skip
        assert quantity > 0
        assert is_intended[fill["B/S"]], (fill, held)
        position[key] -= CASH_SIGN[fill["B/S"]] * quantity

    assert not any(position.values())


@examples(30)
@given(desk=desks)
def test_prices_stay_near_the_symbols_closing_price(desk: tuple[str, int, int, int]) -> None:
    with tempfile.TemporaryDirectory() as name:
        simulate(*desk, Path(name))
        fills, marks = _rows(Path(name), "fills_*.csv"), _rows(Path(name), "marks_*.csv")

    closing = {(mark["Date"], mark["Symbol"]): float(mark["Price"]) for mark in marks}
    for fill in fills:
        ratio = float(fill["Price"]) / closing[fill["Date/Time"][:10], fill["Symbol"]]
        # A session's own move (1.5 % a day, so 5 deviations are 7.5 %) and a trip's result (at most 1.8 % and fees).
        assert 0.88 < ratio < 1.12, fill
        assert len(fill["Price"].split(".")[1]) <= 8


@examples(10)
@given(desk=desks)
def test_nothing_of_a_simulated_desk_looks_unknown_or_like_a_split(desk: tuple[str, int, int, int]) -> None:
    with tempfile.TemporaryDirectory() as name:
        simulate(*desk, Path(name))
        assume(any(Path(name).glob("fills*")))
        executions = read_drop(Path(name), Settings()).executions
        stated = read_stated(Path(name), Settings())[0]

        days = account_sessions(executions, stated.marks)

        assert days
        assert book_warnings(days, executions, ()) == []
