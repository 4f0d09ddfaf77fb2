"""The page of the model: its card, the gate's evaluations, and what it says where there is none."""

from __future__ import annotations

import datetime as dt
import json
import math
from typing import Any

from risk.core.warehouse import Connection
from tests.operators.web_client import figures, words
from tests.report_desks import insert, open_run

CARD = {
    "account_count": 12,
    "session_count": 130,
    "versions": {"numpy": "2.3.1", "python": "3.11"},
    "record": {
        "models": {
            "calibrated": {
                "loss": 0.1, "gain_vs_historical": 0.123, "gain_interval": [0.04, 0.2], "breach": 0.051,
                "kupiec_p": 0.9, "kupiec_independent_p": 0.04, "christoffersen_p": None,
            }
        },
        "gate": {"served": "rules", "improvement": 0.05, "p_value": 0.2, "reasons": []},
    },
    "checks": {
        "forecast_count": 800,
        "levels": [[0.05, 0.06], [0.5, 0.48]], "joint_p": 0.4, "zone": "green", "independent_zone": "yellow",
        "shortfall_statistic": -0.1,
        "shortfall_p": None,
    },
    "coverage": [
        {"account_id": "NET001", "forecast_count": 60, "breach_count": 9, "p_value": 0.001, "is_rejected": True}
    ],
    "states": [
        {"state": "all sessions", "forecast_count": 800, "exceedance_count": 48, "low_ratio": 0.04, "high_ratio": 0.08},
        {"state": "after a break", "forecast_count": 0, "exceedance_count": 0, "low_ratio": None, "high_ratio": None},
    ],
    "state_definitions": "Break: 10 sessions or more.",
    "weights": {"historical": 0.25, "boosted": 0.75},
    "course": {
        "session_dates": ["2025-08-08", "2025-08-15"],
        "weights": {"historical": [0.5, 0.25], "boosted": [0.5, 0.75]},
    },
    "calibration": 0.012,
    "inputs": [{"name": "x", "sentence": "sessions since the peak", "ridge": 0.25, "trees": 0.125}],
}  # fmt: skip


def store_model(connection: Connection, card: dict[str, Any], *, name: str = "ab" * 32) -> int:
    dates = {"first_session_date": dt.date(2025, 2, 3), "last_session_date": dt.date(2025, 8, 15)}
    source = {"artefact": "{}", "pair_count": 1404, "card": json.dumps(card), "dag_run_id": "trained"}
    return int(insert(connection, "model_versions", content_sha256=name, **dates, **source))


def evaluate(connection: Connection, model_id: int | None, **changes: Any) -> None:
    plain = {
        "serving": "rules",
        "is_pass": False,
        "session_count": 60,
        "forecast_count": 700,
        "improvement": 0.05,
        "p_value": 0.2,
        "exceedance_rate": 0.055,
        "reasons": ["the forecast's loss is 5.0 % below the rules'"],
        "drifts": [],
    }
    run_id = open_run(connection).run_id
    insert(connection, "gate_results", run_id=run_id, model_id=model_id, **{**plain, **changes})


def test_page_says_that_no_model_was_trained_yet(client: Any) -> None:
    shown = words(client.get("/model"))

    assert "No model has been trained yet" in shown
    assert "No evaluation yet" in shown


def test_model_of_an_unknown_number_is_not_found(client: Any) -> None:
    answer = client.get("/model/4711")

    assert answer.status_code == 404
    assert "There is no model 4711" in words(answer)


def test_model_shows_its_card(client: Any, connection: Connection) -> None:
    store_model(connection, CARD)

    answer = client.get("/model")

    shown = words(answer)
    assert "1,404 results of 12 accounts in 130 sessions" in shown
    assert "numpy 2.3.1, python 3.11." in shown
    assert "800 forecasts, one step ahead" in shown
    assert "calibrated 12.3% 4.0% to 20.0% 5.1% 0.900 0.040 n/a" in shown
    assert "6.0% observed at 5% expected; 48.0% observed at 50% expected." in shown
    assert "Basel zone green (yellow were traders independent); expected shortfall Z2 = -0.100" in shown
    # 48 of 800 are 6 %.
    assert "all sessions 48 of 800 6.0% 4.0% to 8.0%" in shown
    assert "Break: 10 sessions or more." in shown
    assert "after a break 0 of 0 n/a n/a" in shown
    # 9 of 60 are 15 %.
    assert "NET001 60 9 15.0% 0.001 rejected" in shown
    assert "boosted 75.0%" in shown
    # The logarithm 0.012 is a factor of 1.0121.
    assert "Calibration widens the mixture by 1.2%." in shown
    assert "sessions since the peak 0.250 0.125" in shown
    reliability, weights = figures(answer)
    # what is observed, beside the diagonal
    assert reliability["data"][1]["y"] == [0.06, 0.48]
    assert all(len(trace["x"]) == len(trace["y"]) for trace in weights["data"])


def test_card_of_an_earlier_version_is_shown_without_what_it_lacks(client: Any, connection: Connection) -> None:
    older = {name: value for name, value in CARD.items() if name not in {"checks", "course", "states"}}
    score = {**CARD["record"]["models"]["calibrated"], "kupiec_p": 0.7}  # type: ignore[index]
    del score["kupiec_independent_p"]
    older["record"] = {**CARD["record"], "models": {"calibrated": score}}  # type: ignore[dict-item]
    model_id = store_model(connection, older)
    store_model(connection, CARD, name="cd" * 32)

    shown = words(client.get(f"/model/{model_id}"))

    assert f"Model {model_id}, abababababab" in shown
    assert "made before calibration was recorded" in shown
    assert "made before weights over time were recorded" in shown
    assert "made before states were recorded" in shown
    # its only p-value of Kupiec is that of independent traders
    assert "12.3% 4.0% to 20.0% 5.1% n/a 0.700 n/a" in shown
    assert "Model 2 , cdcdcdcdcdcd" in shown


def test_model_shows_the_gates_evaluations_and_drift(client: Any, connection: Connection) -> None:
    model_id = store_model(connection, CARD)
    evaluate(connection, model_id, drifts=["The input 'scale' has moved"])

    shown = words(client.get("/model")).replace("&#39;", "'")

    # Without Kupiec's and Christoffersen's p-values.
    assert "2025-08-15 1 miss rules 5.0% 0.200 5.5% n/a n/a the forecast's loss is 5.0 %" in shown
    assert "The input 'scale' has moved" in shown


def test_model_page_lists_evaluations_without_any_model(client: Any, connection: Connection) -> None:
    nothing = {"improvement": None, "p_value": None, "exceedance_rate": None, "session_count": 0, "forecast_count": 0}
    evaluate(connection, None, reasons=["no model was stored"], **nothing)

    shown = words(client.get("/model"))

    assert "2025-08-15 none miss rules n/a n/a" in shown
    assert "Bet on the model No session has been bet on yet." in shown


def test_model_draws_each_bets_wealth_and_says_what_it_tests(client: Any, connection: Connection) -> None:
    run_id = open_run(connection).run_id
    numbers = {"gain": 0.5, "forecast_count": 12, "exceedance_count": 1, "log_contrary": 0.0, "log_high": 0.0}
    for day, procedure, log_wealth in ((14, "before", 0.0), (15, "now", math.log(7.25))):
        bet = {"session_date": dt.date(2025, 8, day), "candidate": "model", "opponent": "rules", "run_id": run_id}
        rest = {"procedure": procedure, "log_wealth": log_wealth, "log_low": 0.0, "is_serving": False}
        insert(connection, "gate_bets", **bet, **numbers, **rest)

    shown = words(client.get("/model")).replace("&#39;", "'")

    assert "in every session, given the past, the forecast's expected loss is not below the opponent's" in shown
    assert "the wealth ever reaches 40 is at most 1 in 40" in shown
    assert (
        "From 2025-08-14 to 2025-08-15: wealth 7.25 after the last session, between 1.00 and 7.25; 40 is needed"
        in shown
    )
    assert "2 ways of forecasting have been bet on" in shown
    assert "Bet on filtered historical simulation No session has been bet on yet." in shown
