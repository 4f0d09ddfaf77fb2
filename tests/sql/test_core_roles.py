"""The pipeline's role may work, and may not change what happened."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import make_dsn

from risk.core.calendar import store_sessions
from risk.core.errors import SchemaError
from risk.core.runs import open_run
from risk.core.schema import READ_TABLES, REPLACED_TABLES, SCHEMAS, forget_settings, migrate, prepare_warehouse
from risk.core.settings import Settings
from risk.core.warehouse import Connection, connect, execute, rows, writing
from risk.ingest.load import load_drop
from risk.limits.approvals import REJECTED
from risk.report.doctor import check_weaknesses
from tests.approval_desks import ANN, MORNING, answer, opened, reported
from tests.drops import write_drop
from tests.report_desks import insert

SESSION = dt.date(2025, 8, 15)
LOADED_TABLES = {
    "accounts",
    "adjustments",
    "deliveries",
    "instruments",
    "platform_limits",
    "loads",
    "marks",
    "splits",
    "totals",
}


@pytest.fixture
def pipeline(connection: Connection, warehouse_dsn: str) -> Iterator[Connection]:
    """Give a connection of a second role that has been granted what the pipeline needs."""
    role = f"pipeline_{connection.info.backend_pid}"
    with connection, connection.cursor() as cursor:
        cursor.execute(f"create role {role} login password 'word'")
    prepare_warehouse(connection, role)
    with contextlib.closing(connect(make_dsn(warehouse_dsn, user=role, password="word"))) as made:
        yield made
    with connection, connection.cursor() as cursor:
        cursor.execute(f"drop owned by {role}")
        cursor.execute(f"drop role {role}")


def may(connection: Connection, action: str) -> bool:
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(action)
    except psycopg2.errors.InsufficientPrivilege:
        return False
    return True


def tables(connection: Connection) -> set[str]:
    return {table for _, table in rows(connection, "migrate/select_tables", {"schemas": list(SCHEMAS)})}


def test_pipeline_cannot_change_or_empty_any_input(connection: Connection, pipeline: Connection) -> None:
    kept = tables(connection) - REPLACED_TABLES

    changeable = [
        table
        for table in kept
        for action in (f"delete from {table}", f"truncate {table}", f"update {table} set ctid = ctid")
        if may(pipeline, action.replace("set ctid = ctid", f"set {_first_column(connection, table)} = default"))
    ]

    assert {"deliveries", "fills", "loads", "marks", "runs", "reports"} <= kept
    assert changeable == []


def _first_column(connection: Connection, table: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"select * from {table} limit 0")
        assert cursor.description
        return str(cursor.description[0].name)


def test_pipeline_replaces_what_it_computes(pipeline: Connection) -> None:
    assert all(may(pipeline, f"delete from {table}") for table in REPLACED_TABLES)


def test_every_named_table_exists(connection: Connection) -> None:
    assert tables(connection) >= REPLACED_TABLES | READ_TABLES


def test_pipeline_cannot_change_the_schema(pipeline: Connection) -> None:
    assert not may(pipeline, "create table mine (number integer)")
    assert not may(pipeline, "drop table fills")
    assert not may(pipeline, "create or replace function current_deliveries() returns integer return 1")


def test_pipeline_loads_and_opens_a_run(pipeline: Connection, tmp_path: Path) -> None:
    folder = write_drop(tmp_path, SESSION, {"NET001": 2})
    with writing(pipeline):
        store_sessions(pipeline)

    load = load_drop(pipeline, folder, SESSION, Settings())
    run = open_run(pipeline, SESSION, load.load_id, "test")

    assert (load.fill_count, run.revision) == (2, 1)


def test_pipeline_statistics_are_renewed_after_a_load(pipeline: Connection) -> None:
    with writing(pipeline):
        execute(pipeline, "extract_fills/analyze_loaded")

    assert [notice for notice in pipeline.notices if "permission denied" in notice] == []


def test_migrate_by_the_pipeline_changes_nothing_when_nothing_is_pending(pipeline: Connection) -> None:
    assert migrate(pipeline) == []


def test_migrate_by_the_pipeline_asks_for_the_owner_when_a_file_is_pending(
    connection: Connection, pipeline: Connection
) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute("delete from risk.schema_migrations")

    with pytest.raises(SchemaError, match=r"lacks the schema files .*RISK_OWNER_DSN"):
        migrate(pipeline)


def test_prepare_twice_leaves_the_same_privileges(connection: Connection, pipeline: Connection) -> None:
    privileges = "select table_name, privilege_type from information_schema.role_table_grants where grantee = %s"

    def granted() -> list[tuple[object, ...]]:
        with connection, connection.cursor() as cursor:
            cursor.execute(f"{privileges} order by 1, 2", (pipeline.info.user,))
            return cursor.fetchall()

    before = granted()
    prepare_warehouse(connection, pipeline.info.user)

    assert granted() == before != []


def test_search_path_of_the_role_puts_nothing_before_what_statements_mean(
    connection: Connection, pipeline: Connection, warehouse_dsn: str
) -> None:
    role = pipeline.info.user
    with connection, connection.cursor() as cursor:
        cursor.execute(f"create schema staging authorization {role}")
    with pipeline, pipeline.cursor() as cursor:
        cursor.execute(
            "create function staging.clock_timestamp() returns timestamptz language sql return timestamptz '2000-01-01'"
        )
        cursor.execute(f"alter role {role} set search_path = staging, pg_catalog")

    with contextlib.closing(connect(make_dsn(warehouse_dsn, user=role, password="word", options=""))) as made:
        now = rows(made, "publish_limits/select_clock")[0][0]

    assert now.year > 2000


def test_pipeline_does_not_choose_when_a_decision_was_recorded(connection: Connection, pipeline: Connection) -> None:
    stamped = []
    for table in sorted(tables(connection) - REPLACED_TABLES):
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "select has_column_privilege(%s, a.attrelid, a.attnum, 'insert') from pg_attribute as a "
                "where a.attrelid = (select oid from pg_class where relname = %s and relkind = 'r') "
                "and a.attname = 'recorded_at'",
                (pipeline.info.user, table),
            )
            if cursor.fetchall() == [(True,)]:
                stamped.append(table)

    # A load states one instant for all its rows, and a history import that of its manifest.
    assert stamped == sorted(LOADED_TABLES)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"action": "approved", "user_id": "1", "user_name": "ann", "seen_sha256": "0" * 64}, "deadline"),
        ({"action": "timed_out", "limit_usd": 5001}, "base limit"),
        ({"action": "timed_out", "account_id": "NOBODY"}, "no recommendation"),
        (
            {"action": "approved", "user_id": "1", "user_name": "ann", "seen_sha256": "0" * 64, "carried_from": 1},
            "repeat",
        ),
    ],
)
def test_database_refuses_decisions_on_what_is_not_open(
    connection: Connection, pipeline: Connection, row: dict[str, object], why: str
) -> None:
    publication = opened(connection, reported(connection, 1, HIGH="0.60"), at=MORNING)
    values = {"account_id": "HIGH", "limit_usd": 2000, "reason": "", "user_id": "", "user_name": "nobody", **row}
    answered = opened(connection, reported(connection, 2, HIGH="0.60"))
    answer(connection, answered, "HIGH", REJECTED, ANN)

    with pytest.raises(psycopg2.errors.CheckViolation, match=why):
        insert(pipeline, "limit_decisions", publication_id=publication.publication_id, **values)


def test_settings_stored_for_the_role_are_forgotten_at_the_start(pipeline: Connection) -> None:
    with pipeline, pipeline.cursor() as cursor:
        cursor.execute("alter role current_user set search_path = public")
    assert not check_weaknesses(pipeline).is_healthy

    forget_settings(pipeline)

    with pipeline, pipeline.cursor() as cursor:
        cursor.execute("select setconfig from pg_db_role_setting where setrole = current_user::regrole")
        assert cursor.fetchall() == []


@pytest.mark.parametrize(
    ("planted", "by_owner", "found"),
    [
        ("alter role current_user set search_path = staging", False, r"settings of its own \(search_path=staging\)"),
        ("create table staging.fills (number integer)", False, r"staging\.fills has the name of a table"),
        ("create function staging.now() returns integer return 1", False, r"staging\.now has the name of a function"),
        ("grant insert on risk.limit_decisions to {}", True, r"choose when a row of limit_decisions was recorded"),
        ("grant insert on risk.schema_migrations to {}", True, r"may write schema_migrations"),
        ("grant pg_read_all_data to {}", True, r"member of another role"),
    ],
)
def test_doctor_finds_a_planted_weakness(
    connection: Connection, pipeline: Connection, planted: str, by_owner: bool, found: str
) -> None:
    role = pipeline.info.user
    with connection, connection.cursor() as cursor:
        cursor.execute(f"alter database {connection.info.dbname} reset all")
        cursor.execute(f"create schema staging authorization {role}")
    assert check_weaknesses(pipeline).is_healthy

    planter = connection if by_owner else pipeline
    with planter, planter.cursor() as cursor:
        cursor.execute(planted.format(role))

    diagnosis = check_weaknesses(pipeline)
    assert not diagnosis.is_healthy
    assert re.search(found, diagnosis.sentence)
