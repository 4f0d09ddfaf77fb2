"""Whether the first run of a simulated desk can be given a model."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from devstack import commands, runs
from devstack.environment import Desk, DeskKind
from devstack.stack import Stack
from devstack.workspace import Workspace
from risk.core.errors import StackError
from simulation.writing import simulate


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Give a simulated desk of 12 sessions, 2025-07-31 to 2025-08-15."""
    simulate("null", 1, 12, 1, tmp_path / "desk")
    return Desk(DeskKind.simulated, tmp_path / "desk")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """Record what would be started: sessions of the daily line, and trainings."""
    found: list[tuple[str, Any]] = []

    def trigger(_api: object, conf: dict[str, Any]) -> str:
        found.append(("daily", (conf["session_date"], conf["deliver"])))
        return "run"

    monkeypatch.setattr(commands, "has_model", lambda _workspace, _session_date: False)
    monkeypatch.setattr(runs, "trigger", trigger)
    monkeypatch.setattr(runs, "follow", lambda *_: iter(()))
    monkeypatch.setattr(runs, "raise_for_failure", lambda *_: None)
    monkeypatch.setattr(commands, "train", lambda _stack, session_date, _console: found.append(("train", session_date)))
    return found


def _prepare(desk: Desk, session_date: str | None) -> None:
    stack = Stack.__new__(Stack)
    object.__setattr__(stack, "api", None)
    commands.prepare_model(
        Workspace(Path("unused")), stack, desk, {"session_date": session_date, "deliver": True}, Console()
    )


def test_the_first_session_of_a_simulated_desk_is_read_from_its_marker(desk: Desk) -> None:
    assert desk.fills is not None
    assert commands.first_session(desk.fills) == dt.date(2025, 7, 31)


def test_the_week_before_is_run_without_a_mail_and_a_model_trained_on_it(
    desk: Desk, started: list[tuple[str, Any]]
) -> None:
    _prepare(desk, "2025-08-15")
    assert started == [("daily", ("2025-08-08", False)), ("train", "2025-08-15")]


@pytest.mark.parametrize("session_date", ["2025-08-01", None])
def test_nothing_is_trained_where_there_is_no_week_before(
    desk: Desk, started: list[tuple[str, Any]], session_date: str | None
) -> None:
    _prepare(desk, session_date)
    assert started == []


def test_a_desk_of_real_fills_is_left_to_its_own_training(desk: Desk, started: list[tuple[str, Any]]) -> None:
    _prepare(Desk(DeskKind.real, desk.fills), "2025-08-15")
    assert started == []


def test_a_training_that_fails_is_no_run(
    desk: Desk, started: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StackError("It failed.")

    monkeypatch.setattr(runs, "raise_for_failure", fail)
    with pytest.raises(StackError, match="It failed"):
        _prepare(desk, "2025-08-15")
    assert ("train", "2025-08-15") not in started
