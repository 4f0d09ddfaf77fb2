"""The ledger of past recommendations: what a cut was worth, from the fills' own path.

For each recommendation whose session is over, the account's running net P&L is followed fill by fill, once under the
recommended limit and once under the base limit; the difference is the benefit of the cut. Of several recommendations
for a session the last one made before it opened counts (``counted_runs``); one made afterwards counts only where there
was none before, and is marked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal, localcontext
from itertools import groupby, islice
from typing import Any

from risk.core.runs import Run
from risk.core.warehouse import Connection, execute, records, statement, writing
from risk.limits.cut_benefits import Entry, Interval, Judgment, judge
from risk.limits.cut_paths import EXACT, Path, benefit_usd, outcome_usd
from risk.limits.cut_sentences import sentences

__all__ = ["Entry", "Judgment", "Path", "benefit_usd", "judge", "outcome_usd", "sentences", "store_ledger"]

FETCHED_ROWS = 2_000


def store_ledger(connection: Connection, run: Run) -> Judgment:
    """Settle the recommendations whose sessions are over by now, and store what all of them were worth.

    Entries are a cache of the newest knowledge and are computed once; `risk.books` removes those whose session it
    computes again. A run that knows the past has them apart, see ``risk.report.replay``, and knows no later report.

    Parameters
    ----------
    connection
        The warehouse.
    run
        Whose session is the last one that is known.
    """
    known_until = run.as_of if run.is_point_in_time else "infinity"
    with writing(connection):
        _settle(connection, {"known_until": known_until})
        found = _judge_known(connection, run)
        execute(connection, "ledger/delete_ledger_results", {"run_id": run.run_id})
        execute(connection, "ledger/insert_ledger_results", {"run_id": run.run_id, **_columns(found)})
    return found


def _settle(connection: Connection, binds: dict[str, Any]) -> None:
    execute(connection, "ledger/delete_ledger_entries", binds)
    paths = _stream(connection, "select_paths", binds)
    while chunk := list(islice(paths, FETCHED_ROWS)):
        with localcontext(EXACT):
            entries = json.dumps([_settled(row) for row in chunk], default=str)
        execute(connection, "ledger/insert_ledger_entries", {"entries": entries})


def _settled(row: dict[str, Any]) -> dict[str, Any]:
    path = Path(row["running_lows_usd"], row["close_usd"])
    return {
        **row,
        "base_outcome_usd": outcome_usd(path, row["base_limit_usd"]),
        "cut_outcome_usd": outcome_usd(path, row["limit_usd"]),
    }


def _judge_known(connection: Connection, run: Run) -> Judgment:
    binds = {"through_session_date": run.session_date, "known_until": run.as_of}
    average = records(connection, "ledger/select_average_cut", binds)[0]["average_cut_ratio"]
    known = _stream(connection, "select_ledger_entries", binds)
    days = groupby(known, key=lambda row: row["effective_session"])
    return judge(([_entry(row) for row in day] for _, day in days), average)


def _entry(row: dict[str, Any]) -> Entry:
    path = Path(row["running_lows_usd"], row["close_usd"])
    return Entry(row["is_live"], row["base_limit_usd"], row["cut_ratio"], row["limit_usd"], path)


def _stream(connection: Connection, name: str, binds: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a statement's rows through a server-side cursor, so that memory does not grow with the record."""
    with connection.cursor(name=name) as cursor:
        cursor.itersize = FETCHED_ROWS
        cursor.execute(statement(f"ledger/{name}"), binds)
        for row in cursor:
            yield dict(zip((column.name for column in cursor.description or ()), row, strict=True))


def _columns(found: Judgment) -> dict[str, Any]:
    """Gather the columns of ``ledger_results`` without the run."""
    return {
        "entry_count": found.entry_count,
        "live_count": found.live_count,
        "cut_count": found.cut_count,
        "session_count": found.session_count,
        "average_cut_ratio": found.average_cut_ratio,
        "prevented_usd": found.own.prevented_usd,
        "forgone_usd": found.own.forgone_usd,
        "uniform_prevented_usd": found.uniform.prevented_usd,
        "uniform_forgone_usd": found.uniform.forgone_usd,
        **_ends("net", found.net),
        **_ends("lead", found.lead),
        "random_net_usd": found.chance.net_usd,
        "random_deviation_usd": found.chance.deviation_usd,
        "random_p_value": found.chance.p_value,
        "verdict": found.verdict,
        "sentences": sentences(found),
    }


def _ends(name: str, interval: Interval | None) -> dict[str, Decimal | None]:
    return {
        f"{name}_low_usd": interval.low_usd if interval else None,
        f"{name}_high_usd": interval.high_usd if interval else None,
    }
