"""The desk in one view: a stored report, the desk's limit, and every account's part of the desk's tail."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from risk.core.calendar import checked_session
from risk.core.errors import RequestError
from risk.core.policy_store import read_policy
from risk.core.warehouse import Connection, records
from risk.report.build_facts import read_shares
from risk.report.facts import ExposureFacts, Facts, parse_facts


@dataclass(frozen=True, slots=True)
class DeskSummary:
    """What a report says of the desk, and what it is stored with.

    Attributes
    ----------
    facts, run_id
        Of the report, and of the run that made it.
    desk_limit_usd
        Loss of the whole desk that the policy names, US dollars; ``None`` = it names none.
    shares
        Accounts with a forecast, the largest share of the desk's expected shortfall first; what each cut takes off it.
    """

    facts: Facts
    run_id: int
    desk_limit_usd: Decimal | None
    shares: tuple[ExposureFacts, ...]

    @property
    def plain(self) -> dict[str, Any]:
        """The summary as plain values; names as in ``report.json``."""
        facts = self.facts
        return {
            "session_date": facts.session_date,
            "effective_session": facts.effective_session,
            "is_simulated": facts.is_simulated,
            "desk": asdict(facts.desk),
            "desk_limit_usd": self.desk_limit_usd,
            "desk_tail": None if facts.desk_tail is None else asdict(facts.desk_tail),
            "traders": [asdict(one) for one in self.shares],
        }


def read_desk(connection: Connection, session_date: dt.date | None = None) -> DeskSummary:
    """Read the desk of a session's report; ``None`` = the newest.

    Raises
    ------
    RequestError
        If the date is no session or lies in the future, or there is no such report.
    """
    summary = find_desk(connection, session_date)
    if summary is None:
        missing = "There is no report yet" if session_date is None else f"Session {session_date} has no report"
        day = "" if session_date is None else session_date.isoformat()
        raise RequestError(f"{missing}: run it (make trigger DATE={day}, or the DAG daily_risk in Airflow).")
    return summary


def find_desk(connection: Connection, session_date: dt.date | None) -> DeskSummary | None:
    """Read the desk of a session's report as `read_desk` does; ``None`` where there is no such report."""
    if session_date is not None:
        checked_session(session_date, dt.datetime.now(dt.UTC))
    found = records(connection, "risk_page/select_report", {"session_date": session_date})
    if not found:
        return None
    facts, run_id = parse_facts(found[0]["facts"]), found[0]["run_id"]
    policy = read_policy(connection, facts.effective_session, found[0]["as_of"]).desk
    return DeskSummary(facts, run_id, policy.limits.desk_usd, read_shares(connection, run_id))
