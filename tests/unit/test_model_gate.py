"""The gate's baseline, its ladder and the sentences it says."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from risk.model.gate import (
    FILTERED,
    HISTORICAL,
    MODEL,
    RULES,
    GateInputs,
    Ladder,
    LadderBet,
    Standing,
    procedures,
    reasons,
    rules_quantiles,
    step_reason,
)
from risk.model.wealth import NOTHING_BET


def _desk(sessions: int = 160, seed: int = 1, traders: int = 20, **changes: Any) -> GateInputs:
    """Results whose true scale the model knows the day before; the other forecasts are a constant, and too small."""
    generator = np.random.default_rng(seed)
    sigma = np.where(generator.random((sessions + 1, traders)) < 0.5, 0.3, 1.5)
    pnl = sigma[:-1] * generator.standard_normal((sessions, traders))
    constant = np.full_like(pnl, 0.25 * np.quantile(pnl, 0.05))
    plain: dict[str, Any] = {
        "pnl": pnl,
        "scale": np.ones_like(pnl),
        "is_eligible": np.arange(sessions)[:, None] >= np.full(traders, 20),
        "model": -1.644854 * sigma[1:],
        "filtered": constant,
        "historical": constant,
        "rules": constant,
    }
    return GateInputs(**{**plain, **changes})


def test_rules_forecast_by_bucket_shrunk_toward_all() -> None:
    # given 150 accounts of which 50 are cut by 40 %, with losses of 2 there and 1 elsewhere, and a forecast of 1 each
    pnl = np.tile(np.where(np.arange(150) < 50, -2.0, -1.0), (3, 1))
    historical = -np.ones_like(pnl)
    cuts = np.tile(np.where(np.arange(150) < 50, 0.4, 0.0), (3, 1))

    # when
    quantiles = rules_quantiles(pnl, historical, cuts)

    # then after one session of results: own 2, all together the 5 % quantile of 50 x 2 and 100 x 1 is 2
    assert np.isnan(quantiles[0]).all()
    # bucket: (50 x 2 + 100 x 2) / 150 = 2; others: (100 x 1 + 100 x 2) / 200 = 1.5
    assert quantiles[1, 0] == pytest.approx(-2.0)
    assert quantiles[1, 149] == pytest.approx(-1.5)
    # after two sessions: others (200 x 1 + 100 x 2) / 300
    assert quantiles[2, 149] == pytest.approx(-4.0 / 3.0)


def test_a_bucket_of_fewer_than_20_results_uses_all() -> None:
    pnl = np.tile(np.where(np.arange(150) < 19, -2.0, -1.0), (2, 1))
    cuts = np.tile(np.where(np.arange(150) < 19, 0.25, 0.0), (2, 1))
    quantiles = rules_quantiles(pnl, -np.ones_like(pnl), cuts)
    # the pooled 5 % quantile of 19 x -2 and 131 x -1 is -2: position 149 x .05 = 7.45
    assert quantiles[1, 0] == pytest.approx(-2.0)


def test_a_better_model_is_promoted_after_60_scored_sessions() -> None:
    ladder = Ladder(_desk())

    serving = [standing.serving() for standing in ladder.standings]
    # the first scored session is 21, after 20 active ones; the 60th is 80
    assert serving == [RULES] * 80 + [MODEL] * 80
    assert min(ladder.placed) == 21
    assert {one.opponent for bets in ladder.placed.values() for one in bets} == {RULES}
    assert ladder.standing.serving(has_model=False) == RULES


def test_equal_forecasts_win_nothing() -> None:
    desk = _desk()
    ladder = Ladder(dataclasses.replace(desk, model=desk.rules))
    assert ladder.standing.bets[MODEL].bet.log_wealth == 0.0
    assert ladder.standing.serving() == RULES


def test_the_ladders_second_step_serves_and_becomes_the_models_opponent() -> None:
    # given a filtered forecast as good as the model, which has not been there before session 100
    desk = _desk()
    late = np.where(np.arange(160)[:, None] < 100, np.nan, desk.model)
    ladder = Ladder(dataclasses.replace(desk, filtered=desk.model, model=late))

    assert ladder.standings[79].serving() == RULES
    assert ladder.standing.serving() == FILTERED
    opponents = {row: {one.candidate: one.opponent for one in bets} for row, bets in ladder.placed.items()}
    assert opponents[80] == {FILTERED: RULES}
    assert opponents[101] == {FILTERED: RULES, MODEL: FILTERED}


def test_a_single_account_has_to_beat_the_better_of_two() -> None:
    # given one account whose own history forecasts better than the rules from the start
    desk = _desk(traders=1, sessions=120)
    ladder = Ladder(dataclasses.replace(desk, historical=desk.model, rules=desk.rules * 40.0))
    assert {one.opponent for row, bets in ladder.placed.items() for one in bets if row > 25} == {HISTORICAL}

    # and where the rules cannot forecast, its own history is the opponent
    nothing = np.full_like(desk.rules, np.nan)
    alone = Ladder(dataclasses.replace(desk, rules=nothing))
    assert {one.opponent for bets in alone.placed.values() for one in bets} == {HISTORICAL}

    # and where the rules are better, they are
    other = Ladder(dataclasses.replace(desk, historical=desk.historical * 40.0))
    assert {one.opponent for row, bets in other.placed.items() for one in bets if row > 25} == {RULES}


def test_bets_that_were_placed_stay_whatever_is_restated() -> None:
    desk = _desk()
    before = Ladder(dataclasses.replace(desk, **{name: getattr(desk, name)[:100] for name in desk.__slots__}))
    restated = dataclasses.replace(desk, pnl=np.where(np.arange(160)[:, None] < 100, 10.0, desk.pnl))

    after = Ladder(restated, before.placed)

    assert {row: after.placed[row] for row in before.placed} == before.placed
    assert after.new_rows == list(range(100, 160))
    # and without a restatement the bets are those of one walk
    assert Ladder(desk, before.placed).placed == Ladder(desk).placed


def test_a_session_that_is_added_behind_the_last_bet_is_not_bet_on() -> None:
    desk = _desk()
    known = {row: bets for row, bets in Ladder(desk).placed.items() if row != 50}
    ladder = Ladder(desk, known)
    assert 50 not in ladder.placed
    assert ladder.new_rows == []


def test_a_changed_procedure_begins_with_a_wealth_of_1() -> None:
    desk = _desk()
    whole = Ladder(desk)
    earlier = {
        row: [LadderBet(one.candidate, one.opponent, "before", one.bet) for one in bets]
        for row, bets in whole.placed.items()
        if row < 120
    }
    ladder = Ladder(desk, earlier)
    assert whole.standing.serving() == MODEL
    assert ladder.standings[119].serving() == RULES
    assert ladder.standing.session_counts[MODEL] == 40
    assert ladder.placed[120][1].bet.log_wealth == 0.0


def test_sessions_without_a_scored_forecast_are_no_evidence() -> None:
    desk = _desk()
    pnl = desk.pnl.copy()
    pnl[40:60] = np.nan
    ladder = Ladder(dataclasses.replace(desk, pnl=pnl))
    assert not set(range(40, 60)) & set(ladder.placed)
    assert ladder.standings[99].serving() == RULES
    assert ladder.standings[100].serving() == MODEL


def test_the_gate_takes_desks_without_any_forecast() -> None:
    nothing = np.full((5, 2), np.nan)
    ladder = Ladder(GateInputs(nothing, nothing, np.zeros((5, 2), np.bool_), nothing, nothing, nothing, nothing))
    assert [standing.serving() for standing in ladder.standings] == [RULES] * 5
    empty = np.empty((0, 0))
    assert Ladder(GateInputs(empty, empty, empty > 0, empty, empty, empty, empty)).standing.serving() == RULES
    assert reasons(ladder.standing) == (
        "The model has no scored forecast that was issued before its session opened.",
        "Filtered historical simulation has no scored forecast that was issued before its session opened.",
    )


def _standing(count: int, **numbers: Any) -> Standing:
    bet = dataclasses.replace(NOTHING_BET, **numbers)
    return Standing({MODEL: LadderBet(MODEL, RULES, procedures()[MODEL], bet)}, {MODEL: count})


@pytest.mark.parametrize(
    ("count", "numbers", "said"),
    [
        (
            12,
            {},
            (
                "The model does not decide yet: 12 live sessions of 60, "
                "the bet that it beats the rules stands at 1.00 of 40."
            ),
        ),
        (
            80,
            {"log_wealth": math.log(7.25)},
            "The model does not decide yet: the bet that it beats the rules stands at 7.25 of 40.",
        ),
        (
            80,
            {"log_wealth": math.log(55), "log_high": math.log(31)},
            "The model does not decide yet: results fall below it too often (evidence 31 to 1).",
        ),
        (
            80,
            {"log_wealth": math.log(55), "log_low": math.log(31)},
            "The model does not decide yet: results fall below it too rarely (evidence 31 to 1).",
        ),
        (
            90,
            {"log_wealth": 100.0, "log_contrary": math.log(2.5), "is_serving": True},
            (
                "The model has beaten the rules: the bet on it stands at over 1,000,000, 40 was required; "
                "the bet against it since then stands at 2.50, 20 would end it."
            ),
        ),
    ],
)
def test_each_standing_is_said_in_a_sentence(count: int, numbers: dict[str, Any], said: str) -> None:
    assert step_reason(_standing(count, **numbers), MODEL) == said
