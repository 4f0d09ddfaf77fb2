"""Loading file drops into a real Postgres: deliveries, rejects, versions and what a second load leaves alone."""

from __future__ import annotations

import datetime as dt
import gzip
import os
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from psycopg2.extensions import make_dsn

from risk.core.errors import InputError
from risk.core.settings import Settings
from risk.core.warehouse import Connection, connect
from risk.ingest.load import Load, load_drop
from risk.ingest.poll import load_or_wait
from risk.ingest.query import load_query
from tests.drops import read_fills

SESSION = dt.date(2025, 8, 15)
HEADER = "Date/Time,Account,B/S,Qty,Symbol,Price,Comm,SEC,Status,Currency,Fill Id"
MANIFEST_HEADER = "file,account_id,session_date,published_at"


def row(
    number: int | str = 1,
    *,
    day: str = "08/15/2025",
    account: str = "NET001",
    side: str = "B",
    quantity: str = "100",
    price: str = "10.5",
    currency: str = "USD",
) -> str:
    return f"{day} 09:45:00,{account},{side},{quantity},XYZ,{price},1.25,-0.25,,{currency},{number}"


def write(folder: Path, name: str, *rows: str, header: str = HEADER) -> None:
    (folder / name).write_text("\n".join([header, *rows]) + "\n")


def load(connection: Connection, folder: Path, session: dt.date = SESSION) -> Load:
    return load_drop(connection, folder, session, Settings())


def fetch(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def current(connection: Connection) -> dict[str, tuple[int, Decimal]]:
    """Count and sum of prices of the current fills by account."""
    found = fetch(
        connection,
        "select account_id, count(*), sum(price) from risk.fills join risk.current_deliveries(clock_timestamp())"
        " using (delivery_id, account_id) group by 1",
    )
    return {account: (count, price) for account, count, price in found}


def everything(connection: Connection) -> list[list[tuple[Any, ...]]]:
    tables = ("deliveries", "fills", "fill_rejects", "marks")
    return [fetch(connection, f"select * from {table} order by 1, 2, 3") for table in tables]


def totals(connection: Connection, load_id: int) -> dict[str, tuple[Any, ...]]:
    found = fetch(
        connection,
        "select file_name, state, row_count, loaded_count, rejected_count, duplicate_count, unchanged_count,"
        f" deferred_count from risk.source_files where load_id = {load_id}",
    )
    return {name: tuple(rest) for name, *rest in found}


BAD_ROWS = {
    row(1, day="13/01/2025"): "has its day first",
    row(2, day="02/30/2025"): "of a form that we read",
    row(3, day="2025-08-15T"): "of a form that we read",
    row(4, day="08/15/25"): "a year of two digits",
    row(5, day="08/15/2099"): "lies in the future",
    row(6, side="X"): "side 'X'",
    row(7, quantity="-5"): "quantity '-5'",
    row(8, quantity="0"): "quantity '0'",
    row(9, quantity="NaN"): "quantity 'NaN' is not a number",
    row(10, quantity="1e18"): "quantity '1e18' is not above zero and below",
    row(11, price="-1"): "price '-1'",
    row(12, account="=cmd()"): "account name '=cmd()'",
    row(13, account="<img onerror>"): "account name '<img onerror>'",
    row(14, account="'; drop table"): "account name",
    row(15, account='"NET\n001"'): "account name 'NET\\n001'",
    row(16, currency="C$"): "currency 'C$'",
    row(17) + ",extra": "has 12 fields, the header names 11",
    "only,three,fields": "has 3 fields",
}


def test_load_creates_the_folder_of_temporary_files_and_leaves_none(connection: Connection, tmp_path: Path) -> None:
    scratch = tmp_path / "var" / "scratch"
    write(tmp_path, "fills.csv", row())

    loaded = load_drop(connection, tmp_path, SESSION, Settings(scratch_dir=scratch))

    assert loaded.fill_count == 1
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("is_packed", [False, True])
def test_load_keeps_each_bad_row_with_line_text_and_sentence_and_loads_the_good_ones(
    connection: Connection, tmp_path: Path, is_packed: bool
) -> None:
    rows = [row(100), *BAD_ROWS, row(101)]
    write(tmp_path, "fills.csv", *rows)
    name = "fills.csv"
    if is_packed:
        (tmp_path / "fills.csv.gz").write_bytes(gzip.compress((tmp_path / "fills.csv").read_bytes()))
        (tmp_path / "fills.csv").unlink()
        name = "fills.csv.gz"

    loaded = load(connection, tmp_path)

    rejects = fetch(connection, "select line_number, raw_text, reason from risk.fill_rejects order by line_number")
    line_number = 3
    for (text, found), (stored_line, raw_text, reason) in zip(BAD_ROWS.items(), rejects, strict=True):
        assert (stored_line, raw_text) == (line_number, text)
        assert reason.startswith(f"{name} line {line_number}, account ")
        assert found in reason
        line_number += 1 + text.count("\n")
    assert loaded.quarantined == ()
    assert (loaded.fill_count, loaded.rejected_count) == (2, len(BAD_ROWS))
    # 20 rows: 2 good ones and 18 bad ones
    assert totals(connection, loaded.load_id) == {name: ("partly loaded", 20, 2, 18, 0, 0, 0)}


def test_load_stores_money_exactly_and_instants_in_utc(connection: Connection, tmp_path: Path) -> None:
    write(tmp_path, "fills.csv", row(price="0.12345678"))

    load(connection, tmp_path)

    # 1.25 - 0.25 = 1.00; 09:45 New York in summer is 13:45 UTC; the header stands on line 1
    assert fetch(connection, "select price, fees_usd, executed_at, line_number, fill_key from risk.fills") == [
        (Decimal("0.12345678"), Decimal("1.00"), dt.datetime(2025, 8, 15, 13, 45, tzinfo=dt.UTC), 2, "1")
    ]


def test_load_quarantines_one_file_and_loads_the_others(connection: Connection, tmp_path: Path) -> None:
    write(tmp_path, "fills_good.csv", row())
    write(tmp_path, "fills_drift.csv", row(account="NET002") + ",1", header=HEADER + ",Tariff")
    (tmp_path / "fills_cut.csv").write_text(HEADER + "\n" + row(account="NET003") + "\n08/15/2025 09:4")
    (tmp_path / "fills_zero.csv").write_bytes(b"")
    (tmp_path / "fills_mac.csv").write_bytes(HEADER.encode() + b"\r" + row(account="NET004").encode() + b"\r")
    (tmp_path / os.fsdecode(b"fills_\xff.csv")).write_text(HEADER)

    loaded = load(connection, tmp_path)

    assert [item.file_name for item in loaded.quarantined] == [
        "fills_\\udcff.csv",
        "fills_cut.csv",
        "fills_drift.csv",
        "fills_mac.csv",
        "fills_zero.csv",
    ]
    assert current(connection) == {"NET001": (1, Decimal("10.5"))}
    with pytest.raises(InputError, match=r"(?s)truncated.*'Tariff'.*0 bytes"):
        load_or_wait(connection, SESSION, lambda: loaded, None)


def test_load_of_the_same_folder_changes_no_row(connection: Connection, tmp_path: Path) -> None:
    write(tmp_path, "fills_a.csv", row(1), row(2), row(1), row(3, side="X"), row(4, account="=1"))
    write(tmp_path, "fills_b.csv", row(1, account="NET002"))
    write(tmp_path, "marks.csv", "08/15/2025,XYZ,10.5", "08/15/2025,ABC,", header="Date,Symbol,Price")
    first = load(connection, tmp_path)
    before = everything(connection)

    second = load(connection, tmp_path)

    assert everything(connection) == before
    assert (first.delivery_count, first.fill_count, first.rejected_count) == (2, 3, 2)
    assert (second.delivery_count, second.fill_count, second.rejected_count) == (0, 0, 0)
    # 5 rows: 2 good, a repeated one, side X of NET001 and an account that cannot be named
    assert totals(connection, first.load_id)["fills_a.csv"] == ("partly loaded", 5, 2, 2, 1, 0, 0)
    # read again because of its rejects; fills_b.csv is passed over
    assert totals(connection, second.load_id) == {"fills_a.csv": ("partly loaded", 5, 0, 1, 0, 4, 0)}


def test_load_ends_with_the_first_content_when_it_comes_back(connection: Connection, tmp_path: Path) -> None:
    other = row(1, account="NET002")
    for price in ("1", "2", "1"):
        write(tmp_path, "fills.csv", row(price=price), other)
        load(connection, tmp_path)

    assert current(connection)["NET001"] == (1, Decimal("1"))
    assert fetch(connection, "select account_id, count(*) from risk.deliveries group by 1 order by 1") == [
        ("NET001", 3),
        ("NET002", 1),
    ]


def test_load_takes_back_a_file_whose_delivery_another_file_replaced(connection: Connection, tmp_path: Path) -> None:
    for name, price in (("fills_a.csv", "1"), ("fills_b.csv", "2"), ("fills_a.csv", "1")):
        write(tmp_path, name, row(price=price))
        load(connection, tmp_path)
        (tmp_path / name).unlink()

    assert current(connection) == {"NET001": (1, Decimal("1"))}


def test_load_sees_no_change_when_rows_or_columns_are_in_another_order(connection: Connection, tmp_path: Path) -> None:
    rows = [row(1), row(2, price="11"), row(3, side="X")]
    write(tmp_path, "fills.csv", *rows)
    load(connection, tmp_path)
    write(
        tmp_path,
        "fills.csv",
        *(",".join(reversed(line.split(","))) for line in reversed(rows)),
        header=",".join(reversed(HEADER.split(","))),
    )

    second = load(connection, tmp_path)

    assert second.delivery_count == 0


def test_load_takes_backslashes_for_what_they_are(connection: Connection, tmp_path: Path) -> None:
    # given: what COPY would read as an end of data, a tab and nothing at all
    ids = [r"\.", r"a\tb", r"\N", r"\\"]
    write(tmp_path, "fills.csv", *(row(number) for number in ids))

    loaded = load(connection, tmp_path)

    assert loaded.fill_count == len(ids)
    assert [found for (found,) in fetch(connection, "select fill_key from risk.fills order by line_number")] == ids


def test_load_keeps_equal_rows_without_ids_and_settles_repeated_ids(connection: Connection, tmp_path: Path) -> None:
    twice = [row(""), row("")]
    same = [row(7, account="NET002"), row(7, account="NET002")]
    different = [row(8, account="NET003"), row(8, account="NET003", price="11"), row(9, account="NET003")]
    write(tmp_path, "fills.csv", *twice, *same, *different)

    loaded = load(connection, tmp_path)

    assert {account: count for account, (count, _) in current(connection).items()} == {
        "NET001": 2,
        "NET002": 1,
        "NET003": 1,
    }
    assert totals(connection, loaded.load_id)["fills.csv"] == ("partly loaded", 7, 4, 2, 1, 0, 0)


def test_load_refuses_both_files_of_one_account_session_when_nothing_orders_them(
    connection: Connection, tmp_path: Path
) -> None:
    write(tmp_path, "fills_a.csv", row())
    write(tmp_path, "fills_b.csv", row(price="11"))
    write(tmp_path, "fills_c.csv", row(account="NET002"))

    loaded = load(connection, tmp_path)

    assert [item.file_name for item in loaded.quarantined] == ["fills_a.csv", "fills_b.csv"]
    assert all("fills_a.csv and fills_b.csv" in item.reason for item in loaded.quarantined)
    assert set(current(connection)) == {"NET002"}


def test_load_rejects_both_names_that_are_equal_in_twenty_characters(connection: Connection, tmp_path: Path) -> None:
    stem = "A" * 20
    write(tmp_path, "fills.csv", row(1, account=f"{stem}1"), row(2, account=f"{stem}2"), row(3))

    load(connection, tmp_path)

    assert set(current(connection)) == {"NET001"}
    reasons = [reason for (reason,) in fetch(connection, "select reason from risk.fill_rejects order by line_number")]
    assert f"account '{stem}1' equals '{stem}2'" in reasons[0]
    assert f"account '{stem}2' equals '{stem}1'" in reasons[1]


def test_load_defers_later_sessions_until_their_own_load(connection: Connection, tmp_path: Path) -> None:
    write(tmp_path, "fills.csv", row(1), row(2, day="08/18/2025"))

    first = load(connection, tmp_path)
    second = load(connection, tmp_path, dt.date(2025, 8, 18))

    assert totals(connection, first.load_id)["fills.csv"] == ("loaded", 2, 1, 0, 0, 0, 1)
    assert totals(connection, second.load_id)["fills.csv"] == ("loaded", 2, 1, 0, 0, 1, 0)
    assert current(connection) == {"NET001": (2, Decimal("21.0"))}


def test_load_gives_an_empty_file_the_meaning_of_its_manifest_entry(connection: Connection, tmp_path: Path) -> None:
    write(tmp_path, "fills_v1.csv")
    write(tmp_path, "fills_v2.csv", row())
    write(tmp_path, "fills_none.csv")
    entries = [
        "fills_v1.csv,NET001,2025-08-15,2025-08-15T03:00:00+00:00",
        "fills_v2.csv,NET001,2025-08-15,2025-08-16T15:00:00+00:00",
        "fills_none.csv,NET002,2025-08-15,2025-08-17T15:00:00+00:00",
    ]
    write(tmp_path, "manifest.csv", *entries, header=MANIFEST_HEADER)

    load(connection, tmp_path)

    assert current(connection) == {"NET001": (1, Decimal("10.5"))}
    states = "select account_id, state from risk.delivery_states('2025-08-15', clock_timestamp(), 30, '_OLD')"
    # the empty file of NET002 came more than 24 hours after the close (20:00 UTC on the 15th)
    assert fetch(connection, states) == [("NET001", "delivered"), ("NET002", "no trades")]


def test_load_keeps_the_empty_file_of_a_later_session_for_that_session(connection: Connection, tmp_path: Path) -> None:
    write(tmp_path, "fills_14.csv", row(day="08/14/2025"))
    write(tmp_path, "fills_15.csv")
    write(tmp_path, "fills_15_late.csv")
    entries = [
        "fills_14.csv,NET001,2025-08-14,2025-08-15T15:00:00+00:00",
        "fills_15.csv,NET001,2025-08-15,2025-08-15T03:00:00+00:00",
        "fills_15_late.csv,NET002,2025-08-15,2025-08-17T15:00:00+00:00",
    ]
    write(tmp_path, "manifest.csv", *entries, header=MANIFEST_HEADER)
    load(connection, tmp_path, dt.date(2025, 8, 14))

    load(connection, tmp_path)

    states = "select account_id, state from risk.delivery_states('2025-08-15', clock_timestamp(), 30, '_OLD')"
    assert fetch(connection, states) == [("NET001", "not posted"), ("NET002", "no trades")]


def test_load_counts_a_later_empty_file_as_news_because_it_means_no_trades(
    connection: Connection, tmp_path: Path
) -> None:
    write(tmp_path, "fills_v1.csv")
    write(tmp_path, "fills_v2.csv")
    entries = [
        "fills_v1.csv,NET001,2025-08-15,2025-08-15T03:00:00+00:00",
        "fills_v2.csv,NET001,2025-08-15,2025-08-17T03:00:00+00:00",
    ]
    states = "select state from risk.delivery_states('2025-08-15', clock_timestamp(), 30, '_OLD')"
    write(tmp_path, "manifest.csv", entries[0], header=MANIFEST_HEADER)
    (tmp_path / "fills_v2.csv").rename(tmp_path / "later")
    load(connection, tmp_path)
    early = fetch(connection, states)
    (tmp_path / "later").rename(tmp_path / "fills_v2.csv")
    write(tmp_path, "manifest.csv", *entries, header=MANIFEST_HEADER)

    load(connection, tmp_path)

    assert (early, fetch(connection, states)) == ([("not posted",)], [("no trades",)])


def test_load_refuses_a_file_that_contradicts_its_manifest_entry(connection: Connection, tmp_path: Path) -> None:
    write(tmp_path, "fills_a.csv", row(account="NET002"))
    write(tmp_path, "fills_b.csv", row(day="08/14/2025"))
    published = "2025-08-16T15:00:00+00:00"
    entries = [f"fills_a.csv,NET001,2025-08-14,{published}", f"fills_b.csv,NET001,2025-08-15,{published}"]
    write(tmp_path, "manifest.csv", *entries, header=MANIFEST_HEADER)

    loaded = load(connection, tmp_path)

    assert [item.file_name for item in loaded.quarantined] == ["fills_a.csv", "fills_b.csv"]
    assert loaded.quarantined[0].reason.startswith("fills_a.csv holds executions of account NET002 on 2025-08-15")
    assert current(connection) == {}


def test_load_notes_a_header_without_rows_and_without_manifest(connection: Connection, tmp_path: Path) -> None:
    write(tmp_path, "fills.csv")

    loaded = load(connection, tmp_path)

    assert loaded.quarantined == ()
    assert "says nothing" in fetch(connection, "select reason from risk.source_files")[0][0]


def test_load_never_mixes_a_simulated_desk_with_a_real_one(connection: Connection, tmp_path: Path) -> None:
    write(tmp_path, "fills.csv", row())
    load(connection, tmp_path)
    (tmp_path / "simulated.json").write_text("{}")

    with pytest.raises(InputError, match="RISK_DESK is not simulated"):
        load(connection, tmp_path)
    with pytest.raises(InputError, match="holds a real desk"):
        load_drop(connection, tmp_path, SESSION, Settings(desk="simulated"))


def test_load_query_stores_what_the_file_drop_would(connection: Connection, warehouse_dsn: str, tmp_path: Path) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "create table public.executions (execution_id text, executed_at timestamptz, account text, side text,"
            " quantity numeric, symbol text, price numeric, fees_usd numeric)"
        )
        cursor.execute(
            "insert into public.executions values ('1', '2025-08-15 13:45:00Z', 'NET001', 'B', 100, 'XYZ', 10.5, 1.00),"
            " ('2', '2025-08-15 13:46:00Z', 'NET001', 'X', 100, 'XYZ', 10.5, 1.00),"
            " ('3', '2025-08-18 13:45:00Z', 'NET001', 'B', 100, 'XYZ', 10.5, 1.00)"
        )
    # as the task opens it: nothing is found by a bare name
    source = connect(make_dsn(warehouse_dsn, options=""))

    first = load_query(connection, source, SESSION, Settings())
    second = load_query(connection, source, SESSION, Settings())
    source.close()

    assert (first.fill_count, first.rejected_count, second.fill_count) == (1, 1, 0)
    assert fetch(connection, "select executed_at, fees_usd, fill_key from risk.fills") == [
        (dt.datetime(2025, 8, 15, 13, 45, tzinfo=dt.UTC), Decimal("1.00"), "1")
    ]


def test_real_executions_are_the_published_ones_read_in_either_way(
    connection: Connection, real_fills_dir: Path
) -> None:
    loaded = load(connection, real_fills_dir, dt.date(2025, 12, 31))

    fills, rejects = read_fills(real_fills_dir)
    # the data's README: gross 1,527.84, net 332.25, 5,164 fills; every session ends flat, so gross = signed cash
    cash = sum((fill.quantity * fill.price * (-1 if fill.side in "BC" else 1) for fill in fills), Decimal(0))
    stored = fetch(
        connection,
        "select session_date, executed_at, tie_rank, side, quantity, symbol, price, fees_usd from risk.fills"
        " join risk.current_deliveries(clock_timestamp()) using (delivery_id, session_date)",
    )
    read = [(*fill[1:4], fill.side, fill.quantity, fill.symbol, fill.price, fill.fees_usd) for fill in fills]
    assert (loaded.quarantined, rejects) == ((), [])
    assert round(cash, 2) == Decimal("1527.84")
    assert round(cash - sum(fill.fees_usd for fill in fills), 2) == Decimal("332.25")
    assert len(stored) == 5164
    assert sorted(stored) == sorted(read)


def test_load_stores_what_is_new_behind_a_file_that_says_nothing_new(connection: Connection, tmp_path: Path) -> None:
    # given: a file that is read at every load because of its bad row
    bust = row(1).replace(",,USD", ",BUST,USD")
    write(tmp_path, "fills_a.csv", row(1), bust, row(2, side="X"))
    load(connection, tmp_path)

    write(tmp_path, "fills_b.csv", row(1, account="NET002"), row(2, account="NET002"), bust.replace("NET001", "NET002"))
    load(connection, tmp_path)

    assert fetch(connection, "select account_id, count(*) from risk.corrections group by 1 order by 1") == [
        ("NET001", 1),
        ("NET002", 1),
    ]
    assert fetch(connection, "select account_id, count(*) from risk.fills group by 1 order by 1") == [
        ("NET001", 1),
        ("NET002", 2),
    ]


def test_load_gives_the_same_rows_whatever_the_order_of_arrival(connection: Connection, tmp_path: Path) -> None:
    files = {f"fills_{day}.csv": row(day=f"08/{day}/2025") for day in (11, 12, 13, 14, 15)}
    names = list(files)
    random.Random(3).shuffle(names)
    for name in names:
        write(tmp_path, name, files[name])
        load(connection, tmp_path)

    assert fetch(connection, "select session_date, count(*) from risk.fills group by 1 order by 1") == [
        (dt.date(2025, 8, day), 1) for day in (11, 12, 13, 14, 15)
    ]
