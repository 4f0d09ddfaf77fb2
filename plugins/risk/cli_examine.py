"""The command ``riskctl examine``: the examiner's pack of one account; nothing of the warehouse is changed."""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path
from typing import Annotated

import typer

from risk.cli_parts import JsonFlag, warehouse
from risk.core.errors import RequestError


def examine(
    account: Annotated[str, typer.Option("--account", help="Account that the pack is about.")],
    first: Annotated[str, typer.Option("--from", help="First day of the range, YYYY-MM-DD.")],
    last: Annotated[str, typer.Option("--to", help="Last day of the range, YYYY-MM-DD.")],
    out: Annotated[Path, typer.Option("--out", help="Zip file to write; one that exists is not replaced.")],
    *,
    as_json: JsonFlag = False,
) -> None:
    """Write a zip file that shows an examiner one account's limits, decisions, use and delivery, with proof.

    It holds nothing of other accounts. Unzip it and open index.html; python verify.py checks it without the product.
    """
    from risk.evidence.later import airflow_people
    from risk.evidence.pack import examine as make

    with warehouse() as connection:
        made = make(connection, account, _day(first, "--from"), _day(last, "--to"), out, airflow_people(os.environ))
    scope = made.scope
    facts = {
        "file": str(made.file),
        "account_id": scope.account_id,
        "sessions": len(scope.sessions),
        "rows": made.row_count,
        "head": made.head,
        "is_final": scope.made_at >= scope.until,
    }
    typer.echo(json.dumps(facts) if as_json else made.sentence)


def _day(text: str, option: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise RequestError(f"{option} {text!r} is not a date: write it as YYYY-MM-DD.") from None
