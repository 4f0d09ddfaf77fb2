"""Training: a model from everything known, its record on past sessions, and the proof that it knew no future."""

from __future__ import annotations

import datetime as dt
import json
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from risk.core.calendar import next_session, previous_session
from risk.core.errors import ModelError
from risk.core.warehouse import Connection, execute, records, writing
from risk.model.artefact import content_sha256, to_json
from risk.model.backtest import backtest_record, coverage_checks
from risk.model.build_features import build_features
from risk.model.experts.boosted import contributions
from risk.model.experts.garch import PooledGarch
from risk.model.experts.prior import ReadPrior, read_prior
from risk.model.features import FEATURES, LEARNED_NAMES
from risk.model.fitted import Model, fit_model, training_pairs
from risk.model.gate import CutFunctions
from risk.model.leakage import Pipeline, require_no_leak, self_check
from risk.model.panel import FeaturePanel, feature_panel, read_panel
from risk.model.predict import insert_forecasts, issued_by_model, read_issued
from risk.model.states import DEFINITIONS, coverage_by_state
from risk.model.walk_forward import WalkForward, refit_rows, walk_forward

SAMPLED_SHARES = (0.6, 0.9)
"""About where in the history the self-check deletes and replaces everything later."""

MID_WEEK = (1, 2, 3)
"""Tuesday to Thursday, as `datetime.date.weekday` counts."""

SHOWN_INPUTS = 10


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What a training has stored.

    Attributes
    ----------
    content_sha256
        Identity of the stored model; ``None`` = nothing was trained.
    last_session_date
        The newest session it may have seen.
    forecast_count
        Forecasts of the past that were not there and are stored now.
    reason
        Why nothing was trained; empty otherwise.
    """

    content_sha256: str | None
    last_session_date: dt.date
    forecast_count: int
    reason: str


def last_training_session(session_date: dt.date) -> dt.date:
    """Return the newest session that the model of a session's week may see: the last one before that week."""
    return previous_session(session_date - dt.timedelta(days=session_date.weekday()))


def train(connection: Connection, through_session_date: dt.date, dag_run_id: str, cuts: CutFunctions) -> TrainingResult:
    """Walk forward over the history, prove that nothing leaks, fit the model of the next week and store all of it.

    Parameters
    ----------
    connection
        The warehouse.
    through_session_date
        The newest session the model may see.
    dag_run_id
        Airflow's name of the training.
    cuts
        The cuts by the rules and by the forecast, see ``risk.limits.decide.cut_functions``.

    Raises
    ------
    LeakError
        If an output of a past session changes with what came later; nothing is stored.
    """
    panel = read_panel(connection, through_session_date)
    effective_session = next_session(through_session_date)
    history = feature_panel(panel, build_features(panel, effective_session), LEARNED_NAMES)
    try:
        model = fit_last(history)
    except ModelError as error:
        return TrainingResult(None, through_session_date, 0, str(error))
    given = read_prior(LEARNED_NAMES)
    forecast = partial(walk_forward, prior=given.prior)
    pipeline = Pipeline(cuts, forecasts=forecast)
    require_no_leak(self_check(panel, effective_session, sampled_rows(panel.session_dates), pipeline))
    # The books, too, are what is known now.
    issued = read_issued(connection, panel, effective_session, dt.datetime.now(dt.UTC))
    forecasts = forecast(history, issued_by_model(issued))
    text = to_json(model)
    identity = {"content_sha256": content_sha256(text)}
    binds = identity | {
        "artefact": text,
        "first_session_date": model.first_session_date,
        "last_session_date": model.last_session_date,
        "pair_count": model.pair_count,
        "card": json.dumps(model_card(history, model, forecasts, cuts, given), sort_keys=True),
        "dag_run_id": dag_run_id,
    }
    with writing(connection):
        execute(connection, "train_model/insert_model_versions", binds)
        stored = records(connection, "train_model/select_model_versions", identity)[0]
        source = {"run_id": None, "model_id": stored["model_id"], "as_of": stored["recorded_at"]}
        forecast_count = insert_forecasts(connection, panel, effective_session, forecasts.by_name(), issued, source)
    return TrainingResult(stored["content_sha256"], through_session_date, forecast_count, "")


def sampled_rows(session_dates: Sequence[dt.date]) -> list[int]:
    """Choose the sessions of the self-check: two that begin a week, where models are refitted, and a late mid-week one.

    The day after the first of a week is a session, too, so that who takes a calendar day for a session is seen. The
    last Tuesday, Wednesday or Thursday before the last session shows what is wrong in mid-week or of late only, on
    whichever day the history ends.
    """
    firsts = [0, *refit_rows(session_dates)]
    wanted = (int(share * (len(session_dates) - 2)) for share in SAMPLED_SHARES)
    chosen = {firsts[bisect_right(firsts, row) - 1] for row in wanted}
    middle = [row for row, day in enumerate(session_dates[:-1]) if day.weekday() in MID_WEEK]
    return sorted({*chosen, *middle[-1:]})


def fit_last(history: FeaturePanel) -> Model:
    """Fit every expert on the whole of a history.

    Raises
    ------
    ModelError
        If there is too little to learn from.
    """
    if not history.panel.session_dates:
        raise ModelError("There are no books yet: nothing was trained, rule-based limits apply.")
    last_row = len(history.panel.session_dates) - 1
    return fit_model(history, training_pairs(history), last_row, PooledGarch().fit(history.panel.total_pnl_usd))


def model_card(
    history: FeaturePanel, model: Model, forecasts: WalkForward, cuts: CutFunctions, given: ReadPrior
) -> dict[str, Any]:
    """Gather what a reader must know of a model: data, record, coverage, inputs, and the prior beside it."""
    panel = history.panel
    found = coverage_checks(history, forecasts)
    checks = asdict(found)
    # Until 0.1.0 the count is there under its old name, too.
    coverage = [{**account, "breach_count": account["exceedance_count"]} for account in checks.pop("accounts")]
    return {
        "account_count": len(panel.account_ids),
        "session_count": len(panel.session_dates),
        "versions": dict(model.versions),
        "record": backtest_record(history, forecasts, cuts).facts(),
        "checks": checks,
        "coverage": coverage,
        "states": [asdict(state) for state in coverage_by_state(history, forecasts)],
        "state_definitions": DEFINITIONS,
        "check_sentences": found.sentences(),
        "weights": dict(zip(forecasts.names, forecasts.weights[-1].tolist(), strict=True)),
        "prior": _prior_facts(given),
        "calibration": float(forecasts.calibration[-1]),
        "course": _course(history, forecasts),
        "inputs": _inputs(history, model),
    }


def _course(history: FeaturePanel, forecasts: WalkForward) -> dict[str, Any]:
    """List each expert's weight at the end of each week."""
    dates = history.panel.session_dates
    ends = [number - 1 for number in (*refit_rows(dates), len(dates))]
    return {
        "session_dates": [dates[end].isoformat() for end in ends],
        "weights": {name: forecasts.weights[ends, k].round(4).tolist() for k, name in enumerate(forecasts.names)},
    }


def _prior_facts(given: ReadPrior) -> dict[str, Any]:
    """Name the expert from simulated desks, or say why it is not used."""
    if given.prior is None:
        return {"reason": given.reason}
    return {"content_sha256": given.prior.content_sha256, "desk_count": given.prior.desk_count, "reason": ""}


def _inputs(history: FeaturePanel, model: Model) -> list[dict[str, Any]]:
    """Rank the inputs by how much they move the forecasts of all pairs, in the ridge and in the trees."""
    inputs = training_pairs(history).inputs
    ridge = np.abs(model.ridge.terms(inputs)).mean(axis=0)
    trees = np.abs(contributions(model.booster_json, inputs)[:, :-1]).mean(axis=0)
    order = np.argsort(-(ridge / max(ridge.sum(), 1e-12) + trees / max(trees.sum(), 1e-12)), kind="stable")
    sentences = {feature.name: feature.sentence for feature in FEATURES}
    return [
        {
            "name": model.feature_names[number],
            "sentence": sentences[model.feature_names[number]],
            "ridge": float(ridge[number]),
            "trees": float(trees[number]),
        }
        for number in order[:SHOWN_INPUTS].tolist()
    ]
