"""Two sessions side by side: each trader's limit, level, cut, forecast and reasons in both, what changed and why."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, status
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from risk.core.errors import RequestError
from risk.core.money import counted, percent, signed_usd, signed_usd_cents, usd, usd_exact
from risk.core.warehouse import Connection, records
from risk.model.features import FEATURES
from risk.report.facts import AccountFacts, Facts, RestatementFacts
from risk.web.exports import answer
from risk.web.rendering import root
from risk.web.session_tables import trader_column
from risk.web.tables import FORECAST, LEVEL, LIMIT, PERCENT, WORDS, Column, Kind, Table
from risk.web.views import MorningView, read_morning, warehouse

router = APIRouter()

PART_NAMES: Final = {
    **{feature.name: feature.sentence for feature in FEATURES},
    "scale": "size of his typical day",
    "volatility": "recent volatility",
    "own history": "his own past losses",
    "calibration": "calibration of all forecasts",
    "level": "level that all traders share",
}
"""What a part of a forecast is called; of another version of the code its own name."""

TOPIC_WORDS = 2
"""Words, numbers left out, that tell the reason of one rule from that of another: straight losing, Large loss."""

NAMED_PARTS = 3
SMALLEST_PART = 0.03
"""A part that moves the forecast loss by less than 3 % is not worth a sentence."""

Side = Callable[["ComparedTrader"], AccountFacts | None]


@dataclass(frozen=True, slots=True)
class ComparedTrader:
    """A trader in the reports of two sessions; ``None`` = a report gives him no limit.

    Attributes
    ----------
    before, after
        What each report says.
    why
        What changed, as sentences; empty = nothing.
    """

    account_id: str
    before: AccountFacts | None
    after: AccountFacts | None
    why: tuple[str, ...]

    @property
    def has_changed(self) -> bool:
        """Whether the trader came, went, or has another limit, cut, level or status."""
        return self.before is None or self.after is None or any(_what(self.before, self.after))

    @property
    def has_other_forecast(self) -> bool:
        """Whether both reports list him and state different 95 % VaR."""
        if self.before is None or self.after is None:
            return False
        return self.before.value_at_risk_usd != self.after.value_at_risk_usd

    @property
    def size(self) -> Decimal:
        """By how much the limit changed, US dollars; 0 for a trader who came or went."""
        if self.before is None or self.after is None:
            return Decimal(0)
        return abs(self.after.next_limit_usd - self.before.next_limit_usd)


@dataclass(frozen=True, slots=True)
class ComparedSessions:
    """The page of two sessions.

    Attributes
    ----------
    before, after
        Their reports, in the order that was asked for.
    shared
        What changed for all traders, as sentences.
    traders
        Those of either report, changed ones first.
    """

    before: MorningView
    after: MorningView
    shared: tuple[str, ...]
    traders: Sequence[ComparedTrader]

    @property
    def changed_count(self) -> int:
        """Traders who came, went, or have another limit, cut, level or status."""
        return sum(trader.has_changed for trader in self.traders)

    @property
    def moved_count(self) -> int:
        """Traders whose forecast moved, whether or not anything else changed."""
        return sum(trader.has_other_forecast for trader in self.traders)


def read_comparison(connection: Connection, first: dt.date, second: dt.date) -> ComparedSessions:
    """Read what two sessions' reports say.

    Raises
    ------
    RequestError
        If both are one session, or one of them has no report.
    """
    if first == second:
        raise RequestError(f"Both are session {first}: name two different ones to compare.")
    before, after = read_morning(connection, first), read_morning(connection, second)
    facts = before.report.facts, after.report.facts
    runs = {"run_a": before.report.run_id, "run_b": after.report.run_id}
    parts: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in records(connection, "risk_page/select_forecast_changes", runs):
        parts[row["account_id"]].append(row)
    restated: dict[str, list[RestatementFacts]] = defaultdict(list)
    for entry in facts[1].restatements:
        restated[entry.account_id].append(entry)
    sides = [{account.account_id: account for account in side.accounts} for side in facts]
    traders = [
        ComparedTrader(name, one, other, tuple(_why(one, other, parts[name], restated[name])))
        for name in sorted({*sides[0], *sides[1]})
        for one, other in [(sides[0].get(name), sides[1].get(name))]
    ]
    traders.sort(key=lambda trader: (not trader.has_changed, -trader.size, not trader.why))
    return ComparedSessions(before, after, tuple(_shared(*facts)), traders)


def _shared(before: Facts, after: Facts) -> Iterator[str]:
    """Say what changed for all traders: the policy, and whether the model or rules serve."""
    if before.policy.version != after.policy.version:
        yield f"Policy version {before.policy.version} to {after.policy.version}."
    verdicts = [facts.gate.verdict if facts.gate else "no model" for facts in (before, after)]
    if verdicts[0] != verdicts[1]:
        yield f"Gate: {verdicts[0]}, then {verdicts[1]}."


def _why(
    before: AccountFacts | None,
    after: AccountFacts | None,
    parts: Sequence[Mapping[str, Any]],
    restated: Sequence[RestatementFacts],
) -> Iterator[str]:
    if before is None or after is None:
        yield "Only in the second report." if before is None else "Only in the first report."
        return
    yield from _what(before, after)
    if before.source != after.source or before.source_version != after.source_version:
        sources = [f"{side.source} ({side.source_version})" for side in (before, after)]
        yield f"Decided by {sources[0]}, then {sources[1]}."
    yield from _reasons(before.reasons, after.reasons)
    yield from _forecast(before, after, parts)
    for entry in restated:
        amounts = ["unknown" if one is None else signed_usd_cents(one) for one in (entry.before_usd, entry.after_usd)]
        yield f"Result of {entry.session_date} restated from {amounts[0]} to {amounts[1]} ({entry.reason})."


def _reasons(before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    """Say which reasons went, came, or have other numbers; the words that a reason begins with name it."""
    new = [one for one in after if one not in before]
    for reason in before:
        if reason in after:
            continue
        same = next((one for one in new if _topic(one) == _topic(reason)), None)
        if same is None:
            yield f"Reason gone: {reason}."
        else:
            new.remove(same)
            yield f"Reason changed: {reason}; now {same}."
    yield from (f"New reason: {one}." for one in new)


def _topic(reason: str) -> tuple[str, ...]:
    return tuple(re.findall("[A-Za-z]+", reason)[:TOPIC_WORDS])


def _what(before: AccountFacts, after: AccountFacts) -> Iterator[str]:
    """Say which terms changed."""
    if before.next_limit_usd != after.next_limit_usd:
        size = signed_usd(after.next_limit_usd - before.next_limit_usd)
        yield f"Limit {size}: {usd_exact(before.next_limit_usd)} to {usd_exact(after.next_limit_usd)}."
    if before.base_limit_usd != after.base_limit_usd:
        yield f"Base limit {usd_exact(before.base_limit_usd)} to {usd_exact(after.base_limit_usd)}."
    if before.cut_ratio != after.cut_ratio:
        yield f"Cut {percent(before.cut_ratio)} to {percent(after.cut_ratio)}."
    if before.level != after.level:
        yield f"Level {before.level.upper()} to {after.level.upper()}."
    if before.status != after.status:
        yield f"Status {before.status} to {after.status}."


def _forecast(before: AccountFacts, after: AccountFacts, parts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Say how the forecast changed, and which of its parts changed it most; their factors multiply to the whole."""
    losses = before.value_at_risk_usd, after.value_at_risk_usd
    if losses[0] == losses[1]:
        return
    stated = ["none" if loss is None else usd(loss) for loss in losses]
    large = [part for part in parts if abs(math.expm1(part["contribution_change"])) >= SMALLEST_PART]
    named = [f"{PART_NAMES.get(part['part'], part['part'])} {_factor(part)}" for part in large[:NAMED_PARTS]]
    why = f": {'; '.join(named)}" if named else ""
    yield f"95% VaR {stated[0]} to {stated[1]}{why}."


def _factor(part: Mapping[str, Any]) -> str:
    change = math.expm1(part["contribution_change"])
    return f"{'+' if change > 0 else ''}{percent(change)}"


def compared_table(view: ComparedSessions) -> Table:
    """Return the traders of two sessions."""
    columns = [
        trader_column(),
        Column("What changed and why", WORDS, lambda one: " ".join(one.why) or "nothing"),
        *_pair(view, "Limit", LIMIT, "next_limit_usd"),
        *_pair(view, "Level", LEVEL, "level"),
        *_pair(view, "Cut", PERCENT, "cut_ratio"),
        *_pair(view, "95% VaR", FORECAST, "value_at_risk_usd"),
        *_pair(view, "Reasons", WORDS, lambda account: "; ".join(account.reasons)),
    ]
    caption = (
        f"{counted(len(view.traders), 'trader')}, {view.changed_count:,} of them changed in limit, cut, level or "
        f"status: those first, the largest change of a limit on top. {counted(view.moved_count, 'forecast')} moved."
    )
    nothing = "Neither report gives a trader a limit."
    return Table("compared", "Two sessions", caption, columns, view.traders, nothing)


def _pair(
    view: ComparedSessions, heading: str, kind: Kind, source: str | Callable[[AccountFacts], Any]
) -> list[Column]:
    """Return a column for each of the two sessions."""
    sides: list[tuple[MorningView, Side]] = [
        (view.before, lambda one: one.before),
        (view.after, lambda one: one.after),
    ]

    def read(side: Side) -> Callable[[ComparedTrader], Any]:
        def value(one: ComparedTrader) -> Any:
            account = side(one)
            if account is None:
                return None
            return source(account) if callable(source) else getattr(account, source)

        return value

    return [
        Column(f"{heading} {morning.report.session_date}", kind, read(side), missing="-") for morning, side in sides
    ]


@router.get("/compare")
def compare(request: Request, a: Annotated[dt.date, Query()], b: Annotated[dt.date, Query()]) -> RedirectResponse:
    """Redirect the form of two dates to the permanent address of the comparison."""
    return RedirectResponse(f"{root(request)}/sessions/{a}/compare/{b}", status.HTTP_303_SEE_OTHER)


@router.get("/sessions/{first}/compare/{second}", response_class=HTMLResponse)
def compared(request: Request, first: dt.date, second: dt.date) -> Response:
    """Show two sessions side by side."""
    with warehouse() as connection:
        view = read_comparison(connection, first, second)
    return answer(request, "compare", [compared_table(view)], view=view, first=first, second=second)
