"""The file for the trading platform in an object store: whole, once, and only with the connection's own rights."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from airflow.sdk.io import attach
from fsspec.implementations.memory import MemoryFileSystem

from risk.core.errors import StackError
from risk.limits.publish import OutboundFolder
from risk.operators.outbound import OutboundStore, outbound_of

PLACE = "memory://bank@bucket/limits"


_numbers = itertools.count(1)


class Bucket(MemoryFileSystem):  # type: ignore[misc]
    """A store that lists what it had before, until it is asked anew, and that breaks off where a test says."""

    cachable = False
    protocol = "memory"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.store: dict[str, Any] = {}
        self.pseudo_dirs = [""]
        self.name = f"bank{next(_numbers)}"
        self.listed: set[str] | None = set()
        self.breaks_off_before = ""
        self.done: list[tuple[str, ...]] = []

    def invalidate_cache(self, path: str | None = None) -> None:  # noqa: ARG002  (fsspec's signature)
        self.listed = None

    def exists(self, path: str, **kwargs: Any) -> bool:
        return bool(super().exists(path, **kwargs)) if self.listed is None else path in self.listed

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **kwargs: Any) -> None:
        self._do("pipe_file", path)
        super().pipe_file(path, value, mode, **kwargs)

    def mv(self, path1: str, path2: str, **kwargs: Any) -> None:
        self._do("mv", path1, path2)
        super().mv(path1, path2, **kwargs)

    def _do(self, *words: str) -> None:
        if words[0] == self.breaks_off_before:
            raise OSError("the store is gone")
        self.done.append(words)

    @property
    def files(self) -> dict[str, bytes]:
        return {path: bytes(file.getvalue()) for path, file in self.store.items()}


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """Give an empty bucket behind a connection of its own; Airflow keeps for good what was attached."""
    bucket = Bucket()
    monkeypatch.setenv(f"AIRFLOW_CONN_{bucket.name.upper()}", "memory://")
    attach("memory", bucket.name, fs=bucket)
    return bucket


def store_of(bucket: Bucket) -> OutboundStore:
    return OutboundStore(place_of(bucket))


def place_of(bucket: Bucket) -> str:
    return f"memory://{bucket.name}@bucket/limits"


def test_place_is_a_folder_or_an_address() -> None:
    assert outbound_of(None) is None
    assert outbound_of("") is None
    assert isinstance(outbound_of("/data/out"), OutboundFolder)
    assert isinstance(outbound_of(PLACE), OutboundStore)


def test_file_gets_its_name_only_once_it_is_whole(bucket: Bucket) -> None:
    assert store_of(bucket).write_once("limits.csv", b"first") == f"{place_of(bucket)}/limits.csv"

    assert [(words[0], words[-1].rpartition("/limits/")[2]) for words in bucket.done] == [
        ("pipe_file", ".unfinished/limits.csv"),
        ("mv", "limits.csv"),
    ]
    assert [(path.rpartition("/limits/")[2], content) for path, content in bucket.files.items()] == [
        ("limits.csv", b"first")
    ]


def test_second_attempt_of_any_worker_changes_nothing(bucket: Bucket) -> None:
    store_of(bucket).write_once("limits.csv", b"first")
    bucket.done.clear()
    bucket.listed = set()  # what another worker's listing knew before

    assert store_of(bucket).write_once("limits.csv", b"first")
    with pytest.raises(StackError, match=r"already exists with other limits: nothing was written"):
        store_of(bucket).write_once("limits.csv", b"second")

    assert bucket.done == []
    assert list(bucket.files.values()) == [b"first"]


@pytest.mark.parametrize("call", ["pipe_file", "mv"])
def test_attempt_that_broke_off_leaves_no_file_for_the_platform_and_the_next_one_succeeds(
    bucket: Bucket, call: str
) -> None:
    bucket.breaks_off_before = call
    with pytest.raises(StackError, match=r"OSError the store is gone. Check the Airflow connection"):
        store_of(bucket).write_once("limits.csv", b"first")
    assert not any(path.endswith("/limits/limits.csv") for path in bucket.files)

    bucket.breaks_off_before = ""
    store_of(bucket).write_once("limits.csv", b"first")

    assert [path.rpartition("/limits/")[2] for path in bucket.files] == ["limits.csv"]


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("memory://nobody@bucket/limits", "nobody"),
        ("memory://known@bucket/limits", "memory"),
        ("nowhere://known@bucket/limits", "nowhere"),
    ],
)
def test_without_its_connection_or_provider_nothing_is_written_anywhere(
    place: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_KNOWN", "memory://")
    with pytest.raises(StackError, match=rf"cannot be written to {place}/limits.csv: .*{reason}"):
        OutboundStore(place).write_once("limits.csv", b"first")

    assert MemoryFileSystem.store == {}
