"""Mapping the three CSV shapes by name."""

from __future__ import annotations

import pytest

from risk.core.errors import InputError
from risk.ingest.shapes import staging_columns

GENERIC = (
    "Date/Time,Account,B/S,Qty,Symbol,Price,Route,Exec Bkr,Contra,Liq,Comm,Ecn,SEC,ORF,TAF,NFA,CAT,NSCC,Acc,Clr,Misc,"
    "Order Id,Fill Id,Status"
)
API_22 = (
    "Date/Time,Account,B/S,Qty,Symbol,Price,Route,Liq,Comm,Ecn Fee,SEC,TAF,NSCC,Clr,Misc,Order Id,Fill Id,Currency,"
    "ISIN,CUSIP,Status,PropReports Id"
)
API_26 = (
    "Date/Time,Account,B/S,Qty,Symbol,Price,Route,Liq,Comm,Ecn Fee,SEC,ORF,CAT,TAF,FTT,NSCC,Acc,Clr,Misc,Order Id,"
    "Fill Id,Currency,ISIN,CUSIP,Status,PropReports Id"
)


@pytest.mark.parametrize(("header_line", "width"), [(GENERIC, 24), (API_22, 22), (API_26, 26)])
def test_columns_follow_their_names_when_the_order_changes(header_line: str, width: int) -> None:
    header = header_line.split(",")

    columns = dict(zip(header, staging_columns(header, "fills.csv"), strict=True))
    reversed_columns = dict(zip(reversed(header), staging_columns(header[::-1], "fills.csv"), strict=True))

    assert len(set(columns.values())) == width
    assert columns == reversed_columns


@pytest.mark.parametrize(
    ("header_line", "sentence"),
    [
        (f"{API_26},Tariff", "'Tariff'"),
        (API_26.removeprefix("Date/Time,"), "'Date/Time'"),
        (f"{API_26},Ecn", "more than once"),
        (f"{API_26},", "unknown column ''"),
        ("error", "not a header"),
    ],
    ids=["unknown fee", "required missing", "one fee twice", "trailing comma", "something else"],
)
def test_columns_are_refused_with_the_name_when_the_shape_has_drifted(header_line: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        staging_columns(header_line.split(","), "fills.csv")
