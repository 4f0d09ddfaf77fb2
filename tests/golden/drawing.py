"""Desks drawn from a seed: small folders with everything that a file drop may hold.

Everything here is the tests' own; nothing of the product is imported, so that what is drawn never moves with it.
Only ``random.Random.random`` and ``randrange`` are used, and neither sets nor hashes decide about an order.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TypeVar

from tests.golden import statements, writing
from tests.golden.writing import Row

Choice = TypeVar("Choice")

HOLIDAYS = ("2025-01-01", "2025-01-09", "2025-01-20", "2025-02-17", "2025-04-18", "2025-05-26", "2025-06-19")

EQUITIES = ("ABC", "XYZ", "QQQ", "BRK.B")
CANADIAN = ("SHOP.TO", "WEED.TV", "@EURCAD", "@USDCAD", "@EURUSD")
FUTURES = ("/ESM5", "/CLK5", "/6CU5", "@SPOT")


@dataclass(frozen=True)
class Plan:
    """What a desk is drawn from; a switch that is off leaves that kind of row or file out."""

    name: str
    seed: int
    first: dt.date
    session_count: int
    accounts: tuple[str, ...]
    symbols: tuple[str, ...]
    fills_per_session: int = 12
    has_manifest: bool = False
    has_corrections: bool = False
    has_bad_rows: bool = False
    has_odd_numbers: bool = False
    has_adjustments: bool = False
    has_splits: bool = False
    is_short_form: bool = False
    do_ids_start_anew: bool = False
    """Whether the ids of an account are met again in its next session."""
    foreign_share: float = 0.0
    """Share of the fills of American equities that are stated in Canadian dollars."""
    renames: tuple[tuple[str, str, int], ...] = ()
    """Former name, new name, number of the session from which it holds."""

    @property
    def sessions(self) -> tuple[dt.date, ...]:
        """The weekdays from the first on that are no holidays."""
        days = (self.first + dt.timedelta(days=number) for number in range(self.session_count * 2 + 10))
        open_days = [day for day in days if day.weekday() < 5 and day.isoformat() not in HOLIDAYS]
        return tuple(open_days[: self.session_count])


PLANS = (
    Plan("equities", 101, dt.date(2025, 2, 3), 14, ("NET001", "NET002", "NET003_OLD"), EQUITIES, is_short_form=True),
    Plan(
        *("options", 102, dt.date(2025, 4, 7), 12, ("NET001", "NET005")),
        ("AAPL  250411C00150000", "AAPL  250417P00160000", "QQQ250418C00400000", "TSLA  250419P00200000", "AAPL"),
        fills_per_session=14,
    ),
    Plan("futures", 103, dt.date(2025, 3, 3), 12, ("FUT01", "FUT02"), (*FUTURES, "ABC"), fills_per_session=14),
    Plan("canada", 104, dt.date(2025, 1, 6), 12, ("NECS005", "NECS010"), (*CANADIAN, "XYZ"), 14, foreign_share=0.02),
    Plan(
        *("corrections", 105, dt.date(2025, 5, 19), 10, ("NET001", "NET009", "NET 10")),
        EQUITIES,
        has_corrections=True,
        has_bad_rows=True,
        do_ids_start_anew=True,
    ),
    Plan(
        *("versions", 106, dt.date(2025, 6, 2), 12, ("NET001", "NET002", "NET015")),
        EQUITIES[:3],
        has_manifest=True,
        has_corrections=True,
    ),
    Plan(
        *("renames", 107, dt.date(2025, 3, 17), 12, ("OLD7", "NEL004", "PART1")),
        (*EQUITIES[:2], "SHOP.TO"),
        has_adjustments=True,
        has_splits=True,
        has_corrections=True,
        renames=(("OLD7", "NEW7", 5), ("PART1", "NEL004", 7)),
    ),
    Plan(
        *("everything", 108, dt.date(2025, 4, 7), 14, ("NET001", "LONG", "FUT01")),
        (*EQUITIES[:2], "AAPL  250411C00150000", "QQQ250418C00400000", "/ESM5", "/6CU5", "SHOP.TO", "@USDCAD"),
        fills_per_session=10,
        has_manifest=True,
        has_corrections=True,
        has_bad_rows=True,
        has_odd_numbers=True,
        has_adjustments=True,
        has_splits=True,
        renames=(("LONG", "LONG-NEW", 6),),
    ),
)


@dataclass
class Drawing:
    """A desk while it is drawn."""

    plan: Plan
    random: Random
    cents: dict[str, int]
    positions: defaultdict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    last_id: int = 5_000_000

    def chance(self, share: float) -> bool:
        """Tell whether something with this probability happens."""
        return self.random.random() < share

    def pick(self, choices: Sequence[Choice]) -> Choice:
        """Pick one of several, all alike."""
        return choices[self.random.randrange(len(choices))]


def write_desk(plan: Plan, folder: Path) -> None:
    """Draw a desk and write its folder."""
    folder.mkdir(parents=True)
    random = Random(plan.seed)
    drawing = Drawing(plan, random, {symbol: random.randrange(800, 20_000) for symbol in plan.symbols})
    rows: dict[tuple[dt.date, str], list[Row]] = {}
    closes: dict[dt.date, dict[str, int]] = {}
    for number, session in enumerate(plan.sessions):
        for account in plan.accounts:
            if drawing.chance(0.88):
                rows[session, _name_of(plan, account, number)] = _session_rows(drawing, account, session, number)
        closes[session] = dict(drawing.cents)
    if plan.has_corrections:
        _correct(drawing, rows)
    if plan.has_bad_rows:
        _spoil(drawing, rows)
    writing.write_fills(plan, random, rows, folder)
    statements.write_statements(plan, random, closes, folder)


def _name_of(plan: Plan, account: str, number: int) -> str:
    """Return the name under which an account is delivered in the session of that number."""
    return next((new for former, new, since in plan.renames if former == account and number >= since), account)


def _session_rows(drawing: Drawing, account: str, session: dt.date, number: int) -> list[Row]:
    count = drawing.random.randrange(1, 2 * drawing.plan.fills_per_session)
    seconds = sorted(drawing.random.randrange(9 * 3600 + 1800, 16 * 3600) for _ in range(count))
    if drawing.chance(0.15):
        seconds[0] = 0
    if count > 3 and drawing.chance(0.3):
        seconds[2] = seconds[1]
    name = _name_of(drawing.plan, account, number)
    if drawing.plan.do_ids_start_anew:
        drawing.last_id = 5_000_000
    rows = [_row(drawing, account, name, session, second) for second in seconds]
    if count > 4 and drawing.chance(0.1):
        rows.append(dict(rows[-1]))
    return rows


def _row(drawing: Drawing, account: str, name: str, session: dt.date, second: int) -> Row:
    symbol = drawing.pick(drawing.plan.symbols)
    move = drawing.random.randrange(-200, 201)
    drawing.cents[symbol] = max(20, drawing.cents[symbol] + drawing.cents[symbol] * move // 10_000)
    quantity = drawing.random.randrange(1, 12) * drawing.pick((1, 10, 100))
    side, quantity = _side(drawing, (account, symbol), quantity)
    drawing.last_id += drawing.random.randrange(1, 3 if drawing.plan.do_ids_start_anew else 9)
    day = session
    if session.weekday() == 0 and drawing.chance(0.02) and not drawing.plan.has_manifest:
        day = session - dt.timedelta(days=1)
    price = f"{drawing.cents[symbol] // 100}.{drawing.cents[symbol] % 100:02}"
    if drawing.chance(0.2):
        price += f"{drawing.random.randrange(1, 10**6):06}"
    shares = f"{quantity}.{drawing.random.randrange(1, 10**8):08}" if drawing.chance(0.02) else str(quantity)
    row = {
        "Date/Time": f"{day:%m/%d/%Y} {second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}",
        "Account": name,
        "B/S": side,
        "Qty": shares,
        "Symbol": symbol.lower() if drawing.chance(0.02) else symbol,
        "Price": price,
        "Route": drawing.pick(("ARCA", "IEX", "")),
        "Order Id": str(drawing.last_id // 10),
        "Fill Id": f"{drawing.last_id // 10}-{drawing.last_id % 10}",
        "Currency": _currency(drawing, symbol),
        "PropReports Id": str(drawing.last_id),
    }
    row.update(_fees(drawing, quantity))
    if drawing.plan.has_odd_numbers and drawing.chance(0.05):
        row["Qty"], row["Misc"] = drawing.pick((("1e2", ".5"), ("3.1e1", "7."), ("$1,000.00", "+2"), ("+30.", "-.25")))
    return row


def _side(drawing: Drawing, key: tuple[str, str], quantity: int) -> tuple[str, int]:
    """Choose what a trader may do with the position, or now and then what contradicts it."""
    held = drawing.positions[key]
    if drawing.chance(0.06):
        side = drawing.pick("BSTC")
    elif held > 0:
        side = "S" if drawing.chance(0.6) else "B"
    elif held < 0:
        side = "C" if drawing.chance(0.6) else "T"
    else:
        side = drawing.pick("BT")
    if side in "SC" and held and drawing.chance(0.6):
        quantity = abs(held)
    drawing.positions[key] += quantity if side in "BC" else -quantity
    return side, quantity


def _currency(drawing: Drawing, symbol: str) -> str:
    if symbol.startswith("@"):
        # Whether a fill of @USDCAD that is stated in USD is one in CAD is not ours to freeze.
        return drawing.pick(("", "USD")) if symbol == "@EURUSD" else ""
    if symbol.endswith((".TO", ".TV")):
        return drawing.pick(("CAD", "CAD", ""))
    if symbol.startswith("/"):
        return ""
    return "CAD" if drawing.chance(drawing.plan.foreign_share) else drawing.pick(("USD", "USD", ""))


def _fees(drawing: Drawing, quantity: int) -> Row:
    def cents(bound: int) -> str:
        return f"{drawing.random.randrange(bound) / 100:.2f}"

    fees = {"Comm": cents(200), "SEC": cents(30), "TAF": f"0.{drawing.random.randrange(10**5):05}"}
    fees["Ecn Fee"] = f"{'-' if drawing.chance(0.4) else ''}0.{quantity * drawing.random.randrange(30) % 10_000:04}"
    names = ("ORF", "CAT", "FTT", "NSCC", "Acc", "Clr", "Misc")
    return {**fees, **{name: cents(12) if drawing.chance(0.2) else "0" for name in names}}


def _correct(drawing: Drawing, rows: dict[tuple[dt.date, str], list[Row]]) -> None:
    """Cancel and correct some executions, in their own session or in a later one of the account."""
    keys = sorted(rows)
    for place, (session, account) in enumerate(keys):
        own = list(rows[session, account])
        later = [key for key in keys[place + 1 :] if key[1] == account]
        for row in own:
            if not drawing.chance(0.07):
                continue
            target = later[0] if later and drawing.chance(0.4) else (session, account)
            changed = {
                **row,
                "Account": account,
                "Status": drawing.pick(("BUST", "cancel", "CXL", "COR", "Correction")),
            }
            changed["Date/Time"] = f"{target[0]:%m/%d/%Y} 15:{drawing.random.randrange(60):02}:00"
            if changed["Status"].upper().startswith("COR"):
                changed["Price"] = f"{drawing.random.randrange(500, 20_000) / 100:.2f}"
                changed["Qty"] = str(drawing.random.randrange(1, 500))
                changed["Comm"] = "0.37"
            if drawing.chance(0.1):
                changed["PropReports Id"] = str(900_000_000 + drawing.last_id)
            rows[target].insert(drawing.random.randrange(len(rows[target]) + 1), changed)


BAD_CHANGES: tuple[Row, ...] = (
    {"Price": "-1"},
    {"Qty": "-100"},
    {"Qty": "NaN"},
    {"Price": "12,5"},
    {"Price": "10000000000"},
    {"Comm": "0.123456789"},
    {"B/S": "X"},
    {"Symbol": "<b>"},
    {"Currency": "usd"},
    {"Date/Time": "02/30/2025 10:00:00"},
    {"Date/Time": "08/15/2099 10:00:00"},
    {"Date/Time": "05/20/25 10:00:00"},
    {"Date/Time": "03/09/2025 02:30:00"},
    {"Account": "=cmd()"},
    {"Status": "PENDING"},
    {"Status": "BUST", "PropReports Id": "", "Fill Id": ""},
)


def _spoil(drawing: Drawing, rows: dict[tuple[dt.date, str], list[Row]]) -> None:
    """Add rows that no reader may take, and ids that repeat with another content."""
    keys = sorted(key for key in rows if rows[key])
    for change in BAD_CHANGES:
        key = drawing.pick(keys)
        bad = {
            **drawing.pick(rows[key]),
            "PropReports Id": str(800_000_000 + drawing.random.randrange(10**6)),
            **change,
        }
        rows[key].insert(drawing.random.randrange(len(rows[key]) + 1), bad)
    for key in keys[::7]:
        rows[key].append({**rows[key][-1], "Qty": "77"})
