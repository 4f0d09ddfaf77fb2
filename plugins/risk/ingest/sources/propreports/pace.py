"""The vendor's limit on requests, kept on our side."""

from __future__ import annotations

import contextlib
import fcntl
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

REQUEST_LIMIT: Final = 40
REQUEST_SPAN_S: Final = 4.0
"""The vendor refuses the 41st request within 4 seconds."""


class Pace:
    """At most ``limit`` requests in any ``span_s`` seconds.

    Counted from the end of each request to the start of the one ``limit`` later: however long each takes to arrive, the
    vendor never sees more of them within a span.

    Parameters
    ----------
    clock, sleep
        Seconds that only grow, and the wait.
    """

    def __init__(
        self,
        limit: int = REQUEST_LIMIT,
        span_s: float = REQUEST_SPAN_S,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.span_s = span_s
        self.clock = clock
        self.sleep = sleep
        self._ends: deque[float] = deque(maxlen=limit)

    @contextlib.contextmanager
    def request(self) -> Iterator[None]:
        """Wait until one more request is allowed, and count it."""
        if len(self._ends) == self._ends.maxlen:
            rest = self._ends[0] + self.span_s - self.clock()
            if rest > 0:
                self.sleep(rest)
        try:
            yield
        finally:
            self._ends.append(self.clock())


@contextlib.contextmanager
def alone(folder: Path, pace: Pace) -> Iterator[None]:
    """Let one process of this machine at a time ask the vendor: kept pages have one writer, the limit one counter.

    The next one starts a whole span later than the last one ended, because it does not know what that one has asked.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        ended = folder / "ended"
        ended_at = ended.stat().st_mtime if ended.exists() else 0.0
        rest = min(ended_at + pace.span_s - time.time(), pace.span_s)
        if rest > 0:
            pace.sleep(rest)
        try:
            yield
        finally:
            ended.touch()
