"""The only file under plugins/ that Airflow executes; an installed wheel is found by its entry point instead."""

from risk.operators.plugin import RiskPlugin

__all__ = ["RiskPlugin"]
