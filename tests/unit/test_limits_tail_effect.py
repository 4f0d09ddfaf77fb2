"""What cuts do to the tail: worked by hand, against a second method, and on desks whose answer is known."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from scipy import stats

from bench.tail import days_of
from risk.limits.tail_effect import (
    CutDays,
    Effect,
    TailEffect,
    bca_interval,
    cut_days,
    effect_sentences,
    is_quarter_end,
    measure_against,
    measure_effect,
    tail_mean,
    usual_losses,
    usual_place,
)
from risk.limits.track_record import IntradayPath, outcome_usd
from risk.model.panel import FloatMatrix, Panel
from simulation.law import stream
from simulation.truth import draw

ONE_DAY = np.zeros(1, np.int64)


def simulated_days(set_name: str, seed: int, cut_ratios: FloatMatrix | None = None, *, sessions: int = 130) -> CutDays:
    return days_of(draw(set_name, 12, sessions, seed), seed, cut_ratios)


def random_cuts(seed: int, sessions: int = 130) -> FloatMatrix:
    return np.where(stream(seed, 77).random((sessions, 12)) < 0.3, 0.4, 0.0)


@pytest.mark.parametrize("limit", ["100", "2500", "2700", "2700.01", "9000"])
def test_outcome_is_that_of_the_track_record(limit: str) -> None:
    lows = ("100", "2700", "6000")
    days = CutDays(
        *(ONE_DAY, ONE_DAY, np.array([5000.0]), np.array([5000.0]), np.array([2.0])),
        np.array([[*map(float, lows), np.inf]]),
        np.array([-400.0]),
    )
    expected = outcome_usd(IntradayPath([Decimal(low) for low in lows], Decimal(-400)), Decimal(limit))
    assert days.outcomes(np.array([float(limit)]))[0] * 2.0 == pytest.approx(float(expected))


def test_tail_is_the_mean_of_the_lowest_twentieth_rounded_down() -> None:
    # 45 outcomes: floor(45 / 20) = 2, the lowest are -9 and -5
    outcomes = np.concatenate(([-5.0, -9.0, -4.0], np.arange(42.0)))
    assert tail_mean(outcomes, np.ones(45)) == pytest.approx(-7.0)
    # drawn twice, -9 is both of them
    assert tail_mean(outcomes, np.array([0.0, 2.0, *np.ones(43)])) == pytest.approx(-9.0)
    assert np.isnan(tail_mean(outcomes[:19], np.ones(19)))


def test_interval_is_that_of_scipy() -> None:
    # given a skewed sample and scipy's own resamples of it
    sample = stream(3, 1).exponential(size=60)
    theirs = stats.bootstrap((sample,), np.mean, method="BCa", rng=np.random.default_rng(1))
    left_out = np.array([np.delete(sample, place).mean() for place in range(60)])

    # when
    ours = bca_interval(float(sample.mean()), theirs.bootstrap_distribution, left_out)

    # then
    assert ours == pytest.approx(tuple(theirs.confidence_interval), abs=0.003)


def test_tail_against_the_equal_cut_is_that_of_the_effect() -> None:
    # given random cuts, and everybody cut by their mean, to a tenth of a percent, as the control is
    days = simulated_days("medium", 1, random_cuts(1))
    equal = days.base_limits_usd * (1.0 - round(float(days.cut_ratios.mean()), 3))

    # when
    found, known = measure_against(days, equal), measure_effect(days)

    # then
    assert found is not None
    assert known is not None
    assert found.ratio == pytest.approx(known.against_equal.ratio)
    same = measure_against(days, days.limits_usd)
    assert same is not None
    assert (same.ratio, same.low, same.high) == (0.0, 0.0, 0.0)
    assert measure_against(simulated_days("medium", 1, sessions=119), np.ones(1)) is None


def test_everybody_cut_the_same_has_no_effect() -> None:
    # given cuts of 20 % for all on every day: the cuts are their own controls
    found = measure_effect(simulated_days("medium", 1, np.full((130, 12), 0.2)))

    # then
    assert found is not None
    for effect in (found.against_equal, found.against_own):
        assert (effect.ratio, effect.low, effect.high) == pytest.approx((0.0, 0.0, 0.0), abs=1e-12)
    assert found.random_p_value == 1.0


def test_cuts_by_the_true_tail_are_shown_and_random_ones_are_not() -> None:
    # given one desk, cut by the truth and by dice
    by_truth = measure_effect(simulated_days("strong", 1))
    by_dice = measure_effect(simulated_days("strong", 1, random_cuts(1)))

    # then
    assert by_truth is not None
    assert by_dice is not None
    assert by_truth.against_equal.low > 0.0
    assert by_truth.random_p_value < 0.01
    assert by_dice.against_equal.low <= 0.0
    assert by_dice.random_p_value > 0.01


def test_too_few_sessions_or_no_cut_is_no_effect() -> None:
    days = simulated_days("medium", 1, random_cuts(1, 119), sessions=119)
    assert measure_effect(days) is None
    assert measure_effect(simulated_days("medium", 1, np.zeros((130, 12)))) is None
    [sentence] = effect_sentences(None, 119, dt.date(2025, 9, 30))
    assert "119 sessions" in sentence
    assert "120 required" in sentence


def _days(count: int) -> list[dt.date]:
    return [dt.date(2025, 1, 1) + dt.timedelta(days=number) for number in range(count)]


def test_usual_loss_is_the_lower_median_of_forecasts_for_earlier_active_sessions() -> None:
    # given forecasts of -1, -2, ... and one session in which nobody traded
    pnl = np.ones((25, 1))
    pnl[3] = np.nan
    forecasts = -np.arange(1.0, 26.0)[:, None]

    # when
    usual = usual_losses(Panel.of(_days(25), ("A",), pnl), forecasts, np.array([20]))[:, 0]

    # then the twentieth used one is for session 21: 1 to 21 without 3, whose forecast was for the idle session. The
    # nine oldest weigh less than half, with the tenth, 11, too: (2^(10/60) - 1) / (2^(20/60) - 1) = 0.47.
    assert np.isnan(usual[:21]).all()
    assert usual[21] == 12.0
    # 1 to 22: the eleventh of 21 is 12, (2^(11/60) - 1) / (2^(21/60) - 1) = 0.49
    assert usual[22] == 13.0


def test_loss_of_sixty_places_before_weighs_half() -> None:
    # The newest weighs 1, the oldest 1/2: of 9, 59 times 5 and 1, the fives hold the middle.
    assert 1 <= usual_place(np.array([9.0] + [5.0] * 59 + [1.0])) <= 59
    assert usual_place(np.array([3.0])) == 0
    # 60 of 1, then n of 2, in units of the newest: 2 has more than half from 2^(n/60) - 1 > 1 - 2^(-1) on, n = 36
    assert usual_place(np.array([1.0] * 60 + [2.0] * 35)) < 60
    assert usual_place(np.array([1.0] * 60 + [2.0] * 36)) >= 60


def test_usual_loss_follows_who_doubles_his_size_and_the_median_of_everything_does_not() -> None:
    # given 120 forecasts of 1,000, then 2,000 for good
    forecasts = -np.where(np.arange(260) < 120, 1000.0, 2000.0)[:, None]
    usual = usual_losses(Panel.of(_days(260), ("A",), np.ones((260, 1))), forecasts, np.array([20]))[:, 0]

    # then of n new ones, 1 - 2^(-n/60) > 2^(-n/60) - 2^(-(120 + n)/60) from n = 49 on: 2^(n/60) > 2 - 2^(-2) = 1.75
    assert usual[120 + 48] == 1000.0
    assert usual[120 + 49] == 2000.0
    assert np.median(-forecasts[: 120 + 100]) == 1000.0


def test_usual_loss_of_a_trader_who_returns_begins_anew() -> None:
    # given 30 sessions, 45 without one, and 25 more; and the same with 44 between
    for absent, expected in ((45, 7.0), (44, 1.0)):
        count = 30 + absent + 25
        pnl = np.ones((count, 1))
        pnl[30 : 30 + absent] = np.nan
        forecasts = -np.where(np.arange(count) < 30 + absent, 1.0, 7.0)[:, None]

        usual = usual_losses(Panel.of(_days(count), ("A",), pnl), forecasts, np.array([20]))[:, 0]

        first = 30 + absent
        # the forecast for the session of the return is one of 1 and counts
        assert usual[first - 1] == 1.0
        assert np.isnan(usual[first : first + 19]).all() == (absent == 45)
        assert usual[first + 19] == expected


def _row(day: dt.date, account_id: str, *, is_live: bool = True) -> dict[str, Any]:
    amounts = {"base_limit_usd": Decimal(5000), "limit_usd": Decimal(3000), "close_usd": Decimal(-400)}
    lows = {"running_lows_usd": [Decimal(100), Decimal(500)] if account_id == "A" else []}
    return {"effective_session": day, "account_id": account_id, "is_live": is_live, **amounts, **lows}


def test_days_are_those_recommended_before_the_open_with_a_usual_loss() -> None:
    days = [dt.date(2025, 1, 1) + dt.timedelta(days=number) for number in range(3)]
    panel = Panel.of(days, ("A", "B"), np.ones((3, 2)))
    usual = np.array([[10.0, 20.0], [30.0, np.nan], [50.0, 60.0]])
    rows = [
        *(_row(days[0], "A"), _row(days[1], "A"), _row(days[1], "B"), _row(days[2], "B"), _row(days[1], "GONE")),
        *(_row(days[2], "A", is_live=False), _row(dt.date(2024, 1, 1), "A")),
    ]

    found = cut_days(rows, panel, usual)

    # the morning of the second session knew row 0; that of the third had none for B
    assert list(zip(found.sessions, found.accounts, found.usual_losses_usd, strict=True)) == [
        (0, 0, 10.0),
        (0, 1, 20.0),
    ]
    assert found.lows_usd.tolist() == [[100.0, 500.0, np.inf], [np.inf, np.inf, np.inf]]
    assert cut_days([], panel, usual).closes_usd.size == 0


@pytest.mark.parametrize(
    ("day", "is_end"), [("2025-09-30", True), ("2025-09-29", False), ("2025-12-31", True), ("2025-10-31", False)]
)
def test_effect_is_shown_at_quarter_ends_only(day: str, is_end: bool) -> None:
    session = dt.date.fromisoformat(day)
    effect = TailEffect(200, 2000, 0.15, 1.1, Effect(0.057, 0.02, 0.09), Effect(-0.01, -0.03, 0.01), 0.06, 0.004)

    main, others = effect_sentences(effect, 200, session)

    assert is_quarter_end(session) is is_end
    assert ("; shown)" in main) is is_end
    assert "5.7% smaller" in main
    assert "1.0% larger" in others


@pytest.mark.parametrize(("p_value", "is_shown"), [(0.049, True), (0.05, False)])
def test_effect_that_random_assignments_have_too_is_not_shown(p_value: float, is_shown: bool) -> None:
    session = dt.date(2025, 9, 30)
    effect = TailEffect(200, 2000, 0.15, 1.1, Effect(0.057, 0.02, 0.09), Effect(-0.01, -0.03, 0.01), 0.06, p_value)

    main, _ = effect_sentences(effect, 200, session)

    assert ("; shown)" in main) is is_shown
    assert ("; so far)" in main) is not is_shown
