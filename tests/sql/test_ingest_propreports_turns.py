"""Tasks on several machines ask a vendor one after the other, and take up each other's pages."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
from pathlib import Path

import pytest

from risk.core.errors import ConnectionLostError
from risk.core.warehouse import Connection, connect
from risk.ingest.propreports.client import RateLimiter
from risk.ingest.propreports.pages import Answer
from risk.ingest.propreports.turns import LONGEST_WAIT_S, POLL_INTERVAL_S, KeptPages, hold_turn

NOW = dt.datetime(2025, 8, 18, 11, tzinfo=dt.UTC)
SPAN_S = 4.0


class Waits(list[float]):
    """The waits of a limiter."""

    def limiter(self) -> RateLimiter:
        return RateLimiter(limit=40, span_s=SPAN_S, sleep=self.append)


@pytest.fixture
def waits() -> Waits:
    return Waits()


def test_the_first_task_waits_for_nothing(connection: Connection, waits: Waits) -> None:
    with hold_turn(connection, "v", waits.limiter()):
        pass

    assert waits == []


def test_another_machine_waits_for_its_turn_and_then_for_a_whole_span(
    connection: Connection, warehouse_dsn: str
) -> None:
    waits: list[float] = []
    first = contextlib.ExitStack()
    first.enter_context(hold_turn(connection, "v", RateLimiter(span_s=SPAN_S)))

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            first.close()

    limiter = RateLimiter(span_s=SPAN_S, sleep=wait)
    with contextlib.closing(connect(warehouse_dsn)) as elsewhere, hold_turn(elsewhere, "v", limiter):
        pass

    assert waits[:3] == [POLL_INTERVAL_S] * 3
    assert len(waits) == 4
    assert 0.0 < waits[3] <= SPAN_S


def test_a_task_whose_turn_does_not_come_is_tried_again(
    connection: Connection, warehouse_dsn: str, waits: Waits
) -> None:
    limiter = waits.limiter()
    with (
        hold_turn(connection, "v", RateLimiter()),
        contextlib.closing(connect(warehouse_dsn)) as elsewhere,
        pytest.raises(ConnectionLostError, match="for 10 minutes"),
        hold_turn(elsewhere, "v", limiter),
    ):
        pytest.fail("Two tasks asked the vendor at the same time.")

    assert sum(waits) == LONGEST_WAIT_S


def test_a_task_after_one_that_was_killed_waits_for_a_whole_span(
    connection: Connection, warehouse_dsn: str, waits: Waits
) -> None:
    killed = connect(warehouse_dsn)
    with hold_turn(killed, "v", RateLimiter()):
        killed.close()

    with hold_turn(connection, "v", waits.limiter()):
        pass

    assert [wait for wait in waits if wait != POLL_INTERVAL_S] == [SPAN_S]


def test_other_vendors_are_asked_meanwhile(connection: Connection, warehouse_dsn: str, waits: Waits) -> None:
    with (
        contextlib.closing(connect(warehouse_dsn)) as elsewhere,
        hold_turn(connection, "v", RateLimiter()),
        hold_turn(elsewhere, "w", waits.limiter()),
    ):
        pass

    assert waits == []


def answer(folder: Path, asked_at: dt.datetime, total: int, contents: list[bytes], pages: KeptPages) -> None:
    """Let pages come one after the other."""
    folder.mkdir(parents=True)
    came = Answer(folder, asked_at, total)
    for number, content in enumerate(contents, start=1):
        came.path(number).write_bytes(content)
        came.digests.append(hashlib.sha256(content).hexdigest())
        pages.keep("fills", came)


def test_pages_of_one_machine_are_those_of_the_other(
    connection: Connection, warehouse_dsn: str, tmp_path: Path
) -> None:
    answer(tmp_path / "one", NOW, 3, [b"first\n", b"second\n"], KeptPages(connection, "v"))

    with contextlib.closing(connect(warehouse_dsn)) as elsewhere:
        KeptPages(elsewhere, "v").restore("fills", tmp_path / "two")
        KeptPages(elsewhere, "w").restore("fills", tmp_path / "of-another-vendor")

    names = sorted(path.name for path in (tmp_path / "two").iterdir())
    assert names == ["page-000001.csv", "page-000002.csv", "pages.json"]
    assert (tmp_path / "two" / "page-000002.csv").read_bytes() == b"second\n"
    assert not (tmp_path / "of-another-vendor").exists()


def test_pages_of_an_earlier_answer_are_no_part_of_a_later_one(connection: Connection, tmp_path: Path) -> None:
    kept = KeptPages(connection, "v")
    answer(tmp_path / "early", NOW, 3, [b"1\n", b"2\n", b"3\n"], kept)
    answer(tmp_path / "late", NOW + dt.timedelta(hours=2), 3, [b"4\n"], kept)

    kept.restore("fills", tmp_path / "found")

    assert [path.name for path in sorted((tmp_path / "found").glob("page-*"))] == ["page-000001.csv"]
    assert (tmp_path / "found" / "page-000001.csv").read_bytes() == b"4\n"


def test_nothing_is_left_of_what_is_loaded(connection: Connection, tmp_path: Path) -> None:
    kept = KeptPages(connection, "v")
    answer(tmp_path / "one", NOW, 1, [b"1\n"], kept)

    kept.forget()
    kept.restore("fills", tmp_path / "found")

    assert not (tmp_path / "found").exists()
