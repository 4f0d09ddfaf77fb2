"""How amounts, ratios and counts are written for people, in Python and, as filters, in templates; exact sums."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context, Decimal
from types import MappingProxyType

Number = Decimal | float | int

EXACT = Context(prec=120)
"""Books have up to 24 decimal places: the usual 28 digits would round them."""


def usd(amount: Number) -> str:
    """Write whole US dollars: ``$16,124``, ``-$1,987``."""
    return f"${amount:z,.0f}".replace("$-", "-$")


def usd_cents(amount: Number) -> str:
    """Write US dollars to the cent: ``$16,124.00``, ``-$1,987.50``."""
    return f"${amount:z,.2f}".replace("$-", "-$")


def usd_exact(amount: Number) -> str:
    """Write US dollars, with cents only where there are some: ``$3,000``, ``$2,999.50``; for limits."""
    return usd_cents(amount).removesuffix(".00")


def signed_usd(amount: Number) -> str:
    """Write whole US dollars with their sign: ``+$16,124``, ``-$1,987``, ``$0``."""
    return _plus(usd(amount))


def signed_usd_cents(amount: Number) -> str:
    """Write US dollars to the cent with their sign: ``+$16,124.00``, ``-$1,987.50``, ``$0.00``."""
    return _plus(usd_cents(amount))


def percent(ratio: Number, decimals: int = 0) -> str:
    """Write a ratio as a percentage: ``60%``; with one decimal ``12.5%``."""
    return f"{ratio:z.{decimals}%}"


def probability(value: Number) -> str:
    """Write a probability as a percentage; one that rounds to nothing is not nothing: ``<0.1%``."""
    return "<0.1%" if value < 0.001 else percent(value, 1)


def p_value(value: Number) -> str:
    """Write a p-value: ``0.034``, ``<0.001``."""
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def multiple(ratio: Number) -> str:
    """Write how many times one amount is another: ``14.5x``."""
    return f"{ratio:z,.1f}x"


def count(number: int) -> str:
    """Write a count: ``12,345``."""
    return f"{number:,}"


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """Write a count with its noun: ``1 trader``, ``12 traders``; name a plural that is not formed with *s*."""
    return f"{number:,} {singular if number == 1 else plural or f'{singular}s'}"


def _plus(text: str) -> str:
    has_sign = text.startswith("-") or not text.strip("$0.,")
    return text if has_sign else f"+{text}"


FILTERS: MappingProxyType[str, Callable[..., str]] = MappingProxyType(
    {
        function.__name__: function
        for function in (
            usd,
            usd_cents,
            usd_exact,
            signed_usd,
            signed_usd_cents,
            percent,
            probability,
            p_value,
            multiple,
            count,
            counted,
        )
    }
)
"""Filters of the Jinja environments; ``count`` replaces Jinja's alias of ``length``."""
