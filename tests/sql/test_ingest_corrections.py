"""Cancels, busts and corrections by status: in one delivery, across sessions, before and after what they mean."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from risk.books.session import daily_pnl
from risk.books.warehouse import aggregate
from risk.checks.suite import THRESHOLDS
from risk.core.runs import Run, open_run
from risk.core.settings import Settings
from risk.core.warehouse import Connection, records
from risk.ingest.load import load_drop
from tests.drops import read_fills, write_drop

MON, TUE = dt.date(2025, 8, 11), dt.date(2025, 8, 12)
HEADER = "Date/Time,Account,B/S,Qty,Symbol,Price,Comm,Status,Fill Id"
BUY, SELL = "B,100,XYZ,10,0,,1", "S,100,XYZ,11,0,,2"


def line(row: str, day: dt.date = MON, account: str = "NET001") -> str:
    return f"{day:%m/%d/%Y} 09:45:00,{account},{row}"


def write(folder: Path, name: str, *lines: str) -> None:
    (folder / name).write_text("\n".join([HEADER, *lines]) + "\n")


def name_in_manifest(folder: Path, *entries: tuple[str, str, dt.date]) -> None:
    published = [f"{name},{account},{day},{day}T21:00:00Z" for name, account, day in entries]
    (folder / "manifest.csv").write_text("\n".join(["file,account_id,session_date,published_at", *published]) + "\n")


def run(connection: Connection, folder: Path, session_date: dt.date = TUE) -> Run:
    loaded = load_drop(connection, folder, session_date, Settings())
    assert not loaded.quarantined
    opened = open_run(connection, session_date, loaded.load_id, "test")
    aggregate(connection, opened)
    return opened


def gross(connection: Connection) -> dict[tuple[str, dt.date], Decimal]:
    with connection, connection.cursor() as cursor:
        cursor.execute("select account_id, session_date, gross_pnl_usd from daily_pnl where fill_count > 0")
        return {(account, day): amount for account, day, amount in cursor.fetchall()}


def waiting(connection: Connection, opened: Run) -> list[str]:
    binds = THRESHOLDS | {"session_date": opened.session_date, "as_of": opened.as_of, "load_id": opened.load_id}
    observed = records(connection, "check_fills/select_input_findings", binds)
    return [row["finding"] for row in observed if row["check_name"] == "corrections_applied"]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # 100 bought at 10, sold at 11: 100.
        pytest.param([BUY, SELL, "B,100,XYZ,50,0,,3", "B,100,XYZ,50,0,BUST,3"], 100, id="bust"),
        pytest.param(["B,100,XYZ,50,0,cancelled,3", BUY, SELL, "B,100,XYZ,50,0,,3"], 100, id="cancel before"),
        pytest.param([BUY, SELL, "S,100,XYZ,12,0,COR,2"], 200, id="correct: sold at 12"),
        pytest.param(["S,100,XYZ,12,0,COR,2", BUY, SELL], 200, id="correct before"),
        pytest.param([BUY, SELL, "S,100,XYZ,12,0,COR,2", "S,100,XYZ,13,0,CORR,2"], 300, id="correct of a correct"),
        pytest.param([BUY, SELL, "S,100,XYZ,12,0,COR,2", "S,100,XYZ,12,0,BUST,2"], 0, id="bust of a correct"),
        pytest.param([BUY, SELL, "B,100,XYZ,50,0,BUST,9"], 100, id="orphan"),
        # 50 bought at 10 and sold at 11, 50 of the sell open a short.
        pytest.param([BUY, SELL, "B,50,XYZ,10,0,COR,1"], 50, id="correct of a quantity"),
    ],
)
def test_corrections_settle_alike_in_both_readers_when_they_come_in_one_delivery(
    connection: Connection, tmp_path: Path, rows: list[str], expected: int
) -> None:
    write(tmp_path, "fills.csv", *map(line, rows))

    run(connection, tmp_path)
    fills, rejects = read_fills(tmp_path)

    assert gross(connection) == {("NET001", MON): expected}
    assert [day.gross_pnl_usd for day in daily_pnl(fills, []) if day.session_date == MON] == [expected]
    assert rejects == []


def test_correction_that_comes_with_the_next_session_changes_only_its_own_account(
    connection: Connection, tmp_path: Path
) -> None:
    # given: Monday as first known, of two accounts
    write(tmp_path, "fills_mon.csv", line(BUY), line(SELL))
    write(tmp_path, "fills_other.csv", line(BUY, account="NET002"), line(SELL, account="NET002"))
    entries = [("fills_mon.csv", "NET001", MON), ("fills_other.csv", "NET002", MON)]
    name_in_manifest(tmp_path, *entries)
    run(connection, tmp_path, MON)
    before = gross(connection)

    # when: Tuesday's file states Monday's sell anew, with Tuesday's own fills
    tuesday = [line(BUY.replace(",1", ",3"), TUE), line("S,100,XYZ,12,0,COR,2")]
    write(tmp_path, "fills_tue.csv", *tuesday)
    name_in_manifest(tmp_path, *entries, ("fills_tue.csv", "NET001", TUE))
    loaded = load_drop(connection, tmp_path, TUE, Settings())
    written = aggregate(connection, open_run(connection, TUE, loaded.load_id, "test"))
    again = aggregate(connection, open_run(connection, TUE, loaded.load_id, "test"))

    # then: Monday is 12 - 10 on 100 shares
    assert before == {("NET001", MON): 100, ("NET002", MON): 100}
    assert gross(connection) == {("NET001", MON): 200, ("NET001", TUE): 0, ("NET002", MON): 100}
    assert (written.recomputed_account_count, again.account_session_count) == (1, 0)
    fills, _ = read_fills(tmp_path)
    assert [(day.account_id, day.session_date, day.gross_pnl_usd) for day in daily_pnl(fills, [])][:2] == [
        ("NET001", MON, 200),
        ("NET001", TUE, 0),
    ]


def test_correction_waits_named_until_its_execution_comes_and_then_heals(
    connection: Connection, tmp_path: Path
) -> None:
    # given: Tuesday's file busts a fill of Monday that nobody has delivered
    write(tmp_path, "fills_tue.csv", line(BUY.replace(",1", ",3"), TUE), line("B,100,XYZ,50,0,BUST,7"))
    name_in_manifest(tmp_path, ("fills_tue.csv", "NET001", TUE))
    early = run(connection, tmp_path)
    unmatched = waiting(connection, early)

    # when: Monday comes late
    write(tmp_path, "fills_mon.csv", line(BUY), line(SELL), line("B,100,XYZ,50,0,,7"))
    name_in_manifest(tmp_path, ("fills_tue.csv", "NET001", TUE), ("fills_mon.csv", "NET001", MON))
    late = run(connection, tmp_path)

    assert len(unmatched) == 1
    assert unmatched[0].startswith("NET001: fills_tue.csv line 3 marks fill id 7 of 2025-08-12 as canceled")
    assert waiting(connection, late) == []
    assert gross(connection) == {("NET001", MON): 100, ("NET001", TUE): 0}


def test_correction_means_its_own_session_first_when_ids_start_anew_every_day(
    connection: Connection, tmp_path: Path
) -> None:
    write(
        tmp_path,
        "fills.csv",
        *(line(row, day) for day in (MON, TUE) for row in (BUY, SELL)),
        line("S,100,XYZ,12,0,COR,2", TUE),
    )

    run(connection, tmp_path)

    assert gross(connection) == {("NET001", MON): 100, ("NET001", TUE): 200}


def test_session_whose_fills_were_all_busted_leaves_the_books(connection: Connection, tmp_path: Path) -> None:
    write(tmp_path, "fills.csv", line(BUY), line(SELL))
    run(connection, tmp_path)
    write(tmp_path, "fills.csv", line(BUY), line(SELL), line("B,1,XYZ,1,0,BUST,1"), line("S,1,XYZ,1,0,BUST,2"))
    opened = run(connection, tmp_path)

    assert gross(connection) == {}
    assert aggregate(connection, opened).account_session_count == 0


def test_order_of_corrections_is_content_and_the_order_of_executions_is_not(
    connection: Connection, tmp_path: Path
) -> None:
    first, last = line("S,100,XYZ,12,0,COR,2"), line("S,100,XYZ,13,0,COR,2")
    write(tmp_path, "fills.csv", line(BUY), line(SELL), first, last)
    run(connection, tmp_path)
    write(tmp_path, "fills.csv", line(SELL), line(BUY), last, first)
    run(connection, tmp_path)

    # sold at 12, since that correction is the last line now
    assert gross(connection) == {("NET001", MON): 200}


def test_status_is_refused_when_nobody_knows_it_or_it_names_no_execution(
    connection: Connection, tmp_path: Path
) -> None:
    write(tmp_path, "fills.csv", line(BUY), line(SELL), line("B,1,XYZ,1,0,ODD,1"), line("B,1,XYZ,1,0,BUST,"))

    run(connection, tmp_path)
    _, rejects = read_fills(tmp_path)

    assert [reject.reason.split(": ")[1].split(",")[0] for reject in rejects] == [
        "status 'ODD' is not blank",
        "status 'BUST' corrects an execution",
    ]
    assert gross(connection) == {("NET001", MON): 100}


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def test_planner_expects_fills_to_be_left_when_nothing_was_canceled(connection: Connection, tmp_path: Path) -> None:
    # given many fills and no corrections: a planner that expects no fill loops over all of them for every delivery
    drop = write_drop(tmp_path, TUE, {f"NET{number:03}": 50 for number in range(20)})
    load_drop(connection, drop, TUE, Settings())

    with connection, connection.cursor() as cursor:
        cursor.execute("analyze fills, deliveries, corrections")
        cursor.execute("explain (format json) select * from current_fills('infinity')")
        ((plan,),) = cursor.fetchall()

    (expected,) = [node["Plan Rows"] for node in nodes(plan[0]["Plan"]) if "canceled" in node.get("Filter", "")]
    assert expected > 1


def test_corrected_fills_are_summed_by_several_processes(connection: Connection, tmp_path: Path) -> None:
    asked = "select sum(price) from current_fills('infinity')"
    bought = [f"B,100,XYZ,10,0,,{number}" for number in range(400)]
    write(tmp_path, "fills.csv", *map(line, [*bought, "B,100,XYZ,12,0,COR,1", "B,100,XYZ,10,0,BUST,2"]))
    load_drop(connection, tmp_path, TUE, Settings())

    with connection, connection.cursor() as cursor:
        cursor.execute("set local parallel_setup_cost = 0; set local parallel_tuple_cost = 0")
        cursor.execute("set local min_parallel_table_scan_size = 0")
        cursor.execute(f"explain (format json) {asked}")
        ((plan,),) = cursor.fetchall()
        cursor.execute(asked)
        ((total,),) = cursor.fetchall()

    # 400 at 10, one of them canceled, another at 12 instead
    assert plan[0]["Plan"]["Partial Mode"] == "Finalize"
    assert total == 3992


def test_fills_of_a_range_of_sessions_are_found_by_their_index(connection: Connection) -> None:
    # a literal instant, as the statements have it: a volatile function would keep the planner from looking inside
    asked = "select * from current_fills('2026-01-01 00:00Z') where session_date between '2025-08-08' and '2025-08-15'"

    with connection, connection.cursor() as cursor:
        cursor.execute("set local enable_seqscan = off")
        cursor.execute(f"explain {asked}")
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert re.search(r"Index Scan on fills_session .*\n +Index Cond: \(\(session_date >= '2025-08-08'", plan)


def test_fills_of_a_few_deliveries_are_found_by_their_index(connection: Connection) -> None:
    asked = "select * from corrected_fills('2026-01-01 00:00Z') where delivery_id = any('{1,2}')"

    with connection, connection.cursor() as cursor:
        cursor.execute("set local enable_seqscan = off")
        cursor.execute(f"explain {asked}")
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert re.search(r"Index Scan (on|using) fills_delivery ", plan)


def test_a_correction_reads_no_fills_of_other_sessions_than_the_one_it_means(
    connection: Connection, tmp_path: Path
) -> None:
    bought = [line(f"B,100,XYZ,10,0,,{number}", day) for day in (MON, TUE) for number in range(50)]
    write(tmp_path, "fills.csv", *bought, line("B,100,XYZ,12,0,COR,7", TUE))
    load_drop(connection, tmp_path, TUE, Settings())

    with connection, connection.cursor() as cursor:
        cursor.execute("analyze fills, deliveries, corrections; set local enable_seqscan = off")
        cursor.execute("explain (analyze, format json) select * from correction_targets('infinity')")
        ((plan,),) = cursor.fetchall()

    # Tuesday's delivery twice: whether it has the fill, and which it is
    scans = [node for node in nodes(plan[0]["Plan"]) if node.get("Relation Name") == "fills"]
    assert [scan["Actual Loops"] for scan in scans] == [1, 1]
    assert "Seq Scan" not in {scan["Node Type"] for scan in scans}
