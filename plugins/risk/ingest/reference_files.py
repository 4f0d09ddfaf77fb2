"""Reading and storing reference files: one mechanism for every kind of them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, NamedTuple

from risk.core.entities import ReportedPnl
from risk.core.errors import InputError
from risk.core.money import counted
from risk.core.warehouse import Connection, execute, records, rows
from risk.ingest.folder import MANIFEST, DropFolder
from risk.ingest.opening import file_sha256, finding_of
from risk.ingest.reasons import Notice, cause_of
from risk.ingest.reference_data import FileSpec, Row
from risk.ingest.rules import SENTENCES, FileFinding, Reject, RowRules
from risk.ingest.stage import FileLog, StagedReject, copy_chunks, row_chunks
from risk.ingest.streams import CsvStream
from risk.ingest.words import fold_name, mapped_columns, quote_foreign, quote_names


class Stated(NamedTuple, Generic[Row]):
    """A row with the line and text it comes from."""

    line_number: int
    raw_text: str
    row: Row


@dataclass(slots=True)
class ReferenceFile(Generic[Row]):
    """One file as parsed; ``blank_count`` records say nothing, ``notices`` warn of what is not read."""

    path: Path
    content_sha256: str = ""
    stated: list[Stated[Row]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    blank_count: int = 0
    notices: list[Notice] = field(default_factory=list)

    def reject(self, line_number: int, raw_text: str, clause: str) -> None:
        """Set a record aside."""
        reason = f"{self.path.name} line {line_number}: {clause}. Correct the row and deliver the file again."
        self.rejects.append(Reject(self.path.name, line_number, raw_text, reason, cause_of(clause)))


@dataclass(slots=True)
class StoredReference:
    """What a load found in the reference files of one kind."""

    logs: list[FileLog] = field(default_factory=list)
    rejects: list[StagedReject] = field(default_factory=list)
    findings: list[FileFinding] = field(default_factory=list)


def read_reference_files(
    spec: FileSpec[Row], paths: Iterable[Path], rules: RowRules
) -> tuple[list[Row], list[Reject], list[Notice]]:
    """Read what the files of one kind state, without a database.

    Returns
    -------
    rows, rejects, notices
        In the order of files and lines: of two rows about the same the later one counts.

    Raises
    ------
    InputError
        If a file cannot be used as a whole; names every such file.
    """
    files, findings = _parse_files(spec, paths, rules)
    if findings:
        raise InputError("\n".join(item.reason for item in findings))
    stated = [line.row for file in files for line in file.stated]
    notices = [notice for file in files for notice in file.notices]
    return stated, [reject for file in files for reject in file.rejects], notices


def _parse_files(
    spec: FileSpec[Row], paths: Iterable[Path], rules: RowRules
) -> tuple[list[ReferenceFile[Row]], list[FileFinding]]:
    """Sort the records of some files into rows and rejects; files that cannot be used as a whole are findings."""
    files: list[ReferenceFile[Row]] = []
    findings: list[FileFinding] = []
    for path in paths:
        try:
            files.append(_parse_file(spec, path, rules))
        except InputError as error:
            findings.append(finding_of(path, error))
    _reject_contradictions(spec, files)
    return files, findings


def _parse_file(spec: FileSpec[Row], path: Path, rules: RowRules) -> ReferenceFile[Row]:
    if not path.is_file():
        raise InputError(f"The file {path} does not exist.")
    parsed: ReferenceFile[Row] = ReferenceFile(path)
    with CsvStream(path) as stream:
        columns = _read_header(spec, stream, parsed)
        for record in stream.records():
            if not any(text.strip(" ") for text in record.fields):
                parsed.blank_count += 1
                continue
            if len(record.fields) != len(columns):
                found = counted(len(record.fields), "field")
                clause = SENTENCES["ragged"].format(found=found, expected=len(columns))
                parsed.reject(record.line_number, record.raw_text, f"it {clause}")
                continue
            texts = (text.strip(" ") for text in record.fields)
            try:
                row = spec.parse(dict(zip(columns, texts, strict=True)), rules)
            except ValueError as error:
                parsed.reject(record.line_number, record.raw_text, str(error))
                continue
            if row is None:
                parsed.blank_count += 1
            else:
                parsed.stated.append(Stated(record.line_number, record.raw_text, row))
        parsed.content_sha256 = stream.sha256
    return parsed


def _read_header(spec: FileSpec[Row], stream: CsvStream, parsed: ReferenceFile[Row]) -> tuple[str, ...]:
    """Map the columns of a file by name; those that nobody knows are named and passed over.

    Unlike a column of executions, none can hold a fee. A header without any known name is none.
    """
    known = {fold_name(name) for name in spec.header}
    unknown = [name.strip() for name in stream.header if name.strip() and fold_name(name) not in known]
    if len(unknown) == sum(bool(name.strip()) for name in stream.header):
        return mapped_columns(stream.header, stream.name, spec.header, spec.required)
    if unknown:
        sentence = (
            f"{stream.name} has the unknown column {quote_foreign(unknown)}, which is not read. Correct the name if it "
            f"is one of {quote_names(spec.header)}."
        )
        parsed.notices.append(Notice(parsed.path.name, "unknown column", sentence))
    unused = {f"(unused {number})": f"unused_{number}" for number in range(len(stream.header))}
    header = [
        name if not name.strip() or fold_name(name) in known else f"(unused {number})"
        for number, name in enumerate(stream.header)
    ]
    return mapped_columns(header, stream.name, {**spec.header, **unused}, spec.required)


def _reject_contradictions(spec: FileSpec[Row], files: Sequence[ReferenceFile[Row]]) -> None:
    """Reject every row with a fact that another row contradicts: nobody knows which is right."""
    facts: dict[tuple[object, ...], dict[str, str]] = {}
    for file in files:
        for stated in file.stated:
            for subject, clause in spec.unique_facts(stated.row, file.path.name):
                facts.setdefault(subject, {}).setdefault(clause, f"{file.path.name} line {stated.line_number}")
    contested = {subject: clauses for subject, clauses in facts.items() if len(clauses) > 1}
    for file in files if contested else ():
        kept = []
        for stated in file.stated:
            subjects = [subject for subject, _ in spec.unique_facts(stated.row, file.path.name) if subject in contested]
            if not subjects:
                kept.append(stated)
                continue
            about = " ".join(map(str, subjects[0]))
            found = ", ".join(f"{where} {clause}" for clause, where in contested[subjects[0]].items())
            file.reject(stated.line_number, stated.raw_text, f"{about} is stated in two ways: {found}")
        file.stated = kept


def store_reference_files(
    connection: Connection,
    spec: FileSpec[Row],
    paths: Sequence[Path],
    opened: Mapping[str, Any],
    loaded: Mapping[str, str],
    rules: RowRules,
) -> StoredReference:
    """Store what the files of one kind state that is new; inside the caller's transaction.

    Parameters
    ----------
    opened
        The load: ``load_id``, ``recorded_at``, ``through_session_date``; rows about later days wait for a later load.
    loaded
        SHA-256 by name of the files that need no second reading.
    """
    fresh = [path for path in paths if loaded.get(path.name) != file_sha256(path)]
    if not fresh:
        return StoredReference()
    files, findings = _parse_files(spec, paths if spec.is_read_together else fresh, rules)
    through = dt.date.max if spec.is_stored_ahead else opened["through_session_date"]
    known_lines = _known_lines(connection, spec, files)
    due: dict[tuple[object, ...], tuple[object, ...]] = {}
    for file in files:
        for line_number, _, row in file.stated:
            place = (file.path.name, line_number)
            if row[0] <= through and place not in known_lines:
                due[tuple(getattr(row, name) for name in spec.subject) or place] = (*place, *row)
    copy_chunks(
        connection, f"pg_temp.staged_{spec.name}", ("file_name", "line_number", *spec.fields), row_chunks(due.values())
    )
    counts = Counter(file_name for (file_name,) in rows(connection, spec.insert, opened))
    return StoredReference(
        [_log(file, through, counts[file.path.name]) for file in files],
        [StagedReject(*reject, file.content_sha256, is_reference=True) for file in files for reject in file.rejects],
        findings,
    )


def _known_lines(
    connection: Connection, spec: FileSpec[Row], files: Sequence[ReferenceFile[Row]]
) -> set[tuple[str, int]]:
    """List the lines that an earlier load has stored of the same bytes, so that they replace nothing stated since.

    A file is read again while a row of it is wrong or waits. Files of a kind that is read together never say two things
    of one subject.
    """
    if spec.is_read_together:
        return set()
    binds = {"file_names": [file.path.name for file in files]}
    earlier = {row["file_name"]: row for row in records(connection, "extract_fills/select_stated_files", binds)}
    known: set[tuple[str, int]] = set()
    for file in files:
        read = earlier.get(file.path.name)
        if read is not None and read["content_sha256"] == file.content_sha256:
            known |= {
                (file.path.name, stated.line_number)
                for stated in file.stated
                if (spec.is_stored_ahead or stated.row[0] <= read["through_session_date"])
                and stated.line_number not in read["rejected_lines"]
            }
    return known


def _log(file: ReferenceFile[Row], through: dt.date, loaded_count: int) -> FileLog:
    deferred_count = sum(stated.row[0] > through for stated in file.stated)
    return FileLog(
        file.path.name,
        file.content_sha256,
        loaded_count=loaded_count,
        rejected_count=len(file.rejects),
        unchanged_count=len(file.stated) + file.blank_count - loaded_count - deferred_count,
        deferred_count=deferred_count,
        is_reference=True,
        reason=" ".join(notice.sentence for notice in file.notices) or None,
    )


def store_manifest_totals(connection: Connection, drop: DropFolder, opened: Mapping[str, Any]) -> None:
    """Store the gross and net P&L that a manifest gives for its versions, where they are new.

    Parameters
    ----------
    connection
        Inside the caller's transaction.
    opened
        The load: ``load_id``, ``recorded_at``, ``through_session_date``, ``is_history``.
    """
    reported = [
        (MANIFEST, entry.line_number, *entry.reported, entry.published_at)
        for named in drop.entries.values()
        for entry in named.values()
        if entry.reported and entry.session_date <= opened["through_session_date"]
    ]
    if reported:
        columns = ("file_name", "line_number", *ReportedPnl._fields, "published_at")
        copy_chunks(connection, "pg_temp.staged_totals", columns, row_chunks(reported))
        execute(connection, "extract_fills/insert_totals", opened)
