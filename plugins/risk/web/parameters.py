"""What several addresses take."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from fastapi import Depends, Path, Query

FEW_ROWS, FIRST_ROWS, ALL_ROWS = 10, 60, 100_000
"""Rows of a long table at first, where it is one of several or the page's own, and when all are asked for."""

SHOW_ALL: Final = "all"
Show: TypeAlias = Literal["", "all"]
"""Whether the accounts without a limit, closed or inactive ones, are shown too: ``show=all``."""

Known = Annotated[Literal["then", "now"], Query()]
"""As of when a day is shown: as its report knew it, or as it is known now."""

Number = Annotated[int, Path(ge=1, lt=1 << 63)]
"""A key of a table."""

RowCount = Annotated[int, Query(ge=1, le=ALL_ROWS)]

Asked = Annotated[str, Query(alias="format")]
"""The export that is asked for instead of the page; empty = the page."""


def shown_rows(rows: RowCount = FIRST_ROWS, asked: Asked = "") -> int:
    """Return how many rows of a long table to read: an export has all of them."""
    return ALL_ROWS if asked else rows


ShownRows = Annotated[int, Depends(shown_rows)]


def few_rows(rows: RowCount = FEW_ROWS, asked: Asked = "") -> int:
    """Return how many rows to read of each table of a page that has several long ones: an export has all of them."""
    return shown_rows(rows, asked)


FewRows = Annotated[int, Depends(few_rows)]
