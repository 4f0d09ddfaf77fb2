"""The report in a terminal says what the facts say."""

from __future__ import annotations

import io
import re

from rich.console import Console

from risk.report.facts import Facts
from risk.report.terminal import tables
from tests.report_desks import account, desk


def printed(facts: Facts, width: int = 200) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width).print(tables(facts.canonical))
    return stream.getvalue()


def test_terminal_shows_every_limit_of_the_report() -> None:
    shown = printed(desk([account("NET001", "0.40"), account("NET002", "0.00", total_pnl_usd=None)], ["Fees look odd"]))

    rows = [re.split(r"\s*│\s*", line.strip("│ ")) for line in shown.splitlines() if line.startswith("│ NET")]
    # 5,000 less 40 % is 3,000.
    assert rows[0][:7] == ["NET001", "HIGH", "40%", "5,000.00", "3,000.00", "-2,345.68", "-1,033.20"]
    assert rows[1][:7] == ["NET002", "LOW", "0%", "5,000.00", "5,000.00", "-2,345.68", "not known"]
    assert "Fees look odd" in shown


def test_terminal_reads_no_name_or_reason_as_markup() -> None:
    shown = printed(desk([account("[red]A[/red]", reasons=("[link=http://x]y[/link]",))], ["[bold]z[/bold]"]))

    assert "[red]A[/red]" in shown
    assert "[link=http://x]y[/link]" in shown
    assert "[bold]z[/bold]" in shown


def test_terminal_says_that_the_desk_is_simulated() -> None:
    assert "SIMULATED DESK" in printed(desk([account()], is_simulated=True))
    assert "SIMULATED" not in printed(desk([account()]))
