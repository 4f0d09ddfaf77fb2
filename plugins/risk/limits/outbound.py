"""The file for the trading platform: whole or not there, and written once."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from risk.core.errors import StackError

COLUMNS = ("account_id", "effective_session", "limit_usd", "base_limit_usd", "action", "reason")


def outbound_csv(published: Sequence[Mapping[str, Any]]) -> str:
    """Write published limits for a machine: exact values, one row per account, by name."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: row[name] for name in COLUMNS} for row in published)
    return stream.getvalue()


def write_once(path: Path, content: bytes) -> bool:
    """Write a file in one step, unless it is there.

    Returns
    -------
    bool
        False where the same content was there already.

    Raises
    ------
    StackError
        If the file is there with other content, or cannot be written; nothing is left half done.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".limits-", dir=path.parent)
        with contextlib.ExitStack() as cleanup:
            cleanup.callback(Path(name).unlink, missing_ok=True)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).chmod(0o644)
            with contextlib.suppress(FileExistsError):
                # A link, not a rename: it fails where the name is taken, so that no file is ever replaced.
                path.hardlink_to(name)
                return True
        present = path.read_bytes()
    except OSError as error:
        raise StackError(
            f"The limits cannot be written to {path}: {error.strerror or error}. Free space there or make it writable "
            "(it is set by RISK_OUTBOUND_DIR), then clear publish."
        ) from error
    if present != content:
        raise StackError(
            f"{path} is there with other limits: nothing was written. Find out who wrote it, move it away, "
            "then clear publish."
        )
    return False
