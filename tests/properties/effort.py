"""How many examples the properties of the books try."""

from __future__ import annotations

import os

from hypothesis import settings

many_examples = settings(max_examples=int(os.environ.get("RISK_TEST_EXAMPLES", "1000")), deadline=None)
"""1,000; fewer where only the fast tier runs."""
