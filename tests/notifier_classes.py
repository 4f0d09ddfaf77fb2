"""Notifiers that behave badly, and one that writes what its templates say into a file."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from airflow.sdk import BaseNotifier


class Writing(BaseNotifier):
    """Append a rendered text to a file."""

    template_fields: Sequence[str] = ("text",)

    def __init__(self, *, file: str, text: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.file, self.text = file, text

    def notify(self, _context: Any) -> None:
        with Path(self.file).open("a", encoding="utf-8") as file:
            file.write(f"{self.text}\n")


class Raising(BaseNotifier):
    """Quote a password in its error, as clients quote addresses."""

    def notify(self, _context: Any) -> None:
        raise OSError("https://hooks.example.com/services/secret-token refused")


class Leaving(BaseNotifier):
    """Print, then end its process."""

    def notify(self, _context: Any) -> None:
        print('{"notifier": 0, "error_class": "", "message": ""}')  # noqa: T201
        raise SystemExit(0)


class Hanging(BaseNotifier):
    """Say which process it is, and never come back."""

    def __init__(self, *, file: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.file = file

    def notify(self, _context: Any) -> None:
        Path(self.file).write_text(str(os.getpid()), encoding="utf-8")
        while True:
            time.sleep(60)
