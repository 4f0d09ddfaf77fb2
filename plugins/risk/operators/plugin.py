"""Registers in Airflow what it needs by name; the wheel's entry point, and read by ``plugins/risk_plugin.py``."""

# ruff: noqa: RUF012  (Airflow's base class declares these lists as variables of the instance)

from __future__ import annotations

import gc
from functools import cache
from typing import TYPE_CHECKING, Any

from airflow.plugins_manager import AirflowPlugin

from risk.operators.deadlines import DecisionsClosed, EffectiveMorning
from risk.operators.send_report import ReportLink
from risk.operators.timetables import SessionTimetable, WeeklySessionTimetable

if TYPE_CHECKING:
    from fastapi import FastAPI


@cache
def pages() -> FastAPI:
    """Import our pages, at the first request: every process of Airflow executes this file.

    What the API server has loaded by then stays. Frozen, it is not scanned by the full garbage collections that a long
    table sets off: each took 0.2 s of an answer.
    """
    from risk.web.app import app

    gc.collect()
    gc.freeze()
    return app


async def page(scope: Any, receive: Any, send: Any) -> None:
    """Serve our pages."""
    await pages()(scope, receive, send)


class RiskPlugin(AirflowPlugin):
    """Make timetable, deadline, link and page known to the scheduler and the API server."""

    name = "risk"
    timetables: list[Any] = [SessionTimetable, WeeklySessionTimetable]
    deadline_references: list[Any] = [DecisionsClosed, EffectiveMorning]
    operator_extra_links: list[Any] = [ReportLink()]
    fastapi_apps: list[Any] = [{"app": page, "url_prefix": "/risk", "name": "risk"}]
    # Relative to the base element of Airflow's pages, so that it holds below any [api] base_url.
    external_views: list[Any] = [{"name": "Risk", "href": "risk/", "destination": "nav", "url_route": "risk-page"}]
