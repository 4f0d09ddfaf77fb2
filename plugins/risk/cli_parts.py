"""What the commands of ``riskctl`` share: the warehouse of the environment, tables for a terminal, common options."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
import textwrap
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.cells import cell_len, set_cell_size
from rich.console import JustifyMethod
from typer.core import TyperGroup

from risk.core.connections import WAREHOUSE_CONNECTION, postgres_dsn
from risk.core.errors import RequestError

if TYPE_CHECKING:
    from risk.core.settings import Settings
    from risk.core.warehouse import Connection

TERMINAL_COLUMNS = 80
GAP = 2
"""Blanks between two columns of a table."""
SHORTEST_NAME = 8
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"

STANDARD_OUTPUT = Path("-")
TRUTHS = ("true", "false")
"""What a flag may be followed by."""

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON.")]
MappingOption = Annotated[
    str, typer.Option(help="Preset or mapping file of exports without our columns, in place of RISK_FILLS_MAPPING.")
]


class Commands(TyperGroup):
    """Commands whose flags may be followed by ``true`` or ``false``, as their help shows them.

    An option ``--json`` that names a file stands for standard output where no file, or ``true``, follows.
    """

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the command, and its arguments without the values of flags."""
        name, command, rest = super().resolve_command(ctx, args)
        options = {option: one for one in getattr(command, "params", ()) for option in one.opts}
        flags = {option for option, one in options.items() if getattr(one, "is_flag", False)}
        return name, command, list(_plain_flags(rest, flags, has_json_file="--json" in options.keys() - flags))


def _plain_flags(args: Sequence[str], flags: Collection[str], *, has_json_file: bool) -> Iterator[str]:
    """Yield arguments without the values of flags; a flag with the value false is left out."""
    waiting = list(args)
    while waiting:
        given = waiting.pop(0)
        following = waiting[0] if waiting else ""
        option, sign, value = given.partition("=")
        is_truth = following.lower() in TRUTHS
        if option in flags:
            value = waiting.pop(0) if is_truth and not sign else value
            if value.lower() not in {*TRUTHS, ""}:
                raise RequestError(f"{given}: {option} is a flag, write it alone, or with true or false.")
            yield from () if value.lower() == "false" else (option,)
        elif given == "--json" and has_json_file and (is_truth or not following or following.startswith("--")):
            yield from (given, str(STANDARD_OUTPUT))
            del waiting[: int(is_truth)]
        elif given == "--":
            yield from (given, *waiting)
            return
        else:
            yield given


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


def print_table(
    title: str, columns: Mapping[str, JustifyMethod], cells: Iterable[Sequence[str]], names: Collection[str]
) -> None:
    """Print a table that fits the terminal, of 80 columns where there is none: one line a row.

    Parameters
    ----------
    title
        Above it; it may wrap.
    columns
        Headings without units, whose words may stand below each other, and how their cells are justified.
    cells
        Rows.
    names
        Columns that are cut with an ellipsis where the rest leaves too little; no other cell ever is.
    """
    shown = [[_one_line(cell) for cell in row] for row in cells]
    headings = [name.removesuffix("_usd").replace("_", " ").split() for name in columns]
    widths = [max(map(cell_len, (*words, *(row[place] for row in shown)))) for place, words in enumerate(headings)]
    screen = shutil.get_terminal_size((TERMINAL_COLUMNS, 1)).columns
    flexible = [place for place, name in enumerate(columns) if name in names]
    while sum(widths) + GAP * (len(widths) - 1) > screen and max(widths[place] for place in flexible) > SHORTEST_NAME:
        widths[max(flexible, key=widths.__getitem__)] -= 1
    typer.echo(textwrap.fill(title, screen))
    folded = [textwrap.wrap(" ".join(words), width) for words, width in zip(headings, widths, strict=True)]
    height = max(map(len, folded))
    heads = [[*[""] * (height - len(lines)), *lines] for lines in folded]
    for row in (*zip(*heads, strict=True), ["-" * width for width in widths], *shown):
        line = (_fitted(*cell) for cell in zip(row, widths, columns.values(), strict=True))
        typer.echo((" " * GAP).join(line).rstrip())


def _one_line(cell: str) -> str:
    """Return a cell without line breaks and characters that steer a terminal."""
    return "".join(character if character.isprintable() else " " for character in cell)


def _fitted(cell: str, width: int, justify: JustifyMethod) -> str:
    """Cut or fill a cell to a width in columns of the terminal, of which some characters take two."""
    if cell_len(cell) > width:
        return set_cell_size(cell, width - 1) + ELLIPSIS
    blanks = " " * (width - cell_len(cell))
    return blanks + cell if justify == "right" else cell + blanks


def instant_of(text: str | None) -> dt.datetime | None:
    """Read the option ``--as-of``; UTC where it has no offset.

    Raises
    ------
    RequestError
        If it is not a timestamp.
    """
    if text is None:
        return None
    try:
        instant = dt.datetime.fromisoformat(text)
    except ValueError:
        raise RequestError(f"--as-of {text!r} is not a timestamp: write it as 2025-08-15T11:00:00+00:00.") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=dt.UTC)


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
