"""What the fitted experts learn from: inputs after a session, result of the next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.core.settings import ACTIVE_WITHIN_SESSIONS
from risk.model.experts.quantile import MINIMUM_HISTORY_SESSIONS
from risk.model.panel import SCALE_DECAY, FloatMatrix, Panel, ewma_scale

FloatTensor = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class History:
    """A panel with its features and what every expert needs of it.

    Attributes
    ----------
    panel
        The results.
    features
        ``(n_sessions, n_accounts, n_features)`` float32: row t is known after session t, NaN = not defined.
    feature_names
        Their names.
    scale
        ``s`` after each session, ``(n_sessions, n_accounts)``, US dollars.
    has_forecast
        Where a forecast is issued, ``(n_sessions, n_accounts)``: at least 5 active sessions, the last of them within
        30 sessions, and a scale above 0.
    """

    panel: Panel
    features: FloatTensor
    feature_names: tuple[str, ...]
    scale: FloatMatrix
    has_forecast: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Sample:
    """Pairs of what was known after session t and what session t + 1 brought, sorted by session, then account.

    Attributes
    ----------
    session, account
        Positions (t, account) in the panel, ``(n_pairs,)``.
    inputs
        Features, ``(n_pairs, n_features)`` float32.
    pnl_usd, scale_usd
        P&L of session t + 1 and scale after session t, ``(n_pairs,)``, US dollars.
    """

    session: NDArray[np.int64]
    account: NDArray[np.int64]
    inputs: FloatTensor
    pnl_usd: NDArray[np.float64]
    scale_usd: NDArray[np.float64]

    @property
    def z(self) -> NDArray[np.float64]:
        """P&L in own scales, ``(n_pairs,)``."""
        return self.pnl_usd / self.scale_usd

    def through(self, last_row: int) -> Sample:
        """Return the pairs whose result was known after session ``last_row``."""
        count = int(np.searchsorted(self.session, last_row, side="left"))
        return self._part(slice(count))

    def thinned(self, largest_count: int) -> Sample:
        """Return every k-th pair, with the smallest k that leaves no more than ``largest_count``."""
        step = max(-(-len(self.session) // largest_count), 1)
        return self if step == 1 else self._part(slice(None, None, step))

    def _part(self, chosen: slice) -> Sample:
        return Sample(
            self.session[chosen],
            self.account[chosen],
            np.ascontiguousarray(self.inputs[chosen]),
            self.pnl_usd[chosen],
            self.scale_usd[chosen],
        )


def history_of(panel: Panel, features: FloatTensor, feature_names: tuple[str, ...]) -> History:
    """Put together what the experts need.

    Parameters
    ----------
    panel
        The results.
    features
        ``(n_sessions, n_accounts, n_features)``: the named ones first, those behind them are not learned from.
    feature_names
        What the experts learn from.

    Raises
    ------
    ValueError
        If the features are not those of the panel.
    """
    features = features[:, :, : len(feature_names)]
    if features.shape != (*panel.total_pnl_usd.shape, len(feature_names)):
        raise ValueError(f"Features of shape {features.shape} are not those of the panel {panel.total_pnl_usd.shape}.")
    scale = ewma_scale(panel.total_pnl_usd, SCALE_DECAY)
    return History(panel, features, feature_names, scale, served(panel, scale))


def served(panel: Panel, scale: FloatMatrix) -> NDArray[np.bool_]:
    """Tell where a forecast is issued, ``(n_sessions, n_accounts)``."""
    latest = panel.latest_active()
    sessions_absent = np.arange(len(panel.session_dates))[:, None] - latest
    has_history = np.cumsum(panel.is_active, axis=0) >= MINIMUM_HISTORY_SESSIONS
    return has_history & (scale > 0.0) & (latest >= 0) & (sessions_absent < ACTIVE_WITHIN_SESSIONS)


def sample_of(history: History) -> Sample:
    """Pair every issued forecast's inputs with the result that followed."""
    pnl = history.panel.total_pnl_usd
    session, account = np.nonzero(history.has_forecast[:-1] & np.isfinite(pnl[1:]))
    return Sample(
        session,
        account,
        # One pair after the other: what XGBoost reads without a copy.
        np.ascontiguousarray(history.features[session, account]),
        pnl[session + 1, account],
        history.scale[session, account],
    )
