"""A model as text: canonical JSON, identified by its SHA-256, checked before it is used. Nothing is unpickled."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from risk.core.errors import ModelError
from risk.core.warehouse import Connection, rows
from risk.model.experts.ridge import RidgeCoefficients
from risk.model.fitted import Model, library_versions
from risk.model.gate import OLDEST_SESSIONS

ARTEFACT_VERSION = 1
REMEDY = "Run the DAG weekly_model for a new one."


def to_json(model: Model) -> str:
    """Write a model as canonical JSON: sorted keys, no blanks, numbers that read back to the same bits."""
    content = {"artefact_version": ARTEFACT_VERSION, **asdict(model)}
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_date_text)


def content_sha256(text: str) -> str:
    """Identify an artefact by its bytes."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def load(text: str, sha256: str, feature_names: Sequence[str]) -> Model:
    """Read a model back, or say why it cannot be used.

    Parameters
    ----------
    text
        What `to_json` wrote.
    sha256
        The hash under which it was stored.
    feature_names
        The features computed today.

    Raises
    ------
    ModelError
        If the bytes are not those of the hash, the text is no model, its features or library versions are not
        today's, a number is not finite, or it predicts the same for everybody.
    """
    found = content_sha256(text)
    if found != sha256:
        raise ModelError(f"The stored model was changed: its SHA-256 is {found[:12]}, not {sha256[:12]}. {REMEDY}")
    model = _read(text)
    _check_features(model, feature_names)
    _check_versions(model)
    _check_numbers(model)
    _check_varies(model)
    return model


def _date_text(value: object) -> str:
    if isinstance(value, dt.date):
        return value.isoformat()
    raise TypeError(f"A model holds no {type(value).__name__}.")


def _read(text: str) -> Model:
    try:
        content: dict[str, Any] = json.loads(text)
        if content.pop("artefact_version") != ARTEFACT_VERSION:
            raise ModelError(f"The stored model has another format than {ARTEFACT_VERSION}. {REMEDY}")
        fields = {name: _frozen(value) for name, value in content.items()}
        for name in ("first_session_date", "last_session_date"):
            fields[name] = dt.date.fromisoformat(content[name])
        fields["ridge"] = RidgeCoefficients(**{name: _frozen(value) for name, value in content["ridge"].items()})
        return Model(**fields)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelError(f"The stored model cannot be read ({type(error).__name__}: {error}). {REMEDY}") from error


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


def _check_features(model: Model, feature_names: Sequence[str]) -> None:
    if model.feature_names == tuple(feature_names):
        return
    other = sorted(set(model.feature_names).symmetric_difference(feature_names))
    named = ", ".join(other) if other else "the same in another order"
    raise ModelError(
        f"The model was trained on {len(model.feature_names)} features, today there are {len(feature_names)}; "
        f"they differ in {named}. {REMEDY}"
    )


def _check_versions(model: Model) -> None:
    today = dict(library_versions())
    other = [f"{name} {found} (today {today.get(name)})" for name, found in model.versions if today.get(name) != found]
    if other or len(model.versions) != len(today):
        raise ModelError(f"The model was fitted with other libraries: {', '.join(other) or 'not all named'}. {REMEDY}")


def _check_numbers(model: Model) -> None:
    ridge = model.ridge
    lengths = {len(part) for part in (ridge.is_logarithmic, ridge.center, ridge.spread, ridge.coefficients)}
    if lengths != {len(model.feature_names)}:
        raise ModelError(f"The model's coefficients are not one for each of its features. {REMEDY}")
    numbers = (*ridge.center, *ridge.spread, *ridge.coefficients, ridge.intercept, *model.garch_coefficients)
    quantiles = (ridge.residual_quantile, model.garch_residual_quantile)
    if not (_are_finite((*numbers, *quantiles)) and all(quantile < 0.0 for quantile in quantiles)):
        raise ModelError(f"The model holds a number that is not finite, or a quantile that is no loss. {REMEDY}")


def _are_finite(numbers: Iterable[object]) -> bool:
    return all(isinstance(number, float) and math.isfinite(number) for number in numbers)


def _check_varies(model: Model) -> None:
    try:
        trees = json.loads(model.booster_json)["learner"]["gradient_booster"]["model"]["trees"]
        has_split = any(len(tree["left_children"]) > 1 for tree in trees)
    except (ValueError, TypeError, KeyError) as error:
        raise ModelError(f"The model's trees cannot be read ({type(error).__name__}: {error}). {REMEDY}") from error
    if not has_split and not any(model.ridge.coefficients):
        raise ModelError(f"The model is constant: it predicts the same scaled loss for everybody. {REMEDY}")


@dataclass(frozen=True, slots=True)
class StoredModel:
    """The model of a run.

    Attributes
    ----------
    model
        Read and checked; ``None`` = rule-based limits apply.
    model_id
        Its key.
    reason
        Why there is none; empty where there is one.
    """

    model: Model | None
    model_id: int | None
    reason: str


def read_model(
    connection: Connection, session_date: dt.date, as_of: dt.datetime, feature_names: Sequence[str]
) -> StoredModel:
    """Read the newest model trained before a session and known at an instant; whatever is wrong with it is a reason.

    Parameters
    ----------
    session_date
        The model has seen sessions before it only.
    as_of
        Cut-off on ``recorded_at``, UTC.
    feature_names
        The features computed today.
    """
    found = rows(connection, "predict_limits/select_model_versions", {"session_date": session_date, "as_of": as_of})
    if not found:
        return StoredModel(None, None, f"No model was trained before {session_date}. {REMEDY}")
    model_id, sha256, text, last_session_date, session_count = found[0]
    if session_count > OLDEST_SESSIONS:
        seen = f"The newest model has seen sessions up to {last_session_date}"
        return StoredModel(None, None, f"{seen}, {session_count} sessions ago. {REMEDY}")
    try:
        return StoredModel(load(text, sha256, feature_names), model_id, "")
    except ModelError as error:
        return StoredModel(None, None, str(error))
