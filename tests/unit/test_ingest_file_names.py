"""Files of a drop that are not read, and what they should be called."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from risk.core.errors import InputError
from risk.core.settings import Settings
from risk.ingest.file_names import find_unread
from risk.ingest.folder import open_folder
from tests.drops import read_fills


@pytest.mark.parametrize(
    ("name", "remedy", "example"),
    [
        ("fills_b.csv.zip", "Unpack", "fills_b.csv"),
        ("marks.csv.gz", "Unpack", "marks.csv"),
        ("fills_c.xlsx", "Export it as CSV", "fills_c.csv"),
        ("Accounts 2025.xls", "Export it as CSV", "accounts_2025.csv"),
        ("fills_e.tsv", "Rename", "fills_e.csv"),
        ("fills", "Rename", "fills.csv"),
        ("fill_d.csv", "Rename", "fills_d.csv"),
        ("Filss.CSV", "Rename", "fills.csv"),
        ("2025-08-14_fills.csv", "Rename", "fills_2025-08-14.csv"),
        ("executions.csv", "Rename", "fills_executions.csv"),
        ("trades 08-14.csv", "Rename", "fills_trades_08-14.csv"),
        ("mark.csv", "Rename", "marks.csv"),
        ("split.csv", "Rename", "splits.csv"),
        ("instrument_b.csv", "Rename", "instruments_b.csv"),
        ("manifest_old.csv", "Rename", "manifest.csv"),
        ("fills_g.csv.part", "unfinished copy", "fills_g.csv"),
        ("fills.csv.bak", "backup copy", "fills.csv"),
        ("fills.csv.gz.part", "unfinished copy", "fills.csv"),
    ],
)
def test_file_that_is_not_read_is_named_with_the_name_it_should_have(name: str, remedy: str, example: str) -> None:
    ((file_name, reason, state),) = find_unread([Path(name)])

    assert (file_name, state) == (name, "unread")
    assert reason.startswith(f"{name} is not read: ")
    assert remedy in reason
    assert reason.endswith(f" {example}.")


@pytest.mark.parametrize("name", ["README", "notes.txt", "symbols.csv", "export.xlsx", "9.csv"])
def test_file_of_no_known_kind_is_named_with_the_names_that_are_read(name: str) -> None:
    ((_, reason, _),) = find_unread([Path(name)])

    assert "fills*.csv, fills*.csv.gz, marks*.csv" in reason


@pytest.mark.parametrize(
    "name",
    [
        *("fills.csv", "fills_1.csv.gz", "FILLS.CSV", "marks.csv", "manifest.csv", "accounts_a.csv"),
        *(".DS_Store", ".fills.csv.swp", "Thumbs.db", "desktop.ini", "~$fills.xlsx", "fills.csv~"),
        *("simulated.json", "truth.csv", "mapping.toml", "mapping_das.toml"),
    ],
)
def test_file_that_is_read_or_belongs_there_is_not_named(name: str) -> None:
    assert find_unread([Path(name)]) == []


def test_unread_files_are_listed_without_folders_and_with_links(tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    (tmp_path / "fill_a.csv").write_text("")
    (tmp_path / "fill_b.csv").symlink_to(tmp_path / "archive")
    (tmp_path / "bad\nname.csv").write_text("")

    (tmp_path / "fills.csv").write_text("Date/Time,Account,B/S,Qty,Symbol,Price\n")

    drop = open_folder(tmp_path, dt.datetime.now(dt.UTC), Settings().account_pattern)

    assert [item.file_name for item in drop.unread] == [r"bad\nname.csv", "fill_a.csv", "fill_b.csv"]


def test_folder_with_nothing_to_read_says_what_lies_there_instead(tmp_path: Path) -> None:
    (tmp_path / "fill.csv").write_text("")

    with pytest.raises(InputError, match=r"(?s)holds no fills\*\.csv.*- fill\.csv is not read"):
        read_fills(tmp_path)
