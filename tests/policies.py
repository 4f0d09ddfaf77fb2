"""Policies for tests: the shipped one with other values."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from risk.core.policy_document import DEFAULT_POLICY, PolicyDocument, parse_policy
from risk.core.policy_store import insert_policy
from risk.core.policy_text import read_policy_text, replaced
from risk.core.warehouse import Connection, writing
from risk.limits.decide import cut_functions
from risk.limits.policy import AccountPolicy, DeskTerms

SHIPPED = DEFAULT_POLICY.read_text(encoding="utf-8")
FIRST_SESSION = dt.date(2000, 1, 3)


def policy_text(**values: object) -> str:
    """Write the shipped policy with other values; keys with two underscores for the point: ``cut__maximum="50%"``."""
    text = SHIPPED
    for key, value in values.items():
        section, name = key.split("__")
        text = replaced(text, read_policy_text(text, "test").lines[section, name], value)
    return text


def policy_document(**values: object) -> PolicyDocument:
    """Give the shipped policy with other values."""
    return parse_policy(policy_text(**values), "test")


ANY_LOSS = policy_document(smallest_loss__typical_days=0, smallest_loss__base_limit="0%")
"""Rules react to a loss of any size, as they did before the policy."""

ANY_LOSS_TERMS = DeskTerms(ANY_LOSS, "any loss", {}, {})
CUT_FUNCTIONS = cut_functions(ANY_LOSS_TERMS)


def account_policy(document: PolicyDocument = ANY_LOSS, base_limit_usd: int = 5000) -> AccountPolicy:
    """Give what decides about one account."""
    return AccountPolicy(document.desk, Decimal(base_limit_usd))


def adopt(connection: Connection, document: PolicyDocument = ANY_LOSS, valid_from: dt.date = FIRST_SESSION) -> int:
    """Store a policy for sessions of the past, too, which the product refuses, as if long known; give its version."""
    with writing(connection), connection.cursor() as cursor:
        version = insert_policy(connection, document, valid_from, "test", "for a test")
        cursor.execute("update risk.policies set recorded_at = %s where version = %s", (FIRST_SESSION, version))
    return version
