"""The content of a report as values, and its canonical JSON.

The facts hold no run id, no revision, no link and no clock: the same inputs give the same bytes.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from risk.limits.in_force import ORIGINS
from risk.report.receipt_facts import LimitUseFacts

FORECAST_LEVELS = (0.01, 0.05, 0.10, 0.25, 0.50, 0.75, 0.95)
"""Probabilities of the forecast quantiles in a report."""

PNL_CHART_SESSIONS = 60
"""Sessions in the chart of a trader's cumulative P&L."""

Reader = Callable[[Any], Any]


SERVING_NAMES = {
    "model": "model-based limits",
    "filtered": "limits by filtered historical simulation",
    "rules": "rule-based limits",
}
"""What decides limits, by the names of the gate (`risk.model.gate`), in words; strongest evidence first."""


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What the report says about one active account.

    Attributes
    ----------
    account_id
        Trading account.
    status
        ``active``, ``limited history`` or ``stale``.
    level
        ``high``, ``moderate`` or ``low``.
    cut_ratio
        Recommended cut, 0.40 = 40 %.
    base_limit_usd, new_limit_usd
        Daily loss limit before and after the cut, US dollars, positive.
    reasons
        Sentences that explain the cut, strongest first.
    source, source_version, source_reason
        What decided the limit, ``rules`` or ``model``, its version, and why this one applies.
    rules_cut_ratio, model_cut_ratio
        The cut that each of the two recommends; ``None`` without a model forecast.
    forecast_quantile_05_usd
        5 % quantile of the effective session's total P&L, US dollars, negative; ``None`` without a forecast.
    delivery_state
        ``delivered``, ``rejected`` (every row), ``no trades``, ``not posted``, ``missing``, ``withdrawn``,
        ``feed broken`` or ``account disabled``.
    net_pnl_usd, total_pnl_usd
        P&L of the session, US dollars, gains positive; ``None`` without complete books.
    incomplete_reason
        Why the session's books are incomplete, or ``None``.
    active_session_count
        Sessions with fills and complete books.
    latest_session_date
        The last of them.
    previous_cut_ratio
        Cut in the previous report, see ``Facts.previous_session_date``; ``None`` = the account was not in it.
    explanations
        Sentences that explain the forecast, largest contribution first.
    forecast_fan_usd
        Quantiles of the effective session's P&L at ``FORECAST_LEVELS``, US dollars, ascending; empty without a
        forecast.
    expected_shortfall_usd
        Mean loss of a session at or below the 5 % quantile, US dollars, positive; ``None`` without a forecast.
    loss_probability
        Probability of a loss beyond the base limit; ``None`` without a forecast.
    adjustments_usd
        Adjustments booked to the account in the session, US dollars, positive = credit; not part of any P&L.
        ``None`` = none.
    recent_results_usd
        Total P&L of the account's last 60 sessions with complete books, oldest first, US dollars, gains positive.
    limit_in_force_usd
        Limit in force at ``as_of``, US dollars; before the first report the base limit.
    limit_source, limit_since
        Where it comes from (``published``, ``emailed``, ``base``, ``temporary``, ``intraday`` or ``default``), and the
        aware instant since which it acts; ``None`` = always.
    limit_change_usd, limit_change_ratio
        Limit in force when the effective session begins, if the recommendation is accepted, less the one at ``as_of``,
        US dollars and as a share of the base limit; a raise is positive.
    """

    account_id: str
    status: str
    level: str
    cut_ratio: Decimal
    base_limit_usd: Decimal
    new_limit_usd: Decimal
    reasons: tuple[str, ...]
    source: str
    source_version: str
    source_reason: str
    rules_cut_ratio: Decimal
    model_cut_ratio: Decimal | None
    forecast_quantile_05_usd: Decimal | None
    delivery_state: str
    net_pnl_usd: Decimal | None
    total_pnl_usd: Decimal | None
    incomplete_reason: str | None
    active_session_count: int
    latest_session_date: dt.date
    limit_in_force_usd: Decimal
    limit_source: str
    limit_since: dt.datetime | None
    limit_change_usd: Decimal
    limit_change_ratio: Decimal
    previous_cut_ratio: Decimal | None = None
    explanations: tuple[str, ...] = ()
    forecast_fan_usd: tuple[Decimal, ...] = ()
    expected_shortfall_usd: Decimal | None = None
    loss_probability: Decimal | None = None
    recent_results_usd: tuple[Decimal, ...] = ()
    adjustments_usd: Decimal | None = None

    @property
    def value_at_risk_usd(self) -> Decimal | None:
        """Loss that the effective session exceeds with a probability of 5 %, US dollars, positive = loss."""
        return None if self.forecast_quantile_05_usd is None else -self.forecast_quantile_05_usd

    @property
    def limit_origin(self) -> str:
        """Where the limit in force comes from, for people."""
        return ORIGINS[self.limit_source]

    @property
    def next_limit_usd(self) -> Decimal:
        """Limit in force when the effective session begins, if the recommendation is accepted, US dollars."""
        return self.limit_in_force_usd + self.limit_change_usd

    @property
    def is_firm_rule(self) -> bool:
        """Whether a rule of the policy sets the cut, no forecast."""
        return self.source == "rules" and self.rules_cut_ratio > 0

    @property
    def reasons_label(self) -> str:
        """What its reasons are: those of a rule are no forecast."""
        return "Firm rule, not a forecast" if self.is_firm_rule else "Reasons"

    @property
    def restores_limit(self) -> bool:
        """Whether the limit rises because a cut that was reported is given back, whole or in part."""
        return self.limit_change_usd > 0 and self.limit_source in {"published", "emailed"}


@dataclass(frozen=True, slots=True)
class RestatementFacts:
    """P&L of a session that has changed since it was reported.

    Attributes
    ----------
    account_id, session_date
        Account and session of the P&L.
    before_usd, after_usd
        Total P&L as reported and as known now, US dollars, gains positive; ``None`` = no complete books.
    reason
        What changed.
    """

    account_id: str
    session_date: dt.date
    before_usd: Decimal | None
    after_usd: Decimal | None
    reason: str


@dataclass(frozen=True, slots=True)
class GateFacts:
    """Whether the model passed the gate and decides the limits of this run.

    Attributes
    ----------
    verdict
        In a few words, such as ``rule-based limits apply``.
    reasons
        Sentences that explain it.
    """

    verdict: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """The policy that decided.

    Attributes
    ----------
    version
        Version and identity, such as ``1 (7514d6f7fff0)``.
    moderate_from, high_from
        Forecast loss from which a trader is moderate and high risk, in usual forecast losses, such as ``1.25x``.
    """

    version: str
    moderate_from: str
    high_from: str


@dataclass(frozen=True, slots=True)
class WarningFacts:
    """One problem with the data that the reader should know.

    Attributes
    ----------
    kind
        ``file``, ``unread`` (a file under whose name nothing is read), ``rejects``, ``delivery``, ``books``, ``check``,
        ``register`` (limit changes that are pending), ``platform`` (limits that the trading platform may not have) or
        ``model``; in an excerpt also ``desk`` (what the full report says of others).
    subject
        The file, account or check concerned.
    message
        Sentence for the reader.
    """

    kind: str
    subject: str
    message: str


@dataclass(frozen=True, slots=True)
class RosterEntry:
    """One account of the books.

    Attributes
    ----------
    account_id
        Trading account.
    trading_day_count
        Sessions with fills.
    latest_session_date
        The last of them.
    status
        ``active``, ``limited history``, ``stale``; without a limit: ``disabled``, ``inactive`` or ``legacy``.
    """

    account_id: str
    trading_day_count: int
    latest_session_date: dt.date
    status: str


@dataclass(frozen=True, slots=True)
class Counts:
    """Number of accounts at each level; ``restricted`` counts those with a cut above 0."""

    high: int
    moderate: int
    low: int
    restricted: int


@dataclass(frozen=True, slots=True)
class DeskFacts:
    """The desk's totals, US dollars.

    Attributes
    ----------
    traded_account_count
        Accounts with fills in the session, legacy ones included.
    incomplete_account_count
        Those with incomplete books, excluded from the two P&L figures.
    fill_count
        Executions; ``None`` = not stated, in the excerpt for a group.
    net_pnl_usd, total_pnl_usd
        P&L, gains positive; ``None`` if no account with complete books traded.
    base_limit_usd, new_limit_usd
        Sums of the active accounts' limits.
    adjustments_usd
        Adjustments booked to all accounts, positive = credit; not part of any P&L. ``None`` = none.
    """

    traded_account_count: int
    incomplete_account_count: int
    fill_count: int | None
    net_pnl_usd: Decimal | None
    total_pnl_usd: Decimal | None
    base_limit_usd: Decimal
    new_limit_usd: Decimal
    adjustments_usd: Decimal | None = None


@dataclass(frozen=True, slots=True)
class DeskTailFacts:
    """What the desk may lose in the effective session, at the close; US dollars, losses positive.

    Attributes
    ----------
    session_count, account_count
        Past sessions simulated, accounts with a forecast.
    value_at_risk_usd, expected_shortfall_usd, shortfall_low_usd, shortfall_high_usd
        95 % value at risk; mean loss of the worst 5 % of sessions, and its 95 % interval; ``None`` = too few sessions.
    at_base_usd, at_limits_usd
        That shortfall if every loss ended at the base limit, or at the recommended one, with 5 % slippage.
    """

    session_count: int
    account_count: int
    value_at_risk_usd: Decimal | None
    expected_shortfall_usd: Decimal | None
    shortfall_low_usd: Decimal | None
    shortfall_high_usd: Decimal | None
    at_base_usd: Decimal | None
    at_limits_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class ExposureFacts:
    """One of the largest exposures of the effective session, whatever the account's level.

    Attributes
    ----------
    account_id
        Trading account.
    limit_usd
        The limit that will be in force, US dollars.
    loss_probability
        Probability of a loss beyond it, at the close.
    expected_excess_usd
        Expected loss beyond it, US dollars.
    share_ratio, share_low_ratio, share_high_ratio
        Share of the desk's expected shortfall, and its 95 % interval; ``None`` = not known.
    relief_usd
        What the account's cut alone takes off the desk's shortfall, US dollars; ``None`` = not known.
    """

    account_id: str
    limit_usd: Decimal
    loss_probability: Decimal
    expected_excess_usd: Decimal
    share_ratio: Decimal | None
    share_low_ratio: Decimal | None
    share_high_ratio: Decimal | None
    relief_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class FitFacts:
    """A base limit that does not fit, or that the effective session is likely to pass.

    Attributes
    ----------
    account_id
        Trading account.
    verdict
        ``too large`` (losses), ``never reached``, ``fits`` or ``limited history``.
    sentence, warning
        The verdict in words; what is likely, empty = nothing.
    proposed_limit_usd
        A lower base limit, US dollars; ``None`` = no proposal.
    """

    account_id: str
    verdict: str
    sentence: str
    warning: str
    proposed_limit_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a report says.

    Attributes
    ----------
    session_date
        Session whose fills were processed.
    effective_session
        Session the limits are for.
    policy
        The policy that decided.
    is_simulated
        True for the simulated desk.
    counts, desk
        Totals.
    accounts
        Active accounts, most urgent first.
    warnings
        Problems with the data.
    roster
        Every account that ever traded, by name.
    previous_session_date
        Session of the previous report, with which cuts are compared; ``None`` = there is none.
    gate
        Result of the model's gate; ``None`` if it was not evaluated.
    past_cuts
        Sentences about the cut track record; empty until a cut has an outcome.
    restatements
        P&L that changed since it was reported.
    desk_tail
        What the desk may lose; ``None`` if it was not computed.
    exposures
        The largest exposures, largest expected loss beyond the limit first.
    fits
        Base limits that do not fit, or are likely to be passed, most urgent first.
    contradicted_rules
        Sentences about the rules after which large losses were rarer on this desk.
    limit_use
        How much of the limits was used in the session, limit hits and breaches.
    """

    session_date: dt.date
    effective_session: dt.date
    policy: PolicyFacts
    is_simulated: bool
    counts: Counts
    desk: DeskFacts
    accounts: tuple[AccountFacts, ...]
    warnings: tuple[WarningFacts, ...]
    roster: tuple[RosterEntry, ...]
    previous_session_date: dt.date | None = None
    gate: GateFacts | None = None
    past_cuts: tuple[str, ...] = ()
    restatements: tuple[RestatementFacts, ...] = ()
    desk_tail: DeskTailFacts | None = None
    exposures: tuple[ExposureFacts, ...] = ()
    fits: tuple[FitFacts, ...] = ()
    contradicted_rules: tuple[str, ...] = ()
    limit_use: LimitUseFacts = field(default_factory=LimitUseFacts)

    @property
    def canonical(self) -> str:
        """The facts as JSON: sorted keys, exact decimal strings, ISO dates, one final line break."""
        fields = dataclasses.asdict(self)
        return json.dumps(fields, sort_keys=True, indent=2, ensure_ascii=False, default=exact) + "\n"

    @property
    def sha256(self) -> str:
        """Hex digest of the canonical text in UTF-8; the digest that a mail states is `digest_tree.report_digest`."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()


def parse_facts(canonical: str) -> Facts:
    """Read facts back from their canonical text."""
    return _facts_adapter().validate_json(canonical)


@cache
def _facts_adapter() -> TypeAdapter[Facts]:
    return TypeAdapter(Facts)


def exact(value: object) -> str:
    """Write a value exactly: dates and instants as ISO, a decimal without exponent, with two decimals or as it needs.

    Raises
    ------
    TypeError
        If the value is of another type.
    """
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="microseconds")
    if isinstance(value, dt.date):
        return value.isoformat()
    if not isinstance(value, Decimal):
        raise TypeError(f"A fact of type {type(value).__name__} has no canonical form.")
    whole, _, fraction = f"{value or 0:f}".partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"


@cache
def reader_of(hint: Any) -> Reader:
    """Build, once for each type, the function that reads a value of that type from its decoded canonical JSON."""
    return TypeAdapter(hint).validate_python
