"""Adjustments: money booked beside trading, a ledger of its own that is no part of any P&L."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

from risk.core.entities import Adjustment


def booked_adjustments(adjustments: Iterable[Adjustment]) -> dict[tuple[str, dt.date], Decimal]:
    """Add up by account and session what is booked, the opposite to offset accounts; zeros are dropped.

    Returns
    -------
    dict
        US dollars, positive = credit.
    """
    booked: dict[tuple[str, dt.date], Decimal] = {}
    for each in adjustments:
        if not each.amount_usd:
            continue
        credited = (each.account_id, each.session_date)
        booked[credited] = booked.get(credited, Decimal(0)) + each.amount_usd
        if each.offset_account_id is not None:
            debited = (each.offset_account_id, each.session_date)
            booked[debited] = booked.get(debited, Decimal(0)) - each.amount_usd
    return booked
