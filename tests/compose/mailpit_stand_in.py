"""A mail server in place of mailpit: keeps mail in the file MP_DATABASE and gives it under mailpit's addresses."""

from __future__ import annotations

import email
import email.policy
import json
import os
import sqlite3
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

DATABASE = os.environ["MP_DATABASE"]
LOCK = threading.Lock()


def query(statement: str, *values: object) -> list[tuple[object, ...]]:
    with LOCK, sqlite3.connect(DATABASE) as connection:
        return connection.execute(statement, values).fetchall()


class Keeper:
    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        query("insert into mails (content) values (?)", envelope.content)
        return "250 OK"


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        parts = self.path.partition("?")[0].strip("/").split("/")
        if parts == ["api", "v1", "messages"]:
            self.answer(json.dumps({"messages": [summary(*row) for row in query("select * from mails")]}).encode())
        elif parts[:3] == ["api", "v1", "message"] and parts[4:] == ["raw"]:
            self.answer(query("select content from mails where id = ?", parts[3])[0][0])
        else:
            self.send_error(404)

    def answer(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def summary(identifier: object, content: bytes) -> dict[str, object]:
    mail = email.message_from_bytes(content, policy=email.policy.default)
    return {"ID": str(identifier), "Subject": str(mail["Subject"]), "To": [{"Address": str(mail["To"])}]}


if __name__ == "__main__":
    query("create table if not exists mails (id integer primary key, content blob)")
    Controller(Keeper(), hostname="0.0.0.0", port=1025).start()  # noqa: S104 - inside a container
    ThreadingHTTPServer(("", 8025), Page).serve_forever()
