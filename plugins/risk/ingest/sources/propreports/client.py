"""The vendor's API: log in, ask, and bring each answer whole to disk.

A form is posted, plain text or CSV comes back. Every refusal is HTTP 500 with a sentence. Neither the password nor the
token is logged, kept on disk or part of an error: both travel in the body of a request only, and what the vendor
answers is cleaned of them before it is repeated.
"""

from __future__ import annotations

import contextlib
import hashlib
import http
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

import httpx

from risk.core.errors import ConnectionLostError, RefusalError
from risk.ingest.rules import shorten
from risk.ingest.sources.propreports.pace import Pace
from risk.ingest.sources.propreports.place import CONNECTION_ID, Place

EXPIRED: Final = "Invalid or expired token."
TOKEN: Final = re.compile(r"[0-9a-fA-F]{32,128}(:[0-9]{1,20})?")
PASSING: Final = frozenset(
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
class Patience:
    """How long and how often the vendor is asked before it counts as lost.

    Attributes
    ----------
    connect_s, read_s
        Seconds to connect, and between two pieces of an answer.
    answer_s
        Seconds for a whole answer, so that one that trickles ends, too.
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


class _Passing(Exception):  # noqa: N818  (no error yet: the next try may succeed)
    """One try failed in a way that the next one may not."""


class _Expired(Exception):  # noqa: N818
    """The token is no longer valid."""


class Client:
    """One user's view of the vendor, logged in when first needed and again when the token expires.

    Parameters
    ----------
    place
        Where, and as whom.
    pace
        Keeps the vendor's limit on requests.
    patience
        Time-outs and tries.
    """

    def __init__(self, place: Place, pace: Pace, patience: Patience | None = None) -> None:
        self.place = place
        self.pace = pace
        self.patience = patience or Patience()
        self._token = ""
        timeout = httpx.Timeout(self.patience.read_s, connect=self.patience.connect_s)
        # A proxy named in the environment leads out of this machine, never back into it.
        self._http = httpx.Client(timeout=timeout, trust_env=not place.is_on_this_machine, follow_redirects=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.logout()
        finally:
            self._http.close()

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
        form = {"action": "login", "user": self.place.user, "password": self.place.password}
        token = self._insist(form, _read_line)
        if not TOKEN.fullmatch(token):
            raise RefusalError(
                f"{self.place.host} answered the login with {len(token)} characters that are no token. Look at its "
                f"address in the Airflow connection {CONNECTION_ID}."
            )
        self._token = token

    def logout(self) -> None:
        """Let the token expire; where that fails it expires by itself within two hours."""
        if self._token:
            with contextlib.suppress(RefusalError, _Expired, _Passing):
                self._try({"action": "logout", "token": self._token}, _read_line)
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
            return self._insist({**question, "token": self._token}, receive)
        except _Expired:
            self.login()
        try:
            return self._insist({**question, "token": self._token}, receive)
        except _Expired:
            raise self._refusal(question["action"], EXPIRED) from None

    def _insist(self, form: Mapping[str, str], receive: Callable[[Iterator[bytes]], Received]) -> Received:
        """Try again what may pass, waiting longer each time."""
        found = ""
        for attempt in range(self.patience.attempts):
            if attempt:
                self.pace.sleep(self.patience.backoff_s * 2 ** (attempt - 1))
            try:
                return self._try(form, receive)
            except _Passing as passing:
                found = str(passing)
                log.info("%s, action %s: %s", self.place.host, form["action"], found)
        raise ConnectionLostError(
            f"The vendor at {self.place.host} does not answer action {form['action']}: {found} "
            f"({self.patience.attempts} tries). Try again: what came before is kept."
        )

    def _try(self, form: Mapping[str, str], receive: Callable[[Iterator[bytes]], Received]) -> Received:
        began = self.pace.clock()
        try:
            with self.pace.request(), self._http.stream("POST", self.place.url, data=form) as response:
                self._refuse(response, form["action"])
                return receive(self._chunks(response, began))
        except httpx.HTTPError as error:
            raise _Passing(self._cleaned(f"{type(error).__name__} {error}")) from None

    def _chunks(self, response: httpx.Response, began: float) -> Iterator[bytes]:
        """Yield the unpacked answer while it stays within time and size."""
        byte_count = 0
        for chunk in response.iter_bytes():
            byte_count += len(chunk)
            if self.pace.clock() - began > self.patience.answer_s:
                raise _Passing(f"the answer took more than {self.patience.answer_s:g} seconds")
            if byte_count > LARGEST_ANSWER:
                raise _Passing(f"the answer has more than {LARGEST_ANSWER:,} bytes")
            yield chunk

    def _refuse(self, response: httpx.Response, action: str) -> None:
        """Raise unless the answer is one."""
        if response.status_code == http.HTTPStatus.OK:
            return
        if response.status_code in PASSING:
            raise _Passing(f"HTTP {response.status_code}")
        if response.status_code != http.HTTPStatus.INTERNAL_SERVER_ERROR:
            raise self._refusal(action, f"HTTP {response.status_code} {response.reason_phrase}")
        sentence = _read_line(response.iter_bytes())
        if sentence == EXPIRED and action != "login":
            raise _Expired
        raise self._refusal(action, sentence)

    def _refusal(self, action: str, sentence: str) -> RefusalError:
        found = self._cleaned(sentence)
        return RefusalError(
            f"The vendor at {self.place.host} refuses action {action}: {found}. Mend the Airflow connection "
            f"{CONNECTION_ID} or ask the vendor, then clear this task.",
            found,
        )

    def _cleaned(self, text: str) -> str:
        """Take out of foreign text what nobody may read, and quote the rest so that it breaks no line."""
        for secret in filter(None, (self._token, self.place.password, self.place.user)):
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
