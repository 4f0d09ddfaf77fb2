"""The vendor's rule for self-trades, by its own examples and at its bounds."""

from __future__ import annotations

import pytest

from risk.desk.self_trades import SelfTrade, chance_rates, find_self_trades
from tests.desk_days import Trade, desk


def _pair(**changes: object) -> list[Trade]:
    """Make the vendor's second example, with a change of the second account's fill."""
    return [Trade("ACCOUNT1", "XYZ", 0, -100), Trade("ACCOUNT2", "XYZ", 0, 100)._replace(**changes)]  # type: ignore[arg-type]


def test_short_and_cover_of_two_accounts_is_a_self_trade() -> None:
    [found] = find_self_trades(desk(_pair(), {"XYZ": 4_999_999}))
    assert (found.buyer, found.seller, found.count, found.is_volume_known) == (1, 0, 1, True)


@pytest.mark.parametrize(
    "change",
    [{"second": 1}, {"cents": 1001}, {"shares": 101}, {"shares": -100}, {"route": "IEX"}, {"account": "ACCOUNT1"},
     {"symbol": "ABC"}],
)  # fmt: skip
def test_anything_that_differs_is_none(change: dict[str, object]) -> None:
    assert find_self_trades(desk(_pair(**change))) == []


def test_volume_of_five_million_is_not_checked_and_an_unknown_one_is() -> None:
    assert find_self_trades(desk(_pair(), {"XYZ": 5_000_000})) == []
    [found] = find_self_trades(desk(_pair()))
    assert not found.is_volume_known


def test_unknown_destination_is_checked() -> None:
    assert len(find_self_trades(desk(_pair(route=None)))) == 1


def test_each_fill_counts_once() -> None:
    # given two sales that one purchase may have met
    trades = [*_pair(), Trade("ACCOUNT3", "XYZ", 0, -100)]
    found: list[SelfTrade] = find_self_trades(desk(trades))
    assert [(one.buyer, one.seller, one.count) for one in found] == [(1, 0, 1)]


def test_chance_counts_what_would_meet_within_the_hour() -> None:
    # given a purchase and, of another account, sales an hour and an hour and a second later
    trades = [Trade("A", "XYZ", 0, 100), Trade("B", "XYZ", 3600, -100), Trade("B", "XYZ", 3601, -100)]

    # then one of them, in one second of 6,600, on 250 days
    assert chance_rates(desk(trades)).tolist() == pytest.approx([250 / 6600])


def test_session_without_fills_has_none() -> None:
    assert find_self_trades(desk([])) == []
    assert chance_rates(desk([])).tolist() == [0.0]
