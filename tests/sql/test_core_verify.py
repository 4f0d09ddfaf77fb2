"""Every change of what is recorded is found from the mails, whoever made it and however he hid it."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2 import sql
from psycopg2.extensions import parse_dsn
from typer.testing import CliRunner

from risk.cli import app
from risk.core.chain import ALL, EACH, STATED_DIGITS, Head, read_head
from risk.core.connections import WAREHOUSE_CONNECTION
from risk.core.schema import prepare_warehouse
from risk.core.settings import Settings, read_settings
from risk.core.verify import canonical, verify
from risk.core.warehouse import Connection
from risk.ingest.load import load_drop
from risk.limits.approvals import APPROVED, REJECTED
from risk.limits.publish import publish
from risk.report.page import Links
from risk.report.send import send_report
from tests.approval_desks import ANN, BOB, answer, opened, reported
from tests.drops import write_drop
from tests.report_desks import SESSION, book, deliver_fills, insert, open_run, recommend
from tests.smtp_boxes import Box, served

SEED, ATTACKS = 20250815, 60


def query(connection: Connection, text: Any, binds: Any = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(text, binds)
        return cursor.fetchall() if cursor.description else []


def links(connection: Connection) -> list[dict[str, Any]]:
    names = ("sequence", "format_number", "kind", "subject", "row_count", "content_sha256", "previous_sha256")
    columns = (*names, "recorded_at", "link_sha256")
    found = query(connection, f"select {', '.join(columns)} from risk.chain_links order by sequence")
    return [dict(zip(columns, row, strict=True)) for row in found]


@pytest.fixture
def heads(connection: Connection, tmp_path: Path) -> dict[str, Head]:
    """Give the heads of three mails over loads, reports, decisions; later rows have no witness."""
    marks = "Date,Symbol,Price\n2025-08-15,AAA,10.5\n2025-08-15,BBB,2\n2025-08-15,CCC,3.25\n"
    folder = write_drop(tmp_path, SESSION, {"NET001": 3, "NET002": 2})
    (folder / "marks.csv").write_text(marks)
    load_drop(connection, folder, SESSION, Settings())
    found = {}
    for revision in (1, 2, 3):
        run = reported(connection, revision, HIGH=f"0.{5 + revision}", LOW="0.20")
        found[f"mail {revision}"] = read_head(connection, "reports", [str(run.run_id)])
        publication = opened(connection, run)
        answer(connection, publication, "HIGH", APPROVED, ANN)
    answer(connection, publication, "LOW", REJECTED, BOB)
    publish(connection, publication, None)
    return found


def test_honest_history_is_whole_and_its_last_rows_are_not_yet_witnessed(
    connection: Connection, heads: dict[str, Head]
) -> None:
    verdict = verify(connection, heads)

    last = heads["mail 3"].sequence
    assert (verdict.fault, verdict.witnessed_count) == ("", last)
    assert verdict.link_count == len(links(connection)) > last
    assert f"Mails witness the first {last}; later ones are not yet witnessed." in verdict.sentence
    kinds = {link["kind"] for link in links(connection)}
    assert {"deliveries", "source_files", "marks", "policies", "reports", "publications", "limit_decisions"} <= kinds
    assert [link["row_count"] for link in links(connection) if link["kind"] == "marks"] == [3]


def test_database_writes_the_canonical_json_of_odd_values(connection: Connection) -> None:
    odd = 'quote " backslash \\ tab \t line \n control \x01\x1f\x7f é – 😀 \u2028'
    insert(
        connection,
        "policies",
        version=7,
        policy_text=odd,
        content_sha256=" ",
        valid_from=SESSION,
        author="{}",
        reason="'",
    )
    insert(
        connection,
        "limit_changes",
        account_id=odd,
        kind="intraday",
        limit_usd=Decimal("0.10"),
        starts_at="2025-08-15 09:30:00.000001-04",
        ends_at="2025-08-15 23:00:00+00",
        reason=odd,
        requested_by="1",
        requester_name="",
        needs_second_person=False,
    )
    insert(
        connection,
        "model_versions",
        content_sha256="0",
        artefact="{}",
        first_session_date=SESSION,
        last_session_date=SESSION,
        pair_count=3,
        card='{"b": [1.50, 1e-7, null, true], "a": "é\\n"}',
        dag_run_id="x",
    )

    assert verify(connection, {}).fault == ""


def test_tables_of_the_verifier_are_those_with_a_trigger(connection: Connection) -> None:
    text = """
        select c.relname, string_to_array(encode(t.tgargs, 'escape'), '\\000')
        from pg_trigger as t inner join pg_class as c on t.tgrelid = c.oid where t.tgname = 'link_rows'"""

    triggers = {table: [part for part in arguments if part] for table, arguments in query(connection, text)}

    assert triggers == {
        **{table: ["each", *key] for table, key in EACH.items()},
        **{table: ["all", key] for table, key in ALL.items()},
    }


def test_linked_tables_have_only_types_with_one_text(connection: Connection) -> None:
    text = """
        select distinct format_type(atttypid, null) from pg_attribute
        where attrelid = any(%s::regclass[]) and attnum > 0 and not attisdropped"""

    types = {row[0] for row in query(connection, text, ([f"risk.{table}" for table in (*EACH, *ALL)],))}

    assert types <= {"bigint", "integer", "numeric", "text", "boolean", "date", "jsonb", "timestamp with time zone"}


def test_pipeline_writes_links_only_by_recording_rows(connection: Connection) -> None:
    role = f"pipeline_{connection.info.backend_pid}"
    with connection:
        query(connection, f"create role {role}")
    prepare_warehouse(connection, role)
    try:
        query(connection, f"set role {role}")
        query(connection, "create schema mine create table policies (number integer)")
        connection.commit()
        for attempt in (
            "insert into risk.chain_links select * from risk.chain_links",
            "update risk.chain_links set subject = ''",
            "delete from risk.chain_links",
            "create trigger twice after insert on risk.policies for each statement execute function risk.link_rows()",
        ):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege), connection:
                query(connection, attempt)
        with connection:
            query(
                connection,
                "create trigger forge after insert on mine.policies referencing new table as added "
                "for each statement execute function risk.link_rows('each', 'number')",
            )
        with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="only tables of the schema risk"), connection:
            query(connection, "insert into mine.policies values (1)")
        with connection:
            query(
                connection, "insert into risk.policy_verdicts (content_sha256, facts, dag_run_id) values ('', '{}', '')"
            )
    finally:
        connection.rollback()
        query(connection, "reset role")
        query(connection, f"drop owned by {role}")
        query(connection, f"drop role {role}")
        connection.commit()
    assert links(connection)[-1]["kind"] == "policy_verdicts"
    assert verify(connection, {}).fault == ""


def columns_of(connection: Connection, table: str) -> list[str]:
    text = "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped"
    return [row[0] for row in query(connection, text, (f"risk.{table}",))]


def key_of(link: dict[str, Any]) -> tuple[sql.Composable, list[str]]:
    """Give a condition for the row of a link, of several for the first."""
    columns = EACH.get(link["kind"]) or [ALL[link["kind"]]]
    parts = [link["subject"].split("-")[0]] if link["kind"] in ALL else link["subject"].split(" ", len(columns) - 1)
    return sql.SQL(" and ").join(sql.SQL("{}::text = %s").format(sql.Identifier(one)) for one in columns), parts


def update(connection: Connection, link: dict[str, Any], draw: random.Random) -> None:
    """Change one value of a row by a digit or a letter."""
    text = """
        select attname, format_type(atttypid, null) from pg_attribute
        where attrelid = %s::regclass and attnum > 0 and not attisdropped and attnotnull"""
    changes = {"text": "{0} || 'x'", "numeric": "{0} + 0.01", "timestamp with time zone": "{0} - interval '1 us'"}
    keys = EACH.get(link["kind"]) or [ALL[link["kind"]]]
    typed = [(n, t) for n, t in query(connection, text, (f"risk.{link['kind']}",)) if t in changes and n not in keys]
    name, kind = draw.choice(typed)
    where, parts = key_of(link)
    statement = sql.SQL("update {} set {} = {} where {}").format(
        sql.Identifier("risk", link["kind"]),
        sql.Identifier(name),
        sql.SQL(changes[kind]).format(sql.Identifier(name)),
        where,
    )
    query(connection, statement, parts)


def delete(connection: Connection, link: dict[str, Any], draw: random.Random) -> None:
    where, parts = key_of(link)
    query(connection, sql.SQL("delete from {} where {}").format(sql.Identifier("risk", link["kind"]), where), parts)


def plant(connection: Connection, link: dict[str, Any], draw: random.Random) -> None:
    """Add a copy of a row under another key, and no link."""
    table, names = link["kind"], columns_of(connection, link["kind"])
    key = (EACH.get(table) or [ALL[table]])[-1]
    # What is unique, beside the key, in one table or another.
    other = {key: "1000000", "run_id": "1000000", "account_id": "'planted'", "file_name": "'planted'"}
    chosen = [sql.SQL(other[name]) if name in other else sql.Identifier(name) for name in names]
    where, parts = key_of(link)
    statement = sql.SQL("insert into {} ({}) overriding system value select {} from {} where {}").format(
        sql.Identifier("risk", table),
        sql.SQL(", ").join(map(sql.Identifier, names)),
        sql.SQL(", ").join(chosen),
        sql.Identifier("risk", table),
        where,
    )
    query(connection, statement, parts)


def reorder(connection: Connection, link: dict[str, Any], draw: random.Random) -> None:
    """Swap a link with the one after it, and compute every hash again."""
    number = link["sequence"]
    text = "update risk.chain_links set sequence = %s where sequence = %s"
    aside = len(links(connection)) + 1
    for new, old in ((aside, number), (number, number + 1), (number + 1, aside)):
        query(connection, text, (new, old))
    rehash(connection)


def rewrite(connection: Connection, link: dict[str, Any], draw: random.Random) -> None:
    """Change a row as `update` does, and compute every hash again, so that the chain is consistent in itself."""
    update(connection, link, draw)
    where, parts = key_of(link)
    if link["kind"] in ALL:
        key = ALL[link["kind"]]
        first, last = link["subject"].split("-")
        where, parts = sql.SQL("{} between %s and %s order by 1").format(sql.Identifier(key)), [first, last]
    names = columns_of(connection, link["kind"])
    chosen = sql.SQL(", ").join(
        sql.SQL("{}::text").format(sql.Identifier(name)) if name in {"card", "facts"} else sql.Identifier(name)
        for name in names
    )
    statement = sql.SQL("select {} from {} where {}").format(chosen, sql.Identifier("risk", link["kind"]), where)
    found = [dict(zip(names, row, strict=True)) for row in query(connection, statement, parts)]
    digests = [hashlib.sha256(canonical(row)) for row in found]
    joined = hashlib.sha256(b"".join(one.digest() for one in digests)) if link["kind"] in ALL else digests[0]
    text = "update risk.chain_links set content_sha256 = %s where sequence = %s"
    query(connection, text, (joined.hexdigest(), link["sequence"]))
    rehash(connection)
    assert verify(connection, {}).fault == ""


def truncate(connection: Connection, link: dict[str, Any], draw: random.Random) -> None:
    """Delete a row and every later one, with their links."""
    for later in links(connection)[link["sequence"] - 1 :]:
        table, key = later["kind"], ALL.get(later["kind"])
        if key:
            first, last = later["subject"].split("-")
            query(connection, f"delete from risk.{table} where {key} between %s and %s", (first, last))
        else:
            delete(connection, later, draw)
    query(connection, "delete from risk.chain_links where sequence >= %s", (link["sequence"],))
    assert verify(connection, {}).fault == ""


def drop_checks(connection: Connection) -> None:
    text = "select conrelid::regclass::text, conname from pg_constraint where contype = 'c' and conrelid <> 0"
    with connection:
        for table, name in query(connection, text):
            query(connection, f'alter table {table} drop constraint "{name}"')


def rehash(connection: Connection) -> None:
    previous = "0" * 64
    for link in links(connection):
        stated = {name: value for name, value in link.items() if name != "link_sha256"} | {"previous_sha256": previous}
        own = hashlib.sha256(canonical(stated)).hexdigest()
        text = "update risk.chain_links set previous_sha256 = %s, link_sha256 = %s where sequence = %s"
        query(connection, text, (previous, own, link["sequence"]))
        previous = own


KINDS: tuple[Callable[[Connection, dict[str, Any], random.Random], None], ...] = (
    update,
    delete,
    plant,
    reorder,
    rewrite,
    truncate,
)


def test_every_attack_of_the_superuser_on_a_witnessed_row_is_found_from_the_mails(
    connection: Connection, heads: dict[str, Head]
) -> None:
    witnessed = [link for link in links(connection) if link["sequence"] < heads["mail 3"].sequence]
    missed = []
    drop_checks(connection)
    for number in range(ATTACKS):
        draw = random.Random(SEED + number)
        attack, link = KINDS[number % len(KINDS)], draw.choice(witnessed)
        # Neither triggers nor foreign keys stop a superuser; constraints he can drop.
        query(connection, "set local session_replication_role = replica")
        attack(connection, link, draw)
        verdict = verify(connection, heads)
        connection.rollback()
        if not verdict.fault or (attack is update and f"(link {link['sequence']})" not in verdict.fault):
            missed.append((SEED + number, attack.__name__, verdict.sentence))

    assert missed == []
    assert verify(connection, heads).fault == ""


def test_rewritten_row_after_the_last_mail_is_in_the_part_that_is_not_yet_witnessed(
    connection: Connection, heads: dict[str, Head]
) -> None:
    last = links(connection)[-1]
    query(connection, "set local session_replication_role = replica")
    rewrite(connection, last, random.Random(SEED))

    verdict = verify(connection, heads)

    assert verdict.fault == ""
    assert verdict.witnessed_count == heads["mail 3"].sequence < last["sequence"]
    assert "later ones are not yet witnessed" in verdict.sentence


def test_first_row_that_differs_is_named_where_two_do(connection: Connection, heads: dict[str, Head]) -> None:
    first, _, second = [link for link in links(connection) if link["kind"] == "reports"]
    for link in (second, first):
        query(connection, "update risk.reports set facts = facts || ' ' where run_id = %s", (link["subject"],))

    fault = verify(connection, heads).fault

    assert fault == f"reports {first['subject']} (link {first['sequence']}) differs from what was recorded."


def test_head_of_a_mail_is_the_start_of_the_hash_of_the_reports_link(
    connection: Connection, heads: dict[str, Head]
) -> None:
    by_number = {link["sequence"]: link for link in links(connection)}

    assert all(by_number[head.sequence]["link_sha256"][:STATED_DIGITS] == head.digits for head in heads.values())
    assert {by_number[head.sequence]["kind"] for head in heads.values()} == {"reports"}


def test_command_compares_the_warehouse_with_mails_as_they_were_received(
    connection: Connection, warehouse_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RISK_REPORTS_DIR", str(tmp_path / "reports"))
    at = parse_dsn(warehouse_dsn)
    address = f"{at['user']}:{at.get('password', '')}@{at['host']}:{at['port']}/{at['dbname']}"
    monkeypatch.setenv(WAREHOUSE_CONNECTION, f"postgresql://{address}")
    run = open_run(connection)
    book(connection, input_fingerprint=deliver_fills(connection, run))
    recommend(connection, run, cut="0.60")
    settings = read_settings().model_copy(update={"recipients": ("manager@example.com",)})
    with served(box := Box()) as server:
        send_report(connection, run, server, Links(), settings)
    (mail := tmp_path / "received.eml").write_bytes(box.mails[0].as_bytes())
    connection.commit()

    whole = CliRunner().invoke(app, ["verify", "--mail", str(mail)])
    insert(connection, "policy_verdicts", content_sha256="", facts="{}", dag_run_id="")
    later = CliRunner().invoke(app, ["verify", "--mail", str(mail)])
    with connection:
        query(connection, "update risk.deliveries set row_count = 5, loaded_count = 5")
    changed = CliRunner().invoke(app, ["verify", "--mail", str(mail), "--json"])

    assert (whole.exit_code, whole.stdout) == (0, "The chain is whole: 4 links. Mails witness all of them.\n")
    assert (later.exit_code, later.stdout.split(". ", 1)[1]) == (
        0,
        "Mails witness the first 4; later ones are not yet witnessed.\n",
    )
    assert changed.exit_code == 1
    assert "deliveries 1 (link 2) differs from what was recorded." in changed.stdout
