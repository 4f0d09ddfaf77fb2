"""Who asks the Risk page in its tests, and what a person reads in an answer."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from risk.limits.approvals import AirflowUser
    from risk.web.trial_runs import TrialRun


@contextlib.contextmanager
def served(app: Any) -> Iterator[str]:
    """Serve an app on a port of its own, and give its address."""
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    (listening,) = server.servers[0].sockets
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join()


class Member:
    """A user as an auth manager knows one."""

    def __init__(self, user_id: str, name: str) -> None:
        self.user_id, self.name = user_id, name

    def get_id(self) -> str:
        return self.user_id

    def get_name(self) -> str:
        return self.name


def words(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def figures(answer: Any) -> list[dict[str, Any]]:
    """Read what the charts of a page draw."""
    found = re.findall(r'<script type="application/json">(.*?)</script>', answer.text, re.DOTALL)
    return [json.loads(text) for text in found]


NO_PAGES = {
    "/reports/{session_date}": "the stored email, tested in test_web_access",
    "/compare": "leads to the comparison of two sessions",
    "/traders/{account_id:path}/pack": "a download",
}
"""What answers GET with something else, and why it is no page."""


def page_routes() -> set[str]:
    """Return the addresses of the app's pages, as its routes write them."""
    from fastapi.routing import APIRoute

    from risk.web.app import app

    found = {route.path for route in app.routes if isinstance(route, APIRoute) and "GET" in route.methods}
    return found - NO_PAGES.keys()


class Runs:
    """What Airflow knows of the runs of trials, without Airflow."""

    def __init__(self) -> None:
        self.started: dict[int, list[TrialRun]] = {}
        self.users: list[str] = []

    def last(self, trial_number: int) -> TrialRun | None:
        return self.started.get(trial_number, [None])[-1]

    def start(self, trial_number: int, user: AirflowUser) -> TrialRun:
        runs = self.started.setdefault(trial_number, [])
        if not runs or not runs[-1].is_active:
            from risk.web.trial_runs import TrialRun

            runs.append(TrialRun(f"trial_{trial_number}__{len(runs) + 1}", "queued"))
            self.users.append(user.user_name)
        return runs[-1]

    def end(self, trial_number: int, state: str) -> None:
        self.started[trial_number][-1] = dataclasses.replace(self.started[trial_number][-1], state=state)
