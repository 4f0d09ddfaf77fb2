"""Closing prices: a small file a session, judged in Python and stored by one statement."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from risk.database import Connection, execute, records
from risk.entities import Mark
from risk.errors import InputError
from risk.fills.numbers import number
from risk.fills.reasons import Quarantine, Reject, shorten
from risk.fills.rows import first_session, fits
from risk.fills.shapes import SYMBOL_PATTERN, mark_columns
from risk.fills.staging import copy_chunks, csv_chunks
from risk.fills.streams import CsvStream, Record, file_sha256
from risk.sessions import is_session
from risk.settings import EXCHANGE_ZONE

DATE_FORMS: Final = {r"[0-9]{2}/[0-9]{2}/[0-9]{4}": "%m/%d/%Y", r"[0-9]{4}-[0-9]{2}-[0-9]{2}": "%Y-%m-%d"}
"""Both are unambiguous; the vendor's page gives none for marks."""

STAGED_COLUMNS: Final = (
    "file_name",
    "line_number",
    "session_date",
    "symbol",
    "price",
    "volume",
    "currency",
    "multiplier",
)


@dataclass(slots=True)
class MarksFile:
    """One file of closing prices, judged."""

    path: Path
    content_sha256: str = ""
    marks: list[tuple[int, Mark, Decimal | None]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)


@dataclass(slots=True)
class StagedMarks:
    """What a load found in its files of closing prices."""

    file_count: int = 0
    rejected_count: int = 0
    quarantined: list[Quarantine] = field(default_factory=list)


def read_marks(file: Path) -> list[Mark]:
    """Read closing prices.

    Raises
    ------
    InputError
        If the file cannot be used, or any row of it; names every bad row.
    """
    if not file.is_file():
        raise InputError(f"The marks file {file} does not exist.")
    judged = judge_marks(file, dt.datetime.now(EXCHANGE_ZONE).date())
    if judged.rejects:
        raise InputError("\n".join(reject.reason for reject in judged.rejects))
    return [mark for _, mark, _ in judged.marks]


def judge_marks(path: Path, today: dt.date) -> MarksFile:
    """Sort the rows of a file of closing prices into marks and rejects.

    Raises
    ------
    InputError
        If the file cannot be right as a whole.
    """
    judged = MarksFile(path)
    with CsvStream(path) as stream:
        columns = mark_columns(stream.header, stream.name)
        for record in stream.records():
            try:
                judged.marks.append((record.line_number, *_mark(record, columns, today)))
            except ValueError as error:
                reason = f"{path.name} line {record.line_number}: {error}. Correct the row and deliver the file again."
                judged.rejects.append(Reject(path.name, record.line_number, record.raw_text, reason))
        judged.content_sha256 = stream.sha256
    return judged


def _mark(record: Record, columns: tuple[str, ...], today: dt.date) -> tuple[Mark, Decimal | None]:
    if len(record.fields) != len(columns):
        raise ValueError(f"it has {len(record.fields)} fields, the header names {len(columns)}")
    named = dict(zip(columns, (text.strip(" ") for text in record.fields), strict=True))
    symbol, currency = named["symbol"].upper(), named.get("currency") or "USD"
    if not re.fullmatch(SYMBOL_PATTERN, symbol):
        raise ValueError(f"symbol {shorten(symbol)} is blank, too long or has characters no symbol has")
    if not re.fullmatch("[A-Z]{3}", currency):
        raise ValueError(f"currency {shorten(currency)} is no ISO 4217 code")
    volume = _number(named, "volume", minimum=Decimal(0))
    smallest = Decimal("1e-8")
    price = _number(named, "price", minimum=smallest)
    multiplier = _number(named, "multiplier", minimum=smallest)
    return Mark(_session(named["date"], today), symbol, price, currency, multiplier), volume


def _number(named: Mapping[str, str], name: str, *, minimum: Decimal) -> Decimal | None:
    text = named.get(name, "")
    if not text:
        return None
    value = number(text)
    if value is None:
        raise ValueError(f"{name} {shorten(text)} is not a number")
    if not fits(value) or value < minimum:
        raise ValueError(f"{name} {shorten(text)} is not above zero and below 10,000,000,000 with at most 8 decimals")
    return value


def _session(text: str, today: dt.date) -> dt.date:
    for pattern, form in DATE_FORMS.items():
        if re.fullmatch(pattern, text):
            try:
                day = dt.datetime.strptime(text, form).date()  # noqa: DTZ007 - a session is a plain date
            except ValueError:
                break
            if day > today:
                raise ValueError(f"date {text} lies in the future")
            if day < first_session() or not is_session(day):
                raise ValueError(f"date {text} is no session, so it has no closing price")
            return day
    raise ValueError(f"date {shorten(text)} is no date of the form MM/DD/YYYY or YYYY-MM-DD")


def stage_marks(
    connection: Connection, paths: Iterable[Path], opened: Mapping[str, Any], known: Mapping[str, str]
) -> StagedMarks:
    """Store what the files of closing prices say that is new, and log them; inside the caller's transaction.

    Parameters
    ----------
    opened
        The load: ``load_id``, ``recorded_at``, ``through_session_date``.
    known
        SHA-256 by name of the files that need no second reading.
    """
    staged = StagedMarks()
    files: list[MarksFile] = []
    for path in paths:
        if path.name in known and known[path.name] == file_sha256(path):
            continue
        staged.file_count += 1
        try:
            files.append(judge_marks(path, opened["recorded_at"].astimezone(EXCHANGE_ZONE).date()))
        except InputError as error:
            staged.quarantined.append(Quarantine(path.name, str(error)))
    due = [
        (
            file.path.name,
            line_number,
            mark.session_date,
            mark.symbol,
            mark.price,
            volume,
            mark.currency,
            mark.multiplier,
        )
        for file in files
        for line_number, mark, volume in file.marks
        if mark.session_date <= opened["through_session_date"]
    ]
    copy_chunks(connection, "staged_marks", STAGED_COLUMNS, csv_chunks(due))
    stored = records(connection, "extract_fills/insert_marks", opened)
    counts = {row["file_name"]: row["loaded_count"] for row in stored}
    for file in files:
        staged.rejected_count += _log(connection, file, opened, counts.get(file.path.name, 0))
    return staged


def _log(connection: Connection, file: MarksFile, opened: Mapping[str, Any], loaded_count: int) -> int:
    """Log one file with its totals, store its rejects and return how many are new."""
    deferred_count = sum(mark.session_date > opened["through_session_date"] for _, mark, _ in file.marks)
    binds = {
        "load_id": opened["load_id"],
        "file_name": file.path.name,
        "content_sha256": file.content_sha256,
        "loaded_count": loaded_count,
        "rejected_count": len(file.rejects),
        "unchanged_count": len(file.marks) - loaded_count - deferred_count,
        "deferred_count": deferred_count,
    }
    execute(connection, "extract_fills/insert_marks_files", binds)
    rejects = {
        "load_id": opened["load_id"],
        "file_name": file.path.name,
        "line_numbers": [reject.line_number for reject in file.rejects],
        "raw_texts": [reject.raw_text for reject in file.rejects],
        "reasons": [reject.reason for reject in file.rejects],
    }
    return execute(connection, "extract_fills/insert_mark_rejects", rejects) if file.rejects else 0
