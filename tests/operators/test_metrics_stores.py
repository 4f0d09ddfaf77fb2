"""Gauges by StatsD, whose client is not among our requirements."""

from __future__ import annotations

import socket

from tests.operators.test_metrics import GAUGES, run_task
from tests.stores import needed


def test_gauges_reach_a_listener_of_statsd() -> None:
    needed("statsd")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(60)
        port = str(listener.getsockname()[1])
        on = {"AIRFLOW__METRICS__STATSD_ON": "True", "AIRFLOW__METRICS__STATSD_PORT": port}
        run_task({**on, "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1"})
        received: set[str] = set()
        # Airflow sends numbers of its own between them.
        while len(received) < len(GAUGES):
            received |= {text for text in [listener.recv(1_000).decode()] if text.startswith("airflow.risk.")}

    assert received == {"airflow.risk.report.recipients:3|g", "airflow.risk.report.sent_timestamp:1755515100.25|g"}
