"""Health check of one of Airflow's components: heartbeat.py SchedulerJob ends with 0 if this container's job beats.

`airflow jobs check` asks the same but imports all of Airflow for it, many seconds of a processor each time.
"""

from __future__ import annotations

import os
import socket
import sys

import psycopg2

from risk.core.connections import METADATA_DSN, postgres_dsn

SILENT_AFTER_S = 60
BEATING = """
    select 1 from job
    where job_type = %s and hostname = %s and state = 'running' and latest_heartbeat > now() - %s * interval '1 s'
"""


def main() -> None:
    """Ask Airflow's database."""
    with psycopg2.connect(postgres_dsn(os.environ, METADATA_DSN), connect_timeout=5) as connection:
        cursor = connection.cursor()
        cursor.execute(BEATING, (sys.argv[1], socket.getfqdn(), SILENT_AFTER_S))
        if cursor.fetchone() is None:
            sys.exit(f"No heartbeat of {sys.argv[1]} on {socket.getfqdn()} within {SILENT_AFTER_S} s.")


if __name__ == "__main__":
    main()
