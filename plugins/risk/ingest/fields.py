"""Fields of statement files: one function for each form in which a field may be written."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from risk.core.calendar import is_session
from risk.core.settings import settings
from risk.ingest.numbers import number
from risk.ingest.reasons import shorten
from risk.ingest.rows import first_session, fits
from risk.ingest.shapes import SYMBOL_PATTERN

Named = Mapping[str, str]
"""A record's fields by our names for them; a ``ValueError`` from here says in a clause what is wrong with one."""

DATE_FORMS: Final = {r"[0-9]{2}/[0-9]{2}/[0-9]{4}": "%m/%d/%Y", r"[0-9]{4}-[0-9]{2}-[0-9]{2}": "%Y-%m-%d"}
"""The vendor's form and ISO 8601: both are unambiguous."""

SMALLEST: Final = Decimal("1e-8")


def read_day(named: Named, today: dt.date | None) -> dt.date:
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


def read_session(named: Named, today: dt.date | None, what: str) -> dt.date:
    """Read the date of a session."""
    day = read_day(named, today)
    if day < first_session() or not is_session(day):
        raise ValueError(f"date {named['date']} is no session, so it has no {what}")
    return day


def read_symbol(named: Named) -> str:
    """Read a symbol, upper case."""
    symbol = named["symbol"].upper()
    if not re.fullmatch(SYMBOL_PATTERN, symbol):
        raise ValueError(f"symbol {shorten(symbol)} is blank, too long or has characters no symbol has")
    return symbol


def read_currency(named: Named) -> str | None:
    """Read a currency; blank is none."""
    currency = named.get("currency") or None
    if currency is not None and not re.fullmatch("[A-Z]{3}", currency):
        raise ValueError(f"currency {shorten(currency)} is no ISO 4217 code")
    return currency


def read_number(named: Named, name: str, text: str | None = None) -> Decimal | None:
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


def read_positive(named: Named, name: str, text: str | None = None) -> Decimal | None:
    """Read a number above zero; blank is none."""
    value = read_number(named, name, text)
    if value is not None and value < SMALLEST:
        raise ValueError(f"{name} {shorten(named[name])} is not above zero")
    return value


def read_account(named: Named, name: str) -> str:
    """Read the name of an account, whole: executions are refused where its first 20 characters cannot tell two."""
    account_id = named[name].strip(" ")
    if not re.fullmatch(settings().account_pattern, account_id):
        raise ValueError(f"the account name {shorten(account_id)} is not one the setting RISK_ACCOUNT_PATTERN allows")
    return account_id
