"""Sessions in which an account breaks its limit, run up to their mailed report."""

from __future__ import annotations

import datetime as dt
import itertools

from risk.books.warehouse import aggregate
from risk.core.runs import Run
from risk.core.warehouse import Connection
from risk.limits.breaches import store_breaches
from risk.limits.receipt_rows import store_receipts
from risk.limits.track_record import store_track_record
from tests.report_desks import insert
from tests.sql.daily_rows import new_run
from tests.track_record_desks import MON, fill

BROKEN = [fill(MON, 1, "B", "1000", "20.00"), fill(MON, 9, "S", "1000", "13.00")]
"""A loss of 7,000 under the default limit of 5,000, at once."""
KEPT = [fill(MON, 1, "B", "1000", "20.00"), fill(MON, 9, "S", "1000", "19.00")]
NUMBERS = itertools.count(1)


def run_session(connection: Connection, day: dt.date = MON, *, is_mailed: bool = True) -> Run:
    """Run a session up to its report."""
    run = new_run(connection, day)
    aggregate(connection, run)
    store_track_record(connection, run)
    store_receipts(connection, run)
    store_breaches(connection, run)
    if is_mailed:
        message = {"message_id": f"<{next(NUMBERS)}@desk>", "recipient": "a@desk.example"}
        sent_at = dt.datetime.now(dt.UTC)
        insert(connection, "report_deliveries", run_id=run.run_id, attempt_count=1, sent_at=sent_at, **message)
    return run
