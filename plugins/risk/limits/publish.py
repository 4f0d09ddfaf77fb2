"""Publication: decided limits come into force and are written to the trading platform's file, whole and once."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from risk.core.errors import StackError
from risk.core.warehouse import Connection, execute, records, writing
from risk.limits.approvals import (
    APPROVED,
    NO_USER,
    NOT_REQUIRED,
    REJECTED,
    TIMED_OUT,
    Proposal,
    Publication,
    decide,
    needs_approval,
    read_proposals,
    superseded_by,
)
from risk.limits.policy import limit_in_force

COLUMNS = ("account_id", "effective_session", "limit_usd", "base_limit_usd", "action", "reason")
"""Columns of the trading platform's file."""


@dataclass(frozen=True, slots=True)
class PublishedLimits:
    """What became of a publication.

    Attributes
    ----------
    account_count
        Limits in force.
    file
        The file for the trading platform; ``None`` where none was written.
    """

    account_count: int
    file: Path | None


def publish(connection: Connection, publication: Publication, outbound_dir: Path | None) -> PublishedLimits:
    """Bring the decided limits into force, once; an account without a decision gets the recommended one.

    Limits superseded by a later report for the same session never come into force, however late they are decided.

    Parameters
    ----------
    connection
        The warehouse.
    publication
        What is published.
    outbound_dir
        Folder of the file for the trading platform; ``None`` = no file. Limits of simulated desks and of past sessions
        are never written.

    Raises
    ------
    StackError
        If the file cannot be written; the limits are in force in the warehouse.
    """
    if superseded_by(connection, publication) is not None:
        return PublishedLimits(0, None)
    for proposal in read_proposals(connection, publication):
        if proposal.outcome is None:
            action = TIMED_OUT if needs_approval(publication, proposal) else NOT_REQUIRED
            decide(connection, publication, proposal.account_id, action, NO_USER)
    limits = json.dumps([_published_limit(one) for one in read_proposals(connection, publication)], default=str)
    key = {"publication_id": publication.publication_id}
    with writing(connection):
        execute(connection, "publish_limits/insert_published_limits", {**key, "limits": limits})
    published = records(connection, "publish_limits/select_published_limits", key)
    if outbound_dir is None or not publication.is_live:
        return PublishedLimits(len(published), None)
    file = outbound_dir / f"limits-{publication.effective_session}-{publication.publication_id}.csv"
    write_once(file, platform_csv(published).encode())
    return PublishedLimits(len(published), file)


def _published_limit(proposal: Proposal) -> dict[str, object]:
    decided = proposal.recommended_limit_usd if proposal.decided_limit_usd is None else proposal.decided_limit_usd
    is_edited = proposal.outcome == APPROVED and proposal.edit_id is not None
    # A limit that a person typed applies at once: only recommendations rise as the policy says.
    limit_usd, held_back = (
        (decided, "")
        if is_edited
        else limit_in_force(
            decided, proposal.in_force_limit_usd, proposal.base_limit_usd, proposal.level, proposal.restore_step
        )
    )
    why = {
        APPROVED: f"edited by {proposal.editor_name}: {proposal.edit_reason}" if is_edited else "as recommended",
        REJECTED: "recommended cut rejected: limit in force kept",
        TIMED_OUT: "no decision by the deadline: as recommended",
        NOT_REQUIRED: "as recommended",
    }[proposal.outcome or TIMED_OUT]
    return {
        "account_id": proposal.account_id,
        "base_limit_usd": proposal.base_limit_usd,
        "recommended_limit_usd": proposal.recommended_limit_usd,
        "decided_limit_usd": decided,
        "limit_usd": limit_usd,
        "reason": f"{why}; {held_back}" if held_back else why,
        "decision_id": proposal.outcome_id,
    }


def platform_csv(published: Sequence[Mapping[str, Any]]) -> str:
    """Write published limits for the trading platform: exact values, one row per account, by name."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: row[name] for name in COLUMNS} for row in published)
    return stream.getvalue()


def write_once(path: Path, content: bytes) -> bool:
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
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".limits-", dir=path.parent)
        with contextlib.ExitStack() as cleanup:
            cleanup.callback(Path(name).unlink, missing_ok=True)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).chmod(0o644)
            with contextlib.suppress(FileExistsError):
                # A link, not a rename: it fails where the name is taken, so no file is ever replaced.
                path.hardlink_to(name)
                return True
        present = path.read_bytes()
    except OSError as error:
        raise StackError(
            f"The limits cannot be written to {path}: {error.strerror or error}. Free space or make it writable "
            "(RISK_OUTBOUND_DIR sets the folder), then clear task publish."
        ) from error
    if present != content:
        raise StackError(
            f"{path} already exists with other limits: nothing was written. Find out who wrote it, move it away, "
            "then clear task publish."
        )
    return False
