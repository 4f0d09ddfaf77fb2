"""The text of a policy: YAML into plain values, each with the line it stands on, and errors that name both."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import yaml

from risk.core.errors import RequestError

Path = tuple[str | int, ...]
"""Keys and positions from the top of the text to a value."""

NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?")
WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
"""What is no text in plain YAML; ``yes``, ``on`` and dates are texts here."""

LONGEST_TEXT = 100_000
"""Characters; the shipped policy has 6,000."""


@dataclass(frozen=True, slots=True)
class PolicyText:
    """A text, read.

    Attributes
    ----------
    name
        Of the file, for errors.
    values
        Mappings, lists, texts, booleans, ``None``; numbers as ``int`` and, exactly, ``Decimal``.
    lines
        Line of each value, counted from 1; of a mapping's value, that of its key.
    """

    name: str
    values: Any
    lines: dict[Path, int] = field(repr=False)

    def line(self, path: Path) -> int:
        """Return the line of a value; of one that is absent, that of what should contain it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def key(self, path: Path) -> str:
        """Name a value as people do: ``cut.maximum``; an element of a list by its name: ``rules.losing streak.cut``."""
        words, value = [], self.values
        for part in path:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                value = None
            named = isinstance(part, int) and isinstance(value, dict) and isinstance(value.get("name"), str)
            words.append(value["name"] if named else str(part + 1 if isinstance(part, int) else part))
        return ".".join(words) or "the policy"

    def error(self, path: Path, found: str, remedy: str) -> str:
        """Write the sentence about a value: where it is, what was found, what to do."""
        return f"{self.name}, line {self.line(path)}, {self.key(path)}: {found}; {remedy}."


def read_policy_text(text: str, name: str) -> PolicyText:
    """Read YAML with the lines of its values.

    Parameters
    ----------
    text, name
        Content and name of the file.

    Raises
    ------
    RequestError
        If the text is too long or not YAML, states a key twice or refers to another place of itself; names file and
        line.
    """
    if len(text) > LONGEST_TEXT:
        raise RequestError(f"{name} has {len(text):,} characters: a policy has at most {LONGEST_TEXT:,}.")
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise RequestError(f"{name}, line {line}: this is not YAML ({error.problem}); correct the line.") from None
    except yaml.YAMLError as error:
        raise RequestError(f"{name}: this is not YAML ({' '.join(str(error).split())}); save it as UTF-8.") from None
    except RecursionError:
        raise RequestError(f"{name} is nested too deeply: write keys, as the shipped policy has them.") from None
    if root is None:
        raise RequestError(f"{name} is empty: begin with a copy of include/policy/default.yaml.")
    found = PolicyText(name, None, {})
    return PolicyText(name, _read(root, (), found, set()), found.lines)


def _read(node: yaml.Node, path: Path, found: PolicyText, seen: set[int]) -> Any:
    """Turn a node into plain values and note its line."""
    line = node.start_mark.line + 1
    found.lines.setdefault(path, line)
    if id(node) in seen:
        raise RequestError(f"{found.name}, line {line}: *references are not supported; write the value out.")
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        return dict(_items(node, path, found, seen))
    if isinstance(node, yaml.SequenceNode):
        return [_read(element, (*path, number), found, seen) for number, element in enumerate(node.value)]
    return _scalar(node)


def _items(node: yaml.MappingNode, path: Path, found: PolicyText, seen: set[int]) -> Iterator[tuple[str, Any]]:
    keys: set[str] = set()
    for key_node, value_node in node.value:
        key, line = str(key_node.value), key_node.start_mark.line + 1
        if key in keys:
            raise RequestError(f"{found.name}, line {line}, {key}: this key stands twice; keep one of them.")
        keys.add(key)
        found.lines[*path, key] = line
        yield key, _read(value_node, (*path, key), found, seen)


def _scalar(node: yaml.Node) -> Any:
    if node.style is not None:  # quoted: a text whatever it looks like
        return node.value
    text = str(node.value)
    if text.lower() in WORDS:
        return WORDS[text.lower()]
    if not NUMBER.fullmatch(text):
        return text
    return Decimal(text) if "." in text else int(text)


def replaced(text: str, line: int, value: Any) -> str:
    """Write another value behind the key of a line; the comment stays where it was."""
    lines = text.splitlines(keepends=True)
    key, colon, rest = lines[line - 1].partition(":")
    before = rest.partition("#")[0].rstrip()
    padded = f" {value}".ljust(len(before))
    lines[line - 1] = f"{key}{colon}{padded}{rest[len(before) :]}"
    return "".join(lines)


def shown(value: Any) -> str:
    """Write a value as the text has it, for an error; long ones are cut."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
