"""The roster: every account with its trading days, as the newest run left it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import NamedTuple

from risk.core.errors import RequestError
from risk.core.runs import Run, read_run
from risk.core.settings import LEGACY_SUFFIX
from risk.core.warehouse import Connection, records, rows


class Trader(NamedTuple):
    """One account.

    Attributes
    ----------
    account_id
        Trading account.
    display_name
        Name of the person, where somebody stated one.
    trading_day_count
        Sessions with fills.
    first_session_date, latest_session_date
        The first of them, or what the source says, and the last; ``None`` = it has not traded.
    base_limit_usd
        Stated daily loss limit before any cut, US dollars; ``None`` = the default of the settings.
    status
        ``active``, ``limited history`` or ``stale``; without a limit: ``disabled``, ``legacy``, ``inactive`` or
        ``not traded yet``.
    """

    account_id: str
    display_name: str | None
    trading_day_count: int
    first_session_date: dt.date | None
    latest_session_date: dt.date | None
    base_limit_usd: Decimal | None
    status: str


def read_roster(connection: Connection, run: Run) -> list[Trader]:
    """Read every account that has traded or that was stated, by name, as known to a run."""
    binds = {
        "run_id": run.run_id,
        "session_date": run.session_date,
        "effective_session": run.effective_session,
        "as_of": run.as_of,
        "legacy_suffix": LEGACY_SUFFIX,
    }
    found = records(connection, "roster/select_roster", binds)
    return sorted((Trader(**row) for row in found), key=lambda trader: trader.account_id)


def newest_run(connection: Connection) -> Run:
    """Return the newest run of the newest session.

    Raises
    ------
    RequestError
        If nothing was run in this warehouse yet.
    """
    for (run_id,) in rows(connection, "runs/select_newest_runs"):
        return read_run(connection, run_id)
    raise RequestError("Nothing was run in this warehouse yet: make run, or make trigger DATE=, reads the accounts.")
