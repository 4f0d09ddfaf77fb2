"""Statement files of a drawn desk: closing prices, instruments, splits, adjustments and the roster."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from tests.golden.writing import Row, csv_text

if TYPE_CHECKING:
    from tests.golden.drawing import Plan

Closes = Mapping[dt.date, Mapping[str, int]]

INSTRUMENTS: tuple[Row, ...] = (
    {"Symbol": "/ESM5", "Multiplier": "50", "Description": "E-mini"},
    {"Symbol": "/6CU5", "Multiplier": "1000", "Currency": "CAD", "Expiry": "2025-09-16"},
    {"Symbol": "BRK.B", "Currency": "USD"},
    {"Symbol": "@SPOT", "Multiplier": "0.5"},
)
"""The multiplier of /CLK5 is stated by closing prices only, and only from the fifth session on."""


def write_statements(plan: Plan, random: Random, closes: Closes, folder: Path) -> None:
    """Write the statement files that belong to a desk's plan."""
    files = {
        "marks.csv": ("Date,Symbol,Price,Volume,Currency,Multiplier", _marks(plan, random, closes)),
        "instruments.csv": ("Date,Symbol,Multiplier,Currency,Expiry,Description", _instruments(plan)),
        "accounts_desk.csv": ("Date,Account,Display Name,Base Limit,Disabled,Formerly", _accounts(plan)),
    }
    if plan.has_splits:
        files["splits.csv"] = ("Date,Symbol,Ratio,Description", _splits(plan))
    if plan.has_adjustments:
        header = "Date,Account,Amount,Offset Account,Category,Comment"
        files["adjustments.csv"] = (header, _adjustments(plan, random))
    for name, (header, rows) in files.items():
        if rows:
            text = csv_text(header.split(","), rows)
            (folder / name).write_text(text, encoding="utf-8", newline="")
    later = _later_marks(plan, closes)
    (folder / "marks_later.csv").write_text(csv_text(["Date", "Symbol", "Price"], later), encoding="utf-8", newline="")


def _marks(plan: Plan, random: Random, closes: Closes) -> list[Row]:
    rows: list[Row] = []
    for number, (session, prices) in enumerate(closes.items()):
        date = f"{session:%m/%d/%Y}" if number % 2 else str(session)
        if number != 3 and _needs_rate(plan):
            rows.append({"Date": date, "Symbol": "@CADUSD", "Price": f"0.{random.randrange(6900, 7500)}5"})
        for symbol, cents in prices.items():
            if random.random() < 0.75:
                near = cents + cents * random.randrange(-40, 41) // 10_000
                row = {"Date": date, "Symbol": symbol, "Price": f"{near // 100}.{near % 100:02}", "Volume": "1000"}
                if symbol == "/CLK5" and number >= 4:
                    row["Multiplier"] = "1000"
                rows.append(row)
            elif random.random() < 0.2:
                rows.append({"Date": date, "Symbol": symbol, "Price": ""})
    if plan.has_bad_rows:
        rows.insert(5, {"Date": "2025-05-24", "Symbol": "ABC", "Price": "10"})
        rows.insert(9, {"Date": str(plan.sessions[1]), "Symbol": "ABC", "Price": "-1"})
    return rows


def _needs_rate(plan: Plan) -> bool:
    return any(symbol.endswith((".TO", ".TV", "CAD")) or symbol == "/6CU5" for symbol in plan.symbols)


def _later_marks(plan: Plan, closes: Closes) -> list[Row]:
    """Restate one closing price: the later file counts."""
    session = plan.sessions[6]
    symbol = plan.symbols[0]
    cents = closes[session][symbol] + 5
    return [{"Date": str(session), "Symbol": symbol, "Price": f"{cents // 100}.{cents % 100:02}"}]


def _instruments(plan: Plan) -> list[Row]:
    day = plan.first - dt.timedelta(days=2)
    stated = [{"Date": str(day), **row} for row in INSTRUMENTS if row["Symbol"] in plan.symbols]
    if "/ESM5" in plan.symbols:
        stated.append({"Date": str(plan.sessions[8]), "Symbol": "/ESM5", "Multiplier": "5"})
    return stated


def _splits(plan: Plan) -> list[Row]:
    first, second = plan.symbols[:2]
    return [
        {"Date": str(plan.sessions[3]), "Symbol": first, "Ratio": "4", "Description": "four for one"},
        {"Date": f"{plan.sessions[5]:%m/%d/%Y}", "Symbol": second, "Ratio": "1:3"},
        {"Date": str(plan.sessions[8]), "Symbol": first, "Ratio": "0.1"},
        {"Date": str(plan.sessions[9]), "Symbol": second, "Ratio": "3:2"},
        {"Date": str(plan.sessions[10]), "Symbol": second, "Ratio": "1"},
    ]


def _adjustments(plan: Plan, random: Random) -> list[Row]:
    categories = ("Software", "interest", "Dividend", "Cash In/Out", "Whatever", "")
    names = [*plan.accounts, *(new for _, new, _ in plan.renames)]
    rows = []
    for number in range(18):
        account = names[random.randrange(len(names))]
        others = [name for name in names if name != account]
        rows.append(
            {
                "Date": str(plan.sessions[random.randrange(len(plan.sessions))]),
                "Account": account,
                "Amount": f"{random.randrange(-9_000, 9_000) / 100:.2f}",
                "Offset Account": others[random.randrange(len(others))] if number % 4 == 0 else "",
                "Category": categories[number % len(categories)],
                "Comment": f"booking {number}",
            }
        )
    # A Saturday belongs to the next session.
    rows.append({"Date": str(plan.sessions[0] + dt.timedelta(days=5)), "Account": names[0], "Amount": "-12.5"})
    return rows


def _accounts(plan: Plan) -> list[Row]:
    rows = [
        {"Date": str(plan.sessions[since]), "Account": new, "Formerly": former} for former, new, since in plan.renames
    ]
    rows.append({"Account": plan.accounts[0], "Base Limit": "2500", "Display Name": "First of the desk"})
    rows.append({"Date": str(plan.sessions[5]), "Account": plan.accounts[1], "Disabled": "yes"})
    return rows
