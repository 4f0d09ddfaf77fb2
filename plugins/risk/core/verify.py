"""The verifier of the chain: computes every link a second time, from the rows, with the standard library alone.

``risk.link_rows`` has written them. Canonical JSON,
format 1: UTF-8, keys in the order of their bytes, no blanks, nulls left out; a boolean is one, every other value is the
text that Postgres prints, an instant in UTC with microseconds.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from psycopg2 import extensions, extras, sql

from risk.core.chain import ALL, EACH, STATED_DIGITS, Head

NOTHING = "0" * 64


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the verifier found; ``fault`` names the first deviation, or is empty where the chain is whole."""

    fault: str
    link_count: int
    witnessed_count: int

    @property
    def sentence(self) -> str:
        """What came out, for people."""
        if self.fault:
            return self.fault
        whole = f"The chain is whole: {self.link_count} links."
        if self.witnessed_count == self.link_count:
            return f"{whole} Mails witness all of them."
        return f"{whole} Mails witness the first {self.witnessed_count}; later ones are not yet witnessed."


def canonical(values: Mapping[str, Any]) -> bytes:
    """Write a row as canonical JSON."""
    present = {name: value if isinstance(value, bool) else _text(value) for name, value in values.items()}
    stated = {name: value for name, value in present.items() if value is not None}
    return json.dumps(stated, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _text(value: Any) -> str | None:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, Decimal):
        return f"{value:f}"
    return None if value is None else str(value)


def verify(connection: extensions.connection, witnesses: Mapping[str, Head]) -> Verdict:
    """Compute every link again from the rows, and compare with the heads that mails state.

    Parameters
    ----------
    witnesses
        Heads by the name of the file that states them.
    """
    links = list(_rows(connection, "chain_links", ["sequence"]))
    seen = max((head.sequence for head in witnesses.values()), default=0)
    # The first by its place in the chain.
    faults = (*_linkage_faults(links), *_witness_faults(links, witnesses), *_content_faults(connection, links))
    return Verdict(min(faults, default=(0, ""))[1], len(links), min(seen, len(links)))


def _linkage_faults(links: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, str]]:
    """Find the first link that does not follow from the one before."""
    previous = NOTHING
    for number, link in enumerate(links, start=1):
        stated = {name: value for name, value in link.items() if name != "link_sha256"}
        if link["sequence"] != number:
            yield number, f"Link {number} is missing: the next one is {link['sequence']}."
            return
        if (link["previous_sha256"], link["link_sha256"]) != (previous, hashlib.sha256(canonical(stated)).hexdigest()):
            yield number, f"Link {number} ({link['kind']} {link['subject']}) does not follow from the one before."
            return
        previous = link["link_sha256"]


def _witness_faults(links: Sequence[Mapping[str, Any]], witnesses: Mapping[str, Head]) -> Iterator[tuple[int, str]]:
    """Find the mails that have seen another chain, oldest first."""
    hashes = {link["sequence"]: link["link_sha256"] for link in links}
    agreed = 0
    for name, head in sorted(witnesses.items(), key=lambda one: one[1].sequence):
        number = head.sequence
        if number not in hashes:
            yield len(links) + 1, f"The chain is cut: it ends at link {len(links)}, and {name} states link {number}."
        elif hashes[number][:STATED_DIGITS] != head.digits:
            yield agreed + 1, f"Links {agreed + 1} to {number} were written again: {name} states {head.digits}."
        else:
            agreed = number


def _content_faults(connection: extensions.connection, links: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, str]]:
    """Find each link whose rows have changed or are gone, and rows without a link, which come after all others."""
    found = {(table, subject): digest for table in EACH for subject, digest in _each(connection, table)}
    for table, key in ALL.items():
        ranges = [link["subject"] for link in links if link["kind"] == table]
        found |= {(table, subject): digest for subject, digest in _all(connection, table, key, ranges)}
    for link in links:
        digest = found.pop((link["kind"], link["subject"]), None)
        if digest != (link["content_sha256"], link["row_count"]):
            how = "differs from what was recorded" if digest else "is gone, or linked twice"
            yield link["sequence"], f"{link['kind']} {link['subject']} (link {link['sequence']}) {how}."
    for table, subject in found:
        yield len(links) + 1, f"{table} {subject} has no link: it was not recorded by this warehouse."


def _each(connection: extensions.connection, table: str) -> Iterator[tuple[str, tuple[str, int]]]:
    for row in _rows(connection, table, EACH[table]):
        yield " ".join(str(row[part]) for part in EACH[table]), (hashlib.sha256(canonical(row)).hexdigest(), 1)


def _all(
    connection: extensions.connection, table: str, key: str, ranges: Sequence[str]
) -> Iterator[tuple[str, tuple[str, int]]]:
    digests = {row[key]: hashlib.sha256(canonical(row)).digest() for row in _rows(connection, table, [key])}
    keys, unlinked = list(digests), set(digests)
    for subject in dict.fromkeys(ranges):
        first, _, last = subject.partition("-")
        if not (first.isdecimal() and last.isdecimal()):
            continue
        inside = keys[bisect_left(keys, int(first)) : bisect_right(keys, int(last))]
        unlinked -= set(inside)
        yield subject, (hashlib.sha256(b"".join(digests[number] for number in inside)).hexdigest(), len(inside))
    for number in sorted(unlinked):
        yield str(number), (digests[number].hex(), 1)


def _rows(connection: extensions.connection, table: str, order: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Read a table in the order of its key; JSON stays the text that Postgres prints."""
    query = sql.SQL("select * from {} order by {}").format(
        sql.Identifier("risk", table), sql.SQL(", ").join(map(sql.Identifier, order))
    )
    with connection.cursor() as cursor:
        extras.register_default_jsonb(cursor, loads=str)
        cursor.execute(query)
        names = [column.name for column in cursor.description or ()]
        for row in cursor:
            yield dict(zip(names, row, strict=True))
