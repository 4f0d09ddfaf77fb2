"""The tables of a trader's day: fills, symbols, what was carried overnight and its gap stress, the report's numbers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from risk.core.exchange import exchange, exchange_zone
from risk.core.money import percent, signed_usd_cents, usd_cents, usd_exact
from risk.desk.gap_stress import MARKS, MOVES, SIZES, CarriedPosition, GapStress, UnderlyingStress
from risk.limits.receipts import BREACH
from risk.report.receipt_facts import ReceiptFacts
from risk.web.day_views import DayView, FillRow, SymbolResult
from risk.web.tables import COUNT, LIMIT, LOCAL_TIME, LOSS, PNL, SHARE, TEXT, WORDS, Column, Kind, Page, Table


def number_text(value: Decimal) -> str:
    """Write a quantity or a price in full: ``1,000``, ``14.5``, ``0.0825``."""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def clock(instant: dt.datetime) -> str:
    """Write the time of day in the exchange's zone."""
    return f"{instant.astimezone(exchange_zone()):%H:%M:%S}"


def move_text(ratio: Decimal) -> str:
    """Write a move with its sign: ``-20%``, ``+5%``; one decimal where it has some."""
    text = f"{ratio:+.1%}"
    return text.replace(".0%", "%")


NUMBER: Final = Kind(number_text, "number", "", "#,##0.########", "unknown")
CLOCK: Final = Kind(clock, "date", LOCAL_TIME, "yyyy-mm-dd hh:mm:ss", "time unknown")
MARK_SOURCES: Final = {"marks": "marks file", "last_fill": "last fill", "stale": "earlier session"}


def fills_table(view: DayView, page: Page[FillRow]) -> Table:
    """Return the fills of a page with the running P&L."""
    columns = (
        Column("Fill", COUNT, "number"),
        Column("Time", CLOCK, "at"),
        Column("Symbol", TEXT, "symbol"),
        Column("Quantity", NUMBER, "signed_quantity"),
        Column("Price", NUMBER, "price"),
        Column("Position", TEXT, "effect"),
        Column("Held after", NUMBER, "held_quantity"),
        Column("Fee", PNL, "fees_usd", words=lambda row: usd_cents(row.fees_usd)),
        Column("Running P&L", PNL, "pnl_usd", tone=lambda row: "high" if row.is_beyond else ""),
        Column("Limit", LIMIT, "limit_usd", missing="unknown"),
        Column("Limit reached", TEXT, _reached, tone=lambda row: "high" if row.is_hit else ""),
    )
    what = "including" if view.followed is None or view.followed.terms.has_fees else "before"
    caption = (
        f"In the order of the books, times {exchange().city}. Running P&L after each fill, {what} fees: open positions "
        "at his own last price of the symbol, 0 at the previous close's marks."
    )
    is_cut_short = len(page.rows) < page.count
    return Table(
        "fills", "Fills", caption, columns, page.rows, "No fills.", is_sortable=False, is_cut_short=is_cut_short
    )


def _reached(row: FillRow) -> str:
    if row.is_hit:
        return "first reached here"
    return "at or beyond" if row.is_beyond else ""


def symbols_table(symbols: Sequence[SymbolResult], caption: str, *, has_sessions: bool = False) -> Table:
    """Return what was traded and made by symbol; over several sessions with the number of those it was traded in."""
    columns = [
        Column("Symbol", TEXT, "symbol"),
        *([Column("Sessions traded", COUNT, "session_count")] if has_sessions else []),
        Column("Fills", COUNT, "fill_count"),
        Column("Turnover", LOSS, "turnover_usd"),
        Column("Share of turnover", SHARE, "turnover_ratio"),
        Column("Fees", LOSS, "fees_usd"),
        Column("P&L", PNL, "pnl_usd"),
        Column("Share of P&L", SHARE, "pnl_ratio"),
    ]
    return Table("symbols", "Symbols", caption, columns, symbols, "No symbol was traded or held.")


def positions_table(stress: GapStress) -> Table:
    """Return the positions carried over the close."""
    columns = (
        Column("Symbol", TEXT, "symbol"),
        Column("Quantity", NUMBER, "quantity"),
        Column("Average price", NUMBER, "average_open_price"),
        Column("Mark", NUMBER, "mark_price"),
        Column("Mark from", TEXT, lambda one: MARK_SOURCES.get(one.mark_source or "", "none")),
        Column("Currency", TEXT, "currency"),
        Column("Value", PNL, "value_usd"),
        Column("Unrealized P&L", PNL, "unrealized_pnl_usd"),
    )
    positions = [position for one in stress.underlyings for position in one.positions]
    caption = "Open at the close, long positive; prices in the currency, values in US dollars."
    return Table("positions", "Positions overnight", caption, columns, positions, "Flat at the close.")


def gaps_table(stress: GapStress) -> Table:
    """Return what gaps make of each underlying."""

    def moved(move: Decimal) -> Column:
        heading = f"Opens {move_text(move)}"
        return Column(heading, PNL, lambda one: one.pnl_usd.get(move), tone=_loss_tone(move), missing="unknown")

    columns = (
        Column("Underlying", TEXT, "underlying"),
        Column("Positions", WORDS, lambda one: "; ".join(map(_position_words, one.positions))),
        *map(moved, MOVES),
        Column("Past gaps", COUNT, lambda one: len(one.gaps)),
        Column(
            "Worst past gap", SHARE, lambda one: one.worst and one.worst.ratio, words=_worst_words, missing="none known"
        ),
        Column("P&L in it", PNL, "worst_usd", missing="unknown"),
        Column("Note", WORDS, _gap_note),
    )
    caption = (
        f"P&L if the underlying opens {stress.effective_session} elsewhere than it closed: options by intrinsic value. "
        "Past gaps: first fill of the desk by 30 minutes after the open against the close before, in the last 250 "
        "sessions."
    )
    return Table("gaps", "Opening-gap stress", caption, columns, stress.underlyings, "Nothing was carried.")


def _loss_tone(move: Decimal) -> Any:
    return lambda one: "high" if one.pnl_usd.get(move, 0) < 0 else ""


def _position_words(one: CarriedPosition) -> str:
    return f"{number_text(one.quantity)} {one.symbol}"


def _worst_words(one: UnderlyingStress) -> str | None:
    return None if one.worst is None else f"{move_text(one.worst.ratio)} on {one.worst.session_date}"


def _gap_note(one: UnderlyingStress) -> str:
    if one.unknown_reason:
        return one.unknown_reason
    of_marks = sum(gap.close_source == MARKS for gap in one.gaps)
    return f"{of_marks} against marks, {len(one.gaps) - of_marks} against last fills" if one.gaps else ""


class StressTotal(NamedTuple):
    """What gaps of one size make of all positions; US dollars, gains positive, the loss positive."""

    size: Decimal
    down_usd: Decimal
    up_usd: Decimal
    loss_usd: Decimal
    use_ratio: Decimal | None


def stress_table(stress: GapStress) -> Table:
    """Return the sums over all underlyings, and the share of the limit that they use before the first trade."""
    columns = (
        Column("Gap", SHARE, "size", words=lambda one: percent(one.size)),
        Column("All open lower", PNL, "down_usd"),
        Column("All open higher", PNL, "up_usd"),
        Column("Each against him", LOSS, "loss_usd"),
        Column("Limit used before the first trade", SHARE, "use_ratio", tone=_use_tone),
    )
    totals = [
        StressTotal(
            size, stress.total_usd(-size), stress.total_usd(size), stress.loss_usd(size), stress.use_ratio(size)
        )
        for size in SIZES
    ]
    limit = f"{usd_exact(stress.limit.limit_usd)} ({stress.limit.origin})"
    caption = f"Limit in force at the open of {stress.effective_session}: {limit}."
    return Table("stress", "Share of the limit", caption, columns, totals, is_sortable=False)


def _use_tone(one: StressTotal) -> str:
    return "high" if one.use_ratio is not None and one.use_ratio >= 1 else ""


class ThenAndNow(NamedTuple):
    """One number as the report had it and as it is now."""

    name: str
    then: str
    now: str


def reported_table(view: DayView) -> Table:
    """Return the day as its report knew it beside the day as it is known now."""
    reported = view.reported
    account = reported.account if reported else None
    then = reported.receipt if reported else None
    total = view.books["total_pnl_usd"] if view.books else None
    lines = [ThenAndNow("Total P&L", _pnl(account.total_pnl_usd if account else None), _pnl(total))]
    lines += [
        ThenAndNow(name, before, now)
        for (name, before), (_, now) in zip(_receipt_lines(then), _receipt_lines(view.receipt), strict=True)
    ]
    columns = (
        Column("", TEXT, "name"),
        Column("As known then", TEXT, "then"),
        Column("As known now", TEXT, "now", tone=lambda line: "strong" if line.then != line.now else ""),
    )
    return Table(
        "reported", "As known then and now", "A difference is a restatement.", columns, lines, is_sortable=False
    )


def _pnl(value: Decimal | None) -> str:
    return "unknown" if value is None else signed_usd_cents(value)


def _receipt_lines(receipt: ReceiptFacts | None) -> list[tuple[str, str]]:
    names = ("Largest loss", "Loss from the day's top", "Limit in force", "Use of the limit", "Result")
    if receipt is None:
        return [(name, "unknown") for name in names]
    limit = usd_exact(receipt.limit_usd)
    values = (
        f"{usd_cents(receipt.largest_loss_usd)}" + (f" at {receipt.loss_time}" if receipt.largest_loss_usd else ""),
        usd_cents(receipt.loss_from_top_usd),
        limit,
        receipt.use_text,
        "breach" if receipt.outcome == BREACH else receipt.result,
    )
    return list(zip(names, values, strict=True))


def day_tables(view: DayView, page: Page[FillRow]) -> list[Table]:
    """Return every table of the page; what rests on the books is not there as known then."""
    if view.is_then:
        return [fills_table(view, page), reported_table(view)]
    caption = "P&L net of fees; its shares are of the sum of all symbols' P&L without sign."
    return [
        fills_table(view, page),
        symbols_table(view.symbols, caption),
        positions_table(view.gap_stress),
        stress_table(view.gap_stress),
        gaps_table(view.gap_stress),
        reported_table(view),
    ]
