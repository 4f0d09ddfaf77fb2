"""The only file under plugins/ that Airflow executes: registers what it needs by name."""

from __future__ import annotations

from typing import Any, ClassVar

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
    timetables: ClassVar = [SessionTimetable, WeeklySessionTimetable]
    deadline_references: ClassVar = [DecisionsClosed, EffectiveMorning]
    operator_extra_links: ClassVar = [ReportLink()]
    fastapi_apps: ClassVar = [{"app": page, "url_prefix": "/risk", "name": "risk"}]
    external_views: ClassVar = [{"name": "Risk", "href": "/risk/", "destination": "nav", "url_route": "risk-page"}]
