"""The roster: what accounts*.csv states, from its day on, as known at an instant."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from psycopg2.extensions import parse_dsn
from typer.testing import CliRunner

from risk.cli import app
from risk.database import Connection, records
from risk.decision import store_recommendations
from risk.fills import Load, awaited_accounts, load_drop
from risk.pnl import aggregate
from risk.quality.checks import THRESHOLDS
from risk.report import build_facts
from risk.roster import read_roster
from risk.runs import Run, open_run
from risk.stack.environment import WAREHOUSE_CONNECTION

THU, FRI, MON = dt.date(2025, 8, 14), dt.date(2025, 8, 15), dt.date(2025, 8, 18)
FILLS = "Date/Time,Account,B/S,Qty,Symbol,Price,Comm,Fill Id"
ACCOUNTS = "Date,Account,Display Name,First Traded,Base Limit,Disabled,Formerly"


def trade(day: dt.date, account: str, price: str = "11") -> list[str]:
    """Write a round trip: 100 bought at 10 and sold."""
    start = f"{day:%m/%d/%Y} 09:45:00,{account}"
    return [f"{start},B,100,XYZ,10,0,{day}-1", f"{start},S,100,XYZ,{price},0,{day}-2"]


def write(folder: Path, name: str, header: str, *lines: str) -> None:
    (folder / name).write_text("\n".join([header, *lines]) + "\n")


def load(connection: Connection, folder: Path, session_date: dt.date = FRI) -> Load:
    loaded = load_drop(connection, folder, session_date, is_simulated=False)
    assert not loaded.quarantined
    return loaded


def run(connection: Connection, folder: Path, session_date: dt.date = FRI) -> Run:
    opened = open_run(connection, session_date, load(connection, folder, session_date).load_id, "test")
    aggregate(connection, opened)
    store_recommendations(connection, opened)
    return opened


def query(connection: Connection, text: str, *binds: Any) -> list[tuple[Any, ...]]:
    with connection, connection.cursor() as cursor:
        cursor.execute(text, binds)
        return cursor.fetchall()


def states(connection: Connection, session_date: dt.date) -> dict[str, tuple[str, bool]]:
    text = "select account_id, state, is_expected from delivery_states(%s, clock_timestamp(), 30, '_OLD')"
    return {account: (state, is_expected) for account, state, is_expected in query(connection, text, session_date)}


def test_base_limit_holds_from_its_day_on_and_is_known_ahead(connection: Connection, tmp_path: Path) -> None:
    write(tmp_path, "fills.csv", FILLS, *trade(THU, "NET001"), *trade(FRI, "NET001"))
    limits = ["2025-08-15,NET001,Jane Doe,,8000,,", "08/18/2025,NET001,,,10000,,", "2025-08-19,NET001,,,99,,"]
    write(tmp_path, "accounts.csv", ACCOUNTS, *limits)

    thursday, friday = run(connection, tmp_path, THU), run(connection, tmp_path)

    # The limits are for the effective session, Friday and Monday; limited history: cut 30 %.
    found = query(connection, "select base_limit_usd, new_limit_usd from recommendations order by run_id")
    assert found == [(Decimal(8000), Decimal(5600)), (Decimal(10000), Decimal(7000))]
    assert read_roster(connection, thursday)[0].base_limit_usd == 8000
    (trader,) = read_roster(connection, friday)
    assert (trader.display_name, trader.trading_day_count, trader.first_session_date) == ("Jane Doe", 2, THU)


def test_statement_recorded_later_is_unknown_to_an_earlier_run(connection: Connection, tmp_path: Path) -> None:
    write(tmp_path, "fills.csv", FILLS, *trade(FRI, "NET001"))
    early = run(connection, tmp_path)
    write(tmp_path, "accounts.csv", ACCOUNTS, ",NET001,Jane Doe,,8000,,")
    late = run(connection, tmp_path)

    assert [trader.base_limit_usd for trader in read_roster(connection, early)] == [5000]
    assert [trader.base_limit_usd for trader in read_roster(connection, late)] == [8000]


def test_disabled_account_is_neither_expected_nor_missing_and_gets_no_limit(
    connection: Connection, tmp_path: Path
) -> None:
    # given: three traders of Thursday, of whom one is disabled from Friday on and one delivers nothing
    traders = ("NET001", "NET002", "NET003")
    write(tmp_path, "fills.csv", FILLS, *(line for name in traders for line in trade(THU, name)), *trade(FRI, "NET001"))
    write(tmp_path, "accounts.csv", ACCOUNTS, "2025-08-15,NET002,,,,yes,")
    loaded = load(connection, tmp_path)

    opened = run(connection, tmp_path)

    assert states(connection, THU)["NET002"] == ("delivered", False)
    assert states(connection, FRI) == {
        "NET001": ("delivered", True),
        "NET002": ("account disabled", False),
        "NET003": ("missing", True),
    }
    assert awaited_accounts(connection, FRI, loaded) == ["NET003"]
    facts = build_facts(connection, opened)
    assert {account.account_id for account in facts.accounts} == {"NET001", "NET003"}
    assert {entry.account_id: entry.status for entry in facts.roster}["NET002"] == "disabled"


def test_disabled_account_that_trades_is_named(connection: Connection, tmp_path: Path) -> None:
    write(tmp_path, "fills.csv", FILLS, *trade(FRI, "NET001"), *trade(FRI, "NET002"))
    write(tmp_path, "accounts.csv", ACCOUNTS, ",NET002,,,,yes,")
    opened = run(connection, tmp_path)

    binds = THRESHOLDS | {"session_date": FRI, "as_of": opened.as_of}
    found = {
        row["subject"]: row["disabled_finding"] for row in records(connection, "check_fills/select_accounts", binds)
    }
    assert states(connection, FRI)["NET002"] == ("delivered", False)
    assert found["NET001"] is None
    assert found["NET002"].startswith("Account NET002 is disabled and traded all the same")


def test_roster_row_that_cannot_be_right_is_rejected_with_a_sentence(connection: Connection, tmp_path: Path) -> None:
    write(tmp_path, "fills.csv", FILLS, *trade(FRI, "NET001"))
    bad = [
        ",NET001,,,much,,",
        ",NET002,,,-1,,",
        ",NET003,,,10.005,,",
        ",NET004,,,,perhaps,",
        ",NET005,,,,,NET005",
        "someday,NET006,,,1,,",
        ",NET007,,,1,,",
        ",NET007,,,2,,",
    ]
    write(tmp_path, "accounts.csv", ACCOUNTS, *bad)

    loaded = load(connection, tmp_path)

    reasons = [reason for (reason,) in query(connection, "select reason from fill_rejects order by line_number")]
    assert loaded.rejected_count == len(bad)
    for reason, found in zip(
        reasons,
        ("not a number", "not above zero", "whole cents", "neither yes nor no", "itself", "no date", "two ways", "two"),
        strict=True,
    ):
        assert found in reason


def test_vendors_list_of_accounts_is_read_as_it_is(connection: Connection, tmp_path: Path) -> None:
    write(tmp_path, "fills.csv", FILLS, *trade(FRI, "NET001"))
    header = "Account Id,Account Name,First Traded,Last Traded,Currency,Cash,Unrealized"
    write(tmp_path, "accounts.csv", header, "17,NET001,01/02/2024,08/14/2025,USD,10,0", "18,NET008,,,USD,0,0")

    opened = run(connection, tmp_path)

    assert [(one.account_id, one.first_session_date, one.status) for one in read_roster(connection, opened)] == [
        ("NET001", dt.date(2024, 1, 2), "limited history"),
        ("NET008", None, "not traded yet"),
    ]
    assert [entry.account_id for entry in build_facts(connection, opened).roster] == ["NET001"]


def test_riskctl_traders_prints_the_roster(
    connection: Connection, warehouse_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = parse_dsn(warehouse_dsn)
    place = f"{parts['user']}:{parts['password']}@{parts['host']}:{parts['port']}/{parts['dbname']}"
    monkeypatch.setenv(WAREHOUSE_CONNECTION, f"postgres://{place}")
    write(tmp_path, "fills.csv", FILLS, *trade(FRI, "NET001"))
    run(connection, tmp_path)

    found = CliRunner().invoke(app, ["traders", "--json"])
    table = CliRunner().invoke(app, ["traders"])

    assert json.loads(found.stdout) == [
        {
            "account_id": "NET001",
            "display_name": None,
            "trading_day_count": 1,
            "first_session_date": "2025-08-15",
            "latest_session_date": "2025-08-15",
            "base_limit_usd": "5000.00",
            "status": "limited history",
        }
    ]
    assert "NET001" in table.stdout
