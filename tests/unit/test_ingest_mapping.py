"""Mappings of brokers' exports: what each key does, what is refused by line, and which files a mapping claims."""

from __future__ import annotations

import datetime as dt
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

from risk.core.errors import InputError
from risk.core.settings import PROJECT_DIR, Settings
from risk.ingest.layout import ExecutionFile, date_time, plain_number
from risk.ingest.mapping import Numbers, Time
from risk.ingest.mapping_files import choose_mappings, preset, read_mapping
from risk.ingest.read import newest_session, read_drop
from risk.ingest.streams import Record
from risk.ingest.times import moment_of
from tests.broker_shapes import SHAPES

BASE = """
files = ["trades*.csv"]
account = "A1"
[columns]
side = "Side"
quantity = "Qty"
symbol = "Symbol"
price = "Price"
[time]
column = "Time"
"""
HEADER = "Time,Side,Qty,Symbol,Price"
ROW = "2025-08-14 09:31:00,Buy,100,AAPL,10.00"


def write(folder: Path, mapping: str, *lines: str, name: str = "trades.csv", encoding: str = "utf-8") -> Path:
    """Write a mapping file and a file that it claims."""
    (folder / "mapping.toml").write_text(mapping, encoding="utf-8")
    (folder / name).write_bytes("\n".join([*lines, ""]).encode(encoding))
    return folder


def executions(folder: Path, mapping: str = "") -> list[dict[str, Any]]:
    """Read the executions of a folder, all of which are good."""
    found, rejects, *_ = read_drop(folder, Settings(fills_mapping=mapping))
    assert [reject.reason for reject in rejects] == []
    return found.to_dict("records")


def test_mapping_beside_the_files_is_found_and_read_by_the_name_of_the_file(tmp_path: Path) -> None:
    write(tmp_path, BASE, HEADER, ROW, name="trades_0814.csv")

    (found,) = executions(tmp_path)

    assert (found["account_id"], chr(found["side"]), found["symbol"]) == ("A1", "B", "AAPL")
    # 100 shares and $10.00, scaled by 1e8
    assert (found["quantity"], found["price"]) == (100 * 10**8, 10 * 10**8)
    assert str(newest_session(tmp_path, Settings())) == "2025-08-14"


@pytest.mark.parametrize(
    ("more", "lines", "expected"),
    [
        ('delimiter = "|"', ("Time|Side|Qty|Symbol|Price", ROW.replace(",", "|")), {}),
        ("skip_lines = 2", ("Report", "as of, today", HEADER, ROW), {"line_number": 4}),
        (
            'numbers = { decimal = ",", thousands = "." }',
            (HEADER, ROW.replace("10.00", '"1.010,50"')),
            {"price": 1010.5},
        ),
        ('numbers = { thousands = "," }', (HEADER, ROW.replace("100", '"1,000"')), {"quantity": 1000}),
        ('numbers = { thousands = "," }', (HEADER, ROW.replace("100", '"$1,000.5"')), {"quantity": 1000.5}),
        ('sides = { "In" = "B", Out = "S" }', (HEADER, ROW.replace("Buy", "OUT")), {"side": "S"}),
        ('fees = { Comm = "Fee" }', (f"{HEADER},Fee", f"{ROW},$1.25"), {"fees_usd": 1.25}),
        (
            'fees = { Comm = { column = "Fee", cost = "negative" } }',
            (f"{HEADER},Fee", f"{ROW},-1.25"),
            {"fees_usd": 1.25},
        ),
        ('unused = ["No*"]', (f"{HEADER},Notes", f"{ROW},x"), {}),
        ('optional = ["Fee"]\nfees = { Comm = "Fee" }', (HEADER, ROW), {"fees_usd": 0}),
        ('fill_id = ["Day", "No"]', (f"{HEADER},Day,No", f"{ROW},14,7"), {"fill_key": "14-7"}),
        (
            'ignore = [{ column = "Side", equals = ["Total", ""] }]',
            (HEADER, "x,Total,9,,", "x,,9,,", ROW),
            {"line_number": 4},
        ),
        ('ignore = [{ column = "Side", matches = "To.*" }]', (HEADER, "x,Total", ROW), {"line_number": 3}),
        (
            'symbols = { strip_prefixes = ["US:"], strip_suffixes = [".X"] }',
            (HEADER, ROW.replace("AAPL", "US:AAPL.X")),
            {},
        ),
        (
            'symbols = { replace = [{ pattern = "^(.*) US$", by = "\\\\1" }] }',
            (HEADER, ROW.replace("AAPL", "AAPL US")),
            {},
        ),
        ('symbols = { all_are = "future" }', (HEADER, ROW.replace("AAPL", "ESU5")), {"symbol": "/ESU5"}),
        (
            'symbols = { asset_class = { column = "Kind", words = { STK = "equity", CASH = "currency" } } }',
            (f"{HEADER},Kind", f"{ROW.replace('AAPL', 'EUR.USD')},CASH"),
            {"symbol": "@EURUSD"},
        ),
        ('currency = "CAD"', (HEADER, ROW), {"currency": "CAD"}),
    ],
)
def test_key_of_a_mapping_does_what_it_says(
    tmp_path: Path, more: str, lines: tuple[str, ...], expected: dict[str, Any]
) -> None:
    write(tmp_path, f"{more}\n{BASE}", *lines)

    (found,) = executions(tmp_path)

    usual = {"side": "B", "quantity": 100, "symbol": "AAPL", "price": 10, "fees_usd": 0, "line_number": 2} | expected
    read = (
        found | {"side": chr(found["side"])} | {name: found[name] / 10**8 for name in ("quantity", "price", "fees_usd")}
    )
    assert {name: read[name] for name in usual} == usual


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1", "windows-1252"])
def test_file_is_read_in_the_encoding_that_its_mapping_names(tmp_path: Path, encoding: str) -> None:
    write(
        tmp_path,
        f'encoding = "{encoding}"\nunused = ["Händler"]\n{BASE}',
        f"{HEADER},Händler",
        f"{ROW},é",
        encoding=encoding,
    )

    assert len(executions(tmp_path)) == 1


def test_sign_of_the_quantity_may_be_the_side(tmp_path: Path) -> None:
    mapping = BASE.replace('side = "Side"\n', "").replace("account", 'quantity_sign = "side"\naccount')
    write(tmp_path, mapping, "Time,Qty,Symbol,Price", ROW.replace("Buy,", ""), ROW.replace("Buy,100", "-40"))

    assert [(chr(one["side"]), one["quantity"] / 10**8) for one in executions(tmp_path)] == [("B", 100), ("S", 40)]


def test_words_of_a_status_are_those_of_the_mapping(tmp_path: Path) -> None:
    mapping = BASE.replace('price = "Price"', 'price = "Price"\nstatus = "State"')
    words = 'statuses = { "Ausgeführt" = "live", "Storno" = "canceled" }\nfill_id = "No"\n'
    rows = (f"{ROW},Ausgeführt,1", f"{ROW},Ausgeführt,2", f"{ROW},STORNO,2")
    write(tmp_path, words + mapping, f"{HEADER},State,No", *rows)

    assert [one["fill_key"] for one in executions(tmp_path)] == ["1"]


@pytest.mark.parametrize(
    ("keys", "texts", "written"),
    [
        ({"column": "T"}, ("8/14/2025 9:31 AM",), "2025-08-14 09:31:00"),
        ({"column": "T", "zone": "UTC"}, ("2025-08-14 13:31:00",), "2025-08-14T13:31:00+00:00"),
        ({"column": "T", "zone": "America/Chicago"}, ("8/14/2025 08:31:00",), "2025-08-14T08:31:00-05:00"),
        ({"column": "T", "zone": "UTC"}, ("2025-08-14T09:31:00-04:00",), "2025-08-14T09:31:00-04:00"),
        ({"column": "T", "formats": ["%d.%m.%Y %H:%M"]}, ("14.08.2025 09:31",), "2025-08-14 09:31:00"),
        ({"column": "T", "date_column": "D"}, ("2025-08-14", "09:31:00"), "2025-08-14 09:31:00"),
        ({"column": "T", "formats": ["%m/%d/%y %H:%M:%S"]}, ("08/14/25 09:31:00",), "2025-08-14 09:31:00"),
        # the trade date of 2025-08-15 begins at 18:00 on the evening before
        ({"column": "T", "trade_date_cutoff": "18:00"}, ("2025-08-15 18:30:00",), "2025-08-14 18:30:00"),
        ({"column": "T", "trade_date_cutoff": "18:00"}, ("2025-08-15 17:59:59",), "2025-08-15 17:59:59"),
        ({"column": "T"}, ("",), ""),
        ({"column": "T", "formats": ["%Y%m%d;%H%M%S"]}, ("20250814;093100 EDT",), "2025-08-14T09:31:00-04:00"),
        ({"column": "T", "formats": ["%m/%d/%y %H:%M"]}, ("08/14/25 13:31 UTC",), "2025-08-14T13:31:00+00:00"),
        (
            {"column": "T", "zone": "UTC", "formats": ["%Y-%m-%dT%H:%MZ"]},
            ("2025-08-14T13:31Z",),
            "2025-08-14T13:31:00+00:00",
        ),
    ],
)
def test_time_is_written_as_new_york_or_with_its_offset(
    keys: dict[str, Any], texts: tuple[str, ...], written: str
) -> None:
    assert date_time(Time.model_validate(keys), *texts) == written


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"column": "T", "formats": ["%d/%m/%Y %H:%M"]}, "08/14/2025 09:31"),
        ({"column": "T", "zone": "America/Chicago"}, "2024-11-03 01:30:00"),
        ({"column": "T", "zone": "Europe/Berlin"}, "2025-03-30 02:30:00"),
    ],
)
def test_time_that_fits_no_format_or_no_instant_is_never_read_otherwise(
    tmp_path: Path, keys: dict[str, Any], text: str
) -> None:
    written = date_time(Time.model_validate(keys), text)

    assert written.startswith(f"{text} (")
    assert moment_of(written, dt.date(2026, 1, 1)).code == "date_mapping"
    mapping = BASE.replace(
        'column = "Time"', "\n".join(f"{key} = {value!r}" for key, value in {**keys, "column": "Time"}.items())
    )
    write(tmp_path, mapping, HEADER, ROW.replace("2025-08-14 09:31:00", text))
    _, (reject,), *_ = read_drop(tmp_path, Settings())
    assert text in reject.reason


@pytest.mark.parametrize("text", ["1,010.50", "1.01.50", "1.0100,5", "12.5.0", "1 010", "x"])
def test_number_in_other_marks_than_those_stated_is_never_read(text: str) -> None:
    assert plain_number(Numbers(decimal=",", thousands="."), text).startswith(f"{text} (")


@pytest.mark.parametrize("text", ["1.010", "1.5", "6400.25"])
def test_point_is_refused_where_the_decimal_mark_is_a_comma(text: str) -> None:
    # a German file writes 1.010 for one thousand and ten
    assert plain_number(Numbers(decimal=","), text).startswith(f"{text} (")


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        (Numbers(decimal=",", thousands=" "), "1\u202f010,50"),
        (Numbers(decimal=",", thousands=" "), "1\u00a0010,50"),
        (Numbers(thousands="'"), "1\u2019010.50"),
    ],
)
def test_typographic_marks_between_thousands_are_the_stated_ones(numbers: Numbers, text: str) -> None:
    assert plain_number(numbers, text) == "1010.50"


@pytest.mark.parametrize(
    ("formats", "text", "written"),
    [
        (["%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M"], "08/05/2025 10:00", None),
        (["%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M"], "14/08/2025 10:00", "2025-08-14 10:00:00"),
        (["%Y%m%d %H%M%S"], "20250814 013100", "2025-08-14 01:31:00"),
        # Excel drops the zero of 01:31:00, and strptime would read 13:10:00
        (["%Y%m%d %H%M%S"], "20250814 13100", None),
        (["%Y%m%d%H%M%S%f"], "20250814133100123", "2025-08-14 13:31:00.123000"),
        (["%d%b%Y %I%M%p"], "14Aug2025 0131PM", "2025-08-14 13:31:00"),
    ],
)
def test_time_is_read_only_where_all_formats_agree(formats: list[str], text: str, written: str | None) -> None:
    found = date_time(Time.model_validate({"column": "T", "formats": formats}), text)

    assert found == written or (written is None and found.startswith(f"{text} ("))


@pytest.mark.parametrize("title", ["Completed Orders", ""])
def test_title_above_the_header_may_be_missing(tmp_path: Path, title: str) -> None:
    write(tmp_path, f"skip_lines = 1\n{BASE}", *filter(None, [title]), HEADER, ROW)

    (found,) = executions(tmp_path)

    assert found["line_number"] == (3 if title else 2)


@pytest.mark.parametrize("name", ["Price", "PRICE", "Fee"])
def test_second_column_of_a_name_that_the_mapping_uses_is_refused(tmp_path: Path, name: str) -> None:
    write(tmp_path, f'fees = {{ Comm = "Fee" }}\n{BASE}', f"{HEADER},Fee,{name}", f"{ROW},1,2")

    with pytest.raises(InputError, match=rf"'{name.lower()}' more than once, and the mapping mapping\.toml names it"):
        read_drop(tmp_path, Settings())


@pytest.mark.parametrize(("more", "reject_count"), [("", 1), ('unused = ["*"]', 0)])
def test_cell_in_a_column_without_a_name_may_be_a_fee(tmp_path: Path, more: str, reject_count: int) -> None:
    write(tmp_path, f"{more}\n{BASE}", f"{HEADER},", f"{ROW},", f"{ROW},5")

    found, rejects, *_ = read_drop(tmp_path, Settings())

    assert (len(found), len(rejects)) == (2 - reject_count, reject_count)
    assert all("a value in a column without a name" in reject.reason for reject in rejects)


def test_file_that_is_not_in_the_encoding_of_its_mapping_is_named(tmp_path: Path) -> None:
    write(tmp_path, f'encoding = "utf-16"\n{BASE}', HEADER, ROW)

    with pytest.raises(InputError, match=r"trades\.csv is not UTF-16: byte 0x54 near line 1\. Correct encoding in"):
        read_drop(tmp_path, Settings())


def test_reject_of_a_mapped_file_quotes_the_line_as_it_stands(tmp_path: Path) -> None:
    line = ROW.replace("Buy", "Sideways")
    write(tmp_path, BASE, HEADER, ROW, line, "too,few")

    _, rejects, *_ = read_drop(tmp_path, Settings())

    by_line = {one.line_number: one for one in rejects}
    assert {number: one.raw_text for number, one in by_line.items()} == {3: line, 4: "too,few"}
    assert "side 'Sideways' is none of" in by_line[3].reason
    assert "has 2 fields, the header names 5" in by_line[4].reason


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("quantity", "quantiy"), "mapping.toml line 6: columns.quantiy is no key of a mapping file"),
        (('price = "Price"', "price = 7"), "mapping.toml line 8: columns.price is 7: write a list of texts."),
        (
            ('account = "A1"', 'account = "A1"\nskip_lines = "1"'),
            "skip_lines is '1': write a whole number without quotes.",
        ),
        (('account = "A1"', "account = 1"), "mapping.toml line 3: account is 1: write a text in quotes."),
        (("[time]", "[[time]]"), "time is [{'column': 'Time'}]: write a table of keys."),
        (('column = "Time"', 'zone = "Mars"'), "mapping.toml line 10: time.zone is 'Mars': it is no zone"),
        (('account = "A1"', ""), "line 1: account does not fit: the account is in a column or the same in every row"),
        (('account = "A1"', 'account = "A1"\nskip_lines = -1'), "mapping.toml line 4: skip_lines is -1"),
        (('account = "A1"', 'account = "A1"\nstatuses = { x = "live" }'), "mapping.toml line 4: statuses does not fit"),
        (
            ('account = "A1"', 'account = "A1"\nfees = { Tax = "x" }'),
            "line 4: fees.Tax is 'Tax': it is none of our fees",
        ),
        (
            ('account = "A1"', 'account = "A1"\npreset = "dsa"'),
            "mapping.toml starts from the preset 'dsa': there are das",
        ),
        (("[time]", "[time"), "mapping.toml is no TOML: "),
        (('column = "Time"', 'column = "Time"\nformats = "%H:%M"'), "does not keep year, month, day, hour and minute"),
        (('column = "Time"', 'column = "Time"\nformats = "%d/%m/%Y %I:%M"'), "does not keep"),
        (
            ('column = "Time"', 'column = "Time"\nformats = "%Y-%m-%dT%H:%M:%SZ"'),
            "ends with UTC, and zone is America/New",
        ),
        (('column = "Time"', 'column = "Time"\ndate_in_name = "x"\ndate_column = "D"'), "not in both"),
        (('column = "Time"', 'column = "Time"\ndate_in_name = "(.)(.)"'), "needs one group"),
        (
            ('column = "Time"', 'column = "Time"\ndate_in_name = "("'),
            "line 11: time.date_in_name is '(': it is no regular",
        ),
        (('column = "Time"', 'column = "Time"\n[numbers]\ndecimal = ","\nthousands = ","'), "no number can be read"),
        (('account = "A1"', 'account = "A1"\nquantity_sign = "side"'), "line 4: quantity_sign does not fit"),
        (('account = "A1"', 'account = "A1"\noptional = ["Price"]'), "'Price' cannot be optional"),
        (('account = "A1"', 'account = "A1"\nignore = [{ column = "x" }]'), "write equals or matches"),
        (
            ('account = "A1"', 'account = "A1"\nsymbols = { replace = [{ pattern = "a", by = "\\\\3" }] }'),
            "in place of",
        ),
    ],
)
def test_wrong_mapping_is_named_with_line_key_and_reason(
    tmp_path: Path, change: tuple[str, str], sentence: str
) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text(BASE.replace(*change), encoding="utf-8")

    with pytest.raises(InputError) as refused:
        read_mapping(path)

    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\xff\xfe", "line 1 is not UTF-8"),
        (b"x = 1\n" * 20_000, "more than 65,536 bytes"),
        (b"x = " + b"[" * 5000, "mapping.toml is n"),
        (b"x = " + b"9" * 5000, "is no TOML"),
        (b"", "mapping.toml line 1: columns is missing"),
    ],
    ids=["not text", "large", "deep", "long number", "empty"],
)
def test_file_that_is_no_mapping_is_refused_with_a_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "mapping.toml"
    path.write_bytes(content)

    with pytest.raises(InputError) as refused:
        read_mapping(path)

    assert sentence in str(refused.value)
    assert len(str(refused.value)) < 5000


def test_two_mappings_of_one_file_are_both_named_and_the_file_is_not_read(tmp_path: Path) -> None:
    write(tmp_path, BASE, HEADER, ROW)
    (tmp_path / "mapping_b.toml").write_text(BASE.replace("trades*", "tr*"), encoding="utf-8")

    with pytest.raises(InputError, match=r"trades\.csv is claimed by mapping\.toml and mapping_b\.toml"):
        read_drop(tmp_path, Settings())


def test_mapping_of_the_setting_claims_what_none_of_the_folder_does(tmp_path: Path) -> None:
    (tmp_path / "mapping.toml").write_text(BASE, encoding="utf-8")
    beside = [read_mapping(tmp_path / "mapping.toml")]

    chosen, contested = choose_mappings(("trades.csv", "fills.csv", "das_1.csv", "other.csv"), beside, preset("das"))

    assert {name: mapping.name for name, mapping in chosen.items()} == {
        "trades.csv": "mapping.toml",
        "fills.csv": "das",
        "das_1.csv": "das",
    }
    assert contested == {}


def test_mapping_of_another_broker_names_what_is_missing_and_what_would_fit(tmp_path: Path) -> None:
    shape = SHAPES["tradezero"]
    shape.write(tmp_path / "fills.csv", [])

    with pytest.raises(InputError, match=r"lacks the column 'Time'.*Its header fits the preset tradezero\.") as refused:
        read_drop(tmp_path, Settings(fills_mapping="das"))

    assert "'T/D'" in str(refused.value)


def test_file_with_our_columns_is_told_apart_from_one_that_needs_the_mapping(tmp_path: Path) -> None:
    (tmp_path / "fills.csv").write_text("Date/Time,Account,B/S,Qty,Symbol,Price\n", encoding="utf-8")

    with pytest.raises(InputError, match="Its header fits no mapping at all"):
        read_drop(tmp_path, Settings(fills_mapping="tradezero"))


def test_column_that_a_mapping_does_not_name_may_be_a_fee(tmp_path: Path) -> None:
    write(tmp_path, BASE, f"{HEADER},Tariff", f"{ROW},5")

    with pytest.raises(InputError, match=r"has the column 'Tariff', of which the mapping mapping\.toml says nothing"):
        read_drop(tmp_path, Settings())


def test_date_in_the_name_of_the_file_must_be_there(tmp_path: Path) -> None:
    SHAPES["das"].write(tmp_path / "das_today.csv", [])

    with pytest.raises(InputError, match=r"das_today\.csv has no date in its name"):
        read_drop(tmp_path, Settings(fills_mapping="das"))


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("das_2025-08-15.csv", "2025-08-15"),
        ("das_20250815_093015.csv", "2025-08-15"),
        ("das_12345678_2025-08-15.csv", "2025-08-15"),
        ("das_10010112-20250815.csv", "2025-08-15"),
        ("das_2025-08-14_2025-08-15.csv", None),
        ("das_08-15-2025.csv", None),
    ],
)
def test_day_in_the_name_of_a_file_is_the_only_one(tmp_path: Path, name: str, day: str | None) -> None:
    path = tmp_path / name
    SHAPES["das"].write(path, [])

    if day:
        with ExecutionFile(path, preset("das")) as file:
            row = ["09:31:00", "XYZ", "B", "1", "1", "", "", "A1", "", ""]
            assert file.named(Record(2, "", row))["date_time"] == f"{day} 09:31:00"
    else:
        with pytest.raises(InputError, match=r"has (several dates|no date) in its name"):
            ExecutionFile(path, preset("das"))


def test_fee_in_another_currency_than_dollars_is_rejected(tmp_path: Path) -> None:
    fees = 'fees = { Comm = { column = "Fee", cost = "negative", currency = "In" } }'
    rows = (f"{ROW},-1,usd", f"{ROW},-1,", f"{ROW},0,EUR", f"{ROW},-1.29,EUR")
    write(tmp_path, f"{fees}\n{BASE}", f"{HEADER},Fee,In", *rows)

    found, (reject,), *_ = read_drop(tmp_path, Settings())

    assert (len(found), found["fees_usd"].sum()) == (3, 2 * 10**8)
    assert "fee_comm '-1.29 (in EUR, and fees are US dollars)'" in reject.reason


def test_thousands_of_bad_rows_of_a_mapped_file_are_rejected_one_by_one(tmp_path: Path) -> None:
    write(tmp_path, BASE, HEADER, ROW, *(ROW.replace("10.00", f"x{number}") for number in range(2_000)))

    found, rejects, *_ = read_drop(tmp_path, Settings())

    assert (len(found), len(rejects)) == (1, 2_000)
    assert rejects[-1].line_number == 2_002


def test_mappings_of_the_documents_are_read(tmp_path: Path) -> None:
    page = (PROJECT_DIR / "docs" / "how-to" / "my-brokers-file.md").read_text(encoding="utf-8")
    blocks = re.findall(r"(?:^(?:    .*)?\n)+", page, flags=re.MULTILINE)
    shown = [textwrap.dedent(block) for block in blocks if re.search(r"^    files = ", block, flags=re.MULTILINE)]

    for number, block in enumerate(shown):
        path = tmp_path / f"mapping_{number}.toml"
        path.write_text(block, encoding="utf-8")
        assert read_mapping(path).files

    assert len(shown) == 2
