"""The digest of a report proves what it said of one account, and shows nothing of another one."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.limits.further_limits import FurtherUse
from risk.report.digest_tree import canonical_json, prove_account, report_digest
from risk.report.facts import Facts
from risk.report.receipt_facts import LimitUseFacts
from tests.report_desks import account, desk

SALT = "7f" * 32
OTHER_SALT = "80" * 32


def made(count: int) -> Facts:
    return desk([account(f"NET{number:03}", f"0.{number % 8}") for number in range(count)])


def root_of(content: object, salt: str, path: list[tuple[str, str]]) -> str:
    """Compute the root from a leaf as the documentation says, apart from the code."""
    digest = hashlib.sha256(b"\x00" + bytes.fromhex(salt) + canonical_json(content).encode()).digest()
    for side, neighbor in path:
        pair = (bytes.fromhex(neighbor), digest) if side == "left" else (digest, bytes.fromhex(neighbor))
        digest = hashlib.sha256(b"\x01" + pair[0] + pair[1]).digest()
    return digest.hex()


@given(st.integers(1, 23), st.integers(0, 22))
def test_every_account_of_a_desk_proves_itself(count: int, place: int) -> None:
    facts, name = made(count), f"NET{place % count:03}"

    proof = prove_account(facts.canonical, SALT, name)

    assert proof is not None
    assert root_of(proof.content, proof.salt, list(proof.path)) == report_digest(facts, SALT)
    assert proof.content["account"]["account_id"] == name
    others = {f"NET{number:03}" for number in range(count)} - {name}
    assert not [other for other in others if other in json.dumps(proof.content)]


def test_changed_amount_gives_another_root() -> None:
    proof = prove_account(made(5).canonical, SALT, "NET003")
    assert proof is not None
    changed = {**proof.content, "account": {**proof.content["account"], "new_limit_usd": "1.00"}}

    assert root_of(changed, proof.salt, list(proof.path)) != report_digest(made(5), SALT)


def test_whatever_changes_in_the_facts_changes_the_digest() -> None:
    facts = made(3)
    changed = replace(facts, warnings=(), past_cuts=("Another sentence.",))

    assert report_digest(changed, SALT) != report_digest(facts, SALT)
    assert report_digest(facts, SALT) != report_digest(facts, OTHER_SALT)


def test_leaf_cannot_be_guessed_without_the_salt_of_the_report() -> None:
    """Whoever has one account's proof knows the hash beside it, and neither its salt nor the report's."""
    facts = made(2)
    shown, other = prove_account(facts.canonical, SALT, "NET000"), prove_account(facts.canonical, SALT, "NET001")
    assert shown is not None
    assert other is not None

    guess = hashlib.sha256(b"\x00" + bytes.fromhex(shown.salt) + canonical_json(other.content).encode()).hexdigest()

    assert shown.salt != other.salt
    assert SALT not in (shown.salt, other.salt)
    assert guess not in [neighbor for _, neighbor in shown.path]


def test_account_that_the_report_does_not_name_has_no_proof() -> None:
    assert prove_account(made(2).canonical, SALT, "NET999") is None
    assert prove_account(made(2).canonical, SALT, "desk") is None


def test_desks_own_further_limit_is_in_no_accounts_leaf() -> None:
    uses = [
        FurtherUse(name, "weekly loss", Decimal(1), Decimal(1), Decimal(1), None, is_hit=False, incomplete_count=0)
        for name in ("desk", "NET001")
    ]
    facts = replace(made(2), limit_use=LimitUseFacts(further=tuple(uses)))

    proof = prove_account(facts.canonical, SALT, "NET001")

    assert proof is not None
    assert [use["account_id"] for use in proof.content["further"]] == ["NET001"]
    assert prove_account(facts.canonical, SALT, "desk") is None


def test_digest_of_format_1_is_that_of_the_facts() -> None:
    assert report_digest(made(2), None) == made(2).sha256


@pytest.mark.parametrize("name", ["desk", "account desk"])
def test_account_named_like_the_desk_keeps_a_leaf_of_its_own(name: str) -> None:
    facts = desk([account(name)])

    proof = prove_account(facts.canonical, SALT, name)

    assert proof is not None
    assert root_of(proof.content, proof.salt, list(proof.path)) == report_digest(facts, SALT)
