"""Problems: why an account-session is incomplete, as sentences for people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from risk.books.prices import MIXED_CURRENCIES, STALE_SESSIONS, Valuation

NAMED_SYMBOLS = 5
"""A sentence about many symbols names so many of them."""

_SENTENCES = {
    "currency": "More than one currency for {symbols} by {session}, and a position has one: state it in an "
    "instruments file from before it was opened on, then clear extract_fills.",
    "multiplier": "No single multiplier for {symbols} on {session}: state it in an instruments file and mend marks "
    "that say another, then clear extract_fills.",
    "changed": "The multiplier of {symbols} differs from the session before {session}: correct the marks or "
    "instruments file, then clear extract_fills.",
    "mark": "No closing mark for {symbols} on {session} or in the {stale} sessions before: load marks, then clear "
    "extract_fills.",
    "rate": "No rate in US dollars for the currency of {symbols} on {session} or in the {stale} sessions before: load "
    "the spot as a mark, such as @CADUSD for CAD, then clear extract_fills.",
    "previous": "The value of {symbols} at the close before {session} is unknown, so the day's change is too: load "
    "the missing mark, rate or multiplier, then clear extract_fills.",
}
"""Most basic reason first."""


class Unknown(NamedTuple):
    """A symbol of an account-session of which something is unknown, and the key of the sentence that says what."""

    symbol: str
    problem: str


def problem_of(
    currency: str, valuation: Valuation, unrealized: int | None, delta: int | None, *, has_changed: bool
) -> str | None:
    """Return the key of the most basic reason why a position's result is unknown; ``None`` = it is known.

    Parameters
    ----------
    unrealized, delta
        In the position's currency, and the change in US dollars; ``None`` = unknown.
    has_changed
        Whether the multiplier is not that of the close before.
    """
    conditions = (
        ("currency", currency == MIXED_CURRENCIES),
        ("multiplier", valuation.multiplier is None),
        ("changed", has_changed),
        ("mark", unrealized is None),
        ("rate", valuation.rate is None),
        ("previous", delta is None),
    )
    return None if delta is not None else next(name for name, is_met in conditions if is_met)


def incomplete_reason(session_date: dt.date, unknowns: Iterable[Unknown]) -> str | None:
    """Build the sentences about everything unknown, the symbols with one problem in one sentence."""
    symbols: dict[str, list[str]] = {}
    for unknown in unknowns:
        symbols.setdefault(unknown.problem, []).append(unknown.symbol)
    sentences = [
        sentence.format(symbols=_listed(symbols[problem]), session=session_date, stale=STALE_SESSIONS)
        for problem, sentence in _SENTENCES.items()
        if problem in symbols
    ]
    return " ".join(sentences) or None


def _listed(symbols: Sequence[str]) -> str:
    named = ", ".join(symbols[:NAMED_SYMBOLS])
    return named if len(symbols) <= NAMED_SYMBOLS else f"{named}, ... ({len(symbols)} in all)"
