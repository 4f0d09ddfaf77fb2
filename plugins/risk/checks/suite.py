"""What is checked of a session before anything is computed from its fills: one expectation for each rule.

Postgres observes, in ``include/sql/check_fills/select_*_findings.sql``: one row for each check and subject, with a
finding where something is wrong. Each expectation is that its check has no finding.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from great_expectations import ExpectationSuite
from great_expectations.expectations.core.unexpected_rows_expectation import UnexpectedRowsExpectation
from great_expectations.expectations.metadata_types import FailureSeverity

THRESHOLDS: Final = {
    "window_sessions": 20,
    "price_factor": 10,
    "fee_ratio": Decimal("0.02"),
    "fee_per_share_usd": Decimal("0.10"),
    "reject_ratio": Decimal("0.01"),
    "row_count_factor": 5,
    "minimum_sessions": 5,
}
"""Parameters of the statements that collect findings; who is expected to trade is policy."""

FINDINGS_STATEMENTS: Final = (
    "check_fills/select_account_findings",
    "check_fills/select_delivery_findings",
    "check_fills/select_fill_findings",
    "check_fills/select_input_findings",
    "check_fills/select_price_findings",
)
"""Their few rows pass through Python because Postgres reads the fills of a ``select`` in several processes, but not
those of an ``insert`` (1.8 s against 4.0 s at a million fills on two cores)."""


@dataclass(frozen=True, slots=True)
class Check:
    """One rule about a session.

    Attributes
    ----------
    name
        As in the findings and in ``quality_results``.
    severity
        ``critical`` stops the run; ``warning`` is listed in the report.
    ok_message
        The rule as a sentence, stored when it holds.
    """

    name: str
    severity: Literal["critical", "warning"]
    ok_message: str


CHECKS: Final = (
    # Deliveries
    Check("feed_received", "critical", "Fills were received for the session, or no account was expected."),
    Check("reject_rate", "critical", "Rejected rows hit fewer than half of the accounts."),
    Check("vendor_response_complete", "critical", "Each session has a complete response of the vendor, if asked."),
    Check("vendor_response_fresh", "warning", "The latest response of the vendor for each session is complete."),
    Check("accounts_delivered", "warning", "Fills were received for each expected account."),
    Check("accounts_posted", "warning", "The fills of each expected account are posted."),
    Check("accounts_known", "warning", "No new account traded."),
    Check("accounts_enabled", "warning", "No disabled account traded."),
    Check("versions_counted", "warning", "No published version is outranked by a file without a manifest."),
    Check("row_count_usual", "warning", "The number of rows is near its recent median."),
    Check("rows_distinct", "warning", "No row repeats the id and the content of another one."),
    Check("accounts_distinct", "warning", "No two names of accounts differ only in case or blanks."),
    Check("data_fresh", "warning", "The session itself has executions."),
    # Executions
    Check("required_values", "critical", "Each execution has account, time, side, quantity, symbol, price and fees."),
    Check("side_known", "critical", "Each side is B, S, T or C."),
    Check("quantity_positive", "critical", "Each quantity is positive and finite."),
    Check("price_valid", "critical", "Each price is finite and not negative."),
    Check("ids_unique", "critical", "Fill ids are unique within an account's session."),
    Check("time_in_session", "warning", "Each execution is dated within the session."),
    Check("times_known", "warning", "Each execution has a time of day."),
    Check("fees_plausible", "warning", "Fees fit turnover and volume."),
    Check("price_above_zero", "warning", "Only options were traded at price 0."),
    Check("contracts_known", "warning", "The multiplier of every contract traded is known, and it has one spelling."),
    Check("desk_contracts_known", "critical", "Not every account that traded has a contract of unknown multiplier."),
    Check("price_near_median", "warning", "Each price is near the recent median of its symbol."),
    # Corrections and reference data
    Check("corrections_applied", "warning", "Each correction has its execution."),
    Check("reference_rows_valid", "warning", "Each row of the reference files is valid."),
    Check("reference_columns_known", "warning", "Each column of the reference files is known."),
    Check("adjustments_known", "warning", "Each adjustment belongs to a known account."),
)


def session_suite() -> ExpectationSuite:
    """Return the suite: of each check, expect that none of its rows carries a finding."""
    expectations = [
        UnexpectedRowsExpectation(
            unexpected_rows_query=(  # the name is one of CHECKS, no input
                f"select subject from {{batch}} where check_name = '{check.name}' and finding is not null"  # noqa: S608
            ),
            severity=FailureSeverity(check.severity),
            description=check.ok_message,
            meta={"check": check.name},
        )
        for check in CHECKS
    ]
    return ExpectationSuite(name="session", expectations=expectations)
