"""Reference files: small CSV files that state what holds from a day on, such as closing prices.

One `FileSpec` for each kind of them: its columns, what makes a row right, and which facts no two rows may contradict.
A new kind is a row type, a parser here, a table in ``create_staged.sql`` and the statement that stores it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Generic, Literal, TypeVar

from risk.core.calendar import first_session
from risk.core.entities import AccountStatement, Adjustment, Instrument, Mark, PlatformStatement, ReportedPnl, Split
from risk.core.symbols import read_symbol
from risk.ingest.amounts import fits, number, why_no_number
from risk.ingest.rules import SENTENCES, Named, RowRules, currency_of, shorten
from risk.ingest.times import day_of, session_of
from risk.ingest.words import FEES

Row = TypeVar("Row", bound=tuple[Any, ...])

Fact = tuple[tuple[object, ...], str]
"""A subject, such as a symbol and a session, and a clause about it that no other row may contradict."""


@dataclass(frozen=True, slots=True)
class FileSpec(Generic[Row]):
    """One kind of reference files.

    Attributes
    ----------
    name
        Its table, and the beginning of its files' names: ``marks`` lies in ``marks*.csv``.
    header
        Header name to field, for every column that may be there.
    required
        Header names that must be there.
    fields
        Columns of the table, in the order of a row; the first is the day that the row is about.
    parse
        Makes a row of a record's fields, or ``None`` where it says nothing. A ``ValueError`` says in a clause what is
        wrong.
    unique_facts
        What a row says that no other row of the same load may say differently; takes the row and the name of its file.
    insert
        Statement that stores what is new in its staging table ``staged_<name>``.
    subject
        Fields that say what a row is about: of two rows of one load about the same the later one counts. Empty = every
        row counts.
    is_read_together
        Whether all files of the kind are read again when one has changed, so that a contradiction is always seen.
    is_stored_ahead
        Whether rows about days after the load's last session are stored too: they hold from their day on anyway.
    """

    name: str
    header: Mapping[str, str]
    required: tuple[str, ...]
    fields: tuple[str, ...]
    parse: Callable[[Named, RowRules], Row | None]
    unique_facts: Callable[[Row, str], Sequence[Fact]]
    insert: str
    subject: tuple[str, ...] = ()
    is_read_together: bool = False
    is_stored_ahead: bool = False


NAME_LENGTH: Final = 80

YES_OR_NO: Final = {
    "": None,
    **dict.fromkeys(("yes", "y", "true", "1"), True),
    **dict.fromkeys(("no", "n", "false", "0"), False),
}

ADJUSTMENT_CATEGORIES: Final = {
    name.lower(): name for name in ("Software", "Quotes", "Interest", "Dividend", "Cash In/Out", "Stock Locate")
}
OTHER_CATEGORY: Final = "Fee: Misc"
"""Source of both: the vendor's page *Uploading an Adjustments File*."""

SMALLEST: Final = Decimal("1e-8")


def read_day(named: Named, today: dt.date | None) -> dt.date:
    """Read the date; one after today, where that is given, is wrong."""
    text = named["date"]
    day = day_of(text)
    if day is None:
        raise ValueError(f"date {shorten(text)} is no date of the form MM/DD/YYYY or YYYY-MM-DD")
    if today is not None and day > today:
        raise ValueError(f"date {text} lies in the future")
    return day


def read_session(named: Named, today: dt.date | None, what: str) -> dt.date:
    """Read the date of a session."""
    day = read_day(named, today)
    if day < first_session() or day != session_of(day):
        raise ValueError(f"date {named['date']} is no session, so it has no {what}")
    return day


def read_word(named: Named, name: Literal["symbol", "currency"]) -> str:
    """Read a symbol or a currency by the rule that holds for executions."""
    text = named.get(name, "")
    word = read_symbol(text) if name == "symbol" else currency_of(text)
    if word is None:
        raise ValueError(SENTENCES[name].format_map({name: shorten(text)}))
    return word


def read_number(named: Named, name: str, text: str | None = None) -> Decimal | None:
    """Read a field, or a part of it, as a number that the warehouse can hold; blank is none."""
    text = named.get(name, "") if text is None else text
    if not text:
        return None
    value = number(text)
    if value is None:
        raise ValueError(f"{name} {shorten(text)} {why_no_number(text)}")
    if not fits(value):
        raise ValueError(f"{name} {shorten(text)} is not below 10,000,000,000 with at most 8 decimals")
    return value


def read_positive(named: Named, name: str, text: str | None = None) -> Decimal | None:
    """Read a number above zero; blank is none."""
    value = read_number(named, name, text)
    if value is not None and value < SMALLEST:
        raise ValueError(f"{name} {shorten(named[name])} is not above zero")
    return value


def read_account(named: Named, name: str, rules: RowRules) -> str:
    """Read the name of an account, whole: executions are refused where its first 20 characters cannot tell two."""
    account_id = named[name].strip(" ")
    if not re.fullmatch(rules.settings.account_pattern, account_id):
        raise ValueError(SENTENCES["account_name"].format(account=shorten(account_id)))
    return account_id


def _mark(named: Named, rules: RowRules) -> Mark:
    session_date = read_session(named, rules.today, "closing price")
    volume = read_number(named, "volume")
    if volume is not None and volume < 0:
        raise ValueError(f"volume {shorten(named['volume'])} is below zero")
    price, multiplier = read_positive(named, "price"), read_positive(named, "multiplier")
    currency = read_word(named, "currency") or None
    return Mark(session_date, read_word(named, "symbol"), price, currency, multiplier, volume)


def _instrument(named: Named, _rules: RowRules) -> Instrument:
    """Read a statement about an instrument, also one about a future day."""
    multiplier, currency = read_positive(named, "multiplier"), read_word(named, "currency") or None
    stated = Instrument(read_day(named, None), read_word(named, "symbol"), multiplier, currency)
    if stated.multiplier is None and stated.currency is None:
        raise ValueError(f"it says neither multiplier nor currency of {stated.symbol}")
    return stated


def _split(named: Named, _rules: RowRules) -> Split:
    """Read a split or a new symbol, which may be one to come: ``4`` and ``4:1`` are four new shares in place of one.

    A new symbol without a ratio replaces each share by one.
    """
    symbol = read_word(named, "symbol")
    new_symbol = read_word({**named, "symbol": named["new_symbol"]}, "symbol") if named.get("new_symbol") else None
    if new_symbol == symbol:
        raise ValueError(f"new symbol {new_symbol} is the symbol itself")
    ratio = named.get("ratio") or ("1" if new_symbol else "")
    new_text, _, old_text = ratio.partition(":")
    new_shares = read_positive({"ratio": ratio}, "ratio", new_text.strip(" "))
    old_shares = read_positive({"ratio": ratio}, "ratio", old_text.strip(" ")) if ":" in ratio else Decimal(1)
    if new_shares is None or old_shares is None:
        raise ValueError(f"ratio {shorten(ratio)} is no number of new shares for one old or new:old")
    return Split(read_session(named, None, "split"), symbol, new_shares, old_shares, new_symbol)


def _adjustment(named: Named, rules: RowRules) -> Adjustment:
    amount = read_number(named, "amount")
    if amount is None:
        raise ValueError("amount is blank")
    day = read_day(named, rules.today)
    if day < first_session():
        raise ValueError(f"date {named['date']} lies before the first session we know")
    if read_word(named, "currency") not in ("", "USD"):
        raise ValueError(f"currency {shorten(named['currency'])} is not USD, and adjustments are booked in US dollars")
    offset = read_account(named, "offset_account", rules) if named.get("offset_account") else None
    account_id = read_account(named, "account", rules)
    if offset == account_id:
        raise ValueError(f"account {account_id} is its own offset account")
    category = ADJUSTMENT_CATEGORIES.get(named.get("category", "").lower(), OTHER_CATEGORY)
    comment = " ".join(named.get("comment", "").split())
    return Adjustment(session_of(day), account_id, offset, category, amount, comment)


def _reported(named: Named, rules: RowRules) -> ReportedPnl | None:
    """Read a day of a summary, or a trade on the day it was closed; lines of sums, which have no date, say nothing."""
    text = named.get("date") or named.get("closed", "").partition(" ")[0]
    if text.lower() in ("", "total", "totals"):
        return None
    session_date = session_of(read_day({"date": text}, rules.today))
    gross, net = (read_number(named, name) for name in ("gross", "net"))
    if gross is None or net is None:
        raise ValueError("gross or net is blank")
    return ReportedPnl(session_date, read_account(named, "account", rules), gross, net)


def _platform_limit(named: Named, rules: RowRules) -> PlatformStatement:
    """Read a limit as the trading platform has it; a file may be about a day to come."""
    limit = read_number(named, "limit")
    if limit is None:
        raise ValueError("limit is blank")
    if limit < 0 or limit != round(limit, 2):
        raise ValueError(f"limit {shorten(named['limit'])} is no amount in whole cents, at least 0")
    return PlatformStatement(read_day(named, None), read_account(named, "account", rules), limit)


def _stated_account(named: Named, rules: RowRules) -> AccountStatement:
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
    former = read_account(named, "formerly", rules) if named.get("formerly") else None
    account_id = read_account(named, "account", rules)
    first_traded, last_traded = (_day_seen(named, name, rules.today) for name in ("first_traded", "last_traded"))
    display_name = _printable(named, "display_name")
    return AccountStatement(
        valid_from=valid_from,
        account_id=account_id,
        display_name=display_name,
        first_traded=first_traded,
        last_traded=last_traded,
        base_limit_usd=limit,
        is_disabled=YES_OR_NO[disabled],
        former_account_id=former,
        group_name=_printable(named, "group"),
        trader_name=_printable(named, "trader"),
    )


def _printable(named: Named, column: str) -> str | None:
    text = " ".join(named.get(column, "").split()) or None
    if text and (len(text) > NAME_LENGTH or not text.isprintable()):
        raise ValueError(f"{column.replace('_', ' ')} {shorten(text)} is too long or cannot be printed")
    return text


def _day_seen(named: Named, name: str, today: dt.date) -> dt.date | None:
    return read_day({"date": named[name]}, today) if named.get(name) else None


def _mark_facts(row: Mark, _file_name: str) -> list[Fact]:
    if row.multiplier is None:
        return []
    return [((row.symbol, row.session_date), f"says multiplier {_plain(row.multiplier)}")]


def _instrument_facts(row: Instrument, _file_name: str) -> list[Fact]:
    said = f"says multiplier {_plain(row.multiplier)}, currency {row.currency or 'unknown'}"
    return [((row.symbol, row.valid_from), said)]


def _place_facts(row: Adjustment | ReportedPnl, file_name: str) -> list[Fact]:
    return [((row.account_id, row.session_date), f"is in {file_name}")]


def _account_facts(row: AccountStatement, _file_name: str) -> list[Fact]:
    """Claim what holds for the account, and that it alone takes over the one it was formerly."""
    facts: list[Fact] = []
    if any(value is not None for value in (row.base_limit_usd, row.is_disabled, row.group_name, row.trader_name)):
        said = f"says base limit {_plain(row.base_limit_usd)}, disabled {row.is_disabled}"
        said += f", group {row.group_name}" if row.group_name else ""
        said += f", trader {row.trader_name}" if row.trader_name else ""
        facts.append(((row.account_id, row.valid_from), said))
    if row.former_account_id is not None:
        facts.append((("who was formerly", row.former_account_id, row.valid_from), f"says {row.account_id}"))
    return facts


def _plain(value: Decimal | None) -> str:
    return "unknown" if value is None else f"{value.normalize():f}"


MARKS: Final = FileSpec(
    name="marks",
    insert="extract_fills/insert_marks",
    subject=("session_date", "symbol"),
    header={
        "Date": "date",
        "Symbol": "symbol",
        "Price": "price",
        "Volume": "volume",
        "Currency": "currency",
        "Multiplier": "multiplier",
        "ISIN/CUSIP": "isin",
        "SEDOL": "sedol",
        "Description": "description",
    },
    required=("Date", "Symbol", "Price"),
    fields=Mark._fields,
    parse=_mark,
    unique_facts=_mark_facts,
)
"""Closing prices; of two prices for one symbol and session the later line counts.

Source of the columns: the vendor's page *Uploading a Quotes File*.
"""

INSTRUMENTS: Final = FileSpec(
    name="instruments",
    insert="extract_fills/insert_instruments",
    subject=("valid_from", "symbol"),
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
    unique_facts=_instrument_facts,
)
"""Multipliers and currencies from a day on. An option's expiry stands in its symbol; futures are closed by fills."""

SPLITS: Final = FileSpec(
    name="splits",
    insert="extract_fills/insert_splits",
    subject=("session_date", "symbol"),
    header={
        "Date": "date",
        "Symbol": "symbol",
        "Ratio": "ratio",
        "New Symbol": "new_symbol",
        "Description": "description",
    },
    required=("Date", "Symbol"),
    fields=Split._fields,
    parse=_split,
    unique_facts=lambda row, _: [
        (
            (row.symbol, row.session_date),
            f"says {_plain(row.new_shares)}:{_plain(row.old_shares)}, new symbol {row.new_symbol or 'none'}",
        )
    ],
)
"""Splits and new symbols, from the open of a session on."""

ADJUSTMENTS: Final = FileSpec(
    name="adjustments",
    insert="extract_fills/insert_adjustments",
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
        "Entry Date": "entry_date",
    },
    required=("Date", "Account", "Amount"),
    fields=Adjustment._fields,
    parse=_adjustment,
    unique_facts=lambda row, file_name: _place_facts(row, file_name) if row.amount_usd else [],
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

TOTALS: Final = FileSpec(
    name="totals",
    insert="extract_fills/insert_totals",
    header={name: name.lower() for name in (*SUMMARY_COLUMNS, *TRADE_COLUMNS)},
    required=("Account", "Gross", "Net"),
    fields=ReportedPnl._fields,
    parse=_reported,
    unique_facts=_place_facts,
    is_read_together=True,
)
"""What the source's own books say of an account in a session, a row for the day or one for each trade."""

ACCOUNTS: Final = FileSpec(
    name="accounts",
    insert="extract_fills/insert_accounts",
    subject=("account_id", "valid_from", "former_account_id"),
    header={
        "Date": "date",
        "Account": "account",
        "Account Name": "account",
        "Account Id": "vendor_key",
        "Clearing ID": "clearing_id",
        "Clearing Firm Name": "clearing_firm",
        "Aggregation Unit": "aggregation_unit",
        "Action": "action",
        "Display Name": "display_name",
        "First Traded": "first_traded",
        "Last Traded": "last_traded",
        "Base Limit": "base_limit",
        "Disabled": "disabled",
        "Formerly": "formerly",
        "Group": "group",
        "Trader": "trader",
        "Currency": "currency",
        "Cash": "cash",
        "Unrealized": "unrealized",
    },
    required=(),
    fields=AccountStatement._fields,
    parse=_stated_account,
    unique_facts=_account_facts,
    is_stored_ahead=True,
)
"""The roster: the vendor's list or upload of accounts, with what we add to it; a row about a day to come is known
ahead. Its column ``Renamed Account`` is not read: state the former name under ``Formerly``."""

LIMITS_IN_FORCE: Final = FileSpec(
    name="limits_in_force",
    insert="extract_fills/insert_limits_in_force",
    subject=("account_id", "stated_for"),
    header={"Date": "date", "Account": "account", "Limit": "limit"},
    required=("Date", "Account", "Limit"),
    fields=PlatformStatement._fields,
    parse=_platform_limit,
    unique_facts=lambda row, _file_name: [((row.account_id, row.stated_for), f"says limit {_plain(row.limit_usd)}")],
    is_stored_ahead=True,
)
"""The limits that the trading platform has, read back from it: they confirm ours, and change none."""

FILE_SPECS: Final[tuple[FileSpec[Any], ...]] = (
    *(MARKS, INSTRUMENTS, SPLITS, ADJUSTMENTS, TOTALS, ACCOUNTS),
    LIMITS_IN_FORCE,
)
