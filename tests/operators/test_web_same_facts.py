"""One fact is one number: a trader's limit, P&L, use and VaR on page, mail, JSON, CSV and XLSX."""

from __future__ import annotations

import csv
import io
import json
import re
from decimal import Decimal
from typing import Any

import openpyxl

from risk.core.warehouse import Connection
from risk.report.page import Links
from risk.report.receipt_facts import LimitUseFacts
from risk.report.render import render_report
from tests.operators.web_client import words
from tests.report_desks import account, desk, insert, open_run, receipt

LIMIT, PNL, USE, VAR = Decimal("4938.20"), Decimal("-1033.20"), Decimal("0.31"), Decimal("2346.15")
AMOUNTS = {"limit": LIMIT, "P&L": PNL, "VaR": VAR}


def cells(heads: list[Any], row: list[Any], **names: str) -> dict[str, Decimal]:
    found = dict(zip(heads, row, strict=True))
    return {fact: Decimal(str(found[name])) for fact, name in names.items()}


def test_limit_result_use_and_forecast_of_a_trader_are_the_same_everywhere(client: Any, connection: Connection) -> None:
    # given a report: a base limit of 12,345.50 less 60 % is 4,938.20
    run = open_run(connection)
    one = account(
        "NET001", "0.60", base_limit_usd=Decimal("12345.50"), total_pnl_usd=PNL, forecast_quantile_05_usd=-VAR
    )
    used = receipt("NET001", use_ratio=USE, limit_usd=Decimal("12345.50"), outcome="within", breach_reasons=())
    facts = desk([one], limit_use=LimitUseFacts((used,)))
    insert(connection, "reports", run_id=run.run_id, facts=facts.canonical, facts_sha256=facts.sha256)

    # when it is read in every way
    stored = json.loads(facts.canonical)["accounts"][0]
    in_json = {
        "limit": Decimal(stored["new_limit_usd"]),
        "P&L": Decimal(stored["total_pnl_usd"]),
        "VaR": -Decimal(stored["forecast_quantile_05_usd"]),
    }
    names = {"limit": "New limit (US dollars)", "P&L": "P&L (US dollars)", "VaR": "95% VaR (US dollars)"}
    heads, row = csv.reader(io.StringIO(client.get("/?format=csv&table=limits").text))
    book = openpyxl.load_workbook(io.BytesIO(client.get("/?format=xlsx&table=limits").content)).active
    sheet = [[cell.value for cell in line] for line in book]
    mail = render_report(facts, run, Links())
    (attached,) = csv.DictReader(io.StringIO(mail.attachments["limits.csv"]))
    page = client.get("/").text
    listed_heads, listed = csv.reader(io.StringIO(client.get("/traders?format=csv").text))

    # then it is one number
    assert in_json == AMOUNTS
    assert {fact: cells(heads, row, **names)[fact] for fact in names} == AMOUNTS
    assert {fact: cells(sheet[0], sheet[1], **names)[fact] for fact in names} == AMOUNTS
    assert {fact: cells(listed_heads, listed, **names)[fact] for fact in names} == AMOUNTS
    assert Decimal(attached["new_limit_usd"]) == LIMIT
    for value in AMOUNTS.values():
        assert f'data-value="{value}"' in page
    assert "$4,938.20" in words(client.get("/"))
    for view in (re.sub(r"<[^>]+>", " ", mail.html), mail.text):
        assert "$4,938.20" in view
        assert "$2,346" in view
    # and so is the use of the limit
    assert Decimal(json.loads(facts.canonical)["limit_use"]["receipts"][0]["use_ratio"]) == USE
    assert Decimal(attached["use_ratio"]) == USE
    for address in ("/?table=use", "/traders?"):
        use_heads, used_row = csv.reader(io.StringIO(client.get(f"{address}&format=csv").text))
        assert cells(use_heads, used_row, use="Use (ratio)") == {"use": USE}
    book = openpyxl.load_workbook(io.BytesIO(client.get("/?format=xlsx&table=use").content)).active
    assert cells([cell.value for cell in book[1]], [cell.value for cell in book[2]], use="Use (ratio)")["use"] == USE
    assert "31%" in words(client.get("/"))
