"""Answers with a page's tables: the page itself, or one table as CSV or XLSX where the address asks for a ``format``.

An export is what the page shows, with every row and nothing rounded. Text never runs as a formula: in a CSV a quote
precedes what would (OWASP, CSV injection), a workbook says of each cell what it is.
"""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import io
import itertools
import math
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import xlsxwriter
from fastapi import Request
from fastapi.responses import FileResponse, Response, StreamingResponse
from starlette.background import BackgroundTask

from risk.core.errors import RequestError
from risk.core.exchange import exchange_zone
from risk.report.facts import exact
from risk.report.render import csv_text
from risk.web.rendering import page_path, render
from risk.web.tables import Column, Table, Value

CSV_CHUNK_ROWS = 500

SHEET_ROWS = 1_048_575
"""Rows below the heading that a sheet can hold."""

SHEET_TEXT = 32_767
"""Characters that a cell of a sheet can hold."""

WORKBOOK: Final = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def answer(request: Request, name: str, tables: Sequence[Table], **context: Any) -> Response:
    """Render a page with its tables, or answer with one of them as the address asks.

    Parameters
    ----------
    request
        Its query says ``format=csv`` or ``format=xlsx``, and ``table=<name>`` where the page has several.
    name
        Of the template ``include/templates/page/<name>.html.j2``, which sees the tables by name as ``tables``.
    tables
        Of the page; their rows are read only if they are shown or exported.
    context
        What else the template sees.

    Raises
    ------
    RequestError
        If the page has no such table, there is no such format, or a sheet cannot hold the rows.
    """
    asked = request.query_params.get("format", "")
    if not asked:
        return render(request, name, tables={table.name: table for table in tables}, **context)
    if asked not in FORMATS:
        raise RequestError(f"There is no format {asked!r}: ask for csv or xlsx.")
    table = _asked_table(tables, request.query_params.get("table", ""))
    return FORMATS[asked](table, _file_name(request, table, asked))


def _asked_table(tables: Sequence[Table], name: str) -> Table:
    found = [table for table in tables if name in ("", table.name)]
    if len(found) != 1:
        what = f"no table {name!r} here" if name else "not one table here"
        known = ", ".join(table.name for table in tables) or "none"
        raise RequestError(f"There is {what}: name one as table=<name>. This page has: {known}.")
    return found[0]


def _file_name(request: Request, table: Table, kind: str) -> str:
    """Name a file after its page and table, in letters that every system and header takes."""
    page = "-".join(re.findall(r"[A-Za-z0-9._-]+", page_path(request).replace("%", "_")))
    parts = [part for part in (page, table.name) if part]
    name = "-".join(parts) if not page.endswith(table.name) else page
    return f"{name[-120:]}.{kind}"


def _csv(table: Table, file_name: str) -> Response:
    chunks = csv_chunks(table)
    # The first rows are read before the answer begins: what fails there is still said in a sentence.
    first = next(chunks)
    headers = {"Content-Disposition": f'attachment; filename="{file_name}"'}
    return StreamingResponse(itertools.chain([first], chunks), media_type="text/csv; charset=utf-8", headers=headers)


def csv_chunks(table: Table) -> Iterator[str]:
    """Yield a table as CSV, UTF-8 with line feeds, so many rows at a time that a long one needs little memory."""
    columns = table.exported_columns
    rows = itertools.chain(
        [[csv_text(column.export_heading) for column in columns]],
        ([_csv_cell(value) for value in values] for values in table.values()),
    )
    while chunk := list(itertools.islice(rows, CSV_CHUNK_ROWS)):
        stream = io.StringIO()
        csv.writer(stream, lineterminator="\n").writerows(chunk)
        yield stream.getvalue()


def _csv_cell(value: Value) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, str):
        return csv_text(value)
    if isinstance(value, dt.datetime):
        return value.astimezone(exchange_zone()).isoformat()
    return exact(value) if isinstance(value, Decimal) else str(value)


def _xlsx(table: Table, file_name: str) -> Response:
    with contextlib.ExitStack() as failed:
        file = Path(tempfile.mkstemp(prefix="risk-table-", suffix=".xlsx")[1])
        failed.callback(file.unlink)
        write_workbook(table, file)
        failed.pop_all()
    media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return FileResponse(file, media_type=media_type, filename=file_name, background=BackgroundTask(file.unlink))


def write_workbook(table: Table, file: Path) -> None:
    """Write a table as a workbook of one sheet: numbers, dates and instants with their formats, all else as text.

    Raises
    ------
    RequestError
        If there are more rows than a sheet can hold.
    """
    columns = table.exported_columns
    with xlsxwriter.Workbook(file, WORKBOOK) as workbook:
        workbook.set_properties({"title": table.label, "comments": table.caption})
        sheet = workbook.add_worksheet(re.sub(r"[\[\]:*?/\\']", " ", table.label)[:31])
        heading = workbook.add_format({"bold": True})
        sheet.freeze_panes(1, 1)
        formats = [workbook.add_format({"num_format": column.kind.number_format or "@"}) for column in columns]
        for number, column in enumerate(columns):
            sheet.set_column(number, number, _width(column))
            sheet.write_string(0, number, column.export_heading, heading)
        for row, values in enumerate(table.values(), start=1):
            if row > SHEET_ROWS:
                raise RequestError(f"A sheet holds {SHEET_ROWS:,} rows and this table has more: ask for format=csv.")
            for number, value in enumerate(values):
                _write_cell(sheet, row, number, value, formats[number])


def _width(column: Column) -> int:
    return min(60, max(14, len(column.export_heading) + 2))


def _write_cell(sheet: Any, row: int, column: int, value: Value, cell_format: Any) -> None:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return
    if isinstance(value, str):
        sheet.write_string(row, column, " ".join(value.splitlines())[:SHEET_TEXT], cell_format)
    elif isinstance(value, dt.datetime):
        # A sheet knows no time zones.
        sheet.write_datetime(row, column, value.astimezone(exchange_zone()).replace(tzinfo=None), cell_format)
    elif isinstance(value, dt.date):
        sheet.write_datetime(row, column, value, cell_format)
    else:
        sheet.write_number(row, column, value, cell_format)


FORMATS: Mapping[str, Callable[[Table, str], Response]] = {"csv": _csv, "xlsx": _xlsx}
