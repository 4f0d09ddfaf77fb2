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

from risk.books.session import booked_adjustments, daily_pnl
from risk.books.warehouse import aggregate
from risk.checks.suite import THRESHOLDS
from risk.cli import app
from risk.core.connections import WAREHOUSE_CONNECTION
from risk.core.errors import RequestError
from risk.core.policy_document import default_policy
from risk.core.runs import Run, open_run, read_roster
from risk.core.settings import Settings
from risk.core.warehouse import Connection, records
from risk.ingest.load import Load, load_drop
from risk.ingest.poll import missing_accounts
from risk.ingest.read import read_stated
from risk.limits.decide import apply_rules
from risk.report.build_facts import build_facts
from tests.drops import read_fills
from tests.report_desks import insert

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
    loaded = load_drop(connection, folder, session_date, Settings())
    assert not loaded.quarantined
    return loaded


def run(connection: Connection, folder: Path, session_date: dt.date = FRI) -> Run:
    opened = open_run(connection, session_date, load(connection, folder, session_date).load_id, "test")
    aggregate(connection, opened)
    apply_rules(connection, opened)
    return opened


def report(connection: Connection, run: Run) -> None:
    facts = build_facts(connection, run)
    insert(connection, "reports", run_id=run.run_id, facts=facts.canonical, facts_sha256=facts.sha256)


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

    assert [trader.base_limit_usd for trader in read_roster(connection, early)] == [None]
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
    assert missing_accounts(connection, FRI, loaded) == ["NET003"]
    facts = build_facts(connection, opened)
    assert {account.account_id for account in facts.accounts} == {"NET001", "NET003"}
    assert {entry.account_id: entry.status for entry in facts.roster}["NET002"] == "disabled"


def test_disabled_account_that_trades_is_named(connection: Connection, tmp_path: Path) -> None:
    write(tmp_path, "fills.csv", FILLS, *trade(FRI, "NET001"), *trade(FRI, "NET002"))
    write(tmp_path, "accounts.csv", ACCOUNTS, ",NET002,,,,yes,")
    opened = run(connection, tmp_path)

    coverage = default_policy().desk.accounts.coverage_binds
    binds = THRESHOLDS | coverage | {"session_date": FRI, "as_of": opened.as_of}
    found = {
        row["subject"]: row["finding"]
        for row in records(connection, "check_fills/select_account_findings", binds)
        if row["check_name"] == "accounts_enabled"
    }
    assert states(connection, FRI)["NET002"] == ("delivered", False)
    assert found["NET001"] is None
    assert found["NET002"].startswith("NET002: traded while disabled")


def test_roster_row_that_cannot_be_right_is_rejected_with_a_sentence(connection: Connection, tmp_path: Path) -> None:
    write(tmp_path, "fills.csv", FILLS, *trade(FRI, "NET001"))
    bad = [
        ",NET001,,,much,,",
        ",NET002,,,-1,,",
        ",NET003,,,10.005,,",
        ",NET004,,,,perhaps,",
        ",NET005,,,,,<b>",
        "someday,NET006,,,1,,",
        ",NET007,,,1,,",
        ",NET007,,,2,,",
        ",NET008,,,,,NET010",
        ",NET009,,,,,NET010",
    ]
    write(tmp_path, "accounts.csv", ACCOUNTS, *bad)

    loaded = load(connection, tmp_path)

    reasons = [reason for (reason,) in query(connection, "select reason from fill_rejects order by line_number")]
    assert loaded.rejected_count == len(bad)
    clauses = ("not a number", "not above zero", "whole cents", "neither yes nor no", "not one the setting", "no date")
    limits = ("NET007 2", "two ways: accounts.csv line 8 says base limit 1")
    names = ("who was formerly NET010", "accounts.csv line 10 says NET008, accounts.csv line 11 says NET009")
    for reason, found in zip(reasons, (*clauses, *limits, *names), strict=True):
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


def test_riskctl_traders_says_what_to_do_where_nothing_was_ever_run(
    server_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = parse_dsn(server_dsn)
    place = f"{parts['user']}:{parts['password']}@{parts['host']}:{parts['port']}/postgres"
    monkeypatch.setenv(WAREHOUSE_CONNECTION, f"postgres://{place}")

    with pytest.raises(RequestError, match="has no tables yet: make run"):
        CliRunner().invoke(app, ["traders"], catch_exceptions=False)


def books(connection: Connection) -> dict[tuple[str, dt.date], Decimal]:
    return {
        (account, day): gross
        for account, day, gross in query(connection, "select account_id, session_date, gross_pnl_usd from daily_pnl")
    }


def reader_books(folder: Path) -> dict[tuple[str, dt.date], Decimal | None]:
    fills, rejects = read_fills(folder)
    assert rejects == []
    return {(day.account_id, day.session_date): day.gross_pnl_usd for day in daily_pnl(fills, [])}


def test_history_and_open_position_follow_a_renamed_account(connection: Connection, tmp_path: Path) -> None:
    # given: OLD1 buys 100 at 10 on Thursday and keeps them
    opening = f"{THU:%m/%d/%Y} 09:45:00,OLD1,B,100,XYZ,10,0,1"
    write(tmp_path, "fills_thu.csv", FILLS, opening)
    run(connection, tmp_path, THU)
    before = books(connection)

    # when: from Friday on the trader's account is NEW1, which sells them at 12
    write(tmp_path, "fills_fri.csv", FILLS, f"{FRI:%m/%d/%Y} 09:45:00,NEW1,S,100,XYZ,12,0,1")
    write(tmp_path, "accounts.csv", ACCOUNTS, "2025-08-15,NEW1,,,,,OLD1")
    opened = run(connection, tmp_path)

    # then: one account, whose Friday is (12 - 10) x 100
    assert before == {("OLD1", THU): 0}
    assert books(connection) == {("NEW1", THU): 0, ("NEW1", FRI): 200}
    assert reader_books(tmp_path) == books(connection)
    assert states(connection, FRI) == {"NEW1": ("delivered", True)}
    facts = build_facts(connection, opened)
    assert [(entry.account_id, entry.trading_day_count) for entry in facts.roster] == [("NEW1", 2)]
    assert query(connection, "select active_session_count from recommendations where run_id = %s", opened.run_id) == [
        (2,)
    ]


def test_a_wrong_rename_is_taken_back_by_an_account_that_was_formerly_itself(
    connection: Connection, tmp_path: Path
) -> None:
    write(tmp_path, "fills.csv", FILLS, *trade(THU, "NET001"), *trade(THU, "NET002"))
    write(tmp_path, "accounts.csv", "Account,Formerly", "NET002,NET001")
    run(connection, tmp_path, THU)
    assert books(connection) == {("NET002", THU): 200}

    write(tmp_path, "accounts.csv", "Account,Formerly", "NET001,NET001")
    run(connection, tmp_path, THU)

    assert books(connection) == {("NET001", THU): 100, ("NET002", THU): 100} == reader_books(tmp_path)

    # and said once more it holds again: the newest statement about the former account counts
    write(tmp_path, "accounts.csv", "Account,Formerly", "NET002,NET001")
    run(connection, tmp_path, THU)

    assert books(connection) == {("NET002", THU): 200}


def test_adjustments_follow_a_renamed_account(connection: Connection, tmp_path: Path) -> None:
    write(tmp_path, "fills.csv", FILLS, *trade(FRI, "OLD1"), *trade(FRI, "NET002"))
    write(tmp_path, "accounts.csv", "Account,Formerly", "NEW1,OLD1")
    adjustments = ("08/15/2025,OLD1,,-100", "08/15/2025,NET002,OLD1,-7")
    write(tmp_path, "adjustments.csv", "Date,Account,Offset Account,Amount", *adjustments)

    facts = build_facts(connection, run(connection, tmp_path))
    stated, _, _ = read_stated(tmp_path, Settings())

    booked = {account.account_id: account.adjustments_usd for account in facts.accounts}
    assert booked == {"NEW1": -93, "NET002": -7}
    assert booked_adjustments(stated.adjustments) == {(account, FRI): amount for account, amount in booked.items()}


def test_merged_accounts_become_one_history(connection: Connection, tmp_path: Path) -> None:
    # given: on Thursday two accounts with the same ids, one of which sells short what the other holds
    sides = (f"{THU:%m/%d/%Y} 09:45:00,OLD1,B,100,XYZ,10,0,1", f"{THU:%m/%d/%Y} 09:46:00,OLD2,T,100,XYZ,13,0,1")
    write(tmp_path, "fills.csv", FILLS, *sides, *trade(FRI, "NEW1"))
    write(tmp_path, "accounts.csv", ACCOUNTS, "2025-08-15,NEW1,,,,,OLD1", "2025-08-15,NEW1,,,,,OLD2")

    opened = run(connection, tmp_path)

    # (13 - 10) x 100 on Thursday, (11 - 10) x 100 on Friday
    assert books(connection) == {("NEW1", THU): 300, ("NEW1", FRI): 100}
    assert reader_books(tmp_path) == books(connection)
    assert aggregate(connection, opened).account_session_count == 0
    binds = THRESHOLDS | {"session_date": THU, "as_of": opened.as_of}
    observed = records(connection, "check_fills/select_fill_findings", binds)
    assert "ids_unique" not in {row["check_name"] for row in observed}


@pytest.mark.parametrize(("first", "second", "expected"), [("B", "S", 100), ("S", "B", 300)])
def test_fills_of_merged_accounts_on_one_line_of_one_instant_follow_their_deliveries(
    connection: Connection, tmp_path: Path, first: str, second: str, expected: int
) -> None:
    # given: 100 bought at 10 on Thursday; on Friday, in one second, one account buys 100 at 12, another sells 100 at 13
    prices = {"B": 12, "S": 13}
    write(tmp_path, "fills.csv", FILLS, trade(THU, "OLD1")[0])
    for number, side in enumerate((first, second), start=1):
        line = f"{FRI:%m/%d/%Y} 09:45:00,OLD{number},{side},100,XYZ,{prices[side]},0,2"
        write(tmp_path, f"fills_{number}.csv", FILLS, line)
    write(tmp_path, "accounts.csv", ACCOUNTS, "2025-08-18,NEW1,,,,,OLD1", "2025-08-18,NEW1,,,,,OLD2")

    run(connection, tmp_path)

    # Bought first, the sale closes what it finds of the day: 13 - 12; sold first, it closes Thursday's: 13 - 10.
    assert books(connection) == {("NEW1", THU): 0, ("NEW1", FRI): expected}
    assert reader_books(tmp_path) == books(connection)


def test_result_reported_under_a_former_name_is_not_restated(connection: Connection, tmp_path: Path) -> None:
    # given: Thursday was reported of two accounts, 100 and 200
    write(tmp_path, "fills.csv", FILLS, *trade(THU, "OLD1"), *trade(THU, "OLD2", "12"))
    report(connection, run(connection, tmp_path, THU))

    # when: both are one person's, then OLD2's price is delivered anew
    write(tmp_path, "accounts.csv", ACCOUNTS, "2025-08-15,NEW1,,,,,OLD1", "2025-08-15,NEW1,,,,,OLD2")
    renamed = build_facts(connection, run(connection, tmp_path))
    write(tmp_path, "fills.csv", FILLS, *trade(THU, "OLD1"), *trade(THU, "OLD2", "13"))
    restated = build_facts(connection, run(connection, tmp_path))

    # then: 100 + 200 are no other result, 100 + 300 are
    assert renamed.restatements == ()
    [stated] = restated.restatements
    assert (stated.account_id, stated.session_date, stated.before_usd, stated.after_usd) == ("NEW1", THU, 300, 400)
    assert stated.reason == "other fills delivered"


def test_rename_is_unknown_to_an_earlier_run_and_follows_chains(connection: Connection, tmp_path: Path) -> None:
    write(tmp_path, "fills.csv", FILLS, *trade(THU, "A"), *trade(FRI, "B"), *trade(MON, "C"))
    early = run(connection, tmp_path, MON)
    write(tmp_path, "accounts.csv", ACCOUNTS, "2025-08-15,B,,,,,A", "2025-08-18,C,,,,,B")
    late = run(connection, tmp_path, MON)

    text = "select distinct account_id from current_deliveries(%s) order by 1"
    assert query(connection, text, early.as_of) == [("A",), ("B",), ("C",)]
    assert query(connection, text, late.as_of) == [("C",)]
    assert {account for account, _ in reader_books(tmp_path)} == {"C"}


def test_name_that_is_used_again_keeps_its_own_sessions(connection: Connection, tmp_path: Path) -> None:
    write(tmp_path, "fills.csv", FILLS, *trade(THU, "A"), *trade(FRI, "A", "12"), *trade(FRI, "B"))
    write(tmp_path, "accounts.csv", ACCOUNTS, "2025-08-15,B,Jane Doe,,7000,,A")

    opened = run(connection, tmp_path)

    assert books(connection) == {("A", FRI): 200, ("B", THU): 100, ("B", FRI): 100} == reader_books(tmp_path)
    assert {one.account_id: one.base_limit_usd for one in read_roster(connection, opened)} == {"A": None, "B": 7000}


def test_limit_stated_under_the_former_name_holds_on(connection: Connection, tmp_path: Path) -> None:
    write(tmp_path, "fills.csv", FILLS, *trade(THU, "A"), *trade(FRI, "B"))
    write(tmp_path, "accounts.csv", ACCOUNTS, ",A,Jane Doe,,7000,,", "2025-08-15,B,,,,,A")

    opened = run(connection, tmp_path)

    assert [(one.account_id, one.display_name, one.base_limit_usd) for one in read_roster(connection, opened)] == [
        ("B", "Jane Doe", 7000)
    ]
