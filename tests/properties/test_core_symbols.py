"""What holds for every symbol: only equities and currency pairs count as one unit, and every option is read back."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from risk.books.executions import UNIT
from risk.books.prices import PriceBook, ScaledInstrument
from risk.core.option_spellings import Option
from risk.core.symbols import CURRENCIES, SYMBOL, kind_of, option_of, read_symbol
from tests.properties.effort import many_examples

DAY = dt.date(2025, 8, 14)
EQUITY = re.compile(r"[A-Z]{1,5}(?:[./^$+=-][A-Z]{0,4}){0,2}")

pieces = st.sampled_from(
    ["ES", "AAPL", "EUR", "USD", "U5", "SEP25", "250919", "C", "00150000", "150", "/", "@", ".", "-"]
)
texts = st.one_of(
    st.from_regex(SYMBOL, fullmatch=True),
    st.lists(pieces, min_size=1, max_size=5).map("".join),
    st.lists(pieces, min_size=1, max_size=5).map(" ".join),
    st.text(max_size=20),
)
options = st.builds(
    Option,
    root=st.from_regex(r"[0-9]?[A-Z]{1,4}[0-9]?", fullmatch=True),
    expiry=st.dates(dt.date(2013, 1, 1), dt.date(2045, 12, 31)),
    right=st.sampled_from("CP"),
    strike=st.integers(1, 99_999_999).map(lambda thousandths: Decimal(thousandths).scaleb(-3)),
)


@many_examples
@given(text=texts, stated=st.one_of(st.none(), st.integers(1, 1000)))
def test_only_equities_and_pairs_count_as_one_unit_unless_a_multiplier_is_stated(text: str, stated: int | None) -> None:
    symbol = read_symbol(text)
    if symbol is None:
        return
    terms = [] if stated is None else [ScaledInstrument(DAY, symbol, stated * UNIT, None)]

    multiplier = PriceBook([DAY], [], [], terms).value(DAY, symbol, "USD").multiplier

    if stated is not None:
        assert multiplier == stated * UNIT
    elif multiplier == UNIT:
        is_pair = symbol[0] == "@" and {symbol[1:4], symbol[4:]} <= CURRENCIES
        assert is_pair or EQUITY.fullmatch(symbol)
    else:
        assert multiplier == (100 * UNIT if option_of(symbol) else None)


@many_examples
@given(text=texts)
def test_a_symbol_that_was_read_is_read_as_itself(text: str) -> None:
    symbol = read_symbol(text)

    assert symbol is None or (read_symbol(symbol) == symbol and SYMBOL.fullmatch(symbol))


@many_examples
@given(option=options)
def test_an_option_is_the_same_in_every_spelling(option: Option) -> None:
    root, day, right, strike = option
    das_date = "".join("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[part] for part in (day.year - 2010, day.month, day.day))
    compact = f"{root}{day:%y%m%d}{right}"
    word = {"C": "Call", "P": "Put"}[right]
    spellings = [
        option.symbol,
        option.symbol.replace(" ", ""),
        f".{compact}{strike.normalize():f}",
        f"-{compact}{strike:f}",
        f"+{root}{'^' if right == 'C' else '*'}{das_date}{strike:f}",
        f"{root}_{day:%m%d%y}{right}{strike:f}",
        f"{root} {day:%m/%d/%Y} {strike:f} {right}",
        f"{root} {day:%d%b%y} {strike:f} {right}",
        f"{root} {day:%b %d %Y} {strike:f} {word}",
        f"{root} ${strike:,f} {word} {day.month}/{day.day}/{day.year}",
        f"{word} {root} {day:%m/%d/%y} {strike:f}",
    ]

    assert [read_symbol(text) for text in spellings] == [option.symbol] * len(spellings)
    assert (kind_of(option.symbol), option_of(option.symbol)) == ("option", option)
