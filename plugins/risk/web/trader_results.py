"""A trader's daily results with the use of his limits, and the symbols of his last sessions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from risk.core.money import counted
from risk.core.warehouse import Connection, records, rows
from risk.limits.receipts import BREACH, HIT, WITHIN
from risk.web.day_views import SymbolResult, day_path, read_symbols
from risk.web.tables import COUNT, DATE, LIMIT, LOSS, PNL, SHARE, TEXT, Column, Table

SYMBOL_SESSIONS: Final = 20
"""Sessions whose symbols a trader's page adds up."""

OUTCOMES: Final = {WITHIN: "within the limit", HIT: "stopped at the limit", BREACH: "breach"}


class SessionResult(NamedTuple):
    """A booked session of a trader; see ``risk_page/select_session_results.sql``."""

    session_date: dt.date
    fill_count: int
    turnover_usd: Decimal | None
    gross_pnl_usd: Decimal | None
    fees_usd: Decimal
    unrealized_delta_usd: Decimal | None
    total_pnl_usd: Decimal | None
    limit_usd: Decimal | None
    largest_loss_usd: Decimal | None
    loss_from_top_usd: Decimal | None
    use_ratio: Decimal | None
    outcome: str | None
    hit_kind: str | None

    @property
    def is_reached(self) -> bool:
        """Whether the limit was hit or broken."""
        return self.outcome in {HIT, BREACH}

    @property
    def outcome_text(self) -> str:
        """What became of the limit, in words."""
        if self.total_pnl_usd is None:
            return "books are incomplete"
        return "not computed yet" if self.outcome is None else OUTCOMES[self.outcome]


@dataclass(frozen=True, slots=True)
class TraderResults:
    """What a trader's page shows of his sessions.

    Attributes
    ----------
    account_id
        Trading account.
    results
        Every booked session, oldest first.
    symbols
        Of the newest sessions, the largest turnover first.
    symbol_sessions
        Those sessions, ascending.
    previous_account_id, next_account_id
        Booked accounts around it by name; ``None`` = there is none.
    """

    account_id: str
    results: Sequence[SessionResult]
    symbols: Sequence[SymbolResult]
    symbol_sessions: Sequence[dt.date]
    previous_account_id: str | None
    next_account_id: str | None

    @property
    def symbols_caption(self) -> str:
        """What the table of symbols adds up."""
        if not self.symbol_sessions:
            return "No session is booked."
        span = f"{counted(len(self.symbol_sessions), 'session')} to {self.symbol_sessions[-1]}"
        return (
            f"The newest {span}, the largest turnover first. P&L net of fees, of sessions with complete books; its "
            "shares are of the sum of all symbols' P&L without sign."
        )


def read_results(connection: Connection, account_id: str) -> TraderResults:
    """Read a trader's sessions as the books are now."""
    account = {"account_id": account_id}
    results = [SessionResult(*row) for row in rows(connection, "risk_page/select_session_results", account)]
    newest = [one.session_date for one in results[-SYMBOL_SESSIONS:]]
    [around] = records(connection, "risk_page/select_trader_neighbors", account)
    return TraderResults(account_id, results, read_symbols(connection, account_id, newest), newest, **around)


def results_table(account_id: str, results: Sequence[SessionResult]) -> Table:
    """Return daily results; the session leads to the trader's day."""
    columns = (
        Column("Session", DATE, "session_date", link=lambda row: day_path(account_id, row.session_date)),
        Column("Total P&L", PNL, "total_pnl_usd", tone=lambda row: "high" if row.is_reached else ""),
        Column("Limit", LIMIT, "limit_usd", missing="unknown"),
        Column("Largest loss", LOSS, "largest_loss_usd"),
        Column("Use", SHARE, "use_ratio", words=_use_words),
        Column("Result", TEXT, "outcome_text", tone=lambda row: "high" if row.outcome == BREACH else ""),
        Column("From the top", LOSS, "loss_from_top_usd"),
        Column("Fills", COUNT, "fill_count"),
        Column("Turnover", LOSS, "turnover_usd"),
        Column("Gross", PNL, "gross_pnl_usd"),
        Column("Fees", LOSS, "fees_usd"),
        Column("Unrealized change", PNL, "unrealized_delta_usd"),
    )
    caption = (
        "Newest first; a session leads to the trader's day. Losses are along his own fills: at least what is shown."
    )
    return Table("results", "Daily results", caption, columns, results, "Nothing is booked.", is_sortable=False)


def _use_words(row: SessionResult) -> str | None:
    """Write the use rounded down: only what has reached the limit says 100%."""
    return None if row.use_ratio is None else f"{int(row.use_ratio * 100):,}%"
