"""Runs notifiers in a process of their own, which `risk.report.signals` starts.

It reads one JSON object and prints a JSON line for each notifier that has ended. When their time is over it leaves,
whatever they still do.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

from airflow.sdk import BaseNotifier

from risk.core.errors import RequestError, RiskError

LONGEST_SENTENCE = 500
"""A pipe takes answers of such a length whole, whoever else writes."""

POLL_SECONDS = 0.05

SAFE = {
    **dict.fromkeys(range(32), " "),
    ord("&"): "&amp;",
    ord("<"): "&lt;",
    ord(">"): "&gt;",
    **{ord(character): chr(ord(character) + 0xFEE0) for character in "\"'\\{}@`"},
}
"""Facts within a template: one line; HTML's and Slack's own escapes; quotes, backslashes, braces, at signs and
backticks as their full-width forms.

So no fact ends a JSON string, is a template to who renders twice, or addresses everybody.
"""


def escaped(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Escape the facts of a signal for templates of text, JSON and chats."""
    return {name: fact.translate(SAFE) if isinstance(fact, str) else fact for name, fact in facts.items()}


def build(path: str, arguments: Mapping[str, Any]) -> BaseNotifier:
    """Import and construct a notifier.

    Raises
    ------
    RequestError
        If the path names no notifier, or it does not take the arguments.
    """
    module, _, name = path.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise RequestError(f"cannot be imported ({error})") from error
    if not (isinstance(found, type) and issubclass(found, BaseNotifier)):
        raise RequestError("is not an Airflow notifier")
    try:
        return found(**arguments)
    except TypeError as error:
        raise RequestError(f"does not take these arguments ({error})") from error


class Attempt(threading.Thread):
    """Runs a notifier for each of its signals, and prints how it ended.

    Parameters
    ----------
    index, asked
        Its place in the request, and what the request says of it.
    answers
        File descriptor of the answers.
    """

    def __init__(self, index: int, asked: Mapping[str, Any], answers: int) -> None:
        super().__init__(daemon=True)
        self.index, self.asked, self.answers = index, asked, answers
        self.began_at: float | None = None

    def run(self) -> None:
        """Run it; whatever others' code raises is an answer."""
        answer = {"notifier": self.index, "error_class": "", "message": ""}
        try:
            notifier = build(self.asked["path"], self.asked["arguments"])
            self.began_at = time.monotonic()
            for number, facts in enumerate(self.asked["signals"]):
                # Rendering changes a notifier, so that each signal needs its own.
                current = build(self.asked["path"], self.asked["arguments"]) if number else notifier
                current({"risk": escaped(facts), "risk_unescaped": facts})
        except BaseException as error:  # noqa: BLE001
            answer |= {"error_class": type(error).__name__, "message": sentence(error)[:LONGEST_SENTENCE]}
        # In one piece, whatever the other threads write.
        os.write(self.answers, f"\n{json.dumps(answer)}\n".encode())

    def is_over(self, seconds: float) -> bool:
        """Whether it has ended, or has worked for so many seconds; importing it is not its work."""
        return not self.is_alive() or (self.began_at is not None and time.monotonic() - self.began_at > seconds)


def sentence(error: BaseException) -> str:
    """Say what failed; of others' errors only the class and an HTTP status, since their texts quote addresses."""
    if isinstance(error, RiskError):
        return str(error)
    status = getattr(getattr(error, "response", None), "status_code", None)
    return f"failed with {type(error).__name__}" + (f", HTTP status {status}" if status else "")


def main() -> None:
    """Answer what standard input asks."""
    # What notifiers print is no answer.
    answers = os.dup(1)
    os.dup2(2, 1)
    request = json.load(sys.stdin)
    attempts = [Attempt(index, asked, answers) for index, asked in enumerate(request["notifiers"])]
    for one in attempts:
        one.start()
    while not all(one.is_over(request["seconds"]) for one in attempts):
        time.sleep(POLL_SECONDS)
    # Without waiting for those that hang.
    os._exit(0)


if __name__ == "__main__":
    main()
