"""Small inputs about contracts, prices of 0, splits and new symbols: `riskctl pnl` and the warehouse say the same.

Each expected number is worked by hand in the comment beside it; "" = unknown.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from risk.books.warehouse import aggregate
from risk.checks.run import check_fills
from risk.cli import app
from risk.core.errors import QualityError
from risk.core.runs import open_run
from risk.core.settings import Settings
from risk.core.warehouse import Connection
from risk.ingest.load import load_drop
from tests.book_desks import query

WED, THU, FRI, MON = (dt.date(2025, 8, day) for day in (13, 14, 15, 18))
HEADER = "Date/Time,Account,B/S,Qty,Symbol,Price,Comm,Order Id,Fill Id,Currency"
FUTURE_HEADER = "Date,Symbol,Multiplier"
PUT = "XYZ   250815P00150000"
MEASURES = ("gross_pnl_usd", "net_pnl_usd", "unrealized_pnl_usd", "total_pnl_usd")

Totals = dict[tuple[dt.date, str], str]
"""Session and measure to amount."""

Amounts = dict[tuple[dt.date, str], float | None]


class InputCase(NamedTuple):
    """Lines of files, what must come out of account A1, and what must be said of it in both ways."""

    fills: tuple[str, ...]
    expected: Totals
    others: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    says: tuple[str, ...] = ()


CASES = {
    "an option that expired on Friday and that its source closes on Monday ends once": InputCase(
        (
            f"08/13/2025 10:00:00,A1,T,2,{PUT},1.50,0,1,1,",
            f"08/18/2025 09:00:00,A1,C,2,{PUT},0,0,2,2,",
        ),
        # 2 x 1.50 x 100 taken in are kept on Friday; Monday's cover of nothing is worth nothing.
        {(WED, "total_pnl_usd"): "0", (FRI, "gross_pnl_usd"): "300", (MON, "total_pnl_usd"): "0"},
    ),
    "an option assigned before its last day is closed at 0 and its shares are bought": InputCase(
        (
            f"08/13/2025 10:00:00,A1,T,1,{PUT},2.00,0,1,1,",
            f"08/14/2025 16:00:00,A1,C,1,{PUT},0,0,2,2,",
            "08/14/2025 16:00:00,A1,B,100,XYZ,150,0,3,3,",
        ),
        # +2.00 x 100 realized; 100 shares bought at 150 are worth 147.
        {(THU, "gross_pnl_usd"): "200", (THU, "unrealized_pnl_usd"): "-300", (THU, "total_pnl_usd"): "-100"},
        {"marks": ("Date,Symbol,Price", f"2025-08-13,{PUT},2.00", "2025-08-14,XYZ,147")},
    ),
    "an exercised call is sold at 0 and its shares are bought": InputCase(
        (
            "08/14/2025 10:00:00,A1,B,3,.XYZ250815C140,1.00,0,1,1,",
            "08/15/2025 16:00:00,A1,S,3,.XYZ250815C140,0,0,2,2,",
            "08/15/2025 16:00:00,A1,B,300,XYZ,140,0,3,3,",
        ),
        # 3 x 1.00 x 100 lost; 300 x (145 - 140) gained.
        {(FRI, "gross_pnl_usd"): "-300", (FRI, "unrealized_pnl_usd"): "1500", (FRI, "total_pnl_usd"): "1200"},
        {"marks": ("Date,Symbol,Price", "2025-08-15,XYZ,145", "2025-08-15,XYZ 08/15/2025 140.00 C,5")},
    ),
    "a share for nothing is said, and is no price": InputCase(
        (
            "08/14/2025 10:00:00,A1,B,10,ABC,0,0,1,1,",
            "08/14/2025 10:01:00,A1,B,10,ABC,4,0,2,2,",
            "08/14/2025 10:02:00,A1,B,10,ABC,0,0,3,3,",
        ),
        # 30 shares cost 40 and are worth 4 each: the last price above 0.
        {(THU, "unrealized_pnl_usd"): "80", (THU, "total_pnl_usd"): "80"},
        says=("ABC", "price 0", "fills.csv line 2"),
    ),
    "a future for nothing is said": InputCase(
        ("08/14/2025 10:00:00,A1,B,1,/ESU5,0,0,1,1,", "08/14/2025 11:00:00,A1,S,1,/ESU5,2,0,2,2,"),
        {(THU, "gross_pnl_usd"): "100"},
        {"instruments": (FUTURE_HEADER, "2025-01-01,/ES,50")},
        says=("/ESU5", "price 0"),
    ),
    "a future's evening is the next session's, on Sundays too": InputCase(
        (
            "08/13/2025 18:00:00,A1,B,1,ESU5,6400,0,1,1,",
            "08/14/2025 17:59:59,A1,S,1,ESU5,6402,0,2,2,",
            "08/17/2025 18:30:00,A1,B,1,ES 09-25,6400,0,3,3,",
            "08/18/2025 10:00:00,A1,S,1,ES 09-25,6401,0,4,4,",
        ),
        {(THU, "gross_pnl_usd"): "100", (MON, "gross_pnl_usd"): "50"},
        {"instruments": (FUTURE_HEADER, "2025-01-01,/ES,50")},
    ),
    "an equity's evening is its own day's": InputCase(
        ("08/13/2025 18:00:00,A1,B,1,ES,64,0,1,1,", "08/13/2025 19:59:59,A1,S,1,ES,66,0,2,2,"),
        {(WED, "gross_pnl_usd"): "2"},
    ),
    "a pair is priced in its second currency also where the first is stated": InputCase(
        (
            "08/14/2025 10:00:00,A1,B,1000,@USDCAD,1.40,0,1,1,USD",
            "08/14/2025 10:01:00,A1,S,400,@USDCAD,1.50,0,2,2,",
            "08/14/2025 10:02:00,A1,S,600,@USDCAD,1.50,0,3,3,CAD",
        ),
        # 1,000 x 0.10 CAD at 0.70
        {(THU, "gross_pnl_usd"): "70", (THU, "total_pnl_usd"): "70"},
        {"marks": ("Date,Symbol,Price", "2025-08-14,@CADUSD,0.70")},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_riskctl_pnl_and_the_warehouse_say_the_same(
    name: str, tmp_path: Path, connection: Connection, warehouse_dsn: str
) -> None:
    case = CASES[name]
    for kind, lines in {"fills": (HEADER, *case.fills), **case.others}.items():
        (tmp_path / f"{kind}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")

    printed, said = _of_command(tmp_path)
    stored, noted = _of_warehouse(tmp_path, connection, warehouse_dsn)

    expected = {key: float(amount) if amount else None for key, amount in case.expected.items()}
    assert {key: printed[key] for key in expected} == expected
    assert {key: stored.get(key, "no row") for key in printed} == printed
    assert [words for words in case.says if words not in said] == []
    assert [words for words in case.says if words not in noted] == []


def _of_command(folder: Path) -> tuple[Amounts, str]:
    result = CliRunner().invoke(app, ["pnl", "--fills", str(folder)])
    assert result.exit_code == 0, result.stderr
    rows = csv.DictReader(result.stdout.splitlines())
    amounts = {
        (dt.date.fromisoformat(row["session_date"]), measure): float(row[measure]) if row[measure] else None
        for row in rows
        for measure in MEASURES
    }
    return amounts, result.stderr


def _of_warehouse(folder: Path, connection: Connection, dsn: str) -> tuple[Amounts, str]:
    said = []
    for session_date in (WED, THU, FRI, MON):
        load = load_drop(connection, folder, session_date, Settings())
        run = open_run(connection, session_date, load.load_id, f"test__{session_date}")
        try:
            check_fills(connection, dsn, run)
        except QualityError as error:
            said.append(str(error))
        aggregate(connection, run)
    messages = query(connection, "select message from results.quality_results where not has_passed")
    rows = query(connection, f"select session_date, {', '.join(MEASURES)} from derived.daily_pnl order by 1")
    amounts = {
        (row[0], measure): None if amount is None else float(amount)
        for row in rows
        for measure, amount in zip(MEASURES, row[1:], strict=True)
    }
    return amounts, "\n".join([*said, *(message for (message,) in messages)])
