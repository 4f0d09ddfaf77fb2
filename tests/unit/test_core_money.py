"""The one formatter of amounts, ratios and counts."""

from __future__ import annotations

from decimal import Decimal

import pytest

from risk.core.money import (
    counted,
    multiple,
    p_value,
    percent,
    probability,
    signed_usd,
    signed_usd_cents,
    usd,
    usd_cents,
    usd_exact,
)


@pytest.mark.parametrize(
    ("amount", "whole", "cents", "exact"),
    [
        ("16124", "$16,124", "$16,124.00", "$16,124"),
        ("-1987.4", "-$1,987", "-$1,987.40", "-$1,987.40"),
        ("-0.001", "$0", "$0.00", "$0"),
        ("2999.50", "$3,000", "$2,999.50", "$2,999.50"),
    ],
)
def test_dollars_carry_their_sign_before_the_dollar(amount: str, whole: str, cents: str, exact: str) -> None:
    assert usd(Decimal(amount)) == whole
    assert usd(float(amount)) == whole
    assert usd_cents(Decimal(amount)) == cents
    assert usd_exact(Decimal(amount)) == exact


@pytest.mark.parametrize(
    ("amount", "whole", "cents"),
    [
        ("10", "+$10", "+$10.00"),
        ("-10", "-$10", "-$10.00"),
        ("0", "$0", "$0.00"),
        ("-0.004", "$0", "$0.00"),
        ("0.4", "$0", "+$0.40"),
    ],
)
def test_signed_dollars_mark_gains_with_a_plus_and_zero_with_nothing(amount: str, whole: str, cents: str) -> None:
    assert signed_usd(Decimal(amount)) == whole
    assert signed_usd_cents(Decimal(amount)) == cents


def test_ratios_are_percentages_and_multiples() -> None:
    assert percent(Decimal("0.60")) == "60%"
    assert percent(-0.1234, 1) == "-12.3%"
    assert percent(-0.001) == "0%"
    assert multiple(14.46) == "14.5x"


def test_small_probabilities_are_never_written_as_zero() -> None:
    assert probability(0.0004) == "<0.1%"
    assert probability(0.004) == "0.4%"
    assert p_value(0.0004) == "<0.001"
    assert p_value(0.0341) == "0.034"


def test_counts_carry_the_noun_that_agrees_with_them() -> None:
    assert counted(1, "trader") == "1 trader"
    assert counted(1200, "trader") == "1,200 traders"
    assert counted(2, "day with losses", "days with losses") == "2 days with losses"
