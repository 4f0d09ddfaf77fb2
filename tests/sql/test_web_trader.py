"""The trader's page after renames and merges: past recommendations follow the person."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from risk.core.warehouse import Connection
from risk.web.session_tables import recommendations_table
from risk.web.views import read_trader
from tests.sql.test_limits_track_record_renames import approve
from tests.track_record_desks import MON, TUE, deliver, fill, rename, report, update_record

WED = dt.date(2025, 8, 6)
LOSS = [fill(MON, 1, "B", "100", "50.00"), fill(MON, 2, "S", "100", "10.00")]


def recommended(page: Connection, account_id: str = "NET001") -> list[tuple[dt.date, str | None, Decimal]]:
    found = read_trader(page, account_id, 100).recommendations
    return [(row["effective_session"], row["former_account_id"], row["cut_ratio"]) for row in found]


def test_recommendations_of_a_renamed_account_are_on_its_present_page(connection: Connection, page: Connection) -> None:
    # given: reports for OLD1 until Monday's session, for NET001 since; OLD1 is somebody else from Tuesday on
    approve(connection, report(connection, MON, "0.40", accounts=["OLD1"]), "OLD1")
    report(connection, TUE, "0.20", accounts=["OLD1"])
    deliver(connection, LOSS, "OLD1")
    rename(connection, TUE, "OLD1")
    report(connection, WED, "0.00", accounts=["NET001", "OLD1"])
    deliver(connection, [fill(TUE, 1, "B", "1", "50.00")], "OLD1")
    update_record(connection, TUE)

    # when
    view = read_trader(page, "NET001", 100)

    # then
    cuts = [(WED, None, Decimal("0.00")), (TUE, "OLD1", Decimal("0.20")), (MON, "OLD1", Decimal("0.40"))]
    assert recommended(page) == cuts
    assert recommended(page, "OLD1") == [(WED, None, Decimal("0.00"))]
    # The limit that was published under the former name; 4,000 were lost at once, so stopping costs 5 % of 3,000.
    first = view.recommendations[-1]
    assert (first["published_limit_usd"], first["action"], first["benefit_usd"]) == (3000, "approved", -150)
    assert "Reported as" in [
        one.heading for one in recommendations_table(view.recommendations, is_cut_short=False).columns
    ]
    assert [row["former_account_id"] for row in read_trader(page, "NET001", 2).recommendations] == [None, "OLD1"]


def test_merged_accounts_have_a_row_each_and_their_benefit_once(connection: Connection, page: Connection) -> None:
    # given two accounts with a recommendation each, merged since
    report(connection, MON, "0.40", accounts=["NET001", "OLD1"])
    for account_id in ("NET001", "OLD1"):
        deliver(connection, LOSS, account_id)
    rename(connection, TUE, "OLD1")
    update_record(connection, MON)

    # when
    rows = read_trader(page, "NET001", 100).recommendations

    # then
    assert [(row["former_account_id"], row["new_limit_usd"]) for row in rows] == [(None, 3000), ("OLD1", 3000)]
    assert [row["benefit_usd"] is None for row in rows] == [False, True]


def test_without_a_rename_no_column_names_reports(connection: Connection, page: Connection) -> None:
    report(connection, MON, "0.40")
    deliver(connection, LOSS)
    update_record(connection, MON)

    table = recommendations_table(read_trader(page, "NET001", 100).recommendations, is_cut_short=False)

    assert recommended(page) == [(MON, None, Decimal("0.40"))]
    assert "Reported as" not in [one.heading for one in table.columns]
