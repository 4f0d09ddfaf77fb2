"""Airflow connections in the environment, read without Airflow."""

from __future__ import annotations

import pytest
from psycopg2.extensions import parse_dsn

from risk.core.connections import api_of, connection_of, postgres_dsn, read_connection
from risk.core.errors import RequestError

NAME = "AIRFLOW_CONN_RISK_WAREHOUSE"


@pytest.mark.parametrize(
    "value",
    [
        "postgres://risk:p%40ss@db:5433/warehouse",
        "postgresql+psycopg2://risk:p%40ss@db:5433/warehouse",
        '{"host": "db", "port": 5433, "login": "risk", "password": "p@ss", "schema": "warehouse"}',
    ],
)
def test_postgres_connection_is_read_from_a_uri_and_from_json(value: str) -> None:
    expected = {"host": "db", "port": "5433", "user": "risk", "password": "p@ss", "dbname": "warehouse"}

    assert parse_dsn(postgres_dsn({NAME: value}, NAME)) == expected


@pytest.mark.parametrize("value", ["mysql://risk:hunter2@db/warehouse", "postgres://db/hunter2", "{hunter2"])
def test_postgres_connection_is_refused_without_its_password(value: str) -> None:
    with pytest.raises(RequestError, match=f"{NAME} is not of the form") as refused:
        postgres_dsn({NAME: value}, NAME)

    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("environment", [{}, {NAME: " "}])
def test_missing_connection_is_named(environment: dict[str, str]) -> None:
    with pytest.raises(RequestError, match=f"{NAME} is not set"):
        read_connection(environment, NAME)


def test_connection_does_not_show_its_password() -> None:
    connection = read_connection({NAME: "smtp://risk:hunter2@mail:587"}, NAME)

    assert (connection.host, connection.port, connection.password) == ("mail", 587, "hunter2")
    assert "hunter2" not in repr(connection)


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({"conn_type": "http", "host": "api-server", "port": 8080}, "http://api-server:8080"),
        ({"conn_type": "http", "host": "risk.example.test", "schema": "https"}, "https://risk.example.test:443"),
        ({"conn_type": "https", "host": "risk.example.test"}, "https://risk.example.test:443"),
        ({"conn_type": "http"}, "http://localhost:80"),
        (
            {"conn_type": "https", "host": "risk.example.test", "schema": "airflow"},
            "https://risk.example.test:443/airflow",
        ),
        ({"conn_type": "http", "host": "api-server", "port": 8080, "schema": "/a/b/"}, "http://api-server:8080/a/b"),
    ],
)
def test_address_of_the_api_follows_the_connection(fields: dict[str, object], url: str) -> None:
    assert api_of(connection_of(fields)).url == url
