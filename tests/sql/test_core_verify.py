"""Every change of what is recorded is found from the mails, whoever made it and however he hid it."""

from __future__ import annotations

import random
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import parse_dsn
from typer.testing import CliRunner

from risk.cli import app
from risk.core import verify as verifier
from risk.core.chain import ALL, EACH, PARTS, STATED_DIGITS, export, read_head, verify
from risk.core.connections import WAREHOUSE_CONNECTION
from risk.core.errors import StackError
from risk.core.roles import Roles
from risk.core.schema import prepare_warehouse
from risk.core.settings import Settings, read_settings
from risk.core.verify import DELIVERED, LOADED, Witness
from risk.core.warehouse import Connection, rows
from risk.ingest.load import load_drop
from risk.limits.approvals import APPROVED, REJECTED
from risk.limits.publish import publish
from risk.report.page import Links
from risk.report.send import send_report
from tests.approval_desks import ANN, BOB, answer, opened, reported
from tests.chain_attacks import columns_of, disarm, links, query, rewrite, unguard
from tests.drops import write_drop
from tests.report_desks import SESSION, book, deliver_fills, insert, open_run, recommend
from tests.smtp_boxes import Box, served

SEED = 20250815


def address_of(dsn: str) -> str:
    at = parse_dsn(dsn)
    return f"postgresql://{at['user']}:{at.get('password', '')}@{at['host']}:{at['port']}/{at['dbname']}"


@pytest.fixture
def heads(connection: Connection, tmp_path: Path) -> list[Witness]:
    """Give the heads of three mails over loads, reports, decisions; later rows have no witness."""
    marks = "Date,Symbol,Price\n2025-08-15,AAA,10.5\n2025-08-15,BBB,2\n2025-08-15,CCC,3.25\n"
    folder = write_drop(tmp_path, SESSION, {"NET001": 3, "NET002": 2})
    (folder / "marks.csv").write_text(marks)
    load_drop(connection, folder, SESSION, Settings())
    found = []
    for revision in (1, 2, 3):
        run = reported(connection, revision, HIGH=f"0.{5 + revision}", LOW="0.20")
        found.append(Witness(f"mail {revision}", *read_head(connection, "reports", [str(run.run_id)])))
        publication = opened(connection, run)
        answer(connection, publication, "HIGH", APPROVED, ANN)
    answer(connection, publication, "LOW", REJECTED, BOB)
    publish(connection, publication, None)
    return found


def test_honest_history_is_whole_and_its_last_rows_are_not_yet_witnessed(
    connection: Connection, heads: list[Witness]
) -> None:
    verdict = verify(connection, heads)

    last = heads[-1].sequence
    assert (verdict.faults, verdict.exit_code, verdict.witnessed_count) == ((), 0, last)
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

    assert verify(connection, []).faults == ()


@pytest.mark.parametrize("instant", ["infinity", "-infinity", "2025-08-15 11:00:00+00 BC", "12025-08-15 11:00:00+00"])
def test_odd_instants_have_a_text_of_their_own(connection: Connection, instant: str) -> None:
    query(
        connection,
        "insert into risk.policy_verdicts (content_sha256, facts, dag_run_id, recorded_at) values ('', '{}', '', %s)",
        [instant],
    )
    assert verify(connection, []).faults == ()

    odd = links(connection)[-1]
    query(connection, "update risk.policy_verdicts set recorded_at = '2025-08-15 11:00:00+00'")
    changed = verify(connection, []).faults

    assert changed == (f"policy_verdicts {odd['subject']} (link {odd['sequence']}) differs from what was recorded.",)


def test_odd_numbers_are_told_apart_by_their_text(connection: Connection) -> None:
    insert(connection, "policy_verdicts", content_sha256="", facts='{"a": 1.50}', dag_run_id="")
    query(connection, """update risk.policy_verdicts set facts = '{"a": 1.5}'""")

    assert len(verify(connection, []).faults) == 1


def test_next_report_links_what_was_loaded_since_the_last(connection: Connection, tmp_path: Path) -> None:
    # given two deliveries, one of them with a rejected row
    folder = write_drop(tmp_path, SESSION, {"NET001": 3, "NET002": 2})
    with (folder / f"fills_{SESSION}.csv").open("a") as file:
        file.write(f"{SESSION:%m/%d/%Y} 10:59:00,NET002,B,many,XYZ,10.5,1.25,0.25,,USD,99\n")
    load_drop(connection, folder, SESSION, Settings())
    assert verify(connection, []).waiting_count == 3
    assert "The next report links the rows of 3 more." in verify(connection, []).sentence

    # when the session is reported, twice
    for revision in (1, 2):
        reported(connection, revision, HIGH="0.50")

    # then each has its link, once
    linked = [(link["kind"], link["subject"], link["row_count"]) for link in links(connection) if link["kind"] in PARTS]
    assert linked == [("fill_rejects", "1 fills_2025-08-15.csv", 1), ("fills", "1", 3), ("fills", "2", 2)]
    verdict = verify(connection, [])
    assert (verdict.faults, verdict.waiting_count) == ((), 0)
    # and neither a change nor a row more goes unseen
    query(connection, "update risk.fills set price = price + 0.00000001 where delivery_id = 2 and line_number = 5")
    query(connection, "delete from risk.fill_rejects")
    query(
        connection,
        "insert into risk.fills select 99, line_number, account_id, session_date, executed_at, "
        "is_time_unknown, tie_rank, side, quantity, symbol, price, currency, fees_usd from risk.fills",
    )
    faults = verify(connection, []).faults
    assert [fault.split(" (link")[0] for fault in faults] == [
        "fill_rejects 1 fills_2025-08-15.csv",
        "fills 2",
        "fills 99 has no link: it was not recorded by this warehouse.",
    ]


def test_report_that_is_stored_again_after_a_load_links_it_once(connection: Connection, tmp_path: Path) -> None:
    run = reported(connection, 1, HIGH="0.50")
    load_drop(connection, write_drop(tmp_path, SESSION, {"NET001": 3}), SESSION, Settings())
    with connection:
        rows(
            connection,
            "send_report/insert_reports",
            {"run_id": run.run_id, "facts": "{}", "facts_sha256": "", "salt": None},
        )
    reported(connection, 2, HIGH="0.50")

    assert [link["subject"] for link in links(connection) if link["kind"] == "fills"] == ["1"]
    assert verify(connection, []).faults == ()


def test_columns_of_rows_that_are_linked_as_text_are_those_of_format_1(connection: Connection) -> None:
    # A column more is another text, of which no earlier link is the hash: such links need format 2.
    assert {table: len(columns_of(connection, table)) for table in PARTS} == {
        "corrections": 15,
        "fill_rejects": 10,
        "fills": 16,
    }


def test_verifier_runs_alone_on_an_export(
    connection: Connection, heads: list[Witness], warehouse_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given an export and a mail
    mail, folder, alone = tmp_path / "report.eml", tmp_path / "export", tmp_path / "elsewhere.py"
    mail.write_text(f"Subject: Report\n\nChain {heads[-1].sequence} {heads[-1].digits}\n")
    monkeypatch.setenv(WAREHOUSE_CONNECTION, address_of(warehouse_dsn))
    exported = CliRunner().invoke(app, ["verify", "--export", str(folder), "--mail", str(mail)])
    alone.write_bytes(Path(verifier.__file__).read_bytes())

    # when Python alone verifies it, and after a change
    def verify_alone() -> tuple[int, str]:
        command = [sys.executable, "-I", "-S", str(alone), str(folder), str(mail)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    whole = verify_alone()
    (file := folder / "fills.jsonl").write_text(file.read_text().replace("XYZ", "XYA", 1))
    changed = verify_alone()
    file.write_text("[1")
    damaged = verify_alone()

    # then it says what riskctl verify says
    assert whole == (0, exported.stdout)
    assert (changed[0], changed[1].startswith("fills 1 (link ")) == (1, True)
    assert (damaged[0], "is not what riskctl verify --export wrote" in damaged[1]) == (1, True)
    assert len(alone.read_text().splitlines()) <= 150


def test_export_is_private_and_writes_through_nothing_that_exists(connection: Connection, tmp_path: Path) -> None:
    victim, folder, other = tmp_path / "victim", tmp_path / "export", tmp_path / "other"
    victim.write_text("mine")
    other.mkdir()
    (other / "policies.jsonl").symlink_to(victim)

    export(connection, folder)
    with pytest.raises(StackError, match="other cannot be written: File exists"):
        export(connection, other)
    with pytest.raises(StackError, match="export cannot be written: File exists"):
        export(connection, folder)

    assert victim.read_text() == "mine"
    assert {path.stat().st_mode & 0o077 for path in (folder, *folder.iterdir())} == {0}


def test_tables_of_the_verifier_are_those_with_a_trigger(connection: Connection) -> None:
    text = """
        select c.relname, string_to_array(encode(t.tgargs, 'escape'), '\\000')
        from pg_trigger as t inner join pg_class as c on t.tgrelid = c.oid where t.tgname = 'link_rows'"""

    triggers = {table: [part for part in arguments if part] for table, arguments in query(connection, text)}

    assert triggers == {
        **{table: ["each", *key] for table, key in EACH.items()},
        **{table: ["all", key] for table, key in ALL.items()},
    }
    assert (set(LOADED), set(DELIVERED)) == (set(ALL), set(PARTS))


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
    prepare_warehouse(connection, Roles(role))
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
    assert verify(connection, []).faults == ()


def test_rewritten_row_after_the_last_mail_is_in_the_part_that_is_not_yet_witnessed(
    connection: Connection, heads: list[Witness]
) -> None:
    last = links(connection)[-1]
    disarm(connection)
    unguard(connection)
    rewrite(connection, last, random.Random(SEED))

    verdict = verify(connection, heads)

    assert verdict.faults == ()
    assert verdict.witnessed_count == heads[-1].sequence < last["sequence"]
    assert "later ones are not yet witnessed" in verdict.sentence


def test_first_row_that_differs_is_named_where_two_do(connection: Connection, heads: list[Witness]) -> None:
    first, _, second = [link for link in links(connection) if link["kind"] == "reports"]
    for link in (second, first):
        query(connection, "update risk.reports set facts = facts || ' ' where run_id = %s", (link["subject"],))

    faults = verify(connection, heads).faults

    assert faults == tuple(
        f"reports {link['subject']} (link {link['sequence']}) differs from what was recorded."
        for link in (first, second)
    )


def test_head_of_a_mail_is_the_start_of_the_hash_of_the_reports_link(
    connection: Connection, heads: list[Witness]
) -> None:
    by_number = {link["sequence"]: link for link in links(connection)}

    assert all(by_number[head.sequence]["link_sha256"][:STATED_DIGITS] == head.digits for head in heads)
    assert {by_number[head.sequence]["kind"] for head in heads} == {"reports"}


def test_command_compares_the_warehouse_with_mails_as_they_were_received(
    connection: Connection, warehouse_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RISK_REPORTS_DIR", str(tmp_path / "reports"))
    monkeypatch.setenv(WAREHOUSE_CONNECTION, address_of(warehouse_dsn))
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
