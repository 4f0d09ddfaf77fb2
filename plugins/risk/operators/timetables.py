"""When the DAGs run: on mornings of the exchange's sessions, in its time, about the session before."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pendulum
from airflow.timetables.base import DagRunInfo, DataInterval, Timetable

from risk.core import calendar
from risk.core.exchange import at_exchange, exchange

if TYPE_CHECKING:
    from airflow.timetables.base import TimeRestriction


class SessionTimetable(Timetable):
    """Run on the morning of every session, for the session before.

    The data interval of a run starts at 00:00 UTC of the session whose fills are processed, so that
    ``airflow backfill create --from-date --to-date`` means session dates, both inclusive. It ends when the run is due.

    Parameters
    ----------
    run_at
        Time ``HH:MM`` of the exchange's clocks at which a run is due on the morning after its session; empty = 2.5
        hours before the regular opening, New York 07:00.
    is_automatic
        Whether runs start by themselves. False for simulated and historical data: runs are started by hand and by
        backfill, which Airflow allows only to a DAG that has a timetable.
    calendar_code
        The exchange's calendar; empty = that of the setting. It is kept with the DAG, so that the scheduler needs no
        setting.
    """

    def __init__(self, run_at: str = "", *, is_automatic: bool = True, calendar_code: str = "") -> None:
        self.calendar_code = calendar_code or exchange().code
        with at_exchange(self.calendar_code) as known:
            self.run_at = run_at or f"{known.run_at:%H:%M}"
            self.place = known.city
        self.is_automatic = is_automatic
        rhythm = (
            f"{self.run_at} {self.place} on every {self.calendar_code} session, for the session before; holidays are "
            "skipped"
        )
        self.description = rhythm if is_automatic else f"By hand and by backfill (RISK_SCHEDULE=off), else {rhythm}"

    @property
    def summary(self) -> str:
        """Short form for the list of DAGs."""
        return f"{self.calendar_code} sessions, {self.run_at} {self.place}" if self.is_automatic else "by hand"

    def serialize(self) -> dict[str, Any]:
        """Give what :meth:`deserialize` needs."""
        return {"run_at": self.run_at, "is_automatic": self.is_automatic, "calendar_code": self.calendar_code}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> SessionTimetable:
        """Build the timetable from its serialized form."""
        return cls(**data)

    def infer_manual_data_interval(self, *, run_after: pendulum.DateTime) -> DataInterval:
        """Give a manual run the interval of the newest session that is due."""
        with at_exchange(self.calendar_code):
            return self._interval(self._newest_due(run_after))

    def generate_run_id(
        self, *, run_type: Any, run_after: pendulum.DateTime, data_interval: DataInterval | None, **extra: Any
    ) -> str:
        """Name a scheduled run after its session: ``scheduled__2025-08-15__2025-08-18T11:00:00+00:00``.

        Airflow 3.3 names backfill runs itself, and a manual run before it knows the session that was asked for.
        """
        if run_type.value != "scheduled" or data_interval is None:
            return super().generate_run_id(run_type=run_type, run_after=run_after, data_interval=data_interval, **extra)
        session_date = data_interval.start.in_timezone("UTC").date()
        return str(run_type.generate_run_id(suffix=f"{session_date}__{run_after.isoformat()}"))

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """Give the run after the last automated one, or the first one the restriction allows.

        Without catchup, which is how the scheduler asks, sessions missed in an outage are passed over: the newest one
        that is due comes next, and the others wait for a backfill. A backfill asks with catchup.
        """
        if not (self.is_automatic or restriction.catchup):
            return None
        with at_exchange(self.calendar_code):
            session_date = self._next_session(last_automated_data_interval, restriction)
            if session_date is None:
                return None
            if not restriction.catchup:
                session_date = max(session_date, self._newest_due(pendulum.now("UTC")))
            interval = self._interval(session_date)
        if restriction.latest is not None and interval.start > restriction.latest:
            return None
        return DagRunInfo.interval(interval.start, interval.end)

    def _next_session(self, last: DataInterval | None, restriction: TimeRestriction) -> dt.date | None:
        if last is not None:
            return calendar.next_session(last.start.in_timezone("UTC").date())
        if restriction.earliest is None:
            return None
        earliest = restriction.earliest.in_timezone("UTC")
        is_midnight = earliest == earliest.start_of("day")
        return calendar.next_session(earliest.date() - dt.timedelta(days=1 if is_midnight else 0))

    def _newest_due(self, instant: pendulum.DateTime) -> dt.date:
        """Return the newest session whose run is due at an instant."""
        session_date = calendar.last_finished_session(instant)
        if self._interval(session_date).end > instant:
            session_date = calendar.previous_session(session_date)
        return session_date

    def _interval(self, session_date: dt.date) -> DataInterval:
        due_on = calendar.next_session(session_date)
        due_at = calendar.exchange_time(due_on, dt.time.fromisoformat(self.run_at))
        start = pendulum.datetime(session_date.year, session_date.month, session_date.day, tz="UTC")
        return DataInterval(start, pendulum.instance(due_at).in_timezone("UTC"))


class WeeklySessionTimetable(SessionTimetable):
    """Run on the morning of the first session of every week, about the last session of the week before.

    Parameters
    ----------
    run_at
        As in :class:`SessionTimetable`; empty = 1.5 hours before the regular opening, New York 08:00.
    is_automatic, calendar_code
        As in :class:`SessionTimetable`.
    """

    def __init__(self, run_at: str = "", *, is_automatic: bool = True, calendar_code: str = "") -> None:
        with at_exchange(calendar_code or exchange().code) as known:
            super().__init__(
                run_at or f"{known.weekly_run_at:%H:%M}", is_automatic=is_automatic, calendar_code=known.code
            )
        rhythm = f"{self.run_at} {self.place} on the first {self.calendar_code} session of every week"
        self.description = rhythm if is_automatic else f"By hand (RISK_SCHEDULE=off), else {rhythm}"

    @property
    def summary(self) -> str:
        """Short form for the list of DAGs."""
        return f"first session of the week, {self.run_at} {self.place}" if self.is_automatic else "by hand"

    def _next_session(self, last: DataInterval | None, restriction: TimeRestriction) -> dt.date | None:
        session_date = super()._next_session(last, restriction)
        while session_date is not None and not _ends_week(session_date):
            session_date = calendar.next_session(session_date)
        return session_date

    def _newest_due(self, instant: pendulum.DateTime) -> dt.date:
        session_date = super()._newest_due(instant)
        while not _ends_week(session_date):
            session_date = calendar.previous_session(session_date)
        return session_date


def _ends_week(session_date: dt.date) -> bool:
    return session_date.isocalendar()[:2] != calendar.next_session(session_date).isocalendar()[:2]
