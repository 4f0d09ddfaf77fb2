"""The engine and the images of these tests."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from risk.core.settings import PROJECT_DIR
from tests.compose.engine import Engine, NoEngineError, running_engine
from tests.compose.images import ensure_images
from tests.compose.installation import Installation, make_installation


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """Give an engine that has the images which the files name; without one the tests skip, with the reason."""
    services = yaml.safe_load((PROJECT_DIR / "docker-compose.yaml").read_text())["services"].values()
    images = [service["image"] for service in services if "$" not in service["image"]]
    images += re.findall(r"^FROM (\S+)", (PROJECT_DIR / "Dockerfile").read_text(), re.MULTILINE)
    with contextlib.ExitStack() as held:
        try:
            found = held.enter_context(running_engine(PROJECT_DIR / "var" / "compose"))
            made = ensure_images(found, images)
        except NoEngineError as error:
            pytest.skip(f"no container engine: {error}")
        print(f"Images that are stand-ins: {', '.join(made) or 'none made in this run'}.")
        yield found


@pytest.fixture
def installation(engine: Engine, tmp_path: Path) -> Iterator[Installation]:
    """Give an installation that is not started yet; it is removed with its data afterwards."""
    made = make_installation(engine, tmp_path)
    yield made
    made.compose("--profile", "celery", "down", "--volumes", "--remove-orphans")
    engine.run("image", "rm", "--force", f"{made.project}-airflow")
