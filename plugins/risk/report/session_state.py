"""What exists for an effective session, and what a failed or late run of each DAG means for its limits."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from risk.core.calendar import is_session
from risk.core.desks import DAILY_DAG, MODEL_DAG, PUBLICATION_DAG, own_dag
from risk.core.exchange import exchange
from risk.core.money import counted
from risk.core.settings import Settings
from risk.core.warehouse import Connection, records

DECISION_TOLERANCE = dt.timedelta(minutes=5)
"""Publication follows the deadline of decisions within this time."""


@dataclass(frozen=True, slots=True)
class RunDates:
    """The sessions of a run; ``None`` if it failed before they were known."""

    session_date: dt.date | None
    effective_session: dt.date | None

    @property
    def description(self) -> str:
        """Both sessions in words."""
        if self.session_date is None or self.effective_session is None:
            return "unknown"
        return f"{self.session_date.isoformat()}, limits for {self.effective_session.isoformat()}"


@dataclass(frozen=True, slots=True)
class SessionState:
    """What exists for an effective session.

    Attributes
    ----------
    has_limits, has_report
        Whether recommendations and a report are stored.
    sent_at
        When the first mail left, UTC.
    sent_count, open_count
        Recipients with and without the mail.
    decision_deadline
        Until when approval was asked for, UTC; ``None`` if nobody was asked.
    published_at
        When limits were published, UTC; of a report that nobody published yet ``None``, though an earlier one was.
    has_earlier_limits
        Whether limits of an earlier report of the session were published instead.
    unsent_count
        Recipients of the mail *Limits in force* whose copy no server has accepted.
    standing_session
        Newest earlier effective session whose limits were emailed or published; ``None`` if there is none.
    """

    has_limits: bool
    has_report: bool
    sent_at: dt.datetime | None
    sent_count: int
    open_count: int
    decision_deadline: dt.datetime | None = None
    published_at: dt.datetime | None = None
    has_earlier_limits: bool = False
    unsent_count: int = 0
    standing_session: dt.date | None = None

    @property
    def is_delivered(self) -> bool:
        """Whether every recipient has the report."""
        return self.sent_count > 0 and self.open_count == 0

    @property
    def limits_stand(self) -> str:
        """Which limits stand as long as there is no report."""
        if self.standing_session is None:
            return "Until a report arrives, base limits apply: no earlier limits were emailed or published."
        return f"Until a report arrives, the limits for {self.standing_session.isoformat()} stay in force."


LIMITS_STAY = "Until a report arrives, the limits of the last report stay in force."


def read_session_state(connection: Connection, effective_session: dt.date) -> SessionState:
    """Read what exists for an effective session."""
    binds = {"effective_session": effective_session}
    return SessionState(**records(connection, "alarms/select_session_states", binds)[0])


def is_done(dag_id: str, state: SessionState) -> bool:
    """Return whether what a DAG owes a session exists: the email with everybody, or the limits in force."""
    return state.published_at is not None if dag_id == own_dag(PUBLICATION_DAG) else state.is_delivered


def failing_dag(state: SessionState, instant: dt.datetime, *, asks_approval: bool) -> str:
    """Return the DAG that owes a session something at an instant when everything is due; empty = nothing is missing.

    The only place that decides it: watchdog, doctor and Risk page ask here.

    Parameters
    ----------
    asks_approval
        Whether people approve limits; those who were asked all the same are waited for, too.
    """
    if not state.is_delivered:
        return own_dag(DAILY_DAG)
    deadline = state.decision_deadline
    is_owed = (asks_approval or deadline is not None) and state.published_at is None
    is_late = deadline is None or instant > deadline + DECISION_TOLERANCE
    return own_dag(PUBLICATION_DAG) if is_owed and is_late else ""


def problem(state: SessionState, day: dt.date, instant: dt.datetime, *, asks_approval: bool) -> str:
    """Say what is wrong with the limits of a session, and which stand meanwhile; empty = nothing."""
    dag_id, dates = failing_dag(state, instant, asks_approval=asks_approval), RunDates(None, day)
    if not dag_id:
        return ""
    return f"{headline(dag_id, dates, state)} {consequences(dag_id, dates, state)[-1]}"


def todays_problem(connection: Connection, now: dt.datetime, settings: Settings) -> str:
    """Say what is wrong with today's limits as far as they are due; empty = nothing.

    A desk that is not scheduled owes no report, and a scheduled one none before `Exchange.report_due_at`.
    """
    known = exchange()
    local = now.astimezone(known.zone)
    today = local.date()
    if not is_session(today):
        return ""
    state = read_session_state(connection, today)
    is_report_due = settings.schedule == "sessions" and local.time() >= known.report_due_at
    if not (state.is_delivered or is_report_due):
        return ""
    return problem(state, today, now, asks_approval=settings.asks_approval)


def headline(dag_id: str, dates: RunDates, state: SessionState | None) -> str:
    """Say in one sentence what a failed or late run of a DAG means for its session."""
    if dag_id == own_dag(MODEL_DAG):
        return "No new model this week; the limits of every morning are computed without it."
    if dates.effective_session is None:
        return "No limits: the run failed before its session was known."
    day = dates.effective_session.isoformat()
    if state is None:
        return f"Limits for {day} are unknown: the warehouse is unreachable."
    return _publication_headline(day, state) if dag_id == own_dag(PUBLICATION_DAG) else _report_headline(day, state)


def consequences(dag_id: str, dates: RunDates, state: SessionState | None) -> tuple[str, ...]:
    """Say what is missing because of the run, and which limits stand meanwhile."""
    if dag_id == own_dag(MODEL_DAG):
        return ("No limit changes because of this.", "The last model serves while it is fresh, then rules decide.")
    if dates.effective_session is None:
        return ("The session of this run is unknown.", LIMITS_STAY)
    day = dates.effective_session.isoformat()
    if state is None:
        return (f"Whether limits for {day} exist is unknown.", LIMITS_STAY)
    return (
        _publication_consequences(day, state)
        if dag_id == own_dag(PUBLICATION_DAG)
        else _report_consequences(day, state)
    )


def _report_headline(day: str, state: SessionState) -> str:
    if state.is_delivered:
        return f"Limits for {day} were emailed at {_clock(state.sent_at)}; this run does not change them."
    if state.sent_count:
        total = state.sent_count + state.open_count
        return f"Limits for {day} reached {state.sent_count} of {total} recipients."
    if state.has_report:
        return f"The report for {day} is stored but not emailed."
    if state.has_limits:
        return f"Limits for {day} are computed but not reported."
    return f"No limits and no report for {day}."


def _report_consequences(day: str, state: SessionState) -> tuple[str, ...]:
    if state.is_delivered:
        return ("Nothing is missing: an earlier run of this session delivered its report.",)
    if state.sent_count:
        return ("Whoever has the email has all of the report; only the other recipients are without it.",)
    if state.has_report:
        missing = "The email is missing; recommendations and report are stored."
    elif state.has_limits:
        missing = "Report and email are missing; recommendations are stored."
    else:
        missing = f"Recommendations, report and email for {day} are missing."
    return (missing, state.limits_stand)


def _publication_headline(day: str, state: SessionState) -> str:
    if state.published_at is not None:
        return f"Limits for {day} were published at {_clock(state.published_at)}."
    if state.decision_deadline is None:
        return f"Limits for {day} are not published: nobody has been asked to approve them."
    return f"Limits for {day} are not published; approval was asked for until {_clock(state.decision_deadline)}."


def _publication_consequences(day: str, state: SessionState) -> tuple[str, ...]:
    if state.published_at is not None and state.unsent_count:
        return (
            f"The mail Limits in force has not reached {counted(state.unsent_count, 'recipient')}.",
            f"The limits for {day} are in force all the same, and the trading platform's file is written.",
        )
    if state.has_earlier_limits:
        return (
            f"What is published for {day} are the limits of an earlier report; those of the newest one are not.",
            "Until they are, the earlier ones stay in force, here and on the trading platform.",
        )
    if state.published_at is not None:
        return (
            f"The limits for {day} are in force here; the trading platform may not have its file.",
            "Until it has, the limits entered there last apply there.",
        )
    return (
        "Decisions made so far are stored. The trading platform has received nothing.",
        "Until the limits are published, those entered on the trading platform last apply there.",
    )


def _clock(instant: dt.datetime | None) -> str:
    """Return the time of an instant with the name of the exchange's zone; without the time if there is none."""
    known = exchange()
    return f" {known.city}" if instant is None else f"{instant.astimezone(known.zone):%H:%M} {known.city}"
