"""Fills: from a source's files or query to deliveries, executions and statements in the warehouse."""

from risk.fills.awaiting import awaited_accounts
from risk.fills.loading import Load, known_load, load_drop, raise_for_quarantine
from risk.fills.query import load_query
from risk.fills.reading import newest_session, read_drop, read_stated
from risk.fills.reasons import Quarantine, Reject

__all__ = [
    "Load",
    "Quarantine",
    "Reject",
    "awaited_accounts",
    "known_load",
    "load_drop",
    "load_query",
    "newest_session",
    "raise_for_quarantine",
    "read_drop",
    "read_stated",
]
