"""Why a record is rejected: one code for SQL and Python alike, one sentence for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from risk.ingest.numbers import number
from risk.ingest.shapes import FEES

SENTENCES: Final = {
    "ragged": "has {found} fields, the header names {expected}",
    "date_form": "Date/Time {date_time} is not a date of the form MM/DD/YYYY HH:MM:SS",
    "date_future": "Date/Time {date_time} lies in the future",
    "date_past": "Date/Time {date_time} lies before the first session we know",
    "date_gap": "Date/Time {date_time} does not exist in New York: clocks went forward over it",
    "date_twice": "Date/Time {date_time} happened twice in New York (clocks went back): it names no instant",
    "account_name": "the account name {account} is not one the setting RISK_ACCOUNT_PATTERN allows",
    "account_collision": "account {account} equals {twin} in its first 20 characters, so the two cannot be told apart",
    "side": "side {side} is none of B, S, T, C",
    "symbol": "symbol {symbol} is blank, too long or has characters no symbol has",
    "numbers": "{numbers} is not a number",
    "quantity": "quantity {quantity} is not above zero and below 10,000,000,000 with at most 8 decimals",
    "price": "price {price} is not above zero and below 10,000,000,000 with at most 8 decimals",
    "fees": "the fees do not sum to an amount below 10,000,000,000 with at most 8 decimals",
    "status": "status {status} is not blank, nor a spelling of RISK_CANCELED_STATUSES or RISK_CORRECTED_STATUSES",
    "correction_id": "status {status} corrects an execution, and neither PropReports Id nor Fill Id says which",
    "currency": "currency {currency} is no ISO 4217 code",
    "repeated_id": "the id {key} occurs more than once in this delivery with different content",
}
"""Code to clause."""


class Reject(NamedTuple):
    """A record that could not become a fill."""

    file_name: str
    line_number: int
    raw_text: str
    reason: str


class Quarantine(NamedTuple):
    """A file that cannot be right as a whole."""

    file_name: str
    reason: str


def sentence(
    file_name: str,
    line_number: int,
    codes: Sequence[str],
    columns: Sequence[str],
    fields: Sequence[str],
    twins: Mapping[str, str],
) -> str:
    """Say where a record stands, what is wrong with it and what to do.

    Parameters
    ----------
    file_name, line_number
        Where it starts.
    codes
        Keys of ``SENTENCES``.
    columns, fields
        Staging columns of the file and the record's fields.
    twins
        Account name to the name it collides with.
    """
    record = dict(zip(columns, fields, strict=False))
    shown = {name: shorten(record.get(name, "")) for name in (*columns, "status", "currency")}
    account = record.get("account", "").strip()
    shown |= {
        "found": str(len(fields)),
        "expected": str(len(columns)),
        "twin": shorten(twins.get(account, "")),
        "key": shorten(record.get("propreports_id") or record.get("fill_id") or ""),
        "numbers": _odd_numbers(record),
    }
    found = "; ".join(SENTENCES[code].format(**shown) for code in codes)
    return (
        f"{file_name} line {line_number}, account {shown.get('account', 'unknown')}: {found}. "
        "Correct the row at its source and deliver the account's session again."
    )


def shorten(text: str, length: int = 60) -> str:
    """Quote a value so that it cannot break a line, a mail or a terminal."""
    return ascii(text if len(text) <= length else f"{text[: length - 3]}...")


def _odd_numbers(record: Mapping[str, str]) -> str:
    numeric = ("quantity", "price", *dict.fromkeys(FEES.values()))
    odd = [
        f"{name} {shorten(record[name])}"
        for name in numeric
        if name in record and number(record[name]) is None and (record[name] or name in ("quantity", "price"))
    ]
    return ", ".join(odd[:4])
