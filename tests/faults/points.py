"""The points at which a step touches what lasts, and a fault planned at one of them.

A point is a statement, a commit, a write, a rename or a link of a file, or what is said to the mail server. A fault is
an exception before the action, the death of the process before it, or the loss of the answer after it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import smtplib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import psycopg2
import pytest
from sqlalchemy import Engine, event

from risk.core.warehouse import Connection, Cursor

Kind = Literal["exception", "killed", "answer lost"]
KINDS: tuple[Kind, ...] = get_args(Kind)
KILLED = 137
"""Exit code of a process that was killed."""
ANSWERED = "commit"
"""The point whose answer may be lost after the action; elsewhere that is an exception before the next one."""


@dataclass
class Points:
    """Counts the points of a step, and lets one of them fail.

    Attributes
    ----------
    kind, at
        The fault and the number of its point, from 1; ``None`` = count only.
    names
        Kind of each point so far.
    """

    kind: Kind | None = None
    at: int = 0
    names: list[str] = field(default_factory=list)

    def touch(self, name: str, error: Exception, action: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Do an action, unless a fault is planned here."""
        self.names.append(name)
        is_here = self.kind is not None and len(self.names) == self.at
        if is_here and self.kind == "killed":
            os._exit(KILLED)
        if is_here and self.kind == "exception":
            raise error
        done = action(*arguments, **named)
        if is_here and self.kind == "answer lost":
            raise error
        return done


@contextlib.contextmanager
def watched(points: Points) -> Iterator[None]:
    """Route everything a step does to the outside through its points."""
    lost = psycopg2.OperationalError("server closed the connection unexpectedly")
    with pytest.MonkeyPatch.context() as patch:
        for owner, method, name, error in (
            (Cursor, "execute", "statement", lost),
            (Cursor, "copy_expert", "statement", lost),
            (os, "fsync", "file", OSError(errno.EIO, os.strerror(errno.EIO))),
            (Path, "replace", "file", OSError(errno.EIO, os.strerror(errno.EIO))),
            (Path, "hardlink_to", "file", OSError(errno.EIO, os.strerror(errno.EIO))),
            (smtplib.SMTP, "send", "mail", smtplib.SMTPServerDisconnected("please run connect() first")),
            (smtplib.SMTP, "getreply", "mail", smtplib.SMTPServerDisconnected("Connection unexpectedly closed")),
        ):
            patch.setattr(owner, method, _touching(points, name, error, getattr(owner, method)))
        patch.setattr(Connection, "__exit__", _ending(points, lost), raising=False)
        event.listen(Engine, "before_cursor_execute", before := _before_statement(points, lost))
        try:
            yield
        finally:
            event.remove(Engine, "before_cursor_execute", before)


def _touching(points: Points, name: str, error: Exception, action: Callable[..., Any]) -> Callable[..., Any]:
    def touching(*arguments: Any, **named: Any) -> Any:
        return points.touch(name, error, action, *arguments, **named)

    return touching


def _ending(points: Points, error: Exception) -> Callable[..., Any]:
    """Commit at a point; a transaction that ends by an error is rolled back at none."""
    end = psycopg2.extensions.connection.__exit__

    def ending(connection: Connection, kind: Any, *rest: Any) -> Any:
        return end(connection, kind, *rest) if kind else points.touch("commit", error, end, connection, kind, *rest)

    return ending


def _before_statement(points: Points, error: Exception) -> Callable[..., None]:
    def before(*_: Any) -> None:
        points.touch("statement", error, lambda: None)

    return before
