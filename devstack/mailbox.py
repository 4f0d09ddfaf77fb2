"""The local mail server: accepts mail on loopback and stores it in a Maildir; nothing leaves the machine.

Run as ``python -m devstack.mailbox --port 2525 --folder var/mail``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import socket
from pathlib import Path

from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import SMTP

from devstack.environment import base_environment
from devstack.processes import Process, launch, python, running, write_record
from devstack.workspace import LOOPBACK, Workspace, stable_port
from risk.core.settings import PROJECT_DIR

MAXIMUM_MAIL_BYTES = 33_554_432


def start(workspace: Workspace) -> tuple[Process, int]:
    """Start the clone's mail server, or return the running one.

    Returns
    -------
    tuple
        The process and its port.
    """
    record = workspace.records / "mailbox.json"
    process = running(record)
    port = port_of(process) if process else stable_port(workspace.ports, "mail")
    if process is None:
        arguments = ["--port", str(port), "--folder", str(workspace.mail)]
        process = launch(
            python("devstack.mailbox", *arguments),
            log=workspace.logs / "mailbox.log",
            mark=f"devstack.mailbox --port {port} ",
            cwd=workspace.root,
            environment={**base_environment(), "PYTHONPATH": f"{workspace.root / 'plugins'}:{PROJECT_DIR}"},
        )
        write_record(record, process)
    return process, port


def port_of(process: Process) -> int:
    """Read the port from a running server's mark."""
    return int(process.mark.split()[2])


def is_answering(port: int) -> bool:
    """Return whether an SMTP server greets on the port."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1) as connection:
            return connection.recv(4).startswith(b"220")
    except OSError:
        return False


async def run_server(port: int, folder: Path) -> None:
    """Serve until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    is_over = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, is_over.set)
    # The library creates these only together with the folder: an existing folder would accept no mail.
    for part in ("cur", "new", "tmp"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    handler = Mailbox(folder)
    server = await loop.create_server(
        lambda: SMTP(handler, enable_SMTPUTF8=True, data_size_limit=MAXIMUM_MAIL_BYTES, loop=loop),
        host=LOOPBACK,
        port=port,
    )
    async with server:
        await is_over.wait()


def main() -> None:
    """Run the server with the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    arguments = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run_server(arguments.port, arguments.folder))


if __name__ == "__main__":
    main()
