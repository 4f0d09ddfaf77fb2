"""The task predict_limits: forecasts of the next session, why they are what they are, and whether they pass the gate.

Everything is computed from the books, the stored features, the forecasts stored so far and one stored model; there is
no other state.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from risk.core.runs import Run
from risk.core.warehouse import Connection, execute, rows, writing
from risk.model.artefact import StoredModel, read_model
from risk.model.build_features import read_features
from risk.model.drift import drift_sentences, feature_drifts
from risk.model.experts.prior import PRIOR, Prior, read_prior
from risk.model.explain import explain_last
from risk.model.features import LEARNED_NAMES, OWN_NAMES
from risk.model.fitted import MIXED_EXPERTS, Model
from risk.model.gate import CutFunctions, GateInputs, Ladder, is_eligible, rules_quantiles
from risk.model.gate_rows import gate_columns, insert_bets, read_bets
from risk.model.panel import (
    SCALE_DECAY,
    FeaturePanel,
    FloatMatrix,
    Panel,
    ewma_scale,
    feature_panel,
    has_forecast,
    read_panel,
)
from risk.model.walk_forward import (
    BASELINE,
    BASELINE_EXPERTS,
    MODEL,
    BaselineForecasts,
    WalkForward,
    baseline_forecasts,
    forecast_next,
    prior_forecasts,
)

DRIFT_SESSIONS = 60
"""The inputs of so many last sessions are compared with those before, of which there must be three times as many;
and of each account only once it has been active for so many."""

NO_BOOKS = StoredModel(None, None, "There are no books yet: rule-based limits apply.")

STORED_EXPERTS = (*MIXED_EXPERTS, "mixture", MODEL, BASELINE)
"""By name; ``historical``, ``filtered``, ``prior`` and ``calibrated`` need no model."""

LADDER_EXPERTS = (MODEL, BASELINE)
"""Forecasts of the gate's two steps."""

Issued = Mapping[str, FloatMatrix]


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the task has stored.

    Attributes
    ----------
    forecast_count
        Forecasts written; 0 when all were there.
    explained_count
        Accounts with an explanation.
    model_id
        The model that forecasts; ``None`` = none could be used.
    serving
        Whose cuts apply: ``rules``, ``filtered`` or ``model``.
    """

    forecast_count: int
    explained_count: int
    model_id: int | None
    serving: str


def predict_limits(connection: Connection, run: Run, cuts: CutFunctions) -> Prediction:
    """Forecast the run's effective session, explain the forecasts and place the gate's bets.

    The first forecast for an account and effective session stays for ever, so that sessions may run in any order and
    leave the same rows. Nothing that is wrong with a model fails the task: the reason is stored, and rule-based limits
    apply.

    Raises
    ------
    FeatureError
        If the features of the history are not stored, or by other formulas than today's; nothing is written.
    """
    panel = read_panel(connection, run.session_date)
    needed = has_forecast(panel, ewma_scale(panel.total_pnl_usd, SCALE_DECAY))
    history = feature_panel(panel, read_features(connection, panel, needed), LEARNED_NAMES)
    issued, is_live = read_forecasts(connection, panel, run.effective_session, run.as_of)
    baseline = baseline_forecasts(panel, issued[BASELINE])
    given = read_prior(LEARNED_NAMES)
    simple = _unfitted(history, baseline, given.prior, issued)
    fitted: dict[str, FloatMatrix] = {}
    explained: list[dict[str, Any]] = []
    stored = read_model(connection, run.session_date, run.as_of, LEARNED_NAMES) if panel.session_dates else NO_BOOKS
    if stored.model is not None:
        following = forecast_next(history, stored.model, issued_by_model(issued), given.prior)
        stored = _checked(stored, history, following)
        if stored.model is not None:
            fitted, explained = following.by_name(), _explained(history, stored.model, following, given.prior)
    # As they will stand: the issued ones, then the new ones.
    historical = np.where(np.isfinite(issued["historical"]), issued["historical"], baseline.historical)
    model = np.where(np.isfinite(issued[MODEL]), issued[MODEL], fitted.get(MODEL, issued[MODEL]))
    rules = rules_quantiles(panel.total_pnl_usd, historical, cuts.by_rules(panel, history.scale, 0))
    live = {name: np.where(is_live[name], issued[name], np.nan) for name in LADDER_EXPERTS}
    inputs = GateInputs(
        panel.total_pnl_usd, history.scale, is_eligible(panel), live[MODEL], live[BASELINE], historical, rules
    )
    ladder = Ladder(inputs, read_bets(connection, panel))
    columns = gate_columns(inputs, ladder.standing, model, stored)
    columns["drifts"] = _drifts(history, model) if stored.model is not None else []
    columns["reasons"] += [given.reason] if given.reason else []
    source = {"run_id": run.run_id, "model_id": None, "as_of": run.as_of}
    with writing(connection):
        count = insert_forecasts(connection, panel, run.effective_session, simple, issued, source)
        source["model_id"] = stored.model_id
        count += insert_forecasts(connection, panel, run.effective_session, fitted, issued, source)
        insert_bets(connection, run, panel, ladder)
        execute(connection, "predict_limits/merge_gate_results", {"run_id": run.run_id, **columns})
        binds = {"run_id": run.run_id, "explanations": json.dumps(explained)}
        execute(connection, "predict_limits/merge_explanations", binds)
    return Prediction(count, len(explained), stored.model_id, str(columns["serving"]))


def _unfitted(
    history: FeaturePanel, baseline: BaselineForecasts, prior: Prior | None, issued: Issued
) -> dict[str, FloatMatrix]:
    """Forecast by what needs no weekly model, by the names under which it is stored."""
    simple: dict[str, FloatMatrix] = {name: getattr(baseline, name) for name in BASELINE_EXPERTS}
    return simple if prior is None else simple | {PRIOR: prior_forecasts(history, prior, issued[PRIOR])}


def issued_by_model(issued: Issued) -> Issued:
    """Name the issued forecasts of the model as the walk-forward does: its ``calibrated`` is not the baseline's."""
    return {**{name: values for name, values in issued.items() if name != MODEL}, "calibrated": issued[MODEL]}


def _checked(stored: StoredModel, history: FeaturePanel, following: WalkForward) -> StoredModel:
    """Refuse a model whose forecasts for the next session are no losses."""
    last = following.calibrated[-1][history.has_forecast[-1]]
    has_filtered = np.isfinite(following.expert("filtered")[-1][history.has_forecast[-1]])
    wrong = int(np.count_nonzero(~(np.isfinite(last) & (last < 0.0))[has_filtered]))
    if not wrong:
        return stored
    reason = f"The model's forecast is no loss for {wrong} of {last.size} accounts: rule-based limits apply."
    return StoredModel(None, None, reason)


def _drifts(history: FeaturePanel, model: FloatMatrix) -> list[str]:
    """Compare each account's own inputs of late with those before, and the exceedances with what is promised."""
    first_row = len(model) - DRIFT_SESSIONS
    is_settled = history.has_forecast & (np.cumsum(history.panel.is_active, axis=0) >= DRIFT_SESSIONS)
    is_settled &= first_row >= 3 * DRIFT_SESSIONS
    before, recent = (
        history.features[rows][is_settled[rows]][:, : len(OWN_NAMES)]
        for rows in (slice(0, max(first_row, 0)), slice(max(first_row, 0), len(model)))
    )
    outcome, issued = history.panel.total_pnl_usd[1:], model[:-1]
    is_scored = np.isfinite(outcome) & np.isfinite(issued)
    exceeded = np.count_nonzero(is_scored & (outcome < issued), axis=1)
    drifts = feature_drifts(LEARNED_NAMES[: len(OWN_NAMES)], before, recent)
    return drift_sentences(drifts, exceeded.tolist(), np.count_nonzero(is_scored, axis=1).tolist())


def _explained(
    history: FeaturePanel, model: Model, following: WalkForward, prior: Prior | None
) -> list[dict[str, Any]]:
    return [
        {"account_id": history.panel.account_ids[account], **asdict(explanation)}
        for account, explanation in explain_last(history, model, following, prior)
    ]


def read_issued(
    connection: Connection, panel: Panel, effective_session: dt.date, as_of: dt.datetime
) -> dict[str, FloatMatrix]:
    """Read the forecasts issued so far; those issued under a former name of an account are the account's.

    Parameters
    ----------
    panel
        Its sessions and accounts are the rows and columns.
    effective_session
        The session after its last one.
    as_of
        When renames had to be recorded to count.

    Returns
    -------
    dict
        By expert, ``(n_sessions, n_accounts)``, US dollars, negative; NaN = none. Row t was issued after session t.
    """
    return read_forecasts(connection, panel, effective_session, as_of)[0]


def read_forecasts(
    connection: Connection, panel: Panel, effective_session: dt.date, as_of: dt.datetime
) -> tuple[dict[str, FloatMatrix], dict[str, NDArray[np.bool_]]]:
    """Read the forecasts issued so far, and where those of the gate were issued before their session opened.

    Parameters and forecasts are those of `read_issued`; ``is_live`` has the same shapes, for `LADDER_EXPERTS`.
    """
    issued = {expert: np.full_like(panel.total_pnl_usd, np.nan) for expert in STORED_EXPERTS}
    live = {expert: np.zeros(panel.total_pnl_usd.shape, np.bool_) for expert in LADDER_EXPERTS}
    row_of = {day: number for number, day in enumerate((*panel.session_dates[1:], effective_session))}
    column_of = {account_id: number for number, account_id in enumerate(panel.account_ids)}
    binds = {"effective_session": effective_session, "as_of": as_of}
    for account_id, day, expert, quantile, is_live in rows(connection, "predict_limits/select_forecasts", binds):
        if account_id in column_of and day in row_of and expert in issued:
            issued[expert][row_of[day], column_of[account_id]] = quantile
            if is_live and expert in live:
                live[expert][row_of[day], column_of[account_id]] = True
    return issued, live


def insert_forecasts(
    connection: Connection,
    panel: Panel,
    effective_session: dt.date,
    computed: Mapping[str, FloatMatrix],
    issued: Issued,
    source: Mapping[str, object],
) -> int:
    """Store forecasts where none was issued; the caller holds the write lock.

    Parameters
    ----------
    panel, effective_session
        As in `read_issued`.
    computed
        By expert, ``(n_sessions, n_accounts)``, US dollars; NaN = nothing to store.
    issued
        What `read_issued` returns for the same sessions.
    source
        ``run_id`` and ``model_id``, one of which may be ``None``, and ``as_of``, when they were made.

    Returns
    -------
    int
        Rows written: what was issued before stays.
    """
    days = [day.isoformat() for day in (*panel.session_dates[1:], effective_session)]
    listed = [
        {
            "account_id": panel.account_ids[account],
            "effective_session": days[row],
            "expert": expert,
            "quantile_05_usd": repr(float(quantiles[row, account])),
        }
        for expert, quantiles in computed.items()
        for row, account in np.argwhere(np.isfinite(quantiles) & ~np.isfinite(issued[expert])).tolist()
    ]
    if not listed:
        return 0
    return execute(connection, "predict_limits/insert_forecasts", {**source, "forecasts": json.dumps(listed)})
