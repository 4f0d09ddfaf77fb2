"""Small inputs about contracts, prices of 0, splits and new symbols: `riskctl pnl` and the warehouse say the same.

Each expected number is worked by hand in the comment beside it; "" = unknown.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Mapping, Sequence
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
MARKS = "Date,Symbol,Price"
RENAMES = "Date,Symbol,Ratio,New Symbol"
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
    says_not: tuple[str, ...] = ()


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
        says_not=("dated outside",),
    ),
    "an equity's evening is its own day's": InputCase(
        ("08/13/2025 18:00:00,A1,B,1,ES,64,0,1,1,", "08/13/2025 19:59:59,A1,S,1,ES,66,0,2,2,"),
        {(WED, "gross_pnl_usd"): "2"},
    ),
    "a manifest names an evening's session as the futures market does": InputCase(
        (
            "08/14/2025 18:30:00,A1,B,1,/ESU5,6400,0,1,1,",
            "08/15/2025 09:30:00,A1,S,1,/ESU5,6410,0,2,2,",
            "08/15/2025 09:31:00,A1,B,1,ABC,10,0,3,3,",
        ),
        {(FRI, "gross_pnl_usd"): "500"},
        {
            "instruments": (FUTURE_HEADER, "2025-01-01,/ESU25,50"),
            "manifest": ("file,account_id,session_date,published_at", "fills.csv,A1,2025-08-15,2025-08-16T10:00:00Z"),
        },
        says_not=("dated outside",),
    ),
    "a new symbol takes over lots, cost and value": InputCase(
        ("08/13/2025 10:00:00,A1,B,100,FB,10,0,1,1,", "08/18/2025 10:00:00,A1,S,60,META,13,0,2,2,"),
        # 100 x (10.50 - 10); Friday +1.50 a share; Monday 60 x 3 realized, 40 x (14 - 10) open, less 200 before.
        {
            (WED, "total_pnl_usd"): "50",
            (FRI, "unrealized_pnl_usd"): "200",
            (FRI, "total_pnl_usd"): "150",
            (MON, "gross_pnl_usd"): "180",
            (MON, "total_pnl_usd"): "140",
        },
        {
            "marks": (MARKS, "2025-08-13,FB,10.50", "2025-08-15,META,12", "2025-08-18,META,14"),
            "splits": (RENAMES, "2025-08-15,FB,,META"),
        },
    ),
    "a new symbol without a price is worth what the old one was": InputCase(
        ("08/13/2025 10:00:00,A1,T,100,OLD,8,0,1,1,", "08/18/2025 10:00:00,A1,C,50,NEW,6,0,2,2,"),
        # Short 100 at 8, marked 9, become 50 at 16, worth 18 each; covered at 6.
        {(THU, "total_pnl_usd"): "0", (FRI, "unrealized_pnl_usd"): "-100", (MON, "gross_pnl_usd"): "500"},
        {"marks": (MARKS, "2025-08-13,OLD,9"), "splits": ("Date,Symbol,Ratio,New Symbol", "2025-08-15,OLD,1:2,NEW")},
    ),
    "a symbol may be renamed again the next day": InputCase(
        ("08/13/2025 10:00:00,A1,B,10,AAA,10,0,1,1,", "08/18/2025 10:00:00,A1,S,10,CCC,13,0,2,2,"),
        {(FRI, "total_pnl_usd"): "0", (MON, "gross_pnl_usd"): "30", (MON, "total_pnl_usd"): "20"},
        {
            "marks": (MARKS, "2025-08-13,AAA,11"),
            "splits": ("Date,Symbol,New Symbol", "2025-08-14,AAA,BBB", "2025-08-15,BBB,CCC"),
        },
    ),
    "symbols may be passed on in one session": InputCase(
        (
            "08/13/2025 10:00:00,A1,B,10,AAA,10,0,1,1,",
            "08/13/2025 10:00:01,A1,B,20,BBB,50,0,2,2,",
            "08/14/2025 10:00:00,A1,S,10,BBB,12,0,3,3,",
            "08/14/2025 10:00:01,A1,S,20,AAA,51,0,4,4,",
        ),
        # 10 x (12 - 10) + 20 x (51 - 50)
        {(THU, "gross_pnl_usd"): "40", (THU, "total_pnl_usd"): "40"},
        {"splits": ("Date,Symbol,New Symbol", "2025-08-14,AAA,BBB", "2025-08-14,BBB,AAA")},
    ),
    "a symbol renamed to one that is held adds to it, the older lots first": InputCase(
        (
            "08/13/2025 10:00:00,A1,B,10,OLD,10,0,1,1,",
            "08/14/2025 10:00:00,A1,B,10,NEW,20,0,2,2,",
            "08/15/2025 10:00:00,A1,S,15,NEW,30,0,3,3,",
        ),
        # 10 x (30 - 10) + 5 x (30 - 20); 5 x 10 stay open.
        {(FRI, "gross_pnl_usd"): "250", (FRI, "unrealized_pnl_usd"): "50", (FRI, "total_pnl_usd"): "300"},
        {"splits": ("Date,Symbol,New Symbol", "2025-08-15,OLD,NEW")},
    ),
    "long and short that get one symbol close each other": InputCase(
        (
            "08/13/2025 10:00:00,A1,B,10,OLD,10,0,1,1,",
            "08/14/2025 10:00:00,A1,T,4,NEW,15,0,2,2,",
            "08/15/2025 10:00:00,A1,S,6,NEW,16,0,3,3,",
        ),
        # 4 x (15 - 10) close at the open, 6 x (16 - 10) by the sale.
        {(FRI, "gross_pnl_usd"): "56", (FRI, "total_pnl_usd"): "56"},
        {"splits": ("Date,Symbol,New Symbol", "2025-08-15,OLD,NEW")},
    ),
    "two symbols may become one": InputCase(
        (
            "08/13/2025 10:00:00,A1,B,10,AAA,10,0,1,1,",
            "08/13/2025 10:00:01,A1,B,10,BBB,20,0,2,2,",
            "08/15/2025 10:00:00,A1,S,25,CCC,20,0,3,3,",
        ),
        # 10 at 10, and 15 at 13.33333333 and a bit: 25 x 20 - 300
        {(FRI, "gross_pnl_usd"): "200", (FRI, "total_pnl_usd"): "200"},
        {"splits": (RENAMES, "2025-08-15,AAA,1,CCC", "2025-08-15,BBB,3:2,CCC")},
    ),
    "a split that nobody stated is suspected by the price": InputCase(
        ("08/13/2025 10:00:00,A1,T,30,BIG,1200,0,1,1,", "08/14/2025 11:00:00,A1,C,100,BIG,122,0,2,2,"),
        {},
        {"marks": (MARKS, "2025-08-13,BIG,1210")},
        says=("BIG looks like a 10:1 split on 2025-08-14", "2025-08-14,BIG,10:1", "splits*.csv"),
    ),
    "a reverse split that nobody stated is suspected without a mark": InputCase(
        ("08/13/2025 10:00:00,A1,B,2000,LOW,0.50,0,1,1,", "08/14/2025 11:00:00,A1,S,100,LOW,10.4,0,2,2,"),
        {},
        says=("LOW looks like a 1:20 split", "2025-08-14,LOW,1:20"),
    ),
    "a split is suspected by closing prices alone": InputCase(
        ("08/13/2025 10:00:00,A1,B,10,FS,400,0,1,1,",),
        {},
        {"marks": (MARKS, "2025-08-13,FS,402", "2025-08-14,FS,134")},
        says=("FS looks like a 3:1 split",),
    ),
    "a split that is stated is not suspected": InputCase(
        ("08/13/2025 10:00:00,A1,B,100,FS,400,0,1,1,", "08/14/2025 10:00:00,A1,S,400,FS,101,0,2,2,"),
        {(THU, "gross_pnl_usd"): "400"},
        {"splits": ("Date,Symbol,Ratio", "2025-08-14,FS,4")},
        says_not=("looks like",),
    ),
    "a contract in two spellings is two positions, and named": InputCase(
        ("08/14/2025 10:00:00,A1,B,1,ESU5,6400,0,1,1,", "08/14/2025 10:05:00,A1,S,1,/ESU25,6410,0,2,2,"),
        {},
        {"instruments": ("Date,Symbol,Multiplier", "2025-01-02,/ES,50")},
        says=("A1: /ESU25 and ESU5 are one contract in 2 spellings on 2025-08-14",),
    ),
    "a split that is stated the wrong way round is named": InputCase(
        ("08/13/2025 10:00:00,A1,B,100,FS,400,0,1,1,", "08/14/2025 10:00:00,A1,S,400,FS,101,0,2,2,"),
        {},
        {"splits": ("Date,Symbol,Ratio", "2025-08-14,FS,1:4")},
        says=("the split of FS stated for 2025-08-14 (0.25 new shares for one old) does not fit", "a 4:1 split"),
    ),
    "a split that somebody took back is not suspected": InputCase(
        ("08/13/2025 10:00:00,A1,B,100,FS,400,0,1,1,", "08/14/2025 10:00:00,A1,S,50,FS,101,0,2,2,"),
        {},
        {"splits": ("Date,Symbol,Ratio", "2025-08-14,FS,1")},
        says_not=("looks like", "does not fit"),
    ),
    "a penny stock that halves is not suspected": InputCase(
        ("08/13/2025 10:00:00,A1,B,100,FS,0.80,0,1,1,", "08/14/2025 10:00:00,A1,S,100,FS,0.40,0,2,2,"),
        {(THU, "gross_pnl_usd"): "-40"},
        says_not=("looks like",),
    ),
    "an option that halves is not suspected": InputCase(
        (f"08/13/2025 10:00:00,A1,B,1,{PUT},40,0,1,1,", f"08/14/2025 10:00:00,A1,S,1,{PUT},20,0,2,2,"),
        {(THU, "gross_pnl_usd"): "-2000"},
        says_not=("looks like",),
    ),
    "a future of unknown multiplier is no money": InputCase(
        (
            "08/13/2025 10:00:00,A1,B,2,ES SEP25,6400,0,1,1,",
            "08/14/2025 10:00:00,A1,S,2,ES SEP25,6340,0,2,2,",
            "08/14/2025 10:00:00,A1,B,1,ABC,10,0,3,3,",
        ),
        {(WED, "net_pnl_usd"): "", (WED, "total_pnl_usd"): "", (THU, "net_pnl_usd"): ""},
        says=("ES SEP25 is a future", "08-13,/ES,MULTIPLIER", "instruments*.csv"),
    ),
    "an unknown contract never expires": InputCase(
        ("08/13/2025 10:00:00,A1,B,1,AAPL 250815 150 X,2,0,1,1,", "08/18/2025 10:00:00,A1,B,1,ABC,10,0,2,2,"),
        {(FRI, "total_pnl_usd"): "", (MON, "total_pnl_usd"): ""},
        says=("AAPL 250815 150 X is no equity",),
    ),
    "an unknown contract counts by what is stated of it": InputCase(
        ("08/14/2025 10:00:00,A1,B,1,XBT.M,100,0,1,1,", "08/14/2025 11:00:00,A1,S,1,GOLD1,101,0,2,2,"),
        {(THU, "gross_pnl_usd"): "0", (THU, "total_pnl_usd"): "0"},
        {"marks": ("Date,Symbol,Price,Multiplier", "2025-08-14,GOLD1,101,10", "2025-08-14,XBT.M,100,1")},
        says_not=("not stated",),
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
    # A run makes the books of earlier sessions, too, but it speaks of its own only.
    sessions = (WED, THU, FRI, MON) if case.says else (MON,)
    stored, noted = _of_warehouse(tmp_path, connection, warehouse_dsn, sessions)

    expected = {key: float(amount) if amount else None for key, amount in case.expected.items()}
    assert {key: printed[key] for key in expected} == expected
    assert {key: stored.get(key, "no row") for key in printed} == printed
    assert [words for words in case.says if words not in said] == []
    assert [words for words in case.says if words not in noted] == []
    assert [words for words in case.says_not if words in said or words in noted] == []


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


def _of_warehouse(folder: Path, connection: Connection, dsn: str, sessions: Sequence[dt.date]) -> tuple[Amounts, str]:
    said = []
    for session_date in sessions:
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


def test_a_new_symbol_stated_later_replaces_the_phantom_positions(
    tmp_path: Path, connection: Connection, warehouse_dsn: str
) -> None:
    fills = ("08/13/2025 10:00:00,A1,B,100,FB,10,0,1,1,", "08/15/2025 10:00:00,A1,S,100,META,12,0,2,2,")
    (tmp_path / "fills.csv").write_text("\n".join([HEADER, *fills]) + "\n", encoding="utf-8")
    before, _ = _of_warehouse(tmp_path, connection, warehouse_dsn, [FRI])

    (tmp_path / "splits.csv").write_text("Date,Symbol,New Symbol\n2025-08-15,FB,META\n", encoding="utf-8")
    after, _ = _of_warehouse(tmp_path, connection, warehouse_dsn, [FRI])
    (tmp_path / "splits.csv").write_text("Date,Symbol,New Symbol\n2025-08-15,FB,FBX\n", encoding="utf-8")
    corrected, _ = _of_warehouse(tmp_path, connection, warehouse_dsn, [FRI])

    assert (before[FRI, "gross_pnl_usd"], after[FRI, "gross_pnl_usd"], corrected[FRI, "gross_pnl_usd"]) == (0, 200, 0)
    assert query(
        connection, "select symbol, quantity from derived.positions where session_date = %s order by 1", (FRI,)
    ) == [
        ("FB", 0),
        ("FBX", 100),
        ("META", -100),
    ]
