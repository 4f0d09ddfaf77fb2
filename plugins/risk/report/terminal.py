"""The report in a terminal: the facts as tables, for whoever typed ``make run``."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from risk.report.facts import AccountFacts, Facts, parse_facts

STYLES = {"high": "bold red", "moderate": "yellow", "low": "green"}


def tables(canonical: str) -> RenderableType:
    """Lay the facts of a stored report out as tables.

    Parameters
    ----------
    canonical
        Content of ``report.json``.
    """
    return Group(*_parts(parse_facts(canonical)))


def _parts(facts: Facts) -> Iterator[RenderableType]:
    if facts.is_simulated:
        yield Text("SIMULATED DESK: no real trader is behind these numbers.", style="bold magenta")
    limits = Table(title=f"Limits for {facts.effective_session}, from the fills through {facts.session_date}")
    for heading in ("Trader", "Level"):
        limits.add_column(heading)
    for heading in ("Cut", "Base limit", "New limit", "Forecast 5 %", "Result"):
        limits.add_column(heading, justify="right", no_wrap=True)
    limits.add_column("Why", overflow="fold")
    for account in facts.accounts:
        limits.add_row(*_cells(account))
    yield limits
    if facts.warnings:
        warnings = Table(title="Data warnings", show_header=False)
        warnings.add_column(overflow="fold")
        for warning in facts.warnings:
            warnings.add_row(Text(warning.message))
        yield warnings


def _cells(account: AccountFacts) -> tuple[Text, ...]:
    """Write a row; as Text, so that no name or reason is read as markup."""
    return (
        Text(account.account_id),
        Text(account.level.upper(), style=STYLES[account.level]),
        Text(f"{account.cut_ratio:.0%}"),
        Text(f"{account.base_limit_usd:,.2f}"),
        Text(f"{account.new_limit_usd:,.2f}"),
        Text(_signed(account.forecast_quantile_05_usd)),
        Text(_signed(account.total_pnl_usd)),
        Text("; ".join(account.reasons)),
    )


def _signed(amount: Decimal | None) -> str:
    return "not known" if amount is None else f"{amount:+,.2f}"
