"""The file drop and its manifest, read without a database."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest

from risk.core.errors import InputError
from risk.core.settings import Settings
from risk.ingest.folder import open_folder
from risk.ingest.read import newest_session
from tests.drops import read_fills

NOW = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
HEADER = "Date/Time,Account,B/S,Qty,Symbol,Price,Comm,Fill Id"
MANIFEST_HEADER = "file,account_id,session_date,published_at"


def row(day: str = "08/15/2025", account: str = "NET001", number: int = 1) -> str:
    return f"{day} 09:45:00,{account},B,100,XYZ,10.5,1.25,{number}"


def write(folder: Path, name: str, *rows: str, header: str = HEADER) -> None:
    (folder / name).write_text("\n".join([header, *rows]) + "\n")


def test_manifest_entries_are_refused_one_by_one_when_they_leave_the_folder_or_lie(tmp_path: Path) -> None:
    (tmp_path / "outside.csv").write_text(HEADER)
    folder = tmp_path / "drop"
    folder.mkdir()
    write(folder, "fills_good.csv", row())
    write(folder, "fills_unnamed.csv", row(account="NET002"))
    (folder / "fills_link.csv").symlink_to(tmp_path / "outside.csv")
    published = "2025-08-15T22:00:00+00:00"
    entries = [
        f"fills_good.csv,NET001,2025-08-15,{published}",
        f"../outside.csv,NET001,2025-08-15,{published}",
        f"fills_link.csv,NET001,2025-08-15,{published}",
        f"fills_gone.csv,NET001,2025-08-15,{published}",
        f"/etc/passwd,NET001,2025-08-15,{published}",
        f"fills_good.csv,=cmd(),2025-08-15,{published}",
        f"fills_good.csv,NET001,08/15/2025,{published}",
        "fills_good.csv,NET001,2025-08-14,2025-08-15T22:00:00",
        "fills_good.csv,NET001,2025-08-14,2099-08-15T22:00:00+00:00",
    ]
    write(folder, "manifest.csv", *entries, header=MANIFEST_HEADER)

    drop = open_folder(folder, NOW, Settings().account_pattern)

    assert [path.name for path in drop.fills] == ["fills_good.csv"]
    reasons = "\n".join(f"{name}: {reason}" for name, reason, _ in drop.quarantined)
    for line_number, found in enumerate(
        ["lies outside", "is a link", "is missing", "lies outside", "not allowed", "not YYYY", "no offset", "future"], 3
    ):
        assert any(f"line {line_number} is refused" in line and found in line for line in reasons.splitlines())
    assert "fills_unnamed.csv is not named in manifest.csv" in reasons


def test_manifest_that_cannot_be_read_stops_every_file_when_its_header_is_wrong(tmp_path: Path) -> None:
    write(tmp_path, "fills.csv", row())
    write(tmp_path, "manifest.csv", "fills.csv,NET001", header="file,account_id")

    drop = open_folder(tmp_path, NOW, Settings().account_pattern)

    assert drop.fills == ()
    assert [item.file_name for item in drop.quarantined] == ["manifest.csv"]


@pytest.mark.parametrize("name", ["link", "folder", "Manifest.csv"])
def test_manifest_stops_every_file_when_it_is_no_plain_file_of_that_name(tmp_path: Path, name: str) -> None:
    write(tmp_path, "fills.csv", row())
    if name == "link":
        (tmp_path / "manifest.csv").symlink_to(tmp_path / "nowhere.csv")
    elif name == "folder":
        (tmp_path / "manifest.csv").mkdir()
    else:
        write(tmp_path, name, header=MANIFEST_HEADER)

    drop = open_folder(tmp_path, NOW, Settings().account_pattern)

    assert drop.fills == ()
    assert [item.file_name for item in drop.quarantined] == ["manifest.csv"]


@pytest.mark.parametrize(
    ("name", "shown", "found"),
    [
        (b"Fills_2.csv", "Fills_2.csv", "lower case"),
        (b"fills_2.CSV", "fills_2.CSV", "lower case"),
        (b"fills_2.csv.GZ", "fills_2.csv.GZ", "lower case"),
        (b"Marks.csv", "Marks.csv", "lower case"),
        (b"fills\n2.csv", r"fills\n2.csv", "cannot be printed"),
        (b"fills_\xff.csv", r"fills_\udcff.csv", "cannot be printed"),
    ],
)
def test_folder_names_a_file_it_cannot_take_for_its_name(tmp_path: Path, name: bytes, shown: str, found: str) -> None:
    write(tmp_path, "fills_1.csv", row())
    (tmp_path / os.fsdecode(name)).write_text(HEADER)

    drop = open_folder(tmp_path, NOW, Settings().account_pattern)

    assert [path.name for path in drop.fills] == ["fills_1.csv"]
    ((file_name, reason, _),) = drop.quarantined
    assert file_name == shown
    assert reason.startswith(shown)
    assert found in reason


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_folder_is_refused_when_there_is_nothing_to_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(InputError, match=name):
        read_fills(tmp_path / name)


def test_read_drop_takes_the_newest_version_that_was_published_then(tmp_path: Path) -> None:
    write(tmp_path, "fills_v1.csv")
    write(tmp_path, "fills_v2.csv", row(), row(number=2))
    entries = [
        "fills_v1.csv,NET001,2025-08-15,2025-08-15T03:00:00+00:00",
        "fills_v2.csv,NET001,2025-08-15,2025-08-16T15:00:00+00:00",
    ]
    write(tmp_path, "manifest.csv", *entries, header=MANIFEST_HEADER)

    early, _ = read_fills(tmp_path, dt.datetime(2025, 8, 16, 12, 0, tzinfo=dt.UTC))
    late, _ = read_fills(tmp_path)

    assert (len(early), len(late)) == (0, 2)


def test_read_drop_moves_a_carried_opening_into_the_session_the_manifest_names(tmp_path: Path) -> None:
    write(tmp_path, "fills.csv", row("08/14/2025"), row("08/15/2025", number=2))
    entry = "fills.csv,NET001,2025-08-15,2025-08-16T15:00:00+00:00"
    write(tmp_path, "manifest.csv", entry, header=MANIFEST_HEADER)

    fills, _ = read_fills(tmp_path)

    assert [fill.session_date for fill in fills] == [dt.date(2025, 8, 15)] * 2
    assert fills[0].executed_at.date() == dt.date(2025, 8, 14)


def test_read_drop_refuses_two_files_of_one_account_session_when_nothing_orders_them(tmp_path: Path) -> None:
    write(tmp_path, "fills_a.csv", row())
    write(tmp_path, "fills_b.csv", row(number=2))

    with pytest.raises(InputError, match=r"fills_a\.csv and fills_b\.csv"):
        read_fills(tmp_path)


def test_newest_session_is_the_last_one_with_executions(tmp_path: Path) -> None:
    write(tmp_path, "fills_a.csv", row("08/14/2025"))
    write(tmp_path, "fills_b.csv", row("08/15/2025"), "08/18/2099 09:45:00,NET001,B,1,XYZ,1,0,3")

    assert newest_session(tmp_path, Settings()) == dt.date(2025, 8, 15)


def test_newest_session_names_the_files_it_cannot_read_when_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "fills_page.csv").write_text("<html>502</html>")
    (tmp_path / "fills_link.csv").symlink_to(tmp_path / "fills_page.csv")

    with pytest.raises(InputError, match=r"(?s)no session to run for\..*fills_link\.csv is a link.*HTML"):
        newest_session(tmp_path, Settings())


def test_newest_session_passes_over_versions_that_are_still_empty(tmp_path: Path) -> None:
    write(tmp_path, "fills_14.csv", row("08/14/2025"))
    write(tmp_path, "fills_15.csv")
    entries = [f"fills_{day}.csv,NET001,2025-08-{day},2025-08-15T12:00:00+00:00" for day in (14, 15)]
    write(tmp_path, "manifest.csv", *entries, header=MANIFEST_HEADER)

    assert newest_session(tmp_path, Settings()) == dt.date(2025, 8, 14)


def test_manifest_is_read_in_any_case_and_with_blanks_after_commas(tmp_path: Path) -> None:
    write(tmp_path, "fills.csv", row())
    entry = "fills.csv, NET001, 2025-08-15, 2025-08-16T01:00:00Z"
    (tmp_path / "manifest.csv").write_text(f"File, Account_Id, SESSION_DATE, published_at\n{entry}\n, , ,\n")

    fills, rejects = read_fills(tmp_path)

    assert (len(fills), rejects) == (1, [])
