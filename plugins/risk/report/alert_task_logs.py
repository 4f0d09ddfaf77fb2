"""The end of a task's log, read from the file that Airflow writes: one JSON object a line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

READ_BYTES = 65_536
SHOWN_LINES = 12
LINE_LENGTH = 300
TASK_FAILED = "Task failed"
"""How Airflow begins the entry that holds the task's own error; callbacks that fail later have other words."""


@dataclass(frozen=True, slots=True)
class LogEnd:
    """The last lines of a log.

    Attributes
    ----------
    lines
        Oldest first.
    error_class, message
        Of the task's own error; empty where there is none.
    """

    lines: tuple[str, ...] = ()
    error_class: str = ""
    message: str = ""


def read_log(folder: Path, dag_id: str, dag_run_id: str, task_id: str, try_number: int) -> LogEnd:
    """Read the end of one attempt's log; empty where this machine does not have the file.

    Parameters
    ----------
    folder
        Airflow's ``base_log_folder``.
    dag_id, dag_run_id, task_id, try_number
        Which attempt.
    """
    file = folder / f"dag_id={dag_id}" / f"run_id={dag_run_id}" / f"task_id={task_id}" / f"attempt={try_number}.log"
    try:
        with file.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(0, size - READ_BYTES))
            text = log.read().decode(errors="replace")
    except OSError:
        return LogEnd()
    # The first line may have lost its beginning.
    return log_end(map(_entry, text.splitlines()[1 if size > READ_BYTES else 0 :]))


def log_end(entries: Iterable[Mapping[str, Any]]) -> LogEnd:
    """Pick from a log's entries, as Airflow writes them, what a person wants to read."""
    lines: list[str] = []
    error_class, message, is_folded = "", "", False
    for entry in entries:
        event = str(entry.get("event", ""))
        # Airflow folds what it says before and after the task's own words between two such marks.
        is_folded = (is_folded or event.startswith("::group::")) and not event.startswith("::endgroup::")
        if not is_folded and not event.startswith("::"):
            lines.extend(event.splitlines())
        for error in entry.get("error_detail") or []:
            kind, sentence = str(error.get("exc_type", "")), str(error.get("exc_value", ""))
            lines.extend(f"{kind}: {sentence}".splitlines())
            if event.startswith(TASK_FAILED):
                error_class, message = kind, sentence
    shown = [line[:LINE_LENGTH] for line in lines if line.strip()]
    return LogEnd(tuple(shown[-SHOWN_LINES:]), error_class, message)


def _entry(text: str) -> dict[str, Any]:
    try:
        entry = json.loads(text)
    except json.JSONDecodeError:
        return {"event": text}
    return entry if isinstance(entry, dict) else {"event": text}
