"""HTTP requests that end: the whole exchange within a time, the answer within a size, and unpacked once at most."""

from __future__ import annotations

import contextlib
import socket
import threading
import zlib
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Final, Self

import httpx

PIECE_BYTES: Final = 1 << 16
"""So much is unpacked at a time, whatever came over the wire."""


class AnswerError(Exception):
    """An answer is too slow, too large, or packed as nobody asked for."""


class BoundedClient:
    """A client of one server whose requests all end.

    httpx bounds only the wait for the next piece, and unpacks as many codings as a server names, each piece whole.

    Parameters
    ----------
    answer_s
        Seconds for a request from the connection to the last byte of its answer.
    most_bytes
        Bytes of an unpacked answer.
    options
        Of `httpx.Client`.
    """

    def __init__(self, *, answer_s: float, most_bytes: int, **options: Any) -> None:
        self.answer_s = answer_s
        self.most_bytes = most_bytes
        self._http = httpx.Client(headers={"Accept-Encoding": "gzip"}, follow_redirects=False, **options)
        self._socket: socket.socket | None = None
        self._is_overdue = threading.Event()

    def __enter__(self) -> Self:
        """Return the client."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self._http.close()

    @contextlib.contextmanager
    def stream(self, method: str, url: str, **request: Any) -> Iterator[httpx.Response]:
        """Send a request and give its answer, of which only `chunks` may read the body.

        Raises
        ------
        AnswerError
            If the time is over, in any part of the exchange.
        httpx.HTTPError
            If the server does not answer.
        """
        self._is_overdue.clear()
        timer = threading.Timer(self.answer_s, self._cut)
        timer.daemon = True
        timer.start()
        try:
            with self._http.stream(method, url, extensions={"trace": self._trace}, **request) as response:
                yield response
                # What a connection that was cut has brought may look like a whole answer.
                self._check_time()
        except (httpx.HTTPError, AnswerError):
            self._check_time()
            raise
        finally:
            timer.cancel()

    def chunks(self, response: httpx.Response) -> Iterator[bytes]:
        """Yield the unpacked answer piece by piece.

        Raises
        ------
        AnswerError
            If it is too large, damaged, or packed in another way than gzip, once.
        """
        coding = response.headers.get("content-encoding", "identity").strip().lower()
        if coding not in ("identity", "gzip"):
            raise AnswerError(f"the answer is packed as {coding[:40]!r}, and gzip was asked for")
        byte_count = 0
        for piece in _unpacked(response.iter_raw()) if coding == "gzip" else response.iter_raw():
            byte_count += len(piece)
            if byte_count > self.most_bytes:
                raise AnswerError(f"the answer has more than {self.most_bytes:,} bytes")
            yield piece

    def _check_time(self) -> None:
        if self._is_overdue.is_set():
            raise AnswerError(f"the answer took more than {self.answer_s:g} seconds") from None

    def _trace(self, event: str, found: Mapping[str, Any]) -> None:
        """Remember the socket of the connection, encrypted or not."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._socket = found["return_value"].get_extra_info("socket")
            if self._is_overdue.is_set():
                self._shut()

    def _cut(self) -> None:
        self._is_overdue.set()
        self._shut()

    def _shut(self) -> None:
        """End the connection under a reader who waits; not by the method of an SSLSocket, which changes its state."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def _unpacked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Unpack gzip in bounded pieces."""
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        for piece in pieces:
            data = piece
            while data and not unpacker.eof:
                yield unpacker.decompress(data, PIECE_BYTES)
                data = unpacker.unconsumed_tail
    except zlib.error as error:
        raise AnswerError(f"the answer is damaged ({error})") from None
    if not unpacker.eof:
        raise AnswerError("the answer is cut off")
