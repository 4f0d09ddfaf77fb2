"""What the templates see: the facts, grouped and counted, and the envelope around them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from risk.core.runs import Run
from risk.core.settings import DECISION_DEADLINE, HIGH_CUT_RATIO, MODERATE_CUT_RATIO, TAIL_PROBABILITY, settings
from risk.report.charts import cumulated, peaks
from risk.report.facts import LEVELS, AccountFacts, Facts, GateFacts, RosterEntry, WarningFacts

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
"""Not strftime: its names follow the process's locale."""

TAIL_SESSIONS = round(1 / TAIL_PROBABILITY)
"""One session in so many ends below the forecast quantile."""

NAMES_IN_HEADLINE = 5
WARNINGS_ON_TOP = 3
"""More of them would push what is to be done off the first screen: the others come after it."""
WARNINGS_IN_MAIL = 20
"""A load of years of history may bring hundreds; report.json has all of them."""


@dataclass(frozen=True, slots=True)
class Links:
    """Where the reader can look further.

    Attributes
    ----------
    run_url
        The run in the Airflow UI: an address, or a path below the setting ``base_url``.
    approval
        For whose limits a person is asked once the mail is out: ``none``, ``high`` or ``all``.
    """

    run_url: str = ""
    approval: str = "none"

    @property
    def run_address(self) -> str:
        """Full address of the run, or nothing where it is not known under which address the UI answers."""
        if self.run_url.startswith(("https://", "http://")):
            return self.run_url
        return address(self.run_url)


def address(path: str) -> str:
    """Return the full address of a path of the UI, or nothing where its address is not known."""
    base_url = settings().base_url.rstrip("/")
    return f"{base_url}{path}" if base_url and path.startswith("/") else ""


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
    page_address: str


@dataclass(frozen=True, slots=True)
class Curve:
    """The recent results of an account in figures, for those who do not see the picture.

    Attributes
    ----------
    session_count
        Results added up.
    total_usd
        Their sum, US dollars.
    drawdown_usd
        Fall from the highest sum so far, which starts at 0; US dollars, positive.
    """

    session_count: int
    total_usd: Decimal
    drawdown_usd: Decimal


@dataclass(frozen=True, slots=True)
class Entry:
    """One account with its pictures.

    Attributes
    ----------
    account
        Its facts.
    curve
        Its recent results in figures; ``None`` without any.
    curve_picture, fan_picture
        Names of its pictures; empty where there is none.
    """

    account: AccountFacts
    curve: Curve | None
    curve_picture: str
    fan_picture: str


@dataclass(frozen=True, slots=True)
class Section:
    """The accounts of one level."""

    level: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """Accounts that one source serves for one reason."""

    source: str
    version: str
    reason: str
    account_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Headline:
    """What to do: the most urgent level, how many limits to cut, the first of them, and how many more there are."""

    level: str
    account_count: int
    accounts: tuple[AccountFacts, ...]
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
    gate: GateFacts | None
    asked_for: str
    decision_deadline: dt.time
    warnings: tuple[WarningFacts, ...]
    later_warnings: tuple[WarningFacts, ...]
    hidden_warning_count: int
    roster: tuple[RosterEntry, ...]
    inactive_ids: tuple[str, ...]
    disabled_ids: tuple[str, ...]
    legacy_count: int
    name_width: int
    high_cut_ratio: Decimal
    moderate_cut_ratio: Decimal
    tail_sessions: int
    pictures: Mapping[str, bytes]


def build_page(facts: Facts, run: Run, links: Links, pictures: Mapping[str, bytes] | None = None) -> Page:
    """Arrange facts, envelope and pictures for the templates, which only write down."""
    accounts = facts.accounts
    roster = tuple(entry for entry in facts.roster if entry.status not in {"legacy", "inactive", "disabled"})
    sources = [account.source for account in accounts]
    return Page(
        facts=facts,
        envelope=_envelope(facts, run, links),
        weekday=WEEKDAYS[facts.effective_session.weekday()],
        account_count=len(accounts),
        headline=headline(accounts),
        sections=_sections(accounts, pictures or {}),
        sources=_sources(accounts),
        rules_count=sources.count("rules"),
        model_count=sources.count("model"),
        gate=_untold_gate(facts),
        asked_for=_asked_for(facts, links.approval),
        decision_deadline=DECISION_DEADLINE,
        warnings=facts.warnings[:WARNINGS_ON_TOP],
        later_warnings=facts.warnings[WARNINGS_ON_TOP:WARNINGS_IN_MAIL],
        hidden_warning_count=max(0, len(facts.warnings) - WARNINGS_IN_MAIL),
        roster=roster,
        inactive_ids=tuple(entry.account_id for entry in facts.roster if entry.status == "inactive"),
        disabled_ids=tuple(entry.account_id for entry in facts.roster if entry.status == "disabled"),
        legacy_count=sum(entry.status == "legacy" for entry in facts.roster),
        name_width=min(24, max((len(entry.account_id) for entry in roster), default=0)),
        high_cut_ratio=HIGH_CUT_RATIO,
        moderate_cut_ratio=MODERATE_CUT_RATIO,
        tail_sessions=TAIL_SESSIONS,
        pictures=pictures or {},
    )


def _sections(accounts: Sequence[AccountFacts], pictures: Mapping[str, bytes]) -> tuple[Section, ...]:
    """Group accounts by level; a picture carries the place of its account in the report."""
    sections = []
    for level in LEVELS:
        entries = [
            Entry(
                account,
                _curve(account),
                f"curve-{place}" if f"curve-{place}" in pictures else "",
                f"fan-{place}" if f"fan-{place}" in pictures else "",
            )
            for place, account in enumerate(accounts)
            if account.level == level
        ]
        sections.append(Section(level, tuple(entries)))
    return tuple(sections)


def _curve(account: AccountFacts) -> Curve | None:
    sums = cumulated(account)
    return Curve(len(sums), sums[-1], peaks(sums)[-1] - sums[-1]) if sums else None


def _envelope(facts: Facts, run: Run, links: Links) -> Envelope:
    return Envelope(
        run_id=run.run_id,
        revision=run.revision,
        dag_run_id=run.dag_run_id,
        as_of=run.as_of.astimezone(dt.UTC).isoformat(timespec="microseconds"),
        code_version=run.code_version,
        facts_sha256=facts.sha256,
        run_address=links.run_address,
        page_address=address(f"/risk/sessions/{facts.session_date.isoformat()}"),
    )


def headline(accounts: Sequence[AccountFacts]) -> Headline:
    """Name every limit to be cut, most urgent first, as far as a line goes; ``none`` where every limit stays."""
    cut = tuple(account for account in accounts if account.cut_ratio > 0)
    level = cut[0].level if cut else "none"
    return Headline(level, len(cut), cut[:NAMES_IN_HEADLINE], max(0, len(cut) - NAMES_IN_HEADLINE))


def _asked_for(facts: Facts, approval: str) -> str:
    """Tell for whose limits a person is asked; nobody is asked where there is none."""
    asked_count = {"high": facts.counts.high, "all": facts.counts.restricted}.get(approval, 0)
    return approval if asked_count else "none"


def _untold_gate(facts: Facts) -> GateFacts | None:
    """Return the gate's verdict unless a source's reason tells it already, as it does where the gate decides."""
    if facts.gate is None:
        return None
    told = {account.source_reason for account in facts.accounts}
    return None if any("; ".join(facts.gate.reasons) in reason for reason in told) else facts.gate


def _sources(accounts: Sequence[AccountFacts]) -> tuple[Source, ...]:
    served: dict[tuple[str, str, str], list[str]] = {}
    for account in accounts:
        key = (account.source, account.source_version, account.source_reason)
        served.setdefault(key, []).append(account.account_id)
    return tuple(Source(*key, tuple(sorted(names))) for key, names in sorted(served.items()))
