"""The only file under plugins/ that Airflow executes: registers what it needs by name."""

from __future__ import annotations

from typing import ClassVar

from airflow.plugins_manager import AirflowPlugin

from risk.operators.deadlines import EffectiveMorning
from risk.timetables import SessionTimetable


class RiskPlugin(AirflowPlugin):
    """Make the session timetable and the report's deadline known to the scheduler and the API server."""

    name = "risk"
    timetables: ClassVar = [SessionTimetable]
    deadline_references: ClassVar = [EffectiveMorning]
