"""The command ``riskctl map``: how one file would be loaded, and what would be rejected; nothing is changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import JustifyMethod

from risk.cli_parts import JsonFlag, MappingOption, print_table, read_settings_with

COLUMNS: dict[str, JustifyMethod] = {
    "line": "right",
    "time": "left",
    "account_id": "left",
    "session_date": "left",
    "side": "left",
    "quantity": "right",
    "symbol": "left",
    "price": "right",
    "fees_usd": "right",
    "fill_id": "left",
}
"""What a terminal shows of a row; ``--json`` has everything."""

NAMES = {"account_id", "symbol", "fill_id"}
"""Columns that are cut where a terminal is too narrow."""


def show_mapping(
    file: Annotated[Path, typer.Option(help="The file, ours or a broker's export.")],
    mapping: MappingOption = "",
    *,
    as_json: JsonFlag = False,
) -> None:
    """Show how a file would be loaded: first rows, counts, what is rejected and why. Exit code 1: rows are rejected."""
    from risk.ingest.preview import preview_file

    preview = preview_file(file, read_settings_with(mapping))
    if as_json:
        typer.echo(json.dumps(preview.facts))
    else:
        title = preview.mapping.description if preview.mapping else ""
        cells = ([row[name] for name in COLUMNS] for row in preview.rows)
        print_table(title or "The first rows as they would be loaded", COLUMNS, cells, NAMES)
        for sentence in preview.sentences():
            typer.echo(sentence)
    if preview.rejected:
        raise typer.Exit(1)
