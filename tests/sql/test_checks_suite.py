"""Results of the suite of expectations on real rows in a real Postgres."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
from great_expectations.expectations.core.unexpected_rows_expectation import UnexpectedRowsExpectation

from risk.checks import run as checks_run
from risk.checks.run import SHOWN_FINDINGS, check_fills
from risk.checks.suite import CHECKS, session_suite
from risk.core.calendar import sessions_between
from risk.core.errors import CheckError, QualityError
from risk.core.runs import Run, open_run
from risk.core.settings import SQL_DIR, Settings
from risk.core.warehouse import Connection
from risk.ingest.load import load_drop

EARLIER, SESSION = dt.date(2025, 8, 14), dt.date(2025, 8, 15)
HEADER = "Date/Time,Account,B/S,Qty,Symbol,Price,Comm,Fill Id"
MANIFEST_HEADER = "file,account_id,session_date,published_at"


def row(day: dt.date, account: str = "NET001", *, number: int = 1, price: str = "10", fee: str = "0.50") -> str:
    return f"{day:%m/%d/%Y} 09:45:00,{account},B,100,XYZ,{price},{fee},{number}"


def write(folder: Path, name: str, *rows: str, header: str = HEADER) -> None:
    (folder / name).write_text("\n".join([header, *rows]) + "\n")


def run_after_load(connection: Connection, folder: Path, session_date: dt.date = SESSION) -> Run:
    loaded = load_drop(connection, folder, session_date, Settings())
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

    counts = check_fills(connection, warehouse_dsn, run)

    assert (counts.passed, counts.warned) == (len(CHECKS), 0)
    with connection.cursor() as cursor:
        cursor.execute(
            "select check_name, message from quality_results where run_id = %s and has_passed", (run.run_id,)
        )
        assert dict(cursor.fetchall()) == {check.name: check.ok_message for check in CHECKS}
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

    counts = check_fills(connection, warehouse_dsn, run)

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
    assert counts.warned == len(found)


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

    with pytest.raises(QualityError, match="NET001: 1 fill ids occur more than once, for example 1"):
        check_fills(connection, warehouse_dsn, run)

    assert set(findings(connection, run)) == {("ids_unique", "NET001")}


GOOD_ROWS = [row(SESSION, number=number) for number in range(97)]
BAD_ROWS = [row(SESSION, number=98, price="-1"), row(SESSION, "=cmd()", number=99)]


def test_check_fails_after_storing_when_rejected_rows_hit_the_desk(
    connection: Connection, warehouse_dsn: str, tmp_path: Path
) -> None:
    write(tmp_path, "fills.csv", *GOOD_ROWS, *BAD_ROWS)
    run = run_after_load(connection, tmp_path)

    with pytest.raises(
        QualityError, match=r"reject_rate: 2 of 99 rows .*: 1 of 1 accounts .*, and 1 rows belong to no"
    ):
        check_fills(connection, warehouse_dsn, run)

    severity, message = findings(connection, run)["reject_rate", ""]
    assert severity == "fail"
    assert "Most of all: fills.csv line 99, account 'NET001': price '-1' is negative" in message
    assert "deliver the account's session again. 1 more reason." in message
    assert message.endswith("here of NET001.")


BAD_SIDE = "08/15/2025 09:45:00,{account},?,100,XYZ,10,0.5,99"
NO_ACCOUNT = BAD_SIDE.format(account="=cmd()")


@pytest.mark.parametrize(
    ("bad_rows", "is_stopped"),
    [
        pytest.param([BAD_SIDE.format(account="NET001")], False, id="one of three accounts"),
        pytest.param([BAD_SIDE.format(account=name) for name in ("NET001", "NET003")], True, id="two of three"),
        pytest.param([BAD_SIDE.format(account="NET001")] * 40, False, id="many rows of one account"),
        pytest.param([row(SESSION, f"NET00{n}", price="1e11") for n in (1, 2, 3)], False, id="no executions"),
        pytest.param([NO_ACCOUNT] * 3, False, id="1 percent without account"),  # 3 of 300
        pytest.param([NO_ACCOUNT] * 4, True, id="more than 1 percent without account"),  # 4 of 301
        pytest.param([f"Total,{name},,,,,," for name in ("NET001", "NET002", "NET009")], True, id="undated"),
    ],
)
def test_rejected_rows_stop_the_desk_only_when_they_hit_half_of_it(
    connection: Connection, warehouse_dsn: str, tmp_path: Path, bad_rows: list[str], is_stopped: bool
) -> None:
    good = [row(SESSION, f"NET00{n}", number=number) for n in (1, 2, 3) for number in range(99)]
    write(tmp_path, "fills.csv", *good, *bad_rows)
    run = run_after_load(connection, tmp_path)

    with contextlib.suppress(QualityError):
        check_fills(connection, warehouse_dsn, run)

    assert (("reject_rate", "") in findings(connection, run)) == is_stopped


def test_rejected_rows_are_judged_by_the_accounts_expected_where_some_are(
    connection: Connection, warehouse_dsn: str, tmp_path: Path
) -> None:
    # Three traded the day before and are expected; of the five that deliver now two new ones are hit.
    before = [row(dt.date(2025, 8, 14), f"NET00{n}") for n in (1, 2, 3)]
    now = [row(SESSION, f"NET00{n}", number=number) for n in (1, 2, 3, 4, 5) for number in range(50)]
    write(tmp_path, "fills.csv", *before, *now, *(BAD_SIDE.format(account=name) for name in ("NET004", "NET005")))
    run = run_after_load(connection, tmp_path)

    check_fills(connection, warehouse_dsn, run)

    assert ("reject_rate", "") not in findings(connection, run)


@pytest.mark.parametrize(
    ("published", "is_named"), [("2025-08-15T22:00:00+00:00", True), ("now", False)], ids=["earlier", "later"]
)
def test_version_that_does_not_count_is_named_with_the_file_that_does(
    connection: Connection, warehouse_dsn: str, tmp_path: Path, published: str, is_named: bool
) -> None:
    write(tmp_path, "fills.csv", row(SESSION))
    run_after_load(connection, tmp_path)
    write(tmp_path, "fills_2.csv", row(SESSION, price="11"))
    (tmp_path / "fills.csv").unlink()
    published = dt.datetime.now(dt.UTC).isoformat() if published == "now" else published
    write(tmp_path, "manifest.csv", f"fills_2.csv,NET001,{SESSION},{published}", header=MANIFEST_HEADER)
    run = run_after_load(connection, tmp_path)

    check_fills(connection, warehouse_dsn, run)

    found = findings(connection, run).get(("versions_counted", "NET001"))
    assert (found is not None) == is_named
    if found:
        assert found[0] == "warn"
        assert "fills_2.csv (published 2025-08-15 18:00 New York) does not count, because fills.csv came" in found[1]


def test_check_quotes_the_most_frequent_reason_whatever_file_comes_first(
    connection: Connection, warehouse_dsn: str, tmp_path: Path
) -> None:
    odd = [row(SESSION, "NET002", number=number).replace(",B,", ",?,") for number in range(4)]
    write(tmp_path, "fills_a.csv", *GOOD_ROWS, row(SESSION, number=98, price="-1"))
    write(tmp_path, "fills_b.csv", *odd)
    run = run_after_load(connection, tmp_path)

    with pytest.raises(QualityError, match=r"Most of all: 4 rows rejected; first: fills_b.csv line 2, .* side '\?'"):
        check_fills(connection, warehouse_dsn, run)


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        pytest.param([*GOOD_ROWS, *BAD_ROWS], "2 of 99 rows", id="the same file"),
        pytest.param([*GOOD_ROWS, *BAD_ROWS, row(SESSION, "NET002")], "2 of 100 rows", id="a file that has grown"),
    ],
)
def test_rejected_rows_count_again_when_they_are_loaded_again(
    connection: Connection, warehouse_dsn: str, tmp_path: Path, rows: list[str], found: str
) -> None:
    write(tmp_path, "fills.csv", *GOOD_ROWS, *BAD_ROWS)
    run_after_load(connection, tmp_path)

    write(tmp_path, "fills.csv", *rows)
    run = run_after_load(connection, tmp_path)

    with pytest.raises(QualityError, match=found):
        check_fills(connection, warehouse_dsn, run)


def test_rejected_rows_count_no_more_once_their_file_is_fixed(
    connection: Connection, warehouse_dsn: str, tmp_path: Path
) -> None:
    write(tmp_path, "fills.csv", *GOOD_ROWS, *BAD_ROWS)
    run_after_load(connection, tmp_path)

    write(tmp_path, "fills.csv", *GOOD_ROWS)
    run = run_after_load(connection, tmp_path)
    check_fills(connection, warehouse_dsn, run)

    assert ("reject_rate", "") not in findings(connection, run)


def test_rejected_rows_of_an_earlier_session_do_not_count(
    connection: Connection, warehouse_dsn: str, tmp_path: Path
) -> None:
    following = dt.date(2025, 8, 18)
    write(tmp_path, "fills.csv", *GOOD_ROWS, *BAD_ROWS)
    run_after_load(connection, tmp_path)

    write(tmp_path, "fills.csv", *GOOD_ROWS, *BAD_ROWS, row(following))
    run = run_after_load(connection, tmp_path, following)
    check_fills(connection, warehouse_dsn, run)

    assert ("reject_rate", "") not in findings(connection, run)


def test_check_fails_when_nothing_was_received_though_accounts_are_expected(
    connection: Connection, warehouse_dsn: str, tmp_path: Path
) -> None:
    write(tmp_path, "fills.csv", row(dt.date(2025, 8, 14)))
    run = run_after_load(connection, tmp_path)

    with pytest.raises(QualityError, match=r"feed_received: No fills received for any account.*NET001"):
        check_fills(connection, warehouse_dsn, run)


def test_check_warns_of_an_expected_account_that_is_not_posted_yet(
    connection: Connection, warehouse_dsn: str, tmp_path: Path
) -> None:
    write(tmp_path, "fills_a.csv", row(dt.date(2025, 8, 14)))
    write(tmp_path, "fills_b.csv")
    entries = [
        "fills_a.csv,NET001,2025-08-14,2025-08-14T22:00:00Z",
        "fills_b.csv,NET001,2025-08-15,2025-08-15T03:00:00Z",
    ]
    write(tmp_path, "manifest.csv", *entries, header=MANIFEST_HEADER)
    run = run_after_load(connection, tmp_path)

    check_fills(connection, warehouse_dsn, run)

    assert set(findings(connection, run)) == {("accounts_posted", "NET001"), ("data_fresh", "")}


def test_check_lists_so_many_findings_and_counts_the_others(
    connection: Connection, warehouse_dsn: str, tmp_path: Path
) -> None:
    # given: accounts unknown beside one that traded the day before, two more than are listed
    accounts = [f"NEW{number:03}" for number in range(SHOWN_FINDINGS + 2)]
    write(tmp_path, "fills_a.csv", row(dt.date(2025, 8, 14)))
    write(tmp_path, "fills_b.csv", row(SESSION), *(row(SESSION, account) for account in accounts))
    run = run_after_load(connection, tmp_path)

    check_fills(connection, warehouse_dsn, run)

    listed = {
        subject: message
        for (name, subject), (_, message) in findings(connection, run).items()
        if name == "accounts_known"
    }
    assert listed.keys() == {*accounts[:SHOWN_FINDINGS], "(others)"}
    assert listed["(others)"].startswith("2 more")


def test_check_replaces_its_results_when_the_task_runs_again(
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


def test_broken_expectation_is_no_finding_about_the_data(
    connection: Connection, warehouse_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "fills.csv", row(SESSION))
    run = run_after_load(connection, tmp_path)
    suite = session_suite()
    broken = UnexpectedRowsExpectation(
        unexpected_rows_query="select no_column from {batch}", meta={"check": "feed_received"}
    )
    suite.expectations.append(broken)
    monkeypatch.setattr(checks_run, "session_suite", lambda: suite)

    with pytest.raises(CheckError, match=r"(?s)feed_received.*no_column"):
        check_fills(connection, warehouse_dsn, run)

    assert findings(connection, run) == {}


def test_every_check_is_observed_and_every_observation_checked() -> None:
    observed = set()
    for path in (SQL_DIR / "check_fills").glob("select_*_findings.sql"):
        text = path.read_text()
        observed |= set(re.findall(r"'(\w+)' as check_name", text))
        observed |= set(re.findall(r"\(\n +'(\w+)',", text))
    for path in Path(checks_run.__file__).parent.glob("*.py"):
        observed |= set(re.findall(r'Finding\("(\w+)"', path.read_text()))

    assert observed == {check.name for check in CHECKS}


def test_suite_names_each_check_with_its_severity_and_sentence() -> None:
    expected = {check.name: (check.severity, check.ok_message) for check in CHECKS}

    suite = session_suite()

    assert {
        found.meta["check"]: (found.severity.value, found.description) for found in suite.expectations if found.meta
    } == expected


@pytest.mark.parametrize(
    ("delivered", "roster", "found"),
    [
        pytest.param([("net001", SESSION), ("NET001", SESSION)], "", ["NET001 and net001"], id="in one session"),
        pytest.param([("net001", EARLIER), ("NET001", SESSION)], "", ["NET001 and net001"], id="against a stored one"),
        pytest.param([("NET002", SESSION)], ",net002,,", ["NET002 and net002"], id="against the roster"),
        pytest.param(
            [("net001", EARLIER), ("NET001", EARLIER), ("NET2", SESSION)], "", ["NET001 and net001"], id="expected"
        ),
        pytest.param([("net001", EARLIER), ("NET001", SESSION)], ",NET001,,net001", [], id="one renamed to the other"),
    ],
)
def test_names_alike_but_for_the_case_are_named_with_stored_accounts(
    connection: Connection,
    warehouse_dsn: str,
    tmp_path: Path,
    delivered: list[tuple[str, dt.date]],
    roster: str,
    found: list[str],
) -> None:
    write(tmp_path, "accounts.csv", *filter(None, [roster]), header="Date,Account,Base Limit,Formerly")
    for day in sorted({session for _, session in delivered}):
        for account, session in delivered:
            if session == day:
                write(tmp_path, f"fills_{account}_{day}.csv", row(day, account))
        run = run_after_load(connection, tmp_path, day)

    check_fills(connection, warehouse_dsn, run)

    said = [message for (check, _), (_, message) in findings(connection, run).items() if check == "accounts_distinct"]
    assert [message.split(" differ only in case")[0] for message in said] == found
