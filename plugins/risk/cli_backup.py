"""The commands ``riskctl backup`` and ``riskctl restore``: all databases of an installation in one file."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Annotated

import typer

from risk.cli_parts import JsonFlag
from risk.core.errors import RequestError
from risk.core.settings import VAR_DIR, Settings, read_settings

FileOption = Annotated[str, typer.Option("--file", help="The backup file.")]


def backup(file: FileOption = "", *, as_json: JsonFlag = False) -> None:
    """Write the warehouses and Airflow's metadata into one file, while everything runs."""
    from risk.core.backup import back_up, installed_databases

    settings = read_settings()
    dsn = _server_dsn(settings)
    now = dt.datetime.now(dt.UTC)
    path = Path(file).absolute() if file else VAR_DIR / "backups" / f"risk-{now:%Y%m%dT%H%M%SZ}.tar"
    digests = back_up(dsn, installed_databases(dsn), path, settings.backup_key)
    sentence = f"{path} ({path.stat().st_size / 1e6:.1f} MB) holds {', '.join(digests)}. Keep it on another machine."
    typer.echo(json.dumps({"file": str(path), "sha256": digests}) if as_json else sentence)


def restore(
    file: FileOption = "",
    *,
    trusted: Annotated[bool, typer.Option("--trusted", help="Restore a backup that others may have made.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Replace the databases of this installation by those of a backup; Airflow must be stopped."""
    from risk.core.backup import restore as restore_databases

    if not file or not Path(file).is_file():
        raise RequestError(f"FILE={file} is not a file: name a backup, make restore FILE=var/backups/risk-....tar.")
    settings = read_settings()
    done = restore_databases(_server_dsn(settings), Path(file).absolute(), settings.backup_key, is_trusted=trusted)
    sessions = [session.isoformat() for session in done.closed_sessions]
    closed = (
        f" Approvals that were open in the backup, for {', '.join(sessions)}, are closed and never come into force: "
        "run the session again, and its report asks again."
        if sessions
        else " No approval was open in the backup."
    )
    sentence = f"Restored {', '.join(done.databases)}.{closed} Start Airflow again (make up)."
    restored = {"restored": done.databases, "closed_approvals": sessions}
    typer.echo(json.dumps(restored) if as_json else sentence)


def _server_dsn(settings: Settings) -> str:
    from risk.core.backup import DATABASES

    if not settings.server_dsn:
        raise RequestError(
            "RISK_SERVER_DSN is not set: back up your own server with its pg_dump and pg_restore. Set it to a "
            f"superuser's connection only where {', '.join(DATABASES)} are databases of this installation and of "
            "nothing else."
        )
    return settings.server_dsn
