"""Hostile backups, before any database is asked: what is unpacked, and what is removed beside them."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from risk.cli import app
from risk.core import backup
from risk.core.errors import RequestError

GIGABYTE = 1 << 30


def archive_of(place: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(place, "w") as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return place


def compressed(place: Path) -> Path:
    """Write a few kilobytes that unpack to a gigabyte."""
    with tarfile.open(place, "w:xz", preset=0) as archive:
        member = tarfile.TarInfo("airflow.dump")
        member.size = 1 << 26
        archive.addfile(member, io.BytesIO(bytes(1 << 26)))
    assert place.stat().st_size < 1 << 20
    return place


def sparse(place: Path) -> Path:
    """Write a kilobyte that unpacks to a gigabyte: GNU's form of a file with a hole."""
    member = tarfile.TarInfo("airflow.dump")
    member.type = tarfile.GNUTYPE_SPARSE
    header = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    header[386 : 386 + 24] = b"%011o\0%011o\0" % (GIGABYTE, 0)
    header[483 : 483 + 12] = b"%011o\0" % GIGABYTE
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header[:512])
    place.write_bytes(bytes(header) + bytes(1024))
    return place


@pytest.mark.parametrize("make", [compressed, sparse])
def test_archive_that_unpacks_to_more_than_it_has_is_refused(tmp_path: Path, make) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path / "unpacked"
    folder.mkdir()

    with pytest.raises(RequestError, match="is not a backup of make backup"):
        backup.unpack(make(tmp_path / "bomb.tar"), folder)

    assert sum(path.stat().st_size for path in folder.iterdir()) == 0


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE])
def test_archive_of_anything_but_plain_files_is_refused(tmp_path: Path, kind: bytes) -> None:
    member = tarfile.TarInfo("contents.json")
    member.type, member.linkname = kind, "/etc/passwd"

    with pytest.raises(RequestError, match=r"it holds .contents\.json"):
        backup.unpack(archive_of(tmp_path / "odd.tar", (member, b"")), tmp_path)


def test_name_of_a_file_in_an_archive_controls_no_terminal(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"it holds '\.\./\\x1b\[2J'"):
        backup.unpack(archive_of(tmp_path / "odd.tar", (tarfile.TarInfo("../\x1b[2J"), b"x")), tmp_path)


def test_restore_removes_no_folder_of_anybody_else(tmp_path: Path) -> None:
    for name in ("restore-scripts", "restore-2024"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine.txt").write_text("mine")
    (tmp_path / "notes.tar").write_text("no archive")

    with pytest.raises(RequestError, match="is not a backup of make backup"):
        backup.restore("", tmp_path / "notes.tar")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.tar", "restore-2024", "restore-scripts"]


def test_a_server_of_your_own_is_backed_up_by_its_tools_unless_its_databases_are_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("RISK_SERVER_DSN", raising=False)

    refused = CliRunner().invoke(app, ["backup"])

    assert isinstance(refused.exception, RequestError)
    assert "only where airflow, warehouse, warehouse_simulated are databases of this" in str(refused.exception)
