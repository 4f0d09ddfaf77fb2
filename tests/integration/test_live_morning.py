"""A live morning on a real scheduler tells other DAGs, notifiers and monitoring of it; past sessions tell nobody."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from devstack import processes, runs
from devstack.environment import Desk, DeskKind
from devstack.stack import Stack, embedded_logins, pipeline_dsn, temporary_stack
from devstack.workspace import Workspace, load_secrets, read_json
from risk.core.calendar import last_finished_session, next_session
from risk.core.warehouse import connect
from risk.ingest.file_names import MARKER
from simulation.writing import simulate
from tests.otlp_server import Collector, collector
from tests.webhook_server import Hook, webhook

pytestmark = [pytest.mark.stacks, pytest.mark.slow]

PATIENCE_SECONDS = 240.0

CONSUMERS = """
from __future__ import annotations

import datetime as dt

from airflow.sdk import DAG, Asset, task


@task
def read(uri, triggering_asset_events=None):
    events = triggering_asset_events[Asset(uri)]
    return [{"uri": event.asset.uri, "extra": event.extra, "partition": event.partition_key} for event in events]


for what in ("report", "limits"):
    uri = f"risk://desk/{what}"
    with DAG(f"after_{what}", schedule=[Asset(uri)], start_date=dt.datetime(2025, 1, 1)):
        read(uri)
"""


@dataclass(frozen=True)
class Live:
    """A stack on a desk, the dates of its last three sessions, of which the last is live, a webhook and a collector."""

    workspace: Workspace
    stack: Stack
    dates: list[str]
    hook: Hook
    metrics: Collector

    def consumed(self, what: str) -> list[dict[str, Any]]:
        """Return what the consumer of an asset read, run by run."""
        found = self.stack.api.call("GET", f"/dags/after_{what}/dagRuns", order_by="id")["dag_runs"]
        return [
            event
            for run in found
            if run["state"] == "success"
            for event in runs.result_of(self.stack.api, run["dag_run_id"], "read", f"after_{what}")
        ]

    def sources(self, what: str) -> list[str]:
        """Return the DAG run of each event of an asset, of all that Airflow has recorded."""
        found = self.stack.api.call("GET", "/assets/events")["asset_events"]
        return [event["source_run_id"] for event in found if event["uri"] == f"risk://desk/{what}"]

    def posted(self, kind: str) -> list[dict[str, Any]]:
        """Return the signals of a kind that came to the webhook."""
        return [one for one in self.hook.posted if one["kind"] == kind]

    def owner(self) -> Any:
        """Connect as the warehouse's owner, who may change what the pipeline only adds."""
        port = int(read_json(self.workspace.var / "ports.json")["postgres"])
        passwords = load_secrets(self.workspace)
        pipeline = pipeline_dsn(self.workspace, port, DeskKind.real)
        return contextlib.closing(connect(embedded_logins(pipeline, passwords, port, DeskKind.real).owner_dsn))


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, copy_databases: Callable[[Workspace], None]) -> Iterator[Live]:
    """Start a stack on a desk whose last session's limits are for today or later."""
    desk = tmp_path_factory.mktemp("desk") / "desk"
    simulate("medium", 3, 30, 3, desk, last_session=last_finished_session(dt.datetime.now(dt.UTC)))
    # The desk of somebody: what is simulated goes to no other system.
    (desk / MARKER).unlink()
    (desk / "truth.csv").unlink()
    dates = sorted(path.stem[-10:] for path in desk.glob("fills*.csv"))[-3:]
    place = tmp_path_factory.mktemp("clone")
    copy_databases(Workspace(place))
    with contextlib.ExitStack() as cleanup:
        hook, metrics = cleanup.enter_context(webhook()), cleanup.enter_context(collector())
        patch = cleanup.enter_context(pytest.MonkeyPatch.context())
        listed = [{"notifier": "risk.operators.webhook.WebhookNotifier", "arguments": {"url": hook.url}}]
        for name, value in {**metrics.environment, "RISK_NOTIFIERS": json.dumps(listed)}.items():
            patch.setenv(name, value)
        temporary = temporary_stack(place, Desk(DeskKind.real, desk), {"consumers.py": CONSUMERS})
        workspace, stack = cleanup.enter_context(temporary)
        for dag_id in ("daily_risk", "publish_limits", "after_report", "after_limits"):
            runs.await_dag(stack, dag_id)
        yield Live(workspace, stack, dates, hook, metrics)


def end(live: Live, conf: dict[str, Any]) -> str:
    run_id = runs.trigger(live.stack.api, conf)
    list(runs.follow(live.stack.api, run_id))
    runs.raise_for_failure(live.stack.api, run_id)
    return run_id


def close_decisions(live: Live) -> str:
    """Let the deadline of the approval pass, if anybody was asked, and return the run that has published then."""
    api = live.stack.api
    with live.owner() as connection, connection, connection.cursor() as cursor:
        cursor.execute("update risk.publications set decision_deadline = clock_timestamp()")
        cursor.execute("select dag_run_id from risk.publications")
        [(run_id,)] = cursor.fetchall()
    path = f"/dags/publish_limits/dagRuns/{run_id}"

    def has_ended() -> bool:
        for action in api.call("GET", f"{path}/hitlDetails", response_received="false")["hitl_details"]:
            # The task that waits looks into the warehouse again.
            chosen = {"chosen_options": action["options"], "params_input": {}}
            api.call("PATCH", f"{path}/taskInstances/await_decisions/-1/hitlDetails", chosen)
        return api.call("GET", path)["state"] in runs.ENDED

    assert processes.wait_until(has_ended, PATIENCE_SECONDS)
    runs.raise_for_failure(api, run_id, "publish_limits")
    return str(run_id)


def test_live_morning_is_announced_everywhere_and_a_backfill_nowhere(live: Live) -> None:
    # given a backfill of two past sessions whose reports are mailed
    first, second, last = live.dates
    runs.create_backfill(live.stack.api, first, second, {"deliver": True})
    assert [run.state for run in runs.follow_backfill(live.stack.api, first, second)] == ["success", "success"]
    # and a run of the last session that is not mailed
    end(live, {"session_date": last, "deliver": False})
    assert live.sources("report") == []
    assert live.metrics.of_desk("desk") == {}

    # when the last session's report is mailed, and its limits come into force
    delivered = end(live, {"session_date": last, "deliver": True, "approval": "all"})
    published = close_decisions(live)

    # then each asset was updated once, and its consumer knows the sessions and what was delivered
    assert processes.wait_until(lambda: bool(live.consumed("report") and live.consumed("limits")), PATIENCE_SECONDS)
    sessions = {"session_date": last, "effective_session": next_session(dt.date.fromisoformat(last)).isoformat()}
    folder = live.workspace.var / "reports" / "desk" / last
    report = hashlib.sha256((folder / "report.json").read_bytes()).hexdigest()
    assert live.consumed("report") == [
        {"uri": "risk://desk/report", "extra": {**sessions, "digest": report}, "partition": None}
    ]
    [limits] = live.consumed("limits")
    assert limits["extra"] == {**sessions, "digest": limits["extra"]["digest"]}
    assert limits["extra"]["digest"] == runs.result_of(live.stack.api, published, "publish", "publish_limits")["sha256"]
    assert (live.sources("report"), live.sources("limits")) == ([delivered], [published])

    # and the notifiers know that nothing waits any more
    assert processes.wait_until(lambda: live.posted("limits") != [], PATIENCE_SECONDS)
    [in_force] = live.posted("limits")
    session = sessions["effective_session"]
    assert (in_force["action"], in_force["dedup_key"]) == ("resolve", f"desk/{session}/publish_limits/approval")
    assert {one["session"] for one in live.posted("approval")} <= {session}

    # and monitoring has the gauges, with no trader's name, though each task's process ends without cleaning up
    gauges = live.metrics.of_desk("desk")
    assert gauges["airflow.risk.report.recipients"] == 1
    assert gauges["airflow.risk.report.next_due_timestamp"] > gauges["airflow.risk.report.sent_timestamp"] > 0
    assert gauges["airflow.risk.limits.in_force"] == 3
    assert "SIM00" not in live.metrics.text
