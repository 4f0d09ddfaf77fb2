"""A throw-away stack in a folder: the project's own code with further DAGs beside it, for tests and measurements."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from devstack import services
from devstack.clone import Clone
from devstack.environment import Desk
from risk.core.settings import PROJECT_DIR


@contextlib.contextmanager
def temporary_stack(folder: Path, desk: Desk, dags: Mapping[str, str]) -> Iterator[tuple[Clone, services.Stack]]:
    """Run the whole stack in a folder of its own.

    Parameters
    ----------
    folder
        Empty folder; what the stack writes stays there.
    desk
        Whose fills.
    dags
        Text of further DAG files by their names.
    """
    for name in ("plugins", "include"):
        (folder / name).symlink_to(PROJECT_DIR / name)
    (folder / "dags").mkdir()
    for path in (PROJECT_DIR / "dags").glob("*.py"):
        (folder / "dags" / path.name).symlink_to(path)
    for name, text in dags.items():
        (folder / "dags" / name).write_text(text, encoding="utf-8")
    clone = Clone(folder)
    try:
        yield clone, services.start(clone, desk, is_kept=True)
    finally:
        with clone.exclusive():
            services.stop_everything(clone)
