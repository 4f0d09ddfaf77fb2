"""The command ``riskctl export``: tables for other systems, as of an instant; nothing of the warehouse is changed."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import sys
from typing import Annotated

import typer

from risk.cli_parts import JsonFlag, instant_of, warehouse
from risk.core.settings import read_settings
from risk.report.export import ExportFormat


def export(
    to: Annotated[
        str, typer.Option("--to", help="Folder, or an address such as s3://connection@bucket/tables; made if missing.")
    ],
    as_of: Annotated[
        str, typer.Option("--as-of", help="What was known at this instant (ISO 8601, UTC); empty: now.")
    ] = "",
    export_format: Annotated[ExportFormat, typer.Option("--format", help="How tables are written.")] = (
        ExportFormat.parquet
    ),
    *,
    as_json: JsonFlag = False,
) -> None:
    """Write daily results, limits in force, their use and decisions into files, each once, with exact amounts.

    The books are built again from what was recorded until the instant: a later restatement changes nothing.
    """
    instant = instant_of(as_of or None) or dt.datetime.now(dt.UTC)
    # Airflow logs to what is standard output when it is imported; ours holds the result alone.
    with contextlib.redirect_stdout(sys.stderr):
        from risk.limits.publish import EXPORT
        from risk.operators.outbound import outbound_at
        from risk.report.export import read_tables, write_tables

        outbound = outbound_at(to, EXPORT)
        with warehouse() as connection:
            tables = read_tables(connection, instant)
        written = list(write_tables(tables, outbound, read_settings().desk, instant, export_format))
    facts = {"as_of": instant.isoformat(), "files": written, "rows": {name: len(rows) for name, rows in tables.items()}}
    typer.echo(json.dumps(facts) if as_json else "\n".join(written))
