"""Keeping the table ``features`` equal to what the history gives."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from risk.core.runs import Run
from risk.core.settings import ACTIVE_WITHIN_SESSIONS
from risk.core.warehouse import Connection, execute, writing
from risk.model.features.build import build_features
from risk.model.panel import Panel, read_panel

LARGEST_PART = 1_000_000
"""Characters of features sent at once."""


def store_features(connection: Connection, run: Run) -> int:
    """Store the features of the run's session and of every earlier one where they are missing or have changed.

    Rows of later sessions are left alone, so that an older session may run again at any time. An account has a row
    in each session while it counts as active: for 30 sessions from its last one on.

    Returns
    -------
    int
        Rows written or removed; 0 when nothing has changed.
    """
    panel = read_panel(connection, run.session_date)
    tensor = build_features(panel, run.effective_session)
    numbers = np.arange(len(panel.session_dates))[:, None]
    latest = panel.latest_active()
    is_stored = (latest >= 0) & (numbers - latest < ACTIVE_WITHIN_SESSIONS)
    with writing(connection):
        execute(connection, "build_features/create_given_features")
        for lines in _csv_parts(panel, tensor, is_stored):
            with connection.cursor() as cursor:
                cursor.copy_expert("copy given_features from stdin with (format csv)", lines)
        execute(connection, "build_features/analyze_given_features")
        removed = execute(connection, "build_features/delete_features", {"session_date": run.session_date})
        return removed + execute(connection, "build_features/merge_features")


def _csv_parts(panel: Panel, tensor: NDArray[np.float32], is_stored: NDArray[np.bool_]) -> Iterator[io.StringIO]:
    """Write the wanted rows as CSV, in parts that are small whatever the size of the panel."""
    lines = io.StringIO()
    writer = csv.writer(lines)
    for row, column in np.argwhere(is_stored).tolist():
        array = str(tensor[row, column].tolist()).replace("nan", "null")
        writer.writerow((panel.account_ids[column], panel.session_dates[row].isoformat(), f"{{{array[1:-1]}}}"))
        if lines.tell() > LARGEST_PART:
            yield _rewound(lines)
            lines.seek(0)
            lines.truncate()
    yield _rewound(lines)


def _rewound(lines: io.StringIO) -> io.StringIO:
    lines.seek(0)
    return lines
