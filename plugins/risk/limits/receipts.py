"""Receipts: how much of its limit an account used in a session, and what happened where the limit was reached.

The running P&L moves with the account's own fills, open positions at its own last price of each symbol, 0 at the
previous close's marks; the close at the marks is the last point. Between own fills it is not seen, so a loss is at
least what a receipt states. Amounts are exact decimals and are compared exactly.

A limit acts from the instant it takes effect. Where it takes effect below the present loss, that is a limit hit
without a fill, and only a fill that opens or enlarges a position makes it a breach.
"""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal, localcontext
from typing import Final, NamedTuple

from risk.core.money import EXACT
from risk.core.policy import Policy
from risk.limits.in_force import LimitInForce

WITHIN, HIT, BREACH = "within", "hit", "breach"
AT_FILL, BY_GAP, AT_CLOSE, AT_LIMIT_CHANGE = "fill", "gap", "close", "limit change"

TRADED_ON: Final = "opened or enlarged a position after the limit hit"
BEYOND_TOLERANCE: Final = "lost more than the tolerance beyond the limit"
NOT_FLAT: Final = "not flat within the minutes allowed"
NO_TRADING: Final = "traded under a limit of 0"
BREACH_REASONS: Final = (NO_TRADING, TRADED_ON, BEYOND_TOLERANCE, NOT_FLAT)
ZERO: Final = Decimal(0)
USE_STEP: Final = Decimal("0.000001")
"""Uses are rounded down to it: nothing short of a limit or a zone reaches it."""


@dataclass(frozen=True, slots=True)
class ReceiptTerms:
    """What the policy says about limit hits and breaches.

    Attributes
    ----------
    tolerance_ratio
        A loss beyond the limit by more than this share of it is a breach; 0.10 = 10 %.
    minutes
        Later than so many minutes after the limit hit, no position may be open.
    equal_counts
        Whether a loss equal to the limit is a limit hit.
    has_fees
        Whether fees count in the running P&L.
    """

    tolerance_ratio: Decimal
    minutes: int
    equal_counts: bool
    has_fees: bool

    @classmethod
    def of(cls, policy: Policy) -> ReceiptTerms:
        """Take them from a policy."""
        breach, use = policy.breach, policy.use
        return cls(breach.tolerance, breach.minutes, use.hit == "at or beyond", use.fees == "in")

    def reaches(self, loss_usd: Decimal, limit_usd: Decimal) -> bool:
        """Return whether a loss is a limit hit; a limit of 0 is none, since no loss is needed to break it."""
        if limit_usd == 0:
            return False
        return loss_usd >= limit_usd if self.equal_counts else loss_usd > limit_usd


class Step(NamedTuple):
    """A fill on the way of an account through a session.

    Attributes
    ----------
    executed_at, is_time_unknown
        Aware instant; whether only its date is known.
    symbol, price
        What was traded, in its currency.
    signed_quantity, held_quantity
        Bought positive, and what was held of it before.
    has_gapped
        Whether it is the first fill in a carried position: the P&L since the previous close shows in it.
    fees_usd, change_usd
        Its fee, costs positive, and what it adds to the running P&L, the fee included.
    """

    executed_at: dt.datetime
    is_time_unknown: bool
    symbol: str
    price: Decimal
    signed_quantity: Decimal
    held_quantity: Decimal
    has_gapped: bool
    fees_usd: Decimal
    change_usd: Decimal

    @property
    def enlarges(self) -> bool:
        """Whether it opens a position, adds to one, or turns it around."""
        after = self.held_quantity + self.signed_quantity
        return self.held_quantity * after <= 0 < abs(after) or abs(after) > abs(self.held_quantity)

    @property
    def known_at(self) -> dt.datetime | None:
        """Its instant; ``None`` = unknown."""
        return None if self.is_time_unknown else self.executed_at


@dataclass(frozen=True, slots=True)
class SessionPath:
    """An account's way through a session.

    Attributes
    ----------
    steps
        Its fills in the order of the books.
    carried
        Signed quantities of the positions it opened the session with, by symbol, splits applied.
    closes_at
        Aware instant of the close.
    close_usd
        P&L of the session at the marks, US dollars.
    """

    steps: Sequence[Step]
    carried: Mapping[str, Decimal]
    closes_at: dt.datetime
    close_usd: Decimal


@dataclass(slots=True)
class LimitHit:
    """Where a limit was first reached, and what followed; US dollars.

    Attributes
    ----------
    kind
        ``AT_FILL``, ``BY_GAP``, ``AT_CLOSE`` or ``AT_LIMIT_CHANGE``.
    limit
        The limit in force there.
    at
        Aware instant; ``None`` = at the close, or unknown.
    symbol, price
        Of the fill; ``None`` without one.
    before_usd, after_usd
        Running P&L before and after it; stopping there would have made the latter of the session.
    furthest_usd
        Lowest running P&L from then on, the close included.
    enlarging_fill_count
        Later fills that opened or enlarged a position.
    minutes_until_flat
        Until no position was open; ``None`` = not by the last fill, or times are unknown.
    """

    kind: str
    limit: LimitInForce
    at: dt.datetime | None
    symbol: str | None
    price: Decimal | None
    before_usd: Decimal
    after_usd: Decimal
    furthest_usd: Decimal
    enlarging_fill_count: int = 0
    minutes_until_flat: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an account-session did with its limit; US dollars.

    Attributes
    ----------
    limit
        In force at the limit hit, else at the largest use.
    limit_count
        Limits that were in force in turn.
    largest_loss_usd, largest_loss_at
        Lowest running P&L as a positive loss, and when; ``None`` = at the close, no loss, or time unknown.
    loss_from_top_usd
        Largest fall from the day's top, the close included.
    use_ratio
        Largest loss over the limit in force; ``None`` = n/a, the limit was 0.
    final_usd
        P&L at the close, gains positive.
    hit
        ``None`` = the limit was not reached.
    breach_reasons
        Why the limit hit is a breach, of `BREACH_REASONS`; empty = it is none.
    """

    limit: LimitInForce
    limit_count: int
    largest_loss_usd: Decimal
    largest_loss_at: dt.datetime | None
    loss_from_top_usd: Decimal
    use_ratio: Decimal | None
    final_usd: Decimal
    hit: LimitHit | None
    breach_reasons: tuple[str, ...]

    @property
    def outcome(self) -> str:
        """``WITHIN``, ``HIT`` or ``BREACH``; a limit hit that is no breach was stopped at the limit."""
        if self.breach_reasons:
            return BREACH
        return WITHIN if self.hit is None else HIT


def warning_zone(use_ratio: Decimal | None, zones: Sequence[Decimal]) -> Decimal | None:
    """Return the highest warning zone that a use has reached; ``None`` = none."""
    reached = [zone for zone in zones if use_ratio is not None and use_ratio >= zone]
    return max(reached, default=None)


@dataclass(frozen=True, slots=True)
class RunningLows:
    """What is stored of a session's running P&L; see the table ``running_lows``."""

    running_lows_usd: Sequence[Decimal]
    low_instants: Sequence[dt.datetime | None]
    loss_from_top_usd: Decimal
    close_usd: Decimal


def receipt_within(lows: RunningLows, limit: LimitInForce, terms: ReceiptTerms) -> Receipt | None:
    """Return the receipt of a session under one limit that was not reached; ``None`` = it must be walked.

    The stored lows are net of fees, so only a policy that counts these can be judged by them.
    """
    if not terms.has_fees or limit.limit_usd == 0:
        return None
    largest, at = ZERO, None
    if lows.running_lows_usd:
        largest, at = lows.running_lows_usd[-1], lows.low_instants[-1]
    if -lows.close_usd > largest:
        largest, at = -lows.close_usd, None
    if terms.reaches(largest, limit.limit_usd):
        return None
    with localcontext(EXACT):
        use = (largest / limit.limit_usd).quantize(USE_STEP, ROUND_DOWN)
    return Receipt(limit, 1, largest, at, lows.loss_from_top_usd, use, lows.close_usd, None, ())


class RunningPoint(NamedTuple):
    """The running P&L of an account after a fill, or at the close; US dollars.

    Attributes
    ----------
    at
        Aware instant; that of the close for the close and for a fill without a time of day.
    step
        The fill; ``None`` = at the close.
    pnl_usd
        Gains positive.
    limit
        In force there.
    is_hit
        Whether the limit is first reached here.
    """

    at: dt.datetime
    step: Step | None
    pnl_usd: Decimal
    limit: LimitInForce
    is_hit: bool


def receipt(path: SessionPath, limits: Sequence[tuple[dt.datetime, LimitInForce]], terms: ReceiptTerms) -> Receipt:
    """Walk a session fill by fill.

    Parameters
    ----------
    limits
        In force in turn, at least one; each acts from its instant on, the first from the beginning.
    """
    with localcontext(EXACT):
        walk = _Walk(path, limits, terms)
        deque(walk.follow(), maxlen=0)
        return walk.receipt()


def running_pnl(
    path: SessionPath, limits: Sequence[tuple[dt.datetime, LimitInForce]], terms: ReceiptTerms
) -> tuple[list[RunningPoint], Receipt]:
    """Walk a session as `receipt` does, and return every point of the running P&L, the close last, beside it."""
    with localcontext(EXACT):
        walk = _Walk(path, limits, terms)
        return list(walk.follow()), walk.receipt()


@dataclass
class _Walk:
    """The state of an account between two fills.

    Attributes
    ----------
    pnl
        Running P&L.
    is_excused
        Whether the loss was beyond the present limit when that took effect, and still is.
    crossed_by
        First fill that reached a limit in force: from then on the account must become flat.
    """

    path: SessionPath
    limits: Sequence[tuple[dt.datetime, LimitInForce]]
    terms: ReceiptTerms
    place: int = 0
    pnl: Decimal = ZERO
    top: Decimal = ZERO
    loss_from_top: Decimal = ZERO
    largest_loss: Decimal = ZERO
    largest_loss_at: dt.datetime | None = None
    use: Decimal | None = None
    used_limit: LimitInForce | None = None
    is_excused: bool = False
    hit: LimitHit | None = None
    crossed_by: Step | None = None
    reasons: set[str] = field(default_factory=set)
    held: dict[str, Decimal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.held = {symbol: quantity for symbol, quantity in self.path.carried.items() if quantity}
        self._use_limit()

    @property
    def limit(self) -> LimitInForce:
        return self.limits[self.place][1]

    def follow(self) -> Iterator[RunningPoint]:
        """Go from fill to fill to the close."""
        for step in self.path.steps:
            self.pass_limits(step.executed_at)
            was_hit = self.hit is not None
            self.take(step)
            yield RunningPoint(step.executed_at, step, self.pnl, self.limit, not was_hit and self.hit is not None)
        closes_at = max([self.path.closes_at, *(step.executed_at for step in self.path.steps)])
        self.pass_limits(closes_at)
        was_hit = self.hit is not None
        self.close()
        yield RunningPoint(closes_at, None, self.pnl, self.limit, not was_hit and self.hit is not None)

    def pass_limits(self, instant: dt.datetime) -> None:
        """Let the limits take effect that do so by an instant."""
        while self.place + 1 < len(self.limits) and self.limits[self.place + 1][0] <= instant:
            self.place += 1
            self._use_limit()
            self.is_excused = self.terms.reaches(-self.pnl, self.limit.limit_usd)
            if self.is_excused and self.hit is None:
                self.hit = LimitHit(
                    AT_LIMIT_CHANGE, self.limit, self.limits[self.place][0], None, None, self.pnl, self.pnl, self.pnl
                )

    def take(self, step: Step) -> None:
        """Take a fill."""
        before = self.pnl
        self.pnl += step.change_usd if self.terms.has_fees else step.change_usd + step.fees_usd
        self.held[step.symbol] = step.held_quantity + step.signed_quantity
        self._see_loss(step.known_at)
        if self.hit is not None and step.enlarges:
            self.hit.enlarging_fill_count += 1
            if self.hit.limit.limit_usd:
                self.reasons.add(TRADED_ON)
        is_forbidden = self.limit.limit_usd == 0 and step.enlarges
        if is_forbidden:
            self.reasons.add(NO_TRADING)
        is_crossed = self._judge_loss()
        if is_crossed and self.crossed_by is None:
            self.crossed_by = step
        if (is_crossed or is_forbidden) and self.hit is None:
            kind = BY_GAP if step.has_gapped and is_crossed else AT_FILL
            self.hit = LimitHit(kind, self.limit, step.known_at, step.symbol, step.price, before, self.pnl, self.pnl)
        self._see_flat(step)

    def close(self) -> None:
        """Value the session at the marks."""
        before, self.pnl = self.pnl, self.path.close_usd
        self._see_loss(None)
        if self._judge_loss() and self.hit is None:
            self.hit = LimitHit(AT_CLOSE, self.limit, None, None, None, before, self.pnl, self.pnl)
        # With unknown times all that is known is whether the account ended flat.
        was_flat = self.hit is not None and self.hit.minutes_until_flat is not None
        if self.crossed_by and not was_flat and any(self.held.values()):
            self.reasons.add(NOT_FLAT)

    def receipt(self) -> Receipt:
        """Sum up."""
        return Receipt(
            self.hit.limit if self.hit else self.used_limit or self.limits[0][1],
            len(self.limits),
            self.largest_loss,
            self.largest_loss_at,
            self.loss_from_top,
            None if self.use is None else self.use.quantize(USE_STEP, ROUND_DOWN),
            self.path.close_usd,
            self.hit,
            tuple(reason for reason in BREACH_REASONS if reason in self.reasons),
        )

    def _see_loss(self, at: dt.datetime | None) -> None:
        self.top = max(self.top, self.pnl)
        self.loss_from_top = max(self.loss_from_top, self.top - self.pnl)
        if -self.pnl > self.largest_loss:
            self.largest_loss, self.largest_loss_at = -self.pnl, at
        if self.hit is not None:
            self.hit.furthest_usd = min(self.hit.furthest_usd, self.pnl)
        self._use_limit()

    def _use_limit(self) -> None:
        if self.limit.limit_usd == 0:
            return
        use = max(-self.pnl, ZERO) / self.limit.limit_usd
        if self.use is None or use > self.use:
            self.use, self.used_limit = use, self.limit

    def _judge_loss(self) -> bool:
        """Return whether the loss reaches the limit, and note a loss beyond its tolerance."""
        loss, limit_usd = -self.pnl, self.limit.limit_usd
        if not self.terms.reaches(loss, limit_usd):
            self.is_excused = False
            return False
        if self.is_excused:
            return False
        if loss > limit_usd * (1 + self.terms.tolerance_ratio):
            self.reasons.add(BEYOND_TOLERANCE)
        return True

    def _see_flat(self, step: Step) -> None:
        """Note when the account is flat for the first time since a fill reached the limit."""
        hit, crossed_by = self.hit, self.crossed_by
        if hit is None or crossed_by is None or hit.minutes_until_flat is not None or any(self.held.values()):
            return
        if crossed_by.is_time_unknown or step.is_time_unknown:
            return
        hit.minutes_until_flat = Decimal((step.executed_at - crossed_by.executed_at).total_seconds()) / 60
        if hit.minutes_until_flat > self.terms.minutes:
            self.reasons.add(NOT_FLAT)
