"""What it takes to bring a million executions of one session from the vendor's API into a file drop.

The vendor is ours, in a process of its own: what is measured is this side, in processor seconds and peak memory.
"""

from __future__ import annotations

import datetime as dt
import multiprocessing
import resource
import time
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path

from risk.ingest.propreports import load, pages
from risk.ingest.propreports.client import Client, Endpoint, RateLimiter
from tests.vendor_server import PASSWORD, USER, Vendor, fill, serving

SESSION = dt.date(2025, 8, 15)
PAGE_COUNT, PAGE_ROWS = 20, 50_000
ACCOUNT_COUNT = 2000
MEMORY_LIMIT_MB = 500


def serve(urls: Queue[str], has_ended: Event) -> None:
    """Serve full pages of the same executions until the process is stopped."""
    rows = [fill(number, SESSION, f"NET{number % ACCOUNT_COUNT:04}") for number in range(PAGE_ROWS)]
    with serving(Vendor(fills={SESSION: rows * PAGE_COUNT})) as endpoint:
        urls.put(endpoint.url)
        has_ended.wait()


def measure(folder: Path) -> None:
    """Print seconds and memory of asking, confirming and writing."""
    context = multiprocessing.get_context("spawn")
    urls, has_ended = context.Queue(), context.Event()
    server = context.Process(target=serve, args=(urls, has_ended))
    server.start()
    endpoint = Endpoint(urls.get(), USER, PASSWORD)
    began, wall_began = time.process_time(), time.monotonic()
    with Client(endpoint, RateLimiter()) as client:
        answer = pages.ask(client, load.fills_question(SESSION), folder, lambda: dt.datetime.now(dt.UTC))
    written = load.write_fills(SESSION, answer, folder)
    seconds, wall_seconds = time.process_time() - began, time.monotonic() - wall_began
    has_ended.set()
    server.join()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(
        f"{written.row_count:,} executions in {written.page_count} pages, all but the last asked for twice: "
        f"{seconds:.1f} s of processor time, {wall_seconds:.1f} s in all; "
        f"peak {peak_mb:.0f} of {MEMORY_LIMIT_MB} MB = {peak_mb / MEMORY_LIMIT_MB:.2f}"
    )
