"""Tables: declared once, rendered on a page by the macro ``table`` and written as CSV and XLSX by ``exports``."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final, Generic, TypeAlias, TypeVar

from risk.core import money
from risk.core.calendar import local_time
from risk.core.exchange import exchange

Row = TypeVar("Row")

PAGE_ROWS = 100
"""Rows of a table that has pages."""

WHOLE = 0
"""Number of the page that is the whole table."""

Value: TypeAlias = Decimal | float | int | str | dt.date | dt.datetime | None
"""What a cell holds: exact, and ``None`` where it is empty."""


def figure(value: float | None, decimals: int = 3) -> str:
    """Write a number without a unit; small ones keep digits that tell them from 0."""
    if value is None:
        return "n/a"
    places = 5 if value and abs(value) < 10**-decimals else decimals
    return f"{value:z,.{places}f}"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a column holds.

    Attributes
    ----------
    write
        How a page writes a value.
    style
        Class of its cells in the style sheet.
    unit
        Of its numbers or instants in an export; empty = none. US dollars are exact, a ratio of 0.4 is 40 %, instants
        are the exchange's time.
    number_format
        How a spreadsheet shows a value; empty = as text.
    missing
        What a page says where there is no value; an export leaves the cell empty.
    """

    write: Callable[[Any], str]
    style: str = ""
    unit: str = ""
    number_format: str = ""
    missing: str = ""

    @property
    def unit_words(self) -> str:
        """The unit for people; of an instant the name of the exchange's zone."""
        return exchange().city if self.unit == LOCAL_TIME else self.unit

    @property
    def is_number(self) -> bool:
        """Whether it is sorted by value."""
        return self.style == "number"


USD, RATIO, LOCAL_TIME = "US dollars", "ratio", "exchange time"

_CENTS = "#,##0.00;-#,##0.00"

PNL: Final = Kind(money.signed_usd_cents, "number", USD, _CENTS, "unknown")
ROUNDED_PNL: Final = Kind(money.signed_usd, "number", USD, _CENTS, "unknown")
LIMIT: Final = Kind(money.usd_exact, "number", USD, _CENTS)
LOSS: Final = Kind(money.usd_cents, "number", USD, _CENTS, "unknown")
FORECAST: Final = Kind(money.usd, "number", USD, _CENTS, "none")
PRICE: Final = Kind(
    lambda price: f"${price:z,.2f}" if price == round(price, 2) else f"${price:z,}", "number", USD, "#,##0.00##########"
)
PERCENT: Final = Kind(money.percent, "number", RATIO, "0%", "n/a")
SHARE: Final = Kind(lambda ratio: money.percent(ratio, 1), "number", RATIO, "0.0%", "n/a")
PROBABILITY: Final = Kind(money.probability, "number", RATIO, "0.0%", "n/a")
P_VALUE: Final = Kind(money.p_value, "number", "", "0.000", "n/a")
COUNT: Final = Kind(money.count, "number", "", "#,##0")
FIGURE: Final = Kind(figure, "number", "", "#,##0.000", "n/a")
SHORT_FIGURE: Final = Kind(lambda value: figure(value, 2), "number", "", "#,##0.000", "n/a")
DATE: Final = Kind(str, "date", "", "yyyy-mm-dd")
TIME: Final = Kind(local_time, "date", LOCAL_TIME, "yyyy-mm-dd hh:mm:ss")
TEXT: Final = Kind(str)
LEVEL: Final = Kind(str.upper, "level")
NAME: Final = Kind(str, "name")
WORDS: Final = Kind(str, "reason")


def _nothing(_: Any) -> Any:
    return None


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, its kind, and what to read from a row.

    Attributes
    ----------
    heading
        Unique within the table.
    kind
        One of the constants of this module.
    source
        Attribute, key or function of a row that gives the exact value.
    words
        What a page says instead of the value in a row; ``None`` = the value as its kind writes it.
    link
        Address below the root of the pages that a cell leads to; empty = none.
    tone
        Emphasis of a cell: ``high``, ``moderate`` or ``low`` by color, ``strong``, or empty.
    rank
        Number that a page sorts the rows of a text column by; ``None`` = by the text.
    missing
        What a page says where there is no value; ``None`` = what the kind says.
    key
        By which the address of a list asks for this order; empty = it cannot.
    is_exported, is_shown
        Whether it is in the exports and on the page.
    is_written_by_page
        Whether the page's template writes the inside of the cell, in the macro's caller: for forms and lists.
    """

    heading: str
    kind: Kind
    source: str | Callable[[Any], Any]
    words: Callable[[Any], str | None] = _nothing
    link: Callable[[Any], str | None] = _nothing
    tone: Callable[[Any], str | None] = _nothing
    rank: Callable[[Any], Decimal | float | None] = _nothing
    missing: str | None = None
    key: str = ""
    is_exported: bool = True
    is_shown: bool = True
    is_written_by_page: bool = False

    def value(self, row: Any) -> Value:
        """Return the exact value in a row."""
        if callable(self.source):
            found = self.source(row)
        else:
            found = row[self.source] if isinstance(row, Mapping) else getattr(row, self.source)
        if isinstance(found, bool):
            return "yes" if found else "no"
        # Binary fractions are no exact amounts: they count to the cent.
        value: Value = Decimal(f"{found:z.2f}") if self.kind.unit == USD and isinstance(found, float) else found
        return value

    def of_part(self, part: Callable[[Any], Any]) -> Column:
        """Return the same column for rows of which one part is what this one reads."""

        def value(row: Any) -> Value:
            return self.value(part(row))

        return replace(
            self,
            source=value,
            words=lambda row: self.words(part(row)),
            link=lambda row: self.link(part(row)),
            tone=lambda row: self.tone(part(row)),
            rank=lambda row: self.rank(part(row)),
        )

    @property
    def export_heading(self) -> str:
        """The heading with the unit."""
        return f"{self.heading} ({self.kind.unit_words})" if self.kind.unit else self.heading


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as a page shows it; see `Column` for its parts."""

    column: Column
    row: Any
    text: str
    style: str
    link: str
    tone: str
    data_value: Value


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """A page of a long table: its number from 1, its rows, how many rows there are in all, and on a full page."""

    number: int
    rows: Sequence[Row]
    count: int
    size: int = PAGE_ROWS

    @property
    def first(self) -> int:
        """Number of its first row, from 1."""
        return (self.number - 1) * self.size + 1

    @property
    def last(self) -> int:
        """Number of its last row."""
        return self.first + len(self.rows) - 1


def page_of(found: Sequence[Row], number: int, size: int = PAGE_ROWS) -> Page[Row]:
    """Cut a page out of a table; a number beyond the last page is the last page, and 0 stands for the whole table."""
    if number == WHOLE:
        return Page(1, found, len(found))
    within = min(number, max(1, math.ceil(len(found) / size)))
    return Page(within, found[(within - 1) * size : within * size], len(found), size)


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes
    ----------
    name
        Lower-case letters, digits and hyphens; unique on its page. It is in the address of an export and names its
        file.
    label
        What a screen reader calls it; also the name of the sheet.
    caption
        A sentence about the rows.
    columns
        The first one heads each row.
    rows
        Mappings or objects that the columns read; may be read only once where it is a generator.
    empty
        What a page says where there is no row: what is missing and what to do.
    is_sortable
        Whether the reader's browser sorts it: not where rows have an order of their own or there are more pages.
    is_cut_short
        Whether the page offers to show more rows than these.
    order
        Of a list whose rows the warehouse sorts: key of the column, with ``-`` before it where descending.
    page
        Which page of a long table the rows are; ``None`` = they are all.
    """

    name: str
    label: str
    caption: str
    columns: Sequence[Column]
    rows: Iterable[Any]
    empty: str = "None."
    is_sortable: bool = True
    is_cut_short: bool = False
    order: str = ""
    page: Page[Any] | None = None

    def at_page(self, number: int) -> Table:
        """Return a page of the table where it has more rows than one holds: a browser sorts whole tables only."""
        if not isinstance(self.rows, Sequence) or len(self.rows) <= PAGE_ROWS:
            return self
        page = page_of(self.rows, number)
        return replace(self, rows=page.rows, page=page, is_sortable=False)

    @property
    def shown_columns(self) -> list[Column]:
        """The columns of the page."""
        return [column for column in self.columns if column.is_shown]

    @property
    def exported_columns(self) -> list[Column]:
        """The columns of CSV and XLSX."""
        return [column for column in self.columns if column.is_exported]

    def cells(self) -> Iterator[list[Cell]]:
        """Yield the cells of each row as the page shows them."""
        columns = self.shown_columns
        for row in self.rows:
            yield [_cell(column, row) for column in columns]

    def values(self) -> Iterator[list[Value]]:
        """Yield the exact values of each row."""
        columns = self.exported_columns
        for row in self.rows:
            yield [column.value(row) for column in columns]

    def heading_order(self, column: Column) -> str:
        """Return the value of ``aria-sort`` of a column of a list; empty = it is not sorted by it."""
        if not column.key or self.order.removeprefix("-") != column.key:
            return ""
        return "descending" if self.order.startswith("-") else "ascending"

    def next_order(self, column: Column) -> str:
        """Return the order that a heading of a list leads to: the other one where it is sorted by it."""
        return f"-{column.key}" if self.order == column.key else column.key


def _cell(column: Column, row: Any) -> Cell:
    value = column.value(row)
    text = column.words(row)
    if text is None:
        missing = column.kind.missing if column.missing is None else column.missing
        text = missing if value is None else column.kind.write(value)
    is_ranked = value is not None and column.kind.is_number
    return Cell(
        column,
        row,
        text,
        column.kind.style,
        column.link(row) or "",
        column.tone(row) or "",
        value if is_ranked else column.rank(row),
    )
