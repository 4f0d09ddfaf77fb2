"""Files of a drop that are not read or not complete, in a real warehouse."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from risk.core.runs import Run, open_run
from risk.core.settings import Settings
from risk.core.warehouse import Connection
from risk.ingest.load import Load, load_drop
from risk.ingest.poll import load_or_wait
from risk.report.build_facts import build_facts
from tests.drops import write_drop

THURSDAY, FRIDAY = dt.date(2025, 8, 14), dt.date(2025, 8, 15)


def load(connection: Connection, folder: Path, session_date: dt.date = FRIDAY) -> Load:
    return load_drop(connection, folder, session_date, Settings())


def states(connection: Connection, load_id: int) -> dict[str, str]:
    with connection, connection.cursor() as cursor:
        cursor.execute("select file_name, state from risk.source_files where load_id = %s", (load_id,))
        return dict(cursor.fetchall())


def run_of(connection: Connection, folder: Path, session_date: dt.date) -> Run:
    loaded = load_or_wait(connection, session_date, lambda: load(connection, folder, session_date), None)
    return open_run(connection, session_date, loaded.load_id, "manual", None)


def warnings(connection: Connection, run: Run, kind: str) -> list[str]:
    return [warning.message for warning in build_facts(connection, run).warnings if warning.kind == kind]


def test_files_that_are_not_read_stop_nothing_and_are_named_in_the_report(
    connection: Connection, tmp_path: Path
) -> None:
    write_drop(tmp_path, FRIDAY, {"NET001": 2})
    (tmp_path / "fill_d.csv").write_text("")
    (tmp_path / "fills_b.csv.zip").write_bytes(b"PK\x03\x04")

    run = run_of(connection, tmp_path, FRIDAY)

    assert states(connection, run.load_id) == {
        "fill_d.csv": "unread",
        "fills_2025-08-15.csv": "loaded",
        "fills_b.csv.zip": "unread",
    }
    first, second = warnings(connection, run, "unread")
    assert first.startswith("fill_d.csv is not read: ")
    assert second.startswith("fills_b.csv.zip is not read: ")


def test_file_that_is_not_read_is_named_once_until_its_bytes_change(connection: Connection, tmp_path: Path) -> None:
    write_drop(tmp_path, THURSDAY, {"NET001": 2})
    write_drop(tmp_path, FRIDAY, {"NET001": 2})
    (tmp_path / "export.csv").write_text("a")

    named = [
        len(warnings(connection, run_of(connection, tmp_path, session_date), "unread"))
        for session_date in (THURSDAY, THURSDAY, FRIDAY)
    ]
    (tmp_path / "export.csv").write_text("b")
    named.append(len(warnings(connection, run_of(connection, tmp_path, FRIDAY), "unread")))

    assert named == [1, 1, 0, 1]  # both runs of the session that met it, not the next session


MAPPING = """
files = ["blotter*.csv"]
[columns]
account = "Trader"
side = "Side"
quantity = "Qty"
symbol = "Symbol"
price = "Price"
[time]
column = "Time"
"""


def test_rejected_rows_of_a_mapped_file_are_those_of_executions(connection: Connection, tmp_path: Path) -> None:
    (tmp_path / "mapping.toml").write_text(MAPPING)
    rows = ["2025-08-15 10:00:00,NET001,Buy,1,XYZ,10", "Total,,,,,", "2025-08-15 10:00:00,NET001,Bye,1,XYZ,10"]
    (tmp_path / "blotter_a.csv").write_text("\n".join(["Time,Trader,Side,Qty,Symbol,Price", *rows]) + "\n")

    run = run_of(connection, tmp_path, FRIDAY)

    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select line_number, delivery_id is null from risk.current_rejects(%s, %s, %s) order by 1",
            (FRIDAY, run.as_of, run.load_id),
        )
        assert cursor.fetchall() == [(3, True), (4, False)]
    assert len(warnings(connection, run, "rejects")) == 2
