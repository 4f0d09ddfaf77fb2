"""The lists of traders, sessions, breaches, decisions and changes: search, filters, order, pages, and bad addresses."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest

from risk.core.calendar import next_session
from risk.core.warehouse import Connection
from risk.limits.approvals import AirflowUser, ApprovalPolicy, open_publication
from risk.limits.register import RequestedChange, request_change
from tests.approval_desks import answer as decide
from tests.operators.web_client import words
from tests.report_desks import SESSION, book, deliver_fills, open_run, recommend, store_report

ANN = AirflowUser("1", "ann")
NAMES = [f"NET{number:03}" for number in range(1, 206)]
FUTURE = str(next_session(dt.datetime.now(dt.UTC).date()))
LONG = "A" * 50
LISTS = ("/traders", "/sessions", "/breaches", "/decisions", "/changes")


@pytest.fixture
def desk(connection: Connection) -> None:
    """Report 205 traders and one of 50 characters, ask for an approval, request a change."""
    run = open_run(connection)
    for number, name in enumerate((*NAMES, LONG)):
        recommend(connection, run, name, "0.60" if number < 3 else "0.00")
        book(connection, name, input_fingerprint=deliver_fills(connection, run, name) if number == 0 else None)
    store_report(connection, run)
    publication = open_publication(
        connection, run, ApprovalPolicy("all", False), dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
    )
    for name in NAMES[:2]:
        decide(connection, publication, name, "approved", ANN)
    change = RequestedChange("NET001", "4000", FUTURE, "", "<b>calm</b>")
    request_change(connection, change, ANN, has_dual_control=False)


def listed(answer: Any) -> list[str]:
    """Return the first cell of each row."""
    found = re.findall(r'<th scope="row"[^>]*>(.*?)</th>', answer.text)
    return [re.sub("<[^>]+>", "", cell) for cell in found]


@pytest.mark.usefixtures("desk")
def test_traders_come_in_pages_of_100_with_links_that_hold_everything(client: Any) -> None:
    first = client.get("/traders?find=net&status=active")

    assert listed(first) == NAMES[:100]
    assert "1 to 100 of 205" in words(first)
    (following,) = set(re.findall(r'rel="next" href="([^"#]*)', first.text))
    second = client.get(following.replace("&amp;", "&"))
    assert listed(second) == NAMES[100:200]
    assert "find=net" in following
    assert 'rel="prev"' in second.text


@pytest.mark.usefixtures("desk")
def test_a_page_beyond_the_end_is_the_last_one(client: Any) -> None:
    assert listed(client.get("/traders?page=99999")) == NAMES[199:]


@pytest.mark.usefixtures("desk")
def test_headings_sort_both_ways_and_say_so(client: Any) -> None:
    cuts = client.get("/traders?sort=-cut_ratio")

    # The three cuts come first; equal ones keep one order.
    assert listed(cuts)[:3] == ["NET003", "NET002", "NET001"]
    assert (
        '<th scope="col" class="number" aria-sort="descending"><a href="/traders?sort=cut_ratio">Cut</a>' in cuts.text
    )
    assert listed(client.get("/traders?sort=account_id"))[:2] == [LONG, "NET001"]


@pytest.mark.usefixtures("desk")
def test_filters_and_search_narrow_and_an_empty_result_says_what_to_do(client: Any) -> None:
    assert listed(client.get("/traders?level=high")) == NAMES[:3]
    assert listed(client.get("/traders?level=high&find=net00")) == NAMES[:3]
    assert listed(client.get("/traders?find=%25")) == []
    assert "No trader fits: take something out of the search." in words(client.get("/traders?find=_"))
    assert listed(client.get(f"/traders?find={LONG.lower()}")) == [LONG]


@pytest.mark.usefixtures("desk")
def test_export_of_a_list_has_the_rows_of_all_pages_as_searched_and_sorted(client: Any) -> None:
    lines = client.get("/traders?find=NET&sort=-account_id&page=2&format=csv").text.splitlines()

    assert [line.split(",")[0] for line in lines[1:]] == NAMES[::-1]


@pytest.mark.usefixtures("desk")
def test_sessions_link_to_theirs_and_the_date_form_still_leads_there(client: Any) -> None:
    shown = client.get("/sessions")

    assert f'href="/sessions/{SESSION}"' in shown.text
    # Three traders of 206 are cut.
    assert f"{SESSION} 2025-08-18" in words(shown)
    assert "206 3 3" in words(shown)
    moved = client.get(f"/sessions?date={SESSION}")
    assert (moved.status_code, moved.headers["location"]) == (303, f"/sessions/{SESSION}")
    assert listed(client.get("/sessions?from=2025-08-16")) == []
    assert listed(client.get("/sessions?from=2025-08-15&to=2025-08-15")) == [str(SESSION)]


@pytest.mark.usefixtures("desk")
def test_decisions_and_changes_are_found_by_person_and_state(client: Any) -> None:
    assert len(listed(client.get("/decisions?action=approved&find=ANN"))) == 2
    assert listed(client.get("/decisions?action=rejected")) == []
    pending = client.get("/changes?state=pending")
    assert listed(pending) == ["change 1"]
    assert "&lt;b&gt;calm&lt;/b&gt;" in pending.text
    assert listed(client.get("/changes?kind=policy")) == ["policy version 0"]


@pytest.mark.parametrize("path", LISTS)
def test_a_list_of_nothing_says_what_to_do(client: Any, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 200
    assert client.get(f"{path}?format=csv").status_code == 200
    assert client.get(f"{path}?format=xlsx").status_code == 200


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    ("query", "code", "sentence"),
    [
        ("sort=secret", 404, "The list cannot be sorted by"),
        ("sort=account_id;drop table risk.runs", 404, "The list cannot be sorted by"),
        ("sort=--session_date", 404, "The list cannot be sorted by"),
        ("page=0", 422, "Invalid value: page"),
        ("page=x", 422, "Invalid value: page"),
        ("find=" + "x" * 101, 422, "Invalid value: find"),
        ("find=' or 1=1 --", 200, ""),
        ("format=pdf", 404, "There is no format"),
    ],
)
def test_a_bad_address_of_a_list_gets_a_sentence(client: Any, path: str, query: str, code: int, sentence: str) -> None:
    answer = client.get(f"{path}?{query}")

    assert answer.status_code == code
    assert sentence in words(answer)


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("/breaches?state=broken", "State cannot be"),
        ("/sessions?from=tomorrow", "is not a date"),
        ("/decisions?action=x", "Decision cannot be"),
    ],
)
def test_a_filter_that_there_is_not_says_what_to_choose(client: Any, address: str, sentence: str) -> None:
    answer = client.get(address)

    assert answer.status_code == 404
    assert sentence in words(answer)


@pytest.mark.parametrize("path", LISTS)
def test_a_list_says_that_the_database_is_down(client: Any, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISK_PAGE_DSN", "postgresql://page:word@127.0.0.1:1/nothing?connect_timeout=1")

    for address in (path, f"{path}?format=csv", f"{path}?format=xlsx"):
        answer = client.get(address)
        assert answer.status_code == 503
        assert "The warehouse does not respond" in words(answer)


def test_accounts_without_a_limit_are_hidden_counted_and_shown_on_request(client: Any, connection: Connection) -> None:
    # given: of four accounts that have traded, two are closed
    run = open_run(connection)
    for name in ("NET001", "NET002", "NET001_OLD", "NET002_OLD"):
        book(connection, name, input_fingerprint=deliver_fills(connection, run, name))
    for name in ("NET001", "NET002"):
        recommend(connection, run, name, "0.00")
    store_report(connection, run)

    # when
    shown = client.get("/traders?sort=-account_id")

    # then
    assert listed(shown) == ["NET002", "NET001"]
    assert "2 accounts without a limit are hidden (closed or inactive). Show all" in words(shown)
    [path] = re.findall(r'href="([^"]*)#list">Show all', shown.text)
    whole = client.get(path.replace("&amp;", "&"))
    assert listed(whole) == ["NET002_OLD", "NET002", "NET001_OLD", "NET001"]
    assert "hidden" not in words(whole)
    # A filter by status asks for closed accounts itself; a search says what it left out.
    assert listed(client.get("/traders?status=legacy")) == ["NET001_OLD", "NET002_OLD"]
    found = words(client.get("/traders?find=1_OLD"))
    assert "No trader with a limit fits." in found
    assert "1 account without a limit is hidden" in found
    assert len(client.get("/traders?format=csv").text.splitlines()) == 1 + 2
    assert len(client.get("/traders?format=csv&show=all").text.splitlines()) == 1 + 4


def test_hidden_accounts_are_counted_on_every_page(client: Any, connection: Connection) -> None:
    # given a full page of traders and one more, between 30 closed accounts
    run = open_run(connection)
    names = [f"NET{number:03}" for number in range(101)]
    for name in (*names, *(f"{name}_OLD" for name in names[:30])):
        book(connection, name)
    for name in names:
        recommend(connection, run, name, "0.00")
    store_report(connection, run)

    for number, expected in ((1, names[:100]), (2, names[100:]), (9, names[100:])):
        shown = client.get(f"/traders?page={number}")
        assert listed(shown) == expected
        assert "30 accounts without a limit are hidden" in words(shown)
