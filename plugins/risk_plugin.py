"""The only file under plugins/ that Airflow executes: registers what it needs by name."""

from __future__ import annotations

from typing import ClassVar

from airflow.plugins_manager import AirflowPlugin

from risk.timetables import SessionTimetable


class RiskPlugin(AirflowPlugin):
    """Make the session timetable known to the scheduler and the API server."""

    name = "risk"
    timetables: ClassVar = [SessionTimetable]
