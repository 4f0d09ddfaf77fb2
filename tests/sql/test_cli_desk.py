"""The desk on a terminal: what ``riskctl desk``, ``traders``, ``use`` and ``breaches`` print of the warehouse."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from psycopg2.extensions import parse_dsn
from typer.testing import CliRunner

from risk.cli import app
from risk.core.connections import WAREHOUSE_CONNECTION
from risk.core.errors import ConnectionLostError, RequestError
from risk.core.warehouse import Connection
from risk.limits.approvals import AirflowUser
from risk.limits.breaches import CLOSED, BreachEntry, enter
from risk.report.build_facts import build_facts
from risk.report.page import Links, build_page
from risk.report.render import render_views
from tests.breach_desks import BROKEN, KEPT, run_session
from tests.report_desks import SESSION, book, deliver_fills, insert, open_run, recommend, store_report
from tests.track_record_desks import MON, TUE, deliver, fill

LONG = "A Trader With A Name That Fills All Of The Fifty X"
ANN = AirflowUser("1", "ann")
Riskctl = Callable[..., str]


@pytest.fixture
def riskctl(warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Riskctl:
    """Give a way to type a command on the test's warehouse."""
    place = parse_dsn(warehouse_dsn)
    uri = f"postgresql://{place['user']}:{place.get('password', '')}@{place['host']}:{place['port']}/{place['dbname']}"
    monkeypatch.setenv(WAREHOUSE_CONNECTION, uri)
    return lambda *typed: CliRunner().invoke(app, typed, catch_exceptions=False).stdout


def reported_desk(connection: Connection, *, has_tail: bool = True) -> None:
    """Store the report of a desk whose shortfall of 8,000 is 75 % one trader's, and whose other trader is not cut."""
    run = open_run(connection)
    for name, cut, share, excess, relief in ((LONG, "0.40", "0.75", 3145, 1200), ("NET002", "0.00", "0.25", 90, 0)):
        recommend(connection, run, name, cut)
        deliver_fills(connection, run, name)
        book(connection, name)
        part = {"limit_usd": 3000 if relief else 5000, "loss_probability": Decimal("0.334"), "scenario_count": 250}
        part |= {"expected_excess_usd": excess, "shortfall_usd": 8000 * Decimal(share), "relief_usd": relief}
        shares = {"share_ratio": share, "share_low_ratio": "0.2", "share_high_ratio": "0.8"}
        if has_tail:
            amounts = dict.fromkeys(("value_at_risk_usd", "at_limits_usd", "at_base_usd"), 7000)
            ends = {"expected_shortfall_usd": 8000, "shortfall_low_usd": 6000, "shortfall_high_usd": 9000}
            if name == LONG:
                insert(
                    connection, "desk_tails", run_id=run.run_id, session_count=250, account_count=2, **amounts, **ends
                )
            insert(connection, "desk_tail_shares", run_id=run.run_id, account_id=name, **part, **shares)
    store_report(connection, run)


def widest(printed: str) -> int:
    return max(map(len, printed.splitlines()))


def test_desk_shows_pnl_limits_tail_shares_and_what_each_cut_takes_off(
    connection: Connection, riskctl: Riskctl
) -> None:
    reported_desk(connection)

    printed, found = riskctl("desk"), json.loads(riskctl("desk", "--json"))

    said = " ".join(printed.split())
    # Two traders with -812.30 net and -1,033.20 in all; limits 5,000 less 40 % and 5,000.
    assert "Desk on 2025-08-15: 8 fills in 2 accounts, net P&L -$1,624.60, -$2,066.40 including open positions." in said
    assert (
        "Limits of all active traders: $8,000 (base $10,000); limit of the whole desk: the policy names none." in said
    )
    assert "Desk: 95% VaR $7,000, expected shortfall $8,000 ($6,000 to $9,000); with every loss stopped" in said
    first, second = printed.splitlines()[-2:]
    assert first.startswith("A Trader With A")
    assert "\N{HORIZONTAL ELLIPSIS}" in first
    assert first.split()[-7:] == ["33.4%", "$3,145", "75%", "20%", "to", "80%", "$1,200"]
    assert second.split() == ["NET002", "$5,000", "33.4%", "$90", "25%", "20%", "to", "80%", "$0"]
    assert widest("\n".join(printed.splitlines()[-5:])) <= 80
    assert (found["desk"]["total_pnl_usd"], found["desk_limit_usd"]) == ("-2066.40", None)
    assert found["desk_tail"]["expected_shortfall_usd"] == "8000.00"
    assert [(one["account_id"], one["share_ratio"], one["relief_usd"]) for one in found["traders"]] == [
        (LONG, "0.75", "1200.00"),
        ("NET002", "0.25", "0.00"),
    ]


def test_desk_says_what_the_mail_of_the_same_report_says(connection: Connection, riskctl: Riskctl) -> None:
    reported_desk(connection)
    run = open_run(connection, revision=2)
    facts = build_facts(connection, run)

    printed = " ".join(riskctl("desk").split())

    mailed = " ".join(render_views("risk_report", build_page(facts, run, Links())).text.split())
    for part in ("net P&L -$1,624.60, -$2,066.40 including open positions", "Limits on 2025-08-15: use unknown"):
        assert part in printed
        assert part in mailed


def test_desk_without_a_tail_and_of_a_session_without_a_report(connection: Connection, riskctl: Riskctl) -> None:
    with pytest.raises(RequestError, match="There is no report yet: run it"):
        riskctl("desk")
    reported_desk(connection, has_tail=False)

    assert riskctl("desk", "--session", SESSION.isoformat()).endswith(
        "What the desk may lose was not computed: the report has no forecast.\n"
        "Limits on 2025-08-15: use unknown, no account with complete books traded.\n"
    )
    assert json.loads(riskctl("desk", "--json"))["traders"] == []
    for asked, sentence in (
        ("2025-08-14", "Session 2025-08-14 has no report"),
        ("2025-08-16", "is no session of XNYS"),
        ("2999-01-04", "lies in the future"),
        ("today", "'today' is not a date"),
    ):
        with pytest.raises(RequestError, match=sentence):
            riskctl("desk", "--session", asked)


def test_use_lists_traders_of_the_newest_session_or_sessions_of_one_trader(
    connection: Connection, riskctl: Riskctl
) -> None:
    deliver(connection, BROKEN)
    deliver(connection, KEPT, LONG)
    run_session(connection)
    deliver(connection, [fill(TUE, 1, "B", "100", "20.00"), fill(TUE, 9, "S", "100", "21.00")])
    run_session(connection, TUE)

    newest, of_monday, of_one = (
        riskctl("use"),
        riskctl("use", "--session", "2025-08-04"),
        riskctl("use", "--account", LONG),
    )

    assert [line.split() for line in newest.splitlines()[-1:]] == [
        ["2025-08-05", "NET001", "$5,000", "$0", "0%", "+$100", "within"]
    ]
    # 1,000 bought at 20 and sold at 13 lose 7,000 of 5,000: 140 %; at 19 they lose 1,000: 20 %.
    assert [line.split()[-5:] for line in of_monday.splitlines()[-2:]] == [
        ["$5,000", "$1,000", "20%", "-$1,000", "within"],
        ["$5,000", "$7,000", "140%", "-$7,000", "breach"],
    ]
    assert of_one.count("\N{HORIZONTAL ELLIPSIS}") == 1
    assert of_one.splitlines()[0].startswith(f"Use of limits of {LONG}")
    assert all(widest(printed) <= 80 for printed in (newest, of_monday))
    [exact] = json.loads(riskctl("use", "--account", LONG, "--json"))
    assert (exact["session_date"], exact["use_ratio"], exact["final_usd"]) == ("2025-08-04", "0.20", "-1000.00")
    assert len(json.loads(riskctl("use", "--account", "NET001", "--rows", "1", "--json"))) == 1


def test_use_refuses_an_unknown_account_and_says_where_nothing_is_known(
    connection: Connection, riskctl: Riskctl
) -> None:
    with pytest.raises(RequestError, match="Nothing was run in this warehouse yet"):
        riskctl("use")
    open_run(connection)

    assert riskctl("use") == "No use of a limit is known for 2025-08-15: no account with complete books traded.\n"
    assert json.loads(riskctl("use", "--json")) == []
    with pytest.raises(RequestError, match="No account is named NET404: riskctl traders lists them"):
        riskctl("use", "--account", "NET404")


def test_breaches_lists_open_ones_first_and_filters_by_trader_and_state(
    connection: Connection, riskctl: Riskctl
) -> None:
    deliver(connection, BROKEN)
    run_session(connection)
    tuesday = [fill(TUE, 1, "B", "1000", "20.00"), fill(TUE, 9, "S", "1000", "12.00")]
    deliver(connection, tuesday)
    deliver(connection, tuesday, LONG)
    run_session(connection, TUE)
    enter(connection, "NET001", MON, ANN, BreachEntry(CLOSED, "traded on", "spoke to him", None))

    def listed(*options: str) -> list[tuple[str, str]]:
        found = json.loads(riskctl("breaches", "--json", *options))
        return [(one["account_id"], one["state"]) for one in found]

    assert listed() == [(LONG, "open"), ("NET001", "open"), ("NET001", "closed")]
    assert listed("--state", "closed") == [("NET001", "closed")]
    assert listed("--account", LONG) == [(LONG, "open")]
    printed = riskctl("breaches")
    assert widest(printed) <= 80
    assert printed.splitlines()[0] == "3 breaches, US dollars"
    # 1,000 bought at 20 and sold at 12 lose 8,000 of 5,000: 160 %.
    assert printed.splitlines()[-2].split() == ["2025-08-05", "NET001", "open", "$5,000", "$8,000", "160%"]
    assert printed.splitlines()[-1].startswith("2025-08-04  NET001")
    assert " traded on (spoke" in printed.splitlines()[-1]
    assert riskctl("breaches", "--account", "NET404") == "No breach of NET404 is recorded.\n"
    assert riskctl("breaches", "--state", "removed") == "No breach is removed.\n"
    assert CliRunner().invoke(app, ["breaches", "--state", "lost"]).exit_code == 2


def test_traders_keeps_names_of_50_characters_on_one_line(connection: Connection, riskctl: Riskctl) -> None:
    reported_desk(connection)

    printed = riskctl("traders")

    assert widest(printed) <= 80
    assert len(printed.splitlines()) == 6 + 1
    assert [one["account_id"] for one in json.loads(riskctl("traders", "--json"))] == [LONG, "NET002"]


@pytest.mark.parametrize("command", ["desk", "traders", "use", "breaches"])
def test_command_says_in_one_sentence_that_the_database_is_down_or_empty(
    command: str, server_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place: dict[str, Any] = parse_dsn(server_dsn)
    login = f"{place['user']}:{place.get('password', '')}"
    for address, kind, sentence in (
        ("127.0.0.1:9/risk", ConnectionLostError, "127.0.0.1"),
        (f"{place['host']}:{place['port']}/postgres", RequestError, "has no tables yet: make run"),
    ):
        monkeypatch.setenv(WAREHOUSE_CONNECTION, f"postgresql://{login}@{address}")
        with pytest.raises(kind, match=sentence):
            CliRunner().invoke(app, [command], catch_exceptions=False)
