"""An Airflow home of its own for tests that import Airflow; set before its first import."""

from __future__ import annotations

import os
import tempfile

_home = tempfile.mkdtemp(prefix="risk-airflow-")
os.environ.setdefault("AIRFLOW_HOME", _home)
os.environ.setdefault("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
os.environ.setdefault("AIRFLOW__CORE__UNIT_TEST_MODE", "False")
