"""Tables of a terminal, and flags that are followed by a value."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer.main
from rich.cells import cell_len
from typer.testing import CliRunner

from docs.generate import riskctl_commands
from risk.cli import app
from risk.cli_parts import print_table
from risk.core.errors import RequestError

LONG = "A Trader With A Name That Fills All Of The Fifty X"
POLICY = "include/policy/default.yaml"


def printed(capsys: pytest.CaptureFixture[str], rows: list[tuple[str, str, str]]) -> list[str]:
    columns: dict[str, Any] = {"account_id": "left", "base_limit_usd": "right", "trading_day_count": "right"}
    print_table("Accounts", columns, rows, {"account_id"})
    return capsys.readouterr().out.splitlines()


def test_table_has_one_line_a_row_and_headings_without_units(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, [("NET001", "5000.00", "12"), ("A B", "1.00", "3")]) == [
        "Accounts",
        "                  trading",
        "account     base      day",
        "id         limit    count",
        "-------  -------  -------",
        "NET001   5000.00       12",
        "A B         1.00        3",
    ]


def test_name_is_cut_with_an_ellipsis_where_80_columns_do_not_hold_it(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, [(LONG, f"{10**15:,}", f"{10**12:,}"), ("NET001", "5,000", "12")])

    # 15 digits with 5 commas and 12 with 4 take 21 and 17 columns; 80 - 38 and two gaps of 2 leave 38 for the name.
    assert max(map(len, lines)) == 80
    assert lines[-2].startswith("A Trader With A Name That Fills All O\N{HORIZONTAL ELLIPSIS}  1,000,000,000,000,000")
    assert lines[-1].startswith("NET001 ")


def test_wide_and_steering_characters_of_a_name_break_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, [("\u682a" * 60, "5,000", "1"), ("A\nB\x1b[31m", "5,000", "2")])

    assert {cell_len(line) for line in lines[-2:]} == {80}
    assert lines[-1].startswith("A B [31m ")


def test_terminal_that_is_wider_shows_the_whole_name(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")

    assert printed(capsys, [(LONG * 2, "5,000", "1")])[-1].startswith(f"{LONG * 2}  ")


def test_every_command_has_the_flag_json() -> None:
    commands = riskctl_commands(typer.main.get_command(app))

    assert {"desk", "traders", "use", "breaches", "limits review", "policy show"} <= set(commands)
    assert [name for name, one in commands.items() if "--json" not in {o for p in one.params for o in p.opts}] == []


@pytest.mark.parametrize(
    ("options", "is_json"),
    [
        ("--json", True), ("--json true", True), ("--json TRUE", True), ("--json=true", True),
        ("--json false", False), ("--json=False", False), ("", False),
    ],
)  # fmt: skip
def test_flag_may_be_followed_by_true_or_false(options: str, is_json: bool) -> None:
    found = CliRunner().invoke(app, ["policy", "check", POLICY, *options.split()])

    assert found.exit_code == 0
    assert found.stdout.startswith("{") is is_json


def test_flag_with_another_value_is_refused_with_a_sentence() -> None:
    with pytest.raises(RequestError, match="--json=yes: --json is a flag, write it alone, or with true or false"):
        CliRunner().invoke(app, ["policy", "check", POLICY, "--json=yes"], catch_exceptions=False)


@pytest.mark.parametrize("options", ["--json", "--json true", "--json -"])
def test_backtest_prints_json_alone_where_no_file_is_named(tmp_path: Path, options: str) -> None:
    (file := tmp_path / "pnl.csv").write_text("account_id,session_date,net_pnl_usd\nA1,2025-08-14,0\nA1,2025-08-15,5\n")

    found = CliRunner().invoke(app, ["backtest", *options.split(), "--pnl", str(file)], catch_exceptions=False)

    assert json.loads(found.stdout)["gate"]["served"] == "rules"
    assert found.stderr.startswith("1 row of exactly 0 left out")
