"""Every file of a drop is opened in one place, which follows no link and waits for no pipe."""

from __future__ import annotations

import ast
from pathlib import Path

import risk.ingest

OPENERS = {"open", "read_text", "read_bytes", "read_csv", "file_digest"}
DOOR = "opening.py"
OWN_FILES = {
    "mapping_files.py": 1,  # presets of the package
    "query.py": 3,  # the statement that the settings name; writes what it brought into our own folder
    "streams.py": 1,  # pyarrow reads bytes in memory
    "propreports/client.py": 1,  # the page that is being written
    "propreports/load.py": 3,  # writes what the vendor answered
    "propreports/turns.py": 1,  # a page that has come
    "propreports/pages.py": 5,  # kept pages of the vendor, in our own folder
}
"""Module to the number of its calls that open or read something else than a delivered file."""


def openings(path: Path) -> int:
    called = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    names = [getattr(function, "attr", getattr(function, "id", "")) for function in called]
    through_door = [
        function
        for function in called
        if isinstance(function, ast.Attribute) and getattr(function.value, "id", "") == "DeliveredFile"
    ]
    return sum(name in OPENERS for name in names) - len(through_door)


def test_delivered_files_have_one_door() -> None:
    folder = Path(str(risk.ingest.__file__)).parent
    counts = {str(path.relative_to(folder)): openings(path) for path in sorted(folder.rglob("*.py"))}

    assert {name: count for name, count in counts.items() if count and name != DOOR} == OWN_FILES
