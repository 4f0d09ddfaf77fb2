"""A trader's day: the running P&L fill by fill against the limits in force, symbols, and what was carried overnight."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from functools import cached_property, lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote

from risk.core.calendar import checked_session, next_session
from risk.core.errors import RequestError
from risk.core.exchange import exchange_zone
from risk.core.money import EXACT
from risk.core.policy_store import Instant
from risk.core.warehouse import Connection, records, rows
from risk.desk.gap_stress import GapStress, read_gap_stress
from risk.limits.policy import read_terms
from risk.limits.receipt_rows import FollowedSession, follow_session
from risk.limits.receipts import Step
from risk.limits.track_record import read_running_steps
from risk.report.facts import AccountFacts, reader_of
from risk.report.receipt_facts import ReceiptFacts, read_receipts

ZERO = Decimal(0)
THEN, NOW = "then", "now"

PROVEN = ("outcome", "largest_loss_usd", "loss_from_top_usd", "final_usd")
"""What a running P&L and its report's receipt must have in common."""


class FillRow(NamedTuple):
    """A fill of the day; US dollars but for the price.

    Attributes
    ----------
    number
        Its place, from 1.
    at
        Aware instant; ``None`` = only the date is known.
    symbol, price
        What was traded, in its currency.
    signed_quantity, held_quantity
        Bought positive, and what is held of it afterwards.
    effect
        What it did to the position.
    fees_usd
        Costs positive.
    pnl_usd
        Running P&L after it, gains positive; ``None`` = unknown, the books are incomplete.
    limit_usd
        Limit in force; ``None`` with ``pnl_usd``.
    is_hit, is_beyond
        Whether the limit is first reached here, and whether the loss is at or beyond it.
    """

    number: int
    at: dt.datetime | None
    symbol: str
    price: Decimal
    signed_quantity: Decimal
    held_quantity: Decimal
    effect: str
    fees_usd: Decimal
    pnl_usd: Decimal | None = None
    limit_usd: Decimal | None = None
    is_hit: bool = False
    is_beyond: bool = False


class SymbolResult(NamedTuple):
    """What an account traded and made in a symbol; US dollars, ``None`` = unknown.

    Attributes
    ----------
    symbol
        Instrument.
    session_count, fill_count
        Sessions in which it was traded, and fills.
    turnover_usd, fees_usd
        Value of all fills; fees, costs positive.
    pnl_usd
        Net of fees, gains positive.
    turnover_ratio, pnl_ratio
        Shares of all turnover, and of all symbols' absolute P&L, signed.
    """

    symbol: str
    session_count: int
    fill_count: int
    turnover_usd: Decimal | None
    fees_usd: Decimal
    pnl_usd: Decimal | None
    turnover_ratio: Decimal | None
    pnl_ratio: Decimal | None


@dataclass(frozen=True, slots=True)
class ReportedDay:
    """What the session's report said about the account; ``None`` where it does not list it."""

    as_of: dt.datetime
    account: AccountFacts | None
    receipt: ReceiptFacts | None


@dataclass(frozen=True)
class DayView:
    """The page of a trader's day.

    Attributes
    ----------
    account_id, session_date
        Whose and which.
    earlier_session, later_session
        The account's booked sessions around it; ``None`` = there is none.
    books
        See ``receipts/select_account_session.sql``; ``None`` = nothing is booked.
    delivery_count
        Deliveries that count for it, booked or not.
    steps
        Its fills.
    followed
        Running P&L, limits and receipt; ``None`` = nothing is booked, or the books are incomplete.
    receipt
        As stored; ``None`` = not made yet.
    symbols
        The largest turnover first.
    gap_stress
        Of the positions carried over the close.
    reported
        ``None`` = the session has no report.
    is_then
        Whether fills, running P&L, limits and receipt are those that the session's report knew.
    """

    account_id: str
    session_date: dt.date
    earlier_session: dt.date | None
    later_session: dt.date | None
    books: Mapping[str, Any] | None
    delivery_count: int
    steps: Sequence[Step]
    followed: FollowedSession | None
    receipt: ReceiptFacts | None
    symbols: Sequence[SymbolResult]
    gap_stress: GapStress
    reported: ReportedDay | None
    is_then: bool = False

    @cached_property
    def fills(self) -> list[FillRow]:
        """The fills in the order of the books, with the running P&L where it is known."""
        plain = [_fill_row(number, step) for number, step in enumerate(self.steps, 1)]
        if self.followed is None:
            return plain
        points = zip(plain, self.followed.points[:-1], strict=True)
        return [
            row._replace(
                pnl_usd=point.pnl_usd,
                limit_usd=point.limit.limit_usd,
                is_hit=point.is_hit,
                is_beyond=self.followed.terms.reaches(-point.pnl_usd, point.limit.limit_usd),
            )
            for row, point in points
        ]

    def path(self, session_date: dt.date) -> str:
        """Return the address of another of the trader's days below the root."""
        return day_path(self.account_id, session_date)

    @property
    def shown_receipt(self) -> ReceiptFacts | None:
        """The receipt that the page states: as reported, or as it is now."""
        return self.reported.receipt if self.is_then and self.reported else self.receipt

    @property
    def missing(self) -> str:
        """Why there is no running P&L, and what to do; empty = there is one."""
        if self.is_then:
            return "" if self.followed is not None else self._missing_then
        if self.books is None:
            if self.delivery_count:
                return (
                    "Fills were delivered and are not booked yet: run the session (make trigger), or wait for its run."
                )
            return f"{self.account_id} neither traded nor carried a position on {self.session_date}."
        if self.followed is None:
            return f"The running P&L is unknown because the books are incomplete. {self.books['incomplete_reason']}"
        return ""

    @property
    def _missing_then(self) -> str:
        account = self.reported.account if self.reported else None
        if account is None:
            return f"The report of {self.session_date} does not list {self.account_id}."
        if account.total_pnl_usd is None:
            return (
                f"The running P&L was unknown then: {account.incomplete_reason or 'no fills of the session counted.'}"
            )
        return (
            "The running P&L as known then cannot be drawn: a position carried into the session, a price or a contract "
            "has been restated since. What the report said of the day is below."
        )


def day_path(account_id: str, session_date: dt.date) -> str:
    """Return the address of a trader's day below the root."""
    return f"traders/{_quoted(account_id)}/{session_date}"


@lru_cache(maxsize=2_000)
def _quoted(account_id: str) -> str:
    """Return a name as an address has it; the calendar asks thousands of times for a few."""
    return quote(account_id)


def read_day(connection: Connection, account_id: str, session_date: dt.date, known: str = NOW) -> DayView:
    """Read a trader's day as the books are (``now``), or as the session's report knew it (``then``).

    Raises
    ------
    RequestError
        If the date is not a session or lies in the future, no such account has ever traded, or the session has no
        report that knew it.
    """
    now = dt.datetime.now(dt.UTC)
    checked_session(session_date, now)
    day = {"account_id": account_id, "session_date": session_date}
    [around] = records(connection, "risk_page/select_day_neighbors", day)
    if not around["has_traded"]:
        raise RequestError(f"No account named {account_id!r} has ever traded: see the list of traders.")
    booked = records(connection, "receipts/select_account_session", day)
    books = booked[0] if booked else None
    reported = _read_reported(connection, account_id, session_date)
    if known == THEN and reported is None:
        raise RequestError(f"Session {session_date} has no report that knew {account_id}: see the day as known now.")
    steps = _read_steps(connection, account_id, session_date) if books else []
    effective_session = now.astimezone(exchange_zone()).date()
    followed = None
    if books and books["total_pnl_usd"] is not None:
        closing = books["closes_at"], books["total_pnl_usd"]
        followed = follow_session(connection, account_id, session_date, steps, closing, effective_session)
    deliveries = _delivery_ids(connection, account_id, [session_date])
    terms = read_terms(connection, effective_session)
    receipts = read_receipts(connection, terms, session_date=session_date, account_id=account_id)
    view = DayView(
        account_id,
        session_date,
        around["earlier_session"],
        around["later_session"],
        books,
        len(deliveries),
        steps,
        followed,
        receipts[0][1] if receipts else None,
        _read_symbols(connection, account_id, [session_date], deliveries),
        read_gap_stress(connection, account_id, session_date),
        reported,
    )
    return view if reported is None or known != THEN else _as_reported(connection, view, reported)


def _as_reported(connection: Connection, view: DayView, reported: ReportedDay) -> DayView:
    """Return a day with the fills, the limits and the total that its report knew.

    What it opened with is known as it is now: the running P&L stands only if it gives the receipt of the report.
    """
    account, receipt, books = reported.account, reported.receipt, view.books
    unknown = replace(view, steps=(), followed=None, is_then=True)
    if books is None or account is None or account.total_pnl_usd is None or receipt is None:
        return unknown
    steps = _read_steps(connection, view.account_id, view.session_date, reported.as_of)
    followed = follow_session(
        connection,
        view.account_id,
        view.session_date,
        steps,
        (books["closes_at"], account.total_pnl_usd),
        next_session(view.session_date),
        reported.as_of,
    )
    is_same = all(getattr(followed.receipt, name) == getattr(receipt, name) for name in PROVEN)
    return replace(unknown, steps=steps, followed=followed) if is_same else unknown


def read_symbols(connection: Connection, account_id: str, session_dates: Sequence[dt.date]) -> list[SymbolResult]:
    """Read what an account traded and made in each symbol over consecutive sessions, the largest turnover first."""
    if not session_dates:
        return []
    deliveries = _delivery_ids(connection, account_id, session_dates)
    return _read_symbols(connection, account_id, session_dates, deliveries)


def _read_symbols(
    connection: Connection, account_id: str, session_dates: Sequence[dt.date], delivery_ids: Sequence[int]
) -> list[SymbolResult]:
    bounds = {"first_session_date": session_dates[0], "last_session_date": session_dates[-1]}
    asked = {"account_id": account_id, **bounds, "delivery_ids": list(delivery_ids)}
    found = records(connection, "risk_page/select_symbol_results", asked)
    with localcontext(EXACT):
        turnover = sum((row["turnover_usd"] or ZERO for row in found), ZERO)
        moved = sum((abs(row["pnl_usd"] or ZERO) for row in found), ZERO)
    return [
        SymbolResult(
            **row, turnover_ratio=_share(row["turnover_usd"], turnover), pnl_ratio=_share(row["pnl_usd"], moved)
        )
        for row in found
    ]


def _share(part: Decimal | None, whole: Decimal) -> Decimal | None:
    return part / whole if part is not None and whole else None


def _delivery_ids(connection: Connection, account_id: str, session_dates: Sequence[dt.date]) -> list[int]:
    """List the deliveries that count for an account in some sessions."""
    listed = {"account_ids": [account_id] * len(session_dates), "session_dates": list(session_dates)}
    found = rows(connection, "receipts/select_deliveries", {**listed, "as_of": "infinity"})
    return [delivery_id for delivery_id, _ in found]


def _read_steps(
    connection: Connection, account_id: str, session_date: dt.date, as_of: Instant = "infinity"
) -> list[Step]:
    found = read_running_steps(connection, account_id, session_date, as_of)
    return [Step(**{name: row[name] for name in Step._fields}) for row in found]


def _read_reported(connection: Connection, account_id: str, session_date: dt.date) -> ReportedDay | None:
    found = records(
        connection, "risk_page/select_reported_account", {"account_id": account_id, "session_date": session_date}
    )
    if not found:
        return None
    account, receipt = found[0]["account"], found[0]["receipt"]
    return ReportedDay(
        found[0]["as_of"],
        None if account is None else reader_of(AccountFacts)(account),
        None if receipt is None else reader_of(ReceiptFacts)(receipt),
    )


def _fill_row(number: int, step: Step) -> FillRow:
    after = step.held_quantity + step.signed_quantity
    place = step.symbol, step.price, step.signed_quantity, after
    return FillRow(number, step.known_at, *place, _effect(step.held_quantity, after), step.fees_usd)


def _effect(before: Decimal, after: Decimal) -> str:
    """Say what a fill made of a position."""
    if before == 0:
        return "opens"
    if after == 0:
        return "closes"
    if before * after < 0:
        return "turns around"
    return "adds" if abs(after) > abs(before) else "reduces"
