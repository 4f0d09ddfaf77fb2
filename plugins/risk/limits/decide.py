"""The decision for each active account: the rules' cut, the model's cut, which one applies, and the new limit."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from risk.core.money import multiple, percent, usd
from risk.core.policy import Policy
from risk.core.runs import Run
from risk.core.warehouse import Connection, execute, records, writing
from risk.limits.breaches import store_breaches
from risk.limits.evidence import desk_evidence, store_evidence
from risk.limits.exposure import measure_exposures, store_exposures
from risk.limits.fit import read_loss_records, review_limits, store_fits
from risk.limits.policy import (
    DeskTerms,
    forecast_level,
    model_cut_ratio,
    most_urgent,
    new_limit_usd,
    read_terms,
    status,
)
from risk.limits.receipt_rows import store_receipts
from risk.limits.rules import NO_CUT, FiredRule, PnlHistory, fired_rules, rules_cut_ratios
from risk.limits.tail_effect import store_tail_effect, usual_losses, usual_place
from risk.limits.track_record import store_track_record
from risk.limits.trader_fits import read_trader_records, review_traders, store_trader_fits
from risk.model.gate import FILTERED, NAMES, RULES, CutFunctions, procedures
from risk.model.mixture import ResidualShape, forecast_distribution, residual_shape
from risk.model.panel import RETURN_AFTER_SESSIONS, SCALE_DECAY, FloatMatrix, Panel, ewma_scale, read_panel
from risk.model.predict import Prediction, predict_limits, read_issued
from risk.model.walk_forward import BASELINE, MODEL

FILLS_UNKNOWN = {
    "not posted": "not posted yet",
    "missing": "missing",
    "withdrawn": "withdrawn",
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
        Sessions with fills and complete books, since the account returned if it was away for long
        (`risk.model.panel.RETURN_AFTER_SESSIONS`).
    newest_session_date, incomplete_reason
        Last session with any books, and why they are incomplete; ``None`` = they are complete.
    delivery_state
        State of the delivery for the run's session, see the SQL function ``delivery_states``; ``None`` = none expected.
    quantile_05_usd
        Calibrated forecast for the effective session, negative; ``None`` = none.
    issued_losses_usd
        Loss forecasts for those of its earlier active sessions, positive, oldest first.
    last_cut_ratio, last_level, last_session_date
        Newest recommendation of an earlier session, within the policy's active window.
    """

    account_id: str
    latest_session_date: dt.date
    sessions_absent: int
    active_session_count: int
    newest_session_date: dt.date
    incomplete_reason: str | None
    delivery_state: str | None
    quantile_05_usd: Decimal | None
    issued_losses_usd: Sequence[Decimal]
    last_cut_ratio: Decimal | None
    last_level: str | None
    last_session_date: dt.date | None

    def usual_loss_usd(self, policy: Policy) -> Decimal | None:
        """Return the usual loss forecast, positive; ``None`` with too few earlier ones."""
        if len(self.issued_losses_usd) < policy.accounts.limited_history_sessions:
            return None
        return self.issued_losses_usd[usual_place(np.array(self.issued_losses_usd, np.float64))]

    def model_decision(self, policy: Policy) -> tuple[Decimal, str] | None:
        """Return the model's cut and level; ``None`` without a forecast or with too few earlier ones as its norm."""
        quantile, usual = self.quantile_05_usd, self.usual_loss_usd(policy)
        if quantile is None or usual is None:
            return None
        return model_cut_ratio(quantile, usual, policy), forecast_level(quantile, usual, policy.levels)


@dataclass(frozen=True, slots=True)
class GateDecision:
    """Whose cuts apply in a run.

    Attributes
    ----------
    model_id, content_sha256
        The model that forecasts; ``None`` = none.
    serving
        ``rules``, ``filtered`` or ``model``.
    reasons
        Why, as the gate states it.
    """

    model_id: int | None
    serving: str
    reasons: Sequence[str]
    content_sha256: str | None

    @property
    def expert(self) -> str:
        """The forecast that is shown and, where the gate allows it, acted on."""
        return BASELINE if self.model_id is None or self.serving == FILTERED else MODEL

    @property
    def version(self) -> str:
        """What made the serving forecast: the model's hash, or that of the filtered simulation's constants."""
        return procedures()[FILTERED] if self.serving == FILTERED else str(self.content_sha256)[:12]


NO_GATE_DECISION = GateDecision(
    None, serving=RULES, reasons=("No model was evaluated in this run.",), content_sha256=None
)


NO_PANEL = Panel.of((), (), np.empty((0, 0)))


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
    terms
        The policy, and what the roster states of the accounts.
    accounts
        Those that get a limit, by name.
    histories
        Their results, by account.
    panel, issued_usd
        Daily results of the desk, and the 5 % quantiles issued so far, ``(n_sessions, n_accounts)``, US dollars; the
        last row is for the effective session.
    """

    session_date: dt.date
    gate: GateDecision
    shape: ResidualShape
    terms: DeskTerms
    accounts: Sequence[ActiveAccount] = ()
    histories: Mapping[str, PnlHistory] = field(default_factory=dict)
    panel: Panel = NO_PANEL
    issued_usd: FloatMatrix = field(default_factory=NO_PANEL.total_pnl_usd.copy)


def apply_rules(connection: Connection, run: Run) -> int:
    """Bring the track record of past cuts and the receipts up to date, then recommend a limit for every active account.

    Active is who traded within the policy's active window and is neither a legacy account nor disabled. The run's
    earlier recommendations are replaced.

    Returns
    -------
    int
        Recommendations stored.
    """
    store_track_record(connection, run)
    store_receipts(connection, run)
    store_breaches(connection, run)
    inputs = read_inputs(connection, run, read_terms(connection, run.effective_session, run.as_of))
    usual = usual_losses(inputs.panel, inputs.issued_usd, _needed_counts(inputs.panel, inputs.terms))
    store_tail_effect(connection, run, inputs.panel, usual)
    decided = decide(inputs)
    desk, exposures = measure_exposures(inputs.panel, inputs.issued_usd, inputs.shape, decided)
    fits = review_limits(read_loss_records(connection, run, inputs.terms, decided))
    names = [one["account_id"] for one in decided]
    trader_fits = review_traders(read_trader_records(connection, run, inputs.terms, names))
    evidence = desk_evidence(inputs.panel, inputs.terms)
    with writing(connection):
        store_exposures(connection, run, desk, exposures)
        store_fits(connection, run, fits)
        store_trader_fits(connection, run, trader_fits)
        store_evidence(connection, run, evidence)
        new_rows = {"run_id": run.run_id, "recommendations": json.dumps(decided, default=str)}
        return execute(connection, "apply_rules/replace_recommendations", new_rows)


def read_inputs(connection: Connection, run: Run, terms: DeskTerms) -> RunInputs:
    """Read what a decision needs under a policy, the run's own or another one; nothing is written."""
    panel = read_panel(connection, run.session_date)
    gate = read_gate_decision(connection, run)
    issued = read_issued(connection, panel, run.effective_session, run.as_of)[gate.expert]
    shape = residual_shape(panel.total_pnl_usd, issued)
    accounts = read_active_accounts(connection, run, terms, gate.expert)
    return RunInputs(run.session_date, gate, shape, terms, accounts, pnl_histories(panel), panel, issued)


def read_gate_decision(connection: Connection, run: Run) -> GateDecision:
    """Read whether the model's cuts apply in a run."""
    gate_results = records(connection, "apply_rules/select_gate_results", {"run_id": run.run_id})
    return GateDecision(**gate_results[0]) if gate_results else NO_GATE_DECISION


def read_active_accounts(connection: Connection, run: Run, terms: DeskTerms, expert: str) -> list[ActiveAccount]:
    """Read the accounts that get a limit in a run, with the forecasts of an expert."""
    session = {"session_date": run.session_date, "effective_session": run.effective_session, "as_of": run.as_of}
    coverage = terms.document.desk.accounts.coverage_binds
    binds = {**session, **coverage, "expert": expert, "return_after": RETURN_AFTER_SESSIONS}
    return [ActiveAccount(**row) for row in records(connection, "apply_rules/select_accounts", binds)]


def decide(inputs: RunInputs) -> list[dict[str, Any]]:
    """Decide every account's limit, by account: a pure function of its inputs, so that a policy can be tried."""
    return [recommendation(account, inputs.histories[account.account_id], inputs) for account in inputs.accounts]


def recommendation(account: ActiveAccount, history: PnlHistory, inputs: RunInputs) -> dict[str, Any]:
    """Decide one account's limit: the columns of ``recommendations`` without the run.

    The forecast's cut applies where policy and gate allow it and the account has a forecast, a norm and complete books;
    the rules' cut applies everywhere else. Neither lowers the last cut while the session's fills are unknown.
    """
    own = inputs.terms.of(account.account_id)
    by_model = account.model_decision(own.policy)
    fired = fired_rules(history, own)
    by_rules = (fired[0].rule.cut if fired else NO_CUT, most_urgent([one.rule.level for one in fired]))
    source, source_reason = _choose_source(account, inputs.gate, own.policy)
    proposed = by_model if source != RULES and by_model is not None else by_rules
    (cut, level), reasons = _keep_last_cut(
        account, proposed, _reasons(account, source, fired, own.policy), inputs.session_date
    )
    return {
        "account_id": account.account_id,
        "status": status(account.sessions_absent, account.active_session_count, own.policy.accounts),
        "level": level,
        "cut_ratio": cut,
        "base_limit_usd": own.base_limit_usd,
        "new_limit_usd": new_limit_usd(own.base_limit_usd, cut),
        "source": source,
        "source_version": (f"policy version {inputs.terms.label}" if source == RULES else inputs.gate.version),
        "source_reason": source_reason,
        "reasons": reasons,
        "rules_cut_ratio": by_rules[0],
        "model_cut_ratio": by_model[0] if by_model else None,
        **_forecast_columns(account, inputs.shape, own.base_limit_usd),
        "active_session_count": account.active_session_count,
        "latest_session_date": account.latest_session_date,
    }


def model_cut_ratios(panel: Panel, calibrated: FloatMatrix, first_row: int = 0, *, terms: DeskTerms) -> FloatMatrix:
    """Cut by each past forecast against the usual one of that morning, see `risk.limits.tail_effect.usual_losses`.

    Parameters
    ----------
    panel
        Daily results.
    calibrated
        ``(n_sessions, n_accounts)``, US dollars; row t was issued after session t.
    first_row
        Rows before it are left NaN.
    terms
        The policy of each account.

    Returns
    -------
    ndarray
        ``(n_sessions, n_accounts)``; NaN where no forecast is issued or fewer than the policy wants were.
    """
    ratios = np.full_like(calibrated, np.nan)
    policies = [terms.of(account_id).policy for account_id in panel.account_ids]
    usual = usual_losses(panel, calibrated, _needed_counts(panel, terms))
    has_cut = np.isfinite(calibrated) & np.isfinite(usual)
    has_cut[:first_row] = False
    for row, account in np.argwhere(has_cut).tolist():
        quantile, own = Decimal(float(calibrated[row, account])), Decimal(float(usual[row, account]))
        ratios[row, account] = float(model_cut_ratio(quantile, own, policies[account]))
    return ratios


def _needed_counts(panel: Panel, terms: DeskTerms) -> NDArray[np.int64]:
    """Return how many forecasts each account's usual loss needs, ``(n_accounts,)``."""
    policies = (terms.of(account_id).policy for account_id in panel.account_ids)
    return np.array([policy.accounts.limited_history_sessions for policy in policies], np.int64)


def _choose_source(account: ActiveAccount, gate: GateDecision, policy: Policy) -> tuple[str, str]:
    """Return whose cut applies, ``rules``, ``filtered`` or ``model``, and why in sentences."""
    if account.incomplete_reason is not None:
        return RULES, f"The books of {account.newest_session_date} are incomplete: {account.incomplete_reason}"
    if gate.serving != RULES and not policy.model.decides:
        return RULES, "The policy lets the rules alone decide."
    if gate.serving != RULES and account.model_decision(policy) is None:
        name = NAMES[gate.serving]
        return RULES, (
            f"{name[0].upper()}{name[1:]} has forecast {len(account.issued_losses_usd)} of this account's sessions; "
            f"{policy.accounts.limited_history_sessions} are required."
        )
    return gate.serving, " ".join(gate.reasons)


def _reasons(account: ActiveAccount, source: str, fired: Sequence[FiredRule], policy: Policy) -> list[str]:
    """List how the forecast loss compares with the usual one, where it decides, and what the rules found."""
    reasons = [rule.reason for rule in fired]
    if source != RULES:
        loss, usual = -(account.quantile_05_usd or Decimal(0)), account.usual_loss_usd(policy) or Decimal(0)
        ratio = f" ({multiple(loss / usual)})" if usual else ""
        reasons.insert(0, f"Forecast loss {usd(loss)} vs. usual {usd(usual)}{ratio}")
    if account.incomplete_reason is not None:
        reasons.append(f"Books of {account.newest_session_date} are incomplete and excluded")
    return reasons


def _keep_last_cut(
    account: ActiveAccount, proposed: tuple[Decimal, str], reasons: list[str], session_date: dt.date
) -> tuple[tuple[Decimal, str], list[str]]:
    """Keep the last recommendation's cut and level where it is larger and the session's fills are unknown."""
    state = FILLS_UNKNOWN.get(account.delivery_state or "")
    if state is None:
        return proposed, reasons
    if account.last_cut_ratio is not None and account.last_cut_ratio > proposed[0]:
        kept = f"the {percent(account.last_cut_ratio)} cut of {account.last_session_date} is kept"
        level = most_urgent([account.last_level or "low", proposed[1]])
        return (account.last_cut_ratio, level), [f"Fills of {session_date} are {state}: {kept}", *reasons]
    return proposed, [
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


def pnl_histories(panel: Panel) -> dict[str, PnlHistory]:
    """Take every account's history from a panel, by account."""
    scale, counts = ewma_scale(panel.total_pnl_usd, SCALE_DECAY), panel.active_counts()
    histories = {}
    for number, account_id in enumerate(panel.account_ids):
        active = np.flatnonzero(np.isfinite(panel.total_pnl_usd[:, number]))
        latest = panel.session_dates[active[-1] if active.size else -1]
        results, before = panel.total_pnl_usd[active, number], len(active) - int(counts[-1, number])
        histories[account_id] = PnlHistory(results, float(scale[-1, number]), latest, before)
    return histories


def cut_functions(terms: DeskTerms) -> CutFunctions:
    """Return what the model is measured against, for the steps of `risk.model`, which must not import this package."""
    return CutFunctions(partial(rules_cut_ratios, terms=terms), partial(model_cut_ratios, terms=terms))


def predict(connection: Connection, run: Run) -> Prediction:
    """Forecast for a run and measure the model against the rules of its policy, see `risk.model.predict`."""
    return predict_limits(connection, run, cut_functions(read_terms(connection, run.effective_session, run.as_of)))
