"""The executions of a real trader against the P&L that was published for him, version by version."""

from __future__ import annotations

import csv
import datetime as dt
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from risk.books.session import DailyPnl, daily_pnl
from risk.core.entities import Fill

FEE_COLUMNS = ("Comm", "Ecn Fee", "SEC", "ORF", "CAT", "TAF", "FTT", "NSCC", "Acc", "Clr", "Misc")


def read_fills(file: Path, session_date: dt.date) -> list[Fill]:
    with file.open(encoding="utf-8", newline="") as source:
        return [
            Fill(
                row["Account"],
                session_date,
                dt.datetime.strptime(row["Date/Time"], "%m/%d/%Y %H:%M:%S").replace(
                    tzinfo=ZoneInfo("America/New_York")
                ),
                line_number,
                row["B/S"],
                Decimal(row["Qty"]),
                row["Symbol"],
                Decimal(row["Price"]),
                row["Currency"] or "USD",
                sum((Decimal(row[column] or 0) for column in FEE_COLUMNS), Decimal(0)),
            )
            for line_number, row in enumerate(csv.DictReader(source), start=2)
        ]


def read_manifest(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


def cents(days: list[DailyPnl], column: str) -> Decimal:
    return round(sum((getattr(day, column) for day in days), Decimal(0)), 2)


def test_daily_pnl_equals_every_published_version_to_the_cent(real_fills_dir: Path) -> None:
    for version in read_manifest(real_fills_dir):
        fills = read_fills(real_fills_dir / version["file"], dt.date.fromisoformat(version["session_date"]))

        days = daily_pnl(fills, [])

        published = (int(version["fills"]), Decimal(version["gross"]), Decimal(version["net"]))
        assert (len(fills), cents(days, "gross_pnl_usd"), cents(days, "net_pnl_usd")) == published, version["file"]


def test_daily_pnl_of_the_newest_versions_adds_up_over_all_sessions(real_fills_dir: Path) -> None:
    newest = {version["session_date"]: version["file"] for version in read_manifest(real_fills_dir)}
    fills = [
        fill
        for session_date, file in newest.items()
        for fill in read_fills(real_fills_dir / file, dt.date.fromisoformat(session_date))
    ]

    days = daily_pnl(fills, [])

    assert len(fills) == 5164
    assert (cents(days, "gross_pnl_usd"), cents(days, "net_pnl_usd")) == (Decimal("1527.84"), Decimal("332.25"))
    assert all(day.unrealized_pnl_usd == 0 for day in days)


def test_daily_pnl_does_not_repeat_the_cash_flow_by_side_of_the_old_system(real_fills_dir: Path) -> None:
    newest = {version["session_date"]: version["file"] for version in read_manifest(real_fills_dir)}
    fills = [
        fill
        for session_date, file in newest.items()
        for fill in read_fills(real_fills_dir / file, dt.date.fromisoformat(session_date))
    ]
    shorts = [fill for fill in fills if fill.side in "TC"]

    days = daily_pnl(shorts, [])

    # The old system took B as minus, S as plus and everything else as 0: all of these fills were nothing to it.
    # Flat by flat session the cash flow with covers as minus and shorts as plus is the gross P&L.
    cash = sum((fill.quantity * fill.price * (1 if fill.side == "T" else -1) for fill in shorts), Decimal(0))
    assert len(shorts) > 3_000
    assert sum((day.gross_pnl_usd or 0 for day in days), Decimal(0)) == cash != 0
