"""Where the file drop is: a folder of this machine, or an object store or file server by an Airflow connection."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from airflow.sdk.exceptions import AirflowNotFoundException

from risk.core.errors import ConnectionLostError, FolderError, RefusalError, RiskError, StackError, in_one_line
from risk.core.settings import Settings
from risk.ingest.completeness import find_growing
from risk.ingest.object_drop import copy_drop
from risk.operators.base import store_path


class OpenedDrop(NamedTuple):
    """A file drop that can be loaded.

    Attributes
    ----------
    folder
        Where it lies on this machine.
    growing
        Names of the files in it that may not be complete.
    address
        Where it was copied from; empty for a folder of this machine.
    """

    folder: Path
    growing: frozenset[str]
    address: str


def is_address(place: str) -> bool:
    """Tell whether a place is in an object store or on a file server."""
    return "://" in place


@contextlib.contextmanager
def opened_drop(place: str, settings: Settings, *, may_wait: bool) -> Iterator[OpenedDrop]:
    """Give a file drop as a folder of this machine.

    What lies elsewhere is copied into a temporary folder first, and an error that names that folder names its address.

    Parameters
    ----------
    place
        Path of a folder, or ``scheme://connection@bucket/folder``.
    may_wait
        Whether the run polls again.

    Raises
    ------
    FolderError
        If there is no such folder.
    RefusalError
        If the Airflow connection is missing, or the store refuses it.
    StackError
        If nothing that reads the scheme is installed.
    ConnectionLostError
        If the store cannot be reached.
    """
    if not is_address(place):
        yield OpenedDrop(Path(place), find_growing(Path(place), may_wait=may_wait), "")
        return
    with tempfile.TemporaryDirectory(prefix="risk-drop-", dir=settings.scratch_folder()) as name:
        folder = Path(name)
        growing = _fetch(place, folder, may_wait=may_wait)
        try:
            yield OpenedDrop(folder, growing, place)
        except FolderError as error:
            raise FolderError(str(error).replace(name, place)) from None


def _fetch(address: str, folder: Path, *, may_wait: bool) -> frozenset[str]:
    """Copy a file drop here."""
    try:
        path = store_path(address)
        return copy_drop(path.fs, path.path, folder, may_wait=may_wait)
    except Exception as error:
        raise _say(address, error) from error


def _say(address: str, error: Exception) -> RiskError:
    """Say what keeps a file drop from being read, and what to do."""
    words = in_one_line(error)
    match error:
        case AirflowNotFoundException():
            return RefusalError(
                f"The fills folder {address} names an Airflow connection that does not exist ({error}): add it, then "
                "clear task extract_fills."
            )
        case PermissionError():
            return RefusalError(
                f"The fills folder {address} cannot be read ({words}): correct login, password or key of its Airflow "
                "connection, or let that login list and read the folder, then clear task extract_fills."
            )
        case FileNotFoundError():
            return FolderError(
                f"The fills folder {address} does not exist ({words}). Name a folder with fills*.csv files "
                "(RISK_FILLS_DIR or fills), then clear task extract_fills."
            )
        case ImportError() | ValueError():
            return StackError(
                f"The fills folder {address} cannot be opened ({words}): install the provider of its scheme where "
                "tasks run, or correct the address, then clear task extract_fills."
            )
    return ConnectionLostError(
        f"The fills folder {address} cannot be read ({words}): start its server, or correct host and port of its "
        "Airflow connection; the run tries again."
    )
