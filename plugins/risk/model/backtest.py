"""The backtest: daily results from a file, a walk-forward over them, and how every model and baseline did."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from risk.books.behavior import SHARE_DIGITS
from risk.books.executions import UNIT_DIGITS, USD_DIGITS
from risk.books.session import AccountSession, account_sessions
from risk.core.calendar import is_session, next_session
from risk.core.entities import Fill, Instrument, Mark, Split
from risk.core.errors import InputError
from risk.model.backtests import (
    INTERVAL,
    RESAMPLE_SEED,
    AccountCoverage,
    acerbi_szekely,
    basel_zone,
    christoffersen,
    conditional_coverage,
    coverage_by_account,
    kupiec,
    pinball_loss,
    resampled_sessions,
    session_kupiec,
    session_zone,
)
from risk.model.build_features import build_features
from risk.model.experts.prior import Prior
from risk.model.features import LEARNED_NAMES
from risk.model.gate import CutFunctions, GateInputs, Ladder, is_eligible, reasons, rules_quantiles
from risk.model.mixture import LEVELS, forecast_distribution, residual_shape
from risk.model.panel import FeaturePanel, FloatMatrix, Panel, feature_panel
from risk.model.walk_forward import ProgressCallback, WalkForward, baseline_forecasts, walk_forward
from risk.model.window_test import session_losses

FLAT_CUT_RATIO = 0.21
"""What "cut everyone the same" cuts: a model that cannot beat it does not distinguish traders."""


@dataclass(frozen=True, slots=True)
class ModelScore:
    """How one model did where every model has a forecast.

    Attributes
    ----------
    loss
        Mean pinball loss at 5 % of P&L over own scale; smaller = better.
    gain_vs_historical
        1 - loss over that of ``historical``; 0.12 = 12 %.
    gain_interval
        95 % interval of the gain over resampled blocks of 5 sessions.
    exceedance_rate
        Share of results below the forecast; 0.05 is right.
    kupiec_p
        p-value of right coverage, from resampled sessions, because traders have good and bad days together; ``None``
        where it cannot be computed, as the following.
    kupiec_independent_p
        Kupiec's own, which takes traders for independent and so refuses right forecasts too often.
    christoffersen_p
        p-value of independent exceedances of each trader.
    """

    loss: float
    gain_vs_historical: float
    gain_interval: tuple[float, float]
    exceedance_rate: float
    kupiec_p: float | None
    kupiec_independent_p: float | None
    christoffersen_p: float | None


@dataclass(frozen=True, slots=True)
class BacktestRecord:
    """A finished backtest.

    Attributes
    ----------
    session_count, forecast_count
        Sessions scored, forecasts scored in each model.
    models
        Scores by model; empty where no session could be scored.
    gate
        ``served``: ``model``, ``filtered`` or ``rules``, had these forecasts been issued live; ``improvement`` and
        ``p_value`` over the last 60 sessions, ``None`` where there are fewer; ``reasons``: sentences.
    """

    session_count: int
    forecast_count: int
    models: Mapping[str, ModelScore]
    gate: Mapping[str, Any]

    def facts(self) -> dict[str, Any]:
        """Return the contract's JSON."""
        return {
            # Until 0.1.0 the rate is there under its old name, too.
            "models": {name: {**asdict(score), "breach": score.exceedance_rate} for name, score in self.models.items()},
            "gate": dict(self.gate),
        }


def walk(
    panel: Panel, on_progress: ProgressCallback | None = None, prior: Prior | None = None
) -> tuple[FeaturePanel, WalkForward]:
    """Forecast every session of a history from the sessions before it; ``on_progress`` is called after each week."""
    features = build_features(panel, next_session(panel.session_dates[-1]))
    history = feature_panel(panel, features, LEARNED_NAMES)
    return history, walk_forward(history, prior=prior, on_progress=on_progress)


def backtest_record(history: FeaturePanel, forecasts: WalkForward, cuts: CutFunctions) -> BacktestRecord:
    """Score forecasts that were issued one step ahead against every baseline.

    Never raises for a short or odd history: with nothing to score, ``models`` is empty and the gate says why.
    """
    panel = history.panel
    rules_cuts = cuts.by_rules(panel, history.scale, 0)
    rules = rules_quantiles(panel.total_pnl_usd, forecasts.expert("historical"), rules_cuts)
    models = _models(forecasts, rules)
    scores, session_count, forecast_count = _scores(history, models)
    return BacktestRecord(session_count, forecast_count, scores, _gate_facts(history, forecasts, rules))


def _models(forecasts: WalkForward, rules: FloatMatrix) -> dict[str, FloatMatrix]:
    historical = forecasts.expert("historical")
    experts = {name: forecasts.expert(name) for name in forecasts.names}
    return {
        **experts,
        "mixture": forecasts.mixture,
        "calibrated": forecasts.calibrated,
        "rules": rules,
        "always_21_percent": historical / (1.0 - FLAT_CUT_RATIO),
        "random_reassignment": historical * _reassigned(forecasts.calibrated / historical),
    }


def _reassigned(ratios: FloatMatrix) -> FloatMatrix:
    """Hand each session's ratios to other accounts at random: does it know the day or the trader."""
    draws = np.random.default_rng(RESAMPLE_SEED)
    shuffled = ratios.copy()
    for row in shuffled:
        known = np.flatnonzero(np.isfinite(row))
        row[known] = row[draws.permutation(known)]
    return shuffled


def _scores(history: FeaturePanel, models: Mapping[str, FloatMatrix]) -> tuple[dict[str, ModelScore], int, int]:
    outcome, scale = history.panel.total_pnl_usd[1:], history.scale[:-1]
    is_scored = np.isfinite(outcome)
    for quantiles in models.values():
        is_scored &= np.isfinite(quantiles[:-1])
    count = int(is_scored.sum())
    if count == 0:
        return {}, 0, 0
    losses = {
        name: np.where(is_scored, pinball_loss(outcome, quantiles[:-1]) / scale, 0.0).sum(axis=1)
        for name, quantiles in models.items()
    }
    is_used = is_scored.any(axis=1)
    resamples = _resampled_sums({name: loss[is_used] for name, loss in losses.items()})
    base = float(losses["historical"].sum())
    scores = {}
    for name, quantiles in models.items():
        exceedances = outcome < quantiles[:-1]
        gains = 1.0 - resamples[name] / resamples["historical"]
        low, high = (float(value) for value in np.quantile(gains, INTERVAL))
        scores[name] = ModelScore(
            loss=float(losses[name].sum()) / count,
            gain_vs_historical=1.0 - float(losses[name].sum()) / base,
            gain_interval=(low, high),
            exceedance_rate=float(exceedances[is_scored].mean()),
            **_coverage_p_values(exceedances & is_scored, is_scored),
        )
    return scores, int(is_used.sum()), count


def _coverage_p_values(exceedances: NDArray[np.bool_], is_scored: NDArray[np.bool_]) -> dict[str, float | None]:
    return {
        "kupiec_p": _known(session_kupiec(*_by_session(exceedances, is_scored))),
        "kupiec_independent_p": _known(kupiec(int(exceedances.sum()), int(is_scored.sum()))[1]),
        "christoffersen_p": _known(christoffersen(_sequences(exceedances, is_scored)).p_value),
    }


def _by_session(
    exceedances: NDArray[np.bool_], is_scored: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count exceedances and forecasts of the sessions with a forecast."""
    counts = is_scored.sum(axis=1)
    return exceedances.sum(axis=1)[counts > 0], counts[counts > 0]


def _resampled_sums(losses: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """Sum each model's losses over the same blocks of sessions."""
    chosen = resampled_sessions(len(losses["historical"]))
    return {name: loss[chosen].sum(axis=1) for name, loss in losses.items()}


def _sequences(exceedances: NDArray[np.bool_], is_scored: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    return [exceedances[is_scored[:, account], account] for account in range(exceedances.shape[1])]


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _gate_facts(history: FeaturePanel, forecasts: WalkForward, rules: FloatMatrix) -> dict[str, Any]:
    """Say whose cuts would apply tomorrow."""
    panel = history.panel
    pnl, historical = panel.total_pnl_usd, forecasts.expert("historical")
    filtered = baseline_forecasts(panel).calibrated
    inputs = GateInputs(pnl, history.scale, is_eligible(panel), forecasts.calibrated, filtered, historical, rules)
    standing = Ladder(inputs).standing
    test = session_losses(pnl, history.scale, forecasts.calibrated, rules).test_after(len(pnl) - 1)
    return {
        "served": standing.serving(),
        "improvement": _known(test.improvement),
        "p_value": _known(test.p_value),
        "reasons": list(reasons(standing)),
    }


@dataclass(frozen=True, slots=True)
class CoverageChecks:
    """Back-tests of the calibrated forecasts; ``None`` = the data cannot say.

    Attributes
    ----------
    forecast_count
        Forecasts with a result.
    levels
        (promised, found) share of results below each quantile of the distribution.
    joint_p
        p-value of coverage and independence of the 5 % quantile together (Christoffersen), as if traders were
        independent of each other.
    zone
        ``green``, ``yellow`` or ``red`` by the number of exceedances (Basel), from resampled sessions.
    independent_zone
        Basel's own, which takes traders for independent.
    shortfall_statistic, shortfall_p
        Z2 of the expected shortfall, 0 = right, negative = losses were larger, and its p-value (Acerbi and Szekely).
    accounts
        Each account's own coverage.
    """

    forecast_count: int
    levels: Sequence[tuple[float, float]]
    joint_p: float | None
    zone: str | None
    independent_zone: str | None
    shortfall_statistic: float | None
    shortfall_p: float | None
    accounts: Sequence[AccountCoverage]

    def sentences(self) -> list[str]:
        """Say it in sentences; none where no forecast has a result."""
        if not self.forecast_count:
            return []
        off = [account.account_id for account in self.accounts if account.is_rejected]
        shortfall = "-" if self.shortfall_statistic is None else f"{self.shortfall_statistic:+.2f}"
        zone = f"Basel zone {self.zone} ({self.independent_zone} were traders independent)"
        together = f"coverage and independence together p = {_p_text(self.joint_p)}; {zone}"
        beyond = f"expected shortfall Z2 = {shortfall} (0 = right, negative = larger losses)"
        named = ", ".join(off) or "none"
        return [
            f"Calibrated forecast: {together}; {beyond}, p = {_p_text(self.shortfall_p)}.",
            f"Accounts with too many or too few exceedances (exact test, false discovery rate 5%): {named}.",
        ]


def coverage_checks(history: FeaturePanel, forecasts: WalkForward) -> CoverageChecks:
    """Back-test what was forecast one step ahead, the distribution around it by the residuals known then."""
    outcome, issued = history.panel.total_pnl_usd[1:], forecasts.calibrated[:-1]
    is_scored = np.isfinite(outcome) & np.isfinite(issued)
    exceedances = {
        account_id: (outcome < issued)[is_scored[:, number], number]
        for number, account_id in enumerate(history.panel.account_ids)
    }
    count, exceedance_count = int(is_scored.sum()), int((outcome < issued)[is_scored].sum())
    if count == 0:
        return CoverageChecks(0, (), None, None, None, None, None, ())
    units = _units(history.panel.total_pnl_usd, forecasts.calibrated)
    session, account = np.nonzero(is_scored)
    pnl, loss = outcome[session, account], -issued[session, account]
    found = [float(np.mean(pnl < units[session, number] * loss)) for number in range(len(LEVELS))]
    statistic, shortfall_p = acerbi_szekely(pnl, -loss, units[session, -1] * loss, session)
    return CoverageChecks(
        count,
        tuple(zip(LEVELS, found, strict=True)),
        _known(conditional_coverage(list(exceedances.values()))[1]),
        session_zone(*_by_session((outcome < issued) & is_scored, is_scored)),
        basel_zone(exceedance_count, count),
        _known(statistic),
        _known(shortfall_p),
        tuple(coverage_by_account(exceedances)),
    )


def _units(pnl: FloatMatrix, calibrated: FloatMatrix) -> FloatMatrix:
    """Return the distribution's quantiles and shortfall, in forecast losses, ``(n_sessions, n + 1)``."""
    spreads = (
        forecast_distribution(residual_shape(pnl[: row + 1], calibrated[: row + 1]), -1.0, 1.0)
        for row in range(len(pnl))
    )
    return np.array([(*spread.quantiles_usd, spread.expected_shortfall_usd) for spread in spreads])


def _p_text(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def panel_of_pnl(file: Path) -> tuple[Panel, int]:
    """Read ``account_id,session_date,net_pnl_usd`` into a panel; what only fills contain is unknown in it.

    A result of exactly 0 is a day without trading, which is no active session: its row is left out.

    Returns
    -------
    tuple
        The panel and the number of rows left out.

    Raises
    ------
    InputError
        If the file cannot be read as such; names the line and what was found.
    """
    text = _read_text(file)
    for line_number, _, session_date, net_pnl_usd in text.itertuples():
        _check_line(f"{file.name}, line {line_number}", session_date, net_pnl_usd)
    cells = pd.DataFrame(
        {
            "account_id": text["account_id"],
            "session_date": pd.to_datetime(text["session_date"], format="%Y-%m-%d"),
            "total_pnl_usd": text["net_pnl_usd"].map(float),
        }
    )
    repeated = cells.duplicated(["account_id", "session_date"])
    if repeated.any():
        line_number, (account_id, session_date, _) = next(cells[repeated].iterrows())
        raise InputError(
            f"{file.name}, line {line_number}: {account_id} on {session_date.date()} is there twice. Keep one row for "
            "each account and session."
        )
    if cells.empty:
        raise InputError(f"{file.name} holds no result: there is nothing to test.")
    # The cells stay: sessions and accounts without any other row are known, but not active.
    is_zero = cells["total_pnl_usd"] == 0.0
    cells.loc[is_zero, "total_pnl_usd"] = np.nan
    return Panel.of_cells(cells, cells["session_date"].max().date()), int(is_zero.sum())


def _read_text(file: Path) -> pd.DataFrame:
    """Read the rows as text, by the number of their line."""
    wanted = ["account_id", "session_date", "net_pnl_usd"]
    try:
        text = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig", skip_blank_lines=False)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError(f"{file} cannot be read as CSV text: {error}. Name another file.") from None
    missing = sorted(set(wanted) - set(text.columns))
    if missing:
        raise InputError(f"{file.name} lacks the columns {', '.join(missing)}: add them to its header.")
    text = text[wanted].fillna("").set_axis(range(2, len(text) + 2))
    return text[(text != "").any(axis=1)]


def _check_line(place: str, session_date: str, net_pnl_usd: str) -> None:
    try:
        day = dt.date.fromisoformat(session_date)
    except ValueError:
        raise InputError(f"{place}: {session_date!r} is no date; write it as YYYY-MM-DD.") from None
    if not is_session(day):
        raise InputError(f"{place}: {day} is no session of the exchange. Give the P&L to its session.")
    try:
        value = Decimal(net_pnl_usd)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise InputError(f"{place}: {net_pnl_usd!r} is no amount in US dollars.")


def panel_of_fills(
    fills: Sequence[Fill],
    marks: Iterable[Mark] = (),
    instruments: Iterable[Instrument] = (),
    splits: Iterable[Split] = (),
    incomplete: Container[tuple[str, dt.date]] = (),
) -> Panel:
    """Compute the books of executions and the measures of their fills into a panel.

    Parameters
    ----------
    fills, marks, instruments, splits
        As in `risk.books.session.account_sessions`; without a mark an open position carries its last price.
    incomplete
        Accounts and sessions that lack executions: they are left out.

    Raises
    ------
    InputError
        If there is no execution, or none whose books are complete.
    """
    if not fills:
        raise InputError("No execution can be used: there is nothing to test.")
    days = account_sessions(fills, marks, instruments, splits)
    return panel_of_days(day for day in days if (day.account_id, day.session_date) not in incomplete)


def panel_of_days(days: Iterable[AccountSession]) -> Panel:
    """Lay out the account-sessions with fills and complete books.

    Raises
    ------
    InputError
        If there is none.
    """
    known = [_measures(day) for day in days if day.fill_count and day.total is not None]
    if not known:
        raise InputError("No account-session has complete books: there is nothing to test. Give multipliers or prices.")
    cells = pd.DataFrame.from_records(known)
    cells["session_date"] = pd.to_datetime(cells["session_date"])
    return Panel.of_cells(cells, cells["session_date"].max().date())


def _measures(day: AccountSession) -> dict[str, Any]:
    """Return an account-session's columns of the panel."""
    behavior = day.behavior
    measures = {
        "total_pnl_usd": (day.total, USD_DIGITS),
        "fill_count": (day.fill_count, 0),
        "turnover_usd": (day.turnover, USD_DIGITS),
        "fees_usd": (day.fees, USD_DIGITS),
        "volume": (day.volume, UNIT_DIGITS),
        "early_pnl_usd": (behavior.early, USD_DIGITS),
        "late_pnl_usd": (behavior.late, USD_DIGITS),
        "holding_seconds": (behavior.holding_seconds, 0),
        "adds_to_loser_count": (behavior.adds_to_loser_count, 0),
        "concentration_ratio": (behavior.concentration, SHARE_DIGITS),
        "overnight_usd": (behavior.overnight, USD_DIGITS),
    }
    known = {name: value / 10**digits for name, (value, digits) in measures.items() if value is not None}
    return {"account_id": day.account_id, "session_date": day.session_date, **known}
