"""The parser reads columns as the rules read single texts, and whole files as a slow reader does."""

from __future__ import annotations

import csv
import datetime as dt
import io
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st

from risk.core.errors import InputError
from risk.core.settings import Settings
from risk.ingest import streams
from risk.ingest.deliveries import FileDeliveries, find_deliveries
from risk.ingest.parse import SCALE, AmountRule, Parser, judge_fee, judge_price, judge_quantity
from risk.ingest.rules import RowRules, fill_of, key_of
from risk.ingest.words import mapped_columns
from tests.properties.effort import examples

RULES = RowRules(Settings(), dt.date(2025, 8, 29))
HEADER = ("Date/Time", "Account", "B/S", "Qty", "Symbol", "Price", "Comm", "Ecn Fee", "Status", "Currency", "Fill Id")

COLUMNS = mapped_columns(HEADER, "fills.csv")

DATES = (
    *("08/14/2025", "08/15/2025", "08/16/2025", "02/30/2025", "99/99/2025", "08/15/2099", "03/09/2025", "11/03/2024"),
    *("8/15/2025", "2025-08-15", "2025/08/15", "20250815", "08/15/25"),
)
TIMES = (
    *("18:00:00", "00:00:00", "01:30:00", "02:30:00", "09:45:00", "23:59:59", "24:00:00", "12:00:60"),
    *("9:45", "9:45 PM", "09:45:00.123456", "09:45:00Z", "01:30:00-04:00", "13:00 AM"),
)
NUMBERS = (
    *(
        "1",
        "0",
        "-1",
        "+2",
        ".5",
        "7.",
        "1e3",
        "0x1F",
        "1_000",
        "NaN",
        "Infinity",
        "",
        " ",
        "$1,010.00",
        "-1,250.5",
        "1,010",
        "(5)",
        "1 2",
        "\u0663",
        "1,5",
        "--1",
    ),
    *("0.123456789", "0.100000000", "9999999999.99999999", "10000000000", "12.5", "100", "1" * 500, "1e9999999"),
    *("0.000000005", "-999999999.99999999"),
)
ACCOUNTS = ("NET001", "NET001 ", "NET002_OLD", "=cmd()", "", "N\n1", "\u00e9", "X" * 51)
SYMBOLS = (
    "XYZ",
    "xyz",
    " ABC ",
    "@CADUSD",
    "/ESU5",
    "ES 09-25",
    "AAPL  250117C00150000",
    "",
    "<b>",
    "A" * 49,
    "\u00df",
)
ODD_LINES = ("", " ", "too,few", ",".join("x" * 12), '"', 'a"b' + "," * 10, "\r")

decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**11), max_value=10**11).map(str)
plain = st.tuples(st.integers(0, 10**11), st.integers(0, 10**9)).map(lambda parts: f"{parts[0]}.{parts[1]}")
amounts = st.sampled_from(NUMBERS) | decimals | plain


@given(st.lists(amounts, min_size=1, max_size=30))
@example(["0", "0.0", "00000000000.1", "1.", "123456789.12345678"])
def test_amounts_read_all_at_once_are_those_of_the_rule(texts: list[str]) -> None:
    for judge in (judge_quantity, judge_price, judge_fee):
        read = AmountRule(judge)._read(pd.Series(texts, dtype=str))

        assert list(zip(*(part.tolist() for part in read), strict=True)) == [judge(text) for text in texts]


def mostly(usual: str, *odd: str) -> st.SearchStrategy[str]:
    """Draw the usual value three times of four, so that many rows are good."""
    return st.integers(0, 3).flatmap(lambda draw: st.just(usual) if draw else st.sampled_from((usual, *odd)))


records = st.tuples(
    st.tuples(mostly("08/15/2025", *DATES), mostly("09:45:00", *TIMES)).map(" ".join),
    mostly("NET001", *ACCOUNTS),
    mostly("B", "S", "T", "C", "X", "b", "", " B", "sell short", "BUY_TO_COVER"),
    mostly("100", *NUMBERS) | plain,
    mostly("XYZ", *SYMBOLS),
    mostly("12.5", *NUMBERS) | plain,
    mostly("0.01", *NUMBERS),
    mostly("", *NUMBERS),
    mostly("", "X", " ", "BUST", "Cancelled", " cor ", "corrected", "bu\u017ft"),
    mostly("USD", "", "CAD", "usd"),
    mostly("", "1", "2", "3", 'a"b', "l\\n"),
)


def write_line(fields: tuple[str, ...], quoting: Any) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="", quoting=quoting).writerow(fields)
    return buffer.getvalue()


lines = st.one_of(
    st.builds(write_line, records, st.sampled_from((csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL))),
    st.sampled_from(ODD_LINES) | st.builds(write_line, records, st.just(csv.QUOTE_MINIMAL)),
)


@examples(100)
@given(
    written=st.lists(lines, max_size=15),
    ending=st.sampled_from(("\n", "\r\n")),
    is_ended=st.booleans(),
    chunk_bytes=st.sampled_from((7, 200, 1 << 22)),
)
def test_file_is_parsed_as_a_slow_reader_reads_it(
    written: list[str], ending: str, is_ended: bool, chunk_bytes: int
) -> None:
    content = ending.join([",".join(HEADER), *written]) + (ending if is_ended else "")
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "fills.csv"
        path.write_bytes(content.encode())
        usual, streams.CHUNK_BYTES = streams.CHUNK_BYTES, chunk_bytes
        try:
            tables: list[pa.Table] = []
            found = find_deliveries(Parser(RULES).parse(path, tables.append), RULES)
            parsed = _records(found, tables)
        except InputError:
            parsed = None
        finally:
            streams.CHUNK_BYTES = usual

    assert parsed == _read_slowly(content)


def _records(found: FileDeliveries, tables: list[pa.Table]) -> tuple[dict[int, tuple[Any, ...]], dict[int, str]]:
    """Return good records by line, and the reasons of rejected ones."""
    wanted = np.ones(len(found.places), bool)
    frames = [found.select(table, wanted).to_pandas() for table in tables]
    frames += [block.assign(place=found.numbers[block["place"]]) for block in found.parsed.corrections]
    good = {}
    for row in (row for frame in frames for row in frame.to_dict("records")):
        amounts = tuple(Decimal(row[name]).scaleb(-SCALE) for name in ("quantity", "price", "fees_usd"))
        instant = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=row["microsecond"])
        texts = (chr(row["side"]), row["symbol"], row["currency"], row["fill_key"], row["kind"])
        good[row["line_number"]] = (*found.places[row["place"]], instant, *amounts, *texts)
    return good, {one.reject.line_number: one.reject.reason for one in found.rejects}


def _read_slowly(content: str) -> tuple[dict[int, tuple[Any, ...]], dict[int, str]] | None:
    """Read a file record by record with the csv module and the rules; ``None`` where it cannot be read to its end."""
    good: dict[int, tuple[Any, ...]] = {}
    reasons: dict[int, str] = {}
    repeats: dict[object, list[int]] = {}
    try:
        records = list(_numbered(content))
    except (csv.Error, EOFError):
        return None
    for line_number, fields in records:
        named = dict(zip(COLUMNS, fields, strict=False))
        codes = RULES.codes_of(named) if len(fields) == len(COLUMNS) else ["ragged"]
        if codes:
            reasons[line_number] = RULES.sentence("fills.csv", line_number, codes, COLUMNS, fields)
            continue
        fill, kind = fill_of(named, line_number), RULES.kind_of(named["status"])
        texts = (fill.side, fill.symbol, fill.currency or "", key_of(named), kind)
        amounts = (fill.quantity, fill.price, fill.fees_usd)
        good[line_number] = (fill.account_id, fill.session_date, fill.executed_at, *amounts, *texts)
        if kind == "live" and key_of(named):
            repeats.setdefault((fill.account_id, fill.session_date, key_of(named)), []).append(line_number)
    for repeated in repeats.values():
        is_same = len({good[line_number] for line_number in repeated}) == 1
        for line_number in repeated[1:] if is_same else repeated:
            del good[line_number]
            if not is_same:
                fields = dict(records)[line_number]
                reasons[line_number] = RULES.sentence("fills.csv", line_number, ["repeated_id"], COLUMNS, fields)
    return good, reasons


def _numbered(content: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the records after the header with the line each starts on; blank ones are passed over."""
    text = content.replace("\r\n", "\n")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    next(reader)
    line_number = 2
    for fields in reader:
        is_last = reader.line_num == text.count("\n") + 1
        if is_last and fields and len(fields) < len(COLUMNS):
            raise EOFError("the file ends in the middle of a line")
        if any(field.strip() for field in fields):
            yield line_number, fields
        line_number = reader.line_num + 1
