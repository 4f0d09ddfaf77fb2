"""Copying a file drop from elsewhere: whole files only, and what is not complete waits."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.local import LocalFileSystem

from risk.ingest.object_drop import TRIES, copy_drop

OLD = time.time() - 3600


class Server(LocalFileSystem):  # type: ignore[misc]
    """A file server whose files change where a test says, and that may list some of them late."""

    cachable = False

    def __init__(self, folder: Path, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.folder = folder
        self.before_copy: list[Callable[[], object]] = []
        self.after_copy: list[Callable[[], object]] = []
        self.unlisted: set[str] = set()

    def put(self, name: str, content: str, written_at: float = OLD) -> Path:
        """Write a file with the time of its last change."""
        path = self.folder / name
        path.write_text(content)
        os.utime(path, (written_at, written_at))
        return path

    def ls(self, path: str, detail: bool = False, **kwargs: Any) -> Any:  # noqa: ARG002 - fsspec's signature
        found = super().ls(path, detail=True, **kwargs)
        return [item for item in found if Path(item["name"]).name not in self.unlisted]

    def info(self, path: Any, **kwargs: Any) -> Any:
        found = super().info(path, **kwargs)
        return {**found, "type": "link"} if found["islink"] else found

    def get_file(self, path1: str, path2: str, callback: Any = None, **kwargs: Any) -> None:
        for action in [self.before_copy.pop(0)] if self.before_copy else []:
            action()
        super().get_file(path1, path2, callback, **kwargs)
        for action in [self.after_copy.pop(0)] if self.after_copy else []:
            action()


@pytest.fixture
def server(tmp_path: Path) -> Server:
    folder = tmp_path / "server"
    folder.mkdir()
    return Server(folder)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "copy"
    folder.mkdir()
    return folder


def copy(
    server: Server, target: Path, *, may_wait: bool = False, sleep: Callable[[float], None] = time.sleep
) -> set[str]:
    return set(copy_drop(server, str(server.folder), target, may_wait=may_wait, sleep=sleep))


def test_copy_holds_what_the_server_holds(server: Server, target: Path) -> None:
    server.put("fills.csv", "one")
    server.put("marks.csv", "two")
    (server.folder / "archive").mkdir()

    growing = copy(server, target)

    assert growing == set()
    assert {path.name for path in target.iterdir()} == {"fills.csv", "marks.csv", "archive"}
    assert (target / "fills.csv").read_text() == "one"


def test_link_of_the_server_is_no_plain_file_in_the_copy(server: Server, target: Path) -> None:
    (server.folder / "fills.csv").symlink_to("/etc/hostname")

    copy(server, target)

    assert (target / "fills.csv").is_symlink()
    assert (target / "fills.csv").read_bytes() == b""


@pytest.mark.parametrize("moment", ["before_copy", "after_copy"])
def test_file_replaced_between_listing_and_reading_is_the_new_one_as_a_whole(
    server: Server, target: Path, moment: str
) -> None:
    server.put("fills.csv", "the first version")
    getattr(server, moment).append(lambda: server.put("fills.csv", "second", OLD + 60))

    growing = copy(server, target)

    assert growing == set()
    assert (target / "fills.csv").read_text() == "second"


def test_file_replaced_at_every_try_waits(server: Server, target: Path) -> None:
    server.put("fills.csv", "0")
    for number in range(TRIES):
        server.after_copy.append(lambda number=number: server.put("fills.csv", "x" * number, OLD + 1 + number))

    assert copy(server, target) == {"fills.csv"}


def test_file_removed_while_it_is_read_waits_and_is_not_half_there(server: Server, target: Path) -> None:
    server.before_copy.append(server.put("fills.csv", "one").unlink)

    assert copy(server, target) == {"fills.csv"}
    assert (target / "fills.csv").read_text() == ""


@pytest.mark.parametrize(("age", "waits"), [(5, True), (120, True), (190, False), (-30, True), (-86_400 * 900, False)])
def test_run_that_polls_again_leaves_files_that_changed_lately(
    server: Server, target: Path, age: float, waits: bool
) -> None:
    server.put("fills.csv", "one", time.time() - age)

    assert copy(server, target, may_wait=True) == ({"fills.csv"} if waits else set())


def test_run_that_does_not_poll_again_leaves_only_what_grows_while_it_looks(server: Server, target: Path) -> None:
    server.put("fills_a.csv", "one", time.time())
    server.put("fills_b.csv", "one", time.time())

    growing = copy(server, target, sleep=lambda _: server.put("fills_b.csv", "one and more", time.time()) and None)

    assert growing == {"fills_b.csv"}


def test_file_that_the_manifest_names_is_read_though_the_server_lists_it_late(server: Server, target: Path) -> None:
    server.put(
        "manifest.csv", "file,account_id,session_date,published_at\nfills.csv,A,2025-08-15,\n../x,A,2025-08-15,\n"
    )
    server.put("fills.csv", "one")
    server.unlisted = {"fills.csv"}

    assert copy(server, target) == set()

    assert {path.name for path in target.iterdir()} == {"manifest.csv", "fills.csv"}
