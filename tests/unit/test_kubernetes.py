"""Values and pod template as text: no machine of ours has a cluster, so nothing is started here."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import pytest
import yaml

from risk.core.settings import PROJECT_DIR, Settings, read_settings, variable_name

FOLDER = PROJECT_DIR / "ops" / "kubernetes"
KNOWN = {variable_name(name) for name in Settings.model_fields}
NEVER_IN_TASKS = {"RISK_PAGE_DSN", "RISK_OWNER_DSN", "RISK_SERVER_DSN", "RISK_BACKUP_KEY"}
"""With these a task could decide for a person, or change history."""


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    return dict(yaml.safe_load((FOLDER / "values.yaml").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def pod() -> dict[str, Any]:
    return dict(yaml.safe_load((FOLDER / "pod-template.yaml").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def migration() -> dict[str, Any]:
    return dict(yaml.safe_load((FOLDER / "migrate.yaml").read_text(encoding="utf-8")))


def plain(env: list[dict[str, Any]]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in env if "value" in one}


def secrets_of(env: list[dict[str, Any]]) -> dict[str, tuple[str, str]]:
    keys = {one["name"]: one["valueFrom"]["secretKeyRef"] for one in env if "valueFrom" in one}
    return {name: (key["name"], key["key"]) for name, key in keys.items()}


def test_pod_reads_what_the_other_components_read(values: dict[str, Any], pod: dict[str, Any]) -> None:
    (container,) = pod["spec"]["containers"]
    in_pod, shared = plain(container["env"]), plain(values["env"])

    assert {name: in_pod.get(name) for name in shared} == shared
    stated = {one["envName"]: (one["secretName"], one["secretKey"]) for one in values["secret"]}
    found = secrets_of(container["env"])
    assert {name: found.get(name) for name in stated} == stated
    for name in ("dags_folder", "plugins_folder"):
        assert in_pod[f"AIRFLOW__CORE__{name.upper()}"] == values["config"]["core"][name]
    assert container["image"] == f"{values['defaultAirflowRepository']}:{values['defaultAirflowTag']}"


def test_every_setting_exists_and_is_allowed(values: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    ours = {name: value for name, value in plain(values["env"]).items() if name.startswith("RISK_")}
    for name, value in ours.items():
        monkeypatch.setenv(name, value)

    assert set(ours) <= KNOWN
    assert read_settings().schedule == "sessions"
    assert values["airflowVersion"] == version("apache-airflow")


def test_chart_makes_no_user_whose_password_everyone_knows(values: dict[str, Any]) -> None:
    # The chart's own default is the user admin with the password admin and the role Admin.
    assert values["createUserJob"]["defaultUser"]["enabled"] is False


def test_probes_run_what_this_image_has(values: dict[str, Any]) -> None:
    # The chart's defaults run /entrypoint and /clean-logs, which only Airflow's own image has.
    compose = yaml.safe_load((PROJECT_DIR / "docker-compose.yaml").read_text(encoding="utf-8"))["services"]
    for component, service in (("scheduler", "scheduler"), ("dagProcessor", "dag-processor")):
        checked = compose[service]["healthcheck"]["test"][1:]
        probes = {name: probe["command"] for name, probe in values[component].items() if name.endswith("Probe")}
        assert probes == dict.fromkeys(probes, checked)
        assert "livenessProbe" in probes
        assert values[component]["logGroomerSidecar"] == {"enabled": False}
    assert "startupProbe" in values["scheduler"]


def test_no_task_can_decide_for_a_person_or_change_history(values: dict[str, Any], pod: dict[str, Any]) -> None:
    (container,) = pod["spec"]["containers"]
    of_all = {one["name"] for one in values["env"]} | {one["envName"] for one in values["secret"]}

    assert not NEVER_IN_TASKS & (of_all | {one["name"] for one in container["env"]})
    assert set(secrets_of(values["apiServer"]["env"])) == {"RISK_PAGE_DSN"}


def test_pods_share_the_drop_only_and_only_read_it(values: dict[str, Any], pod: dict[str, Any]) -> None:
    (container,) = pod["spec"]["containers"]
    volumes = {volume.pop("name"): volume for volume in (dict(one) for one in pod["spec"]["volumes"])}
    shared = {name for name, volume in volumes.items() if volume != {"emptyDir": {}}}

    assert shared == {"fills"}
    assert volumes["fills"]["persistentVolumeClaim"]["readOnly"]
    assert [volume["name"] for volume in values["volumes"]] == ["fills"]
    assert {mount["name"] for mount in container["volumeMounts"] if not mount.get("readOnly")} == {"home", "temporary"}
    written = [
        value for name, value in plain(container["env"]).items() if name.endswith("_DIR") and "FILLS" not in name
    ]
    own = next(mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] == "temporary")
    assert all(place.startswith(f"{own}/") or "://" in place for place in written), written


def test_pod_has_no_rights_beyond_its_task(pod: dict[str, Any]) -> None:
    spec, (container,) = pod["spec"], pod["spec"]["containers"]

    assert container["name"] == "base"  # Airflow knows the container by this name
    assert spec["restartPolicy"] == "Never"
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert plain(container["env"])["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"


def test_migration_is_of_the_release_and_reads_the_same_secrets(
    migration: dict[str, Any], values: dict[str, Any]
) -> None:
    (container,) = migration["spec"]["template"]["spec"]["containers"]
    secrets = secrets_of(container["env"])
    stated = {one["envName"]: (one["secretName"], one["secretKey"]) for one in values["secret"]}

    assert (migration["apiVersion"], migration["kind"]) == ("batch/v1", "Job")
    assert container["image"] == f"{values['defaultAirflowRepository']}:{values['defaultAirflowTag']}"
    assert (container["command"], "args" in container) == (["riskctl", "migrate"], False)
    assert secrets.pop("RISK_OWNER_DSN") == ("risk-migration", "owner")
    assert secrets == {
        "RISK_PAGE_DSN": secrets_of(values["apiServer"]["env"])["RISK_PAGE_DSN"],
        "AIRFLOW_CONN_RISK_WAREHOUSE": stated["AIRFLOW_CONN_RISK_WAREHOUSE"],
    }
    assert {name for name in plain(container["env"]) if name.startswith("RISK_")} == {"RISK_READER_ROLE"}
    assert "RISK_READER_ROLE" in KNOWN


def test_pod_of_the_migration_has_the_rights_of_a_task_at_most(migration: dict[str, Any], pod: dict[str, Any]) -> None:
    of_job, of_task = migration["spec"]["template"]["spec"], pod["spec"]

    assert of_job["securityContext"].items() <= of_task["securityContext"].items()
    assert of_job["containers"][0]["securityContext"] == of_task["containers"][0]["securityContext"]
    assert (of_job["restartPolicy"], of_job["automountServiceAccountToken"]) == ("Never", False)
    assert all(volume.keys() == {"name", "emptyDir"} for volume in of_job["volumes"])
