"""How many examples the properties try: all in `make test-thorough`, a part of them in other runs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from hypothesis import HealthCheck, settings

_MANY = int(os.environ.get("RISK_TEST_EXAMPLES", "50"))
IS_THOROUGH = _MANY >= 1000

many_examples = settings(max_examples=_MANY, deadline=None)
"""1,000 in a thorough run: cheap properties of the books."""


def examples(count: int, suppressed: Iterable[HealthCheck] = (), **more: Any) -> settings:
    """Return the settings of a property whose examples are not cheap; ``count`` is that of a thorough run."""
    few = count if IS_THOROUGH else max(count // 5, 4)
    return settings(max_examples=few, deadline=None, suppress_health_check=list(suppressed), **more)
