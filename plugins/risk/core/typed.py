"""What people type into forms and commands: amounts and reasons, cleaned or refused with a sentence."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from risk.core.errors import RequestError

LONGEST_REASON: Final = 500
LONGEST_NOTE: Final = 2_000
AMOUNT = re.compile(r"\$?([0-9]{1,12}|[0-9]{1,3}(,[0-9]{3}){1,3})(\.[0-9]{1,2})?")
"""A comma before other than three digits may be a decimal point: ``25,00`` is no 2,500."""


def parsed_amount(text: str) -> Decimal:
    """Read an amount of US dollars that a person typed.

    Raises
    ------
    RequestError
        If it is not dollars and cents; a negative one is not.
    """
    if not AMOUNT.fullmatch(text.strip()):
        raise RequestError(f"{text!r} is not an amount in dollars and cents: enter 3000 or 3000.50.")
    return Decimal(text.strip().removeprefix("$").replace(",", ""))


def cleaned_reason(reason: str) -> str:
    """Return a reason on one line, without control characters.

    Raises
    ------
    RequestError
        If nothing is left, or it is too long.
    """
    return _cleaned(reason, "reason", LONGEST_REASON, "A reason is missing: say why in a sentence.")


def cleaned_note(text: str) -> str:
    """Return a note on one line, without control characters.

    Raises
    ------
    RequestError
        If nothing is left, or it is too long.
    """
    empty = "The note is empty: write what you want to remember in a sentence or two."
    return _cleaned(text, "note", LONGEST_NOTE, empty)


def _cleaned(text: str, what: str, longest: int, empty: str) -> str:
    plain = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    if not plain:
        raise RequestError(empty)
    if len(plain) > longest:
        raise RequestError(f"The {what} has {len(plain):,} characters: use at most {longest:,}.")
    return plain
