"""Ports on loopback: free ones, kept from start to start so that bookmarks and connections stay valid."""

from __future__ import annotations

import random
import socket
from collections.abc import Sequence
from pathlib import Path

from devstack.clone import read_json, write_json
from risk.core.errors import StackError

LOOPBACK = "127.0.0.1"
CANDIDATES = range(20_000, 32_000)
"""Below every system's range for outgoing connections, so nobody's client can sit on a chosen port."""


def is_free(port: int) -> bool:
    """Tell whether a server could listen on the port, on loopback and on every address."""
    for address in (LOOPBACK, "0.0.0.0"):  # noqa: S104  (asked only: another clone's server may hold all addresses)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True


def free_port(taken: Sequence[int] = ()) -> int:
    """Choose a free port at random, so that two clones that start together seldom meet.

    Raises
    ------
    StackError
        If 200 random candidates are all in use.
    """
    chance = random.SystemRandom()
    for _ in range(200):
        port = chance.choice(CANDIDATES)
        if port not in taken and is_free(port):
            return port
    raise StackError(
        f"No free port found between {CANDIDATES.start} and {CANDIDATES.stop} on {LOOPBACK}: "
        "stop some servers of this machine, then start again."
    )


def kept_port(file: Path, name: str) -> int:
    """Return the port this clone uses for a server that is not running; choose anew if another has taken it.

    Parameters
    ----------
    file
        JSON file that keeps the ports by name.
    name
        The server's name.
    """
    ports = read_json(file)
    port = ports.get(name)
    if not isinstance(port, int) or not is_free(port):
        port = free_port([other for other in ports.values() if isinstance(other, int)])
        write_json(file, {**ports, name: port})
    return port
