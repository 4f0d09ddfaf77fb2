"""What a report says, as values, and their one canonical text: its SHA-256 identifies the report.

The facts hold no run id, no revision, no link and no clock: the same inputs give the same bytes.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from decimal import Decimal

from risk.report.canonical import canonical_text, digest
from risk.report.parsing import reader_of

LEVELS = ("high", "moderate", "low")

FAN_LEVELS = (0.01, 0.05, 0.10, 0.25, 0.50, 0.75, 0.95)
"""Probabilities of the quantiles of a forecast's fan."""

CURVE_SESSIONS = 60
"""Sessions of the picture of a trader's cumulative P&L."""


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
        The sentences behind the cut, strongest first.
    source, source_version, source_reason
        ``rules`` or ``model``, its version, and why it serves.
    rules_cut_ratio, model_cut_ratio
        What each of the two would cut; ``None`` where the model has no answer.
    forecast_quantile_05_usd
        5 % quantile of the effective session's total P&L, US dollars, negative; ``None`` without a forecast.
    delivery_state
        ``delivered``, ``rejected`` (every row), ``no trades``, ``not posted``, ``missing``, ``feed broken`` or
        ``account disabled``.
    net_pnl_usd, total_pnl_usd
        The session's result, US dollars, gains positive; ``None`` where there are no complete books.
    incomplete_reason
        Why the session's books are incomplete, or ``None``.
    active_session_count
        Sessions with fills and complete books.
    latest_session_date
        The last of them.
    previous_cut_ratio
        Cut in the report before, see ``Facts.previous_session_date``; ``None`` = the account was not in it.
    explanations
        Sentences that explain the forecast, most telling first.
    forecast_fan_usd
        Quantiles of the effective session's P&L at ``FAN_LEVELS``, US dollars, ascending; empty without a forecast.
    expected_shortfall_usd
        Mean loss of a session at or below the 5 % quantile, US dollars, positive; ``None`` without a forecast.
    loss_probability
        Probability of a loss beyond the base limit; ``None`` without a forecast.
    adjustments_usd
        What was booked to the account in the session beside its trading, US dollars, positive = credit; in no result.
        ``None`` = nothing.
    recent_results_usd
        Total P&L of the account's last 60 sessions with complete books, oldest first, US dollars, gains positive.
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
    previous_cut_ratio: Decimal | None = None
    explanations: tuple[str, ...] = ()
    forecast_fan_usd: tuple[Decimal, ...] = ()
    expected_shortfall_usd: Decimal | None = None
    loss_probability: Decimal | None = None
    recent_results_usd: tuple[Decimal, ...] = ()
    adjustments_usd: Decimal | None = None


@dataclass(frozen=True, slots=True)
class RestatementFacts:
    """A session's result that the books now tell otherwise than an earlier report did.

    Attributes
    ----------
    account_id, session_date
        Whose result, of which session.
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
    """Whether the model may serve this morning.

    Attributes
    ----------
    verdict
        In a few words, such as ``rules serve``.
    reasons
        The sentences behind it.
    """

    verdict: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WarningFacts:
    """One thing the reader should know about the data.

    Attributes
    ----------
    kind
        ``file``, ``rejects``, ``delivery``, ``books``, ``check`` or ``model``.
    subject
        The file, account or check it is about.
    message
        The sentence for the reader.
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
    """How many accounts are where; ``restricted`` are those with a cut above 0."""

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
        Those of them whose books are incomplete: they are not in the two results.
    fill_count
        Executions.
    net_pnl_usd, total_pnl_usd
        Results, gains positive; ``None`` where nobody traded with complete books.
    base_limit_usd, new_limit_usd
        Limits of the active accounts, added up.
    adjustments_usd
        What was booked to all accounts beside their trading, positive = credit; in no result. ``None`` = nothing.
    """

    traded_account_count: int
    incomplete_account_count: int
    fill_count: int
    net_pnl_usd: Decimal | None
    total_pnl_usd: Decimal | None
    base_limit_usd: Decimal
    new_limit_usd: Decimal
    adjustments_usd: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a report says.

    Attributes
    ----------
    session_date
        Session whose fills were processed.
    effective_session
        Session the limits are for.
    is_simulated
        True when no real trader is behind the numbers.
    counts, desk
        Totals.
    accounts
        Active accounts, most urgent first.
    warnings
        What is wrong with the data.
    roster
        Every account that ever traded, by name.
    previous_session_date
        Session of the report before, with which cuts are compared; ``None`` = there is none.
    gate
        Verdict on the model; ``None`` where none was made.
    past_cuts
        Sentences on what past cuts were worth; empty while none has met a result.
    restatements
        Results that were reported otherwise.
    """

    session_date: dt.date
    effective_session: dt.date
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

    @property
    def canonical(self) -> str:
        """The facts as JSON: sorted keys, exact decimal strings, ISO dates, one final line break."""
        return canonical_text(self)

    @property
    def sha256(self) -> str:
        """Identity of the report: hex digest of the canonical text in UTF-8."""
        return digest(self.canonical)


def parse_facts(canonical: str) -> Facts:
    """Read facts back from their canonical text."""
    facts: Facts = reader_of(Facts)(json.loads(canonical))
    return facts
