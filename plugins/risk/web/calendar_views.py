"""The calendar: results of traders by session in their own typical days, with sums, streaks, cuts and limits.

Colors say how large a result was for this trader; the number beside them says the same without color.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import takewhile
from typing import Any, Final, NamedTuple

from risk.core.money import counted, percent, signed_usd_cents
from risk.core.warehouse import Connection, records, rows
from risk.limits.receipts import BREACH, HIT, WITHIN
from risk.web.day_views import day_path
from risk.web.tables import COUNT, DATE, NAME, PAGE_ROWS, PERCENT, PNL, TEXT, Column, Kind, Page, Table
from risk.web.views import read_reported

FEWEST_SESSIONS, FIRST_SESSIONS, MOST_SESSIONS = 30, 30, 250
SPANS: Final = (30, 60, 125, 250)
"""Sessions to choose from."""

PAGE_CELLS = 6_500
"""A page has so many cells at most, which keeps it below 1 MB: fewer traders where there are more sessions."""

SIZES: Final = (0.25, 1.0, 2.0)
"""From so many typical days on, a result has the next color; nearer to nothing it has none."""

MARKS: Final = {BREACH: "B", HIT: "H", WITHIN: ""}
OUTCOMES: Final = {BREACH: "breach of the limit", HIT: "stopped at the limit", WITHIN: ""}

DAYS: Final = Kind(lambda value: f"{value:+.2f}", "number", "typical days", "0.00", "n/a")


class CalendarCell(NamedTuple):
    """A trader's result in a session; see ``risk_page/select_calendar_cells.sql``."""

    account_id: str
    session_date: dt.date
    fill_count: int
    total_pnl_usd: Decimal | None
    typical_days: float | None
    outcome: str | None
    cut_ratio: Decimal | None

    @property
    def path(self) -> str:
        """Address of the trader's day below the root."""
        return day_path(self.account_id, self.session_date)

    @property
    def style(self) -> str:
        """Class of its color: ``g1`` to ``g3`` gains, ``l1`` to ``l3`` losses, else empty."""
        if self.typical_days is None:
            return ""
        size = bisect_right(SIZES, abs(self.typical_days))
        return f"{'l' if self.typical_days < 0 else 'g'}{size}" if size else ""

    @property
    def text(self) -> str:
        """The result in typical days; its sign alone where these are unknown, a question mark where it is unknown."""
        if self.total_pnl_usd is None:
            return "?"
        if self.typical_days is None:
            return "0" if self.total_pnl_usd == 0 else "+" if self.total_pnl_usd > 0 else "-"
        return f"{self.typical_days:+z.1f}"

    @property
    def limit_mark(self) -> str:
        """``B`` breach, ``H`` limit hit, else empty."""
        return MARKS.get(self.outcome or "", "")

    @property
    def has_cut(self) -> bool:
        """Whether the limit was cut for the session."""
        return bool(self.cut_ratio)

    @property
    def words(self) -> str:
        """Everything the cell says, in words."""
        if self.total_pnl_usd is None:
            result = "P&L unknown: books are incomplete"
        else:
            result = signed_usd_cents(self.total_pnl_usd)
        parts = [
            result,
            "" if self.typical_days is None else f"{self.typical_days:+z.1f} typical days",
            "" if self.fill_count else "no fills, a position was carried",
            OUTCOMES.get(self.outcome or "", ""),
            f"limit cut by {percent(self.cut_ratio)}" if self.cut_ratio else "",
        ]
        return "; ".join(part for part in parts if part)


@dataclass(frozen=True)
class CalendarRow:
    """A trader over the sessions of the calendar.

    Attributes
    ----------
    account_id
        Trading account.
    cells
        By session, the newest first; ``None`` = nothing is booked.
    """

    account_id: str
    cells: Sequence[CalendarCell | None]

    @cached_property
    def results_usd(self) -> list[Decimal]:
        """Known results of the sessions with fills, the newest first."""
        traded = (cell for cell in self.cells if cell is not None and cell.fill_count)
        return [cell.total_pnl_usd for cell in traded if cell.total_pnl_usd is not None]

    @property
    def total_usd(self) -> Decimal:
        """Sum of the known results, carried positions included."""
        known = (cell.total_pnl_usd for cell in self.cells if cell is not None and cell.total_pnl_usd is not None)
        return sum(known, Decimal(0))

    @property
    def unknown_count(self) -> int:
        """Sessions with incomplete books: the sum is without them."""
        return sum(cell is not None and cell.total_pnl_usd is None for cell in self.cells)

    @property
    def win_count(self) -> int:
        """Sessions with a gain."""
        return sum(result > 0 for result in self.results_usd)

    @property
    def loss_count(self) -> int:
        """Sessions with a loss."""
        return sum(result < 0 for result in self.results_usd)

    @property
    def streak(self) -> str:
        """The newest gains or losses in a row."""
        results = self.results_usd
        if not results or results[0] == 0:
            return ""
        is_loss = results[0] < 0
        length = sum(1 for _ in takewhile(lambda result: result < 0 if is_loss else result > 0, results))
        return counted(length, "losing day" if is_loss else "winning day")

    @property
    def longest_losing_streak(self) -> int:
        """Most losses in a row."""
        longest = current = 0
        for result in self.results_usd:
            current = current + 1 if result < 0 else 0
            longest = max(longest, current)
        return longest

    @property
    def breach_count(self) -> int:
        """Sessions with a breach of the limit."""
        return sum(cell is not None and cell.outcome == BREACH for cell in self.cells)

    @property
    def cut_count(self) -> int:
        """Sessions whose limit was cut."""
        return sum(cell is not None and cell.has_cut for cell in self.cells)


@dataclass(frozen=True, slots=True)
class CalendarView:
    """The page Calendar.

    Attributes
    ----------
    sessions
        Newest first, with the desk's sums; see ``risk_page/select_calendar_span.sql``. Empty = nothing is booked.
    traders
        A page of those who were searched for.
    reported
        Those of the sessions that have a report.
    """

    sessions: Sequence[Mapping[str, Any]]
    traders: Page[CalendarRow]
    reported: frozenset[dt.date]

    @property
    def total_usd(self) -> Decimal:
        """Sum of the desk's known results."""
        return sum((session["total_pnl_usd"] or Decimal(0) for session in self.sessions), Decimal(0))

    @property
    def earlier(self) -> dt.date:
        """Last day of the calendar before this one."""
        oldest: dt.date = self.sessions[-1]["session_date"]
        return oldest - dt.timedelta(days=1)


def read_calendar(
    connection: Connection, session_count: int, through_session: dt.date | None, find: str, page: int
) -> CalendarView:
    """Read a page of the calendar as the books are now.

    Parameters
    ----------
    session_count
        Sessions up to the newest one.
    through_session
        Ends it earlier; ``None`` = the newest.
    find
        Part of a trader's name, in any case; empty = all.
    page
        Number from 1; beyond the last page is the last page.
    """
    sessions, names = _read_span(connection, session_count, through_session, find)
    size = min(PAGE_ROWS, max(1, PAGE_CELLS // session_count))
    number = min(page, max(1, -(-len(names) // size)))
    shown = names[(number - 1) * size : number * size]
    traders = Page(number, _read_rows(connection, sessions, shown), len(names), size)
    reported = read_reported(connection, (session["session_date"] for session in sessions))
    return CalendarView(sessions, traders, reported)


def calendar_table(connection: Connection, session_count: int, through_session: dt.date | None, find: str) -> Table:
    """Read the whole calendar as a table, a row for each trader and session, for its exports."""
    sessions, names = _read_span(connection, session_count, through_session, find)
    cells = _read_cells(connection, sessions, names)
    columns = (
        Column("Trader", NAME, "account_id"),
        Column("Session", DATE, "session_date"),
        Column("Fills", COUNT, "fill_count"),
        Column("P&L", PNL, "total_pnl_usd"),
        Column("Typical days", DAYS, "typical_days"),
        Column("Limit", TEXT, "outcome"),
        Column("Cut", PERCENT, "cut_ratio"),
    )
    return Table("calendar", "Calendar", "Results by trader and session.", columns, cells)


def _read_span(
    connection: Connection, session_count: int, through_session: dt.date | None, find: str
) -> tuple[list[dict[str, Any]], list[str]]:
    """Read the sessions, newest first, and the names of the traders who were searched for."""
    asked = {"through_session": through_session, "session_count": session_count}
    sessions = records(connection, "risk_page/select_calendar_span", asked)
    if not sessions:
        return [], []
    named = rows(connection, "risk_page/select_booked_accounts", _bounds(sessions))
    wanted = find.strip().casefold()
    return sessions, [name for (name,) in named if wanted in name.casefold()]


def _bounds(sessions: Sequence[Mapping[str, Any]]) -> dict[str, dt.date]:
    return {
        "first_session_date": sessions[-1]["session_date"],
        "last_session_date": sessions[0]["session_date"],
    }


def _read_cells(
    connection: Connection, sessions: Sequence[Mapping[str, Any]], names: Sequence[str]
) -> Iterator[CalendarCell]:
    if not names:
        return iter(())
    found = rows(connection, "risk_page/select_calendar_cells", {"account_ids": list(names), **_bounds(sessions)})
    return map(CalendarCell._make, found)


def _read_rows(
    connection: Connection, sessions: Sequence[Mapping[str, Any]], names: Sequence[str]
) -> list[CalendarRow]:
    by_account: dict[str, dict[dt.date, CalendarCell]] = defaultdict(dict)
    for cell in _read_cells(connection, sessions, names):
        by_account[cell.account_id][cell.session_date] = cell
    days = [session["session_date"] for session in sessions]
    return [CalendarRow(name, [by_account[name].get(day) for day in days]) for name in names]
