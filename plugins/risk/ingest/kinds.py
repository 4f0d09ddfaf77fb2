"""The kinds of statement files: their columns, what makes a row right, and what two rows may not say differently."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, Final

from risk.core.entities import AccountStatement, Adjustment, Instrument, Mark, ReportedPnl, Split
from risk.ingest.fields import (
    Named,
    read_account,
    read_currency,
    read_day,
    read_number,
    read_positive,
    read_session,
    read_symbol,
)
from risk.ingest.reasons import shorten
from risk.ingest.rows import first_session, session_of
from risk.ingest.shapes import FEES
from risk.ingest.statements import Claim, Kind

NAME_LENGTH: Final = 80

YES_OR_NO: Final = {"": None, "yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}

ADJUSTMENT_CATEGORIES: Final = {
    name.lower(): name for name in ("Software", "Quotes", "Interest", "Dividend", "Cash In/Out", "Stock Locate")
}
OTHER_CATEGORY: Final = "Fee: Misc"
"""Source of both: the vendor's page *Uploading an Adjustments File*."""


def _mark(named: Named, today: dt.date) -> Mark:
    session_date = read_session(named, today, "closing price")
    volume = read_number(named, "volume")
    if volume is not None and volume < 0:
        raise ValueError(f"volume {shorten(named['volume'])} is below zero")
    price, multiplier = read_positive(named, "price"), read_positive(named, "multiplier")
    return Mark(session_date, read_symbol(named), price, read_currency(named), multiplier, volume)


def _instrument(named: Named, _today: dt.date) -> Instrument:
    """Read a statement about an instrument, which may be about a day to come."""
    multiplier, currency = read_positive(named, "multiplier"), read_currency(named)
    stated = Instrument(read_day(named, None), read_symbol(named), multiplier, currency)
    if stated.multiplier is None and stated.currency is None:
        raise ValueError(f"it says neither multiplier nor currency of {stated.symbol}")
    return stated


def _split(named: Named, _today: dt.date) -> Split:
    """Read a split, which may be one to come: ``4`` and ``4:1`` are four new shares in place of one, ``1`` is none."""
    new_text, _, old_text = named["ratio"].partition(":")
    new_shares = read_positive(named, "ratio", new_text.strip(" "))
    old_shares = read_positive(named, "ratio", old_text.strip(" ")) if ":" in named["ratio"] else Decimal(1)
    if new_shares is None or old_shares is None:
        raise ValueError(f"ratio {shorten(named['ratio'])} is no number of new shares for one old or new:old")
    return Split(read_session(named, None, "split"), read_symbol(named), new_shares, old_shares)


def _adjustment(named: Named, today: dt.date) -> Adjustment:
    amount = read_number(named, "amount")
    if amount is None:
        raise ValueError("amount is blank")
    day = read_day(named, today)
    if day < first_session():
        raise ValueError(f"date {named['date']} lies before the first session we know")
    if read_currency(named) not in (None, "USD"):
        raise ValueError(f"currency {shorten(named['currency'])} is not USD, and adjustments are booked in US dollars")
    offset = read_account(named, "offset_account") if named.get("offset_account") else None
    account_id = read_account(named, "account")
    if offset == account_id:
        raise ValueError(f"account {account_id} is its own offset account")
    category = ADJUSTMENT_CATEGORIES.get(named.get("category", "").lower(), OTHER_CATEGORY)
    comment = " ".join(named.get("comment", "").split())
    return Adjustment(session_of(day), account_id, offset, category, amount, comment)


def _reported(named: Named, today: dt.date) -> ReportedPnl | None:
    """Read a day of a summary, or a trade on the day it was closed; lines of sums, which have no date, say nothing."""
    text = named.get("date") or named.get("closed", "").partition(" ")[0]
    if text.lower() in ("", "total", "totals"):
        return None
    session_date = session_of(read_day({"date": text}, today))
    gross, net = (read_number(named, name) for name in ("gross", "net"))
    if gross is None or net is None:
        raise ValueError("gross or net is blank")
    return ReportedPnl(session_date, read_account(named, "account"), gross, net)


def _stated_account(named: Named, today: dt.date) -> AccountStatement:
    """Read a statement about an account, which may be about a day to come; without a date it holds from the first."""
    valid_from = read_day(named, None) if named.get("date") else first_session()
    limit = read_positive(named, "base_limit")
    if limit is not None and limit != round(limit, 2):
        raise ValueError(f"base limit {shorten(named['base_limit'])} is no amount in whole cents")
    disabled = named.get("disabled", "").lower()
    if disabled not in YES_OR_NO:
        raise ValueError(f"disabled {shorten(named['disabled'])} is neither yes nor no")
    if "account" not in named:
        raise ValueError("the file has no column Account or Account Name")
    former = read_account(named, "formerly") if named.get("formerly") else None
    account_id = read_account(named, "account")
    first_traded, last_traded = (_day_seen(named, name, today) for name in ("first_traded", "last_traded"))
    display_name = " ".join(named.get("display_name", "").split()) or None
    if display_name and (len(display_name) > NAME_LENGTH or not display_name.isprintable()):
        raise ValueError(f"display name {shorten(display_name)} is too long or cannot be printed")
    return AccountStatement(
        valid_from, account_id, display_name, first_traded, last_traded, limit, YES_OR_NO[disabled], former
    )


def _day_seen(named: Named, name: str, today: dt.date) -> dt.date | None:
    return read_day({"date": named[name]}, today) if named.get(name) else None


def _mark_claims(row: Mark, _file_name: str) -> list[Claim]:
    if row.multiplier is None:
        return []
    return [((row.symbol, row.session_date), f"says multiplier {_plain(row.multiplier)}")]


def _instrument_claims(row: Instrument, _file_name: str) -> list[Claim]:
    said = f"says multiplier {_plain(row.multiplier)}, currency {row.currency or 'unknown'}"
    return [((row.symbol, row.valid_from), said)]


def _place_claims(row: Adjustment | ReportedPnl, file_name: str) -> list[Claim]:
    return [((row.account_id, row.session_date), f"is in {file_name}")]


def _account_claims(row: AccountStatement, _file_name: str) -> list[Claim]:
    """Claim what holds for the account, and that it alone takes over the one it was formerly."""
    claims: list[Claim] = []
    if (row.base_limit_usd, row.is_disabled) != (None, None):
        said = f"says base limit {_plain(row.base_limit_usd)}, disabled {row.is_disabled}"
        claims.append(((row.account_id, row.valid_from), said))
    if row.former_account_id is not None:
        claims.append((("who was formerly", row.former_account_id, row.valid_from), f"says {row.account_id}"))
    return claims


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
    claims=_mark_claims,
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
    claims=_instrument_claims,
)
"""Multipliers and currencies from a day on. An option's expiry stands in its symbol; futures are closed by fills."""

SPLITS: Final = Kind(
    name="splits",
    header={"Date": "date", "Symbol": "symbol", "Ratio": "ratio", "Description": "description"},
    required=("Date", "Symbol", "Ratio"),
    fields=Split._fields,
    parse=_split,
    claims=lambda row, _: [((row.symbol, row.session_date), f"says {_plain(row.new_shares)}:{_plain(row.old_shares)}")],
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
    claims=lambda row, file_name: _place_claims(row, file_name) if row.amount_usd else [],
    is_read_together=True,
)
"""What one file says of an account in a session replaces what was known of it; two files that both do are refused.

An amount of zero is booked nowhere, and so takes back what was.
"""

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
    claims=_place_claims,
    is_read_together=True,
)
"""What the source's own books say of an account in a session, a row for the day or one for each trade."""

ACCOUNTS: Final = Kind(
    name="accounts",
    header={
        "Date": "date",
        "Account": "account",
        "Account Name": "account",
        "Account Id": "vendor_key",
        "Display Name": "display_name",
        "First Traded": "first_traded",
        "Last Traded": "last_traded",
        "Base Limit": "base_limit",
        "Disabled": "disabled",
        "Formerly": "formerly",
        "Currency": "currency",
        "Cash": "cash",
        "Unrealized": "unrealized",
    },
    required=(),
    fields=AccountStatement._fields,
    parse=_stated_account,
    claims=_account_claims,
    is_stored_ahead=True,
)
"""The roster: the vendor's list of accounts, with what we add to it. A row about a day to come is known ahead."""

KINDS: Final[tuple[Kind[Any], ...]] = (MARKS, INSTRUMENTS, SPLITS, ADJUSTMENTS, TOTALS, ACCOUNTS)
