"""The environment of the processes: the user's own servers win, secrets stay secret."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from psycopg2.extensions import parse_dsn

from devstack.environment import Desk, DeskKind, airflow_environment, choose_desk, local_url, mapping_setting
from devstack.riskctl import stack_environment
from devstack.workspace import Workspace, load_login, load_secrets, write_json
from risk.core.connections import (
    API_CONNECTION,
    METADATA_DSN,
    SMTP_CONNECTION,
    VENDOR_CONNECTION,
    WAREHOUSE_CONNECTION,
    api_of,
    postgres_dsn,
    read_connection,
)
from risk.core.errors import RequestError, StackError

PORTS = {"api": 21001, "mail": 21002, "postgres": 21003}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Give an empty working copy."""
    workspace = Workspace(tmp_path)
    workspace.prepare()
    return workspace


def environment(workspace: Workspace, given: dict[str, str], kind: DeskKind = DeskKind.simulated) -> dict[str, str]:
    return airflow_environment(workspace, load_secrets(workspace), Desk(kind, workspace.desk), PORTS, given)


@pytest.mark.parametrize(
    "name",
    [WAREHOUSE_CONNECTION, SMTP_CONNECTION, METADATA_DSN, "RISK_SCHEDULE", "RISK_REPORTS_DIR", "RISK_BASE_URL"],
)
def test_environment_keeps_what_the_user_has_set(workspace: Workspace, name: str) -> None:
    assert environment(workspace, {name: "the user's own"})[name] == "the user's own"
    assert environment(workspace, {})[name] != "the user's own"


def test_links_lead_to_this_machine_where_the_user_names_no_address(workspace: Workspace) -> None:
    assert environment(workspace, {})["RISK_BASE_URL"] == "http://127.0.0.1:21001"


@pytest.mark.parametrize("slash", ["", "/"])
def test_airflow_is_served_below_the_path_of_the_address_that_people_use(workspace: Workspace, slash: str) -> None:
    given = {"RISK_BASE_URL": f"https://risk.example.com/airflow{slash}"}
    found = environment(workspace, given)
    local = "http://127.0.0.1:21001/airflow"

    assert found["AIRFLOW__API__BASE_URL"] == found["RISK_BASE_URL"] == given["RISK_BASE_URL"]
    assert found["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == f"{local}/execution/"
    assert local_url(21001, given["RISK_BASE_URL"]) == local
    assert api_of(read_connection(found, API_CONNECTION)).url == local


def test_airflow_is_served_at_the_root_where_the_address_has_no_path(workspace: Workspace) -> None:
    found = environment(workspace, {"RISK_BASE_URL": "https://risk.example.com"})

    assert found["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:21001/execution/"
    assert api_of(read_connection(found, API_CONNECTION)).url == "http://127.0.0.1:21001"


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
    workspace: Workspace, kind: DeskKind, given: str, database: str, desk: str
) -> None:
    found = environment(workspace, {"RISK_DESK": given}, kind)

    assert found[WAREHOUSE_CONNECTION].rpartition("/")[2] == database
    assert found["RISK_DESK"] == desk
    assert found["RISK_SCHEDULE"] == "off"


def test_environment_binds_every_server_to_loopback(workspace: Workspace) -> None:
    found = environment(workspace, {})

    assert found["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert "@127.0.0.1:21003/" in found[WAREHOUSE_CONNECTION]
    assert "@127.0.0.1:21003/" in found[METADATA_DSN]
    assert json.loads(found[SMTP_CONNECTION])["host"] == "127.0.0.1"


def test_environment_bypasses_a_proxy_for_this_machine_only(workspace: Workspace) -> None:
    found = environment(workspace, {"http_proxy": "http://proxy:3128", "NO_PROXY": "intranet"})

    assert found["http_proxy"] == "http://proxy:3128"
    assert found["NO_PROXY"].split(",") == ["intranet", "127.0.0.1", "localhost"]


def test_environment_drops_what_slows_python_down(workspace: Workspace) -> None:
    assert "PYTHONDONTWRITEBYTECODE" not in environment(workspace, {"PYTHONDONTWRITEBYTECODE": "1"})


def test_secrets_are_made_once_and_only_the_owner_reads_them(workspace: Workspace) -> None:
    first, password = load_secrets(workspace), load_login(workspace)

    assert load_secrets(workspace) == first
    assert load_login(workspace) == password
    for file in (workspace.secrets, workspace.login):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_secrets_differ_between_clones_and_are_not_shown(tmp_path: Path) -> None:
    one, two = Workspace(tmp_path / "one"), Workspace(tmp_path / "two")
    for workspace in (one, two):
        workspace.prepare()

    kept = load_secrets(one)

    assert kept.risk != load_secrets(two).risk
    assert kept.risk not in f"{kept} {kept!r}"


def test_choose_desk_is_simulated_when_nothing_is_named(workspace: Workspace) -> None:
    assert choose_desk(workspace, "", {}) == Desk(DeskKind.simulated, workspace.desk)


def test_the_local_stack_refuses_several_desks(workspace: Workspace) -> None:
    with pytest.raises(RequestError, match="RISK_DESKS is set, and the local stack runs one desk: unset it"):
        choose_desk(workspace, "", {"RISK_DESKS": "london,york"})


def test_choose_desk_is_real_when_a_folder_is_named(workspace: Workspace, tmp_path: Path) -> None:
    drop = tmp_path / "a drop"
    drop.mkdir()
    (drop / "fills.csv").touch()

    assert choose_desk(workspace, str(drop), {}) == Desk(DeskKind.real, drop)
    assert choose_desk(workspace, "", {"RISK_FILLS_DIR": str(drop)}) == Desk(DeskKind.real, drop)


def test_choose_desk_takes_the_vendor_unless_a_folder_is_named_on_the_command_line(
    workspace: Workspace, tmp_path: Path
) -> None:
    drop = tmp_path / "a drop"
    drop.mkdir()
    given = {VENDOR_CONNECTION: "https://me:secret@firm.propreports.com"}
    beside = given | {"RISK_FILLS_DIR": str(drop)}

    assert choose_desk(workspace, "", given) == Desk(DeskKind.real, None)
    assert choose_desk(workspace, "", beside) == Desk(DeskKind.real, None, reference_dir=drop)  # may still be empty
    (drop / "fills.csv").touch()
    assert choose_desk(workspace, str(drop), given) == Desk(DeskKind.real, drop)
    assert choose_desk(workspace, "", {VENDOR_CONNECTION: ""}) == Desk(DeskKind.simulated, workspace.desk)

    found = airflow_environment(workspace, load_secrets(workspace), choose_desk(workspace, "", beside), PORTS, beside)
    named = airflow_environment(
        workspace, load_secrets(workspace), choose_desk(workspace, str(drop), beside), PORTS, beside
    )
    assert (found[VENDOR_CONNECTION], found["RISK_FILLS_DIR"]) == (given[VENDOR_CONNECTION], str(drop))
    assert VENDOR_CONNECTION not in named


def test_choose_desk_refuses_a_folder_that_is_missing_empty_or_a_file(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()

    for name, found in (("missing", "does not exist"), ("empty", "is empty"), ("file", "is a file")):
        with pytest.raises(RequestError, match=found):
            choose_desk(workspace, str(tmp_path / name), {})


def test_choose_desk_refuses_the_address_of_an_object_store(workspace: Workspace) -> None:
    address = "s3://risk_drop@bank/drop"

    for given in ({"RISK_FILLS_DIR": address}, {"RISK_FILLS_DIR": address, VENDOR_CONNECTION: "https://firm"}):
        with pytest.raises(RequestError, match="the local stack reads folders of this machine"):
            choose_desk(workspace, "", given)


def test_choose_desk_keeps_simulated_fills_out_of_the_users_warehouse(workspace: Workspace) -> None:
    with pytest.raises(RequestError, match="Name a folder"):
        choose_desk(workspace, "", {WAREHOUSE_CONNECTION: "postgres://somewhere/warehouse"})


def test_commands_find_the_desk_that_ran_last_while_nothing_runs(workspace: Workspace) -> None:
    write_json(workspace.ports, PORTS)

    def database() -> str:
        found = stack_environment(workspace, {})
        assert parse_dsn(found["RISK_SERVER_DSN"])["port"] == "21003"
        return parse_dsn(postgres_dsn(found, WAREHOUSE_CONNECTION))["dbname"]

    # make run FILLS= stops what it has started; replay, traders and track-record are about its reports.
    assert database() == "warehouse_simulated"
    write_json(workspace.last_desk, {"desk": DeskKind.real})
    assert database() == "warehouse"


def test_commands_use_the_users_own_warehouse_and_nothing_of_the_local_stack(workspace: Workspace) -> None:
    write_json(workspace.ports, PORTS)

    assert stack_environment(workspace, {WAREHOUSE_CONNECTION: "postgres://risk@db/warehouse"}) == {}


def test_no_task_gets_a_connection_of_a_privileged_role(workspace: Workspace) -> None:
    found = environment(workspace, {"RISK_OWNER_DSN": "o", "RISK_PAGE_DSN": "p", "RISK_SERVER_DSN": "s"})

    assert not {"RISK_OWNER_DSN", "RISK_PAGE_DSN", "RISK_SERVER_DSN"} & set(found)


def test_processes_of_airflow_have_only_the_plugins_on_their_path(workspace: Workspace) -> None:
    assert environment(workspace, {})["PYTHONPATH"] == str(workspace.root / "plugins")


def test_prepare_says_what_to_do_when_var_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("not a folder", encoding="utf-8")

    with pytest.raises(StackError, match=r"cannot be written .*make the folder and its disk writable"):
        Workspace(tmp_path).prepare()


def test_mapping_file_is_named_by_its_absolute_path_and_a_preset_by_its_name() -> None:
    assert mapping_setting({"RISK_FILLS_MAPPING": "das"}) == "das"
    assert mapping_setting({}) == ""
    assert mapping_setting({"RISK_FILLS_MAPPING": "own.toml"}) == str(Path.cwd() / "own.toml")


def test_simulated_desk_has_no_exports_to_map(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="MAPPING=das reads exports"):
        choose_desk(Workspace(tmp_path), "", {"RISK_FILLS_MAPPING": "das"})
