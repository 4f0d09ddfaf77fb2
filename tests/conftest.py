"""Fixtures every test may use: the Postgres of this test session and fresh, migrated databases on it."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from psycopg2.extensions import make_dsn

from risk.core import calendar, warehouse
from tests.databases import create_database, drop_database

if TYPE_CHECKING:
    from playwright.sync_api import Browser

REAL_FILLS_DIR = Path(__file__).resolve().parents[2] / "shared" / "data" / "propreports"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server_dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a throw-away Postgres for this test session; RISK_TEST_DSN names one that serves instead."""
    given = os.environ.get("RISK_TEST_DSN")
    if given:
        yield given
        return
    from devstack.postgres import temporary_cluster

    with temporary_cluster(tmp_path_factory.mktemp("postgres")) as dsn:
        yield dsn


@pytest.fixture(scope="session")
def template_database(server_dsn: str) -> Iterator[str]:
    """Migrate one database; every test's own database is a copy of it."""
    name = f"template_{os.getpid()}"
    create_database(server_dsn, name, "template1")
    connection = warehouse.connect(make_dsn(server_dsn, dbname=name))
    warehouse.migrate(connection)
    with warehouse.writing(connection):
        calendar.store_sessions(connection)
    connection.close()
    yield name
    drop_database(server_dsn, name)


@pytest.fixture
def fresh_warehouse(server_dsn: str, template_database: str) -> Iterator[Callable[[], str]]:
    """Give a maker of fresh, migrated databases with the calendar stored."""
    names: list[str] = []

    def make() -> str:
        names.append(f"warehouse_{os.getpid()}_{next(_numbers)}")
        create_database(server_dsn, names[-1], template_database)
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


@pytest.fixture
def real_fills_dir() -> Path:
    """Give the folder of real executions, or skip where it is not beside the project."""
    if not REAL_FILLS_DIR.is_dir():
        pytest.skip(f"The real executions are not at {REAL_FILLS_DIR}.")
    return REAL_FILLS_DIR
