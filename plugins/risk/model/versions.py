"""The table ``model_versions``: which stored model a run may use, and why none where there is none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from risk.core.errors import ModelError
from risk.core.warehouse import Connection, records
from risk.model.artefact import REMEDY, load
from risk.model.fitted import Model

OLDEST_SESSIONS = 10
"""A model serves for ten sessions after the newest one it has seen: it is refitted every week."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The model of a run.

    Attributes
    ----------
    model
        Read and checked; ``None`` = rules serve.
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
) -> Standing:
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
    found = records(connection, "predict_limits/select_model_versions", {"session_date": session_date, "as_of": as_of})
    if not found:
        return Standing(None, None, f"No model trained before {session_date} is stored. {REMEDY}")
    stored = found[0]
    if stored["session_count"] > OLDEST_SESSIONS:
        seen = f"The newest model has seen sessions up to {stored['last_session_date']}"
        return Standing(None, None, f"{seen}, {stored['session_count']} sessions ago. {REMEDY}")
    try:
        model = load(stored["artefact"], stored["content_sha256"], feature_names)
    except ModelError as error:
        return Standing(None, None, str(error))
    return Standing(model, stored["model_id"], "")
