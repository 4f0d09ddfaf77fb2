"""Write the generated pages of docs from the code: ``python -m docs.generate [--check]``.

``--check`` writes nothing and fails where a page differs from what the code says.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import typer.main

DOCS = Path(__file__).resolve().parent
SCHEMA = DOCS.parent / "include" / "sql" / "schema"

COMMENT = re.compile(
    r"comment on (table|column|function) ([a-z_0-9.]+)(?:\s*\([^)]*\))? is\s+((?:'(?:[^']|'')*'\s*)+);", re.IGNORECASE
)
TYPE = re.compile(r"^    (\w+) ((?:double precision|\w+)(?:\([\d, ]+\))?(?:\[\])?)", re.MULTILINE)


def settings_page() -> Iterator[str]:
    """Describe every variable ``RISK_*``."""
    from risk.core.settings import PROJECT_DIR, Settings, variable_name

    yield "# Settings"
    yield "\nEnvironment variables of the product. An empty variable counts as absent; a value that is not allowed"
    yield "stops the command or task with a sentence that names it. Of [several desks](../how-to/several-desks.md)"
    yield "`RISK_<DESK>_<NAME>` comes first.\n"
    yield "| variable | meaning | allowed | default |"
    yield "|---|---|---|---|"
    for name, field in Settings.model_fields.items():
        allowed = _allowed(field)
        value = field.get_default(call_default_factory=True)
        given = "" if value in (None, "", ()) else value
        shown = ",".join(given) if isinstance(given, tuple) else str(given)
        shown = shown.replace(f"{PROJECT_DIR}/", "")
        default = f"`{_cell(shown)}`" if shown else ""
        yield f"| `{variable_name(name)}` | {field.description} | {_cell(allowed)} | {default} |"
    yield "\nWhere the wheel is installed, `var` is the folder `risk` in `AIRFLOW_HOME`."
    yield "\nConnections (`AIRFLOW_CONN_*`, or any secrets backend of Airflow):\n"
    yield "| connection | for |"
    yield "|---|---|"
    yield "| `risk_warehouse` | the warehouse, Postgres 16 or newer |"
    yield "| `risk_vendor` | the vendor's API as the source of fills |"
    yield "| `risk_source` | a database as the source of fills |"
    yield "| `smtp_default` | the mail server; unencrypted unless `disable_tls` or `disable_ssl` in `extra` is false |"
    yield "| `risk_airflow` | Airflow's REST API, for notes in the grid (`https://login:password@host/path`) |"
    yield "| `airflow_metadata` | Airflow's database, for the weekly clean-up |"


def dag_parameters_page() -> Iterator[str]:
    """Describe every DAG: when it runs and what it can be asked."""
    os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="risk-docs-"))
    os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(DOCS.parent / "dags"))
    yield "# DAG parameters"
    for dag_id, dag in sorted(bag.dags.items()):
        yield f"\n## {dag_id}\n\n{dag.description}."
        yield f"\nTasks: {', '.join(f'`{task.task_id}`' for task in dag.topological_sort())}.\n"
        if not dag.params:
            continue
        yield "| parameter | meaning | allowed | default |"
        yield "|---|---|---|---|"
        for name in dag.params:
            param: Any = dag.params.get_param(name)
            schema = param.schema
            kind = schema.get("enum") or schema.get("type") or ""
            kinds = [kind] if isinstance(kind, str) else [str(one) for one in kind]
            allowed = " or ".join(one for one in kinds if one != "null") + (
                f" ({schema['format']})" if "format" in schema else ""
            )
            default = "" if param.value is None else f"`{param.value}`"
            yield f"| `{name}` | {schema.get('title', '')}. {_cell(param.description or '')} | {allowed} | {default} |"


def riskctl_commands(group: Any) -> dict[str, Any]:
    """List the commands of a group by name, those of a group within it after its name."""
    found = {}
    for name, command in group.commands.items():
        inner = riskctl_commands(command) if hasattr(command, "commands") else {"": command}
        found |= {f"{name} {inner_name}".strip(): one for inner_name, one in inner.items()}
    return found


def cli_page() -> Iterator[str]:
    """Describe every command of ``riskctl``."""
    from risk.cli import app

    group: Any = typer.main.get_command(app)
    yield "# Command line"
    yield "\n`./riskctl COMMAND`. Exit code 0: done; 1: something is wrong, in a sentence; 2: the request is wrong."
    yield "\nBefore the command, as in `riskctl --desk london doctor`:\n"
    yield from _options(group)
    for name, command in sorted(riskctl_commands(group).items()):
        yield f"\n## riskctl {name}\n"
        yield f"{(command.help or '').strip()}\n"
        yield from _options(command)


def _options(command: Any) -> Iterator[str]:
    """Describe the options of a command."""
    rows = [one for one in command.params if one.name != "help"]
    if rows:
        yield "| option | meaning |"
        yield "|---|---|"
    for parameter in rows:
        spelled = ", ".join(f"`{option}`" for option in parameter.opts)
        yield f"| {spelled} | {_cell(getattr(parameter, 'help', '') or '')} |"


def tables_page() -> Iterator[str]:
    """Describe every table, column and function of the warehouse, from their comments."""
    files = sorted(SCHEMA.rglob("*.sql"))
    texts = {path.stem: path.read_text(encoding="utf-8") for path in files}
    types = {(table, column): kind for table, text in texts.items() for column, kind in TYPE.findall(text)}
    found = [match.groups() for text in texts.values() for match in COMMENT.finditer(text)]
    # Literals on neighboring lines are one.
    joined = [(kind.lower(), name, re.sub(r"'\s*\n\s*'", "", text.strip())[1:-1]) for kind, name, text in found]
    comments = [(kind, name, text.replace("''", "'")) for kind, name, text in joined]
    yield "# Tables and functions"
    yield "\nThe warehouse, from the comments in `include/sql/schema`. Money is `numeric`, instants are `timestamptz`."
    for kind, name, text in comments:
        if kind == "table":
            yield f"\n## {name}\n\n{text}\n"
            yield "| column | type | meaning |"
            yield "|---|---|---|"
        elif kind == "column":
            _, table, column = name.split(".")
            yield f"| `{column}` | {types[table, column]} | {_cell(text)} |"
    yield "\n## Functions\n\n| function | returns |\n|---|---|"
    for kind, name, text in comments:
        if kind == "function":
            yield f"| `{name}` | {_cell(text)} |"


def checks_page() -> Iterator[str]:
    """Describe every data quality check."""
    from risk.checks.suite import CHECKS

    yield "# Checks"
    yield "\nThe suite of `check_fills`. A *critical* check that fails stops the run; a *warning* is reported.\n"
    yield "| check | severity | passes when |"
    yield "|---|---|---|"
    for check in CHECKS:
        yield f"| `{check.name}` | {check.severity} | {_cell(check.ok_message)} |"


def policy_page() -> Iterator[str]:
    """Describe every key of the policy, every measure, and what a group may override."""
    from risk.core.policy import MEASURE_TERMS, Group, Policy, Rule
    from risk.core.policy_document import DESK_WIDE

    yield "# Policy"
    yield "\nEvery threshold that a risk manager may change ([how](../how-to/change-thresholds.md)). The shipped values"
    yield "are in `include/policy/default.yaml`, the schema for editors is beside it in `policy.schema.json`."
    listed = {"rules": Rule, "groups": Group}
    sections = {name: listed.get(name, field.annotation) for name, field in Policy.model_fields.items()}
    for name, section in sections.items():
        yield f"\n## {name}\n\n{Policy.model_fields[name].description}\n"
        fields = getattr(section, "model_fields", {name: Policy.model_fields[name]})
        yield "| key | meaning | allowed |\n|---|---|---|"
        for key, field in fields.items():
            yield f"| `{key}` | {_cell(field.description or '')} | {_cell(_allowed(field))} |"
    yield "\n## Measures\n\n| measure | meaning | window |\n|---|---|---|"
    for measure, terms in MEASURE_TERMS.items():
        window = "null" if terms.smallest_window is None else f"at least {terms.smallest_window}"
        yield f"| `{measure}` | {terms.meaning} | {window} |"
    yield f"\nFor the whole desk, not for a group: {', '.join(f'`{key}`' for key in DESK_WIDE)}."


def policy_schema() -> str:
    """Write the JSON Schema of the policy, for editors."""
    from risk.core.policy import Policy

    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | Policy.model_json_schema()
    return json.dumps(schema, indent=1) + "\n"


def _allowed(field: Any) -> str:
    extra = field.json_schema_extra
    return str(extra.get("allowed", "")) if isinstance(extra, dict) else ""


def mappings_page() -> Iterator[str]:
    """Describe the keys of a mapping file and the presets."""
    from risk.ingest.mapping import FillsMapping, dump_keys
    from risk.ingest.mapping_files import PRESETS_DIR, preset, preset_names

    yield "# Mappings"
    yield "\nA mapping is one TOML file that says what the columns of a broker's export mean"
    yield "([how](../how-to/my-brokers-file.md)). Names of columns are compared in any case. An unknown key, a wrong"
    yield "value or keys that exclude each other are refused with file, line and key.\n"
    yield "| key | meaning | default |\n|---|---|---|"
    yield "| `preset` | Name of the preset that this file starts from; its own keys win. | |"
    for key, meaning, default in dump_keys(FillsMapping):
        shown = "" if default in (None, "", (), {}) or hasattr(default, "model_fields") else f"`{default}`"
        yield f"| `{key}` | {_cell(meaning)} | {shown} |"
    yield "\n## Presets\n"
    yield f"Files in `{PRESETS_DIR.relative_to(DOCS.parent)}`. Each was made from the public source of its header row"
    yield "and is tested with a file of that shape, not with a broker's own file: look at yours with `riskctl map`"
    yield "before you load it. Sterling Trader has no preset: no public source shows the header row of its export.\n"
    yield "| preset | reads | claims | header row |\n|---|---|---|---|"
    for name in preset_names():
        one = preset(name)
        claims = ", ".join(f"`{pattern}`" for pattern in one.files)
        yield f"| `{name}` | {_cell(one.description)} | {claims} | [source]({one.source}) |"


def decisions_page() -> Iterator[str]:
    """List the decision records by their first heading."""
    yield "# Decisions"
    yield '\nWhat a reader would ask "why" about: the context, what we decided, what follows.\n'
    for path in sorted((DOCS / "decisions").glob("0*.md")):
        yield f"- [{path.stem[:4]} {path.read_text(encoding='utf-8').splitlines()[0].lstrip('# ')}]({path.name})"


PAGES: dict[str, Callable[[], Iterator[str]]] = {
    "decisions/index": decisions_page,
    "reference/settings": settings_page,
    "reference/dag-parameters": dag_parameters_page,
    "reference/cli": cli_page,
    "reference/tables": tables_page,
    "reference/checks": checks_page,
    "reference/mappings": mappings_page,
    "reference/policy": policy_page,
}
"""Page under docs to what writes it."""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def main(arguments: list[str]) -> int:
    """Write the pages, or compare them."""
    for variable in [name for name in os.environ if name.startswith("RISK_")]:
        del os.environ[variable]
    stale = []
    note = "<!-- Generated by python -m docs.generate; do not edit. -->\n"
    texts = {DOCS / f"{name}.md": note + "\n".join(write()).rstrip() + "\n" for name, write in PAGES.items()}
    texts[DOCS.parent / "include" / "policy" / "policy.schema.json"] = policy_schema()
    for path, text in texts.items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(path.relative_to(DOCS.parent).as_posix())
        if "--check" not in arguments:
            path.write_text(text, encoding="utf-8")
    if stale and "--check" in arguments:
        print(f"Stale: {', '.join(stale)}. Run: python -m docs.generate", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
