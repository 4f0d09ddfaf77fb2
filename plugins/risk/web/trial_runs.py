"""Runs of the DAG policy_trial: the page starts one for a sealed trial, and shows what became of it.

The only module of the page that starts a run. It calls what Airflow's own routes call (``airflow.api.common``): a page
served inside the api-server has the login of the person, and no other to send over the public API.
``tests/dags/test_unstable_apis.py`` fails where an upgrade changes it (docs/decisions/0006).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from airflow.api.common.trigger_dag import trigger_dag
from airflow.exceptions import DagNotFound
from airflow.models import DagRun
from airflow.utils.types import DagRunTriggeredByType
from fastapi import Depends

from risk.core.desks import TRIAL_DAG, own_dag
from risk.core.errors import RequestError
from risk.limits.approvals import AirflowUser

ACTIVE = frozenset({"queued", "running"})
MOST_RUNS = 1_000
"""Runs of one trial whose names are looked up."""


@dataclass(frozen=True, slots=True)
class TrialRun:
    """A run of a trial: Airflow's name of it, and its state: queued, running, success or failed."""

    dag_run_id: str
    state: str

    @property
    def is_active(self) -> bool:
        """Whether it has not ended."""
        return self.state in ACTIVE

    @property
    def path(self) -> str:
        """Where Airflow's own pages show it, with the log of its task, below Airflow's root."""
        return f"/dags/{own_dag(TRIAL_DAG)}/runs/{quote(self.dag_run_id, safe='')}"


class TrialRuns:
    """The runs that Airflow knows."""

    def last(self, trial_number: int) -> TrialRun | None:
        """Return the last run of a trial; ``None`` = Airflow knows none."""
        found = self._known(trial_number)
        return found[max(found)] if found else None

    def start(self, trial_number: int, user: AirflowUser) -> TrialRun:
        """Start a run in a person's name, unless one is active; the caller holds the warehouse's write lock.

        Raises
        ------
        RequestError
            If Airflow refuses; the trial stays sealed.
        """
        found = self._known(trial_number)
        number = max(found, default=0)
        if number and found[number].is_active:
            return found[number]
        name = _run_id(trial_number, number + 1)
        try:
            trigger_dag(
                own_dag(TRIAL_DAG),
                run_id=name,
                conf={"trial_number": trial_number},
                triggered_by=DagRunTriggeredByType.UI,
                triggering_user_name=user.user_name,
            )
        except (DagNotFound, ValueError) as error:
            raise RequestError(
                f"Trial {trial_number} is sealed, but Airflow did not start {own_dag(TRIAL_DAG)} ({error}): check that "
                "the DAG exists, then run the trial again."
            ) from None
        return TrialRun(name, "queued")

    def _known(self, trial_number: int) -> dict[int, TrialRun]:
        """Return the runs of a trial by their number."""
        names = {_run_id(trial_number, number): number for number in range(1, MOST_RUNS + 1)}
        runs = DagRun.find(dag_id=own_dag(TRIAL_DAG), run_id=list(names))
        return {names[run.run_id]: TrialRun(run.run_id, str(run.state)) for run in runs}


def _run_id(trial_number: int, number: int) -> str:
    return f"trial_{trial_number}__{number}"


def trial_runs() -> TrialRuns:
    """Give a page the runs."""
    return TrialRuns()


TrialRunsDep = Annotated[TrialRuns, Depends(trial_runs)]
