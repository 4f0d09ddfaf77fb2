"""What the templates see: the facts, grouped and counted, and the envelope around them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from risk.report.facts import LEVELS, AccountFacts, Facts, RosterEntry, WarningFacts
from risk.runs import Run
from risk.settings import HIGH_CUT_RATIO, MODERATE_CUT_RATIO, TAIL_PROBABILITY, settings

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
"""Not strftime: its names follow the process's locale."""

NAMES_IN_HEADLINE = 5
WARNINGS_IN_MAIL = 20
"""A load of years of history may bring hundreds; report.json has all of them."""


@dataclass(frozen=True, slots=True)
class Links:
    """Where the reader can look further.

    Attributes
    ----------
    run_url
        The run in the Airflow UI: an address, or a path below the setting ``base_url``.
    """

    run_url: str = ""

    @property
    def run_address(self) -> str:
        """Full address of the run, or nothing where it is not known under which address the UI answers."""
        if self.run_url.startswith(("https://", "http://")):
            return self.run_url
        base_url = settings().base_url.rstrip("/")
        return f"{base_url}{self.run_url}" if base_url and self.run_url.startswith("/") else ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """Which run, code and facts a report comes from; no part of the facts."""

    run_id: int
    revision: int
    dag_run_id: str
    as_of: str
    code_version: str
    facts_sha256: str
    run_address: str


@dataclass(frozen=True, slots=True)
class Section:
    """The accounts of one level."""

    level: str
    accounts: tuple[AccountFacts, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """Accounts that one source serves for one reason."""

    source: str
    version: str
    reason: str
    account_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Headline:
    """What to do, in names: those to cut at once, and how many more there are."""

    level: str
    account_count: int
    account_ids: tuple[str, ...]
    unnamed_count: int


@dataclass(frozen=True, slots=True)
class Page:
    """Context of the report's templates."""

    facts: Facts
    envelope: Envelope
    weekday: str
    account_count: int
    headline: Headline
    sections: tuple[Section, ...]
    sources: tuple[Source, ...]
    rules_count: int
    model_count: int
    warnings: tuple[WarningFacts, ...]
    hidden_warning_count: int
    roster: tuple[RosterEntry, ...]
    inactive_ids: tuple[str, ...]
    legacy_count: int
    name_width: int
    high_cut_ratio: Decimal
    moderate_cut_ratio: Decimal
    tail_sessions: int


def build_page(facts: Facts, run: Run, links: Links) -> Page:
    """Arrange facts and envelope for the templates, which only write down."""
    accounts = facts.accounts
    roster = tuple(entry for entry in facts.roster if entry.status not in {"legacy", "inactive"})
    sources = [account.source for account in accounts]
    return Page(
        facts=facts,
        envelope=_envelope(facts, run, links),
        weekday=WEEKDAYS[facts.effective_session.weekday()],
        account_count=len(accounts),
        headline=_headline(accounts),
        sections=tuple(Section(level, _at_level(accounts, level)) for level in LEVELS),
        sources=_sources(accounts),
        rules_count=sources.count("rules"),
        model_count=sources.count("model"),
        warnings=facts.warnings[:WARNINGS_IN_MAIL],
        hidden_warning_count=max(0, len(facts.warnings) - WARNINGS_IN_MAIL),
        roster=roster,
        inactive_ids=tuple(entry.account_id for entry in facts.roster if entry.status == "inactive"),
        legacy_count=sum(entry.status == "legacy" for entry in facts.roster),
        name_width=min(24, max((len(entry.account_id) for entry in roster), default=0)),
        high_cut_ratio=HIGH_CUT_RATIO,
        moderate_cut_ratio=MODERATE_CUT_RATIO,
        tail_sessions=round(1 / TAIL_PROBABILITY),
    )


def _envelope(facts: Facts, run: Run, links: Links) -> Envelope:
    return Envelope(
        run_id=run.run_id,
        revision=run.revision,
        dag_run_id=run.dag_run_id,
        as_of=run.as_of.astimezone(dt.UTC).isoformat(timespec="microseconds"),
        code_version=run.code_version,
        facts_sha256=facts.sha256,
        run_address=links.run_address,
    )


def _at_level(accounts: Sequence[AccountFacts], level: str) -> tuple[AccountFacts, ...]:
    return tuple(account for account in accounts if account.level == level)


def _headline(accounts: Sequence[AccountFacts]) -> Headline:
    """Name the most urgent level that has a cut; ``none`` where every limit stays."""
    for level in LEVELS:
        names = tuple(account.account_id for account in _at_level(accounts, level) if account.cut_ratio > 0)
        if names:
            unnamed_count = max(0, len(names) - NAMES_IN_HEADLINE)
            return Headline(level, len(names), names[:NAMES_IN_HEADLINE], unnamed_count)
    return Headline("none", 0, (), 0)


def _sources(accounts: Sequence[AccountFacts]) -> tuple[Source, ...]:
    served: dict[tuple[str, str, str], list[str]] = {}
    for account in accounts:
        key = (account.source, account.source_version, account.source_reason)
        served.setdefault(key, []).append(account.account_id)
    return tuple(Source(*key, tuple(sorted(names))) for key, names in sorted(served.items()))
