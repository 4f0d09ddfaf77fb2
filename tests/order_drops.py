"""Executions at one instant, ids that repeat, and corrections of them: rows of one account, with the right P&L."""

from __future__ import annotations

import pytest

HEADER = "Date/Time,Account,B/S,Qty,Symbol,Price,Order Id,Fill Id,Status"


def at(time: str, row: str, day: str = "08/14") -> str:
    return f"{day}/2025 {time},A1,{row}"


OPEN = at("10:00:00", "B,100,AAPL,9,,1,", "08/13")


def buy(order_id: str, fill_id: str) -> str:
    return at("10:00:00", f"B,100,AAPL,10,{order_id},{fill_id},")


def sell(order_id: str, fill_id: str) -> str:
    return at("10:00:00", f"S,100,AAPL,10.10,{order_id},{fill_id},")


FIRST_IN_FIRST_OUT = [
    # 100 held from the day before at 9. Bought first: 0.10 on 100 (intra-day); sold first: 1.10 on 100.
    pytest.param([OPEN, buy("", "2"), sell("", "3")], 10, id="ids ascend"),
    pytest.param([OPEN, sell("", "3"), buy("", "2")], 10, id="ids descend"),
    pytest.param([OPEN, sell("", "10"), buy("", "9")], 10, id="numbers, not texts"),
    pytest.param([OPEN, sell("", "9-10"), buy("", "9-9")], 10, id="N-k"),
    pytest.param([OPEN, sell("", "9-1"), buy("", "9")], 10, id="N before N-k"),
    pytest.param([OPEN, sell("", "b"), buy("", "a")], 10, id="texts"),
    pytest.param([OPEN, sell("", "1" * 30), buy("", "9" * 29)], 10, id="numbers of thirty digits"),
    pytest.param([OPEN, sell("12", ""), buy("9", "")], 10, id="order ids without ids"),
    pytest.param([OPEN, sell("12", "0"), buy("9", "0")], 10, id="order ids where the id is 0"),
    pytest.param([OPEN, sell("12", "12"), buy("9", "9")], 10, id="ids that copy the order id"),
    pytest.param([OPEN, buy("", ""), sell("", "")], 10, id="lines, oldest first"),
    pytest.param([sell("", ""), buy("", ""), OPEN], 10, id="lines, newest first"),
    pytest.param([OPEN, sell("", ""), buy("", "")], 110, id="sold first by line"),
    pytest.param([buy("", ""), sell("", ""), OPEN], 110, id="sold first by line, newest first"),
    pytest.param([OPEN, buy("", "3"), sell("", "2")], 110, id="sold first by id"),
]


KEYS = [
    # All at one instant, with the number of rejected rows and of notices.
    pytest.param(["B,100,X,10,O1,1,", "B,50,X,10,O2,1,", "S,150,X,11,O3,1,"], 150, 0, 0, id="unique per order"),
    pytest.param(["B,9,X,10,,1,", "B,9,Y,10,,1,", "S,9,X,11,,2,", "S,9,Y,11,,2,"], 18, 0, 0, id="unique per symbol"),
    pytest.param(["B,9,X,10,,0,", "B,9,X,10,,0,", "S,18,X,11,,0,"], 18, 0, 0, id="0 is no id"),
    pytest.param(["B,9,X,10,5,5,", "B,9,X,10,5,5,", "S,18,X,11,6,6,"], 18, 0, 0, id="a copy of the order id is none"),
    pytest.param(["B,9,X,10,5,5,", "B,9,X,10,5,5,", "S,9,X,11,6,7,"], 9, 0, 1, id="not where one row has its own"),
    pytest.param(["B,9,X,10,5,1,", "B,9,X,10,5,1,", "S,9,X,11,5,2,"], 9, 0, 1, id="the same twice counts once"),
    pytest.param(["B,9,X,10,5,1,", "B,9,X,10.00,5,1,", "S,9,X,11,5,2,"], 9, 0, 1, id="the same in other digits"),
    pytest.param(["B,9,X,10,5,1,", "B,9,X,12,5,1,", "B,9,X,1,5,3,", "S,9,X,11,5,4,"], 90, 2, 0, id="contradictions"),
    pytest.param(["B,9,X,10,,,", "B,9,X,10,,,", "S,18,X,11,,,"], 18, 0, 0, id="two partials without ids"),
]


CANCELED_FILLS = ("B,100,X,10,O1,1,", "B,100,X,12,O2,1,", "S,100,X,13,O3,2,")

CANCELS = [
    # Two buys of 100 at 10 and 12 with one id in two orders, sold at 13: the canceled one does not count.
    pytest.param("B,100,X,12,O2,1,CANCEL", 300, 0, id="the order says which"),
    pytest.param("B,100,X,10,O1,1,CANCEL", 100, 0, id="the other order"),
    pytest.param("B,100,X,10,,1,CANCEL", 300, 1, id="several are meant without it"),
    pytest.param("B,100,X,10,O9,1,CANCEL", 300, 1, id="an order without such a fill"),
    pytest.param("B,100,X,10,,2,CANCEL", 0, 0, id="a unique id needs no order"),
    pytest.param("B,100,X,11,O1,1,CORRECTED", 200, 0, id="correction of an order"),
]
