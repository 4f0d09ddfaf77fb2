"""What the desk trades, as plain values shared by the steps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple


class Fill(NamedTuple):
    """One execution.

    Attributes
    ----------
    account_id
        Trading account.
    session_date
        Session the execution belongs to, a date of the exchange.
    executed_at
        Aware instant; midnight of the exchange's zone means that the time of day is unknown.
    tie_rank
        Place among the account's executions at one instant.
    side
        ``B`` buy, ``S`` sell, ``T`` short, ``C`` cover.
    quantity
        Shares or contracts, always positive.
    symbol
        Instrument, upper case.
    price
        Price of one share or contract unit in ``currency``.
    currency
        ISO 4217 code; ``None`` where the source does not say it.
    fees_usd
        US dollars; positive = cost, negative = rebate.
    """

    account_id: str
    session_date: dt.date
    executed_at: dt.datetime
    tie_rank: int
    side: str
    quantity: Decimal
    symbol: str
    price: Decimal
    currency: str | None
    fees_usd: Decimal


class Mark(NamedTuple):
    """One closing price.

    Attributes
    ----------
    session_date
        Session of the close.
    symbol
        Instrument, upper case.
    price
        Closing price in ``currency``; ``None`` where the source says there is none.
    currency
        ISO 4217 code; ``None`` where the source does not say it: the instrument's own.
    multiplier
        Units of the underlying in one contract, where the source gives it.
    volume
        Shares or contracts traded that day, where the source gives it.
    """

    session_date: dt.date
    symbol: str
    price: Decimal | None
    currency: str | None
    multiplier: Decimal | None
    volume: Decimal | None = None


class Instrument(NamedTuple):
    """What holds for an instrument from a day on, until another statement about it.

    Attributes
    ----------
    valid_from
        First day.
    symbol
        Instrument, upper case.
    multiplier
        Units of the underlying in one contract; ``None`` where nothing is said.
    currency
        ISO 4217 code in which it is traded, whatever a fill says; ``None`` where nothing is said.
    """

    valid_from: dt.date
    symbol: str
    multiplier: Decimal | None
    currency: str | None


class Split(NamedTuple):
    """A session from which on so many new shares stand for so many old ones, under another symbol, too.

    Attributes
    ----------
    session_date
        First session in which the new shares trade.
    symbol
        Instrument, upper case.
    new_shares, old_shares
        4 and 1 for four new shares in place of one.
    new_symbol
        Symbol of the new shares, upper case; ``None`` where it stays the same.
    """

    session_date: dt.date
    symbol: str
    new_shares: Decimal
    old_shares: Decimal
    new_symbol: str | None = None


class Adjustment(NamedTuple):
    """Money booked to an account beside its trading.

    Attributes
    ----------
    session_date
        Session it belongs to.
    account_id
        Account it is booked to.
    offset_account_id
        Account that is booked the opposite amount, or ``None``.
    category
        What it is for.
    amount_usd
        US dollars, positive = credit, the opposite of fees.
    comment
        The source's words.
    """

    session_date: dt.date
    account_id: str
    offset_account_id: str | None
    category: str
    amount_usd: Decimal
    comment: str


class AccountStatement(NamedTuple):
    """What holds for an account from a day on, until another statement about it; ``None`` = nothing is said.

    Attributes
    ----------
    valid_from
        First day.
    account_id
        Trading account.
    display_name
        Name of the person for people.
    first_traded, last_traded
        Days on which the source saw it trade.
    base_limit_usd
        Daily loss limit before any cut, US dollars.
    is_disabled
        Whether it can trade no more.
    former_account_id
        Account whose sessions before that day are this one's history.
    group_name
        Group whose values in the policy apply to it.
    trader_name
        Person who trades it.
    """

    valid_from: dt.date
    account_id: str
    display_name: str | None
    first_traded: dt.date | None
    last_traded: dt.date | None
    base_limit_usd: Decimal | None
    is_disabled: bool | None
    former_account_id: str | None
    group_name: str | None = None
    trader_name: str | None = None


class PlatformStatement(NamedTuple):
    """The daily loss limit that an account has on the trading platform, by its own file.

    Attributes
    ----------
    stated_for
        Date of the exchange that the file is about.
    account_id
        Trading account.
    limit_usd
        US dollars; 0 = no trading.
    """

    stated_for: dt.date
    account_id: str
    limit_usd: Decimal


class Statements(NamedTuple):
    """What the files beside the executions state.

    Attributes
    ----------
    marks, instruments, splits, adjustments
        In the order they were stated: of two about the same the later one counts.
    """

    marks: Sequence[Mark] = ()
    instruments: Sequence[Instrument] = ()
    splits: Sequence[Split] = ()
    adjustments: Sequence[Adjustment] = ()


class ReportedPnl(NamedTuple):
    """What a source's own books say of one account-session: the other side of the reconciliation.

    Attributes
    ----------
    session_date
        Session, a date of the exchange.
    account_id
        Trading account.
    gross_pnl_usd, net_pnl_usd
        Realized P&L before and after fees, US dollars, signed.
    """

    session_date: dt.date
    account_id: str
    gross_pnl_usd: Decimal
    net_pnl_usd: Decimal
