"""The limits of a report as a table in the terminal: the last output of ``make run``.

The text report above it has every reason and warning; the table adds the strongest reason if the terminal is wide.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from risk.core.money import percent, signed_usd_cents, usd, usd_exact
from risk.report.facts import AccountFacts, Facts, parse_facts

STYLES = {"high": "bold red", "moderate": "yellow", "low": "green"}

REASON_WIDTH = 120
"""Minimum width of the terminal for the column with the strongest reason."""


def limits_table(canonical: str, width: int) -> RenderableType:
    """Return the limits of a stored report as a table.

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
        yield Text("SIMULATED DESK: all accounts and trades are simulated.", style="bold magenta")
    title = Text(f"Limits for {facts.effective_session}, based on fills through {facts.session_date}", style="bold")
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("Trader", overflow="fold")
    table.add_column("Level", no_wrap=True)
    for heading in ("Cut", "Base limit", "New limit", "95% VaR", "P&L"):
        table.add_column(heading, justify="right", no_wrap=True)
    if has_reason:
        table.add_column("Strongest reason", overflow="fold")
    for account in facts.accounts:
        reason = Text(next(iter(account.reasons), ""))
        table.add_row(*_cells(account), *([reason] if has_reason else []))
    yield table


def _cells(account: AccountFacts) -> tuple[Text, ...]:
    """Return the cells of a row, as Text so that names are not parsed as markup."""
    style = STYLES[account.level]
    return (
        Text(account.account_id),
        Text(account.level.upper(), style=style),
        Text(percent(account.cut_ratio)),
        Text(usd_exact(account.base_limit_usd)),
        Text(usd_exact(account.new_limit_usd), style=style if account.cut_ratio else ""),
        Text("none" if account.value_at_risk_usd is None else usd(account.value_at_risk_usd)),
        Text("unknown" if account.total_pnl_usd is None else signed_usd_cents(account.total_pnl_usd)),
    )
