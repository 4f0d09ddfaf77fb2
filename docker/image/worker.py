"""Health check of a Celery worker: ends with 0 if the worker of this container answers through Redis.

`celery inspect ping` asks the same but imports all of Airflow for it, many seconds of a processor each time.
"""

from __future__ import annotations

import os
import socket
import sys

from celery import Celery

ANSWER_S = 10


def main() -> None:
    """Ask the worker."""
    name = f"celery@{socket.gethostname()}"
    app = Celery(broker=os.environ["AIRFLOW__CELERY__BROKER_URL"], set_as_current=False)
    if not app.control.ping(destination=[name], timeout=ANSWER_S, limit=1):
        sys.exit(f"{name} does not answer within {ANSWER_S} s.")


if __name__ == "__main__":
    main()
