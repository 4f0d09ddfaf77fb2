"""Writes a simulated desk: fills in the vendor's format, closing prices, the truth and the marker file."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from risk.core.errors import RequestError
from risk.ingest.file_names import MARKER
from simulation.law import stream
from simulation.market import SYMBOLS, MarketDay, draw_closes, draw_day
from simulation.trips import Fills, draw_fills
from simulation.truth import LAST_SESSION, Truth, draw

FILLS_HEADER = (
    "Date/Time,Account,B/S,Qty,Symbol,Price,Route,Liq,Comm,Ecn Fee,SEC,ORF,CAT,TAF,FTT,NSCC,Acc,Clr,Misc,"
    "Order Id,Fill Id,Currency,ISIN,CUSIP,Status,PropReports Id"
)
MARKS_HEADER = "Date,Symbol,Price,Volume,Currency"
TRUTH_HEADER = "account_id,session_date,net_pnl_usd,true_q05_usd"

ROUTES = ("ARCA", "BATS", "EDGX", "IEX", "MEMX", "NSDQ")


class WrittenDesk(NamedTuple):
    """Counts of a written desk."""

    folder: Path
    account_count: int
    session_count: int
    trader_day_count: int
    fill_count: int


def simulate(
    set_name: str, traders: int, sessions: int, seed: int, out: Path, *, last_session: dt.date = LAST_SESSION
) -> WrittenDesk:
    """Write a desk with a known truth: fills and marks by session, ``truth.csv`` and the marker.

    Parameters
    ----------
    set_name
        A name of `simulation.law.LAWS`.
    traders, sessions
        How many accounts and how many consecutive sessions.
    seed
        Not negative. The same request writes the same bytes.
    out
        Folder: new, empty, or an earlier simulation, whose files are replaced.
    last_session
        The newest session; by default a fixed day, so that the bytes do not depend on today.

    Raises
    ------
    RequestError
        If a number is out of range or the folder holds anything else; nothing is written then.
    """
    truth = draw(set_name, traders, sessions, seed, last_session=last_session)
    return write_truth(truth, set_name, seed, out)


def write_truth(truth: Truth, set_name: str, seed: int, out: Path) -> WrittenDesk:
    """Write a drawn desk into a folder; the marker first, so that no fill is ever there without it.

    Raises
    ------
    RequestError
        If the folder holds anything but an earlier simulation; nothing is written then.
    """
    _clear(out)
    session_count, account_count = truth.is_active.shape
    marker = {
        "last_session": truth.session_dates[-1].isoformat(),
        "seed": seed,
        "sessions": session_count,
        "set": set_name,
        "traders": account_count,
    }
    _write(out / MARKER, [json.dumps(marker, sort_keys=True, indent=2)])
    closes = draw_closes(session_count, seed)
    fill_count = 0
    for row, session_date in enumerate(truth.session_dates):
        draws = stream(seed, 7, row)
        day = draw_day(session_date, closes[row], closes[row + 1], draws)
        _write(out / f"marks_{session_date}.csv", _mark_lines(day, draws))
        if truth.is_active[row].any():
            fills = draw_fills(truth, row, day, draws)
            _write(out / f"fills_{session_date}.csv", _fill_lines(fills, truth, session_date))
            fill_count += len(fills.quantity)
    _write(out / "truth.csv", _truth_lines(truth))
    return WrittenDesk(out, account_count, session_count, int(truth.is_active.sum()), fill_count)


def _clear(out: Path) -> None:
    """Create the folder, or remove the files of an earlier simulation from it."""
    if out.exists() and not out.is_dir():
        raise RequestError(f"{out} is a file: name a folder for the simulated desk.")
    if out.is_dir() and any(out.iterdir()) and not (out / MARKER).is_file():
        raise RequestError(f"{out} holds other files and no {MARKER}: name a new or empty folder.")
    out.mkdir(parents=True, exist_ok=True)
    for pattern in ("fills_*.csv", "marks_*.csv", "truth.csv"):
        for path in out.glob(pattern):
            path.unlink()


def _write(path: Path, lines: list[str]) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="ascii", newline="\n")


def _truth_lines(truth: Truth) -> list[str]:
    lines = [TRUTH_HEADER]
    for row, column in np.argwhere(truth.is_active):
        # Adding 0 turns the float -0.0 into 0.0.
        net, quantile = truth.net_pnl_usd[row, column] + 0.0, truth.true_q05_usd[row, column]
        lines.append(f"{truth.account_ids[column]},{truth.session_dates[row]},{net:.2f},{quantile:.2f}")
    return lines


def _mark_lines(day: MarketDay, draws: np.random.Generator) -> list[str]:
    date = f"{day.session_date:%m/%d/%Y}"
    volumes = draws.integers(1_000_000, 60_000_000, len(SYMBOLS))
    quotes = zip(SYMBOLS, day.close_usd.tolist(), volumes.tolist(), strict=True)
    return [MARKS_HEADER, *(f"{date},{symbol},{price:.2f},{volume},USD" for symbol, price, volume in quotes)]


def _fill_lines(fills: Fills, truth: Truth, session_date: dt.date) -> list[str]:
    """Format the fills; ids contain the session, so they are unique over the whole desk."""
    date, prefix = f"{session_date:%m/%d/%Y}", f"{session_date:%Y%m%d}"
    lines = [FILLS_HEADER]
    columns = zip(_heads(fills, truth), _fees(fills), fills.order.tolist(), fills.ordinal.tolist(), strict=True)
    for number, (head, fees, order, ordinal) in enumerate(columns):
        order_id = f"{prefix}{order:07d}"
        lines.append(f"{date} {head},{fees},{order_id},{order_id}-{ordinal},USD,,,,{prefix}{number:08d}")
    return lines


def _heads(fills: Fills, truth: Truth) -> Iterator[str]:
    """Format the columns from the time of day to ``Liq``."""
    sides = np.where(fills.is_entry, np.where(fills.is_long, "B", "T"), np.where(fills.is_long, "S", "C"))
    columns = (
        fills.second.tolist(), fills.account.tolist(), sides.tolist(), fills.quantity.tolist(), fills.symbol.tolist(),
        fills.price.tolist(), fills.order.tolist(), fills.is_adding_liquidity.tolist(),
    )  # fmt: skip
    for second, account, side, quantity, symbol, price, order, is_adding in zip(*columns, strict=True):
        yield (
            f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d},{truth.account_ids[account]},{side},"
            f"{quantity},{SYMBOLS[symbol]},{price // 10**8}.{price % 10**8:08d},"
            f"{ROUTES[order % len(ROUTES)]},{'A' if is_adding else 'R'}"
        )


def _fees(fills: Fills) -> Iterator[str]:
    """Format the columns from ``Comm`` to ``Misc``."""
    for commission, venue, sec, taf, clearing in (fills.fees_cents / 100).T.tolist():
        yield f"{commission:.2f},{venue:.2f},{sec:.2f},0,0,{taf:.2f},0,0,0,{clearing:.2f},0"
