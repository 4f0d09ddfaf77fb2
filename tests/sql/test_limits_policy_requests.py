"""Policies under dual control: pending until a second person approves what he was shown, and only then in force."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from risk.core.calendar import next_session, previous_session
from risk.core.errors import RequestError
from risk.core.exchange import exchange_zone
from risk.core.policy_document import PolicyDocument
from risk.core.policy_store import read_policies, read_policy
from risk.core.warehouse import Connection
from risk.limits.adopt_policy import Adoption, adopt
from risk.limits.approvals import APPROVED, REJECTED, AirflowUser
from risk.limits.policy_requests import (
    PolicyDecision,
    PolicyRequest,
    decide_request,
    open_requests,
    pending_policy_sentences,
    read_request,
    read_requests,
    show_request,
)
from tests.policies import policy_document, policy_text
from tests.sql.test_limits_policy_rows import invoke

NOW = dt.datetime.now(dt.UTC)
TODAY = NOW.astimezone(exchange_zone()).date()
SOON = next_session(TODAY)
SMALL, TINY = policy_document(cut__maximum="60%"), policy_document(cut__maximum="70%")
ANN, BOB = AirflowUser("ann", "Ann"), AirflowUser("bob", "Bob")


def request(connection: Connection, user: AirflowUser = ANN, document: PolicyDocument = SMALL, **changes: Any) -> Any:
    asked = Adoption(document, changes.get("valid_from", SOON), user, changes.get("reason", "smaller cuts"))
    return adopt(connection, asked, NOW, has_dual_control=True)


def decide(connection: Connection, asked: PolicyRequest, user: AirflowUser, action: str = APPROVED) -> PolicyRequest:
    seen = show_request(connection, asked, has_dual_control=True).sha256
    return decide_request(connection, PolicyDecision(asked.request_id, action, seen), user, has_dual_control=True)


def maximum(connection: Connection) -> str:
    return f"{read_policy(connection, SOON).desk.cut.maximum:.2f}"


def test_request_is_no_policy_until_a_second_person_approves_it(connection: Connection) -> None:
    asked = request(connection)

    assert (asked.state, maximum(connection), len(read_policies(connection))) == ("pending", "0.80", 1)
    assert show_request(connection, asked, has_dual_control=True).differences == ["cut.maximum: 80% -> 60%"]

    decided = decide(connection, asked, BOB)

    assert (decided.state, decided.decider_name) == ("approved", "Bob")
    found = read_policy(connection, SOON)
    assert (found.version, found.document, found.valid_from) == (1, SMALL, SOON)
    assert (found.author, found.approver, found.reason) == ("Ann", "Bob", "smaller cuts")
    # approved now, it was not known before
    assert read_policy(connection, SOON, asked.recorded_at).version == 0


@pytest.mark.parametrize(
    ("requester", "approver"),
    [
        (ANN, ANN),
        (ANN, AirflowUser("ANN", "Ann")),
        (AirflowUser("7", "ann"), AirflowUser("8", "Ann")),
        (AirflowUser("ann@desk", "ann@desk"), AirflowUser("Ann", "Ann Lee")),
        (AirflowUser("Ann@Desk", "Ann@Desk"), AirflowUser("3", "ann")),
        (AirflowUser("ann@example.com", "Ann"), AirflowUser("Ann@Example.com", "A. Lee")),
    ],
)
def test_requester_never_approves_however_his_name_is_written(
    connection: Connection, requester: AirflowUser, approver: AirflowUser
) -> None:
    asked = request(connection, requester)

    with pytest.raises(RequestError, match="may not approve it: a second person has to"):
        decide(connection, asked, approver)

    assert (read_request(connection, 1).state, len(read_policies(connection))) == ("pending", 1)
    assert decide(connection, asked, approver, REJECTED).state == "rejected"


def test_rejected_request_is_no_policy(connection: Connection) -> None:
    decide(connection, request(connection), BOB, REJECTED)

    assert maximum(connection) == "0.80"
    with pytest.raises(RequestError, match="is already rejected by Bob"):
        decide(connection, read_request(connection, 1), AirflowUser("eve", "Eve"))


def test_approval_counts_for_what_was_shown_only(connection: Connection) -> None:
    first, second = request(connection), request(connection, document=TINY)
    seen = show_request(connection, first, has_dual_control=True).sha256

    # given another policy in force since
    decide(connection, second, BOB)

    with pytest.raises(RequestError, match="no longer what you were shown, since the policy it replaces has changed"):
        decide_request(connection, PolicyDecision(first.request_id, APPROVED, seen), BOB, has_dual_control=True)
    assert maximum(connection) == "0.70"
    # shown again it may be approved
    assert decide(connection, first, BOB).state == "approved"
    assert maximum(connection) == "0.60"


def test_hash_depends_on_policy_session_and_reason(connection: Connection) -> None:
    requests = [
        request(connection),
        request(connection, document=TINY),
        request(connection, valid_from=next_session(SOON)),
        request(connection, reason="because"),
    ]

    numbered = [dict(show_request(connection, one, has_dual_control=True).facts, request_id=0) for one in requests]

    assert len({json.dumps(facts, default=str) for facts in numbered}) == 4


def test_approval_after_its_first_session_is_refused(connection: Connection) -> None:
    asked = request(connection)
    with connection, connection.cursor() as cursor:
        cursor.execute("update policy_requests set valid_from = %s", (previous_session(TODAY),))
    late = read_request(connection, asked.request_id)

    with pytest.raises(RequestError, match="which is past, and was not approved by then"):
        decide(connection, late, BOB)
    assert len(read_policies(connection)) == 1
    assert open_requests(read_requests(connection), NOW) == []


def test_double_clicks_count_once(connection: Connection) -> None:
    asked = request(connection)
    assert request(connection) == asked
    assert request(connection, BOB).request_id == 2

    seen = show_request(connection, asked, has_dual_control=True).sha256
    both = [decide_request(connection, PolicyDecision(1, APPROVED, seen), BOB, has_dual_control=True) for _ in range(2)]

    assert both[0] == both[1]
    assert len(read_policies(connection)) == 2
    # the same policy of the other request applies already
    with pytest.raises(RequestError, match=f"applies on {SOON} already, version 1"):
        decide(connection, read_request(connection, 2), ANN)
    assert read_request(connection, 2).state == "pending"
    with pytest.raises(RequestError, match="no policy request 9"):
        read_request(connection, 9)


def test_morning_names_what_waits_as_known_then(connection: Connection) -> None:
    asked = request(connection)

    [sentence] = pending_policy_sentences(connection, dt.datetime.now(dt.UTC))

    assert sentence == (
        f"1 policy is pending and not in force: {SMALL.content_sha256[:12]} from {SOON} on, requested by Ann. "
        "Approve or reject on the page Policy."
    )
    assert pending_policy_sentences(connection, asked.recorded_at - dt.timedelta(microseconds=1)) == []
    decide(connection, asked, BOB)
    assert pending_policy_sentences(connection, dt.datetime.now(dt.UTC)) == []


@pytest.mark.parametrize("dual_control", ["0", "1"])
def test_command_line_requests_and_never_approves(
    connection: Connection, warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any, dual_control: str
) -> None:
    monkeypatch.setenv("RISK_DUAL_CONTROL", dual_control)
    file = tmp_path / "mine.yaml"
    file.write_text(policy_text(cut__maximum="60%"), encoding="utf-8")
    asked = ("adopt", str(file), "--from", str(SOON), "--reason", "less")

    said = invoke(monkeypatch, warehouse_dsn, *asked).stdout
    printed = json.loads(invoke(monkeypatch, warehouse_dsn, *asked, "--json").stdout)

    assert "It is pending and not in force until a person approves it on the page Policy." in said
    assert (printed["request_id"], printed["state"], printed["valid_from"]) == (1, "pending", str(SOON))
    assert len(read_policies(connection)) == 1


def test_without_dual_control_the_requester_may_approve_what_he_was_shown(connection: Connection) -> None:
    asked = request(connection)
    shown = show_request(connection, asked, has_dual_control=False)
    decision = PolicyDecision(asked.request_id, APPROVED, shown.sha256)

    with pytest.raises(RequestError, match="a second person has to"):
        decide_request(connection, decision, ANN, has_dual_control=True)

    assert shown.may_approve(ANN)
    assert decide_request(connection, decision, ANN, has_dual_control=False).state == "approved"
    assert maximum(connection) == "0.60"
