"""Fabricated desks for the tests of report and mail: as values, and as rows of a warehouse."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from risk.core.calendar import session_open
from risk.core.runs import Run, read_run
from risk.core.warehouse import Connection, writing
from risk.limits.receipts import BEYOND_TOLERANCE, NOT_FLAT, TRADED_ON
from risk.report.build_facts import build_facts
from risk.report.facts import AccountFacts, Counts, DeskFacts, Facts, PolicyFacts, RosterEntry, WarningFacts
from risk.report.receipt_facts import LimitUseFacts, ReceiptFacts, by_severity

SESSION = dt.date(2025, 8, 15)
EFFECTIVE_SESSION = dt.date(2025, 8, 18)
AS_OF = dt.datetime(2025, 8, 18, 11, 2, 3, 123456, tzinfo=dt.UTC)
RUN = Run(7, SESSION, EFFECTIVE_SESSION, AS_OF, 1, 3, "scheduled__2025-08-15", "0a1b2c3d4e5f", is_simulated=False)

SESSION_FIELDS = {
    "delivery_state",
    "net_pnl_usd",
    "total_pnl_usd",
    "incomplete_reason",
    "reasons",
    "previous_cut_ratio",
    "explanations",
    "forecast_fan_usd",
    "recent_results_usd",
    "adjustments_usd",
    "limit_in_force_usd",
    "limit_source",
    "limit_since",
    "limit_change_usd",
    "limit_change_ratio",
}
"""What the facts of an account hold beside its recommendation, and the reasons, which are stored as an array."""


def account(account_id: str = "NET001", cut: str = "0.40", **changes: Any) -> AccountFacts:
    """Make an account that is plain but for what the test is about."""
    cut_ratio = Decimal(cut)
    level = "high" if cut_ratio >= Decimal("0.40") else "moderate" if cut_ratio >= Decimal("0.20") else "low"
    base_limit_usd = changes.get("base_limit_usd", Decimal("5000.00"))
    in_force_usd = changes.get("limit_in_force_usd", base_limit_usd)
    new_limit_usd = base_limit_usd * (1 - cut_ratio)
    plain: dict[str, Any] = {
        "account_id": account_id,
        "status": "active",
        "level": level,
        "cut_ratio": cut_ratio,
        "base_limit_usd": base_limit_usd,
        "new_limit_usd": new_limit_usd,
        "limit_in_force_usd": in_force_usd,
        "limit_source": "base" if in_force_usd == base_limit_usd else "emailed",
        "limit_since": None if in_force_usd == base_limit_usd else AS_OF - dt.timedelta(days=1),
        "limit_change_usd": new_limit_usd - in_force_usd,
        "limit_change_ratio": (new_limit_usd - in_force_usd) / base_limit_usd,
        "reasons": ("Loss streak: 5 sessions",) if cut_ratio else (),
        "source": "rules",
        "source_version": "rules 1",
        "source_reason": "The gate is not passed.",
        "rules_cut_ratio": cut_ratio,
        "model_cut_ratio": Decimal("0.25"),
        "forecast_quantile_05_usd": Decimal("-2345.678"),
        "delivery_state": "delivered",
        "net_pnl_usd": Decimal("-812.305"),
        "total_pnl_usd": Decimal("-1033.20"),
        "incomplete_reason": None,
        "active_session_count": 60,
        "latest_session_date": SESSION,
    }
    return AccountFacts(**{**plain, **changes})


def desk(accounts: Sequence[AccountFacts], warnings: Sequence[str] = (), **changes: Any) -> Facts:
    """Make the facts of a desk whose accounts are already in the report's order."""
    levels = [one.level for one in accounts]
    plain: dict[str, Any] = {
        "session_date": SESSION,
        "effective_session": EFFECTIVE_SESSION,
        "is_simulated": False,
        "counts": Counts(
            levels.count("high"),
            levels.count("moderate"),
            levels.count("low"),
            sum(one.cut_ratio > 0 for one in accounts),
        ),
        "policy": PolicyFacts("0 (7514d6f7fff0)", "1.25x", "1.67x"),
        "desk": DeskFacts(
            traded_account_count=len(accounts),
            incomplete_account_count=0,
            fill_count=1604,
            net_pnl_usd=Decimal("-2841.15"),
            total_pnl_usd=Decimal("-4144.35"),
            base_limit_usd=sum((one.base_limit_usd for one in accounts), Decimal(0)),
            new_limit_usd=sum((one.new_limit_usd for one in accounts), Decimal(0)),
        ),
        "accounts": tuple(accounts),
        "warnings": tuple(WarningFacts("check", "fees", message) for message in warnings),
        "roster": tuple(
            RosterEntry(one.account_id, one.active_session_count, one.latest_session_date, one.status)
            for one in accounts
        ),
    }
    return Facts(**{**plain, **changes})


OPENING = session_open(SESSION)
NINE_FIFTY = OPENING + dt.timedelta(minutes=20)


def receipt(account_id: str = "NET001", **changes: Any) -> ReceiptFacts:
    """Make the receipt of the breach that ``tests/sql/test_limits_receipts.py`` works by hand."""
    plain_values: dict[str, Any] = {
        "account_id": account_id,
        "outcome": "breach",
        "limit_usd": Decimal("5000.00"),
        "limit_source": "emailed",
        "limit_since": OPENING,
        "limit_count": 1,
        "use_ratio": Decimal("1.101"),
        "zone_ratio": Decimal("0.9"),
        "largest_loss_usd": Decimal("5505"),
        "largest_loss_at": OPENING + dt.timedelta(minutes=25),
        "loss_from_top_usd": Decimal("5505"),
        "final_usd": Decimal("-4505.5"),
        "hit_kind": "fill",
        "hit_at": NINE_FIFTY,
        "hit_symbol": "XYZ",
        "hit_price": Decimal("15.00"),
        "hit_before_usd": Decimal("-5"),
        "hit_after_usd": Decimal("-5005"),
        "furthest_usd": Decimal("-5505"),
        "enlarging_fill_count": 1,
        "minutes_until_flat": Decimal("15"),
        "breach_reasons": (TRADED_ON, BEYOND_TOLERANCE, NOT_FLAT),
    }
    return ReceiptFacts(**{**plain_values, **changes})


def within(account_id: str, use: str, zone: str | None = None) -> ReceiptFacts:
    names = ("hit_kind", "hit_at", "hit_symbol", "hit_price", "hit_before_usd", "hit_after_usd", "furthest_usd")
    nothing = dict.fromkeys((*names, "enlarging_fill_count", "minutes_until_flat"))
    loss = Decimal(use) * 5000
    return receipt(
        account_id, outcome="within", use_ratio=Decimal(use), zone_ratio=None if zone is None else Decimal(zone),
        largest_loss_usd=loss, final_usd=Decimal(12), breach_reasons=(), **nothing,
    )  # fmt: skip


HIT = {"outcome": "hit", "breach_reasons": (), "enlarging_fill_count": 0, "limit_source": "base"}
STOPPED = receipt(
    "NET005", **HIT, use_ratio=Decimal("1.001"), largest_loss_usd=Decimal(5005), largest_loss_at=NINE_FIFTY,
    furthest_usd=Decimal(-5005), final_usd=Decimal(-5005), minutes_until_flat=Decimal(0),
)  # fmt: skip

USE = LimitUseFacts(by_severity([within("NET009", "0.31"), within("NET007", "0.74", "0.7"), STOPPED, receipt()]))
"""A breach, a hit, a use close to the limit, and a small one."""


def insert(connection: Connection, table: str, **values: Any) -> Any:
    """Insert one row and return its first column."""
    columns = ", ".join(values)
    places = ", ".join(f"%({name})s" for name in values)
    with writing(connection), connection.cursor() as cursor:
        cursor.execute(f"insert into {table} ({columns}) values ({places}) returning *", values)
        (row,) = cursor.fetchall()
        return row[0]


def open_run(
    connection: Connection, *, revision: int = 1, session_date: dt.date = SESSION, is_point_in_time: bool = False
) -> Run:
    """Store a load and a run of it."""
    load_id = insert(connection, "loads", source="drop", is_simulated=False, through_session_date=session_date)
    run_id = insert(
        connection,
        "runs",
        session_date=session_date,
        effective_session=EFFECTIVE_SESSION,
        revision=revision,
        as_of=AS_OF,
        is_point_in_time=is_point_in_time,
        load_id=load_id,
        dag_run_id="scheduled__2025-08-15",
        code_version="0a1b2c3d4e5f",
    )
    return read_run(connection, run_id)


def recommend(connection: Connection, run: Run, account_id: str = "NET001", cut: str = "0.40", **changes: Any) -> None:
    """Store what a run recommends for one account."""
    plain = account(account_id, cut)
    values = {name: value for name, value in dataclasses.asdict(plain).items() if name not in SESSION_FIELDS}
    insert(connection, "recommendations", **{"run_id": run.run_id, **values, "reasons": list(plain.reasons), **changes})


def store_report(connection: Connection, run: Run, **changes: Any) -> None:
    """Store the report of what a run recommends."""
    facts = build_facts(connection, run)
    insert(connection, "reports", run_id=run.run_id, facts=facts.canonical, facts_sha256=facts.sha256, **changes)


def deliver_fills(connection: Connection, run: Run, account_id: str = "NET001", rows: int = 4, **changes: Any) -> int:
    """Store a delivery for an account in the run's session; by default all its rows were loaded."""
    values = {
        "load_id": run.load_id,
        "file_name": "fills.csv",
        "account_id": account_id,
        "session_date": run.session_date,
        "content_sha256": "0",
        "published_at": None,
        "recorded_at": AS_OF - dt.timedelta(minutes=1),
        "row_count": rows,
        "loaded_count": rows,
        "rejected_count": 0,
        "duplicate_count": 0,
    }
    return int(insert(connection, "deliveries", **{**values, **changes}))


def book(connection: Connection, account_id: str = "NET001", session_date: dt.date = SESSION, **changes: Any) -> None:
    """Store an account-session of the books."""
    values = {
        "account_id": account_id,
        "session_date": session_date,
        "fill_count": 4,
        "volume": 400,
        "turnover_usd": Decimal(4000),
        "gross_pnl_usd": Decimal("-800.00"),
        "fees_usd": Decimal("12.30"),
        "net_pnl_usd": Decimal("-812.30"),
        "unrealized_pnl_usd": Decimal("-220.90"),
        "unrealized_delta_usd": Decimal("-220.90"),
        "total_pnl_usd": Decimal("-1033.20"),
    }
    insert(connection, "daily_pnl", **{**values, **changes})


def insert_fit(connection: Connection, run: Run, account_id: str, verdict: str, **changes: Any) -> None:
    """Store what a run says of how one base limit fits."""
    uses = {"median_use_ratio": 0.01, "high_use_ratio": 0.03, "largest_use_ratio": 0.04}
    hits = {"hit_count": 0, "hit_low_ratio": 0, "hit_high_ratio": 0.02, "stopped_count": 0, "is_band_open": False}
    said = {"verdict": verdict, "sentence": verdict, "warning": "", "base_limit_usd": 5000, "session_count": 250}
    values = {**uses, **hits, **said, **changes}
    insert(connection, "limit_fits", run_id=run.run_id, account_id=account_id, **values)


def insert_trader_fit(connection: Connection, run: Run, trader_name: str, verdict: str, **changes: Any) -> None:
    """Store what a run says of how the limits of a trader with the accounts C and D fit."""
    uses = {"close_use_ratio": 0.2, "lows_use_ratio": 0.4, "close_hit_count": 0, "lows_hit_count": 2}
    ratios = {"close_hit_low_ratio": 0, "lows_hit_high_ratio": 0.1, "stopped_count": 0, "session_count": 250}
    said = {"account_ids": ["C", "D"], "base_limit_usd": 10000, "verdict": verdict, "sentence": verdict}
    values = {**uses, **ratios, **said, **changes}
    insert(connection, "trader_fits", run_id=run.run_id, trader_name=trader_name, **values)
