"""Daily loss limits from fills: a plain library that Airflow's operators call (see architecture in README)."""

__version__ = "0.1.0"
