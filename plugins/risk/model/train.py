"""Training: a model from everything known, its record on past sessions, and the proof that it knew no future."""

from __future__ import annotations

import datetime as dt
import json
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from risk.core.calendar import next_session, previous_session
from risk.core.errors import ModelError
from risk.core.warehouse import Connection, execute, records, writing
from risk.model.artefact import content_sha256, to_json
from risk.model.backtest_checks import checks_of
from risk.model.backtest_record import record_of
from risk.model.experts.boosted import contributions
from risk.model.experts.garch import candidates
from risk.model.features.build import build_features
from risk.model.features.table import FEATURES, LEARNED_NAMES
from risk.model.fitted import MIXED_EXPERTS, Model, fit
from risk.model.leakage import require_no_leak, self_check
from risk.model.panel import read_panel
from risk.model.sample import History, history_of, sample_of
from risk.model.store import insert_forecasts, read_issued, unissued
from risk.model.walk_forward import MODEL, Reconstruction, reconstruct, refit_rows

SAMPLED_SHARES = (0.6, 0.9)
"""About where in the history the self-check deletes and replaces everything later."""

SHOWN_INPUTS = 10


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training has left.

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


def last_training_session(served: dt.date) -> dt.date:
    """Return the newest session that a model may see which serves the runs of a session's week."""
    return previous_session(served - dt.timedelta(days=served.weekday()))


def train(connection: Connection, through_session_date: dt.date, dag_run_id: str) -> Trained:
    """Walk forward over the history, prove that nothing leaks, fit the model of the next week and store all of it.

    Parameters
    ----------
    connection
        The warehouse.
    through_session_date
        The newest session the model may see.
    dag_run_id
        Airflow's name of the training.

    Raises
    ------
    LeakError
        If an output of a past session changes with what came later; nothing is stored.
    """
    panel = read_panel(connection, through_session_date)
    effective_session = next_session(through_session_date)
    history = history_of(panel, build_features(panel, effective_session), LEARNED_NAMES)
    try:
        model = fit_last(history)
    except ModelError as error:
        return Trained(None, through_session_date, 0, str(error))
    require_no_leak(self_check(panel, effective_session, sampled_rows(panel.session_dates)))
    issued = read_issued(connection, panel, effective_session)
    by_model = {name: values for name, values in issued.items() if name != MODEL} | {"calibrated": issued[MODEL]}
    forecasts = reconstruct(history, by_model)
    text = to_json(model)
    identity = {"content_sha256": content_sha256(text)}
    stored = identity | {
        "artefact": text,
        "first_session_date": model.first_session_date,
        "last_session_date": model.last_session_date,
        "pair_count": model.pair_count,
        "card": json.dumps(card(history, model, forecasts), sort_keys=True),
        "dag_run_id": dag_run_id,
    }
    with writing(connection):
        execute(connection, "train_model/insert_model_versions", stored)
        known = records(connection, "train_model/select_model_versions", identity)[0]
        source = {"run_id": None, "model_id": known["model_id"], "as_of": known["recorded_at"]}
        missing = unissued(forecasts.by_name(), issued)
        forecast_count = insert_forecasts(connection, panel, effective_session, missing, source)
    return Trained(known["content_sha256"], through_session_date, forecast_count, "")


def sampled_rows(session_dates: Sequence[dt.date]) -> list[int]:
    """Choose the sessions of the self-check: first ones of a week, where models are refitted.

    A day later is a session there, too, so that who takes a calendar day for a session is seen.
    """
    firsts = [0, *refit_rows(session_dates)]
    wanted = (int(share * (len(session_dates) - 2)) for share in SAMPLED_SHARES)
    return sorted({firsts[bisect_right(firsts, row) - 1] for row in wanted})


def fit_last(history: History) -> Model:
    """Fit every expert on the whole of a history.

    Raises
    ------
    ModelError
        If there is too little to learn from.
    """
    if not history.panel.session_dates:
        raise ModelError("There are no books yet: nothing was trained, rules serve.")
    last_row = len(history.panel.session_dates) - 1
    return fit(history, sample_of(history), last_row, candidates(history.panel.total_pnl_usd))


def card(history: History, model: Model, forecasts: Reconstruction) -> dict[str, Any]:
    """Gather what a reader must know of a model: data, record, coverage, inputs."""
    panel = history.panel
    found = checks_of(history, forecasts)
    checks = asdict(found)
    return {
        "account_count": len(panel.account_ids),
        "session_count": len(panel.session_dates),
        "versions": dict(model.versions),
        "record": record_of(history, forecasts).facts(),
        "checks": checks,
        "coverage": checks.pop("accounts"),
        "check_sentences": found.sentences(),
        "weights": dict(zip(MIXED_EXPERTS, forecasts.weights[-1].tolist(), strict=True)),
        "calibration": float(forecasts.calibration[-1]),
        "course": _course(history, forecasts),
        "inputs": _inputs(history, model),
    }


def _course(history: History, forecasts: Reconstruction) -> dict[str, Any]:
    """Tell what each expert weighed at the end of each week."""
    dates = history.panel.session_dates
    ends = [number - 1 for number in (*refit_rows(dates), len(dates))]
    return {
        "session_dates": [dates[end].isoformat() for end in ends],
        "weights": {name: forecasts.weights[ends, k].round(4).tolist() for k, name in enumerate(MIXED_EXPERTS)},
    }


def _inputs(history: History, model: Model) -> list[dict[str, Any]]:
    """Rank the inputs by how much they move the forecasts of all pairs, in the ridge and in the trees."""
    inputs = sample_of(history).inputs
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
