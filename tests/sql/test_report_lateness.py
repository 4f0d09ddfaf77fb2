"""Late deliveries and corrections of earlier sessions: what is recomputed, and what the next mail restates."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from risk.books.warehouse import Aggregate, aggregate
from risk.core.calendar import sessions_between
from risk.core.runs import open_run
from risk.core.settings import Settings, read_settings
from risk.core.warehouse import Connection
from risk.ingest.load import load_drop
from risk.limits.decide import apply_rules
from risk.report.facts import Facts, parse_facts
from risk.report.page import Links
from risk.report.send import send_report

MON, TUE, WED, THU, FRI = sessions_between(dt.date(2025, 8, 11), dt.date(2025, 8, 15))
HEADER = "Date/Time,Account,B/S,Qty,Symbol,Price,Comm,Status,Fill Id"
LINKS = Links(run_url="/dags/daily_risk/runs/test")


@pytest.fixture(autouse=True)
def _reports_in_a_folder_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISK_REPORTS_DIR", str(tmp_path / "reports"))


def write(folder: Path, account: str, day: dt.date, *rows: str) -> None:
    lines = [f"{day:%m/%d/%Y} 09:45:00,{account},{row}" for row in rows]
    (folder / f"fills_{account}_{day}.csv").write_text("\n".join([HEADER, *lines]) + "\n")


def round_trip(price: str, fees: str = "0") -> list[str]:
    return ["B,100,XYZ,10,0,,1", f"S,100,XYZ,{price},{fees},,2"]


def morning(connection: Connection, folder: Path, session_date: dt.date) -> tuple[Aggregate, Facts]:
    """Run a session up to its report."""
    loaded = load_drop(connection, folder, session_date, Settings())
    run = open_run(connection, session_date, loaded.load_id, "test")
    written = aggregate(connection, run)
    apply_rules(connection, run)
    send_report(connection, run, None, LINKS, read_settings())
    with connection, connection.cursor() as cursor:
        cursor.execute("select facts from reports where run_id = %s", (run.run_id,))
        ((facts,),) = cursor.fetchall()
    return written, parse_facts(facts)


def restated(facts: Facts) -> list[tuple[Any, ...]]:
    return [dataclasses.astuple(one) for one in facts.restatements]


def reports(connection: Connection) -> list[tuple[Any, ...]]:
    with connection, connection.cursor() as cursor:
        cursor.execute("select run_id, facts_sha256 from reports order by 1")
        return cursor.fetchall()


def test_late_delivery_recomputes_its_account_from_its_session_on_and_is_told_once(
    connection: Connection, tmp_path: Path
) -> None:
    # given: two accounts; Tuesday of NET001 does not come, and it carries a position from Monday on
    write(tmp_path, "NET001", MON, "B,100,XYZ,10,0,,1")
    for day in (MON, TUE, WED, THU):
        write(tmp_path, "NET002", day, *round_trip("11"))
    for day in (MON, TUE, WED, THU):
        morning(connection, tmp_path, day)
    mailed = reports(connection)

    # when: on Friday the delivery for Tuesday comes, three sessions late: 100 sold at 12
    write(tmp_path, "NET001", TUE, "S,100,XYZ,12,0,,2")
    write(tmp_path, "NET002", FRI, *round_trip("11"))
    written, facts = morning(connection, tmp_path, FRI)

    # then: NET001 has Tuesday; from Wednesday on it is flat and has no rows. NET002 has its Friday.
    # The carried position was worth (11 - 10) x 100 by NET002's last fill since Monday: Tuesday is 200 - 100 = 100.
    assert (written.recomputed_account_count, written.account_session_count) == (2, 2)
    assert restated(facts) == [("NET001", TUE, None, 100, "delivered late")]
    assert reports(connection)[: len(mailed)] == mailed
    write(tmp_path, "NET002", FRI, *round_trip("11"))
    assert restated(morning(connection, tmp_path, dt.date(2025, 8, 18))[1]) == []


def test_restatement_says_whether_fees_fills_or_corrections_changed(connection: Connection, tmp_path: Path) -> None:
    accounts = ("NET001", "NET002", "NET003", "NET004")
    for account in accounts:
        write(tmp_path, account, MON, *round_trip("11"))
        write(tmp_path, account, TUE, *round_trip("11"))
    morning(connection, tmp_path, MON)
    morning(connection, tmp_path, TUE)

    write(tmp_path, "NET001", MON, *round_trip("11", "0.03"))
    write(tmp_path, "NET002", MON, *round_trip("12"))
    write(tmp_path, "NET003", MON, *round_trip("11"), "S,100,XYZ,13,0,COR,2")
    write(tmp_path, "NET001", WED, *round_trip("11"))
    written, facts = morning(connection, tmp_path, WED)

    # three accounts from Monday to Wednesday, of which only NET001 traded on Wednesday
    assert written.recomputed_account_count == 3
    assert [(account, day, float(after), why) for account, day, _, after, why in restated(facts)] == [
        ("NET001", MON, 99.97, "fees restated"),
        ("NET002", MON, 200, "other fills delivered"),
        ("NET003", MON, 300, "corrected by the source"),
    ]


def book_without_a_report(connection: Connection, folder: Path, session_date: dt.date) -> None:
    loaded = load_drop(connection, folder, session_date, Settings())
    aggregate(connection, open_run(connection, session_date, loaded.load_id, "test"))


def test_rewritten_history_that_no_report_knew_is_told_once_with_before_and_after(
    connection: Connection, tmp_path: Path
) -> None:
    # given: a history in the books without any report of its sessions
    for day in (MON, TUE, WED):
        for account in ("NET001", "NET002", "NET003"):
            write(tmp_path, account, day, *round_trip("11"))
    book_without_a_report(connection, tmp_path, WED)

    # when: the drop is rewritten: other prices, a row that nobody can read, another time; the rest stays as it was
    write(tmp_path, "NET001", MON, *round_trip("11.22"))
    write(tmp_path, "NET001", TUE, *round_trip("11.22"))
    write(tmp_path, "NET002", MON, *round_trip("11"), "S,50,XYZ,12,0,PENDING,3")
    (tmp_path / f"fills_NET003_{TUE}.csv").write_text(
        (tmp_path / f"fills_NET003_{TUE}.csv").read_text().replace("09:45:00", "10:45:00")
    )
    write(tmp_path, "NET001", THU, *round_trip("11"))
    book_without_a_report(connection, tmp_path, THU)  # as where the report of that run failed
    write(tmp_path, "NET001", MON, *round_trip("11.33"))
    _, facts = morning(connection, tmp_path, THU)

    # then: before is what the books said first
    assert restated(facts) == [
        ("NET001", MON, 100, 133, "other fills delivered"),
        ("NET001", TUE, 100, 122, "other fills delivered"),
        ("NET002", MON, 100, None, "books are incomplete now"),
        ("NET003", TUE, 100, 100, "delivered again, with the same result"),
    ]
    write(tmp_path, "NET001", FRI, *round_trip("11"))
    assert restated(morning(connection, tmp_path, FRI)[1]) == []


def test_rejected_row_is_in_every_mail_of_its_session_and_in_none_after_it_was_fixed(
    connection: Connection, tmp_path: Path
) -> None:
    write(tmp_path, "NET001", MON, *round_trip("11"), "S,50,XYZ,12,0,PENDING,3")
    write(tmp_path, "NET002", MON, *round_trip("12"))

    def rejects() -> list[str]:
        _, facts = morning(connection, tmp_path, MON)
        return [warning.message for warning in facts.warnings if warning.kind == "rejects"]

    # A scheduled run polls the source several times, and only the first poll meets the row.
    first, again = rejects(), rejects()
    write(tmp_path, "NET001", MON, *round_trip("11"), "S,50,XYZ,12,0,,3")

    assert first == again
    assert first[0].startswith("fills_NET001_2025-08-11.csv line 4, account 'NET001': status 'PENDING' is not blank")
    assert rejects() == []
