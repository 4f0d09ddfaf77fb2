"""What must hold for limits in force over any mornings: down at once, up by halves while low, never compounded."""

from __future__ import annotations

import itertools
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from risk.limits.policy import limit_in_force, new_limit_usd

HALF = Decimal("0.50")
BASES = st.decimals("100", "100000", places=2)
CUTS = st.lists(st.integers(0, 16).map(lambda step: Decimal(5 * step) / 100), min_size=1, max_size=40)


def level(cut: Decimal) -> str:
    return "high" if cut >= Decimal("0.40") else "moderate" if cut >= Decimal("0.20") else "low"


def path(base: Decimal, cuts: list[Decimal]) -> list[Decimal]:
    """Publish what each morning recommends; the cuts are always of the base limit."""
    limits: list[Decimal] = []
    for cut in cuts:
        before = limits[-1] if limits else None
        limits.append(limit_in_force(new_limit_usd(base, cut), before, base, level(cut), HALF)[0])
    return limits


@given(base=BASES, cuts=CUTS)
def test_limit_in_force_is_never_below_what_a_morning_has_recommended(base: Decimal, cuts: list[Decimal]) -> None:
    recommended = [new_limit_usd(base, cut) for cut in cuts]

    for number, limit in enumerate(path(base, cuts), start=1):
        # Compounding cuts would go below the lowest of them: 40 % twice is 36 % of the base limit, never 60 %.
        assert min(recommended[:number]) <= limit <= recommended[number - 1]
        assert limit >= new_limit_usd(base, Decimal("0.80"))
        assert limit == limit.quantize(Decimal("0.01"))


@given(base=BASES, cuts=CUTS)
def test_limit_falls_to_the_recommended_one_at_once_and_rises_by_half_of_the_gap_at_most(
    base: Decimal, cuts: list[Decimal]
) -> None:
    for (before, after), cut in zip(itertools.pairwise(path(base, cuts)), cuts[1:], strict=True):
        recommended = new_limit_usd(base, cut)
        gap = Fraction(recommended) - Fraction(before)
        if gap <= 0:
            assert after == recommended
        elif level(cut) != "low":
            assert after == before
        elif gap <= Fraction(base) / 100:
            assert after == recommended
        else:
            assert 0 <= gap / 2 - (Fraction(after) - Fraction(before)) < Fraction(1, 100)


@given(base=BASES, cuts=CUTS)
def test_limit_is_the_base_limit_again_after_eight_mornings_without_a_cut(base: Decimal, cuts: list[Decimal]) -> None:
    # The widest gap is 80 %: 80, 40, 20, 10, 5, 2.5, 1.25, 0.63 % and then nothing.
    assert path(base, [*cuts, *[Decimal(0)] * 8])[-1] == base
