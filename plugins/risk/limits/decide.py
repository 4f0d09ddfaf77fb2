"""From rules and forecast to the limit each active account gets for the next session."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from risk.core.runs import Run
from risk.core.settings import ACTIVE_WITHIN_SESSIONS, LEGACY_SUFFIX, LIMITED_HISTORY_SESSIONS, Settings
from risk.core.warehouse import Connection, execute, records, writing
from risk.limits.amounts import level, model_cut_ratio, new_limit_usd, status
from risk.limits.rules import RULES_VERSION, History, Hit, cut_ratio, hits
from risk.limits.track_record import store_ledger
from risk.model.distribution import Shape, outlook, shape_of
from risk.model.panel import SCALE_DECAY, Panel, ewma_scale, read_panel
from risk.model.store import BASELINE, read_issued
from risk.model.walk_forward import MODEL

NOT_JUDGED = "no model has been judged in this run"

__all__ = [
    "Account",
    "Verdict",
    "level",
    "model_cut_ratio",
    "new_limit_usd",
    "recommendation",
    "status",
    "store_recommendations",
]

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


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the model may serve in a run.

    Attributes
    ----------
    model_id, content_sha256
        The model that forecasts; ``None`` = none.
    is_serving
        Whether its cuts count.
    reasons
        Sentences of the gate.
    """

    model_id: int | None
    is_serving: bool
    reasons: Sequence[str]
    content_sha256: str | None

    @property
    def expert(self) -> str:
        """The forecast shown and, where the gate lets it, acted on."""
        return BASELINE if self.model_id is None else MODEL


NO_VERDICT = Verdict(None, is_serving=False, reasons=(NOT_JUDGED,), content_sha256=None)


def store_recommendations(connection: Connection, run: Run, settings: Settings) -> int:
    """Recommend a limit for every active account; the run's earlier recommendations are replaced.

    Active is who traded within the last 30 sessions and is no legacy account. The model's cut counts where the gate
    lets it serve and the account has a forecast, a norm and complete books; the rules' everywhere else. Before that the
    ledger takes up what became of the recommendations whose sessions are over.

    Returns
    -------
    int
        Recommendations stored.
    """
    store_ledger(connection, run)
    panel = read_panel(connection, run.session_date)
    histories = _histories(panel)
    verdict = _read_verdict(connection, run)
    issued = read_issued(connection, panel, run.effective_session)[verdict.expert]
    shape = shape_of(panel.total_pnl_usd, issued)
    recommendations = [
        recommendation(account, histories[account.account_id], run.session_date, verdict, shape, settings)
        for account in _read_accounts(connection, run, verdict.expert)
    ]
    with writing(connection):
        execute(connection, "apply_rules/delete_recommendations", {"run_id": run.run_id})
        binds = {"run_id": run.run_id, "recommendations": json.dumps(recommendations, default=str)}
        return execute(connection, "apply_rules/insert_recommendations", binds)


def recommendation(
    account: Account,
    history: History,
    session_date: dt.date,
    verdict: Verdict,
    shape: Shape,
    settings: Settings,
) -> dict[str, Any]:
    """Decide one account's limit: the columns of ``recommendations`` without the run.

    Parameters
    ----------
    account
        What the warehouse knows of it.
    history
        Its active sessions up to the run's.
    session_date
        The run's session.
    verdict
        Whether the model may serve.
    shape
        Of the distribution around the forecast.
    settings
        Give the default base limit.
    """
    found = hits(history)
    rules_cut_ratio = cut_ratio(found)
    by_model = _model_cut_ratio(account)
    is_model = verdict.is_serving and by_model is not None and account.incomplete_reason is None
    own_cut, sentences = (by_model, _model_sentences(account, found)) if is_model else (rules_cut_ratio, _said(found))
    cut, reasons = _kept(account, own_cut or Decimal(0), sentences, session_date)
    base_limit_usd = settings.default_limit_usd if account.base_limit_usd is None else account.base_limit_usd
    return {
        "account_id": account.account_id,
        "status": status(account.sessions_absent, account.active_session_count),
        "level": level(cut),
        "cut_ratio": cut,
        "base_limit_usd": base_limit_usd,
        "new_limit_usd": new_limit_usd(base_limit_usd, cut),
        "source": "model" if is_model else "rules",
        "source_version": str(verdict.content_sha256)[:12] if is_model else RULES_VERSION,
        "source_reason": _source_reason(account, verdict),
        "reasons": reasons,
        "rules_cut_ratio": rules_cut_ratio,
        "model_cut_ratio": by_model,
        **_outlook(account, shape, base_limit_usd),
        "active_session_count": account.active_session_count,
        "latest_session_date": account.latest_session_date,
    }


def _model_cut_ratio(account: Account) -> Decimal | None:
    has_norm = account.issued_count >= LIMITED_HISTORY_SESSIONS
    if account.quantile_05_usd is None or account.median_loss_usd is None or not has_norm:
        return None
    return model_cut_ratio(account.quantile_05_usd, account.median_loss_usd)


def _source_reason(account: Account, verdict: Verdict) -> str:
    if account.incomplete_reason is not None:
        return f"Books of {account.newest_session_date} are incomplete, rules serve: {account.incomplete_reason}"
    if verdict.is_serving and _model_cut_ratio(account) is None:
        return (
            f"The model serves, but has issued {account.issued_count} forecasts for this account's sessions and needs "
            f"{LIMITED_HISTORY_SESSIONS}: rules serve."
        )
    reasons = "; ".join(verdict.reasons)
    return f"The model serves: {reasons}" if verdict.is_serving else f"Rules serve: {reasons}"


def _model_sentences(account: Account, found: Sequence[Hit]) -> list[str]:
    """Say how the forecast loss compares with the account's usual one, then what the rules see in it."""
    loss, usual = -(account.quantile_05_usd or Decimal(0)), account.median_loss_usd or Decimal(0)
    times = f"{loss / usual:.2f} times" if usual else "against"
    return [f"Forecast loss of ${loss:,.0f} in a bad session, {times} the usual ${usual:,.0f}", *_said(found)]


def _said(found: Sequence[Hit]) -> list[str]:
    return [hit.sentence for hit in found]


def _outlook(account: Account, shape: Shape, base_limit_usd: Decimal) -> dict[str, Any]:
    """Spread the forecast into a distribution, to the cent; nothing without a forecast.

    Further digits are the processor's: another kernel of its linear algebra ends a sum by another last bit.
    """
    quantile = account.quantile_05_usd
    if quantile is None:
        names = ("forecast_quantile_05_usd", "forecast_fan_usd", "expected_shortfall_usd", "loss_probability")
        return dict.fromkeys(names)
    known = outlook(shape, float(quantile), float(base_limit_usd))
    return {
        "forecast_quantile_05_usd": _cents(quantile),
        "forecast_fan_usd": [_cents(amount) for amount in known.quantiles_usd],
        "expected_shortfall_usd": _cents(known.expected_shortfall_usd),
        "loss_probability": Decimal(known.loss_probability).quantize(Decimal("0.00001")),
    }


def _cents(amount: float | Decimal) -> Decimal:
    return Decimal(amount).quantize(Decimal("0.01"))


def _kept(
    account: Account, own_cut: Decimal, sentences: Sequence[str], session_date: dt.date
) -> tuple[Decimal, list[str]]:
    """Keep the last recommendation's cut where it is larger and the session's fills are not known."""
    reasons = list(sentences)
    if account.incomplete_reason is not None:
        reasons.append(f"Books of {account.newest_session_date} are incomplete and left out")
    withheld = WITHHELD_STATES.get(account.delivery_state or "")
    if withheld is None:
        return own_cut, reasons
    fact = f"Fills of {session_date} are {withheld}"
    if account.last_cut_ratio is not None and account.last_cut_ratio > own_cut:
        kept = f"{fact}: the cut of {account.last_cut_ratio:.0%} recommended after {account.last_session_date} stays"
        return account.last_cut_ratio, [kept.replace("%", " %"), *reasons]
    return own_cut, [*reasons, f"{fact}: the data ends on {account.latest_session_date}"]


def _histories(panel: Panel) -> dict[str, History]:
    scale = ewma_scale(panel.total_pnl_usd, SCALE_DECAY)
    histories = {}
    for number, account_id in enumerate(panel.account_ids):
        active = np.flatnonzero(np.isfinite(panel.total_pnl_usd[:, number]))
        latest = panel.session_dates[active[-1] if active.size else -1]
        histories[account_id] = History(panel.total_pnl_usd[active, number], float(scale[-1, number]), latest)
    return histories


def _read_verdict(connection: Connection, run: Run) -> Verdict:
    found = records(connection, "apply_rules/select_gate_results", {"run_id": run.run_id})
    return Verdict(**found[0]) if found else NO_VERDICT


def _read_accounts(connection: Connection, run: Run, expert: str) -> list[Account]:
    binds: Mapping[str, Any] = {
        "expert": expert,
        "session_date": run.session_date,
        "effective_session": run.effective_session,
        "as_of": run.as_of,
        "active_within": ACTIVE_WITHIN_SESSIONS,
        "legacy_suffix": LEGACY_SUFFIX,
    }
    return [Account(**found) for found in records(connection, "apply_rules/select_accounts", binds)]
