"""Writes a pack as a zip archive, row by row: the same content gives the same bytes of every file.

A part is JSON, a line for each row. A row has its number and the SHA-256 of its canonical JSON, the manifest that of
every file, and the last 64 bytes of the archive that of all bytes before, so that a change is found and named.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from risk.core.errors import RequestError
from risk.evidence.verify_pack import DIGITS, MANIFEST, canonical

EPOCH = (1980, 1, 1, 0, 0, 0)
"""Date of every file in the archive, its format's first: a pack says itself when it was made."""

Add = Callable[[Mapping[str, Any]], None]
"""Adds a row to a part."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the pack.

    Attributes
    ----------
    number, name
        Its number and the name of its file, without ending.
    title
        For people.
    is_final
        Whether later packs of the same range hold the same bytes; else it says what is known now.
    """

    number: int
    name: str
    title: str
    is_final: bool

    @property
    def file_name(self) -> str:
        """Name of its file."""
        return f"{self.number:02}-{self.name}.json"


class Archive:
    """An archive that is being written."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._digests: dict[str, str] = {}

    @contextlib.contextmanager
    def file(self, name: str) -> Iterator[Callable[[bytes], None]]:
        """Open a file for writing and note its digest; one at a time."""
        info = zipfile.ZipInfo(name, EPOCH)
        info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, 0o100644 << 16
        digest = hashlib.sha256()
        with self._archive.open(info, "w", force_zip64=True) as stream:

            def write(content: bytes) -> None:
                digest.update(content)
                stream.write(content)

            yield write
        self._digests[name] = digest.hexdigest()

    @contextlib.contextmanager
    def part(self, part: Part, heading: Mapping[str, Any]) -> Iterator[Add]:
        """Open a part for its rows."""
        count = 0
        with self.file(part.file_name) as write:
            head = {"part": part.number, "title": part.title, **heading}
            write(b"{\n" + b"".join(canonical({name: value})[1:-1] + b",\n" for name, value in head.items()))
            write(b'"rows": [')

            def add(row: Mapping[str, Any]) -> None:
                nonlocal count
                count += 1
                numbered = {**row, "row": count}
                line = canonical({**numbered, "sha256": hashlib.sha256(canonical(numbered)).hexdigest()})
                write((b"\n" if count == 1 else b",\n") + line)

            yield add
            write(b'\n],\n"row_count": %d\n}\n' % count)

    def finish(self) -> None:
        """Write the manifest."""
        lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(self._digests.items()))
        own = hashlib.sha256(lines.encode()).hexdigest()
        with self.file(MANIFEST) as write:
            write(f"{lines}{own}  {MANIFEST}\n".encode())


@contextlib.contextmanager
def new_archive(out: Path) -> Iterator[Archive]:
    """Give an archive to write; it gets its name once it is complete, and replaces nothing.

    Raises
    ------
    RequestError
        If the file exists or cannot be written; nothing is left behind.
    """
    if out.exists():
        raise RequestError(f"{out} exists and is not replaced: move it away, or name another file with --out.")
    try:
        descriptor, name = tempfile.mkstemp(prefix=".pack-", dir=out.parent)
    except OSError as error:
        raise _not_written(out, error) from error
    unfinished = Path(name)
    try:
        with os.fdopen(descriptor, "w+b") as stream:
            with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as zipped:
                zipped.comment = b"0" * DIGITS
                archive = Archive(zipped)
                yield archive
                archive.finish()
            _seal(stream)
        unfinished.chmod(0o600)
        os.link(unfinished, out)
    except OSError as error:
        raise _not_written(out, error) from error
    finally:
        unfinished.unlink(missing_ok=True)


def _not_written(out: Path, error: OSError) -> RequestError:
    return RequestError(
        f"The pack cannot be written to {out}: {error.strerror or error}. Name a new file in a folder that exists, "
        "with space and open to you, with --out."
    )


def _seal(stream: IO[bytes]) -> None:
    """Put the digest of all bytes before it into the archive's last 64 bytes, its comment."""
    stream.flush()
    size = stream.seek(0, os.SEEK_END) - DIGITS
    stream.seek(0)
    digest = hashlib.sha256()
    while size > 0:
        block = stream.read(min(1 << 20, size))
        digest.update(block)
        size -= len(block)
    stream.write(digest.hexdigest().encode())
