"""Who counts as one person under dual control, and which amounts a person may type."""

from __future__ import annotations

from decimal import Decimal

import pytest

from risk.core.errors import RequestError
from risk.core.typed import parsed_amount
from risk.limits.second_person import is_same_person

ANN = ("ann", "Ann Smith")


@pytest.mark.parametrize(
    "other",
    [
        "ann",
        "ANN",
        "a n\u200bn",
        "\uff41\uff4e\uff4e",  # full width
        "\u0430nn",  # Cyrillic
        "\u0391nn",  # Greek
        "a\u0301nn",
        "\u00e1nn",
        "ann.",
        "a-n_n",
        "ann@desk1",
        "\u0430nn@desk1",
        "ann smith",
        "Ann Sm\u0456th",
    ],
)
def test_login_that_looks_like_another_is_the_same_person(other: str) -> None:
    assert is_same_person(ANN, (other, other))
    assert is_same_person((other, other), ANN)


@pytest.mark.parametrize("other", ["bob", "anna", "an", "", "1", "ann2"])
def test_login_of_another_name_is_another_person(other: str) -> None:
    assert not is_same_person(ANN, (other, other))


def test_names_without_any_letter_do_not_tell_people_apart() -> None:
    assert is_same_person(("\u200b", ""), ("\u200b\u200b", "\u2060"))
    assert is_same_person(("...", "!"), ("?", "?"))
    assert not is_same_person(("", ""), ("", ""))


@pytest.mark.parametrize(
    ("text", "amount"),
    [("3000", "3000"), ("$3,000", "3000"), ("12,345,678.90", "12345678.90"), (" 0 ", "0"), ("3000.5", "3000.5")],
)
def test_amount_in_dollars_and_cents_is_read(text: str, amount: str) -> None:
    assert parsed_amount(text) == Decimal(amount)


@pytest.mark.parametrize(
    "text",
    [
        "25,00",  # twenty-five, where the comma is the decimal point
        "1,0,0,0.5",
        "3,0000",
        ",300",
        "3000,",
        "1234,567",
        "3.000,00",
        "3000.",
        "NaN",
        "-3000",
        "1e3",
        "\uff13\uff10\uff10\uff10",
        "$$3000",
        "3 000",
        "",
    ],
)
def test_amount_that_may_mean_another_one_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="is not an amount in dollars and cents"):
        parsed_amount(text)
