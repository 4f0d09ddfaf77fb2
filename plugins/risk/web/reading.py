"""What the pages read from the warehouse, one function for each page."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow.sdk import Connection as AirflowConnection

from risk.core.calendar import checked_session
from risk.core.errors import RequestError
from risk.core.warehouse import Connection, connect, records
from risk.limits.approvals import Proposal, Publication, read_publication, read_required_approvals, superseded_by
from risk.model.features.table import FEATURES
from risk.report.facts import AccountFacts, Facts, parse_facts, reader_of
from risk.web.charts import Chart, Day, curve_chart, forecast_chart

WAREHOUSE_CONNECTION_ID = "risk_warehouse"
STATEMENT_TIMEOUT = "5s"
"""A page that takes longer says that the database is busy."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoredReport:
    """A report as it was stored, and which run made it."""

    run_id: int
    session_date: dt.date
    effective_session: dt.date
    revision: int
    as_of: dt.datetime
    dag_run_id: str
    recorded_at: dt.datetime
    facts: Facts
    facts_sha256: str


@dataclass(frozen=True, slots=True)
class Morning:
    """The page *today*: a report and what was published of it."""

    report: StoredReport
    earlier: dt.date | None
    later: dt.date | None
    published: Mapping[str, Row]
    publication: Publication | None


@dataclass(frozen=True, slots=True)
class SessionView:
    """The page of a session: verdicts, control totals, books and adjustments, as known then or now."""

    morning: Morning
    known_until: dt.datetime
    verdicts: Sequence[Row]
    totals: Sequence[Row]
    books: Sequence[Row]
    adjustments: Sequence[Row]


@dataclass(frozen=True, slots=True)
class FeatureView:
    """A feature's newest value beside the account's own past: its first decile, median and last decile."""

    sentence: str
    unit: str
    value: float | None
    low: float | None
    usual: float | None
    high: float | None

    @property
    def verdict(self) -> str:
        """``high`` or ``low`` where the value lies outside four fifths of the past, else ``usual``."""
        if self.value is None or self.low is None or self.high is None:
            return "not known"
        if self.low <= self.value <= self.high:
            return "usual"
        return "high" if self.value > self.high else "low"


@dataclass(frozen=True, slots=True)
class Standing:
    """What the newest report says about a trader; without facts it does not name him."""

    session_date: dt.date
    effective_session: dt.date
    previous_session_date: dt.date | None
    account: AccountFacts | None


@dataclass(frozen=True, slots=True)
class TraderView:
    """The page of a trader."""

    account_id: str
    standing: Standing | None
    days: Sequence[Day]
    curve: Chart | None
    forecast: Chart | None
    breach_count: int
    forecast_count: int
    features: Sequence[FeatureView]
    recommendations: Sequence[Row]


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """The page of an approval: what is open, what was decided and by whom."""

    publication: Publication
    proposals: Sequence[Proposal]
    decisions: Sequence[Row]
    superseded_by: int | None


@contextlib.contextmanager
def warehouse() -> Iterator[Connection]:
    """Open the warehouse for one request."""
    dsn = str(AirflowConnection.get(WAREHOUSE_CONNECTION_ID).get_uri())
    with contextlib.closing(connect(dsn)) as connection:
        with connection, connection.cursor() as cursor:
            cursor.execute("set statement_timeout = %s", (STATEMENT_TIMEOUT,))
        yield connection


def read_morning(connection: Connection, session_date: dt.date | None) -> Morning:
    """Read a session's report; without a date the newest one.

    Raises
    ------
    RequestError
        If the date is no session or lies in the future, or nothing was reported for it.
    """
    if session_date is not None:
        checked_session(session_date, dt.datetime.now(dt.UTC))
    found = records(connection, "risk_page/select_report", {"session_date": session_date})
    if not found:
        what = "No session has a report yet" if session_date is None else f"Session {session_date} has no report"
        raise RequestError(f"{what}: run it (make trigger DATE=YYYY-MM-DD, or the DAG daily_risk in Airflow).")
    report = StoredReport(**{**found[0], "facts": parse_facts(found[0]["facts"])})
    neighbors = records(connection, "risk_page/select_neighbors", {"session_date": report.session_date})[0]
    published = records(connection, "risk_page/select_published", {"run_id": report.run_id})
    return Morning(
        report,
        neighbors["earlier"],
        neighbors["later"],
        {row["account_id"]: row for row in published},
        _publication(connection, report.run_id),
    )


def read_session(connection: Connection, session_date: dt.date, known: str) -> SessionView:
    """Read a session as it was known to its report (``then``) or as it is known (``now``)."""
    morning = read_morning(connection, session_date)
    known_until = morning.report.as_of if known == "then" else dt.datetime.now(dt.UTC)
    day = {"session_date": session_date}
    return SessionView(
        morning,
        known_until,
        records(connection, "risk_page/select_verdicts", {"run_id": morning.report.run_id}),
        records(connection, "risk_page/select_control_totals", {**day, "as_of": known_until}),
        records(connection, "risk_page/select_books", day),
        records(connection, "risk_page/select_adjustments", {**day, "as_of": known_until}),
    )


def read_trader(connection: Connection, account_id: str, row_count: int) -> TraderView:
    """Read a trader's past, and so many of the newest recommendations.

    Raises
    ------
    RequestError
        If no such account has ever traded.
    """
    account = {"account_id": account_id}
    rows = records(connection, "risk_page/select_trader_days", account)
    if not rows:
        raise RequestError(f"No account named {account_id!r} has ever traded: look at the list of traders.")
    days = [
        Day(row["session_date"], float(row["total_pnl_usd"]), _number(row["quantile_05_usd"]))
        for row in rows
        if row["total_pnl_usd"] is not None
    ]
    active = {row["session_date"] for row in rows if row["fill_count"] > 0}
    traded = [day for day in days if day.session_date in active]
    return TraderView(
        account_id,
        _standing(connection, account_id),
        days,
        curve_chart(days),
        forecast_chart(traded),
        sum(day.is_breach for day in traded),
        sum(day.quantile_05_usd is not None for day in traded),
        [_feature(row) for row in records(connection, "risk_page/select_trader_features", account)],
        records(connection, "risk_page/select_trader_recommendations", {**account, "row_count": row_count}),
    )


def read_approval(connection: Connection, publication_id: int) -> ApprovalView:
    """Read an approval.

    Raises
    ------
    RequestError
        If there is none of this number.
    """
    publication = read_publication(connection, publication_id=publication_id)
    binds = {"publication_id": publication_id}
    return ApprovalView(
        publication,
        read_required_approvals(connection, publication),
        records(connection, "risk_page/select_decisions", binds),
        superseded_by(connection, publication),
    )


def _standing(connection: Connection, account_id: str) -> Standing | None:
    found = records(connection, "risk_page/select_trader_facts", {"account_id": account_id})
    if not found:
        return None
    told = found[0]["account"]
    return Standing(**{**found[0], "account": None if told is None else reader_of(AccountFacts)(told)})


def _publication(connection: Connection, run_id: int) -> Publication | None:
    with contextlib.suppress(RequestError):
        return read_publication(connection, run_id=run_id)
    return None


def _feature(row: Row) -> FeatureView:
    place = row["place"] - 1
    # Features of an earlier version of the code may be more or fewer than today's.
    known = FEATURES[place] if place < len(FEATURES) else None
    return FeatureView(
        known.sentence if known else f"feature {row['place']}",
        known.unit if known else "",
        _number(row["feature_value"]),
        _number(row["low_value"]),
        _number(row["usual_value"]),
        _number(row["high_value"]),
    )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
