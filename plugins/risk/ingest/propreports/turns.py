"""What tasks share about a vendor, on whichever machines they run: whose turn it is to ask, and which pages have come.

Both are in the warehouse: a lock and the instant of the last call, so that all machines together keep the vendor's
limit on requests; and the pages of answers that are not loaded yet, so that a retry goes on where the last try ended.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psycopg2

from risk.core.errors import ConnectionLostError
from risk.core.warehouse import Connection, execute, records, rows
from risk.ingest.propreports.client import Endpoint, RateLimiter
from risk.ingest.propreports.pages import Answer

POLL_INTERVAL_S: Final = 1.0
"""A task that waits for its turn asks so often, and can be stopped meanwhile: a statement that waits cannot."""

LONGEST_WAIT_S: Final = 600.0
"""Half a task's time limit: a retry may wait again."""

log = logging.getLogger(__name__)


def vendor_of(endpoint: Endpoint) -> str:
    """Name a vendor's login in the warehouse, without saying it."""
    return hashlib.sha256(f"{endpoint.user}@{endpoint.url}".encode()).hexdigest()[:12]


@contextlib.contextmanager
def hold_turn(connection: Connection, vendor: str, limiter: RateLimiter) -> Iterator[None]:
    """Let one task at a time call the vendor, and begin no sooner than a whole span after the last one has ended.

    The next one does not know how much the last one has asked. After a task that was killed, and whose end is unknown,
    it waits for a whole span. The lock is the connection's: it ends with it.

    Raises
    ------
    ConnectionLostError
        If another task has had its turn for ten minutes.
    """
    key = {"vendor": vendor}
    _await_lock(connection, key, limiter)
    try:
        with connection:
            ended = rows(connection, "vendor/select_vendor_calls", key)
            execute(connection, "vendor/upsert_vendor_calls", {**key, "has_ended": False})
        for (seconds,) in ended:
            rest = limiter.span_s - (seconds or 0.0)
            if rest > 0.0:
                limiter.sleep(rest)
        yield
    finally:
        # A connection that is lost has lost the lock, too, and the next task finds no end.
        with contextlib.suppress(psycopg2.Error):
            with connection:
                execute(connection, "vendor/upsert_vendor_calls", {**key, "has_ended": True})
            _answer(connection, "vendor/unlock", key)


def _await_lock(connection: Connection, key: dict[str, str], limiter: RateLimiter) -> None:
    for waited in range(int(LONGEST_WAIT_S / POLL_INTERVAL_S)):
        if _answer(connection, "vendor/try_lock", key):
            return
        if not waited:
            log.info("Another task asks this vendor: waiting for its turn to end.")
        limiter.sleep(POLL_INTERVAL_S)
    raise ConnectionLostError(
        f"Another task has asked this vendor for {LONGEST_WAIT_S / 60:.0f} minutes; this one is tried again. If no "
        "other extract_fills runs, look for its session in pg_stat_activity."
    )


def _answer(connection: Connection, name: str, key: dict[str, str]) -> bool:
    with connection:
        return bool(rows(connection, name, key)[0][0])


class KeptPages:
    """The pages of a vendor's answers that are not loaded yet.

    Parameters
    ----------
    connection
        Warehouse, outside of a transaction: each page is committed as it comes.
    vendor
        Whose answers.
    """

    def __init__(self, connection: Connection, vendor: str) -> None:
        self.connection = connection
        self.vendor = vendor

    def restore(self, question: str, folder: Path) -> None:
        """Write the pages that an earlier try has left into an empty folder of this task."""
        with self.connection:
            found = records(self.connection, "vendor/select_vendor_pages", self._key(question))
        if not found:
            return
        asked_at, page_count = found[0]["asked_at"], found[0]["page_count"]
        answer = Answer(folder, asked_at, page_count)
        folder.mkdir(mode=0o700, parents=True)
        for number, page in enumerate(found, start=1):
            # Further ones may be of an answer before this one.
            if (page["page_number"], page["asked_at"], page["page_count"]) != (number, asked_at, page_count):
                break
            answer.path(number).write_bytes(page["content"])
            answer.digests.append(page["content_sha256"])
        answer.keep()

    def keep(self, question: str, answer: Answer) -> None:
        """Store the page of an answer that came last."""
        values = {
            "page_number": len(answer.digests),
            "asked_at": answer.asked_at,
            "page_count": answer.total,
            "content": answer.paths[-1].read_bytes(),
            "content_sha256": answer.digests[-1],
        }
        with self.connection:
            execute(self.connection, "vendor/upsert_vendor_pages", {**self._key(question), **values})

    def forget(self, question: str | None = None) -> None:
        """Remove the pages of one question; by default all, once they are loaded."""
        with self.connection:
            execute(self.connection, "vendor/delete_vendor_pages", self._key(question))

    def _key(self, question: str | None) -> dict[str, str | None]:
        return {"vendor": self.vendor, "question": question}
