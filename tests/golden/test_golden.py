"""Numbers that no refactoring may change, compared with those of the commit that froze them.

Words may change, numbers may not. Regenerate with ``PYTHONPATH=plugins .venv/bin/python -m tests.golden --write``:
a golden number changes only in a commit of its own that names number, old, new, reason.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.golden import drawing, frozen

pytestmark = [
    pytest.mark.skipif(
        sys.version_info[:2] != (3, 11), reason="The golden numbers are those of Python 3.11 and its libraries."
    ),
    pytest.mark.slow,
]

SHOWN_DIFFERENCES = 40


def _require_same(found: dict[str, frozen.Table], prefix: str) -> None:
    """Fail with one line for each number that is not what it was."""
    golden_names = {path.stem for path in frozen.GOLDEN_DIR.glob(f"{prefix}_*.csv")}
    assert found.keys() == golden_names, "These golden files are not computed any more, or computed and not there."
    sentences = [
        sentence
        for name, table in sorted(found.items())
        for sentence in frozen.differences(name, frozen.read(name), table)
    ]
    shown = "\n".join(sentences[:SHOWN_DIFFERENCES])
    assert not sentences, f"{len(sentences)} numbers are not what they were:\n{shown}"


@pytest.mark.parametrize(
    "plan",
    [pytest.param(plan, marks=() if plan in drawing.PLANS[:2] else pytest.mark.thorough) for plan in drawing.PLANS],
    ids=lambda plan: plan.name,
)
def test_drawn_desk_has_the_numbers_it_had(plan: drawing.Plan, tmp_path: Path, server_dsn: str) -> None:
    _require_same(frozen.drawn(plan, tmp_path, server_dsn), f"drawn_{plan.name}")


def test_simulation_writes_the_files_it_wrote(tmp_path: Path) -> None:
    _require_same(frozen.streams(tmp_path), "streams")


@pytest.mark.thorough
def test_simulated_desk_has_the_numbers_it_had(tmp_path: Path, server_dsn: str) -> None:
    _require_same(frozen.simulated(tmp_path, server_dsn), "simulated")


@pytest.mark.thorough
def test_real_executions_have_the_digests_they_had(tmp_path: Path, server_dsn: str) -> None:
    if not frozen.REAL_DIR.is_dir():
        pytest.skip(f"The real executions are not at {frozen.REAL_DIR}.")
    _require_same(frozen.real(tmp_path, server_dsn), "real")
