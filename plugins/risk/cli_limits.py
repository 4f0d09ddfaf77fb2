"""The commands ``riskctl limits``: ask for a change of a limit, and show the limits in force."""

from __future__ import annotations

import datetime as dt
import getpass
import json
import socket
from typing import Annotated

import typer
from rich.console import Console, JustifyMethod
from rich.markup import escape

from risk.cli_parts import JsonFlag, table, warehouse
from risk.core.settings import EXCHANGE_ZONE, read_settings

app = typer.Typer(name="limits", help="Limits in force and the register of changes.", no_args_is_help=True)

IN_FORCE_COLUMNS: dict[str, JustifyMethod] = {
    "account_id": "left",
    "limit_usd": "right",
    "source": "left",
    "since": "left",
}


@app.command(name="set")
def set_limit(
    account: Annotated[str, typer.Option(help="The account.")],
    limit: Annotated[str, typer.Option(help="Daily loss limit, US dollars; 0 = no trading, only with an end.")],
    start: Annotated[
        str,
        typer.Option(
            "--from",
            help="A date: a base limit from that session on. An instant, New York time unless it states an offset: an "
            "intraday change until the end of its day. With --until either begins a temporary change.",
        ),
    ],
    reason: Annotated[str, typer.Option(help="Why, in a sentence.")],
    until: Annotated[str, typer.Option(help="Instant at which a temporary change ends; a date counts whole.")] = "",
    replaces: Annotated[int | None, typer.Option(help="Number of the temporary change that this one ends.")] = None,
    *,
    as_json: JsonFlag = False,
) -> None:
    """Ask for a change of a limit; it acts once a person approves it on the trader's page."""
    from risk.limits.approvals import AirflowUser
    from risk.limits.register import RequestedChange, change_facts, change_sentences, request_change

    requested, settings = RequestedChange(account, limit, start, until, reason, replaces), read_settings()
    person = f"{getpass.getuser()}@{socket.gethostname()}"
    with warehouse() as connection:
        change = request_change(
            connection, requested, AirflowUser(person, person), has_dual_control=settings.dual_control
        )
    typer.echo(json.dumps(change_facts(change), default=str) if as_json else "\n".join(change_sentences(change)))


@app.command()
def in_force(
    at: Annotated[str, typer.Option(help="A date or an instant, New York time unless it states an offset.")] = "",
    *,
    as_json: JsonFlag = False,
) -> None:
    """Print every account's limit in force, where it comes from and since when; by default now."""
    from risk.limits.register import limits_in_force, parsed_instant

    instant = parsed_instant("--at", at) if at else dt.datetime.now(dt.UTC)
    with warehouse() as connection:
        found = limits_in_force(connection, instant)
    if as_json:
        facts = [
            {"account_id": name, "limit_usd": limit.limit_usd, "source": limit.source, "since": limit.since}
            for name, limit in found.items()
        ]
        typer.echo(json.dumps(facts, default=str))
        return
    shown = table(f"Limits in force, {_local(instant)} New York, US dollars", IN_FORCE_COLUMNS)
    for name, limit in found.items():
        since = "" if limit.since is None else _local(limit.since)
        shown.add_row(escape(name), f"{limit.limit_usd:,.2f}", limit.source, since)
    Console().print(shown)


def _local(instant: dt.datetime) -> str:
    return f"{instant.astimezone(EXCHANGE_ZONE):%Y-%m-%d %H:%M}"
