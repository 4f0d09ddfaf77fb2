"""Statement files: small CSV files in which somebody states what holds from a day on, such as closing prices.

One mechanism for every kind of them: a file is judged in Python, row by row, and stored by one statement of SQL.
``risk.ingest.kinds`` lists the kinds; a new one is a row type, a parser and three files of SQL.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from risk.core.errors import InputError
from risk.core.settings import EXCHANGE_ZONE
from risk.core.warehouse import Connection, execute, records
from risk.ingest.reasons import Quarantine, Reject
from risk.ingest.shapes import mapped_columns
from risk.ingest.staging import copy_chunks, csv_chunks
from risk.ingest.streams import CsvStream, file_sha256

Row = TypeVar("Row", bound=tuple[Any, ...])

Claim = tuple[tuple[object, ...], str]
"""A subject, such as a symbol and a session, and a clause about it that no other row may contradict."""


@dataclass(frozen=True, slots=True)
class Kind(Generic[Row]):
    """One kind of statement files.

    Attributes
    ----------
    name
        Its table, and the beginning of its files' names: ``marks`` lies in ``marks*.csv``.
    header
        Header name to field, for every column that may be there.
    required
        Header names that must be there.
    fields
        Columns of the table, in the order of a row; the first is the day that the row is about.
    parse
        Makes a row of a record's fields on a New York day, or ``None`` where it says nothing. A ``ValueError`` says in
        a clause what is wrong.
    claims
        What a row says that no other row of the same look at the source may say differently; takes the row and the
        name of its file.
    is_read_together
        Whether all files of the kind are read again when one has changed, so that a contradiction is always seen.
    is_stored_ahead
        Whether rows about days after the load's last session are stored too: they hold from their day on anyway.
    """

    name: str
    header: Mapping[str, str]
    required: tuple[str, ...]
    fields: tuple[str, ...]
    parse: Callable[[Mapping[str, str], dt.date], Row | None]
    claims: Callable[[Row, str], Sequence[Claim]]
    is_read_together: bool = False
    is_stored_ahead: bool = False

    @property
    def pattern(self) -> str:
        """What the names of its files look like."""
        return f"{self.name}*.csv"


class Stated(NamedTuple, Generic[Row]):
    """A row with the line and text it comes from."""

    line_number: int
    raw_text: str
    row: Row


@dataclass(slots=True)
class StatementFile(Generic[Row]):
    """One file, judged; ``silent_count`` records say nothing."""

    path: Path
    content_sha256: str = ""
    stated: list[Stated[Row]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    silent_count: int = 0

    def reject(self, line_number: int, raw_text: str, clause: str) -> None:
        """Set a record aside."""
        reason = f"{self.path.name} line {line_number}: {clause}. Correct the row and deliver the file again."
        self.rejects.append(Reject(self.path.name, line_number, raw_text, reason))


@dataclass(slots=True)
class StagedStatements:
    """What a load found in its statement files."""

    file_count: int = 0
    rejected_count: int = 0
    quarantined: list[Quarantine] = field(default_factory=list)


def read_statements(kind: Kind[Row], paths: Iterable[Path]) -> tuple[list[Row], list[Reject]]:
    """Read what the files of one kind state, without a database.

    Returns
    -------
    rows, rejects
        In the order of files and lines: of two rows about the same the later one counts.

    Raises
    ------
    InputError
        If a file cannot be used as a whole; names every such file.
    """
    files, quarantined = judge_files(kind, paths, dt.datetime.now(EXCHANGE_ZONE).date())
    if quarantined:
        raise InputError("\n".join(item.reason for item in quarantined))
    rows = [stated.row for file in files for stated in file.stated]
    return rows, [reject for file in files for reject in file.rejects]


def judge_files(
    kind: Kind[Row], paths: Iterable[Path], today: dt.date
) -> tuple[list[StatementFile[Row]], list[Quarantine]]:
    """Sort the records of some files into rows and rejects; files that cannot be right as a whole are quarantined."""
    files: list[StatementFile[Row]] = []
    quarantined: list[Quarantine] = []
    for path in paths:
        try:
            files.append(_judge_file(kind, path, today))
        except InputError as error:
            quarantined.append(Quarantine(path.name, str(error)))
    _refuse_contradictions(kind, files)
    return files, quarantined


def _judge_file(kind: Kind[Row], path: Path, today: dt.date) -> StatementFile[Row]:
    if not path.is_file():
        raise InputError(f"The file {path} does not exist.")
    judged: StatementFile[Row] = StatementFile(path)
    with CsvStream(path) as stream:
        columns = mapped_columns(stream.header, stream.name, kind.header, kind.required)
        for record in stream.records():
            try:
                row = kind.parse(_named(columns, record.fields), today)
            except ValueError as error:
                judged.reject(record.line_number, record.raw_text, str(error))
                continue
            if row is None:
                judged.silent_count += 1
            else:
                judged.stated.append(Stated(record.line_number, record.raw_text, row))
        judged.content_sha256 = stream.sha256
    return judged


def _named(columns: Sequence[str], fields: Sequence[str]) -> dict[str, str]:
    if len(fields) != len(columns):
        raise ValueError(f"it has {len(fields)} fields, the header names {len(columns)}")
    return dict(zip(columns, (text.strip(" ") for text in fields), strict=True))


def _refuse_contradictions(kind: Kind[Row], files: Iterable[StatementFile[Row]]) -> None:
    """Reject every row with a claim that another row contradicts: nobody knows which is right."""
    files = list(files)
    claims: dict[tuple[object, ...], dict[str, str]] = {}
    for file in files:
        for stated in file.stated:
            for subject, clause in kind.claims(stated.row, file.path.name):
                claims.setdefault(subject, {}).setdefault(clause, f"{file.path.name} line {stated.line_number}")
    contested = {subject: told for subject, told in claims.items() if len(told) > 1}
    if not contested:
        return
    for file in files:
        kept = []
        for stated in file.stated:
            subjects = [subject for subject, _ in kind.claims(stated.row, file.path.name) if subject in contested]
            if not subjects:
                kept.append(stated)
                continue
            about = " ".join(map(str, subjects[0]))
            said = ", ".join(f"{place} {clause}" for clause, place in contested[subjects[0]].items())
            file.reject(stated.line_number, stated.raw_text, f"{about} is told in two ways: {said}")
        file.stated = kept


def stage_statements(
    connection: Connection,
    kind: Kind[Row],
    paths: Sequence[Path],
    opened: Mapping[str, Any],
    known: Mapping[str, str],
) -> StagedStatements:
    """Store what the files of one kind say that is new, and log them; inside the caller's transaction.

    Parameters
    ----------
    opened
        The load: ``load_id``, ``recorded_at``, ``through_session_date``; rows about later days wait for a later load.
    known
        SHA-256 by name of the files that need no second reading.
    """
    fresh = [path for path in paths if known.get(path.name) != file_sha256(path)]
    if not fresh:
        return StagedStatements()
    today = opened["recorded_at"].astimezone(EXCHANGE_ZONE).date()
    files, quarantined = judge_files(kind, paths if kind.is_read_together else fresh, today)
    staged = StagedStatements(len(files) + len(quarantined), 0, quarantined)
    heard = _heard(connection, kind, files)
    due = (
        (file.path.name, stated.line_number, *stated.row)
        for file in files
        for stated in file.stated
        if (kind.is_stored_ahead or stated.row[0] <= opened["through_session_date"])
        and (file.path.name, stated.line_number) not in heard
    )
    execute(connection, f"extract_fills/create_staged_{kind.name}")
    copy_chunks(connection, f"staged_{kind.name}", ("file_name", "line_number", *kind.fields), csv_chunks(due))
    stored = records(connection, f"extract_fills/insert_{kind.name}", opened)
    counts = {row["file_name"]: row["loaded_count"] for row in stored}
    for file in files:
        through = dt.date.max if kind.is_stored_ahead else opened["through_session_date"]
        staged.rejected_count += _log(
            connection, file, {**opened, "through_session_date": through}, counts.get(file.path.name, 0)
        )
    return staged


def _heard(connection: Connection, kind: Kind[Row], files: Sequence[StatementFile[Row]]) -> set[tuple[str, int]]:
    """List the lines that an earlier load has heard of the same bytes, so that they replace nothing said since.

    A file is read again while a row of it is wrong or waits. Files of a kind that is read together never say two things
    of one subject.
    """
    if kind.is_read_together:
        return set()
    binds = {"file_names": [file.path.name for file in files]}
    earlier = {row["file_name"]: row for row in records(connection, "extract_fills/select_stated_files", binds)}
    heard: set[tuple[str, int]] = set()
    for file in files:
        read = earlier.get(file.path.name)
        if read is not None and read["content_sha256"] == file.content_sha256:
            heard |= {
                (file.path.name, stated.line_number)
                for stated in file.stated
                if (kind.is_stored_ahead or stated.row[0] <= read["through_session_date"])
                and stated.line_number not in read["rejected_lines"]
            }
    return heard


def _log(connection: Connection, file: StatementFile[Row], opened: Mapping[str, Any], loaded_count: int) -> int:
    """Log one file with its totals, store its rejects and return how many are new."""
    deferred_count = sum(stated.row[0] > opened["through_session_date"] for stated in file.stated)
    binds = {
        "load_id": opened["load_id"],
        "file_name": file.path.name,
        "content_sha256": file.content_sha256,
        "loaded_count": loaded_count,
        "rejected_count": len(file.rejects),
        "unchanged_count": len(file.stated) + file.silent_count - loaded_count - deferred_count,
        "deferred_count": deferred_count,
    }
    execute(connection, "extract_fills/insert_statement_files", binds)
    rejects = {
        "load_id": opened["load_id"],
        "file_name": file.path.name,
        "content_sha256": file.content_sha256,
        "line_numbers": [reject.line_number for reject in file.rejects],
        "raw_texts": [reject.raw_text for reject in file.rejects],
        "reasons": [reject.reason for reject in file.rejects],
    }
    return execute(connection, "extract_fills/insert_statement_rejects", rejects) if file.rejects else 0
