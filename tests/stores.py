"""Servers on this machine that stand for a bucket and for a counterparty's SFTP server."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from devstack.workspace import free_port
from risk.core.settings import PROJECT_DIR

LOGIN, PASSWORD = "desk", "word"
PATIENCE_SECONDS = 120.0
REGION = "us-east-1"
OPEN_REQUESTS = 4
"""So many requests moto answers before it asks who sends them: those that make bucket and user."""


@dataclass(frozen=True, slots=True)
class Store:
    """A server with a folder of files.

    Attributes
    ----------
    address
        Address of the folder, with ``{}`` for the connection.
    connection
        A connection that it lets in.
    refused
        Connections that it does not let in, by what is wrong with them.
    by_key
        A connection that it lets in by a private key.
    """

    address: str
    connection: Mapping[str, Any]
    refused: Mapping[str, Mapping[str, Any]]
    by_key: Mapping[str, Any] | None = None


def needed(*modules: str) -> None:
    """Skip a test whose packages are not installed."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} is not installed: make test-stores brings it.")


@contextlib.contextmanager
def serving(log: Path, *command: str, port: int, **environment: str) -> Iterator[None]:
    """Run a server of this machine until the block ends."""
    with (
        log.open("wb") as stream,
        subprocess.Popen(
            [sys.executable, "-m", *command],
            env={**os.environ, **environment},
            cwd=PROJECT_DIR,
            stdout=stream,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not _answers(port):
                assert process.poll() is None, log.read_text(encoding="utf-8")
                assert time.monotonic() < deadline, f"{command} does not answer"
                time.sleep(0.1)
            yield
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@contextlib.contextmanager
def s3_server(folder: Path) -> Iterator[Store]:
    """Serve a bucket by moto, which checks keys, signatures and policies."""
    import boto3

    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = ("moto.server", "-H", "127.0.0.1", "-p", str(port))
    with serving(folder / "moto.log", *command, port=port, INITIAL_NO_AUTH_ACTION_COUNT=str(OPEN_REQUESTS)):
        client = {
            "endpoint_url": url,
            "region_name": REGION,
            "aws_access_key_id": "first",
            "aws_secret_access_key": "word",
        }
        iam = boto3.client("iam", **client)
        iam.create_user(UserName=LOGIN)
        key = iam.create_access_key(UserName=LOGIN)["AccessKey"]
        allowed = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        iam.put_user_policy(UserName=LOGIN, PolicyName="all", PolicyDocument=policy)
        boto3.client("s3", **client).create_bucket(Bucket="bank")
        given = {
            "conn_type": "aws",
            "login": key["AccessKeyId"],
            "password": key["SecretAccessKey"],
            "extra": {"endpoint_url": url, "region_name": REGION},
        }
        refused = {"password": {**given, "password": "wrong"}, "login": {**given, "login": "nobody"}}
        yield Store("s3://{}@bank/drop", given, refused)


@contextlib.contextmanager
def sftp_server(folder: Path) -> Iterator[Store]:
    """Serve a folder by asyncssh."""
    import asyncssh

    # Its connections close after pytest has taken the streams away.
    logging.getLogger("asyncssh").setLevel(logging.WARNING)
    port, root = free_port(), folder / "root"
    (root / "drop").mkdir(parents=True)
    key, private = asyncssh.generate_private_key("ssh-ed25519"), folder / "id_ed25519"
    key.write_private_key(private)
    key.write_public_key(f"{private}.pub")
    command = ("tests.sftp_server", str(root), str(port), f"{private}.pub", LOGIN, PASSWORD)
    with serving(folder / "sftp.log", *command, port=port):
        given = {"conn_type": "sftp", "host": "127.0.0.1", "port": port, "login": LOGIN, "password": PASSWORD}
        refused = {"password": {**given, "password": "wrong"}, "login": {**given, "login": "nobody"}}
        by_key = {**given, "extra": {"key_file": str(private)}}
        del by_key["password"]
        yield Store("sftp://{}@/drop", given, refused, by_key)
