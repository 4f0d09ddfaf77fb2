"""The command ``riskctl verify``: whether what is recorded is what mails have witnessed; nothing is changed."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from risk.cli_parts import JsonFlag, warehouse


def verify_chain(
    mail: Annotated[
        list[Path] | None,
        typer.Option(help="A report's mail, saved as .eml, or a .chain file of the trading platform; several times."),
    ] = None,
    *,
    as_json: JsonFlag = False,
) -> None:
    """Compute the chain over all recorded rows again and compare it with heads that mails state.

    Exit code: 0 the chain is whole; 1 a row differs, is missing or has no link, or the chain is cut.
    """
    from risk.core.chain import read_witness
    from risk.core.verify import verify

    witnesses = {str(file): read_witness(file) for file in mail or ()}
    with warehouse() as connection:
        # Rows and links of one instant, while tasks go on recording.
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        verdict = verify(connection, witnesses)
    typer.echo(json.dumps(asdict(verdict)) if as_json else verdict.sentence)
    if verdict.fault:
        raise typer.Exit(1)
