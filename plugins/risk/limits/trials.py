"""Trials: policies tried on past mornings, sealed before anything is computed.

Whoever tries twenty policies on the same past finds one that looks better. So every trial is on record, and results on
past mornings are exploratory: they state how many trials there were.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass

from risk.core.policy_document import PolicyDocument, parse_policy
from risk.core.warehouse import Connection, execute, records, writing


@dataclass(frozen=True, slots=True)
class Trial:
    """A sealed trial; see the table ``policy_trials``.

    Attributes
    ----------
    trial_number, trial_sha256
        1, 2, ... in the order of sealing, and its identity.
    variant_number, sealed_at
        The same of its policy, whatever the range: only mornings after the instant (UTC) count for its verdict.
    document
        The policy.
    first_session, last_session
        Range of effective sessions.
    author, recorded_at
        Who sealed it, and when, UTC.
    """

    trial_number: int
    trial_sha256: str
    variant_number: int
    sealed_at: dt.datetime
    document: PolicyDocument
    first_session: dt.date
    last_session: dt.date
    author: str
    recorded_at: dt.datetime


def seal_trial(
    connection: Connection, document: PolicyDocument, first_session: dt.date, last_session: dt.date, author: str
) -> Trial:
    """Seal a policy and a range; the same two are the same trial, whoever asks again."""
    digest = trial_sha256(document, first_session, last_session)
    binds = {
        "trial_sha256": digest,
        "policy_text": document.text,
        "content_sha256": document.content_sha256,
        "first_session": first_session,
        "last_session": last_session,
        "author": author,
    }
    with writing(connection):
        execute(connection, "what_if/insert_policy_trials", binds)
    return next(one for one in read_trials(connection) if one.trial_sha256 == digest)


def trial_sha256(document: PolicyDocument, first_session: dt.date, last_session: dt.date) -> str:
    """Return the identity of a trial: a hash of the policy's text and the range."""
    return hashlib.sha256(f"{document.content_sha256} {first_session} {last_session}".encode()).hexdigest()


def read_trials(connection: Connection) -> list[Trial]:
    """Read all trials, in the order of sealing."""
    return [
        Trial(document=parse_policy(row.pop("policy_text"), f"trial {row['trial_number']}"), **row)
        for row in records(connection, "what_if/select_policy_trials")
    ]
