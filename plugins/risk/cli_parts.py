"""What the commands of ``riskctl`` share: the warehouse of the environment, tables for a terminal, common options."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import JustifyMethod
from rich.table import Table

from risk.core.connections import WAREHOUSE_CONNECTION, postgres_dsn
from risk.core.errors import RequestError

if TYPE_CHECKING:
    from risk.core.settings import Settings
    from risk.core.warehouse import Connection

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON.")]
MappingOption = Annotated[
    str, typer.Option(help="Preset or mapping file of exports without our columns, in place of RISK_FILLS_MAPPING.")
]


def read_settings_with(mapping: str) -> Settings:
    """Read the settings, with another mapping of exports where one is named."""
    from risk.core.settings import read_settings

    settings = read_settings()
    return settings.model_copy(update={"fills_mapping": mapping}) if mapping else settings


@contextlib.contextmanager
def warehouse() -> Iterator[Connection]:
    """Connect to the warehouse as the pipeline's role.

    Raises
    ------
    RequestError
        If no warehouse is named, or it has no tables yet.
    """
    from risk.core.schema import is_created
    from risk.core.warehouse import connect

    with contextlib.closing(connect(postgres_dsn(os.environ, WAREHOUSE_CONNECTION))) as connection:
        with connection:
            has_tables = is_created(connection)
        if not has_tables:
            raise RequestError("This warehouse has no tables yet: make run, or make up and make trigger, create them.")
        yield connection


def table(title: str, columns: dict[str, JustifyMethod]) -> Table:
    """Make a table whose headings are the columns' names without units."""
    made = Table(title=title)
    for name, justify in columns.items():
        made.add_column(name.removesuffix("_usd").replace("_", " "), justify=justify, overflow="fold")
    return made


def session_date_of(text: str) -> dt.date:
    """Read the option ``--session``.

    Raises
    ------
    RequestError
        If it is not a date.
    """
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise RequestError(f"--session {text!r} is not a date: write it as YYYY-MM-DD.") from None
