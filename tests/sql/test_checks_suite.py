"""Verdicts of Great Expectations on real rows in a real Postgres."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from risk.checks.checks import THRESHOLDS
from risk.checks.run import Verdicts, check_fills
from risk.checks.suite import _asked
from risk.core.calendar import sessions_between
from risk.core.errors import CheckError, QualityError
from risk.core.runs import Run, open_run
from risk.core.warehouse import Connection
from risk.ingest.loading import load_drop

SESSION = dt.date(2025, 8, 15)
NUMERIC = 1700
"""Number of the type in every Postgres."""
HEADER = "Date/Time,Account,B/S,Qty,Symbol,Price,Comm,Fill Id"
MANIFEST_HEADER = "file,account_id,session_date,published_at"


def row(day: dt.date, account: str = "NET001", *, number: int = 1, price: str = "10", fee: str = "0.50") -> str:
    return f"{day:%m/%d/%Y} 09:45:00,{account},B,100,XYZ,{price},{fee},{number}"


def write(folder: Path, name: str, *rows: str, header: str = HEADER) -> None:
    (folder / name).write_text("\n".join([header, *rows]) + "\n")


def run_after_load(connection: Connection, folder: Path, session_date: dt.date = SESSION) -> Run:
    loaded = load_drop(connection, folder, session_date, is_simulated=False)
    return open_run(connection, session_date, loaded.load_id, "test")


def findings(connection: Connection, run: Run) -> dict[tuple[str, str], tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select check_name, subject, severity, message from quality_results where run_id = %s and not has_passed",
            (run.run_id,),
        )
        return {(name, subject): (severity, message) for name, subject, severity, message in cursor.fetchall()}


def test_check_passes_and_stores_its_numbers_when_nothing_is_wrong(
    connection: Connection, warehouse_dsn: str, tmp_path: Path
) -> None:
    for day in sessions_between(dt.date(2025, 8, 11), SESSION):
        write(tmp_path, f"fills_{day}.csv", row(day), row(day, number=2))
    run = run_after_load(connection, tmp_path)

    verdicts = check_fills(connection, warehouse_dsn, run)

    assert (verdicts.warned, verdicts.failed) == (0, 0)
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from quality_results where run_id = %s and has_passed", (run.run_id,))
        assert cursor.fetchone() == (verdicts.passed,)
        cursor.execute("select observed from quality_results where check_name = 'reject_rate'")
        assert cursor.fetchone() == ("0 of 2 rows rejected",)


def test_check_names_every_doubtful_account_and_symbol_and_goes_on(
    connection: Connection, warehouse_dsn: str, tmp_path: Path
) -> None:
    days = sessions_between(dt.date(2025, 8, 7), dt.date(2025, 8, 14))
    entries = []
    for day in days:
        accounts = ("NET001", "NET002", "NET003", "NET004_OLD", "NET005XOLD")
        write(tmp_path, f"fills_{day}.csv", *(row(day, account) for account in accounts))
        entries += [f"fills_{day}.csv,{account},{day},{day}T22:00:00Z" for account in accounts]
    many = [row(SESSION, number=number, price="101", fee="250") for number in range(26)]
    write(tmp_path, "fills_today.csv", *many, row(SESSION, "NET009"))
    write(tmp_path, "fills_empty.csv")
    entries += [f"fills_today.csv,{account},{SESSION},{SESSION}T22:00:00Z" for account in ("NET001", "NET009")]
    entries += [f"fills_empty.csv,NET002,{SESSION},{SESSION}T03:00:00Z"]
    write(tmp_path, "manifest.csv", *entries, header=MANIFEST_HEADER)
    run = run_after_load(connection, tmp_path)

    verdicts = check_fills(connection, warehouse_dsn, run)

    found = findings(connection, run)
    # 5 rows a session before, 27 now; 101 is more than 10 times 10;
    # $250 on 100 shares at 101 is 2.5 % of the turnover and $2.50 a share
    assert set(found) == {
        ("accounts_delivered", "NET003"),
        ("accounts_delivered", "NET005XOLD"),
        ("accounts_posted", "NET002"),
        ("accounts_known", "NET009"),
        ("price_near_median", "XYZ"),
        ("fees_plausible", "NET001"),
        ("row_count_usual", ""),
    }
    assert {severity for severity, _ in found.values()} == {"warn"}
    assert "traded at 10 to 101" in found["price_near_median", "XYZ"][1]
    assert "27 rows; the median of the last 6 sessions is 5" in found["row_count_usual", ""][1]
    assert isinstance(verdicts, Verdicts)
    assert verdicts.warned == 7


def test_check_names_the_account_whose_delivery_has_an_id_twice(
    connection: Connection, warehouse_dsn: str, tmp_path: Path
) -> None:
    # given: what loading never stores; the same id in two accounts or sessions is nothing special
    yesterday = dt.date(2025, 8, 14)
    write(tmp_path, "fills_a.csv", row(yesterday), row(yesterday, "NET002"))
    write(tmp_path, "fills_b.csv", row(SESSION), row(SESSION, number=2), row(SESSION, "NET002"))
    run = run_after_load(connection, tmp_path)
    with connection, connection.cursor() as cursor:
        cursor.execute("update fills set fill_key = '1' where account_id = 'NET001' and session_date = %s", (SESSION,))

    with pytest.raises(QualityError, match="Account NET001 has 1 ids that occur more than once, such as 1"):
        check_fills(connection, warehouse_dsn, run)

    assert set(findings(connection, run)) == {("ids_unique", "NET001")}


def test_check_fails_after_storing_when_more_than_one_percent_is_rejected(
    connection: Connection, warehouse_dsn: str, tmp_path: Path
) -> None:
    good = [row(SESSION, number=number) for number in range(97)]
    bad = [row(SESSION, number=98, price="0"), row(SESSION, "=cmd()", number=99)]
    write(tmp_path, "fills.csv", *good, *bad)
    first = run_after_load(connection, tmp_path)

    with pytest.raises(QualityError, match=r"2 of 99 rows of the session were rejected \(2\.0 percent"):
        check_fills(connection, warehouse_dsn, first)
    _, message = findings(connection, first)["reject_rate", ""]
    assert "The first: fills.csv line 99, account 'NET001': price '0' is not above zero" in message

    # loading the same file once more does not hide its rejects; the mended file does
    again = run_after_load(connection, tmp_path)
    with pytest.raises(QualityError, match="2 of 99 rows"):
        check_fills(connection, warehouse_dsn, again)

    # nor does a file that has grown; on the next session the old rows count no more
    write(tmp_path, "fills.csv", *good, *bad, row(SESSION, "NET002"))
    grown = run_after_load(connection, tmp_path)
    with pytest.raises(QualityError, match="2 of 100 rows"):
        check_fills(connection, warehouse_dsn, grown)
    following = dt.date(2025, 8, 18)
    write(tmp_path, "fills.csv", *good, *bad, row(SESSION, "NET002"), row(following))
    assert check_fills(connection, warehouse_dsn, run_after_load(connection, tmp_path, following)).failed == 0

    write(tmp_path, "fills.csv", *good)
    mended = run_after_load(connection, tmp_path)
    assert check_fills(connection, warehouse_dsn, mended).failed == 0


def test_check_tells_a_broken_feed_from_one_that_has_not_posted_yet(
    connection: Connection, warehouse_dsn: str, tmp_path: Path
) -> None:
    yesterday = dt.date(2025, 8, 14)
    write(tmp_path, "fills_a.csv", row(yesterday))
    broken = run_after_load(connection, tmp_path)
    with pytest.raises(QualityError, match=r"nothing was delivered for any account.*NET001"):
        check_fills(connection, warehouse_dsn, broken)

    write(tmp_path, "fills_b.csv")
    entries = [
        "fills_a.csv,NET001,2025-08-14,2025-08-14T22:00:00Z",
        "fills_b.csv,NET001,2025-08-15,2025-08-15T03:00:00Z",
    ]
    write(tmp_path, "manifest.csv", *entries, header=MANIFEST_HEADER)
    empty = run_after_load(connection, tmp_path)
    check_fills(connection, warehouse_dsn, empty)

    assert set(findings(connection, empty)) == {("accounts_posted", "NET001"), ("data_fresh", "")}


def test_check_replaces_its_verdicts_when_the_task_runs_again(
    connection: Connection, warehouse_dsn: str, tmp_path: Path
) -> None:
    write(tmp_path, "fills.csv", row(SESSION))
    run = run_after_load(connection, tmp_path)

    def stored() -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute("select * from quality_results order by 1, 2, 3")
            return cursor.fetchall()

    check_fills(connection, warehouse_dsn, run)
    first = stored()
    check_fills(connection, warehouse_dsn, run)

    assert stored() == first


def test_check_says_it_could_not_check_when_the_data_cannot_be_reached(
    connection: Connection, warehouse_dsn: str, tmp_path: Path
) -> None:
    write(tmp_path, "fills.csv", row(SESSION))
    run = run_after_load(connection, tmp_path)
    with connection, connection.cursor() as cursor:
        cursor.execute("alter table fills rename to hidden_fills")

    with pytest.raises(CheckError, match="could not be c"):
        check_fills(connection, warehouse_dsn, run)

    assert findings(connection, run) == {}


def test_table_of_findings_holds_no_decimals_which_cost_great_expectations_a_second(connection: Connection) -> None:
    instant = dt.datetime(2025, 8, 18, 11, tzinfo=dt.UTC)
    query = _asked(connection, THRESHOLDS | {"session_date": SESSION, "as_of": instant, "load_id": 1})

    with connection, connection.cursor() as cursor:
        cursor.execute(query)
        kinds = {column.name: column.type_code for column in cursor.description or ()}

    assert "fill_count" in kinds
    assert NUMERIC not in kinds.values()
