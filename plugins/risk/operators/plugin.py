"""Registers in Airflow what it needs by name; the wheel's entry point, and read by ``plugins/risk_plugin.py``."""

# ruff: noqa: RUF012  (Airflow's base class declares these lists as variables of the instance)

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin

from risk.operators.deadlines import DecisionsClosed, EffectiveMorning
from risk.operators.send_report import ReportLink
from risk.operators.timetables import SessionTimetable, WeeklySessionTimetable


async def page(scope: Any, receive: Any, send: Any) -> None:
    """Serve our pages; imported at the first request, since every process of Airflow executes this file."""
    from risk.web.app import app

    await app(scope, receive, send)


class RiskPlugin(AirflowPlugin):
    """Make timetable, deadline, link and page known to the scheduler and the API server."""

    name = "risk"
    timetables: list[Any] = [SessionTimetable, WeeklySessionTimetable]
    deadline_references: list[Any] = [DecisionsClosed, EffectiveMorning]
    operator_extra_links: list[Any] = [ReportLink()]
    fastapi_apps: list[Any] = [{"app": page, "url_prefix": "/risk", "name": "risk"}]
    external_views: list[Any] = [{"name": "Risk", "href": "/risk/", "destination": "nav", "url_route": "risk-page"}]
