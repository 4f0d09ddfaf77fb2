"""The table of a terminal says what the facts say, and can be read at every width."""

from __future__ import annotations

import io
from decimal import Decimal

import pytest
from rich.console import Console

from devstack.terminal import limits_table
from risk.report.facts import Facts
from tests.report_desks import account, desk

LONG_NAME = "A Trader With A Name That Fills All Of The Fifty X"


def printed(facts: Facts, width: int = 200) -> list[str]:
    stream = io.StringIO()
    Console(file=stream, width=width).print(limits_table(facts.canonical, width))
    return [line.strip() for line in stream.getvalue().splitlines() if line.strip()]


@pytest.mark.parametrize("width", [80, 200])
def test_terminal_shows_every_limit_on_a_line_of_its_own(width: int) -> None:
    facts = desk(
        [
            account("NET001", "0.40", base_limit_usd=Decimal("1000000.00"), total_pnl_usd=Decimal("-101033.20")),
            account("NET002", "0.30"),
            account("NET005", "0.00", total_pnl_usd=None),
        ]
    )

    rows = [line.split() for line in printed(facts, width) if line.startswith("NET")]

    # 1,000,000 less 40 % is 600,000; 5,000 less 30 % is 3,500.
    assert rows[0][:7] == ["NET001", "HIGH", "40%", "$1,000,000", "$600,000", "$2,346", "-$101,033.20"]
    assert rows[1][:7] == ["NET002", "MODERATE", "30%", "$5,000", "$3,500", "$2,346", "-$1,033.20"]
    assert rows[2][:7] == ["NET005", "LOW", "0%", "$5,000", "$5,000", "$2,346", "unknown"]
    assert len(rows) == 3


def test_terminal_has_the_strongest_reason_where_it_has_room() -> None:
    facts = desk([account(reasons=("6 sessions of losses in a row", "second"))])

    assert printed(facts, 200)[-1].endswith("6 sessions of losses in a row")
    assert "losses in a row" not in " ".join(printed(facts, 80))


@pytest.mark.parametrize("width", [80, 120, 200])
def test_no_line_is_wider_than_the_terminal_and_no_name_is_cut(width: int) -> None:
    lines = printed(desk([account(LONG_NAME, reasons=("word " * 60,))]), width)

    assert max(map(len, lines)) <= width
    assert set(LONG_NAME.split()) <= set(" ".join(lines).split())


def test_terminal_reads_no_name_or_reason_as_markup() -> None:
    shown = " ".join(printed(desk([account("[red]A[/red]", reasons=("[link=http://x]y[/link]",))])))

    assert "[red]A[/red]" in shown
    assert "[link=http://x]y[/link]" in shown


def test_terminal_says_that_the_desk_is_simulated() -> None:
    assert "SIMULATED DESK" in printed(desk([account()], is_simulated=True))[0]
    assert "SIMULATED" not in " ".join(printed(desk([account()])))
