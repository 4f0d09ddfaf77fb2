"""Every rule about one row of executions, as plain functions of text: error codes and sentences.

`risk.ingest.parse` asks these rules once for each distinct text of a column; nothing else judges an execution. How
words, amounts and times are spelled is in `risk.ingest.words`, `risk.ingest.amounts` and `risk.ingest.times`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal, Inexact, localcontext
from functools import cache
from typing import Final, Literal, NamedTuple

from risk.core.entities import Fill
from risk.core.exchange import exchange, exchange_zone
from risk.core.money import counted
from risk.core.settings import Settings
from risk.core.symbols import kind_of, read_symbol
from risk.ingest.amounts import LARGEST_EXPONENT, LIMIT, fits, number, why_no_number
from risk.ingest.reasons import Notice, hint_of
from risk.ingest.times import FORMS, moment_of, session_at
from risk.ingest.words import FEE_COLUMNS, UNNAMED, Kind, fold_word, side_of

NO_IDS: Final = (
    *("", "0", "00", "000", "0000", "00000000", "0.0", "-", "--"),
    *("N/A", "n/a", "nan", "NaN", "null", "NULL", "None", "none"),
)
"""What stands in a column of ids where there is none."""

_CURRENCY: Final = re.compile("[A-Z]{3}")

PREFIX_LENGTH: Final = 20
"""Only so many characters of its name identify an account at the vendor."""

SENTENCES: Final = {
    "ragged": "has {found}, the header names {expected}",
    "unnamed": "has a value in a column without a name",
    "date_form": f"Date/Time {{date_time}} is not a date and time of a form that we read ({FORMS})",
    "date_mapping": "Date/Time {date_time} does not have the form that the mapping states",
    "date_year": "Date/Time {date_time} has a year of two digits: write all four",
    "date_day_first": "Date/Time {date_time} has its day first, and dates are read month first: export them as "
    "MM/DD/YYYY or YYYY-MM-DD, or state the form in a mapping",
    "date_no_day": "Date/Time {date_time} has no date: export both, or name the date in a mapping",
    "date_no_time": "Date/Time {date_time} has no time of day: write 00:00:00 if nobody knows it",
    "date_serial": "Date/Time {date_time} is a spreadsheet's number of a day: format the column as date and time, then "
    "save again",
    "date_epoch": "Date/Time {date_time} looks like a count of seconds since 1970: export a date and time, such as "
    "2025-08-15T14:05:00Z",
    "date_zone": "Date/Time {date_time} names a time zone that we do not read, or that New York's clocks do not have "
    "on that day: write ET, UTC or an offset such as -04:00",
    "date_future": "Date/Time {date_time} lies in the future",
    "date_past": "Date/Time {date_time} lies before the first session we know",
    "date_gap": "Date/Time {date_time} does not exist in {city}: clocks went forward over it",
    "date_twice": "Date/Time {date_time} happened twice in {city} (clocks went back): it names no instant",
    "account_name": "the account name {account} is not one the setting RISK_ACCOUNT_PATTERN allows",
    "account_collision": "account {account} equals {colliding} in its first 20 characters, so the two cannot be "
    "distinguished",
    "side": "side {side} is none of B, S, T, C nor a word for one of them (BUY, SELL, SELL SHORT, BUY TO COVER)",
    "symbol": "symbol {symbol} is blank, too long or has characters no symbol has",
    "numbers": "{numbers}",
    "quantity": "quantity {quantity} is not above zero and below 10,000,000,000 with at most 8 decimals",
    "price": "price {price} is negative, or not below 10,000,000,000 with at most 8 decimals",
    "fees": "the fees{fees} do not sum to an amount below 10,000,000,000 with at most 8 decimals",
    "status": "status {status} is not blank, nor a word of RISK_LIVE_STATUSES, RISK_CANCELED_STATUSES or "
    "RISK_CORRECTED_STATUSES",
    "correction_id": "status {status} corrects an execution, and neither PropReports Id nor Fill Id says which",
    "currency": "currency {currency} is no ISO 4217 code",
    "multiplier": "multiplier {multiplier} is not above zero and below 10,000,000,000 with at most 8 decimals",
    "repeated_id": "the id {key} occurs more than once for this order and symbol, with different content",
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
    """Read a currency; blank where none is stated, ``None`` if it does not have the form of an ISO 4217 code.

    Letters of both cases are none: ``GBp`` is a penny, not a pound.
    """
    code = text.strip(" ")
    code = code.upper() if code.islower() and code.isascii() else code
    return code if not code or _CURRENCY.fullmatch(code) else None


def multiplier_of(text: str) -> Decimal | None:
    """Read a multiplier; 0 where none is stated, ``None`` if it can be none."""
    value = number(text) if text.strip(" ") else Decimal(0)
    return value if value is not None and fits(value) and (value > 0 or not text.strip(" ")) else None


@dataclass(frozen=True, slots=True)
class RowRules:
    """What makes a row of executions a fill, in this installation and on this day.

    Attributes
    ----------
    settings
        Pattern of account names, and spellings of the column Status.
    today
        The day of the exchange after which a date is in the future.
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
        settings = self.settings
        kinds = _kinds(settings.live_statuses, settings.canceled_statuses, settings.corrected_statuses)
        return kinds.get(fold_word(status))

    def codes_of(self, record: Named) -> list[str]:
        """List the error codes of a record, by column name; empty for a good one."""
        kind = self.kind_of(record.get("status", ""))
        found = [
            moment_of(record["date_time"], self.today).code,
            self.account_code(record["account"].strip(" ")),
            None if side_of(record["side"]) else "side",
            None if read_symbol(record["symbol"]) else "symbol",
            *_number_codes(record),
            "status" if kind is None else None,
            "correction_id" if kind in ("canceled", "corrected") and not key_of(record) else None,
            "currency" if currency_of(record.get("currency", "")) is None else None,
            "multiplier" if multiplier_of(record.get("multiplier", "")) is None else None,
            "unnamed" if any(record.get(name, "").strip(" ") for name in UNNAMED) else None,
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
        shown = {name: shorten(record.get(name, "")) for name in (*columns, "status", "currency", "multiplier")}
        shown |= {
            "found": counted(len(fields), "field"),
            "expected": str(len(columns)),
            "colliding": shorten(self.collisions.get(record.get("account", "").strip(), "")),
            "key": shorten(key_of(record)),
            "city": exchange().city,
            "numbers": _list_amounts(record, is_number=False),
            "fees": _list_amounts(record, is_number=True),
        }
        found = "; ".join(SENTENCES[code].format(**shown) for code in codes)
        hint = hint_of(codes, record)
        return (
            f"{file_name} line {line_number}, account {shown.get('account', 'unknown')}: {found}. "
            f"{f'{hint} ' if hint else ''}Correct the row at its source and deliver the account's session again."
        )


@cache
def _kinds(live: tuple[str, ...], canceled: tuple[str, ...], corrected: tuple[str, ...]) -> dict[str, Kind]:
    """Map the words of the column Status to what they mean; those that mappings write are always known."""
    words: dict[str, Kind] = {"": "live", "LIVE": "live", "CANCELED": "canceled", "CORRECTED": "corrected"}
    words |= {fold_word(word): "live" for word in live}
    words |= {fold_word(word): "canceled" for word in canceled}
    return words | {fold_word(word): "corrected" for word in corrected}


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


def find_names_alike(account_ids: Iterable[str]) -> list[str]:
    """Say which account names differ only in case or blanks, in the words of the check ``accounts_distinct``."""
    by_letters: dict[str, set[str]] = {}
    for account_id in account_ids:
        by_letters.setdefault(account_id.lower().replace(" ", ""), set()).add(account_id)
    return [
        f"{' and '.join(sorted(names))} differ only in case or blanks and count as different accounts. If they are "
        "one, say so in accounts*.csv (column Formerly), or correct the name at its source."
        for _, names in sorted(by_letters.items())
        if len(names) > 1
    ]


def key_of(record: Named) -> str:
    """Return the id of the execution that a record is or corrects; empty where it has none."""
    ids = (record.get(name, "").strip(" ") for name in ("propreports_id", "fill_id"))
    return next((text for text in ids if text not in NO_IDS), "")


def fill_of(record: Named, line_number: int) -> Fill:
    """Build the fill of a good record."""
    wall_time = moment_of(record["date_time"], dt.date.max).wall_time.replace(tzinfo=exchange_zone())
    symbol = read_symbol(record["symbol"]) or ""
    return Fill(
        account_id=record["account"].strip(" "),
        session_date=session_at(wall_time, is_future=kind_of(symbol) == "future"),
        executed_at=wall_time.astimezone(dt.UTC),
        tie_rank=line_number,
        side=side_of(record["side"]) or "",
        quantity=number(record["quantity"]) or Decimal(0),
        symbol=symbol,
        price=number(record["price"]) or Decimal(0),
        currency=currency_of(record.get("currency", "")) or None,
        fees_usd=sum_fees(record),
    )


def shorten(text: str, length: int = 60) -> str:
    """Quote a value so that it cannot break a line, an email or a terminal; letters stay as they are."""
    return repr(text if len(text) <= length else f"{text[: length - 3]}...")


def may_be_execution(record: Named) -> bool:
    """Tell whether a rejected record may be an execution: not if its quantity or price is beyond any number we keep."""
    amounts = [number(record.get(name, "")) for name in ("quantity", "price")]
    return all(amount is None or (amount.is_finite() and abs(amount) < LIMIT) for amount in amounts)


def _number_codes(record: Named) -> list[str]:
    quantity, price = number(record["quantity"]), number(record["price"])
    fees = [number(record[name]) for name in FEE_COLUMNS if record.get(name)]
    if quantity is None or price is None or None in fees:
        return ["numbers"]
    wrong = {
        "quantity": not (fits(quantity) and quantity > 0),
        "price": not (fits(price) and price >= 0),
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
            f"{name} {shorten(record[name])} {why_no_number(record[name])}"
            for name in (*blank_is_wrong, *FEE_COLUMNS)
            if name in record and number(record[name]) is None and (record[name] or name in blank_is_wrong)
        ][:4]
    )
