"""From a quantile to a cut, a level, a limit and the reasons, in exact decimals."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal

import numpy as np
import pytest

from risk.decision import Account, level, model_cut_ratio, new_limit_usd, recommendation, status
from risk.rules import History

SESSION = dt.date(2025, 8, 15)
ACCOUNT = Account(
    account_id="NET001",
    latest_session_date=SESSION,
    sessions_absent=0,
    active_session_count=30,
    newest_session_date=SESSION,
    incomplete_reason=None,
    delivery_state="delivered",
    base_limit_usd=None,
    quantile_05_usd=Decimal("-2000"),
    median_loss_usd=Decimal("1200"),
    issued_count=20,
    last_cut_ratio=None,
    last_session_date=None,
)
CALM = History(np.array([100.0, -100.0] * 15), 1000.0, SESSION)
THREE_LOSSES = History(np.array([100.0, -100.0] * 15 + [100.0, -1.0, -1.0, -1.0]), 1000.0, SESSION)


@pytest.mark.parametrize(
    ("quantile", "median", "cut"),
    [
        ("-1000", "1000", "0.00"),  # 1 - 1
        ("-900", "1000", "0.00"),  # quieter than usual: 1 - 1.11 is below 0
        ("-1250", "1000", "0.20"),  # a tail of 1.25 times the usual: 1 - 0.8
        ("-1249.99", "1000", "0.15"),  # 0.19999 is rounded down
        ("-5000", "3000", "0.40"),  # 1 - 0.6
        ("-5000", "1000", "0.80"),  # 1 - 0.2 exactly: binary floating point would give 75 %
        ("-10", "2", "0.80"),
        ("-1000000", "1", "0.80"),  # never more
        ("-3", "1", "0.65"),  # 0.666...
    ],
)
def test_the_cut_follows_from_the_tail_against_the_usual_one(quantile: str, median: str, cut: str) -> None:
    assert model_cut_ratio(Decimal(quantile), Decimal(median)) == Decimal(cut)


@pytest.mark.parametrize(
    ("cut", "name"),
    [("0.80", "high"), ("0.40", "high"), ("0.35", "moderate"), ("0.20", "moderate"), ("0.15", "low"), ("0", "low")],
)
def test_forty_percent_is_high_and_twenty_moderate(cut: str, name: str) -> None:
    assert level(Decimal(cut)) == name


def test_the_new_limit_is_exact_and_drops_fractions_of_a_cent() -> None:
    assert new_limit_usd(Decimal("5000.00"), Decimal("0.40")) == Decimal("3000.00")
    # 33.33 x 0.85 = 28.3305
    assert new_limit_usd(Decimal("33.33"), Decimal("0.15")) == Decimal("28.33")
    # 0.99 x 0.45 = 0.4455: never rounded up
    assert new_limit_usd(Decimal("0.99"), Decimal("0.55")) == Decimal("0.44")


@pytest.mark.parametrize(
    ("absent", "count", "name"),
    [
        (4, 20, "active"),
        (5, 20, "stale"),
        (4, 19, "limited history"),
        (5, 19, "stale"),
        (0, 0, "limited history"),
    ],
)
def test_status_is_stale_from_five_sessions_and_limited_below_twenty(absent: int, count: int, name: str) -> None:
    assert status(absent, count) == name


def test_rules_serve_and_the_forecast_stands_beside_while_it_is_not_proven() -> None:
    # when
    decided = recommendation(ACCOUNT, THREE_LOSSES, SESSION)

    # then the rules' 30 % count, not the model's 1 - 1200 / 2000 = 40 %
    assert (decided["cut_ratio"], decided["rules_cut_ratio"]) == (Decimal("0.30"), Decimal("0.30"))
    assert decided["model_cut_ratio"] == Decimal("0.40")
    assert (decided["source"], decided["source_version"]) == ("rules", "rules-1")
    assert decided["source_reason"] == "Forecast not yet proven: rules serve."
    assert decided["new_limit_usd"] == Decimal("3500.00")
    assert decided["reasons"] == ["3 sessions of losses in a row"]


def test_there_is_no_model_cut_before_twenty_forecasts_or_without_one() -> None:
    short = dataclasses.replace(ACCOUNT, issued_count=19)
    silent = dataclasses.replace(ACCOUNT, quantile_05_usd=None)
    assert recommendation(short, CALM, SESSION)["model_cut_ratio"] is None
    assert recommendation(silent, CALM, SESSION)["model_cut_ratio"] is None


def test_incomplete_books_are_the_reason_of_the_source() -> None:
    account = dataclasses.replace(ACCOUNT, incomplete_reason="No mark for XYZ: load marks.")
    decided = recommendation(account, CALM, SESSION)
    assert decided["source"] == "rules"
    assert decided["source_reason"] == ("Books of 2025-08-15 are incomplete, rules serve: No mark for XYZ: load marks.")
    assert decided["reasons"] == ["Books of 2025-08-15 are incomplete and left out"]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("not posted", "not posted yet"),
        ("missing", "missing"),
        ("feed broken", "missing, as are everybody's"),
        ("rejected", "all rejected"),
    ],
)
def test_a_cut_is_not_lowered_while_fills_are_withheld(state: str, words: str) -> None:
    # given 50 % after the session before, and rules that find 30 % in the data there is
    account = dataclasses.replace(
        ACCOUNT,
        delivery_state=state,
        latest_session_date=dt.date(2025, 8, 13),
        last_cut_ratio=Decimal("0.50"),
        last_session_date=dt.date(2025, 8, 14),
    )

    # when
    decided = recommendation(account, THREE_LOSSES, SESSION)

    # then
    assert (decided["cut_ratio"], decided["rules_cut_ratio"]) == (Decimal("0.50"), Decimal("0.30"))
    assert decided["level"] == "high"
    assert decided["reasons"] == [
        f"Fills of 2025-08-15 are {words}: the cut of 50 % recommended after 2025-08-14 stays",
        "3 sessions of losses in a row",
    ]


@pytest.mark.parametrize("last_cut", [None, Decimal("0.10"), Decimal("0.30")])
def test_withheld_fills_are_named_where_the_last_cut_was_no_higher(last_cut: Decimal | None) -> None:
    account = dataclasses.replace(
        ACCOUNT,
        delivery_state="not posted",
        latest_session_date=dt.date(2025, 8, 13),
        last_cut_ratio=last_cut,
        last_session_date=dt.date(2025, 8, 14),
    )
    decided = recommendation(account, THREE_LOSSES, SESSION)
    assert decided["cut_ratio"] == Decimal("0.30")
    assert decided["reasons"] == [
        "3 sessions of losses in a row",
        "Fills of 2025-08-15 are not posted yet: the data ends on 2025-08-13",
    ]


@pytest.mark.parametrize("state", ["delivered", "no trades", None])
def test_a_cut_falls_when_the_session_is_known(state: str | None) -> None:
    account = dataclasses.replace(
        ACCOUNT, delivery_state=state, last_cut_ratio=Decimal("0.60"), last_session_date=dt.date(2025, 8, 14)
    )
    decided = recommendation(account, CALM, SESSION)
    assert (decided["cut_ratio"], decided["reasons"]) == (Decimal("0.00"), [])
