"""The examiner's pack: what one account's limits were over a range of days, who decided them and why, with proof.

Nothing of other accounts is in it. Whoever unzips it needs a browser to read it, and Python to check it.
"""

from __future__ import annotations

import datetime as dt
import inspect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from risk.core.warehouse import Connection, rows
from risk.evidence import verify_pack
from risk.evidence.archive import Archive, Part, new_archive
from risk.evidence.later import CHAIN, GAPS, PEOPLE, RESTATED, chain_rows, gap_rows, people_rows, restated_rows
from risk.evidence.page import PageRows, render_page
from risk.evidence.parts import FINAL_PARTS, Known, Row
from risk.evidence.reading import Scope, plain, read_scope

VERIFIER = "verify.py"
PAGE = "index.html"


@dataclass(frozen=True, slots=True)
class Made:
    """A pack that was made.

    Attributes
    ----------
    file
        The archive.
    scope
        What it is about.
    row_count
        Rows in all parts.
    head
        The chain's newest link then, as mails state it.
    """

    file: Path
    scope: Scope
    row_count: int
    head: str

    @property
    def sentence(self) -> str:
        """What was made, for people."""
        scope = self.scope
        early = "" if scope.made_at >= scope.until else " The range is not over: make the pack again after it."
        return (
            f"{self.file}: {scope.account_id}, {len(scope.sessions)} sessions from {scope.first} to {scope.last}, "
            f"{self.row_count:,} rows, {self.head}.{early}"
        )


def examine(
    connection: Connection, account_id: str, first: dt.date, last: dt.date, out: Path, people: Sequence[Row] = ()
) -> Made:
    """Write the pack of an account.

    Parameters
    ----------
    connection
        Warehouse; only read, as of one instant.
    first, last
        First and last day of the range.
    out
        File to write, which must not exist.
    people
        Airflow's users with their roles, as far as the caller knows them.

    Raises
    ------
    RequestError
        If there is no such account, session or report, or the file cannot be written.
    """
    with connection, connection.cursor() as cursor:
        cursor.execute("set transaction isolation level repeatable read, read only")
        scope = read_scope(connection, account_id, first, last)
        with new_archive(out) as archive:
            writer = _Writer(connection, archive, scope)
            writer.write_parts(people)
    return Made(out, scope, writer.row_count, writer.head)


class _Writer:
    """Writes the parts in turn, and keeps of their rows what the page shows."""

    def __init__(self, connection: Connection, archive: Archive, scope: Scope) -> None:
        self._connection, self._archive, self._scope = connection, archive, scope
        self._page = PageRows()
        self._first_link = 0
        self.row_count = 0
        self.head = "the chain is empty"

    def write_parts(self, people: Sequence[Row]) -> None:
        """Write every part, the page and the verifier."""
        connection, scope, known = self._connection, self._scope, Known()
        for part, give in FINAL_PARTS:
            self._write(part, give(connection, scope, known))
        self._write(RESTATED, restated_rows(connection, scope, known))
        self._write(PEOPLE, people_rows(connection, people, known))
        self._write(GAPS, gap_rows(connection, scope, known))
        others = {name for (name,) in rows(connection, "examine/select_account_names")} - set(scope.names)
        self._write(CHAIN, map(self._noting_head, chain_rows(connection, self._first_link, others)))
        with self._archive.file(PAGE) as write:
            write(render_page(scope, self._page, self.head).encode())
        with self._archive.file(VERIFIER) as write:
            write(Path(inspect.getsourcefile(verify_pack) or "").read_bytes())

    def _write(self, part: Part, given: Iterable[Row]) -> None:
        scope = self._scope
        heading = {
            "account": scope.account_id,
            "from": scope.first.isoformat(),
            "to": scope.last.isoformat(),
            **({"as_of": plain(scope.until)} if part.is_final else {"known": "as of now", "now": plain(scope.made_at)}),
        }
        with self._archive.part(part, heading) as add:
            for row in given:
                add(row)
                self.row_count += 1
                self._page.note(part.name, row)
                link = row.get("link")
                if link is not None and (self._first_link == 0 or link < self._first_link):
                    self._first_link = link

    def _noting_head(self, row: Row) -> Row:
        link = row["link_row"]
        self.head = f"Chain {link['sequence']} {link['link_sha256'][:16]}"
        return row
