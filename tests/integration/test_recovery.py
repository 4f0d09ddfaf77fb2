"""Everything is killed in the middle of a run; after one start the run ends as if nothing had been."""

from __future__ import annotations

import contextlib

import psutil
import pytest

from risk.stack import processes, runs, services
from risk.stack.airflow import COMPONENTS
from risk.stack.clone import Clone
from risk.stack.environment import Desk, DeskKind
from risk.stack.services import Stack

pytestmark = pytest.mark.slow


def kill(clone: Clone, name: str) -> None:
    """Kill a component as the kernel does when memory runs out: it can clean up nothing."""
    process = processes.running(clone.records / f"{name}.json")
    assert process
    psutil.Process(process.pid).kill()


def processes_of(clone: Clone) -> list[str]:
    """List the command lines of the processes that work in a clone, whoever started them."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            command = " ".join(process.cmdline())
            if str(clone.root) in command or process.environ().get("AIRFLOW_HOME") == str(clone.airflow_home):
                found.append(command)
    return found


def test_run_ends_well_after_every_component_was_killed_and_nothing_is_left_after_a_stop(
    airflow_stack: Stack, stack_clone: Clone
) -> None:
    # given a run at work
    runs.await_dag(airflow_stack)
    run_id = runs.trigger(airflow_stack.api, {"session_date": "2025-08-15", "deliver": True})
    states = ("running", "success")
    assert processes.wait_until(
        lambda: any(task["state"] in states for task in runs.tasks(airflow_stack.api, run_id)), 30.0
    )

    # when one component after the other is killed, and everything is started again
    for name in (*COMPONENTS, "mailbox", "postgres"):
        kill(stack_clone, name)
    desk = Desk(DeskKind.simulated, stack_clone.desk)
    stack = services.start(stack_clone, desk, is_kept=True)
    for _ in runs.follow(stack.api, run_id):
        pass

    # then the run has ended with one report, mailed once
    runs.raise_for_failure(stack.api, run_id)
    assert runs.session_of(stack.api, run_id) == "2025-08-15"
    assert runs.result_of(stack.api, run_id, "send_report")["sent_count"] == 1
    assert len(list((stack_clone.mail / "new").iterdir())) == 1

    # and when everything is stopped, not a process is left
    assert len(processes_of(stack_clone)) >= len(COMPONENTS) + 2
    services.stop_everything(stack_clone)
    assert processes_of(stack_clone) == []
