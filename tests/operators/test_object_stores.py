"""File drop, published limits and exports in a bucket and on an SFTP server, each a real server of this machine."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import ObjectStoragePath
from typer.testing import CliRunner

from risk.cli import app
from risk.core.errors import ConnectionLostError, FolderError, InputError, RefusalError, StackError
from risk.core.settings import Settings
from risk.core.warehouse import Connection
from risk.operators.drop_folder import opened_drop
from risk.operators.extract_fills import ExtractFillsOperator
from risk.operators.outbound import OutboundStore
from tests.drops import write_drop
from tests.stores import Store, needed, s3_server, sftp_server

pytestmark = pytest.mark.slow

THURSDAY, FRIDAY = dt.date(2025, 8, 14), dt.date(2025, 8, 15)
_numbers = itertools.count(1)


@pytest.fixture(scope="module", params=["s3", "sftp"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Give a server, or skip where its packages are missing."""
    if request.param == "s3":
        needed("airflow.providers.amazon", "boto3", "flask", "flask_cors", "moto", "s3fs")
    else:
        needed("airflow.providers.sftp", "asyncssh", "sshfs")
    with (s3_server if request.param == "s3" else sftp_server)(tmp_path_factory.mktemp(request.param)) as store:
        yield store


class Place:
    """One folder of a server, by a connection of its own; Airflow keeps a connection's file system."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store, self.monkeypatch, self.folder = store, monkeypatch, f"f{next(_numbers)}"
        self.address = self.named(store.connection)

    def named(self, connection: Any) -> str:
        """Return the address of the folder by a connection."""
        number = next(_numbers)
        self.monkeypatch.setenv(f"AIRFLOW_CONN_STORE_{os.getpid()}_{number}", json.dumps(connection))
        return f"{self.store.address.format(f'store_{os.getpid()}_{number}')}/{self.folder}"

    @property
    def fs(self) -> Any:
        return ObjectStoragePath(self.address).fs

    def put(self, name: str, content: bytes) -> None:
        """Write a file as whoever fills the folder does."""
        path = ObjectStoragePath(self.address).path
        self.fs.makedirs(path, exist_ok=True)
        self.fs.pipe_file(f"{path}/{name}", content)

    def upload(self, folder: Path) -> None:
        for path in sorted(folder.iterdir()):
            self.put(path.name, path.read_bytes())


@pytest.fixture
def place(store: Store, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(store, monkeypatch)


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    """Give a drop of two sessions."""
    folder = tmp_path / "drop"
    folder.mkdir()
    write_drop(folder, THURSDAY, {"NET001": 2, "NET002": 2})
    return write_drop(folder, FRIDAY, {"NET001": 2})


def execute(fills: str) -> dict[str, Any]:
    """Run the task as somebody who starts it by hand does."""
    dag_run = SimpleNamespace(
        run_type="manual",
        data_interval_start=None,
        run_after=dt.datetime(2025, 8, 18, 11, tzinfo=dt.UTC),
        run_id="manual__1",
        conf=None,
    )
    operator = ExtractFillsOperator(
        task_id="extract_fills", session_date=str(FRIDAY), fills=fills, as_of="", history=""
    )
    return operator.execute({"dag_run": dag_run, "dag": SimpleNamespace(params={})})


def fetch(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    with connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def names(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_drop_is_loaded_as_from_a_folder_and_once(
    warehouse_connection: None, connection: Connection, place: Place, drop: Path
) -> None:
    place.upload(drop)

    first = execute(place.address)
    again = execute(place.address)
    local = execute(str(drop))

    assert (first["file_count"], first["fill_count"]) == (2, 6)
    assert (again["fill_count"], local["fill_count"]) == (0, 0)
    sources = [place.address, place.address, str(drop)]
    assert fetch(connection, "select source from risk.loads order by load_id") == [(source,) for source in sources]


def test_what_was_uploaded_just_now_waits_for_a_run_that_polls_again(place: Place, drop: Path) -> None:
    place.upload(drop)

    with opened_drop(place.address, Settings(), may_wait=True) as patient:
        waiting = patient.growing
    with opened_drop(place.address, Settings(), may_wait=False) as hasty:
        copied = names(hasty.folder)

    assert waiting == {path.name for path in drop.iterdir()}
    assert hasty.growing == frozenset()
    assert copied == names(drop)
    assert not hasty.folder.exists()


def test_file_replaced_between_listing_and_reading_is_the_new_one_as_a_whole(
    place: Place, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.upload(drop)
    get_file, replaced = place.fs.get_file, b"a newer and longer file\n" * 1000

    def replacing(path: str, *rest: Any, **more: Any) -> Any:
        if path.endswith(f"fills_{FRIDAY}.csv"):
            monkeypatch.setattr(place.fs, "get_file", get_file)
            got = get_file(path, *rest, **more)
            place.put(f"fills_{FRIDAY}.csv", replaced)
            return got
        return get_file(path, *rest, **more)

    monkeypatch.setattr(place.fs, "get_file", replacing)
    with opened_drop(place.address, Settings(), may_wait=False) as found:
        assert names(found.folder)[f"fills_{FRIDAY}.csv"] == replaced


def test_sftp_server_lets_in_by_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    needed("airflow.providers.sftp", "asyncssh", "sshfs")
    with sftp_server(tmp_path) as server:
        place = Place(server, monkeypatch)
        place.put("fills.csv", b"first")

        path = ObjectStoragePath(place.named(server.by_key))
        assert [file.name for file in path.iterdir()] == ["fills.csv"]


@pytest.mark.parametrize("what", ["password", "login"])
def test_wrong_credentials_are_refused_with_what_to_do(place: Place, drop: Path, what: str) -> None:
    place.upload(drop)
    address = place.named(place.store.refused[what])

    with pytest.raises(RefusalError, match=r"cannot be read \(PermissionError .*: correct login, password") as caught:
        execute_without_warehouse(address)

    assert address in str(caught.value)
    assert "wrong" not in str(caught.value)


def test_missing_connection_is_refused_and_no_other_credentials_are_tried(place: Place) -> None:
    address = place.store.address.format("nobody_knows_it")

    with pytest.raises(RefusalError, match=r"names an Airflow connection that does not exist .*: add it, then clear"):
        execute_without_warehouse(address)


def test_missing_folder_is_named_by_its_address(place: Place) -> None:
    with pytest.raises(FolderError, match=r"does not exist .* Name a folder") as caught:
        execute_without_warehouse(place.address)

    assert place.address in str(caught.value)


def test_folder_without_executions_is_named_by_its_address(
    warehouse_connection: None, connection: Connection, place: Place
) -> None:
    place.put("readme.txt", b"nothing yet")

    with pytest.raises(InputError, match="holds no fills") as caught:
        execute(place.address)

    assert place.address in str(caught.value)


def test_server_that_does_not_answer_is_tried_again(place: Place) -> None:
    dead: dict[str, Any] = dict(place.store.connection)
    if "extra" in dead:
        dead["extra"] = {**dead["extra"], "endpoint_url": "http://127.0.0.1:9"}
    address = place.named({**dead, "port": 9})

    with pytest.raises(ConnectionLostError, match=r"start its server, or correct host and port"):
        execute_without_warehouse(address)


def test_limits_are_written_whole_and_once(place: Place) -> None:
    store = OutboundStore(place.address)

    assert store.write_once("limits.csv", b"first") == f"{place.address}/limits.csv"
    assert store.write_once("limits.csv", b"first")
    with pytest.raises(StackError, match="already exists with other limits: nothing was written"):
        store.write_once("limits.csv", b"second")

    folder = ObjectStoragePath(place.address).path
    assert place.fs.cat_file(f"{folder}/limits.csv") == b"first"
    assert not place.fs.exists(f"{folder}/.unfinished/limits.csv")


@pytest.mark.parametrize("what", ["password", "login"])
def test_limits_are_not_written_with_wrong_credentials(place: Place, what: str) -> None:
    address = place.named(place.store.refused[what])

    with pytest.raises(StackError, match=r"cannot be written to .*PermissionError .* Check the Airflow connection"):
        OutboundStore(address).write_once("limits.csv", b"first")


@pytest.mark.parametrize("export_format", ["parquet", "csv"])
def test_tables_are_exported_with_the_bytes_that_a_folder_gets(
    warehouse_connection: None, connection: Connection, place: Place, drop: Path, tmp_path: Path, export_format: str
) -> None:
    execute(str(drop))
    instant = dt.datetime.now(dt.UTC).isoformat()

    for target in (place.address, str(tmp_path / "out")):
        typed = ["export", "--to", target, "--as-of", instant, "--format", export_format]
        CliRunner().invoke(app, typed, catch_exceptions=False)

    folder = ObjectStoragePath(place.address).path
    local = names(tmp_path / "out")
    assert len(local) == 4
    assert {name: place.fs.cat_file(f"{folder}/{name}") for name in local} == local


def test_scheme_without_its_provider_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_BANK", "google-cloud-platform://")

    with pytest.raises(StackError, match="install the provider of its scheme where tasks run"):
        execute_without_warehouse("gs://bank@bucket/drop")


def execute_without_warehouse(address: str) -> None:
    """Open a drop that cannot be opened: the store is asked before anything is stored."""
    with opened_drop(address, Settings(), may_wait=False):
        pass
