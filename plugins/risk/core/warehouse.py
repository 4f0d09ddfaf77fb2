"""The warehouse: connections, SQL files and the one write lock.

Every statement names the schema of each table. A connection may read and write another schema in place of ``derived``
or ``results``: a point-in-time run has its own, see ``risk.core.runs``.
"""

from __future__ import annotations

import contextlib
import errno
import re
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, cast

import psycopg2
import psycopg2.extensions
from psycopg2 import sql

from risk.core.errors import ConnectionLostError, StackError
from risk.core.exchange import exchange
from risk.core.settings import SQL_DIR

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
"""Codes of the operating system for a disk or a quota without space."""

WRITE_LOCK = 5_202_511
"""Key of the advisory lock around every task's write: sessions that run side by side take turns."""


EXCHANGE_BINDS = re.compile(r"%\(exchange_(?:zone|city)\)s")
"""What a statement gets without being given: the zone of the exchange, and its name in words."""


class Connection(psycopg2.extensions.connection):
    """A connection to the warehouse.

    Attributes
    ----------
    replaced_schemas
        Schema that statements of this connection read and write in place of ``derived``, ``results`` or ``private``.
    """

    replaced_schemas: Mapping[str, str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.replaced_schemas = {}
        self.cursor_factory = Cursor


class Cursor(psycopg2.extensions.cursor):
    """A cursor that puts the schemas of its connection, and the exchange's zone, into every statement."""

    def execute(self, query: Any, binds: Any = None) -> None:
        """Run a statement."""
        text = self.in_replaced_schemas(query)
        super().execute(text, self.with_exchange(text, binds))

    def mogrify(self, query: Any, binds: Any = None) -> bytes:
        """Return a statement with its values."""
        text = self.in_replaced_schemas(query)
        return bytes(super().mogrify(text, self.with_exchange(text, binds)))

    def copy_expert(self, query: Any, file: Any, size: int = 8_192) -> None:
        """Run a COPY statement."""
        super().copy_expert(self.in_replaced_schemas(query), file, size)

    def with_exchange(self, query: Any, binds: Any) -> Any:
        """Return the values of a statement with those of ``EXCHANGE_BINDS`` that it names."""
        text = query.as_string(self) if isinstance(query, sql.Composable) else query
        if isinstance(text, bytes) or not EXCHANGE_BINDS.search(text):
            return binds
        known = exchange()
        return {**(binds or {}), "exchange_zone": known.zone.key, "exchange_city": known.city}

    def in_replaced_schemas(self, query: Any) -> Any:
        """Return a statement with the schemas that this connection uses."""
        replaced = cast("Connection", self.connection).replaced_schemas
        if not replaced:
            return query
        text = query.as_string(self) if isinstance(query, sql.Composable) else query
        if isinstance(text, bytes):
            text = text.decode()
        return replaceable_tables().sub(lambda found: f"{replaced.get(found[2], found[2])}.", text)


SESSION_OPTIONS = (
    "-c timezone=UTC -c datestyle=ISO -c search_path=pg_catalog,pg_temp "
    "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
)
"""Settings of every session; given at its start, they hold against settings that a role or database has of its own.

The locks of a machine that is lost without a word end a minute later.
"""


def connect(dsn: str) -> Connection:
    """Open a connection whose sessions speak UTC and ISO dates and find nothing by a bare name but the server's own.

    Options that the connection string states come after ours.

    Raises
    ------
    ConnectionLostError
        If the server does not answer or refuses the login; the message carries no password.
    """
    try:
        connection: Connection = psycopg2.connect(
            dsn,
            connection_factory=Connection,
            application_name="risk",
            options=f"{SESSION_OPTIONS} {psycopg2.extensions.parse_dsn(dsn).get('options', '')}",
        )
    except psycopg2.OperationalError as error:
        place, said = psycopg2.extensions.parse_dsn(dsn), " ".join(str(error).split()).rstrip(".")
        where = f"{place.get('host', 'local socket')}:{place.get('port', '5432')}/{place.get('dbname', '')}"
        # By this word a server that is there begins what it says.
        found, remedy = (
            (f"refuses the connection: {said}", "Correct login, password or database in its connection")
            if "FATAL:" in said
            else (f"does not answer: {said}", "Start it (make up)")
        )
        raise ConnectionLostError(f"The warehouse at {where} {found}. {remedy}, then clear this task.") from None
    return connection


@cache
def replaceable_tables() -> re.Pattern[str]:
    """Match the schema before a table that a connection may have elsewhere.

    ``private`` is what a run has apart, in statements that read both.
    """
    texts = (path.read_text(encoding="utf-8") for path in (SQL_DIR / "schema" / "tables").glob("*.sql"))
    names = [name for text in texts for name in re.findall(r"^create table (?:derived|results)\.(\w+)", text, re.M)]
    return re.compile(rf'(?<![\w.])("?)(derived|results|private)\1\.(?="?(?:{"|".join(names)})\b)')


@contextlib.contextmanager
def answering() -> Iterator[None]:
    """Give the loss of the server in the middle of some work a sentence, and so a disk without space here.

    Raises
    ------
    ConnectionLostError
        If the server ended a statement or the connection by itself: it was stopped, its disk is full, a time-out.
    StackError
        If a file of this machine cannot grow, or the role that is logged in lacks a privilege.
    """
    try:
        yield
    except psycopg2.errors.InsufficientPrivilege as error:
        raise StackError(
            f"The role that logs in to the warehouse lacks a privilege: {' '.join(str(error).split())}. Run riskctl "
            "migrate as the owner of the tables (riskctl doctor shows what each role lacks), then clear this task."
        ) from error
    except OSError as error:
        if error.errno not in NO_SPACE:
            raise
        where = error.filename or tempfile.gettempdir()
        raise StackError(
            f"There is no space for {where}: {error.strerror}. What was not committed is undone. Free up space, or let "
            "RISK_SCRATCH_DIR name a folder of another disk, then clear this task."
        ) from error
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
        # What ends a transaction on a closed connection says only that; why it was closed came before.
        cause = " ".join(str(error.__context__ or error).split()).rstrip(".")
        raise ConnectionLostError(
            f"The warehouse broke off in the middle of the work: {cause}. What was not committed "
            "is undone. Look at its server and its disk (./riskctl doctor), then clear this task."
        ) from error


@cache
def statement(name: str) -> str:
    """Read the statement ``include/sql/<name>.sql``."""
    return (SQL_DIR / f"{name}.sql").read_text(encoding="utf-8")


def load_statements() -> None:
    """Read every statement file now: processes forked from this one run these, whatever is written later."""
    for path in SQL_DIR.rglob("*.sql"):
        statement(path.relative_to(SQL_DIR).with_suffix("").as_posix())


def execute(connection: Connection, name: str, binds: Mapping[str, Any] | None = None) -> int:
    """Run one statement file and return the number of rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement(name), binds or None)
        return cursor.rowcount


def rows(connection: Connection, name: str, binds: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
    """Run one statement file and fetch its rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement(name), binds or None)
        return cursor.fetchall()


def records(connection: Connection, name: str, binds: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Run one statement file and fetch its rows as dictionaries by column name."""
    with connection.cursor() as cursor:
        cursor.execute(statement(name), binds or None)
        columns = [column.name for column in cursor.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


@contextlib.contextmanager
def planning(connection: Connection, **settings: str | float) -> Iterator[None]:
    """Let Postgres plan some statements of a transaction by other settings than those of the server.

    Parameters
    ----------
    settings
        Values by the names of Postgres's planner settings; not those that the transaction has set for itself before.
    """
    with connection.cursor() as cursor:
        for name, value in settings.items():
            cursor.execute(sql.SQL("set local {} = {}").format(sql.Identifier(name), sql.Literal(value)))
    yield
    with connection.cursor() as cursor:
        for name in settings:
            cursor.execute(sql.SQL("set local {} to default").format(sql.Identifier(name)))


@contextlib.contextmanager
def writing(connection: Connection) -> Iterator[Connection]:
    """Hold the warehouse's write lock for one transaction: commit at the end, roll back on any error."""
    with connection:
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(%s)", (WRITE_LOCK,))
        yield connection
