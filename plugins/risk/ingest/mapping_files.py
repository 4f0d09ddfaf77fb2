"""Reading mapping files and presets, which files each of them claims, and what is wrong with one, by line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from risk.core.errors import InputError, RequestError
from risk.core.exchange import exchange_zone
from risk.ingest.mapping import FILLS_PATTERNS, FillsMapping
from risk.ingest.opening import DeliveredFile

PRESETS_DIR: Final = Path(__file__).parent / "presets"
MAPPING_PATTERN: Final = "mapping*.toml"
"""Mapping files beside a drop."""

MOST_BYTES: Final = 1 << 16
"""A mapping file is not larger."""

MOST_PROBLEMS: Final = 10
"""So many problems of one file are listed."""

_KEY: Final = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_TABLE: Final = re.compile(rf"\s*\[\[?\s*({_KEY}(?:\s*\.\s*{_KEY})*)\s*\]?\]")
_ASSIGNED: Final = re.compile(rf"\s*({_KEY}(?:\s*\.\s*{_KEY})*)\s*=")
_NAMED: Final = re.compile(_KEY)


def read_mapping(path: Path) -> FillsMapping:
    """Read a mapping file.

    Raises
    ------
    InputError
        If it cannot be read or says what no mapping can: names file, line, key, what was found and what is allowed.
    """
    text = _read_text(path)
    try:
        stated = tomllib.loads(text)
    except RecursionError:
        raise InputError(f"{path.name} is nested too deeply: this is no mapping file.") from None
    except ValueError as error:
        raise InputError(f"{path.name} is no TOML: {error}. Correct it.") from None
    preset = stated.pop("preset", None)
    if preset is not None:
        stated = _started_from(_preset_table(str(preset), path.name), stated)
    try:
        return FillsMapping.model_validate({**stated, "name": path.name})
    except ValidationError as error:
        lines = _key_lines(text)
        found = [_problem(path.name, lines, item) for item in error.errors(include_url=False)]
        more = [f"{path.name} has {len(found) - MOST_PROBLEMS} more problems."] if len(found) > MOST_PROBLEMS else []
        raise InputError("\n".join([*found[:MOST_PROBLEMS], *more])) from None


def named_mapping(name: str) -> FillsMapping:
    """Return a preset by its name, or the mapping of a file by its path.

    Raises
    ------
    RequestError
        If it is neither; names the presets.
    InputError
        As `read_mapping`.
    """
    if name in preset_names():
        return preset(name)
    path = Path(name)
    if path.suffix == ".toml" and path.is_file():
        return read_mapping(path)
    raise RequestError(
        f"The mapping {name!r} is neither a preset ({', '.join(preset_names())}) nor the path of a .toml file: correct "
        "RISK_FILLS_MAPPING, MAPPING= or --mapping."
    )


@cache
def preset_names() -> tuple[str, ...]:
    """List the presets."""
    return tuple(sorted(path.stem for path in PRESETS_DIR.glob("*.toml")))


def preset(name: str) -> FillsMapping:
    """Return a preset."""
    return _preset(name, exchange_zone().key)


@cache
def _preset(name: str, _default_zone: str) -> FillsMapping:
    return read_mapping(PRESETS_DIR / f"{name}.toml").model_copy(update={"name": name})


def claims(mapping: FillsMapping, file_name: str) -> bool:
    """Tell whether a mapping claims a file by its name, in any case of letters."""
    return any(fnmatchcase(file_name.lower(), pattern.lower()) for pattern in mapping.files)


def choose_mappings(
    names: Iterable[str], beside: Sequence[FillsMapping], default: FillsMapping | None
) -> tuple[dict[str, FillsMapping], dict[str, str]]:
    """Choose the mapping of each file.

    Parameters
    ----------
    names
        Of files that hold executions or whatever nothing else is known of.
    beside
        The mappings of the folder.
    default
        The one that is named by setting or parameter: it claims what none of the folder does, and all ``fills*.csv``.

    Returns
    -------
    chosen, contested
        File name to mapping; file name to the sentence about the mappings that all claim it.
    """
    chosen: dict[str, FillsMapping] = {}
    contested: dict[str, str] = {}
    for name in names:
        rivals = [mapping for mapping in beside if claims(mapping, name)]
        if len(rivals) > 1:
            listed = " and ".join(mapping.name for mapping in rivals)
            contested[name] = f"{name} is claimed by {listed}: let the key files of one of them name it only."
        elif rivals:
            chosen[name] = rivals[0]
        elif default and (claims(default, name) or any(fnmatchcase(name, pattern) for pattern in FILLS_PATTERNS)):
            chosen[name] = default
    return chosen, contested


def _read_text(path: Path) -> str:
    with DeliveredFile.open(path) as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise InputError(f"{path.name} has more than {MOST_BYTES:,} bytes: this is no mapping file.")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line_number = data[: error.start].count(b"\n") + 1
        raise InputError(f"{path.name} line {line_number} is not UTF-8: save it as UTF-8.") from None


def _preset_table(name: str, file_name: str) -> dict[str, Any]:
    if name not in preset_names():
        raise InputError(f"{file_name} starts from the preset {name!r}: there are {', '.join(preset_names())}.")
    return tomllib.loads((PRESETS_DIR / f"{name}.toml").read_text(encoding="utf-8"))


def _started_from(preset: dict[str, Any], stated: Mapping[str, Any]) -> dict[str, Any]:
    """Put what a file says over what its preset says; a constant takes the place of a column, and a column of one."""
    own, columns = stated.get("columns"), preset["columns"]
    replaced: list[str] = []
    for key in ("account", "currency"):
        if key in stated and key in columns:
            column = columns.pop(key)
            replaced += [column] if isinstance(column, str) else column
        elif isinstance(own, dict) and key in own:
            preset.pop(key, None)
    merged = _merged(preset, stated)
    unused, optional = (merged.get(key, []) for key in ("unused", "optional"))
    if isinstance(unused, list):
        merged["unused"] = unused + replaced
    if isinstance(optional, list):
        merged["optional"] = [name for name in optional if name not in replaced]
    return merged


def _merged(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Put what a file says over what its preset says, table by table."""
    merged = {**base, **change}
    for key in base.keys() & change.keys():
        if isinstance(base[key], dict) and isinstance(change[key], dict):
            merged[key] = _merged(base[key], change[key])
    return merged


def _key_lines(text: str) -> dict[tuple[str, ...], int]:
    """Map each key and table to the line where it stands first."""
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for line_number, line in enumerate(text.split("\n"), 1):
        found = _TABLE.match(line)
        if found:
            table = _path(found[1])
            lines.setdefault(table, line_number)
            continue
        found = _ASSIGNED.match(line)
        if found:
            path = (*table, *_path(found[1]))
            for length in range(1, len(path) + 1):
                lines.setdefault(path[:length], line_number)
    return lines


def _path(dotted: str) -> tuple[str, ...]:
    return tuple(key.strip("\"'") for key in _NAMED.findall(dotted))


def _problem(file_name: str, lines: Mapping[tuple[str, ...], int], item: ErrorDetails) -> str:
    """Say what is wrong with one key."""
    context = item.get("ctx", {})
    place = tuple(str(context["key"]).split(".")) if "key" in context else tuple(map(str, item["loc"]))
    named = tuple(part for part in place if part != "[key]" and not part.isdigit())
    line_number = next((lines[named[:end]] for end in range(len(named), 0, -1) if named[:end] in lines), 1)
    return f"{file_name} line {line_number}: {'.'.join(named)[:80] or 'the file'} {_clause(item, context)}"


_WRONG_TYPES: Final = {
    "dict_type": "a table of keys",
    "model_type": "a table of keys",
    "string_type": "a text in quotes",
    "tuple_type": "a list of texts",
    "int_type": "a whole number without quotes",
}
"""Errors of types to what to write."""


def _clause(item: ErrorDetails, context: Mapping[str, Any]) -> str:
    kind, found = item["type"], repr(item["input"])[:60]
    if kind == "missing":
        return "is missing. Write it."
    if kind == "extra_forbidden":
        return "is no key of a mapping file. Remove it, or correct its name."
    if kind == "combination":
        return f"does not fit: {context['problem']}."
    if kind == "value_error":
        reason = str(context["error"])
        return f"cannot be: {reason}." if isinstance(item["input"], dict) else f"is {found}: {reason}."
    if kind in _WRONG_TYPES:
        return f"is {found}: write {_WRONG_TYPES[kind]}."
    message = item["msg"]
    return f"is {found}: {message[0].lower()}{message[1:]}. Correct it."
