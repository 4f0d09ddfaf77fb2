"""The books beside the source's own: from a manifest, from files of totals, as known at an instant."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from risk.books.warehouse import aggregate
from risk.core.runs import Run, open_run
from risk.core.settings import Settings
from risk.core.warehouse import Connection, rows
from risk.ingest.load import Load, load_drop

SESSION = dt.date(2025, 8, 15)
HEADER = "Date/Time,Account,B/S,Qty,Symbol,Price,Comm,Fill Id"
# 100 bought at 10, sold at 11 for 1.50 each: gross 100.00, net 97.00.
ROUND_TRIP = ("B,100,XYZ,10,1.50,1", "S,100,XYZ,11,1.50,2")
SUMMARY = "Date,Account,Orders,Fills,Qty,Gross,Comm,Net,Unrealized Delta"
TRADES = "Opened,Closed,Held,Account,Symbol,Type,Entry,Exit,Qty,Gross,Comm,Net"


def drop_fills(folder: Path, account: str = "NET001") -> None:
    lines = [f"08/15/2025 09:45:00,{account},{row}" for row in ROUND_TRIP]
    (folder / f"fills_{account}.csv").write_text("\n".join([HEADER, *lines]) + "\n")


def write(folder: Path, name: str, *lines: str) -> None:
    (folder / name).write_text("\n".join(lines) + "\n")


def state(folder: Path, gross: str, net: str, account: str = "NET001") -> None:
    header = "file,account_id,session_date,published_at,fills,gross,net"
    entry = f"fills_{account}.csv,{account},2025-08-15,2025-08-16T08:00:00Z,2,{gross},{net}"
    write(folder, "manifest.csv", header, entry)


def load(connection: Connection, folder: Path) -> Load:
    return load_drop(connection, folder, SESSION, Settings())


def run(connection: Connection, folder: Path) -> Run:
    opened = open_run(connection, SESSION, load(connection, folder).load_id, "test")
    aggregate(connection, opened)
    return opened


def verdicts(connection: Connection, opened: Run) -> list[tuple[Any, ...]]:
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select subject, has_passed, observed, message from quality_results where run_id = %s"
            " and check_name = 'totals_agree' order by subject",
            (opened.run_id,),
        )
        return cursor.fetchall()


def test_books_agree_with_a_manifest_to_the_cent(connection: Connection, tmp_path: Path) -> None:
    drop_fills(tmp_path)
    state(tmp_path, "100.01", "96.99")

    opened = run(connection, tmp_path)

    # one cent off in both: the tolerance
    assert [row[:3] for row in verdicts(connection, opened)] == [("", True, "1 account-sessions compared")]


def test_difference_names_account_session_both_sides_and_amount(connection: Connection, tmp_path: Path) -> None:
    drop_fills(tmp_path)
    state(tmp_path, "100.00", "97.02")

    opened = run(connection, tmp_path)
    again = aggregate(connection, opened)

    # 97.00 - 97.02 = -0.02
    ((subject, has_passed, observed, message),) = verdicts(connection, opened)
    assert (subject, has_passed, observed) == ("NET001 2025-08-15", False, "gross 0.00, net -0.02")
    assert message == (
        "Account NET001, session 2025-08-15: our gross $100.00 and net $97.00, the source's own books $100.00 and "
        "$97.02: a difference of $0.00 gross, -$0.02 net. Ask the source which fills or fees are not in the delivery."
    )
    assert again.account_session_count == 0


def test_totals_known_later_change_no_earlier_verdict(connection: Connection, tmp_path: Path) -> None:
    # given: a run while the source's books said what ours do
    drop_fills(tmp_path)
    state(tmp_path, "100", "97")
    early = run(connection, tmp_path)

    # when: they are restated, by the same version of the fills
    state(tmp_path, "100", "90")
    late = run(connection, tmp_path)
    aggregate(connection, early)

    assert [row[1] for row in verdicts(connection, early)] == [True]
    assert [row[2] for row in verdicts(connection, late)] == ["gross 0.00, net 7.00"]
    assert load(connection, tmp_path).delivery_count == 0
    with connection, connection.cursor() as cursor:
        cursor.execute("select net_pnl_usd::int from totals order by total_id")
        assert cursor.fetchall() == [(97,), (90,)]


def test_file_of_totals_is_read_as_summary_by_date_and_as_trades(connection: Connection, tmp_path: Path) -> None:
    drop_fills(tmp_path, "NET001")
    drop_fills(tmp_path, "NET002")
    write(tmp_path, "totals_summary.csv", SUMMARY, "08/15/2025,NET001,2,2,200,100.00,3.00,97.00,0", "Total,,,,,,,,")
    # two trades of NET002 come to 100.00 and 95.00: our 97.00 is 2.00 more
    trades = [
        f"8:00,08/15/2025 {clock},1,NET002,XYZ,Long,10,11,50,50,1.5,{net}"
        for clock, net in (("9:45", 48), ("9:46", 47))
    ]
    write(tmp_path, "totals_trades.csv", TRADES, *trades)

    opened = run(connection, tmp_path)

    assert [row[::2] for row in verdicts(connection, opened)] == [("NET002 2025-08-15", "gross 0.00, net 2.00")]


def test_two_files_of_totals_for_one_account_session_are_both_set_aside(connection: Connection, tmp_path: Path) -> None:
    drop_fills(tmp_path)
    for name, net in (("totals_a.csv", "97"), ("totals_b.csv", "90")):
        write(tmp_path, name, SUMMARY, f"08/15/2025,NET001,2,2,200,100,3,{net},0")

    loaded = load(connection, tmp_path)

    assert loaded.rejected_count == 2


def test_totals_of_an_account_we_have_no_fills_of_are_a_difference(connection: Connection, tmp_path: Path) -> None:
    drop_fills(tmp_path)
    write(tmp_path, "totals.csv", SUMMARY, "08/15/2025,NET009,1,1,100,5,1,4,0")

    assert [row[0] for row in verdicts(connection, run(connection, tmp_path))] == ["NET009 2025-08-15"]


def test_manifest_whose_totals_are_no_amounts_is_refused(connection: Connection, tmp_path: Path) -> None:
    drop_fills(tmp_path)
    state(tmp_path, "100", "much")

    loaded = load(connection, tmp_path)

    assert "gross and net '100, much' are no amounts in US dollars" in loaded.quarantined[0].reason

    state(tmp_path, "100", "")
    (refused,) = load(connection, tmp_path).quarantined
    assert "manifest.csv line 2 is refused: one of gross and net is blank: give both or neither." in refused.reason


def test_books_of_the_real_executions_agree_with_every_published_total(
    connection: Connection, real_fills_dir: Path
) -> None:
    last = dt.date(2025, 12, 31)
    loaded = load_drop(connection, real_fills_dir, last, Settings(), is_history=True)
    aggregate(connection, open_run(connection, last, loaded.load_id, "test"))

    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select count(*), count(*) filter (where abs(coalesce(daily_pnl.net_pnl_usd, 0) - reported.net_pnl_usd)"
            " > 0.01 or abs(coalesce(daily_pnl.gross_pnl_usd, 0) - reported.gross_pnl_usd) > 0.01)"
            " from current_totals('infinity') as reported left join daily_pnl using (account_id, session_date)"
        )
        ((compared, different),) = cursor.fetchall()
    assert compared > 150
    assert different == 0
    assert rows(connection, "risk_page/select_books", {"session_date": last})[0][-1] == 0


def test_a_whole_factor_points_at_the_multiplier_of_the_contract(connection: Connection, tmp_path: Path) -> None:
    rows = ("B,2,/ESU5,6400,0,1", "S,2,/ESU5,6340,0,2", "B,100,XYZ,10,0,3", "S,100,XYZ,11,0,4")
    lines = [f"08/15/2025 09:45:00,NET001,{row}" for row in rows]
    write(tmp_path, "fills_NET001.csv", HEADER, *lines)
    write(tmp_path, "instruments.csv", "Date,Symbol,Multiplier", "2025-01-01,/ES,5")
    # 2 x -60 x 50 + 100; ours has 5 for 50.
    state(tmp_path, "-5900.00", "-5900.00")

    [(_, has_passed, _, message)] = verdicts(connection, run(connection, tmp_path))

    assert not has_passed
    assert "what a multiplier of 50 gives for /ESU5: correct it in an instruments file" in message
    assert "which fills or fees" not in message


@pytest.mark.parametrize(
    ("theirs", "hint"),
    [
        ("200.00", "a multiplier of 2 times ours gives for XYZ"),
        ("25.00", "a multiplier of 0.25 times ours gives for XYZ"),
        ("10000.00", "a multiplier of 100 times ours gives for XYZ"),
        ("200.02", "which fills or fees"),
        ("150.00", "which fills or fees"),
        ("-100.00", "which fills or fees"),
        ("0.00", "which fills or fees"),
    ],
)
def test_only_a_whole_factor_points_at_a_multiplier(
    connection: Connection, tmp_path: Path, theirs: str, hint: str
) -> None:
    drop_fills(tmp_path)
    state(tmp_path, theirs, theirs)

    [(_, _, _, message)] = verdicts(connection, run(connection, tmp_path))

    assert hint in message
