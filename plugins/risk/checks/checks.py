"""What is checked, how badly it matters, and what the operator reads."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from risk.core.settings import ACTIVE_WITHIN_SESSIONS, LEGACY_SUFFIX

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
class Count:
    """Executions of the session that must not exist.

    Attributes
    ----------
    name, subject
        As stored; every count is blocking.
    column
        Column of ``select_fills.sql``, expected to be 0.
    meaning
        The rest of the sentence "<n> of <all> executions ...".
    """

    name: str
    subject: str
    column: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Question:
    """A query with a row per subject, in which a finding is expected to be null.

    Attributes
    ----------
    name, severity
        As stored.
    query
        File in ``include/sql/check_fills`` with a column ``subject``.
    praise
        Sentence stored when nothing was found.
    finding, observed
        Its columns with the sentence and with what was seen.
    """

    name: str
    severity: Severity
    query: str
    praise: str
    finding: str = "finding"
    observed: str = "observed"


COUNTED_QUERY: Final = "select_fills"

COUNTS: Final = (
    *(
        Count("required_values", column, f"missing_{column}_count", f"have no {column}")
        for column in ("account_id", "executed_at", "side", "quantity", "symbol", "price", "fees_usd")
    ),
    Count("side_known", "side", "unknown_side_count", "have a side that is none of B, S, T, C"),
    Count("quantity_positive", "quantity", "wrong_quantity_count", "have a quantity that is not above zero and finite"),
    Count("price_positive", "price", "wrong_price_count", "have a price that is not above zero and finite"),
)

QUESTIONS: Final = (
    Question("feed_received", "fail", "select_feed", "The feed delivered for the session, or nobody was expected."),
    Question("reject_rate", "fail", "select_rejects", "Few enough rows of the session were rejected."),
    Question(
        "vendor_response_complete",
        "fail",
        "select_vendor_answers",
        "No session lacks a whole answer of the vendor, where the vendor was asked.",
        finding="missing_finding",
    ),
    Question(
        "vendor_response_fresh",
        "warn",
        "select_vendor_answers",
        "No answer of the vendor fell behind an earlier one, where the vendor was asked.",
        finding="stale_finding",
    ),
    Question("ids_unique", "fail", "select_ids", "No id occurs twice within an account."),
    Question(
        "accounts_delivered", "warn", "select_accounts", "No expected account is missing.", finding="missing_finding"
    ),
    Question(
        "accounts_posted",
        "warn",
        "select_accounts",
        "No expected account waits to be posted.",
        finding="posted_finding",
    ),
    Question("accounts_known", "warn", "select_accounts", "No new account has appeared.", finding="new_finding"),
    Question(
        "accounts_enabled",
        "warn",
        "select_accounts",
        "No disabled account has traded.",
        finding="disabled_finding",
    ),
    Question(
        "time_in_session",
        "warn",
        "select_fills",
        "All executions are dated within the session.",
        finding="days_finding",
        observed="days_observed",
    ),
    Question(
        "fees_plausible",
        "warn",
        "select_fills",
        "The fees fit what was traded.",
        finding="fees_finding",
        observed="fees_observed",
    ),
    Question("corrections_settled", "warn", "select_corrections", "Every correction has the execution it means."),
    Question("statements_right", "warn", "select_statements", "Every row of the statement files could be used."),
    Question("adjustments_known", "warn", "select_adjustments", "Every adjustment is booked to a known account."),
    Question(
        "times_known",
        "warn",
        "select_fills",
        "Every execution has a time of day.",
        finding="times_finding",
        observed="times_observed",
    ),
    Question("price_near_median", "warn", "select_prices", "No price is far from its symbol's recent median."),
    Question("row_count_usual", "warn", "select_row_counts", "The number of rows is not unusual."),
    Question("data_fresh", "warn", "select_freshness", "The session itself has executions."),
)
