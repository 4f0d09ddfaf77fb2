"""Files of executions of a drawn desk: the vendor's shapes, plain and gzip, with and without a manifest."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.golden.drawing import Plan

Row = dict[str, str]

LONG_HEADER = (
    *("Date/Time", "Account", "B/S", "Qty", "Symbol", "Price", "Route", "Liq", "Comm", "Ecn Fee", "SEC", "ORF", "CAT"),
    *("TAF", "FTT", "NSCC", "Acc", "Clr", "Misc", "Order Id", "Fill Id", "Currency", "ISIN", "CUSIP", "Status"),
    "PropReports Id",
)
SHORT_HEADER = ("Account", "Date/Time", "Symbol", "B/S", "Price", "Qty", "Comm", "Ecn Fee", "SEC", "TAF", "Fill Id")

NOON = dt.timedelta(hours=16)


def write_fills(plan: Plan, random: Random, rows: Mapping[tuple[dt.date, str], Sequence[Row]], folder: Path) -> None:
    """Write the executions: a file for each session, or versions of each account-session and a manifest."""
    if plan.has_manifest:
        _write_versions(random, rows, folder)
        return
    header = SHORT_HEADER if plan.is_short_form else LONG_HEADER
    for number, session in enumerate(plan.sessions):
        own = [row for key in sorted(rows) if key[0] == session for row in rows[key]]
        text = csv_text(header, own, ending="\r\n" if number % 5 == 1 else "\n", is_quoted=number % 4 == 3)
        if plan.has_bad_rows and number == 2:
            text += "too,few,fields\n"
        _write(folder / f"fills_{session}.csv{'.gz' if number % 3 == 2 else ''}", text)


def csv_text(header: Sequence[str], rows: Sequence[Row], *, ending: str = "\n", is_quoted: bool = False) -> str:
    """Write rows as CSV; a field that a row lacks is blank."""
    stream = io.StringIO()
    quoting = csv.QUOTE_ALL if is_quoted else csv.QUOTE_MINIMAL
    writer = csv.DictWriter(stream, header, restval="", extrasaction="ignore", lineterminator=ending, quoting=quoting)
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def _write_versions(random: Random, rows: Mapping[tuple[dt.date, str], Sequence[Row]], folder: Path) -> None:
    """Write one to three versions of each account-session, the last one whole, and the manifest."""
    manifest: list[Row] = []
    for session, account in sorted(rows):
        own = list(rows[session, account])
        for version in range(count := random.randrange(1, 4)):
            is_last = version == count - 1
            shown = own if is_last else own[: random.randrange(len(own) + 1)]
            if is_last and len(own) > 3 and random.random() < 0.15:
                # The opening execution of an overnight position stands in the file of the session that closed it.
                day = session - dt.timedelta(days=3 if session.weekday() == 0 else 1)
                shown[0] = {**own[0], "Date/Time": f"{day:%m/%d/%Y} 15:59:00"}
            name = f"fills_{account.replace(' ', '-')}_{session}_v{version}.csv{'.gz' if random.random() < 0.2 else ''}"
            _write(folder / name, csv_text(LONG_HEADER, shown))
            published = dt.datetime.combine(session, dt.time(20), dt.UTC) + (version + 1) * NOON
            entry = {"file": name, "account_id": account, "session_date": str(session)}
            manifest.append({**entry, "published_at": published.isoformat()})
    _write(folder / "manifest.csv", csv_text(list(manifest[0]), manifest))


def _write(path: Path, text: str) -> None:
    data = text.encode()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
