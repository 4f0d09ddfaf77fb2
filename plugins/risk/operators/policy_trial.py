"""Operators that try a policy on past mornings, and that judge all policies that were tried."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from risk.operators.base import warehouse

if TYPE_CHECKING:
    from airflow.sdk import Context

LOGGED_STEPS = 10


class ProgressLog:
    """Logs the progress of a long computation in steps of a tenth."""

    def __init__(self, log: Any, what: str) -> None:
        self.log = log
        self.what = what
        self.step = 0

    def __call__(self, share: float) -> None:
        """Log a share of 1 once it is a tenth more than what was logged last."""
        step = int(share * LOGGED_STEPS)
        if step > self.step:
            self.step = step
            self.log.info("%s: %d%%", self.what, round(100 * share))


class TryPolicyOperator(BaseOperator):
    """Decide the past mornings of a sealed trial again under its policy, and store outcome and verdict.

    Parameters
    ----------
    trial_number
        Number of the trial (templated).
    dag_run_id
        Airflow's name of the run (templated).
    """

    template_fields: Sequence[str] = ("trial_number", "dag_run_id")

    def __init__(
        self,
        *,
        trial_number: str = "{{ params.trial_number }}",
        dag_run_id: str = "{{ dag_run.run_id }}",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.trial_number = trial_number
        self.dag_run_id = dag_run_id

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002  (Airflow's signature)
        """Try the policy."""
        from risk.limits.trial_outcomes import read_trial, store_outcome

        with warehouse() as connection:
            trial = read_trial(connection, int(self.trial_number))
            found = store_outcome(connection, trial, self.dag_run_id, ProgressLog(self.log, "mornings decided"))
        changed = sum(bool(one.changed) for one in found.decided)
        self.log.info("trial=%d mornings=%d changed=%d", trial.trial_number, len(found.decided), changed)
        return {"trial": trial.trial_number, "morning_count": len(found.decided), "changed_count": changed}


class JudgeTrialsOperator(BaseOperator):
    """Judge every policy that was tried by the mornings since it was sealed, and store the verdicts.

    Parameters
    ----------
    dag_run_id
        Airflow's name of the run (templated).
    """

    template_fields: Sequence[str] = ("dag_run_id",)

    def __init__(self, *, dag_run_id: str = "{{ dag_run.run_id }}", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dag_run_id = dag_run_id

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002  (Airflow's signature)
        """Judge the policies."""
        from risk.limits.trial_outcomes import store_verdicts

        with warehouse() as connection:
            count = store_verdicts(connection, self.dag_run_id, ProgressLog(self.log, "policies judged"))
        self.log.info("policies=%d", count)
        return {"policy_count": count}
