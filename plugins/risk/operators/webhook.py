"""Notifier that posts a signal as JSON to any address: chats, incident tools and a firm's own services take that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseNotifier

from risk.report.webhook import post_facts

if TYPE_CHECKING:
    from airflow.sdk import Context


class WebhookNotifier(BaseNotifier):
    """Post the facts of a signal as one JSON object.

    Nothing is rendered: JSON's own escaping is all that the facts need.

    Parameters
    ----------
    url
        Where to.
    headers
        Headers of the request, such as ``Authorization``.
    """

    def __init__(self, *, url: str, headers: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.url = url
        self.headers = headers

    def notify(self, context: Context) -> None:
        """Post."""
        facts: Mapping[str, Any] = context["risk_unescaped"]  # type: ignore[typeddict-item]
        post_facts(facts, url=self.url, headers=self.headers)
