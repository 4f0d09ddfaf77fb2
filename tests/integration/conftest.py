"""A whole stack of its own for tests: Postgres, mail server and Airflow on a small simulated desk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack import services
from devstack.clone import Clone
from devstack.environment import Desk, DeskKind
from risk.core.settings import PROJECT_DIR
from simulation.writing import simulate


@pytest.fixture(scope="module")
def stack_clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """Give a working copy in a temporary folder that runs this project's code on a desk of 8 traders, 45 sessions."""
    root = tmp_path_factory.mktemp("clone")
    for name in (
        "dags",
        "plugins",
        "include",
    ):
        (root / name).symlink_to(PROJECT_DIR / name)
    clone = Clone(root)
    clone.var.mkdir()
    simulate("medium", 8, 45, 3, clone.desk)
    return clone


@pytest.fixture(scope="module")
def airflow_stack(stack_clone: Clone) -> Iterator[services.Stack]:
    """Start the stack for the tests of one module."""
    yield services.start(stack_clone, Desk(DeskKind.simulated, stack_clone.desk), is_kept=True)
    services.stop_everything(stack_clone)


@pytest.fixture
def maildir(stack_clone: Clone) -> Path:
    """Give the folder in which the stack's mail server puts each mail as a file."""
    return stack_clone.mail / "new"
