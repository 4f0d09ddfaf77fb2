"""Prints how many faults each step was given, and what the next try left."""

from __future__ import annotations

import itertools

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print a line for each step and kind of fault."""
    reports = itertools.chain.from_iterable(terminalreporter.stats.values())
    found = [
        value
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "call"
        for name, value in report.user_properties
        if name == "faults"
    ]
    if not found:
        return
    terminalreporter.section("faults: tried, equal to the line without faults, equal but for a load opened again")
    for step, kind, tried, survived, named in sorted(found):
        terminalreporter.write_line(f"{step:15} {kind:12} {tried:5} {survived:5} {named:5}")
    totals = [sum(row[column] for row in found) for column in (2, 3, 4)]
    terminalreporter.write_line(f"{'all':28} {totals[0]:5} {totals[1]:5} {totals[2]:5}")
