"""Spellings of the trade: columns, sides, statuses, amounts, dates and times, and how each refusal reads."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from risk.core.errors import InputError
from risk.core.settings import Settings
from risk.ingest.amounts import number
from risk.ingest.parse import Parser
from risk.ingest.rules import SENTENCES, RowRules
from risk.ingest.times import day_of, moment_of
from risk.ingest.words import COLUMNS, mapped_columns, side_of

TODAY = dt.date(2025, 8, 18)
RULES = RowRules(Settings(), TODAY)
HEADER = "Date/Time,Account,B/S,Qty,Symbol,Price"
MORNING = dt.datetime(2025, 8, 15, 10, 5)  # noqa: DTZ001 - a wall clock has no zone


@pytest.mark.parametrize(
    ("side", "texts"),
    [
        ("B", "B|b|BUY|Buy|BOT|bought|BTO|Buy to Open|buy_to_open| B "),
        ("S", "S|s|SELL|Sell|SLD|sold|STC|sell-to-close|SELL_LONG"),
        ("T", "T|SS|SHORT|SELL SHORT|Sell Short|sell_short|SELLSHORT|SSHRT|STO|SELL-TO-OPEN|Short Sale"),
        ("C", "C|BC|BUY TO COVER|BuyToCover|buy-to-cover|COVER|Cover|BTC|Buy To Close"),
    ],
)
def test_side_is_read_from_the_words_of_the_trade(side: str, texts: str) -> None:
    assert {text: side_of(text) for text in texts.split("|")} == dict.fromkeys(texts.split("|"), side)


@pytest.mark.parametrize(
    "text", ["", " ", "X", "L", "LONG", "1", "2", "5", "BS", "B/S", "BUY SELL", "+", "-", "ＢＵＹ"]
)
def test_side_is_refused_when_it_is_none_or_may_be_two(text: str) -> None:
    assert side_of(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1010", "1010"),
        ("+2", "2"),
        (".5", "0.5"),
        ("7.", "7"),
        ("1e3", "1000"),
        ("1.5E-05", "0.000015"),
        ("1,010.00", "1010"),
        ("$1,010.00", "1010"),
        ("-1,250.00", "-1250"),
        ("-$1,250.00", "-1250"),
        ("$-1,250.00", "-1250"),
        ("$ 5", "5"),
        ("$.50", "0.5"),
        ("+$5.25", "5.25"),
        ("1,234,567", "1234567"),
        ("1,234,567.5", "1234567.5"),
        (" $1,010.00 ", "1010"),
    ],
)
def test_amount_is_read_when_it_means_one_number(text: str, value: str) -> None:
    assert number(text) == Decimal(value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1,010", "thousands separator or a decimal comma"),
        ("-1,250", "thousands separator or a decimal comma"),
        ("10,5", "decimal comma"),
        ("1.010,00", "decimal comma"),
        ("(5.00)", "parentheses"),
        ("0x10", "base 16"),
        ("1_0.0", "underscore"),
        ("12,34.5", "is not a number"),
        ("1,0100.00", "is not a number"),
        ("0,010.00", "is not a number"),
        ("1 010.00", "blanks between its digits"),
        ("1\u00a0010,50", "blanks between its digits"),
        ("\u20ac10", "currency beside the amount"),
        ("10.5 USD", "currency beside the amount"),
        ("10$", "currency beside the amount"),
        ("10%", "is not a number"),
        ("-$-5", "is not a number"),
        ("5.00-", "minus sign after it"),
        ("$", "is not a number"),
        ("", "is not a number"),
        ("NaN", "is not a number"),
        ("1.2.3", "is not a number"),
        ("\u0663", "is not a number"),
        ("\u22125", "minus sign after it or of another form"),
    ],
)
def test_amount_is_refused_with_its_text_when_it_is_none_or_may_be_two(text: str, why: str) -> None:
    record = {"date_time": "08/15/2025 09:45:00", "account": "A1", "side": "B", "quantity": "1", "symbol": "XYZ"}
    record |= {"price": text}

    codes = RULES.codes_of(record)
    sentence = RULES.sentence("fills.csv", 7, codes, tuple(record), tuple(record.values()))

    assert number(text) is None
    assert codes == ["numbers"]
    assert f"price {text!r} " in sentence
    assert why in sentence


@pytest.mark.parametrize(
    "text",
    [
        *(
            "08/15/2025 10:05:00",
            "8/15/2025 10:05",
            "8/15/2025 10:05 AM",
            "8/15/2025 10:05:00 a.m.",
            "8/15/2025, 10:05:00 AM",
        ),
        *("2025-08-15 10:05:00", "2025-08-15T10:05:00", "2025-08-15T10:05", "2025/08/15 10:05:00", "2025-8-15 10:05"),
        *("20250815 10:05:00", "2025-08-15T14:05:00Z", "2025-08-15T10:05:00-04:00", "2025-08-15 10:05:00 -0400"),
        *("2025-08-15T16:05:00+02", "2025-08-15T14:05:00.000Z", "08/15/2025  10:05:00", " 08/15/2025 10:05:00 "),
        *("2025-08-15T23:35:00+09:30", "2025-08-15t14:05:00z", "8/15/2025 10:05:00 AM -04:00", "2025.08.15 10:05:00"),
        *("2025-08-15 14:05:00 UTC", "2025-08-15 14:05:00 GMT", "08/15/2025 10:05:00 ET", "2025-08-15 10:05:00 EDT"),
        *("20250815 10:05:00 US/Eastern", "20250815 10:05:00 America/New_York", "8/15/2025 10:05:00 AM EDT"),
        *("20250815;100500", "20250815100500", "20250815 100500", "20250815T140500Z", "20250815100500.000"),
        *("15 Aug 2025 10:05:00", "15-AUG-2025 10:05", "Aug 15, 2025 10:05:00 AM", "August 15 2025 10:05"),
        *("Fri, 15 Aug 2025 10:05:00 -0400", "2025-08-15T10:05:00-04:00[America/New_York]"),
        "Fri Aug 15 2025 10:05:00 GMT-0400 (Eastern Daylight Time)",
        # blanks that never break a line, as browsers write them
        *("8/15/2025, 10:05:00\u202fAM", "8/15/2025\u00a010:05:00"),
    ],
)
def test_time_is_read_when_it_means_one_instant(text: str) -> None:
    moment = moment_of(text, TODAY)

    assert (moment.code, moment.wall_time, moment.is_time_unknown) == (None, MORNING, False)


@pytest.mark.parametrize(
    ("text", "wall_time"),
    [
        ("8/15/2025 12:05 AM", "2025-08-15 00:05:00"),
        ("8/15/2025 12:05 PM", "2025-08-15 12:05:00"),
        ("8/15/2025 9:05:07PM", "2025-08-15 21:05:07"),
        ("08/15/2025 10:05:00.123456", "2025-08-15 10:05:00.123456"),
        ("08/15/2025 10:05:00.1234569", "2025-08-15 10:05:00.123456"),
        ("08/15/2025 10:05:00,5", "2025-08-15 10:05:00.500000"),
        ("2025-08-16T02:30:00Z", "2025-08-15 22:30:00"),
        ("2025-01-15T14:30:00Z", "2025-01-15 09:30:00"),
    ],
)
def test_time_keeps_its_parts(text: str, wall_time: str) -> None:
    moment = moment_of(text, TODAY)

    assert (moment.code, str(moment.wall_time)) == (None, wall_time)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("08/15/25 10:05:00", "date_year"),
        ("8-15-25 10:05", "date_year"),
        ("15/08/2025 10:05:00", "date_day_first"),
        ("31/12/2024 10:05", "date_day_first"),
        ("10:05:00", "date_no_day"),
        ("9:45 AM", "date_no_day"),
        ("2025-08-15", "date_no_time"),
        ("45884.4201388889", "date_serial"),
        ("45884", "date_serial"),
        ("08/32/2025 10:05:00", "date_form"),
        ("99/99/2025 10:05:00", "date_form"),
        ("08/15/2025 13:05 PM", "date_form"),
        ("08/15/2025 0:05 AM", "date_form"),
        # either New York's 10:05, or 11:05 EDT
        ("08/15/2025 10:05:00 EST", "date_zone"),
        ("01/15/2025 10:05:00 EDT", "date_zone"),
        ("08/15/2025 10:05:00 CST", "date_zone"),
        ("2025-08-15 10:05:00 America/Chicago", "date_zone"),
        ("1755266700", "date_epoch"),
        ("1755266700.25", "date_epoch"),
        ("1755266700000", "date_epoch"),
        ("08/15/2025 1005", "date_form"),
        ("20250815 93100", "date_form"),
        ("20250815-10:05:00", "date_form"),
        ("15 Aug 25 10:05:00", "date_form"),
        ("31 Feb 2025 10:05:00", "date_form"),
        ("2025-08/15 10:05:00", "date_form"),
        ("0001-01-01T00:00:00+14:00", "date_past"),
        ("2025-08-19T03:59:00Z", None),
        ("2025-08-19T04:00:00Z", "date_future"),
        ("", "date_form"),
    ],
)
def test_time_is_refused_with_its_own_sentence(text: str, code: str | None) -> None:
    assert moment_of(text, TODAY).code == code
    assert code is None or "{date_time}" in SENTENCES[code]


def test_offset_tells_the_two_hours_apart_when_clocks_go_back() -> None:
    # 2024-11-03 01:30 is 05:30 UTC in summer time and 06:30 UTC in winter time
    moments = [moment_of(text, TODAY) for text in ("2024-11-03T05:30:00Z", "2024-11-03T01:30:00-05:00")]

    assert [(moment.code, str(moment.wall_time), moment.wall_time.fold) for moment in moments] == [
        (None, "2024-11-03 01:30:00", 0),
        (None, "2024-11-03 01:30:00", 1),
    ]
    assert moment_of("11/03/2024 01:30:00", TODAY).code == "date_twice"
    named = [moment_of(f"11/03/2024 01:30:00 {zone}", TODAY) for zone in ("EDT", "EST", "ET")]
    assert [(moment.code, moment.wall_time.fold) for moment in named] == [(None, 0), (None, 1), ("date_twice", 0)]


def test_midnight_is_an_unknown_time_only_without_an_offset() -> None:
    assert moment_of("08/15/2025 00:00:00", TODAY).is_time_unknown
    assert moment_of("8/15/2025 12:00 AM", TODAY).is_time_unknown
    assert not moment_of("2025-08-15T04:00:00Z", TODAY).is_time_unknown


@pytest.mark.parametrize(
    ("text", "day"),
    [("8/15/2025", (2025, 8, 15)), ("20250815", (2025, 8, 15)), ("2025/08/15", (2025, 8, 15)), ("15/8/2025", None)],
)
def test_date_alone_is_read_by_the_same_rules(text: str, day: tuple[int, int, int] | None) -> None:
    assert day_of(text) == (dt.date(*day) if day else None)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("REGULAR", "live"),
        ("partially_filled", "live"),
        ("Partially-Filled ", "live"),
        ("CXLD", "canceled"),
        ("trade bust", "canceled"),
        ("Corrected", "corrected"),
        ("NEW", None),
        ("REJECTED", None),
    ],
)
def test_status_is_read_from_the_words_of_the_settings(status: str, kind: str | None) -> None:
    assert RULES.kind_of(status) == kind


def test_live_statuses_are_a_setting() -> None:
    rules = RowRules(Settings(live_statuses=("JOURNAL",), canceled_statuses=("NIX",)), TODAY)

    assert rules.kind_of("journal") == "live"
    # what mappings write for the words of a file is known whatever the settings are
    assert [rules.kind_of(word) for word in ("live", "canceled", "corrected")] == ["live", "canceled", "corrected"]


@pytest.mark.parametrize(
    "header",
    [
        HEADER.lower(),
        HEADER.upper(),
        HEADER.replace(",", " , "),
        HEADER.replace("B/S", "b/S"),
    ],
)
def test_columns_are_known_in_any_case_and_with_blanks_around_them(header: str) -> None:
    assert mapped_columns(header.split(","), "fills.csv") == mapped_columns(HEADER.split(","), "fills.csv")


def test_columns_that_the_vendor_documents_are_passed_over() -> None:
    header = [*HEADER.split(","), "Source", "Sterling Symbol", "Clearable", "", " "]

    columns = mapped_columns(header, "fills.csv")

    assert columns[6:] == (
        COLUMNS["Source"],
        COLUMNS["Sterling Symbol"],
        COLUMNS["Clearable"],
        "unnamed_1",
        "unnamed_2",
    )


def test_symbol_in_another_spelling_is_the_symbol_where_there_is_no_other() -> None:
    header = HEADER.replace("Symbol", "Sterling Symbol").split(",")

    assert mapped_columns(header, "fills.csv")[4] == "symbol"
    with pytest.raises(InputError, match="lacks the required column 'Symbol'"):
        mapped_columns([*header, "Reuters Symbol"], "fills.csv")


def test_unknown_column_names_what_the_user_can_do() -> None:
    with pytest.raises(InputError, match=r"unknown column 'Tariff'.*Export it without that column, or list"):
        mapped_columns([*HEADER.split(","), "Tariff"], "fills.csv")


def parse(tmp_path: Path, content: str) -> tuple[int, list[str]]:
    """Return how many records of a file are good, and the reasons of the others."""
    path = tmp_path / "fills.csv"
    path.write_text(content, encoding="utf-8")
    parsed = Parser(RULES).parse(path, lambda _: None)
    good_count = sum(int(part["row_count"].sum()) for part in parsed.counts)
    return good_count, [one.reject.reason for one in parsed.rejects]


ROW = "08/15/2025 09:45:00,A1,B,100,XYZ,12.5"


def test_value_without_a_column_name_is_refused(tmp_path: Path) -> None:
    good_count, reasons = parse(tmp_path, f"{HEADER},,\n{ROW},,\n{ROW},, \n{ROW},7,\n{ROW}\n")

    assert good_count == 3
    assert [reason.split(":")[0] for reason in reasons] == ["fills.csv line 4, account 'A1'"]
    assert "has a value in a column without a name" in reasons[0]


@pytest.mark.parametrize(
    ("dates", "is_refused"),
    [
        (("14/08/2025", "05/08/2025"), True),
        (("14/08/2025",), True),
        (("05/08/2025",), False),
        (("08/14/2025", "14/08/2025"), False),
        (("2025-08-14", "14/08/2025"), True),
        (("14/08/2025", *("08/05/2025",) * 10), False),
    ],
)
def test_file_with_the_day_first_is_refused_whole(tmp_path: Path, dates: tuple[str, ...], is_refused: bool) -> None:
    content = "\n".join([HEADER, *(ROW.replace("08/15/2025", day) for day in dates), ""])

    if is_refused:
        with pytest.raises(InputError, match=r"dates day first: line \d says '14/08/2025 09:45:00'"):
            parse(tmp_path, content)
        return
    good_count, reasons = parse(tmp_path, content)
    assert good_count == len([day for day in dates if not day.startswith("14/")])
    assert len(reasons) == len(dates) - good_count


def test_multiplier_of_an_execution_is_stated_for_its_symbol_and_session(tmp_path: Path) -> None:
    content = f"{HEADER},Multiplier\n{ROW.replace('XYZ', '/ESU5')},50\n{ROW},\n{ROW.replace('XYZ', '/ESU5')},50.0\n"
    path = tmp_path / "fills.csv"
    path.write_text(content, encoding="utf-8")

    parsed = Parser(RULES).parse(path, lambda _: None)

    ((line_number, stated),) = parsed.multipliers.statements(None)
    assert (line_number, stated.symbol, stated.multiplier) == (2, "/ESU5", 50)
    assert list(parsed.multipliers.statements(dt.date(2025, 8, 14))) == []


@pytest.mark.parametrize("text", ["0", "-5", "x", "1e11"])
def test_multiplier_that_can_be_none_rejects_its_row(tmp_path: Path, text: str) -> None:
    good_count, reasons = parse(tmp_path, f"{HEADER},Multiplier\n{ROW},{text}\n{ROW},100\n")

    assert good_count == 1
    assert f"multiplier '{text}' is not above zero" in reasons[0]


def test_two_multipliers_of_one_symbol_in_a_session_refuse_the_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"two multipliers of XYZ on 2025-08-15, 50 and 5 \(lines 2 and 3\)"):
        parse(tmp_path, f"{HEADER},Multiplier\n{ROW},50\n{ROW},5\n")
