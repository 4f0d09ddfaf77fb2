"""What holds for every answer of the Risk page: its security headers, and that no other site sends its forms."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from risk.core.settings import read_settings

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'self'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}

READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OWN_SITES = frozenset({"same-origin", "none"})
"""Values of Sec-Fetch-Site of our own pages, and of an address that a person has typed."""


class Guard:
    """Middleware: refuses a form that another site sends, and protects every answer.

    Parameters
    ----------
    app
        What answers.
    refuse
        Makes the answer to a form of another site.
    """

    def __init__(self, app: ASGIApp, refuse: Callable[[Request], Response]) -> None:
        self.app = app
        self.refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                protect(MutableHeaders(scope=message))
            await send(message)

        request = Request(scope)
        answer: ASGIApp = self.app if is_own(request) else self.refuse(request)
        await answer(scope, receive, protected)


def protect(headers: MutableHeaders) -> None:
    """Add the security headers that an answer does not set itself."""
    for name, value in HEADERS.items():
        headers.setdefault(name, value)


def is_own(request: Request) -> bool:
    """Tell whether a request changes nothing, or was sent by our own page or by no page at all.

    Browsers name the site that sends a form; a program that has the login and names none is held by the form's token.
    """
    if request.method in READING_METHODS:
        return True
    if request.headers.get("sec-fetch-site", "none") not in OWN_SITES:
        return False
    origin = request.headers.get("origin")
    known = {urlsplit(read_settings().base_url).netloc, request.headers.get("host", "")} - {""}
    return origin is None or urlsplit(origin).netloc in known
