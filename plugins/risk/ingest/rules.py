"""Every rule about one row of executions, as plain functions of text: columns, numbers, error codes and sentences.

`risk.ingest.parse` asks these rules once for each distinct text of a column; nothing else judges an execution.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal, Inexact, localcontext
from functools import cache
from typing import Final, Literal, NamedTuple

from risk.core.calendar import FIRST_SESSION, next_session
from risk.core.entities import Fill
from risk.core.errors import InputError
from risk.core.settings import EXCHANGE_ZONE, Settings
from risk.core.symbols import kind_of, read_symbol
from risk.ingest.reasons import Notice, hint_of

REQUIRED: Final = {
    "Date/Time": "date_time",
    "Account": "account",
    "B/S": "side",
    "Qty": "quantity",
    "Symbol": "symbol",
    "Price": "price",
}
"""Header name to column name: what every file of executions must have."""

FEES: Final = {
    "Comm": "fee_comm",
    "Ecn": "fee_ecn",
    "Ecn Fee": "fee_ecn",
    "SEC": "fee_sec",
    "ORF": "fee_orf",
    "TAF": "fee_taf",
    "FTT": "fee_ftt",
    "NFA": "fee_nfa",
    "CAT": "fee_cat",
    "NSCC": "fee_nscc",
    "Acc": "fee_acc",
    "Clr": "fee_clr",
    "Misc": "fee_misc",
}
"""Fee columns: positive = cost, negative = rebate. ``Ecn`` and ``Ecn Fee`` are one fee under two names."""

IDS: Final = {"Order Id": "order_id", "Fill Id": "fill_id", "PropReports Id": "propreports_id"}
STATES: Final = {"Status": "status", "Currency": "currency"}
IGNORED: Final = {
    "Route": "route",
    "Exec Bkr": "executing_broker",
    "Contra": "contra",
    "Liq": "liquidity",
    "ISIN": "isin",
    "CUSIP": "cusip",
}

COLUMNS: Final = REQUIRED | FEES | IDS | STATES | IGNORED
FEE_COLUMNS: Final = tuple(dict.fromkeys(FEES.values()))
READ_COLUMNS: Final = frozenset((REQUIRED | FEES | IDS | STATES).values())

SIDES: Final = ("B", "S", "T", "C")

_CURRENCY: Final = re.compile("[A-Z]{3}")

LIMIT: Final = Decimal(10) ** 10
"""First value that a numeric(18, 8) cannot hold."""

LARGEST_EXPONENT: Final = 400
"""A number with a larger exponent is out of range whatever its digits are, and is never built."""

FUTURES_OPEN: Final = dt.time(18)
"""From then on, New York, futures trade for the next session."""

PREFIX_LENGTH: Final = 20
"""Only so many characters of its name identify an account at the vendor."""

Kind = Literal["live", "canceled", "corrected"]

SENTENCES: Final = {
    "ragged": "has {found} fields, the header names {expected}",
    "date_form": "Date/Time {date_time} is not a date of the form MM/DD/YYYY HH:MM:SS",
    "date_future": "Date/Time {date_time} lies in the future",
    "date_past": "Date/Time {date_time} lies before the first session we know",
    "date_gap": "Date/Time {date_time} does not exist in New York: clocks went forward over it",
    "date_twice": "Date/Time {date_time} happened twice in New York (clocks went back): it names no instant",
    "account_name": "the account name {account} is not one the setting RISK_ACCOUNT_PATTERN allows",
    "account_collision": "account {account} equals {colliding} in its first 20 characters, so the two cannot be "
    "distinguished",
    "side": "side {side} is none of B, S, T, C",
    "symbol": "symbol {symbol} is blank, too long or has characters no symbol has",
    "numbers": "{numbers} is not a number",
    "quantity": "quantity {quantity} is not above zero and below 10,000,000,000 with at most 8 decimals",
    "price": "price {price} is not above zero and below 10,000,000,000 with at most 8 decimals",
    "fees": "the fees{fees} do not sum to an amount below 10,000,000,000 with at most 8 decimals",
    "status": "status {status} is not blank, nor a spelling of RISK_CANCELED_STATUSES or RISK_CORRECTED_STATUSES",
    "correction_id": "status {status} corrects an execution, and neither PropReports Id nor Fill Id says which",
    "currency": "currency {currency} is no ISO 4217 code",
    "repeated_id": "the id {key} occurs more than once in this delivery with different content",
}
"""Error code to clause."""

Named = Mapping[str, str]
"""A record's fields by column name."""


class Reject(NamedTuple):
    """A record that could not become a fill; ``cause``: what its reason has in common with those of other records."""

    file_name: str
    line_number: int
    raw_text: str
    reason: str
    cause: str

    @property
    def notice(self) -> Notice:
        """What is said of it."""
        return Notice(self.file_name, self.cause, self.reason)


class FileFinding(NamedTuple):
    """Why a file, or a part of it, is not loaded.

    Attributes
    ----------
    reason
        As a sentence that names the file.
    state
        ``quarantined``: it cannot be right as a whole; ``waiting``: it is not complete; ``unread``: nothing is read
        under its name.
    """

    file_name: str
    reason: str
    state: Literal["quarantined", "waiting", "unread"] = "quarantined"


def mapped_columns(
    header: Sequence[str],
    file_name: str,
    known: Mapping[str, str] = COLUMNS,
    required: Sequence[str] = tuple(REQUIRED),
) -> tuple[str, ...]:
    """Map a header to column names, in the file's order; by name, never by position.

    Parameters
    ----------
    known, required
        Header name to column name, and header names that must be there; by default those of executions.

    Raises
    ------
    InputError
        If a column is unknown, given twice, or a required one is missing: the file as a whole cannot be right.
    """
    names = [name.strip() for name in header]
    missing = [name for name in required if name not in names]
    unknown = [name for name in names if name not in known]
    if required and len(missing) == len(required):
        raise InputError(
            f"{file_name} line 1 is not a header with {_quoted(required)}: found {_quoted(names) or 'nothing'}. "
            "Replace the file with the source's CSV export."
        )
    if missing:
        raise InputError(
            f"{file_name} lacks the required column {_quoted(missing)}. "
            f"Export it again with all of {_quoted(required)}."
        )
    if unknown:
        raise InputError(
            f"{file_name} has the unknown column {_quoted(unknown)}: the vendor's format has changed. "
            "Nothing of the file is loaded; ask the developers to add the column."
        )
    columns = tuple(known[name] for name in names)
    twice = [name for name, column in zip(names, columns, strict=True) if columns.count(column) > 1]
    if twice:
        raise InputError(f"{file_name} gives the column {_quoted(twice)} more than once. Export it again.")
    return columns


def _quoted(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name[:40]) for name in names[:10])
    return shown if len(names) <= 10 else f"{shown} and {len(names) - 10} more"


_DIGITS: Final = r"[0-9](?:_?[0-9])*"
_DECIMAL: Final = re.compile(rf"[+-]?(?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE]([+-]?{_DIGITS}))?")
_INTEGER: Final = re.compile(r"([+-]?)(0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+)")
_SPECIAL: Final = re.compile(r"nan|[+-]?inf(?:inity)?", re.IGNORECASE)
_SPACE: Final = " \t\n\r\v\f"
_MOST_DIGITS: Final = 1000


def number(text: str) -> Decimal | None:
    """Read a number exactly, in the forms that Postgres's ``numeric`` knows; ``None`` if the text is none.

    NaN, Infinity, and what is too large or too fine to build (as NaN) are numbers: the caller's bounds refuse them.
    """
    stripped = text.strip(_SPACE)
    found = _DECIMAL.fullmatch(stripped)
    if found:
        exponent = (found[1] or "").replace("_", "").lstrip("+-0")
        is_buildable = len(exponent) <= 3 and int(exponent or 0) <= LARGEST_EXPONENT
        return Decimal(stripped.replace("_", "")) if is_buildable else Decimal("NaN")
    if _SPECIAL.fullmatch(stripped):
        return Decimal(stripped)
    based = _INTEGER.fullmatch(stripped)
    if based is None:
        return None
    return Decimal(int("".join(based.groups()), 0)) if len(stripped) <= _MOST_DIGITS else Decimal("NaN")


def fits(value: Decimal) -> bool:
    """Tell whether a value fits numeric(18, 8) without rounding; NaN and Infinity do not."""
    if not value.is_finite() or abs(value) >= LIMIT:
        return False
    return len(format(value, "f").partition(".")[2].rstrip("0")) <= 8


def sum_fees(record: Named) -> Decimal:
    """Add all fee columns exactly; blank is zero, NaN where that cannot be done."""
    values = [number(record[name]) or Decimal(0) for name in FEE_COLUMNS if record.get(name)]
    if not all(value.is_finite() for value in values):
        return Decimal("NaN")
    with localcontext(Context(prec=4 * LARGEST_EXPONENT, traps=[Inexact])):
        try:
            return sum(values, Decimal(0))
        except Inexact:
            return Decimal("NaN")


def currency_of(text: str) -> str | None:
    """Read a currency; blank where none is stated, ``None`` if it does not have the form of an ISO 4217 code."""
    return text if not text or _CURRENCY.fullmatch(text) else None


_MOMENT: Final = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4}) ([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])")


@cache
def session_of(day: dt.date) -> dt.date:
    """Return the session an execution of a New York day belongs to: that day, or the next session."""
    return next_session(day - dt.timedelta(days=1))


def session_at(wall_time: dt.datetime, *, is_future: bool) -> dt.date:
    """Return the session an execution belongs to: a future's from 18:00 New York on to the session of the next day."""
    is_evening = is_future and wall_time.time() >= FUTURES_OPEN
    return session_of(wall_time.date() + dt.timedelta(days=is_evening))


def moment_of(text: str, today: dt.date) -> tuple[str | None, dt.datetime]:
    """Read a Date/Time.

    Parameters
    ----------
    today
        The New York day after which a date is in the future.

    Returns
    -------
    code, wall_time
        The error code if anything is wrong with it, and the time as New York's wall clock shows it.
    """
    found = _MOMENT.fullmatch(text)
    month, day, year, hour, minute, second = map(int, found.groups()) if found else (0,) * 6
    try:
        wall_time = dt.datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - a wall clock has no zone
    except ValueError:
        return "date_form", dt.datetime.min  # noqa: DTZ901 - not to be used
    if wall_time.date() > today:
        return "date_future", wall_time
    if wall_time.date() < FIRST_SESSION:
        return "date_past", wall_time
    earlier, later = (wall_time.replace(tzinfo=EXCHANGE_ZONE, fold=fold) for fold in (0, 1))
    if earlier.utcoffset() == later.utcoffset():
        return None, wall_time
    round_trip = earlier.astimezone(dt.UTC).astimezone(EXCHANGE_ZONE).replace(tzinfo=None)
    return "date_twice" if round_trip == wall_time else "date_gap", wall_time


@dataclass(frozen=True, slots=True)
class RowRules:
    """What makes a row of executions a fill, in this installation and on this day.

    Attributes
    ----------
    settings
        Pattern of account names, and spellings of the column Status.
    today
        The New York day after which a date is in the future.
    collisions
        Account name to another one with the same first 20 characters.
    """

    settings: Settings
    today: dt.date
    collisions: Mapping[str, str] = field(default_factory=dict)

    def account_code(self, account_id: str) -> str | None:
        """Return the error code of an account name, if anything is wrong with it."""
        if not re.fullmatch(self.settings.account_pattern, account_id):
            return "account_name"
        return "account_collision" if account_id in self.collisions else None

    def kind_of(self, status: str) -> Kind | None:
        """Return what a status means; ``None`` if it is unknown. Only ASCII letters have two cases here."""
        name = status.strip(" ")
        if not name:
            return "live"
        folded = name.upper() if name.isascii() else name
        if folded in self.settings.canceled_statuses:
            return "canceled"
        return "corrected" if folded in self.settings.corrected_statuses else None

    def codes_of(self, record: Named) -> list[str]:
        """List the error codes of a record, by column name; empty for a good one."""
        kind = self.kind_of(record.get("status", ""))
        found = [
            moment_of(record["date_time"], self.today)[0],
            self.account_code(record["account"].strip(" ")),
            None if record["side"] in SIDES else "side",
            None if read_symbol(record["symbol"]) else "symbol",
            *_number_codes(record),
            "status" if kind is None else None,
            "correction_id" if kind in ("canceled", "corrected") and not key_of(record) else None,
            "currency" if currency_of(record.get("currency", "")) is None else None,
        ]
        return [code for code in found if code]

    def sentence(
        self, file_name: str, line_number: int, codes: Sequence[str], columns: Sequence[str], fields: Sequence[str]
    ) -> str:
        """Say where a record stands, what is wrong with it and what to do.

        Parameters
        ----------
        file_name, line_number
            Where it starts.
        codes
            Keys of ``SENTENCES``.
        columns, fields
            The file's columns and the record's fields.
        """
        record = dict(zip(columns, fields, strict=False))
        shown = {name: shorten(record.get(name, "")) for name in (*columns, "status", "currency")}
        shown |= {
            "found": str(len(fields)),
            "expected": str(len(columns)),
            "colliding": shorten(self.collisions.get(record.get("account", "").strip(), "")),
            "key": shorten(key_of(record)),
            "numbers": _list_amounts(record, is_number=False),
            "fees": _list_amounts(record, is_number=True),
        }
        found = "; ".join(SENTENCES[code].format(**shown) for code in codes)
        hint = hint_of(codes, record)
        return (
            f"{file_name} line {line_number}, account {shown.get('account', 'unknown')}: {found}. "
            f"{f'{hint} ' if hint else ''}Correct the row at its source and deliver the account's session again."
        )


def find_collisions(account_ids: set[str]) -> dict[str, str]:
    """Map each account name to another one with the same first 20 characters, where there is one."""
    by_prefix: dict[str, list[str]] = {}
    for account_id in sorted(account_ids):
        by_prefix.setdefault(account_id[:PREFIX_LENGTH], []).append(account_id)
    return {
        name: names[-1] if name == names[0] else names[0]
        for names in by_prefix.values()
        if len(names) > 1
        for name in names
    }


def key_of(record: Named) -> str:
    """Return the id of the execution that a record is or corrects; empty where it has none."""
    return record.get("propreports_id") or record.get("fill_id") or ""


def fill_of(record: Named, line_number: int) -> Fill:
    """Build the fill of a good record."""
    wall_time = dt.datetime.strptime(record["date_time"], "%m/%d/%Y %H:%M:%S").replace(tzinfo=EXCHANGE_ZONE)
    symbol = read_symbol(record["symbol"]) or ""
    return Fill(
        account_id=record["account"].strip(" "),
        session_date=session_at(wall_time, is_future=kind_of(symbol) == "future"),
        executed_at=wall_time.astimezone(dt.UTC),
        line_number=line_number,
        side=record["side"],
        quantity=number(record["quantity"]) or Decimal(0),
        symbol=symbol,
        price=number(record["price"]) or Decimal(0),
        currency=record.get("currency") or None,
        fees_usd=sum_fees(record),
    )


def shorten(text: str, length: int = 60) -> str:
    """Quote a value so that it cannot break a line, an email or a terminal."""
    return ascii(text if len(text) <= length else f"{text[: length - 3]}...")


def _number_codes(record: Named) -> list[str]:
    quantity, price = number(record["quantity"]), number(record["price"])
    fees = [number(record[name]) for name in FEE_COLUMNS if record.get(name)]
    if quantity is None or price is None or None in fees:
        return ["numbers"]
    wrong = {
        "quantity": not (fits(quantity) and quantity > 0),
        "price": not (fits(price) and price > 0),
        "fees": not fits(sum_fees(record)),
    }
    return [code for code, is_wrong in wrong.items() if is_wrong]


def _list_amounts(record: Named, *, is_number: bool) -> str:
    """Show the amounts that are no numbers; or, in parentheses, the fees that are numbers out of range."""
    if is_number:
        fees = {name: number(record[name]) for name in FEE_COLUMNS if record.get(name)}
        odd = [
            f"{name} {shorten(record[name])}" for name, value in fees.items() if value is not None and not fits(value)
        ]
        return f" ({', '.join(odd[:4])})" if odd else ""
    blank_is_wrong = ("quantity", "price")
    return ", ".join(
        [
            f"{name} {shorten(record[name])}"
            for name in (*blank_is_wrong, *FEE_COLUMNS)
            if name in record and number(record[name]) is None and (record[name] or name in blank_is_wrong)
        ][:4]
    )
