"""The limits of a report in a terminal: the last thing on the screen of whoever typed ``make run``.

The text report stands above with every reason and warning, so that the table has only what is set and compared; a wide
terminal has room for the strongest reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from risk.report.facts import AccountFacts, Facts, parse_facts

STYLES = {"high": "bold red", "moderate": "yellow", "low": "green"}

REASON_WIDTH = 120
"""From so many columns on the strongest reason has room beside the numbers."""


def limits_table(canonical: str, width: int) -> RenderableType:
    """Lay the limits of a stored report out as a table.

    Parameters
    ----------
    canonical
        Content of ``report.json``.
    width
        Columns of the terminal.
    """
    return Group(*_parts(parse_facts(canonical), has_reason=width >= REASON_WIDTH))


def _parts(facts: Facts, *, has_reason: bool) -> Iterator[RenderableType]:
    if facts.is_simulated:
        yield Text("SIMULATED DESK: no real trader is behind these numbers.", style="bold magenta")
    title = Text(f"Limits for {facts.effective_session}, from the fills through {facts.session_date}", style="bold")
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("Trader", overflow="fold")
    table.add_column("Level", no_wrap=True)
    for heading in ("Cut", "Base limit", "New limit", "Forecast 5 %", "Result"):
        table.add_column(heading, justify="right", no_wrap=True)
    if has_reason:
        table.add_column("Strongest reason", overflow="fold")
    for account in facts.accounts:
        reason = Text(next(iter(account.reasons), ""))
        table.add_row(*_cells(account), *([reason] if has_reason else []))
    yield table


def _cells(account: AccountFacts) -> tuple[Text, ...]:
    """Write a row; as Text, so that no name is read as markup."""
    style = STYLES[account.level]
    return (
        Text(account.account_id),
        Text(account.level.upper(), style=style),
        Text(f"{account.cut_ratio:.0%}"),
        Text(f"{account.base_limit_usd:,.2f}"),
        Text(f"{account.new_limit_usd:,.2f}", style=style if account.cut_ratio else ""),
        Text(_signed(account.forecast_quantile_05_usd)),
        Text(_signed(account.total_pnl_usd)),
    )


def _signed(amount: Decimal | None) -> str:
    return "not known" if amount is None else f"{amount:+,.2f}"
