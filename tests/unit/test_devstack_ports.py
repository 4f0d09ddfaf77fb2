"""Ports are free when chosen and kept from start to start."""

from __future__ import annotations

import socket
from pathlib import Path

from devstack.workspace import LOOPBACK, free_port, is_free, stable_port


def test_free_port_can_be_listened_on() -> None:
    port = free_port()

    with socket.socket() as server:
        server.bind((LOOPBACK, port))
        server.listen()

        assert not is_free(port)


def test_is_free_says_no_when_another_server_listens_on_all_addresses() -> None:
    with socket.socket() as server:
        server.bind(("0.0.0.0", 0))  # noqa: S104  (what is_free must notice)
        server.listen()

        assert not is_free(server.getsockname()[1])


def test_stable_port_stays_the_same_while_it_is_free(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"

    first = stable_port(file, "api")

    assert stable_port(file, "api") == first


def test_stable_port_is_chosen_anew_when_another_server_has_taken_it(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    first = stable_port(file, "api")

    with socket.socket() as server:
        server.bind((LOOPBACK, first))
        server.listen()
        second = stable_port(file, "api")

    assert second != first
    assert stable_port(file, "api") == second


def test_stable_port_gives_each_server_its_own(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"

    ports = {stable_port(file, name) for name in ("api", "mail", "postgres")}

    assert len(ports) == 3


def test_stable_port_survives_a_torn_file(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    file.write_text('{"api": 2', encoding="utf-8")

    assert is_free(stable_port(file, "api"))
