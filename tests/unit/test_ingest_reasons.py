"""What is said of many rejected rows: counted by cause, with a hint where the cause is known."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from risk.cli import app
from risk.ingest.reasons import MOST_CAUSES, Notice, cause_of, summarize
from tests.drops import read_fills

HEADER = "Date/Time,Account,B/S,Qty,Symbol,Price,Comm"
GOOD = "08/14/2025 10:00:00,A1,B,100,AAPL,10.00,0.01"


def notices(cause: str, count: int) -> list[Notice]:
    return [Notice("fills.csv", cause, f"fills.csv line {number}: {cause}.") for number in range(1, count + 1)]


def pnl(folder: Path, *rows: str) -> tuple[int, list[str]]:
    (folder / "fills.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    result = CliRunner().invoke(app, ["pnl", "--fills", str(folder)])
    return result.exit_code, result.stderr.splitlines()


def test_causes_are_said_largest_first_with_the_first_row_of_each() -> None:
    found = [*notices("side", 1), *notices("price", 80), *notices("symbol", 4)]

    assert summarize(found) == [
        "80 rows rejected; first: fills.csv line 1: price.",
        "4 rows rejected; first: fills.csv line 1: symbol.",
        "fills.csv line 1: side.",
    ]


def test_few_rows_of_a_cause_are_each_said() -> None:
    assert summarize(notices("side", 3)) == [f"fills.csv line {number}: side." for number in (1, 2, 3)]


def test_causes_beyond_the_most_are_counted() -> None:
    found = [notice for number in range(MOST_CAUSES + 2) for notice in notices(f"cause {number}", 5)]

    said = summarize(found)

    assert len(said) == MOST_CAUSES + 1
    assert said[-1] == "10 rows rejected for 2 more reasons."


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("price '0' is not above zero", "price '-1.50' is not above zero"),
        ("date '08/14/2025' is no session", "date '' is no session"),
        ("XYZ 2025-08-14 is stated in two ways", "XYZ 2025-08-15 is stated in two ways"),
    ],
)
def test_clauses_about_different_values_have_one_cause(one: str, other: str) -> None:
    assert cause_of(one) == cause_of(other)
    assert cause_of(one) != cause_of("it has 3 fields, the header names 4")


def test_pnl_says_a_few_sentences_about_thousands_of_bad_rows(tmp_path: Path) -> None:
    count = 20_000
    bad = [f"08/14/2025 10:00:00,A1,B,100,AAPL,x{number},0.01" for number in range(count)]
    odd = [f"08/14/2025 10:00:00,A1,Q{number},100,AAPL,10,0.01" for number in range(50)]

    code, said = pnl(tmp_path, GOOD, *odd, *bad)

    assert code == 1
    assert [line.split(", account")[0] for line in said] == [
        f"{count:,} rows rejected; first: fills.csv line 53",
        "50 rows rejected; first: fills.csv line 3",
        f"Incomplete, with the P&L of the other rows only: A1 2025-08-14 ({count + 50} of {count + 51} rows rejected).",
    ]
    assert "'x0'" in said[0]


@pytest.mark.parametrize(
    ("row", "hint"),
    [
        ("45883.4166,A1,B,100,AAPL,10.00,0.01", "re-saved by Excel"),
        ("8/14/25 10:00,A1,B,100,AAPL,10.00,0.01", "re-saved by Excel"),
        ("00:00.0,A1,B,100,AAPL,10.00,0.01", "re-saved by Excel"),
        ("14/08/2025 10:00:00,A1,B,100,AAPL,10.00,0.01", "has its day first"),
        ('08/14/2025 10:00:00,A1,B,100,AAPL,"10,5",0.01', "decimal comma"),
        ("08/14/2025 10:00:00,A1,B,100,AAPL,10.00,(0.01)", "parentheses"),
    ],
)
def test_reject_names_the_likely_cause_and_the_value(tmp_path: Path, row: str, hint: str) -> None:
    (tmp_path / "fills.csv").write_text(f"{HEADER}\n{GOOD}\n{row}\n")

    _, (reject,) = read_fills(tmp_path)

    assert hint in reject.reason
    assert reject.reason.startswith("fills.csv line 3, account 'A1': ")


@pytest.mark.parametrize(
    "row",
    [
        "13/40/2025 10:00:00,A1,B,100,AAPL,10.00,0.01",
        "tomorrow,A1,B,100,AAPL,10.00,0.01",
        "08/14/2025 10:00:00,A1,B,100,AAPL,ten,0.01",
    ],
)
def test_reject_guesses_nothing_where_the_text_does_not_show_the_cause(tmp_path: Path, row: str) -> None:
    (tmp_path / "fills.csv").write_text(f"{HEADER}\n{GOOD}\n{row}\n")

    _, (reject,) = read_fills(tmp_path)

    assert "looks like" not in reject.reason
    assert "Excel" not in reject.reason


LIKE_NAMES = [
    pytest.param(["net001", "NET001"], "", "NET001 and net001", id="two"),
    pytest.param(["Net 1", "NET 1", "net 1"], "", "NET 1 and Net 1 and net 1", id="three"),
    pytest.param(["net001"], "Date,Account,Base Limit\n,NET001,5000\n", "NET001 and net001", id="in the roster"),
    pytest.param(["net001", "NET001"], "Date,Account,Formerly\n,NET001,net001\n", None, id="one renamed to the other"),
    pytest.param(["NET001", "NET002", "NET001_OLD"], "", None, id="other names"),
    pytest.param(["Net 001", "NET001"], "", "NET001 and Net 001", id="in blanks"),
]


@pytest.mark.parametrize(("names", "roster", "said"), LIKE_NAMES)
def test_names_that_differ_only_in_case_or_blanks_are_said_and_not_merged(
    tmp_path: Path, names: list[str], roster: str, said: str | None
) -> None:
    if roster:
        (tmp_path / "accounts.csv").write_text(roster)

    code, lines = pnl(tmp_path, *(GOOD.replace("A1", name) for name in names))

    assert code == 0
    assert [line.split(" differ only in case")[0] for line in lines] == ([said] if said else [])
