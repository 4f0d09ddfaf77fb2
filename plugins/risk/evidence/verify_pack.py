"""Checks an examiner's pack: `python verify.py [PACK.zip] [--head "482 0123456789abcdef"]`, each head from a mail."""

import argparse
import hashlib
import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

WHOLE = "The pack is whole: every file, row, link and report is what was recorded."
MANIFEST, DIGITS = "manifest.txt", 64


class Pack:
    """The files of a pack, unzipped or not."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.archive = zipfile.ZipFile(place) if place.is_file() else None

    def names(self) -> list[str]:
        """List the files."""
        files = (path.relative_to(self.place).as_posix() for path in self.place.rglob("*") if path.is_file())
        return sorted(self.archive.namelist() if self.archive else files)

    def open(self, name: str) -> IO[bytes]:
        """Open a file."""
        return self.archive.open(name) if self.archive else (self.place / name).open("rb")

    def rows(self, name: str) -> Iterator[dict[str, Any]]:
        """Give the rows of a part, a line each."""
        with self.open(name) as stream:
            yield from (json.loads(line.rstrip(b",\n")) for line in stream if line.startswith(b'{"'))


def canonical(value: object) -> bytes:
    """Write JSON with sorted keys and without blanks."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def hashed(value: object) -> str:
    """Hash bytes, or a value's canonical JSON."""
    return hashlib.sha256(value if isinstance(value, bytes) else canonical(value)).hexdigest()


def file_faults(pack: Pack) -> Iterator[str]:
    """Compare every file with the manifest, and the manifest with its own last line."""
    *lines, last = pack.open(MANIFEST).read().decode(errors="replace").splitlines(keepends=True)
    if last != f"{hashed(''.join(lines).encode())}  {MANIFEST}\n":
        yield f"{MANIFEST} was changed."
    listed = {line[DIGITS + 2 : -1]: line[:DIGITS] for line in lines}
    found = set(pack.names()) - {MANIFEST}
    yield from (f"{name} is missing." for name in sorted(listed.keys() - found))
    yield from (f"{name} is not of this pack." for name in sorted(found - listed.keys()))
    for name in sorted(listed.keys() & found):
        digest = hashlib.sha256()
        try:
            with pack.open(name) as stream:
                while block := stream.read(1 << 20):
                    digest.update(block)
        except Exception as error:  # noqa: BLE001  (a hostile pack may raise anything)
            yield f"{name} cannot be read: {error}."
        if digest.hexdigest() != listed[name]:
            yield f"{name} was changed."


def part_faults(pack: Pack, name: str, linked: dict[int, tuple[str, str]]) -> Iterator[str]:
    """Check number and order of a part's rows, and each row."""
    place = 0
    for place, row in enumerate(pack.rows(name), 1):
        if row.get("row") != place:
            yield f"{name}: row {row.get('row')} stands where row {place} belongs: a row is missing or moved."
            return
        yield from row_faults(f"{name}, row {place}", row, linked)
    with pack.open(name) as stream:
        stated = [int(line[12:].strip()) for line in stream if line.startswith(b'"row_count":')]
    if stated != [place]:
        yield f"{name} has {place} rows, not {stated}: the last ones are missing."


def row_faults(where: str, row: dict[str, Any], linked: dict[int, tuple[str, str]]) -> Iterator[str]:
    """Check a row by itself; collect what has to be in the chain."""
    if row.pop("sha256", "") != hashed(row):
        yield f"{where} was changed."
    if row.get("link") in linked:
        yield f"{where} shows link {row['link']} a second time."
    if "link" in row:
        linked[row["link"]] = (where, hashed(row["content"]))
    if "shown" in row and hashed(row["shown"].encode()) != row["content"].get("seen_sha256"):
        yield f"{where}: the person was shown something else."
    if "leaf" in row and root(row) != row["content"]["report_sha256"]:
        yield f"{where}: the report says something else of the account."


def root(row: dict[str, Any]) -> str:
    """Compute the digest of a report from the account's leaf and the hashes beside its path."""
    digest = hashed(b"\0" + bytes.fromhex(row["leaf_salt"]) + canonical(row["leaf"]))
    for side, other in row["path"]:
        digest = hashed(b"\1" + bytes.fromhex(other + digest if side == "left" else digest + other))
    return digest


def chain_faults(pack: Pack, linked: dict[int, tuple[str, str]], heads: dict[int, str]) -> Iterator[str]:
    """Follow the chain from its first link shown to its head, and compare rows and heads with it."""
    previous, number = "", 0
    for link in (row["link_row"] for row in pack.rows("13-chain.json")):
        own, expected = link.pop("link_sha256"), number + 1
        number = int(link["sequence"])
        if previous and (number != expected or link.get("previous_sha256", previous) != previous):
            yield f"Link {number} does not follow link {expected - 1}."
        if "content_sha256" in link and hashed(link) != own:
            yield f"Link {number} was changed."
        previous = own
        where, digest = linked.pop(number, ("", ""))
        if where and digest != link.get("content_sha256"):
            yield f"{where} is not what link {number} recorded."
        if number in heads and not own.startswith(heads[number]):
            yield f"Link {number} is not the one that the mail states: {heads[number]}."
    yield from (f"{where} names link {number}, which the pack does not show." for number, (where, _) in linked.items())
    yield from (f"A mail states link {one}; the chain ends at link {number}." for one in heads if one > number)


def main() -> int:
    """Check a pack; print what is wrong, or that it is whole."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("pack", nargs="?", default=Path(__file__).parent, type=Path)
    reader.add_argument("--head", action="append", default=[], help="number and digits after the word Chain in a mail")
    asked, faults = reader.parse_args(), []
    linked: dict[int, tuple[str, str]] = {}
    try:
        content = asked.pack.read_bytes() if asked.pack.is_file() else b""
        if content and hashed(content[:-DIGITS]).encode() != content[-DIGITS:]:
            faults.append(f"{asked.pack.name}: the archive is not the one that was made.")
        pack = Pack(asked.pack)
        faults += file_faults(pack)
        for name in (name for name in pack.names() if name.endswith(".json")):
            faults += part_faults(pack, name, linked)
        faults += chain_faults(pack, linked, {int(head.split()[-2]): head.split()[-1] for head in asked.head})
    except Exception as error:  # noqa: BLE001  (a hostile pack may raise anything)
        faults.append(f"The pack cannot be read further: {error!r}.")
    sys.stdout.write("\n".join(faults or [WHOLE]) + "\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
