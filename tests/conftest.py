"""Tiers by folder, and fixtures for every test: the Postgres of this session and fresh, migrated databases on it."""

from __future__ import annotations

import collections
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from psycopg2.extensions import make_dsn

from risk.core import calendar, schema, warehouse
from tests.databases import create_database, drop_database, quick_folder

if TYPE_CHECKING:
    from playwright.sync_api import Browser

REAL_FILLS_DIR = Path(__file__).resolve().parents[2] / "shared" / "data" / "propreports"
TEST_OPTIONS = "-c search_path=risk,derived,results,public"
"""For the tests' own SQL; that of the product names every schema."""
TIERS = {
    "integration": "e2e",
    "faults": "faults",
    "compose": "compose",
    "golden": "sql",
    "properties": "fast",
    "operators": "e2e",
    "dags": "e2e",
    "sql": "sql",
    "unit": "fast",
}
"""Tier by folder: ``fast`` needs no service, ``sql`` a Postgres, ``e2e`` Airflow.

``faults`` repeats every step for every fault, ``compose`` starts the compose file in a container engine.

Folders run in this order, those of the shortest files last, so that all workers end together.
"""

OWN_TARGETS = ("stacks", "guides", "workers", "thorough")
"""Marks of single tests and files that no tier runs, but a target of their own."""

LONGEST_FILES = (
    "tests/integration/test_daily_run.py",
    "tests/integration/test_replay.py",
    "tests/sql/test_core_chain_attacks.py",
    "tests/integration/test_browser.py",
    "tests/integration/test_approval.py",
    "tests/operators/test_web_every_page.py",
    "tests/integration/test_operation.py",
)
"""Files that take longest; they start before all others."""

_numbers = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    """Time no example, and let properties try fewer when only the fast tier runs; before the tests are imported."""
    settings.register_profile("untimed", deadline=None)
    settings.load_profile("untimed")
    settings.register_profile("fast", max_examples=20, deadline=None)
    if config.option.markexpr == "fast":
        settings.load_profile("fast")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Let ``-n auto`` be one worker more than cores where whole stacks run, since their tests mostly wait."""
    return None if config.option.markexpr in ("fast", "sql") else (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with the tier of its folder, unless it names one itself or needs Postgres or a browser; sort."""
    for item in items:
        tier, fixtures = TIERS.get(_folder(item.nodeid), "e2e"), getattr(item, "fixturenames", ())
        if "chromium" in fixtures:
            tier = "stacks"
        elif tier == "fast" and "server_dsn" in fixtures:
            tier = "sql"
        if not any(item.get_closest_marker(name) for name in (*TIERS.values(), *OWN_TARGETS)):
            item.add_marker(tier)
    items.sort(key=_place)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many tests of each folder ran and how long they took, set-up included."""
    seconds: dict[str, float] = collections.Counter()
    tests: dict[str, set[str]] = collections.defaultdict(set)
    for report in itertools.chain.from_iterable(terminalreporter.stats.values()):
        if isinstance(report, pytest.TestReport):
            seconds[_folder(report.nodeid)] += report.duration
            tests[_folder(report.nodeid)].add(report.nodeid)
    if len(tests) > 1:
        terminalreporter.section("durations by folder")
        for folder, took in sorted(seconds.items(), key=lambda pair: -pair[1]):
            tier = TIERS.get(folder, "e2e")
            terminalreporter.write_line(f"{tier:5} tests/{folder:12} {len(tests[folder]):5} tests {took:8.1f} s")


def _folder(nodeid: str) -> str:
    return nodeid.split("/")[1]


def _place(item: pytest.Item) -> tuple[int, int]:
    file, folder = item.nodeid.partition("::")[0], _folder(item.nodeid)
    return (
        LONGEST_FILES.index(file) if file in LONGEST_FILES else len(LONGEST_FILES),
        list(TIERS).index(folder) if folder in TIERS else 0,
    )


@pytest.fixture(scope="session")
def server_dsn() -> Iterator[str]:
    """Start a throw-away Postgres for this test session; RISK_TEST_DSN names one that serves instead."""
    given = os.environ.get("RISK_TEST_DSN")
    if given:
        yield make_dsn(given, options=TEST_OPTIONS)
        return
    from devstack.postgres import temporary_cluster

    with quick_folder() as folder, temporary_cluster(folder) as dsn:
        yield make_dsn(dsn, options=TEST_OPTIONS)


@pytest.fixture(scope="session")
def template_database(server_dsn: str) -> Iterator[str]:
    """Migrate one database; every test's own database is a copy of it."""
    name = f"template_{os.getpid()}"
    create_database(server_dsn, name, "template1")
    connection = warehouse.connect(make_dsn(server_dsn, dbname=name))
    schema.migrate(connection)
    with warehouse.writing(connection):
        calendar.store_sessions(connection)
    connection.close()
    yield name
    drop_database(server_dsn, name)


@pytest.fixture
def fresh_warehouse(server_dsn: str, template_database: str) -> Iterator[Callable[..., str]]:
    """Give a maker of fresh databases: copies of a template, by default migrated with the calendar stored."""
    names: list[str] = []

    def make(template: str = template_database) -> str:
        names.append(f"warehouse_{os.getpid()}_{next(_numbers)}")
        create_database(server_dsn, names[-1], template)
        return make_dsn(server_dsn, dbname=names[-1])

    yield make
    for name in names:
        drop_database(server_dsn, name)


@pytest.fixture
def warehouse_dsn(fresh_warehouse: Callable[[], str]) -> str:
    """Give a fresh, migrated database with the calendar stored."""
    return fresh_warehouse()


@pytest.fixture
def connection(warehouse_dsn: str) -> Iterator[warehouse.Connection]:
    """Give a connection to a fresh, migrated database."""
    connection = warehouse.connect(warehouse_dsn)
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Give a browser without a window, or skip where there is none."""
    from tests.browser import launched

    with launched() as browser:
        if browser is None:
            pytest.skip("There is no chromium on this machine (Debian: apt-get install chromium).")
        yield browser


@pytest.fixture(scope="session")
def real_fills_dir() -> Path:
    """Give the folder of real executions, or skip where it is not beside the project."""
    if not REAL_FILLS_DIR.is_dir():
        pytest.skip(f"The real executions are not at {REAL_FILLS_DIR}.")
    return REAL_FILLS_DIR
