"""Reading a policy: the text becomes a validated `Policy` and one more for each group, or a list of errors.

Every error names file, line, key, what was found and what to write instead.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from risk.core.errors import RequestError
from risk.core.policy import LEVELS, MEASURE_TERMS, Policy, Rule
from risk.core.policy_text import Path, PolicyText, read_policy_text, shown
from risk.core.settings import INCLUDE_DIR

DEFAULT_POLICY = INCLUDE_DIR / "policy" / "default.yaml"

DESK_WIDE = ("accounts.active_within_sessions", "accounts.legacy_suffix", "limits.desk_usd", "recipients", "groups")
"""Keys that a group cannot override: who is expected to trade is asked before accounts have groups."""

STRICT = frozenset({"above", "below"})
UPWARD = frozenset({"above", "at least"})


class Problem(NamedTuple):
    """A value that cannot stand: where, what was found, what to write instead."""

    path: Path
    found: str
    remedy: str


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """A valid policy.

    Attributes
    ----------
    text, content_sha256
        As written, and its identity.
    desk
        The values of the desk.
    groups
        The values of each group, by its name in lower case.
    """

    text: str
    content_sha256: str
    desk: Policy
    groups: Mapping[str, Policy]

    def of_group(self, group: str | None) -> Policy:
        """Return the values for an account of a group; of one that the policy does not name, those of the desk."""
        return self.desk if group is None else self.groups.get(group.strip().lower(), self.desk)


@lru_cache(maxsize=256)
def parse_policy(text: str, name: str) -> PolicyDocument:
    """Validate the text of a policy.

    Parameters
    ----------
    text
        YAML, see ``include/policy/default.yaml``.
    name
        Of the file, for errors.

    Raises
    ------
    RequestError
        If anything in it cannot stand: one line for each problem.
    """
    found = read_policy_text(text, name)
    if not isinstance(found.values, dict):
        raise RequestError(
            found.error((), f"found {shown(found.values)}", "write keys, as the shipped policy has them")
        )
    desk = _valid(found, found.values)
    groups = dict(_groups(found, desk))
    return PolicyDocument(text, hashlib.sha256(text.encode()).hexdigest(), desk, groups)


def read_policy_file(file: str) -> PolicyDocument:
    """Read and validate a file.

    Raises
    ------
    RequestError
        If it cannot be read, or anything in it cannot stand.
    """
    try:
        with open(file, encoding="utf-8") as stream:  # noqa: PTH123  (an argument of the command line)
            text = stream.read()
    except OSError as error:
        raise RequestError(f"{file} cannot be read: {error.strerror}; name a policy file.") from None
    except UnicodeDecodeError as error:
        raise RequestError(f"{file} is not UTF-8 (byte {error.start}); save it as UTF-8.") from None
    return parse_policy(text, file)


def default_policy() -> PolicyDocument:
    """Return the policy that is shipped."""
    return parse_policy(DEFAULT_POLICY.read_text(encoding="utf-8"), DEFAULT_POLICY.name)


def _valid(found: PolicyText, values: Any, group: str = "", line_of: Mapping[Path, Path] | None = None) -> Policy:
    """Build the policy of the desk or a group; ``line_of`` leads from a value to the override that stated it."""
    try:
        policy = Policy.model_validate(values)
        problems = list(contradictions(policy))
    except ValidationError as error:
        problems = [_problem(one["loc"], one["type"], one["input"]) for one in error.errors(include_url=False)]
    if problems:
        sources = line_of or {}
        sentences = [found.error(sources.get(path, path), f"{group}{what}", remedy) for path, what, remedy in problems]
        raise RequestError("\n".join(dict.fromkeys(sentences)))
    return policy


def _problem(location: Sequence[str | int], kind: str, value: object) -> Problem:
    """Turn an error of pydantic into where, what and what instead."""
    path = tuple(location)
    if kind == "extra_forbidden":
        section = _section(path[:-1])
        known = f"use one of: {', '.join(section.model_fields)}" if section else "remove it"
        return Problem(path, "unknown key", known)
    allowed = _allowed(path)
    if kind == "missing":
        return Problem(path, "the key is missing", f"add it: {allowed}")
    return Problem(path, f"found {shown(value)}", f"write {allowed}")


def _section(path: Sequence[str | int]) -> type[BaseModel] | None:
    """Return the model of a mapping in the policy."""
    section: type[BaseModel] | None = Policy
    for part in path:
        if section is None or not isinstance(part, str):
            continue
        field = section.model_fields.get(part)
        kinds = [field.annotation, *getattr(field.annotation, "__args__", ())] if field else []
        section = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
    return section


def _allowed(path: Path) -> str:
    names = [part for part in path if isinstance(part, str)]
    section = _section(names[:-1])
    field = section.model_fields.get(names[-1]) if section and names else None
    extra = field.json_schema_extra if field else None
    return str(extra["allowed"]) if isinstance(extra, dict) else "keys with values"


def contradictions(policy: Policy) -> Iterator[Problem]:
    """Find values that are allowed alone but not together."""
    if policy.accounts.stale_after_sessions >= policy.accounts.active_within_sessions:
        yield Problem(
            ("accounts", "stale_after_sessions"),
            f"found {policy.accounts.stale_after_sessions}, so that no account is ever shown as stale",
            f"write fewer than active_within_sessions, {policy.accounts.active_within_sessions}",
        )
    if policy.levels.moderate >= policy.levels.high:
        found = f"found {policy.levels.high:.0%}, so that level moderate is unreachable"
        yield Problem(("levels", "high"), found, f"write more than moderate, {policy.levels.moderate:.0%}")
    for path, shares in ((("use", "warning_zones"), policy.use.warning_zones), (("fit", "band"), policy.fit.band)):
        if list(shares) != sorted(set(shares)):
            yield Problem(
                path, f"found {', '.join(f'{share:.0%}' for share in shares)}", "write them in ascending order"
            )
    yield from _rule_problems(policy)
    yield from _repeated(("groups",), [group.name for group in policy.groups], "overlapping groups")


def _rule_problems(policy: Policy) -> Iterator[Problem]:
    yield from _repeated(("rules",), [rule.name for rule in policy.rules], "two rules")
    for number, rule in enumerate(policy.rules):
        place: Path = ("rules", number)
        smallest = MEASURE_TERMS[rule.measure].smallest_window
        if smallest is None and rule.window is not None:
            yield Problem((*place, "window"), f"found {rule.window}", f"write null: {rule.measure} takes no window")
        elif smallest is not None and (rule.window or 0) < smallest:
            remedy = f"write at least {smallest} sessions for {rule.measure}"
            yield Problem((*place, "window"), f"found {shown(rule.window)}", remedy)
        if rule.cut > policy.cut.maximum:
            remedy = f"write at most cut.maximum, {policy.cut.maximum:.0%}"
            yield Problem((*place, "cut"), f"found {rule.cut:.0%}, above the largest cut", remedy)
        why = _why_unreachable(rule, policy.ordered_rules)
        if why:
            found = f"found {rule.bound}, with which rule {rule.name!r} is unreachable: {why}"
            yield Problem((*place, "bound"), found, "change the bound or remove the rule")


def _repeated(path: Path, names: Sequence[str], what: str) -> Iterator[Problem]:
    lowered = [name.strip().lower() for name in names]
    for number, name in enumerate(lowered):
        if name in lowered[:number]:
            found = f"found {what} of one name, {names[number]!r}"
            yield Problem((*path, number, "name"), found, "give each a name of its own")


def _why_unreachable(rule: Rule, ordered: Sequence[Rule]) -> str:
    """Say why a rule can never fire, or never make a difference; empty where it can."""
    lowest = MEASURE_TERMS[rule.measure].lowest
    if lowest is not None and rule.comparison not in UPWARD:
        is_out = rule.bound < lowest or (rule.bound == lowest and rule.comparison in STRICT)
        if is_out:
            return f"{rule.measure} is never {rule.comparison} {rule.bound}"
    for stronger in ordered[: ordered.index(rule)]:
        is_same = (stronger.measure, stronger.window) == (rule.measure, rule.window)
        if is_same and _implies(rule, stronger) and LEVELS.index(stronger.level) <= LEVELS.index(rule.level):
            return f"rule {stronger.name!r} fires whenever it does and cuts {stronger.cut:.0%}"
    return ""


def _implies(rule: Rule, other: Rule) -> bool:
    """Return whether the other rule fires wherever this one does; both read the same measure."""
    if (rule.comparison in UPWARD) != (other.comparison in UPWARD):
        return False
    margin = rule.bound - other.bound if rule.comparison in UPWARD else other.bound - rule.bound
    return margin > 0 or (margin == 0 and (rule.comparison in STRICT or other.comparison not in STRICT))


def _groups(found: PolicyText, desk: Policy) -> Iterator[tuple[str, Policy]]:
    """Validate the values of every group: those of the desk with its overrides."""
    for number, group in enumerate(desk.groups):
        values = copy.deepcopy(found.values)
        values["groups"] = []
        sources: dict[Path, Path] = {}
        for key, value in group.overrides.items():
            source: Path = ("groups", number, "overrides", key)
            path = _override_path(key, desk)
            if path is None or key in DESK_WIDE:
                hint = "a key of the policy such as cut.maximum or rules.losing streak.bound"
                why = "this key holds for the whole desk" if path else "no such key"
                raise RequestError(found.error(source, why, f"use {hint}, or remove it"))
            place = values
            for part in path[:-1]:
                place = place[part]
            place[path[-1]] = value
            sources[path] = source
        yield group.name.strip().lower(), _valid(found, values, f"for group {group.name!r} ", sources)


def _override_path(key: str, desk: Policy) -> Path | None:
    """Turn a key such as ``rules.losing streak.bound`` into the place of its value; ``None`` = there is none."""
    first, *rest = key.split(".")
    names = {rule.name: number for number, rule in enumerate(desk.rules)}
    if first == "rules" and len(rest) == 2 and rest[0] in names and rest[1] in Rule.model_fields:
        return (first, names[rest[0]], rest[1])
    section = _section((first,))
    if first != "rules" and section is not None and len(rest) == 1 and rest[0] in section.model_fields:
        return (first, rest[0])
    return None


def differences(before: PolicyDocument, after: PolicyDocument) -> list[str]:
    """List in sentences what differs between two policies: desk, then each group."""
    sentences = _value_differences("", before.desk, after.desk)
    for group in sorted({*before.groups, *after.groups}):
        sentences += _value_differences(f"group {group}: ", before.of_group(group), after.of_group(group))
    return list(dict.fromkeys(sentences))


def _value_differences(prefix: str, before: Policy, after: Policy) -> list[str]:
    old, new = _flat(before), _flat(after)
    return [
        f"{prefix}{key}: {old.get(key, 'absent')} -> {new.get(key, 'absent')}"
        for key in dict.fromkeys((*old, *new))
        if old.get(key) != new.get(key)
    ]


def _flat(policy: Policy) -> dict[str, str]:
    """Write every value by its key, rules by their names; groups have their own."""
    parts = {name: part for name, part in policy if isinstance(part, BaseModel)}
    parts |= {f"rules.{rule.name}": rule for rule in policy.rules}
    flat = {f"{name}.{key}": text for name, part in parts.items() for key, text in _written(part)}
    return flat | {"recipients": ", ".join(policy.recipients) or "none"}


def _written(part: BaseModel) -> Iterator[tuple[str, str]]:
    """Write the values of a section as a policy has them: shares as percentages."""
    for name, field in type(part).model_fields.items():
        value = getattr(part, name)
        extra = field.json_schema_extra
        is_share = isinstance(extra, dict) and "share" in str(extra["allowed"])
        values = value if isinstance(value, tuple) else (value,)
        yield name, ", ".join(_percentage(one) if is_share else shown(one) for one in values)


def _percentage(share: Decimal) -> str:
    whole, _, fraction = f"{share * 100:f}".partition(".")
    return f"{whole}.{fraction.rstrip('0')}".rstrip(".") + "%"
