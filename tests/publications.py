"""A file drop with a manifest as it lay there at an instant, and the morning line run on it."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import shutil
from pathlib import Path

from risk.books.warehouse import aggregate
from risk.checks.run import check_fills
from risk.core import warehouse
from risk.core.calendar import last_finished_session
from risk.core.runs import Run, open_run
from risk.core.settings import Settings
from risk.ingest.load import load_drop
from risk.limits.decide import apply_rules, predict
from risk.model.build_features import store_features
from risk.report.build_facts import build_facts
from risk.report.replay import replay


def versions(folder: Path) -> list[dict[str, str]]:
    """Read the manifest."""
    with (folder / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def publication_times(folder: Path) -> list[dt.datetime]:
    """List the instants at which something changed, ascending."""
    return sorted({dt.datetime.fromisoformat(row["published_at"]) for row in versions(folder)})


def published_until(folder: Path, instant: dt.datetime, target: Path) -> Path:
    """Copy a drop as it lay there at an instant."""
    target.mkdir()
    kept = [row for row in versions(folder) if dt.datetime.fromisoformat(row["published_at"]) <= instant]
    for row in kept:
        shutil.copy(folder / row["file"], target / row["file"])
    with (target / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, kept[0].keys())
        writer.writeheader()
        writer.writerows(kept)
    return target


def newest_delivered(folder: Path, instant: dt.datetime) -> dt.date:
    """Return the newest finished session of which anything was published: a later one has a broken feed."""
    known = [row for row in versions(folder) if dt.datetime.fromisoformat(row["published_at"]) <= instant]
    finished = last_finished_session(instant)
    return max(day for row in known if (day := dt.date.fromisoformat(row["session_date"])) <= finished)


def run_line(
    connection: warehouse.Connection, dsn: str, folder: Path, session_date: dt.date, *, is_simulated: bool = False
) -> Run:
    """Run every step up to the recommendations."""
    load = load_drop(connection, folder, session_date, Settings(desk="simulated" if is_simulated else "desk"))
    run = open_run(connection, session_date, load.load_id, "test")
    check_fills(connection, dsn, run)
    for step in (aggregate, store_features, predict):
        step(connection, run)
    apply_rules(connection, run)
    return run


def books(connection: warehouse.Connection) -> list[tuple[object, ...]]:
    """Read the books, for comparing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select account_id, session_date, fill_count, gross_pnl_usd, fees_usd, total_pnl_usd, incomplete_reason "
            "from derived.daily_pnl order by 1, 2"
        )
        return cursor.fetchall()


def assert_replay_equals(imported: str, fresh: str, folder: Path, moment: dt.datetime, place: Path) -> None:
    """Compare what a warehouse with the whole history knew at an instant with one that holds nothing later.

    Parameters
    ----------
    imported, fresh
        Connection strings: the history imported with its publication times, and an empty warehouse.
    folder
        The drop with every version.
    place
        A folder to make, for the drop as it lay there then.
    """
    session_date = newest_delivered(folder, moment)
    with contextlib.closing(warehouse.connect(fresh)) as connection:
        run = run_line(connection, fresh, published_until(folder, moment, place), session_date)
        known, facts = books(connection), build_facts(connection, run)
    with contextlib.closing(warehouse.connect(imported)) as connection:
        again = replay(connection, imported, session_date, moment)
        assert books(connection) == known, moment
    assert again.facts.canonical == facts.canonical, moment
