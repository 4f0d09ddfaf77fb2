"""The page Limits: what is in force, who may request and approve a change, and that the limit in force follows."""

from __future__ import annotations

import datetime as dt
import html
import re
from decimal import Decimal
from typing import Any

import pytest

from risk.core.calendar import is_session, next_session
from risk.core.exchange import exchange_zone
from risk.core.runs import Run
from risk.core.warehouse import Connection
from risk.limits.limit_inputs import read_changes
from risk.limits.register import limits_in_force
from tests.operators.web_client import Member, words
from tests.report_desks import book, deliver_fills, insert_fit, insert_trader_fit, open_run, recommend, store_report

TODAY = dt.datetime.now(exchange_zone()).date()
SOON = next_session(TODAY)
LATER = next_session(SOON)
SOON_OR_TODAY = TODAY if is_session(TODAY) else SOON


@pytest.fixture(autouse=True)
def run(connection: Connection) -> Run:
    """Let an account have delivered fills."""
    run = open_run(connection)
    deliver_fills(connection, run, "NET001")
    return run


def login(name: str) -> None:
    """Be another person from now on."""
    from airflow.api_fastapi.core_api.security import get_user

    from risk.web.app import app

    app.dependency_overrides[get_user] = lambda: Member(name, name)


def token(client: Any) -> str:
    form = client.get("/limits").text.partition('action="/limits/changes"')[2]
    return str(re.findall(r'name="token" value="([^"]+)"', form)[0])


def request(client: Any, **changes: str) -> Any:
    form = {"account_id": "NET001", "limit": "2000", "kind": "temporary", "start": str(TODAY), "end": str(LATER)}
    return client.post("/limits/changes", data={**form, "reason": "on watch", "token": token(client), **changes})


def decide(client: Any, action: str = "approved", **changes: str) -> Any:
    """Send the form of the first pending change that the page shows."""
    shown = client.get("/limits").text
    path, form = re.findall(r'action="(/limits/changes/[0-9]+/decisions)">(.*?)</form>', shown, re.DOTALL)[0]
    hidden = dict(re.findall(r'name="(token|seen)" value="([^"]+)"', form))
    return client.post(path, data={**hidden, "action": action, **changes})


def in_force(connection: Connection) -> Decimal:
    return limits_in_force(connection, dt.datetime.now(dt.UTC))["NET001"].limit_usd


def states(connection: Connection) -> list[str]:
    return [change.state for change in read_changes(connection, "infinity")]


def test_requested_change_is_in_force_once_it_is_approved(client: Any, connection: Connection) -> None:
    assert "NET001 $5,000 $5,000 default base limit always" in words(client.get("/limits"))

    requested = request(client)

    assert (requested.status_code, requested.headers["Location"]) == (303, "/limits")
    shown = words(client.get("/limits"))
    assert "1 change pending" in shown
    assert "Change 1 of NET001 : temporary limit $2,000 (was $5,000)" in shown
    assert f"-$3,000.00 , from {TODAY} 00:00 New York until {LATER + dt.timedelta(days=1)} 00:00 New York" in shown
    assert in_force(connection) == 5000

    approved = decide(client)

    assert approved.status_code == 303
    shown = words(client.get("/limits"))
    assert "No change is pending." in shown
    assert "NET001 $2,000 $5,000 temporary change" in shown
    assert "ann approved by ann" in shown
    assert in_force(connection) == 2000


def test_large_desk_is_shown_in_pages_and_searched_by_name(client: Any, connection: Connection, run: Run) -> None:
    # given: with the account of every test 251 accounts, NET001 and D000 to D249
    for number in range(250):
        deliver_fills(connection, run, f"D{number:03}")
        insert_fit(connection, run, f"D{number:03}", "fits")

    # when
    first, last = client.get("/limits"), client.get("/limits?accounts=3&fits=2")

    # then
    assert rows_of(first, "Accounts") == [f"D{number:03}" for number in range(100)]
    assert "1 to 100 of 251" in words(first)
    assert rows_of(last, "Accounts") == [*(f"D{number:03}" for number in range(200, 250)), "NET001"]
    assert rows_of(last, "Do the base limits fit") == [f"D{number:03}" for number in range(100, 200)]
    # A link to the next page keeps the place in the other table and what was searched for.
    [following] = re.findall(r'rel="next" href="([^"]+)#fit"', last.text)
    assert rows_of(client.get(html.unescape(following)), "Do the base limits fit")[0] == "D200"
    found = client.get("/limits?find=net0&accounts=3")
    assert rows_of(found, "Accounts") == ["NET001"]
    assert "No reviewed limit is of a trader whose name contains that." in words(found)
    assert rows_of(client.get("/limits?find=<b>"), "Accounts") == []


def rows_of(page: Any, heading: str) -> list[str]:
    """Return the traders of the table below a heading."""
    section = page.text.partition(f">{heading}")[2].partition("</section>")[0]
    return re.findall(r'<th scope="row" class="name"><a[^>]*>([^<]+)</a>', section)


def test_rejected_change_never_acts_and_is_listed(client: Any, connection: Connection) -> None:
    request(client)

    assert decide(client, "rejected").status_code == 303

    assert in_force(connection) == 5000
    assert "1 NET001 temporary $2,000" in words(client.get("/limits")).partition("Earlier changes")[2]


def test_large_change_is_approved_by_a_second_person(client: Any, connection: Connection) -> None:
    # 5,000 to 12,000 is more than the 5,000 that one person may change alone
    request(client, limit="12000")

    shown = words(client.get("/limits"))
    assert "A second person must approve it." in shown
    assert "You requested it: a second person must approve it." in shown
    assert "Approve change" not in shown
    assert decide(client).status_code == 409
    assert states(connection) == ["pending"]

    login("bob")

    assert decide(client).status_code == 303
    assert in_force(connection) == 12000


def test_dual_control_needs_a_second_person_for_every_change(
    client: Any, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    request(client, limit="4999")
    monkeypatch.setenv("RISK_DUAL_CONTROL", "1")

    assert decide(client).status_code == 409
    login("bob")

    assert decide(client).status_code == 303


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"limit": "-1"}, "is not an amount in dollars and cents"),
        ({"reason": " "}, "A reason is missing"),
        ({"account_id": "<b>"}, "There is no account"),
        ({"end": ""}, "A temporary change has an end"),
        ({"start": "soon"}, "From 'soon' is neither a date nor an instant"),
        ({"token": "forged"}, "was not shown to you"),
    ],
)
def test_request_is_refused_with_its_reason(
    client: Any, connection: Connection, changes: dict[str, str], sentence: str
) -> None:
    answer = request(client, **changes)

    assert answer.status_code == 409
    assert sentence in words(answer).replace("&#39;", "'")
    assert "<b>" not in answer.text
    assert states(connection) == []


def test_form_of_another_change_or_person_decides_nothing(client: Any, connection: Connection) -> None:
    request(client)
    shown = client.get("/limits").text
    stolen = re.findall(r'name="token" value="([^"]+)"', shown)

    assert decide(client, seen="0" * 64).status_code == 409
    assert decide(client, token=stolen[1]).status_code == 409
    assert decide(client, action="timed_out").status_code == 422
    login("eve")
    assert decide(client, token=stolen[0]).status_code == 409
    assert states(connection) == ["pending"]


def test_viewer_sees_limits_and_no_form(client: Any, connection: Connection) -> None:
    from fastapi import HTTPException

    from risk.web.access import DECIDER, may_decide
    from risk.web.app import app

    request(client)
    sent = {"token": token(client)}

    def refuse() -> None:
        raise HTTPException(403, "Forbidden")

    assert DECIDER.dependency is not None
    app.dependency_overrides |= {may_decide: lambda: False, DECIDER.dependency: refuse}
    shown = client.get("/limits")

    assert "Change 1 of NET001" in words(shown)
    assert "requires the Airflow role User" in words(shown)
    assert 'method="post"' not in shown.text
    assert client.post("/limits/changes", data=sent).status_code == 403
    assert client.post("/limits/changes/1/decisions", data=sent).status_code == 403
    assert states(connection) == ["pending"]


def test_address_fills_in_the_form_and_nothing_in_it_is_markup(client: Any) -> None:
    shown = client.get("/limits", params={"account_id": "NET001", "limit": "900", "reason": '"><b>', "kind": "base"})

    assert 'value="900"' in shown.text
    assert '<option value="base" selected>' in shown.text
    assert "<b>" not in shown.text
    assert client.get("/limits?replaces=x").status_code == 422


def test_change_that_ended_without_a_decision_is_not_pending(client: Any, connection: Connection) -> None:
    request(client)
    day = dt.datetime(2025, 8, 4, tzinfo=dt.UTC)
    move = "update limit_changes set starts_at = %s, ends_at = %s"
    with connection, connection.cursor() as cursor:
        cursor.execute(move, (day, day + dt.timedelta(days=1)))

    shown = words(client.get("/limits"))

    assert "No change is pending." in shown
    assert "ended without a decision" in shown


def test_proposed_limit_is_requested_by_the_form_that_its_link_fills_in(
    client: Any, connection: Connection, run: Run
) -> None:
    assert "No run has reviewed the limits yet." in words(client.get("/limits"))
    said = {"sentence": "never reached: largest use 4% in 250 days", "proposed_limit_usd": "1400.00"}
    insert_fit(connection, run, "NET001", "never reached", loss_probability="0.0004", **said)

    shown = client.get("/limits")

    expected = "NET001 $5,000 250 1% 3% 4% 0 (0% to 2%) none <0.1% never reached: largest use 4% in 250 days. Request"
    assert expected in html.unescape(words(shown))
    [link] = re.findall(r'href="([^"]+)">Request \$1,400</a>', shown.text)
    filled_in = client.get(html.unescape(link).removesuffix("#request")).text.partition('action="/limits/changes"')[2]
    sent = dict(re.findall(r'name="([a-z_]+)"[^>]* value="([^"]*)"', filled_in))
    assert (sent["limit"], sent["reason"], sent["start"]) == ("1400.00", said["sentence"], str(SOON_OR_TODAY))
    assert client.post("/limits/changes", data={**sent, "kind": "base"}).status_code == 303
    assert [change.limit_usd for change in read_changes(connection, "infinity")] == [1400]


def test_trader_with_several_accounts_is_shown_with_links_to_them(
    client: Any, connection: Connection, run: Run
) -> None:
    assert "Traders with several accounts" not in words(client.get("/limits"))
    insert_fit(connection, run, "NET001", "fits")
    insert_trader_fit(
        connection, run, "<b>Jones", "not known", sentence="not known: reached at the close on 0 of 9 days"
    )

    shown = client.get("/limits")

    assert "C , D $10,000 250 20% to 40% 0 to 2 not known: reached at the close on 0 of 9 days" in words(shown)
    assert "&lt;b&gt;Jones" in shown.text
    assert 'href="/traders/C"' in shown.text
    assert "Traders with several accounts" in words(client.get("/limits?find=jones"))
    assert "Traders with several accounts" not in words(client.get("/limits?find=smith"))


def test_limit_is_confirmed_by_who_entered_it_on_the_platform_as_it_was_shown(
    client: Any, connection: Connection
) -> None:
    shown = client.get("/limits").text
    [sent] = re.findall(r'name="token" value="([^"]+)"', shown.partition('action="/limits/platform"')[2])[:1]
    [ticked] = re.findall(r'name="entered" value="([^"]+)"', shown)

    assert client.post("/limits/platform", data={"token": sent}).status_code == 409
    assert client.post("/limits/platform", data={"token": token(client), "entered": ticked}).status_code == 409
    assert client.post("/limits/platform", data={"token": sent, "entered": ticked}).status_code == 303
    assert re.search(r"default base limit always confirmed by ann, \d{4}-", words(client.get("/limits")))

    # a page that was shown before the limit changed confirms nothing
    request(client)
    decide(client)
    assert "NET001 $2,000 $5,000 temporary change" in words(client.get("/limits"))
    assert "unconfirmed" in words(client.get("/limits"))
    late = client.post("/limits/platform", data={"token": sent, "entered": ticked})
    assert "is no longer $5,000, it is $2,000" in words(late)


def test_closed_accounts_are_hidden_unless_a_change_gives_them_a_limit(client: Any, connection: Connection) -> None:
    # given: the newest report gives a limit to NET001, none to two closed accounts, and does not know a new one
    reported = open_run(connection, revision=2)
    recommend(connection, reported, "NET001", "0.00")
    for name in ("NET001", "NET001_OLD", "NET002_OLD"):
        book(connection, name)
    store_report(connection, reported)
    for name in ("NET001_OLD", "NET002_OLD", "NET009"):
        deliver_fills(connection, reported, name)

    # when
    shown = client.get("/limits")

    # then
    assert rows_of(shown, "Accounts") == ["NET001", "NET009"]
    assert "2 accounts without a limit are hidden (closed or inactive). Show all" in words(shown)
    assert rows_of(client.get("/limits?show=all"), "Accounts") == ["NET001", "NET001_OLD", "NET002_OLD", "NET009"]
    assert "No account with a limit." in words(client.get("/limits?find=_OLD"))
    request(client, account_id="NET002_OLD")
    assert rows_of(client.get("/limits"), "Accounts") == ["NET001", "NET002_OLD", "NET009"]
    assert client.get("/limits?show=closed").status_code == 422
