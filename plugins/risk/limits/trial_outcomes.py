"""Outcomes of trials and verdicts on their policies, stored by the runs that compute them, for pages that only read.

Nothing of a what-if is computed where pages are served: deciding hundreds of mornings takes a minute.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from risk.core.errors import RequestError
from risk.core.warehouse import Connection, execute, records, writing
from risk.limits.trial_verdict import Verdict, judge_trial
from risk.limits.trials import Trial, read_trials
from risk.limits.what_if_report import WhatIf, run_what_if, what_if_facts
from risk.model.walk_forward import ProgressCallback

STORED_CHANGES = 5_000
"""Of more account-mornings that change only the first are stored; the command line lists all."""


@dataclass(frozen=True, slots=True)
class JudgedTrial:
    """A trial as it was sealed, with the newest verdict on its policy.

    Attributes
    ----------
    trial_number, content_sha256, first_session, last_session, author, recorded_at
        See `risk.limits.trials.Trial`.
    computed_at
        When its outcome was computed last, UTC; ``None`` = not yet.
    verdict, judged_at
        The newest verdict and when it was computed, UTC; ``None`` = not yet.
    """

    trial_number: int
    content_sha256: str
    first_session: dt.date
    last_session: dt.date
    author: str
    recorded_at: dt.datetime
    computed_at: dt.datetime | None
    verdict: Mapping[str, Any] | None
    judged_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class StoredOutcome:
    """The newest outcome of a trial: facts as JSON types, the run that computed it, and when, UTC."""

    facts: Mapping[str, Any]
    dag_run_id: str
    recorded_at: dt.datetime


def read_trial(connection: Connection, trial_number: int) -> Trial:
    """Read one trial.

    Raises
    ------
    RequestError
        If there is none of this number.
    """
    for trial in read_trials(connection):
        if trial.trial_number == trial_number:
            return trial
    raise RequestError(f"There is no trial {trial_number}: see the page Policy for the numbers.")


def store_outcome(
    connection: Connection, trial: Trial, dag_run_id: str, on_progress: ProgressCallback | None = None
) -> WhatIf:
    """Try a sealed policy on its past mornings, judge it, and store both.

    Parameters
    ----------
    dag_run_id
        Airflow's name of the run.
    on_progress
        Called after each morning with the share that is decided.

    Raises
    ------
    RequestError
        If nothing was reported in the trial's range; nothing is stored.
    """
    found = run_what_if(connection, trial, on_progress)
    facts = what_if_facts(found)
    facts["changes"] = facts["changes"][:STORED_CHANGES]
    binds = {"trial_number": trial.trial_number, "facts": _json(facts), "dag_run_id": dag_run_id}
    with writing(connection):
        execute(connection, "what_if/insert_policy_trial_outcomes", binds)
        _insert_verdict(connection, trial, found.verdict, dag_run_id)
    return found


def store_verdicts(connection: Connection, dag_run_id: str, on_progress: ProgressCallback | None = None) -> int:
    """Judge every policy that was tried, and store the verdicts.

    Returns
    -------
    int
        Number of policies.
    """
    # All ranges of a policy have one seal, and one verdict.
    variants = {trial.variant_number: trial for trial in read_trials(connection)}
    for number, trial in enumerate(variants.values(), 1):
        verdict = judge_trial(connection, trial)
        with writing(connection):
            _insert_verdict(connection, trial, verdict, dag_run_id)
        if on_progress is not None:
            on_progress(number / len(variants))
    return len(variants)


def read_judged_trials(connection: Connection, trial_number: int | None = None) -> Sequence[JudgedTrial]:
    """List trials, newest first, or one of them."""
    binds = {"trial_number": trial_number}
    return [JudgedTrial(**row) for row in records(connection, "what_if/select_judged_trials", binds)]


def read_outcome(connection: Connection, trial_number: int) -> StoredOutcome | None:
    """Read the newest outcome of a trial; ``None`` = none was computed."""
    found = records(connection, "what_if/select_policy_trial_outcomes", {"trial_number": trial_number})
    return StoredOutcome(**found[0]) if found else None


def _insert_verdict(connection: Connection, trial: Trial, verdict: Verdict, dag_run_id: str) -> None:
    facts = _json({**asdict(verdict), "sentence": verdict.sentence})
    binds = {"content_sha256": trial.document.content_sha256, "facts": facts, "dag_run_id": dag_run_id}
    execute(connection, "what_if/insert_policy_verdicts", binds)


def _json(facts: Mapping[str, Any]) -> str:
    return json.dumps(facts, default=str)
