"""Opening-gap stress: what the positions carried over a close lose if their symbols open elsewhere.

Nobody can trade between the close and the first trade of the next session, so this loss is taken before any limit acts.
Every underlying moves by the same ratio: flat ones of 5, 10 and 20 %, up and down, and its own past gaps where they are
known. Shares, futures and pairs move with it; an option is worth its intrinsic value, without time value. The rate of a
foreign currency stays. Exact decimals; nothing is stored.

A past gap is the first fill of the symbol over all accounts, no later than 30 minutes after the open, against the
closing price of the session before: the mark, else the last fill over all accounts. A session that opens with a split
or a new symbol has none.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from itertools import pairwise
from typing import Any, Final, NamedTuple

from risk.books.prices import implied_currency, priced_in
from risk.core.calendar import next_session, session_open, sessions_between
from risk.core.money import EXACT
from risk.core.symbols import option_of
from risk.core.warehouse import Connection, records
from risk.limits.in_force import LimitInForce, limit_at
from risk.limits.limit_inputs import read_account_limits, unnamed_limits
from risk.limits.policy import read_terms

SIZES: Final = (Decimal("0.05"), Decimal("0.10"), Decimal("0.20"))
"""Flat gaps, as shares of the closing price."""

MOVES: Final = (*(-size for size in reversed(SIZES)), *SIZES)
"""The same down and up, ascending."""

GAP_SESSIONS: Final = 250
"""Past gaps are looked for in so many sessions."""

OPENING: Final = dt.timedelta(minutes=30)
"""A first fill later than this after the open is no opening price."""

MARKS, FILLS = "marks", "fills"
ZERO: Final = Decimal(0)
_SEPARATORS: Final = str.maketrans("", "", "./-")


class ValuedPosition(NamedTuple):
    """What a position makes of a price: its symbol, its mark, and the US dollars that one point is worth to it."""

    symbol: str
    mark_price: Decimal
    point_usd: Decimal

    def pnl_usd(self, price: Decimal, move: Decimal) -> Decimal:
        """Return what a move of the underlying, whose price is given, makes of it; US dollars, gains positive."""
        option = option_of(self.symbol)
        if option is None:
            return self.mark_price * move * self.point_usd
        above = price * (1 + move) - option.strike
        intrinsic = max(ZERO, above if option.right == "C" else -above)
        return (intrinsic - self.mark_price) * self.point_usd


class CarriedPosition(NamedTuple):
    """A position over a close; ``None`` = unknown, the books are incomplete.

    Attributes
    ----------
    symbol, currency
        As in the books.
    quantity
        Long positive.
    average_open_price, mark_price
        In the currency.
    multiplier
        Currency units per point and contract.
    mark_source
        Where the mark comes from: ``marks``, ``last_fill`` or ``stale``.
    rate
        US dollars for one unit of the currency.
    unrealized_pnl_usd
        US dollars, gains positive.
    """

    symbol: str
    currency: str
    quantity: Decimal
    average_open_price: Decimal | None
    multiplier: Decimal | None
    mark_price: Decimal | None
    mark_source: str | None
    rate: Decimal | None
    unrealized_pnl_usd: Decimal | None

    @property
    def valued(self) -> ValuedPosition | None:
        """Itself with a known mark, multiplier and rate."""
        if self.mark_price is None or self.multiplier is None or self.rate is None:
            return None
        with localcontext(EXACT):
            return ValuedPosition(self.symbol, self.mark_price, self.quantity * self.multiplier * self.rate)

    @property
    def value_usd(self) -> Decimal | None:
        """Its value at the mark, US dollars, short negative."""
        valued = self.valued
        with localcontext(EXACT):
            return None if valued is None else valued.mark_price * valued.point_usd

    @property
    def underlying(self) -> str:
        """Root of an option, else the symbol."""
        option = option_of(self.symbol)
        return self.symbol if option is None else option.root


class SymbolPrice(NamedTuple):
    """How a symbol closed and opened in a session by one source; see ``desk/select_symbol_prices.sql``."""

    session_date: dt.date
    symbol: str
    source: str
    currency: str | None
    close_price: Decimal
    open_price: Decimal | None
    has_split: bool

    @property
    def quoted_in(self) -> str:
        """Currency of its prices: as stated, else as the symbol's form implies."""
        return priced_in(self.symbol, self.currency) or implied_currency(self.symbol)


class PastGap(NamedTuple):
    """An opening against the close before: session, ratio (-0.05 = 5 % lower), and where the close comes from."""

    session_date: dt.date
    ratio: Decimal
    close_source: str


@dataclass(frozen=True, slots=True)
class UnderlyingStress:
    """The positions in one underlying and what gaps make of them; US dollars, gains positive.

    Attributes
    ----------
    underlying
        Symbol.
    positions
        Carried in it.
    pnl_usd
        By move of `MOVES`; empty = unknown.
    gaps
        Its own past ones, oldest first.
    worst
        The one that would cost most now; ``None`` = none is known.
    worst_usd
        P&L in it.
    unknown_reason
        Why nothing is computed, as a sentence; empty = it is.
    """

    underlying: str
    positions: Sequence[CarriedPosition]
    pnl_usd: Mapping[Decimal, Decimal]
    gaps: Sequence[PastGap] = ()
    worst: PastGap | None = None
    worst_usd: Decimal | None = None
    unknown_reason: str = ""

    def loss_usd(self, size: Decimal) -> Decimal:
        """Return the loss in a gap of a size in the direction that costs more, positive; 0 where neither does."""
        return max(ZERO, -self.pnl_usd[size], -self.pnl_usd[-size])


@dataclass(frozen=True, slots=True)
class GapStress:
    """What opening gaps make of the positions of an account; US dollars.

    Attributes
    ----------
    effective_session
        The session that opens.
    limit
        In force at its open.
    underlyings
        The largest loss first, unknown ones last.
    """

    effective_session: dt.date
    limit: LimitInForce
    underlyings: Sequence[UnderlyingStress]

    @property
    def known(self) -> list[UnderlyingStress]:
        """Those that are computed."""
        return [one for one in self.underlyings if not one.unknown_reason]

    @property
    def unknown(self) -> list[UnderlyingStress]:
        """Those that are not: every sum is without them."""
        return [one for one in self.underlyings if one.unknown_reason]

    def total_usd(self, move: Decimal) -> Decimal:
        """Return the P&L if every underlying moves alike, gains positive."""
        with localcontext(EXACT):
            return sum((one.pnl_usd[move] for one in self.known), ZERO)

    def loss_usd(self, size: Decimal) -> Decimal:
        """Return the loss if each underlying moves in the direction that costs more, positive."""
        with localcontext(EXACT):
            return sum((one.loss_usd(size) for one in self.known), ZERO)

    def use_ratio(self, size: Decimal) -> Decimal | None:
        """Return the share of the limit that this loss uses before the first trade; ``None`` = the limit is 0."""
        if self.limit.limit_usd == 0:
            return None
        with localcontext(EXACT):
            return self.loss_usd(size) / self.limit.limit_usd


def past_gaps(prices: Iterable[SymbolPrice]) -> list[PastGap]:
    """Find the opening gaps of one symbol, oldest first.

    Parameters
    ----------
    prices
        Of the symbol, in one currency.
    """
    by_session: dict[dt.date, dict[str, SymbolPrice]] = defaultdict(dict)
    for one in prices:
        by_session[one.session_date][one.source] = one
    if not by_session:
        return []
    found = []
    for earlier, session_date in pairwise(sessions_between(min(by_session), max(by_session))):
        closed, opened = by_session.get(earlier, {}), by_session.get(session_date, {}).get(FILLS)
        close = closed.get(MARKS) or closed.get(FILLS)
        if close is None or opened is None or opened.open_price is None or opened.has_split:
            continue
        with localcontext(EXACT):
            ratio = round(opened.open_price / close.close_price - 1, 6)
        found.append(PastGap(session_date, ratio, close.source))
    return found


def pnl_usd(positions: Iterable[ValuedPosition], price: Decimal, move: Decimal) -> Decimal:
    """Return what a gap makes of positions in one underlying, against their marks; US dollars, gains positive.

    Parameters
    ----------
    price
        Closing price of the underlying.
    move
        -0.05 = it opens 5 % lower.
    """
    with localcontext(EXACT):
        return sum((one.pnl_usd(price, move) for one in positions), ZERO)


def stress(
    positions: Sequence[CarriedPosition], prices: Sequence[SymbolPrice], session_date: dt.date
) -> list[UnderlyingStress]:
    """Compute what gaps make of an account's positions, underlying by underlying.

    Parameters
    ----------
    positions
        Carried over the close.
    prices
        Of their underlyings, ascending by session.
    session_date
        Session that they are carried over.

    Returns
    -------
    list of UnderlyingStress
        The largest loss in the largest flat gap first, unknown ones last.
    """
    groups: dict[str, list[CarriedPosition]] = defaultdict(list)
    for one in positions:
        groups[one.underlying.translate(_SEPARATORS)].append(one)
    by_symbol: dict[str, list[SymbolPrice]] = defaultdict(list)
    for price in prices:
        by_symbol[price.symbol].append(price)
    return sorted((_underlying_stress(group, by_symbol, session_date) for group in groups.values()), key=_by_loss)


def _by_loss(one: UnderlyingStress) -> tuple[bool, Decimal, str]:
    return bool(one.unknown_reason), ZERO if one.unknown_reason else -one.loss_usd(SIZES[-1]), one.underlying


def _underlying_stress(
    positions: Sequence[CarriedPosition], prices: Mapping[str, Sequence[SymbolPrice]], session_date: dt.date
) -> UnderlyingStress:
    shares = [one for one in positions if option_of(one.symbol) is None]
    first = (shares or positions)[0]
    name = first.underlying
    known = [one for one in prices.get(name, ()) if one.quoted_in == first.currency]
    valued = [found for one in positions if (found := one.valued) is not None]
    if len(valued) < len(positions):
        unvalued = ", ".join(one.symbol for one in positions if one.valued is None)
        reason = f"No mark, multiplier or rate for {unvalued}: load it, then run the session again."
        return UnderlyingStress(name, positions, {}, unknown_reason=reason)
    price = first.mark_price if shares else _closing_price(known, session_date)
    if price is None:
        reason = f"No closing price of {name} for its options: load a mark of {name} for {session_date}."
        return UnderlyingStress(name, positions, {}, unknown_reason=reason)
    gaps = past_gaps(known)
    outcomes = [(pnl_usd(valued, price, gap.ratio), gap) for gap in gaps]
    worst_usd, worst = min(outcomes, default=(None, None))
    moves = {move: pnl_usd(valued, price, move) for move in MOVES}
    return UnderlyingStress(name, positions, moves, gaps, worst, worst_usd)


def _closing_price(prices: Sequence[SymbolPrice], session_date: dt.date) -> Decimal | None:
    """Return the close of an underlying that is not held itself: its mark, else its last fill."""
    of_day = {one.source: one.close_price for one in prices if one.session_date == session_date}
    return of_day.get(MARKS, of_day.get(FILLS))


def read_gap_stress(connection: Connection, account_id: str, session_date: dt.date) -> GapStress:
    """Compute the stress of what an account carries over a session's close, from the books as they are now."""
    day = {"account_id": account_id, "session_date": session_date}
    positions = [CarriedPosition(**row) for row in records(connection, "desk/select_carried_positions", day)]
    asked: dict[str, Any] = {
        "symbols": sorted({one.underlying for one in positions}),
        "session_date": session_date,
        "session_count": GAP_SESSIONS,
        "opening": OPENING,
    }
    found = records(connection, "desk/select_symbol_prices", asked) if positions else []
    following = next_session(session_date)
    opens_at = session_open(following)
    terms = read_terms(connection, following)
    limits = read_account_limits(
        connection,
        "infinity",
        terms=terms,
        through_session=following,
        first_at=opens_at,
        last_at=opens_at,
        account_ids=[account_id],
    )
    account = limits.get(account_id) or unnamed_limits(terms, account_id)
    limit = limit_at(account, opens_at, following)
    return GapStress(following, limit, stress(positions, [SymbolPrice(**row) for row in found], session_date))
