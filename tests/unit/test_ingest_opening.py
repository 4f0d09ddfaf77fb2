"""Which files are opened, and what happens to one that changes while it is read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from risk.core.errors import InputError
from risk.ingest.opening import ChangedFileError, DeliveredFile, file_sha256, finding_of
from risk.ingest.streams import CsvStream

GOOD = b"a,b\n1,2\n3,4\n"


def read(path: Path, change: Callable[[Path], None]) -> None:
    """Open a file, change it, then read it."""
    with CsvStream(path) as file:
        change(path)
        list(file.records())


def keep(path: Path) -> None:
    """Leave the file alone."""


def link(path: Path) -> None:
    path.symlink_to(path.with_name("target.csv"))


def loose_link(path: Path) -> None:
    path.symlink_to(path.with_name("nowhere.csv"))


@pytest.mark.parametrize("make", [link, loose_link, Path.mkdir, os.mkfifo])
def test_link_folder_or_pipe_is_refused_at_once(tmp_path: Path, make: Callable[[Path], None]) -> None:
    (tmp_path / "target.csv").write_bytes(GOOD)
    path = tmp_path / "fills.csv"
    make(path)

    with pytest.raises(InputError, match=r"fills\.csv is a link or no plain file"):
        CsvStream(path)
    assert file_sha256(path) == ""


def test_device_is_refused() -> None:
    with pytest.raises(InputError, match="no plain file"):
        DeliveredFile.open(Path(os.devnull))


def test_hash_is_that_of_the_bytes_and_blank_when_there_is_no_file(tmp_path: Path) -> None:
    path = tmp_path / "fills.csv"
    path.write_bytes(GOOD)

    assert file_sha256(path) == hashlib.sha256(GOOD).hexdigest()
    assert file_sha256(tmp_path / "gone.csv") == ""


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"5,6\n")


def rewrite(path: Path) -> None:
    path.write_bytes(GOOD.replace(b"3", b"9"))
    os.utime(path, (1, 1))


def replace(path: Path) -> None:
    path.with_name("new.csv").write_bytes(GOOD)
    path.with_name("new.csv").rename(path)


def replace_by_link(path: Path) -> None:
    path.rename(path.with_name("moved.csv"))
    path.symlink_to(path.with_name("moved.csv"))


@pytest.mark.parametrize(
    ("change", "how"),
    [
        (append, "changed"),
        (rewrite, "changed"),
        (replace, "was replaced"),
        (replace_by_link, "was replaced"),
        (Path.unlink, "was removed"),
    ],
)
def test_file_that_changes_while_it_is_read_is_not_used(
    tmp_path: Path, change: Callable[[Path], None], how: str
) -> None:
    path = tmp_path / "fills.csv"
    path.write_bytes(GOOD)

    with pytest.raises(ChangedFileError, match=rf"fills\.csv {how} while it was read") as caught:
        read(path, change)

    assert finding_of(path, caught.value).state == "waiting"


def test_file_that_is_wrong_because_it_was_changed_waits_and_is_not_quarantined(tmp_path: Path) -> None:
    path = tmp_path / "fills.csv"
    path.write_bytes(GOOD + b'5,"6\n')

    with pytest.raises(ChangedFileError):
        read(path, append)
    with pytest.raises(InputError, match="a quote is opened") as caught:
        read(path, keep)

    assert finding_of(path, caught.value).state == "quarantined"
