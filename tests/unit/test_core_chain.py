"""Canonical JSON of the chain, and heads that mails state."""

from __future__ import annotations

import datetime as dt
import hashlib
from decimal import Decimal
from pathlib import Path

import pytest

from risk.core.chain import Head, read_witness
from risk.core.errors import RequestError
from risk.core.verify import canonical
from risk.report.page import Links
from risk.report.render import render_report
from tests.report_desks import RUN, account, desk

DIGITS = "0123456789abcdef"


def test_canonical_json_is_sorted_without_blanks_and_nulls_in_the_form_of_the_database() -> None:
    zone = dt.timezone(dt.timedelta(hours=-4))
    row = {
        "reason": 'Calm "since"\n\x1f– é',
        "limit_usd": Decimal("3000.50"),
        "zero": Decimal("0E-8"),
        "at": dt.datetime(2025, 8, 15, 7, 0, 0, 120, tzinfo=zone),
        "day": dt.date(2025, 8, 15),
        "none": None,
        "is_live": True,
        "number": 12,
    }

    assert canonical(row).decode() == (
        '{"at":"2025-08-15T11:00:00.000120Z","day":"2025-08-15","is_live":true,"limit_usd":"3000.50",'
        '"number":"12","reason":"Calm \\"since\\"\\n\\u001f– é","zero":"0.00000000"}'
    )


def test_later_column_without_values_changes_no_hash() -> None:
    assert canonical({"a": 1, "later": None}) == canonical({"a": 1}) == b'{"a":"1"}'
    assert hashlib.sha256(canonical({"a": "1"})).digest() != hashlib.sha256(canonical({"a": "2"})).digest()


def test_report_states_the_head_below_its_facts_in_text_and_html_and_none_without_one() -> None:
    facts = desk([account()])

    with_head = render_report(facts, RUN, Links(head=Head(482, DIGITS)))
    without = render_report(facts, RUN, Links())

    assert f"Report digest {facts.sha256}\nChain 482 {DIGITS}\n" in with_head.text
    assert f"<br>Chain 482 {DIGITS}" in with_head.html
    assert "Chain" not in without.text + without.html


def test_witness_is_read_from_a_mail_with_text_and_html_or_from_the_file_of_the_platform(tmp_path: Path) -> None:
    from risk.core.settings import read_settings
    from risk.report.send import report_mail

    mail = report_mail(render_report(desk([account()]), RUN, Links(head=Head(482, DIGITS))), RUN, read_settings())
    saved, beside = tmp_path / "report.eml", tmp_path / "limits.chain"
    saved.write_bytes(mail.message("manager@example.com").as_bytes())
    beside.write_text(f"{Head(9, DIGITS)}\n")

    assert (read_witness(saved), read_witness(beside)) == (Head(482, DIGITS), Head(9, DIGITS))


@pytest.mark.parametrize("content", [b"", b"Subject: Notes\n\nChain letters\n", b"\xff\x00\xfe"])
def test_file_without_a_head_is_refused_with_a_sentence(tmp_path: Path, content: bytes) -> None:
    (file := tmp_path / "other.eml").write_bytes(content)

    with pytest.raises(RequestError, match=r"other\.eml states no head of the chain: save a report's mail whole"):
        read_witness(file)


def test_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"gone\.eml cannot be read"):
        read_witness(tmp_path / "gone.eml")
