"""The doctor names every folder and file that other users of the machine may read."""

from __future__ import annotations

from pathlib import Path

import pytest

from risk.core.settings import Settings
from risk.report.doctor import check_private_files

pytestmark = pytest.mark.xfail(strict=True, reason="folders are not looked at")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    tmp_path.chmod(0o711)
    for name in ("reports", "alarms", "vendor", ".airflow"):
        (tmp_path / name).mkdir(mode=0o700)
    (tmp_path / "secrets.json").write_text("{}")
    (tmp_path / "secrets.json").chmod(0o600)
    folders = {f"{name}_dir": tmp_path / name for name in ("reports", "alarms", "vendor")}
    return Settings(private_files=(tmp_path / "secrets.json", tmp_path / ".airflow"), **folders)


def test_doctor_is_content_with_what_only_the_owner_reads(settings: Settings) -> None:
    assert all(found.is_healthy for found in check_private_files(settings))


@pytest.mark.parametrize(
    ("name", "mode"),
    [("secrets.json", 0o640), ("secrets.json", 0o604), (".airflow", 0o755), ("reports", 0o755), ("alarms", 0o750)],
)
def test_doctor_names_what_others_may_read_and_the_remedy(
    settings: Settings, tmp_path: Path, name: str, mode: int
) -> None:
    (tmp_path / name).chmod(mode)

    (found,) = [one.sentence for one in check_private_files(settings) if not one.is_healthy]

    assert f"mode {mode:o}: other users may read it; run chmod" in found
    assert str(tmp_path / name) in found


def test_folder_within_a_closed_one_is_closed(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "reports").chmod(0o755)
    tmp_path.chmod(0o700)

    assert all(found.is_healthy for found in check_private_files(settings))
