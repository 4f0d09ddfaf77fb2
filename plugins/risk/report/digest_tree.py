"""The digest of a report: the root of a tree with one salted leaf per account and one for the desk.

An account's leaf and the hashes beside its path prove what the report said of the account, and show nothing of another
one. The salt is drawn once for each report and stored with it: without it nobody can try out what another leaf says.

Format 2. A leaf's salt is the HMAC-SHA256 of the leaf's name under the report's salt. Its hash is the SHA-256 of a zero
byte, that salt and the canonical JSON of its content; a node's that of a one byte and both its children's. Leaves are
in the order of their names, a last one without a neighbor moves up. Reports of format 1 have no salt: their digest is
the SHA-256 of their facts.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from risk.report.facts import Facts

FORMAT = 2
DESK_LEAF = "desk"
SHARED = ("session_date", "effective_session", "policy", "is_simulated", "previous_session_date", "gate")
"""Facts that stand in every leaf: they name no account."""
OF_ACCOUNTS = ("roster", "restatements", "fits")
"""Lists of facts about one account each; of accounts there is one entry at most."""
OF_USE = ("receipts", "items", "further")


@dataclass(frozen=True, slots=True)
class LeafProof:
    """What proves that a report said something of an account.

    Attributes
    ----------
    content
        The leaf: plain JSON values.
    salt
        Of this leaf alone, 64 hex digits.
    path
        From the leaf up: ``left`` or ``right``, and the hash that stands there.
    """

    content: Mapping[str, Any]
    salt: str
    path: Sequence[tuple[str, str]]


def canonical_json(value: Any) -> str:
    """Write plain JSON values with sorted keys and without blanks."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def report_digest(facts: Facts, salt: str | None) -> str:
    """Return the identity of a report, 64 hex digits.

    Parameters
    ----------
    salt
        As stored with the report; ``None`` = a report of format 1.
    """
    if salt is None:
        return facts.sha256
    leaves = sorted(report_leaves(facts.canonical).items())
    levels = _levels([_leaf_hash(salt, name, content) for name, content in leaves])
    return levels[-1][0].hex()


def prove_account(canonical: str, salt: str, account_id: str) -> LeafProof | None:
    """Return the proof of what a report said of an account, from its facts; ``None`` = it does not name the account."""
    leaves = sorted(report_leaves(canonical).items())
    name = account_leaf(account_id)
    place = next((number for number, (leaf, _) in enumerate(leaves) if leaf == name), None)
    if place is None:
        return None
    content, path = leaves[place][1], []
    for level in _levels([_leaf_hash(salt, *leaf) for leaf in leaves])[:-1]:
        neighbor = place ^ 1
        if neighbor < len(level):
            path.append(("left" if neighbor < place else "right", level[neighbor].hex()))
        place //= 2
    return LeafProof(content, _leaf_salt(salt, name).hex(), path)


def account_leaf(account_id: str) -> str:
    """Return the name of an account's leaf; no account is named like the desk's."""
    return f"account {account_id}"


def report_leaves(canonical: str) -> dict[str, dict[str, Any]]:
    """Split facts into leaves by name: what is about one account, and for the desk the digest of everything."""
    plain = json.loads(canonical)
    use = plain["limit_use"]
    split = {field: plain[field] for field in OF_ACCOUNTS} | {field: use[field] for field in OF_USE}
    leaves: dict[str, dict[str, Any]] = {}

    def leaf(account_id: str) -> dict[str, Any]:
        empty: dict[str, Any] = {"account_id": account_id, "account": None, **{field: [] for field in split}}
        shared = {field: plain[field] for field in SHARED}
        return leaves.setdefault(account_leaf(account_id), {**empty, **shared})

    for account in plain["accounts"]:
        leaf(account["account_id"])["account"] = account
    for field, entries in split.items():
        for entry in entries:
            # Of the policy's further limits one is the desk's.
            if field != "further" or entry["account_id"] != DESK_LEAF:
                leaf(entry["account_id"])[field].append(entry)
    return {**leaves, DESK_LEAF: {"facts_sha256": hashlib.sha256(canonical.encode()).hexdigest()}}


def _leaf_salt(salt: str, name: str) -> bytes:
    return hmac.digest(bytes.fromhex(salt), name.encode(), "sha256")


def _leaf_hash(salt: str, name: str, content: Mapping[str, Any]) -> bytes:
    return hashlib.sha256(b"\0" + _leaf_salt(salt, name) + canonical_json(content).encode()).digest()


def _levels(leaves: Sequence[bytes]) -> list[Sequence[bytes]]:
    """Return the hashes of the tree, level by level, the root's last."""
    levels = [leaves]
    while len(levels[-1]) > 1:
        below = levels[-1]
        pairs = [below[place : place + 2] for place in range(0, len(below), 2)]
        levels.append([hashlib.sha256(b"\1" + b"".join(pair)).digest() if len(pair) > 1 else pair[0] for pair in pairs])
    return levels
