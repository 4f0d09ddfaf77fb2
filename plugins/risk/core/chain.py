"""The chain of links over what is recorded: which rows are linked, how they are read, and the head that mails state.

A trigger (``risk.link_rows``) writes the links; `risk.core.verify` computes them a second time from what is read here.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from psycopg2 import extensions, sql

from risk.core.errors import RequestError, StackError
from risk.core.verify import Verdict, Witness, canonical, read_witnesses
from risk.core.verify import verify as verify_rows
from risk.core.warehouse import Connection, rows

EACH: Mapping[str, Sequence[str]] = {
    "deliveries": ["delivery_id"],
    "limit_breach_entries": ["entry_id"],
    "limit_change_decisions": ["change_id"],
    "limit_changes": ["change_id"],
    "limit_decisions": ["decision_id"],
    "model_versions": ["model_id"],
    "notes": ["note_id"],
    "platform_limits": ["statement_id"],
    "policies": ["version"],
    "policy_request_decisions": ["request_id"],
    "policy_requests": ["request_id"],
    "policy_trials": ["trial_number"],
    "policy_verdicts": ["verdict_id"],
    "publications": ["publication_id"],
    "published_limits": ["decision_id"],
    "report_digests": ["run_id"],
    "reports": ["run_id"],
    "restores": ["restore_id", "replaced_sequence"],
    "source_files": ["load_id", "file_name"],
    "withdrawals": ["withdrawal_id"],
}
"""Tables with a link for each row, and the columns that name it."""
ALL: Mapping[str, str] = {
    "accounts": "statement_id",
    "adjustments": "adjustment_id",
    "instruments": "instrument_id",
    "marks": "mark_id",
    "splits": "split_id",
    "totals": "total_id",
}
"""Tables with a link for all rows that a statement loads, and their key."""
PARTS: Mapping[str, Sequence[str]] = {
    "corrections": ["delivery_id"],
    "fill_rejects": ["load_id", "file_name"],
    "fills": ["delivery_id"],
}
"""Tables whose rows the next report links, and the columns that name the delivery or file of a row."""
STATED_DIGITS = 16
LARGEST_MAIL = 1 << 26
ROWS_AT_ONCE = 10_000


class Head(NamedTuple):
    """The newest link when something was recorded: its number, and the first digits of its hash."""

    sequence: int
    digits: str

    def __str__(self) -> str:
        return f"Chain {self.sequence} {self.digits}"


def read_head(connection: Connection, kind: str, subjects: Sequence[str]) -> Head:
    """Read the head as some rows left it, which is their own last link: the same whatever is recorded later.

    Parameters
    ----------
    kind, subjects
        Table and keys of the rows.

    Raises
    ------
    RequestError
        If the rows have no link.
    """
    for sequence, link_sha256 in rows(connection, "chain/select_head", {"kind": kind, "subjects": list(subjects)}):
        return Head(sequence, link_sha256[:STATED_DIGITS])
    raise RequestError(
        f"{kind} {', '.join(subjects)} has no link in the chain: run riskctl verify, and call the developers."
    )


def newest_head(connection: Connection) -> Head | None:
    """Read the head as it is now; ``None`` where nothing is recorded."""
    for sequence, link_sha256 in rows(connection, "chain/select_newest_link"):
        return Head(sequence, link_sha256[:STATED_DIGITS])
    return None


def witnesses_of(file: Path) -> list[Witness]:
    """Read the heads that a saved mail states, or the file beside one for the trading platform.

    Raises
    ------
    RequestError
        If the file cannot be read, is larger than 64 MB or states no head.
    """
    if file.exists() and not file.is_file():
        raise RequestError(f"{file} is no file, and would have to be waited for: save the mail as .eml and name that.")
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST_MAIL + 1)
    except OSError as error:
        raise RequestError(f"{file} cannot be read: {error.strerror}. Save the mail again as .eml.") from error
    if len(content) > LARGEST_MAIL:
        raise RequestError(f"{file} is larger than {LARGEST_MAIL >> 20} MB, which no mail of ours is: save it again.")
    stated = read_witnesses(str(file), content)
    if not stated:
        raise RequestError(
            f"{file} states no head of the chain: save a mail of a report or of limits in force whole, as .eml."
        )
    return stated


def verify(connection: Connection, witnesses: Sequence[Witness]) -> Verdict:
    """Compute every link of the warehouse again, in one transaction, and compare with the heads that mails state."""
    return verify_rows(linked_rows(connection), witnesses)


def export(connection: Connection, folder: Path) -> int:
    """Write what the verifier reads when it runs alone, a file for each table, and return the number of rows.

    Nobody else may read the files, which hold the warehouse, and none that exists is replaced or written through.

    Raises
    ------
    StackError
        If a file exists or cannot be written.
    """
    row_count = 0
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            names = ("chain_links", *EACH, *ALL, *PARTS)
            files = {
                name: stack.enter_context(os.fdopen(_new_private(folder / f"{name}.jsonl"), "w", encoding="utf-8"))
                for name in names
            }
            for table, subject, text in linked_rows(connection):
                files[table].write(f"{json.dumps([subject, text])}\n")
                row_count += 1
    except OSError as error:
        raise StackError(f"{folder} cannot be written: {error.strerror}. Name another folder.") from error
    return row_count


def _new_private(file: Path) -> int:
    return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def linked_rows(connection: Connection) -> Iterator[tuple[str, str, str]]:
    """Yield table, subject and text of every row that is linked or ought to be, the links themselves first.

    The subject is that of the row's link, or the row's key where no link names it.
    """
    links = list(_read(connection, "chain_links", ["sequence"]))
    yield from (("chain_links", str(link["sequence"]), canonical(link).decode()) for link in links)
    for table, key in EACH.items():
        for row in _read(connection, table, key):
            yield table, _subject(row, key), canonical(row).decode()
    for table, name in ALL.items():
        subjects = (str(link["subject"]) for link in links if link["kind"] == table)
        numbers = filter(None, (re.fullmatch(r"(\d{1,18})-(\d{1,18})", subject) for subject in subjects))
        named = sorted((int(found[1]), int(found[2])) for found in numbers)
        for row in _read(connection, table, [name]):
            yield table, _range(named, int(str(row[name]))), canonical(row).decode()
    for table, key in PARTS.items():
        for row in _read(connection, table, [*key, "line_number"], as_text=True):
            yield table, _subject(row, key), str(row["text"])


def _subject(row: Mapping[str, str | bool | None], key: Sequence[str]) -> str:
    return " ".join(str(row[name]) for name in key if row[name] is not None)


def _range(named: Sequence[tuple[int, int]], number: int) -> str:
    """Return the range, of those that links name, in which a key lies; the key where there is none."""
    first, last = named[place - 1] if (place := bisect_left(named, (number + 1, 0))) else (0, -1)
    return f"{first}-{last}" if first <= number <= last else str(number)


def _read(
    connection: Connection, table: str, order: Sequence[str], *, as_text: bool = False
) -> Iterator[dict[str, str | bool | None]]:
    """Read a table by a key: all columns, or those of the key and the row, as Postgres prints them."""
    columns = sql.SQL(", ").join(map(sql.Identifier, order))
    chosen = sql.SQL("{}, linked::text as text").format(columns) if as_text else sql.SQL("*")
    query = sql.SQL("select {} from {} as linked order by {}").format(chosen, sql.Identifier("risk", table), columns)
    with connection.cursor(f"chain_{table}") as cursor:
        cursor.itersize = ROWS_AT_ONCE
        for caster in CASTERS:
            extensions.register_type(caster, cursor)
        cursor.execute(query)
        for row in cursor:
            yield dict(zip((column.name for column in cursor.description or ()), row, strict=True))


def _instant(text: str | None, _cursor: Any) -> str | None:
    """Write an instant in UTC with microseconds; one at infinity or before Christ as it is."""
    parts = text and re.fullmatch(r"(\d+-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?\+00", text)
    return f"{parts[1]}T{parts[2]}.{parts[3] or '':0<6}Z" if parts else text


def _new_caster(oids: Sequence[int], name: str, cast: Any) -> Any:
    return extensions.new_type(tuple(oids), name, cast)


BOOLEAN, INSTANT, OTHERS = 16, 1184, (20, 23, 1082, 1700, 3802)
CASTERS = (
    _new_caster([BOOLEAN], "BOOLEAN", lambda text, _: None if text is None else text == "t"),
    _new_caster([INSTANT], "INSTANT", _instant),
    _new_caster(OTHERS, "TEXT", lambda text, _: text),
)
"""How values of the linked tables' types are read: truth values as such, all others as text."""
