"""The settings: read from the environment each time, refused with a sentence that says what is allowed."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from risk.core.errors import RequestError
from risk.core.settings import Settings, make_private, read_settings, variable_name


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(variable_name(name), raising=False)


def test_settings_follow_the_environment_without_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    before = read_settings()
    monkeypatch.setenv("RISK_DEFAULT_LIMIT_USD", "7500.50")

    assert before.default_limit_usd == Decimal(5000)
    assert read_settings().default_limit_usd == Decimal("7500.50")


def test_empty_variable_counts_as_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISK_OUTBOUND_DIR", "")
    monkeypatch.setenv("RISK_VENDOR_SINCE", "")

    assert (read_settings().outbound_dir, read_settings().vendor_since) == (None, None)


@pytest.mark.parametrize(
    ("given", "airflow", "found"),
    [
        ("https://a.test/airflow", "https://b.test", "https://a.test/airflow"),
        ("", "https://b.test/airflow/", "https://b.test/airflow/"),
        # A path alone is no address that a mail can link to.
        ("", "/airflow", ""),
        ("", "", ""),
    ],
)
def test_address_of_links_is_that_of_airflow_unless_set(
    monkeypatch: pytest.MonkeyPatch, given: str, airflow: str, found: str
) -> None:
    monkeypatch.setenv("RISK_BASE_URL", given)
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", airflow)

    assert read_settings().base_url == found


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        read_settings().sender = "other@example.test"


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISK_RECIPIENTS", "rm@example.test, cro@example.test,")
    monkeypatch.setenv("RISK_CANCELED_STATUSES", "void, Bust")

    assert read_settings().recipients == ("rm@example.test", "cro@example.test")
    assert read_settings().canceled_statuses == ("VOID", "BUST")


def test_alerts_go_to_the_recipients_of_the_report_unless_others_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISK_RECIPIENTS", "rm@example.test")
    assert read_settings().alert_recipients == ("rm@example.test",)

    monkeypatch.setenv("RISK_ALARM_RECIPIENTS", "operations@example.test")
    assert read_settings().alert_recipients == ("operations@example.test",)


def test_notifiers_are_a_json_list_with_arguments_that_no_message_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISK_NOTIFIERS", '[{"notifier": "a.B", "arguments": {"url": "https://x/secret"}}]')
    [one] = read_settings().notifiers

    assert (one.path, one.arguments, "watchdog" in one.kinds) == ("a.B", {"url": "https://x/secret"}, True)
    assert "secret" not in repr(one)

    for refused in (
        "{",
        "secret",
        '{"notifier": "a.B"}',
        '[{"notifier": "secret"}]',
        '[{"arguments": {"url": "secret"}}]',
        '[{"notifier": "a.B", "kinds": ["secret"]}]',
        '[{"notifier": "a.B", "url": "secret"}]',
    ):
        monkeypatch.setenv("RISK_NOTIFIERS", refused)
        with pytest.raises(RequestError) as caught:
            read_settings()
        assert str(caught.value).startswith("RISK_NOTIFIERS is not allowed: set it to a JSON list such as ")
        assert "secret" not in str(caught.value)


def test_reports_of_each_desk_lie_in_its_own_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISK_REPORTS_DIR", "/reports")
    assert read_settings().report_dir(dt.date(2025, 8, 15)) == Path("/reports/desk/2025-08-15")

    monkeypatch.setenv("RISK_DESK", "simulated")
    assert read_settings().is_simulated
    assert read_settings().report_dir(dt.date(2025, 8, 15)) == Path("/reports/simulated/2025-08-15")


@pytest.mark.parametrize(
    ("variable", "found", "allowed"),
    [
        ("RISK_ACCOUNT_PATTERN", "[a", "a regular expression"),
        ("RISK_APPROVAL", "hihg", "none, high or all"),
        ("RISK_BASE_URL", "risk.example.com", "https://risk.example.com"),
        ("RISK_CANCELED_STATUSES", ",", "words"),
        ("RISK_DEFAULT_LIMIT_USD", "-1", "above zero"),
        ("RISK_DEFAULT_LIMIT_USD", "NaN", "above zero"),
        ("RISK_DESK", "Desk A", "lower-case letters"),
        ("RISK_DUAL_CONTROL", "maybe", "1 or 0"),
        ("RISK_SCHEDULE", "daily", "off or sessions"),
        ("RISK_VENDOR_REPORT", "detailed", "summaryByDate"),
        ("RISK_VENDOR_SINCE", "13.8.2025", "YYYY-MM-DD"),
    ],
)
def test_wrong_value_is_refused_with_the_variable_and_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, variable: str, found: str, allowed: str
) -> None:
    monkeypatch.setenv(variable, found)

    with pytest.raises(RequestError) as refused:
        read_settings()

    assert str(refused.value).startswith(f"{variable}={found} is not allowed")
    assert allowed in str(refused.value)


def test_date_without_dashes_is_a_date_and_no_count_of_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISK_VENDOR_SINCE", "20250813")

    assert read_settings().vendor_since == dt.date(2025, 8, 13)


def test_every_wrong_value_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISK_SCHEDULE", "daily")
    monkeypatch.setenv("RISK_APPROVAL", "hihg")

    with pytest.raises(RequestError, match=r"RISK_SCHEDULE=daily[^\n]*\nRISK_APPROVAL=hihg"):
        read_settings()


def test_passwords_in_settings_are_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISK_ALARM_SMTP_URI", "smtp://alarms:hunter2@mail.example.test:587")
    monkeypatch.setenv("RISK_OWNER_DSN", "postgresql://owner:hunter2@db/warehouse")

    assert "hunter2" not in repr(read_settings())


def test_every_setting_says_what_it_means_and_what_is_allowed() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert isinstance(field.json_schema_extra, dict), name
        assert field.json_schema_extra["allowed"], name


def test_a_folder_is_made_closed_with_all_that_was_missing_above_it(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)

    make_private(tmp_path / "reports" / "desk" / "2025-08-15")
    (tmp_path / "reports").chmod(0o750)
    make_private(tmp_path / "reports" / "desk")

    modes = [tmp_path, *sorted(tmp_path.rglob("*"))]
    assert [f"{folder.stat().st_mode & 0o777:o}" for folder in modes] == ["755", "750", "700", "700"]
