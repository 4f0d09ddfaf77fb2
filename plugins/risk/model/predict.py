"""The task predict_limits: forecasts of the next session, why they are what they are, and whether they may serve.

Everything is computed from the books, the forecasts stored so far and one stored model; there is no other state.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from risk.core.runs import Run
from risk.core.warehouse import Connection, execute, writing
from risk.limits.rules import rules_cut_ratios
from risk.model.backtests import christoffersen, kupiec
from risk.model.baseline import EXPERTS, walk_forward
from risk.model.drift import drift_sentences, feature_drifts
from risk.model.explain import explain_last
from risk.model.features.build import build_features
from risk.model.features.table import LEARNED_NAMES, OWN_FEATURES
from risk.model.fitted import Model
from risk.model.gate import WINDOW_SESSIONS, Judgment, judge, rules_quantiles
from risk.model.panel import FloatMatrix, read_panel
from risk.model.sample import History, history_of
from risk.model.store import insert_forecasts, read_issued, unissued
from risk.model.versions import Standing, read_model
from risk.model.walk_forward import MODEL, Reconstruction, forecast_next

DRIFT_SESSIONS = 60
"""The inputs of so many last sessions are compared with those before, of which there must be three times as many;
and of each account only once it has been active for so many."""

NO_BOOKS = Standing(None, None, "There are no books yet: rules serve.")

Issued = Mapping[str, FloatMatrix]


@dataclass(frozen=True, slots=True)
class Predicted:
    """What the task has stored.

    Attributes
    ----------
    forecast_count
        Forecasts written; 0 when all were there.
    explained_count
        Accounts with an explanation.
    model_id
        The model that forecasts; ``None`` = none could be used.
    is_serving
        Whether the gate lets it serve.
    """

    forecast_count: int
    explained_count: int
    model_id: int | None
    is_serving: bool


def predict_limits(connection: Connection, run: Run) -> Predicted:
    """Forecast the run's effective session, explain the forecasts and judge whether they may serve.

    The first forecast for an account and effective session stays for ever, so that sessions may run in any order and
    leave the same rows. Nothing that is wrong with a model fails the task: the reason is stored, and rules serve.
    """
    panel = read_panel(connection, run.session_date)
    history = history_of(panel, build_features(panel, run.effective_session), LEARNED_NAMES)
    issued = read_issued(connection, panel, run.effective_session)
    baseline = walk_forward(panel, issued["calibrated"])
    computed: dict[str, FloatMatrix] = {name: getattr(baseline, name) for name in EXPERTS}
    standing = read_model(connection, run.session_date, run.as_of, LEARNED_NAMES) if panel.session_dates else NO_BOOKS
    following = None
    if standing.model is not None:
        following = forecast_next(history, standing.model, _issued_by_model(issued))
        standing = _sound(standing, history, following)
    if standing.model is not None and following is not None:
        computed |= following.by_name()
    missing = unissued(computed, issued)
    model = _known(missing, issued, MODEL)
    judgment = _judgment(history, _known(missing, issued, "historical"), model, standing)
    verdict = _verdict(history, judgment, model, standing)
    explained = [] if following is None or standing.model is None else _explained(history, standing.model, following)
    with writing(connection):
        forecast_count = _store_forecasts(connection, run, history, missing, standing)
        _replace(connection, run, verdict, explained)
    return Predicted(forecast_count, len(explained), standing.model_id, bool(verdict["is_serving"]))


def _issued_by_model(issued: Issued) -> Issued:
    return {**{name: values for name, values in issued.items() if name != MODEL}, "calibrated": issued[MODEL]}


def _sound(standing: Standing, history: History, following: Reconstruction) -> Standing:
    """Refuse a model whose forecasts for the next session are no losses."""
    last = following.calibrated[-1][history.has_forecast[-1]]
    has_filtered = np.isfinite(following.expert("filtered")[-1][history.has_forecast[-1]])
    wrong = int(np.count_nonzero(~(np.isfinite(last) & (last < 0.0))[has_filtered]))
    if not wrong:
        return standing
    return Standing(None, None, f"The model's forecast is no loss for {wrong} of {last.size} accounts: rules serve.")


def _known(missing: Issued, issued: Issued, expert: str) -> FloatMatrix:
    """Return an expert's forecasts as they will stand: the issued ones, then the new ones."""
    if expert not in missing:
        return issued[expert]
    return np.where(np.isfinite(issued[expert]), issued[expert], missing[expert])


def _judgment(history: History, historical: FloatMatrix, model: FloatMatrix, standing: Standing) -> Judgment | None:
    if standing.model is None:
        return None
    pnl, scale = history.panel.total_pnl_usd, history.scale
    rules = rules_quantiles(pnl, historical, rules_cut_ratios(history.panel, scale))
    return judge(pnl, scale, model, rules)[-1]


def _verdict(history: History, judgment: Judgment | None, model: FloatMatrix, standing: Standing) -> dict[str, Any]:
    """Gather the columns of ``gate_results``; what cannot be known is null."""
    known: dict[str, Any] = dict.fromkeys(("improvement", "p_value", "breach_rate", "kupiec_p_value"))
    known |= {"christoffersen_p_value": None, "is_pass": False, "is_serving": False, "drifts": []}
    known |= {"session_count": 0, "forecast_count": 0, "model_id": standing.model_id, "reasons": [standing.reason]}
    if judgment is None or standing.model is None:
        return known
    known |= {name: value for name, value in asdict(judgment).items() if not _is_nan(value)}
    pnl = history.panel.total_pnl_usd
    known |= _coverage(pnl, model)
    known["reasons"] = list(judgment.reasons)
    known["drifts"] = _drifts(history, model)
    return known


def _drifts(history: History, model: FloatMatrix) -> list[str]:
    """Compare each account's own inputs of late with those before, and the breaches with what is promised."""
    first_row = len(model) - DRIFT_SESSIONS
    is_settled = history.has_forecast & (np.cumsum(history.panel.is_active, axis=0) >= DRIFT_SESSIONS)
    is_settled &= first_row >= 3 * DRIFT_SESSIONS
    before, recent = (
        history.features[rows][is_settled[rows]][:, : len(OWN_FEATURES)]
        for rows in (slice(0, max(first_row, 0)), slice(max(first_row, 0), len(model)))
    )
    outcome, issued = history.panel.total_pnl_usd[1:], model[:-1]
    is_scored = np.isfinite(outcome) & np.isfinite(issued)
    breached = np.count_nonzero(is_scored & (outcome < issued), axis=1)
    drifts = feature_drifts(LEARNED_NAMES[: len(OWN_FEATURES)], before, recent)
    return drift_sentences(drifts, breached.tolist(), np.count_nonzero(is_scored, axis=1).tolist())


def _coverage(pnl: FloatMatrix, model: FloatMatrix) -> dict[str, float | None]:
    """Back-test the window of the gate: unconditional coverage, and whether breaches come alone."""
    outcome, issued = pnl[1:], model[:-1]
    is_scored = np.isfinite(outcome) & np.isfinite(issued)
    window = np.flatnonzero(is_scored.any(axis=1))[-WINDOW_SESSIONS:]
    scored, breached = is_scored[window], (outcome < issued)[window]
    sequences = [breached[scored[:, account], account] for account in range(scored.shape[1])]
    p_values = {
        "kupiec_p_value": kupiec(int(np.count_nonzero(breached & scored)), int(np.count_nonzero(scored)))[1],
        "christoffersen_p_value": christoffersen(sequences).p_value,
    }
    return {name: None if math.isnan(value) else value for name, value in p_values.items()}


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _explained(history: History, model: Model, following: Reconstruction) -> list[dict[str, Any]]:
    return [
        {"account_id": history.panel.account_ids[account], **asdict(explanation)}
        for account, explanation in explain_last(history, model, following)
    ]


def _store_forecasts(connection: Connection, run: Run, history: History, missing: Issued, standing: Standing) -> int:
    source = {"run_id": run.run_id, "model_id": None, "as_of": run.as_of}
    simple = {name: missing[name] for name in EXPERTS}
    fitted = {name: quantiles for name, quantiles in missing.items() if name not in EXPERTS}
    count = insert_forecasts(connection, history.panel, run.effective_session, simple, source)
    source["model_id"] = standing.model_id
    return count + insert_forecasts(connection, history.panel, run.effective_session, fitted, source)


def _replace(connection: Connection, run: Run, verdict: dict[str, Any], explained: list[dict[str, Any]]) -> None:
    binds = {"run_id": run.run_id}
    execute(connection, "predict_limits/delete_gate_results", binds)
    execute(connection, "predict_limits/insert_gate_results", {**binds, **verdict})
    execute(connection, "predict_limits/delete_explanations", binds)
    execute(connection, "predict_limits/insert_explanations", {**binds, "explanations": json.dumps(explained)})
