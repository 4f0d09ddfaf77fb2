"""The setting RISK_NOTIFIERS: which Airflow notifiers learn of which signals, beside the email."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_settings import NoDecode

Kind = Literal["failure", "lateness", "recovery", "breach", "approval", "limits", "watchdog"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""A failed run, a late report or publication, the end of either, a limit broken, limits that wait for a person, limits
in force, what the watchdog found."""


class Notifier(BaseModel):
    """A notifier by the path of its class, the arguments of its constructor, and the signals that it gets.

    Arguments are fixed text and templates over ``risk``, never facts; they may hold passwords and are never printed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    path: str = Field(alias="notifier", pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$")
    arguments: dict[str, Any] = Field(default_factory=dict, repr=False)
    kinds: tuple[Kind, ...] = KINDS


def _parsed(value: object) -> object:
    return json.loads(value) if isinstance(value, str) else value


Notifiers = Annotated[tuple[Notifier, ...], NoDecode, BeforeValidator(_parsed)]
NOTIFIERS = (
    'a JSON list such as [{"notifier": "risk.operators.webhook.WebhookNotifier", "arguments": {"url": "https://..."}, '
    f'"kinds": ["failure", "recovery"]}}], kinds of {", ".join(KINDS)}; without kinds all'
)
