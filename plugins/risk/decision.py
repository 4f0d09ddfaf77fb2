"""From rules and forecast to the limit each active account gets for the next session."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from risk.database import Connection, execute, records, writing
from risk.panel import SCALE_DECAY, Panel, ewma_scale, read_panel
from risk.rules import RULES_VERSION, History, Hit, cut_ratio, hits
from risk.runs import Run
from risk.settings import (
    ACTIVE_WITHIN_SESSIONS,
    CUT_STEP_RATIO,
    HIGH_CUT_RATIO,
    LEGACY_SUFFIX,
    LIMITED_HISTORY_SESSIONS,
    MAXIMUM_CUT_RATIO,
    MODERATE_CUT_RATIO,
    STALE_AFTER_SESSIONS,
    settings,
)

NOT_PROVEN = "Forecast not yet proven: rules serve."

WITHHELD_STATES = {
    "not posted": "not posted yet",
    "missing": "missing",
    "feed broken": "missing, as are everybody's",
    "rejected": "all rejected",
}
"""States of a delivery in which an account may have traded without our knowing how, in words."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account that gets a limit, as the warehouse knows it.

    Attributes
    ----------
    account_id
        Its name.
    latest_session_date
        Last session with fills.
    sessions_absent
        Sessions of the exchange since then, 0 = traded in the run's session.
    active_session_count
        Sessions with fills and complete books.
    newest_session_date, incomplete_reason
        Last session with any books, and why they are incomplete; ``None`` = they are complete.
    delivery_state
        State of the run's session's delivery, see the SQL function ``delivery_states``; ``None`` = nothing expected.
    base_limit_usd
        Dated base limit, ``None`` = the default.
    quantile_05_usd
        Calibrated forecast for the effective session, negative; ``None`` = none.
    median_loss_usd, issued_count
        Median loss forecast for the account's earlier active sessions, positive, and the number of those.
    last_cut_ratio, last_session_date
        Newest recommendation of an earlier session, within the last 30.
    """

    account_id: str
    latest_session_date: dt.date
    sessions_absent: int
    active_session_count: int
    newest_session_date: dt.date
    incomplete_reason: str | None
    delivery_state: str | None
    base_limit_usd: Decimal | None
    quantile_05_usd: Decimal | None
    median_loss_usd: Decimal | None
    issued_count: int
    last_cut_ratio: Decimal | None
    last_session_date: dt.date | None


def store_recommendations(connection: Connection, run: Run) -> int:
    """Recommend a limit for every active account; the run's earlier recommendations are replaced.

    Active is who traded within the last 30 sessions and is no legacy account.

    Returns
    -------
    int
        Recommendations stored.
    """
    panel = read_panel(connection, run.session_date)
    histories = _histories(panel)
    recommendations = [
        recommendation(account, histories[account.account_id], run.session_date)
        for account in _read_accounts(connection, run)
    ]
    with writing(connection):
        execute(connection, "apply_rules/delete_recommendations", {"run_id": run.run_id})
        binds = {"run_id": run.run_id, "recommendations": json.dumps(recommendations, default=str)}
        return execute(connection, "apply_rules/insert_recommendations", binds)


def recommendation(account: Account, history: History, session_date: dt.date) -> dict[str, Any]:
    """Decide one account's limit: the columns of ``recommendations`` without the run.

    Parameters
    ----------
    account
        What the warehouse knows of it.
    history
        Its active sessions up to the run's.
    session_date
        The run's session.
    """
    found = hits(history)
    rules_cut_ratio = cut_ratio(found)
    cut, reasons = _kept(account, rules_cut_ratio, found, session_date)
    base_limit_usd = settings().default_limit_usd if account.base_limit_usd is None else account.base_limit_usd
    return {
        "account_id": account.account_id,
        "status": status(account.sessions_absent, account.active_session_count),
        "level": level(cut),
        "cut_ratio": cut,
        "base_limit_usd": base_limit_usd,
        "new_limit_usd": new_limit_usd(base_limit_usd, cut),
        "source": "rules",
        "source_version": RULES_VERSION,
        "source_reason": _source_reason(account),
        "reasons": reasons,
        "rules_cut_ratio": rules_cut_ratio,
        "model_cut_ratio": _model_cut_ratio(account),
        "forecast_quantile_05_usd": account.quantile_05_usd,
        "active_session_count": account.active_session_count,
        "latest_session_date": account.latest_session_date,
    }


def model_cut_ratio(quantile_05_usd: Decimal, median_loss_usd: Decimal) -> Decimal:
    """Cut by how far tomorrow's tail exceeds the account's usual one.

    Parameters
    ----------
    quantile_05_usd
        Calibrated 5 % quantile for the effective session, US dollars, negative.
    median_loss_usd
        Median of the account's forecast losses so far, US dollars, positive.

    Returns
    -------
    Decimal
        ``clip(1 - m / abs(q), 0, 0.8)`` rounded down to whole 5 %: 20 % means a tail of 1.25 times the usual one,
        40 % of 1.67 times. In fractions, because binary floating point turns 80 % into 75 %.
    """
    exact = 1 - Fraction(median_loss_usd) / Fraction(abs(quantile_05_usd))
    steps = math.floor(exact / Fraction(CUT_STEP_RATIO))
    return min(max(steps * CUT_STEP_RATIO, Decimal("0.00")), MAXIMUM_CUT_RATIO)


def level(cut: Decimal) -> str:
    """Name a cut: high from 40 %, moderate from 20 %, else low."""
    if cut >= HIGH_CUT_RATIO:
        return "high"
    return "moderate" if cut >= MODERATE_CUT_RATIO else "low"


def status(sessions_absent: int, active_session_count: int) -> str:
    """Name how well an account is known: stale before limited history before active."""
    if sessions_absent >= STALE_AFTER_SESSIONS:
        return "stale"
    return "limited history" if active_session_count < LIMITED_HISTORY_SESSIONS else "active"


def new_limit_usd(base_limit_usd: Decimal, cut: Decimal) -> Decimal:
    """Apply a cut to the base limit, exactly; a fraction of a cent is dropped, never given."""
    return (base_limit_usd * (1 - cut)).quantize(Decimal("0.01"), rounding=ROUND_DOWN)


def _model_cut_ratio(account: Account) -> Decimal | None:
    has_norm = account.issued_count >= LIMITED_HISTORY_SESSIONS
    if account.quantile_05_usd is None or account.median_loss_usd is None or not has_norm:
        return None
    return model_cut_ratio(account.quantile_05_usd, account.median_loss_usd)


def _source_reason(account: Account) -> str:
    if account.incomplete_reason is None:
        return NOT_PROVEN
    return f"Books of {account.newest_session_date} are incomplete, rules serve: {account.incomplete_reason}"


def _kept(
    account: Account, rules_cut_ratio: Decimal, found: Sequence[Hit], session_date: dt.date
) -> tuple[Decimal, list[str]]:
    reasons = [hit.sentence for hit in found]
    if account.incomplete_reason is not None:
        reasons.append(f"Books of {account.newest_session_date} are incomplete and left out")
    withheld = WITHHELD_STATES.get(account.delivery_state or "")
    if withheld is None:
        return rules_cut_ratio, reasons
    fact = f"Fills of {session_date} are {withheld}"
    if account.last_cut_ratio is not None and account.last_cut_ratio > rules_cut_ratio:
        kept = f"{fact}: the cut of {account.last_cut_ratio:.0%} recommended after {account.last_session_date} stays"
        return account.last_cut_ratio, [kept.replace("%", " %"), *reasons]
    return rules_cut_ratio, [*reasons, f"{fact}: the data ends on {account.latest_session_date}"]


def _histories(panel: Panel) -> dict[str, History]:
    scale = ewma_scale(panel.total_pnl_usd, SCALE_DECAY)
    histories = {}
    for number, account_id in enumerate(panel.account_ids):
        active = np.flatnonzero(np.isfinite(panel.total_pnl_usd[:, number]))
        latest = panel.session_dates[active[-1] if active.size else -1]
        histories[account_id] = History(panel.total_pnl_usd[active, number], float(scale[-1, number]), latest)
    return histories


def _read_accounts(connection: Connection, run: Run) -> list[Account]:
    binds: Mapping[str, Any] = {
        "session_date": run.session_date,
        "effective_session": run.effective_session,
        "as_of": run.as_of,
        "active_within": ACTIVE_WITHIN_SESSIONS,
        "legacy_suffix": LEGACY_SUFFIX,
    }
    return [Account(**found) for found in records(connection, "apply_rules/select_accounts", binds)]
