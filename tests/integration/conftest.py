"""A whole stack of its own for tests: Postgres, mail server and Airflow on a small simulated desk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack import stack
from devstack.environment import Desk, DeskKind
from devstack.workspace import Workspace
from risk.core.settings import PROJECT_DIR
from simulation.writing import simulate


@pytest.fixture(scope="module")
def stack_workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Give a working copy in a temporary folder that runs this project's code on a desk of 8 traders, 45 sessions."""
    root = tmp_path_factory.mktemp("clone")
    for name in (
        "dags",
        "plugins",
        "include",
    ):
        (root / name).symlink_to(PROJECT_DIR / name)
    workspace = Workspace(root)
    workspace.var.mkdir()
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
