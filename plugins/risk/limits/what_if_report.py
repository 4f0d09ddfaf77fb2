"""A what-if for people and programs: what changes, what it would have done, and what that does not prove."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from risk.core.money import count, counted, percent, signed_usd, usd, usd_exact
from risk.core.policy_store import read_policies
from risk.core.warehouse import Connection
from risk.limits.tail_effect import MINIMUM_SESSIONS, Effect
from risk.limits.track_record import INTERVAL_SESSIONS
from risk.limits.trial_verdict import Verdict, judge_trial
from risk.limits.trials import Trial, read_trials
from risk.limits.what_if import MorningDecisions, PastDecision, decide_again, mornings_of_range
from risk.limits.what_if_outcomes import Outcomes, PolicyOutcome, measure_outcomes
from risk.model.walk_forward import ProgressCallback

LISTED_CHANGES = 20


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A trial on past mornings.

    Attributes
    ----------
    trial, trial_count
        The trial, and how many there are.
    decided
        The mornings, ascending.
    outcomes
        What became of them.
    verdict
        From the mornings after the trial was sealed.
    first_adoption
        First session that a policy was adopted for after installation; ``None`` = none was.
    """

    trial: Trial
    trial_count: int
    decided: Sequence[MorningDecisions]
    outcomes: Outcomes
    verdict: Verdict
    first_adoption: dt.date | None


def run_what_if(connection: Connection, trial: Trial, on_progress: ProgressCallback | None = None) -> WhatIf:
    """Decide the mornings of a sealed trial again and measure what became of them; nothing is stored.

    Parameters
    ----------
    on_progress
        Called after each morning with the share that is decided.

    Raises
    ------
    RequestError
        If nothing was reported in its range.
    """
    mornings = mornings_of_range(connection, trial.first_session, trial.last_session)
    decided = list(decide_again(connection, mornings, trial.document, on_progress))
    outcomes = measure_outcomes(connection, decided)
    adoptions = [one.valid_from for one in read_policies(connection) if one.valid_from is not None]
    verdict = judge_trial(connection, trial)
    return WhatIf(trial, len(read_trials(connection)), decided, outcomes, verdict, min(adoptions, default=None))


def trial_facts(trial: Trial, verdict: Verdict) -> dict[str, Any]:
    """Return a trial and its verdict as JSON types."""
    return {
        "number": trial.trial_number,
        "variant": trial.variant_number,
        "sha256": trial.trial_sha256,
        "policy_sha256": trial.document.content_sha256,
        "from": str(trial.first_session),
        "to": str(trial.last_session),
        "author": trial.author,
        "recorded_at": trial.recorded_at.isoformat(),
        "verdict": {**asdict(verdict), "sentence": verdict.sentence},
    }


def trial_sentence(trial: Trial, verdict: Verdict) -> str:
    """Say which trial it is, and its verdict."""
    name = f"Trial {trial.trial_number} (policy {trial.document.content_sha256[:12]}, {trial.first_session} to "
    return f"{name}{trial.last_session}, by {trial.author}). {verdict.sentence}"


def what_if_facts(found: WhatIf) -> dict[str, Any]:
    """Return everything as JSON types; amounts are exact decimal strings once written with ``default=str``."""
    return {
        "is_exploratory": True,
        "trial": trial_facts(found.trial, found.verdict),
        "trial_count": found.trial_count,
        "mornings": len(found.decided),
        "mornings_restated": sum(one.morning.is_restated for one in found.decided),
        "mornings_reproduced": sum(one.is_reproduced for one in found.decided),
        "heading": list(_heading(found)),
        "changed_mornings": sum(bool(one.changed) for one in found.decided),
        "change_count": sum(len(one.changed) for one in found.decided),
        "changes": [change for one in found.decided for change in _changes(one)],
        "outcomes": asdict(found.outcomes),
        "notes": list(_notes(found)),
    }


def what_if_sentences(found: WhatIf) -> list[str]:
    """Say what changes, what it would have done, and what that does not prove."""
    outcomes = found.outcomes
    return [
        *_heading(found),
        *_notes(found),
        "",
        *_change_sentences(found.decided),
        "",
        *_use_sentences(outcomes),
        *_net_sentences(outcomes),
        *_tail_sentences(outcomes),
        "",
        found.verdict.sentence,
    ]


def _heading(found: WhatIf) -> Iterator[str]:
    trial = found.trial
    yield (
        f"Exploratory: trial {trial.trial_number} of {found.trial_count}, sessions {trial.first_session} to "
        f"{trial.last_session}. Whoever tries many policies on one past finds one that looks better: nothing here is "
        "evidence. The verdict counts mornings after the trial was sealed only."
    )
    restated = sum(one.morning.is_restated for one in found.decided)
    rebuilt = f", {count(restated)} of them on books rebuilt as known then" if restated else ""
    reproduced = sum(one.is_reproduced for one in found.decided)
    yield (
        f"{counted(len(found.decided), 'morning')} decided again{rebuilt}; {count(reproduced)} come out as reported "
        "under their own policy."
    )


def _notes(found: WhatIf) -> Iterator[str]:
    """Say what the comparison leaves out."""
    first = found.decided[0].morning.run.effective_session
    if found.trial.first_session < first:
        yield f"The first limits of the range were reported for {first}."
    adopted_from = found.first_adoption
    if adopted_from is None or first < adopted_from:
        until = "these sessions" if adopted_from is None else f"sessions before {adopted_from}"
        yield f"No policy was adopted for {until}: the one stored at installation is compared with."
    outcomes = found.outcomes
    if outcomes.open_count:
        unknown = "have no known outcome: the session is not over, or its books are incomplete"
        yield f"{count(outcomes.open_count)} account-mornings {unknown}."
    if outcomes.single_count:
        yield f"{count(outcomes.single_count)} account-mornings get a limit under one of the two policies only."
    newcomers = sorted(
        {name for one in found.decided for name, own in one.adopted.items() if own.usual_loss_usd is None}
        - {name for one in found.decided for name, own in one.adopted.items() if own.usual_loss_usd is not None}
    )
    if newcomers:
        yield f"Too few forecasts for a usual loss, so not part of the tail: {', '.join(newcomers)}."


def _changes(one: MorningDecisions) -> Iterator[dict[str, Any]]:
    """List what differs in a morning."""
    for name in one.changed:
        yield {
            "effective_session": str(one.morning.run.effective_session),
            "account_id": name,
            "adopted": _decision_facts(one.adopted.get(name)),
            "what_if": _decision_facts(one.other.get(name)),
        }


def _decision_facts(decision: PastDecision | None) -> dict[str, Any] | None:
    if decision is None:
        return None
    names = ("level", "cut_ratio", "base_limit_usd", "limit_usd")
    return {name: getattr(decision, name) for name in names}


def _change_sentences(decided: Sequence[MorningDecisions]) -> Iterator[str]:
    changed = [(one, name) for one in decided for name in one.changed]
    if not changed:
        yield "Nothing changes: every level, cut and limit is the same."
        return
    differences: Counter[str] = Counter()
    for one, name in changed:
        own, other = one.adopted.get(name), one.other.get(name)
        differences["level"] += own is None or other is None or own.level != other.level
        differences["cut"] += own is None or other is None or own.cut_ratio != other.cut_ratio
        differences["limit"] += own is None or other is None or own.limit_usd != other.limit_usd
    mornings = sum(bool(one.changed) for one in decided)
    parts = ", ".join(f"{what} {count(number)}" for what, number in differences.items())
    of_all = f"{count(mornings)} of {counted(len(decided), 'morning')}"
    yield f"Changes in {of_all}, {count(len(changed))} account-mornings: {parts}."
    for one, name in changed[:LISTED_CHANGES]:
        terms = f"{_described(one.adopted.get(name))} -> {_described(one.other.get(name))}"
        yield f"  {one.morning.run.effective_session} {name}: {terms}"
    if len(changed) > LISTED_CHANGES:
        yield f"  and {count(len(changed) - LISTED_CHANGES)} more; --json lists all."


def _described(decision: PastDecision | None) -> str:
    if decision is None:
        return "no limit"
    return f"{decision.level}, cut {percent(decision.cut_ratio)}, limit {usd_exact(decision.limit_usd)}"


def _use_sentences(outcomes: Outcomes) -> Iterator[str]:
    for label, side in (("Adopted", outcomes.adopted), ("What-if", outcomes.other)):
        use = side.use
        if use.median_ratio is None or use.high_ratio is None:
            yield f"{label}: no day with a known use."
            continue
        yield (
            f"{label}: use {percent(use.median_ratio)} (median), {percent(use.high_ratio)} (95%) on "
            f"{counted(use.day_count, 'trader-day')}; {counted(use.hit_count, 'limit hit')}, "
            f"{count(use.breach_count)} of them breaches."
        )


def _net_sentences(outcomes: Outcomes) -> Iterator[str]:
    for label, side in (("Adopted", outcomes.adopted), ("What-if", outcomes.other)):
        record = side.record
        yield (
            f"{label}: net of the cuts {signed_usd(record.net_usd)}; everybody cut by its average, "
            f"{percent(record.average_cut_ratio, 1)}, {signed_usd(record.uniform_net_usd)}."
        )
    low, high = outcomes.lead_low_usd, outcomes.lead_high_usd
    interval = (
        f"fewer than {INTERVAL_SESSIONS} sessions for an interval"
        if low is None or high is None
        else f"95%: {usd(low)} to {usd(high)}"
    )
    yield f"What-if against adopted, results at these limits: {signed_usd(outcomes.lead_usd)} ({interval})."


def _tail_sentences(outcomes: Outcomes) -> Iterator[str]:
    for label, side in (("Adopted", outcomes.adopted), ("What-if", outcomes.other)):
        yield f"{label}: {_tail_against_equal(side)}."
    if outcomes.tail_lead is not None:
        found = _smaller(outcomes.tail_lead)
        yield f"What-if against adopted: worst 5% of trader-days {found}; larger cuts alone do that."


def _tail_against_equal(side: PolicyOutcome) -> str:
    if side.tail is None:
        return f"no tail effect (no cut, or fewer than {MINIMUM_SESSIONS} sessions)"
    return f"worst 5% of trader-days {_smaller(side.tail.against_equal)} than had everybody been cut by its mean"


def _smaller(effect: Effect) -> str:
    word = "smaller" if effect.ratio >= 0.0 else "larger"
    return f"{percent(abs(effect.ratio), 1)} {word} (95%: {percent(effect.low, 1)} to {percent(effect.high, 1)})"
