"""Words of the trade as brokers write them: names of columns, sides, statuses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

from risk.core.errors import InputError

REQUIRED: Final = {
    "Date/Time": "date_time",
    "Account": "account",
    "B/S": "side",
    "Qty": "quantity",
    "Symbol": "symbol",
    "Price": "price",
}
"""Header name to column name: what every file of executions must have."""

FEES: Final = {
    "Comm": "fee_comm",
    "Ecn": "fee_ecn",
    "Ecn Fee": "fee_ecn",
    "SEC": "fee_sec",
    "ORF": "fee_orf",
    "TAF": "fee_taf",
    "FTT": "fee_ftt",
    "NFA": "fee_nfa",
    "CAT": "fee_cat",
    "NSCC": "fee_nscc",
    "Acc": "fee_acc",
    "Clr": "fee_clr",
    "Misc": "fee_misc",
}
"""Fee columns: positive = cost, negative = rebate. ``Ecn`` and ``Ecn Fee`` are one fee under two names."""

IDS: Final = {"Order Id": "order_id", "Fill Id": "fill_id", "PropReports Id": "propreports_id"}
STATES: Final = {"Status": "status", "Currency": "currency", "Multiplier": "multiplier"}
OTHER_SYMBOLS: Final = {
    "Sterling Symbol": "sterling_symbol",
    "Reuters Symbol": "reuters_symbol",
    "Nasdaq IP Symbol": "nasdaq_ip_symbol",
    "Bloomberg Symbol": "bloomberg_symbol",
    "Wedbush Symbol": "wedbush_symbol",
}
"""Symbols in other spellings. Source: the vendor's page *Generic Execution format*."""
VENUES: Final = {"Route": "route"}
"""Where the order went: it changes no amount, and a delivery that differs only here says nothing new."""
IGNORED: Final = {
    "Exec Bkr": "executing_broker",
    "Contra": "contra",
    "Liq": "liquidity",
    "ISIN": "isin",
    "CUSIP": "cusip",
    "Source": "source",
    "Clearable": "clearable",
    **OTHER_SYMBOLS,
}
"""Columns that the vendor documents and that change no amount."""

COLUMNS: Final = REQUIRED | FEES | IDS | STATES | VENUES | IGNORED
FEE_COLUMNS: Final = tuple(dict.fromkeys(FEES.values()))
UNNAMED: Final = tuple(f"unnamed_{number}" for number in range(1, 33))
"""Columns without a name at the end of a header, as spreadsheets leave them; their cells must be blank."""
SAID_COLUMNS: Final = frozenset((REQUIRED | FEES | IDS | STATES).values())
"""What makes two records the same."""
READ_COLUMNS: Final = SAID_COLUMNS.union(VENUES.values())

SIDES: Final = ("B", "S", "T", "C")
"""Buy, sell, short, cover: the vendor's letters."""

_SIDE_WORDS: Final = {
    "B": "B BUY BOT BOUGHT BTO BUYTOOPEN BUYOPEN",
    "S": "S SELL SLD SOLD STC SELLTOCLOSE SELLLONG",
    "T": "T SS SHORT SELLSHORT SHORTSELL SHORTSALE SOLDSHORT SSHRT STO SELLTOOPEN SELLSHORTEXEMPT",
    "C": "C BC COVER BUYTOCOVER BUYCOVER BUYCOVERED BTC BUYTOCLOSE",
}
_SIDE_OF: Final = {word: side for side, words in _SIDE_WORDS.items() for word in words.split()}

Kind = Literal["live", "canceled", "corrected"]

_ROUTE: Final = re.compile(r" *[A-Za-z0-9][A-Za-z0-9 ._/-]{0,19} *", re.ASCII)
_GAPS: Final = re.compile(r"[ _-]+")


def side_of(text: str) -> str | None:
    """Read a side in any case, blanks, underscores and hyphens left out; ``None`` if it is none or may be two."""
    return _SIDE_OF.get(_GAPS.sub("", text).upper()) if text.isascii() else None


def route_of(text: str) -> str:
    """Read a destination in upper case; what is none by its form is unknown, and no reason to reject a fill."""
    return text.strip(" ").upper() if _ROUTE.fullmatch(text) else ""


def fold_word(text: str) -> str:
    """Return a word in the one spelling in which statuses are compared. Only ASCII letters have two cases here."""
    words = _GAPS.sub(" ", text).strip(" ")
    return words.upper() if words.isascii() else words


def fold_name(name: str) -> str:
    """Return the name of a column in the one spelling in which names are compared."""
    return " ".join(name.split()).casefold()


def mapped_columns(
    header: Sequence[str],
    file_name: str,
    known: Mapping[str, str] = COLUMNS,
    required: Sequence[str] = tuple(REQUIRED),
) -> tuple[str, ...]:
    """Map a header to column names, in the file's order; by name in any case, never by position.

    Parameters
    ----------
    known, required
        Header name to column name, and header names that must be there; by default those of executions.

    Raises
    ------
    InputError
        If a column is unknown, given twice, or a required one is missing: the file as a whole cannot be right.
    """
    named = [name.strip() for name in header]
    while named and not named[-1]:
        named.pop()
    by_name = {fold_name(name): column for name, column in known.items()}
    columns = [by_name.get(fold_name(name)) for name in named]
    if known is COLUMNS:
        columns = _with_symbol(columns)
    missing = [name for name in required if known[name] not in columns]
    unknown = [name for name, column in zip(named, columns, strict=True) if column is None]
    if required and len(missing) == len(required):
        raise InputError(
            f"{file_name} line 1 is not a header with {quote_names(required)}: found "
            f"{quote_foreign(named) or 'nothing'}. Replace the file with the source's CSV export, or describe it in a "
            "mapping (riskctl map): columns, delimiter, skip_lines for a title above the header."
        )
    if missing:
        raise InputError(
            f"{file_name} lacks the required column {quote_names(missing)}. "
            f"Export it again with all of {quote_names(required)}, or describe its columns in a mapping (riskctl map)."
        )
    if unknown:
        raise InputError(
            f"{file_name} has the unknown column {quote_foreign(unknown)}, which may hold a fee. Nothing of the file "
            "is loaded. Export it without that column, or list the column under unused in a mapping (riskctl map)."
        )
    known_columns = [column for column in columns if column is not None]
    twice = [name for name, column in zip(named, columns, strict=True) if columns.count(column) > 1]
    if twice:
        raise InputError(f"{file_name} gives the column {quote_foreign(twice)} more than once. Export it again.")
    blank_count = len(header) - len(named)
    if blank_count > len(UNNAMED):
        raise InputError(f"{file_name} has {blank_count} columns without a name. Export it again without them.")
    return (*known_columns, *UNNAMED[:blank_count])


def _with_symbol(columns: Sequence[str | None]) -> list[str | None]:
    """Let the one symbol in another spelling be the symbol where the file has no other."""
    others = [column for column in columns if column in OTHER_SYMBOLS.values()]
    if "symbol" in columns or len(others) != 1:
        return list(columns)
    return ["symbol" if column == others[0] else column for column in columns]


def quote_foreign(names: Iterable[str]) -> str:
    """List names that others have written: anything but letters, digits, blanks, _ and / is a question mark."""
    return quote_names(re.sub(r"[^\w /]", "?", name) for name in names)


def quote_names(names: Iterable[str]) -> str:
    """List names, each in quotes, at most ten of them."""
    listed = list(names)
    shown = ", ".join(repr(name[:40]) for name in listed[:10])
    return shown if len(listed) <= 10 else f"{shown} and {len(listed) - 10} more"
