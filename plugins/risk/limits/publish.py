"""Publication: decided limits come into force and are written to the trading platform's file, whole and once."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from risk.core.chain import read_head
from risk.core.errors import RequestError, StackError
from risk.core.money import counted
from risk.core.warehouse import Connection, execute, records, writing
from risk.limits.approvals import (
    APPROVED,
    NOT_REQUIRED,
    REJECTED,
    TIMED_OUT,
    Proposal,
    Publication,
    read_proposals,
    superseded_by,
)
from risk.limits.decisions import decide_without_answer

COLUMNS = ("account_id", "effective_session", "limit_usd", "base_limit_usd", "action", "reason")
"""Columns of the trading platform's file."""

UNFINISHED = ".unfinished"
"""Folder of files that are being written, beside those that the platform reads."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What is written for others, in words.

    Attributes
    ----------
    content
        What the files hold.
    setting
        What names their place.
    retry
        How to try again.
    """

    content: str
    setting: str
    retry: str


LIMITS = Outgoing("limits", "RISK_OUTBOUND_DIR", "clear task publish")
EXPORT = Outgoing("tables", "--to", "run the command again")


@dataclass(frozen=True, slots=True)
class PublishedLimits:
    """What became of a publication.

    Attributes
    ----------
    account_count
        Limits in force.
    file
        Where the file for the trading platform is; empty where none was written.
    sha256
        Of that file's content, also where none was written; empty where no limit is in force.
    """

    account_count: int
    file: str
    sha256: str = ""


class Outbound(Protocol):
    """Where the files for the trading platform go."""

    def write_once(self, name: str, content: bytes) -> str:
        """Write a file in one step, unless it exists, and return where it is.

        Raises
        ------
        StackError
            If it has other content, or cannot be written.
        """


class OutboundFolder:
    """A folder of this machine, or one that machines share."""

    def __init__(self, folder: str | Path, outgoing: Outgoing = LIMITS) -> None:
        self.folder, self.outgoing = Path(folder), outgoing

    def write_once(self, name: str, content: bytes) -> str:
        """As `write_once`."""
        write_once(self.folder / name, content, self.outgoing)
        return str(self.folder / name)


def publish(connection: Connection, publication: Publication, outbound: Outbound | None) -> PublishedLimits:
    """Bring the decided limits into force, once; what nobody answered gets the limit that applies without an answer.

    Limits superseded by a later report for the same session never come into force, however late they are decided, nor
    do those whose approval a restore has closed.

    Parameters
    ----------
    connection
        The warehouse.
    publication
        What is published.
    outbound
        Takes the file for the trading platform and, beside it, the head of the chain; ``None`` = no file. Limits of
        simulated desks and of past sessions are never written.

    Raises
    ------
    RequestError
        If somebody may still answer; nothing is published.
    StackError
        If the file cannot be written; the limits are in force in the warehouse.
    """
    if publication.closing or superseded_by(connection, publication) is not None:
        return PublishedLimits(0, "")
    waiting_count = decide_without_answer(connection, publication)
    if waiting_count:
        raise RequestError(
            f"{counted(waiting_count, 'limit')} can still be decided until {publication.deadline_text}: nothing was "
            "published. Clear await_decisions, which waits for the answers."
        )
    limits = json.dumps([_published_limit(one) for one in read_proposals(connection, publication)], default=str)
    key = {"publication_id": publication.publication_id}
    with writing(connection):
        execute(connection, "publish_limits/insert_published_limits", {**key, "limits": limits})
    published = records(connection, "publish_limits/select_published_limits", key)
    content = platform_csv(published).encode()
    sha256 = hashlib.sha256(content).hexdigest() if published else ""
    if outbound is None or not publication.is_live:
        return PublishedLimits(len(published), "", sha256)
    name = f"limits-{publication.effective_session}-{publication.publication_id}"
    subjects = [str(row["decision_id"]) for row in published]
    if subjects:
        head = read_head(connection, "published_limits", subjects)
        outbound.write_once(f"{name}.chain", f"{head}\n".encode())
    return PublishedLimits(len(published), outbound.write_once(f"{name}.csv", content), sha256)


def _published_limit(proposal: Proposal) -> dict[str, object]:
    decided = proposal.decided
    limit_usd, recommended_usd = decided.decided_limit_usd, proposal.recommended_limit_usd
    is_edited = decided.outcome == APPROVED and decided.edit_id is not None
    restored_usd, held_back = proposal.restored
    is_recommended = not is_edited and decided.outcome != REJECTED and limit_usd == restored_usd
    why = {
        APPROVED: f"set by {decided.editor_name}: {decided.edit_reason}" if is_edited else "as recommended",
        REJECTED: "recommendation rejected: limit in force kept",
        TIMED_OUT: "no answer by the deadline: as recommended"
        if is_recommended
        else f"no answer by the deadline: {_kept(proposal)}",
        NOT_REQUIRED: "as recommended",
    }[decided.outcome or TIMED_OUT]
    return {
        "account_id": proposal.account_id,
        "base_limit_usd": proposal.base_limit_usd,
        "recommended_limit_usd": recommended_usd,
        "decided_limit_usd": recommended_usd if is_recommended else limit_usd,
        "limit_usd": limit_usd,
        "reason": f"{why}; {held_back}" if is_recommended and held_back else why,
        "decision_id": decided.outcome_id,
    }


def _kept(proposal: Proposal) -> str:
    earlier = proposal.decided.earlier_decider_name
    return "limit in force kept" if earlier is None else f"the earlier decision of {earlier} stands"


def platform_csv(published: Sequence[Mapping[str, Any]]) -> str:
    """Write published limits for the trading platform: exact values, one row per account, by name."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: row[name] for name in COLUMNS} for row in published)
    return stream.getvalue()


def _remove(unfinished: Path) -> None:
    """Remove a file, and its folder if that is empty then."""
    unfinished.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        unfinished.parent.rmdir()


def write_once(path: Path, content: bytes, outgoing: Outgoing = LIMITS) -> bool:
    """Write a file in one step, unless it exists.

    Returns
    -------
    bool
        False where the file already had this content.

    Raises
    ------
    StackError
        If the file has other content, or cannot be written; nothing is left half done.
    """
    try:
        # Not among the files that the platform reads; a killed process leaves it to the next one, under the same name.
        unfinished = path.parent / UNFINISHED / path.name
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as cleanup:
            cleanup.callback(_remove, unfinished)
            # The folder may be others', too: nothing is written through a link that they left.
            unfinished.unlink(missing_ok=True)
            with unfinished.open("xb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
                os.fchmod(stream.fileno(), 0o644)
            with contextlib.suppress(FileExistsError):
                # A link, not a rename: it fails where the name is taken, so no file is ever replaced.
                path.hardlink_to(unfinished)
                return True
        present = path.read_bytes() if stat.S_ISREG(path.lstat().st_mode) else b""
    except OSError as error:
        raise StackError(
            f"The {outgoing.content} cannot be written to {path}: {error.strerror or error}. Free space or make it "
            f"writable ({outgoing.setting} sets the folder), then {outgoing.retry}."
        ) from error
    if present != content:
        raise different_content(str(path), outgoing)
    return False


def different_content(place: str, outgoing: Outgoing) -> StackError:
    """Say that a file is there with other content."""
    return StackError(
        f"{place} already exists with other {outgoing.content}: nothing was written. Find out who wrote it, move it "
        f"away, then {outgoing.retry}."
    )
