"""The panel of a backtest: from a CSV of daily results, or from executions with all that they tell."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

import numpy as np

from risk.books.behavior import SHARE_DIGITS
from risk.books.executions import UNIT_DIGITS, USD_DIGITS
from risk.books.session import AccountSession, account_sessions
from risk.core.calendar import is_session, sessions_between
from risk.core.entities import Fill, Instrument, Mark, Split
from risk.core.errors import InputError
from risk.model.panel import MATRICES, Panel


def panel_of_pnl(file: Path) -> Panel:
    """Read ``account_id,session_date,net_pnl_usd`` into a panel; what only fills tell is unknown in it.

    Raises
    ------
    InputError
        If the file cannot be read as such; names the line and what was found.
    """
    results: dict[tuple[str, dt.date], float] = {}
    for line_number, row in _rows(file):
        key, value = _result(file, line_number, row)
        if key in results:
            raise InputError(
                f"{file.name}, line {line_number}: {key[0]} on {key[1]} stands twice. Keep one row for each account "
                "and session."
            )
        results[key] = value
    if not results:
        raise InputError(f"{file.name} holds no result: there is nothing to test.")
    return _panel({key: {"total_pnl_usd": value} for key, value in results.items()})


def _rows(file: Path) -> Iterable[tuple[int, dict[str, str]]]:
    wanted = {"account_id", "session_date", "net_pnl_usd"}
    try:
        with file.open(newline="", encoding="utf-8-sig") as opened:
            reader = csv.DictReader(opened)
            missing = wanted - set(reader.fieldnames or ())
            if missing:
                raise InputError(f"{file.name} lacks the columns {', '.join(sorted(missing))}: add them to its header.")
            yield from ((reader.line_num, row) for row in reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{file} cannot be read as CSV text: {error}. Name another file.") from None


def _result(file: Path, line_number: int, row: Mapping[str, str]) -> tuple[tuple[str, dt.date], float]:
    place = f"{file.name}, line {line_number}"
    try:
        day = dt.date.fromisoformat(row["session_date"] or "")
    except ValueError:
        raise InputError(f"{place}: {row['session_date']!r} is no date; write it as YYYY-MM-DD.") from None
    if not is_session(day):
        raise InputError(f"{place}: {day} is no session of the exchange. Give the P&L to its session.")
    try:
        value = Decimal(row["net_pnl_usd"] or "")
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise InputError(f"{place}: {row['net_pnl_usd']!r} is no amount in US dollars.")
    return (row["account_id"], day), float(value)


def panel_of_fills(
    fills: Sequence[Fill],
    marks: Iterable[Mark] = (),
    instruments: Iterable[Instrument] = (),
    splits: Iterable[Split] = (),
) -> Panel:
    """Compute the books of executions and what the fills tell into a panel.

    Parameters
    ----------
    fills, marks, instruments, splits
        As in `risk.books.session.account_sessions`; without a mark an open position carries its last price.

    Raises
    ------
    InputError
        If there is no execution, or none whose books are complete.
    """
    if not fills:
        raise InputError("No execution can be used: there is nothing to test.")
    return panel_of_days(account_sessions(fills, marks, instruments, splits))


def panel_of_days(days: Iterable[AccountSession]) -> Panel:
    """Lay out the account-sessions with fills and complete books.

    Raises
    ------
    InputError
        If there is none.
    """
    known = {
        (day.account_id, day.session_date): _measures(day) for day in days if day.fill_count and day.total is not None
    }
    if not known:
        raise InputError("No account-session has complete books: there is nothing to test. Give multipliers or prices.")
    return _panel(known)


def _measures(day: AccountSession) -> dict[str, float]:
    """Return an account-session's columns of the panel."""
    behavior = day.behavior
    measures = {
        "total_pnl_usd": (day.total, USD_DIGITS),
        "fill_count": (day.fill_count, 0),
        "turnover_usd": (day.turnover, USD_DIGITS),
        "fees_usd": (day.fees, USD_DIGITS),
        "volume": (day.volume, UNIT_DIGITS),
        "early_pnl_usd": (behavior.early, USD_DIGITS),
        "late_pnl_usd": (behavior.late, USD_DIGITS),
        "holding_seconds": (behavior.holding_seconds, 0),
        "adds_to_loser_count": (behavior.adds_to_loser_count, 0),
        "concentration_ratio": (behavior.concentration, SHARE_DIGITS),
        "overnight_usd": (behavior.overnight, USD_DIGITS),
    }
    return {name: value / 10**digits for name, (value, digits) in measures.items() if value is not None}


def _panel(known: Mapping[tuple[str, dt.date], Mapping[str, float]]) -> Panel:
    """Lay out what is known of account-sessions densely."""
    account_ids = sorted({account_id for account_id, _ in known})
    days = [day for _, day in known]
    session_dates = sessions_between(min(days), max(days))
    row_of = {day: number for number, day in enumerate(session_dates)}
    column_of = {account_id: number for number, account_id in enumerate(account_ids)}
    matrices = {name: np.full((len(session_dates), len(account_ids)), np.nan) for name in MATRICES}
    for (account_id, day), measures in known.items():
        for name, value in measures.items():
            matrices[name][row_of[day], column_of[account_id]] = value
    return Panel(tuple(session_dates), tuple(account_ids), **matrices)
