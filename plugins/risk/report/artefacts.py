"""The parts of a report, limits.csv among them: stored as rows of the warehouse, copied to files."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from risk.core.errors import StackError
from risk.core.runs import Run
from risk.core.warehouse import Connection, execute, writing
from risk.report.facts import Facts, exact

LIMITS_COLUMNS = (
    "account_id",
    "session_date",
    "effective_session",
    "cut_ratio",
    "base_limit_usd",
    "new_limit_usd",
    "level",
    "source",
    "reasons",
)

FORMULA_STARTS = ("=", "+", "-", "@")
"""A spreadsheet runs cells that start with one of these, after blanks, as formulas (OWASP, CSV injection)."""

MEDIA_TYPES = {
    ".html": "text/html",
    ".txt": "text/plain",
    ".eml": "message/rfc822",
    ".json": "application/json",
    ".csv": "text/csv",
    ".png": "image/png",
}


def limits_csv(facts: Facts) -> str:
    """Return the limits as CSV: exact values, one row per active account, in the report's order."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, LIMITS_COLUMNS, lineterminator="\n")
    writer.writeheader()
    for account in facts.accounts:
        writer.writerow(
            {
                "account_id": escape_csv_formula(account.account_id),
                "session_date": facts.session_date.isoformat(),
                "effective_session": facts.effective_session.isoformat(),
                "cut_ratio": exact(account.cut_ratio),
                "base_limit_usd": exact(account.base_limit_usd),
                "new_limit_usd": exact(account.new_limit_usd),
                "level": account.level,
                "source": account.source,
                "reasons": escape_csv_formula("; ".join(account.reasons)),
            }
        )
    return stream.getvalue()


def write_files(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Replace files of a folder atomically: a reader sees the old or the new file, never half of one.

    Parameters
    ----------
    folder
        Created if absent.
    contents
        Bytes by file name. No file is replaced before all are on the disk.

    Raises
    ------
    StackError
        If the disk is full or the folder cannot be written; the earlier files stay complete.
    """
    waiting: dict[Path, Path] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            waiting[_temporary(folder, content)] = folder / name
        for temporary, target in list(waiting.items()):
            temporary.replace(target)
            del waiting[temporary]
    except OSError as error:
        raise StackError(
            f"The report cannot be written to {folder}: {error.strerror or error}. "
            "Free space or make the folder writable (setting RISK_REPORTS_DIR), then clear send_report."
        ) from error
    finally:
        for temporary in waiting:
            temporary.unlink(missing_ok=True)


def store_parts(connection: Connection, run: Run, parts: Mapping[str, bytes]) -> None:
    """Store the parts of a run's report as rows; those of its first rendering stay.

    Parameters
    ----------
    connection
        The warehouse.
    run
        The run reported.
    parts
        Bytes by file name, whose suffix gives the media type.
    """
    with writing(connection):
        for name, content in parts.items():
            values = {
                "run_id": run.run_id,
                "part_name": name,
                "media_type": MEDIA_TYPES[Path(name).suffix],
                "content": content,
                "content_sha256": hashlib.sha256(content).hexdigest(),
            }
            execute(connection, "send_report/insert_report_parts", values)


def escape_csv_formula(cell: str) -> str:
    """Return a cell on one line; a quote marks as text what a spreadsheet would run as a formula."""
    line = " ".join(cell.splitlines())
    return f"'{line}" if line.lstrip().startswith(FORMULA_STARTS) else line


def _temporary(folder: Path, content: bytes) -> Path:
    """Write content to a temporary file; leave nothing behind if that fails."""
    descriptor, name = tempfile.mkstemp(prefix=".report-", dir=folder)
    path = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        path.chmod(0o644)
    except OSError:
        with contextlib.suppress(OSError):
            path.unlink()
        raise
    return path
