"""The doctor names every folder and file that other users of the machine may read."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from risk.core.settings import Settings
from risk.report.doctor import check_deadlines, check_private_files


@pytest.fixture
def place() -> Iterator[Path]:
    """Give a folder that everybody may reach; those of pytest are closed."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture
def settings(place: Path) -> Settings:
    for name in ("reports", "alarms", ".airflow"):
        (place / name).mkdir(mode=0o700)
    (place / "secrets.json").write_text("{}")
    (place / "secrets.json").chmod(0o600)
    folders = {f"{name}_dir": place / name for name in ("reports", "alarms")}
    return Settings(private_files=(place / "secrets.json", place / ".airflow"), **folders)


def test_doctor_is_content_with_what_only_the_owner_reads(settings: Settings) -> None:
    assert all(found.is_healthy for found in check_private_files(settings))


@pytest.mark.parametrize(
    ("name", "mode"),
    [("secrets.json", 0o640), ("secrets.json", 0o604), (".airflow", 0o755), ("reports", 0o755), ("alarms", 0o750)],
)
def test_doctor_names_what_others_may_read_and_the_remedy(
    settings: Settings, place: Path, name: str, mode: int
) -> None:
    (place / name).chmod(mode)

    (found,) = [one.sentence for one in check_private_files(settings) if not one.is_healthy]

    assert f"mode {mode:o}: other users may read it; run chmod" in found
    assert str(place / name) in found


def test_folder_within_a_closed_one_is_closed(settings: Settings, place: Path) -> None:
    (place / "reports").chmod(0o755)
    place.chmod(0o700)

    assert all(found.is_healthy for found in check_private_files(settings))


def test_doctor_says_where_only_the_watchdog_alerts_of_a_late_report() -> None:
    (said,) = check_deadlines({"AIRFLOW__CORE__EXECUTOR": "KubernetesExecutor"})

    assert said.sentence.startswith("KubernetesExecutor runs no callback of a deadline")
    assert list(check_deadlines({"AIRFLOW__CORE__EXECUTOR": "CeleryExecutor,KubernetesExecutor"})) == []
    assert list(check_deadlines({})) == []
