"""The command line: the stable contract that scripts rely on."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from risk import __version__
from risk.cli import main
from risk.core.connections import WAREHOUSE_CONNECTION

PROJECT_DIR = Path(__file__).resolve().parents[2]
HEADER = (
    "Date/Time,Account,B/S,Qty,Symbol,Price,Route,Exec Bkr,Contra,Liq,Comm,Ecn,SEC,ORF,TAF,NFA,CAT,NSCC,Acc,Clr,Misc,"
    "Order Id,Fill Id,Status\n"
)


def _riskctl(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in this process, up to its exit code."""
    stdout, stderr, code = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        patch.setattr(sys, "argv", ["riskctl", *arguments])
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return subprocess.CompletedProcess(arguments, code, stdout.getvalue(), stderr.getvalue())


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    """Give a drop folder: 100 bought at 10, 60 sold at 11 on the first day, fees 0.30; 40 are carried."""
    rows = [
        "06/16/2025 10:00:00,A1,B,100,XYZ,10,,,,,0.20,,,,,,,,,,,,1,",
        "06/16/2025 11:00:00,A1,S,60,XYZ,11,,,,,0.10,,,,,,,,,,,,2,",
        "06/17/2025 11:00:00,A2,B,1,XYZ,12,,,,,,,,,,,,,,,,,3,",
        "06/17/2025 12:00:00,A2,S,1,XYZ,12,,,,,,,,,,,,,,,,,4,",
    ]
    (tmp_path / "fills.csv").write_text(HEADER + "\n".join(rows) + "\n")
    return tmp_path


def test_pnl_prints_the_contract_columns_with_a_row_for_each_traded_or_carried_session(drop: Path) -> None:
    answer = _riskctl("pnl", "--fills", str(drop))

    rows = list(csv.DictReader(io.StringIO(answer.stdout)))
    assert answer.returncode == 0
    # Monday: 60 x (11 - 10) = 60 realized, 40 x (11 - 10) = 40 open; Tuesday the mark is A2's last fill, 12.
    assert [tuple(row.values()) for row in rows if row["account_id"] == "A1"] == [
        ("A1", "2025-06-16", *_exact(rows[0], "60", "0.3", "59.7", "40", "40", "99.7")),
        ("A1", "2025-06-17", *_exact(rows[1], "0", "0", "0", "80", "40", "40")),
    ]
    assert [row["session_date"] for row in rows if row["account_id"] == "A2"] == ["2025-06-17"]


def _exact(row: dict[str, str], *expected: str) -> tuple[str, ...]:
    """Give the row's own texts if they equal the expected decimals, whatever zeros follow them."""
    texts = tuple(row.values())[2:8]
    assert [Decimal(text) for text in texts] == [Decimal(text) for text in expected]
    return texts


def test_pnl_prints_the_same_as_json(drop: Path) -> None:
    as_csv = list(csv.DictReader(io.StringIO(_riskctl("pnl", "--fills", str(drop)).stdout)))

    assert json.loads(_riskctl("pnl", "--fills", str(drop), "--json").stdout) == as_csv


def test_pnl_names_rejected_rows_on_standard_error_and_exits_with_one(drop: Path) -> None:
    (drop / "fills_bad.csv").write_text(HEADER + "06/16/2025 10:00:00,A3,X,1,XYZ,10,,,,,,,,,,,,,,,,,9,\n")

    answer = _riskctl("pnl", "--fills", str(drop))

    assert answer.returncode == 1
    assert "fills_bad.csv" in answer.stderr
    assert "line 2" in answer.stderr
    assert "A1,2025-06-16" in answer.stdout


def test_pnl_honors_every_statement_file_of_the_folder(drop: Path) -> None:
    (drop / "splits.csv").write_text("Date,Symbol,Ratio\n2025-06-17,XYZ,2\n")
    (drop / "instruments.csv").write_text("Date,Symbol,Currency\n2025-01-01,XYZ,CAD\n")
    (drop / "marks.csv").write_text(
        "Date,Symbol,Price\n2025-06-16,@CADUSD,0.5\n2025-06-17,@CADUSD,0.75\n2025-06-17,XYZ,6\n"
    )
    (drop / "adjustments.csv").write_text("Date,Account,Offset Account,Amount\n2025-06-17,A1,A9,-140\n")

    answer = _riskctl("pnl", "--fills", str(drop), "--adjustments")

    rows = list(csv.DictReader(io.StringIO(answer.stdout)))
    assert answer.returncode == 0
    assert list(rows[0])[-1] == "adjustments_usd"
    # Monday: 60 x (11 - 10) and 40 x (11 - 10) Canadian dollars at 0.50. Tuesday 80 shares at 5: 80 x (6 - 5) at 0.75.
    assert [[row["account_id"], *_exact(row, "30", "0.3", "29.7", "20", "20", "49.7")] for row in rows[:1]]
    assert [Decimal(rows[1][name]) for name in ("unrealized_pnl_usd", "total_pnl_usd", "adjustments_usd")] == [
        60,
        40,
        -140,
    ]
    assert (rows[-1]["account_id"], rows[-1]["total_pnl_usd"], rows[-1]["adjustments_usd"]) == ("A9", "", "140")


def test_pnl_as_of_uses_what_was_published_until_then(real_fills_dir: Path) -> None:
    early = _riskctl("pnl", "--fills", str(real_fills_dir), "--as-of", "2025-07-29T08:08:01+00:00")

    assert early.returncode == 0
    assert early.stdout.count("\n") == 1  # nothing had been published: the header alone


def test_pnl_says_in_one_sentence_that_a_folder_is_missing(tmp_path: Path) -> None:
    answer = _riskctl("pnl", "--fills", str(tmp_path / "nowhere"))

    assert answer.returncode == 2
    assert answer.stderr.strip().startswith(f"The fills folder {tmp_path / 'nowhere'} does not exist.")
    assert "Traceback" not in answer.stderr


def test_simulate_writes_fills_marks_and_truth(tmp_path: Path) -> None:
    out = tmp_path / "desk"

    answer = _riskctl(
        "simulate", "--set", "weak", "--traders", "2", "--sessions", "3", "--seed", "5", "--out", str(out)
    )

    assert answer.returncode == 0
    names = {path.name for path in out.iterdir()}
    assert {"truth.csv", "simulated.json"} <= names
    assert any(name.startswith("fills") for name in names)
    assert any(name.startswith("marks") for name in names)


@pytest.mark.e2e
def test_simulate_says_in_one_sentence_that_it_needs_a_clone(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-P", "-m", "risk", "simulate", "--set", "weak", "--out", str(tmp_path / "desk")],
        env={**os.environ, "PYTHONPATH": str(PROJECT_DIR / "plugins")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 2
    assert answer.stderr == "riskctl simulate needs a clone of the repository: run ./riskctl there.\n"


@pytest.mark.e2e
def test_version_names_the_release_and_the_code() -> None:
    environment = {**os.environ, "PYTHONPATH": f"{PROJECT_DIR / 'plugins'}:{PROJECT_DIR}"}
    command = [sys.executable, "-m", "risk", "--version"]

    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert answer.returncode == 0
    assert re.fullmatch(rf"riskctl {re.escape(__version__)} \(code [0-9a-f]+\)\n", answer.stdout)


@pytest.mark.parametrize("command", ["doctor", "migrate", "replay --session 2025-08-15", "traders", "track-record"])
def test_command_names_the_connection_that_it_needs(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.delenv(WAREHOUSE_CONNECTION, raising=False)

    answer = _riskctl(*command.split())

    assert answer.returncode in {1, 2}
    assert f"{WAREHOUSE_CONNECTION} is not set" in answer.stdout + answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "Name either --pnl FILE or --fills DIR."),
        (("--pnl", "{here}/pnl.csv", "--fills", "{here}"), "Name either --pnl FILE or --fills DIR."),
        (("--pnl", "{here}/none.csv"), "cannot be read as CSV text"),
        (("--fills", "{here}/none"), "does not exist"),
        (("--pnl", "{here}/pnl.csv", "--json", "{here}/none/result.json"), "Name another file."),
    ],
)
def test_backtest_says_in_one_sentence_what_it_cannot_use_and_exits_with_two(
    tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    (tmp_path / "pnl.csv").write_text("account_id,session_date,net_pnl_usd\nA1,2025-08-15,5\n")

    answer = _riskctl("backtest", *(argument.format(here=tmp_path) for argument in arguments))

    assert answer.returncode == 2
    assert sentence in answer.stderr
    assert "Traceback" not in answer.stderr


def test_backtest_says_how_many_rows_of_zero_it_left_out(tmp_path: Path) -> None:
    file = tmp_path / "pnl.csv"
    rows = ["A1,2025-08-13,0", "A1,2025-08-14,-0.00", "A1,2025-08-15,5"]
    file.write_text("\n".join(["account_id,session_date,net_pnl_usd", *rows]) + "\n")

    answer = _riskctl("backtest", "--pnl", str(file))

    assert answer.returncode == 0
    assert answer.stdout.startswith("2 rows of exactly 0 left out")


def test_backtest_of_a_drop_writes_the_contract_json_and_says_who_would_serve(drop: Path) -> None:
    result = drop.parent / "result.json"

    answer = _riskctl("backtest", "--fills", str(drop), "--json", str(result), "--plots", str(drop.parent / "plots"))

    assert answer.returncode == 0
    assert json.loads(result.read_text()) == {
        "models": {},
        "gate": {
            "served": "rules",
            "improvement": None,
            "p_value": None,
            "reasons": [
                "The model has no scored forecast that was issued before its session opened.",
                "Filtered historical simulation has no scored forecast that was issued before its session opened.",
            ],
        },
    }
    assert "Rule-based limits would apply" in answer.stdout


def test_pnl_names_files_that_are_not_read_and_exits_with_zero(drop: Path) -> None:
    for name in ("fill_d.csv", "fills_b.csv.zip", "mark.csv", ".hidden"):
        (drop / name).write_text("")

    answer = _riskctl("pnl", "--fills", str(drop))

    assert answer.returncode == 0
    assert [line.split(" is not read")[0] for line in answer.stderr.splitlines()] == [
        "fill_d.csv",
        "fills_b.csv.zip",
        "mark.csv",
    ]


def test_pnl_says_which_account_sessions_lack_rows_and_prints_what_is_known(drop: Path) -> None:
    rows = [f"06/16/2025 10:00:00,A3,{side},1,XYZ,10,,,,,,,,,,,,,,,,,{number},\n" for number, side in enumerate("BX")]
    (drop / "fills_bad.csv").write_text(HEADER + "".join(rows))

    answer = _riskctl("pnl", "--fills", str(drop))

    assert answer.returncode == 1
    assert "A3 2025-06-16 (1 of 2 rows rejected)" in answer.stderr
    assert "A3,2025-06-16,0" in answer.stdout


def test_pnl_compares_the_rows_with_those_the_manifest_states(drop: Path) -> None:
    (drop / "fills.csv").write_text(HEADER + "06/16/2025 10:00:00,A1,B,1,XYZ,10,,,,,,,,,,,,,,,,,9,\n")
    entry = "fills.csv,A1,2025-06-16,2025-06-17T10:00:00Z"
    for stated, code in (("1", 0), ("2", 1), ("0", 1), ("", 0)):
        (drop / "manifest.csv").write_text(f"file,account_id,session_date,published_at,fills\n{entry},{stated}\n")

        answer = _riskctl("pnl", "--fills", str(drop))

        assert answer.returncode == code, stated
        assert ("A1 2025-06-16 (1 rows, and manifest.csv states" in answer.stderr) == (code == 1)


def test_pnl_refuses_a_manifest_that_states_no_number_of_rows(drop: Path) -> None:
    for stated in ("many", "-1", "1.5"):
        entry = f"fills.csv,A1,2025-06-16,2025-06-17T10:00:00Z,{stated}"
        (drop / "manifest.csv").write_text(f"file,account_id,session_date,published_at,fills\n{entry}\n")

        answer = _riskctl("pnl", "--fills", str(drop))

        assert answer.returncode == 2
        assert f"manifest.csv line 2 is refused: fills '{stated}' is no number of rows" in answer.stderr
