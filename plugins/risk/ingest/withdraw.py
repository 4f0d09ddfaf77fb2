"""Withdrawing what was delivered for an account-session: a wrong file must not count for ever."""

from __future__ import annotations

import datetime as dt
import os
import pwd
import socket
from collections.abc import Mapping, Sequence
from typing import Any, Final

from risk.core.calendar import checked_session
from risk.core.errors import RequestError
from risk.core.typed import cleaned_reason
from risk.core.warehouse import Connection, execute, records, rows, writing

SHOWN_ACCOUNTS: Final = 20


def withdraw(
    connection: Connection, account_id: str, session_date: dt.date, reason: str, now: dt.datetime, *, is_undone: bool
) -> str:
    """Record that nothing delivered for an account-session so far counts, or that it counts again, and commit.

    Nothing is deleted or changed: runs that are asked what was known before still know the delivery.

    Parameters
    ----------
    account_id
        Its present name, or the one it was delivered with.
    reason
        Why, in the words of the person who decides.
    is_undone
        Take a withdrawal back.

    Returns
    -------
    str
        What was recorded, and what to do next.

    Raises
    ------
    RequestError
        If there is nothing to withdraw or to take back, the session is none or not over, or the reason is blank.
    """
    reason = cleaned_reason(reason)
    place = {"account_id": account_id, "session_date": checked_session(session_date, now)}
    with writing(connection):
        found = records(connection, "withdraw/select_deliveries", place)
        if not found:
            raise RequestError(_nothing_delivered(connection, account_id, session_date))
        meant = [row for row in found if _is_withdrawn(row) == is_undone]
        if not meant:
            raise RequestError(_nothing_to_do(account_id, session_date, found[0], is_undone=is_undone))
        author, host = _author(), socket.gethostname()
        sentence = _sentence(account_id, session_date, meant, is_undone=is_undone)
        binds = {
            "account_ids": [row["account_id"] for row in meant],
            "delivery_ids": [row["newest_delivery_id"] for row in meant],
            "event": "withdrawal undone" if is_undone else "withdrawal",
            "message": f"{sentence} {author} on {host}: {reason}",
        }
        known = {"session_date": session_date, "is_undone": is_undone, "author": author, "host": host, "reason": reason}
        execute(connection, "withdraw/insert_withdrawals", binds | known)
    undo = "" if is_undone else " To take it back, repeat the command with --undo."
    return f"{sentence} The next run of the session knows it (make trigger DATE={session_date}).{undo}"


def _is_withdrawn(delivery: Mapping[str, Any]) -> bool:
    """Tell whether the newest decision withdraws the newest delivery."""
    return delivery["is_undone"] is False and delivery["newest_delivery_id"] <= delivery["through_delivery_id"]


def _author() -> str:
    """Return the name of the user who runs this, as the operating system knows it: variables can be set by anybody."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _sentence(account_id: str, session_date: dt.date, meant: Sequence[Mapping[str, Any]], *, is_undone: bool) -> str:
    listed = ", ".join(f"{row['row_count']} rows of {row['file_name']}" for row in meant)
    if is_undone:
        return f"{account_id}, session {session_date}: the withdrawal is taken back; {listed} count again."
    return (
        f"{account_id}, session {session_date}: withdrawn, {listed} no longer count. The account-session counts as "
        "missing until other content is delivered."
    )


def _nothing_delivered(connection: Connection, account_id: str, session_date: dt.date) -> str:
    """Say that nothing was delivered for an account-session, and for which accounts something was."""
    known = [name for (name,) in rows(connection, "withdraw/select_delivered_accounts", {"session_date": session_date})]
    listed = ", ".join(known[:SHOWN_ACCOUNTS]) + (", ..." if len(known) > SHOWN_ACCOUNTS else "")
    return (
        f"Nothing was delivered for account {account_id!r} in session {session_date}, so there is nothing to withdraw. "
        + (f"Accounts of that session: {listed}." if known else "Nothing at all was delivered for that session.")
    )


def _nothing_to_do(account_id: str, session_date: dt.date, newest: Mapping[str, Any], *, is_undone: bool) -> str:
    if is_undone:
        return f"{account_id}, session {session_date}: nothing is withdrawn, so there is nothing to take back."
    return (
        f"{account_id}, session {session_date}: already withdrawn by {newest['author']} on {newest['host']} at "
        f"{newest['withdrawn_at']:%Y-%m-%d %H:%M} UTC, and nothing else was delivered since. Take it back with --undo."
    )
