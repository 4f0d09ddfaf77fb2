"""An Airflow home of its own for tests that import Airflow; set before its first import."""

from __future__ import annotations

import os
import tempfile
from urllib.parse import quote

import pytest
from psycopg2.extensions import parse_dsn

_home = tempfile.mkdtemp(prefix="risk-airflow-")
os.environ.setdefault("AIRFLOW_HOME", _home)
os.environ.setdefault("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
os.environ.setdefault("AIRFLOW__CORE__UNIT_TEST_MODE", "False")


@pytest.fixture
def warehouse_connection(warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a fresh database the one behind the Airflow connection ``risk_warehouse``."""
    place = {name: quote(str(value), safe="") for name, value in parse_dsn(warehouse_dsn).items()}
    uri = f"postgres://{place['user']}:{place['password']}@{place['host']}:{place['port']}/{place['dbname']}"
    monkeypatch.setenv("AIRFLOW_CONN_RISK_WAREHOUSE", uri)
