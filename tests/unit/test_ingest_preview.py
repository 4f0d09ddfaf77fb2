"""The dry run of one file: what would be loaded, what not and why; nothing is changed and little is printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from risk.cli import app
from risk.core.errors import InputError, RequestError
from risk.core.settings import Settings
from risk.ingest.preview import preview_file
from tests.broker_shapes import SHAPES

OURS = "Date/Time,Account,B/S,Qty,Symbol,Price,Comm,Fill Id"
GOOD = (
    "08/14/2025 09:31:00,A1,B,100,AAPL,10.00,0.5,1",
    "08/14/2025 09:31:00,A1,B,100,AAPL,10.00,0.5,1",
    "08/15/2025 09:45:00,B2,S,2,/ESU5,6400,0,2",
    "08/15/2025 09:45:00,B2,S,2,/ESU5,x,0,3",
)


def write(folder: Path, *lines: str) -> Path:
    """Write a file with our own columns."""
    path = folder / "fills.csv"
    path.write_text("\n".join([OURS, *lines, ""]), encoding="utf-8")
    return path


def test_preview_says_what_would_be_loaded_and_what_not(tmp_path: Path) -> None:
    path = write(tmp_path, *GOOD)

    preview = preview_file(path, Settings())

    assert preview.counts == {"rows": 4, "loaded": 2, "rejected": 1, "repeated": 1, "ignored": 0}
    assert (preview.accounts, list(map(str, preview.sessions))) == (["A1", "B2"], ["2025-08-14", "2025-08-15"])
    assert preview.unknown_contracts == ["/ESU5"]
    assert preview.rows[0] | {"line": "2"} == {
        "line": "2",
        "time": "2025-08-14 09:31:00",
        "account_id": "A1",
        "session_date": "2025-08-14",
        "side": "B",
        "quantity": "100",
        "symbol": "AAPL",
        "price": "10",
        "fees_usd": "0.5",
        "kind": "live",
        "fill_id": "1",
    }
    (reason,) = preview.rejected
    assert "price 'x' is not a number" in reason
    assert [one.name for one in tmp_path.iterdir()] == ["fills.csv"]


def test_preview_knows_the_multipliers_of_an_instruments_file_beside_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, *GOOD)
    (tmp_path / "instruments.csv").write_text("Date,Symbol,Multiplier\n2025-01-02,/ES,50\n", encoding="utf-8")

    assert preview_file(path, Settings()).unknown_contracts == []


def test_preview_of_a_large_file_of_bad_rows_is_short(tmp_path: Path) -> None:
    path = write(tmp_path, *GOOD, *(GOOD[0].replace("A1", f"A{number}") for number in range(200)), *["x,y"] * 2_000)

    result = CliRunner().invoke(app, ["map", "--file", str(path)])
    as_json = CliRunner().invoke(app, ["map", "--file", str(path), "--json"])

    assert result.exit_code == as_json.exit_code == 1
    assert len(result.stdout) < 6_000
    assert len(as_json.stdout) < 8_000
    assert "2,204 rows read with our own columns: 201 would be loaded, 2,001 rejected, 2 repeated." in result.stdout
    facts = json.loads(as_json.stdout)
    assert (facts["account_count"], len(facts["accounts"]), len(facts["rows"])) == (201, 20, 10)


def test_file_that_needs_a_preset_is_told_which_one_fits(tmp_path: Path) -> None:
    path = tmp_path / "blotter.csv"
    SHAPES["lightspeed"].write(path, [])

    with pytest.raises(InputError, match=r"Its header fits the preset lightspeed: add --mapping lightspeed\."):
        preview_file(path, Settings())


def test_map_shows_the_mapping_that_claims_the_file(tmp_path: Path) -> None:
    path = tmp_path / "blotter.csv"
    SHAPES["tradervue"].write(path, [])
    with path.open("a", encoding="utf-8") as file:
        file.write("8/14/2025,09:31:00,SPY,100,500.00,Buy,1.00,0,0\n")
    (tmp_path / "mapping.toml").write_text(
        'preset = "tradervue"\nfiles = "blot*"\naccount = "NET007"\n', encoding="utf-8"
    )

    result = CliRunner().invoke(app, ["map", "--file", str(path)])

    assert result.exit_code == 0
    assert "1 rows read through the mapping mapping.toml: 1 would be loaded." in result.stdout
    assert "1 session (2025-08-14), 1 account: NET007." in result.stdout


def test_file_that_is_not_there_is_a_wrong_request(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="There is no file"):
        preview_file(tmp_path / "fills.csv", Settings())


def test_file_that_two_mappings_claim_names_both(tmp_path: Path) -> None:
    path = write(tmp_path, *GOOD)
    for name in ("mapping_a.toml", "mapping_b.toml"):
        (tmp_path / name).write_text('preset = "das"\nfiles = "fills*"\n', encoding="utf-8")

    with pytest.raises(InputError, match=r"mapping_a\.toml and mapping_b\.toml"):
        preview_file(path, Settings())


def test_pnl_reads_a_folder_through_the_mapping_that_is_named(tmp_path: Path) -> None:
    shape = SHAPES["tradezero"]
    shape.write(tmp_path / shape.file_name, [])
    row = "A1,08/14/2025,08/15/2025,USD,2,{},AAPL,100,{},09:3{}:00,0.5,0,0,0,0,0,0,1,1,LAMP,,\n"
    with (tmp_path / shape.file_name).open("a", encoding="utf-8") as file:
        file.write(row.format("SS", "10.00", 1) + row.format("BC", "9.00", 2))

    result = CliRunner().invoke(app, ["pnl", "--fills", str(tmp_path), "--mapping", "tradezero"])

    # short 100 at 10, covered at 9: +100, fees 1
    assert result.exit_code == 0
    assert result.stderr == ""
    assert "A1,2025-08-14,100" in result.stdout
    assert ",99" in result.stdout
