"""The gate of past mornings under other rules: one evaluation of the present serves those whose past is unchanged."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import numpy as np
import pytest

from risk.core.calendar import next_session, session_open
from risk.core.runs import Run
from risk.limits.decide import GateDecision, pnl_histories
from risk.limits.past_mornings import PastGates, PastInputs, PastMorning
from risk.limits.policy import DeskTerms
from risk.limits.rules import rules_cut_ratios
from risk.model.gate import HISTORICAL, GateInputs, Ladder, is_eligible, rules_quantiles
from risk.model.panel import SCALE_DECAY, FloatMatrix, Panel, ewma_scale
from risk.model.walk_forward import MODEL
from tests.policies import ANY_LOSS_TERMS, policy_document
from tests.sql.daily_rows import trading_days

SESSIONS, TRADERS = 132, 6
DAYS = trading_days(SESSIONS)
ACCOUNTS = tuple(f"NET{number:03}" for number in range(TRADERS))
LATE = 122
"""A forecast for the session after this row became known five sessions later."""
OTHER_TERMS = DeskTerms(policy_document(smallest_loss__base_limit="50%"), "other", {}, {})


@pytest.fixture(scope="module")
def desk() -> tuple[Panel, FloatMatrix, FloatMatrix]:
    """Give results whose size tomorrow the model knows: panel, the model's and the historical forecasts."""
    draws = np.random.default_rng(5)
    sigma = np.where(draws.random((SESSIONS + 1, TRADERS)) < 0.5, 300.0, 1500.0)
    pnl = sigma[:-1] * draws.standard_normal((SESSIONS, TRADERS))
    return Panel.of(DAYS, ACCOUNTS, pnl), -1.644854 * sigma[1:], np.full((SESSIONS, TRADERS), -1800.0)


def _as_of(row: int) -> dt.datetime:
    return session_open(next_session(DAYS[row])) - dt.timedelta(hours=2)


def _gates(model: FloatMatrix, historical: FloatMatrix) -> PastGates:
    rows: list[tuple[Any, ...]] = []
    for expert, quantiles in ((MODEL, model), (HISTORICAL, historical)):
        for (row, column), quantile in np.ndenumerate(quantiles):
            known = row + 5 if (row, column) == (LATE, 0) else row
            known_at = _as_of(min(known, SESSIONS - 1))
            rows.append((ACCOUNTS[column], next_session(DAYS[row]), expert, quantile, True, known_at))
    return PastGates(rows)


def _known(panel: Panel, row: int, *, is_restated: bool = False) -> PastInputs:
    run = Run(1, DAYS[row], next_session(DAYS[row]), _as_of(row), 1, 1, "test", "x", is_simulated=True)
    gate = GateDecision(7, serving="rules", reasons=("as stored",), content_sha256="a")
    known = panel.through(row + 1)
    return PastInputs(PastMorning(run, True, is_restated), ANY_LOSS_TERMS, gate, known, pnl_histories(known))


def _by_prefix(panel: Panel, model: FloatMatrix, historical: FloatMatrix, terms: DeskTerms, row: int) -> str:
    """Evaluate the gate as the morning would have: from its own past alone."""
    known, scale = panel.through(row + 1), ewma_scale(panel.total_pnl_usd[: row + 1], SCALE_DECAY)
    issued = [matrix[: row + 1].copy() for matrix in (model, historical)]
    if LATE <= row < LATE + 5:
        for matrix in issued:
            matrix[LATE, 0] = np.nan
    rules = rules_quantiles(known.total_pnl_usd, issued[1], rules_cut_ratios(known, scale, terms=terms))
    nothing = np.full_like(scale, np.nan)
    inputs = GateInputs(known.total_pnl_usd, scale, is_eligible(known), issued[0], nothing, issued[1], rules)
    return Ladder(inputs).standing.serving()


def test_every_morning_is_as_it_would_have_been(desk: tuple[Panel, FloatMatrix, FloatMatrix]) -> None:
    panel, model, historical = desk
    gates, serving = _gates(model, historical), []

    for row in (80, *range(LATE - 3, LATE + 7)):
        decision = gates.decision(_known(panel, row), OTHER_TERMS)
        assert decision.serving == _by_prefix(panel, model, historical, OTHER_TERMS, row), row
        assert decision.model_id == 7
        serving.append(decision.serving)

    # the model is promoted on the way
    assert set(serving) == {"rules", "model"}


def test_restated_morning_is_judged_on_its_own_books(desk: tuple[Panel, FloatMatrix, FloatMatrix]) -> None:
    # given books in which the first sessions of all accounts were other ones then, and no forecast is right
    panel, model, historical = desk
    then = dataclasses.replace(panel, total_pnl_usd=np.where(np.isfinite(panel.total_pnl_usd), -9000.0, np.nan))
    gates = _gates(model, historical)
    assert gates.decision(_known(panel, 128), OTHER_TERMS).serving == "model"

    restated = gates.decision(_known(then, 128, is_restated=True), OTHER_TERMS)

    assert restated.serving == "rules"
    # and those after it are not
    assert gates.decision(_known(panel, 129), OTHER_TERMS).serving == "model"


def test_mornings_with_corrections_are_each_judged_on_what_was_known(
    desk: tuple[Panel, FloatMatrix, FloatMatrix],
) -> None:
    # given that each morning's last result is corrected later, and one far back after the fourth morning
    panel, model, historical = desk
    gates = _gates(model, historical)

    for number, row in enumerate(range(LATE - 1, LATE + 7)):
        pnl = panel.total_pnl_usd.copy()
        pnl[row] *= 0.5
        if number < 4:
            pnl[40] = -9000.0
        then = dataclasses.replace(panel, total_pnl_usd=pnl)
        known = _known(then, row, is_restated=True)
        expected = _by_prefix(then, model, historical, OTHER_TERMS, row)
        placed = gates.evaluated.placed if gates.evaluated else {}

        decision = gates.decision(known, OTHER_TERMS)

        assert decision.serving == expected, row
        alone = _gates(model, historical)
        assert alone.decision(known, OTHER_TERMS).reasons == decision.reasons
        assert gates.evaluated is not None
        # what did not change is not evaluated again
        kept = {at for at, bets in gates.evaluated.placed.items() if placed.get(at, [None])[0] is bets[0]}
        changed = {0: 0, 4: 40, LATE + 5 - (LATE - 1): LATE}.get(number, row - 1)
        assert kept == {at for at in placed if at < changed}
