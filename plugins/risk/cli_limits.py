"""The commands ``riskctl limits``: request a change of a limit, show those in force, and whether they fit."""

from __future__ import annotations

import datetime as dt
import getpass
import json
import socket
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer
from rich.console import JustifyMethod

from risk.cli_parts import Commands, JsonFlag, print_table, session_date_of, warehouse
from risk.core.errors import RequestError
from risk.core.exchange import exchange, exchange_zone
from risk.core.money import percent, probability, usd, usd_exact
from risk.core.settings import read_settings

app = typer.Typer(
    cls=Commands, name="limits", help="Limits in force and the register of changes.", no_args_is_help=True
)

IN_FORCE_COLUMNS: dict[str, JustifyMethod] = {
    "account_id": "left",
    "limit_usd": "right",
    "source": "left",
    "since": "left",
    "platform": "left",
}

REVIEW_COLUMNS: dict[str, JustifyMethod] = {
    "account_id": "left",
    "base_limit_usd": "right",
    "days": "right",
    "median use": "right",
    "95% use": "right",
    "largest use": "right",
    "VaR": "right",
    "P > limit": "right",
    "verdict": "left",
}


@app.command(name="set")
def set_limit(
    account: Annotated[str, typer.Option(help="The account.")],
    limit: Annotated[str, typer.Option(help="Daily loss limit, US dollars; 0 = no trading, only with an end.")],
    start: Annotated[
        str,
        typer.Option(
            "--from",
            help="A date: a base limit from that session on. An instant, the exchange's time unless it states an "
            "offset: an intraday change until the end of its day. With --until either begins a temporary change.",
        ),
    ],
    reason: Annotated[str, typer.Option(help="Why, in a sentence.")],
    until: Annotated[str, typer.Option(help="Instant at which a temporary change ends; a date counts whole.")] = "",
    replaces: Annotated[int | None, typer.Option(help="Number of the temporary change that this one ends.")] = None,
    *,
    as_json: JsonFlag = False,
) -> None:
    """Request a change of a limit; it acts once a person approves it on the page Limits."""
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
    at: Annotated[str, typer.Option(help="A date or an instant, the exchange's time unless it states an offset.")] = "",
    *,
    as_json: JsonFlag = False,
) -> None:
    """Print every account's limit in force, its source, since when, and whether the platform has it; by default now."""
    from risk.limits.confirmations import read_confirmations
    from risk.limits.register import limits_in_force, parsed_instant

    instant = parsed_instant("--at", at) if at else dt.datetime.now(dt.UTC)
    with warehouse() as connection:
        found = limits_in_force(connection, instant)
        platform = {one.account_id: one.state for one in read_confirmations(connection, instant)}
    if as_json:
        facts = [
            {
                "account_id": name,
                "limit_usd": limit.limit_usd,
                "source": limit.source,
                "since": limit.since,
                "platform": platform[name],
            }
            for name, limit in found.items()
        ]
        typer.echo(json.dumps(facts, default=str))
        return
    print_table(
        f"Limits in force, {_local(instant)} {exchange().city}, US dollars",
        IN_FORCE_COLUMNS,
        (
            (
                name,
                f"{limit.limit_usd:,.2f}",
                limit.source,
                "" if limit.since is None else _local(limit.since),
                platform[name],
            )
            for name, limit in found.items()
        ),
        {"account_id"},
    )


@app.command()
def review(
    session: Annotated[str, typer.Option("--session", help="As known at this session's run; empty: the newest.")] = "",
    *,
    as_json: JsonFlag = False,
) -> None:
    """Print whether each base limit fits: use, hits, forecast at the close, verdict; proposals are only lower.

    Below them the limits of each trader with several accounts, taken together.
    """
    from risk.core.runs import ALL_SESSIONS
    from risk.core.warehouse import records
    from risk.limits.trader_fits import trader_sentence

    with warehouse() as connection:
        binds = dict.fromkeys(("first_session", "last_session"), session_date_of(session)) if session else ALL_SESSIONS
        found = records(connection, "apply_rules/select_limit_fits", binds)
        traders = records(connection, "apply_rules/select_trader_fits", binds)
    if not found:
        raise RequestError("No run has reviewed the limits yet: run a session (make trigger DATE=).")
    if as_json:
        typer.echo(json.dumps({"accounts": found, "traders": traders}, default=str))
        return
    title = f"Base limits after {found[0]['session_date']}; 95% VaR and P(loss > limit) at the close"
    print_table(title, REVIEW_COLUMNS, map(tuple, map(_review_cells, found)), {"account_id"})
    for row in found:
        for sentence in _review_sentences(row):
            typer.echo(f"{row['account_id']}: {sentence}")
    for row in traders:
        typer.echo(trader_sentence(row))


def _review_cells(row: Mapping[str, Any]) -> Iterator[str]:
    yield row["account_id"]
    yield usd_exact(row["base_limit_usd"])
    yield str(row["session_count"])
    for use in (row["median_use_ratio"], row["high_use_ratio"], row["largest_use_ratio"]):
        yield "-" if use is None else percent(use)
    yield "-" if row["value_at_risk_usd"] is None else usd(row["value_at_risk_usd"])
    yield "-" if row["loss_probability"] is None else probability(row["loss_probability"])
    yield row["verdict"]


def _review_sentences(row: Mapping[str, Any]) -> Iterator[str]:
    if row["verdict"] != "fits":
        yield row["sentence"]
    if row["proposed_limit_usd"] is not None:
        yield f"proposed base limit {usd_exact(row['proposed_limit_usd'])}"
    if row["warning"]:
        yield row["warning"]


def _local(instant: dt.datetime) -> str:
    return f"{instant.astimezone(exchange_zone()):%Y-%m-%d %H:%M}"
