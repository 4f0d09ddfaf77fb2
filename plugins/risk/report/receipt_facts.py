"""What the report says about the use of limits: each account's receipt of the session, hits and breaches first."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from risk.core.exchange import exchange_zone
from risk.core.money import counted, signed_usd, usd, usd_exact
from risk.core.policy import Policy
from risk.core.warehouse import Connection, records
from risk.limits.breaches import OPEN, REMOVED, BreachItem
from risk.limits.confirmations import DIFFERENT, UNCONFIRMED
from risk.limits.further_limits import FurtherUse
from risk.limits.in_force import ORIGINS
from risk.limits.policy import DeskTerms
from risk.limits.receipts import (
    AT_CLOSE,
    AT_LIMIT_CHANGE,
    BREACH,
    BY_GAP,
    HIT,
    NOT_FLAT,
    WITHIN,
    warning_zone,
)

LISTED_RECEIPTS = 20
"""Breaches and hits in a mail; report.json has all of them."""

LISTED_ITEMS = 10
"""Open items in a mail, the oldest ones."""

PLATFORM_WORDS = {
    UNCONFIRMED: "Limit not confirmed on the platform. ",
    DIFFERENT: "The platform had another limit. ",
}
"""What a breach says first where the platform may not have had the limit."""

OUTCOME_ORDER = (BREACH, HIT, WITHIN)


@dataclass(frozen=True, slots=True)
class ReceiptFacts:
    """What an account did with its limit in the session; see the table ``limit_receipts``.

    Attributes
    ----------
    account_id
        Trading account.
    outcome
        ``within``, ``hit`` (stopped at the limit) or ``breach``.
    limit_usd, limit_source, limit_since
        Limit in force at the limit hit, else at the largest use, US dollars; where it comes from, and the instant since
        which it acts; ``None`` = always.
    limit_count
        Limits that were in force in turn.
    use_ratio
        Largest loss over the limit in force; ``None`` = n/a, the limit was 0.
    zone_ratio
        Highest warning zone of the policy that the use has reached; ``None`` = none.
    largest_loss_usd, largest_loss_at
        Largest loss of the running P&L, US dollars, positive, and when; ``None`` = at the close, no loss, or unknown.
    loss_from_top_usd
        Largest fall from the day's top, US dollars.
    final_usd
        P&L at the close, US dollars, gains positive.
    hit_kind
        What first reached the limit: ``fill``, ``gap``, ``close`` or ``limit change``; ``None`` = nothing.
    hit_at, hit_symbol, hit_price
        Of the fill that did; ``None`` without one, or its time is unknown.
    hit_before_usd, hit_after_usd, furthest_usd
        Running P&L before and after it, and the lowest from then on, US dollars.
    enlarging_fill_count
        Fills after it that opened or enlarged a position.
    minutes_until_flat
        Minutes from it until no position was open; ``None`` = not by the last fill, or unknown.
    breach_reasons
        Why the limit hit is a breach; empty = it is none.
    platform_state
        Of a breach: whether the trading platform was known to have the limit then (``confirmed``, ``unconfirmed`` or
        ``different``); ``None`` = nobody states limits on the platform.
    """

    account_id: str
    outcome: str
    limit_usd: Decimal
    limit_source: str
    limit_since: dt.datetime | None
    limit_count: int
    use_ratio: Decimal | None
    zone_ratio: Decimal | None
    largest_loss_usd: Decimal
    largest_loss_at: dt.datetime | None
    loss_from_top_usd: Decimal
    final_usd: Decimal
    hit_kind: str | None
    hit_at: dt.datetime | None
    hit_symbol: str | None
    hit_price: Decimal | None
    hit_before_usd: Decimal | None
    hit_after_usd: Decimal | None
    furthest_usd: Decimal | None
    enlarging_fill_count: int | None
    minutes_until_flat: Decimal | None
    breach_reasons: tuple[str, ...]
    platform_state: str | None = None

    @property
    def use_text(self) -> str:
        """The use for people, rounded down: only what has reached the limit says 100%."""
        return "n/a" if self.use_ratio is None else f"{int(self.use_ratio * 100):,}%"

    @property
    def loss_time(self) -> str:
        """When the largest loss was seen, the exchange's time."""
        if self.largest_loss_at is not None:
            return _clock(self.largest_loss_at)
        return "the close" if self.largest_loss_usd == -self.final_usd else "an unknown time"

    @property
    def result(self) -> str:
        """What became of the limit, in a few words."""
        if self.outcome == WITHIN:
            return "within the limit"
        if self.outcome == BREACH:
            return "breach"
        how = {AT_CLOSE: "hit at the close", AT_LIMIT_CHANGE: "hit when a lower limit took effect"}
        return how.get(str(self.hit_kind), "stopped at the limit")

    @property
    def sentence(self) -> str:
        """What happened, short: dollars are whole, report.json has the cents; times are the exchange's."""
        unset = PLATFORM_WORDS.get(str(self.platform_state), "")
        head = f"{unset}Breach of" if self.outcome == BREACH else f"{self.result[:1].upper()}{self.result[1:]}:"
        limit = f"{usd_exact(self.limit_usd)} ({ORIGINS[self.limit_source]})"
        used = "" if self.use_ratio is None else f" ({self.use_text})"
        loss = f"down at least {usd(self.largest_loss_usd)}{used} at {self.loss_time}"
        return f"{head} {limit}, {'; '.join((loss, *self._course, f'final {signed_usd(self.final_usd)}'))}."

    @property
    def _course(self) -> Iterator[str]:
        """Say how the limit was reached, and what followed."""
        if self.hit_after_usd is None or self.furthest_usd is None:
            return
        yield f"{self._first}{', limit changed during the session' if self.limit_count > 1 else ''}"
        if self.furthest_usd < self.hit_after_usd and -self.furthest_usd != self.largest_loss_usd:
            yield f"went to {signed_usd(self.furthest_usd)}"
        if self.minutes_until_flat is not None:
            minutes = math.ceil(self.minutes_until_flat)
            yield f"flat after {minutes} min" if minutes else "flat at once"
        elif NOT_FLAT in self.breach_reasons:
            yield "not flat by the last fill"
        if self.enlarging_fill_count:
            yield f"{counted(self.enlarging_fill_count, 'later fill')} opened or enlarged a position"

    @property
    def _first(self) -> str:
        """Say what first reached the limit."""
        at = "at an unknown time" if self.hit_at is None else _clock(self.hit_at)
        if self.hit_kind == AT_CLOSE:
            return "reached at the close, without a fill"
        if self.hit_kind == AT_LIMIT_CHANGE:
            return f"already beyond the new limit when it took effect at {at}"
        name = "first fill, by gap," if self.hit_kind == BY_GAP else "first fill"
        before, after = (signed_usd(amount or 0) for amount in (self.hit_before_usd, self.hit_after_usd))
        price = "" if self.hit_price is None else f" at {_price(self.hit_price)}"
        return f"{name} {at} {self.hit_symbol}{price}, P&L {before} to {after}"


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """A breach of a session whose report was mailed.

    Attributes
    ----------
    account_id, session_date
        Account and session of the breach.
    state
        ``open``, ``closed`` or ``removed`` (by a restatement).
    words
        What was broken, and what became of it.
    """

    account_id: str
    session_date: dt.date
    state: str
    words: str


@dataclass(frozen=True, slots=True)
class LimitUseFacts:
    """The use of limits in the session, and the breaches that are open items.

    Attributes
    ----------
    receipts
        Of the accounts with complete books: breaches, hits, then the largest use first.
    items
        Oldest first: open breaches of earlier sessions; those that a restatement has removed since the last run; those
        of this session that were closed after an earlier email.
    further
        Use of the policy's further limits: the desk's, from the day's top, weekly, monthly, trailing; empty = none.
    """

    receipts: tuple[ReceiptFacts, ...] = ()
    items: tuple[ItemFacts, ...] = ()
    further: tuple[FurtherUse, ...] = ()

    @property
    def breaches(self) -> tuple[ReceiptFacts, ...]:
        """Limits that were broken."""
        return tuple(one for one in self.receipts if one.outcome == BREACH)

    @property
    def hits(self) -> tuple[ReceiptFacts, ...]:
        """Limits that were reached and not broken."""
        return tuple(one for one in self.receipts if one.outcome == HIT)

    @property
    def close(self) -> tuple[ReceiptFacts, ...]:
        """Limits of which a warning zone was reached, and not the whole."""
        return tuple(one for one in self.receipts if one.outcome == WITHIN and one.zone_ratio is not None)

    @property
    def listed(self) -> tuple[ReceiptFacts, ...]:
        """Breaches and hits for the mail."""
        return (self.breaches + self.hits)[:LISTED_RECEIPTS]

    @property
    def unlisted_count(self) -> int:
        """Breaches and hits that are only in report.json."""
        return max(0, len(self.breaches + self.hits) - LISTED_RECEIPTS)

    @property
    def open_items(self) -> tuple[ItemFacts, ...]:
        """Breaches of earlier sessions that nobody has closed."""
        return tuple(item for item in self.items if item.state == OPEN)

    @property
    def listed_items(self) -> tuple[ItemFacts, ...]:
        """What the mail lists of the items: the oldest open ones, and whatever else became of one."""
        return self.open_items[:LISTED_ITEMS] + tuple(item for item in self.items if item.state != OPEN)

    @property
    def close_further(self) -> tuple[FurtherUse, ...]:
        """Further limits that were reached, then those of which a warning zone was."""
        return tuple(sorted((one for one in self.further if one.is_close), key=lambda one: not one.is_hit))

    @property
    def by_account(self) -> dict[str, ReceiptFacts]:
        """The receipts by account."""
        return {one.account_id: one for one in self.receipts}

    @property
    def largest(self) -> ReceiptFacts | None:
        """The receipt of the largest use; ``None`` = nobody used any of a limit."""
        used = [one for one in self.receipts if one.use_ratio]
        return max(used, key=lambda one: one.use_ratio or 0, default=None)


def read_receipts(
    connection: Connection,
    terms: DeskTerms,
    *,
    session_date: dt.date | None = None,
    account_id: str | None = None,
    row_count: int | None = None,
) -> list[tuple[dt.date, ReceiptFacts]]:
    """Read receipts with their sessions, newest first, as the books are now: of all sessions and accounts, or one.

    Parameters
    ----------
    terms
        The policy, whose warning zones apply.
    row_count
        At most so many; ``None`` = all.
    """
    binds = {"session_date": session_date, "account_id": account_id, "row_count": row_count}
    found = records(connection, "receipts/select_receipts", binds)
    return [(row.pop("session_date"), _receipt_facts(row, terms.of(row["account_id"]).policy)) for row in found]


def _receipt_facts(row: dict[str, Any], policy: Policy) -> ReceiptFacts:
    """Make the facts of a stored receipt; a price keeps its digits, instants are UTC."""
    symbol = row["hit_symbol"]
    instants = {name: _utc(row[name]) for name in ("limit_since", "largest_loss_at", "hit_at")}
    reasons = {"breach_reasons": tuple(row["breach_reasons"])}
    zone = {"zone_ratio": warning_zone(row["use_ratio"], policy.use.warning_zones)}
    name = {"hit_symbol": None if symbol is None else readable(symbol)}
    return ReceiptFacts(**{**row, **instants, **reasons, **zone, **name})


def item_facts(items: Sequence[BreachItem], session_date: dt.date) -> tuple[ItemFacts, ...]:
    """Choose the items that the report of a session names."""

    def is_named(item: BreachItem) -> bool:
        # An open breach of the session itself is named with its receipt.
        if item.state == REMOVED:
            return item.was_breach
        return (item.state == OPEN) == (item.session_date < session_date)

    return tuple(
        ItemFacts(item.account_id, item.session_date, item.state, item.words) for item in items if is_named(item)
    )


def by_severity(receipts: Sequence[ReceiptFacts]) -> tuple[ReceiptFacts, ...]:
    """Sort receipts: breaches, hits, then the largest use first, n/a before all others; equal ones by name."""

    def place(one: ReceiptFacts) -> tuple[int, bool, Decimal, str]:
        use = one.use_ratio
        return OUTCOME_ORDER.index(one.outcome), use is not None, -(use or Decimal(0)), one.account_id

    return tuple(sorted(receipts, key=place))


def readable(text: str) -> str:
    """Return a sentence on one line, without control and text-direction characters."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def _utc(instant: dt.datetime | None) -> dt.datetime | None:
    return None if instant is None else instant.astimezone(dt.UTC)


def _clock(instant: dt.datetime) -> str:
    return f"{instant.astimezone(exchange_zone()):%H:%M}"


def _price(price: Decimal) -> str:
    """Write a price to the cent; averages have many digits, and prices below 1 keep four."""
    return f"{price:,.2f}" if abs(price) >= 1 else f"{price:.4f}"
