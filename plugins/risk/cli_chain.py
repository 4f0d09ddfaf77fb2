"""The command ``riskctl verify``: whether what is recorded is what mails have witnessed; nothing is changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from risk.cli_parts import JsonFlag, warehouse


def verify_chain(
    mail: Annotated[
        list[Path] | None,
        typer.Option(
            help="A mail of a report or of limits in force, saved as .eml, or a .chain file of the trading platform; "
            "several times."
        ),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--export", help="Write the links and their rows here, for verify.py, which needs only Python."),
    ] = None,
    *,
    as_json: JsonFlag = False,
) -> None:
    """Compute the chain over all recorded rows again and compare it with heads that mails state.

    Exit code: 0 the chain is whole; 1 a row differs, is missing or has no link, or the chain is cut; 2 history that
    mails have seen is missing, and a restore is recorded that explains it: ask who made it.
    """
    from risk.core.chain import export, verify, witnesses_of

    witnesses = [witness for file in mail or () for witness in witnesses_of(file)]
    with warehouse() as connection:
        # Rows and links of one instant, while tasks go on recording.
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        if folder is not None:
            export(connection, folder)
        verdict = verify(connection, witnesses)
    typer.echo(json.dumps(verdict._asdict()) if as_json else verdict.sentence)
    if verdict.exit_code:
        raise typer.Exit(verdict.exit_code)
