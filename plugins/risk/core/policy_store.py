"""Adopted policies as rows: which one applies to a run, and the one stored at installation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from risk.core.policy import Policy
from risk.core.policy_document import DEFAULT_POLICY, PolicyDocument, parse_policy
from risk.core.policy_text import read_policy_text, replaced
from risk.core.warehouse import Connection, records, rows

Instant = dt.datetime | Literal["infinity"]
"""Cut-off on ``recorded_at``, UTC; ``infinity`` = everything."""


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """An adopted policy; see the table ``policies``.

    Attributes
    ----------
    version
        0 at installation, then 1, 2, ...
    document
        What it says.
    valid_from
        First effective session it applies to; ``None`` = version 0, all.
    author, reason, approver, recorded_at
        Who adopted it, why, who approved it if that was required, and when, UTC.
    """

    version: int
    document: PolicyDocument
    valid_from: dt.date | None
    author: str
    reason: str
    approver: str | None
    recorded_at: dt.datetime

    @property
    def label(self) -> str:
        """Version and identity for reports: ``1 (7514d6f7fff0)``."""
        return f"{self.version} ({self.document.content_sha256[:12]})"

    @property
    def desk(self) -> Policy:
        """The values of the desk."""
        return self.document.desk


def read_policies(
    connection: Connection, effective_session: dt.date | Literal["infinity"] = "infinity", as_of: Instant = "infinity"
) -> list[PolicyVersion]:
    """Read the versions that were valid from a session or earlier, as known at an instant, newest first."""
    binds = {"effective_session": effective_session, "as_of": as_of}
    return [_version(row) for row in records(connection, "policy/select_policies", binds)]


def read_policy(connection: Connection, effective_session: dt.date, as_of: Instant = "infinity") -> PolicyVersion:
    """Read the policy that applies to an effective session, as known at an instant."""
    return read_policies(connection, effective_session, as_of)[0]


def _version(row: Mapping[str, Any]) -> PolicyVersion:
    document = parse_policy(row["policy_text"], f"policy version {row['version']}")
    return PolicyVersion(document=document, **{name: row[name] for name in row if name != "policy_text"})


def insert_policy(
    connection: Connection,
    document: PolicyDocument,
    valid_from: dt.date | None,
    author: str,
    reason: str,
    approver: str | None = None,
) -> int:
    """Store a policy as the next version; the caller holds the write lock.

    Returns
    -------
    int
        The version.
    """
    binds = {
        "policy_text": document.text,
        "content_sha256": document.content_sha256,
        "valid_from": valid_from,
        "author": author,
        "reason": reason,
        "approver": approver,
    }
    version: int = rows(connection, "policy/insert_policies", binds)[0][0]
    return version


def insert_default_policy(connection: Connection, default_limit_usd: Decimal | None) -> None:
    """Store the shipped policy as version 0, with the default base limit of this installation where it has its own."""
    text = DEFAULT_POLICY.read_text(encoding="utf-8")
    if default_limit_usd is not None:
        found = read_policy_text(text, DEFAULT_POLICY.name)
        path = ("accounts", "default_base_limit_usd")
        if found.values["accounts"]["default_base_limit_usd"] != default_limit_usd:
            text = replaced(text, found.line(path), default_limit_usd)
    insert_policy(connection, parse_policy(text, DEFAULT_POLICY.name), None, "riskctl migrate", "shipped policy")
