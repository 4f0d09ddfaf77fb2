"""The compose file as text: no machine of ours has a Docker engine, so images are not built or started here."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from risk.core.settings import PROJECT_DIR

COMPOSE = PROJECT_DIR / "docker-compose.yaml"
EXAMPLE = PROJECT_DIR / ".env.example"
SERVICES = {"postgres", "mailpit", "migrate", "api-server", "scheduler", "dag-processor"}
VARIABLE = re.compile(r"\$\{([A-Z_]+)([^}]*)\}")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """Give the parsed file."""
    content = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


def used_variables() -> dict[str, str]:
    """Map each variable of the compose file to what follows its name: a default or a refusal."""
    return dict(VARIABLE.findall(COMPOSE.read_text(encoding="utf-8")))


def example_variables() -> dict[str, str]:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_compose_uses_exactly_the_variables_of_the_example() -> None:
    assert set(used_variables()) == set(example_variables())


def test_no_secret_has_a_default_and_a_missing_one_stops_the_start() -> None:
    secrets = {name for name in used_variables() if re.search("PASSWORD|SECRET|KEY|SMTP_CONNECTION", name)}

    assert len(secrets) == 8
    assert {name: example_variables()[name] for name in secrets} == dict.fromkeys(secrets, "")
    assert all(used_variables()[name].startswith(":?") for name in secrets)


def test_defaults_in_the_compose_file_are_those_of_the_example() -> None:
    defaults = {name: rest.removeprefix(":-") for name, rest in used_variables().items() if rest.startswith(":-")}

    assert len(defaults) == 13
    assert {name: example_variables()[name] for name in defaults} == defaults


def test_every_service_runs_without_root_and_says_when_it_is_healthy(compose: dict[str, Any]) -> None:
    services = compose["services"]

    assert set(services) == SERVICES
    assert all(str(service["user"]) not in ("0", "root", "") for service in services.values())
    assert all("healthcheck" in service for service in services.values())


def test_every_image_is_pinned_to_a_version(compose: dict[str, Any]) -> None:
    dockerfile = (PROJECT_DIR / "Dockerfile").read_text(encoding="utf-8")
    images = {service["image"] for service in compose["services"].values() if "build" not in service}
    images |= set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE))

    assert len(images) == 3
    assert all(re.search(r":v?\d+\.\d+(\.\d+)?(-[a-z-]+)?$", image) for image in images)


def test_data_outlive_containers_in_named_volumes(compose: dict[str, Any]) -> None:
    mounted = {
        volume.split(":")[0]
        for service in compose["services"].values()
        for volume in service.get("volumes", [])
        if not volume.startswith((".", "$"))
    }

    assert mounted == set(compose["volumes"]) == {"alarms", "logs", "postgres", "reports", "vendor"}


def test_nothing_is_published_beyond_loopback(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]

    assert len(ports) == 2
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_only_the_migration_knows_the_owner_of_the_warehouse(compose: dict[str, Any]) -> None:
    knows = {name for name, service in compose["services"].items() if "RISK_OWNER" in str(service)}

    assert knows == {"migrate", "postgres"}


def test_image_has_the_versions_of_the_tested_environment() -> None:
    def pins(name: str) -> dict[str, str]:
        text = (PROJECT_DIR / name).read_text(encoding="utf-8")
        return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", text, re.MULTILINE))

    tested, image = pins("requirements.txt"), pins("requirements-compose.txt")
    differing = {name for name, version in image.items() if tested.get(name, version) != version}

    assert differing == {"python-dateutil"}  # FAB wants 2, nothing of ours uses it


def test_every_copied_file_is_let_through_to_the_build() -> None:
    ignored = (PROJECT_DIR / ".dockerignore").read_text(encoding="utf-8").splitlines()
    dockerfile = (PROJECT_DIR / "Dockerfile").read_text(encoding="utf-8")

    copied = re.findall(r"^COPY (\S+)", dockerfile, re.MULTILINE)

    assert copied
    assert all(f"!{name}" in ignored and (PROJECT_DIR / name).exists() for name in copied)
