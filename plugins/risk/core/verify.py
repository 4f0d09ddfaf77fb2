"""The verifier of the chain: computes every link a second time and compares it with the heads that mails state.

It runs alone: ``python verify.py FOLDER [MAIL ...]`` reads what ``riskctl verify --export FOLDER`` wrote, of each table
a file ``<table>.jsonl`` with a line ``[subject, text]`` for each row, subject being that of its link. A link states the
SHA-256 of its row's text, or that of the SHA-256s of its rows, and its own hash is that of its canonical JSON.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

LOADED = dict.fromkeys(("accounts", "adjustments", "instruments", "marks", "splits", "totals"), "")
DELIVERED = {"corrections": "deliveries", "fill_rejects": "source_files", "fills": "deliveries"}
"""Tables with one link for many rows: those of a statement; those of a row of another table, by the next report."""
STATED_HEAD = re.compile(r"^Chain ([1-9][0-9]{0,17}) ([0-9a-f]{16})\r?$", re.MULTILINE)

Links = Sequence[dict[str, str]]
Faults = list[tuple[int, str]]


class Witness(NamedTuple):
    """A head that a mail states: number and first digits of a link; when it was sent, as links write it, if known."""

    name: str
    sequence: int
    digits: str
    sent_at: str = ""


class Verdict(NamedTuple):
    """What came out: deviations, and what a restore has replaced, as sentences; counts of links and unlinked rows."""

    faults: tuple[str, ...]
    missing: tuple[str, ...]
    link_count: int
    witnessed_count: int
    waiting_count: int

    @property
    def exit_code(self) -> int:
        """0 the chain is whole; 1 it is not; 2 history that mails have seen is missing, and a restore is recorded."""
        return 1 if self.faults else 2 if self.missing else 0

    @property
    def sentence(self) -> str:
        """The same for people."""
        whole = () if self.faults else (f"The chain is whole: {self.link_count} links.",)
        is_all = self.witnessed_count == self.link_count
        seen = "all of them" if is_all else f"the first {self.witnessed_count}; later ones are not yet witnessed"
        waiting = f" The next report links the rows of {self.waiting_count} more." if self.waiting_count else ""
        return " ".join((*self.faults, *self.missing, *whole, f"Mails witness {seen}.{waiting}"))


def read_witnesses(name: str, content: bytes) -> list[Witness]:
    """Read the heads that a saved mail states, or the file beside one for the trading platform."""
    texts, sent_at = [content], ""
    try:
        message = email.message_from_bytes(content)
        texts += [one for part in message.walk() if isinstance(one := part.get_payload(decode=True), bytes)]
        date = email.utils.parsedate_to_datetime(message["Date"])
        sent_at = date.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    except (LookupError, OverflowError, RecursionError, TypeError, ValueError):
        pass  # An odd mail states what can be read of it.
    stated = {found for text in texts for found in STATED_HEAD.findall(text.decode(errors="replace"))}
    return [Witness(name, int(number), digits, sent_at) for number, digits in sorted(stated)]


def canonical(values: Mapping[str, str | bool | None]) -> bytes:
    """Write a row as canonical JSON; a later column without values changes no hash."""
    stated = {name: values[name] for name in sorted(values) if values[name] is not None}
    return json.dumps(stated, separators=(",", ":"), ensure_ascii=False).encode()


def verify(rows: Iterable[tuple[str, str, str]], witnesses: Sequence[Witness]) -> Verdict:
    """Compute every link again, from table, subject and text of each row, and compare it with what mails state."""
    links, found = list[dict[str, str]](), dict[tuple[str, str], Any]()
    for table, subject, text in rows:
        if table == "chain_links":
            links.append(json.loads(text))
            continue
        one = found.setdefault((table, subject), [hashlib.sha256(), 0])
        one[0].update(hashlib.sha256(text.encode()).digest() if table in LOADED | DELIVERED else text.encode())
        one[1] += 1
    (faults, waiting_count), (agreed, rewritten, missing) = _find_faults(links, found), _compare(links, witnesses)
    sentences = [sentence for _, sentence in sorted(rewritten + faults, key=lambda fault: fault[0])]
    return Verdict(tuple(sentences), tuple(missing), len(links), agreed, waiting_count)


def _find_faults(links: Links, found: dict[Any, Any]) -> tuple[Faults, int]:
    """Find what does not follow from the link before, differs, is gone or has no link; count what has none yet."""
    previous, places, last_report, faults = "0" * 64, dict[Any, int](), 0, Faults()
    for number, link in enumerate(links, start=1):
        place, name = (link["kind"], link["subject"]), f"{link['kind']} {link['subject']} (link {link['sequence']})"
        own = hashlib.sha256(canonical(link | {"link_sha256": None})).hexdigest()
        is_linked = (link["sequence"], link["previous_sha256"], link["link_sha256"]) == (str(number), previous, own)
        if previous and not is_linked:
            faults.append((number, f"Link {number} is gone or changed: {name} does not follow from the one before."))
        previous = own if is_linked else ""
        places[place], last_report = number, number if link["kind"] == "reports" else last_report
        digest, count = found.pop(place, (None, 0))
        if digest is None or (digest.hexdigest(), str(count)) != (link["content_sha256"], link["row_count"]):
            how = "differs from what was recorded" if digest else "is gone, or linked twice"
            faults.append((number, f"{name} {how}."))
    waiting = {place for place in found if places.get((DELIVERED.get(place[0]), place[1]), 0) > last_report}
    unlinked = [" ".join(place) for place in found if place not in waiting]
    faults += [(len(links) + 1, f"{name} has no link: it was not recorded by this warehouse.") for name in unlinked]
    return faults, len(waiting)


def _compare(links: Links, witnesses: Sequence[Witness]) -> tuple[int, Faults, list[str]]:
    """Return the newest link seen, faults, and what a restore explains: no longer history, nothing sent after it."""
    agreed, faults, missing = 0, Faults(), list[str]()
    restores = [(one, one["subject"].partition(" ")[2] or "9" * 18) for one in links if one["kind"] == "restores"]
    for name, number, digits, sent_at in sorted(witnesses, key=lambda witness: witness.sequence):
        before = [one for one, last in restores if f"{number:018}" <= last.zfill(18) and sent_at <= one["recorded_at"]]
        first = next((one for one in before if int(one["sequence"]) <= number), None)
        if number <= len(links) and links[number - 1]["link_sha256"].startswith(digits):
            agreed = number
        elif first:
            since = f"is missing since the restore of {first['recorded_at']}"
            missing.append(f"History {first['sequence']} to {number} {since}: {name} has seen it. Confirm the restore.")
        else:
            again = f"Links {agreed + 1} to {number} were written again: {name} states {digits}."
            cut = f"The chain is cut: it ends at link {len(links)}, and {name} states link {number}."
            faults.append((agreed + 1, again) if number <= len(links) else (len(links) + 1, cut))
    return agreed, faults, missing


def main(folder: str, *mails: str) -> int:
    """Verify an export and return the exit code."""
    paths = sorted(Path(folder).glob("*.jsonl"))
    rows = ((path.stem, *json.loads(line)) for path in paths for line in path.open(encoding="utf-8"))
    try:
        verdict = verify(rows, [one for mail in mails for one in read_witnesses(mail, Path(mail).read_bytes())])
    except (OSError, LookupError, TypeError, ValueError) as error:
        sys.exit(f"{folder} is not what riskctl verify --export wrote, or a mail cannot be read: {error!r}.")
    sys.stdout.write(f"{verdict.sentence}\n")
    return verdict.exit_code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
