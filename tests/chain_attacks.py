"""What a superuser can do to a warehouse and its chain: each attack changes history and hides it as well as it can."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from typing import Any

from psycopg2 import sql

from risk.core.chain import ALL, EACH, PARTS, linked_rows
from risk.core.verify import canonical
from risk.core.warehouse import Connection

Link = dict[str, Any]
CHANGES = {
    "bigint": "{0} + 1",
    "boolean": "not {0}",
    "date": "{0} + 1",
    "jsonb": "{0} || '[]'",
    "numeric": "{0} + 0.01",
    "text": "{0} || 'x'",
    "timestamp with time zone": "{0} - interval '1 us'",
}
"""A small change of a value, by its type."""


def query(connection: Connection, text: Any, binds: Any = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(text, binds)
        return cursor.fetchall() if cursor.description else []


def links(connection: Connection) -> list[Link]:
    """Read the links as the verifier does, numbers as such."""
    found = [json.loads(text) for table, _, text in linked_rows(connection) if table == "chain_links"]
    return [link | {"sequence": int(link["sequence"]), "row_count": int(link["row_count"])} for link in found]


def disarm(connection: Connection) -> None:
    """Drop every check constraint for good: a superuser does."""
    text = "select conrelid::regclass::text, conname from pg_constraint where contype = 'c' and conrelid <> 0"
    with connection:
        for table, name in query(connection, text):
            query(connection, f'alter table {table} drop constraint "{name}"')


def unguard(connection: Connection) -> None:
    """Let neither triggers nor foreign keys stop what follows in this transaction."""
    query(connection, "set local session_replication_role = replica")


def keys_of(table: str) -> list[str]:
    """Name the columns of a table that name a row in its link."""
    return [*EACH[table]] if table in EACH else [ALL[table]] if table in ALL else [*PARTS[table]]


def rows_of(link: Link) -> tuple[sql.Composable, list[str]]:
    """Give a condition for the rows of a link."""
    table, subject = link["kind"], link["subject"]
    if table in ALL:
        return sql.SQL("{} between %s and %s").format(sql.Identifier(ALL[table])), subject.split("-")
    keys = keys_of(table)
    whole = sql.SQL("concat_ws(' ', {})").format(sql.SQL(", ").join(map(sql.Identifier, keys)))
    return sql.SQL("{} = %s").format(whole), [subject]


def one_of(connection: Connection, link: Link, draw: random.Random) -> str:
    """Draw a row of a link: where it is stored."""
    where, binds = rows_of(link)
    found = query(connection, sql.SQL("select ctid from {} where {} order by 1").format(place_of(link), where), binds)
    return str(draw.choice(found)[0])


def place_of(link: Link) -> sql.Composable:
    return sql.Identifier("risk", link["kind"])


def columns_of(connection: Connection, table: str) -> list[tuple[str, str]]:
    text = """
        select attname, split_part(format_type(atttypid, null), '(', 1) from pg_attribute
        where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum"""
    return [(name, kind) for name, kind in query(connection, text, (f"risk.{table}",))]


def update(connection: Connection, link: Link, draw: random.Random) -> None:
    """Change one value of a row by a digit or a letter."""
    row, keys = one_of(connection, link, draw), keys_of(link["kind"])
    present = [
        (name, kind)
        for name, kind in columns_of(connection, link["kind"])
        if kind in CHANGES
        and name not in keys
        and query(
            connection,
            sql.SQL("select 1 from {} where ctid = %s and {} is not null").format(place_of(link), sql.Identifier(name)),
            [row],
        )
    ]
    name, kind = draw.choice(present)
    changed = sql.SQL(CHANGES[kind]).format(sql.Identifier(name))
    statement = sql.SQL("update {} set {} = {} where ctid = %s").format(place_of(link), sql.Identifier(name), changed)
    query(connection, statement, [row])


def delete(connection: Connection, link: Link, draw: random.Random) -> None:
    """Remove a row."""
    row = one_of(connection, link, draw)
    query(connection, sql.SQL("delete from {} where ctid = %s").format(place_of(link)), [row])


def plant(connection: Connection, link: Link, draw: random.Random) -> None:
    """Add a copy of a row under another key, and no link; beside a fill another of the same delivery."""
    table, row = link["kind"], one_of(connection, link, draw)
    # What is unique, beside the key, in one table or another.
    other = {"run_id": "1000000", "account_id": "'planted'", "file_name": "'planted'", "line_number": "1000000"}
    if table in PARTS:
        other = {"line_number": "1000000"}
    else:
        other[keys_of(table)[0]] = "1000000"
    names = [name for name, _ in columns_of(connection, table)]
    chosen = [sql.SQL(other[name]) if name in other else sql.Identifier(name) for name in names]
    statement = sql.SQL("insert into {} ({}) overriding system value select {} from {} where ctid = %s").format(
        place_of(link),
        sql.SQL(", ").join(map(sql.Identifier, names)),
        sql.SQL(", ").join(chosen),
        place_of(link),
    )
    query(connection, statement, [row])


def reorder(connection: Connection, link: Link, draw: random.Random) -> None:
    """Swap a link with the one after it, and compute every hash again."""
    number = link["sequence"]
    text = "update risk.chain_links set sequence = %s where sequence = %s"
    aside = len(links(connection)) + 1
    for new, old in ((aside, number), (number, number + 1), (number + 1, aside)):
        query(connection, text, (new, old))
    rehash(connection)


def truncate(connection: Connection, link: Link, draw: random.Random) -> None:
    """Delete a row and every later one, with their links."""
    for later in links(connection)[link["sequence"] - 1 :]:
        where, binds = rows_of(later)
        query(connection, sql.SQL("delete from {} where {}").format(place_of(later), where), binds)
    query(connection, "delete from risk.chain_links where sequence >= %s", (link["sequence"],))
    forget_parts(connection)


def forget_parts(connection: Connection) -> None:
    """Remove what deliveries and files have brought that are gone."""
    for table in ("fills", "corrections"):
        query(
            connection, f"delete from risk.{table} where delivery_id not in (select delivery_id from risk.deliveries)"
        )
    query(
        connection,
        "delete from risk.fill_rejects where (load_id, file_name) not in "
        "(select load_id, file_name from risk.source_files)",
    )


def rewrite(connection: Connection, link: Link, draw: random.Random) -> None:
    """Change a row, then compute the content of its link and every hash again: the chain is consistent in itself."""
    update(connection, link, draw)
    rehash(connection)


def drop_link(connection: Connection, link: Link, draw: random.Random) -> None:
    """Remove rows with their link, close the gap and compute every hash again."""
    where, binds = rows_of(link)
    query(connection, sql.SQL("delete from {} where {}").format(place_of(link), where), binds)
    query(connection, "delete from risk.chain_links where sequence = %s", (link["sequence"],))
    forget_parts(connection)
    for later in links(connection)[link["sequence"] - 1 :]:
        text = "update risk.chain_links set sequence = sequence - 1 where sequence = %s"
        query(connection, text, (later["sequence"],))
    rehash(connection)


def change_fills(connection: Connection, link: Link, draw: random.Random) -> None:
    """Change the content of a delivery: one of its fills, and nothing else."""
    draw.choice((update, delete, plant))(connection, link, draw)


ATTACKS: tuple[Callable[[Connection, Link, random.Random], None], ...] = (
    update,
    delete,
    plant,
    reorder,
    truncate,
    rewrite,
    drop_link,
    change_fills,
)


def rehash(connection: Connection) -> None:
    """Compute every link again from the rows as they are, by whoever knows how."""
    contents: dict[tuple[str, str], list[str]] = {}
    for table, subject, text in linked_rows(connection):
        contents.setdefault((table, subject), []).append(text)
    previous = "0" * 64
    for (link,) in [map(json.loads, found) for (table, _), found in contents.items() if table == "chain_links"]:
        texts = contents.get((link["kind"], link["subject"]), [])
        digests = [hashlib.sha256(text.encode()) for text in texts]
        is_joint = link["kind"] in ALL or link["kind"] in PARTS
        joint = hashlib.sha256(b"".join(one.digest() for one in digests))
        stated = {**link, "previous_sha256": previous}
        if digests:
            content = joint if is_joint else digests[0]
            stated |= {"content_sha256": content.hexdigest(), "row_count": str(len(digests))}
        stated.pop("link_sha256")
        own = hashlib.sha256(canonical(stated)).hexdigest()
        values = (stated["content_sha256"], stated["row_count"], previous, own, link["sequence"])
        text = """
            update risk.chain_links set content_sha256 = %s, row_count = %s, previous_sha256 = %s, link_sha256 = %s
            where sequence = %s"""
        query(connection, text, values)
        previous = own
