"""What one TOML file says about a broker's export: which column is which, and how words, times and numbers are written.

A mapping turns columns of text into our columns of text; the one parser judges them as any other file
(`risk.ingest.layout`). Reading the file, and the presets, are in `risk.ingest.mapping_files`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from risk.core.exchange import exchange_zone
from risk.ingest.words import FEES, side_of

FILLS_PATTERNS: Final = ("fills*.csv", "fills*.csv.gz")
"""Files that a mapping without patterns claims where it is named by setting or parameter."""

MOST_PATTERN: Final = 200
"""Characters of a regular expression."""

_SAMPLE: Final = dt.datetime(2001, 2, 13, 14, 45)  # noqa: DTZ001 - to try formats on
_REQUIRED: Final = ("side", "quantity", "symbol", "price")


def _listed(value: object) -> object:
    """Take one text for a list of one, and a list of TOML for the tuple that a frozen model holds."""
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


def _clock(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return dt.time.fromisoformat(value)
    except ValueError:
        raise ValueError("it is no time of day, such as 18:00") from None


def _expression(value: str) -> str:
    try:
        re.compile(value)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"it is no regular expression ({error})") from None
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError("it is no zone of the IANA list, such as America/Chicago or UTC") from None
    return value


def _side(value: str) -> str:
    side = side_of(value)
    if side is None:
        raise ValueError("it is none of B, S, T, C (buy, sell, short, cover)")
    return side


def _fee_name(value: str) -> str:
    if value not in FEES:
        raise ValueError(f"it is none of our fees, which are {', '.join(FEES)}")
    return value


def _is_round_trip(form: str, *parts: str) -> bool:
    """Tell whether a format keeps some parts of a time."""
    try:
        read = dt.datetime.strptime(_SAMPLE.strftime(form), form)  # noqa: DTZ007 - only its parts are looked at
    except (ValueError, re.error, OverflowError, IndexError, UnicodeError):
        return False
    return all(getattr(read, part) == getattr(_SAMPLE, part) for part in parts)


Text = Annotated[str, Field(min_length=1, max_length=100)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_listed), Field(max_length=100)]
Expression = Annotated[str, Field(min_length=1, max_length=MOST_PATTERN), AfterValidator(_expression)]


class _Part(BaseModel):
    """A table of a mapping file: nothing unknown, nothing converted, nothing changed later."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Columns(_Part):
    """Our columns, each with the name of the file's; of several names the first one that the file has."""

    account: Texts = Field(default=(), description="Account name.")
    side: Texts = Field(default=(), description="Buy, sell, short or cover.")
    quantity: Texts = Field(default=(), description="Shares or contracts.")
    symbol: Texts = Field(default=(), description="Symbol.")
    price: Texts = Field(default=(), description="Price.")
    status: Texts = Field(default=(), description="What the row is: an execution, a cancel or a correction.")
    currency: Texts = Field(default=(), description="Currency of the price, as an ISO code.")
    multiplier: Texts = Field(default=(), description="Multiplier of the contract, which is then stated.")


class Time(_Part):
    """When an execution was: one column, date and time in two, or the time in one and the date in the file's name."""

    column: Texts = Field(default=(), description="Column with date and time, or with the time alone.")
    date_column: Texts = Field(default=(), description="Column with the date, where `column` has the time alone.")
    date_in_name: Expression | None = Field(
        default=None, description="Regular expression with one group that finds the date in the file's name."
    )
    formats: Texts = Field(
        default=(),
        description="Forms of date and time, or of date, blank and time where they are apart, as Python's strptime "
        "writes them; without any the forms of our own files are read. A zone or offset at the end is read anyway.",
    )
    zone: Annotated[str, AfterValidator(_zone)] = Field(
        default_factory=lambda: exchange_zone().key,
        description="Zone of times without an offset; they are converted to the exchange's.",
    )
    trade_date_cutoff: Annotated[dt.time | None, BeforeValidator(_clock)] = Field(
        default=None,
        description="From this time of day on the date is the next day's trade date: the execution was a day earlier.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.column:
            raise ValueError("it names no column with the time: write column")
        if self.date_column and self.date_in_name:
            raise ValueError("the date is in a column or in the file's name, not in both: remove one of them")
        if self.date_in_name and re.compile(self.date_in_name).groups != 1:
            raise ValueError("date_in_name needs one group in parentheses, which is the date")
        for form in self.formats:
            if not _is_round_trip(form, "year", "month", "day", "hour", "minute"):
                raise ValueError(f"the format {form!r} does not keep year, month, day, hour and minute")
            if self.zone != "UTC" and re.search("(?:Z|UTC|GMT)$", form.replace("%Z", "")):
                raise ValueError(
                    f"the format {form!r} ends with UTC, and zone is {self.zone}: end it before, and UTC is read"
                )
        return self


class Numbers(_Part):
    """How amounts are written."""

    decimal: Literal[".", ","] = Field(default=".", description="Decimal mark.")
    thousands: Literal["", ",", ".", " ", "'"] = Field(
        default="", description="Mark between thousands; empty = there is none."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.decimal == self.thousands:
            raise ValueError(f"decimal and thousands are both {self.decimal!r}: no number can be read")
        return self


class Fee(_Part):
    """A fee: its column, and the sign that a cost has there."""

    column: Texts = Field(description="Its column in the file.")
    cost: Literal["positive", "negative"] = Field(
        default="positive", description="The sign of a cost; the other is a rebate."
    )
    currency: Texts = Field(
        default=(), description="Column with its currency; a row with a fee in another one than US dollars is rejected."
    )


def _fee(value: object) -> object:
    return {"column": value} if isinstance(value, str | list) else value


class Replacement(_Part):
    """A part of a symbol that is written in another way."""

    pattern: Expression = Field(description="Regular expression of the part.")
    by: str = Field(default="", max_length=50, description="What stands in its place; \\1 is the first group.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        try:
            re.compile(self.pattern).sub(self.by, "")
            re.compile(f"(?:{self.pattern})|").sub(self.by, "")
        except (re.error, IndexError) as error:
            raise ValueError(f"by cannot be put in place of pattern ({error})") from None
        return self


class AssetClass(_Part):
    """A column that says what kind of instrument a symbol is."""

    column: Texts = Field(description="Its column in the file.")
    words: dict[Text, Literal["equity", "option", "future", "currency"]] = Field(
        description="What each word means; a row with another word is rejected.", min_length=1
    )


class Symbols(_Part):
    """How symbols become ours, in this order."""

    strip_prefixes: Texts = Field(default=(), description="Beginnings that are taken away; the first one that fits.")
    strip_suffixes: Texts = Field(default=(), description="Ends that are taken away; the first one that fits.")
    replace: Annotated[tuple[Replacement, ...], BeforeValidator(_listed)] = Field(
        default=(), max_length=100, description="Parts that are replaced, one by one."
    )
    asset_class: AssetClass | None = Field(
        default=None,
        description="Column with the kind of instrument: futures then begin with /, currency pairs with @.",
    )
    all_are: Literal["equity", "option", "future", "currency"] | None = Field(
        default=None, description="The kind of every instrument of the file."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.asset_class and self.all_are:
            raise ValueError("all_are and asset_class exclude each other: remove one of them")
        return self


class Ignored(_Part):
    """Rows that are no executions."""

    column: Texts = Field(description="The column that tells.")
    equals: Annotated[tuple[str, ...], BeforeValidator(_listed)] = Field(
        default=(), description="Rows with one of these values, in any case; an empty one is a blank."
    )
    matches: Expression | None = Field(
        default=None, description="Rows whose whole value matches this regular expression."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if bool(self.equals) == (self.matches is not None):
            raise ValueError("write equals or matches, one of the two")
        return self


class FillsMapping(_Part):
    """One mapping file.

    Attributes
    ----------
    name
        Of the preset or file.
    """

    name: str = Field(default="", exclude=True)
    description: str = Field(default="", max_length=300, description="What export this is.")
    source: str = Field(default="", max_length=300, description="Where its header row is documented.")
    files: Texts = Field(default=(), description="Names of the files it claims, with * for any characters.")
    delimiter: Literal[",", ";", "\t", "|"] | None = Field(
        default=None, description="What stands between fields; without it the header line tells."
    )
    encoding: Literal["utf-8", "utf-16", "latin-1", "windows-1252"] = Field(
        "utf-8", description="Encoding of the file."
    )
    skip_lines: int = Field(default=0, ge=0, le=1000, description="Lines before the header, in a file that has them.")
    columns: Columns = Field(description="Our columns.")
    time: Time = Field(description="Date and time.")
    account: Text | None = Field(default=None, description="The account of every row, where no column says it.")
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = Field(
        default=None, description="The currency of every row, where no column says it."
    )
    numbers: Numbers = Field(default=Numbers(), description="How amounts are written.")
    quantity_sign: Literal["side", "ignored"] | None = Field(
        default=None,
        description="`side`: quantities above zero are bought, those below are sold. `ignored`: another column tells. "
        "Without it a quantity below zero is rejected.",
    )
    sides: dict[Text, Annotated[str, AfterValidator(_side)]] = Field(
        default={}, max_length=100, description="Words for B, S, T, C beside those of our own files."
    )
    fees: dict[Annotated[str, AfterValidator(_fee_name)], Annotated[Fee, BeforeValidator(_fee)]] = Field(
        default={}, description="Our fees, each with its column, or with column and cost."
    )
    statuses: dict[Text, Literal["live", "canceled", "corrected"]] = Field(
        default={}, max_length=100, description="Words of the column status, beside those of the settings."
    )
    symbols: Symbols = Field(default=Symbols(), description="How symbols become ours.")
    order_id: Texts = Field(default=(), description="Columns that make the id of the order, together.")
    fill_id: Texts = Field(default=(), description="Columns that make the id of the execution, together.")
    ignore: Annotated[tuple[Ignored, ...], BeforeValidator(_listed)] = Field(
        default=(), max_length=50, description="Rows that are no executions."
    )
    optional: Texts = Field(default=(), description="Columns named here that a file may lack.")
    unused: Texts = Field(
        default=(), description="Other columns of the file, with * for any characters; none of them is a fee."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        for key, problem in self._conflicts():
            raise PydanticCustomError("combination", "{problem}", {"key": key, "problem": problem})
        return self

    def _conflicts(self) -> Iterator[tuple[str, str]]:
        """Yield what cannot be together, with the key that shows it."""
        columns = self.columns
        is_signed = self.quantity_sign == "side"
        if bool(columns.account) == (self.account is not None):
            yield "account", "the account is in a column or the same in every row: write columns.account or account"
        if columns.currency and self.currency:
            yield "currency", "the currency is in a column or the same in every row: remove one of the two"
        if is_signed and (columns.side or self.sides):
            yield "quantity_sign", "the sign of the quantity is the side, and so is columns.side: remove one of the two"
        for name in _REQUIRED:
            if not getattr(columns, name) and not (name == "side" and is_signed):
                yield "columns", f"no column is named for {name}"
        if self.statuses and not columns.status:
            yield "statuses", "there are words of a status and no columns.status"
        yield from self._optional_conflicts()

    def _optional_conflicts(self) -> Iterator[tuple[str, str]]:
        needed = {name for texts in self.required_columns() for name in texts}
        known = needed.union(*self.other_columns())
        for name in self.optional:
            if name in needed:
                yield "optional", f"{name!r} cannot be optional: without it there is no execution"
            elif name not in known:
                yield "optional", f"{name!r} is no column that another key names"

    def required_columns(self) -> Iterator[Texts]:
        """Yield the names of each column without which no row is an execution."""
        yield from filter(None, (getattr(self.columns, name) for name in ("account", *_REQUIRED)))
        yield from filter(None, (self.time.column, self.time.date_column))

    def other_columns(self) -> Iterator[Texts]:
        """Yield the names of each other column."""
        columns = self.columns
        yield from filter(None, (columns.status, columns.currency, columns.multiplier))
        yield from (texts for fee in self.fees.values() for texts in (fee.column, fee.currency) if texts)
        yield from ((name,) for name in (*self.order_id, *self.fill_id))
        yield from (ignored.column for ignored in self.ignore)
        if self.symbols.asset_class:
            yield self.symbols.asset_class.column

    @property
    def sha256(self) -> str:
        """Hash of what it says."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def dump_keys(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str, Any]]:
    """Yield each key of a mapping file with its description and default; for the reference."""
    for name, field in model.model_fields.items():
        if field.exclude:
            continue
        default = None if field.is_required() else field.get_default(call_default_factory=True)
        yield f"{prefix}{name}", field.description or "", default
        inner = _inner_model(field.annotation)
        if inner:
            yield from dump_keys(inner, f"{prefix}{name}.")


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    """Find the table that a key holds."""
    if isinstance(annotation, type) and issubclass(annotation, _Part):
        return annotation
    found = (_inner_model(part) for part in getattr(annotation, "__args__", ()))
    return next((inner for inner in found if inner), None)
