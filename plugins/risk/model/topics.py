"""What a forecast can be explained by: groups of features that say one thing, each with its sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """One subject of an explanation.

    Attributes
    ----------
    parts
        Contributions that belong to it: single half-lives of one series push against each other and mean nothing.
    shown
        The feature whose number is told.
    fact
        Says it from (value, norm of all traders, own scale in US dollars).
    """

    parts: tuple[str, ...]
    shown: str
    fact: Callable[[float, float, float], str]


def _size_fact(value: float, norm: float, scale_usd: float) -> str:
    return f"results of about {value * scale_usd:,.0f} USD a session lately, usually {norm * scale_usd:,.0f} USD"


def _last_fact(value: float, _norm: float, scale_usd: float) -> str:
    word = "loss" if value < 0.0 else "gain"
    return f"a {word} of {abs(value) * scale_usd:,.0f} USD in the last session, {abs(value):.1f} times the usual size"


def _fills_fact(value: float, _norm: float, _scale_usd: float) -> str:
    return f"{value:.1f} times the usual number of fills in the last session"


def _drawdown_fact(value: float, norm: float, scale_usd: float) -> str:
    return f"{value * scale_usd:,.0f} USD below the peak of P&L, usually {norm * scale_usd:,.0f} USD"


def _win_fact(value: float, norm: float, _scale_usd: float) -> str:
    return f"{value * 100:.0f} % of the last 20 sessions were gains, usually {norm * 100:.0f} %"


def _desk_fact(value: float, norm: float, _scale_usd: float) -> str:
    return f"results of all traders {value / norm:.1f} times as large as usual lately"


def _absence_fact(value: float, _norm: float, _scale_usd: float) -> str:
    return f"{value:.0f} sessions since the last fills"


def _weekday_fact(value: float, _norm: float, _scale_usd: float) -> str:
    names = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    return f"the next session is a {names[int(value)]}"


def _fees_fact(value: float, norm: float, _scale_usd: float) -> str:
    return f"fees of {value * 1e4:.1f} USD for each 10,000 USD traded, usually {norm * 1e4:.1f} USD"


def _enlarging_fact(value: float, norm: float, _scale_usd: float) -> str:
    return f"{value * 100:.0f} % of the last session's fills enlarged a losing position, usually {norm * 100:.0f} %"


def _holding_fact(value: float, _norm: float, _scale_usd: float) -> str:
    return f"positions held {value:.1f} times as long as usual in the last session"


def _calibration_fact(value: float, _norm: float, _scale_usd: float) -> str:
    found = "too low: more" if value > 0.0 else "too high: fewer"
    return f"forecast losses were {found} than one session in twenty went beyond them lately"


TOPICS = (
    Topic(
        (
            "volatility",
            "volatility_ratio_1",
            "volatility_ratio_2",
            "volatility_ratio_4",
            "volatility_ratio_11",
            "volatility_ratio_200",
            "scale_ratio_5_20",
            "scale_ratio_10_60",
        ),
        "volatility_ratio_4",
        _size_fact,
    ),
    Topic(
        (
            "last_z",
            "mean_z_3",
            "mean_z_5",
            "mean_z_10",
            "worst_z_5",
            "worst_z_20",
            "loss_ratio_1",
            "loss_ratio_3",
            "large_loss_share_1",
            "large_loss_share_4",
            "loss_streak",
            "win_rate_5",
        ),
        "last_z",
        _last_fact,
    ),
    Topic(
        ("trades_against_norm", "volume_against_norm", "trades_ratio_0_60", "trades_ratio_1_60", "trades_ratio_3_60"),
        "trades_ratio_0_60",
        _fills_fact,
    ),
    Topic(("drawdown", "sessions_since_peak"), "drawdown", _drawdown_fact),
    Topic(("win_rate_20", "mean_z_20"), "win_rate_20", _win_fact),
    Topic(
        (
            "market_loser_share",
            "market_mean_z",
            "market_dispersion",
            "market_active_count",
            "market_size_ratio_1",
            "market_size_ratio_4",
            "market_size_ratio_15",
            "market_trades_ratio_1",
            "market_trades_ratio_5",
        ),
        "market_size_ratio_4",
        _desk_fact,
    ),
    Topic(("sessions_absent",), "sessions_absent", _absence_fact),
    Topic(("weekday",), "weekday", _weekday_fact),
    Topic(("fees_per_turnover",), "fees_per_turnover", _fees_fact),
    Topic(("enlarging_share_0", "enlarging_share_3"), "enlarging_share_0", _enlarging_fact),
    Topic(("holding_against_norm",), "holding_against_norm", _holding_fact),
    Topic(("calibration",), "calibration", _calibration_fact),
)
"""Every feature belongs to exactly one topic."""
