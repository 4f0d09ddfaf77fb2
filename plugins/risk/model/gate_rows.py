"""The gate as rows: its bets, which are placed once, and what it found in a run."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from risk.core.runs import Run
from risk.core.warehouse import Connection, execute, records
from risk.model.artefact import StoredModel
from risk.model.backtests import christoffersen, session_kupiec
from risk.model.gate import (
    MODEL,
    GateInputs,
    Ladder,
    LadderBet,
    PlacedBets,
    Standing,
    reasons,
    step_reason,
)
from risk.model.panel import FloatMatrix, Panel
from risk.model.wealth import SessionBet
from risk.model.window_test import WINDOW_SESSIONS, session_losses

_BET_COLUMNS = tuple(column.name for column in fields(SessionBet))


def read_bets(connection: Connection, panel: Panel) -> PlacedBets:
    """Read the bets that were placed on a panel's sessions, by row."""
    row_of = {day: number for number, day in enumerate(panel.session_dates)}
    placed: dict[int, list[LadderBet]] = {}
    if not row_of:
        return placed
    for row in records(connection, "predict_limits/select_gate_bets", {"session_date": panel.session_dates[-1]}):
        number = row_of.get(row["session_date"])
        if number is not None:
            bet = SessionBet(**{name: row[name] for name in _BET_COLUMNS})
            placed.setdefault(number, []).append(LadderBet(row["candidate"], row["opponent"], row["procedure"], bet))
    return placed


def insert_bets(connection: Connection, run: Run, panel: Panel, ladder: Ladder) -> None:
    """Store the bets that a run has placed; the caller holds the write lock."""
    listed = [
        {
            "session_date": panel.session_dates[row].isoformat(),
            "candidate": one.candidate,
            "opponent": one.opponent,
            "procedure": one.procedure,
            **asdict(one.bet),
        }
        for row in ladder.new_rows
        for one in ladder.placed[row]
    ]
    if listed:
        execute(connection, "predict_limits/insert_gate_bets", {"run_id": run.run_id, "bets": json.dumps(listed)})


def gate_columns(inputs: GateInputs, standing: Standing, model: FloatMatrix, stored: StoredModel) -> dict[str, Any]:
    """Return the columns of ``gate_results`` but for ``drifts``; what cannot be known is null.

    Parameters
    ----------
    inputs, standing
        What the gate looked at, and where the ladder stands after the last session.
    model
        The model's forecasts, live and reconstructed, ``(n_sessions, n_accounts)``, US dollars: the 60-session test
        counts all.
    stored
        The model of this morning.
    """
    test = session_losses(inputs.pnl, inputs.scale, model, inputs.rules).test_after(len(inputs.pnl) - 1)
    has_model = stored.model is not None
    return {
        "model_id": stored.model_id,
        "serving": standing.serving(has_model=has_model),
        "is_pass": has_model and test.is_pass,
        **{name: None if _is_nan(value) else value for name, value in asdict(test).items()},
        **_coverage(inputs.pnl, model),
        "reasons": gate_reasons(standing, stored),
    }


def gate_reasons(standing: Standing, stored: StoredModel) -> list[str]:
    """Say why what serves does; a morning without a model says so first."""
    if stored.model is None:
        return [stored.reason, step_reason(standing, "filtered")]
    found = reasons(standing)
    return [found[0]] if standing.serves(MODEL) else list(found)


def _coverage(pnl: FloatMatrix, model: FloatMatrix) -> Mapping[str, float | None]:
    """Back-test the last 60 sessions: unconditional coverage, and whether exceedances come alone."""
    outcome, issued = pnl[1:], model[:-1]
    is_scored = np.isfinite(outcome) & np.isfinite(issued)
    window = np.flatnonzero(is_scored.any(axis=1))[-WINDOW_SESSIONS:]
    scored, exceeded = is_scored[window], (outcome < issued)[window]
    sequences = [exceeded[scored[:, account], account] for account in range(scored.shape[1])]
    counts = [np.count_nonzero(chosen, axis=1) for chosen in (exceeded & scored, scored)]
    p_values = {
        "kupiec_p_value": session_kupiec(*counts),
        "christoffersen_p_value": christoffersen(sequences).p_value,
    }
    return {name: None if math.isnan(value) else value for name, value in p_values.items()}


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)
