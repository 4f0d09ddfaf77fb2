"""Long lists: searched, filtered, sorted and cut into pages by the warehouse, at an address that holds everything.

A list is a statement of its own inside a query that is put together here. Names of columns come from the list's
declaration only, never from the address; what a person asks for is bound.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import Response
from psycopg2 import sql
from pydantic import BaseModel, Field

from risk.core.errors import RequestError
from risk.core.money import counted
from risk.core.warehouse import Connection, statement
from risk.web.exports import answer
from risk.web.limit_views import PageNumber
from risk.web.parameters import SHOW_ALL, Show
from risk.web.policy_views import typed_date
from risk.web.tables import PAGE_ROWS, Column, Page, Table
from risk.web.views import warehouse

ROWS_AT_ONCE = 2_000
COUNTED = "listed_count"
HIDDEN = "hidden_count"
NOTHING = sql.SQL("")


class AskedList(BaseModel):
    """What every list takes in its address."""

    find: Annotated[str, Field(max_length=100)] = ""
    sort: Annotated[str, Field(max_length=100)] = ""
    page: PageNumber = 1
    first: Annotated[str, Field(alias="from", max_length=40)] = ""
    last: Annotated[str, Field(alias="to", max_length=40)] = ""
    show: Show = ""


AskedListDep = Annotated[AskedList, Query()]


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter: the column, its label, and the values a person may choose with their names."""

    column: str
    label: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Hidden:
    """Accounts without a limit that a list leaves out until a person asks for all, by ``show=all`` or a filter.

    Attributes
    ----------
    column
        Of the statement: true in rows that are left out.
    unless
        Column of the filter: a choice in it asks for all that fit.
    """

    column: str
    unless: str


@dataclass(frozen=True, slots=True)
class Listing:
    """A list.

    Attributes
    ----------
    name
        Of its table; also the address below the root.
    title, intro
        Heading and first sentence of the page.
    noun
        What a row is, in singular and plural.
    statement
        File of the statement whose rows are listed.
    binds
        Of the statement.
    columns
        Of the table. Those with a key, a column of the statement, can be sorted by.
    order
        Key at first, with ``-`` before it where descending.
    ties
        Columns that name a row: they settle the order of equal ones.
    searched
        Text columns that the search looks into.
    choices
        Filters by value.
    dated
        Column of dates that ``from`` and ``to`` bound; empty = none.
    empty
        What the page says of an empty list: what to do.
    leading
        Column and value of the rows that come first until a person sorts.
    hidden
        Which rows are left out until a person asks for them; ``None`` = none.
    """

    name: str
    title: str
    intro: str
    noun: tuple[str, str]
    statement: str
    columns: Sequence[Column]
    order: str
    ties: Sequence[str]
    searched: Sequence[str]
    choices: Sequence[Choice] = ()
    dated: str = ""
    empty: str = "None."
    leading: tuple[str, str] | None = None
    hidden: Hidden | None = None
    binds: Mapping[str, Any] = field(default_factory=dict)

    def checked_order(self, asked: str) -> str:
        """Return the order that was asked for.

        Raises
        ------
        RequestError
            If the list cannot be sorted by it.
        """
        order = asked or self.order
        keys = [column.key for column in self.columns if column.key]
        if order.removeprefix("-") not in keys:
            raise RequestError(f"The list cannot be sorted by {order!r}: sort by {', '.join(keys)}.")
        return order


def answer_list(request: Request, listing: Listing, asked: AskedList) -> Response:
    """Show a page of a list, or answer with all its rows as an export.

    Raises
    ------
    RequestError
        If the list cannot be sorted or filtered by what is asked for.
    """
    order = listing.checked_order(asked.sort)
    chosen = {choice.column: _chosen(choice, request) for choice in listing.choices}
    query = _ListQuery(listing, asked, {name: value for name, value in chosen.items() if value})
    if "format" in request.query_params:
        table = _table(listing, query.stream(order), order, "")
        return answer(request, "list", [table])
    with warehouse() as connection:
        page, hidden_count = query.page(connection, order, asked.page)
    is_narrowed = bool(asked.find.strip() or asked.first or asked.last or query.chosen)
    caption = (
        f"{counted(page.count, *listing.noun)}{' that fit' if is_narrowed else ''}; a heading sorts by its column."
    )
    nothing = f"No {listing.noun[0]} fits: take something out of the search." if is_narrowed else listing.empty
    if hidden_count:
        nothing = f"No {listing.noun[0]} with a limit fits."
    table = _table(listing, page.rows, order, caption, nothing)
    shown: dict[str, Any] = {"listing": listing, "asked": asked, "chosen": chosen, "page": page}
    shown["hidden_count"] = hidden_count
    return answer(request, "list", [table], order=order if asked.sort else "", **shown)


def _table(listing: Listing, rows: Any, order: str, caption: str, empty: str = "") -> Table:
    return Table(listing.name, listing.title, caption, listing.columns, rows, empty, is_sortable=False, order=order)


def _chosen(choice: Choice, request: Request) -> str:
    value = request.query_params.get(choice.column, "")
    if value and value not in choice.values:
        raise RequestError(f"{choice.label} cannot be {value!r}: choose {', '.join(choice.values)}.")
    return value


@dataclass(frozen=True, slots=True)
class _ListQuery:
    """A list as it was searched and filtered."""

    listing: Listing
    asked: AskedList
    chosen: Mapping[str, str]

    def page(self, connection: Connection, order: str, number: int) -> tuple[Page[Mapping[str, Any]], int]:
        """Read a page, and count the hidden rows that fit; a number beyond the last page is the last one."""
        with connection.cursor() as cursor:
            found = self._read(cursor, order, number)
            if not found and number > 1:
                number = max(1, math.ceil(self._count(cursor, self._listed) / PAGE_ROWS))
                found = self._read(cursor, order, number)
            hidden_count = 0
            if self._hidden is not None:
                hidden_count = found[0][HIDDEN] if found else self._count(cursor, self._fitting)
        return Page(number, found, found[0][COUNTED] if found else 0), hidden_count

    def _count(self, cursor: Any, fitting: sql.Composable) -> int:
        cursor.execute(sql.SQL("select count(*) from ") + fitting, self._binds)
        count: int = cursor.fetchall()[0][0]
        return count

    def _read(self, cursor: Any, order: str, number: int) -> list[Mapping[str, Any]]:
        """Read the rows of a page, each with the count of all rows that fit: a second statement takes as long."""
        counted_rows = sql.SQL(", count(*) over () as {}").format(sql.Identifier(COUNTED))
        limited = self._ordered(order, counted_rows) + sql.SQL(" limit %(row_limit)s offset %(row_offset)s")
        bounds = {"row_limit": PAGE_ROWS, "row_offset": (number - 1) * PAGE_ROWS}
        cursor.execute(limited, {**self._binds, **bounds})
        return _named(cursor, cursor.fetchall())

    def stream(self, order: str) -> Iterator[Mapping[str, Any]]:
        """Give all rows as they come from the server."""
        with warehouse() as connection, connection.cursor("listed") as cursor:
            cursor.itersize = ROWS_AT_ONCE
            cursor.execute(self._ordered(order), self._binds)
            for row in cursor:
                yield from _named(cursor, [row])

    @property
    def _hidden(self) -> Hidden | None:
        """What is left out; ``None`` = nothing, or the person has asked for it."""
        hidden = self.listing.hidden
        is_asked_for = hidden is None or self.asked.show == SHOW_ALL or hidden.unless in self.chosen
        return None if is_asked_for else hidden

    @property
    def _listed(self) -> sql.Composable:
        """The rows that fit without the hidden ones, each with the count of these."""
        if self._hidden is None:
            return self._fitting
        names = sql.Identifier("listed", self._hidden.column), sql.Identifier(HIDDEN)
        counted_rows = sql.SQL("(select listed.*, count(*) filter (where {}) over () as {} from ").format(*names)
        return counted_rows + self._fitting + sql.SQL(") as listed where not {}").format(names[0])

    @property
    def _fitting(self) -> sql.Composable:
        """The rows that fit what was searched for and chosen."""
        inner = sql.SQL(statement(self.listing.statement).rstrip().rstrip(";"))
        whole = sql.SQL("(") + inner + sql.SQL("\n) as listed")
        conditions = list(self._conditions())
        return whole + sql.SQL(" where ") + sql.SQL(" and ").join(conditions) if conditions else whole

    def _conditions(self) -> Iterator[sql.Composable]:
        if self.listing.searched and self.asked.find.strip():
            places = [
                sql.SQL("strpos(lower({}), lower(%(find)s)) > 0").format(sql.Identifier("listed", name))
                for name in self.listing.searched
            ]
            yield sql.SQL("(") + sql.SQL(" or ").join(places) + sql.SQL(")")
        for name in self.chosen:
            yield sql.SQL("{} = {}").format(sql.Identifier("listed", name), sql.Placeholder(f"chosen_{name}"))
        if self.listing.dated and self.asked.first:
            yield sql.SQL("{} >= %(first_date)s").format(sql.Identifier("listed", self.listing.dated))
        if self.listing.dated and self.asked.last:
            yield sql.SQL("{} <= %(last_date)s").format(sql.Identifier("listed", self.listing.dated))

    def _ordered(self, order: str, further: sql.Composable = NOTHING) -> sql.Composable:
        direction = sql.SQL("desc" if order.startswith("-") else "asc")
        key = sql.SQL("{} {} nulls last").format(sql.Identifier("listed", order.removeprefix("-")), direction)
        leading = (
            []
            if self.asked.sort or self.listing.leading is None
            else [
                sql.SQL("{} = {} desc").format(
                    sql.Identifier("listed", self.listing.leading[0]), sql.Literal(self.listing.leading[1])
                )
            ]
        )
        ties = [sql.SQL("{} {}").format(sql.Identifier("listed", name), direction) for name in self.listing.ties]
        return (
            sql.SQL("select listed.*")
            + further
            + sql.SQL(" from ")
            + self._listed
            + sql.SQL(" order by ")
            + sql.SQL(", ").join([*leading, key, *ties])
        )

    @property
    def _binds(self) -> dict[str, Any]:
        return {
            **self.listing.binds,
            "find": self.asked.find.strip(),
            **{f"chosen_{name}": value for name, value in self.chosen.items()},
            "first_date": typed_date("From", self.asked.first) if self.asked.first else None,
            "last_date": typed_date("To", self.asked.last) if self.asked.last else None,
        }


def _named(cursor: Any, found: Sequence[Sequence[Any]]) -> list[Mapping[str, Any]]:
    names = [column.name for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in found]
