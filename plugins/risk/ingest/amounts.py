"""Amounts as text: plain decimals, dollar signs and thousands separators where they can mean one thing only."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

LIMIT: Final = Decimal(10) ** 10
"""First value that a numeric(18, 8) cannot hold."""

LARGEST_EXPONENT: Final = 400
"""A number with a larger exponent is out of range whatever its digits are, and is never built."""

_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE]([+-]?[0-9]+))?")
_MARKED: Final = re.compile(
    r"(?P<sign>[+-]?)(?P<dollar>\$ ?)?(?(dollar)(?P<inner>[+-]?))"
    r"(?P<whole>[1-9][0-9]{0,2}(?:,[0-9]{3})+(?=\.)|[1-9][0-9]{0,2}(?:,[0-9]{3}){2,}|[0-9]+(?!,)|(?=\.[0-9]))"
    r"(?P<rest>(?:\.[0-9]*)?)"
)
"""``$1,010.00``, ``-$5``, ``1,234,567``. A single comma before three digits and no point may be a decimal comma."""

DECIMAL_COMMA: Final = "has a decimal comma: write a decimal point"

_SPACE: Final = " \t\n\r\v\f"

_REASONS: Final = {
    "is a number of base 16, 8 or 2": re.compile(r"[+-]?0[xXoObB].*"),
    "has an underscore": re.compile(r"[+-]?[0-9]+_[0-9_.]*"),
    "is in parentheses; a negative amount has a minus sign": re.compile(r"\(.*\)"),
    "has a comma that may be a thousands separator or a decimal comma: write 1010 or 1,010.00": re.compile(
        r"[+-]?\$?[0-9]+,[0-9]{3}"
    ),
    "has a minus sign after it or of another form: write it as -5": re.compile(
        r"[0-9.,$]+[-\u2010-\u2015\u2212]|[\u2010-\u2015\u2212].*"
    ),
    "has a currency beside the amount: write the amount only, and the currency in its column": re.compile(
        r"[+-]?(?:[A-Z]{3}|[^\x00-\x7f]) ?[0-9.,]+|[+-]?[0-9.,]+ ?(?:[A-Z]{3}|[$]|[^\x00-\x7f])"
    ),
    "has blanks between its digits": re.compile(r"[+-]?\$?[0-9]+(?:[ \u00a0\u2009\u202f][0-9]{3})+(?:[.,][0-9]*)?"),
    DECIMAL_COMMA: re.compile(r"[+-]?\$?[0-9.]*[0-9],[0-9]*"),
}


def number(text: str) -> Decimal | None:
    """Read a number exactly; ``None`` if the text is none or may be two.

    What is too large or too fine to build is NaN: the caller's bounds refuse it.
    """
    stripped = text.strip(_SPACE)
    found = _DECIMAL.fullmatch(stripped)
    if found:
        exponent = (found[1] or "").lstrip("+-0")
        is_buildable = len(exponent) <= 3 and int(exponent or 0) <= LARGEST_EXPONENT
        return Decimal(stripped) if is_buildable else Decimal("NaN")
    marked = _MARKED.fullmatch(stripped)
    if marked is None or (marked["sign"] and marked["inner"]):
        return None
    sign = marked["sign"] or marked["inner"] or ""
    return Decimal(f"{sign}{marked['whole'].replace(',', '')}{marked['rest']}")


def why_no_number(text: str) -> str:
    """Say why a text is no number, in a clause that follows the text."""
    found = (reason for reason, shape in _REASONS.items() if shape.fullmatch(text.strip(_SPACE)))
    return next(found, "is not a number")


def fits(value: Decimal) -> bool:
    """Tell whether a value fits numeric(18, 8) without rounding; NaN and Infinity do not."""
    if not value.is_finite() or abs(value) >= LIMIT:
        return False
    return len(format(value, "f").partition(".")[2].rstrip("0")) <= 8
