"""Notes about traders and days: who may write which, what is refused, and that a later one corrects."""

from __future__ import annotations

import datetime as dt

import pytest

from risk.core.chain import verify
from risk.core.errors import RequestError
from risk.core.warehouse import Connection, rows
from risk.limits.approvals import AirflowUser
from risk.limits.notes import Note, Subject, read_notes, write_note
from tests.report_desks import SESSION, book, deliver_fills, insert, open_run

ANN, BOB = AirflowUser("1", "ann"), AirflowUser("2", "bob")
TRADER, DAY, DESK_DAY = Subject("NET001", None), Subject("NET001", SESSION), Subject(None, SESSION)


@pytest.fixture
def desk(connection: Connection) -> Connection:
    run = open_run(connection)
    for name in ("NET001", "NET002"):
        book(connection, name, input_fingerprint=deliver_fills(connection, run, name))
    return connection


def sentences(notes: list[Note]) -> list[str]:
    return [note.sentence for note in notes]


def test_a_note_says_who_wrote_it_when_and_about_what(desk: Connection) -> None:
    before = rows(desk, "publish_limits/select_clock")[0][0]

    write_note(desk, DAY, "  Called him\r\n at noon.\0 ", ANN)

    (note,) = read_notes(desk)
    assert (note.subject, note.sentence, note.user_name) == (DAY, "Called him at noon.", "ann")
    assert note.recorded_at >= before
    assert str(note.subject) == f"NET001 on {SESSION}"


def test_notes_of_a_page_are_those_of_the_trader_and_his_days_or_of_the_day(desk: Connection) -> None:
    write_note(desk, TRADER, "trader", ANN)
    write_note(desk, DAY, "his day", ANN)
    write_note(desk, DESK_DAY, "the desk's day", BOB)
    write_note(desk, Subject("NET002", SESSION), "another's day", BOB)

    assert sentences(read_notes(desk, account_id="NET001")) == ["his day", "trader"]
    assert sentences(read_notes(desk, session_date=SESSION)) == ["another's day", "the desk's day", "his day"]
    assert sentences(read_notes(desk, account_id="NET001", session_date=SESSION)) == ["his day"]
    assert sentences(read_notes(desk, row_count=1)) == ["another's day"]


def test_a_later_note_corrects_and_the_earlier_one_stays(desk: Connection) -> None:
    write_note(desk, DAY, "He was ill.", ANN)
    (first,) = read_notes(desk)
    write_note(desk, DAY, "He was away.", BOB, corrects=first.note_id)

    later, earlier = read_notes(desk)
    assert (later.corrects, earlier.corrected_by) == (first.note_id, later.note_id)
    assert earlier.sentence == "He was ill."


def test_a_double_click_stores_one_note_and_another_person_the_same_words(desk: Connection) -> None:
    for user in (ANN, ANN, BOB):
        write_note(desk, TRADER, "calm", user)

    assert [note.user_name for note in read_notes(desk)] == ["bob", "ann"]


@pytest.mark.parametrize(
    ("subject", "text", "sentence"),
    [
        (TRADER, " \0\t ", "The note is empty"),
        (TRADER, "x" * 2_001, "The note has 2,001 characters: use at most 2,000"),
        (TRADER, "x" * 100_000, "The note has 100,000 characters: use at most 2,000"),
        (Subject("NOBODY", None), "x", "No account named 'NOBODY' is known"),
        (Subject(None, None), "x", "A note is about a trader, a day, or both"),
        (Subject(None, dt.date(2025, 8, 16)), "x", "2025-08-16 is no session until today"),
        (Subject("NET001", dt.date(2300, 1, 4)), "x", "2300-01-04 is no session until today"),
    ],
)
def test_what_no_note_can_be_is_refused_and_nothing_is_stored(
    desk: Connection, subject: Subject, text: str, sentence: str
) -> None:
    with pytest.raises(RequestError, match=sentence):
        write_note(desk, subject, text, ANN)

    assert read_notes(desk) == []


def test_a_note_about_something_else_cannot_be_corrected(desk: Connection) -> None:
    write_note(desk, TRADER, "trader", ANN)
    (note,) = read_notes(desk)

    with pytest.raises(RequestError, match=rf"Note {note.note_id} is not about NET001 on {SESSION}"):
        write_note(desk, DAY, "day", ANN, corrects=note.note_id)


def test_a_note_under_a_former_name_is_the_present_ones(desk: Connection) -> None:
    write_note(desk, DAY, "then", ANN)
    load_id = insert(desk, "loads", source="drop", is_simulated=False, through_session_date=SESSION)
    insert(
        desk, "accounts", account_id="NEW001", former_account_id="NET001", load_id=load_id,
        file_name="accounts.csv", line_number=2, valid_from=dt.date(2025, 8, 18),
    )  # fmt: skip

    assert sentences(read_notes(desk, account_id="NEW001")) == ["then"]


def test_notes_have_links_and_a_changed_one_is_found(desk: Connection) -> None:
    write_note(desk, TRADER, "He was warned.", ANN)
    assert not verify(desk, []).faults

    with desk, desk.cursor() as cursor:
        cursor.execute("update risk.notes set sentence = 'He was praised.'")

    (fault,) = verify(desk, []).faults
    assert "notes" in str(fault)


def test_digest_week_has_the_notes_recorded_in_it(desk: Connection) -> None:
    # 03:00 UTC on Saturday is Friday evening in New York.
    insert(
        desk, "notes", account_id="NET001", sentence="late on Friday", user_id="1", user_name="ann",
        recorded_at=dt.datetime(2025, 8, 16, 3, tzinfo=dt.UTC),
    )  # fmt: skip

    assert sentences(read_notes(desk, recorded=(dt.date(2025, 8, 9), SESSION))) == ["late on Friday"]
    assert read_notes(desk, recorded=(dt.date(2025, 8, 16), dt.date(2025, 8, 22))) == []
