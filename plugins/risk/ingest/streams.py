"""Reading a delivered file once, as records or blocks of columns, refusing what cannot be right as a whole."""

from __future__ import annotations

import codecs
import contextlib
import csv
import gzip
import io
import re
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv

from risk.core.errors import InputError
from risk.ingest.opening import DeliveredFile

CHUNK_BYTES = 1 << 22
RECORDS_PER_BLOCK = 20_000
MAXIMUM_HEADER_BYTES = 1 << 16
MAXIMUM_LINE_BYTES = 1 << 24

BOMB_BYTES = 1 << 26
"""A gzip file may always grow to 64 MiB."""

BOMB_RATIO = 200
"""Beyond that it may hold 200 times its size; executions compress 5 to 20 times, a bomb 1,000 times."""


DELIMITERS = ",;\t"
"""What may stand between fields; the header line tells which one does."""

SEPARATOR_LINE = re.compile(rb'"?sep=[,;\t]"?\n', re.IGNORECASE)
"""A first line that tells Excel the delimiter."""

FOREIGN_STARTS = {
    b"PK\x03\x04": "a zip archive: unpack it, and deliver the CSV files that it holds",
    b"\xd0\xcf\x11\xe0": "an Excel workbook (.xls): open it, choose Save As, CSV UTF-8, and deliver that file",
    b"\x1f\x8b": "a gzip file: name it .csv.gz, or unpack it",
    b"\xff\xfe": "UTF-16 text, as Excel's Unicode Text is: choose Save As, CSV UTF-8, and deliver that file",
    b"\xfe\xff": "UTF-16 text: export it as UTF-8",
    b"%PDF": "a PDF document: export the executions as CSV",
    b"{\\rtf": "a document of a word processor: export the executions as CSV",
}
"""First bytes of files that are no CSV text, with what each is and what to do."""
WORKBOOK = "an Excel workbook (.xlsx): open it, choose Save As, CSV UTF-8, and deliver that file"


class Record(NamedTuple):
    """One CSV record: the physical line it starts on, its text and its fields."""

    line_number: int
    raw_text: str
    fields: list[str]


@dataclass(frozen=True, slots=True)
class Block:
    """Some consecutive records as columns of text.

    Attributes
    ----------
    texts
        One column for each one that was asked for and that the file has; a row for each even record.
    line_numbers
        Physical line on which each of these records starts.
    ragged
        Records that do not have as many fields as the header, in between.
    source
        The lines of the block, or its even records.
    delimiter
        What stands between the fields of a line.
    """

    texts: pd.DataFrame
    line_numbers: NDArray[np.int64]
    ragged: Sequence[Record]
    source: Sequence[bytes] | Sequence[Record]
    delimiter: str

    def select(self, wanted: NDArray[np.bool_]) -> Sequence[bytes] | Sequence[Record]:
        """Return the sources of some records."""
        source: Sequence[Any] = self.source
        return [source[row] for row in np.flatnonzero(wanted).tolist()]

    def record(self, row: int) -> Record:
        """Return one record whole."""
        source = self.source[row]
        if isinstance(source, Record):
            return source
        text = source.decode()
        return Record(
            int(self.line_numbers[row]), text, next(csv.reader([text], delimiter=self.delimiter, strict=True))
        )


class CsvForm(NamedTuple):
    """How a CSV file is written, where it is not as ours are.

    Attributes
    ----------
    delimiter
        What stands between fields; ``None`` = the header line tells.
    encoding
        Of its text.
    skip_lines
        Lines before the header.
    """

    delimiter: str | None = None
    encoding: str = "utf-8"
    skip_lines: int = 0


OUR_FORM = CsvForm()


class CsvStream(AbstractContextManager["CsvStream"]):
    """A delivered CSV file, plain or gzip, as checked UTF-8 chunks whose lines end in a line feed.

    Parameters
    ----------
    path
        The file; a name ending in ``.gz`` is unpacked.
    form
        How it is written.

    Attributes
    ----------
    header
        The fields of the header line.
    first_line
        Number of the line after it.
    delimiter
        What stands between them, and so between the fields of every line.
    line_count
        Lines read after the header, the last one counted even without its newline.
    tail
        What follows the last newline read so far.
    sha256
        Hash of the bytes as they lie in the folder; blank until everything is read.

    Raises
    ------
    InputError
        From the constructor or while reading: a link or no plain file, cannot be opened, zero bytes, not UTF-8, NUL
        bytes, HTML, damaged or oversized gzip, or a workbook, an archive or UTF-16 under the name of a CSV file; a
        `ChangedFileError` if it changed until it was read whole.
    """

    def __init__(self, path: Path, form: CsvForm = OUR_FORM) -> None:
        self.name = path.name
        self.form = form
        self.first_line = form.skip_lines + 2
        self.is_gzip = path.name.endswith(".gz")
        self.line_count = 0
        self.tail = b""
        self.sha256 = ""
        self._source = DeliveredFile.open(path)
        self._unpacked: io.RawIOBase | gzip.GzipFile = self._source
        if self.is_gzip:
            self._unpacked = gzip.GzipFile(fileobj=self._source, mode="rb")
        self._decoder = codecs.getincrementaldecoder(form.encoding)()
        self._checked_count = 0
        self._pending_return = b""
        with contextlib.ExitStack() as stack:
            stack.push(self)
            line, self._rest = self._read_header()
            self.delimiter = form.delimiter or max(DELIMITERS, key=lambda mark: len(_split_line(line, mark)))
            self.header = self._split_header(line)
            stack.pop_all()
        self._named_count = max((number for number, name in enumerate(self.header, 1) if name.strip()), default=0)
        self._unnamed = [""] * (len(self.header) - self._named_count)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._source:
            if isinstance(error, InputError):
                self._source.check_unchanged()

    def chunks(self) -> Iterator[bytes]:
        """Yield all whole lines after the header, about 4 MB at a time; the last one may lack its newline."""
        chunk = self._rest
        while chunk:
            self.line_count += chunk.count(b"\n")
            lines, newline, self.tail = (self.tail + chunk).rpartition(b"\n")
            if len(self.tail) > MAXIMUM_LINE_BYTES:
                raise InputError(
                    f"{self.name} line {self.line_count + self.first_line} is longer than {MAXIMUM_LINE_BYTES:,} "
                    "bytes: this is no CSV of executions. Replace the file with a new export."
                )
            if newline:
                yield lines + newline
            chunk = self._read()
        self.line_count += bool(self.tail)
        self._source.check_unchanged()
        self.sha256 = self._source.digest.hexdigest()
        if self.tail:
            yield self.tail

    def blocks(self, columns: Sequence[str], wanted: Collection[str]) -> Iterator[Block]:
        """Yield the records after the header, about 4 MB at a time.

        Parameters
        ----------
        columns
            Name of each column, in the file's order.
        wanted
            Names of the columns to read.

        Raises
        ------
        InputError
            As `records`.
        """
        chunks, line_number = self.chunks(), self.first_line
        for data in chunks:
            texts = _read_texts(data, columns, wanted, self.delimiter)
            count = data.count(b"\n") + (not data.endswith(b"\n"))
            if texts is not None:
                numbers = np.arange(line_number, line_number + count, dtype=np.int64)
                yield Block(texts, numbers, (), data.split(b"\n"), self.delimiter)
            else:
                # A quoted field may go on in the next chunk: then the csv module reads the rest of the file, too.
                rest = chain([data], chunks) if b'"' in data else [data]
                yield from self._record_blocks(self.records(rest, line_number), columns, wanted)
            line_number += count

    def records(self, chunks: Iterable[bytes] | None = None, line_number: int = 0) -> Iterator[Record]:
        """Yield the CSV records after the header, as the csv module reads them; blank lines are passed over.

        Parameters
        ----------
        chunks, line_number
            What to read in place of all that follows the header: whole lines, and the number of the first one.

        Raises
        ------
        InputError
            If quotes do not match: then no later record can be trusted.
        """
        line_number = line_number or self.first_line
        taken: list[str] = []
        lines = _lines(self.chunks() if chunks is None else chunks, taken)
        try:
            for found in csv.reader(lines, delimiter=self.delimiter, strict=True):
                text, count = "".join(taken), len(taken)
                taken.clear()
                fields = found + self._unnamed if len(found) == self._named_count else found
                if not text.endswith("\n") and 0 < len(fields) < len(self.header):
                    raise InputError(
                        f"{self.name} ends in the middle of line {line_number} ({len(fields)} of {len(self.header)} "
                        "fields, no newline): it is truncated. Deliver it again, complete."
                    )
                if fields:
                    yield Record(line_number, text.removesuffix("\n"), fields)
                line_number += count
        except csv.Error as error:
            raise InputError(
                f"{self.name} cannot be read from line {line_number} on ({error}): a quote is opened and not closed, "
                "or a carriage return stands alone. Replace the file with a new export."
            ) from None

    def _record_blocks(
        self, records: Iterator[Record], columns: Sequence[str], wanted: Collection[str]
    ) -> Iterator[Block]:
        """Make blocks of records."""
        is_over = False
        while not is_over:
            some = list(islice(records, RECORDS_PER_BLOCK))
            is_over = len(some) < RECORDS_PER_BLOCK
            even = [record for record in some if len(record.fields) == len(columns)]
            ragged = [record for record in some if len(record.fields) != len(columns)]
            texts = pd.DataFrame([record.fields for record in even], columns=list(columns), dtype=str)
            numbers = np.array([record.line_number for record in even], dtype=np.int64)
            yield Block(texts[[name for name in columns if name in wanted]], numbers, ragged, even, self.delimiter)

    def _split_header(self, line: bytes) -> list[str]:
        try:
            return next(csv.reader([line.decode(errors="replace")], delimiter=self.delimiter), [])
        except csv.Error as error:
            raise InputError(
                f"{self.name} line {self.first_line - 1} cannot be read ({error}): line ends are a line feed, with or "
                "without a carriage return before it. Replace the file with a new export."
            ) from None

    def _read_header(self) -> tuple[bytes, bytes]:
        data = self._read().removeprefix(codecs.BOM_UTF8)
        if not data:
            raise InputError(f"{self.name} is empty (0 bytes), not even a header. Deliver it again.")
        separator = None if self.form.skip_lines else SEPARATOR_LINE.match(data)
        if separator:
            self.first_line += 1
            data = data[separator.end() :]
        if data.lstrip()[:1] == b"<":
            raise InputError(
                f"{self.name} is an HTML or XML page, not CSV: probably the download's error page. Deliver it again."
            )
        most_bytes = (self.form.skip_lines + 1) * MAXIMUM_HEADER_BYTES
        while data.count(b"\n") <= self.form.skip_lines and len(data) < most_bytes:
            more = self._read()
            if not more:
                break
            data += more
        *skipped, line, rest = [*data.split(b"\n", self.form.skip_lines + 1), b""][: self.form.skip_lines + 2]
        if len(line) > MAXIMUM_HEADER_BYTES or len(skipped) < self.form.skip_lines:
            raise InputError(
                f"{self.name} has no header: line {self.first_line - 1} is missing or longer than "
                f"{MAXIMUM_HEADER_BYTES:,} bytes. Deliver it again, complete."
            )
        return line, rest or (self._read() if data.count(b"\n") > self.form.skip_lines else b"")

    def _read(self) -> bytes:
        """Read and check the next chunk, lines ending in a newline alone."""
        try:
            data = self._unpacked.read(CHUNK_BYTES)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise InputError(
                f"{self.name} is a damaged or truncated gzip file ({error}). Deliver it again, complete."
            ) from None
        except OSError as error:
            raise InputError(
                f"{self.name} cannot be read to its end ({error.strerror}). Look at its disk, then deliver it again."
            ) from None
        if not self._checked_count and self.form.encoding == OUR_FORM.encoding:
            self._refuse_foreign(data)
        self._checked_count += len(data)
        if self.is_gzip and self._checked_count > max(BOMB_BYTES, BOMB_RATIO * self._source.byte_count):
            raise InputError(
                f"{self.name} unpacks to more than {BOMB_RATIO} times its {self._source.byte_count:,} bytes: "
                "refused as a gzip bomb. Deliver the file unpacked if it is genuine."
            )
        data = self._pending_return + self._checked_text(data)
        self._pending_return = b""
        if data.endswith(b"\r") and data != b"\r":
            data, self._pending_return = data[:-1], b"\r"
        return data.replace(b"\r\n", b"\n") if b"\r" in data else data

    def _refuse_foreign(self, start: bytes) -> None:
        """Refuse a file that is something else than its name says, by its first bytes."""
        found = next((what for mark, what in FOREIGN_STARTS.items() if start.startswith(mark)), None)
        if found and (b"xl/" in start or b"[Content_Types].xml" in start):
            found = WORKBOOK
        if found:
            raise InputError(f"{self.name} is not CSV but {found}.")

    def _checked_text(self, data: bytes) -> bytes:
        """Return text as UTF-8, and refuse bytes that no text of the file's encoding has."""
        try:
            text = self._decoder.decode(data, final=not data)
        except UnicodeError as error:
            # Text without the mark that UTF-16 begins with has no place in Python 3.11 and 3.12.
            start = error.start if isinstance(error, UnicodeDecodeError) else 0
            found = data[start : start + 1].hex() or "end of file"
            line_number = self.line_count + data[:start].count(b"\n") + 1
            is_ours = self.form.encoding == OUR_FORM.encoding
            remedy = "Export it" if is_ours else "Correct encoding in its mapping, or export it"
            raise InputError(
                f"{self.name} is not {self.form.encoding.upper()}: byte 0x{found} near line {line_number}. {remedy} "
                "again as UTF-8."
            ) from None
        if self.form.encoding != OUR_FORM.encoding:
            data = text.encode()
        for unwanted in (b"\x00", b"\x1f"):
            if unwanted in data:
                line_number = self.line_count + data[: data.index(unwanted)].count(b"\n") + 1
                raise InputError(
                    f"{self.name} is not text: byte 0x{unwanted.hex()} near line {line_number}. "
                    "Deliver it again as UTF-8 CSV."
                )
        return data


def _lines(chunks: Iterable[bytes], taken: list[str]) -> Iterator[str]:
    """Yield lines with their ends, and add each to those that were taken."""
    for chunk in chunks:
        *lines, rest = chunk.split(b"\n")
        for line in lines:
            taken.append(line.decode() + "\n")
            yield taken[-1]
        if rest:
            taken.append(rest.decode())
            yield taken[-1]


def _split_line(line: bytes, delimiter: str) -> list[str]:
    """Split a line at a delimiter; empty where that cannot be done."""
    try:
        return next(csv.reader([line.decode(errors="replace")], delimiter=delimiter), [])
    except csv.Error:
        return []


def _read_texts(data: bytes, columns: Sequence[str], wanted: Collection[str], delimiter: str) -> pd.DataFrame | None:
    """Read whole lines as columns of text; ``None`` where only the csv module knows what the records are.

    That is where a line is blank or has too many or too few fields, a carriage return stands alone, or a quote does
    anything else than to enclose a field.
    """
    if b"\r" in data or data.startswith(codecs.BOM_UTF8) or (b'"' in data and not _encloses_fields(data, delimiter)):
        return None
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(data),
            # Threads do not survive the fork of an Airflow task.
            arrow_csv.ReadOptions(column_names=list(columns), use_threads=False, block_size=max(len(data), 1)),
            arrow_csv.ParseOptions(delimiter=delimiter, double_quote=False),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.string()),
                strings_can_be_null=False,
                include_columns=[name for name in columns if name in wanted],
            ),
        )
    except pa.ArrowInvalid:
        return None
    return table.to_pandas() if len(table) == data.count(b"\n") + (not data.endswith(b"\n")) else None


def _encloses_fields(data: bytes, delimiter: str) -> bool:
    """Tell whether every pair of quotes encloses one field of one line, without a quote in it."""
    characters = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(characters == ord('"'))
    if len(quotes) % 2:
        return False
    opening, closing = quotes[::2], quotes[1::2]
    padded = np.concatenate(([ord("\n")], characters, [ord("\n")]))
    bounds = (ord("\n"), ord(delimiter))
    line_ends = np.flatnonzero(characters == ord("\n"))
    return bool(
        np.isin(padded[opening], bounds).all()
        and np.isin(padded[closing + 2], bounds).all()
        and (np.searchsorted(line_ends, opening) == np.searchsorted(line_ends, closing)).all()
    )
