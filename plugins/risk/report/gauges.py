"""The numbers of a morning for monitoring: instants and counts by name, none of a trader.

Instants are seconds since 1970, UTC, and not ages: nobody updates a gauge after the task has ended. The instants by
which the next report and the limits are due know the exchange's holidays and daylight saving, so that a rule of the
monitoring system only compares them with its clock.
"""

from __future__ import annotations

import datetime as dt

from risk.core.calendar import next_session, report_due_at, session_open
from risk.core.runs import Run
from risk.core.warehouse import Connection, rows
from risk.limits.approvals import Publication
from risk.report.session_state import DECISION_TOLERANCE, read_session_state

LEVELS = ("high", "moderate", "low")


def report_gauges(connection: Connection, run: Run) -> dict[str, float]:
    """Return the gauges of a report that was mailed.

    Parameters
    ----------
    connection
        Warehouse.
    run
        The run of the report.

    Returns
    -------
    dict
        By name below ``risk.``; ``limits.due_timestamp`` is 0 where nobody is asked to approve limits.
    """
    state = read_session_state(connection, run.effective_session)
    next_due = report_due_at(next_session(run.effective_session))
    limits_due = None if state.decision_deadline is None else state.decision_deadline + DECISION_TOLERANCE
    levels = dict(rows(connection, "send_report/select_levels", {"run_id": run.run_id}))
    (breaches,) = rows(connection, "breaches/select_breached_accounts", {"session_date": run.session_date})[0]
    return {
        "report.sent_timestamp": _seconds(state.sent_at),
        "report.effective_session_timestamp": session_open(run.effective_session).timestamp(),
        "report.next_due_timestamp": next_due.timestamp(),
        "report.recipients": state.sent_count,
        "report.recipients_without": state.open_count,
        "report.limit_breaches": breaches,
        **{f"report.{level}_risk_traders": levels.get(level, 0) for level in LEVELS},
        "limits.due_timestamp": _seconds(limits_due),
    }


def limits_gauges(connection: Connection, publication: Publication) -> dict[str, float]:
    """Return the gauges of limits that came into force, by name below ``risk.``."""
    state = read_session_state(connection, publication.effective_session)
    key = {"publication_id": publication.publication_id}
    published = rows(connection, "publish_limits/select_published_limits", key)
    return {"limits.published_timestamp": _seconds(state.published_at), "limits.in_force": len(published)}


def _seconds(instant: dt.datetime | None) -> float:
    return 0.0 if instant is None else instant.timestamp()
