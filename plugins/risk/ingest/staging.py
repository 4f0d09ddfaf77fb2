"""Bringing delivered files into the staging table by COPY, many files into one table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import psycopg2
from psycopg2 import sql

from risk.core.errors import InputError
from risk.core.warehouse import Connection, execute
from risk.ingest.reasons import sentence
from risk.ingest.shapes import staging_columns
from risk.ingest.streams import CHUNK_BYTES, CsvStream, Record

CSV: Final = "format csv"
PLAIN: Final = "format text, delimiter ',', null ''"
"""What COPY reads a tenth faster, and the same way, where nothing is quoted and no backslash stands."""

REJECT_COLUMNS = ("file_number", "line_number", "codes")
REASON_COLUMNS = ("file_number", "line_number", "raw_text", "reason")


class ChunkReader:
    """Gives COPY the chunks of an iterator and remembers why the iterator stopped.

    The driver turns an error of the reader into a server error, so that its class would be lost.
    """

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self.failure: InputError | None = None

    def readline(self, _size: int = -1, /) -> bytes:
        """Return the next chunk: COPY asks for chunks only."""
        return self.read()

    def read(self, _size: int = -1, /) -> bytes:
        """Return the next chunk, whatever its size."""
        try:
            return next(self._chunks, b"")
        except InputError as error:
            self.failure = error
            raise


def copy_chunks(
    connection: Connection, table: str, columns: Iterable[str], chunks: Iterable[bytes], form: str = CSV
) -> int:
    """Copy chunks into some columns of a staging table and return the number of rows.

    Raises
    ------
    InputError
        If the chunks' source refuses its file; the transaction is broken then, up to the last savepoint.
    """
    command = sql.SQL("copy {} ({}) from stdin with ({}, encoding 'UTF8')").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns)), sql.SQL(form)
    )
    reader = ChunkReader(chunks)
    with connection.cursor() as cursor:
        try:
            cursor.copy_expert(command, reader, CHUNK_BYTES)
        except psycopg2.Error:
            if reader.failure is not None:
                raise reader.failure from None
            raise
        return int(cursor.rowcount)


def csv_chunks(rows: Iterable[Iterable[object]]) -> Iterator[bytes]:
    """Format rows as CSV, a chunk at a time."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    for row in rows:
        writer.writerow(row)
        if buffer.tell() >= CHUNK_BYTES:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


class StagedFile(NamedTuple):
    """A file that has been copied: the SHA-256 of its bytes and its records, without the ragged ones."""

    content_sha256: str
    record_count: int


def stage_file(connection: Connection, path: Path, file_number: int) -> StagedFile:
    """Copy one file of executions into staging; its ragged records go to ``staged_rejects``.

    Raises
    ------
    InputError
        If the file cannot be right as a whole; nothing of it stays in staging.
    """
    with connection.cursor() as cursor:
        cursor.execute("savepoint staged_file")
        try:
            staged = _stage_clean(connection, path, file_number)
            if staged is None:
                cursor.execute("rollback to savepoint staged_file")
                staged = _stage_sifted(connection, path, file_number)
        except InputError:
            cursor.execute("rollback to savepoint staged_file")
            raise
        finally:
            cursor.execute("release savepoint staged_file")
    return staged


def _stage_clean(connection: Connection, path: Path, file_number: int) -> StagedFile | None:
    """Copy the file as it lies there into ``staged_fills``.

    ``None`` if it is not plain, has blank or ragged lines or an amount that is no number: then it needs a closer look.
    """
    with CsvStream(path) as stream:
        columns = staging_columns(stream.header, stream.name)
        execute(connection, "extract_fills/start_staged_fills", {"file_number": file_number})
        try:
            row_count = copy_chunks(connection, "staged_fills", columns, _plain_chunks(stream), PLAIN)
        except psycopg2.DataError:
            return None
        if not stream.is_plain:
            return None
        stream.refuse_cut_line()
        return StagedFile(stream.sha256, row_count) if row_count == stream.line_count else None


def _plain_chunks(stream: CsvStream) -> Iterator[bytes]:
    """Stop at the first quote or backslash: from there on commas and line ends need the CSV module's eyes."""
    for chunk in stream.chunks():
        if not stream.is_plain:
            return
        yield chunk


def _stage_sifted(connection: Connection, path: Path, file_number: int) -> StagedFile:
    """Copy the file into ``staged_texts``, record by record with line numbers, setting ragged records aside."""
    ragged: list[int] = []

    def even(records: Iterator[Record], width: int) -> Iterator[list[str]]:
        for record in records:
            if len(record.fields) == width:
                yield [str(file_number), str(record.line_number), *record.fields]
            else:
                ragged.append(record.line_number)

    with CsvStream(path) as stream:
        columns = staging_columns(stream.header, stream.name)
        rows = even(stream.records(), len(columns))
        row_count = copy_chunks(connection, "staged_texts", ("file_number", "line_number", *columns), csv_chunks(rows))
        listed = ((file_number, line_number, "ragged") for line_number in ragged)
        copy_chunks(connection, "staged_rejects", REJECT_COLUMNS, csv_chunks(listed))
        return StagedFile(stream.sha256, row_count)


def stage_reasons(
    connection: Connection, path: Path, file_number: int, codes_by_line: dict[int, str], twins: dict[str, str]
) -> None:
    """Read a file again for the raw text of its rejected records and stage it with their sentences."""

    def reasons(stream: CsvStream) -> Iterator[tuple[int, int, str, str]]:
        columns = staging_columns(stream.header, stream.name)
        for record in stream.records():
            codes = codes_by_line.get(record.line_number)
            if codes:
                reason = sentence(path.name, record.line_number, codes.split(), columns, record.fields, twins)
                yield file_number, record.line_number, record.raw_text, reason

    with CsvStream(path) as stream:
        copy_chunks(connection, "staged_reasons", REASON_COLUMNS, csv_chunks(reasons(stream)))
