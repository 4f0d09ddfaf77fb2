"""What a run finds out about the desk as a whole, stored with it: five sessions of patterns, and correlations.

Each run judges the last five sessions as it knows them, so that its page, a replay and a permalink show the week as it
was known then, and a late delivery is judged when it comes.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

import numpy as np

from risk.core.runs import Run
from risk.core.warehouse import Connection, execute, writing
from risk.desk.correlation import Correlation, correlations
from risk.desk.executions import DeskFills
from risk.desk.patterns import Finding, find_patterns
from risk.desk.read_fills import ReadFills, read_fills
from risk.desk.self_trades import LISTED_TRADES, SelfTrade, chance_rates, find_self_trades
from risk.model.panel import read_panel

SCALE = 8
DIGITS = 3
"""Significant digits of what is computed: further ones depend on the processor."""


def store_desk(connection: Connection, run: Run) -> int:
    """Find the patterns of the last five sessions and the correlations, and replace what the run has stored of them.

    Returns
    -------
    int
        Flagged findings and self-trades of the run's session and of the week that ends with it.
    """
    read = read_fills(connection, run)
    found, trades = find_patterns(read.fills), find_self_trades(read.fills)
    tables = {
        "scans": _scan_rows(read, trades),
        "findings": [_finding_row(one, read.fills, place) for place, one in enumerate(found, start=1)],
        "self_trades": [_trade_row(one, read.fills, place) for place, one in enumerate(_listed(trades), start=1)],
        "correlations": [_correlation_row(one) for one in correlations(read_panel(connection, run.session_date))],
    }
    binds = {
        name: json.dumps([{"run_id": run.run_id, **row} for row in rows], default=str) for name, rows in tables.items()
    }
    with writing(connection):
        execute(connection, "desk/replace_desk_patterns", {"run_id": run.run_id, **binds})
    last = len(read.fills.session_dates) - 1
    flagged = sum(one.is_flagged and one.last_session == last for one in found)
    return flagged + sum(one.session == last for one in trades)


def _scan_rows(read: ReadFills, trades: Iterable[SelfTrade]) -> list[dict[str, Any]]:
    """Lay out what was compared, by session."""
    fills = read.fills
    counts = Counter[int]()
    for one in trades:
        counts[one.session] += one.count
    rates = chance_rates(fills)
    return [
        {
            "session_date": session_date,
            "account_count": len(np.unique(fills.account[fills.session == place])),
            "fill_count": int((fills.session == place).sum()),
            "skipped_fill_count": read.skipped_counts.get(session_date, 0),
            "self_trade_count": counts[place],
            "self_trades_by_chance": _rounded(float(rates[place])),
        }
        for place, session_date in enumerate(fills.session_dates)
    ]


def _finding_row(one: Finding, fills: DeskFills, place: int) -> dict[str, Any]:
    return {
        "place": place,
        "kind": one.kind,
        "first_session_date": fills.session_dates[one.first_session],
        "last_session_date": fills.session_dates[one.last_session],
        "account_id": fills.account_ids[one.account],
        "other_account_ids": [fills.account_ids[other] for other in one.others],
        "is_pair": one.other >= 0,
        "symbols": [fills.symbols[symbol] for symbol in one.symbols],
        "first_at": _instant(one.first_second),
        "last_at": _instant(one.last_second),
        "observed_count": one.observed,
        "expected_count": _rounded(one.expected),
        "probability": _rounded(one.probability),
        "false_alarms_per_year": _rounded(one.rate),
        "is_flagged": one.is_flagged,
        "lag_seconds": one.lag_seconds,
        "size_ratio": _rounded(one.size_ratio),
        "same_size_count": one.same_size_count,
    }


def _listed(trades: Sequence[SelfTrade]) -> Iterator[SelfTrade]:
    """Keep the first self-trades of each session."""
    counts = Counter[int]()
    for one in trades:
        counts[one.session] += 1
        if counts[one.session] <= LISTED_TRADES:
            yield one


def _trade_row(one: SelfTrade, fills: DeskFills, place: int) -> dict[str, Any]:
    return {
        "place": place,
        "session_date": fills.session_dates[one.session],
        "buyer_account_id": fills.account_ids[one.buyer],
        "seller_account_id": fills.account_ids[one.seller],
        "symbol": fills.symbols[one.symbol],
        "executed_at": _instant(one.second),
        "quantity": Decimal(one.quantity).scaleb(-SCALE),
        "price": Decimal(one.price).scaleb(-SCALE),
        "fill_count": one.count,
        "is_volume_known": one.is_volume_known,
    }


def _correlation_row(one: Correlation) -> dict[str, Any]:
    ratios = {"correlation_ratio": one.correlation, "low_ratio": one.low, "high_ratio": one.high}
    row = asdict(one)
    return {
        **{name: row[name] for name in ("account_id", "other_account_id", "session_count")},
        **{name: _rounded(ratio) for name, ratio in ratios.items()},
    }


def _instant(second: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(second, dt.UTC)


def _rounded(value: float | None) -> Decimal | None:
    """Round to three significant digits."""
    return None if value is None else Decimal(f"{value:.{DIGITS}g}") + 0
