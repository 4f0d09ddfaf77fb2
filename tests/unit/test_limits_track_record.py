"""What past cuts were worth: worked by hand, and judged on desks whose answer is known."""

from __future__ import annotations

import itertools
import random
import statistics
from collections.abc import Iterable, Sequence
from decimal import Decimal

import pytest

from risk.limits.track_record import (
    SLIPPAGE_RATIO,
    IntradayPath,
    PastCut,
    benefit_usd,
    evaluate_cuts,
    outcome_usd,
    sentences,
)

BASE = Decimal(5000)
HALF = Decimal("0.50")
NONE = Decimal("0.00")


def path(*running: str | float) -> IntradayPath:
    """Make a path from the running results after each fill; the last one is the close."""
    known = [Decimal(str(value)) for value in running]
    depths: list[Decimal] = []
    for value in known:
        if -value > max(depths, default=Decimal(0)):
            depths.append(-value)
    return IntradayPath(depths, known[-1])


def entry(day: IntradayPath, cut: Decimal, *, is_live: bool = True) -> PastCut:
    return PastCut(is_live, BASE, cut, BASE * (1 - cut), day)


def average(sessions: Sequence[Sequence[PastCut]]) -> Decimal:
    entries = list(itertools.chain(*sessions))
    share = sum(one.base_limit_usd * one.cut_ratio for one in entries) / sum(one.base_limit_usd for one in entries)
    return share.quantize(Decimal("0.0001"))


@pytest.mark.parametrize(
    ("running", "outcome"),
    [
        # The first mark at or below -2,500 is -2,700; less 5 % of 2,500, which is 125: -2,825.
        (("-100", "-2700", "-6000", "-400"), "-2825"),
        # Exactly the limit reaches it: -2,500 - 125.
        (("-2500", "900"), "-2625"),
        # A cent above the limit does not: the close counts.
        (("-2499.99", "900"), "900"),
        (("300", "120.50"), "120.50"),
    ],
)
def test_day_ends_at_the_first_mark_that_reaches_the_limit(running: tuple[str, ...], outcome: str) -> None:
    assert outcome_usd(path(*running), Decimal(2500)) == Decimal(outcome)


def test_close_is_no_mark_to_stop_at() -> None:
    # Open positions fell to -3,000 at the closing mark, after the last fill at -200.
    assert outcome_usd(IntradayPath([Decimal(200)], Decimal(-3000)), Decimal(2500)) == Decimal(-3000)


def test_cut_is_worth_what_it_changes() -> None:
    # Under 2,500: -2,600 - 125 = -2,725. Under 5,000: -5,100 - 250 = -5,350. The cut prevented 2,625.
    fell = path("-2600", "-5100", "-9000")
    assert benefit_usd(fell, BASE, Decimal(2500)) == Decimal(2625)
    # Under 2,500: -2,725; under 5,000 the close at 400. The cut cost 3,125.
    recovered = path("-2600", "400")
    assert benefit_usd(recovered, BASE, Decimal(2500)) == Decimal(-3125)


def test_totals_add_prevented_and_forgone_apart() -> None:
    fell, recovered, calm = path("-2600", "-5100", "-9000"), path("-2600", "400"), path("-10", "25")
    sessions = [[entry(fell, HALF), entry(calm, NONE)], [entry(recovered, HALF, is_live=False), entry(calm, HALF)]]

    found = evaluate_cuts(sessions, average(sessions))

    # 2,625 prevented, 3,125 forgone, net -500; three of four were cut by half: 37.5 % on average.
    assert (found.prevented_usd, found.forgone_usd, found.net_usd) == (2625, -3125, -500)
    assert (found.entry_count, found.live_count, found.cut_count, found.session_count) == (4, 3, 3, 2)
    assert found.average_cut_ratio == Decimal("0.3750")
    # Everybody at 3,125: the first falls to -5,100 - 156.25 against -5,350 = +93.75; the others never reach it.
    assert found.uniform_net_usd == Decimal("93.75")
    assert found.verdict == "too few"
    assert sentences(found)[0].startswith("No evidence of benefit yet: 2 sessions")


def test_random_control_is_the_mean_over_all_ways_to_give_the_cuts_away() -> None:
    days = [path("-2600", "-5100", "-9000"), path("-1200", "400"), path("-3900", "-4200"), path("50")]
    cuts = [HALF, NONE, Decimal("0.80"), NONE]
    session = [entry(day, cut) for day, cut in zip(days, cuts, strict=True)]

    found = evaluate_cuts([session], average([session]))

    nets = [
        float(sum(benefit_usd(day, BASE, BASE * (1 - cut)) for day, cut in zip(days, given, strict=True)))
        for given in itertools.permutations(cuts)
    ]
    assert float(found.random_net_usd) == pytest.approx(statistics.fmean(nets), abs=0.01)
    assert float(found.random_deviation_usd) == pytest.approx(statistics.pstdev(nets), abs=0.01)


def desk(seed: int, session_count: int, account_count: int = 12) -> list[list[IntradayPath]]:
    """Walk every account through a fair game: fills that are up or down by the same, with the same probability."""
    dice = random.Random(seed)
    days = []
    for _ in range(session_count):
        paths = []
        for _ in range(account_count):
            steps = [dice.choice((-400, 400)) for _ in range(60)]
            paths.append(path(*itertools.accumulate(steps)))
        days.append(paths)
    return days


def test_fair_game_is_no_evidence_whoever_is_cut() -> None:
    gains = []
    for seed in range(30):
        dice = random.Random(1000 + seed)
        sessions = [[entry(day, dice.choice((HALF, NONE))) for day in days] for days in desk(seed, 40)]
        found = evaluate_cuts(sessions, average(sessions))
        assert found.verdict != "evidence"
        assert sentences(found)[0].startswith("No evidence of benefit")
        gains.append(float(found.net_usd + slippage_usd(itertools.chain(*sessions))))

    # Stopping a fair game is worth nothing but what getting out costs.
    assert abs(statistics.fmean(gains)) < 3 * statistics.stdev(gains) / len(gains) ** 0.5


def slippage_usd(entries: Iterable[PastCut]) -> Decimal:
    """Add up what getting out under the cuts has cost beyond getting out under the base limits."""
    return sum(
        (
            (limit * (limit <= worst) - base * (base <= worst)) * SLIPPAGE_RATIO
            for _, base, _, limit, day in entries
            if (worst := max(day.running_lows_usd, default=Decimal(0)))
        ),
        Decimal(0),
    )


def test_cutting_everybody_on_a_losing_desk_does_not_look_like_evidence() -> None:
    # Everybody falls all day: any cut prevents a loss, and none tells anybody apart.
    falling = path(*range(-200, -12001, -200))
    sessions = [[entry(falling, HALF) for _ in range(5)] for _ in range(60)]

    found = evaluate_cuts(sessions, average(sessions))

    assert found.net_low_usd is not None
    assert found.net_low_usd > 0
    assert found.net_usd == found.uniform_net_usd
    assert found.verdict == "no evidence"
    assert "choosing whom to cut" in sentences(found)[0]


def test_cuts_that_hit_those_who_fall_are_evidence() -> None:
    falling, rising = path(*range(-200, -12001, -200)), path("-2600", "800")
    sessions = [
        [entry(falling if bad == number else rising, HALF if bad == number else NONE) for number in range(5)]
        for bad in [place % 5 for place in range(60)]
    ]

    found = evaluate_cuts(sessions, average(sessions))

    assert found.verdict == "evidence"
    assert sentences(found)[0].startswith("Evidence of benefit: ")


def test_cuts_that_hit_those_who_recover_have_cost_money() -> None:
    recovered = path("-2600", "800")
    sessions = [[entry(recovered, HALF), entry(recovered, NONE)] for _ in range(30)]

    found = evaluate_cuts(sessions, average(sessions))

    assert found.verdict == "harm"
    # Each session: -2,600 - 125 = -2,725 instead of 800, which is -3,525; 30 of them.
    sentence = sentences(found)[0]
    assert sentence.startswith("No evidence of benefit")
    assert "-$105,750" in sentence


def test_nothing_is_judged_without_a_cut() -> None:
    assert evaluate_cuts([], Decimal(0)).verdict == "nothing"
    calm = [[entry(path("10"), NONE)] for _ in range(30)]
    assert evaluate_cuts(calm, Decimal(0)).verdict == "nothing"
    assert len(sentences(evaluate_cuts(calm, Decimal(0)))) == 1
