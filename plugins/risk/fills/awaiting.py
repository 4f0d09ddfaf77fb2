"""Which accounts a morning run still waits for."""

from __future__ import annotations

import datetime as dt

from risk.database import Connection, rows
from risk.fills.loading import Load
from risk.settings import ACTIVE_WITHIN_SESSIONS, LEGACY_SUFFIX


def awaited_accounts(connection: Connection, session_date: dt.date, load: Load) -> list[str]:
    """List the accounts that traded recently and of which the load knew no executions of the session.

    An account the source has answered for with "no trades" is not awaited.
    """
    binds = {
        "session_date": session_date,
        "load_id": load.load_id,
        "active_within": ACTIVE_WITHIN_SESSIONS,
        "legacy_suffix": LEGACY_SUFFIX,
    }
    return [account for (account,) in rows(connection, "extract_fills/select_awaited_accounts", binds)]
