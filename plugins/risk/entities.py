"""What the desk trades, as plain values shared by the steps."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import NamedTuple


class Fill(NamedTuple):
    """One execution.

    Attributes
    ----------
    account_id
        Trading account.
    session_date
        Session the execution belongs to, a New York date.
    executed_at
        Aware instant; midnight New York means that the time of day is unknown.
    line_number
        Line in its file: the order of executions at one instant.
    side
        ``B`` buy, ``S`` sell, ``T`` short, ``C`` cover.
    quantity
        Shares or contracts, always positive.
    symbol
        Instrument, upper case.
    price
        Price of one share or contract unit in ``currency``.
    currency
        ISO 4217 code.
    fees_usd
        US dollars; positive = cost, negative = rebate.
    """

    account_id: str
    session_date: dt.date
    executed_at: dt.datetime
    line_number: int
    side: str
    quantity: Decimal
    symbol: str
    price: Decimal
    currency: str
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
        ISO 4217 code.
    multiplier
        Units of the underlying in one contract, where the source gives it.
    """

    session_date: dt.date
    symbol: str
    price: Decimal | None
    currency: str
    multiplier: Decimal | None


class ReportedPnl(NamedTuple):
    """What a source's own books say of one account-session: the other side of the reconciliation.

    Attributes
    ----------
    account_id
        Trading account.
    session_date
        Session, a New York date.
    gross_pnl_usd, net_pnl_usd
        Realized P&L before and after fees, US dollars, signed.
    """

    account_id: str
    session_date: dt.date
    gross_pnl_usd: Decimal
    net_pnl_usd: Decimal
