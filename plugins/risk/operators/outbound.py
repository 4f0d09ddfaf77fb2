"""Where the file for the trading platform goes: a folder, or an object store by an Airflow connection."""

from __future__ import annotations

from typing import Any

from risk.core.errors import StackError, in_one_line
from risk.limits.publish import LIMITS, UNFINISHED, Outbound, OutboundFolder, Outgoing, different_content
from risk.operators.base import store_path


def outbound_of(place: str | None) -> Outbound | None:
    """Return what writes to a place of the setting RISK_OUTBOUND_DIR; ``None`` = no file is written."""
    return outbound_at(place, LIMITS) if place else None


def outbound_at(place: str, outgoing: Outgoing) -> Outbound:
    """Return what writes to a folder or an address."""
    return OutboundStore(place, outgoing) if "://" in place else OutboundFolder(place, outgoing)


class OutboundStore:
    """An object store, whichever worker writes to it.

    Parameters
    ----------
    address
        ``scheme://connection@bucket/folder``.
    """

    def __init__(self, address: str, outgoing: Outgoing = LIMITS) -> None:
        self.address, self.outgoing = address.rstrip("/"), outgoing

    def write_once(self, name: str, content: bytes) -> str:
        """Write a file under a temporary key, then give it its name unless that is taken.

        Returns
        -------
        str
            Its address.

        Raises
        ------
        StackError
            If the file has other content, or the store refuses a step; the next try finds what this one has placed.
        """
        written = f"{self.address}/{name}"
        try:
            path = store_path(self.address)
            present = _placed(path.fs, path.path.rstrip("/"), name, content)
        except Exception as error:
            raise StackError(
                f"The {self.outgoing.content} cannot be written to {written}: {in_one_line(error)}. Check the Airflow "
                f"connection, the bucket and its permissions ({self.outgoing.setting} names them, and the provider of "
                f"its scheme must be installed), then {self.outgoing.retry}."
            ) from error
        if present != content:
            raise different_content(written, self.outgoing)
        return written


def _placed(fs: Any, folder: str, name: str, content: bytes) -> bytes:
    """Write a file unless it is there, and return what is there now."""
    final, unfinished = f"{folder}/{name}", f"{folder}/{UNFINISHED}/{name}"
    # A store may answer from an older listing of its own.
    fs.invalidate_cache()
    if not fs.exists(final):
        fs.makedirs(f"{folder}/{UNFINISHED}", exist_ok=True)
        fs.pipe_file(unfinished, content)
        fs.mv(unfinished, final)
        fs.invalidate_cache()
    return bytes(fs.cat_file(final))
