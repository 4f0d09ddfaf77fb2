"""The guides to other Airflows name files, settings, connections and releases that exist."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest
import yaml

from risk.core.schema import released_baselines
from risk.core.settings import PROJECT_DIR, Settings, variable_name

HOW_TO = PROJECT_DIR / "docs" / "how-to"
GUIDES = [HOW_TO / f"{name}.md" for name in ("existing-airflow", "kubernetes", "astro", "managed-airflow")]
NEWEST_RELEASE = max(released_baselines(), key=lambda release: [int(part) for part in release.split(".")])
SETTINGS = {variable_name(name) for name in Settings.model_fields}


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_every_setting_of_a_guide_exists(guide: Path) -> None:
    named = set(re.findall(r"(?<!CONN_)\bRISK_[A-Z_]*[A-Z]\b", guide.read_text(encoding="utf-8")))

    assert named <= SETTINGS


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_every_release_that_a_guide_installs_is_this_one(guide: Path) -> None:
    text = guide.read_text(encoding="utf-8")
    named = re.findall(r"morning_risk_run-([\d.]+)-py3|ref\"?: \"?v([\d.]+\d)|Tag: \"([\d.]+)", text)

    assert {number for found in named for number in found if number} <= {NEWEST_RELEASE}


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_every_file_of_the_project_that_a_guide_names_exists(guide: Path) -> None:
    named = re.findall(r"`((?:tests|plugins|ops|docs|dags)/[\w./-]+)`", guide.read_text(encoding="utf-8"))

    assert [name for name in named if not (PROJECT_DIR / name).exists()] == []


def test_chart_syncs_the_dag_files_of_the_release_in_its_image() -> None:
    text = (HOW_TO / "kubernetes.md").read_text(encoding="utf-8")
    values = yaml.safe_load(textwrap.dedent("".join(re.findall(r"^ {4}(?!kubectl ).*\n", text, re.MULTILINE))))

    assert values["defaultAirflowTag"] == NEWEST_RELEASE
    assert values["dags"]["gitSync"]["ref"] == f"v{NEWEST_RELEASE}"
    assert (PROJECT_DIR / values["dags"]["gitSync"]["subPath"] / "daily_risk.py").is_file()


def test_figures_of_the_sizing_table_stand_in_the_benchmarks() -> None:
    measured = (PROJECT_DIR / "docs" / "benchmarks" / "speed.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\|[^|]+\|[^|]+\|([^|]+)\|$", (HOW_TO / "size-an-installation.md").read_text("utf-8"), re.M)
    figures = {figure for row in rows[2:] for figure in re.findall(r"\d+(?:\.\d+)?", row)}

    # 0.93 of 4 s and of 2 GB.
    assert figures - {"3.7", "1.9"} <= set(re.findall(r"\d+(?:\.\d+)?", measured))
    assert len(rows) > 10
