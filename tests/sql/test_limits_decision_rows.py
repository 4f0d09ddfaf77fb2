"""Who gets a limit, on which base, and what is stored."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from risk.core.runs import Run
from risk.core.warehouse import Connection
from risk.limits.decide import apply_rules
from tests.policies import adopt
from tests.report_desks import store_report
from tests.sql.daily_rows import insert_delivery, insert_pnl, issue_forecasts, new_run, table, trading_days

CALM = ("100", "-100")
COLUMNS = (
    "account_id", "status", "level", "cut_ratio", "base_limit_usd", "new_limit_usd", "source", "source_reason",
    "reasons", "rules_cut_ratio", "model_cut_ratio", "forecast_quantile_05_usd", "active_session_count",
    "latest_session_date",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _any_loss_counts(connection: Connection) -> None:
    """Rules react to losses of any size: the results of these tests are small."""
    adopt(connection)


def _calm(days: list[dt.date]) -> dict[dt.date, str]:
    return {day: CALM[number % 2] for number, day in enumerate(days)}


def _decided(connection: Connection, run: Run) -> dict[str, dict[str, object]]:
    apply_rules(connection, run)
    with connection, connection.cursor() as cursor:
        cursor.execute(f"select {', '.join(COLUMNS)} from recommendations where run_id = %s", (run.run_id,))
        found = [dict(zip(COLUMNS, row, strict=True)) for row in cursor.fetchall()]
    return {str(row["account_id"]): row for row in found}


def _withheld(connection: Connection, days: list[dt.date]) -> Run:
    """Cut A by 50 % after the 23rd of 24 sessions, then restate that one to a gain; the last one has no fills."""
    insert_pnl(connection, "A", _calm(days[:18]) | dict.fromkeys(days[18:23], "-10"))
    insert_pnl(connection, "B", _calm(days))
    run = new_run(connection, days[22])
    assert _decided(connection, run)["A"]["cut_ratio"] == Decimal("0.50")
    insert_pnl(connection, "A", {days[22]: "20"})
    early = dt.datetime.combine(days[23], dt.time(9, 0), dt.UTC)
    insert_delivery(connection, "A", days[23], row_count=0, published_at=early)
    insert_delivery(connection, "B", days[23], row_count=7)
    return run


def _set_limit(connection: Connection, account_id: str, valid_from: dt.date, limit_usd: str) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "with load as (insert into loads (source, is_simulated, through_session_date) "
            "values ('test', false, %(day)s) returning load_id, recorded_at) "
            "insert into accounts "
            "(load_id, file_name, line_number, valid_from, account_id, base_limit_usd, recorded_at) "
            "select load_id, 'accounts.csv', 2, %(day)s, %(account)s, %(limit)s, recorded_at from load",
            {"day": valid_from, "account": account_id, "limit": limit_usd},
        )


def test_legacy_accounts_get_no_limit_and_the_underscore_is_no_wildcard(connection: Connection) -> None:
    # given accounts that `like '%_OLD'` would take for legacy ones, and real ones
    days = trading_days(22)
    for name in ("BOLD", "NET-OLD", "NET001", "NET001_OLD", "_OLD1", "net_old"):
        insert_pnl(connection, name, _calm(days))

    # when, then
    decided = _decided(connection, new_run(connection, days[-1]))
    assert set(decided) == {"BOLD", "NET-OLD", "NET001", "_OLD1", "net_old"}


def test_an_account_gets_a_limit_for_thirty_sessions_and_is_stale_from_the_fifth(connection: Connection) -> None:
    # given four accounts whose last sessions lie 4, 5, 29 and 30 sessions before the run's
    days = trading_days(60)
    for absent in (4, 5, 29, 30):
        insert_pnl(connection, f"ABSENT{absent}", _calm(days[: 60 - absent]))

    # when
    decided = _decided(connection, new_run(connection, days[-1]))

    # then
    assert {name: row["status"] for name, row in decided.items()} == {
        "ABSENT4": "active",
        "ABSENT5": "stale",
        "ABSENT29": "stale",
    }
    assert decided["ABSENT5"]["latest_session_date"] == days[54]


def test_a_carried_position_is_no_trading(connection: Connection) -> None:
    days = trading_days(40)
    insert_pnl(connection, "CARRIED", _calm(days[:8]))
    insert_pnl(connection, "CARRIED", _calm(days[8:]), fill_count=0)
    assert _decided(connection, new_run(connection, days[-1])) == {}


def test_a_session_with_unknown_books_is_traded_but_not_counted(connection: Connection) -> None:
    # given 20 traded sessions of which the last is incomplete
    days = trading_days(20)
    insert_pnl(connection, "A", _calm(days[:19]))
    insert_pnl(connection, "A", {days[19]: "0"}, incomplete_reason="No mark for XYZ.")

    # when
    decided = _decided(connection, new_run(connection, days[-1]))["A"]

    # then
    assert (decided["status"], decided["active_session_count"]) == ("limited history", 19)
    assert decided["latest_session_date"] == days[19]
    assert all(word in decided["source_reason"] for word in (str(days[19]), "incomplete", "No mark for XYZ."))
    assert decided["cut_ratio"] == Decimal("0.30")


def test_an_account_without_any_complete_session_is_served_by_rules(connection: Connection) -> None:
    days = trading_days(2)
    insert_pnl(connection, "A", dict.fromkeys(days, "0"), incomplete_reason="No mark for XYZ.")
    decided = _decided(connection, new_run(connection, days[-1]))["A"]
    assert (decided["cut_ratio"], decided["active_session_count"]) == (Decimal("0.30"), 0)
    assert decided["forecast_quantile_05_usd"] is None


def test_the_base_limit_is_the_newest_valid_one_the_run_knew(connection: Connection) -> None:
    # given limits for A from before, from the effective session on and from the day after it; one for B set later
    days = trading_days(24)
    for name in ("A", "B", "C"):
        insert_pnl(connection, name, _calm(days[:22]))
    _set_limit(connection, "A", days[0], "1000")
    _set_limit(connection, "A", days[22], "2000.50")
    _set_limit(connection, "A", days[23], "3000")
    run = new_run(connection, days[21])
    _set_limit(connection, "B", days[0], "7000")

    # when
    decided = _decided(connection, run)

    # then
    assert {name: row["base_limit_usd"] for name, row in decided.items()} == {
        "A": Decimal("2000.50"),
        "B": Decimal("5000.00"),
        "C": Decimal("5000.00"),
    }


def test_of_two_limits_from_the_same_session_the_later_decision_counts(connection: Connection) -> None:
    days = trading_days(22)
    insert_pnl(connection, "A", _calm(days))
    _set_limit(connection, "A", days[0], "1000")
    _set_limit(connection, "A", days[0], "900")
    assert _decided(connection, new_run(connection, days[-1]))["A"]["base_limit_usd"] == Decimal("900.00")


@pytest.mark.parametrize(("issued", "model_cut"), [(20, Decimal("0.40")), (19, None)])
def test_the_model_cut_compares_with_the_usual_forecast_for_active_sessions(
    connection: Connection, issued: int, model_cut: Decimal | None
) -> None:
    # given forecasts of -1,000 and -1,200 by turns for the last active sessions, -1,200 the newest and so with more
    # than half of the weight, -9,999 for a session without trades, -2,000 for tomorrow: 1 - 1200 / 2000 = 40 %
    days = trading_days(24)
    insert_pnl(connection, "A", _calm([*days[:21], days[22]]))
    run = new_run(connection, days[22])
    active = [*days[:21], days[22]][-issued:]
    issue_forecasts(connection, run, "A", {day: ("-1000", "-1200")[number % 2] for number, day in enumerate(active)})
    issue_forecasts(connection, run, "A", {days[21]: "-9999", days[23]: "-2000"})

    # when
    decided = _decided(connection, run)["A"]

    # then
    assert decided["model_cut_ratio"] == model_cut
    assert decided["forecast_quantile_05_usd"] == Decimal("-2000")
    assert decided["source"] == "rules"


def test_a_withheld_session_does_not_lower_the_last_cut(connection: Connection) -> None:
    # given after the 23rd session five losses in a row: 50 %; then restated to gains, and an empty early delivery
    days = trading_days(24)
    store_report(connection, _withheld(connection, days))

    # when
    decided = _decided(connection, new_run(connection, days[23]))

    # then
    assert (decided["A"]["cut_ratio"], decided["A"]["rules_cut_ratio"]) == (Decimal("0.50"), Decimal("0.00"))
    (reason,) = decided["A"]["reasons"]
    assert all(word in reason for word in (str(days[23]), "not posted yet", "50%", str(days[22]), "kept"))
    assert decided["B"]["reasons"] == []


def test_cut_that_is_reported_only_after_a_run_began_is_no_last_cut_of_it(connection: Connection) -> None:
    # given two runs at the same time: the later session's has begun before the earlier one's is reported
    days = trading_days(24)
    earlier = _withheld(connection, days)
    run = new_run(connection, days[23])

    # when the later one decides before and, as a what-if does, after the earlier one's report
    before = _decided(connection, run)
    store_report(connection, earlier)
    after = _decided(connection, run)

    # then
    assert before["A"]["cut_ratio"] == Decimal("0.00")
    assert after == before


def test_a_session_without_trades_is_no_withheld_one(connection: Connection) -> None:
    days = trading_days(24)
    insert_pnl(connection, "A", _calm(days[:23]))
    late = dt.datetime.combine(days[23], dt.time(23, 0), dt.UTC) + dt.timedelta(days=2)
    insert_delivery(connection, "A", days[23], row_count=0, published_at=late)
    assert _decided(connection, new_run(connection, days[23]))["A"]["reasons"] == []


def test_a_delivery_whose_rows_were_all_rejected_is_withheld(connection: Connection) -> None:
    days = trading_days(24)
    insert_pnl(connection, "A", _calm(days[:23]))
    insert_delivery(connection, "A", days[23], row_count=3, loaded_count=0)
    decided = _decided(connection, new_run(connection, days[23]))["A"]
    (reason,) = decided["reasons"]
    assert all(word in reason for word in (str(days[23]), "all rejected", f"through {days[22]}"))


def test_deciding_again_replaces_the_runs_rows_and_no_others(connection: Connection) -> None:
    # given
    days = trading_days(22)
    insert_pnl(connection, "A", _calm(days))
    insert_pnl(connection, "B", _calm(days))
    first, second = new_run(connection, days[-1]), new_run(connection, days[-1])
    apply_rules(connection, first)
    apply_rules(connection, second)
    before = table(connection, "recommendations", ("run_id", "account_id", "cut_ratio"))

    # when the second decides again, and B is gone
    assert apply_rules(connection, second) == 2
    assert table(connection, "recommendations", ("run_id", "account_id", "cut_ratio")) == before
    with connection, connection.cursor() as cursor:
        cursor.execute("delete from daily_pnl where account_id = 'B'")
    assert apply_rules(connection, second) == 1

    # then
    assert {(row[0], row[1]) for row in table(connection, "recommendations", ("run_id", "account_id"))} == {
        (first.run_id, "A"), (first.run_id, "B"), (second.run_id, "A"),
    }  # fmt: skip


def test_an_older_session_decides_on_what_was_known_up_to_it(connection: Connection) -> None:
    # given three losses at the end, and later gains
    days = trading_days(30)
    insert_pnl(connection, "A", _calm(days[:21]) | dict.fromkeys(days[21:24], "-10"))
    alone = _decided(connection, new_run(connection, days[23]))
    insert_pnl(connection, "A", dict.fromkeys(days[24:], "500"))
    insert_pnl(connection, "LATER", dict.fromkeys(days[24:], "-500"))

    # when, then
    assert _decided(connection, new_run(connection, days[23])) == alone
    assert alone["A"]["cut_ratio"] == Decimal("0.30")


def test_an_empty_warehouse_recommends_nothing(connection: Connection) -> None:
    assert apply_rules(connection, new_run(connection, trading_days(1)[0])) == 0
