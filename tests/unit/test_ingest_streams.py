"""What a delivered file must be before anybody looks at its rows."""

from __future__ import annotations

import errno
import gzip
import hashlib
import os
from pathlib import Path

import pytest

from risk.core.errors import InputError
from risk.ingest.streams import CsvStream

GOOD = b"a,b\n1,2\n3,4\n"


def read(path: Path) -> list[tuple[int, list[str]]]:
    with CsvStream(path) as stream:
        return [(record.line_number, record.fields) for record in stream.records()]


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        b"\xef\xbb\xbf" + GOOD,
        GOOD.replace(b"\n", b"\r\n"),
        GOOD.rstrip(b"\n"),
        GOOD.replace(b"1,2\n", b"1,2\n\n"),
    ],
    ids=["plain", "byte order mark", "carriage returns", "no last newline", "blank line"],
)
def test_stream_gives_the_same_records_however_the_file_was_saved(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "fills.csv"
    path.write_bytes(content)

    records = read(path)

    assert [fields for _, fields in records] == [["1", "2"], ["3", "4"]]


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        (b"a;b\n1,5;2\n", ["1,5", "2"]),
        (b"a\tb\n1;5\t2\n", ["1;5", "2"]),
        (b'a;b\n"1;5";2\n', ["1;5", "2"]),
        (b'"a;c",b\n1;5,2\n', ["1;5", "2"]),
        (b"a,b,\n1,2,\n", ["1", "2", ""]),
        (b"a,b,\n1,2\n", ["1", "2", ""]),
        (b"a,b, ,\n1,2", ["1", "2", "", ""]),
    ],
)
def test_header_line_alone_says_how_lines_are_split(tmp_path: Path, content: bytes, fields: list[str]) -> None:
    path = tmp_path / "fills.csv"
    path.write_bytes(content)

    assert read(path) == [(2, fields)]
    with CsvStream(path) as stream:
        names = [f"c{number}" for number in range(len(stream.header))]
        (block,) = stream.blocks(names, names)
    assert block.texts.to_numpy().tolist() == [fields]
    assert list(block.record(0).fields) == fields


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;"])
def test_line_that_tells_excel_the_delimiter_is_no_header(tmp_path: Path, first: str) -> None:
    path = tmp_path / "fills.csv"
    path.write_text(f"\ufeff{first}\r\na;b\r\n1;2\r\n", encoding="utf-8")

    with CsvStream(path) as stream:
        assert stream.header == ["a", "b"]
        assert [(record.line_number, record.fields) for record in stream.records()] == [(3, ["1", "2"])]


def test_stream_counts_physical_lines_when_a_quoted_field_spans_two(tmp_path: Path) -> None:
    path = tmp_path / "fills.csv"
    path.write_bytes(b'a,b\n"1\n1",2\n3,"4,5"\n')

    records = read(path)

    # the first record stands on lines 2 and 3, so the second one begins on line 4
    assert records == [(2, ["1\n1", "2"]), (4, ["3", "4,5"])]


def test_stream_hashes_the_bytes_of_the_folder_when_they_are_packed(tmp_path: Path) -> None:
    path = tmp_path / "fills.csv.gz"
    path.write_bytes(gzip.compress(GOOD))

    with CsvStream(path) as stream:
        fields = [record.fields for record in stream.records()]
        digest = stream.sha256

    assert fields == [["1", "2"], ["3", "4"]]
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("fills.csv", b"", "empty"),
        ("fills.csv", b"\xef\xbb\xbf", "empty"),
        ("fills.csv", b"<!doctype html><title>Login</title>\n", "HTML"),
        ("fills.csv", b"a,b\n1,\x002\n", "not text"),
        ("fills.csv", "a,b\n1,é\n".encode("latin-1"), "not UTF-8"),
        ("fills.csv", "a,b\n1,2\n".encode("utf-16"), "UTF-16"),
        ("fills.csv", "a,b\n1,2\n".encode("utf-16-le"), "not text"),
        ("fills.csv", b"PK\x03\x04\x14\x00\x08\x00fills.csv", "zip archive"),
        ("fills.csv", b"PK\x03\x04\x14\x00\x08\x00[Content_Types].xml", "Excel workbook"),
        ("fills.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "Excel workbook"),
        ("fills.csv", b"%PDF-1.7\n", "PDF"),
        ("fills.csv.gz", gzip.compress(b"PK\x03\x04\x14\x00\x08\x00fills.csv", mtime=0), "zip archive"),
        ("fills.csv", b"a,b\n1,2\n3", "truncated"),
        ("fills.csv", b'a,b\n1,"2\n3,4\n', "quote"),
        ("fills.csv", GOOD.replace(b"\n", b"\r"), "line ends"),
        ("fills.csv.gz", gzip.compress(GOOD, mtime=0)[:-9], "truncated gzip"),
        ("fills.csv.gz", GOOD, "gzip"),
        ("fills.csv", gzip.compress(GOOD, mtime=0), "name it .csv.gz"),
    ],
)
def test_stream_refuses_a_file_that_cannot_be_right(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(InputError, match=sentence) as refused:
        read(path)

    assert name in str(refused.value)


def test_stream_refuses_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"fills\.csv cannot be opened \(No such file or directory\)"):
        read(tmp_path / "fills.csv")


def test_stream_refuses_a_file_whose_disk_fails_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "fills.csv"
    path.write_bytes(GOOD)

    def broken(_stream: object, _size: int = -1) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("risk.ingest.opening.DeliveredFile.read", broken)

    with pytest.raises(InputError, match="cannot be read to its end"):
        read(path)


def test_stream_refuses_a_gzip_bomb_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("risk.ingest.streams.BOMB_BYTES", 1 << 18)
    path = tmp_path / "fills.csv.gz"
    # 1 MiB of one line packs about 1,000 to 1: more than the 200 to 1 that are allowed beyond 256 KiB
    path.write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * (1 << 18)))

    with pytest.raises(InputError, match="bomb"):
        read(path)
