"""Wakes the task that waits for decisions once nothing waits any more, with the login of the person who decided last.

It only saves minutes: the task looks into the warehouse by itself, so whatever goes wrong here is logged and forgotten.
"""

from __future__ import annotations

import logging
from urllib.parse import quote

import httpx
from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN
from airflow.configuration import conf
from fastapi import Request

from risk.core.desks import PUBLICATION_DAG, own_dag
from risk.limits.approvals import DECIDED_ON_PAGE

WAITING_TASK_ID = "await_decisions"
TIMEOUT_S = 10.0

log = logging.getLogger(__name__)


def api_address() -> str:
    """Return the address at which Airflow's own processes reach the API server; that of people may be a proxy's."""
    own = conf.get("core", "execution_api_server_url", fallback="").rstrip("/").removesuffix("/execution")
    return own or conf.get("api", "base_url", fallback="").rstrip("/")


def wake_publication(request: Request, dag_run_id: str) -> None:
    """Choose the only option of the waiting task's required action, as the user who sent a request."""
    token = request.cookies.get(COOKIE_NAME_JWT_TOKEN)
    given = f"Bearer {token}" if token else request.headers.get("Authorization", "")
    address = api_address()
    if not (given and address):
        return
    run = f"/api/v2/dags/{own_dag(PUBLICATION_DAG)}/dagRuns/{quote(dag_run_id, safe='')}"
    url = f"{address}{run}/taskInstances/{WAITING_TASK_ID}/-1/hitlDetails"
    try:
        with httpx.Client(timeout=TIMEOUT_S, trust_env=False) as client:
            chosen = {"chosen_options": [DECIDED_ON_PAGE], "params_input": {}}
            answer = client.patch(url, json=chosen, headers={"Authorization": given})
        log.info("%s of %s answered %d", WAITING_TASK_ID, dag_run_id, answer.status_code)
    except httpx.HTTPError as error:
        log.warning("%s of %s was not woken: %s", WAITING_TASK_ID, dag_run_id, error)
