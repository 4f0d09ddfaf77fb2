"""Expert ``prior``: ridge and trees that were fitted once, on P&L of simulated desks of random laws.

It needs no training on the desk it forecasts, so it forecasts from a trader's fifth session on. ``make prior`` writes
it to ``include/model/prior.json``; what is wrong with that file is a reason to do without it, never an error.

It forecasts the same bits on every machine and with every version of Python, numpy and XGBoost: trees are walked here,
single numbers are added in a fixed order, and logarithm and exponential are made of operations that IEEE 754 rounds in
one way only. Those of numpy differ in the last bit between processors.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from risk.core.errors import ModelError
from risk.core.settings import INCLUDE_DIR
from risk.model.experts.ridge import RidgeCoefficients
from risk.model.panel import FloatMatrix, FloatTensor

PRIOR = "prior"
"""Name of the expert."""

PRIOR_FILE = INCLUDE_DIR / "model" / "prior.json"
PRIOR_FORMAT = 1
REMEDY = "Restore it from the release, or rebuild it with make prior."

ROWS_AT_ONCE = 100_000
"""Rows forecast together: 60 MB of working space, whatever the size of the desk."""

LN2_HIGH, LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10
"""ln 2 in two parts: a whole number below 2^20 times the first is exact."""

LOGARITHM_TERMS, EXPONENTIAL_TERMS = 12, 15


@dataclass(frozen=True)
class Tree:
    """One regression tree; a node is a position in its arrays, the root is 0.

    Attributes
    ----------
    feature, threshold, left, right
        Of an inner node: rows with ``input < threshold``, both float32, go left. ``left`` of a leaf is -1.
    is_missing_left
        Whether rows without the input go left.
    value
        What a leaf adds, float32; of an inner node the mean of what its rows add.
    """

    feature: tuple[int, ...]
    threshold: tuple[float, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    is_missing_left: tuple[bool, ...]
    value: tuple[float, ...]

    @cached_property
    def _arrays(self) -> tuple[NDArray[Any], ...]:
        return (
            np.array(self.feature, dtype=np.int64),
            np.array(self.threshold, dtype=np.float32),
            np.array(self.left, dtype=np.int64),
            np.array(self.right, dtype=np.int64),
            np.array(self.is_missing_left, dtype=np.bool_),
            np.array(self.value, dtype=np.float64),
        )

    def next_nodes(self, inputs: FloatTensor, nodes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Step from each row's node to its child; a leaf stays, ``(n_rows,)``."""
        feature, threshold, left, right, is_missing_left, _ = self._arrays
        values = inputs[np.arange(len(inputs)), feature[nodes]]
        goes_left = np.where(np.isnan(values), is_missing_left[nodes], values < threshold[nodes])
        return np.where(left[nodes] < 0, nodes, np.where(goes_left, left[nodes], right[nodes]))

    def values(self, inputs: FloatTensor) -> NDArray[np.float64]:
        """Return what the rows' leaves add, ``(n_rows,)``."""
        nodes = np.zeros(len(inputs), dtype=np.int64)
        while True:
            following = self.next_nodes(inputs, nodes)
            if np.array_equal(following, nodes):
                leaves: NDArray[np.float64] = self._arrays[5][nodes]
                return leaves
            nodes = following

    def add_shares(self, inputs: FloatTensor, shares: FloatMatrix) -> None:
        """Add to each row's share of a feature how the mean changed where the row's path splits by it."""
        feature, *_, value = self._arrays
        rows = np.arange(len(inputs))
        nodes = np.zeros(len(inputs), dtype=np.int64)
        while True:
            following = self.next_nodes(inputs, nodes)
            if np.array_equal(following, nodes):
                return
            shares[rows, feature[nodes]] += value[following] - value[nodes]
            nodes = following


@dataclass(frozen=True)
class Prior:
    """The expert as ``include/model/prior.json`` holds it.

    Attributes
    ----------
    feature_names
        Inputs, in their order; those that come from fills were never known and move nothing.
    desk_count, pair_count
        Simulated desks, and pairs of inputs and result that it was fitted on.
    ridge
        Log scale, as in expert ``log_scale_ridge``.
    base_score, trees
        5 % quantile of z over the ridge's scale, as in expert ``boosted``: ``base_score`` plus a leaf of each tree.
    """

    feature_names: tuple[str, ...]
    desk_count: int
    pair_count: int
    ridge: RidgeCoefficients
    base_score: float
    trees: tuple[Tree, ...]

    @cached_property
    def content_sha256(self) -> str:
        """Identity: SHA-256 of the canonical content."""
        return hashlib.sha256(_canonical(self._content()).encode("ascii")).hexdigest()

    @property
    def expected_ratio(self) -> float:
        """Mean prediction of the trees over the simulated desks, negative."""
        return self.base_score + sum(tree.value[0] for tree in self.trees)

    def predict(self, inputs: FloatTensor, scale_usd: NDArray[np.float64]) -> NDArray[np.float64]:
        """Predict the 5 % quantile of the next session, ``(n_rows,)``, US dollars, not above 0 unless the trees are.

        Parameters
        ----------
        inputs
            Features after the session, ``(n_rows, n_features)`` float32, NaN = missing.
        scale_usd
            ``s`` after the session, ``(n_rows,)``.
        """
        parts = (slice(start, start + ROWS_AT_ONCE) for start in range(0, len(inputs), ROWS_AT_ONCE))
        found = [self._quantiles(inputs[part], scale_usd[part]) for part in parts]
        return np.concatenate(found) if found else np.empty(0)

    def _quantiles(self, inputs: FloatTensor, scale_usd: NDArray[np.float64]) -> NDArray[np.float64]:
        quantiles: NDArray[np.float64] = (
            exact_exponential(self.ridge.log_scales(inputs, exact_logarithm)) * scale_usd * self.ratios(inputs)
        )
        return quantiles

    def ratios(self, inputs: FloatTensor) -> NDArray[np.float64]:
        """Predict the 5 % quantile of z over the ridge's scale, ``(n_rows,)``, as XGBoost adds: float32, in order."""
        total = np.full(len(inputs), self.base_score, dtype=np.float32)
        for tree in self.trees:
            total += tree.values(inputs).astype(np.float32)
        return total.astype(np.float64)

    def tree_shares(self, inputs: FloatTensor) -> FloatMatrix:
        """Split the trees' predictions: each input's part, the last column is the mean, ``(n_rows, n_features + 1)``.

        Source: Palczewska et al. (2013), "Interpreting Random Forest Models Using a Feature Contribution Method".
        """
        shares = np.zeros((len(inputs), len(self.feature_names) + 1))
        for tree in self.trees:
            tree.add_shares(inputs, shares)
        shares[:, -1] = self.expected_ratio
        return shares

    def to_json(self) -> str:
        """Write the file's text: canonical JSON with its own hash, in which no byte can change unseen."""
        return _canonical({"content": self._content(), "content_sha256": self.content_sha256}) + "\n"

    def _content(self) -> dict[str, Any]:
        return {"format": PRIOR_FORMAT, **asdict(self)}


@dataclass(frozen=True, slots=True)
class ReadPrior:
    """The expert of a run.

    Attributes
    ----------
    prior
        Read and checked; ``None`` = the mixture does without it.
    reason
        Why; empty where it is used.
    """

    prior: Prior | None
    reason: str


def read_prior(feature_names: Sequence[str], file: Path | None = None) -> ReadPrior:
    """Read the shipped expert; whatever is wrong with its file is a reason.

    Parameters
    ----------
    feature_names
        The features computed today.
    file
        Where it is; ``None`` = `PRIOR_FILE`.
    """
    try:
        return ReadPrior(load_prior((file or PRIOR_FILE).read_text(encoding="utf-8"), feature_names), "")
    except (OSError, UnicodeDecodeError) as error:
        found = error.strerror if isinstance(error, OSError) else "it is no text"
        reason = f"cannot be read: {found}. {REMEDY}"
    except ModelError as error:
        reason = str(error)
    return ReadPrior(None, f"The expert from simulated desks is not used: include/model/{PRIOR_FILE.name} {reason}")


def load_prior(text: str, feature_names: Sequence[str]) -> Prior:
    """Read an expert back.

    Raises
    ------
    ModelError
        If a byte has changed, the text is of another format or features, or a number is not one; says what and what
        to do, to be read after the file's name.
    """
    try:
        stored = json.loads(text)
        content, sha256 = stored["content"], stored["content_sha256"]
        if text != _canonical(stored) + "\n" or hashlib.sha256(_canonical(content).encode()).hexdigest() != sha256:
            raise ModelError(f"was changed: its content is not that of its SHA-256. {REMEDY}")
        if content.pop("format") != PRIOR_FORMAT:
            raise ModelError(f"has another format than {PRIOR_FORMAT}. {REMEDY}")
        prior = _prior_of(content)
        _check(prior, feature_names)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ModelError(f"is damaged ({type(error).__name__}). {REMEDY}") from error
    return prior


def _prior_of(content: dict[str, Any]) -> Prior:
    fields = {name: _frozen(value) for name, value in content.items()}
    fields["ridge"] = RidgeCoefficients(**{name: _frozen(value) for name, value in content["ridge"].items()})
    fields["trees"] = tuple(Tree(**{name: _frozen(value) for name, value in tree.items()}) for tree in content["trees"])
    return Prior(**fields)


def _check(prior: Prior, feature_names: Sequence[str]) -> None:
    other = sorted(set(prior.feature_names).symmetric_difference(feature_names))
    if prior.feature_names != tuple(feature_names):
        named = ", ".join(other) if other else "their order"
        raise ModelError(f"was fitted on other features than today's; they differ in {named}. {REMEDY}")
    ridge, count = prior.ridge, len(prior.feature_names)
    numbers = (*ridge.center, *ridge.spread, *ridge.coefficients, ridge.intercept, ridge.residual_quantile)
    lengths = {len(part) for part in (ridge.is_logarithmic, ridge.center, ridge.spread, ridge.coefficients)}
    values = [value for tree in prior.trees for value in (*tree.threshold, *tree.value)]
    is_usable = lengths == {count} and all(_is_tree(tree, count) for tree in prior.trees)
    if not (is_usable and _are_finite((*numbers, *values, prior.base_score)) and prior.expected_ratio < 0.0):
        raise ModelError(f"holds a number or a tree that cannot be used. {REMEDY}")


def _is_tree(tree: Tree, feature_count: int) -> bool:
    """Whether every node has its numbers and every path ends: children come after their parent."""
    has_all = len({len(part) for part in asdict(tree).values()}) == 1 and bool(tree.left)
    nodes = list(zip(tree.feature, tree.left, tree.right, strict=False))
    return has_all and all(
        left == -1 or (0 <= feature < feature_count and number < left < len(nodes) and number < right < len(nodes))
        for number, (feature, left, right) in enumerate(nodes)
    )


def _are_finite(numbers: Iterable[object]) -> bool:
    return all(isinstance(number, float) and math.isfinite(number) for number in numbers)


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


def _canonical(content: object) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)


def exact_logarithm(values: FloatMatrix) -> FloatMatrix:
    """Compute the natural logarithm of positive numbers, within 4e-16 of its size, with the same bits everywhere.

    Notes
    -----
    ``x = m 2^e`` with m between 1/sqrt(2) and sqrt(2), ``log m = 2 atanh((m - 1) / (m + 1))`` by its series.
    """
    mantissa, exponent = np.frexp(values)
    is_small = mantissa < math.sqrt(0.5)
    mantissa = np.where(is_small, 2.0 * mantissa, mantissa)
    exponent = np.where(is_small, exponent - 1, exponent).astype(np.float64)
    root = (mantissa - 1.0) / (mantissa + 1.0)
    square = root * root
    series = np.zeros_like(root)
    for number in range(LOGARITHM_TERMS, -1, -1):
        series = series * square + 1.0 / (2 * number + 1)
    logarithms: FloatMatrix = exponent * LN2_HIGH + (2.0 * root * series + exponent * LN2_LOW)
    return logarithms


def exact_exponential(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute e to the power of finite numbers, within 4e-16 of its size, with the same bits everywhere.

    Notes
    -----
    ``e^x = 2^k e^r`` with the nearest whole k and r at most ln(2) / 2, by Taylor's series; beyond 700 that of 700.
    """
    bounded = np.clip(values, -700.0, 700.0)
    power = np.rint(bounded / (LN2_HIGH + LN2_LOW))
    rest = (bounded - power * LN2_HIGH) - power * LN2_LOW
    series = np.ones_like(rest)
    for number in range(EXPONENTIAL_TERMS, 0, -1):
        series = 1.0 + rest * series / number
    exponentials: NDArray[np.float64] = np.ldexp(series, power.astype(np.int32))
    return exponentials
