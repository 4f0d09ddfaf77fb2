"""What the processes are told: the user's own servers win, secrets stay secret."""

from __future__ import annotations

import datetime as dt
import json
import stat
from pathlib import Path

import pytest
from psycopg2.extensions import parse_dsn

from devstack import doctor, services
from devstack.clone import Clone, write_json
from devstack.environment import (
    METADATA_DSN,
    SMTP_CONNECTION,
    VENDOR_CONNECTION,
    WAREHOUSE_CONNECTION,
    Desk,
    DeskKind,
    airflow_environment,
    choose_desk,
    load_login,
    load_secrets,
)
from devstack.warehouse import libpq_dsn
from risk.core.errors import RequestError, StackError

PORTS = {"api": 21001, "mail": 21002, "postgres": 21003}


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """Give an empty working copy."""
    clone = Clone(tmp_path)
    clone.prepare()
    return clone


def environment(clone: Clone, given: dict[str, str], kind: DeskKind = DeskKind.simulated) -> dict[str, str]:
    return airflow_environment(clone, load_secrets(clone), Desk(kind, clone.desk), PORTS, given)


@pytest.mark.parametrize(
    "name", [WAREHOUSE_CONNECTION, SMTP_CONNECTION, METADATA_DSN, "RISK_SCHEDULE", "RISK_REPORTS_DIR"]
)
def test_environment_keeps_what_the_user_has_set(clone: Clone, name: str) -> None:
    assert environment(clone, {name: "the user's own"})[name] == "the user's own"
    assert environment(clone, {})[name] != "the user's own"


@pytest.mark.parametrize(
    ("kind", "given", "database", "desk"),
    [
        (DeskKind.simulated, "", "warehouse_simulated", "simulated"),
        (DeskKind.simulated, "alpha", "warehouse_simulated", "simulated"),
        (DeskKind.real, "", "warehouse", "desk"),
        (DeskKind.real, "alpha", "warehouse", "alpha"),
        (DeskKind.real, "simulated", "warehouse", "desk"),
    ],
)
def test_environment_never_mixes_simulated_and_real_desks(
    clone: Clone, kind: DeskKind, given: str, database: str, desk: str
) -> None:
    found = environment(clone, {"RISK_DESK": given}, kind)

    assert found[WAREHOUSE_CONNECTION].rpartition("/")[2] == database
    assert found["RISK_DESK"] == desk
    assert found["RISK_SCHEDULE"] == "off"


def test_environment_binds_every_server_to_loopback(clone: Clone) -> None:
    told = environment(clone, {})

    assert told["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert "@127.0.0.1:21003/" in told[WAREHOUSE_CONNECTION]
    assert "@127.0.0.1:21003/" in told[METADATA_DSN]
    assert json.loads(told[SMTP_CONNECTION])["host"] == "127.0.0.1"


def test_environment_bypasses_a_proxy_for_this_machine_only(clone: Clone) -> None:
    told = environment(clone, {"http_proxy": "http://proxy:3128", "NO_PROXY": "intranet"})

    assert told["http_proxy"] == "http://proxy:3128"
    assert told["NO_PROXY"].split(",") == ["intranet", "127.0.0.1", "localhost"]


def test_environment_drops_what_slows_python_down(clone: Clone) -> None:
    assert "PYTHONDONTWRITEBYTECODE" not in environment(clone, {"PYTHONDONTWRITEBYTECODE": "1"})


def test_secrets_are_made_once_and_only_the_owner_reads_them(clone: Clone) -> None:
    first, password = load_secrets(clone), load_login(clone)

    assert load_secrets(clone) == first
    assert load_login(clone) == password
    for file in (clone.secrets, clone.login):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_secrets_differ_between_clones_and_are_not_shown(tmp_path: Path) -> None:
    one, two = Clone(tmp_path / "one"), Clone(tmp_path / "two")
    for clone in (one, two):
        clone.prepare()

    kept = load_secrets(one)

    assert kept.risk != load_secrets(two).risk
    assert kept.risk not in f"{kept} {kept!r}"


def test_choose_desk_is_simulated_when_nothing_is_named(clone: Clone) -> None:
    assert choose_desk(clone, "", {}) == Desk(DeskKind.simulated, clone.desk)


def test_choose_desk_is_real_when_a_folder_is_named(clone: Clone, tmp_path: Path) -> None:
    drop = tmp_path / "a drop"
    drop.mkdir()
    (drop / "fills.csv").touch()

    assert choose_desk(clone, str(drop), {}) == Desk(DeskKind.real, drop)
    assert choose_desk(clone, "", {"RISK_FILLS_DIR": str(drop)}) == Desk(DeskKind.real, drop)


def test_choose_desk_takes_the_vendor_unless_a_folder_is_named_on_the_command_line(
    clone: Clone, tmp_path: Path
) -> None:
    drop = tmp_path / "a drop"
    drop.mkdir()
    given = {VENDOR_CONNECTION: "https://me:secret@firm.propreports.com"}
    beside = given | {"RISK_FILLS_DIR": str(drop)}

    assert choose_desk(clone, "", given) == Desk(DeskKind.real, None)
    assert choose_desk(clone, "", beside) == Desk(DeskKind.real, None, companions=drop)  # may still be empty
    (drop / "fills.csv").touch()
    assert choose_desk(clone, str(drop), given) == Desk(DeskKind.real, drop)
    assert choose_desk(clone, "", {VENDOR_CONNECTION: ""}) == Desk(DeskKind.simulated, clone.desk)

    told = airflow_environment(clone, load_secrets(clone), choose_desk(clone, "", beside), PORTS, beside)
    named = airflow_environment(clone, load_secrets(clone), choose_desk(clone, str(drop), beside), PORTS, beside)
    assert (told[VENDOR_CONNECTION], told["RISK_FILLS_DIR"]) == (given[VENDOR_CONNECTION], str(drop))
    assert VENDOR_CONNECTION not in named


def test_choose_desk_refuses_a_folder_that_is_missing_empty_or_a_file(clone: Clone, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()

    for name, found in (("missing", "does not exist"), ("empty", "is empty"), ("file", "is a file")):
        with pytest.raises(RequestError, match=found):
            choose_desk(clone, str(tmp_path / name), {})


def test_choose_desk_keeps_simulated_fills_out_of_the_users_warehouse(clone: Clone) -> None:
    with pytest.raises(RequestError, match="Name a folder"):
        choose_desk(clone, "", {WAREHOUSE_CONNECTION: "postgres://somewhere/warehouse"})


def test_what_looks_while_nothing_runs_looks_at_the_desk_that_ran_last(
    clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(WAREHOUSE_CONNECTION, raising=False)
    write_json(clone.var / "ports.json", PORTS)

    def looked_at() -> set[str]:
        found = doctor.patient_of(clone, {}, dt.datetime(2025, 8, 18, tzinfo=dt.UTC))
        uris = (found.warehouse_uri, services.running_environment(clone)[WAREHOUSE_CONNECTION])
        return {parse_dsn(libpq_dsn(uri))["dbname"] for uri in uris}

    # make run FILLS= stops what it has started; its reports are what replay, traders and ledger are asked about.
    assert looked_at() == {"warehouse_simulated"}
    write_json(clone.last_desk, {"desk": DeskKind.real})
    assert looked_at() == {"warehouse"}


def test_prepare_says_what_to_do_when_var_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("not a folder", encoding="utf-8")

    with pytest.raises(StackError, match=r"cannot be written .*make the folder and its disk writable"):
        Clone(tmp_path).prepare()
