"""Two clocks: what a run of the past computes equals what was computed when nothing later was known."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from psycopg2.extensions import make_dsn

from risk.core import warehouse
from risk.core.calendar import next_session
from risk.core.errors import RequestError
from risk.core.runs import open_run, resolve_as_of
from risk.core.settings import Settings, read_settings
from risk.ingest.load import load_drop
from risk.limits.decide import apply_rules
from risk.report.page import Links
from risk.report.replay import point_in_time, replay
from risk.report.send import send_report
from tests.databases import create_database, drop_database
from tests.publications import assert_replay_equals, books, published_until, run_line, versions

PUBLISHED = {"first, without fills", "first, with fills", "fills posted", "fills restated", "P&L restated"}
"""What the source publishes about a session; it never withdraws all fills of one."""

LINKS = Links(run_url="/dags/daily_risk/runs/test")
NOW = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _reports_in_a_folder_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISK_REPORTS_DIR", str(tmp_path / "reports"))


@pytest.fixture(scope="module")
def history(real_fills_dir: Path, server_dsn: str, template_database: str) -> Iterator[str]:
    """Load the whole history with its publication times, and give the name of its database."""
    name = f"history_{os.getpid()}"
    create_database(server_dsn, name, template_database)
    with contextlib.closing(warehouse.connect(make_dsn(server_dsn, dbname=name))) as connection:
        load_drop(connection, real_fills_dir, dt.date(2025, 12, 31), Settings(), is_history=True)
    yield name
    drop_database(server_dsn, name)


@pytest.fixture
def imported(server_dsn: str, history: str) -> Iterator[str]:
    """Give a warehouse of the test's own that holds the whole history."""
    name = f"imported_{os.getpid()}"
    create_database(server_dsn, name, history)
    yield make_dsn(server_dsn, dbname=name)
    drop_database(server_dsn, name)


def what_is_published(before: dict[str, str] | None, row: dict[str, str]) -> str:
    """Name what a version of a session says other than the version before it."""
    if before is None:
        return "first, without fills" if row["fills"] == "0" else "first, with fills"
    if row["fills"] == "0":
        return "fills withdrawn"
    if before["fills"] == "0":
        return "fills posted"
    return "P&L restated" if before["fills"] == row["fills"] else "fills restated"


def publication_times_by_kind(folder: Path) -> dict[str, list[dt.datetime]]:
    """List for each kind of publication the instants at which it happens, ascending."""
    newest: dict[str, dict[str, str]] = {}
    instants: dict[str, list[dt.datetime]] = defaultdict(list)
    for row in sorted(versions(folder), key=lambda row: row["published_at"]):
        kind = what_is_published(newest.get(row["session_date"]), row)
        instants[kind].append(dt.datetime.fromisoformat(row["published_at"]))
        newest[row["session_date"]] = row
    return instants


@pytest.mark.slow
@pytest.mark.parametrize(
    "half", [2, *(pytest.param(each, marks=pytest.mark.thorough) for each in (0, 1))], ids=["last", "first", "middle"]
)
def test_replay_equals_what_was_known_at_the_first_middle_and_last_publication_of_every_kind(
    half: int, imported: str, real_fills_dir: Path, fresh_warehouse: Callable[[], str], tmp_path: Path
) -> None:
    """``python -m bench replay`` does the same at all publication times."""
    by_kind = publication_times_by_kind(real_fills_dir)
    chosen = {instants[(len(instants) - 1) * half // 2] for instants in by_kind.values()}

    for number, moment in enumerate(sorted(chosen)):
        assert_replay_equals(imported, fresh_warehouse(), real_fills_dir, moment, tmp_path / str(number))

    assert by_kind.keys() == PUBLISHED


def test_replay_of_a_report_equals_it_after_later_deliveries_arrived(
    connection: warehouse.Connection, warehouse_dsn: str, real_fills_dir: Path, tmp_path: Path
) -> None:
    # given: a morning on which the fills of the last sessions were not posted yet
    session_date = dt.date(2025, 12, 30)
    early = published_until(real_fills_dir, dt.datetime(2025, 12, 31, 12, tzinfo=dt.UTC), tmp_path / "early")
    run = run_line(connection, warehouse_dsn, early, session_date)
    reported = send_report(connection, run, None, LINKS, read_settings())

    # when: everything arrives, and a later run rebuilds the books
    run_line(connection, warehouse_dsn, real_fills_dir, dt.date(2025, 12, 31))
    newest = books(connection)
    with contextlib.closing(warehouse.connect(warehouse_dsn)) as other:
        again = replay(other, warehouse_dsn, session_date, None)

    # then: the old report comes out again, and the books of the newest knowledge are as they were
    assert again.is_equal
    assert again.facts.sha256 == reported.facts_sha256
    assert books(connection) == newest


def test_replay_remembers_what_the_report_before_had_said(
    connection: warehouse.Connection, warehouse_dsn: str, real_fills_dir: Path
) -> None:
    # given: two mornings of reports
    for session_date in (dt.date(2025, 12, 30), dt.date(2025, 12, 31)):
        run = run_line(connection, warehouse_dsn, real_fills_dir, session_date)
        reported = send_report(connection, run, None, LINKS, read_settings())

    with contextlib.closing(warehouse.connect(warehouse_dsn)) as other:
        again = replay(other, warehouse_dsn, dt.date(2025, 12, 31), None)

    assert again.facts.accounts[0].previous_cut_ratio is not None
    assert again.facts.sha256 == reported.facts_sha256


def test_a_run_of_the_past_leaves_the_newest_books_alone(imported: str, real_fills_dir: Path) -> None:
    session_date = dt.date(2025, 12, 31)
    with contextlib.closing(warehouse.connect(imported)) as connection:
        run_line(connection, imported, real_fills_dir, session_date)
        newest = books(connection)
    with contextlib.closing(warehouse.connect(imported)) as connection:
        as_of = resolve_as_of("then", dt.date(2025, 9, 3), NOW)
        load = load_drop(connection, real_fills_dir, dt.date(2025, 9, 2), Settings())
        run = open_run(connection, dt.date(2025, 9, 2), load.load_id, "test", as_of)
        with point_in_time(connection, run, "apply_rules"):
            apply_rules(connection, run)
        past = books(connection)
    with contextlib.closing(warehouse.connect(imported)) as connection:
        assert books(connection) == newest

    assert run.is_point_in_time
    assert run.as_of == dt.datetime(2025, 9, 3, 11, tzinfo=dt.UTC)
    assert 0 < len(past) < len(newest)
    assert max(row[1] for row in past) <= dt.date(2025, 9, 2)


def test_sessions_published_empty_have_no_result_until_their_fills_are_posted(imported: str) -> None:
    # given: 2025-09-02 was published empty before it began, like most sessions of this account
    morning = resolve_as_of("then", dt.date(2025, 9, 3), NOW)

    with contextlib.closing(warehouse.connect(imported)) as connection:
        again = replay(connection, imported, dt.date(2025, 9, 2), morning)

    account = again.facts.accounts[0]
    assert account.delivery_state == "not posted"
    assert account.net_pnl_usd is None
    assert account.total_pnl_usd is None


def test_no_session_published_empty_has_a_result_before_its_fills_were_posted(
    imported: str, real_fills_dir: Path
) -> None:
    """Ask for each of them at 07:00 of the next session, and at its first publication."""
    first: dict[dt.date, dict[str, str]] = {}
    for row in sorted(versions(real_fills_dir), key=lambda row: row["published_at"]):
        first.setdefault(dt.date.fromisoformat(row["session_date"]), row)
    posted = {dt.date.fromisoformat(row["session_date"]) for row in versions(real_fills_dir) if row["fills"] != "0"}
    empty = {day: row for day, row in first.items() if row["fills"] == "0" and day in posted}

    with contextlib.closing(warehouse.connect(imported)) as connection, connection.cursor() as cursor:
        for day, row in empty.items():
            published_at = dt.datetime.fromisoformat(row["published_at"])
            for as_of in {
                published_at,
                max(published_at, resolve_as_of("then", next_session(day), NOW) or published_at),
            }:
                cursor.execute("select state from risk.delivery_states(%s, %s, 30, '_OLD')", (day, as_of))
                states = {state for (state,) in cursor.fetchall()}
                cursor.execute(
                    "select coalesce(sum(fill_count), 0) from risk.book_inputs(%s) where session_date = %s",
                    (as_of, day),
                )
                ((fill_count,),) = cursor.fetchall()
                # Posted by then, or said to be neither a day without trades nor a result.
                assert (fill_count > 0) == (states == {"delivered"}), (day, as_of)
                assert fill_count > 0 or states == {"not posted"}, (day, as_of)

    assert len(empty) == 79


def test_history_is_refused_after_a_session_was_run_as_it_happened(
    connection: warehouse.Connection, warehouse_dsn: str, real_fills_dir: Path
) -> None:
    run_line(connection, warehouse_dsn, real_fills_dir, dt.date(2025, 9, 2))

    with pytest.raises(RequestError, match="session 2025-09-02 was run live"):
        load_drop(connection, real_fills_dir, dt.date(2025, 9, 3), Settings(), is_history=True)


def test_replay_says_what_to_do_when_nothing_was_reported(connection: warehouse.Connection, warehouse_dsn: str) -> None:
    with pytest.raises(RequestError, match="Session 2025-09-02 has no report to replay: name an instant with --as-of"):
        replay(connection, warehouse_dsn, dt.date(2025, 9, 2), None)
    with pytest.raises(RequestError, match="Nothing had been loaded until"):
        replay(connection, warehouse_dsn, dt.date(2025, 9, 2), NOW)
