"""Reads values back from their canonical JSON, by the types of the fields that hold them."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

Reader = Callable[[Any], Any]


@cache
def reader_of(hint: Any) -> Reader:
    """Build, once for each type, the function that reads a value of it from JSON."""
    if get_origin(hint) is tuple:
        item = reader_of(get_args(hint)[0])
        return lambda value: tuple(map(item, value))
    if NoneType in get_args(hint):
        present = reader_of(get_args(hint)[0])
        return lambda value: None if value is None else present(value)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _record_reader(hint)
    plain: dict[Any, Reader] = {dt.date: dt.date.fromisoformat, Decimal: Decimal}
    return plain.get(hint, lambda value: value)


def _record_reader(kind: type) -> Reader:
    readers = {name: reader_of(hint) for name, hint in get_type_hints(kind).items()}
    return lambda fields: kind(**{name: readers[name](value) for name, value in fields.items()})
