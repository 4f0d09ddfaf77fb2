"""The columns of the vendor's CSV shapes, mapped by name and never by position."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from risk.core.errors import InputError

REQUIRED: Final = {
    "Date/Time": "date_time",
    "Account": "account",
    "B/S": "side",
    "Qty": "quantity",
    "Symbol": "symbol",
    "Price": "price",
}
"""Header name to staging column: what every shape must have."""

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

OTHERS: Final = {
    "Route": "route",
    "Exec Bkr": "executing_broker",
    "Contra": "contra",
    "Liq": "liquidity",
    "Order Id": "order_id",
    "Fill Id": "fill_id",
    "Status": "status",
    "Currency": "currency",
    "ISIN": "isin",
    "CUSIP": "cusip",
    "PropReports Id": "propreports_id",
}

COLUMNS: Final = REQUIRED | FEES | OTHERS
FEE_COLUMNS: Final = tuple(dict.fromkeys(FEES.values()))

SYMBOL_PATTERN: Final = r"[A-Z0-9@/$^.][A-Z0-9 ./_:^$@&#*+-]{0,47}"
"""Stocks, OSI options, futures and ``@`` spot symbols; neither markup nor control characters."""


def staging_columns(header: list[str], file_name: str) -> tuple[str, ...]:
    """Map a file's header to staging columns, in the file's order.

    Raises
    ------
    InputError
        If a column is unknown, given twice, or a required one is missing: the file as a whole cannot be right.
    """
    return mapped_columns(header, file_name, COLUMNS, tuple(REQUIRED))


def mapped_columns(
    header: list[str], file_name: str, known: Mapping[str, str], required: Sequence[str]
) -> tuple[str, ...]:
    """Map a header's names to ours, in the file's order.

    Raises
    ------
    InputError
        As for fills.
    """
    names = [name.strip() for name in header]
    missing = [name for name in required if name not in names]
    unknown = [name for name in names if name not in known]
    if required and len(missing) == len(required):
        raise InputError(
            f"{file_name} line 1 is not a header with {_quoted(required)}: found {_quoted(names) or 'nothing'}. "
            "Replace the file with the source's CSV export."
        )
    if missing:
        raise InputError(
            f"{file_name} lacks the required column {_quoted(missing)}. "
            f"Export it again with all of {_quoted(required)}."
        )
    if unknown:
        raise InputError(
            f"{file_name} has the unknown column {_quoted(unknown)}: the vendor's format has changed. "
            "Nothing of the file is loaded; ask the developers to add the column."
        )
    columns = tuple(known[name] for name in names)
    twice = [name for name, column in zip(names, columns, strict=True) if columns.count(column) > 1]
    if twice:
        raise InputError(f"{file_name} gives the column {_quoted(twice)} more than once. Export it again.")
    return columns


def _quoted(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name[:40]) for name in names[:10])
    return shown if len(names) <= 10 else f"{shown} and {len(names) - 10} more"
