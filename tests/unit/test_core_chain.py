"""Canonical JSON of the chain, and heads that mails state."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

import pytest

from risk.core.chain import Head, witnesses_of
from risk.core.errors import RequestError
from risk.core.verify import Witness, canonical, read_witnesses, verify
from risk.report.page import Links
from risk.report.render import render_report
from tests.report_desks import RUN, account, desk

DIGITS = "0123456789abcdef"


def test_later_column_without_values_changes_no_hash() -> None:
    assert canonical({"b": True, "a": "1", "later": None}) == canonical({"a": "1", "b": True}) == b'{"a":"1","b":true}'


def test_report_states_the_head_below_its_facts_in_text_and_html_and_none_without_one() -> None:
    facts = desk([account()])

    with_head = render_report(facts, RUN, Links(head=Head(482, DIGITS)))
    without = render_report(facts, RUN, Links())

    assert with_head.text.endswith(f"Code 0a1b2c3d4e5f.\nChain 482 {DIGITS}\n")
    assert f"Code 0a1b2c3d4e5f. Chain 482 {DIGITS}\n" in with_head.html
    # The report's own 64 digits stand on the Risk page, in the row that the link is of.
    assert facts.sha256 not in with_head.text + with_head.html
    assert "Chain" not in without.text + without.html


def test_witness_is_read_from_a_mail_with_text_and_html_or_from_the_file_of_the_platform(tmp_path: Path) -> None:
    from risk.core.settings import read_settings
    from risk.report.send import report_mail

    mail = report_mail(render_report(desk([account()]), RUN, Links(head=Head(482, DIGITS))), RUN, read_settings())
    saved, beside = tmp_path / "report.eml", tmp_path / "limits.chain"
    saved.write_bytes(mail.message("manager@example.com").as_bytes())
    beside.write_text(f"{Head(9, DIGITS)}\n")

    sent_at = RUN.as_of.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    assert witnesses_of(saved) == [Witness(str(saved), 482, DIGITS, sent_at)]
    assert witnesses_of(beside) == [Witness(str(beside), 9, DIGITS)]


@pytest.mark.parametrize("content", [b"", b"Subject: Notes\n\nChain letters\n", b"\xff\x00\xfe"])
def test_file_without_a_head_is_refused_with_a_sentence(tmp_path: Path, content: bytes) -> None:
    (file := tmp_path / "other.eml").write_bytes(content)

    with pytest.raises(RequestError, match=r"other\.eml states no head of the chain: save a mail of a report"):
        witnesses_of(file)


def test_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"gone\.eml cannot be read"):
        witnesses_of(tmp_path / "gone.eml")


def test_pipe_that_nobody_writes_to_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.eml")

    with pytest.raises(RequestError, match=r"pipe\.eml is no file, and would have to be waited for"):
        witnesses_of(tmp_path / "pipe.eml")


def mail(*parts: str, date: str = "Date: Fri, 15 Aug 2025 07:00:00 -0400\n") -> bytes:
    """Write a mail with a part for each text."""
    body = "".join(f"--b\nContent-Type: text/plain\n\n{part}\n" for part in parts)
    return f"Subject: Report\n{date}Content-Type: multipart/mixed; boundary=b\n\n{body}--b--\n".encode()


def nested(depth: int) -> bytes:
    """Write a mail of multiparts inside one another, with a head at the end."""
    opened = "".join(f"Content-Type: multipart/mixed; boundary=b{number}\n\n--b{number}\n" for number in range(depth))
    return f"{opened}Content-Type: text/plain\n\nChain 7 {DIGITS}\n".encode()


ENCODED = base64.b64encode(f"Report\r\nChain 7 {DIGITS}\r\n".encode()).decode()


@pytest.mark.parametrize(
    ("content", "stated"),
    [
        pytest.param(mail(f"Chain 7 {DIGITS}\nChain 9 {DIGITS}"), [7, 9], id="two heads: both are compared"),
        pytest.param(mail(f"Chain 7 {DIGITS}", f"Chain 9 {DIGITS}"), [7, 9], id="two heads in two parts"),
        pytest.param(mail(f"Chain 7 {DIGITS}").replace(b"\n", b"\r\n"), [7], id="lines of the network"),
        pytest.param(mail(f"> Chain 7 {DIGITS}\nChain 7 {DIGITS}0\nchain 8 {DIGITS}"), [], id="not quite a head"),
        pytest.param(mail(f"Chain 0 {DIGITS}\nChain {'9' * 5000} {DIGITS}"), [], id="numbers of no link"),
        pytest.param(mail(f"Chain 7 {DIGITS}", date="Date: \x01 never\n"), [7], id="no date"),
        pytest.param(
            mail(f"Chain 7 {DIGITS}", date="Date: Fri, 31 Dec 9999 23:59:59 -2359\n"), [7], id="date too late"
        ),
        pytest.param(mail("", date="") + b"\xff\xfe\x00\nChain 7 " + DIGITS.encode() + b"\n", [7], id="no text at all"),
        pytest.param(
            f"Content-Type: text/plain; charset=klingon\nContent-Transfer-Encoding: base64\n\n{ENCODED}".encode(),
            [7],
            id="encoded, in an unknown character set",
        ),
        pytest.param(
            b"Content-Type: message/rfc822\n\n" + mail(f"Chain 7 {DIGITS}"), [7], id="forwarded as an attachment"
        ),
        pytest.param(nested(5_000), [7], id="5,000 multiparts in one another"),
        pytest.param(b"Content-Type: multipart/mixed\n\nChain 7 " + DIGITS.encode(), [7], id="multipart without parts"),
    ],
)
def test_hostile_mail_states_what_can_be_read_of_it(content: bytes, stated: list[int]) -> None:
    assert [witness.sequence for witness in read_witnesses("odd.eml", content)] == stated


def test_forged_later_head_is_a_cut_and_a_forged_one_a_rewritten_chain() -> None:
    link = {"sequence": "1", "kind": "reports", "subject": "1", "previous_sha256": "0" * 64, "recorded_at": "2025"}
    link |= {"row_count": "1", "format_number": "1", "content_sha256": hashlib.sha256(b"{}").hexdigest()}
    link |= {"link_sha256": hashlib.sha256(canonical(link)).hexdigest()}
    rows = [("chain_links", "1", canonical(link).decode()), ("reports", "1", "{}")]

    assert verify(rows, [Witness("a", 1, link["link_sha256"][:16])]).exit_code == 0
    assert verify(rows, [Witness("a", 9, DIGITS)]).faults == (
        "The chain is cut: it ends at link 1, and a states link 9.",
    )
    assert verify(rows, [Witness("a", 1, DIGITS)]).faults == (f"Links 1 to 1 were written again: a states {DIGITS}.",)
    # A link that is repeated, and links in another order
    assert verify([*rows, rows[0]], []).exit_code == verify([rows[0], rows[0], rows[1]], []).exit_code == 1


def test_mail_that_is_larger_than_any_of_ours_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("risk.core.chain.LARGEST_MAIL", 1 << 20)
    (file := tmp_path / "huge.eml").write_bytes(mail(f"Chain 7 {DIGITS}", "x" * 70 + "\n"))
    with file.open("ab") as stream:
        stream.truncate(1 << 20)
    assert [witness.sequence for witness in witnesses_of(file)] == [7]
    with file.open("ab") as stream:
        stream.truncate((1 << 20) + 1)

    with pytest.raises(RequestError, match=r"huge\.eml is larger than 1 MB, which no mail of ours is: save it again"):
        witnesses_of(file)
