"""Checks an examiner's pack: `python verify.py [PACK.zip] [--head "482 0123456789abcdef"]`, each head from a mail."""

import argparse
import hashlib
import json
import sys
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import chain, islice, takewhile
from pathlib import Path
from typing import Any

WHOLE = "The pack is whole: its files, rows, links and reports fit together."
MANIFEST, DIGITS, ROWS = "manifest.txt", 64, b'"rows": [\n'
NAMES = "limits facts policy approvals changes use fit delivery restated code people gaps chain"
PARTS = [f"{number:02}-{name}.json" for number, name in enumerate(NAMES.split(), 1)]
FILES = {*PARTS, "index.html", MANIFEST, "verify.py"}
QUOTED = {"fit": "fits", "receipt": "receipts", "item": "items", "further": "further"}


class _Pack:
    """The files of a pack, unzipped or not, and what was found in them so far."""

    def __init__(self, place: Path) -> None:
        archive = self.archive = zipfile.ZipFile(place) if place.is_file() else None
        self.place, self.files = place, archive.namelist() if archive else [one.name for one in place.iterdir()]
        self.digests, self.linked, self.accounts = dict[str, Any](), dict[Any, Any](), defaultdict[Any, Any](list)
        self.about, self.known, self.names, self.unlinked_count, self.proof = list[str](), set[str](), set[Any](), 0, ""

    def lines(self, name: str, longest: int = 1 << 24) -> Iterator[bytes]:
        with self.archive.open(name) if self.archive else (self.place / name).open("rb") as stream:
            yield from iter(lambda: stream.readline(longest), b"")

    def rows(self, name: str) -> Iterator[dict[str, Any]]:
        yield from (json.loads(line.rstrip(b",\n")) for line in self.lines(name) if line.startswith(b'{"'))


def canonical(value: object) -> bytes:
    """Write JSON with sorted keys and without blanks."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def hashed(value: object) -> str:
    """Hash bytes, or a value's canonical JSON."""
    return hashlib.sha256(value if isinstance(value, bytes) else canonical(value)).hexdigest()


def _file_faults(pack: _Pack) -> Iterator[str]:
    *lines, last = (line.decode(errors="replace") for line in islice(pack.lines(MANIFEST, 999), 99))
    if last != f"{hashed(''.join(lines).encode())}  {MANIFEST}\n":
        yield f"{MANIFEST} was changed."
    yield from (f"{name} is not of this pack, or twice in it." for name in Counter(pack.files) - Counter(FILES))
    yield from (f"{name} is missing." for name in sorted(FILES.difference(pack.files)))
    for name in sorted(FILES.intersection(pack.files) - {MANIFEST}):
        pack.digests[name] = digest = hashlib.sha256()
        any(map(digest.update, pack.lines(name)))
        if f"{digest.hexdigest()}  {name}\n" not in lines:
            yield f"{name} was changed."


def _part_faults(pack: _Pack, name: str) -> Iterator[str]:
    heading = json.loads(b"".join(takewhile(ROWS.__ne__, islice(pack.lines(name, 999), 12))).rstrip(b",\n") + b"}")
    pack.about, place = pack.about or [heading["account"], heading["from"], heading["to"]], 0
    made = hashlib.sha256(b"{\n" + b"".join(canonical({key: heading[key]})[1:-1] + b",\n" for key in heading) + ROWS)
    for place, row in enumerate(pack.rows(name), 1):
        made.update((b",\n" if place > 1 else b"") + canonical(row))
        moved = f"{name}: row {row.get('row')} stands where row {place} belongs: a row is missing or moved."
        yield from _row_faults(f"{name}, row {place}", row, pack) if row.get("row") == place else [moved]
    made.update((b"\n" if place else b"") + b'],\n"row_count": %d\n}\n' % place)
    about = [pack.digests[name].hexdigest(), *pack.about, int(name[:2])]
    if [made.hexdigest(), *map(heading.get, ("account", "from", "to", "part"))] != about:
        yield f"{name} is of another pack, or holds more or less than its {place} rows."


def _row_faults(where: str, row: dict[str, Any], pack: _Pack) -> Iterator[str]:
    content, day = row.get("content", {}), row.get("day", {})
    recorded = (where, row.get("table"), hashed(content))
    if row.pop("sha256", "") != hashed(row):
        yield f"{where} was changed."
    if content and pack.linked.setdefault(row.get("link"), recorded) is not recorded:
        yield f"{where} has no link of its own."
    if "shown" in row and hashed(row["shown"].encode()) != content.get("seen_sha256"):
        yield f"{where}: the person was shown something else."
    if "report" in row and not _is_proven(row, content, row["report"], pack):
        yield f"{where}: the report says something else of the account."
    pack.known.add(hashed(content))
    pack.names |= {content["account_id"]} if "account_id" in content else set()
    quoted = [*(row[key] for key in QUOTED if key in row), *filter(None, (day.get("published"), day.get("decision")))]
    given = (day.get("recommended") or {}).items()
    is_given = not given or any(given <= account.items() for account in pack.accounts[day["session"]])
    if not is_given or not pack.known.issuperset(map(hashed, quoted)):
        yield f"{where} is not what the reports and linked rows say."
    pack.unlinked_count += not content and "link_row" not in row


def _is_proven(row: dict[str, Any], content: dict[str, Any], report: dict[str, Any], pack: _Pack) -> bool:
    leaf = row.get("leaf") or row.get("unproven_leaf") or {}
    pack.known |= {hashed(one) for field in QUOTED.values() for one in leaf.get(field, ())}
    pack.accounts[report["effective_session"]].append(leaf.get("account") or {})
    digest = hashed(b"\0" + bytes.fromhex(row.get("leaf_salt", "")) + canonical(leaf))
    for side, other in row.get("path", ()):
        digest = hashed(b"\1" + bytes.fromhex(other + digest if side == "left" else digest + other))
    stated = {**content, **leaf, "recorded_at": report["recorded_at"]}.items()
    is_other = any(report.get(key, value) != value for key, value in stated)
    expected = (bool(content), content.get("report_sha256", digest))
    return not is_other and (not leaf or ("leaf" in row, digest) == expected)


def _chain_faults(pack: _Pack, heads: list[tuple[int, str]]) -> Iterator[str]:
    previous, number, row_count, pending, proven = "", 0, len(pack.linked), 0, 0
    for link in (row["link_row"] for row in pack.rows(PARTS[-1])):
        own, expected = link.pop("link_sha256"), number + 1
        number, is_shown = int(link["sequence"]), "content_sha256" in link
        follows = not previous or (number, link.get("previous_sha256")) == (expected, previous)
        if not follows or (is_shown and hashed(link) != own):
            yield f"Link {number} was changed, or does not follow link {expected - 1}."
        where, *recorded = pack.linked.pop(number, ("", "", ""))
        if where and recorded != [link.get("kind"), link.get("content_sha256")]:
            yield f"{where} is not what link {number} recorded."
        previous, pending = own, (pending if is_shown else 0) + bool(where)  # a hidden link proves none before it
        stated = [digits for one, digits in heads if one == number]
        proven, pending = (proven + pending, 0) if stated else (proven, pending)
        yield from (f"Link {number} is not what a mail states: {one}." for one in stated if not own.startswith(one))
    yield from (f"{where} names link {one}, which the pack does not show." for one, (where, *_) in pack.linked.items())
    yield from (f"A mail states link {one}; the chain ends at link {number}." for one, _ in heads if one > number)
    given = f"{proven} of {row_count} rows with a link, of {', '.join(sorted(pack.names))}"
    pack.proof = f"The mails prove {given}. {pack.unlinked_count} rows and index.html are its maker's word."


def main() -> int:
    """Check a pack; print what is wrong, or that it is whole, and what the mails prove."""
    reader, faults = argparse.ArgumentParser(description=__doc__), list[str]()
    reader.add_argument("pack", nargs="?", default=Path(__file__).parent, type=Path)
    reader.add_argument("--head", action="append", default=[], help="number and digits after the word Chain in a mail")
    asked = reader.parse_args()
    try:
        if asked.pack.is_file() and hashed((whole := asked.pack.read_bytes())[:-DIGITS]).encode() != whole[-DIGITS:]:
            faults.append(f"{asked.pack.name}: the archive is not the one that was made.")
        heads, pack = [(int(one.split()[-2]), f"{one.split()[-1]:\0<16}") for one in asked.head], _Pack(asked.pack)
        parts = (_part_faults(pack, name) for name in dict.fromkeys((PARTS[1], PARTS[3], *PARTS)))
        faults += chain(_file_faults(pack), *parts, _chain_faults(pack, heads))
    except Exception as error:  # noqa: BLE001  (a hostile pack may raise anything)
        faults.append(f"The pack cannot be read further: {error!r}.")
    sys.stdout.writelines(f"{ascii(line)[1:-1]}\n" for line in faults or [WHOLE, pack.proof])
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
