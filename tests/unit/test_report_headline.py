"""The first lines of a report that waits for decisions: what changes, then what to decide and until when."""

from __future__ import annotations

from decimal import Decimal

import pytest

from risk.report.facts import Facts
from risk.report.page import ApprovalRequest, Links, build_page
from risk.report.render import Rendered, render_views
from tests.mail_reading import read_aloud
from tests.report_desks import RUN, account, desk

DEADLINE = "2025-08-18 09:00 New York"
STANDING = [account(name, limit_in_force_usd=Decimal(3000)) for name in ("A", "B", "C", "D")]
KEPT = account("E", "0.00")
EARLIER = "A: $4,000, decided by ann, stands until you answer; recommended now $3,000."


def asking(facts: Facts, count: int, *sentences: str) -> Rendered:
    request = ApprovalRequest(count, DEADLINE, "/risk/approvals/7", sentences)
    return render_views("risk_report", build_page(facts, RUN, Links(request=request, base_url="https://risk.test")))


@pytest.mark.parametrize(
    ("facts", "count", "said"),
    [
        (desk(STANDING), 4, f"Decide 4 limits by {DEADLINE}. No change: 4 cuts stand."),
        (
            desk([STANDING[0], KEPT]),
            1,
            f"Decide 1 limit by {DEADLINE}. No change: 1 cut stands, the other limits stay as they are.",
        ),
        (desk([KEPT]), 1, f"Decide 1 limit by {DEADLINE}. No change: 1 trader keeps the limit."),
    ],
)
def test_unchanged_morning_that_waits_for_decisions_says_so_first(facts: Facts, count: int, said: str) -> None:
    views = asking(facts, count)

    for words in (" ".join(views.text.split()), read_aloud(views.html)):
        assert words.startswith(f"{said} ")
        assert "If nobody answers, the cuts apply as recommended." in words
        assert "Approval required" not in words


def test_first_lines_do_not_promise_a_cut_where_an_earlier_decision_stands() -> None:
    views = asking(desk(STANDING), 4, EARLIER)

    for words in (" ".join(views.text.split()), read_aloud(views.html)):
        assert "the cuts apply as recommended, except where an earlier decision stands." in words
        assert EARLIER in words


def test_where_limits_change_the_decision_follows_the_change_before_everything_else() -> None:
    views = asking(desk([account("A"), *STANDING[1:]], ["NET002: no fills received."]), 4)

    parts = (
        "Reduce 1 limit before the open: A to $3,000.",
        "IMMEDIATE ACTION REQUIRED",
        f"Approval required for 4 limits: decide by {DEADLINE}.",
        "Decide",
        "Limits for Monday",
        "Data: NET002: no fills received.",
    )
    for words in (" ".join(views.text.split()), read_aloud(views.html)):
        places = [words.index(part) for part in parts]
        assert places == sorted(places)
        assert "Decide 4 limits" not in words


@pytest.mark.parametrize(
    ("facts", "count", "subject"),
    [
        (desk(STANDING), 4, "RISK ALERT - 4 High Risk Traders - 2025-08-18: decide 4 limits"),
        (desk([KEPT]), 1, "Risk report - No High Risk Traders - 2025-08-18: decide 1 limit"),
        (desk([account("A")]), 1, "RISK ALERT - 1 High Risk Trader - 2025-08-18: A -$2,000"),
        # 57 characters of the beginning and ": decide 10,000 limits" are 79: one too many.
        (
            desk(STANDING, is_simulated=True),
            10_000,
            "[SIMULATED] RISK ALERT - 4 High Risk Traders - 2025-08-18",
        ),
    ],
)
def test_subject_of_an_unchanged_morning_ends_with_what_to_decide_where_it_fits(
    facts: Facts, count: int, subject: str
) -> None:
    assert asking(facts, count).subject == subject
