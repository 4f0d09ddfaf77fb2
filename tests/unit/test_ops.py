"""The files in ops/ for monitoring: checked by the tools that read them, and about gauges that exist."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from risk.core.settings import PROJECT_DIR

RULES = PROJECT_DIR / "ops" / "prometheus" / "risk-alerts.yml"
RULE_TESTS = PROJECT_DIR / "ops" / "prometheus" / "risk-alerts.test.yml"
DASHBOARD = PROJECT_DIR / "ops" / "grafana" / "morning-risk-run.json"
GAUGE = re.compile(r"\bairflow_risk_[a-z_]+\b")
COLUMNS = 24
"""Width of Grafana's grid."""


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("There is no promtool on this machine (Debian: apt-get install prometheus).")
    return found


@pytest.fixture(scope="module")
def dashboard() -> dict[str, Any]:
    parsed = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    assert isinstance(parsed, dict)
    return parsed


def documented_gauges() -> set[str]:
    """Return the gauges of the documentation, as Prometheus names them; another test compares it with what is sent."""
    text = (PROJECT_DIR / "docs" / "how-to" / "watch-metrics.md").read_text(encoding="utf-8")
    return {name.replace(".", "_") for name in re.findall(r"^\| `(airflow\.risk\.[a-z_.]+)`", text, re.MULTILINE)}


@pytest.mark.parametrize("command", [("check", "rules", str(RULES)), ("test", "rules", str(RULE_TESTS))])
def test_alert_rules_are_valid_and_fire_as_promtool_sees_them(promtool: str, command: tuple[str, ...]) -> None:
    done = subprocess.run([promtool, *command], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", [RULES, RULE_TESTS, DASHBOARD], ids=lambda path: path.name)
def test_every_gauge_named_in_ops_is_one_that_is_sent(path: Any) -> None:
    named = set(GAUGE.findall(path.read_text(encoding="utf-8")))

    assert named
    assert named <= documented_gauges()


def test_dashboard_shows_every_gauge_that_no_rule_of_its_own_stands_for(dashboard: dict[str, Any]) -> None:
    shown = set(GAUGE.findall(json.dumps(dashboard)))

    assert documented_gauges() - shown == {"airflow_risk_limits_due_timestamp"}


def test_panels_have_ids_of_their_own_fit_the_grid_and_cover_nothing(dashboard: dict[str, Any]) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= COLUMNS
        taken |= cells
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))


def test_every_panel_asks_the_chosen_data_source_and_says_something_without_data(dashboard: dict[str, Any]) -> None:
    [variable] = dashboard["templating"]["list"]
    assert (variable["type"], variable["query"]) == ("datasource", "prometheus")
    chosen = {"type": "prometheus", "uid": f"${{{variable['name']}}}"}
    for panel in dashboard["panels"]:
        assert [panel["datasource"], *(target["datasource"] for target in panel["targets"])] == [chosen] * (
            1 + len(panel["targets"])
        )
        assert panel["fieldConfig"]["defaults"]["noValue"]
        assert panel["description"]


def test_dashboard_has_no_field_that_grafanas_published_schema_does_not_know(dashboard: dict[str, Any]) -> None:
    register_default_plugins()
    # Reading drops what the schema does not know.
    known = json.loads(JSONEncoder().encode(Dashboard.from_json(dashboard)))

    assert set(leaves(dashboard)) - set(leaves(known)) == set()


def leaves(part: Any, path: str = "") -> Iterator[str]:
    """Yield every value of a document with its path."""
    parts = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else None
    if parts is None:
        yield f"{path}={json.dumps(part)}"
        return
    for name, below in parts:
        yield from leaves(below, f"{path}/{name}")
