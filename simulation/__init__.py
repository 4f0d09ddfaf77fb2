"""Simulated desks: P&L drawn from a known law, and fills that realize it to the cent.

Everything here is invented. A folder written by this package holds the file `MARKER`, so that every later
step knows that its outputs must say *simulated*.
"""
