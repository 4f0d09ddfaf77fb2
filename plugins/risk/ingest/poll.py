"""Loading a source that may not be complete yet: who is missing, and when to poll again."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable

from risk.core.calendar import next_session
from risk.core.errors import ConnectionLostError, InputError, RequestError, RiskError
from risk.core.policy_store import read_policy
from risk.core.warehouse import Connection, rows
from risk.ingest.completeness import POLL_INTERVAL
from risk.ingest.load import Load
from risk.ingest.reasons import say_first

log = logging.getLogger(__name__)

MOST_SESSIONS_APART = 10
"""A run that nobody gave a session is about the last finished one; the newest fills may be so many sessions away."""


class SourceIncompleteError(RiskError):
    """The source is unreachable or lacks expected accounts, and there is time left; poll again.

    Attributes
    ----------
    poll_at
        When, in UTC.
    """

    def __init__(self, message: str, poll_at: dt.datetime) -> None:
        super().__init__(message)
        self.poll_at = poll_at


def load_or_wait(
    connection: Connection, session_date: dt.date, load: Callable[[], Load], deadline: dt.datetime | None
) -> Load:
    """Load a source and check that nothing is missing.

    Parameters
    ----------
    load
        Loads the source.
    deadline
        Until when a run waits for a source that is unreachable or lacks expected accounts, in UTC; from then on it
        continues with what is known. ``None`` = it does not wait: an unreachable source fails the task.

    Raises
    ------
    SourceIncompleteError
        If the run waits, for these accounts or for files that are not complete.
    InputError
        If files were refused; names each of them. All others are loaded.
    ConnectionLostError
        If the source is unreachable and the run does not wait, or nothing was ever loaded for the session.
    """
    try:
        loaded = load()
    except ConnectionLostError as error:
        if deadline is None:
            raise
        _wait(str(error), deadline)
        loaded = _last_load(connection, session_date, error)
    _wait_for_files(session_date, loaded, deadline)
    if loaded.quarantined:
        reasons = say_first([item.reason for item in loaded.quarantined], "more: the Risk page lists every file.")
        listed = "\n".join(f"- {reason}" for reason in reasons)
        raise InputError(
            f"{len(loaded.quarantined)} of the delivered files cannot be used; all others are loaded. Fix or replace "
            f"them, then clear task extract_fills.\n{listed}"
        )
    missing = missing_accounts(connection, session_date, loaded) if deadline else []
    if deadline and missing:
        names = ", ".join(missing)
        _wait(f"no executions of {names}", deadline)
        log.warning("session=%s continues without %s", session_date, names)
    return loaded


def _wait(reason: str, deadline: dt.datetime) -> None:
    """Ask to be polled again, as long as the deadline has not passed."""
    now = dt.datetime.now(dt.UTC)
    if now < deadline:
        raise SourceIncompleteError(reason, min(now + POLL_INTERVAL, deadline))


def _wait_for_files(session_date: dt.date, loaded: Load, deadline: dt.datetime | None) -> None:
    """Ask to be polled again for files that are not complete; from the deadline on the report names them."""
    names = ", ".join(say_first([item.file_name for item in loaded.waiting], "more"))
    if names and deadline:
        _wait(f"not complete: {names}", deadline)
    if names:
        log.warning("session=%s continues without the whole of %s", session_date, names)


def _last_load(connection: Connection, session_date: dt.date, error: ConnectionLostError) -> Load:
    """Return the last load for a session as one that brings nothing new; raise the error where there was none."""
    with connection:
        ((load_id,),) = rows(connection, "extract_fills/select_last_load", {"session_date": session_date})
    if load_id is None:
        raise error
    log.warning("session=%s continues with what is known: %s", session_date, error)
    return Load(load_id, 0, 0, 0, 0, ())


def refuse_far_session(connection: Connection, session_date: dt.date) -> None:
    """Refuse the session that the clock gives to a run if the newest fills are of a wholly different time.

    Historical data, or a machine's clock that is wrong: the run would end well, for a session without a single fill.

    Raises
    ------
    RequestError
        Names both sessions; no run is opened.
    """
    with connection:
        ((newest, session_count),) = rows(
            connection, "extract_fills/select_newest_fills", {"session_date": session_date}
        )
    if newest is not None and session_count > MOST_SESSIONS_APART:
        raise RequestError(
            f"The run names no session, and by the clock it is about {session_date}, but the newest fills are of "
            f"{newest}, {session_count} sessions away: no report was made. Start it again with session_date {newest}, "
            "or the one you mean."
        )


def missing_accounts(connection: Connection, session_date: dt.date, load: Load) -> list[str]:
    """List the accounts that traded recently and for which a load knows no executions of the session.

    An account that the source has answered for with "no trades" is not missing.
    """
    policy = read_policy(connection, next_session(session_date)).desk
    binds = {"session_date": session_date, "load_id": load.load_id, **policy.accounts.coverage_binds}
    return [account for (account,) in rows(connection, "extract_fills/select_missing_accounts", binds)]
