"""The command ``riskctl map``: how one file would be loaded, and what would be rejected; nothing is changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console, JustifyMethod
from rich.markup import escape

from risk.cli_parts import JsonFlag, MappingOption, read_settings_with, table

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
        shown = table(escape(title or "The first rows as they would be loaded"), COLUMNS)
        for row in preview.rows:
            shown.add_row(*(escape(row[name]) for name in COLUMNS))
        Console().print(shown)
        for sentence in preview.sentences():
            typer.echo(sentence)
    if preview.rejected:
        raise typer.Exit(1)
