"""Hostile answers to our HTTP requests: packed twice, endless, slow in every part."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from risk.core.connections import AirflowApi
from risk.core.errors import ConnectionLostError, RiskError
from risk.ingest.propreports.client import Client, Endpoint, RateLimiter, Timeouts

Script = Callable[[socket.socket], None]

HURRY = Timeouts(connect_s=2, read_s=0.5, answer_s=0.6, attempts=1)
MOST_BYTES = 20_000_000
"""Memory that reading any answer may take."""


@contextlib.contextmanager
def answering(script: Script) -> Iterator[int]:
    """Listen on loopback, answer every request as a script says, and give the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection, contextlib.suppress(OSError):
                        connection.recv(65536)
                        script(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def reply(body: bytes, *headers: str, status: str = "200 OK") -> Script:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return lambda connection: connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def trickle(text: bytes, start: bytes = b"") -> Script:
    """Send a byte every 0.1 s: never slow enough for a time-out between two pieces."""

    def script(connection: socket.socket) -> None:
        connection.sendall(start)
        for byte in text:
            connection.sendall(bytes([byte]))
            time.sleep(0.1)

    return script


def log_in(port: int) -> None:
    with Client(Endpoint(f"http://127.0.0.1:{port}/api.php", "user", "word"), RateLimiter(), HURRY) as client:
        client.login()


def call_airflow(port: int) -> None:
    with AirflowApi(f"http://127.0.0.1:{port}", "user", "word", 0.6) as api:
        api.health()


ZEROS = gzip.compress(b"0" * 100_000_000)
BOMBS = {
    "twice": reply(gzip.compress(ZEROS), "Content-Encoding: gzip, gzip"),
    "two headers": reply(gzip.compress(ZEROS), "Content-Encoding: gzip", "Content-Encoding: gzip"),
    "once": reply(ZEROS, "Content-Encoding: gzip"),
    "deflated": reply(ZEROS, "Content-Encoding: br"),
    "in an error": reply(gzip.compress(ZEROS), "Content-Encoding: gzip, gzip", status="500 Error"),
}
SLOW = {
    "headers": trickle(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100),
    "body": trickle(b"x" * 100, b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"),
    "body without end": trickle(b"x" * 100, b"HTTP/1.1 200 OK\r\n\r\n"),
    "error": trickle(b"x" * 100, b"HTTP/1.1 500 Error\r\nContent-Length: 100\r\n\r\n"),
}


@pytest.mark.parametrize("ask", [log_in, call_airflow])
@pytest.mark.parametrize("name", BOMBS)
def test_bomb_takes_little_memory_and_is_an_error(ask: Callable[[int], None], name: str) -> None:
    with answering(BOMBS[name]) as port:
        tracemalloc.start()
        try:
            with pytest.raises(RiskError):
                ask(port)
            assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize("ask", [log_in, call_airflow])
@pytest.mark.parametrize("name", SLOW)
def test_slow_answer_ends_in_time_and_may_be_tried_again(ask: Callable[[int], None], name: str) -> None:
    began = time.monotonic()

    with answering(SLOW[name]) as port, pytest.raises(ConnectionLostError, match=r"more than 0\.6 seconds"):
        ask(port)

    assert time.monotonic() - began < 2
