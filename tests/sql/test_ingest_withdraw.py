"""Withdrawing a delivery: append only, known from then on, and not loaded again."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import parse_dsn
from typer.testing import CliRunner

from risk.books.warehouse import aggregate
from risk.checks.run import check_fills
from risk.cli import app
from risk.core.connections import WAREHOUSE_CONNECTION
from risk.core.errors import QualityError, RequestError
from risk.core.runs import Run, open_run
from risk.core.settings import Settings
from risk.core.warehouse import Connection
from risk.ingest.load import load_drop
from risk.ingest.poll import missing_accounts
from risk.ingest.withdraw import withdraw

THURSDAY, FRIDAY = dt.date(2025, 8, 14), dt.date(2025, 8, 15)
NOW = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
HEADER = "Date/Time,Account,B/S,Qty,Symbol,Price,Comm,Fill Id"


def write(folder: Path, account: str, *, day: dt.date = FRIDAY, price: str = "10", side: str = "B") -> Path:
    """Write the file of one account and session, with one execution."""
    path = folder / f"fills_{account}_{day}.csv"
    path.write_text(f"{HEADER}\n{day:%m/%d/%Y} 10:00:00,{account},{side},100,XYZ,{price},0.5,1\n")
    return path


def run(connection: Connection, folder: Path, session_date: dt.date = FRIDAY) -> Run:
    """Load and book as a run does."""
    loaded = load_drop(connection, folder, session_date, Settings())
    opened = open_run(connection, session_date, loaded.load_id, "test")
    aggregate(connection, opened)
    return opened


def decide(
    connection: Connection,
    account: str = "A1",
    day: dt.date = FRIDAY,
    reason: str = "wrong file",
    *,
    undo: bool = False,
) -> str:
    return withdraw(connection, account, day, reason, NOW, is_undone=undo)


def counting(connection: Connection, as_of: dt.datetime | None = None, day: dt.date = FRIDAY) -> dict[str, str]:
    """Map the accounts that delivered to the price of their fill."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select account_id, trim_scale(price)::text from risk.current_fills(coalesce(%s, clock_timestamp()))"
            " where session_date = %s",
            (as_of, day),
        )
        return dict(cursor.fetchall())


def states(connection: Connection, known: Run) -> dict[str, str]:
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select account_id, state from risk.delivery_states(%s, %s, 5, '_OLD')", (known.session_date, known.as_of)
        )
        return dict(cursor.fetchall())


def booked(connection: Connection) -> set[str]:
    with connection, connection.cursor() as cursor:
        cursor.execute("select account_id from derived.daily_pnl where session_date = %s", (FRIDAY,))
        return {account for (account,) in cursor.fetchall()}


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    """Give a drop in which A1, A2 and A3 traded on Friday."""
    for account in ("A1", "A2", "A3"):
        write(tmp_path, account)
    return tmp_path


def test_withdrawn_delivery_counts_as_missing_and_never_as_no_trades(connection: Connection, drop: Path) -> None:
    before = run(connection, drop)

    sentence = decide(connection)

    after = run(connection, drop)
    assert "A1, session 2025-08-15: withdrawn, 1 rows of fills_A1_2025-08-15.csv" in sentence
    assert counting(connection) == {"A2": "10", "A3": "10"}
    assert states(connection, after) == {"A1": "withdrawn", "A2": "delivered", "A3": "delivered"}
    assert booked(connection) == {"A2", "A3"}
    # what was known before is as it was
    assert counting(connection, before.as_of) == {"A1": "10", "A2": "10", "A3": "10"}
    assert states(connection, before) == dict.fromkeys(("A1", "A2", "A3"), "delivered")


def test_withdrawn_delivery_is_named_by_the_check_with_author_and_reason(
    connection: Connection, warehouse_dsn: str, drop: Path
) -> None:
    run(connection, drop)
    decide(connection, reason="fills of another desk")

    after = run(connection, drop)
    check_fills(connection, warehouse_dsn, after)

    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select message, author from quality_results, risk.withdrawals"
            " where check_name = 'accounts_delivered' and subject = 'A1' and run_id = %s",
            (after.run_id,),
        )
        ((message, author),) = cursor.fetchall()
    assert f"withdrawn by {author} (fills of another desk)" in message


def test_scheduled_run_waits_for_an_expected_account_whose_delivery_is_withdrawn(
    connection: Connection, drop: Path
) -> None:
    for account in ("A1", "A2", "A3"):
        write(drop, account, day=THURSDAY)
    run(connection, drop)
    decide(connection)

    loaded = load_drop(connection, drop, FRIDAY, Settings())

    assert missing_accounts(connection, FRIDAY, loaded) == ["A1"]


@pytest.mark.parametrize("name", ["fills_A1_2025-08-15.csv", "fills_again.csv"])
def test_same_content_is_not_loaded_again_under_any_name(connection: Connection, drop: Path, name: str) -> None:
    run(connection, drop)
    decide(connection)

    (drop / "fills_A1_2025-08-15.csv").rename(drop / name)
    for _ in range(2):
        run(connection, drop)

    assert "A1" not in counting(connection)


def test_other_content_is_loaded_and_then_the_first_again(connection: Connection, drop: Path) -> None:
    run(connection, drop)
    decide(connection)

    found = []
    for price in ("10", "11", "10"):
        write(drop, "A1", price=price)
        run(connection, drop)
        found.append(counting(connection).get("A1"))

    assert found == [None, "11", "10"]


def test_other_content_counts_whenever_its_source_says_it_was_published(connection: Connection, drop: Path) -> None:
    run(connection, drop)
    decide(connection)
    for path in drop.glob("fills*.csv"):
        path.unlink()
    write(drop, "A1", price="12")

    # Published a day before the withdrawn one was loaded: of the two it would lose.
    entry = "fills_A1_2025-08-15.csv,A1,2025-08-15,2025-08-15T22:00:00Z"
    (drop / "manifest.csv").write_text(f"file,account_id,session_date,published_at\n{entry}\n")
    run(connection, drop)

    assert counting(connection)["A1"] == "12"


def test_right_file_is_loaded_beside_the_wrong_one_that_stays(connection: Connection, tmp_path: Path) -> None:
    # One file has A1 wrong and A2 right; what replaces it has A1 only.
    both = [f"08/15/2025 10:00:00,{account},B,100,XYZ,10,0.5,1" for account in ("A1", "A2")]
    (tmp_path / "fills_both.csv").write_text("\n".join([HEADER, *both]) + "\n")
    run(connection, tmp_path)
    decide(connection)

    write(tmp_path, "A1", price="11")
    run(connection, tmp_path)

    assert counting(connection) == {"A1": "11", "A2": "10"}


def test_withdrawal_is_taken_back_and_made_again(connection: Connection, drop: Path) -> None:
    first = run(connection, drop)
    decide(connection)
    second = run(connection, drop)

    sentence = decide(connection, undo=True)
    third = run(connection, drop)
    assert "taken back" in sentence
    assert counting(connection)["A1"] == "10"
    assert booked(connection) == {"A1", "A2", "A3"}
    decide(connection)

    assert "A1" not in counting(connection)
    assert ["A1" in counting(connection, known.as_of) for known in (first, second, third)] == [True, False, True]


def test_withdrawal_of_a_renamed_account_is_asked_by_either_name(connection: Connection, drop: Path) -> None:
    (drop / "accounts.csv").write_text("Account,Formerly,Date\nNEW,A1,08/18/2025\n")
    run(connection, drop)
    assert set(counting(connection)) == {"NEW", "A2", "A3"}

    decide(connection, "NEW")
    assert set(counting(connection)) == {"A2", "A3"}
    decide(connection, "A1", undo=True)

    assert set(counting(connection)) == {"NEW", "A2", "A3"}


def test_wrong_file_that_was_removed_no_longer_blocks_its_session_once_withdrawn(
    connection: Connection, warehouse_dsn: str, tmp_path: Path
) -> None:
    write(tmp_path, "A1", side="?").write_text(f"{HEADER}\n08/15/2025 10:00:00,A1,?,100,XYZ,10,0.5,1\n")
    write(tmp_path, "A2")
    blocked = run(connection, tmp_path)
    (tmp_path / "fills_A1_2025-08-15.csv").unlink()
    with pytest.raises(QualityError, match=r"riskctl withdraw --account A --session 2025-08-15 .* here of A1\."):
        check_fills(connection, warehouse_dsn, blocked)
    with pytest.raises(QualityError):
        check_fills(connection, warehouse_dsn, run(connection, tmp_path))

    decide(connection)

    check_fills(connection, warehouse_dsn, run(connection, tmp_path))


@pytest.mark.parametrize(
    ("account", "day", "reason", "undo", "found"),
    [
        ("A9", FRIDAY, "why", False, "Nothing was delivered for account 'A9' .* A1, A2, A3"),
        ("A1", THURSDAY, "why", False, "Nothing at all was delivered"),
        ("A1", dt.date(2025, 8, 16), "why", False, "2025-08-16"),  # a Saturday
        ("A1", dt.date(2099, 8, 14), "why", False, "lies in the future"),
        ("A1", FRIDAY, " \n", False, "A reason is missing: say why"),
        ("A1", FRIDAY, "x" * 501, False, "The reason has 501 characters: use at most 500"),
        ("A1", FRIDAY, "\x1b\x07", False, "A reason is missing: say why"),
        ("A1", FRIDAY, "why", True, "nothing is withdrawn"),
        ("=cmd()", FRIDAY, "why", False, "Nothing was delivered for account '=cmd"),
    ],
)
def test_withdrawal_of_nothing_is_refused_with_what_there_is(
    connection: Connection, drop: Path, account: str, day: dt.date, reason: str, undo: bool, found: str
) -> None:
    run(connection, drop)

    with pytest.raises(RequestError, match=found):
        decide(connection, account, day, reason, undo=undo)

    with connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from risk.withdrawals")
        assert cursor.fetchone() == (0,)


def test_withdrawal_is_refused_twice_until_something_else_is_delivered(connection: Connection, drop: Path) -> None:
    run(connection, drop)
    decide(connection)
    with pytest.raises(RequestError, match=r"already withdrawn by .* Take it back with --undo"):
        decide(connection)

    write(drop, "A1", price="11")
    run(connection, drop)
    decide(connection)

    assert "A1" not in counting(connection)


def test_withdrawal_is_on_record_and_cannot_be_changed(connection: Connection, drop: Path) -> None:
    run(connection, drop)
    decide(connection, reason="first\tdraft")
    decide(connection, undo=True, reason="was right")

    with connection, connection.cursor() as cursor:
        cursor.execute("select event, session_date, message from risk.audit_log order by audit_id")
        (event, day, message), (undone, _, _) = cursor.fetchall()
        cursor.execute("select author, host, reason from risk.withdrawals order by withdrawal_id")
        (author, host, reason), _ = cursor.fetchall()
    assert (event, day, undone) == ("withdrawal", FRIDAY, "withdrawal undone")
    assert message.endswith(f"{author} on {host}: first draft")
    assert reason == "first draft"


def test_pipelines_role_may_add_withdrawals_and_change_none(connection: Connection) -> None:
    from risk.core.roles import REPLACED_TABLES, Duty, privileges

    assert "withdrawals" not in REPLACED_TABLES
    assert not {"update", "delete"} & set(privileges({Duty.pipeline}, "withdrawals", 170_000))
    with pytest.raises(psycopg2.errors.CheckViolation), connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into risk.audit_log (event, dag_id, dag_run_id, task_id, try_number, error_class, message)"
            " values ('anything', '', '', '', 1, '', '')"
        )


def test_riskctl_withdraw_prints_what_was_recorded_and_the_next_step(
    connection: Connection, warehouse_dsn: str, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = parse_dsn(warehouse_dsn)
    place = f"{parts['user']}:{parts['password']}@{parts['host']}:{parts['port']}/{parts['dbname']}"
    monkeypatch.setenv(WAREHOUSE_CONNECTION, f"postgres://{place}")
    run(connection, drop)
    asked = ["withdraw", "--account", "A1", "--session", str(FRIDAY), "--reason", "wrong file"]

    withdrawn, again = (CliRunner().invoke(app, asked) for _ in range(2))
    undone = CliRunner().invoke(app, [*asked, "--undo", "--json"])

    assert "no longer count" in withdrawn.stdout
    assert "make trigger DATE=2025-08-15" in withdrawn.stdout
    assert isinstance(again.exception, RequestError)
    assert "count again" in json.loads(undone.stdout)["sentence"]
    assert set(counting(connection)) == {"A1", "A2", "A3"}
