"""What each page shows, read from the warehouse: one view and one function that reads it for each page."""

from __future__ import annotations

import contextlib
import datetime as dt
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from airflow.sdk import Connection as AirflowConnection

from risk.core.calendar import checked_session
from risk.core.chain import Head, newest_head
from risk.core.desks import DAILY_DAG, own_connection, own_dag
from risk.core.errors import BooksError, RequestError
from risk.core.settings import read_settings
from risk.core.warehouse import Connection, connect, records, rows
from risk.limits.approvals import Publication, StoredFacts, read_proposals, read_publication
from risk.model.features import FEATURES
from risk.model.gate import NAMES, STEPS, TEST_SESSIONS, THRESHOLD
from risk.model.wealth import CONTRARY_EVIDENCE
from risk.model.window_test import EXCEEDANCE_BOUNDS, LARGEST_P_VALUE, SMALLEST_IMPROVEMENT, WINDOW_SESSIONS
from risk.report.facts import AccountFacts, Facts, parse_facts, reader_of
from risk.report.page import ApprovalRequest, Headline, approval_request, headline
from risk.report.session_state import todays_problem
from risk.web.charts import (
    Chart,
    SessionBenefit,
    TraderSession,
    benefit_chart,
    curves_chart,
    drawdown_chart,
    forecast_chart,
    reliability_chart,
    wealth_chart,
)

WAREHOUSE_CONNECTION_ID = "risk_warehouse"
STATEMENT_TIMEOUT = "5s"
"""A page that takes longer says that the database is busy."""

SHOWN_MODELS = 20

GATE_RULES = {
    "threshold": THRESHOLD,
    "sessions": TEST_SESSIONS,
    "contrary_evidence": CONTRARY_EVIDENCE,
    "window_sessions": WINDOW_SESSIONS,
    "smallest_improvement": SMALLEST_IMPROVEMENT,
    "largest_p_value": LARGEST_P_VALUE,
    "exceedance_bounds": EXCEEDANCE_BOUNDS,
}
"""The gate's conditions, for the sentence that states them."""

TableRow = Mapping[str, Any]
"""A row of a statement by column name; the statement's file says what it holds."""


def read_problem(connection: Connection) -> str:
    """Say what is wrong with today's limits, by the warehouse's clock, as the doctor does; empty = nothing."""
    return todays_problem(connection, rows(connection, "publish_limits/select_clock")[0][0], read_settings())


@dataclass(frozen=True, slots=True)
class StoredReport:
    """A report as it was stored, the run that made it, and the reported sessions before and after it."""

    run_id: int
    session_date: dt.date
    effective_session: dt.date
    revision: int
    as_of: dt.datetime
    dag_run_id: str
    recorded_at: dt.datetime
    facts: Facts
    report_sha256: str
    earlier_session: dt.date | None
    later_session: dt.date | None


@dataclass(frozen=True, slots=True)
class MorningView:
    """The page *today*: a report and what was published of it.

    ``failure``: of the newest run, where it failed and the report is the newest one. ``head``: the chain's, now.
    ``request``: what waits for a decision now, on the page *today*.
    """

    report: StoredReport
    published: Mapping[str, TableRow]
    publication: Publication | None
    failure: TableRow | None
    head: Head | None
    request: ApprovalRequest | None = None

    @property
    def account_count(self) -> int:
        """Accounts with a limit."""
        return len(self.report.facts.accounts)

    @property
    def accounts(self) -> list[AccountFacts]:
        """Accounts with a limit: those whose limit changes first, then most urgent first."""
        return sorted(self.report.facts.accounts, key=lambda account: account.limit_change_usd == 0)

    @property
    def headline(self) -> Headline:
        """The limits that change, most urgent first."""
        return headline(self.report.facts.accounts)


@dataclass(frozen=True, slots=True)
class SessionView:
    """The page of a session: check results, control totals, books and adjustments, as known then or now."""

    morning: MorningView
    as_of: dt.datetime
    reported: Mapping[str, AccountFacts]
    check_results: Sequence[TableRow]
    totals: Sequence[TableRow]
    books: Sequence[TableRow]
    adjustments: Sequence[TableRow]


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
            return "unknown"
        if self.low <= self.value <= self.high:
            return "usual"
        return "high" if self.value > self.high else "low"


@dataclass(frozen=True, slots=True)
class CurrentLimit:
    """What the newest report says about a trader; ``account`` is ``None`` where it does not list him."""

    session_date: dt.date
    effective_session: dt.date
    previous_session_date: dt.date | None
    account: AccountFacts | None


@dataclass(frozen=True, slots=True)
class TraderView:
    """The page of a trader."""

    account_id: str
    current: CurrentLimit | None
    session_count: int
    drawdown: Chart | None
    forecast: Chart | None
    features: Sequence[FeatureView]
    recommendations: Sequence[TableRow]


@dataclass(frozen=True, slots=True)
class TrackRecordView:
    """The page of the track record as one run knew it; the sums by session are the newest first.

    ``reported``: those of its sessions that have a report.
    """

    record: TableRow
    chart: Chart | None
    traders: Sequence[TableRow]
    decisions: Sequence[TableRow]
    session_count: int
    newest_sessions: Sequence[TableRow]
    outcomes: Sequence[TableRow]
    reported: frozenset[dt.date]


@dataclass(frozen=True, slots=True)
class StepBets:
    """The bets on one step of the gate's ladder.

    Attributes
    ----------
    name
        Of what is bet on.
    chart
        Wealth by session, beside the threshold; ``None`` before the first bet.
    procedure_count
        Ways of forecasting that have been bet on; each has an error of its own.
    """

    name: str
    chart: Chart | None
    procedure_count: int


@dataclass(frozen=True, slots=True)
class ModelView:
    """The page of the model.

    Attributes
    ----------
    model
        Identity and card; ``None`` = none was trained.
    models
        The newest ones, to choose from.
    coverage
        The card's coverage by trader, with the share of exceedances.
    reliability, weights
        Charts; ``None`` where the card has nothing to draw.
    wealth
        The bets of each step of the ladder.
    gate_rules
        The gate's conditions.
    evaluation_count
        Sessions in which the gate evaluated a model.
    evaluations
        The newest of them, newest first.
    reported
        Those of their sessions that have a report.
    """

    model: TableRow | None
    models: Sequence[TableRow]
    coverage: Sequence[TableRow]
    reliability: Chart | None
    weights: Chart | None
    wealth: Sequence[StepBets]
    gate_rules: TableRow
    evaluation_count: int
    evaluations: Sequence[TableRow]
    reported: frozenset[dt.date]

    @property
    def calibration(self) -> str:
        """Whether the calibration ``widens`` or ``narrows`` the mixture's forecast losses."""
        return "narrows" if self._calibration < 0 else "widens"

    @property
    def calibration_ratio(self) -> float:
        """By how much it does."""
        return abs(math.expm1(self._calibration))

    @property
    def _calibration(self) -> float:
        return float(self.model["card"]["calibration"]) if self.model else 0.0

    @property
    def drifts(self) -> Sequence[str]:
        """Sentences about recent inputs and exceedances, from the newest evaluation."""
        return self.evaluations[0]["drifts"] if self.evaluations else ()


@contextlib.contextmanager
def warehouse() -> Iterator[Connection]:
    """Open the warehouse for one request, as the page's own role where it has one."""
    dsn = read_settings().page_dsn or str(AirflowConnection.get(own_connection(WAREHOUSE_CONNECTION_ID)).get_uri())
    with contextlib.closing(connect(dsn)) as connection:
        with connection, connection.cursor() as cursor:
            cursor.execute("set statement_timeout = %s", (STATEMENT_TIMEOUT,))
        yield connection


def read_failure(connection: Connection) -> TableRow | None:
    """Return where the newest daily run failed; ``None`` where it did not."""
    failed = records(connection, "watchdog/select_failed_run", {"dag_id": own_dag(DAILY_DAG)})
    return failed[0] if failed else None


def read_reported(connection: Connection, session_dates: Iterable[dt.date]) -> frozenset[dt.date]:
    """Return those of some sessions that have a report, and with it a page of their own."""
    found = rows(connection, "risk_page/select_reported_sessions", {"session_dates": sorted(set(session_dates))})
    return frozenset(session_date for (session_date,) in found)


def read_today(connection: Connection) -> MorningView | None:
    """Read the newest report; ``None`` before the first one."""
    found = records(connection, "risk_page/select_report", {"session_date": None})
    if not found:
        return None
    stored = StoredFacts(found[0]["facts"], found[0]["facts_sha256"])
    morning = _morning(connection, found[0], read_failure(connection))
    return replace(morning, request=_request(connection, morning, stored))


def _request(connection: Connection, morning: MorningView, stored: StoredFacts) -> ApprovalRequest | None:
    """Return what waits for a decision; ``None`` where nothing does, or nobody may decide any more."""
    publication = morning.publication
    if publication is None or morning.published:
        return None
    now = rows(connection, "publish_limits/select_clock")[0][0]
    if now >= publication.decision_deadline:
        return None
    # Of a stored report that was changed the page Approval says so.
    with contextlib.suppress(BooksError):
        return approval_request(publication, read_proposals(connection, publication, now, stored))
    return None


def read_morning(connection: Connection, session_date: dt.date) -> MorningView:
    """Read a session's report.

    Raises
    ------
    RequestError
        If the date is not a session or lies in the future, or nothing was reported for it.
    """
    checked_session(session_date, dt.datetime.now(dt.UTC))
    found = records(connection, "risk_page/select_report", {"session_date": session_date})
    if not found:
        raise RequestError(
            f"Session {session_date} has no report: run it (make trigger DATE={session_date}, or the DAG "
            f"{own_dag(DAILY_DAG)} in Airflow)."
        )
    return _morning(connection, found[0], None)


def _morning(connection: Connection, found: TableRow, failure: TableRow | None) -> MorningView:
    values = {name: value for name, value in found.items() if name != "facts_sha256"}
    report = StoredReport(**{**values, "facts": parse_facts(found["facts"])})
    published = records(connection, "risk_page/select_published", {"run_id": report.run_id})
    publication = None
    with contextlib.suppress(RequestError):
        publication = read_publication(connection, run_id=report.run_id)
    by_account = {row["account_id"]: row for row in published}
    return MorningView(report, by_account, publication, failure, newest_head(connection))


def read_session(connection: Connection, session_date: dt.date, known: str) -> SessionView:
    """Read a session as its report knew it (``then``) or as it is known (``now``)."""
    morning = read_morning(connection, session_date)
    is_then = known == "then"
    as_of = morning.report.as_of if is_then else dt.datetime.now(dt.UTC)
    run_id = morning.report.run_id if is_then else None
    day = {"session_date": session_date}
    return SessionView(
        morning,
        as_of,
        {account.account_id: account for account in morning.report.facts.accounts},
        records(connection, "risk_page/select_check_results", {"run_id": morning.report.run_id}),
        records(connection, "risk_page/select_control_totals", {**day, "as_of": as_of, "run_id": run_id}),
        records(connection, "risk_page/select_books", day),
        records(connection, "risk_page/select_adjustments", {**day, "as_of": as_of}),
    )


def read_trader(connection: Connection, account_id: str, row_count: int) -> TraderView:
    """Read a trader's past, and so many of the newest recommendations.

    Raises
    ------
    RequestError
        If no such account has ever traded.
    """
    account = {"account_id": account_id}
    rows = records(connection, "risk_page/select_trader_sessions", account)
    if not rows:
        raise RequestError(f"No account named {account_id!r} has ever traded: see the list of traders.")
    sessions = [
        TraderSession(row["session_date"], row["total_pnl_usd"], _number(row["quantile_05_usd"]))
        for row in rows
        if row["total_pnl_usd"] is not None
    ]
    active_dates = {row["session_date"] for row in rows if row["fill_count"] > 0}
    active = [session for session in sessions if session.session_date in active_dates]
    return TraderView(
        account_id,
        _current_limit(connection, account_id),
        len(sessions),
        drawdown_chart(account_id, sessions),
        forecast_chart(account_id, active),
        _feature_views(records(connection, "risk_page/select_trader_features", account)),
        records(connection, "risk_page/select_trader_recommendations", {**account, "row_count": row_count}),
    )


def read_track_record(connection: Connection, session_date: dt.date | None, row_count: int) -> TrackRecordView | None:
    """Read what past cuts were worth as known to a session's run; without a date to the newest run.

    Returns
    -------
    TrackRecordView or None
        ``None`` = no run has evaluated them yet.

    Raises
    ------
    RequestError
        If the session has no track record.
    """
    found = records(connection, "track_record/select_track_record", {"session_date": session_date})
    if not found and session_date is not None:
        raise RequestError(f"Session {session_date} has no track record: run it, or clear its task apply_rules.")
    if not found:
        return None
    known = {"session_date": found[0]["session_date"], "as_of": found[0]["as_of"]}
    benefits = records(connection, "track_record/select_benefits", known)
    sessions = [row for row in benefits if row["effective_session"] is not None]
    chart = benefit_chart(
        [SessionBenefit(row["effective_session"], row["prevented_usd"], row["forgone_usd"]) for row in sessions]
    )
    newest = sessions[: -row_count - 1 : -1]
    return TrackRecordView(
        found[0],
        chart,
        [row for row in benefits if row["account_id"] is not None],
        [row for row in benefits if row["decision"] is not None],
        len(sessions),
        newest,
        records(connection, "track_record/select_newest_outcomes", {**known, "row_count": row_count}),
        read_reported(connection, [known["session_date"], *(row["effective_session"] for row in newest)]),
    )


def read_model_page(connection: Connection, model_id: int | None, row_count: int) -> ModelView:
    """Read a model's card and the gate's newest evaluations; without a number the newest model.

    Raises
    ------
    RequestError
        If there is no model of this number.
    """
    found = records(connection, "risk_page/select_model", {"model_id": model_id})
    if not found and model_id is not None:
        raise RequestError(f"There is no model {model_id}: see the list of models.")
    evaluations = records(connection, "risk_page/select_gate_history")
    newest = evaluations[: -row_count - 1 : -1]
    card = found[0]["card"] if found else {}
    bets = records(connection, "predict_limits/select_gate_bets", {"session_date": dt.date.max})
    return ModelView(
        found[0] if found else None,
        records(connection, "risk_page/select_models", {"row_count": SHOWN_MODELS}),
        [{**row, "exceedance_rate": row["breach_count"] / row["forecast_count"]} for row in card.get("coverage", ())],
        reliability_chart(card.get("checks", {}).get("levels", ())),
        _weights_chart(card),
        [_step_bets(step, [row for row in bets if row["candidate"] == step]) for step in reversed(STEPS)],
        GATE_RULES,
        len(evaluations),
        newest,
        read_reported(connection, (row["session_date"] for row in newest)),
    )


def _step_bets(step: str, bets: Sequence[TableRow]) -> StepBets:
    """Draw the wealth of a bet by session, beside the threshold."""
    name = NAMES[step]
    logs = [(row["session_date"], row["log_wealth"]) for row in bets]
    chart = wealth_chart(f"wealth-{step}", f"Wealth of the bet on {name}", logs, THRESHOLD)
    return StepBets(name, chart, len({row["procedure"] for row in bets}))


def _weights_chart(card: TableRow) -> Chart | None:
    """Draw the experts' weights at the end of each week; ``None`` for cards that are older than this record."""
    course = card.get("course")
    if not course:
        return None
    days = [dt.date.fromisoformat(day) for day in course["session_dates"]]
    return curves_chart("weights", "Expert weights at the end of each week", days, course["weights"], "share")


def _current_limit(connection: Connection, account_id: str) -> CurrentLimit | None:
    found = records(connection, "risk_page/select_trader_facts", {"account_id": account_id})
    if not found:
        return None
    account = found[0]["account"]
    return CurrentLimit(**{**found[0], "account": None if account is None else reader_of(AccountFacts)(account)})


def _feature_views(rows: Sequence[TableRow]) -> list[FeatureView]:
    """List today's features in the order of their table; columns of another version of the code are left out."""
    stored = {row["feature_name"]: row for row in rows}
    columns = ("feature_value", "low_value", "usual_value", "high_value")
    return [
        FeatureView(feature.sentence, feature.unit, *(_number(stored[feature.name][column]) for column in columns))
        for feature in FEATURES
        if feature.name in stored
    ]


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
