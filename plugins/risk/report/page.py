"""Contexts of the mail templates: the facts grouped and counted, and the metadata of the run."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from risk.core.chain import Head
from risk.core.desks import own_page
from risk.core.exchange import exchange, exchange_zone
from risk.core.money import counted, signed_usd, usd_exact
from risk.core.policy import LEVELS
from risk.core.runs import Run
from risk.core.settings import TAIL_PROBABILITY
from risk.limits.approvals import Proposal, Publication, open_proposals
from risk.report.charts import cumulative_pnl
from risk.report.facts import (
    SERVING_NAMES,
    AccountFacts,
    Facts,
    FitFacts,
    GateFacts,
    RestatementFacts,
    WarningFacts,
)

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
"""Not strftime, whose names depend on the locale of the process."""

TAIL_SESSIONS = round(1 / TAIL_PROBABILITY)
"""One session in this many ends below the forecast quantile."""

NAMES_IN_HEADLINE = 5
SUBJECT_WIDTH = 78
"""Longer subjects are cut off by mail programs, and broken into lines by the message format (RFC 5322, 2.1.1)."""
WARNINGS_IN_MAIL = 20
"""A load of years of history may bring hundreds; report.json has all of them."""
RESTATEMENTS_IN_MAIL = 20
"""A history that is delivered again may bring thousands; report.json has all of them."""
LINKED_NAMES = 60
"""Longer lists of names are no links: a mail of 2,000 traders would be truncated."""
ADDRESSES_IN_TEXT = 20
SMALLER_LOSS = re.compile(r": -\d+%(?:,|$)")
"""In the sentence of what makes the forecast loss smaller, see `risk.model.explain.sentences`."""
LATE_TRADERS = 5
"""Traders named because they did not trade in the session; the Risk page has the roster."""


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """What a report asks its reader to decide.

    Attributes
    ----------
    count
        Limits that wait for an answer.
    deadline
        Until when, for people.
    path
        The page Approval, below ``base_url``.
    sentences
        Limits that a person has decided about before, of which the report recommends another now.
    """

    count: int
    deadline: str
    path: str
    sentences: tuple[str, ...] = ()


def approval_request(publication: Publication, proposals: Sequence[Proposal]) -> ApprovalRequest | None:
    """Return what a publication asks of its reader; ``None`` = nothing to decide."""
    waiting = open_proposals(publication, proposals)
    if not waiting:
        return None
    sentences = tuple(
        f"{one.account_id}: {usd_exact(one.kept_limit_usd)}, decided by {one.decided.earlier_decider_name}, stands "
        f"until you answer; recommended now {usd_exact(one.recommended_limit_usd)}."
        for one in waiting
        if one.decided.earlier_limit_usd is not None
    )
    path = f"{own_page()}/approvals/{publication.publication_id}"
    return ApprovalRequest(len(waiting), publication.deadline_text, path, sentences)


@dataclass(frozen=True, slots=True)
class Links:
    """Links of a report, and what is asked of its reader.

    Attributes
    ----------
    run_url
        The run in the Airflow UI: an address, or a path below ``base_url``.
    request
        What he is asked to approve; ``None`` = nothing.
    base_url
        Address of the Airflow UI; empty if unknown.
    head
        Head of the chain as the report left it; ``None`` = a report that is not stored.
    """

    run_url: str = ""
    request: ApprovalRequest | None = None
    base_url: str = ""
    head: Head | None = None


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
    consequences
        What it means for the limits in force; empty where that is no question.
    rows
        Names and what is known of each, above the sentences.
    url, link_text
        Link into the Airflow UI; empty if its address is unknown. And its words.
    head
        Head of the chain as what the mail is about left it; ``None`` = it is about nothing that is linked.
    """

    is_simulated: bool
    tone: str
    label: str
    title: str
    headline: str
    sentences: tuple[str, ...]
    actions: tuple[str, ...]
    url: str
    link_text: str = "Open in Airflow"
    head: Head | None = None
    consequences: tuple[str, ...] = ()
    rows: tuple[tuple[str, str], ...] = ()


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

    @property
    def has_status_note(self) -> bool:
        """Whether the status is to be said: it is not active, and no reason says so."""
        status = self.account.status
        return status != "active" and not any(reason.lower().startswith(status) for reason in self.account.reasons)

    @property
    def explanations(self) -> tuple[str, ...]:
        """Why the forecast is what it is; where there is a cut, only what makes the forecast loss larger."""
        given = self.account.explanations
        return tuple(one for one in given if not SMALLER_LOSS.search(one)) if self.account.cut_ratio else given


@dataclass(frozen=True, slots=True)
class Section:
    """The accounts of one level whose limit changes, or of one level whose limit stands."""

    level: str
    changes: bool
    entries: tuple[TraderEntry, ...]


@dataclass(frozen=True, slots=True)
class LimitSource:
    """Accounts whose limits come from one source, by the names of `SERVING_NAMES`, for one reason."""

    source: str
    version: str
    reason: str
    account_ids: tuple[str, ...]

    @property
    def name(self) -> str:
        """What the limits are."""
        return SERVING_NAMES[self.source]


@dataclass(frozen=True, slots=True)
class FitGroup:
    """Base limits of one verdict, most urgent first."""

    verdict: str
    entries: tuple[FitFacts, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """The roster in one line: how many active traders traded lately, and who last traded before the session.

    Attributes
    ----------
    current_count
        Active traders who are not stale.
    late
        Dates as they are written and the traders who last traded then, the newest first.
    unnamed_count
        How many more last traded before the session.
    """

    current_count: int
    late: tuple[tuple[str, tuple[str, ...]], ...]
    unnamed_count: int


@dataclass(frozen=True, slots=True)
class Headline:
    """What changes: limits that fall and limits that rise, most urgent first, and how many cuts stand.

    Attributes
    ----------
    tone
        Level of the most urgent limit that falls; ``low`` if limits only rise, ``none`` if none changes.
    reduced, raised
        Accounts whose limit falls, and rises.
    standing_count
        Cuts that stay as they are.
    """

    tone: str
    reduced: tuple[AccountFacts, ...]
    raised: tuple[AccountFacts, ...]
    standing_count: int

    @property
    def changed(self) -> tuple[AccountFacts, ...]:
        """Accounts whose limit changes."""
        return self.reduced + self.raised

    @property
    def is_urgent(self) -> bool:
        """Whether the limit of a high-risk trader changes."""
        return any(account.level == "high" for account in self.changed)

    @property
    def groups(self) -> tuple[tuple[tuple[AccountFacts, ...], int, int], ...]:
        """For limits that fall, then for those that rise: the accounts to name, how many more, and how many in all."""
        return tuple(
            (group[:NAMES_IN_HEADLINE], max(0, len(group) - NAMES_IN_HEADLINE), len(group))
            for group in (self.reduced, self.raised)
        )


@dataclass(frozen=True, slots=True)
class Page:
    """Context of the report's templates: the facts, and the run and code that they come from."""

    facts: Facts
    run: Run
    as_of: str
    run_address: str
    page_address: str
    desk_address: str
    limits_address: str
    weekday: str
    account_count: int
    headline: Headline
    changed: tuple[Section, ...]
    standing: tuple[Section, ...]
    kept: tuple[TraderEntry, ...]
    sources: tuple[LimitSource, ...]
    source_counts: Mapping[str, int]
    gate: GateFacts | None
    request: ApprovalRequest | None
    approval_address: str
    warnings: tuple[WarningFacts, ...]
    hidden_warning_count: int
    restatements: tuple[RestatementFacts, ...]
    hidden_restatement_count: int
    fits: tuple[FitGroup, ...]
    coverage: Coverage
    traders_address: str
    has_charts: bool
    group: str
    head: Head | None

    @property
    def lists_warnings(self) -> bool:
        """Whether warnings have a list: the mail's first lines say a single one."""
        return len(self.facts.warnings) > 1

    @property
    def links_every_name(self) -> bool:
        """Whether the names of traders whose limit stands are links too."""
        return len(self.kept) <= LINKED_NAMES

    @property
    def named_ids(self) -> tuple[str, ...]:
        """The first traders whom the mail names for a reason, in its order."""
        use = self.facts.limit_use
        changed, standing = (
            [entry.account.account_id for section in sections for entry in section.entries]
            for sections in (self.changed, self.standing)
        )
        used = [one.account_id for one in use.listed] + [one.account_id for one in use.listed_items]
        exposed = [one.account_id for one in self.facts.exposures]
        return tuple(dict.fromkeys((*changed, *used, *exposed, *standing)))[:ADDRESSES_IN_TEXT]

    def subject(self, beginning: str) -> str:
        """Return the subject: its beginning, then names and amounts of changes, or else what to decide, if it fits."""
        beginning, changed = " ".join(beginning.split()), self.headline.changed
        if self.request is not None and not changed:
            asking = f"{beginning}: decide {counted(self.request.count, 'limit')}"
            return asking if len(asking) <= SUBJECT_WIDTH else beginning
        longest = beginning
        for number in range(1, len(changed) + 1):
            named = ", ".join(f"{one.account_id} {signed_usd(one.limit_change_usd)}" for one in changed[:number])
            more = f", {len(changed) - number} more" if number < len(changed) else ""
            if len(f"{beginning}: {named}{more}") <= SUBJECT_WIDTH:
                longest = f"{beginning}: {named}{more}"
        return longest


def build_page(
    facts: Facts, run: Run, links: Links, charts: Mapping[str, bytes] | None = None, group: str = ""
) -> Page:
    """Arrange facts, run metadata and charts for the templates; ``group`` = what an excerpt is of."""
    accounts = facts.accounts
    sources = _sources(accounts)
    # The gate's result, unless the reason of a source contains it already.
    reasons = facts.gate.reasons if facts.gate else ()
    is_repeated = any(all(reason in source.reason for reason in reasons) for source in sources)
    return Page(
        facts=facts,
        run=run,
        as_of=f"{run.as_of.astimezone(exchange_zone()):%Y-%m-%d %H:%M:%S} {exchange().city}",
        run_address=ui_address(links.base_url, links.run_url),
        page_address=ui_address(links.base_url, f"{own_page()}/sessions/{facts.session_date.isoformat()}"),
        # The desk's numbers are not the group's.
        desk_address="" if group else ui_address(links.base_url, f"{own_page()}/desk/{facts.session_date.isoformat()}"),
        limits_address=ui_address(links.base_url, f"{own_page()}/limits"),
        weekday=WEEKDAYS[facts.effective_session.weekday()],
        account_count=len(accounts),
        headline=headline(accounts),
        **_blocks(accounts, charts or {}),
        sources=sources,
        source_counts=_source_counts(accounts),
        gate=None if is_repeated else facts.gate,
        request=links.request,
        approval_address=ui_address(links.base_url, links.request.path) if links.request else "",
        warnings=facts.warnings[:WARNINGS_IN_MAIL],
        hidden_warning_count=max(0, len(facts.warnings) - WARNINGS_IN_MAIL),
        restatements=largest_restatements(facts.restatements),
        hidden_restatement_count=max(0, len(facts.restatements) - RESTATEMENTS_IN_MAIL),
        fits=_fit_groups(facts.fits),
        coverage=_coverage(facts),
        traders_address=ui_address(links.base_url, f"{own_page()}/traders/"),
        has_charts=bool(charts),
        group=group,
        head=links.head,
    )


def _coverage(facts: Facts) -> Coverage:
    """Count the active traders who are not stale, and name who last traded before the session, newest first."""
    session, known = facts.session_date, {entry.account_id: entry.latest_session_date for entry in facts.roster}
    current_count = sum(one.status != "stale" for one in facts.accounts)
    last = {one.account_id: known.get(one.account_id, one.latest_session_date) for one in facts.accounts}
    late = sorted((name for name in last if last[name] < session), key=lambda name: (-last[name].toordinal(), name))
    days = itertools.groupby(late[:LATE_TRADERS], key=last.__getitem__)
    named = tuple((f"{day:%m-%d}" if day.year == session.year else day.isoformat(), tuple(ids)) for day, ids in days)
    return Coverage(current_count, named, max(0, len(late) - LATE_TRADERS))


def _fit_groups(fits: Sequence[FitFacts]) -> tuple[FitGroup, ...]:
    """Group the base limits that do not fit by their verdict; both keep their order."""
    grouped: dict[str, list[FitFacts]] = {}
    for entry in fits:
        # A limit that fits, or has too little history, is listed because it is likely to be passed.
        is_unfit = entry.verdict in {"too large", "never reached"}
        grouped.setdefault(entry.verdict if is_unfit else "likely", []).append(entry)
    return tuple(FitGroup(verdict, tuple(entries)) for verdict, entries in grouped.items())


def _blocks(accounts: Sequence[AccountFacts], charts: Mapping[str, bytes]) -> dict[str, Any]:
    """Group the accounts: those whose limit changes and cuts that stand, each by level; the rest.

    The name of a chart ends with the position of its account in the report.
    """
    groups: dict[tuple[str, bool], list[TraderEntry]] = {
        (level, does): [] for does in (True, False) for level in LEVELS
    }
    for position, account in enumerate(accounts):
        sums, peaks = cumulative_pnl(account)
        summary = PnlSummary(len(sums), sums[-1], peaks[-1] - sums[-1]) if sums else None
        names = (name if name in charts else "" for name in (f"pnl-{position}", f"forecast-{position}"))
        groups[account.level, account.limit_change_usd != 0].append(TraderEntry(account, summary, *names))
    kept = tuple(groups.pop(("low", False)))
    sections = [Section(level, does, tuple(entries)) for (level, does), entries in groups.items() if entries]
    return {
        "changed": tuple(one for one in sections if one.changes),
        "standing": tuple(one for one in sections if not one.changes),
        "kept": kept,
    }


def largest_restatements(restatements: Sequence[RestatementFacts]) -> tuple[RestatementFacts, ...]:
    """Return the restatements that are shown, by account and session: all, or the unknown and the largest ones."""

    def size(entry: RestatementFacts) -> tuple[bool, Decimal]:
        if entry.before_usd is None or entry.after_usd is None:
            return True, Decimal(0)
        return False, abs(entry.after_usd - entry.before_usd)

    shown = set(map(id, sorted(restatements, key=size, reverse=True)[:RESTATEMENTS_IN_MAIL]))
    return tuple(one for one in restatements if id(one) in shown)


def headline(accounts: Sequence[AccountFacts]) -> Headline:
    """Say which limits fall and rise; the accounts are in the report's order."""
    reduced = tuple(account for account in accounts if account.limit_change_usd < 0)
    raised = tuple(account for account in accounts if account.limit_change_usd > 0)
    standing_count = sum(account.cut_ratio > 0 and account.limit_change_usd == 0 for account in accounts)
    tone = reduced[0].level if reduced else "low" if raised else "none"
    return Headline(tone, reduced, raised, standing_count)


def _source_counts(accounts: Sequence[AccountFacts]) -> dict[str, int]:
    """Count the accounts by what decided their limits, the model's first."""
    counts = {source: sum(account.source == source for account in accounts) for source in SERVING_NAMES}
    return {source: number for source, number in counts.items() if number}


def _sources(accounts: Sequence[AccountFacts]) -> tuple[LimitSource, ...]:
    names_by_source: dict[tuple[str, str, str], list[str]] = {}
    for account in accounts:
        key = (account.source, account.source_version, account.source_reason)
        names_by_source.setdefault(key, []).append(account.account_id)
    return tuple(LimitSource(*key, tuple(sorted(names))) for key, names in sorted(names_by_source.items()))
