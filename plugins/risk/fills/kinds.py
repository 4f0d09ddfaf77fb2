"""The kinds of statement files: their columns, what makes a row right, and what two rows may not say differently."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from risk.entities import Adjustment, Instrument, Mark, ReportedPnl, Split
from risk.fills.numbers import number
from risk.fills.reasons import shorten
from risk.fills.rows import first_session, fits, session_of
from risk.fills.shapes import FEES, SYMBOL_PATTERN
from risk.fills.statements import Kind
from risk.sessions import is_session
from risk.settings import settings

Named = Mapping[str, str]

DATE_FORMS: Final = {r"[0-9]{2}/[0-9]{2}/[0-9]{4}": "%m/%d/%Y", r"[0-9]{4}-[0-9]{2}-[0-9]{2}": "%Y-%m-%d"}
"""The vendor's form and ISO 8601: both are unambiguous."""

SMALLEST: Final = Decimal("1e-8")

ADJUSTMENT_CATEGORIES: Final = {
    name.lower(): name for name in ("Software", "Quotes", "Interest", "Dividend", "Cash In/Out", "Stock Locate")
}
OTHER_CATEGORY: Final = "Fee: Misc"
"""Source of both: the vendor's page *Uploading an Adjustments File*."""

ACCOUNT_LENGTH: Final = 20
"""The vendor ignores what follows in an account's name."""


def _day(named: Named, today: dt.date | None) -> dt.date:
    """Read the date; one after today, where that is given, is wrong."""
    text = named["date"]
    for pattern, form in DATE_FORMS.items():
        if re.fullmatch(pattern, text):
            try:
                day = dt.datetime.strptime(text, form).date()  # noqa: DTZ007 - a session is a plain date
            except ValueError:
                break
            if today is not None and day > today:
                raise ValueError(f"date {text} lies in the future")
            return day
    raise ValueError(f"date {shorten(text)} is no date of the form MM/DD/YYYY or YYYY-MM-DD")


def _session(named: Named, today: dt.date | None, what: str) -> dt.date:
    day = _day(named, today)
    if day < first_session() or not is_session(day):
        raise ValueError(f"date {named['date']} is no session, so it has no {what}")
    return day


def _symbol(named: Named) -> str:
    symbol = named["symbol"].upper()
    if not re.fullmatch(SYMBOL_PATTERN, symbol):
        raise ValueError(f"symbol {shorten(symbol)} is blank, too long or has characters no symbol has")
    return symbol


def _currency(named: Named) -> str | None:
    currency = named.get("currency") or None
    if currency is not None and not re.fullmatch("[A-Z]{3}", currency):
        raise ValueError(f"currency {shorten(currency)} is no ISO 4217 code")
    return currency


def _number(named: Named, name: str, text: str | None = None) -> Decimal | None:
    """Read a field, or a part of it, as a number that the warehouse can hold; blank is none."""
    text = named.get(name, "") if text is None else text
    if not text:
        return None
    value = number(text)
    if value is None:
        raise ValueError(f"{name} {shorten(text)} is not a number")
    if not fits(value):
        raise ValueError(f"{name} {shorten(text)} is not below 10,000,000,000 with at most 8 decimals")
    return value


def _positive(named: Named, name: str, text: str | None = None) -> Decimal | None:
    value = _number(named, name, text)
    if value is not None and value < SMALLEST:
        raise ValueError(f"{name} {shorten(named[name])} is not above zero")
    return value


def _mark(named: Named, today: dt.date) -> Mark:
    session_date = _session(named, today, "closing price")
    volume = _number(named, "volume")
    if volume is not None and volume < 0:
        raise ValueError(f"volume {shorten(named['volume'])} is below zero")
    price, multiplier = _positive(named, "price"), _positive(named, "multiplier")
    return Mark(session_date, _symbol(named), price, _currency(named), multiplier, volume)


def _instrument(named: Named, _today: dt.date) -> Instrument:
    """Read a statement about an instrument, which may be about a day to come."""
    stated = Instrument(_day(named, None), _symbol(named), _positive(named, "multiplier"), _currency(named))
    if stated.multiplier is None and stated.currency is None:
        raise ValueError(f"it says neither multiplier nor currency of {stated.symbol}")
    return stated


def _split(named: Named, _today: dt.date) -> Split:
    """Read a split, which may be one to come: ``4`` and ``4:1`` are four new shares in place of one."""
    new_text, _, old_text = named["ratio"].partition(":")
    new_shares = _positive(named, "ratio", new_text.strip(" "))
    old_shares = _positive(named, "ratio", old_text.strip(" ")) if ":" in named["ratio"] else Decimal(1)
    if new_shares is None or old_shares is None:
        raise ValueError(f"ratio {shorten(named['ratio'])} is no number of new shares for one old or new:old")
    if new_shares == old_shares:
        raise ValueError(f"ratio {shorten(named['ratio'])} splits nothing")
    return Split(_session(named, None, "split"), _symbol(named), new_shares, old_shares)


def _account(named: Named, name: str) -> str:
    account_id = named[name][:ACCOUNT_LENGTH].strip(" ")
    if not re.fullmatch(settings().account_pattern, account_id):
        raise ValueError(f"the account name {shorten(account_id)} is not one the setting RISK_ACCOUNT_PATTERN allows")
    return account_id


def _adjustment(named: Named, today: dt.date) -> Adjustment | None:
    amount = _number(named, "amount")
    if amount is None:
        raise ValueError("amount is blank")
    day = _day(named, today)
    if day < first_session():
        raise ValueError(f"date {named['date']} lies before the first session we know")
    if _currency(named) not in (None, "USD"):
        raise ValueError(f"currency {shorten(named['currency'])} is not USD, and adjustments are booked in US dollars")
    offset = _account(named, "offset_account") if named.get("offset_account") else None
    account_id = _account(named, "account")
    if offset == account_id:
        raise ValueError(f"account {account_id} is its own offset account")
    category = ADJUSTMENT_CATEGORIES.get(named.get("category", "").lower(), OTHER_CATEGORY)
    comment = " ".join(named.get("comment", "").split())
    return Adjustment(session_of(day), account_id, offset, category, amount, comment) if amount else None


def _reported(named: Named, today: dt.date) -> ReportedPnl | None:
    """Read a day of a summary, or a trade on the day it was closed; lines of sums, which have no date, say nothing."""
    text = named.get("date") or named.get("closed", "").partition(" ")[0]
    if text.lower() in ("", "total", "totals"):
        return None
    session_date = session_of(_day({"date": text}, today))
    gross, net = (_number(named, name) for name in ("gross", "net"))
    if gross is None or net is None:
        raise ValueError("gross or net is blank")
    return ReportedPnl(session_date, _account(named, "account"), gross, net)


def _instrument_claim(row: Instrument, _file_name: str) -> str:
    return f"says multiplier {_plain(row.multiplier)}, currency {row.currency or 'unknown'}"


def _plain(value: Decimal | None) -> str:
    return "unknown" if value is None else f"{value.normalize():f}"


MARKS: Final = Kind(
    name="marks",
    header={
        "Date": "date",
        "Symbol": "symbol",
        "Price": "price",
        "Volume": "volume",
        "Currency": "currency",
        "Multiplier": "multiplier",
    },
    required=("Date", "Symbol", "Price"),
    fields=Mark._fields,
    parse=_mark,
    subject=lambda row: (row.symbol, row.session_date),
    claim=lambda row, _: None if row.multiplier is None else f"says multiplier {_plain(row.multiplier)}",
)
"""Closing prices; of two prices for one symbol and session the later line counts."""

INSTRUMENTS: Final = Kind(
    name="instruments",
    header={
        "Date": "date",
        "Symbol": "symbol",
        "Multiplier": "multiplier",
        "Currency": "currency",
        "Expiry": "expiry",
        "Description": "description",
    },
    required=("Date", "Symbol"),
    fields=Instrument._fields,
    parse=_instrument,
    subject=lambda row: (row.symbol, row.valid_from),
    claim=_instrument_claim,
)
"""Multipliers and currencies from a day on. An option's expiry stands in its symbol; futures are closed by fills."""

SPLITS: Final = Kind(
    name="splits",
    header={"Date": "date", "Symbol": "symbol", "Ratio": "ratio", "Description": "description"},
    required=("Date", "Symbol", "Ratio"),
    fields=Split._fields,
    parse=_split,
    subject=lambda row: (row.symbol, row.session_date),
    claim=lambda row, _: f"says {_plain(row.new_shares)}:{_plain(row.old_shares)}",
)

ADJUSTMENTS: Final = Kind(
    name="adjustments",
    header={
        "Date": "date",
        "Account": "account",
        "Offset Account": "offset_account",
        "Category": "category",
        "Amount": "amount",
        "Comment": "comment",
        "Qty": "quantity",
        "Symbol": "symbol",
        "Price": "price",
        "Currency": "currency",
    },
    required=("Date", "Account", "Amount"),
    fields=Adjustment._fields,
    parse=_adjustment,
    subject=lambda row: (row.account_id, row.session_date),
    claim=lambda _, file_name: f"is in {file_name}",
    is_read_together=True,
)
"""What one file says of an account in a session replaces what was known of it; two files that both do are refused."""

SUMMARY_COLUMNS: Final = (
    *("Date", "Account", "Type", "Orders", "Fills", "Qty", "Gross", *FEES, "Ecn Fees", "Trade Fees", "All Trade Fees"),
    *("Net", "Adj Fees", "Adj Net", "Unrealized", "Unrealized Delta", "Unrealized \u0394", "Total Delta"),
    *("Total \u0394", "Transfers", "Cash", "End Balance", "Currency"),
)
TRADE_COLUMNS: Final = ("Opened", "Closed", "Held", "Account", "Symbol", "Type", "Entry", "Exit", "Qty", "Gross", "Net")
"""Of the vendor's reports *Summary by Date* and *Trades*; a summary has no account of its own: add the column."""

TOTALS: Final = Kind(
    name="totals",
    header={name: name.lower() for name in (*SUMMARY_COLUMNS, *TRADE_COLUMNS)},
    required=("Account", "Gross", "Net"),
    fields=ReportedPnl._fields,
    parse=_reported,
    subject=lambda row: (row.account_id, row.session_date),
    claim=lambda _, file_name: f"is in {file_name}",
    is_read_together=True,
)
"""What the source's own books say of an account in a session, a row for the day or one for each trade."""

KINDS: Final[tuple[Kind[Any], ...]] = (MARKS, INSTRUMENTS, SPLITS, ADJUSTMENTS, TOTALS)
