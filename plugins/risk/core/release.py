"""The release of the code and of the DAG files: a git sync brings ``dags/`` only, so that the two may differ."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from risk import __version__
from risk.core.errors import ReleaseError

RELEASE_FILE = "risk_release.txt"
"""Beside the DAG files: the release of the code they were written for."""

TAG_PREFIX = "release "
DISTRIBUTION = "morning-risk-run"


def release_tag(dag_file: str) -> str:
    """Compare a DAG file's release with that of the installed code, and return the DAG's tag that names it.

    Parameters
    ----------
    dag_file
        Path of the DAG file (``__file__``).

    Raises
    ------
    ReleaseError
        If they differ, or the DAG file came without its release: Airflow shows it as the file's import error.
    """
    file = Path(dag_file).with_name(RELEASE_FILE)
    try:
        expected = file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise ReleaseError(f"{file} is missing: bring the whole folder dags/ of one release.") from None
    if expected != __version__:
        raise ReleaseError(f"The DAG files need {difference(expected, __version__)}")
    return f"{TAG_PREFIX}{expected}"


def tagged_release(tags: Iterable[str]) -> str:
    """Return the release that a DAG's tags name, empty if none does."""
    return next((tag.removeprefix(TAG_PREFIX) for tag in tags if tag.startswith(TAG_PREFIX)), "")


def installed_release(plugin_source: str) -> str:
    """Return the version of our wheel in a plugin's source as Airflow shows it, empty if it is no wheel of ours."""
    found = re.match(rf"{DISTRIBUTION}==([^:\s]+):", plugin_source)
    return found.group(1) if found else ""


def difference(expected: str, installed: str, place: str = "here") -> str:
    """Say which release is expected, which is installed where, and what to do."""
    return (
        f"{DISTRIBUTION} {expected}, but {installed} is installed {place}. Install the wheel {expected} in scheduler, "
        f"api-server, dag-processor and workers and restart them, or let the DAG bundle follow v{installed}."
    )
