"""Who asks the Risk page in its tests, and what a person reads in an answer."""

from __future__ import annotations

import re
from typing import Any


class Member:
    """A user as an auth manager knows one."""

    def __init__(self, user_id: str, name: str) -> None:
        self.user_id, self.name = user_id, name

    def get_id(self) -> str:
        return self.user_id

    def get_name(self) -> str:
        return self.name


def words(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())
