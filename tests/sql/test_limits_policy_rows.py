"""Adopted policies as rows: which one a run uses, what adoption refuses, groups, replay and the command line."""

from __future__ import annotations

import contextlib
import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from psycopg2.extensions import make_dsn, parse_dsn
from typer.testing import CliRunner

from risk.cli import app
from risk.core import schema, warehouse
from risk.core.calendar import next_session
from risk.core.connections import WAREHOUSE_CONNECTION
from risk.core.errors import RequestError
from risk.core.exchange import exchange_zone
from risk.core.policy_document import default_policy, parse_policy
from risk.core.policy_store import read_policies, read_policy
from risk.core.runs import Run, read_roster
from risk.core.settings import read_settings
from risk.core.warehouse import Connection, writing
from risk.ingest.load import load_drop
from risk.limits.adopt_policy import Adoption, adopt
from risk.limits.approvals import AirflowUser
from risk.limits.decide import apply_rules
from risk.limits.policy import read_terms
from risk.limits.policy_requests import read_requests
from risk.report.page import Links
from risk.report.replay import replay
from risk.report.send import send_report
from tests import policies
from tests.databases import create_database, drop_database
from tests.drops import write_drop
from tests.policies import ANY_LOSS, SHIPPED, policy_document, policy_text
from tests.publications import run_line
from tests.smtp_boxes import Box, served
from tests.sql.daily_rows import insert_pnl, new_run, trading_days

NOW = dt.datetime(2025, 8, 18, 16, tzinfo=dt.UTC)
MONDAY, TUESDAY = dt.date(2025, 8, 18), dt.date(2025, 8, 19)
LABOR_DAY = dt.date(2025, 9, 1)
SMALL = policy_document(cut__maximum="60%")


def asked(valid_from: dt.date = TUESDAY, reason: str = "smaller cuts", document: Any = SMALL) -> Adoption:
    return Adoption(document, valid_from, AirflowUser("ann@desk", "ann@desk"), reason)


def decided(connection: Connection, run: Run, *columns: str) -> dict[str, Any]:
    apply_rules(connection, run)
    with connection, connection.cursor() as cursor:
        cursor.execute(f"select account_id, {', '.join(columns)} from recommendations where run_id = %s", (run.run_id,))
        return {account_id: found[0] if len(columns) == 1 else tuple(found) for account_id, *found in cursor}


def calm(days: list[dt.date]) -> dict[dt.date, str]:
    return {day: ("100", "-100")[number % 2] for number, day in enumerate(days)}


def test_shipped_policy_is_version_zero_from_set_up_on_and_known_at_all_times(connection: Connection) -> None:
    long_ago = dt.datetime(2001, 1, 1, tzinfo=dt.UTC)

    (only,) = read_policies(connection)

    assert (only.version, only.document, only.valid_from) == (0, default_policy(), None)
    assert read_policy(connection, dt.date(2001, 1, 3), long_ago) == only


def test_new_warehouse_takes_its_default_base_limit_from_the_setting(server_dsn: str) -> None:
    create_database(server_dsn, "policy_default", "template1")
    try:
        with contextlib.closing(warehouse.connect(make_dsn(server_dsn, dbname="policy_default"))) as connection:
            schema.migrate(connection, Decimal("7500.50"))
            schema.migrate(connection, Decimal(9000))
            (only,) = read_policies(connection)
    finally:
        drop_database(server_dsn, "policy_default")

    assert only.desk.accounts.default_base_limit_usd == Decimal("7500.50")
    assert only.desk.rules == default_policy().desk.rules


def test_run_uses_the_newest_version_valid_and_recorded_by_then(connection: Connection) -> None:
    # given version 1 from Tuesday on and, adopted later, version 2 from Wednesday on
    before = dt.datetime.now(dt.UTC)
    first = adopt(connection, asked(), NOW, has_dual_control=False)
    second = adopt(connection, asked(dt.date(2025, 8, 20), document=ANY_LOSS), NOW, has_dual_control=False)

    versions = {
        (day, as_of): read_policy(connection, day, as_of).version
        for day in (MONDAY, TUESDAY, dt.date(2025, 8, 20))
        for as_of in (before, first.recorded_at, second.recorded_at)
    }

    assert [versions[MONDAY, one] for one in (before, first.recorded_at, second.recorded_at)] == [0, 0, 0]
    assert [versions[TUESDAY, one] for one in (before, first.recorded_at, second.recorded_at)] == [0, 1, 1]
    assert [versions[dt.date(2025, 8, 20), one] for one in (before, first.recorded_at, second.recorded_at)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("adoption", "has_dual_control", "words"),
    [
        (asked(dt.date(2025, 8, 15)), False, "2025-08-15 is past"),
        (asked(LABOR_DAY), False, "2025-09-01 is no session"),
        (asked(reason=" \n"), False, "A reason is missing"),
        (asked(reason="x" * 501), False, "501 characters"),
        (asked(document=default_policy()), False, "applies on 2025-08-19 already, version 0"),
        (asked(document=default_policy()), True, "applies on 2025-08-19 already, version 0"),
        (asked(dt.date(2025, 8, 15)), True, "2025-08-15 is past"),
        (asked(dt.date.max), False, "after the calendar's last session"),
    ],
)
def test_adoption_that_cannot_be_is_refused_and_stores_nothing(
    connection: Connection, adoption: Adoption, has_dual_control: bool, words: str
) -> None:
    with pytest.raises(RequestError, match=words):
        adopt(connection, adoption, NOW, has_dual_control=has_dual_control)
    assert len(read_policies(connection)) == 1
    assert read_requests(connection) == []


def test_adoption_for_the_running_day_is_accepted_with_author_and_reason(connection: Connection) -> None:
    found = adopt(connection, asked(MONDAY, "  two\nlines "), NOW, has_dual_control=False)

    assert (found.version, found.valid_from, found.author, found.reason) == (1, MONDAY, "ann@desk", "two lines")
    assert found.document == SMALL


def test_decision_names_its_policy_and_follows_bounds_base_limit_and_coverage(connection: Connection) -> None:
    # given five losing days in a row after a calm month, and accounts that the policy calls legacy or inactive
    days = trading_days(40)
    five_losses = calm(days[:35]) | dict.fromkeys(days[35:], "-100")
    for name in ("A", "A_ALT", "A_OLD"):
        insert_pnl(connection, name, five_losses)
    insert_pnl(connection, "GONE", calm(days[:34]))
    text = policy_text(
        accounts__legacy_suffix="_ALT", accounts__active_within_sessions=6, accounts__default_base_limit_usd="8000.00"
    ).replace("bound: 5\n    cut: 50%", "bound: 5\n    cut: 55%")
    version = policies.adopt(connection, parse_policy(text, "test"))

    # when
    run = new_run(connection, days[-1])
    found = decided(connection, run, "base_limit_usd", "cut_ratio", "level", "source_version")

    # then
    assert found.keys() == {"A", "A_OLD"}
    assert found["A"] == (8000, Decimal("0.55"), "high", f"policy version {version}")
    assert {trader.account_id: trader.status for trader in read_roster(connection, run)}["A_ALT"] == "legacy"


def test_run_before_an_adoption_decides_as_before(connection: Connection) -> None:
    days = trading_days(30)
    insert_pnl(connection, "A", calm(days[:25]) | dict.fromkeys(days[25:], "-1000"))
    earlier = new_run(connection, days[-1])
    with writing(connection):
        policies.insert_policy(connection, SMALL, days[0], "test", "later")

    later = new_run(connection, days[-1])

    assert decided(connection, earlier, "source_version")["A"] == "policy version 0"
    assert decided(connection, later, "source_version")["A"] == "policy version 1"


def test_small_losses_cut_nobody_unless_the_policy_says_so(connection: Connection) -> None:
    # given a large loss of 107 after twenty days of 100: about a day's usual result, 2% of the base limit of 5,000
    days = trading_days(31)
    insert_pnl(connection, "A", calm(days[:30]) | {days[30]: "-107"})
    run = new_run(connection, days[-1])
    assert decided(connection, run, "cut_ratio")["A"] == 0

    policies.adopt(connection, ANY_LOSS)
    assert decided(connection, run, "cut_ratio")["A"] == Decimal("0.20")


def test_group_of_the_roster_has_its_own_values(connection: Connection, tmp_path: Path) -> None:
    # given an intern and a name that no group of the policy has
    values = "recipients: []\n    overrides: {accounts.default_base_limit_usd: 900.00}"
    text = SHIPPED.replace("groups: []\n", f"groups:\n  - name: Interns\n    {values}\n")
    policies.adopt(connection, parse_policy(text, "test"))
    session = dt.date(2025, 8, 15)
    write_drop(tmp_path, session, {"NET001": 2, "NET002": 2, "NET003": 2})
    rows = ("NET001,interns,", "NET002,Other,", "NET003,Interns,700", "")
    (tmp_path / "accounts.csv").write_text("\n".join(("Account,Group,Base Limit", *rows)))

    load_drop(connection, tmp_path, session, read_settings())

    terms = read_terms(connection, next_session(session))
    limits = {name: terms.of(name).base_limit_usd for name in ("NET001", "NET002", "NET003", "NET004")}
    assert limits == {"NET001": 900, "NET002": 5000, "NET003": 700, "NET004": 5000}


def test_replay_of_a_past_morning_uses_the_policy_of_that_morning(
    connection: Connection, warehouse_dsn: str, tmp_path: Path
) -> None:
    # given a report, and a policy for the same session adopted after it
    session = dt.date(2025, 8, 15)
    (tmp_path / "drop").mkdir()
    drop = write_drop(tmp_path / "drop", session, {"NET001": 4})
    settings = read_settings().model_copy(update={"reports_dir": tmp_path / "reports"})
    reported = send_report(connection, run_line(connection, warehouse_dsn, drop, session), None, Links(), settings)
    with writing(connection):
        policies.insert_policy(connection, policy_document(accounts__default_base_limit_usd=9000), MONDAY, "a", "b")

    # when
    with contextlib.closing(warehouse.connect(warehouse_dsn)) as other:
        again = replay(other, warehouse_dsn, session, None)
    with contextlib.closing(warehouse.connect(warehouse_dsn)) as other:
        now = replay(other, warehouse_dsn, session, dt.datetime.now(dt.UTC))

    # then
    assert again.facts.sha256 == reported.facts_sha256
    assert again.facts.policy.version.startswith("0 (")
    assert now.facts.policy.version.startswith("1 (")
    assert (again.facts.accounts[0].base_limit_usd, now.facts.accounts[0].base_limit_usd) == (5000, 9000)


def test_report_goes_to_the_readers_of_the_policy_too_and_names_its_version(
    connection: Connection, tmp_path: Path
) -> None:
    # given
    text = SHIPPED.replace("\nrecipients: []", "\nrecipients: [desk@example.com]")
    version = policies.adopt(connection, parse_policy(text, "test"))
    days = trading_days(25)
    insert_pnl(connection, "A", calm(days))
    run = new_run(connection, days[-1])
    apply_rules(connection, run)
    settings = read_settings().model_copy(update={"reports_dir": tmp_path, "recipients": ("manager@example.com",)})

    # when
    with served(box := Box()) as server:
        send_report(connection, run, server, Links(), settings)

    # then
    assert sorted(str(mail["To"]) for mail in box.mails) == ["desk@example.com", "manager@example.com"]
    label = read_policy(connection, run.effective_session, run.as_of).label
    assert label.startswith(f"{version} (")
    assert f"Policy version {label}." in box.text()
    assert f"Policy version {label}." in box.html()


def invoke(monkeypatch: pytest.MonkeyPatch, dsn: str, *arguments: str) -> Any:
    place = parse_dsn(dsn)
    uri = f"postgresql://{place['user']}:{place.get('password', '')}@{place['host']}:{place['port']}/{place['dbname']}"
    monkeypatch.setenv(WAREHOUSE_CONNECTION, uri)
    return CliRunner().invoke(app, ["policy", *arguments], catch_exceptions=False)


def test_command_line_shows_and_compares_what_was_adopted(
    connection: Connection, warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = next_session(dt.datetime.now(exchange_zone()).date())
    second = next_session(first)
    policies.adopt(connection, policy_document(cut__maximum="60%"), second)

    before = invoke(monkeypatch, warehouse_dsn, "show", "--session", str(first)).stdout
    after = invoke(monkeypatch, warehouse_dsn, "show", "--session", str(second)).stdout
    compared = invoke(monkeypatch, warehouse_dsn, "diff", "0", "1").stdout

    assert "No policy was adopted for this session" in before
    assert parse_policy(before, "printed").desk == default_policy().desk
    assert after.startswith("# policy version 1 ")
    assert "for a test" in after.splitlines()[0]
    assert compared == "cut.maximum: 80% -> 60%\n"
    with pytest.raises(RequestError, match="No policy version 7"):
        invoke(monkeypatch, warehouse_dsn, "diff", "7", "0")
    with pytest.raises(RequestError, match="is no session"):
        invoke(monkeypatch, warehouse_dsn, "show", "--session", str(LABOR_DAY))
