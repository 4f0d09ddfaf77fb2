"""The backtest: known truth is found, odd input is named, and the contract's JSON is complete."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from risk.core.calendar import sessions_between
from risk.core.entities import Fill
from risk.core.errors import InputError
from risk.model.backtest import BacktestRecord, backtest_record, coverage_checks, panel_of_fills, panel_of_pnl, walk
from risk.model.panel import Panel
from risk.report.charts import draw_plots
from simulation.truth import draw
from tests.policies import CUT_FUNCTIONS

MODELS = {
    "historical", "filtered", "log_scale_ridge", "boosted", "garch", "mixture", "calibrated",
    "rules", "always_21_percent", "random_reassignment",
}  # fmt: skip


RATES = ("exceedance_rate", "breach")
"""The second is the first one's old name, kept until 0.1.0."""


def _write(file: Path, rows: list[tuple[str, str, str]]) -> Path:
    lines = ["account_id,session_date,net_pnl_usd", *(",".join(row) for row in rows)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def _truth_rows(traders: int, sessions: int) -> list[tuple[str, str, str]]:
    truth = draw("strong", traders, sessions, 1)
    active = zip(*np.nonzero(truth.is_active), strict=True)
    return [
        (truth.account_ids[account], truth.session_dates[row].isoformat(), f"{truth.net_pnl_usd[row, account]:.2f}")
        for row, account in active
    ]


def _backtest(panel: Panel) -> BacktestRecord:
    return backtest_record(*walk(panel), CUT_FUNCTIONS)


@pytest.fixture(scope="module")
def strong_facts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    file = _write(tmp_path_factory.mktemp("backtest") / "pnl.csv", _truth_rows(12, 130))
    return json.loads(json.dumps(_backtest(panel_of_pnl(file)[0]).facts(), allow_nan=False))


def test_backtest_gives_every_model_and_baseline_the_numbers_of_the_contract(strong_facts: dict[str, object]) -> None:
    assert set(strong_facts["models"]) == MODELS
    for score in strong_facts["models"].values():
        p_values = {"kupiec_p", "kupiec_independent_p", "christoffersen_p"}
        assert set(score) == {"loss", "gain_vs_historical", "gain_interval", *RATES, *p_values}
        assert score["breach"] == score["exceedance_rate"]
        low, high = score["gain_interval"]
        assert low <= score["gain_vs_historical"] <= high
    assert set(strong_facts["gate"]) == {"served", "improvement", "p_value", "reasons"}


def test_backtest_finds_more_in_the_forecast_than_in_its_random_reassignment(strong_facts: dict[str, object]) -> None:
    models = strong_facts["models"]

    assert models["historical"]["gain_vs_historical"] == 0.0
    assert models["calibrated"]["loss"] < models["random_reassignment"]["loss"]


def test_a_walk_is_checked_drawn_and_heard(tmp_path: Path) -> None:
    # given
    panel = panel_of_pnl(_write(tmp_path / "pnl.csv", _truth_rows(6, 100)))[0]
    heard: list[float] = []

    # when
    history, forecasts = walk(panel, heard.append)
    record, checks = backtest_record(history, forecasts, CUT_FUNCTIONS), coverage_checks(history, forecasts)
    files = draw_plots(tmp_path / "plots", history, forecasts, record, checks)
    again = draw_plots(tmp_path / "again", history, forecasts, record, checks)

    # then
    assert heard == sorted(heard)
    assert heard[-1] == 1.0
    assert [file.name for file in files] == [
        "calibration.svg", "loss_by_expert.svg", "weights_over_time.svg", "breaches_per_trader.svg",
    ]  # fmt: skip
    assert [file.read_bytes() for file in files] == [file.read_bytes() for file in again]
    is_scored = np.isfinite(panel.total_pnl_usd[1:]) & np.isfinite(forecasts.calibrated[:-1])
    assert checks.forecast_count == is_scored.sum()
    assert sum(account.forecast_count for account in checks.accounts) == checks.forecast_count
    assert [promised for promised, _ in checks.levels] == [0.01, 0.05, 0.10, 0.25, 0.50, 0.75, 0.95]
    exceedances = (panel.total_pnl_usd[1:] < forecasts.calibrated[:-1])[is_scored].mean()
    assert dict(checks.levels)[0.05] == pytest.approx(exceedances, abs=1e-9)
    assert all(abs(found - promised) < 0.1 for promised, found in checks.levels)


def test_nothing_is_drawn_or_said_where_nothing_is_scored(tmp_path: Path) -> None:
    panel = panel_of_pnl(_write(tmp_path / "pnl.csv", [("A1", "2025-08-15", "5")]))[0]
    history, forecasts = walk(panel)
    checks = coverage_checks(history, forecasts)
    record = backtest_record(history, forecasts, CUT_FUNCTIONS)
    assert draw_plots(tmp_path / "plots", history, forecasts, record, checks) == []
    assert checks.sentences() == []


def test_backtest_depends_on_nothing_but_its_input(tmp_path: Path) -> None:
    rows = _truth_rows(4, 70)
    in_order, shuffled = _write(tmp_path / "a.csv", rows), _write(tmp_path / "b.csv", rows[::-1])

    assert _backtest(panel_of_pnl(in_order)[0]).facts() == _backtest(panel_of_pnl(shuffled)[0]).facts()


@pytest.mark.parametrize(
    "results",
    [["5"], ["0"] * 80, ["7"] * 80, ["1e9"] + ["-3"] * 79],
    ids=["one session", "all zero", "constant", "outlier"],
)
def test_backtest_of_an_odd_history_says_that_rules_serve(tmp_path: Path, results: list[str]) -> None:
    days = sessions_between(dt.date(2025, 1, 2), dt.date(2025, 8, 15))
    rows = [("A1", day.isoformat(), result) for day, result in zip(days, results, strict=False)]

    facts = _backtest(panel_of_pnl(_write(tmp_path / "pnl.csv", rows))[0]).facts()

    assert facts["gate"]["served"] == "rules"
    assert facts["gate"]["reasons"]
    json.dumps(facts, allow_nan=False)


def test_rows_of_exactly_zero_are_no_sessions(tmp_path: Path) -> None:
    # given zeros in several spellings, a cent, a session with zeros only and an account with zeros only
    days = ("2025-08-12", "2025-08-13", "2025-08-14", "2025-08-15")
    rows = [
        *(("A1", day, pnl) for day, pnl in zip(days, ("0", "0.01", "-0.00", "-5"), strict=True)),
        *(("B1", days[0], "7"), ("B1", days[2], "0E+2"), ("C1", days[3], "0.000")),
    ]

    # when
    panel, left_out = panel_of_pnl(_write(tmp_path / "pnl.csv", rows))

    # then
    assert left_out == 4
    assert panel.is_active.tolist() == [
        [False, True, False],
        [True, False, False],
        [False, False, False],
        [True, False, False],
    ]
    assert panel.total_pnl_usd[3, 0] == -5.0


def test_backtest_is_the_same_with_and_without_rows_of_zero(tmp_path: Path) -> None:
    rows = _truth_rows(4, 70)
    known = {(account, day) for account, day, _ in rows}
    zeros = [(account, day, "0") for account in {a for a, _ in known} for day in {d for _, d in known}]
    padded = _write(tmp_path / "padded.csv", rows + [row for row in zeros if row[:2] not in known])
    plain = _write(tmp_path / "plain.csv", rows)

    assert _backtest(panel_of_pnl(padded)[0]).facts() == _backtest(panel_of_pnl(plain)[0]).facts()


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([("A1", "15.08.2025", "1")], "line 2: '15.08.2025' is no date"),
        ([("A1", "2025-07-04", "1")], "line 2: 2025-07-04 is no session"),
        ([("A1", "2025-08-15", "much")], "line 2: 'much' is no amount"),
        ([("A1", "2025-08-15", "nan")], "line 2: 'nan' is no amount"),
        ([("A1", "2025-08-15", "1"), ("A1", "2025-08-15", "2")], "line 3: A1 on 2025-08-15 is there twice"),
        ([], "holds no result"),
    ],
)
def test_panel_of_pnl_names_what_is_wrong_and_where(
    tmp_path: Path, rows: list[tuple[str, str, str]], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        panel_of_pnl(_write(tmp_path / "pnl.csv", rows))


def test_panel_of_fills_holds_results_and_what_the_fills_tell() -> None:
    noon = dt.datetime(2025, 6, 16, 16, 0, tzinfo=dt.UTC)
    day = dt.date(2025, 6, 16)
    fills = [
        Fill("A1", day, noon, 2, "B", Decimal(10), "XYZ", Decimal(5), "USD", Decimal("0.10")),
        Fill("A1", day, noon, 3, "S", Decimal(10), "XYZ", Decimal(6), "USD", Decimal("0.20")),
    ]

    panel = panel_of_fills(fills)

    assert (
        panel.adds_to_loser_count[0, 0],
        panel.concentration_ratio[0, 0],
        panel.overnight_usd[0, 0],
    ) == (0, 1, 0)
    # 10 x (6 - 5) = 10 less 0.30 fees; 20 shares for 50 + 60 US dollars in 2 fills
    assert panel.total_pnl_usd[0, 0] == pytest.approx(9.70)
    assert (panel.fill_count[0, 0], panel.volume[0, 0], panel.turnover_usd[0, 0]) == (
        2.0,
        20.0,
        110.0,
    )
    assert panel.fees_usd[0, 0] == pytest.approx(0.30)


def test_panel_of_fills_leaves_out_what_lacks_executions() -> None:
    days = [dt.date(2025, 6, 16), dt.date(2025, 6, 17)]
    noon = dt.datetime(2025, 6, 16, 16, 0, tzinfo=dt.UTC)
    fills = [
        Fill("A1", day, noon + dt.timedelta(days=number), 2, side, Decimal(10), "XYZ", price, "USD", Decimal(0))
        for number, day in enumerate(days)
        for side, price in (("B", Decimal(5)), ("S", Decimal(6)))
    ]

    panel = panel_of_fills(fills, incomplete={("A1", days[0])})

    assert panel.session_dates == (days[1],)
