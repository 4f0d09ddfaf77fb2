"""Asking the vendor over real sockets: logins, time-outs, pages, and what is never shown to anybody."""

from __future__ import annotations

import datetime as dt
import json
import logging
import time
import traceback
import tracemalloc
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from risk.core.errors import ConnectionLostError, RefusalError
from risk.ingest.propreports.client import (
    Client,
    Endpoint,
    RateLimiter,
    Timeouts,
    endpoint_of,
    read_endpoint,
)
from risk.ingest.propreports.load import fills_question, write_fills
from risk.ingest.propreports.pages import Answer, IncompleteAnswerError, ask, lines
from risk.report.doctor import check_vendor
from tests.vendor_server import (
    FILLS_HEADER,
    PASSWORD,
    USER,
    Reply,
    Vendor,
    account,
    fill,
    instead,
    rewritten,
    serving,
    spoiled,
)

FRIDAY = dt.date(2025, 8, 15)
NOW = dt.datetime(2025, 8, 18, 11, tzinfo=dt.UTC)
QUESTION = fills_question(FRIDAY)
HURRY = Timeouts(connect_s=2, read_s=0.3, answer_s=0.6, attempts=3, backoff_s=0.01)


@pytest.fixture
def vendor() -> Vendor:
    """Give a vendor with seven executions on Friday, three to a page."""
    rows = [fill(number, FRIDAY) for number in range(7)]
    return Vendor(accounts=[account(11, "NET001")], fills={FRIDAY: rows}, page_size=3)


@pytest.fixture
def endpoint(vendor: Vendor) -> Iterator[Endpoint]:
    """Serve that vendor."""
    with serving(vendor) as endpoint:
        yield endpoint


@pytest.fixture
def client(endpoint: Endpoint) -> Iterator[Client]:
    """Give a client in a hurry."""
    with Client(endpoint, RateLimiter(), HURRY) as client:
        yield client


def fetched(client: Client, folder: Path, now: dt.datetime = NOW) -> list[str]:
    answer = ask(client, QUESTION, folder, lambda: now)
    return list(lines(answer, QUESTION.columns))


def test_answer_has_every_record_of_every_page_once_and_one_header(
    vendor: Vendor, client: Client, tmp_path: Path
) -> None:
    assert fetched(client, tmp_path) == [FILLS_HEADER, *vendor.fills[FRIDAY]]
    # three pages, and the first two once more, because a row may have come in between
    assert vendor.pages() == ["1", "2", "3", "1", "2"]
    assert vendor.asked[1] == {
        "action": "fills",
        "groupId": "-2",
        "startDate": "2025-08-15",
        "endDate": "2025-08-15",
        "page": "1",
    }


@pytest.mark.parametrize("count", [0, 3, 6])
def test_answer_is_whole_when_its_pages_are_exactly_full_or_empty(
    vendor: Vendor, client: Client, tmp_path: Path, count: int
) -> None:
    vendor.fills[FRIDAY] = vendor.fills[FRIDAY][:count]

    assert len(fetched(client, tmp_path)) == count + 1


@pytest.mark.parametrize("is_packed", [True, False])
def test_answer_is_the_same_packed_or_not(vendor: Vendor, client: Client, tmp_path: Path, is_packed: bool) -> None:
    vendor.is_packed = is_packed

    assert fetched(client, tmp_path) == [FILLS_HEADER, *vendor.fills[FRIDAY]]


@pytest.mark.parametrize(
    "fault",
    [
        instead(502),
        instead(503, "busy"),
        instead(504),
        instead(429),
        spoiled(lost_count=40),
        spoiled(pause_s=0.5),
        spoiled(pause_s=0.02),
    ],
    ids=["502", "503", "504", "429", "truncated", "stalled", "trickling"],
)
def test_answer_is_asked_for_again_when_it_fails_on_the_way(
    vendor: Vendor, client: Client, tmp_path: Path, fault: object
) -> None:
    vendor.faults = deque([None, fault])  # type: ignore[list-item]

    assert fetched(client, tmp_path) == [FILLS_HEADER, *vendor.fills[FRIDAY]]
    assert vendor.pages()[:3] == ["1", "1", "2"]


def test_client_gives_up_with_an_error_that_airflow_retries_when_the_vendor_stays_away(
    vendor: Vendor, client: Client, tmp_path: Path
) -> None:
    vendor.faults = deque([None, None, *[instead(503)] * 3])

    with pytest.raises(ConnectionLostError, match=r"does not answer action fills: HTTP 503 \(3 tries\)"):
        fetched(client, tmp_path)
    assert vendor.pages() == ["1", "2", "2", "2"]


def test_client_names_a_host_where_nobody_listens(tmp_path: Path) -> None:
    with serving(Vendor()) as endpoint:
        pass

    with (
        Client(endpoint, RateLimiter(), HURRY) as client,
        pytest.raises(ConnectionLostError, match="action login: 'ConnectError"),
    ):
        fetched(client, tmp_path)


def test_client_logs_in_again_once_when_its_token_has_expired(vendor: Vendor, client: Client, tmp_path: Path) -> None:
    def expire(_form: dict[str, str], reply: Reply) -> Reply:
        vendor.expire()
        return reply

    vendor.faults = deque([None, expire])

    assert fetched(client, tmp_path) == [FILLS_HEADER, *vendor.fills[FRIDAY]]
    assert vendor.actions()[:5] == ["login", "fills", "fills", "login", "fills"]


def test_client_does_not_log_in_for_ever_when_no_token_is_accepted(
    vendor: Vendor, client: Client, tmp_path: Path
) -> None:
    refusal = instead(500, "Invalid or expired token.")
    vendor.faults = deque([None, refusal, None, refusal])

    with pytest.raises(RefusalError, match="Invalid or expired token"):
        fetched(client, tmp_path)
    assert vendor.actions() == ["login", "fills", "login", "fills"]


@pytest.mark.parametrize("status", [301, 403, 404])
def test_client_takes_any_other_status_as_final(vendor: Vendor, client: Client, tmp_path: Path, status: int) -> None:
    vendor.faults = deque([None, instead(status)])

    with pytest.raises(RefusalError, match=f"refuses action fills: 'HTTP {status}"):
        fetched(client, tmp_path)
    assert vendor.actions() == ["login", "fills"]


def test_client_repeats_the_vendors_sentence_and_does_not_ask_again(
    vendor: Vendor, client: Client, tmp_path: Path
) -> None:
    vendor.faults = deque([None, instead(500, "Permission\ndenied.")])

    with pytest.raises(RefusalError, match=r"refuses action fills: 'Permission\\ndenied\.'"):
        fetched(client, tmp_path)
    assert vendor.actions() == ["login", "fills"]


def test_client_refuses_a_login_page_in_place_of_a_token(vendor: Vendor, client: Client, tmp_path: Path) -> None:
    vendor.login_preamble = "<html>"

    with pytest.raises(RefusalError, match="characters that are no token"):
        fetched(client, tmp_path)


def test_client_logs_out(vendor: Vendor, endpoint: Endpoint, tmp_path: Path) -> None:
    with Client(endpoint, RateLimiter(), HURRY) as client:
        fetched(client, tmp_path)

    assert vendor.actions()[-1] == "logout"
    assert vendor.tokens == set()


CUT = {
    "no trailer": (spoiled(has_length=False, lost_count=9), "not with its trailer"),
    "fewer pages": (rewritten("Page 1/3", "Page 1/4"), "says there are 3 pages, and page 1 said 4"),
    "another page": (rewritten("Page 1/3", "Page 2/3"), "it is page 2 of 3"),
    "page beyond": (rewritten("Page 1/3", "Page 1/0x"), "ends with 'Page 1/0x'"),
}


@pytest.mark.parametrize("name", CUT)
def test_answer_is_asked_for_from_its_first_page_when_it_is_not_whole(
    vendor: Vendor, client: Client, tmp_path: Path, name: str
) -> None:
    vendor.is_packed = False
    vendor.faults = deque([None, CUT[name][0]])

    assert fetched(client, tmp_path) == [FILLS_HEADER, *vendor.fills[FRIDAY]]
    assert vendor.pages().count("1") == 3  # cut, whole, and once more at the end


@pytest.mark.parametrize("name", CUT)
def test_answer_that_is_never_whole_is_named(vendor: Vendor, client: Client, tmp_path: Path, name: str) -> None:
    fault, found = CUT[name]

    def always(form: dict[str, str], reply: Reply) -> Reply:
        vendor.faults.append(always)
        return fault(form, reply) if form.get("page") == "1" else reply

    vendor.is_packed = False
    vendor.faults = deque([None, always])

    with pytest.raises(IncompleteAnswerError, match=rf"{found}.* \(3 times asked\)"):
        fetched(client, tmp_path)
    assert not list(tmp_path.rglob("*.csv"))


def test_answer_that_promises_three_pages_where_two_came_is_named(
    vendor: Vendor, client: Client, tmp_path: Path
) -> None:
    vendor.fills[FRIDAY] = vendor.fills[FRIDAY][:6]

    def promise(_form: dict[str, str], reply: Reply) -> Reply:
        vendor.faults.append(promise)
        reply.body = reply.body.replace("/2\n", "/3\n")
        return reply

    vendor.faults = deque([promise])

    with pytest.raises(
        IncompleteAnswerError, match=r"^page 3 was promised and did not come: 'Invalid page\.' \(3 times"
    ):
        fetched(client, tmp_path)


def test_answer_is_read_anew_when_a_row_arrives_between_two_pages(
    vendor: Vendor, client: Client, tmp_path: Path
) -> None:
    def arrive(_form: dict[str, str], reply: Reply) -> Reply:
        vendor.fills[FRIDAY].insert(1, fill(99, FRIDAY))  # pushes the last row of page 1 to page 2, still 3 pages
        return reply

    vendor.faults = deque([None, arrive])

    table = fetched(client, tmp_path)

    assert table == [FILLS_HEADER, *vendor.fills[FRIDAY]]
    assert len(set(table)) == 9


def test_answer_whose_number_of_pages_changes_is_read_anew(vendor: Vendor, client: Client, tmp_path: Path) -> None:
    def arrive(_form: dict[str, str], reply: Reply) -> Reply:
        vendor.fills[FRIDAY] += [fill(number, FRIDAY) for number in range(7, 12)]
        return reply

    vendor.faults = deque([None, arrive])

    assert fetched(client, tmp_path) == [FILLS_HEADER, *vendor.fills[FRIDAY]]
    assert vendor.pages() == ["1", "2", "1", "2", "3", "4", "1", "2", "3"]


def test_interrupted_answer_is_taken_up_where_it_ended(vendor: Vendor, endpoint: Endpoint, tmp_path: Path) -> None:
    vendor.faults = deque([None, None, None, *[instead(503)] * 3])
    with Client(endpoint, RateLimiter(), HURRY) as client, pytest.raises(ConnectionLostError):
        fetched(client, tmp_path)
    asked_before = len(vendor.asked)

    with Client(endpoint, RateLimiter(), HURRY) as client:
        answer = ask(client, QUESTION, tmp_path, lambda: NOW + dt.timedelta(minutes=3))

    later = [form.get("page") for form in vendor.asked[asked_before:] if form["action"] == "fills"]
    assert later == ["3", "1", "2"]  # only the missing page, then the check
    assert answer.asked_at == NOW  # what was published since may be missing
    assert list(lines(answer, QUESTION.columns)) == [FILLS_HEADER, *vendor.fills[FRIDAY]]


@pytest.mark.parametrize("spoil", ["bytes", "age", "record", "page"])
def test_kept_pages_are_dropped_when_they_are_not_what_they_were(
    vendor: Vendor, endpoint: Endpoint, tmp_path: Path, spoil: str
) -> None:
    vendor.faults = deque([None, None, None, *[instead(503)] * 3])
    with Client(endpoint, RateLimiter(), HURRY) as client, pytest.raises(ConnectionLostError):
        fetched(client, tmp_path)
    kept = tmp_path / QUESTION.name
    if spoil == "bytes":
        (kept / "page-000001.csv").write_bytes((kept / "page-000001.csv").read_bytes().replace(b"10.5", b"10.6"))
    elif spoil == "record":
        (kept / "pages.json").write_text("{", encoding="utf-8")
    elif spoil == "page":
        (kept / "page-000002.csv").unlink()
    now = NOW + (dt.timedelta(hours=2) if spoil == "age" else dt.timedelta(minutes=1))

    with Client(endpoint, RateLimiter(), HURRY) as client:
        assert fetched(client, tmp_path, now) == [FILLS_HEADER, *vendor.fills[FRIDAY]]
    assert vendor.pages()[-5:] == ["1", "2", "3", "1", "2"]


def test_answer_of_any_number_of_rows_is_written_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "page-000001.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write(FILLS_HEADER + "\n")
        file.writelines(fill(number, FRIDAY, f"NET{number % 50:03}") + "\n" for number in range(20_000))
        file.write("Page 1/1\n")
    (tmp_path / "drop").mkdir()

    tracemalloc.start()
    written = write_fills(FRIDAY, Answer(tmp_path, NOW, 1, [""]), tmp_path / "drop")
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert (written.row_count, len(written.account_ids)) == (20_000, 50)
    assert peak_bytes < path.stat().st_size / 5


def test_answer_that_never_ends_is_given_up(
    endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("risk.ingest.propreports.client.LARGEST_ANSWER", 300)

    with (
        Client(endpoint, RateLimiter(), HURRY) as client,
        pytest.raises(ConnectionLostError, match="the answer has more than 300 bytes"),
    ):
        fetched(client, tmp_path)


def test_header_is_found_beneath_other_lines_and_its_absence_is_named(
    vendor: Vendor, client: Client, tmp_path: Path
) -> None:
    vendor.faults = deque([None, rewritten(FILLS_HEADER, "Notice: maintenance, Sunday\n\n" + FILLS_HEADER)])
    assert fetched(client, tmp_path / "1") == [FILLS_HEADER, *vendor.fills[FRIDAY]]

    vendor.page_size = 10
    vendor.faults = deque([rewritten("Date/Time", "When")])
    with pytest.raises(IncompleteAnswerError, match="no header with Date/Time"):
        fetched(client, tmp_path / "2")


def test_pages_without_a_header_of_their_own_lose_no_row(vendor: Vendor, client: Client, tmp_path: Path) -> None:
    bare = rewritten(f"{FILLS_HEADER}\n", "")
    vendor.faults = deque([None, None, bare, bare, None, bare])

    assert fetched(client, tmp_path) == [FILLS_HEADER, *vendor.fills[FRIDAY]]


def test_pace_lets_no_span_see_more_requests_than_the_vendor_allows(vendor: Vendor, endpoint: Endpoint) -> None:
    vendor.span_s, vendor.request_limit = 0.2, 40
    began = time.monotonic()

    with Client(endpoint, RateLimiter(limit=40, span_s=0.2), HURRY) as client:
        for _ in range(130):
            client.login()

    assert vendor.refused_count == 0
    assert time.monotonic() - began >= 0.6  # 130 requests fill three spans and begin a fourth


def test_vendor_of_these_tests_refuses_a_client_that_is_too_fast(vendor: Vendor, endpoint: Endpoint) -> None:
    with Client(endpoint, RateLimiter(limit=1000), HURRY) as client:
        for _ in range(40):
            client.login()
        with pytest.raises(RefusalError, match="rate exceeded"):
            client.login()


def test_pace_counts_forty_requests_in_four_seconds_from_the_end_of_each() -> None:
    now, waits = 100.0, []

    def sleep(seconds: float) -> None:
        nonlocal now
        waits.append(seconds)
        now += seconds

    limiter = RateLimiter(clock=lambda: now, sleep=sleep)
    for _ in range(41):
        with limiter.request():
            now += 0.05

    # the first request ended at 100.05; the 41st would start at 102.00 and may not before 104.05
    assert waits == [pytest.approx(2.05)]


def test_nothing_shows_a_secret_whatever_goes_wrong(
    vendor: Vendor, endpoint: Endpoint, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def echo(form: dict[str, str], _reply: Reply) -> Reply:
        return Reply(f"Cannot serve {form.get('token', '')} of {form.get('user', '')} {form.get('password', '')}", 500)

    caplog.set_level(logging.DEBUG)
    stated = [repr(endpoint), str(endpoint)]
    for faults in (
        [echo],
        [None, echo],
        [None, instead(503), echo],
        [None, *[instead(502)] * 3],
        [None, spoiled(lost_count=30)],
    ):
        vendor.faults = deque(faults)
        client = Client(endpoint, RateLimiter(), HURRY)
        try:
            with client:
                fetched(client, tmp_path)
        except (RefusalError, ConnectionLostError) as error:
            stated += [repr(error), "".join(traceback.format_exception(error))]
        stated.append(repr(client))
    stated += [record.getMessage() for record in caplog.records]
    stated += [str(record.__dict__) for record in caplog.records]
    stated += [path.read_text(encoding="utf-8") for path in tmp_path.rglob("*") if path.is_file()]

    assert len(vendor.issued) == 5
    assert any("***" in text for text in stated)
    for secret in (PASSWORD, USER, *vendor.issued):
        assert not [text for text in stated if secret in text]


def test_place_is_read_from_a_uri_and_from_json_alike() -> None:
    expected = Endpoint("https://firm.propreports.com/api.php", "me@firm", "a:b@c/d")

    given = {"conn_type": "https", "host": "firm.propreports.com", "login": "me@firm", "password": "a:b@c/d"}
    as_http = given | {"conn_type": "http", "schema": "https"}
    with_scheme = given | {"conn_type": "http", "host": "https://firm.propreports.com/api.php"}

    assert read_endpoint("https://me%40firm:a%3Ab%40c%2Fd@firm.propreports.com") == expected
    assert [read_endpoint(json.dumps(form)) for form in (given, as_http, with_scheme)] == [expected] * 3
    assert endpoint_of(given | {"port": 8443}).url == "https://firm.propreports.com:8443/api.php"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("http://me:secret-1@firm.propreports.com", "to firm.propreports.com unencrypted"),
        ("ftp://me:secret-1@127.0.0.1", "unencrypted"),
        ("https://me@firm.propreports.com", "lacks password"),
        ('{"conn_type": "https", "login": "me", "password": "secret-1"}', "lacks host"),
        ('{"login": "secret-1"', "neither a URI nor JSON"),
        ("https://me:secret-1@firm:port", "is no URI"),
    ],
)
def test_place_refuses_a_connection_that_names_nobody_or_is_unencrypted(text: str, found: str) -> None:
    with pytest.raises(RefusalError, match=found) as caught:
        read_endpoint(text)

    assert "secret-1" not in str(caught.value)


def test_doctor_asks_the_vendor_for_a_login_and_names_what_it_refuses(endpoint: Endpoint, vendor: Vendor) -> None:
    given = {"conn_type": "http", "host": "127.0.0.1", "port": urlsplit(endpoint.url).port, "login": USER}

    well = check_vendor(json.dumps(given | {"password": PASSWORD}))
    refused = check_vendor(json.dumps(given | {"password": "secret-1"}))

    assert (well.is_healthy, well.sentence) == (True, "127.0.0.1 accepts the login.")
    assert not refused.is_healthy
    assert "Invalid user or password" in refused.sentence
    assert "secret-1" not in refused.sentence
    assert vendor.tokens == set()
