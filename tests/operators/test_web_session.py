"""The page of a session: checks, control totals, books and adjustments, as known then and now."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from risk.core.runs import Run
from risk.core.warehouse import Connection
from tests.operators.web_client import words
from tests.report_desks import deliver_fills, insert


def test_session_shows_check_results_totals_and_books(client: Any, run: Run) -> None:
    shown = words(client.get("/sessions/2025-08-15"))

    assert "fees NET001 warning 4.2 fees look odd" in shown
    assert re.search(r"NET001 fills.csv 2025-08-18 07:01 New York 4 4 0 0 yes", shown)
    # -800.00 - 12.30 = -812.30; -812.30 - 220.90 = -1,033.20.
    assert "NET001 4 -$800.00 +$12.30 -$812.30 -$220.90 -$1,033.20 -$1,033.20 yes" in shown
    assert "1 result: 1 warning." in shown
    assert "8 rows delivered: 8 loaded, 0 rejected, 0 duplicate; all lines balance." in shown
    # The mail leads here for the roster.
    assert "Roster 2 accounts Every account that has traded, as the report of the session knew it." in shown
    assert "NET001 1 2025-08-15 active" in shown


def test_control_totals_have_a_line_for_rows_of_no_account_and_for_files_not_loaded(
    client: Any, connection: Connection, run: Run
) -> None:
    place = {"load_id": run.load_id, "content_sha256": "0"}
    insert(connection, "source_files", file_name="fills.csv", state="partly loaded", **place)
    insert(connection, "source_files", file_name="fills_b.csv", state="quarantined", reason="no header", **place)
    insert(connection, "source_files", file_name="fill_c.csv", state="unread", reason="its name", **place)
    for line_number in (7, 9):
        reject = {"raw_text": "Total,,", "reason": "no account", "cause": "account_name", "line_number": line_number}
        insert(connection, "fill_rejects", load_id=run.load_id, file_name="fills.csv", **reject)

    shown = words(client.get("/sessions/2025-08-15"))

    assert re.search(r"no account fills.csv \S+ \S+ New York 2 0 2 0 yes", shown)
    assert re.search(r"no account fills_b.csv \S+ \S+ New York not loaded no", shown)
    # What does not balance is not folded.
    assert "10 rows delivered: 8 loaded, 2 rejected, 0 duplicate; 1 line does not balance." in shown
    assert "fill_c.csv" not in shown


def test_session_lists_adjustments_beside_the_books(client: Any, connection: Connection, run: Run) -> None:
    booked = {"account_id": "NET001", "offset_account_id": "NET002", "category": "Software", "amount_usd": -140}
    place = {"load_id": run.load_id, "file_name": "adjustments.csv", "line_number": 2, "recorded_at": run.as_of}
    insert(connection, "adjustments", session_date=run.session_date, comment="fee <b>", **booked, **place)

    shown = words(client.get("/sessions/2025-08-15"))

    assert "NET001 Software -$140.00 fee &lt;b&gt; NET002 Software +$140.00 fee &lt;b&gt;" in shown


def test_session_distinguishes_what_was_known_then_from_now(client: Any, connection: Connection, run: Run) -> None:
    deliver_fills(connection, run, "LATE", recorded_at=run.as_of + dt.timedelta(hours=1))

    assert "LATE" not in client.get("/sessions/2025-08-15?known=then").text
    assert "LATE" in client.get("/sessions/2025-08-15?known=now").text


def test_session_folds_what_is_in_order_and_shows_what_is_not(client: Any, connection: Connection, run: Run) -> None:
    passed = {"check_name": "ids_unique", "severity": "fail", "observed": "4", "has_passed": True}
    insert(connection, "quality_results", run_id=run.run_id, subject="", message="none repeated", **passed)

    page = client.get("/sessions/2025-08-15").text
    folded = re.findall(r"<details( open)?><summary>(.*?)</summary>(.*?)</details>", page, re.DOTALL)
    places = {name: (state, inside) for state, name, inside in folded}

    assert "2 results: 1 warning, 1 passed." in page
    assert "ids unique" in places["Every check"][1]
    assert page.count("fees look odd") == 3, "among the warnings, not folded, and in every check"
    assert page.count("none repeated") == 1
    assert places["Rows by account and file"][0] == ""
    waiting = {"state": "quarantined", "reason": "no header", "content_sha256": "0"}
    insert(connection, "source_files", load_id=run.load_id, file_name="b.csv", **waiting)
    assert "<details open><summary>Rows by account and file" in client.get("/sessions/2025-08-15").text
