"""One question's pages: each kept as it came, so that a retry goes on where the last try ended."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import logging
import re
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Final, Protocol

from risk.core.errors import ConnectionLostError, RefusalError
from risk.ingest.propreports.client import Client
from risk.ingest.rules import shorten

TRAILER: Final = re.compile(rb"Page ([0-9]{1,6})/([0-9]{1,6})")
TAIL_BYTES: Final = 200
ROUNDS: Final = 3
"""So often a question is asked from its first page on, before its answer counts as incomplete."""

RESUME_WITHIN: Final = dt.timedelta(hours=1)
"""Older pages are asked for again: what a morning's last retry finds is still news, what a next run finds is not."""

HEADER_WITHIN_LINES: Final = 20

Clock = Callable[[], dt.datetime]

log = logging.getLogger(__name__)


class IncompleteAnswerError(ConnectionLostError):
    """The vendor did not answer a question whole; nothing of the answer may be loaded.

    Attributes
    ----------
    page_count
        How many pages came.
    """

    def __init__(self, message: str, page_count: int = 0) -> None:
        super().__init__(message)
        self.page_count = page_count


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the vendor.

    Attributes
    ----------
    name
        Names the kept pages; letters, digits and hyphens.
    form
        The request, without token and page.
    columns
        Names that tell the header from the lines before it.
    """

    name: str
    form: Mapping[str, str]
    columns: Collection[str]


@dataclass(slots=True)
class Answer:
    """The pages of one answer, as far as they have come.

    Attributes
    ----------
    folder
        Where they lie.
    asked_at
        When the first page was asked for: what the vendor published later may be missing.
    total
        How many there are by the trailers; ``None`` before the first has come.
    digests
        SHA-256 of each page that has come.
    """

    folder: Path
    asked_at: dt.datetime
    total: int | None = None
    digests: list[str] = field(default_factory=list)

    @property
    def paths(self) -> list[Path]:
        """The files, in the order of the pages."""
        return [self.path(number) for number in range(1, len(self.digests) + 1)]

    def path(self, number: int) -> Path:
        """Name the file of a page."""
        return self.folder / f"page-{number:06}.csv"

    def keep(self) -> None:
        """Write down which pages have come."""
        content = {"asked_at": self.asked_at.isoformat(), "total": self.total, "digests": self.digests}
        unfinished = self.folder / "pages.unfinished"
        unfinished.write_text(json.dumps(content), encoding="utf-8")
        unfinished.replace(self.folder / "pages.json")


class Keeper(Protocol):
    """Keeps pages beyond the task whose folder they are in."""

    def restore(self, question: str, folder: Path) -> None:
        """Write the pages that an earlier try has left into an empty folder."""

    def keep(self, question: str, answer: Answer) -> None:
        """Store the page of an answer that came last."""

    def forget(self, question: str) -> None:
        """Remove the pages of a question."""


def ask(client: Client, question: Question, folder: Path, clock: Clock, keeper: Keeper | None = None) -> Answer:
    """Bring all pages of an answer to disk, going on with those that a try within the last hour has left.

    Pages are no snapshot: a row that arrives between two requests pushes another one over a page's edge. So of an
    answer with several pages the earlier ones are asked for a second time and must be what they were.

    Parameters
    ----------
    folder
        The task's own.
    keeper
        Keeps the pages for the next task; ``None`` = only the folder has them.

    Raises
    ------
    IncompleteAnswerError
        If pages are missing, contradict each other or keep changing; they are gone.
    RefusalError, ConnectionLostError
        As the client; in the second case the pages that came stay.
    """
    kept = folder / question.name
    if keeper is not None and not kept.exists():
        keeper.restore(question.name, kept)
    found, came_count = "", 0
    for _ in range(ROUNDS):
        answer = _kept(kept, clock())
        try:
            while answer.total is None or len(answer.digests) < answer.total:
                _add_page(client, question, answer)
                if keeper is not None:
                    keeper.keep(question.name, answer)
            _confirm(client, question, answer)
        except IncompleteAnswerError as incomplete:
            found, came_count = str(incomplete), len(answer.digests)
            log.warning("%s: %s; asking again", question.name, found)
            shutil.rmtree(kept)
            if keeper is not None:
                keeper.forget(question.name)
            client.limiter.sleep(client.timeouts.backoff_s)
        else:
            return answer
    raise IncompleteAnswerError(f"{found} ({ROUNDS} times asked)", came_count)


def _kept(kept: Path, now: dt.datetime) -> Answer:
    """Take up what an earlier try has left, if it is young and its bytes are what they were; else begin anew."""
    try:
        content: dict[str, Any] = json.loads((kept / "pages.json").read_text(encoding="utf-8"))
        asked_at = dt.datetime.fromisoformat(content["asked_at"])
        answer = Answer(kept, asked_at, content["total"], list(content["digests"]))
        is_young = dt.timedelta(0) <= now - asked_at <= RESUME_WITHIN
        is_whole = all(map(_has_digest, answer.paths, answer.digests))
    except (OSError, ValueError, KeyError, TypeError):
        is_young = is_whole = False
    if is_young and is_whole:
        return answer
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(mode=0o700, parents=True)
    return Answer(kept, now)


def _has_digest(path: Path, digest: str) -> bool:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == digest


def _add_page(client: Client, question: Question, answer: Answer) -> None:
    number = len(answer.digests) + 1
    digest, total = _page(client, question, number, answer.path(number))
    if answer.total not in (None, total):
        raise IncompleteAnswerError(f"page {number} says there are {total} pages, and page 1 said {answer.total}")
    answer.total = max(total, 1)
    answer.digests.append(digest)
    answer.keep()


def _page(client: Client, question: Question, number: int, path: Path) -> tuple[str, int]:
    """Bring one page to disk and return its SHA-256 and the number of pages by its trailer."""
    try:
        digest = client.download({**question.form, "page": str(number)}, path)
    except RefusalError as refusal:
        if number == 1:
            raise
        raise IncompleteAnswerError(f"page {number} was promised and did not come: {refusal.found}") from None
    last = last_line(path)
    trailer = TRAILER.fullmatch(last)
    if trailer is None:
        shown = shorten(last.decode("utf-8", errors="replace"))
        raise IncompleteAnswerError(f"page {number} ends with {shown} and not with its trailer: it was cut off")
    said, total = map(int, trailer.groups())
    is_empty = (number, total) == (1, 0)
    if said != number or (total < number and not is_empty):
        raise IncompleteAnswerError(f"page {number} was asked for, and the answer says it is page {said} of {total}")
    return digest, total


def _confirm(client: Client, question: Question, answer: Answer) -> None:
    """Ask for the earlier pages again."""
    again = answer.folder / "again.csv"
    for number, digest in enumerate(answer.digests[:-1], start=1):
        if _page(client, question, number, again) != (digest, answer.total):
            raise IncompleteAnswerError(f"page {number} of {answer.total} changed while the others were read")
    again.unlink(missing_ok=True)


def last_line(path: Path) -> bytes:
    """Return the last line of a file that is not blank, without its end."""
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - TAIL_BYTES, 0))
        return file.read().rstrip().rpartition(b"\n")[2].strip()


def lines(answer: Answer, columns: Collection[str]) -> Iterator[str]:
    """Yield the header and the records of an answer, without what stands before the header and without trailers.

    Nothing where the vendor has sent neither header nor records.

    Raises
    ------
    IncompleteAnswerError
        If no header is found; the vendor's format has changed.
    """
    header = ""
    for path in answer.paths:
        rest = _records(path)
        before: list[str] = []
        for line in rest:
            before.append(line)
            if line == header or (not header and names_columns(line, columns)):
                before.clear()
                if not header:
                    header = line
                    yield header
                break
            if len(before) == HEADER_WITHIN_LINES:
                break
        if before and not header:
            raise IncompleteAnswerError(
                f"page 1 has no header with {', '.join(columns)}: it begins {shorten(before[0])}"
            )
        yield from chain(before, rest)


def records(answer: Answer) -> Iterator[str]:
    """Yield all lines of an answer but blank ones and trailers."""
    return chain.from_iterable(map(_records, answer.paths))


def names_columns(line: str, columns: Collection[str]) -> bool:
    """Tell whether a line is the header that names some columns."""
    fields = {name.strip(' "') for name in line.split(",")}
    return fields.issuperset(columns)


def _records(path: Path) -> Iterator[str]:
    """Yield the lines of a page without blank ones and without its trailer, the last one."""
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="\n") as file:
        earlier = ""
        for text in file:
            line = text.rstrip("\r\n")
            if not line.strip():
                continue
            if earlier:
                yield earlier
            earlier = line
