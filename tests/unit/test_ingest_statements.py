"""Statement files: what a row of each kind says, and which rows are refused with which sentence."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from risk.books.session import booked_adjustments
from risk.core.entities import Adjustment, Instrument, Mark, PlatformStatement, Split
from risk.core.errors import InputError
from risk.core.settings import Settings
from risk.ingest.read import read_stated
from risk.ingest.reference_data import (
    ACCOUNTS,
    ADJUSTMENTS,
    FILE_SPECS,
    INSTRUMENTS,
    LIMITS_IN_FORCE,
    MARKS,
    SPLITS,
    FileSpec,
)
from risk.ingest.reference_files import read_reference_files
from risk.ingest.rules import RowRules

FRIDAY = dt.date(2025, 8, 15)
RULES = RowRules(Settings(), dt.date(2026, 6, 1))


def read(folder: Path, kind: FileSpec[Any], *lines: str, name: str = "") -> tuple[list[Any], list[str]]:
    """Write a file of one kind and read it: its rows, and the sentences about the rejected ones."""
    path = folder / f"{kind.name}{name}.csv"
    path.write_text("".join(f"{line}\n" for line in lines))
    rows, rejects, _ = read_reference_files(kind, sorted(folder.glob(f"{kind.name}*.csv")), RULES)
    return rows, [reject.reason for reject in rejects]


def test_marks_give_prices_and_say_where_there_is_none(tmp_path: Path) -> None:
    lines = ["Date,Symbol,Price,Volume,Currency", "08/15/2025,XYZ,10.50,1000,CAD", "2025-08-15,@CADUSD,,,"]

    rows, reasons = read(tmp_path, MARKS, *lines)

    assert rows == [
        Mark(FRIDAY, "XYZ", Decimal("10.50"), "CAD", None, Decimal(1000)),
        Mark(FRIDAY, "@CADUSD", None, None, None),
    ]
    assert reasons == []


def test_instruments_give_a_multiplier_or_a_currency_from_any_day_on(tmp_path: Path) -> None:
    header = "Date,Symbol,Multiplier,Currency,Expiry,Description"

    rows, reasons = read(
        tmp_path,
        INSTRUMENTS,
        header,
        "01/01/2025,/esu5,50,USD,2025-09-19,E-mini",
        "2099-01-03,SHOP,,CAD,,",
        "2025-08-15,X,,,,",
    )

    assert rows == [
        Instrument(dt.date(2025, 1, 1), "/ESU5", Decimal(50), "USD"),
        Instrument(dt.date(2099, 1, 3), "SHOP", None, "CAD"),
    ]
    [reason] = reasons
    assert reason.startswith("instruments.csv line 4: it says neither multiplier nor currency of X.")


def test_platform_states_its_limits_in_whole_cents_once_an_account_and_day(tmp_path: Path) -> None:
    lines = ["Date,Account,Limit", '08/15/2025,NET001,"$3,000.50"']
    bad = ["08/15/2025,NET002,-1", "08/15/2025,NET002,1.005", "08/15/2025,NET002,", "x,NET002,1"]
    twice = ["08/15/2025,NET003,1", "2025-08-15,NET003,2"]

    rows, reasons = read(tmp_path, LIMITS_IN_FORCE, *lines, "2025-08-15,NET004,0", *bad, *twice)

    assert rows == [
        PlatformStatement(FRIDAY, "NET001", Decimal("3000.50")),
        PlatformStatement(FRIDAY, "NET004", Decimal(0)),
    ]
    said = ["limit '-1' is no amount", "limit '1.005' is no amount", "limit is blank", "date 'x' is no date"]
    assert all(clause in reason for clause, reason in zip(said, reasons, strict=False))
    assert [("is stated in two ways" in reason) for reason in reasons] == [False] * 4 + [True] * 2


def test_splits_take_a_number_of_new_shares_or_new_to_old(tmp_path: Path) -> None:
    lines = [
        "Date,Symbol,Ratio",
        "08/15/2025,XYZ,4",
        "08/15/2025,ABC,0.1",
        "08/15/2025,QQQ,1:3",
        "08/15/2025,TUV,3 : 2",
    ]

    rows, reasons = read(tmp_path, SPLITS, *lines)

    pairs = [(4, 1), (Decimal("0.1"), 1), (1, 3), (3, 2)]
    symbols = ("XYZ", "ABC", "QQQ", "TUV")
    assert rows == [
        Split(FRIDAY, symbol, Decimal(new), Decimal(old)) for symbol, (new, old) in zip(symbols, pairs, strict=True)
    ]
    assert reasons == []


def test_adjustments_are_credits_with_the_vendors_categories_and_zeros_are_booked_nowhere(tmp_path: Path) -> None:
    lines = [
        "Date,Account,Offset Account,Category,Amount,Comment",
        "08/15/2025,NET001,NET002,software,-140,08/25  Sterling software fee",
        "08/16/2025,NET001,,locates,2.5,a Saturday counts with Monday",
        "08/15/2025,NET003,,Dividend,0,nothing",
        "08/15/2025,12345678901234567890tail,,,1,",
    ]

    rows, reasons = read(tmp_path, ADJUSTMENTS, *lines)

    assert rows == [
        Adjustment(FRIDAY, "NET001", "NET002", "Software", Decimal(-140), "08/25 Sterling software fee"),
        Adjustment(dt.date(2025, 8, 18), "NET001", None, "Fee: Misc", Decimal("2.5"), "a Saturday counts with Monday"),
        Adjustment(FRIDAY, "NET003", None, "Dividend", Decimal(0), "nothing"),
        Adjustment(FRIDAY, "12345678901234567890tail", None, "Fee: Misc", Decimal(1), ""),
    ]
    assert reasons == []
    assert ("NET003", FRIDAY) not in booked_adjustments(rows)


@pytest.mark.parametrize(
    ("kind", "header", "line", "clause"),
    [
        (MARKS, "Date,Symbol,Price", "08/15/2025,XYZ,0", "price '0' is not above zero"),
        (MARKS, "Date,Symbol,Price", "08/15/2025,@CADUSD,-0.72", "price '-0.72' is not above zero"),
        (MARKS, "Date,Symbol,Price", "07/04/2025,XYZ,5", "date 07/04/2025 is no session, so it has no closing price"),
        (MARKS, "Date,Symbol,Price", "08/15/2099,XYZ,5", "date 08/15/2099 lies in the future"),
        (MARKS, "Date,Symbol,Price,Volume", "08/15/2025,XYZ,5,-1", "volume '-1' is below zero"),
        (INSTRUMENTS, "Date,Symbol,Multiplier", "08/15/2025,/ESU5,0", "multiplier '0' is not above zero"),
        (INSTRUMENTS, "Date,Symbol,Multiplier", "15.08.2025,/ESU5,1", "date '15.08.2025' is no date of the form"),
        (INSTRUMENTS, "Date,Symbol,Currency", "08/15/2025,XYZ,US", "currency 'US' is no ISO 4217 code"),
        (SPLITS, "Date,Symbol,Ratio", "08/15/2025,XYZ,0", "ratio '0' is not above zero"),
        (SPLITS, "Date,Symbol,Ratio", "08/15/2025,XYZ,-2:1", "ratio '-2:1' is not above zero"),
        (SPLITS, "Date,Symbol,Ratio", "08/15/2025,XYZ,2:", "ratio '2:' is no number of new shares"),
        (SPLITS, "Date,Symbol,Ratio", "08/16/2025,XYZ,2", "date 08/16/2025 is no session, so it has no split"),
        (ADJUSTMENTS, "Date,Account,Amount", "08/15/2025,=cmd(),1", "the account name '=cmd()' is not one"),
        (ADJUSTMENTS, "Date,Account,Amount", "08/15/2025,NET001,", "amount is blank"),
        (ADJUSTMENTS, "Date,Account,Amount", "08/15/2025,NET001,NaN", "amount 'NaN' is not a number"),
        (ADJUSTMENTS, "Date,Account,Amount,Offset Account", "08/15/2025,A,1,A", "account A is its own offset account"),
        (ADJUSTMENTS, "Date,Account,Amount,Currency", "08/15/2025,A,1,CAD", "currency 'CAD' is not USD"),
        (ADJUSTMENTS, "Date,Account,Amount", "08/15/2025,A,1,2", "it has 4 fields, the header names 3"),
    ],
)
def test_a_row_that_cannot_be_right_is_named(
    tmp_path: Path, kind: FileSpec[Any], header: str, line: str, clause: str
) -> None:
    rows, reasons = read(tmp_path, kind, header, line)

    assert rows == []
    assert [reason.startswith(f"{kind.name}.csv line 2: {clause}") for reason in reasons] == [True], reasons


def test_two_multipliers_for_one_symbol_and_date_are_both_refused(tmp_path: Path) -> None:
    read(tmp_path, INSTRUMENTS, "Date,Symbol,Multiplier", "08/15/2025,/ESU5,50", "08/15/2025,/NQU5,20", name="_a")

    rows, reasons = read(
        tmp_path, INSTRUMENTS, "Date,Symbol,Multiplier", "08/15/2025,/ESU5,5", "08/15/2025,/NQU5,20.0", name="_b"
    )

    assert {row.symbol for row in rows} == {"/NQU5"}
    assert reasons[0] == (
        "instruments_a.csv line 2: /ESU5 2025-08-15 is stated in two ways: instruments_a.csv line 2 says "
        "multiplier 50, currency unknown, instruments_b.csv line 2 says multiplier 5, currency unknown. "
        "Correct the row and deliver the file again."
    )
    assert len(reasons) == 2


def test_two_prices_for_one_symbol_and_session_are_not_refused_as_long_as_the_multiplier_is_one(tmp_path: Path) -> None:
    lines = ("08/15/2025,/ESU5,5000,50", "08/15/2025,/ESU5,5001,")

    rows, reasons = read(tmp_path, MARKS, "Date,Symbol,Price,Multiplier", *lines)

    assert [row.price for row in rows] == [5000, 5001]
    assert reasons == []


def test_adjustments_of_one_account_and_session_from_two_files_are_refused(tmp_path: Path) -> None:
    read(tmp_path, ADJUSTMENTS, "Date,Account,Amount", "08/15/2025,A,1", "08/15/2025,A,1", name="_a")

    rows, reasons = read(tmp_path, ADJUSTMENTS, "Date,Account,Amount", "08/15/2025,A,3", "08/15/2025,B,1", name="_b")

    assert [row.account_id for row in rows] == ["B"]
    assert len(reasons) == 3


@pytest.mark.parametrize("kind", FILE_SPECS)
def test_an_unknown_column_is_named_and_passed_over(tmp_path: Path, kind: FileSpec[Any]) -> None:
    header = kind.required or ("Account",)
    (tmp_path / f"{kind.name}.csv").write_text(",".join((*header, "Zodiac", "Zodiac", "")) + "\n")

    rows, rejects, notices = read_reference_files(kind, [tmp_path / f"{kind.name}.csv"], RULES)

    assert (rows, rejects) == ([], [])
    assert [notice.sentence.partition(", which")[0] for notice in notices] == [
        f"{kind.name}.csv has the unknown column 'Zodiac', 'Zodiac'"
    ]


def test_a_header_without_any_known_column_is_none(tmp_path: Path) -> None:
    for kind in FILE_SPECS:
        with pytest.raises(InputError, match=f"{kind.name}.csv"):
            read(tmp_path, kind, "Sign,Zodiac", "1,2")


@pytest.mark.parametrize(
    ("kind", "header", "record", "expected"),
    [
        (ACCOUNTS, "account,Display Name,Clearing ID,Aggregation Unit", "A1,Ann,XYZ0001,U", "A1"),
        (ACCOUNTS, "ACTION,Account,Display Name,Clearing Firm Name,", "U,A1,Ann,Wedbush,", "A1"),
        (
            MARKS,
            "Date,Symbol,Price,Volume,Currency,Multiplier,ISIN/CUSIP,SEDOL,Description",
            "2025-08-15,A,1,,,,,,",
            "A",
        ),
        (ADJUSTMENTS, "Date,Account,Amount,Comment,Entry Date", "2025-08-15,A1,5,fee,08/14/2025", "A1"),
    ],
)
def test_columns_of_the_vendor_that_are_not_used_are_passed_over(
    tmp_path: Path, kind: FileSpec[Any], header: str, record: str, expected: str
) -> None:
    (tmp_path / f"{kind.name}.csv").write_text(f"{header}\n{record}\n")

    rows, rejects, notices = read_reference_files(kind, [tmp_path / f"{kind.name}.csv"], RULES)

    assert [row[1] for row in rows] == [expected]
    assert (rejects, notices) == ([], [])


def test_splits_give_a_ratio_or_a_new_symbol_or_both(tmp_path: Path) -> None:
    lines = ("2025-08-15,FB,,META", "2025-08-15,OLD,1:2,new", "2025-08-15,XYZ,4,")

    rows, reasons = read(tmp_path, SPLITS, "Date,Symbol,Ratio,New Symbol", *lines, "2025-08-15,A,,A", "2025-08-15,B,,")

    assert rows == [
        Split(FRIDAY, "FB", Decimal(1), Decimal(1), "META"),
        Split(FRIDAY, "OLD", Decimal(1), Decimal(2), "NEW"),
        Split(FRIDAY, "XYZ", Decimal(4), Decimal(1)),
    ]
    assert [reason.partition(". ")[0] for reason in reasons] == [
        "splits.csv line 5: new symbol A is the symbol itself",
        "splits.csv line 6: ratio '' is no number of new shares for one old or new:old",
    ]


def test_all_kinds_of_a_folder_are_read_and_a_file_of_marks_may_stand_in_for_its_own(tmp_path: Path) -> None:
    (tmp_path / "fills.csv").write_text("Date/Time,Account,B/S,Qty,Symbol,Price\n")
    (tmp_path / "marks.csv").write_text("Date,Symbol,Price\n08/15/2025,XYZ,10\n")
    (tmp_path / "splits_2025.csv").write_text("Date,Symbol,Ratio\n08/15/2025,XYZ,2\n08/15/2025,XYZ,0\n")
    (tmp_path / "other.csv").write_text("Date,Symbol,Price\n08/15/2025,XYZ,11\n")

    own, rejects, _ = read_stated(tmp_path, Settings())
    other, *_ = read_stated(tmp_path, Settings(), tmp_path / "other.csv")

    assert [mark.price for mark in own.marks] == [10]
    assert [mark.price for mark in other.marks] == [11]
    assert [split.symbol for split in own.splits] == ["XYZ"]
    assert [(reject.file_name, reject.line_number) for reject in rejects] == [("splits_2025.csv", 3)]
