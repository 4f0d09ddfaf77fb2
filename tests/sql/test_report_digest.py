"""The weekly digest counts what the week's rows say."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

import pytest

from risk.core.errors import ConnectionLostError
from risk.core.policy_store import read_policy
from risk.core.runs import read_run
from risk.core.settings import read_settings
from risk.core.warehouse import Connection, rows
from risk.limits.track_record import store_track_record
from risk.report.digest import digest_page, send_digest
from risk.report.digest_rows import AlertTest, try_alerts
from risk.report.mail import SmtpServer
from risk.report.page import NoticePage
from risk.report.render import render_views
from tests.report_desks import (
    AS_OF,
    EFFECTIVE_SESSION,
    SESSION,
    book,
    deliver_fills,
    insert,
    insert_fit,
    insert_trader_fit,
    open_run,
    recommend,
)
from tests.smtp_boxes import Box, served


def reported(
    connection: Connection, day: dt.date, cuts: dict[str, str], *, mailed: bool = True, is_point_in_time: bool = False
) -> None:
    run = open_run(
        connection, session_date=day, revision=2 if is_point_in_time else 1, is_point_in_time=is_point_in_time
    )
    for name, cut in cuts.items():
        recommend(connection, run, name, cut)
    insert(connection, "reports", run_id=run.run_id, facts="{}", facts_sha256="0")
    if mailed:
        sent = {"recipient": "rm@localhost", "message_id": str(run.run_id), "sent_at": AS_OF}
        insert(connection, "report_deliveries", run_id=run.run_id, **sent)


def page_of(connection: Connection, through: dt.date) -> NoticePage:
    return digest_page(connection, through, read_settings(), AlertTest(AS_OF))


def test_digest_names_sessions_without_report_or_mail(connection: Connection) -> None:
    reported(connection, dt.date(2025, 8, 12), {"A": "0.40"})
    reported(connection, dt.date(2025, 8, 13), {"A": "0.40", "B": "0.00"}, mailed=False)

    page = page_of(connection, SESSION)

    # Sessions from Saturday the 9th to Friday the 15th: the 11th to the 15th.
    assert page.headline == "2 of 5 sessions from 2025-08-09 to 2025-08-15 reported."
    assert [action.split(".")[0] for action in page.actions] == [
        "Session 2025-08-11 has no report",
        "The report for 2025-08-13 was not emailed",
        "Session 2025-08-14 has no report",
        "Session 2025-08-15 has no report",
        "No fills for 2025-08-15 (the books are empty)",
    ]
    assert "Traders with a limit: 1 to 2 per session; B added 2025-08-13." in page.sentences


def test_digest_does_not_list_a_renamed_trader_as_a_change(connection: Connection) -> None:
    reported(connection, dt.date(2025, 8, 13), {"OLD1": "0.40", "GONE": "0.40"})
    reported(connection, dt.date(2025, 8, 14), {"NEW1": "0.40", "ELSE": "0.40"})
    load_id = insert(connection, "loads", source="drop", is_simulated=False, through_session_date=SESSION)
    source = {"file_name": "accounts.csv", "line_number": 1, "recorded_at": AS_OF}
    renamed = {"valid_from": dt.date(2025, 8, 14), "account_id": "NEW1", "former_account_id": "OLD1"}
    insert(connection, "accounts", load_id=load_id, **renamed, **source)

    page = page_of(connection, SESSION)

    assert "Traders with a limit: 2 per session; ELSE added 2025-08-14, GONE removed 2025-08-14." in page.sentences


def test_digest_ignores_point_in_time_runs(connection: Connection) -> None:
    reported(connection, SESSION, {"A": "0.40"})
    book(connection, "A", EFFECTIVE_SESSION)
    reported(connection, SESSION, {"A": "0.00", "B": "0.00"}, mailed=False, is_point_in_time=True)

    page = page_of(connection, EFFECTIVE_SESSION)

    assert not [action for action in page.actions if "not emailed" in action]
    assert "Traders with a limit: 1 per session" in " ".join(page.sentences)
    assert "Traders with a cut: 1 loss in 1 trading day" in " ".join(page.sentences)
    assert "without a cut" not in " ".join(page.sentences)


def test_digest_counts_exceedances_cuts_and_decisions(connection: Connection) -> None:
    run = open_run(connection)
    recommend(connection, run, "A", "0.40")
    recommend(connection, run, "B", "0.00")
    insert(connection, "reports", run_id=run.run_id, facts="{}", facts_sha256="0")
    for name, total in (("A", "-900.00"), ("B", "250.50")):
        book(connection, name, run.effective_session, total_pnl_usd=Decimal(total))
        issued = {"run_id": run.run_id, "is_live": True, "expert": "calibrated", "quantile_05_usd": -500}
        insert(connection, "forecasts", account_id=name, effective_session=run.effective_session, **issued)
    rules = {**issued, "expert": "rules", "quantile_05_usd": -1000}
    insert(connection, "forecasts", account_id="A", effective_session=run.effective_session, **rules)

    page = page_of(connection, run.effective_session)
    sentences = " ".join(page.sentences)

    # Two forecasts, 5 % of them are 0.1.
    assert dict(page.rows)["Model performance"] == "1 exceedance of the 95% VaR in 2 forecasts (0.1 expected)"
    assert "Forecast rules: 0 exceedances of the 95% VaR in 1 forecast (0.1 expected)." in sentences
    assert "calibrated" not in sentences
    assert "Traders with a cut: 1 loss in 1 trading day, total P&L -$900." in sentences
    assert "Traders without a cut: 0 losses in 1 trading day, total P&L +$250." in sentences
    assert "Limit decisions: none requested." in sentences


def test_digest_contains_gate_track_record_and_failed_checks(connection: Connection) -> None:
    reported(connection, SESSION, {"A": "0.40"})
    book(connection, "A")
    run = read_run(connection, rows(connection, "risk_page/select_report", {"session_date": SESSION})[0][0])
    deliver_fills(connection, run, "A")
    store_track_record(connection, run)
    check = {"severity": "warn", "observed": "9", "has_passed": False, "message": "odd"}
    for subject in ("A", "B"):
        insert(connection, "quality_results", run_id=run.run_id, check_name="fees", subject=subject, **check)
    gate = {"serving": "rules", "is_pass": False, "session_count": 0, "forecast_count": 0}
    result = {"reasons": ["no model was stored"], "drifts": ["The exceedance rate rises"]}
    insert(connection, "gate_results", run_id=run.run_id, **gate, **result)

    page = page_of(connection, SESSION)

    sentences = " ".join(page.sentences)
    assert "Last gate result: no model was stored." in page.sentences
    assert dict(page.rows)["Model performance"] == (
        "no forecast with an outcome; forecast-based limits in 0 of 1 sessions (no model)"
    )
    assert "The exceedance rate rises" in page.sentences
    assert "Data: failed checks: fees 2; 0 rows rejected." in page.sentences
    assert "Cut track record: " in sentences
    assert "Latest fills: session 2025-08-15, received 2025-08-18 07:01 New York." in page.sentences
    assert not [action for action in page.actions if "No fills for" in action]


def test_digest_has_its_rows_by_name_in_html_and_text(connection: Connection) -> None:
    reported(connection, dt.date(2025, 8, 14), {"A": "0.40", "B": "0.00"})
    reported(connection, SESSION, {"A": "0.40", "B": "0.20", "C": "0.00"})
    alert = {"dag_id": "daily_risk", "dag_run_id": "r", "clear_number": 0, "subject": "RISK RUN FAILED"}
    insert(connection, "alarms", kind="failure", recorded_at=AS_OF - dt.timedelta(days=3), **alert)
    insert(connection, "alarms", kind="recovery", recorded_at=AS_OF - dt.timedelta(days=2), **alert)

    page = page_of(connection, SESSION)
    views = render_views("notice", page)

    rows_by_name = dict(page.rows)
    assert list(rows_by_name) == ["Database size", "Model performance", "Thresholds", "Error-mail test"]
    assert re.fullmatch(
        r"[1-9][0-9]* MB; [0-9]+% dead rows, last vacuum .+; failed task attempts: 0", rows_by_name["Database size"]
    )
    # 5 trader-days: A twice high with a cut of 40 %, B once moderate with 20 %.
    label = read_policy(connection, EFFECTIVE_SESSION).label
    assert rows_by_name["Thresholds"] == (
        f"policy version {label} since installation, 7 rules; moderate from 1.25x, "
        "high from 1.67x the usual forecast loss; 2 high, 1 moderate, 3 cuts in 5 trader-days"
    )
    # 11:02 UTC is 07:02 in New York; a recovery tests nothing that a failure does not.
    assert rows_by_name["Error-mail test"] == (
        "passed 2025-08-18 07:02 New York: mail server accepts mail to 1 recipient, no second mail server is set; "
        "last failure mail accepted 2025-08-15 07:02 New York"
    )
    for name, known in page.rows:
        assert f"{name}: {known}" in " ".join(views.text.split())
        assert re.search(rf'scope="row"[^>]*>{name}</th><td[^>]*>{re.escape(known)}</td>', views.html)


def test_digest_says_that_the_second_mail_server_of_alerts_does_not_accept_mail(connection: Connection) -> None:
    settings = read_settings().model_copy(update={"alarm_smtp_uri": "smtp://127.0.0.1:9"})

    page = digest_page(connection, SESSION, settings, try_alerts(settings, AS_OF))

    assert dict(page.rows)["Error-mail test"].startswith(
        "failed 2025-08-18 07:02 New York: Mail server 127.0.0.1:9 does not accept mail: "
    )
    assert dict(page.rows)["Error-mail test"].endswith("; no failure mail was ever needed")
    assert page.actions[-1].endswith(" or correct RISK_ALARM_SMTP_URI: failure mails go there too.")
    with served(Box()) as server:
        reachable = settings.model_copy(update={"alarm_smtp_uri": f"smtp://{server.address}"})
        assert try_alerts(reachable, AS_OF) == AlertTest(AS_OF, has_second_server=True)


def test_digest_can_be_rendered(connection: Connection) -> None:
    rendered = render_views("notice", page_of(connection, SESSION))

    assert "Risk digest - week to 2025-08-15" in rendered.subject
    assert "0 of 5 sessions" in rendered.text


def test_digest_is_mailed_and_its_database_size_stored(connection: Connection) -> None:
    box = Box()

    with served(box) as server:
        assert send_digest(connection, server, AS_OF, read_settings()) == 1

    # On the morning of Monday the 18th the last finished session is Friday the 15th.
    assert len(box.subjects) == 1
    assert "Risk digest - week to 2025-08-15" in box.subjects[0]
    assert "since the last digest" not in dict(page_of(connection, SESSION).rows)["Database size"]
    assert "since the last digest" in dict(page_of(connection, dt.date(2025, 8, 22)).rows)["Database size"]


def test_digest_stores_nothing_when_the_mail_server_is_down(connection: Connection) -> None:
    with pytest.raises(ConnectionLostError, match="does not accept mail"):
        send_digest(connection, SmtpServer("127.0.0.1", 9), AS_OF, read_settings())

    with connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from digests")
        assert cursor.fetchall() == [(0,)]
    assert rows(connection, "publish_limits/select_clock")


def test_first_digest_of_a_month_says_which_limits_do_not_fit(connection: Connection) -> None:
    run = open_run(connection, session_date=dt.date(2025, 7, 31))
    for name, verdict in (("A", "fits"), ("B", "fits"), ("C", "too large"), ("D", "never reached")):
        insert_fit(connection, run, name, verdict)
    for name, verdict in (("T. Jones", "too large"), ("A. Other", "fits")):
        insert_trader_fit(connection, run, name, verdict)
    later = open_run(connection, session_date=dt.date(2025, 8, 4))
    insert_fit(connection, later, "A", "too large")

    def reviewed(through: dt.date) -> list[str]:
        sentences = page_of(connection, through).sentences
        return [one for one in sentences if "review of limits" in one or "several accounts" in one]

    # The digests of Friday, August 1st and 8th; the second one is not the first of its month.
    assert reviewed(dt.date(2025, 8, 1)) == [
        "Monthly review of limits: 2 of 4 base limits fit; losses too large for the limit: C; limit never reached: D.",
        "Trader with several accounts: T. Jones (C, D), $10,000 together: too large.",
    ]
    assert reviewed(dt.date(2025, 8, 8)) == []


def test_digest_repeats_the_notes_of_the_week(connection: Connection) -> None:
    reported(connection, SESSION, {"A": "0.40"})
    person = {"user_id": "1", "user_name": "ann"}
    for number in range(9):
        insert(connection, "notes", account_id="A", session_date=SESSION, sentence=f"note {number}", recorded_at=AS_OF,
               **person)  # fmt: skip
    insert(connection, "notes", account_id="A", sentence="last week", recorded_at=AS_OF - dt.timedelta(9), **person)
    insert(connection, "notes", session_date=SESSION, sentence="word " * 100, corrects=1, recorded_at=AS_OF, **person)

    said = [sentence for sentence in page_of(connection, AS_OF.date()).sentences if "ote" in sentence]

    long = "Note 11 about the desk on 2025-08-15, by ann (corrects note 1): word word"
    assert (said[0].startswith(long), said[0].endswith("word ..."), len(said[0]) < 400) == (True, True, True)
    assert said[1] == "Note 9 about A on 2025-08-15, by ann: note 8"
    # Ten notes of the week, eight of them said.
    assert said[8:] == ["2 more notes of the week on the pages of traders and sessions."]
