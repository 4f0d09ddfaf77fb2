"""Simulated desks: results drawn from a known law, and fills that realize them to the cent.

Everything here is invented. A folder written by this package holds the file `MARKER`, by which every later
step knows that its outputs must say *simulated*.
"""

from __future__ import annotations

from risk.simulation.desk import write_desk
from risk.simulation.law import LAWS
from risk.simulation.truth import LAST_SESSION, Truth, draw
from risk.simulation.writing import MARKER, Written, simulate

__all__ = ["LAST_SESSION", "LAWS", "MARKER", "Truth", "Written", "draw", "simulate", "write_desk"]
