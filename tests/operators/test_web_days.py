"""The pages of a trader's day and of the calendar: what they show, where they lead, and what they say of bad input."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest

from risk.core.calendar import sessions_between
from risk.core.warehouse import Connection
from tests.operators.web_client import words
from tests.report_desks import SESSION, book, deliver_fills, open_run, recommend, store_report
from tests.sql.daily_rows import insert_pnl, trading_days
from tests.sql.test_limits_receipts import update
from tests.track_record_desks import MON, TUE, deliver, fill, mark

DAY = f"/traders/NET001/{TUE}"


@pytest.fixture
def desk(connection: Connection) -> None:
    """Carry a position into Tuesday, break the limit of 5,000 there, and keep 100 shares overnight."""
    deliver(connection, [fill(MON, 1, "B", "1000", "20.00")])
    mark(connection, MON, "20.00")
    update(connection)
    deliver(
        connection,
        [
            # 1,000 open at 14.00: -6,000 by gap, beyond 5,000 and its tenth.
            fill(TUE, 1, "S", "500", "14.00", "2"),
            fill(TUE, 9, "S", "400", "15.00", "1"),
        ],
    )
    mark(connection, TUE, "15.00")
    update(connection, TUE)


def test_day_shows_the_running_pnl_the_crossing_symbols_and_the_gap_stress(client: Any, desk: None) -> None:
    answer = client.get(DAY)

    text = words(answer)
    assert answer.status_code == 200
    assert "Breach of $5,000 (default base limit)" in text
    # -6,002; then 500 shares rise by 1.00: -5,503; at the mark nothing changes.
    assert "2 fills: lowest -$6,002.00 at 09:31:00, -$5,503.00 at the close" in text
    assert "the limit of $5,000 was first reached at 09:31:00" in text
    assert re.search(r"1 09:31:00 XYZ -500 14 reduces 500 \$2.00 -\$6,002.00 \$5,000 first reached here", text)
    assert re.search(r"XYZ 2 \$13,000.00 100.0% \$3.00 -\$5,503.00 -100.0%", text)
    # 100 shares at 15.00: 20 % are 300, 6 % of 5,000. The gap on Tuesday: 14 / 20 - 1.
    assert "20% -$300.00 +$300.00 $300.00 6.0%" in text
    assert "-30% on 2025-08-05 -$450.00" in text
    assert f'href="/traders/NET001/{MON}" rel="prev"' in answer.text


def test_fills_of_a_day_have_pages_and_an_export_of_all(client: Any, connection: Connection) -> None:
    deliver(connection, [fill(MON, number, "B" if number % 2 else "S", "1", "20.00") for number in range(1, 251)])
    update(connection)
    path = f"/traders/NET001/{MON}"

    pages = [words(client.get(f"{path}?page={number}")) for number in (1, 10, 99)]
    whole = client.get(f"{path}?rows=100000")

    assert "1 to 25 of 250 Next" in pages[0]
    assert "Show all" in pages[0]
    assert "Previous Fills 226 to 250 of 250" in pages[1]
    assert pages[2] == pages[1]
    assert "Show all" not in words(whole)
    assert "Rows 1 to 100 of 250 Next" in words(whole)
    lines = client.get(f"{path}?format=csv&table=fills").text.splitlines()
    assert len(lines) == 251
    assert lines[0].startswith("Fill,Time (New York),Symbol")


def test_trader_page_leads_to_his_day_and_to_his_neighbors(client: Any, connection: Connection, desk: None) -> None:
    deliver(connection, [fill(TUE, 3, "B", "1", "15.00")], "NET000")
    update(connection, TUE)

    answer = client.get("/traders/NET001")

    text = words(answer)
    assert f'<a href="/traders/NET001/{TUE}">' in answer.text
    assert 'href="/traders/NET000" rel="prev"' in answer.text
    assert f"{TUE} -$5,503.00 $5,000 $6,002.00 120% breach $6,002.00 2 $13,000.00" in text
    assert "2 sessions with complete books, from 2025-08-04 to 2025-08-05: 1 with a loss" in text
    # Monday bought 20,000, Tuesday sold 7,000 and 6,000.
    assert "XYZ 2 3 $33,000.00 100.0% $3.00 -$5,503.00 -100.0%" in text


def test_link_of_the_mail_explains_the_cut_and_one_click_leads_to_the_day(client: Any, connection: Connection) -> None:
    run = open_run(connection)
    recommend(connection, run, "NET001", "0.60", reasons=["Loss streak: 5 sessions"])
    book(connection, "NET001", input_fingerprint=deliver_fills(connection, run, "NET001"))
    store_report(connection, run)

    trader = client.get("/traders/NET001")

    assert "reduce limit by 60%" in words(trader)
    assert "Loss streak: 5 sessions" in words(trader)
    (path,) = re.findall(r'<a class="button" href="([^"]*)">What NET001 did', trader.text)
    day = client.get(path)
    assert (path, day.status_code) == (f"/traders/NET001/{SESSION}", 200)
    # The report knew the same total as the books have now.
    assert "Total P&amp;L -$1,033.20 -$1,033.20" in words(day)


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/traders/NET001/2025-08-09", 404, "2025-08-09 is no session of XNYS: ask for 2025-08-08 or 2025-08-11."),
        ("/traders/NET001/2999-01-04", 404, "lies in the future"),
        ("/traders/NOBODY/2025-08-05", 404, "No account named &#39;NOBODY&#39; has ever traded"),
        ("/traders/NET001/yesterday", 404, "No account named &#39;NET001/yesterday&#39; has ever traded"),
        ("/traders/NET001/2025-02-30", 404, "2025-02-30 is no date: ask for another day."),
        (f"{DAY}?page=0", 422, "Invalid value: page."),
        (f"{DAY}?format=pdf", 404, "There is no format"),
        ("/calendar?sessions=20", 422, "Invalid value: sessions."),
        ("/calendar?sessions=251", 422, "Invalid value: sessions."),
        ("/calendar?through=never", 422, "Invalid value: through."),
    ],
)
def test_bad_addresses_get_a_sentence(client: Any, desk: None, path: str, status: int, sentence: str) -> None:
    answer = client.get(path)

    assert (answer.status_code, sentence in words(answer) or sentence in answer.text) == (status, True)


def test_day_without_fills_says_so(client: Any, connection: Connection) -> None:
    deliver(connection, [fill(MON, 1, "B", "1", "20.00"), fill(MON, 2, "S", "1", "20.00")])
    update(connection)

    text = words(client.get(DAY))

    assert "NET001 neither traded nor carried a position on 2025-08-05." in text
    assert "No running P&amp;L." in text
    assert "Flat at the close." in text
    assert "Session 2025-08-05 has no report." in text


@pytest.mark.parametrize("name", ["DESK A/B 1", "N" * 50, "Zoë & <b>"])
def test_names_of_any_kind_have_their_pages(client: Any, connection: Connection, name: str) -> None:
    insert_pnl(connection, name, {MON: "-5", TUE: "7"})

    for path in (f"/traders/{quote(name)}", f"/traders/{quote(name, safe='')}/{TUE}"):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert "<b>" not in answer.text.replace("<b>B</b>", "").replace("<b>H</b>", "")
    calendar = client.get("/calendar").text
    assert f'href="traders/{quote(name)}/{TUE}"' in calendar


def test_calendar_before_the_first_run_says_what_to_do(client: Any) -> None:
    text = words(client.get("/calendar"))

    assert "Nothing is booked. Run a session" in text
    assert "Nothing is booked up to 2025-08-05." in words(client.get("/calendar?through=2025-08-05"))


def test_calendar_shows_results_marks_sums_and_the_desk(client: Any, connection: Connection, desk: None) -> None:
    insert_pnl(connection, "NET002", {MON: "10", TUE: "4"})
    insert_pnl(connection, "NET003", {TUE: "0"}, incomplete_reason="no mark")
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into features (account_id, session_date, feature_set_version, last_z) values "
            "('NET001', %s, 'test', -2.25)",
            (TUE,),
        )

    answer = client.get("/calendar")

    text = words(answer)
    assert (
        '<td class="heat l3"><a href="traders/NET001/2025-08-05" title="-$5,503.00; -2.2 typical days; breach of the '
        'limit">-2.2<b>B</b></a></td>' in answer.text
    )
    assert "NET001 -$5,503 -2.2 B 0 1 losing day 0, 1 1 1 0" in text
    assert "NET002 +$14 + + 2 winning days 2, 0 0 0 0" in text
    assert "NET003 $0 and 1 unknown ? 0, 0 0 0 0" in text
    # -5,503 + 14; on Tuesday -5,503 + 4, and one of three has lost.
    assert "Desk -$5,489 -$5,499 1 of 3" in text
    assert client.get("/calendar?format=csv").text.splitlines()[1] == "NET001,2025-08-05,2,-5503.00,-2.25,breach,"


def test_only_a_reported_session_is_linked(client: Any, connection: Connection) -> None:
    # given results of three sessions, and a report of the newest
    run = open_run(connection)
    earlier = sessions_between(SESSION - dt.timedelta(days=7), SESSION)[-3:-1]
    insert_pnl(connection, "NET001", dict.fromkeys(earlier, "10"))
    book(connection, "NET001", input_fingerprint=deliver_fills(connection, run, "NET001"))
    store_report(connection, run)

    # then each page states all days, and leads to the one that has a page
    for path in ("/calendar", "/desk"):
        answer = client.get(path)
        links = set(re.findall(r'href="/?(sessions/\d{4}-\d\d-\d\d)"', answer.text))
        assert links == {f"sessions/{SESSION}"}, path
        assert all(str(day) in words(answer) for day in earlier), path
    assert client.get(f"/sessions/{SESSION}").status_code == 200
    assert f"/sessions/{earlier[0]}" not in client.get(f"/traders/NET001/{earlier[0]}").text


def test_calendar_searches_ends_earlier_and_has_pages(client: Any, connection: Connection) -> None:
    days = trading_days(70)
    for number in range(120):
        insert_pnl(connection, f"NET{number:03d}", {days[0]: "1", days[-1]: "-1"})

    first, second = client.get("/calendar").text, client.get("/calendar?page=2").text
    wide = client.get("/calendar?sessions=250").text

    assert (first.count('scope="row" class="name"'), second.count('scope="row" class="name"')) == (100, 20)
    assert "1 to 100 of 120" in words(client.get("/calendar"))
    # 6,500 cells at most: 26 traders of 250 sessions.
    assert wide.count('scope="row" class="name"') == 26
    assert "26 traders a page at 250 sessions." in wide
    assert "NET119" in client.get("/calendar?find=t119").text
    assert "has a name that contains nobody. Show all" in words(client.get("/calendar?find=nobody"))
    # Between the first and the last day nobody traded.
    assert "No trader is booked in these sessions." in words(client.get(f"/calendar?through={days[60]}"))
    earlier = words(client.get(f"/calendar?through={days[10]}"))
    assert f"120 traders, 30 sessions to {days[10]}" in earlier


def test_calendar_reads_no_more_than_it_says(client: Any, connection: Connection) -> None:
    days = trading_days(40)
    insert_pnl(connection, "NET001", {day: str(number) for number, day in enumerate(days)})

    text = words(client.get("/calendar"))

    # The newest 30 of 40: 10 + 11 + ... + 39.
    assert f"+${sum(range(10, 40))}" in text
    assert str(days[9]) not in text
    assert Decimal(sum(range(10, 40))) == 735


def test_day_has_permalinks_of_what_was_known_then_and_now(client: Any, connection: Connection, desk: None) -> None:
    run = update(connection, TUE)
    recommend(connection, run, "NET001", "0.00")
    store_report(connection, run)
    now = client.get(DAY)

    assert "NET001 on 2025-08-05, as known now" in words(now)
    [link] = re.findall(r'<a href="(\?known=then)">As known then', now.text)
    then = client.get(DAY + link)

    assert "NET001 on 2025-08-05, as known then" in words(then)
    assert "2 fills: lowest -$6,002.00 at 09:31:00, -$5,503.00 at the close" in words(then)
    assert re.search(r"1 09:31:00 XYZ -500 14 reduces 500 \$2.00 -\$6,002.00 \$5,000 first reached here", words(then))
    # What rests on the books as they are now is on the other page.
    assert "Positions overnight" not in words(then)
    assert '<a href="?known=now">As known now' in then.text
    assert len(client.get(f"{DAY}?known=then&format=csv&table=fills").text.splitlines()) == 3
    assert "This page has: fills, reported" in words(client.get(f"{DAY}?known=then&format=csv&table=symbols"))
    assert client.get(f"{DAY}?known=once").status_code == 422
