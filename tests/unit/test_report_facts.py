"""The facts of a report and their canonical text."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.report.facts import Facts, exact, parse_facts
from tests.report_desks import account, desk

PROJECT_DIR = Path(__file__).resolve().parents[2]

SHA_SCRIPT = """
import locale, sys
locale.setlocale(locale.LC_ALL, "")
from tests.report_desks import RUN, account, desk
from risk.report.page import Links, build_page
from risk.report.render import render_views
facts = desk([account("NET001"), account("NET002", "0.00")], ["Fees of NET001 look odd"])
rendered = render_views("risk_report", build_page(facts, RUN, Links()))
import hashlib
print(facts.sha256, hashlib.sha256((rendered.html + rendered.text + rendered.subject).encode()).hexdigest())
"""


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        ("3000", "3000.00"),
        ("3E+3", "3000.00"),
        ("0.4", "0.40"),
        ("-812.30500000", "-812.305"),
        ("0.00000001", "0.00000001"),
        ("-0.00", "0.00"),
        ("123456789012345678901234567890.12345678", "123456789012345678901234567890.12345678"),
    ],
)
def test_exact_writes_every_digit_and_no_useless_zero(amount: str, written: str) -> None:
    assert exact(Decimal(amount)) == written


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15))
def test_exact_loses_nothing_for_any_amount(amount: Decimal) -> None:
    assert Decimal(exact(amount)) == amount


def test_canonical_text_is_sorted_json_whose_hash_is_the_identity() -> None:
    facts = desk([account()])

    plain = json.loads(facts.canonical)

    assert list(plain) == sorted(plain)
    assert plain["accounts"][0]["new_limit_usd"] == "3000.00"
    assert plain["accounts"][0]["net_pnl_usd"] == "-812.305"
    assert plain["effective_session"] == "2025-08-18"
    assert facts.sha256 == hashlib.sha256(facts.canonical.encode("utf-8")).hexdigest()


def test_canonical_text_names_no_run_no_revision_and_no_clock() -> None:
    fields = {field.name for field in dataclasses.fields(Facts)}

    assert not fields & {"run_id", "revision", "as_of", "dag_run_id", "code_version", "links"}
    assert "scheduled__2025-08-15" not in desk([account()]).canonical


def test_facts_come_back_equal_from_their_canonical_text() -> None:
    facts = desk(
        [account(model_cut_ratio=None, forecast_quantile_05_usd=None, net_pnl_usd=None), account("NET002", "0.00")],
        ["Größe – odd"],
    )

    assert parse_facts(facts.canonical) == facts


def test_identity_differs_when_one_cent_differs() -> None:
    assert desk([account()]).sha256 != desk([account(total_pnl_usd=Decimal("-1033.21"))]).sha256


def test_identity_differs_when_the_session_differs() -> None:
    assert desk([account()]).sha256 != desk([account()], effective_session=dt.date(2025, 8, 19)).sha256


def test_report_is_the_same_whatever_hash_seed_locale_and_zone() -> None:
    outputs = set()
    for seed, language, zone in (("0", "C", "UTC"), ("4711", "C.UTF-8", "Asia/Tokyo")):
        path = f"{PROJECT_DIR}{os.pathsep}{PROJECT_DIR / 'plugins'}"
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": path, "TZ": zone, "LC_ALL": language}
        done = subprocess.run(
            [sys.executable, "-c", SHA_SCRIPT],
            env={**environment, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        outputs.add(done.stdout)

    assert len(outputs) == 1
