"""The pipeline's role may work, and may not change what happened."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import make_dsn, parse_dsn
from typer.testing import CliRunner

from risk.cli import app
from risk.core.calendar import next_session, store_sessions
from risk.core.errors import SchemaError
from risk.core.roles import READ_TABLES, REPLACED_TABLES, SCHEMAS, Duty, Roles, privileges
from risk.core.runs import open_run
from risk.core.schema import forget_settings, migrate, prepare_warehouse
from risk.core.settings import Settings
from risk.core.warehouse import Connection, connect, execute, rows, writing
from risk.ingest.load import load_drop
from risk.limits.adopt_policy import Adoption, request_adoption
from risk.limits.approvals import APPROVED, EDITED, REJECTED, AirflowUser
from risk.limits.policy_requests import PolicyDecision, decide_request, show_request
from risk.limits.publish import publish
from risk.report.doctor_roles import check_attempts, check_roles, check_weaknesses
from tests.approval_desks import ANN, MORNING, after_deadline, answer, in_force, opened, reported
from tests.databases import as_role
from tests.drops import write_drop
from tests.policies import policy_document
from tests.report_desks import insert

SESSION = dt.date(2025, 8, 15)
PERSON = {"action": "approved", "user_id": "1", "user_name": "ann", "seen_sha256": "0" * 64}


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
    prepare_warehouse(connection, Roles(pipeline.info.user))

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


def test_nobody_but_the_owner_chooses_when_a_row_was_recorded(
    connection: Connection, pipeline: Connection, roles: Roles
) -> None:
    chosen = []
    with connection, connection.cursor() as cursor:
        for name in roles.duties:
            cursor.execute(
                "select classes.relname from pg_attribute as a inner join pg_class as classes on a.attrelid = "
                "classes.oid where classes.relkind = 'r' and a.attname = 'recorded_at' and "
                "classes.relnamespace::regnamespace::text = any(%s) "
                "and has_column_privilege(%s, a.attrelid, a.attnum, 'insert')",
                (list(SCHEMAS), name),
            )
            chosen += cursor.fetchall()

    assert chosen == []


def published(folder: Path, session_date: dt.date, published_at: str) -> Path:
    """Write a drop of one account whose manifest says when it was published."""
    folder.mkdir()
    write_drop(folder, session_date, {"NET001": 1})
    entry = f"fills_{session_date}.csv,NET001,{session_date},{published_at}"
    (folder / "manifest.csv").write_text(f"file,account_id,session_date,published_at\n{entry}\n", encoding="utf-8")
    return folder


def test_rows_of_a_load_have_its_instant_and_those_of_a_history_that_of_their_source(
    connection: Connection, pipeline: Connection, tmp_path: Path
) -> None:
    earlier = SESSION - dt.timedelta(days=1)
    first = published(tmp_path / "history", earlier, "2025-08-14T21:00:00Z")
    second = published(tmp_path / "live", SESSION, "2025-08-15T21:00:00Z")

    load_drop(pipeline, first, earlier, Settings(), is_history=True)
    load_drop(pipeline, second, SESSION, Settings())

    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select deliveries.recorded_at = deliveries.published_at, deliveries.recorded_at = loads.recorded_at "
            "from deliveries inner join loads using (load_id) order by deliveries.delivery_id"
        )
        assert cursor.fetchall() == [(True, False), (False, True)]


def test_history_is_refused_in_the_range_of_a_live_run_by_the_database(pipeline: Connection, tmp_path: Path) -> None:
    load = load_drop(pipeline, write_drop(tmp_path, SESSION, {"NET001": 1}), SESSION, Settings())
    open_run(pipeline, SESSION, load.load_id, "test")
    history = {"source": "drop", "is_simulated": False, "is_history": True}

    with pytest.raises(psycopg2.errors.CheckViolation, match=f"session {SESSION} was run live"):
        insert(pipeline, "loads", **history, through_session_date=SESSION)

    assert insert(pipeline, "loads", **history, through_session_date=SESSION - dt.timedelta(days=1))


def test_a_row_that_is_added_to_an_earlier_load_counts_from_now(pipeline: Connection, tmp_path: Path) -> None:
    published_at = "2025-08-15T21:00:00Z"
    load = load_drop(
        pipeline, published(tmp_path / "drop", SESSION, published_at), SESSION, Settings(), is_history=True
    )
    counts = dict.fromkeys(("row_count", "loaded_count", "rejected_count", "duplicate_count"), 0)

    key = insert(
        pipeline, "deliveries", load_id=load.load_id, file_name="later.csv", account_id="NET009", session_date=SESSION,
        content_sha256="x", published_at=published_at, **counts,
    )  # fmt: skip

    with pipeline, pipeline.cursor() as cursor:
        cursor.execute(
            "select recorded_at > now() - interval '1 minute' from risk.deliveries where delivery_id = %s", (key,)
        )
        assert cursor.fetchone() == (True,)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (PERSON, "later report superseded|deadline"),
        ({"action": "timed_out", "limit_usd": 5001}, "base limit"),
        ({"action": "timed_out", "limit_usd": "2000.01"}, "nobody has answered"),
        ({"action": "timed_out", "account_id": "NOBODY"}, "no recommendation"),
        ({**PERSON, "carried_from": 1}, "repeat"),
    ],
)
def test_database_refuses_decisions_on_what_is_not_open(
    connection: Connection, log_in: Callable[[str], Connection], roles: Roles, row: dict[str, object], why: str
) -> None:
    publication = opened(connection, reported(connection, 1, HIGH="0.60"), at=MORNING)
    values = {"account_id": "HIGH", "limit_usd": 2000, "reason": "", "user_id": "", "user_name": "nobody", **row}
    answered = opened(connection, reported(connection, 2, HIGH="0.60"))
    answer(connection, answered, "HIGH", REJECTED, ANN)

    writer = log_in(roles.page if row == PERSON else roles.pipeline)
    with pytest.raises(psycopg2.errors.CheckViolation, match=why):
        insert(writer, "limit_decisions", publication_id=publication.publication_id, **values)


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("limit_decisions", {"publication_id": 1, "account_id": "HIGH", "limit_usd": 1, "reason": "x", **PERSON}),
        (
            "limit_decisions",
            {"publication_id": 1, "account_id": "HIGH", "limit_usd": 1, "reason": "x", **PERSON, "action": "edited"},
        ),
        (
            "limit_breach_entries",
            {"account_id": "HIGH", "session_date": SESSION, "action": "reopened", "sentence": "x", "user_id": "1",
             "user_name": "ann"},
        ),
        ("limit_change_decisions", {"change_id": 1, **PERSON}),
        ("notes", {"account_id": "HIGH", "sentence": "x", "user_id": "1", "user_name": "ann"}),
        ("policy_request_decisions", {"request_id": 1, **PERSON}),
        (
            "policies",
            {"version": 9, "policy_text": "", "content_sha256": "", "valid_from": SESSION, "author": "ann",
             "reason": "x"},
        ),
        ("platform_limits", {"account_id": "HIGH", "limit_usd": 1, "user_id": "1", "user_name": "ann"}),
        (
            "limit_changes",
            {"account_id": "HIGH", "kind": "base", "limit_usd": 1, "starts_at": "2025-08-18", "reason": "x",
             "requested_by": "ann", "requester_name": "ann", "needs_second_person": False},
        ),
        (
            "policy_requests",
            {"policy_text": "", "content_sha256": "", "valid_from": SESSION, "reason": "x", "requested_by": "ann",
             "requester_name": "ann"},
        ),
    ],
)  # fmt: skip
def test_pipeline_records_nothing_in_a_persons_name(pipeline: Connection, table: str, row: dict[str, object]) -> None:
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        insert(pipeline, table, **row)


def test_page_records_what_a_person_decides_and_the_pipeline_what_nobody_answered(
    connection: Connection, page: Connection, pipeline: Connection
) -> None:
    # given a report whose limits were asked about by the pipeline
    publication = opened(pipeline, reported(connection, 1, HIGH="0.60", OTHER="0.40", THIRD="0.30"))
    cli = AirflowUser("ann@desk", "ann@desk")
    asked = Adoption(policy_document(cut__maximum="60%"), next_session(dt.date.today()), cli, "less")  # noqa: DTZ011

    # when people decide on the page
    answer(page, publication, "HIGH", APPROVED, ANN)
    answer(page, publication, "OTHER", EDITED, ANN, limit="2500")
    stored = request_adoption(pipeline, asked, dt.datetime.now(dt.UTC))
    shown = show_request(page, stored, has_dual_control=False)
    decided = PolicyDecision(stored.request_id, APPROVED, shown.sha256)
    decide_request(page, decided, ANN, has_dual_control=False)

    # then a later report repeats them by the pipeline, what nobody answered times out, and all is published
    later = opened(pipeline, reported(connection, 2, HIGH="0.60", OTHER="0.40", THIRD="0.30"))
    publish(pipeline, after_deadline(connection, later), None)
    assert {name: str(limit) for name, limit in in_force(pipeline, later).items()} == {
        "HIGH": "2000.00", "OTHER": "2500.00", "THIRD": "3500.00"
    }  # fmt: skip


def test_page_cannot_decide_for_nobody_publish_or_change_anything(connection: Connection, page: Connection) -> None:
    publication = opened(connection, reported(connection, 1, HIGH="0.60"), at=MORNING)
    silent = {
        "account_id": "HIGH",
        "action": "timed_out",
        "limit_usd": 2000,
        "reason": "",
        "user_id": "",
        "user_name": "x",
    }

    with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="needs the role of the pipeline"):
        insert(page, "limit_decisions", publication_id=publication.publication_id, **silent)
    changed = [
        table
        for table in tables(connection)
        for action in (f"delete from {table}", f"update {table} set {_first_column(connection, table)} = default")
        if may(page, action)
    ]
    assert changed == []
    assert not may(page, "create temporary table mine (number integer)")
    assert not may(page, "create schema mine")
    assert not may(page, "select risk.summarize_fills()")


def test_published_limits_are_those_that_were_decided(connection: Connection, pipeline: Connection) -> None:
    publication = opened(connection, reported(connection, 1, HIGH="0.60"))
    answer(connection, publication, "HIGH", APPROVED, ANN)
    row = {"publication_id": publication.publication_id, "account_id": "HIGH", "decision_id": 1, "reason": "x",
           "effective_session": publication.effective_session, "base_limit_usd": 5000}  # fmt: skip

    for limit in ("2000.01", "5000"):
        amounts = dict.fromkeys(("recommended_limit_usd", "decided_limit_usd", "limit_usd"), limit)
        with pytest.raises(psycopg2.errors.CheckViolation, match="not what was decided"):
            insert(pipeline, "published_limits", **row, **amounts)


def test_a_decision_is_repeated_word_for_word(connection: Connection, pipeline: Connection) -> None:
    first = opened(connection, reported(connection, 1, HIGH="0.60"))
    answer(connection, first, "HIGH", REJECTED, ANN)
    later = opened(connection, reported(connection, 2, HIGH="0.50"))
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select action, limit_usd, reason, user_id, user_name, seen_sha256, shown_at from limit_decisions"
        )
        decided = dict(zip([column.name for column in cursor.description or ()], cursor.fetchall()[0], strict=True))
    key = {"publication_id": later.publication_id, "account_id": "HIGH", "carried_from": 1}

    for changed in ({"reason": "other"}, {"user_name": "bob"}, {"limit_usd": 2500}):
        with pytest.raises(psycopg2.errors.CheckViolation, match="does not repeat"):
            insert(pipeline, "limit_decisions", **key, **{**decided, **changed})

    assert insert(pipeline, "limit_decisions", **key, **decided)


def test_reader_reads_everything_and_writes_nothing(connection: Connection, reader: Connection, roles: Roles) -> None:
    assert all(may(reader, f"select from {schema}.{table}") for schema, table in places(connection))
    assert may(reader, "select from risk.current_fills(now())")
    for duty, table in ((duty, table) for duty in ({Duty.reader}, {Duty.page}) for table in tables(connection)):
        assert {"update", "delete", "truncate"}.isdisjoint(privileges(duty, table, 180_000))
    assert check_attempts(reader, "reader", roles).is_healthy
    assert not may(reader, "create temporary table mine (number integer)")
    assert not may(reader, "select risk.summarize_fills()")


def places(connection: Connection) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in rows(connection, "migrate/select_tables", {"schemas": list(SCHEMAS)})]


def test_no_role_connects_to_another_database(
    connection: Connection, roles: Roles, pipeline: Connection, warehouse_dsn: str
) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute("select datname from pg_database where datallowconn and datname <> current_database()")
        others = [name for (name,) in cursor.fetchall()]
    with contextlib.closing(connect(make_dsn(warehouse_dsn, dbname="postgres"))) as admin:
        admin.autocommit = True
        for name in others:
            admin.cursor().execute(f'revoke connect, temporary on database "{name}" from public')

    assert others
    for role in roles.duties:
        for name in others:
            with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
                psycopg2.connect(make_dsn(as_role(warehouse_dsn, role), dbname=name))


def test_page_without_a_role_of_its_own_works_as_the_pipeline(
    connection: Connection, roles: Roles, warehouse_dsn: str
) -> None:
    prepare_warehouse(connection, Roles(roles.pipeline))
    publication = opened(connection, reported(connection, 1, HIGH="0.60"))

    with contextlib.closing(connect(as_role(warehouse_dsn, roles.pipeline))) as both:
        answer(both, publication, "HIGH", APPROVED, ANN)
        diagnoses = list(check_roles(both, as_role(warehouse_dsn, roles.pipeline), "", ""))

    unhealthy = [diagnosis for diagnosis in diagnoses if not diagnosis.is_healthy and diagnosis.subject != "databases"]
    assert [diagnosis.subject for diagnosis in unhealthy] == ["page"]
    assert "a task could decide in a person's name" in unhealthy[0].sentence


def test_migrate_names_a_role_that_does_not_exist(connection: Connection, roles: Roles) -> None:
    with pytest.raises(SchemaError, match=r"no role risk_nobody.*create role risk_nobody login"):
        prepare_warehouse(connection, Roles(roles.pipeline, "risk_nobody"))


def test_riskctl_migrate_says_which_role_is_for_what(
    connection: Connection, roles: Roles, warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = parse_dsn(warehouse_dsn)
    server = f"{place['host']}:{place['port']}/{place['dbname']}"
    monkeypatch.setenv("AIRFLOW_CONN_RISK_WAREHOUSE", f"postgres://{roles.pipeline}:word@{server}")
    monkeypatch.setenv("RISK_OWNER_DSN", f"postgresql://{place['user']}:{place['password']}@{server}")
    monkeypatch.setenv("RISK_READER_ROLE", roles.reader)

    alone = CliRunner().invoke(app, ["migrate"], catch_exceptions=False).stdout
    monkeypatch.setenv("RISK_PAGE_DSN", f"postgresql://{roles.page}:word@{server}")
    apart = json.loads(CliRunner().invoke(app, ["migrate", "--json"], catch_exceptions=False).stdout)

    pipeline, page, reader = roles.duties
    assert alone == f"Applied 0 schema files. Roles: {pipeline} (page and pipeline), {reader} (reader).\n"
    assert apart == {"applied": [], "roles": {pipeline: ["pipeline"], page: ["page"], reader: ["reader"]}}


def test_settings_stored_for_the_role_are_forgotten_at_the_start(pipeline: Connection, roles: Roles) -> None:
    with pipeline, pipeline.cursor() as cursor:
        cursor.execute("alter role current_user set search_path = public")
    assert not check_weaknesses(pipeline, roles).is_healthy

    forget_settings(pipeline)

    with pipeline, pipeline.cursor() as cursor:
        cursor.execute("select setconfig from pg_db_role_setting where setrole = current_user::regrole")
        assert cursor.fetchall() == []
