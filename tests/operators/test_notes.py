"""What an operator reads beside a task without opening its log."""

from __future__ import annotations

import html
import re
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from risk.operators import notes
from risk.operators.notes import note_text, write_note

HOSTILE = (
    "fills.csv lacks ![x](https://evil.example/pixel.png)",
    "![x][y]\n\n[y]: https://evil.example/pixel.png",
    "[Approve](https://evil.example)",
    "<https://evil.example>",
    "see https://evil.example/a_b and http://evil.example, www.evil.example, WWW.evil.example",
    "write to boss@evil.example or mailto:boss@evil.example",
    "<img src=https://evil.example/pixel.png>",
    "`code` **bold** _slanted_ ~~struck~~ &amp; &#33;[x](y)",
    "\\![x](https://evil.example/pixel.png)",
    "# Heading\n| a | b |\n|---|---|\n| c | d |",
    "```\ncode\n```",
    "name[^1]\n\n[^1]: note",
)
HARMLESS = {"p", "br", "ul", "ol", "li", "hr", "h1", "h2", "pre", "code"}
"""What the shape of lines may still become: paragraphs, lists, underlined headings, indented lines."""


def noted(monkeypatch: pytest.MonkeyPatch, text: str) -> str:
    """Return what Airflow is asked to store."""
    api = MagicMock()
    monkeypatch.setattr(notes, "service_connection", MagicMock())
    monkeypatch.setattr(notes, "api_of", MagicMock(return_value=api))
    write_note(SimpleNamespace(dag_id="daily_risk", run_id="r", task_id="t"), text)
    return str(api.__enter__().call.call_args.args[2]["note"])


def shown(note: str) -> str:
    """Render a note as Airflow's page does: GitHub's Markdown, raw HTML shown as text."""
    return str(MarkdownIt("gfm-like", {"html": False}).render(note))


def written(rendered: str) -> str:
    """Return the characters that a reader sees, without blanks."""
    return re.sub(r"\s", "", html.unescape(re.sub(r"<[^>]*>", "", rendered)))


@pytest.mark.parametrize("text", HOSTILE)
def test_foreign_text_is_shown_as_it_is_and_loads_nothing(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    rendered = shown(noted(monkeypatch, text))

    assert set(re.findall(r"<(\w+)", rendered)) <= HARMLESS
    assert written(rendered) == re.sub(r"\s", "", text)


@given(st.text(st.sampled_from("![]()<>\\`*_~&#|:@./w-+1 \n\tahtpsx"), max_size=60).map(lambda text: f"a{text}"))
def test_no_text_becomes_an_image_a_link_or_html(text: str) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        rendered = shown(noted(monkeypatch, text))

    assert set(re.findall(r"<(\w+)", rendered)) <= HARMLESS


def test_usual_note_stays_readable_where_it_is_shown_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "session 2025-08-15: sent count 2, file fills_2025-08-15.csv, run id 7. Net -$1,033.20."

    assert noted(monkeypatch, text) == text


def test_note_names_the_session_first_then_counts_then_what_identifies() -> None:
    facts = {"run_id": 7, "sent_count": 2, "facts_sha256": "0ed7", "model_id": None, "session_date": "2025-08-15"}

    assert note_text(facts) == "session 2025-08-15: sent count 2, facts sha256 0ed7, run id 7"


def test_note_of_a_task_without_a_session_is_its_counts() -> None:
    assert note_text({"removed_count": 3}) == "removed count 3"


@pytest.mark.parametrize(("known", "expected"), [(None, ["session 2025-08-15"]), ("checked by ann", [])])
def test_run_gets_a_note_of_its_session_unless_somebody_wrote_one(
    monkeypatch: pytest.MonkeyPatch, known: str | None, expected: list[str]
) -> None:
    api = MagicMock()
    api.__enter__().call.return_value = {"note": known}
    monkeypatch.setattr(notes, "service_connection", MagicMock())
    monkeypatch.setattr(notes, "api_of", MagicMock(return_value=api))

    write_note(
        SimpleNamespace(dag_id="daily_risk", run_id="r", task_id="t"), "session 2025-08-15: ", "session 2025-08-15"
    )

    run = "/dags/daily_risk/dagRuns/r"
    written = [call.args[2]["note"] for call in api.__enter__().call.call_args_list if call.args[:2] == ("PATCH", run)]
    assert written == expected
