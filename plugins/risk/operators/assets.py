"""The assets on which other DAGs schedule: a report that was mailed, limits that came into force."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from airflow.sdk import Asset, AssetAlias

from risk.core.exchange import exchange_zone
from risk.core.runs import Run
from risk.core.settings import read_settings

if TYPE_CHECKING:
    from airflow.sdk import Context

REPORT, LIMITS = "report", "limits"


def asset_of(desk: str, what: str) -> Asset:
    """Return an asset of a desk: ``risk://<desk>/report`` or ``risk://<desk>/limits``."""
    return Asset(f"risk://{desk}/{what}")


def alias_of(desk: str, what: str) -> AssetAlias:
    """Return the outlet of the task that may update an asset.

    An asset as outlet would be updated by every success, and a backfill of 60 sessions would start others' DAGs 60
    times; an alias is updated only where the task adds an event.
    """
    return AssetAlias(f"risk_{desk}_{what}")


def add_event(context: Context, what: str, run: Run, digest: str) -> bool:
    """Announce a report or limits to other DAGs, if they are for today or later on a desk that is not simulated.

    The event comes again where the task is cleared and succeeds again: the same digest says that nothing is new. It has
    no partition key, since an event with one starts no DAG that is scheduled on the asset alone.

    Parameters
    ----------
    context
        Of the task, which has the asset's alias as an outlet.
    what
        ``REPORT`` or ``LIMITS``.
    run
        Whose report or limits.
    digest
        SHA-256 of what was delivered, hexadecimal.

    Returns
    -------
    bool
        False for what nobody waits for: a past session, a point-in-time run, a simulated desk.
    """
    if not run.is_live(dt.datetime.now(exchange_zone()).date()):
        return False
    desk = read_settings().desk
    context["outlet_events"][alias_of(desk, what)].add(
        asset_of(desk, what),
        extra={
            "session_date": run.session_date.isoformat(),
            "effective_session": run.effective_session.isoformat(),
            "digest": digest,
        },
    )
    return True
