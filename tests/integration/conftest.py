"""A whole stack of its own for tests: Postgres, mail server and Airflow on a small simulated desk."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devstack import airflow, stack
from devstack.environment import Desk, DeskKind, airflow_environment
from devstack.workspace import Workspace, load_secrets
from risk.core.connections import WAREHOUSE_CONNECTION, postgres_dsn
from risk.core.schema import migrate_as_owner
from risk.core.settings import PROJECT_DIR
from simulation.writing import simulate


def make_databases(workspace: Workspace, kind: DeskKind) -> None:
    """Create and migrate the databases as the first start of a stack does; Postgres is stopped afterwards."""
    with stack.embedded_postgres(workspace) as port:
        passwords = load_secrets(workspace)
        environment = airflow_environment(
            workspace, passwords, Desk(kind, workspace.desk), {"api": 0, "postgres": port}
        )
        dsn = postgres_dsn(environment, WAREHOUSE_CONNECTION)
        migrate_as_owner(stack.embedded_logins(dsn, passwords, port, kind))
        airflow.migrate(workspace, environment)


@pytest.fixture(scope="session")
def copy_databases(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Workspace], None]:
    """Give a function that puts migrated databases into a working copy; all workers copy those that one has made.

    The copies do not wait for the disk: they outlive any process of theirs, not the machine. `test_commands.py` starts
    a stack from nothing.
    """
    base = tmp_path_factory.getbasetemp()
    source = Workspace((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "migrated")
    source.prepare()
    with (source.root / "lock").open("a", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (source.var / "airflow-schema.json").exists():
            make_databases(source, DeskKind.simulated)
            with (source.postgres / "postgresql.conf").open("a", encoding="utf-8") as settings:
                settings.write("fsync = off\n")

    def copy(workspace: Workspace) -> None:
        # As cp does: the files may belong to another user, as whom Postgres runs.
        workspace.var.mkdir()
        names = (source.postgres, source.secrets, source.login, source.var / "airflow-schema.json")
        subprocess.run(["cp", "-a", *map(str, names), str(workspace.var)], check=True)

    return copy


@pytest.fixture(scope="module", autouse=True)
def _dag_files_are_parsed_once() -> Iterator[None]:
    """Let stacks parse their DAG files when they start and not every half minute: no test changes one later."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL", "3600")
        yield


@pytest.fixture(scope="module")
def stack_workspace(tmp_path_factory: pytest.TempPathFactory, copy_databases: Callable[[Workspace], None]) -> Workspace:
    """Give a working copy in a temporary folder that runs this project's code on a desk of 8 traders, 45 sessions."""
    root = tmp_path_factory.mktemp("clone")
    for name in (
        "dags",
        "plugins",
        "include",
    ):
        (root / name).symlink_to(PROJECT_DIR / name)
    workspace = Workspace(root)
    copy_databases(workspace)
    simulate("medium", 8, 45, 3, workspace.desk)
    return workspace


@pytest.fixture(scope="module")
def airflow_stack(stack_workspace: Workspace) -> Iterator[stack.Stack]:
    """Start the stack for the tests of one module."""
    yield stack.start(stack_workspace, Desk(DeskKind.simulated, stack_workspace.desk), is_kept=True)
    stack.stop_everything(stack_workspace)


@pytest.fixture
def maildir(stack_workspace: Workspace) -> Path:
    """Give the folder in which the stack's mail server puts each mail as a file."""
    return stack_workspace.mail / "new"
