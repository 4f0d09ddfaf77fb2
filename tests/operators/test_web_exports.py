"""Every table of every page has its CSV and its XLSX at the page's own address."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import openpyxl
import pytest

from tests.operators.web_client import words
from tests.report_desks import SESSION

PAGES = ("/", f"/sessions/{SESSION}", "/traders/NET001", "/limits", "/model", "/policy")


def read_csv(answer: Any) -> list[list[str]]:
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.reader(io.StringIO(answer.text)))


@pytest.mark.parametrize("page", PAGES)
def test_every_table_links_to_a_csv_and_a_workbook_of_the_same_rows(client: Any, run: Any, page: str) -> None:
    shown = client.get(page).text
    links = re.findall(r'href="([^"]*format=csv[^"]*)" aria-label="([^"]*) as CSV"', shown)

    assert len(links) == shown.count("<table")
    for link, label in links:
        path = link.replace("&amp;", "&")
        rows = read_csv(client.get(path))
        workbook = client.get(path.replace("format=csv", "format=xlsx"))
        sheet = openpyxl.load_workbook(io.BytesIO(workbook.content)).active
        assert [cell.value for cell in sheet[1]] == rows[0], label
        assert sheet.max_row == len(rows), label


def test_export_of_todays_limits_is_exact_and_runs_no_formula(client: Any, run: Any) -> None:
    answer = client.get("/?format=csv&table=limits")

    heads, *rows = read_csv(answer)
    first = dict(zip(heads, rows[0], strict=True))
    # 5,000 less 60 % is 2,000.
    assert first["New limit (US dollars)"] == "2000.00"
    assert first["P&L (US dollars)"] == "-1033.20"
    assert first["Cut (ratio)"] == "0.60"
    # As on the page; a reason that is a formula is none.
    assert first["Reasons"] == "Firm rule, not a forecast: =1+1 <b>streak</b>"
    _, past = read_csv(client.get("/traders/NET001?format=csv&table=recommendations"))
    assert past[-1] == "'=1+1 <b>streak</b>"
    assert answer.headers["content-disposition"] == 'attachment; filename="limits.csv"'
    assert answer.headers["cache-control"] == "no-store"


def test_export_keeps_what_the_address_asks_for(client: Any, run: Any) -> None:
    shown = client.get(f"/sessions/{SESSION}?known=now").text

    assert f'href="/sessions/{SESSION}?known=now&amp;format=csv&amp;table=books"' in shown


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("format=pdf", "There is no format 'pdf': ask for csv or xlsx."),
        ("format=csv", "There is not one table here: name one as table=<name>. This page has: limits, use."),
        ("format=xlsx&table=<b>", "There is no table '<b>' here"),
    ],
)
def test_an_export_that_there_is_not_says_what_there_is(client: Any, run: Any, query: str, sentence: str) -> None:
    answer = client.get(f"/?{query}")

    assert answer.status_code == 404
    assert "<b>" not in answer.text
    assert sentence in words(answer).replace("&#39;", "'").replace("&lt;", "<").replace("&gt;", ">")
