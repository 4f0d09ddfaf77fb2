"""Gauges of a live morning through Airflow's own metrics: StatsD, Datadog or OpenTelemetry."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Callable, Mapping

import psycopg2
from airflow.sdk.observability.stats import gauge

from risk.core.errors import RiskError
from risk.core.exchange import exchange_zone
from risk.core.runs import Run
from risk.core.settings import read_settings

log = logging.getLogger(__name__)

FLUSH_SECONDS = 5


def send_gauges(run: Run, read: Callable[[], Mapping[str, float]]) -> None:
    """Send the gauges of a live morning; without metrics nothing happens, and never is anything raised.

    Parameters
    ----------
    run
        Past sessions, point-in-time runs and simulated desks send nothing: a gauge shows its last value.
    read
        Reads the gauges from the warehouse.
    """
    if not run.is_live(dt.datetime.now(exchange_zone()).date()):
        return
    try:
        gauges = read()
    except (RiskError, psycopg2.Error) as error:
        log.warning("The gauges of %s were not sent: %s", run.effective_session, error)
        return
    set_gauges(read_settings().desk, gauges)


def set_gauges(desk: str, gauges: Mapping[str, float]) -> None:
    """Set gauges below ``risk.``, labeled with the desk where the backend has labels, and send them now."""
    for name, value in gauges.items():
        gauge(f"risk.{name}", value, tags={"desk": desk})
    flush()


def flush() -> None:
    """Send what OpenTelemetry holds back for its next interval: a task's process ends before, and without cleaning up.

    A collector that does not answer delays the task by ``FLUSH_SECONDS`` and no more. StatsD sends at once.
    """
    from opentelemetry import metrics

    force_flush = getattr(metrics.get_meter_provider(), "force_flush", None)
    if force_flush is None:
        return
    # The exporter has a limit of its own, several times as long with its retries.
    thread = threading.Thread(target=force_flush, kwargs={"timeout_millis": FLUSH_SECONDS * 1_000}, daemon=True)
    thread.start()
    thread.join(FLUSH_SECONDS)
    if thread.is_alive():
        log.warning("The collector of metrics did not answer within %d s.", FLUSH_SECONDS)
