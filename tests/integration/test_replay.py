"""Two clocks: what a run of the past computes equals what was computed when nothing later was known."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from risk import database, settings
from risk.decision import store_recommendations
from risk.errors import RequestError
from risk.features import store_features
from risk.fills import load_drop
from risk.pnl import aggregate
from risk.prediction import predict_limits
from risk.quality import check_fills
from risk.replay import recall, replay
from risk.report import Links, build_facts, send_report
from risk.runs import Run, known_until, open_run
from risk.sessions import last_finished_session

SAMPLE_SIZE = 30
LINKS = Links(run_url="/dags/daily_risk/runs/test")
NOW = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _reports_in_a_folder_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("RISK_REPORTS_DIR", str(tmp_path / "reports"))
    settings.settings.cache_clear()
    yield
    settings.settings.cache_clear()


def _versions(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def _published_until(folder: Path, instant: dt.datetime, target: Path) -> Path:
    """Copy a drop as it lay there at an instant."""
    target.mkdir()
    kept = [row for row in _versions(folder) if dt.datetime.fromisoformat(row["published_at"]) <= instant]
    for row in kept:
        shutil.copy(folder / row["file"], target / row["file"])
    with (target / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, kept[0].keys())
        writer.writeheader()
        writer.writerows(kept)
    return target


def _newest_delivered(folder: Path, instant: dt.datetime) -> dt.date:
    """Return the newest finished session of which anything was published: a later one has a broken feed."""
    known = [row for row in _versions(folder) if dt.datetime.fromisoformat(row["published_at"]) <= instant]
    finished = last_finished_session(instant)
    return max(day for row in known if (day := dt.date.fromisoformat(row["session_date"])) <= finished)


def _run_line(connection: database.Connection, dsn: str, folder: Path, session_date: dt.date) -> Run:
    load = load_drop(connection, folder, session_date, is_simulated=False)
    run = open_run(connection, session_date, load.load_id, "test")
    check_fills(connection, dsn, run)
    for step in (aggregate, store_features, predict_limits, store_recommendations):
        step(connection, run)
    return run


def _books(connection: database.Connection) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select account_id, session_date, fill_count, gross_pnl_usd, fees_usd, total_pnl_usd, incomplete_reason "
            "from daily_pnl order by 1, 2"
        )
        return cursor.fetchall()


@pytest.fixture
def imported(real_fills_dir: Path, warehouse_dsn: str) -> str:
    """Give a warehouse that holds the whole history with its publication times."""
    with contextlib.closing(database.connect(warehouse_dsn)) as connection:
        load_drop(connection, real_fills_dir, dt.date(2025, 12, 31), is_simulated=False, is_history=True)
    return warehouse_dsn


@pytest.mark.slow
def test_replay_equals_what_was_known_at_every_publication_time(
    imported: str, real_fills_dir: Path, fresh_warehouse: Callable[[], str], tmp_path: Path
) -> None:
    moments = sorted({dt.datetime.fromisoformat(row["published_at"]) for row in _versions(real_fills_dir)})
    sample = sorted(random.Random(4).sample(moments, min(SAMPLE_SIZE, len(moments))))

    for number, moment in enumerate(sample):
        session_date = _newest_delivered(real_fills_dir, moment)
        folder = _published_until(real_fills_dir, moment, tmp_path / str(number))
        dsn = fresh_warehouse()
        with contextlib.closing(database.connect(dsn)) as connection:
            run = _run_line(connection, dsn, folder, session_date)
            books, facts = _books(connection), build_facts(connection, run)
        with contextlib.closing(database.connect(imported)) as connection:
            again = replay(connection, imported, session_date, moment)
            assert _books(connection) == books, moment
        assert again.facts.canonical == facts.canonical, moment


def test_replay_of_a_report_equals_it_after_later_deliveries_arrived(
    connection: database.Connection, warehouse_dsn: str, real_fills_dir: Path, tmp_path: Path
) -> None:
    # given: a morning on which the fills of the last sessions were not posted yet
    session_date = dt.date(2025, 12, 30)
    early = _published_until(real_fills_dir, dt.datetime(2025, 12, 31, 12, tzinfo=dt.UTC), tmp_path / "early")
    run = _run_line(connection, warehouse_dsn, early, session_date)
    reported = send_report(connection, run, None, LINKS)

    # when: everything arrives, and a later run rebuilds the books
    _run_line(connection, warehouse_dsn, real_fills_dir, dt.date(2025, 12, 31))
    newest = _books(connection)
    with contextlib.closing(database.connect(warehouse_dsn)) as other:
        again = replay(other, warehouse_dsn, session_date, None)

    # then: the old report comes out again, and the books of the newest knowledge are as they were
    assert again.is_equal
    assert again.facts.sha256 == reported.facts_sha256
    assert _books(connection) == newest


def test_replay_remembers_what_the_report_before_had_said(
    connection: database.Connection, warehouse_dsn: str, real_fills_dir: Path
) -> None:
    # given: two mornings of reports
    for session_date in (dt.date(2025, 12, 30), dt.date(2025, 12, 31)):
        run = _run_line(connection, warehouse_dsn, real_fills_dir, session_date)
        reported = send_report(connection, run, None, LINKS)

    with contextlib.closing(database.connect(warehouse_dsn)) as other:
        again = replay(other, warehouse_dsn, dt.date(2025, 12, 31), None)

    assert again.facts.accounts[0].previous_cut_ratio is not None
    assert again.facts.sha256 == reported.facts_sha256


def test_a_run_of_the_past_leaves_the_newest_books_alone(imported: str, real_fills_dir: Path) -> None:
    session_date = dt.date(2025, 12, 31)
    with contextlib.closing(database.connect(imported)) as connection:
        _run_line(connection, imported, real_fills_dir, session_date)
        newest = _books(connection)
    with contextlib.closing(database.connect(imported)) as connection:
        as_of = known_until("then", dt.date(2025, 9, 3), NOW)
        load = load_drop(connection, real_fills_dir, dt.date(2025, 9, 2), is_simulated=False)
        run = open_run(connection, dt.date(2025, 9, 2), load.load_id, "test", as_of)
        recall(connection, run, "predict_limits")
        store_recommendations(connection, run)
        past = _books(connection)
    with contextlib.closing(database.connect(imported)) as connection:
        assert _books(connection) == newest

    assert run.knows_past
    assert run.as_of == dt.datetime(2025, 9, 3, 11, tzinfo=dt.UTC)
    assert 0 < len(past) < len(newest)
    assert max(row[1] for row in past) <= dt.date(2025, 9, 2)


def test_sessions_published_empty_have_no_result_until_their_fills_are_posted(imported: str) -> None:
    # given: 2025-09-02 was published empty before it began, like most sessions of this account
    morning = known_until("then", dt.date(2025, 9, 3), NOW)

    with contextlib.closing(database.connect(imported)) as connection:
        again = replay(connection, imported, dt.date(2025, 9, 2), morning)

    account = again.facts.accounts[0]
    assert account.delivery_state == "not posted"
    assert account.net_pnl_usd is None
    assert account.total_pnl_usd is None


def test_history_is_refused_after_a_session_was_run_as_it_happened(
    connection: database.Connection, warehouse_dsn: str, real_fills_dir: Path
) -> None:
    _run_line(connection, warehouse_dsn, real_fills_dir, dt.date(2025, 9, 2))

    with pytest.raises(RequestError, match="session 2025-09-02 was run as it happened"):
        load_drop(connection, real_fills_dir, dt.date(2025, 9, 3), is_simulated=False, is_history=True)


def test_replay_says_what_to_do_when_nothing_was_reported(connection: database.Connection, warehouse_dsn: str) -> None:
    with pytest.raises(RequestError, match="Session 2025-09-02 has no report to replay: name an instant with --as-of"):
        replay(connection, warehouse_dsn, dt.date(2025, 9, 2), None)
    with pytest.raises(RequestError, match="Nothing had been loaded until"):
        replay(connection, warehouse_dsn, dt.date(2025, 9, 2), NOW)
