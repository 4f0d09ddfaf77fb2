"""Expert ``boosted``: trees that correct the 5 % quantile of what the ridge leaves.

XGBoost's quantile regression of z over the ridge's scale: shallow and heavily regularized, because one pair in twenty
lies in the tail. Standing on the ridge is worth about one percent of loss against trees of z alone.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin

from risk.core.settings import TAIL_PROBABILITY
from risk.model.panel import FloatTensor

ROUNDS = 40
PARAMETERS = {
    "objective": "reg:quantileerror",
    "quantile_alpha": TAIL_PROBABILITY,
    "tree_method": "hist",
    "max_depth": 2,
    "max_bin": 64,
    "eta": 0.08,
    "subsample": 0.7,
    "min_child_weight": 10,
    "reg_lambda": 20,
    # Two threads on a busy machine are ten times slower than one, and one thread adds in a fixed order.
    "nthread": 1,
}

COLUMN_SHARE = 0.6
"""Share of the known columns that each tree sees."""

LARGEST_RATIO = 8.0


class BoostedQuantile(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Boosted trees for the 5 % quantile of z over the ridge's scale.

    Parameters
    ----------
    seed
        Of the rows and columns each tree sees. The same data and seed give the same trees.

    Attributes
    ----------
    booster_json_
        The trees, as XGBoost's own JSON text.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, inputs: FloatTensor, ratios: NDArray[np.float64]) -> Self:
        """Fit trees.

        Parameters
        ----------
        inputs
            ``(n_pairs, n_features)``, NaN = missing.
        ratios
            z over the ridge's scale, ``(n_pairs,)``; beyond 8 it counts as 8.

        Notes
        -----
        No tree draws a column that is never known: where only P&L is given, columns about fills would take places away.
        """
        import xgboost

        targets = np.clip(ratios, -LARGEST_RATIO, LARGEST_RATIO)
        is_known = np.isfinite(inputs).any(axis=0)
        matrix = xgboost.QuantileDMatrix(
            inputs,
            targets,
            max_bin=int(str(PARAMETERS["max_bin"])),
            nthread=1,
            feature_weights=None if is_known.all() else is_known.astype(np.float32),
        )
        share = COLUMN_SHARE * float(is_known.mean())
        booster = xgboost.train({**PARAMETERS, "colsample_bytree": share, "seed": self.seed}, matrix, ROUNDS)
        self.booster_json_ = bytes(booster.save_raw("json")).decode("ascii")
        return self

    def predict(self, inputs: FloatTensor) -> NDArray[np.float64]:
        """Predict the 5 % quantile of z over the ridge's scale, ``(n_rows,)``."""
        return predict_ratios(self.booster_json_, inputs)


def predict_ratios(booster_json: str, inputs: FloatTensor) -> NDArray[np.float64]:
    """Predict the 5 % quantile of z over the ridge's scale, ``(n_rows,)``, negative unless the trees are wrong."""
    return np.asarray(_booster(booster_json).inplace_predict(inputs), dtype=np.float64).reshape(len(inputs))


def contributions(booster_json: str, inputs: FloatTensor) -> NDArray[np.float64]:
    """Split each prediction by input, the last column being the expected prediction: ``(n_rows, n_features + 1)``.

    Source: Lundberg, Erion and Lee (2018), "Consistent Individualized Feature Attribution for Tree Ensembles",
    algorithm 2, as XGBoost's ``pred_contribs`` computes it.
    """
    import xgboost

    matrix = xgboost.DMatrix(inputs, nthread=1)
    return np.asarray(_booster(booster_json).predict(matrix, pred_contribs=True), dtype=np.float64)


@lru_cache(maxsize=4)
def _booster(booster_json: str) -> Any:
    import xgboost

    booster = xgboost.Booster({"nthread": 1})
    booster.load_model(bytearray(booster_json, "ascii"))
    return booster
