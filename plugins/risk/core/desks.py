"""Which of several desks in one Airflow is meant: nothing else of the code knows that there may be more than one.

``RISK_DESKS`` names them. Within `at_desk` settings, connections and names of DAGs are those of one desk; without
``RISK_DESKS`` there is one desk, whose name is empty here, and whose names are the plain ones.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Final

from risk.core.errors import RequestError

VARIABLE: Final = "RISK_DESKS"
NAME: Final = re.compile("[a-z][a-z0-9_]{0,29}")

DAILY_DAG: Final = "daily_risk"
PUBLICATION_DAG: Final = "publish_limits"
MODEL_DAG: Final = "weekly_model"
MAINTENANCE_DAG: Final = "weekly_maintenance"
TRIAL_DAG: Final = "policy_trial"
DAGS: Final = (DAILY_DAG, PUBLICATION_DAG, MODEL_DAG, MAINTENANCE_DAG, TRIAL_DAG)

OWN_CONNECTIONS: Final = ("risk_warehouse", "risk_vendor", "risk_source")
"""Airflow connections of which each desk has its own; mail server and Airflow itself are everybody's."""

_CHOSEN: ContextVar[str] = ContextVar("desk", default="")


def listed_desks() -> tuple[str, ...]:
    """Return the names in ``RISK_DESKS``; empty = there is one desk, which needs no name.

    Raises
    ------
    RequestError
        If one is no name, or is listed twice.
    """
    given = os.environ.get(VARIABLE)
    if not given:
        return ()
    names = tuple(filter(None, map(str.strip, given.split(","))))
    if not all(map(NAME.fullmatch, names)) or len(set(names)) < len(names):
        raise RequestError(
            f"{VARIABLE}={','.join(names)} is not allowed: set it to different names of lower-case letters, digits and "
            "_, separated by commas, each beginning with a letter and at most 30 long, or leave it unset."
        )
    return names


def current_desk() -> str:
    """Return the desk that is meant now; empty where there is one only.

    Raises
    ------
    RequestError
        If there are several and none is chosen: no desk's data may be taken for another's.
    """
    listed = listed_desks()
    if not listed:
        return ""
    chosen = _CHOSEN.get()
    if chosen not in listed:
        raise RequestError(
            f"{VARIABLE} names {', '.join(listed)}, and {f'{chosen} is none of them' if chosen else 'none is chosen'}: "
            "say which one is meant, on the command line with riskctl --desk NAME."
        )
    return chosen


@contextlib.contextmanager
def at_desk(name: str) -> Iterator[None]:
    """Let a desk be meant in a block, for this thread or task of asyncio alone; empty = the only one.

    Raises
    ------
    RequestError
        If it is not in ``RISK_DESKS``.
    """
    token = _CHOSEN.set(name)
    try:
        if name and not listed_desks():
            raise RequestError(f"There is no desk {name}: {VARIABLE} is not set, so there is one desk without a name.")
        if name:
            current_desk()
        yield
    finally:
        _CHOSEN.reset(token)


def enter_desk_of(dag_id: str) -> None:
    """Let the desk of a DAG be meant from now on: for a process that has one task to do.

    Raises
    ------
    RequestError
        As `desk_of`.
    """
    _CHOSEN.set(desk_of(dag_id))


def desk_of(dag_id: str) -> str:
    """Return the desk of one of our DAGs.

    Raises
    ------
    RequestError
        If its name ends with no desk of ``RISK_DESKS``.
    """
    listed = listed_desks()
    for name in listed:
        if dag_id in {f"{dag}_{name}" for dag in DAGS}:
            return name
    if listed:
        raise RequestError(f"DAG {dag_id} is of no desk: {VARIABLE} names {', '.join(listed)}.")
    return ""


def own_dag(name: str) -> str:
    """Return the name of a DAG of this desk: ``daily_risk``, or of several desks ``daily_risk_<desk>``."""
    return "_".join(filter(None, (name, current_desk())))


def own_connection(connection_id: str) -> str:
    """Return the name of an Airflow connection of this desk: ``risk_source``, or ``risk_source_<desk>``."""
    return own_dag(connection_id) if connection_id in OWN_CONNECTIONS else connection_id


def own_connection_variable(variable: str) -> str:
    """Return the environment variable of an Airflow connection of this desk, where that has its own."""
    start, prefix, connection_id = variable.rpartition("AIRFLOW_CONN_")
    return f"{start}{prefix}{own_connection(connection_id.lower()).upper()}"


def own_variable(setting: str) -> str:
    """Return the variable that sets something for this desk alone: ``RISK_<DESK>_<NAME>``, or ``RISK_<NAME>``."""
    return "_".join(filter(None, ("risk", current_desk(), setting))).upper()


def effective_variable(setting: str) -> str:
    """Return the variable that counts: this desk's own where it is set, else that of all."""
    own = own_variable(setting)
    return own if os.environ.get(own) else f"RISK_{setting.upper()}"


def own_command(command: str) -> str:
    """Return how a command of ``riskctl`` is typed for this desk."""
    desk = current_desk()
    return f"riskctl --desk {desk} {command}" if desk else f"./riskctl {command}"


def own_page() -> str:
    """Return where the Risk page of this desk is below Airflow: ``/risk``, or ``/risk/<desk>``."""
    return "/".join(filter(None, ("/risk", current_desk())))
