"""Writes values down as their one canonical JSON; ``risk.report.parsing`` reads it back."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def canonical_text(record: DataclassInstance) -> str:
    """Write a record as JSON: sorted keys, exact decimal strings, ISO dates, one final line break."""
    plain = dataclasses.asdict(record)
    return json.dumps(plain, sort_keys=True, indent=2, ensure_ascii=False, default=_plain) + "\n"


def digest(canonical: str) -> str:
    """Return the SHA-256 of a canonical text in UTF-8, as hex digits."""
    return hashlib.sha256(canonical.encode()).hexdigest()


def exact(amount: Decimal) -> str:
    """Write a decimal exactly, without exponent, with at least two decimals and no useless ones after them."""
    if not amount:
        return "0.00"
    whole, _, fraction = f"{amount:f}".partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return exact(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    raise TypeError(f"A fact of type {type(value).__name__} has no canonical form.")
