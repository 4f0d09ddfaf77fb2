"""What the alarms' templates see: sentences, facts and links, already in words."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from risk.core.settings import settings
from risk.report.alert_records import KILLED, Cause, FailedRun, Morning, RunDates, RunKey
from risk.report.alert_task_logs import LogEnd

DEADLINE = dt.time(8, 30)
"""New York time of the effective session by which the report shall be out."""

REMEDIES = {
    "InputError": "Mend or replace the named file, then clear extract_fills.",
    "RequestError": "Correct what the sentence names, then clear the task, or start a run with other parameters.",
    "QualityError": "Read the verdicts in the log, mend the input, then clear extract_fills.",
    "CheckError": "Look at the database, then clear the task: it may succeed unchanged.",
    "BooksError": "Call the developers: two ways of computing the same money disagree. Nothing of this step is stored.",
    "SchemaError": "Restore the named schema files (git status include/sql/schema), then clear the task.",
    "ConnectionLostError": "Start the server that the sentence names, or ask its owner, then clear the task.",
    "IncompleteAnswerError": "Ask the vendor about the answer that the sentence names, then clear the task.",
    "RefusalError": "Mend the connection that the sentence names, or ask its owner, then clear the task.",
    "AirflowTaskTimeout": "Look at what the machine and the database were busy with, then clear the task.",
    KILLED: "Look at the machine: memory (dmesg), disk, restarts. Then clear the task: every step can be repeated.",
}
"""What to do, by the class of the error: there is one class for each remedy."""

OTHER_REMEDY = "Read the log. If it does not tell you what to do, call the developers; then clear the task."


@dataclass(frozen=True, slots=True)
class FailurePage:
    """Context of the templates ``task_failure``.

    Attributes
    ----------
    is_simulated
        Whether the desk is simulated.
    headline
        What the failure means for the morning, in one sentence.
    failed, cause
        What failed and why.
    standing
        Sentences: what exists for the morning and what does not.
    remedy
        What to do.
    log_lines
        End of the task's log, oldest first.
    """

    is_simulated: bool
    headline: str
    failed: FailedRun
    cause: Cause
    standing: tuple[str, ...]
    remedy: str
    log_lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NoticePage:
    """Context of the templates ``notice``: a short alarm, or the end of one.

    Attributes
    ----------
    is_simulated
        Whether the desk is simulated.
    tone
        ``bad`` or ``good``.
    label, title, headline
        The word above, the subject and the first sentence.
    sentences
        What is known, one paragraph each.
    actions
        What to do, one paragraph each; empty where nothing is to be done.
    url
        Link into the Airflow UI; empty where there is none.
    """

    is_simulated: bool
    tone: str
    label: str
    title: str
    headline: str
    sentences: tuple[str, ...]
    actions: tuple[str, ...]
    url: str


def remedy(cause: Cause) -> str:
    """Say what to do about an error."""
    return REMEDIES.get(cause.error_class, OTHER_REMEDY)


def headline(dates: RunDates, morning: Morning | None) -> str:
    """Say in one sentence what the failure means for the morning."""
    if dates.effective_session is None:
        return "No limits: the run failed before its session was known."
    day = dates.effective_session.isoformat()
    if morning is None:
        return f"No limits are known for {day}: the warehouse could not be read."
    if morning.is_delivered:
        return f"Limits for {day} are out (mailed at {morning.sent_time} New York); this run adds nothing to them."
    if morning.sent_count:
        return f"Limits for {day} reached {morning.sent_count} of {morning.sent_count + morning.open_count} recipients."
    if morning.has_limits:
        return f"Limits for {day} are computed but not mailed."
    return f"No limits for {day}."


def standing(dates: RunDates, morning: Morning | None) -> tuple[str, ...]:
    """Say what exists for the morning, and what stays in force meanwhile."""
    if dates.effective_session is None:
        return ("No morning is known to wait for this run. Without a report, the last report's limits stay in force.",)
    day = dates.effective_session.isoformat()
    if morning is None:
        return (f"What exists for {day} could not be read. Until it can, the last report's limits stay in force.",)
    if morning.is_delivered:
        return ("Nothing is missing: an earlier run of the session delivered its report.",)
    if morning.has_report:
        fact = "The mail is missing; recommendations and report are stored."
    elif morning.has_limits:
        fact = "The report and its mail are missing; recommendations are stored."
    else:
        fact = f"Recommendations, report and mail for {day} are missing."
    return (fact, "Until a report arrives, the last report's limits stay in force.")


def failure_page(failed: FailedRun, cause: Cause, morning: Morning | None, log: LogEnd) -> FailurePage:
    """Put a failure into words."""
    return FailurePage(
        is_simulated=settings().is_simulated,
        headline=headline(failed.dates, morning),
        failed=failed,
        cause=cause,
        standing=standing(failed.dates, morning),
        remedy=remedy(cause),
        log_lines=log.lines,
    )


def recovery_page(run: RunKey, dates: RunDates, morning: Morning | None, run_url: str) -> NoticePage:
    """Put into words that a run which had failed has succeeded."""
    day = "" if dates.effective_session is None else f" for {dates.effective_session.isoformat()}"
    is_out = morning is not None and morning.is_delivered
    outcome = f"Limits{day} are out." if is_out else f"Limits{day} are computed; this run mails nothing."
    return NoticePage(
        is_simulated=settings().is_simulated,
        tone="good",
        label="RECOVERED",
        title=f"RISK RUN RECOVERED - {run.dag_id}{day}",
        headline=f"The run that had failed has succeeded. {outcome}",
        sentences=(f"DAG {run.dag_id}, run {run.dag_run_id}, session {_day(dates.session_date)}.",),
        actions=(),
        url=run_url,
    )


def lateness_page(run: RunKey, dates: RunDates, morning: Morning | None, run_url: str) -> NoticePage:
    """Put into words that the report is not out at its time."""
    day = _day(dates.effective_session)
    return NoticePage(
        is_simulated=settings().is_simulated,
        tone="bad",
        label="REPORT LATE",
        title=f"RISK REPORT LATE - no report for {day} by {DEADLINE:%H:%M} New York",
        headline=headline(dates, morning),
        sentences=(
            f"The report for {day} is not out at {DEADLINE:%H:%M} New York, and the market opens at 09:30.",
            *standing(dates, morning),
            f"DAG {run.dag_id}, run {run.dag_run_id}, session {_day(dates.session_date)}.",
        ),
        actions=("Open the run and see which task it is at; a task that waits says for what in its log.",),
        url=run_url,
    )


def _day(date: dt.date | None) -> str:
    return "not known" if date is None else date.isoformat()
