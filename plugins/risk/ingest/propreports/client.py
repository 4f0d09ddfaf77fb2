"""The vendor's API: where it is, how fast it may be called, log in, and bring each response whole to disk.

A form is posted, plain text or CSV comes back. Every refusal is HTTP 500 with a sentence. Neither the password nor the
token is logged, kept on disk or part of an error: both travel in the body of a request only, and what the vendor
answers is cleaned of them before it is repeated.
"""

from __future__ import annotations

import contextlib
import hashlib
import http
import ipaddress
import json
import logging
import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from urllib.parse import unquote, urlsplit

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from risk.core.answers import AnswerError, BoundedClient
from risk.core.errors import ConnectionLostError, RefusalError
from risk.ingest.rules import shorten

CONNECTION_ID: Final = "risk_vendor"
API_PATH: Final = "/api.php"

REQUEST_LIMIT: Final = 40
REQUEST_SPAN_S: Final = 4.0
"""The vendor refuses the 41st request within 4 seconds."""

EXPIRED: Final = "Invalid or expired token."
TOKEN: Final = re.compile(r"[0-9a-fA-F]{32,128}(:[0-9]{1,20})?")
TRANSIENT: Final = frozenset(
    {
        http.HTTPStatus.TOO_MANY_REQUESTS,
        http.HTTPStatus.BAD_GATEWAY,
        http.HTTPStatus.SERVICE_UNAVAILABLE,
        http.HTTPStatus.GATEWAY_TIMEOUT,
    }
)
"""Answers of what stands before the vendor's server: the same request may succeed unchanged."""

LONGEST_SENTENCE: Final = 2000
LARGEST_ANSWER: Final = 1 << 28
"""Bytes; 50,000 executions are about 7 MB."""

Received = TypeVar("Received")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The vendor's API as one user sees it.

    Attributes
    ----------
    url
        Address that takes every request.
    user, password
        What the login sends; neither is part of the representation.
    """

    url: str
    user: str = field(repr=False)
    password: str = field(repr=False)

    @property
    def host(self) -> str:
        """Name of the server, for messages."""
        return urlsplit(self.url).hostname or ""

    @property
    def is_on_this_machine(self) -> bool:
        """Whether requests stay on this machine: only then may they travel unencrypted."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Tell whether a host name means this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_endpoint(text: str) -> Endpoint:
    """Read an Airflow connection, URI or JSON, as it stands in ``AIRFLOW_CONN_RISK_VENDOR``.

    Raises
    ------
    RefusalError
        If it names no host, no user or no password, or would send them unencrypted; the message repeats none of them.
    """
    if text.lstrip().startswith("{"):
        try:
            return endpoint_of(json.loads(text))
        except json.JSONDecodeError:
            raise _refusal("is neither a URI nor JSON") from None
    try:
        parts = urlsplit(text)
        given = {"conn_type": parts.scheme, "host": parts.hostname, "port": parts.port, "schema": parts.path.strip("/")}
    except ValueError:
        raise _refusal("is no URI") from None
    return endpoint_of(given | {"login": unquote(parts.username or ""), "password": unquote(parts.password or "")})


def endpoint_of(given: Mapping[str, Any]) -> Endpoint:
    """Build the endpoint from the fields of an Airflow connection.

    Parameters
    ----------
    given
        ``conn_type``, ``host``, ``port``, ``schema``, ``login``, ``password``. As in Airflow's HTTP connections the
        schema or the host may say ``https`` where the type says only ``http``.

    Raises
    ------
    RefusalError
        As ``read_endpoint``.
    """
    named = str(given.get("host") or "")
    scheme, is_split, host = named.rpartition("://")
    host = host.partition("/")[0]
    schemes = (scheme if is_split else "", given.get("schema"), given.get("conn_type"))
    scheme = next((str(name) for name in schemes if name in ("http", "https")), "")
    missing = [name for name in ("host", "login", "password") if not given.get(name)]
    if missing or not host:
        raise _refusal(f"lacks {' and '.join(missing) or 'host'}")
    port = f":{given['port']}" if given.get("port") else ""
    endpoint = Endpoint(f"{scheme}://{host}{port}{API_PATH}", str(given["login"]), str(given["password"]))
    if scheme != "https" and not (scheme == "http" and endpoint.is_on_this_machine):
        raise _refusal(f"would send the password to {endpoint.host} unencrypted")
    return endpoint


def _refusal(found: str) -> RefusalError:
    return RefusalError(
        f"The Airflow connection {CONNECTION_ID} {found}: write it as "
        '{"conn_type": "https", "host": "<firm>.propreports.com", "login": "...", "password": "..."}.'
    )


class RateLimiter:
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


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long and how often the vendor is asked before it counts as lost.

    Attributes
    ----------
    connect_s, read_s
        Seconds to connect, and between two pieces of an answer.
    answer_s
        Seconds for a whole request, so that one whose answer trickles ends, too.
    attempts
        Tries of one request.
    backoff_s
        Wait before the second try; it doubles with each further one.
    """

    connect_s: float = 10.0
    read_s: float = 60.0
    answer_s: float = 300.0
    attempts: int = 4
    backoff_s: float = 2.0


class TransientError(Exception):
    """The same request may succeed unchanged."""


class _Expired(Exception):  # noqa: N818
    """The token is no longer valid."""


class Client:
    """One user's view of the vendor, logged in when first needed and again when the token expires.

    Parameters
    ----------
    endpoint
        Where, and as whom.
    limiter
        Keeps the vendor's limit on requests.
    timeouts
        Time-outs and tries.
    """

    def __init__(self, endpoint: Endpoint, limiter: RateLimiter, timeouts: Timeouts | None = None) -> None:
        self.endpoint = endpoint
        self.limiter = limiter
        self.timeouts = timeouts or Timeouts()
        self._token = ""
        timeout = httpx.Timeout(self.timeouts.read_s, connect=self.timeouts.connect_s)
        # A proxy named in the environment leads out of this machine, never back into it.
        self._http = BoundedClient(
            answer_s=self.timeouts.answer_s,
            most_bytes=LARGEST_ANSWER,
            timeout=timeout,
            trust_env=not endpoint.is_on_this_machine,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.logout()
        finally:
            self._http.__exit__(kind, error, trace)

    def login(self) -> None:
        """Get a new token.

        Raises
        ------
        RefusalError
            If the vendor does not accept the login, or answers something that is no token.
        ConnectionLostError
            If it does not answer.
        """
        self._token = ""
        form = {"action": "login", "user": self.endpoint.user, "password": self.endpoint.password}
        token = self._post_with_retry(form, _read_line)
        if not TOKEN.fullmatch(token):
            raise RefusalError(
                f"{self.endpoint.host} answered the login with {len(token)} characters that are no token. Look at its "
                f"address in the Airflow connection {CONNECTION_ID}."
            )
        self._token = token

    def logout(self) -> None:
        """Let the token expire; where that fails it expires by itself within two hours."""
        if self._token:
            with contextlib.suppress(RefusalError, _Expired, TransientError):
                self._post({"action": "logout", "token": self._token}, _read_line)
            self._token = ""

    def download(self, question: Mapping[str, str], path: Path) -> str:
        """Ask a question and write the answer to a file, which appears only once it has come.

        Returns
        -------
        str
            SHA-256 of the file.

        Raises
        ------
        RefusalError
            If the vendor answers with a sentence that trying again does not change.
        ConnectionLostError
            If it does not answer after all tries.
        """
        unfinished = path.with_suffix(".unfinished")

        def receive(chunks: Iterator[bytes]) -> str:
            digest = hashlib.sha256()
            with unfinished.open("wb") as file:
                for chunk in chunks:
                    digest.update(chunk)
                    file.write(chunk)
            return digest.hexdigest()

        digest = self._ask(question, receive)
        unfinished.replace(path)
        return digest

    def _ask(self, question: Mapping[str, str], receive: Callable[[Iterator[bytes]], Received]) -> Received:
        """Ask with a valid token: log in first where there is none, and once more where it has expired."""
        if not self._token:
            self.login()
        try:
            return self._post_with_retry({**question, "token": self._token}, receive)
        except _Expired:
            self.login()
        try:
            return self._post_with_retry({**question, "token": self._token}, receive)
        except _Expired:
            raise self._refusal(question["action"], EXPIRED) from None

    def _post_with_retry(self, form: Mapping[str, str], receive: Callable[[Iterator[bytes]], Received]) -> Received:
        """Post a form, and again where it may succeed unchanged, waiting longer each time."""
        retrying = Retrying(
            retry=retry_if_exception_type(TransientError),
            stop=stop_after_attempt(self.timeouts.attempts),
            wait=wait_exponential(multiplier=self.timeouts.backoff_s),
            sleep=self.limiter.sleep,
            before_sleep=lambda state: self._log_retry(form["action"], state),
            reraise=True,
        )
        try:
            received: Received = retrying(self._post, form, receive)
            return received
        except TransientError as error:
            raise ConnectionLostError(
                f"The vendor at {self.endpoint.host} does not answer action {form['action']}: {error} "
                f"({self.timeouts.attempts} tries). Try again: what came before is kept."
            ) from None

    def _log_retry(self, action: str, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        log.info("%s, action %s: %s", self.endpoint.host, action, error)

    def _post(self, form: Mapping[str, str], receive: Callable[[Iterator[bytes]], Received]) -> Received:
        try:
            with self.limiter.request(), self._http.stream("POST", self.endpoint.url, data=form) as response:
                self._refuse(response, form["action"])
                return receive(self._http.chunks(response))
        except AnswerError as error:
            raise TransientError(str(error)) from None
        except httpx.HTTPError as error:
            raise TransientError(self._cleaned(f"{type(error).__name__} {error}")) from None

    def _refuse(self, response: httpx.Response, action: str) -> None:
        """Raise unless the answer is one."""
        if response.status_code == http.HTTPStatus.OK:
            return
        if response.status_code in TRANSIENT:
            raise TransientError(f"HTTP {response.status_code}")
        if response.status_code != http.HTTPStatus.INTERNAL_SERVER_ERROR:
            raise self._refusal(action, f"HTTP {response.status_code} {response.reason_phrase}")
        sentence = _read_line(self._http.chunks(response))
        if sentence == EXPIRED and action != "login":
            raise _Expired
        raise self._refusal(action, sentence)

    def _refusal(self, action: str, sentence: str) -> RefusalError:
        found = self._cleaned(sentence)
        return RefusalError(
            f"The vendor at {self.endpoint.host} refuses action {action}: {found}. Correct the Airflow connection "
            f"{CONNECTION_ID} or ask the vendor, then clear this task.",
            found,
        )

    def _cleaned(self, text: str) -> str:
        """Take out of foreign text what nobody may read, and quote the rest so that it breaks no line."""
        for secret in filter(None, (self._token, self.endpoint.password, self.endpoint.user)):
            text = text.replace(secret, "***")
        return shorten(text, 160)


def _read_line(chunks: Iterator[bytes]) -> str:
    """Read a short answer: a sentence or a token."""
    taken = b""
    for chunk in chunks:
        taken += chunk
        if len(taken) > LONGEST_SENTENCE:
            break
    return taken[:LONGEST_SENTENCE].decode("utf-8", errors="replace").strip()
