"""Which accounts a morning run still waits for."""

from __future__ import annotations

import datetime as dt

from risk.core.settings import ACTIVE_WITHIN_SESSIONS, LEGACY_SUFFIX
from risk.core.warehouse import Connection, rows
from risk.ingest.loading import Load


def missing_accounts(connection: Connection, session_date: dt.date, load: Load) -> list[str]:
    """List the accounts that traded recently and of which the load knew no executions of the session.

    An account the source has answered for with "no trades" is not awaited.
    """
    binds = {
        "session_date": session_date,
        "load_id": load.load_id,
        "active_within": ACTIVE_WITHIN_SESSIONS,
        "legacy_suffix": LEGACY_SUFFIX,
    }
    return [account for (account,) in rows(connection, "extract_fills/select_missing_accounts", binds)]
