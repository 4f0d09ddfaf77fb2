"""The text of a policy: what it may say, and errors that name file, line, key, what was found and what to write."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from risk.cli import app
from risk.core.errors import RequestError
from risk.core.policy import Policy
from risk.core.policy_document import default_policy, differences, parse_policy, read_policy_file
from risk.core.policy_text import read_policy_text, replaced
from risk.core.settings import Settings
from tests.policies import SHIPPED, policy_document, policy_text

GROUPS = """groups:
  - name: Interns
    recipients: [head@example.com]
    overrides:
      accounts.default_base_limit_usd: 1000.00
      rules.losing streak.bound: 2
  - name: Seniors
    recipients: []
    overrides: {}
"""


def _with(old: str, new: str) -> str:
    assert SHIPPED.count(old) >= 1, old
    return SHIPPED.replace(old, new, 1)


def _line(text: str, beginning: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if line.strip().startswith(beginning))


def test_shipped_policy_is_valid_and_says_what_the_constants_said() -> None:
    desk = default_policy().desk

    assert [(rule.measure, rule.bound, rule.cut) for rule in desk.ordered_rules] == [
        ("drawdown", 10, Decimal("0.60")),
        ("loss streak", 5, Decimal("0.50")),
        ("drawdown", 8, Decimal("0.40")),
        ("loss streak", 3, Decimal("0.30")),
        ("active sessions", 20, Decimal("0.30")),
        ("volatility", 2, Decimal("0.25")),
        ("large loss", 0, Decimal("0.20")),
    ]
    assert (desk.levels.moderate, desk.levels.high) == (Decimal("0.20"), Decimal("0.40"))
    assert (desk.cut.maximum, desk.cut.step) == (Decimal("0.80"), Decimal("0.05"))
    assert desk.accounts.default_base_limit_usd == Settings().default_limit_usd


def test_policy_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        default_policy().desk.cut.maximum = Decimal(1)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("old", "new", "key", "found", "remedy"),
    [
        ("measure: volatility", "measure: momentum", "rules.volatility spike.measure", "'momentum'", "drawdown"),
        ("bound: 10", "bound: ten", "rules.extreme drawdown.bound", "'ten'", "a number"),
        ("bound: 10", "bound: '10'", "rules.extreme drawdown.bound", "'10'", "a number"),
        ("comparison: below", "comparison: under", "rules.limited history.comparison", "'under'", "below"),
        ("cut: 60%", "cut: 60", "rules.extreme drawdown.cut", "60", "40%"),
        ("cut: 60%", "cut: 12.5%", "rules.extreme drawdown.cut", "12.5%", "whole percent"),
        ("maximum: 80%", "maximum: 100%", "cut.maximum", "100%", "95%"),
        ("  fees: in ", "  fee: in ", "use.fee", "unknown key", "fees"),
        ("  step: 5%", "  # step: 5%", "cut.step", "missing", "add it"),
        ("decides: true", "decides: 1", "model.decides", "1", "true or false"),
        ("active_within_sessions: 30", "active_within_sessions: 0", "accounts.active_within_sessions", "0", "1 to 250"),
        ("active_within_sessions: 30", "active_within_sessions: 30.0", "accounts.active_within", "30.0", "1 to 250"),
        ("active_within_sessions: 30", "active_within_sessions: true", "accounts.active_within", "true", "1 to 250"),
        ("_usd: 5000.00", "_usd: -5", "accounts.default_base_limit_usd", "-5", "above 0"),
        ("_usd: 5000.00", "_usd: 0", "accounts.default_base_limit_usd", "0", "above 0"),
        ("_usd: 5000.00", "_usd: .inf", "accounts.default_base_limit_usd", "'.inf'", "above 0"),
        ("_usd: 5000.00", "_usd: null", "accounts.default_base_limit_usd", "null", "above 0"),
        ("high: 40%", "high: 20%", "levels.high", "moderate is unreachable", "more than moderate"),
        ("stale_after_sessions: 5", "stale_after_sessions: 30", "accounts.stale_after", "stale", "fewer"),
        ("[70%, 90%]", "[90%, 70%]", "use.warning_zones", "90%, 70%", "ascending"),
        ("window: 5 ", "window: 1 ", "rules.volatility spike.window", "1", "at least 2"),
        ("window: 5\n", "window: null\n", "rules.volatility spike.window", "null", "at least 2"),
        ("window: null", "window: 9", "rules.long losing streak.window", "9", "null"),
        ("maximum: 80%", "maximum: 50%", "rules.extreme drawdown.cut", "60%", "at most cut.maximum"),
        ("recipients: []", "recipients: [nobody]", "recipients.1", "'nobody'", "email"),
        ("accounts:\n", "accounts: 5\nmore:\n", "accounts", "5", "keys of this section"),
    ],
)
def test_value_that_cannot_stand_is_named_with_line_key_and_remedy(
    old: str, new: str, key: str, found: str, remedy: str
) -> None:
    text = _with(old, new) if old in SHIPPED else _with(old.rstrip(), new.rstrip())

    with pytest.raises(RequestError) as raised:
        parse_policy(text, "desk.yaml")

    sentences = str(raised.value).splitlines()
    assert [one for one in sentences if key in one and found in one and remedy in one], sentences
    assert all(one.startswith("desk.yaml, line ") and one.endswith(".") for one in sentences)


def test_line_of_an_error_is_the_line_of_its_key() -> None:
    text = _with("tolerance: 10%", "tolerance: much")
    with pytest.raises(RequestError) as raised:
        parse_policy(text, "desk.yaml")
    assert f"line {_line(text, 'tolerance')}, breach.tolerance: found 'much'" in str(raised.value)


def test_all_errors_are_listed_at_once() -> None:
    text = _with("bound: 10", "bound: ten").replace("minutes: 10", "minutes: -1").replace("fees: in", "fees: maybe")
    with pytest.raises(RequestError) as raised:
        parse_policy(text, "desk.yaml")
    assert len(str(raised.value).splitlines()) == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("# nothing\n", "empty"),
        ("- a\n- b\n", "write keys"),
        ("a: [1\n", "line 2: this is not YAML"),
        ("a: 1\na: 2\n", "line 2, a: this key stands twice"),
        ("a: &x 1\nb: *x\n", "references are not supported"),
        ("a: \x07\n", "not YAML"),
        (SHIPPED + "cut: {maximum: 10%, step: 5%}\n", "stands twice"),
    ],
)
def test_text_that_is_no_policy_has_a_sentence(text: str, words: str) -> None:
    with pytest.raises(RequestError, match=words):
        parse_policy(text, "desk.yaml")


@pytest.mark.parametrize(
    ("old", "new", "name", "why"),
    [
        # 8 typical days and more are above 7: the stronger rule fires whenever the weaker does.
        ("bound: 10", "bound: 7", "'drawdown'", "'extreme drawdown'"),
        ("bound: 10", "bound: 8", "'drawdown'", "'extreme drawdown'"),
        ("bound: 3", "bound: 5", "'losing streak'", "'long losing streak'"),
        ("bound: 20", "bound: 0", "'limited history'", "never below 0"),
        ("comparison: at least\n    bound: 5", "comparison: above\n    bound: 2", "'losing streak'", "'long losing"),
    ],
)
def test_rule_that_is_unreachable_is_named(old: str, new: str, name: str, why: str) -> None:
    with pytest.raises(RequestError) as raised:
        parse_policy(_with(old, new), "desk.yaml")
    assert f"rule {name} is unreachable" in str(raised.value)
    assert why in str(raised.value)


def test_weaker_rule_with_a_more_urgent_level_is_reachable() -> None:
    # given the extreme drawdown at 8 like the other, but only moderate: the other still makes the trader high risk
    text = _with("bound: 10\n    cut: 60%\n    level: high", "bound: 8\n    cut: 60%\n    level: moderate")
    assert parse_policy(text, "desk.yaml").desk.rules[0].bound == 8


def test_new_rule_with_a_known_measure_needs_no_code() -> None:
    rule = """  - name: small drawdown
    measure: drawdown
    window: 10
    comparison: at least
    bound: 4.5
    cut: 0.10
    level: low
"""
    document = parse_policy(_with("# A rule fires only if", f"{rule}\n# A rule fires only if"), "desk.yaml")
    assert document.desk.ordered_rules[-1].name == "small drawdown"
    assert document.desk.ordered_rules[-1].cut == Decimal("0.10")


def test_group_overrides_single_values_and_leaves_the_others() -> None:
    document = parse_policy(_with("groups: []\n", GROUPS), "desk.yaml")

    interns, seniors = document.of_group("interns"), document.of_group("Seniors")
    assert interns.accounts.default_base_limit_usd == 1000
    assert {rule.name: rule.bound for rule in interns.rules}["losing streak"] == 2
    assert interns.cut == document.desk.cut
    assert document.desk.groups[0].recipients == ("head@example.com",)
    assert seniors.model_dump(exclude={"groups"}) == document.desk.model_dump(exclude={"groups"})
    assert document.of_group(None) is document.of_group("unknown") is document.desk


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("name: Seniors", "name: interns", "overlapping groups"),
        ("rules.losing streak.bound", "rules.losing streak.bond", "no such key"),
        ("rules.losing streak.bound", "rules.streak.bound", "no such key"),
        ("rules.losing streak.bound: 2", "accounts.legacy_suffix: X", "whole desk"),
        ("rules.losing streak.bound: 2", "cut: {maximum: 10%}", "no such key"),
        ("streak.bound: 2", "streak.bound: two", "for group 'Interns' found 'two'"),
        ("streak.bound: 2", "streak.bound: 5", "for group 'Interns' found 5, with which rule 'losing streak'"),
        ("name: Interns", "name: a.b", "a name without a point"),
    ],
)
def test_group_that_cannot_stand_is_named(old: str, new: str, words: str) -> None:
    text = _with("groups: []\n", GROUPS.replace(old, new))
    with pytest.raises(RequestError) as raised:
        parse_policy(text, "desk.yaml")
    assert words in str(raised.value), str(raised.value)


def test_error_of_an_override_names_its_own_line() -> None:
    text = _with("groups: []\n", GROUPS.replace("bound: 2", "bound: two"))
    with pytest.raises(RequestError) as raised:
        parse_policy(text, "desk.yaml")
    assert f"line {_line(text, 'rules.losing streak.bound')}, groups.Interns.overrides" in str(raised.value)


def test_difference_names_key_before_and_after_and_each_group() -> None:
    after = parse_policy(policy_text(cut__maximum="60%").replace("groups: []\n", GROUPS), "after.yaml")

    assert differences(default_policy(), after) == [
        "cut.maximum: 80% -> 60%",
        "group interns: accounts.default_base_limit_usd: 5000.00 -> 1000.00",
        "group interns: cut.maximum: 80% -> 60%",
        "group interns: rules.losing streak.bound: 3 -> 2",
        "group seniors: cut.maximum: 80% -> 60%",
    ]
    assert differences(after, after) == []


@given(limit=st.decimals("0.01", "9999999999", places=2))
def test_value_replaced_in_the_text_is_read_back_and_nothing_else_changes(limit: Decimal) -> None:
    line = read_policy_text(SHIPPED, "a").line(("accounts", "default_base_limit_usd"))
    text = replaced(SHIPPED, line, limit)

    document = parse_policy(text, "b")
    assert document.desk.accounts.default_base_limit_usd == limit
    assert [one for one in differences(default_policy(), document) if "default_base_limit" not in one] == []


def test_shares_are_the_same_in_both_spellings() -> None:
    assert policy_document(cut__maximum="75%").desk == policy_document(cut__maximum="0.75").desk


def test_schema_for_editors_is_the_model() -> None:
    schema = json.loads((Path(__file__).parents[2] / "include/policy/policy.schema.json").read_text(encoding="utf-8"))
    assert schema == Policy.model_json_schema() | {"$schema": schema["$schema"]}


def test_policy_check_prints_what_differs_and_exits_with_the_sentence_otherwise(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(policy_text(cut__maximum="70%"), encoding="utf-8")
    bad.write_text(_with("bound: 10", "bound: ten"), encoding="utf-8")

    printed = CliRunner().invoke(app, ["policy", "check", str(good)])
    as_json = CliRunner().invoke(app, ["policy", "check", str(good), "--json"])
    refused = CliRunner().invoke(app, ["policy", "check", str(bad)])
    same = CliRunner().invoke(app, ["policy", "diff", str(good), str(good)])

    assert "cut.maximum: 80% -> 70%" in printed.stdout
    assert json.loads(as_json.stdout)["differences_from_shipped"] == ["cut.maximum: 80% -> 70%"]
    assert isinstance(refused.exception, RequestError)
    assert "the same" in same.stdout


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_file_that_cannot_be_read_has_a_sentence(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "policy.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(RequestError, match=r"policy\.yaml"):
        read_policy_file(str(file))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: " + "x" * 2_000_000, "has 2,000,003 characters: a policy has at most 100,000"),
        ("[" * 50_000, "is nested too deeply"),
    ],
)
def test_text_that_is_too_long_or_too_deep_is_refused_with_a_sentence(text: str, words: str) -> None:
    with pytest.raises(RequestError, match=words):
        parse_policy(text, "mine.yaml")
