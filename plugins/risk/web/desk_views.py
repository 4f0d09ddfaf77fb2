"""What the page Desk shows: the desk's curve and tail, its limits, correlations, and patterns between traders."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from risk.core.calendar import sessions_between
from risk.core.errors import RequestError
from risk.core.warehouse import Connection, records
from risk.desk.read_fills import WINDOW_SESSIONS
from risk.report.desk_summary import DeskSummary, find_desk, read_desk
from risk.web.views import read_reported

Row = Mapping[str, Any]

CURVE_SESSIONS = 250
LONGEST_RANGE = dt.timedelta(days=370)


@dataclass(frozen=True, slots=True)
class DeskView:
    """The page Desk.

    Attributes
    ----------
    summary
        Of the report.
    curve
        Results of the desk by session, ascending; see ``select_curve.sql``.
    correlations
        Of pairs of accounts; see ``select_correlations.sql``.
    hidden_count
        Accounts whose correlations are left out: the report gives them no limit.
    first_session, last_session
        Range of the patterns, ends included.
    scans, findings, self_trades
        Sessions scanned, and what was found there; see the statements of these names.
    reported
        Those of the page's sessions that have a report.
    is_last_week
        Whether the range is what the run itself scanned, shown as it was known then.
    """

    summary: DeskSummary
    curve: Sequence[Row]
    correlations: Sequence[Row]
    hidden_count: int
    first_session: dt.date
    last_session: dt.date
    scans: Sequence[Row]
    findings: Sequence[Row]
    self_trades: Sequence[Row]
    reported: frozenset[dt.date]
    is_last_week: bool

    def of_kind(self, kind: str) -> list[Row]:
        """List the findings of one kind, the flagged ones first, without repeats."""
        return [row for row in _without_repeats(self.findings) if row["kind"] == kind]

    def repeat_count(self, kind: str) -> int:
        """Count those of one kind that are not listed: findings of several sessions that say no more than a day's."""
        return len([row for row in self.findings if row["kind"] == kind]) - len(self.of_kind(kind))

    @property
    def flagged_count(self) -> int:
        """Findings that independent traders would hardly give."""
        return sum(row["is_flagged"] for row in _without_repeats(self.findings))


def is_day(finding: Row) -> bool:
    """Whether a finding is of one session."""
    first, last = finding["first_session_date"], finding["last_session_date"]
    return bool(first == last)


def _without_repeats(findings: Sequence[Row]) -> list[Row]:
    """Leave out findings of several sessions with no meeting beyond a day's, unless flagged where the day's is not."""
    days = {_meetings(row): row for row in findings if is_day(row)}

    def is_repeat(row: Row) -> bool:
        day = None if is_day(row) else days.get(_meetings(row))
        return day is not None and (day["is_flagged"] or not row["is_flagged"])

    return [row for row in findings if not is_repeat(row)]


def _meetings(finding: Row) -> tuple[Any, ...]:
    """Return who met whom, how often, and from when to when."""
    who = finding["kind"], finding["account_id"], tuple(finding["other_account_ids"]), finding["is_pair"]
    return *who, finding["lag_seconds"], finding["observed_count"], finding["first_at"], finding["last_at"]


def read_desk_page(
    connection: Connection,
    session_date: dt.date | None,
    first: dt.date | None,
    last: dt.date | None,
    *,
    shows_all: bool = False,
) -> DeskView | None:
    """Read the page of a session's report, by default the newest; ``None`` before the first report.

    Parameters
    ----------
    session_date
        ``None`` = the newest one reported.
    first, last
        Range of the patterns: what the newest runs know of it; ``None`` = the week that ends with the session, as its
        run knew it.
    shows_all
        Whether correlations of accounts without a limit are among them.

    Raises
    ------
    RequestError
        If the session has no report, or the range ends before it begins or is longer than a year.
    """
    summary = find_desk(connection, None) if session_date is None else read_desk(connection, session_date)
    if summary is None:
        return None
    reported = summary.facts.session_date
    week = sessions_between(reported - dt.timedelta(days=4 * WINDOW_SESSIONS), reported)[-WINDOW_SESSIONS:]
    is_last_week = first is None and last is None
    until = last if last is not None else reported if first is None else max(reported, first)
    since = first if first is not None else min(week[0], until)
    if not dt.timedelta(0) <= until - since <= LONGEST_RANGE:
        raise RequestError(f"From {since} to {until} is no range of at most a year: enter the earlier day first.")
    run_id = summary.run_id
    binds = {"run_id": run_id if is_last_week else None, "first_session": since, "last_session": until}
    curve = records(connection, "desk/select_curve", {"session_date": reported, "row_count": CURVE_SESSIONS})
    scans, findings, self_trades = _read_patterns(connection, binds)
    days = [row["session_date"] for row in (*curve, *scans, *self_trades)]
    days += [row["last_session_date"] for row in findings]
    correlations = records(connection, "desk/select_correlations", {"run_id": run_id})
    hidden = frozenset() if shows_all else _without_limit(summary, correlations)
    return DeskView(
        summary=summary,
        curve=curve,
        correlations=[row for row in correlations if hidden.isdisjoint(_pair(row))],
        hidden_count=len(hidden),
        first_session=since,
        last_session=until,
        scans=scans,
        findings=findings,
        self_trades=self_trades,
        reported=read_reported(connection, days),
        is_last_week=is_last_week,
    )


def _read_patterns(connection: Connection, binds: Mapping[str, Any]) -> tuple[list[Row], list[Row], list[Row]]:
    """Read the scanned sessions of a range, and what the runs that count for them have found there."""
    scans: list[Row] = [*records(connection, "desk/select_scans", binds)]
    counting = {
        "session_dates": [row["session_date"] for row in scans],
        "run_ids": [row["run_id"] for row in scans],
        "own_run_ids": [row["own_run_id"] for row in scans],
    }
    findings = records(connection, "desk/select_findings", {**counting, "first_session": binds["first_session"]})
    return scans, [*findings], [*records(connection, "desk/select_self_trades", counting)]


def _without_limit(summary: DeskSummary, correlations: Sequence[Row]) -> frozenset[str]:
    """Return the accounts of the correlations to which the report gives no limit."""
    limited = {account.account_id for account in summary.facts.accounts}
    return frozenset(name for row in correlations for name in _pair(row)) - limited


def _pair(row: Row) -> tuple[str, str]:
    return row["account_id"], row["other_account_id"]
