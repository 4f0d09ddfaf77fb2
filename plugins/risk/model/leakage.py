"""Proof against leakage: nothing computed for a session changes when anything after it does.

Every output is recomputed from the panel as it stood after a sampled session, and from one whose future is replaced by
other numbers. All bits up to that session must agree.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from risk.core.errors import LeakError
from risk.model.build_features import build_features
from risk.model.features import FEATURE_NAMES, LEARNED_NAMES
from risk.model.fitted import MIXED_EXPERTS
from risk.model.gate import STEPS, CutFunctions, GateInputs, PlacedBets, is_eligible, placed_bets, rules_quantiles
from risk.model.panel import MEASURES, FeaturePanel, FloatMatrix, Panel, feature_panel
from risk.model.walk_forward import WalkForward, walk_forward
from risk.model.wealth import SessionBet

RECOMPUTED_SESSIONS = 6
"""Sessions up to the sampled one that are forecast anew, a refit among them; those before count as issued."""

Issued = Mapping[str, FloatMatrix]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The steps from panel to cut, each replaceable, so that a planted leak can be put in its place.

    Attributes
    ----------
    cuts
        The cuts by the rules and by the forecast.
    features
        (panel, effective session) to (session, account) by feature.
    history
        (panel, features, names) to what the experts need.
    forecasts
        (history, issued, seed, first row) to forecasts.
    baseline
        (P&L, historical quantiles, the rules' cuts) to the rules' quantiles.
    gate
        What the gate looks at, to its bets by row.
    """

    cuts: CutFunctions
    features: Callable[[Panel, dt.date], pd.DataFrame] = build_features
    history: Callable[[Panel, pd.DataFrame, tuple[str, ...]], FeaturePanel] = feature_panel
    forecasts: Callable[[FeaturePanel, Issued, int, int], WalkForward] = walk_forward
    baseline: Callable[[FloatMatrix, FloatMatrix, FloatMatrix], FloatMatrix] = rules_quantiles
    gate: Callable[[GateInputs], PlacedBets] = placed_bets


@dataclass(frozen=True, slots=True)
class Output:
    """One named output; ``values`` has sessions first and, where ``has_accounts``, accounts second."""

    name: str
    values: NDArray[Any]
    has_accounts: bool


@dataclass(frozen=True, slots=True)
class Leak:
    """One output that knew the future.

    Attributes
    ----------
    output
        Its name.
    session_date
        The session after which everything was changed.
    change
        What was done to the future: ``deleted`` or ``replaced``.
    """

    output: str
    session_date: dt.date
    change: str

    def __str__(self) -> str:
        """Say it in a sentence."""
        return f"{self.output} of {self.session_date} or before changes when later sessions are {self.change}"


def self_check(
    panel: Panel,
    effective_session: dt.date,
    sampled_rows: Sequence[int],
    pipeline: Pipeline,
) -> list[Leak]:
    """Recompute sampled sessions without their future and list the first output of each that differs.

    In each of them one account is taken to be absent, so that who fills gaps from later sessions is seen.

    Parameters
    ----------
    panel
        The history.
    effective_session
        The session after its last one.
    sampled_rows
        Sessions to check, as positions before the last.
    pipeline
        The steps.
    """
    panel = _with_absences(panel, sampled_rows)
    whole = _Recorded(outputs(pipeline, panel, effective_session, {}, 0))
    found = []
    for row in sampled_rows:
        kept = np.flatnonzero(panel.is_active[: row + 1].any(axis=0))
        everybody = np.arange(len(panel.account_ids))
        next_session = panel.session_dates[row + 1]
        changed = (
            ("deleted", panel.through(row + 1).of_accounts(kept), next_session, kept),
            ("replaced", _replaced_after(panel, row + 1), effective_session, everybody),
        )
        for change, other, following, accounts in changed:
            leak = _first_difference(pipeline, whole, other, following, accounts, row)
            if leak is not None:
                found.append(Leak(leak, panel.session_dates[row], change))
    return found


def require_no_leak(leaks: Sequence[Leak]) -> None:
    """Stop a training run that knew the future.

    Raises
    ------
    LeakError
        If there is any leak; names them all.
    """
    if leaks:
        raise LeakError(f"{'; '.join(map(str, leaks))}. Nothing was trained: call the developers.")


def outputs(
    pipeline: Pipeline, panel: Panel, effective_session: dt.date, issued: Issued, first_row: int
) -> Iterator[Output]:
    """Compute all outputs, each when it is asked for.

    Parameters
    ----------
    pipeline
        The steps.
    panel, effective_session
        The history and the session after it.
    issued
        Forecasts that count as they are, by expert.
    first_row
        Forecasts, cuts of earlier rows are not recomputed.
    """
    features = pipeline.features(panel, effective_session)
    for name in FEATURE_NAMES:
        yield Output(name, features[name].to_numpy().reshape(panel.total_pnl_usd.shape), has_accounts=True)
    history = pipeline.history(panel, features, LEARNED_NAMES)
    yield Output("scale", history.scale, has_accounts=True)
    yield Output("has_forecast", history.has_forecast, has_accounts=True)
    rules_cuts = pipeline.cuts.by_rules(panel, history.scale, 0)
    yield Output("rules_cut_ratio", rules_cuts, has_accounts=True)
    forecasts = pipeline.forecasts(history, issued, 0, first_row)
    yield from _forecast_outputs(forecasts)
    baseline = pipeline.baseline(panel.total_pnl_usd, forecasts.expert("historical"), rules_cuts)
    yield Output("rules_quantile", baseline, has_accounts=True)
    inputs = GateInputs(
        panel.total_pnl_usd,
        history.scale,
        is_eligible(panel),
        forecasts.calibrated,
        forecasts.expert("filtered"),
        forecasts.expert("historical"),
        baseline,
    )
    yield Output("gate_bet", _bet_numbers(pipeline.gate(inputs), len(panel.session_dates)), has_accounts=False)
    yield Output("model_cut_ratio", pipeline.cuts.by_model(panel, forecasts.calibrated, 0), has_accounts=True)


def _forecast_outputs(forecasts: WalkForward) -> Iterator[Output]:
    for name in forecasts.names:
        yield Output(name, forecasts.expert(name), has_accounts=True)
    yield Output("mixture", forecasts.mixture, has_accounts=True)
    yield Output("weights", forecasts.weights, has_accounts=False)
    yield Output("calibrated", forecasts.calibrated, has_accounts=True)
    yield Output("calibration", forecasts.calibration, has_accounts=False)


def _bet_numbers(placed: PlacedBets, session_count: int) -> FloatMatrix:
    """Lay out each step's bet of each session, ``(n_sessions, n_numbers)``; NaN where none was placed."""
    numbers = np.full((session_count, len(STEPS), len(fields(SessionBet))), np.nan)
    for row, bets in placed.items():
        for one in bets:
            numbers[row, STEPS.index(one.candidate)] = astuple(one.bet)
    return numbers.reshape(len(numbers), -1)


class _Recorded:
    """Outputs of the whole history, computed once and only as far as they are compared."""

    def __init__(self, source: Iterator[Output]) -> None:
        self._source = source
        self._known: list[Output] = []

    def __iter__(self) -> Iterator[Output]:
        # By position, because one walk through the outputs may begin while another is under way.
        for position in itertools.count():
            if position == len(self._known):
                following = next(self._source, None)
                if following is None:
                    return
                self._known.append(following)
            yield self._known[position]

    def issued(self, first_row: int, row_count: int, accounts: NDArray[np.int64]) -> Issued:
        """Return the forecasts of the rows before the recomputed ones, as far as they are known already."""
        names = (*MIXED_EXPERTS, "mixture", "calibrated")
        found = {}
        for output in self:
            if output.name in names:
                values = np.full((row_count, len(accounts)), np.nan)
                values[:first_row] = output.values[:first_row, accounts]
                found[output.name] = values
        return found


class _LateIssued(Mapping[str, FloatMatrix]):
    """Issued forecasts that are looked up when the forecasts are computed, not before."""

    def __init__(self, whole: _Recorded, first_row: int, row_count: int, accounts: NDArray[np.int64]) -> None:
        self._arguments = (first_row, row_count, accounts)
        self._whole = whole
        self._found: Issued | None = None

    def _all(self) -> Issued:
        if self._found is None:
            self._found = self._whole.issued(*self._arguments)
        return self._found

    def __getitem__(self, name: str) -> FloatMatrix:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


def _first_difference(
    pipeline: Pipeline,
    whole: _Recorded,
    panel: Panel,
    effective_session: dt.date,
    accounts: NDArray[np.int64],
    row: int,
) -> str | None:
    first_row = max(row + 1 - RECOMPUTED_SESSIONS, 0)
    issued = _LateIssued(whole, first_row, len(panel.session_dates), accounts)
    recomputed = outputs(pipeline, panel, effective_session, issued, first_row)
    for known, other in zip(whole, recomputed, strict=True):
        expected = known.values[: row + 1]
        if known.has_accounts:
            expected = expected[:, accounts]
        if not np.array_equal(expected, other.values[: row + 1], equal_nan=expected.dtype.kind == "f"):
            return known.name
    return None


def _with_absences(panel: Panel, rows: Sequence[int]) -> Panel:
    """Leave out the last account of those that traded in a session, where there are at least two."""
    matrices = {name: getattr(panel, name).copy() for name in MEASURES}
    for row in rows:
        active = np.flatnonzero(panel.is_active[row])
        for matrix in matrices.values():
            matrix[row, active[1:][-1:]] = np.nan
    return replace(panel, **matrices)


def _replaced_after(panel: Panel, session_count: int) -> Panel:
    """Replace later sessions by others, so that whatever looks ahead sees something else.

    Who was active is not, and who was not wins or loses ten times the largest result; the first account always trades
    and begins with a loss; every other one leaves permanently after a week.
    """
    is_active = panel.is_active[session_count:].copy()
    is_active[RECOMPUTED_SESSIONS:, 1::2] = True
    is_active[:, 0] = False
    largest = np.nanmax(np.abs(panel.total_pnl_usd), initial=1.0)
    rows, columns = np.indices(is_active.shape)
    matrices = {}
    for name in MEASURES:
        matrix = getattr(panel, name).copy()
        replacement = np.where((rows + columns) % 2, 10.0, -10.0) * largest if name == "total_pnl_usd" else 1000.0
        matrix[session_count:] = np.where(is_active, np.nan, replacement)
        matrices[name] = matrix
    return replace(panel, **matrices)
