"""Reverse proxies on loopback: one that notes what leads out of its path, and nginx as the guide sets it up."""

from __future__ import annotations

import contextlib
import http.client
import shutil
import socket
import subprocess
import textwrap
import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from devstack.processes import wait_until
from devstack.workspace import free_port
from risk.core.settings import PROJECT_DIR

PER_HOP = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})
"""Headers that concern one connection only."""

GUIDE = PROJECT_DIR / "docs" / "how-to" / "behind-a-proxy.md"
NGINX = """
daemon off;
user root;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
{location}    }}
}}
"""


class ReverseProxy:
    """Where the proxy listens, and what it stands in front of.

    Attributes
    ----------
    address
        ``http://127.0.0.1:<port>/<path>/``, what people type.
    target
        Address of the server behind it; set once that is known.
    outside
        Paths that were asked for and are not below the proxy's path.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.target = ""
        self.outside: list[str] = []


@contextlib.contextmanager
def proxied(path: str) -> Iterator[ReverseProxy]:
    """Listen on a port of its own for what is below a path, as nginx with ``location /<path>/`` does."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if not self.path.startswith(f"/{path}/"):
                # Browsers ask every server for this one by themselves.
                proxy.outside += [self.path] if self.path != "/favicon.ico" else []
                self._answer(HTTPStatus.NOT_FOUND, [], b"not behind this proxy")
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            behind = http.client.HTTPConnection(urlsplit(proxy.target).netloc)
            with contextlib.closing(behind):
                behind.request(self.command, self.path, body, dict(self.headers.items()))
                answer = behind.getresponse()
                self._answer(answer.status, answer.getheaders(), answer.read())

        do_POST = do_PATCH = do_PUT = do_DELETE = do_GET  # noqa: N815  (the standard library's names)

        def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in PER_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    proxy = ReverseProxy(f"http://127.0.0.1:{server.server_address[1]}/{path}/")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def through_nginx(target: str, folder: Path) -> Iterator[str]:
    """Give the address of an nginx with the guide's lines in front of a server, or that server's where there is none.

    Parameters
    ----------
    target
        ``http://127.0.0.1:<port>`` of Airflow.
    folder
        For its files.
    """
    command = shutil.which("nginx")
    if command is None:
        yield target
        return
    shown = GUIDE.read_text(encoding="utf-8")
    location = (
        shown[shown.index("    location /airflow/") :]
        .split("\n\n")[0]
        .replace("api-server:8080", urlsplit(target).netloc)
    )
    port, settings = free_port(), folder / "nginx.conf"
    settings.write_text(NGINX.format(folder=folder, port=port, location=textwrap.indent(location, "    ")))
    server = subprocess.Popen([command, "-c", str(settings), "-p", str(folder)], stderr=subprocess.DEVNULL)
    try:
        assert wait_until(lambda: _listens(port), 10.0), (folder / "error.log").read_text()
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
