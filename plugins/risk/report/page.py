"""Contexts of the mail templates: the facts grouped and counted, and the metadata of the run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from risk.core.policy import LEVELS
from risk.core.runs import Run
from risk.core.settings import DECISION_DEADLINE, TAIL_PROBABILITY
from risk.report.charts import cumulative_pnl
from risk.report.facts import AccountFacts, Facts, GateFacts, RosterEntry, WarningFacts

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
"""Not strftime, whose names depend on the locale of the process."""

TAIL_SESSIONS = round(1 / TAIL_PROBABILITY)
"""One session in this many ends below the forecast quantile."""

NAMES_IN_HEADLINE = 5
WARNINGS_ON_TOP = 3
"""More would push the actions off the first screen: the others follow further down."""
WARNINGS_IN_MAIL = 20
"""A load of years of history may bring hundreds; report.json has all of them."""
LONGEST_NAME_COLUMN = 24


@dataclass(frozen=True, slots=True)
class Links:
    """Links of a report, and who is asked for approval.

    Attributes
    ----------
    run_url
        The run in the Airflow UI: an address, or a path below ``base_url``.
    approval
        Which limits require approval after the mail: ``none``, ``high`` or ``all``.
    base_url
        Address of the Airflow UI; empty if unknown.
    """

    run_url: str = ""
    approval: str = "none"
    base_url: str = ""


def ui_address(base_url: str, path: str) -> str:
    """Return the full address of a path of the Airflow UI, or of what is one; empty if the UI's address is unknown."""
    if path.startswith(("https://", "http://")):
        return path
    return f"{base_url.rstrip('/')}{path}" if base_url and path.startswith("/") else ""


@dataclass(frozen=True, slots=True)
class NoticePage:
    """Context of the templates ``notice``: a short alert, its end, a digest or a model card.

    Attributes
    ----------
    is_simulated
        Whether the desk is simulated.
    tone
        ``bad`` or ``good``.
    label, title, headline
        The word above the headline, the subject, and the first sentence.
    sentences
        What is known, one paragraph each.
    actions
        What to do, one paragraph each; empty if no action is required.
    url
        Link into the Airflow UI; empty if its address is unknown.
    """

    is_simulated: bool
    tone: str
    label: str
    title: str
    headline: str
    sentences: tuple[str, ...]
    actions: tuple[str, ...]
    url: str


@dataclass(frozen=True, slots=True)
class PnlSummary:
    """The chart of an account's recent P&L in figures, for readers who do not see it.

    Attributes
    ----------
    session_count
        Sessions in the sum.
    total_usd
        Cumulative P&L, US dollars, gains positive.
    drawdown_usd
        Fall from the running peak, which starts at 0; US dollars, positive.
    """

    session_count: int
    total_usd: Decimal
    drawdown_usd: Decimal


@dataclass(frozen=True, slots=True)
class TraderEntry:
    """One account with its charts.

    Attributes
    ----------
    account
        Its facts.
    pnl
        Its recent P&L in figures; ``None`` without any.
    pnl_chart, forecast_chart
        Names of its charts; empty without one.
    """

    account: AccountFacts
    pnl: PnlSummary | None
    pnl_chart: str
    forecast_chart: str


@dataclass(frozen=True, slots=True)
class Section:
    """The accounts of one level."""

    level: str
    entries: tuple[TraderEntry, ...]


@dataclass(frozen=True, slots=True)
class LimitSource:
    """Accounts whose limits come from one source, rules or model, for one reason."""

    source: str
    version: str
    reason: str
    account_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Headline:
    """The most urgent level, how many limits are cut, the first of them, and how many more there are."""

    level: str
    account_count: int
    accounts: tuple[AccountFacts, ...]
    unnamed_count: int


@dataclass(frozen=True, slots=True)
class Page:
    """Context of the report's templates: the facts, and the run and code that they come from."""

    facts: Facts
    run: Run
    as_of: str
    run_address: str
    page_address: str
    weekday: str
    account_count: int
    headline: Headline
    sections: tuple[Section, ...]
    sources: tuple[LimitSource, ...]
    rules_count: int
    model_count: int
    gate: GateFacts | None
    approval: str
    decision_deadline: dt.time
    warnings: tuple[WarningFacts, ...]
    later_warnings: tuple[WarningFacts, ...]
    later_warning_count: int
    hidden_warning_count: int
    roster: tuple[RosterEntry, ...]
    inactive_ids: tuple[str, ...]
    disabled_ids: tuple[str, ...]
    legacy_count: int
    name_width: int
    has_charts: bool


def build_page(facts: Facts, run: Run, links: Links, charts: Mapping[str, bytes] | None = None) -> Page:
    """Arrange facts, run metadata and charts for the templates."""
    accounts = facts.accounts
    roster = tuple(entry for entry in facts.roster if entry.status not in {"legacy", "inactive", "disabled"})
    sources = _sources(accounts)
    # The gate's result, unless the reason of a source contains it already.
    reasons = facts.gate.reasons if facts.gate else ()
    is_repeated = any(all(reason in source.reason for reason in reasons) for source in sources)
    approval_count = {"high": facts.counts.high, "all": facts.counts.restricted}.get(links.approval, 0)
    return Page(
        facts=facts,
        run=run,
        as_of=run.as_of.astimezone(dt.UTC).isoformat(timespec="microseconds"),
        run_address=ui_address(links.base_url, links.run_url),
        page_address=ui_address(links.base_url, f"/risk/sessions/{facts.session_date.isoformat()}"),
        weekday=WEEKDAYS[facts.effective_session.weekday()],
        account_count=len(accounts),
        headline=headline(accounts),
        sections=_sections(accounts, charts or {}),
        sources=sources,
        rules_count=sum(account.source == "rules" for account in accounts),
        model_count=sum(account.source == "model" for account in accounts),
        gate=None if is_repeated else facts.gate,
        approval=links.approval if approval_count else "none",
        decision_deadline=DECISION_DEADLINE,
        warnings=facts.warnings[:WARNINGS_ON_TOP],
        later_warnings=facts.warnings[WARNINGS_ON_TOP:WARNINGS_IN_MAIL],
        later_warning_count=max(0, len(facts.warnings) - WARNINGS_ON_TOP),
        hidden_warning_count=max(0, len(facts.warnings) - WARNINGS_IN_MAIL),
        roster=roster,
        inactive_ids=tuple(entry.account_id for entry in facts.roster if entry.status == "inactive"),
        disabled_ids=tuple(entry.account_id for entry in facts.roster if entry.status == "disabled"),
        legacy_count=sum(entry.status == "legacy" for entry in facts.roster),
        name_width=min(LONGEST_NAME_COLUMN, max((len(entry.account_id) for entry in roster), default=0)),
        has_charts=bool(charts),
    )


def _sections(accounts: Sequence[AccountFacts], charts: Mapping[str, bytes]) -> tuple[Section, ...]:
    """Group accounts by level; the name of a chart ends with the position of its account in the report."""
    entries_by_level: dict[str, list[TraderEntry]] = {level: [] for level in LEVELS}
    for position, account in enumerate(accounts):
        sums, peaks = cumulative_pnl(account)
        summary = PnlSummary(len(sums), sums[-1], peaks[-1] - sums[-1]) if sums else None
        names = (name if name in charts else "" for name in (f"pnl-{position}", f"forecast-{position}"))
        entries_by_level[account.level].append(TraderEntry(account, summary, *names))
    return tuple(Section(level, tuple(entries)) for level, entries in entries_by_level.items())


def headline(accounts: Sequence[AccountFacts]) -> Headline:
    """Name the limits to cut, most urgent first, as many as fit on a line; level ``none`` if no limit is cut."""
    cut = tuple(account for account in accounts if account.cut_ratio > 0)
    level = cut[0].level if cut else "none"
    return Headline(level, len(cut), cut[:NAMES_IN_HEADLINE], max(0, len(cut) - NAMES_IN_HEADLINE))


def _sources(accounts: Sequence[AccountFacts]) -> tuple[LimitSource, ...]:
    names_by_source: dict[tuple[str, str, str], list[str]] = {}
    for account in accounts:
        key = (account.source, account.source_version, account.source_reason)
        names_by_source.setdefault(key, []).append(account.account_id)
    return tuple(LimitSource(*key, tuple(sorted(names))) for key, names in sorted(names_by_source.items()))
