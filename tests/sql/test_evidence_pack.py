"""The examiner's pack: what it answers, that it shows nothing of others, and that its verifier names every change."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import json
import random
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from psycopg2.extensions import parse_dsn
from typer.testing import CliRunner

from risk.cli import app
from risk.core.connections import WAREHOUSE_CONNECTION
from risk.core.errors import RequestError
from risk.core.warehouse import Connection
from risk.evidence import verify_pack
from risk.evidence.pack import examine
from risk.evidence.parts import FINAL_PARTS
from tests import pack_desks
from tests.pack_desks import ACCOUNT, ANN, BOB, CODE, FRI, MON, OTHER, REASON, SALT, THU, TUE, at, live_on, lived, make
from tests.pack_forgeries import check, forged, rewrite
from tests.report_desks import account, desk

WHOLE = verify_pack.WHOLE
FINAL = [part.file_name for part, _ in FINAL_PARTS]


def quick(place: Path) -> tuple[int, str]:
    """Run the verifier in this process, for many runs; whatever it raises is a fault of it."""
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream), mock.patch.object(sys, "argv", ["verify.py", str(place)]):
        return verify_pack.main(), stream.getvalue()


@pytest.fixture
def pack(connection: Connection, tmp_path: Path) -> Path:
    lived(connection)
    return make(connection, tmp_path / "pack.zip").file


@pytest.fixture
def folder(pack: Path) -> Path:
    with zipfile.ZipFile(pack) as archive:
        archive.extractall(pack.parent / "unzipped")
    return pack.parent / "unzipped"


CHANGE = """
insert into risk.limit_changes (
    account_id, kind, limit_usd, starts_at, reason, requested_by, requester_name, needs_second_person, recorded_at
) values (%s, 'base', 1, now(), %s, '1', 'Ann', false, %s)"""


class Read:
    """A pack as a stranger reads it: the JSON of its parts."""

    def __init__(self, pack: Path) -> None:
        with zipfile.ZipFile(pack) as archive:
            self.parts = {
                int(name[:2]): json.loads(archive.read(name)) for name in archive.namelist() if name[:2].isdigit()
            }
            self.page = archive.read("index.html").decode()

    def rows(self, part: int, kind: str) -> list[Any]:
        rows = self.parts[part]["rows"]
        return [row[kind] for row in rows if kind in row] or [
            row["content"] for row in rows if row.get("table") == kind
        ]

    def limit_at(self, instant: dt.datetime) -> tuple[str, str]:
        limits = [limit for day in self.rows(1, "day") for limit in day["in_force"]]
        acting = [one for one in limits if dt.datetime.fromisoformat(one["from"]) <= instant]
        return acting[-1]["limit_usd"], acting[-1]["origin"]


def test_twenty_questions_of_an_examiner_are_answered_from_the_zip_alone(
    connection: Connection, tmp_path: Path
) -> None:
    runs = lived(connection)
    made = make(connection, tmp_path / "pack.zip")
    read = Read(tmp_path / "pack.zip")

    # 1 What was the limit at a time?
    assert read.limit_at(at(THU, 5)) == ("5000.00", "default base limit")
    assert read.limit_at(at(THU, 15)) == ("4000.00", "emailed")
    assert read.limit_at(at(FRI, 14)) == ("1500.00", "temporary change")
    assert read.limit_at(at(FRI, 17)) == ("4000.00", "emailed")
    assert read.limit_at(at(MON, 15)) == ("4500.00", "published")
    # 2 Who set it, when, why? 3 Who approved? 4 What did the approver see?
    edited, approved, timed_out = read.rows(4, "limit_decisions")
    assert (edited["action"], edited["user_name"], edited["reason"]) == ("edited", ANN.user_name, REASON)
    assert dt.datetime.fromisoformat(edited["recorded_at"]) == at(MON, 12, 5)
    assert (approved["action"], approved["user_name"], approved["limit_usd"]) == ("approved", BOB.user_name, "4500.00")
    seen = json.loads(read.rows(4, "shown")[1])
    assert (seen["recommended_limit_usd"], seen["approved_limit_usd"]) == ("4000.00", "4500.00")
    assert (timed_out["action"], timed_out["user_id"]) == ("timed_out", "")
    # 5 What was recommended, and by what? 6 Which policy, 7 which model, 8 which data?
    monday = read.rows(1, "day")[2]
    assert monday["recommended"]["new_limit_usd"] == "4000.00"
    assert monday["recommended"]["reasons"] == ["Loss streak: 5 sessions"]
    assert monday["recommended"]["source_version"] == "rules 1"
    assert {one["policy"]["version"].split()[0] for one in read.rows(3, "morning")} == {"0"}
    assert read.rows(3, "policies")[0]["author"] == "riskctl migrate"
    assert [one["newest_model_id"] for one in read.rows(3, "morning")] == [None] * 3
    reports = read.rows(2, "report")
    assert [dt.datetime.fromisoformat(one["as_of"]) for one in reports] == [run.as_of for run in runs.values()]
    assert [one["row_count"] for one in read.rows(2, "deliveries")] == ["8"]
    # 9 Was any restated later? Nothing yet: see below.
    assert read.parts[9]["rows"] == []
    # 10 When did a temporary change end?
    (change,) = read.rows(5, "change")
    assert dt.datetime.fromisoformat(change["ended_at"]) == at(FRI, 16)
    assert (change["requester_name"], change["decider_name"]) == (ANN.user_name, BOB.user_name)
    # 11 Largest loss and use on a day? 12 Breaches? 13 The first crossing fill? 14 How disposed of?
    friday, broken = read.rows(6, "receipt")
    assert (friday["largest_loss_usd"], friday["use_ratio"]) == ("1550.00", "0.31")
    assert (broken["outcome"], broken["hit_symbol"], broken["hit_price"]) == ("breach", "XYZ", "15.00")
    (entry,) = read.rows(6, "limit_breach_entries")
    assert (entry["action"], entry["reason"], entry["user_name"]) == ("closed", "traded on", ANN.user_name)
    noted = [(one["sentence"], one.get("session_date")) for one in read.rows(6, "notes")]
    assert noted == [("On the phone.", str(MON)), ("New to the desk.", None)]
    # 15 Days without a report, and why?
    gaps = [(row["session"], row["gap"]) for row in read.parts[12]["rows"] if "gap" in row]
    assert gaps[0] == (str(FRI), "no report: failures of the morning run: check_fills: No fills were delivered.")
    # 16 Did the mail leave, and to how many?
    mails = read.rows(8, "mail")
    assert {one["recipient"] for one in mails} == {"manager@example.com", "chief@example.com"}
    assert {one["effective_session"] for one in mails} == {str(THU)}
    # 17 What did the platform get, and its hash?
    files = read.rows(8, "platform_file")
    assert f"{ACCOUNT},{MON},4500.00,5000.00,approved" in files[0]["own_lines"]
    assert len(files[0]["sha256"]) == 64
    # 18 Who may change limits? 19 Which code?
    assert read.rows(11, "airflow_user") == [{"user": "ann", "role": "user", "manager": "SimpleAuthManager"}]
    assert [one["user_name"] for one in read.rows(11, "decided_in_range")] == [BOB.user_name]
    assert set(read.rows(10, "code_version")) == {CODE}
    # 20 Does the chain hold, and what is missing from the pack?
    assert check(made.file).stdout.startswith(WHOLE)
    assert len(read.rows(12, "never")) == 4


def test_restatement_is_told_as_of_now(connection: Connection, tmp_path: Path) -> None:
    lived(connection)
    pack_desks.book_now(connection, MON, "-9.99")
    live_on(connection)

    read = Read(make(connection, tmp_path / "pack.zip").file)

    assert read.rows(9, "restated") == [{"session": str(MON), "reported_usd": "-1033.20", "now_usd": "-9.99"}]
    assert [one["file_name"] for one in read.rows(9, "deliveries")] == ["again.csv"]
    assert [one["sentence"] for one in read.rows(9, "limit_breach_entries")] == ["The lawyer asks again."]
    assert [(one["sentence"], one["corrects"]) for one in read.rows(9, "notes")] == [("It was the broker.", "1")]
    assert "It was the broker. (recorded after the range was over)" in read.page


def test_pack_made_again_after_a_year_of_data_has_the_same_bytes(connection: Connection, tmp_path: Path) -> None:
    lived(connection)
    first = make(connection, tmp_path / "first.zip").file
    live_on(connection)

    later = make(connection, tmp_path / "later.zip").file

    with zipfile.ZipFile(first) as one, zipfile.ZipFile(later) as other:
        same = {name for name in one.namelist() if one.read(name) == other.read(name)}
        assert same == {*FINAL, "verify.py"}
        changing = [
            json.loads(other.read(name)) for name in other.namelist() if name[:2].isdigit() and name not in same
        ]
    assert {part["part"] for part in changing} == {9, 11, 12, 13}
    assert {part["known"] for part in changing} == {"as of now"}
    assert check(later).stdout.startswith(WHOLE)


def test_nothing_of_another_account_and_no_secret_is_in_the_pack(folder: Path) -> None:
    content = b"".join(path.read_bytes() for path in sorted(folder.iterdir()))

    assert OTHER.encode() not in content
    assert SALT.encode() not in content
    assert ACCOUNT.encode() in content


def test_verifier_runs_alone_and_is_short(pack: Path, folder: Path) -> None:
    own = folder / "verify.py"

    assert check(folder, verifier=own).stdout.startswith(WHOLE)
    assert check(pack, verifier=own).stdout.startswith(WHOLE)
    assert own.read_bytes() == Path(verify_pack.__file__).read_bytes()
    assert len(own.read_text().splitlines()) <= 150


def flipped(content: bytes, position: int, bit: int) -> bytes:
    return content[:position] + bytes([content[position] ^ 1 << bit]) + content[position + 1 :]


def test_any_byte_flipped_in_the_archive_is_found(pack: Path) -> None:
    content, dice = pack.read_bytes(), random.Random(20260)
    place = pack.with_name("flipped.zip")

    for position in dice.sample(range(len(content)), 400):
        place.write_bytes(flipped(content, position, dice.randrange(8)))
        assert quick(place)[0] == 1, position


def test_any_byte_flipped_in_a_file_is_found_and_the_file_is_named(folder: Path) -> None:
    dice = random.Random(20261)
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        for position in dice.sample(range(len(content)), 25):
            path.write_bytes(flipped(content, position, dice.randrange(8)))
            code, said = quick(folder)
            assert (code, path.name in said) == (1, True), (path.name, position, said)
        path.write_bytes(content)
    assert check(folder).stdout.startswith(WHOLE)


@pytest.mark.parametrize("name", ["01-limits.json", "04-approvals.json", "06-use.json", "13-chain.json"])
def test_dropped_and_reordered_rows_are_named(folder: Path, name: str) -> None:
    rewrite(folder, name, lambda rows: rows[:1] + rows[2:])
    assert f"{name}: row 3 stands where row 2 belongs" in check(folder).stdout


@pytest.mark.parametrize("name", ["01-limits.json", "04-approvals.json", "06-use.json"])
def test_reordered_rows_and_missing_last_rows_are_named(folder: Path, name: str) -> None:
    rewrite(folder, name, lambda rows: [rows[1], rows[0], *rows[2:]])
    assert f"{name}: row 2 stands where row 1 belongs" in check(folder).stdout
    rewrite(folder, name, lambda rows: [rows[1], rows[0], *rows[2:-1]])
    assert check(folder).returncode == 1


def test_forger_who_hashes_all_again_is_found_by_link_report_and_shown_text(folder: Path) -> None:
    whole = {path.name: path.read_bytes() for path in folder.iterdir()}
    attacks = [
        ("04-approvals.json", '"limit_usd":"4500.00"', '"limit_usd":"1.00"', "is not what link"),
        (
            "04-approvals.json",
            'recommended_limit_usd\\": \\"4000.00',
            'recommended_limit_usd\\": \\"1.00',
            "was shown something",
        ),
        ("02-facts.json", '"new_limit_usd":"4000.00"', '"new_limit_usd":"1.00"', "says something else of the account"),
        ("13-chain.json", '"kind":"publications"', '"kind":"publication5"', "was changed"),
        ("13-chain.json", '"sequence":"12"', '"sequence":"99"', "does not follow"),
    ]
    for name, old, new, sentence in attacks:
        rewrite(folder, name, forged(old, new))
        found = check(folder)
        assert (found.returncode, sentence in found.stdout) == (1, True), (name, found.stdout)
        for file, content in whole.items():
            (folder / file).write_bytes(content)


def test_head_of_a_mail_is_compared_with_the_chain(pack: Path, connection: Connection) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute("select sequence, left(link_sha256, 16) from risk.chain_links where kind = 'report_digests'")
        stated = [f"{sequence} {digits}" for sequence, digits in cursor.fetchall()]

    heads = [argument for head in stated for argument in ("--head", f"Chain {head}")]
    assert check(pack, *heads).stdout.startswith(WHOLE)
    assert "is not what a mail states" in check(pack, "--head", "9 0000000000000000").stdout
    assert "the chain ends at link" in check(pack, "--head", "999 0000000000000000").stdout
    assert check(pack, "--head", "nonsense").returncode == 1


def test_files_that_are_missing_or_added_are_named(folder: Path) -> None:
    (folder / "07-fit.json").unlink()
    (folder / "more.txt").write_text("x")

    found = check(folder).stdout

    assert "07-fit.json is missing." in found
    assert "more.txt is not of this pack" in found


@pytest.mark.parametrize("content", [b"", b"x", b"PK\x05\x06" + b"\0" * 18, bytes(300)])
def test_what_is_no_pack_is_called_so_without_a_traceback(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pack.zip").write_bytes(content)

    found = check(tmp_path / "pack.zip")

    assert (found.returncode, found.stderr) == (1, "")
    assert check(tmp_path / "absent").returncode == 1


def test_report_of_format_1_is_shown_and_said_to_be_unproven(connection: Connection, tmp_path: Path) -> None:
    pack_desks.report(connection, FRI, MON, desk([account(ACCOUNT)]), salt=None)

    read = Read(make(connection, tmp_path / "pack.zip", FRI, MON).file)

    assert read.rows(2, "unproven_leaf")[0]["account"]["account_id"] == ACCOUNT
    assert any("format 1" in row.get("gap", "") for row in read.parts[12]["rows"])
    assert check(tmp_path / "pack.zip").stdout.startswith(WHOLE)


def asked(connection: Connection, out: Path, **changes: Any) -> None:
    request = {"account_id": ACCOUNT, "first": THU, "last": MON, **changes}
    examine(connection, request["account_id"], request["first"], request["last"], out)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"account_id": "NET01"}, r"No account is named 'NET01'. Did you mean NET001"),
        ({"account_id": "'; drop table x; --"}, "No account is named"),
        ({"first": MON, "last": THU}, "is not a range of past days"),
        ({"last": dt.date(2199, 1, 1)}, "is not a range of past days"),
        ({"first": dt.date(2025, 8, 16), "last": dt.date(2025, 8, 17)}, "There is no session"),
        ({"first": dt.date(2024, 1, 2), "last": dt.date(2024, 1, 5)}, "Nothing was reported from 2024-01-02"),
        ({"first": dt.date(2006, 1, 3)}, "sessions are more than a pack holds"),
    ],
)
def test_request_that_no_pack_answers_is_refused_with_a_sentence(
    connection: Connection, tmp_path: Path, changes: dict[str, Any], sentence: str
) -> None:
    lived(connection)

    with pytest.raises(RequestError, match=sentence):
        asked(connection, tmp_path / "pack.zip", **changes)

    assert list(tmp_path.iterdir()) == []


def test_empty_warehouse_has_no_pack(connection: Connection, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"No account is named 'NET001'. riskctl traders lists all."):
        asked(connection, tmp_path / "pack.zip")


def test_file_that_exists_or_cannot_be_written_is_refused(connection: Connection, tmp_path: Path) -> None:
    lived(connection)
    (tmp_path / "here.zip").write_text("mine")

    with pytest.raises(RequestError, match="exists and is not replaced"):
        asked(connection, tmp_path / "here.zip")
    for out in (tmp_path / "absent" / "pack.zip", Path("/proc/pack.zip")):
        with pytest.raises(RequestError, match="The pack cannot be written to"):
            asked(connection, out)

    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]


def test_account_without_a_limit_in_the_range_still_has_a_pack(connection: Connection, tmp_path: Path) -> None:
    lived(connection)
    with connection, connection.cursor() as cursor:
        cursor.execute(CHANGE, ("NEW", "new", "2025-08-18"))

    asked(connection, tmp_path / "pack.zip", account_id="NEW")

    assert check(tmp_path / "pack.zip").stdout.startswith(WHOLE)


def test_names_that_look_like_markup_are_escaped_on_the_page(connection: Connection, tmp_path: Path) -> None:
    pack_desks.report(connection, FRI, MON, desk([account("<b>&NET")]))
    with connection, connection.cursor() as cursor:
        cursor.execute(CHANGE, ("<b>&NET", "<script>", "2025-08-18"))

    asked(connection, tmp_path / "pack.zip", account_id="<b>&NET", first=FRI)

    with zipfile.ZipFile(tmp_path / "pack.zip") as archive:
        page = archive.read("index.html").decode()
    assert "<b>&NET" not in page
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


@pytest.fixture
def command(connection: Connection, warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    lived(connection)
    place = parse_dsn(warehouse_dsn)
    address = f"{place['user']}:{place.get('password', '')}@{place['host']}:{place['port']}/{place['dbname']}"
    monkeypatch.setenv(WAREHOUSE_CONNECTION, f"postgresql://{address}")
    monkeypatch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS", "ann:user, admin:admin")
    return lambda *arguments: CliRunner().invoke(app, ["examine", *arguments])


def test_command_writes_the_pack_and_says_what_it_is(command: Callable[..., Any], tmp_path: Path) -> None:
    out = tmp_path / "pack.zip"

    made = command("--account", ACCOUNT, "--from", str(THU), "--to", str(MON), "--out", str(out), "--json")

    assert made.exit_code == 0, made.output
    facts = json.loads(made.stdout)
    assert (facts["account_id"], facts["sessions"], facts["is_final"]) == (ACCOUNT, 3, True)
    assert [one["user"] for one in Read(out).rows(11, "airflow_user")] == ["ann", "admin"]
    assert check(out).stdout.startswith(WHOLE)
    assert isinstance(command("--account", ACCOUNT, "--from", "x", "--to", "y", "--out", "z").exception, RequestError)


def test_end_of_the_range_is_that_of_its_last_morning(connection: Connection, tmp_path: Path) -> None:
    lived(connection)

    made = make(connection, tmp_path / "pack.zip")

    # Tuesday's report judges Monday: the range is over a day after it.
    assert made.scope.until == at(TUE, 11, 5) + dt.timedelta(days=1)
    assert f"{ACCOUNT}, 3 sessions from {THU} to {MON}" in made.sentence
