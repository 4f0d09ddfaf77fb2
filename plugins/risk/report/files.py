"""Writes the files of a report: what people read, what machines read, and the facts themselves."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from risk.core.errors import StackError
from risk.core.settings import settings
from risk.report.canonical import exact
from risk.report.facts import AccountFacts, Facts

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
"""A spreadsheet runs cells that begin so, after blanks, as formulas (OWASP, CSV injection)."""


def limits_csv(facts: Facts) -> str:
    """Write the limits for machines: exact values, one row per active account, in the report's order."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(LIMITS_COLUMNS)
    writer.writerows(_limits_row(facts, account) for account in facts.accounts)
    return stream.getvalue()


def write_files(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Replace files of a folder, each in one step: a reader sees the old or the new file, never half of one.

    Parameters
    ----------
    folder
        Made where it does not exist.
    contents
        Bytes by file name. None is replaced before all are on the disk.

    Raises
    ------
    StackError
        If the disk is full or the folder cannot be written; the earlier files are still whole.
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
            f"Free space there or make it writable (it is set by RISK_REPORTS_DIR), then clear send_report."
        ) from error
    finally:
        for temporary in waiting:
            temporary.unlink(missing_ok=True)


def report_folder(facts: Facts) -> Path:
    """Return the folder of a session's report."""
    return settings().report_dir(facts.session_date)


def _limits_row(facts: Facts, account: AccountFacts) -> tuple[str, ...]:
    return (
        _harmless(account.account_id),
        facts.session_date.isoformat(),
        facts.effective_session.isoformat(),
        exact(account.cut_ratio),
        exact(account.base_limit_usd),
        exact(account.new_limit_usd),
        account.level,
        account.source,
        _harmless("; ".join(account.reasons)),
    )


def _harmless(cell: str) -> str:
    line = " ".join(cell.splitlines())
    return f"'{line}" if line.lstrip().startswith(FORMULA_STARTS) else line


def _temporary(folder: Path, content: bytes) -> Path:
    """Put content on the disk under a passing name; nothing is left behind if that fails."""
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
