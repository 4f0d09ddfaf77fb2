"""What an operator reads beside a task without opening its log."""

from __future__ import annotations

from risk.operators.notes import note_text


def test_note_names_the_session_first_then_counts_then_what_identifies() -> None:
    facts = {"run_id": 7, "sent_count": 2, "facts_sha256": "0ed7", "model_id": None, "session_date": "2025-08-15"}

    assert note_text(facts) == "session 2025-08-15: sent count 2, facts sha256 0ed7, run id 7"


def test_note_of_a_task_without_a_session_is_its_counts() -> None:
    assert note_text({"removed_count": 3}) == "removed count 3"
