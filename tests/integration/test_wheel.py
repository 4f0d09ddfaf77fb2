"""The wheel: the same bytes each time, complete, and at work in an Airflow that has the DAG files and no clone."""

from __future__ import annotations

import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from risk import __version__
from risk.core.runs import code_version
from risk.core.settings import PROJECT_DIR
from tests.integration.guest import Guest, install, make_wheel

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the wheel of this clone."""
    return make_wheel(tmp_path_factory.mktemp("build") / "tree")


@pytest.fixture(scope="module")
def guest(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Guest:
    """Give a fresh environment with the wheel, beside the DAG files."""
    return install(wheel, tmp_path_factory.mktemp("guest"))


def files(folder: Path) -> set[str]:
    """List the files below a folder, without what Python has compiled."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_same_sources_make_the_same_bytes(wheel: Path, tmp_path: Path) -> None:
    again = make_wheel(tmp_path / "elsewhere", umask=0o077)

    assert again.name == wheel.name == f"morning_risk_run-{__version__}-py3-none-any.whl"
    assert again.read_bytes() == wheel.read_bytes()


def test_wheel_holds_the_package_and_all_of_include_and_nothing_else(wheel: Path) -> None:
    held = {name for name in zipfile.ZipFile(wheel).namelist() if not name.endswith("/")}
    package = {f"risk/{name}" for name in files(PROJECT_DIR / "plugins" / "risk")}
    data = {f"risk/include/{name}" for name in files(PROJECT_DIR / "include")}

    assert {name for name in held if ".dist-info/" not in name} == package | data
    assert {"risk/include/sql/schema/schemas.sql", "risk/include/model/prior.json"} < data


def test_wheel_requires_what_its_code_imports_and_no_more(wheel: Path) -> None:
    tree = wheel.parents[1] / "wheel"

    checked = subprocess.run(
        [PROJECT_DIR / ".venv" / "bin" / "deptry", "."], cwd=tree, capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stderr


def test_constraints_are_the_versions_this_clone_is_tested_with(wheel: Path) -> None:
    pinned = set((wheel.parent / "constraints.txt").read_text(encoding="utf-8").splitlines())
    requirements = (PROJECT_DIR / "requirements.txt").read_text(encoding="utf-8")

    pins = {line.rstrip(" \\") for line in requirements.splitlines() if re.match(r"[a-z0-9._-]+==", line)}
    # Airflow's role-based login (FAB) wants an older python-dateutil.
    assert pinned == {pin for pin in pins if not pin.startswith("python-dateutil==")} != pins
    assert any(line.startswith("apache-airflow-core==3.3.") for line in pinned)


def test_installed_code_is_that_of_the_clone_and_reads_none_of_its_files(guest: Guest) -> None:
    said = guest.run("riskctl", "--version")

    assert said == f"riskctl {__version__} (code {code_version()})\n"
    assert guest.opened_in_clone == []


def test_a_file_of_the_clone_that_is_read_would_be_noticed(wheel: Path, tmp_path: Path) -> None:
    watched = install(wheel, tmp_path)

    watched.run(str(watched.python), "-c", f"open({str(PROJECT_DIR / 'pyproject.toml')!r}).close()")

    assert watched.opened_in_clone == [str(PROJECT_DIR / "pyproject.toml")]


def test_folders_without_a_setting_lie_in_the_home_of_airflow(guest: Guest) -> None:
    code = "from risk.core.settings import read_settings; print(read_settings().reports_dir)"

    said = guest.run(str(guest.python), "-c", code)

    assert said.strip() == str(guest.root / "airflow" / "risk" / "reports")
