"""An Airflow that is not this clone's: a fresh environment with the wheel, and a folder with the DAG files alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from risk.core.settings import PROJECT_DIR

LINKED = ("Makefile", "ops", "plugins", "include", "requirements.in", "requirements.txt", ".venv")
WATCH = """
import os, sys

def _watch(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        path = os.path.abspath(arguments[0])
        if path.startswith({clone!r}) and not path.startswith({packages!r}):
            with os.fdopen(os.open({seen!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT), "a") as file:
                file.write(path + "\\n")

sys.addaudithook(_watch)
"""
"""Runs when an interpreter of the guest starts: notes what it opens in the clone, the installed packages apart."""


@dataclass(frozen=True, slots=True)
class Guest:
    """An environment with the wheel.

    Attributes
    ----------
    root
        Its folder; ``dags`` in it holds the DAG files.
    python
        Its interpreter.
    """

    root: Path
    python: Path

    @property
    def dags(self) -> Path:
        """What a git sync brings."""
        return self.root / "dags"

    @property
    def opened_in_clone(self) -> list[str]:
        """Files of the clone that a process of the guest has opened."""
        seen = self.root / "opened.txt"
        return sorted(set(seen.read_text(encoding="utf-8").splitlines())) if seen.exists() else []

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a shell that knows nothing of this project."""
        own = ("RISK_", "AIRFLOW", "PYTHON", "VIRTUAL_ENV")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        path = f"{self.python.parent}{os.pathsep}{kept.get('PATH', '')}"
        return {**kept, "AIRFLOW_HOME": str(self.root / "airflow"), "PATH": path}

    def run(self, *command: str, **environment: str) -> str:
        """Run a command of the guest and return what it prints; an error carries the rest."""
        done = subprocess.run(
            command, env={**self.environment, **environment}, cwd=self.root, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout


def make_wheel(folder: Path, *, umask: int = 0o022) -> Path:
    """Build the wheel as ``make wheel`` does, from links to this clone, and return it."""
    folder.mkdir()
    for name in LINKED:
        (folder / name).symlink_to(PROJECT_DIR / name)
    subprocess.run(["make", "-s", "wheel"], cwd=folder, check=True, capture_output=True, text=True, umask=umask)
    (built,) = (folder / "var" / "dist").glob("*.whl")
    return built


def install(wheel: Path, root: Path) -> Guest:
    """Install a wheel into a fresh environment that sees the packages of ours, and copy the DAG files beside it."""
    uv = PROJECT_DIR / ".venv" / "bin" / "uv"
    home = root / "venv"
    subprocess.run([uv, "venv", "--quiet", "--offline", "--python", sys.executable, home], check=True)
    python = home / "bin" / "python"
    subprocess.run([uv, "pip", "install", "--quiet", "--offline", "--no-deps", "--python", python, wheel], check=True)
    packages = Path(sysconfig.get_path("purelib"))
    (site,) = (home / "lib").glob("python*/site-packages")
    watched = {"clone": f"{PROJECT_DIR}/", "packages": f"{PROJECT_DIR / '.venv'}/", "seen": str(root / "opened.txt")}
    (site / "watch_the_clone.py").write_text(WATCH.format(**watched), encoding="utf-8")
    (site / "neighbors.pth").write_text(f"{packages}\nimport watch_the_clone\n", encoding="utf-8")
    shutil.copytree(PROJECT_DIR / "dags", root / "dags", ignore=shutil.ignore_patterns("__pycache__"))
    return Guest(root, python)
