"""What is checked, how badly it matters, and what the operator reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Literal

from risk.settings import ACTIVE_WITHIN_SESSIONS, LEGACY_SUFFIX

Severity = Literal["fail", "warn"]

THRESHOLDS: Final = {
    "window_sessions": 20,
    "price_factor": 10,
    "fee_ratio": Decimal("0.02"),
    "fee_per_share_usd": Decimal("0.10"),
    "reject_ratio": Decimal("0.01"),
    "row_count_factor": 5,
    "minimum_sessions": 5,
    "active_within": ACTIVE_WITHIN_SESSIONS,
    "legacy_suffix": LEGACY_SUFFIX,
}
"""Binds of the questions in ``include/sql/check_fills``."""


@dataclass(frozen=True, slots=True)
class ColumnCheck:
    """An expectation about one column of the session's executions.

    Attributes
    ----------
    name, severity
        As stored.
    column
        Column of ``select_fills.sql``; also the subject of the verdict.
    expectation
        Name of the class in ``great_expectations.expectations``.
    arguments
        Its arguments beside the column.
    wanted
        The rest of the sentence "<n> executions have a <column> that ...".
    """

    name: str
    severity: Severity
    column: str
    expectation: str
    wanted: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """A query with a row per subject, whose column ``finding`` is expected to be null.

    Attributes
    ----------
    name, severity
        As stored.
    query
        File in ``include/sql/check_fills`` with the columns ``subject``, ``observed`` and ``finding``.
    praise
        Sentence stored when nothing was found.
    binds
        Beside the run's own and ``THRESHOLDS``.
    """

    name: str
    severity: Severity
    query: str
    praise: str
    binds: dict[str, Any] = field(default_factory=dict)


_POSITIVE: Final = {"min_value": 0, "strict_min": True, "max_value": 10_000_000_000, "strict_max": True}

COLUMN_CHECKS: Final = (
    *(
        ColumnCheck("required_values", "fail", column, "ExpectColumnValuesToNotBeNull", "is missing")
        for column in ("account_id", "executed_at", "side", "quantity", "symbol", "price", "fees_usd")
    ),
    ColumnCheck(
        "side_known",
        "fail",
        "side",
        "ExpectColumnValuesToBeInSet",
        "is none of B, S, T, C",
        {"value_set": ["B", "S", "T", "C"]},
    ),
    *(
        ColumnCheck(
            f"{column}_positive",
            "fail",
            column,
            "ExpectColumnValuesToBeBetween",
            "is not above zero and finite",
            _POSITIVE,
        )
        for column in ("quantity", "price")
    ),
)

QUESTIONS: Final = (
    Question("feed_alive", "fail", "select_feed", "The feed delivered for the session, or nobody was expected."),
    Question("rejects_few", "fail", "select_rejects", "Few enough rows of the session were rejected."),
    Question("ids_unique", "fail", "select_ids", "No id occurs twice within an account."),
    Question("accounts_delivered", "warn", "select_accounts", "No expected account is missing.", {"state": "missing"}),
    Question(
        "accounts_posted", "warn", "select_accounts", "No expected account waits to be posted.", {"state": "not posted"}
    ),
    Question("accounts_known", "warn", "select_accounts", "No new account has appeared.", {"state": "new"}),
    Question("time_in_session", "warn", "select_days", "All executions are dated within the session."),
    Question("price_near_median", "warn", "select_prices", "No price is far from its symbol's recent median."),
    Question("fees_plausible", "warn", "select_fees", "The fees fit what was traded."),
    Question("row_count_usual", "warn", "select_row_counts", "The number of rows is not unusual."),
    Question("data_fresh", "warn", "select_freshness", "The session itself has executions."),
)
