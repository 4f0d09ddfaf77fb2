"""DAG files and installed code of two releases say so where Airflow parses them."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from risk import __version__
from risk.core.errors import ReleaseError
from risk.core.release import RELEASE_FILE, installed_release, release_tag, tagged_release
from risk.core.settings import PROJECT_DIR


def test_dag_files_of_this_clone_need_its_release() -> None:
    tag = release_tag(str(PROJECT_DIR / "dags" / "daily_risk.py"))

    assert tagged_release(["risk", tag]) == __version__


def test_dag_files_of_another_release_are_refused_with_both_and_the_remedy(tmp_path: Path) -> None:
    (tmp_path / RELEASE_FILE).write_text("9.9.9\n")

    with pytest.raises(ReleaseError) as caught:
        release_tag(str(tmp_path / "daily_risk.py"))

    said = str(caught.value)
    assert f"need morning-risk-run 9.9.9, but {__version__} is installed here" in said
    assert "Install the wheel 9.9.9 in scheduler, api-server, dag-processor and workers" in said
    assert f"let the DAG bundle follow v{__version__}" in said


def test_dag_file_without_its_release_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"risk_release\.txt is missing: bring the whole folder dags/"):
        release_tag(str(tmp_path / "daily_risk.py"))


@pytest.mark.parametrize("dag_file", sorted((PROJECT_DIR / "dags").glob("*.py")), ids=lambda path: path.stem)
def test_dag_file_names_both_releases_before_it_misses_a_module_of_its_own(dag_file: Path, tmp_path: Path) -> None:
    (tmp_path / RELEASE_FILE).write_text("9.9.9\n")
    newer = tmp_path / dag_file.name
    text = dag_file.read_text(encoding="utf-8")
    newer.write_text(re.sub(r"^from risk\.(?!core\.release )", "from risk.new_in_9_9_9.", text, flags=re.MULTILINE))

    with pytest.raises(ReleaseError, match=r"need morning-risk-run 9\.9\.9"):
        runpy.run_path(str(newer))


@pytest.mark.parametrize(
    ("source", "version"),
    [
        ("morning-risk-run==0.1.0: EntryPoint(name='risk', value='risk.operators.plugin:RiskPlugin')", "0.1.0"),
        ("morning-risk-run-extras==3.0: EntryPoint(name='risk')", ""),
        ("$PLUGINS_FOLDER/risk_plugin.py", ""),
    ],
)
def test_only_the_source_of_our_wheel_names_an_installed_release(source: str, version: str) -> None:
    assert installed_release(source) == version


def test_dags_without_a_release_tag_name_none() -> None:
    assert tagged_release(["risk", "daily"]) == ""
