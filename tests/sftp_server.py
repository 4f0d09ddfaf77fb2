"""An SFTP server of asyncssh for one login, by password or key.

``python -m tests.sftp_server FOLDER PORT PUBLIC_KEY LOGIN PASSWORD``
"""

from __future__ import annotations

import asyncio
import sys

import asyncssh


class Server(asyncssh.SSHServer):
    """Lets one login in by its password; by key its own options do."""

    def __init__(self, login: str, password: str) -> None:
        self.member = (login, password)

    def begin_auth(self, username: str) -> bool:  # noqa: ARG002 - asyncssh's signature
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == self.member


async def serve(folder: str, port: int, public_key: str, login: str, password: str) -> None:
    """Serve until the process is stopped."""
    await asyncssh.listen(
        "127.0.0.1",
        port,
        server_factory=lambda: Server(login, password),
        authorized_client_keys=public_key,
        server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
        sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=folder.encode()),
    )
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), *sys.argv[3:]))
