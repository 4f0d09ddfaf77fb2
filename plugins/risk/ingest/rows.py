"""Judging one record in plain Python: the second way beside SQL, and the one that needs no database."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection
from decimal import Decimal, localcontext
from functools import cache
from typing import Final

from risk.core.calendar import calendar, is_session, next_session
from risk.core.entities import Fill
from risk.core.settings import EXCHANGE_ZONE, settings
from risk.ingest.corrections import kind_of
from risk.ingest.numbers import number
from risk.ingest.shapes import FEE_COLUMNS, SYMBOL_PATTERN

LIMIT: Final = Decimal(10) ** 10
"""First value that a numeric(18, 8) cannot hold."""

_MOMENT: Final = re.compile(r"[0-9]{2}/[0-9]{2}/[0-9]{4} ([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]")
_SYMBOL: Final = re.compile(SYMBOL_PATTERN)


@cache
def first_session() -> dt.date:
    """Return the first session of the calendar; executions before it have wrong dates."""
    return dt.date.fromisoformat(calendar().first_session.strftime("%Y-%m-%d"))


@cache
def session_of(day: dt.date) -> dt.date:
    """Return the session an execution of a New York day belongs to: that day, or the next session."""
    return day if is_session(day) else next_session(day)


def day_of(text: str) -> dt.date:
    """Return the New York day of a well-formed Date/Time."""
    return dt.date(int(text[6:10]), int(text[:2]), int(text[3:5]))


def moment_code(text: str, today: dt.date) -> str | None:
    """Tell what is wrong with a Date/Time, if anything.

    Parameters
    ----------
    today
        The New York day after which a date is in the future.
    """
    wall_time = _wall_time(text)
    if wall_time is None:
        return "date_form"
    if wall_time.date() > today:
        return "date_future"
    if wall_time.date() < first_session():
        return "date_past"
    earlier, later = (wall_time.replace(tzinfo=EXCHANGE_ZONE, fold=fold) for fold in (0, 1))
    if earlier.utcoffset() == later.utcoffset():
        return None
    round_trip = earlier.astimezone(dt.UTC).astimezone(EXCHANGE_ZONE).replace(tzinfo=None)
    return "date_twice" if round_trip == wall_time else "date_gap"


def _wall_time(text: str) -> dt.datetime | None:
    if not _MOMENT.fullmatch(text):
        return None
    try:
        return dt.datetime.strptime(text, "%m/%d/%Y %H:%M:%S")  # noqa: DTZ007 - the zone is decided by the caller
    except ValueError:
        return None


def codes_of(record: dict[str, str], today: dt.date, collided: Collection[str]) -> list[str]:
    """List what is wrong with a record; empty for a good one.

    Parameters
    ----------
    record
        Staging column to text.
    today
        The New York day after which a date is in the future.
    collided
        Accounts that cannot be told apart from another one.
    """
    found = [
        moment_code(record["date_time"], today),
        _account_code(record["account"].strip(" "), collided),
        None if record["side"] in ("B", "S", "T", "C") else "side",
        None if _SYMBOL.fullmatch(record["symbol"].strip(" ").upper()) else "symbol",
        *_number_codes(record),
        _status_code(record),
        "currency" if record.get("currency") and not re.fullmatch("[A-Z]{3}", record["currency"]) else None,
    ]
    return [code for code in found if code]


def _status_code(record: dict[str, str]) -> str | None:
    kind = kind_of(record.get("status", ""))
    if kind is None:
        return "status"
    has_key = bool(record.get("propreports_id") or record.get("fill_id"))
    return None if kind == "live" or has_key else "correction_id"


def _account_code(account_id: str, collided: Collection[str]) -> str | None:
    if not re.fullmatch(settings().account_pattern, account_id):
        return "account_name"
    return "account_collision" if account_id in collided else None


def _number_codes(record: dict[str, str]) -> list[str]:
    quantity, price = number(record["quantity"]), number(record["price"])
    fees = [number(record[name]) for name in FEE_COLUMNS if record.get(name)]
    if quantity is None or price is None or None in fees:
        return ["numbers"]
    return [
        name
        for name, is_wrong in (
            ("quantity", not (fits(quantity) and quantity > 0)),
            ("price", not (fits(price) and price > 0)),
            ("fees", not fits(_fees_usd(record))),
        )
        if is_wrong
    ]


def fits(value: Decimal) -> bool:
    """Tell whether a value fits numeric(18, 8) without rounding; NaN and Infinity do not."""
    if not value.is_finite() or abs(value) >= LIMIT:
        return False
    return len(format(value, "f").partition(".")[2].rstrip("0")) <= 8


def _fees_usd(record: dict[str, str]) -> Decimal:
    """Add all fee columns exactly, whatever the precision of the context; blank is zero."""
    texts = [record[name] for name in FEE_COLUMNS if record.get(name)]
    with localcontext(prec=1000):
        values = [value for value in map(number, texts) if value is not None]
        if not all(value.is_finite() for value in values):
            return Decimal("NaN")
        return sum(values, Decimal(0))


def fill_of(record: dict[str, str], line_number: int) -> Fill:
    """Build the fill of a good record."""
    wall_time = dt.datetime.strptime(record["date_time"], "%m/%d/%Y %H:%M:%S").replace(tzinfo=EXCHANGE_ZONE)
    return Fill(
        account_id=record["account"].strip(" "),
        session_date=session_of(wall_time.date()),
        executed_at=wall_time.astimezone(dt.UTC),
        line_number=line_number,
        side=record["side"],
        quantity=number(record["quantity"]) or Decimal(0),
        symbol=record["symbol"].strip(" ").upper(),
        price=number(record["price"]) or Decimal(0),
        currency=record.get("currency") or None,
        fees_usd=_fees_usd(record),
    )
