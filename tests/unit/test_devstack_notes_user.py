"""Tasks write their notes as a user of their own: none of them has the password of a person."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from devstack.environment import UI_USERS, Desk, DeskKind, airflow_environment
from devstack.workspace import Workspace, load_login, load_secrets, read_json, write_json
from risk.core.connections import API_CONNECTION


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path)
    workspace.prepare()
    return workspace


def environment(workspace: Workspace, given: dict[str, str]) -> dict[str, str]:
    desk = Desk(DeskKind.simulated, workspace.desk)
    ports = {"api": 21001, "mail": 21002, "postgres": 21003}
    return airflow_environment(workspace, load_secrets(workspace), desk, ports, given)


def test_no_task_has_the_password_of_admin(workspace: Workspace) -> None:
    password = load_login(workspace)

    found = environment(workspace, {})

    assert [name for name, value in found.items() if password in value] == []
    connection = json.loads(found[API_CONNECTION])
    assert connection["login"] == "notes"
    assert connection["password"] == read_json(workspace.login)["notes"]


@pytest.mark.parametrize("given", [{}, {UI_USERS: "admin:admin,ann:user"}, {UI_USERS: "admin:admin,notes:user"}])
def test_user_of_notes_exists_beside_others_and_may_not_administer(workspace: Workspace, given: dict[str, str]) -> None:
    users = environment(workspace, given)[UI_USERS].split(",")

    assert users.count("notes:user") == 1
    assert "admin:admin" in users


def test_passwords_of_others_stay(workspace: Workspace) -> None:
    write_json(workspace.login, {"ann": "her word"})

    environment(workspace, {})

    assert read_json(workspace.login)["ann"] == "her word"
