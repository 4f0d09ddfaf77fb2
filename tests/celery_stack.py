"""A stack on CeleryExecutor: a real Redis and two workers, which share no folder but the drop of fills."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import redis

from devstack import airflow, environment, processes, stack
from devstack.environment import Desk
from devstack.workspace import LOOPBACK, Workspace, stable_port
from risk.core.settings import PROJECT_DIR

WORKERS = ("one", "two")
STARTED_S = 120.0

ROUTING = '''

LINE = "extract_fills check_fills aggregate_pnl build_features predict_limits apply_rules send_report".split()
OTHERS = "train_model send_model_card await_decisions publish send_limits".split()


def task_instance_mutation_hook(task_instance):
    """Give each task to the other worker than the task before it."""
    name = task_instance.task_id
    number = LINE.index(name) if name in LINE else OTHERS.index(name) if name in OTHERS else 0
    task_instance.queue = ("one", "two")[number % 2]
'''
"""Airflow's cluster policy, put behind our own settings in the scheduler's copy of the code."""


def missing() -> str:
    """Say what is not installed here; empty = nothing."""
    if shutil.which("redis-server") is None:
        return "There is no redis-server on this machine (Debian: apt-get install redis-server)."
    if importlib.util.find_spec("airflow.providers.celery") is None:
        return "The Celery provider is not installed (make setup)."
    return ""


def copy_code(folder: Path) -> None:
    """Give a machine its own copy of what runs."""
    for name in ("dags", "include", "plugins"):
        shutil.copytree(PROJECT_DIR / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))


class Broker:
    """A Redis of this test; what it holds is lost when it ends.

    Attributes
    ----------
    address
        With its password.
    """

    def __init__(self, folder: Path, port: int) -> None:
        password = secrets.token_hex(16)
        self.folder = folder
        self.address = f"redis://:{password}@{LOOPBACK}:{port}/0"
        lines = (f"port {port}", f"bind {LOOPBACK}", f"requirepass {password}", f"dir {folder}")
        configuration = folder / "redis.conf"
        configuration.touch(mode=0o600)
        configuration.write_text("\n".join([*lines, 'save ""', "appendonly no"]) + "\n", encoding="utf-8")

    def start(self) -> None:
        """Start it and wait until it answers."""
        # Redis shows address and port in place of its arguments.
        self.process = processes.launch(
            ["redis-server", str(self.folder / "redis.conf")],
            log=self.folder / "redis.log",
            mark="redis-server",
            cwd=self.folder,
        )
        assert processes.wait_until(lambda: _is_answering(self.address), 10.0), processes.tail(
            self.folder / "redis.log"
        )

    def stop(self) -> None:
        """End it."""
        processes.stop(self.process)


@dataclass(frozen=True)
class CeleryStack:
    """A running stack.

    Attributes
    ----------
    workspace
        Scheduler, api-server, dag-processor, Postgres and mail server.
    running
        Its API.
    homes
        The folder of each worker, with its copy of the code and all that it writes, by name.
    broker
        Its Redis.
    """

    workspace: Workspace
    running: stack.Stack
    homes: Mapping[str, Path]
    broker: Broker


def _is_answering(address: str) -> bool:
    with contextlib.closing(redis.Redis.from_url(address)) as client:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False


def worker_environment(shared: Mapping[str, str], name: str, home: Path) -> dict[str, str]:
    """Return the environment of a worker: its own home, folders of its own, its name as the machine's."""
    for folder in ("airflow/logs", "home", "tmp"):
        (home / folder).mkdir(parents=True)
    (home / "airflow" / "airflow.cfg").touch()
    names = home / "names"
    names.mkdir()
    (names / "machine.py").write_text(f"def name() -> str:\n    return {name!r}\n", encoding="utf-8")
    own = {f"RISK_{kind.upper()}_DIR": str(home / kind) for kind in ("reports", "alarms", "scratch")}
    return {
        **{key: value for key, value in shared.items() if not key.startswith("XDG_")},
        **own,
        "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__HOSTNAME_CALLABLE": "machine.name",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(home / "plugins"),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "airflow" / "logs"),
        "HOME": str(home / "home"),
        "PYTHONPATH": f"{home / 'plugins'}:{names}",
        "TMPDIR": str(home / "tmp"),
    }


@contextlib.contextmanager
def workers(shared: Mapping[str, str], root: Path, concurrency: int) -> Iterator[dict[str, Path]]:
    """Run the workers, each on a queue of its own name, and give their folders."""
    homes = {name: root / f"worker-{name}" for name in WORKERS}
    started: list[processes.Process] = []
    try:
        for name, home in homes.items():
            copy_code(home)
            words = ["celery", "worker", "--queues", name, "--concurrency", str(concurrency), "--skip-serve-logs"]
            started.append(
                processes.launch(
                    airflow.command(*words),
                    log=home / "worker.log",
                    mark="celery",
                    cwd=home,
                    environment=worker_environment(shared, name, home),
                )
            )
        for home in homes.values():
            log = home / "worker.log"
            is_ready = processes.wait_until(lambda log=log: "ready." in log.read_text(errors="replace"), STARTED_S)
            assert is_ready, processes.tail(log, 30)
        yield homes
    finally:
        processes.stop_all(started)


@contextlib.contextmanager
def second_scheduler(shared: Mapping[str, str], workspace: Workspace) -> Iterator[None]:
    """Run another scheduler on the same metadata database."""
    scheduler = processes.launch(
        airflow.command(*airflow.COMPONENTS["scheduler"]),
        log=workspace.logs / "second-scheduler.log",
        mark=airflow.MARK,
        cwd=workspace.root,
        environment=shared,
    )
    try:
        yield
    finally:
        processes.stop(scheduler)


@contextlib.contextmanager
def celery_stack(
    workspace: Workspace, desk: Desk, settings: Mapping[str, str], concurrency: int = 2, *, has_second: bool = False
) -> Iterator[CeleryStack]:
    """Run the whole stack in a working copy whose databases are migrated.

    Parameters
    ----------
    settings
        Further variables of every process.
    concurrency
        Tasks at a time of one worker.
    has_second
        Whether a second scheduler runs beside the first.
    """
    workspace.prepare()
    copy_code(workspace.root)
    with (workspace.root / "plugins" / "airflow_local_settings.py").open("a", encoding="utf-8") as file:
        file.write(ROUTING)
    usual = environment.airflow_settings
    shared: dict[str, str] = {}

    def settings_of(*arguments: Any) -> dict[str, str]:
        return {**usual(*arguments), **celery}

    def environment_of(*arguments: Any) -> dict[str, str]:
        shared.update(usual_environment(*arguments))
        return shared

    usual_environment = stack.airflow_environment
    folder = workspace.root / "redis"
    folder.mkdir()
    with contextlib.ExitStack() as running:
        broker = Broker(folder, stable_port(workspace.ports, "redis"))
        broker.start()
        running.callback(broker.stop)
        celery = {
            "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
            "AIRFLOW__CORE__PARALLELISM": str(2 * concurrency),
            "AIRFLOW__CELERY__BROKER_URL": broker.address,
            "AIRFLOW__CELERY__SYNC_PARALLELISM": "1",
            # On a busy machine a callback of a run takes longer than 50 s, and would be killed for it.
            "AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": "300",
        }
        running.enter_context(mock.patch.object(environment, "airflow_settings", settings_of))
        running.enter_context(mock.patch.object(stack, "airflow_environment", environment_of))
        running.enter_context(mock.patch.dict(os.environ, settings))
        running.callback(stack.stop_everything, workspace)
        started = stack.start(workspace, desk, is_kept=True)
        homes = running.enter_context(workers(shared, workspace.root, concurrency))
        if has_second:
            running.enter_context(second_scheduler(shared, workspace))
        yield CeleryStack(workspace, started, homes, broker)
