"""Files of executions in the shapes of brokers, as the sources of our presets document them, with invented fills."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

OUR_HEADER = "Date/Time,Account,B/S,Qty,Symbol,Price,Comm,Ecn,Order Id,Fill Id"
NEW_YORK = ZoneInfo("America/New_York")
INSTRUMENTS = "Date,Symbol,Multiplier\n2025-01-02,/MES,5\n2025-01-02,/NQ,20\n"
"""Multipliers of the futures below, whatever their expiry."""


class Drawn(NamedTuple):
    """A fill that every shape can state; ``symbol``: the number of its symbol in the shape."""

    wall_time: dt.datetime
    account: str
    side: str
    quantity: int
    symbol: int
    price: Decimal
    commission: Decimal
    rebate: Decimal
    number: int

    @property
    def is_bought(self) -> bool:
        """Whether it adds to the position."""
        return self.side in "BC"

    @property
    def signed(self) -> int:
        """Its quantity, negative where it is sold."""
        return self.quantity if self.is_bought else -self.quantity

    def word(self, *words: str) -> str:
        """Return one of four words for B, S, T, C."""
        return dict(zip("BSTC", words, strict=True))[self.side]


class Shape(NamedTuple):
    """A broker's shape.

    Attributes
    ----------
    file_name
        Name of its file.
    lead
        What stands before the header.
    header
        Names of its columns.
    row
        Makes the fields of a fill.
    our_symbols
        Its two symbols as our own file writes them.
    stated
        What it states beside time, side, quantity, symbol and price.
    """

    file_name: str
    header: str
    row: Callable[[Drawn], Iterable[object]]
    our_symbols: tuple[str, str] = ("XYZ", "BRK/A")
    stated: frozenset[str] = frozenset(("account", "commission", "rebate", "order", "fill"))
    lead: str = ""

    def write(self, path: Path, fills: Iterable[Drawn]) -> None:
        """Write fills into a file of this shape."""
        path.write_text(self.lead + _text(self.header, map(self.row, fills)), encoding="utf-8")

    def write_ours(self, path: Path, fills: Iterable[Drawn], account: str = "") -> None:
        """Write what the shape states of fills into a file with our columns."""
        path.write_text(_text(OUR_HEADER, (self._our_row(fill, account) for fill in fills)), encoding="utf-8")

    def _our_row(self, fill: Drawn, account: str) -> Iterable[object]:
        yield from (f"{fill.wall_time:%m/%d/%Y %H:%M:%S}", fill.account if "account" in self.stated else account)
        yield from (fill.side, fill.quantity, self.our_symbols[fill.symbol], fill.price)
        yield fill.commission if "commission" in self.stated else 0
        yield fill.rebate if "rebate" in self.stated else 0
        yield fill.number // 3 if "order" in self.stated else ""
        yield fill.number if "fill" in self.stated else ""


def _text(header: str, rows: Iterable[Iterable[object]]) -> str:
    buffer = io.StringIO()
    buffer.write(header + "\n")
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue()


def _das(fill: Drawn) -> Iterable[object]:
    yield from (f"{fill.wall_time:%H:%M:%S}", ("XYZ", "BRK/A")[fill.symbol], fill.word("B", "S", "SS", "BC"))
    yield from (fill.price, fill.quantity, "ARCA", "", fill.account, "Limit", fill.number // 3)


def _tradezero(fill: Drawn) -> Iterable[object]:
    yield from (fill.account, f"{fill.wall_time:%m/%d/%Y}", "08/18/2025", "USD", 2, fill.word("B", "S", "SS", "BC"))
    yield from (("XYZ", "BRK/A")[fill.symbol], fill.quantity, fill.price, f"{fill.wall_time:%H:%M:%S}")
    yield from (fill.commission, 0, 0, 0, 0, fill.rebate, 0, 1, 1, "LAMP", "", "")


def _lightspeed(fill: Drawn) -> Iterable[object]:
    word = fill.word("Long Buy", "Long Sell", "Short Sell", "Short Cover")
    yield from (f"{fill.account} ", "2", "B  " if fill.is_bought else "S  ", f"{('XYZ', 'BRK/A')[fill.symbol]} ", "")
    yield from ("USD", "equity    ", f"{word:<50}", "08/15/2025", "08/18/2025", "08/15/2025", fill.price, fill.signed)
    yield from (fill.number, 1, 1, fill.commission, f"{fill.wall_time:%H:%M}     ")
    yield from (f"{fill.wall_time:%m/%d/%Y %H:%M:%S}", "N", "", ".0000000000", 0, fill.rebate, 0, 0, 0, 0, 0, 1, "99")
    yield from ("1", "LF ", "21 ", "H ", " ", "       ", 0, fill.number, 1, "FIX", 0, 0, 0, " ", "Trade")


def _ibkr(fill: Drawn) -> Iterable[object]:
    yield from (fill.account, "", "USD", "STK", ("XYZ", "BRK/A")[fill.symbol], 1, f"{fill.wall_time:%Y%m%d;%H%M%S}")
    yield from ("20250815", "BUY" if fill.is_bought else "SELL", fill.signed, fill.price, -fill.commission)
    yield from ("USD", -fill.rebate, fill.number // 3, fill.number, "EXECUTION")


def _tradervue(fill: Drawn) -> Iterable[object]:
    yield from (f"{fill.wall_time.month}/{fill.wall_time.day}/2025", f"{fill.wall_time:%H:%M:%S}")
    yield from (("XYZ", "BRK/A")[fill.symbol], fill.quantity, fill.price)
    yield from (fill.word("Buy", "SLD", "Short", "BUY TO COVER"), fill.commission, 0, fill.rebate)


def _tradovate(fill: Drawn) -> Iterable[object]:
    instant = fill.wall_time.replace(tzinfo=NEW_YORK).astimezone(dt.UTC)
    yield from (fill.number, fill.number // 3, 1, f"{instant:%Y-%m-%d %H:%M:%S}.000Z", "2025-08-15", 0, fill.quantity)
    yield from (fill.price, "true", 1, fill.number, fill.number // 3, f"{instant:%m/%d/%Y %H:%M:%S}", "8/15/25")
    yield from (fill.account, " Buy" if fill.is_bought else " Sell", fill.quantity, fill.price, -2, 0, "0.25")
    yield from (("MESU5", "NQU5")[fill.symbol], "MES", "Micro", fill.commission)


def _ninjatrader(fill: Drawn) -> Iterable[object]:
    time = f"{fill.wall_time.month}/{fill.wall_time.day}/2025 {fill.wall_time:%I:%M:%S %p}"
    yield from (("MES 09-25", "NQ SEP25")[fill.symbol], fill.word("Buy", "Sell", "Sell short", "Buy to cover"))
    yield from (fill.quantity, fill.price, time, fill.number, "Entry", "1 L", fill.number // 3, "Entry")
    yield from (f"${fill.commission}", 1, fill.account, "Live", "")


def _rithmic(fill: Drawn) -> Iterable[object]:
    yield from (fill.account, "Filled", "", "B" if fill.is_bought else "S", 0, ("MESU5", "NQU5")[fill.symbol])
    yield from (fill.quantity, fill.price, "", fill.number // 3, "", f"{fill.wall_time:%Y-%m-%d %H:%M:%S}")
    yield fill.commission


_FUTURES = frozenset(("account", "commission", "order", "fill"))

SHAPES = {
    "das": Shape(
        "das_2025-08-15.csv",
        "Time,Symb,Side,Price,Qty,Route,Broker,Account,Type,Cloid",
        _das,
        stated=frozenset(("account", "order")),
    ),
    "tradezero": Shape(
        "tradezero.csv",
        "Account,T/D,S/D,Currency,Type,Side,Symbol,Qty,Price,Exec Time,Comm,SEC,TAF,NSCC,Nasdaq,ECN Remove,ECN Add,"
        "Gross Proceeds,Net Proceeds,Clr Broker,Liq,Note",
        _tradezero,
        stated=frozenset(("account", "commission", "rebate")),
    ),
    "lightspeed": Shape(
        "20250815_table_execution_blotter.csv",
        "Account Number,Account Type,Side,Symbol,CUSIP,Currency Code,Security Type,Buy/Sell,Trade Date,"
        "Settlement Date,Process Date,Price,Qty,Trade Number,Principal Amount,NET Amount,Commission Amount,"
        "Execution Time,Raw Exec. Time,Market Code,Trailer,FeeSEC,FeeMF,Fee1,Fee2,Fee3,FeeStamp,FeeTAF,Fee4,"
        "Sequence Number,Side Seq Code,Capacity Code,Office Code,Rep Code,Special Code,Instructions Trade Legend Code,"
        "Factor Type2,Trade Interest,Original TradeNumber,Entry Time,Entered By,YieldToMature,YieldToCall,"
        "Mutual Fund Sales Charge Rate,Mutual Fund Load Indicator,Transtype",
        _lightspeed,
        stated=frozenset(("account", "commission", "rebate", "fill")),
    ),
    "ibkr-flex": Shape(
        "ibkr.csv",
        "ClientAccountID,AccountAlias,CurrencyPrimary,AssetClass,Symbol,Multiplier,DateTime,TradeDate,Buy/Sell,Quantity,"
        "TradePrice,IBCommission,IBCommissionCurrency,Taxes,IBOrderID,IBExecID,LevelOfDetail",
        _ibkr,
    ),
    "tradervue": Shape(
        "tradervue.csv",
        "Date,Time,Symbol,Quantity,Price,Side,Commission,TransFee,ECNFee",
        _tradervue,
        stated=frozenset(("commission", "rebate")),
    ),
    "tradovate": Shape(
        "tradovate.csv",
        "_id,_orderId,_contractId,_timestamp,_tradeDate,_action,_qty,_price,_active,_accountId,Fill ID,Order ID,"
        "Timestamp,Date,Account,B/S,Quantity,Price,_priceFormat,_priceFormatType,_tickSize,Contract,Product,"
        "Product Description,commission",
        _tradovate,
        ("/MESU5", "/NQU5"),
        _FUTURES,
    ),
    "ninjatrader": Shape(
        "ninjatrader.csv",
        "Instrument,Action,Quantity,Price,Time,ID,E/X,Position,Order ID,Name,Commission,Rate,Account,Connection,",
        _ninjatrader,
        ("/MES 09-25", "/NQ SEP25"),
        _FUTURES,
    ),
    "rithmic": Shape(
        "rithmic.csv",
        "Account,Status,Remarks,Buy/Sell,Qty To Fill,Symbol,Qty Filled,Avg Fill Price,Limit price,Order Number,"
        "Create Time,Update Time,Commission",
        _rithmic,
        ("/MESU5", "/NQU5"),
        frozenset(("account", "commission", "order")),
        "Completed Orders\n",
    ),
}
