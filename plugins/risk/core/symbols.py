"""Symbols: what an instrument is by the form of its symbol alone, and the spellings of one option read into one.

- **Equity**: one to five capitals, then at most two suffixes for class, type or exchange (``BRK/A``, ``BHC-P``,
  ``RY.TO``); a pair of currency codes (``EUR.USD``) or a name of the futures exchanges (``ES=F``) is none, nor is a
  coin priced in something else than dollars (``BTC/EUR``).
- **Option**: the OSI symbol of 21 characters (``AAPL  250919C00150000``). `read_symbol` reads what platforms and
  brokers write into it where that can mean one option only (`risk.core.option_spellings`).
- **Future**: a root with month and year in any usual spelling (``/ESU5``, ``ESU25``, ``ES 09-25``, ``ESU5.CME``), or
  the root of all its expiries (``/ES``, ``ES1!``, ``@ES``). ``ES`` alone is an equity: it is one, too.
- **Pair**: ``@EURUSD``, so many of the second currency for one of the first.

Everything else is unknown; so is the multiplier of everything but equities, pairs and options until it is stated.
Source of the forms of equities, futures and pairs: PropReports, *Symbology*.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from risk.core.option_spellings import MONTHS, Option, osi_option, read_option

Kind = Literal["equity", "option", "future", "pair", "unknown"]

SYMBOL: Final = re.compile(r"[A-Z0-9@/$^.+#-][A-Z0-9 ./_:^$@&#*+=!-]{0,47}")
"""Any symbol, upper case; neither markup nor control characters."""

LONGEST_TEXT: Final = 80
"""Longer texts are no symbol, not even the words of an option."""

CURRENCIES: Final = frozenset(
    re.findall(
        "[A-Z]{3}",
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD "
        "CDF CHF CLP CNH CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF "
        "GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP "
        "LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB "
        "PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL "
        "THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XAG XAU XCD XOF XPD XPF XPT "
        "YER ZAR ZMW ZWG",
    )
)
"""Codes of ISO 4217 in use, the metals among them, and the offshore yuan."""

_EQUITY: Final = re.compile(r"[A-Z]{1,5}(?:[./^$+=-][A-Z]{0,4}){0,2}")
_FUTURES_EXCHANGES: Final = "CME|CBT|CBOT|NYM|CMX|CFE|XCME|XCBT|XNYM|XCEC|XCBF|GLBX|FUT"
_QUOTES: Final = "USDT|USDC|BUSD|DAI|BTC|XBT|ETH|EUR|GBP|JPY|CHF|CAD|AUD|NZD|HKD|SGD|CNH|MXN|SEK|NOK"
_NO_EQUITY: Final = re.compile(
    rf"([A-Z]{{3}})[./-]([A-Z]{{3}})|.*=[FX]|.*\.(?:{_FUTURES_EXCHANGES})|[A-Z]+[./-](?:{_QUOTES})"
)
"""Two currency codes, Yahoo's futures and rates, exchanges that trade futures only, and coins (``BTC/EUR``) whose price
is not in US dollars."""

_PAIR: Final = re.compile(r"@([A-Z]{3})([A-Z]{3})")

_MONTH_CODES: Final = "FGHJKMNQUVXZ"
_ROOT: Final = r"(?P<root>[A-Z][A-Z0-9]{0,3}|[0-9]{1,2}[A-Z][A-Z0-9]?)"
_YEAR: Final = r"(?P<year>20[0-9]{2}|[0-9]{1,2})"
_EXCHANGE: Final = r"(?:[.:@ -][A-Z]{1,6})?"
_FUTURES: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?:[/@]|F\.(?:US\.)?)?{_ROOT} ?(?P<code>[{_MONTH_CODES}]){_YEAR}{_EXCHANGE}",
        rf"[/@]?{_ROOT}[ _](?P<number>0[1-9]|1[0-2])[-/]{_YEAR}{_EXCHANGE}",
        rf"[/@]?{_ROOT}[ _](?:[0-9]{{1,2}} ?)?(?P<name>{'|'.join(MONTHS)})[ '-]?{_YEAR}{_EXCHANGE}",
        rf"/{_ROOT}{_EXCHANGE}",
        rf"@{_ROOT}#?{_EXCHANGE}",
        rf"{_ROOT}(?:[1-9]!|=F| ##-##|\.(?:{_FUTURES_EXCHANGES}))",
    )
)


class Future(NamedTuple):
    """A future, or all expiries of its root.

    Attributes
    ----------
    root
        Such as ``ES``.
    month
        1 to 12; ``None`` = every expiry.
    year_digits
        One, two or four digits, as written; empty = every expiry.
    """

    root: str
    month: int | None
    year_digits: str

    @property
    def contract(self) -> tuple[str, int | None, str]:
        """What all spellings of the contract share: one digit of the year is all that many of them have."""
        return self.root, self.month, self.year_digits[-1:]

    @property
    def of_root(self) -> tuple[str, int | None, str]:
        """As ``contract``, of every expiry."""
        return self.root, None, ""


def read_symbol(text: str) -> str | None:
    """Read a symbol: upper case, an option in any spelling as its OSI symbol; ``None`` if the text cannot be one.

    Only ASCII letters have two cases here.
    """
    name = text.strip(" ")
    if not name.isascii() or len(name) > LONGEST_TEXT:
        return None
    name = name.upper()
    if _EQUITY.fullmatch(name):
        return name
    option = read_option(name)
    if option is not None:
        return option.symbol
    return name if SYMBOL.fullmatch(name) else None


@lru_cache(maxsize=65_536)
def kind_of(symbol: str) -> Kind:
    """Return what a symbol, as `read_symbol` returns it, is by its form."""
    if _EQUITY.fullmatch(symbol):
        excluded = _NO_EQUITY.fullmatch(symbol)
        if not excluded or (excluded[1] and not _is_quoted(excluded[1], excluded[2])):
            return "equity"
    if osi_option(symbol) is not None:
        return "option"
    if pair_of(symbol) is not None:
        return "pair"
    return "unknown" if future_of(symbol) is None else "future"


def _is_quoted(base: str, quote: str) -> bool:
    """Tell whether two names of three letters are a price of one thing in another: currencies, or a coin."""
    return {base, quote} <= CURRENCIES or re.fullmatch(_QUOTES, quote) is not None


@lru_cache(maxsize=65_536)
def option_of(symbol: str) -> Option | None:
    """Return the parts of an option's OSI symbol; ``None`` = it is none."""
    return osi_option(symbol)


def pair_of(symbol: str) -> tuple[str, str] | None:
    """Return the two currencies of a pair; ``None`` = it is none."""
    pair = _PAIR.fullmatch(symbol)
    return (pair[1], pair[2]) if pair and {pair[1], pair[2]} <= CURRENCIES else None


@lru_cache(maxsize=65_536)
def future_of(symbol: str) -> Future | None:
    """Return the parts of a future's symbol; ``None`` = it has not the form of one."""
    if pair_of(symbol) is not None:
        return None
    for pattern in _FUTURES:
        found = pattern.fullmatch(symbol)
        if found:
            parts = found.groupdict()
            return Future(parts["root"], _month(parts), parts.get("year") or "")
    return None


def _month(parts: dict[str, str]) -> int | None:
    if "code" in parts:
        return _MONTH_CODES.index(parts["code"]) + 1
    if "number" in parts:
        return int(parts["number"])
    return MONTHS.index(parts["name"]) + 1 if "name" in parts else None
