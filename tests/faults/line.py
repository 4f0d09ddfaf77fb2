"""The seven steps and the publication on a small desk, each as its operator does it, and what they leave."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from risk.books.warehouse import aggregate
from risk.checks.run import check_fills
from risk.core.calendar import store_sessions
from risk.core.runs import Run, open_run, read_run
from risk.core.settings import read_settings
from risk.core.warehouse import Connection, answering, connect, writing
from risk.desk.store import store_desk
from risk.ingest.load import load_drop
from risk.limits.approvals import ApprovalPolicy, open_publication
from risk.limits.decide import apply_rules, predict
from risk.limits.publish import OutboundFolder, publish
from risk.model.build_features import store_features
from risk.report.mail import SmtpServer
from risk.report.page import Links
from risk.report.send import send_report

OWN_TIME = (
    "as_of",
    "attempt_count",
    "decision_deadline",
    "last_error",
    "message_id",
    "published_at",
    "rebuilt_at",
    "recorded_at",
    "sent_at",
)
"""Columns that say when a row was made, or how often it was tried."""
OF_ITS_RUN = {
    "derived.cut_outcomes": ("reported_at",),
    "risk.report_digests": ("report_sha256",),
    "risk.reports": ("salt",),
    "risk.report_parts": ("content", "content_sha256"),
    "risk.chain_links": ("subject", "content_sha256", "previous_sha256", "link_sha256"),
}
"""Columns by table that follow from keys, clock or a drawn salt: parts of a report that name its run, head and
digest, and links."""


@dataclass(frozen=True)
class Site:
    """Where a step works.

    Attributes
    ----------
    dsn, server
        Warehouse and mail server; ``None`` = the report is not mailed.
    drop, outbound
        Folders of fills and of published limits.
    session_date
        Session of the run.
    """

    dsn: str
    server: SmtpServer | None
    drop: Path
    outbound: Path
    session_date: dt.date

    def newest_run(self, connection: Connection) -> Run:
        """Read the run that the steps after the first one work for."""
        with connection, connection.cursor() as cursor:
            cursor.execute("select max(run_id) from risk.runs")
            return read_run(connection, cursor.fetchall()[0][0])


def extract_fills(site: Site, connection: Connection) -> None:
    """Load the drop and open the run."""
    with writing(connection):
        store_sessions(connection)
    load = load_drop(connection, site.drop, site.session_date, read_settings())
    open_run(connection, site.session_date, load.load_id, "test")


def publish_limits(site: Site, connection: Connection) -> None:
    """Ask for approval on the morning of the session, whose deadline has passed long ago, and publish."""
    run = site.newest_run(connection)
    asked_at = dt.datetime.combine(run.effective_session, dt.time(12, 0), tzinfo=dt.UTC)
    publication = open_publication(connection, run, ApprovalPolicy("all", has_dual_control=False), asked_at)
    publish(connection, publication, OutboundFolder(site.outbound))


def for_run(work: Callable[[Site, Connection, Run], Any]) -> Callable[[Site, Connection], None]:
    """Return a step that works for the newest run."""
    return lambda site, connection: work(site, connection, site.newest_run(connection))


STEPS: dict[str, Callable[[Site, Connection], None]] = {
    "extract_fills": extract_fills,
    "check_fills": for_run(lambda site, connection, run: check_fills(connection, site.dsn, run)),
    "aggregate_pnl": for_run(lambda _, connection, run: aggregate(connection, run)),
    "build_features": for_run(lambda _, connection, run: store_features(connection, run)),
    "predict_limits": for_run(lambda _, connection, run: predict(connection, run)),
    "apply_rules": for_run(lambda _, connection, run: (apply_rules(connection, run), store_desk(connection, run))),
    "send_report": for_run(
        lambda site, connection, run: send_report(connection, run, site.server, Links(), read_settings())
    ),
    "publish_limits": publish_limits,
}


def do(step: str, site: Site) -> None:
    """Do one step with a connection of its own."""
    with answering(), contextlib.closing(connect(site.dsn)) as connection:
        STEPS[step](site, connection)


def digests(dsn: str) -> dict[str, str]:
    """Return the SHA-256 of each table's rows, without keys that the warehouse gives and without its clock."""
    with contextlib.closing(connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(
            "select table_schema || '.' || table_name, column_name, is_identity = 'YES', column_default is not null "
            "and data_type like 'timestamp%' from information_schema.columns "
            "where table_schema in ('risk', 'derived', 'results') order by 1, ordinal_position"
        )
        listed = cursor.fetchall()
        keys = {column for _, column, is_key, _ in listed if is_key}
        tables: dict[str, list[str]] = {}
        for table, column, _, is_clock in listed:
            own = tables.setdefault(table, [])
            is_its_run = column in OF_ITS_RUN.get(table, ())
            if not (column in OWN_TIME or is_clock or is_its_run or any(column.endswith(key) for key in keys)):
                own.append(column)
        return {table: _digest(cursor, table, columns) for table, columns in tables.items()}


def _digest(cursor: Any, table: str, columns: list[str]) -> str:
    listed = ", ".join(f'"{column}"' for column in columns) or "1"
    cursor.execute(f"select json_build_array({listed})::text from {table} order by 1")
    return hashlib.sha256(json.dumps(cursor.fetchall()).encode()).hexdigest()


def files(folder: Path) -> Iterator[tuple[str, str]]:
    """Give the name of each file, and its SHA-256 where the content says nothing of its own run."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            is_rendered = path.suffix in {".html", ".txt", ".eml", ".chain"}
            yield (
                re.sub(r"-\d+\.(csv|chain)$", r".\1", str(path.relative_to(folder))),
                "" if is_rendered else hashlib.sha256(path.read_bytes()).hexdigest(),
            )
