"""What must hold for every path and every limit."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from risk.limits.track_record import SLIPPAGE_RATIO, IntradayPath, benefit_usd, outcome_usd

AMOUNTS = st.decimals(Decimal("-9000"), Decimal("9000"), places=2)
LIMITS = st.decimals(Decimal("100"), Decimal("9000"), places=2)


@st.composite
def walks(draw: st.DrawFn) -> list[Decimal]:
    return draw(st.lists(AMOUNTS, min_size=1, max_size=30))


def path_of(running: list[Decimal]) -> IntradayPath:
    depths: list[Decimal] = []
    for value in running:
        if -value > max(depths, default=Decimal(0)):
            depths.append(-value)
    return IntradayPath(depths, running[-1])


@given(walks(), LIMITS)
def test_outcome_is_that_of_walking_fill_by_fill(running: list[Decimal], limit: Decimal) -> None:
    stopped = next((value - SLIPPAGE_RATIO * limit for value in running if value <= -limit), running[-1])

    assert outcome_usd(path_of(running), limit) == stopped


@given(walks(), LIMITS)
def test_no_cut_is_worth_nothing(running: list[Decimal], limit: Decimal) -> None:
    assert benefit_usd(path_of(running), limit, limit) == 0


@given(walks(), LIMITS, LIMITS)
def test_smaller_limit_never_ends_a_day_later(running: list[Decimal], one: Decimal, other: Decimal) -> None:
    small, large = sorted((one, other))
    ends = [next((n for n, value in enumerate(running) if value <= -limit), len(running)) for limit in (small, large)]

    assert ends[0] <= ends[1]
    # Without the slippage the mark it ends at is never a deeper one, unless it is the close.
    marks = [outcome_usd(path_of(running), limit) + SLIPPAGE_RATIO * limit for limit in (small, large)]
    assert marks[0] >= marks[1] or ends[1] == len(running)


@given(walks(), LIMITS)
def test_limit_that_is_never_reached_changes_nothing(running: list[Decimal], limit: Decimal) -> None:
    if min(running) > -limit:
        assert outcome_usd(path_of(running), limit) == running[-1]


@given(walks(), st.decimals(Decimal("0.01"), Decimal("0.80"), places=2), st.integers(1, 9))
def test_outcome_grows_with_the_money_at_stake(running: list[Decimal], cut: Decimal, times: int) -> None:
    base = Decimal(5000)
    once = benefit_usd(path_of(running), base, base * (1 - cut))
    scaled = benefit_usd(path_of([value * times for value in running]), base * times, base * times * (1 - cut))

    assert scaled == once * times
