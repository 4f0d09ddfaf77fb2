"""Scale-free features: what is known about every account after a session's close, for the next session."""

from __future__ import annotations

from risk.features.build import build_features
from risk.features.store import store_features
from risk.features.table import FEATURES, LEARNED_NAMES, OWN_FEATURES, Feature

__all__ = ["FEATURES", "LEARNED_NAMES", "OWN_FEATURES", "Feature", "build_features", "store_features"]
