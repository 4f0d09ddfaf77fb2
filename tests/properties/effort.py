"""How many examples the properties try: fewer where only the fast tier runs (`tests/conftest.py`)."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from hypothesis import HealthCheck, settings

_MANY = int(os.environ.get("RISK_TEST_EXAMPLES", "1000"))

many_examples = settings(max_examples=_MANY, deadline=None)
"""1,000: cheap properties of the books."""


def examples(count: int, suppressed: Iterable[HealthCheck] = (), **more: Any) -> settings:
    """Return the settings of a property whose examples are not cheap; a fifth of them in the fast tier."""
    few = count if _MANY >= 1000 else max(count // 5, 4)
    return settings(max_examples=few, deadline=None, suppress_health_check=list(suppressed), **more)
