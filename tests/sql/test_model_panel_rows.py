"""The panel as read from the warehouse."""

from __future__ import annotations

import numpy as np

from risk.core.warehouse import Connection
from risk.model.panel import read_panel
from tests.sql.daily_rows import insert_pnl, trading_days


def test_panel_has_every_session_from_the_first_result_to_the_asked_one(connection: Connection) -> None:
    # given results on the first and third of five sessions; 2025-01-09 was a special closure
    days = trading_days(6)
    insert_pnl(connection, "B", {days[0]: "1.50"})
    insert_pnl(connection, "A", {days[2]: "-2.25"})

    # when
    panel = read_panel(connection, days[5])

    # then
    assert [day.isoformat() for day in panel.session_dates] == [
        "2025-01-02",
        "2025-01-03",
        "2025-01-06",
        "2025-01-07",
        "2025-01-08",
        "2025-01-10",
    ]
    assert panel.account_ids == ("A", "B")
    assert panel.total_pnl_usd[2, 0] == -2.25
    assert panel.total_pnl_usd[0, 1] == 1.5
    assert np.count_nonzero(panel.is_active) == 2
    assert (panel.volume[0, 1], panel.turnover_usd[0, 1], panel.fees_usd[0, 1]) == (
        1000.0,
        50000.0,
        5.0,
    )


def test_panel_has_no_number_where_nobody_traded_or_the_books_are_incomplete(connection: Connection) -> None:
    # given a carried position without fills, incomplete books, and a session that earned exactly nothing
    days = trading_days(3)
    insert_pnl(connection, "A", {days[0]: "-70"}, fill_count=0)
    insert_pnl(connection, "A", {days[1]: "0"}, incomplete_reason="No mark.")
    insert_pnl(connection, "A", {days[2]: "0"})

    # when
    panel = read_panel(connection, days[2])

    # then
    assert panel.is_active[:, 0].tolist() == [False, False, True]
    assert np.isnan(panel.fill_count[:2]).all()


def test_panel_does_not_know_accounts_that_first_traded_later(connection: Connection) -> None:
    days = trading_days(3)
    insert_pnl(connection, "A", {days[0]: "1"})
    insert_pnl(connection, "LATE", {days[2]: "1"})
    assert read_panel(connection, days[1]).account_ids == ("A",)


def test_panel_of_an_empty_warehouse_is_empty(connection: Connection) -> None:
    panel = read_panel(connection, trading_days(1)[0])
    assert panel.session_dates == ()
    assert panel.total_pnl_usd.shape == (0, 0)
