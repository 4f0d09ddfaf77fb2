"""Files with a mapping in the warehouse: the same books as without a database, read again when the mapping changes."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

from risk.core.settings import Settings
from risk.core.warehouse import Connection
from risk.ingest.load import Load, load_drop
from tests.broker_shapes import SHAPES, Drawn

SESSION = dt.date(2025, 8, 15)
MAPPING = """
files = ["blotter*.csv"]
account = "A1"
[columns]
side = "Side"
quantity = "Qty"
symbol = "Symbol"
price = "Price"
[time]
column = "Time"
"""
ROWS = "Time,Side,Qty,Symbol,Price\n2025-08-15 09:31:00,Buy,100,AAPL,10\n2025-08-15 09:45:00,Sell,100,AAPL,11\n"


def write(folder: Path, mapping: str) -> None:
    """Write a mapping file and a file that it claims."""
    (folder / "mapping.toml").write_text(mapping, encoding="utf-8")
    (folder / "blotter.csv").write_text(ROWS, encoding="utf-8")


def load(connection: Connection, folder: Path, mapping: str = "") -> Load:
    """Load a folder up to the session."""
    return load_drop(connection, folder, SESSION, Settings(fills_mapping=mapping))


def current_accounts(connection: Connection) -> list[tuple[str, int]]:
    """List the accounts of the deliveries that hold, with their fills."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select fills.account_id, count(*) from risk.fills join risk.current_deliveries(clock_timestamp())"
            " using (delivery_id) group by 1 order by 1"
        )
        return cursor.fetchall()


def test_mapped_file_is_loaded_and_known_the_next_time(connection: Connection, tmp_path: Path) -> None:
    write(tmp_path, MAPPING)

    first, second = load(connection, tmp_path), load(connection, tmp_path)

    assert (first.fill_count, first.quarantined) == (2, ())
    assert (second.file_count, second.fill_count) == (0, 0)
    assert current_accounts(connection) == [("A1", 2)]


def test_same_bytes_under_another_mapping_are_read_again(connection: Connection, tmp_path: Path) -> None:
    write(tmp_path, MAPPING)
    load(connection, tmp_path)
    write(tmp_path, MAPPING.replace('account = "A1"', 'account = "A2"'))

    again = load(connection, tmp_path)

    assert (again.file_count, again.fill_count) == (1, 2)
    assert ("A2", 2) in current_accounts(connection)


def test_preset_of_the_setting_reads_what_a_broker_exports(connection: Connection, tmp_path: Path) -> None:
    shape = SHAPES["lightspeed"]
    moment = dt.datetime(2025, 8, 15, 9, 31)  # noqa: DTZ001 - a wall clock has no zone
    fill = Drawn(moment, "A1", "B", 100, 0, Decimal(10), Decimal(1), Decimal(0), 7)
    shape.write(tmp_path / shape.file_name, [fill])

    loaded = load(connection, tmp_path, "lightspeed")

    assert (loaded.fill_count, loaded.quarantined) == (1, ())


def test_file_that_two_mappings_claim_is_quarantined_and_the_others_are_loaded(
    connection: Connection, tmp_path: Path
) -> None:
    write(tmp_path, MAPPING)
    (tmp_path / "mapping_two.toml").write_text(MAPPING.replace("blotter*", "blot*"), encoding="utf-8")
    (tmp_path / "fills.csv").write_text(
        "Date/Time,Account,B/S,Qty,Symbol,Price\n08/15/2025 09:31:00,B1,B,1,XYZ,5\n", encoding="utf-8"
    )

    loaded = load(connection, tmp_path)

    assert [item.file_name for item in loaded.quarantined] == ["blotter.csv"]
    assert "mapping.toml and mapping_two.toml" in loaded.quarantined[0].reason
    assert current_accounts(connection) == [("B1", 1)]


def test_wrong_mapping_file_is_quarantined_by_line_and_the_others_are_loaded(
    connection: Connection, tmp_path: Path
) -> None:
    write(tmp_path, MAPPING.replace("[time]", "[tiem]"))
    (tmp_path / "fills.csv").write_text(
        "Date/Time,Account,B/S,Qty,Symbol,Price\n08/15/2025 09:31:00,B1,B,1,XYZ,5\n", encoding="utf-8"
    )

    loaded = load(connection, tmp_path)

    assert [item.file_name for item in loaded.quarantined] == ["mapping.toml"]
    assert "mapping.toml line 9: tiem is no key of a mapping file" in loaded.quarantined[0].reason
    assert current_accounts(connection) == [("B1", 1)]


def test_multiplier_of_executions_is_known_to_the_warehouse_until_an_instruments_file_says_otherwise(
    connection: Connection, tmp_path: Path
) -> None:
    (tmp_path / "fills.csv").write_text(
        "Date/Time,Account,B/S,Qty,Symbol,Price,Multiplier\n08/15/2025 09:31:00,A1,B,1,/ESU5,6400,50\n",
        encoding="utf-8",
    )
    (tmp_path / "instruments.csv").write_text("Date,Symbol,Multiplier\n2025-08-15,/NQU5,20\n", encoding="utf-8")
    load(connection, tmp_path)
    load(connection, tmp_path)
    assert stated(connection) == [("/ESU5", 50, "fills.csv"), ("/NQU5", 20, "instruments.csv")]

    (tmp_path / "instruments.csv").write_text("Date,Symbol,Multiplier\n2025-08-15,/ESU5,5\n", encoding="utf-8")
    load(connection, tmp_path)

    assert stated(connection)[-1] == ("/ESU5", 5, "instruments.csv")


def stated(connection: Connection) -> list[tuple[str, Decimal, str]]:
    """List the multipliers as they were recorded."""
    with connection, connection.cursor() as cursor:
        cursor.execute("select symbol, multiplier, file_name from risk.instruments order by instrument_id")
        return cursor.fetchall()
