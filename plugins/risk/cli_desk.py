"""The desk on a terminal: ``riskctl desk``, ``traders``, ``use`` and ``breaches``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import JustifyMethod

from risk.cli_parts import JsonFlag, print_table, session_date_of, warehouse
from risk.core.errors import RequestError
from risk.core.money import percent, probability, signed_usd, usd, usd_exact

if TYPE_CHECKING:
    import datetime as dt

    from risk.limits.breaches import BreachItem
    from risk.report.desk_summary import DeskSummary
    from risk.report.receipt_facts import ReceiptFacts

LEFT: JustifyMethod = "left"
RIGHT: JustifyMethod = "right"

DESK_COLUMNS: dict[str, JustifyMethod] = {
    "trader": LEFT,
    "new limit": RIGHT,
    "P beyond": RIGHT,
    "weighted loss": RIGHT,
    "share": RIGHT,
    "95% interval": RIGHT,
    "cut takes off": RIGHT,
}

TRADER_COLUMNS: dict[str, JustifyMethod] = {
    "account_id": LEFT,
    "display_name": LEFT,
    "trading_day_count": RIGHT,
    "latest_session_date": LEFT,
    "base_limit_usd": RIGHT,
    "status": LEFT,
}
"""What a terminal shows of the roster; ``--json`` has everything."""

USE_COLUMNS: dict[str, JustifyMethod] = {
    "session": LEFT,
    "trader": LEFT,
    "limit": RIGHT,
    "largest loss": RIGHT,
    "use": RIGHT,
    "final": RIGHT,
    "outcome": LEFT,
}

BREACH_COLUMNS: dict[str, JustifyMethod] = {
    "session": LEFT,
    "trader": LEFT,
    "state": LEFT,
    "limit": RIGHT,
    "at least": RIGHT,
    "use": RIGHT,
    "closed": LEFT,
}

SessionOption = Annotated[str, typer.Option("--session", help="Session, YYYY-MM-DD; empty: the newest.")]
AccountOption = Annotated[str, typer.Option("--account", help="Of this account alone.")]


class BreachState(StrEnum):
    """States of a breach that a person may ask for."""

    open = "open"
    closed = "closed"
    removed = "removed"


def desk(session: SessionOption = "", *, as_json: JsonFlag = False) -> None:
    """Print the desk: last P&L, limits, what it may lose, each trader's share of that, what each cut takes off it.

    Loss and shares are at the close, of the desk's expected shortfall; the report of the session says the same.
    """
    from risk.report.desk_summary import read_desk
    from risk.report.facts import exact

    with warehouse() as connection:
        found = read_desk(connection, session_date_of(session) if session else None)
    if as_json:
        typer.echo(json.dumps(found.plain, default=exact))
        return
    for sentence in _desk_sentences(found):
        typer.echo(sentence)
    if found.shares:
        title = f"Limits for {found.facts.effective_session}, largest share of the desk's shortfall first"
        print_table(title, DESK_COLUMNS, map(_share_cells, (asdict(one) for one in found.shares)), {"trader"})


def _desk_sentences(found: DeskSummary) -> Iterator[str]:
    from risk.report.render import say

    facts = found.facts
    if facts.is_simulated:
        yield say("simulated")
    yield f"{say('desk_result', facts.desk, facts.session_date.isoformat())}."
    judged = [one.words for one in facts.limit_use.further if one.kind == "loss of the desk"]
    named = "the policy names none" if found.desk_limit_usd is None else usd_exact(found.desk_limit_usd)
    yield f"{say('desk_limits', facts.desk)}; limit of the whole desk: {named}."
    yield from (f"{words[:1].upper()}{words[1:]}." for words in judged)
    if facts.desk_tail is None:
        yield "What the desk may lose was not computed: the report has no forecast."
    else:
        yield f"{say('desk_tail', facts.desk_tail)}."
    yield f"{say('limit_use', facts)}."


def _share_cells(one: Mapping[str, Any]) -> Sequence[str]:
    ends = (one["share_low_ratio"], one["share_high_ratio"])
    return (
        one["account_id"],
        usd_exact(one["limit_usd"]),
        probability(one["loss_probability"]),
        usd(one["expected_excess_usd"]),
        "-" if one["share_ratio"] is None else percent(one["share_ratio"]),
        "-" if None in ends else " to ".join(map(percent, ends)),
        "-" if one["relief_usd"] is None else usd(one["relief_usd"]),
    )


def traders(*, as_json: JsonFlag = False) -> None:
    """Print the roster as of the last run: trading days, latest session, base limit and status of every account."""
    from risk.core.runs import newest_run, read_roster
    from risk.limits.policy import read_terms

    with warehouse() as connection:
        run = newest_run(connection)
        terms = read_terms(connection, run.effective_session, run.as_of)
        roster = [
            trader._replace(base_limit_usd=terms.of(trader.account_id).base_limit_usd)
            for trader in read_roster(connection, run)
        ]
    if as_json:
        typer.echo(json.dumps([trader._asdict() for trader in roster], default=str))
        return
    simulated = ", simulated desk" if run.is_simulated else ""
    print_table(
        f"Accounts after {run.session_date}, base limits for {run.effective_session}{simulated}",
        TRADER_COLUMNS,
        [[str(getattr(trader, name) or "") for name in TRADER_COLUMNS] for trader in roster],
        {"account_id", "display_name"},
    )


def use(
    session: SessionOption = "",
    account: AccountOption = "",
    rows: Annotated[int, typer.Option("--rows", min=1, help="At most so many, the newest sessions first.")] = 100,
    *,
    as_json: JsonFlag = False,
) -> None:
    """Print how much of his limit each trader used: of the newest session, of one, or of all sessions of one account.

    Along the account's own fills, so that a loss is at least what is shown. Sessions with incomplete books are unknown.
    """
    from risk.core.runs import newest_run, read_roster
    from risk.limits.policy import read_terms
    from risk.report.facts import exact
    from risk.report.receipt_facts import read_receipts

    with warehouse() as connection:
        run = newest_run(connection)
        if account and account not in {trader.account_id for trader in read_roster(connection, run)}:
            raise RequestError(f"No account is named {account}: riskctl traders lists them.")
        day = session_date_of(session) if session else None if account else run.session_date
        terms = read_terms(connection, run.session_date, run.as_of)
        asked: dict[str, Any] = {"session_date": day, "account_id": account or None, "row_count": rows}
        receipts = read_receipts(connection, terms, **asked)
    if as_json:
        facts = [{"session_date": session_date, **asdict(one)} for session_date, one in receipts]
        typer.echo(json.dumps(facts, default=exact))
        return
    of = f" of {account}" if account else ""
    if not receipts:
        when = f" for {day}" if day else ""
        typer.echo(f"No use of a limit{of} is known{when}: no account with complete books traded.")
        return
    title = f"Use of limits{of or f' on {day}'}, US dollars; losses are at least what is shown"
    print_table(title, USE_COLUMNS, map(_use_cells, receipts), {"trader"})


def _use_cells(used: tuple[dt.date, ReceiptFacts]) -> Sequence[str]:
    session_date, one = used
    return (
        session_date.isoformat(),
        one.account_id,
        usd_exact(one.limit_usd),
        usd(one.largest_loss_usd),
        one.use_text,
        signed_usd(one.final_usd),
        one.outcome,
    )


def breaches(
    account: AccountOption = "",
    state: Annotated[BreachState | None, typer.Option("--state", help="Only these; by default all.")] = None,
    *,
    as_json: JsonFlag = False,
) -> None:
    """Print the breaches that an email has named: open ones first, oldest first; a person closes them on the Risk page.

    State removed: no longer a breach since the books were restated.
    """
    from risk.core.runs import newest_run
    from risk.limits.breaches import OPEN, read_items

    with warehouse() as connection:
        newest_run(connection)
        items = read_items(connection, account_id=account or None)
    chosen = [item for item in items if state is None or item.state == state]
    ordered = [item for item in chosen if item.state == OPEN]
    ordered += [item for item in reversed(chosen) if item.state != OPEN]
    if as_json:
        typer.echo(json.dumps([{**asdict(item), "state": item.state} for item in ordered], default=str))
        return
    kind, of = f" {state}" if state else "", f" of {account}" if account else ""
    if not ordered:
        typer.echo(f"No breach{of} is {state or 'recorded'}.")
        return
    title = f"{len(ordered)}{kind} {'breach' if len(ordered) == 1 else 'breaches'}{of}, US dollars"
    print_table(title, BREACH_COLUMNS, map(_breach_cells, ordered), {"trader", "closed"})


def _breach_cells(item: BreachItem) -> Sequence[str]:
    from risk.limits.breaches import CLOSED

    return (
        item.session_date.isoformat(),
        item.account_id,
        item.state,
        usd_exact(item.limit_usd),
        usd(item.largest_loss_usd),
        "n/a" if item.use_ratio is None else f"{int(item.use_ratio * 100):,}%",
        item.closing if item.action == CLOSED else "",
    )
