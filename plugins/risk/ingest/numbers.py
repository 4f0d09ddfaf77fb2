"""What counts as a number in a delivered file: what Postgres's ``numeric`` reads, so that SQL and Python agree."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

_DIGITS: Final = r"[0-9](?:_?[0-9])*"
_DECIMAL: Final = re.compile(rf"[+-]?(?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?")
_INTEGER: Final = re.compile(r"([+-]?)(0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+)")
_SPECIAL: Final = re.compile(r"nan|[+-]?inf(?:inity)?", re.IGNORECASE)
_SPACE: Final = " \t\n\r\v\f"


def number(text: str) -> Decimal | None:
    """Read a number exactly; ``None`` if the text is none.

    NaN and Infinity are numbers to ``numeric``: the caller's bounds refuse them.
    """
    stripped = text.strip(_SPACE)
    if _DECIMAL.fullmatch(stripped) or _SPECIAL.fullmatch(stripped):
        return Decimal(stripped.replace("_", ""))
    based = _INTEGER.fullmatch(stripped)
    return Decimal(int("".join(based.groups()), 0)) if based else None
