"""The plain webhook: a signal as a JSON object, sent to one address; without Airflow, so that the watchdog uses it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from risk.core.errors import ConnectionLostError, RefusalError, RequestError

NOTIFIER_PATH: Final = "risk.operators.webhook.WebhookNotifier"
"""The notifier that does the same inside Airflow."""
TIMEOUT_SECONDS: Final = 8.0


def post_facts(facts: Mapping[str, Any], *, url: str, headers: Mapping[str, str] | None = None) -> None:
    """Post the facts of a signal as JSON; any answer of 200 to 299 is a success.

    Errors name the server and not the address, which often is the password.

    Raises
    ------
    RequestError
        If the address is none.
    ConnectionLostError
        If the server is not reached.
    RefusalError
        If it answers anything else; redirects are not followed.
    """
    place = urlsplit(url)
    if place.scheme not in ("http", "https") or not place.hostname:
        raise RequestError("The webhook's url is not an address such as https://chat.example.com/hooks/...")
    try:
        answer = httpx.post(url, json=dict(facts), headers=dict(headers or {}), timeout=TIMEOUT_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        raise ConnectionLostError(f"The webhook at {place.hostname} is not reached: {type(error).__name__}") from None
    if not answer.is_success:
        raise RefusalError(f"The webhook at {place.hostname} answers {answer.status_code}")
