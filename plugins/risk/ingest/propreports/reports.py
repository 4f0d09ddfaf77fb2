"""The vendor's reports: its list of accounts, and its own books for the reconciliation."""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from risk.core.calendar import sessions_between
from risk.core.entities import ReportedPnl
from risk.core.errors import RequestError
from risk.core.symbols import SYMBOL
from risk.ingest.amounts import number
from risk.ingest.propreports.pages import IncompleteAnswerError, Question
from risk.ingest.times import session_of

ALL_GROUPS: Final = "-2"
COLUMNS: Final = ("Account Id", "Account Name", "First Traded", "Last Traded", "Currency")
LIST: Final = Question("accounts", {"action": "accounts", "groupId": ALL_GROUPS}, COLUMNS)


@dataclass(frozen=True, slots=True)
class Account:
    """One account as the vendor lists it.

    Attributes
    ----------
    key
        The vendor's number of it, which its reports are asked by.
    account_id
        Its name, which its executions carry.
    first_traded, last_traded
        Dates of the exchange; ``None`` where it has never traded or the list does not say it in a form we know.
    currency
        ISO 4217 code of its books.
    """

    key: str
    account_id: str
    first_traded: dt.date | None
    last_traded: dt.date | None
    currency: str

    def is_answered_for(self, session_date: dt.date, active_since: dt.date) -> bool:
        """Tell whether an answer without executions of it says something about a session.

        Not before its first trade, nor once it has not traded for so long that nobody expects it any more: the list
        keeps closed accounts for ever.

        Parameters
        ----------
        active_since
            What ``active_since`` says of the session.
        """
        if self.first_traded is None or session_date < self.first_traded:
            return False
        return self.last_traded is None or self.last_traded >= active_since


def active_since(session_date: dt.date, active_within: int) -> dt.date:
    """Return the day since when an account must have traded, in so many sessions, to be expected in a session."""
    # Ten days hold at least two sessions, and twice as many days as sessions hold these.
    recent = sessions_between(session_date - dt.timedelta(days=10 + 2 * active_within), session_date)
    return recent[-active_within]


def read_accounts(lines: Iterable[str]) -> list[Account]:
    """Read the list from its header on; a record that is too short for its columns is passed over."""
    return [
        Account(
            row["Account Id"].strip(),
            row["Account Name"].strip(),
            read_day(row["First Traded"]),
            read_day(row["Last Traded"]),
            row["Currency"].strip(),
        )
        for row in csv.DictReader(lines)
        if all(row.get(name) is not None for name in COLUMNS)
    ]


def read_day(text: str) -> dt.date | None:
    """Read a day as the vendor writes it, MM/DD/YYYY or YYYY-MM-DD, with or without a time of day."""
    american = re.match(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}|[0-9]{2})\b", text.strip())
    try:
        if american:
            month, day, year = map(int, american.groups())
            return dt.date(year if year > 99 else 2000 + year, month, day)
        return dt.date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None


class Report(StrEnum):
    """The vendor's reports, by the names it gives them.

    ``summaryByDate`` is one table with a row per day and kind of instrument. ``totalsByDate`` and ``trades`` are a line
    with the day, then a table of that day, by symbol or by round trip; ``trades`` knows closed round trips only, so the
    fees of a position that stays open are not in it.
    """

    summary = "summaryByDate"
    totals = "totalsByDate"
    trades = "trades"


def chosen_report(name: str) -> Report | None:
    """Read the setting RISK_VENDOR_REPORT; ``none`` asks for no report.

    Raises
    ------
    RequestError
        If it names no report we can read.
    """
    if name == "none":
        return None
    try:
        return Report(name)
    except ValueError:
        known = ", ".join((*Report, "none"))
        raise RequestError(f"RISK_VENDOR_REPORT={name} is none of {known}: write one of them.") from None


def report_question(report: Report, account: Account, first: dt.date, last: dt.date) -> Question:
    """Ask for one account's report over a range of days; the vendor reports on one account at a time."""
    form = {
        "action": "report",
        "type": report.value,
        "accountId": account.key,
        "startDate": first.isoformat(),
        "endDate": last.isoformat(),
    }
    return Question(f"{report.value}-{re.sub('[^A-Za-z0-9]', '-', account.key)}-{first}-{last}", form, ())


def read_report(report: Report, account_id: str, lines: Iterable[str]) -> list[ReportedPnl]:
    """Sum a report up to one pair of amounts a session.

    Parameters
    ----------
    lines
        The answer without trailers.

    Returns
    -------
    list of ReportedPnl
        By session; one the report does not name has no row.

    Raises
    ------
    IncompleteAnswerError
        If an amount cannot be read or columns are missing: then none of the report can be trusted.
    """
    rows = _summary_rows(lines) if report is Report.summary else _daily_rows(lines)
    sums: defaultdict[dt.date, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for day, gross, net in rows:
        sums[session_of(day)][0] += _amount(gross)
        sums[session_of(day)][1] += _amount(net)
    return [ReportedPnl(session_date, account_id, gross, net) for session_date, (gross, net) in sorted(sums.items())]


def _summary_rows(lines: Iterable[str]) -> Iterator[tuple[dt.date, str, str]]:
    """Yield day, gross and net; the last rows, which sum up a kind of instrument, have a word in place of the day."""
    header: _Header | None = None
    fields: list[str] = []
    for fields in csv.reader(lines):
        header = header or _header(fields, "Date")
        day = read_day(fields[header.first]) if header and len(fields) == header.width else None
        if header and day is not None:
            yield day, fields[header.gross], fields[header.net]
    if fields and header is None:
        raise IncompleteAnswerError("the report has no header with Date, Gross and Net")


def _daily_rows(lines: Iterable[str]) -> Iterator[tuple[dt.date, str, str]]:
    """Yield day, gross and net of each row with a symbol: sums and adjustments beneath a table have a word there."""
    day: dt.date | None = None
    header: _Header | None = None
    for fields in csv.reader(lines):
        found = read_day(fields[0]) if sum(map(bool, fields)) == 1 else None
        if found is not None:
            day = found
            continue
        header = header or _header(fields, "Symbol")
        is_row = header is not None and len(fields) == header.width and SYMBOL.fullmatch(fields[header.first].strip())
        if header and day is not None and is_row:
            yield day, fields[header.gross], fields[header.net]
    if day is not None and header is None:
        raise IncompleteAnswerError("the report has no table with Symbol, Gross and Net")


class _Header(NamedTuple):
    """Places of the columns that count, and how many there are."""

    first: int
    gross: int
    net: int
    width: int


def _header(fields: list[str], first: str) -> _Header | None:
    names = [name.strip() for name in fields]
    if not {first, "Gross", "Net"}.issubset(names):
        return None
    return _Header(names.index(first), names.index("Gross"), names.index("Net"), len(names))


def _amount(text: str) -> Decimal:
    """Read an amount with or without thousands separators, negative with a sign or in parentheses; blank is zero."""
    plain = text.replace(",", "").replace("$", "").strip()
    if plain.startswith("(") and plain.endswith(")"):
        plain = f"-{plain[1:-1]}"
    value = number(plain) if plain else Decimal(0)
    if value is None or not value.is_finite():
        raise IncompleteAnswerError(f"the report's amount {text[:20]!r} is no number")
    return value
