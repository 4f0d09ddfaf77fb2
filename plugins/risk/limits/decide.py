"""The decision for each active account: the rules' cut, the model's cut, which one applies, and the new limit."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from risk.core.money import multiple, percent, usd
from risk.core.runs import Run
from risk.core.settings import ACTIVE_WITHIN_SESSIONS, LEGACY_SUFFIX, LIMITED_HISTORY_SESSIONS
from risk.core.warehouse import Connection, execute, records, writing
from risk.limits.policy import level, model_cut_ratio, new_limit_usd, status
from risk.limits.rules import NO_CUT, RULES_VERSION, FiredRule, PnlHistory, fired_rules, rules_cut_ratios
from risk.limits.track_record import store_track_record
from risk.model.gate import CutFunctions
from risk.model.mixture import ResidualShape, forecast_distribution, residual_shape
from risk.model.panel import SCALE_DECAY, FloatMatrix, Panel, ewma_scale, read_panel
from risk.model.predict import read_issued
from risk.model.walk_forward import BASELINE, MODEL

FILLS_UNKNOWN = {
    "not posted": "not posted yet",
    "missing": "missing",
    "feed broken": "missing for all accounts",
    "rejected": "all rejected",
}
"""States of a delivery in which an account may have traded and we do not know how, in words."""


@dataclass(frozen=True, slots=True)
class ActiveAccount:
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
        State of the delivery for the run's session, see the SQL function ``delivery_states``; ``None`` = none expected.
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

    @property
    def model_cut_ratio(self) -> Decimal | None:
        """The model's cut; ``None`` without a forecast or with fewer than 20 earlier ones to compare it with."""
        has_norm = self.issued_count >= LIMITED_HISTORY_SESSIONS
        if self.quantile_05_usd is None or self.median_loss_usd is None or not has_norm:
            return None
        return model_cut_ratio(self.quantile_05_usd, self.median_loss_usd)


@dataclass(frozen=True, slots=True)
class GateDecision:
    """Whether the model's cuts apply in a run.

    Attributes
    ----------
    model_id, content_sha256
        The model that forecasts; ``None`` = none.
    is_serving
        Whether its cuts apply.
    reasons
        Why, as the gate states it.
    """

    model_id: int | None
    is_serving: bool
    reasons: Sequence[str]
    content_sha256: str | None


NO_GATE_DECISION = GateDecision(
    None, is_serving=False, reasons=("No model was evaluated in this run.",), content_sha256=None
)


@dataclass(frozen=True, slots=True)
class RunInputs:
    """What is the same for all accounts of a run.

    Attributes
    ----------
    session_date
        The run's session.
    gate
        Whether the model's cuts apply.
    shape
        Of the distribution around the forecasts.
    default_limit_usd
        Base limit of accounts without a dated one, US dollars.
    """

    session_date: dt.date
    gate: GateDecision
    shape: ResidualShape
    default_limit_usd: Decimal


def apply_rules(connection: Connection, run: Run, default_limit_usd: Decimal) -> int:
    """Bring the track record of past cuts up to date, then recommend a limit for every active account.

    Active is who traded within the last 30 sessions and is neither a legacy account nor disabled. The run's earlier
    recommendations are replaced.

    Parameters
    ----------
    default_limit_usd
        Base limit of accounts without a dated one, US dollars.

    Returns
    -------
    int
        Recommendations stored.
    """
    store_track_record(connection, run)
    panel = read_panel(connection, run.session_date)
    histories = _pnl_histories(panel)
    gate_results = records(connection, "apply_rules/select_gate_results", {"run_id": run.run_id})
    gate = GateDecision(**gate_results[0]) if gate_results else NO_GATE_DECISION
    # The forecast that is shown and, where the gate allows it, acted on.
    expert = BASELINE if gate.model_id is None else MODEL
    shape = residual_shape(panel.total_pnl_usd, read_issued(connection, panel, run.effective_session)[expert])
    inputs = RunInputs(run.session_date, gate, shape, default_limit_usd)
    session = {"session_date": run.session_date, "effective_session": run.effective_session, "as_of": run.as_of}
    active = {"active_within": ACTIVE_WITHIN_SESSIONS, "legacy_suffix": LEGACY_SUFFIX}
    found = records(connection, "apply_rules/select_accounts", {**session, **active, "expert": expert})
    accounts = [ActiveAccount(**row) for row in found]
    decided = [recommendation(account, histories[account.account_id], inputs) for account in accounts]
    with writing(connection):
        new_rows = {"run_id": run.run_id, "recommendations": json.dumps(decided, default=str)}
        return execute(connection, "apply_rules/replace_recommendations", new_rows)


def recommendation(account: ActiveAccount, history: PnlHistory, inputs: RunInputs) -> dict[str, Any]:
    """Decide one account's limit: the columns of ``recommendations`` without the run.

    The model's cut applies where the gate allows it and the account has a forecast, a norm and complete books; the
    rules' cut applies everywhere else. Neither lowers the last cut while the session's fills are unknown.
    """
    fired = fired_rules(history)
    rules_cut = fired[0].cut_ratio if fired else NO_CUT
    model_cut = account.model_cut_ratio
    source, source_reason = _choose_source(account, inputs.gate)
    proposed_cut = model_cut if source == "model" and model_cut is not None else rules_cut
    cut, reasons = _keep_last_cut(account, proposed_cut, _reasons(account, source, fired), inputs.session_date)
    base_limit_usd = inputs.default_limit_usd if account.base_limit_usd is None else account.base_limit_usd
    return {
        "account_id": account.account_id,
        "status": status(account.sessions_absent, account.active_session_count),
        "level": level(cut),
        "cut_ratio": cut,
        "base_limit_usd": base_limit_usd,
        "new_limit_usd": new_limit_usd(base_limit_usd, cut),
        "source": source,
        "source_version": RULES_VERSION if source == "rules" else str(inputs.gate.content_sha256)[:12],
        "source_reason": source_reason,
        "reasons": reasons,
        "rules_cut_ratio": rules_cut,
        "model_cut_ratio": model_cut,
        **_forecast_columns(account, inputs.shape, base_limit_usd),
        "active_session_count": account.active_session_count,
        "latest_session_date": account.latest_session_date,
    }


def model_cut_ratios(panel: Panel, calibrated: FloatMatrix, first_row: int = 0) -> FloatMatrix:
    """Cut by each past forecast against the median of those issued for the account's earlier active sessions.

    Parameters
    ----------
    panel
        Daily results.
    calibrated
        ``(n_sessions, n_accounts)``, US dollars; row t was issued after session t.
    first_row
        Rows before it are left NaN.

    Returns
    -------
    ndarray
        ``(n_sessions, n_accounts)``; NaN where no forecast is issued or fewer than 20 were.
    """
    ratios = np.full_like(calibrated, np.nan)
    was_used = np.isfinite(panel.total_pnl_usd[1:]) & np.isfinite(calibrated[:-1])
    for row in range(max(first_row, 1), len(calibrated)):
        counts = np.count_nonzero(was_used[:row], axis=0)
        for account in np.flatnonzero(np.isfinite(calibrated[row]) & (counts >= LIMITED_HISTORY_SESSIONS)):
            median = float(np.median(-calibrated[:row, account][was_used[:row, account]]))
            ratios[row, account] = float(model_cut_ratio(Decimal(float(calibrated[row, account])), Decimal(median)))
    return ratios


def _choose_source(account: ActiveAccount, gate: GateDecision) -> tuple[str, str]:
    """Return whose cut applies, ``rules`` or ``model``, and why in sentences."""
    if account.incomplete_reason is not None:
        return "rules", f"The books of {account.newest_session_date} are incomplete: {account.incomplete_reason}"
    if gate.is_serving and account.model_cut_ratio is None:
        return "rules", (
            f"The model has forecast {account.issued_count} of this account's sessions; "
            f"{LIMITED_HISTORY_SESSIONS} are required."
        )
    return "model" if gate.is_serving else "rules", " ".join(gate.reasons)


def _reasons(account: ActiveAccount, source: str, fired: Sequence[FiredRule]) -> list[str]:
    """List how the forecast loss compares with the usual one, where it decides, and what the rules found."""
    reasons = [rule.reason for rule in fired]
    if source == "model":
        loss, usual = -(account.quantile_05_usd or Decimal(0)), account.median_loss_usd or Decimal(0)
        ratio = f" ({multiple(loss / usual)})" if usual else ""
        reasons.insert(0, f"Forecast loss {usd(loss)} vs. usual {usd(usual)}{ratio}")
    if account.incomplete_reason is not None:
        reasons.append(f"Books of {account.newest_session_date} are incomplete and excluded")
    return reasons


def _keep_last_cut(
    account: ActiveAccount, proposed_cut: Decimal, reasons: list[str], session_date: dt.date
) -> tuple[Decimal, list[str]]:
    """Keep the last recommendation's cut where it is larger and the session's fills are unknown."""
    state = FILLS_UNKNOWN.get(account.delivery_state or "")
    if state is None:
        return proposed_cut, reasons
    if account.last_cut_ratio is not None and account.last_cut_ratio > proposed_cut:
        kept = f"the {percent(account.last_cut_ratio)} cut of {account.last_session_date} is kept"
        return account.last_cut_ratio, [f"Fills of {session_date} are {state}: {kept}", *reasons]
    return proposed_cut, [
        *reasons,
        f"Fills of {session_date} are {state}: decided on data through {account.latest_session_date}",
    ]


def _forecast_columns(account: ActiveAccount, shape: ResidualShape, base_limit_usd: Decimal) -> dict[str, Any]:
    """Spread the forecast into a distribution, to the cent; nothing without a forecast.

    Further digits depend on the processor: another linear algebra kernel ends a sum with another last bit.
    """
    quantile = account.quantile_05_usd
    if quantile is None:
        names = ("forecast_quantile_05_usd", "forecast_fan_usd", "expected_shortfall_usd", "loss_probability")
        return dict.fromkeys(names)
    distribution = forecast_distribution(shape, float(quantile), float(base_limit_usd))
    return {
        "forecast_quantile_05_usd": round(quantile, 2),
        "forecast_fan_usd": [round(Decimal(amount), 2) for amount in distribution.quantiles_usd],
        "expected_shortfall_usd": round(Decimal(distribution.expected_shortfall_usd), 2),
        "loss_probability": round(Decimal(distribution.loss_probability), 5),
    }


def _pnl_histories(panel: Panel) -> dict[str, PnlHistory]:
    scale = ewma_scale(panel.total_pnl_usd, SCALE_DECAY)
    histories = {}
    for number, account_id in enumerate(panel.account_ids):
        active = np.flatnonzero(np.isfinite(panel.total_pnl_usd[:, number]))
        latest = panel.session_dates[active[-1] if active.size else -1]
        histories[account_id] = PnlHistory(panel.total_pnl_usd[active, number], float(scale[-1, number]), latest)
    return histories


CUT_FUNCTIONS = CutFunctions(rules_cut_ratios, model_cut_ratios)
"""What the model is measured against: handed to the steps of `risk.model`, which must not import this package."""
