"""The chain of links over what is recorded: which rows are linked, and its head as mails and files state it.

A trigger (``risk.link_rows``) writes the links; `risk.core.verify` computes them a second time.
"""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from risk.core.errors import RequestError
from risk.core.warehouse import Connection, rows

EACH: Mapping[str, Sequence[str]] = {
    "deliveries": ["delivery_id"],
    "limit_breach_entries": ["entry_id"],
    "limit_change_decisions": ["change_id"],
    "limit_changes": ["change_id"],
    "limit_decisions": ["decision_id"],
    "model_versions": ["model_id"],
    "platform_limits": ["statement_id"],
    "policies": ["version"],
    "policy_request_decisions": ["request_id"],
    "policy_requests": ["request_id"],
    "policy_trials": ["trial_number"],
    "policy_verdicts": ["verdict_id"],
    "publications": ["publication_id"],
    "published_limits": ["publication_id", "account_id"],
    "report_digests": ["run_id"],
    "reports": ["run_id"],
    "source_files": ["load_id", "file_name"],
    "withdrawals": ["withdrawal_id"],
}
"""Tables with a link for each row, and the columns of their keys."""
ALL: Mapping[str, str] = {
    "accounts": "statement_id",
    "adjustments": "adjustment_id",
    "instruments": "instrument_id",
    "marks": "mark_id",
    "splits": "split_id",
    "totals": "total_id",
}
"""Tables with a link for all rows that a statement loads, and their key."""
STATED_DIGITS = 16
STATED_HEAD = re.compile(rf"^Chain (\d+) ([0-9a-f]{{{STATED_DIGITS}}})$", re.MULTILINE)


class Head(NamedTuple):
    """The newest link when something was recorded: its number, and the first digits of its hash."""

    sequence: int
    digits: str

    def __str__(self) -> str:
        return f"Chain {self.sequence} {self.digits}"


def read_head(connection: Connection, kind: str, subjects: Sequence[str]) -> Head:
    """Read the head as some rows left it, which is their own last link: the same whatever is recorded later.

    Parameters
    ----------
    kind, subjects
        Table and keys of the rows.

    Raises
    ------
    RequestError
        If the rows have no link.
    """
    for sequence, link_sha256 in rows(connection, "chain/select_head", {"kind": kind, "subjects": list(subjects)}):
        return Head(sequence, link_sha256[:STATED_DIGITS])
    raise RequestError(
        f"{kind} {', '.join(subjects)} has no link in the chain: run riskctl verify, and call the developers."
    )


def read_witness(file: Path) -> Head:
    """Read the head that a saved mail states, or the file beside one for the trading platform.

    Raises
    ------
    RequestError
        If the file cannot be read or states no head.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise RequestError(f"{file} cannot be read: {error.strerror}. Save the mail again as .eml.") from error
    message = email.message_from_bytes(content, policy=email.policy.default)
    body = message.get_body(("plain",)) if message.keys() else None
    text = body.get_content() if body else content.decode(errors="replace")
    stated = STATED_HEAD.findall("\n".join(text.splitlines()))
    if not stated:
        raise RequestError(f"{file} states no head of the chain: save a report's mail whole, as .eml.")
    return Head(int(stated[-1][0]), stated[-1][1])
