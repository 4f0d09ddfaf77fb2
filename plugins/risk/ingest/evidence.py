"""What the rows of one file say together: the order of day and month, the decimal mark, one multiplier a symbol."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from risk.core.entities import Instrument
from risk.core.errors import InputError
from risk.ingest.amounts import DECIMAL_COMMA
from risk.ingest.rules import Named, Reject, shorten
from risk.ingest.streams import Block, Record
from risk.ingest.times import DATE_ORDERS

UNIT = Decimal("1e-8")
"""What multipliers are scaled by."""

OTHERS_PER_ERROR = 10
"""Among so many other dates one with the day first is an error of its row."""


@dataclass(slots=True)
class DateEvidence:
    """Which of day and month comes first in the dates of a file.

    Attributes
    ----------
    counts
        Number of records with a Date/Time of each of ``DATE_ORDERS``.
    first_day_first
        The first one that has its day first: line and text.
    """

    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(DATE_ORDERS), np.int64))
    first_day_first: tuple[int, str] | None = None

    def note(self, block: Block, orders: NDArray[np.uint8]) -> None:
        """Count the dates of a block, given as numbers of ``DATE_ORDERS``."""
        self.counts += np.bincount(orders, minlength=len(DATE_ORDERS))
        day_first = np.flatnonzero(orders == DATE_ORDERS.index("day first"))
        if len(day_first) and self.first_day_first is None:
            row = int(day_first[0])
            self.first_day_first = int(block.line_numbers[row]), str(block.texts["date_time"].iat[row])

    def refuse_day_first(self, file_name: str) -> None:
        """Refuse a file whose dates have the day first: those with a day up to 12 would be read as other dates.

        Beside a date that is month first beyond doubt, or among many others, it is an error of its row.
        """
        counts = dict(zip(DATE_ORDERS, self.counts.tolist(), strict=True))
        total = sum(counts.values())
        if self.first_day_first is None or counts["month first"] or total > OTHERS_PER_ERROR * counts["day first"]:
            return
        line_number, text = self.first_day_first
        raise InputError(
            f"{file_name} has its dates day first: line {line_number} says {shorten(text)}, and no date is month first "
            "beyond doubt. Nothing of the file is loaded. Export its dates as MM/DD/YYYY or YYYY-MM-DD, or state their "
            "form in a mapping (riskctl map)."
        )


_POINT_BETWEEN_THOUSANDS = re.compile(r"[+-]?\$?[0-9]{1,3}(?:\.[0-9]{3})+")
_DECIMAL_POINT = re.compile(r"[+-]?\$?(?:[0-9,]*\.(?![0-9]{3}$)[0-9]+|[0-9]{4,}\.[0-9]{3})")


def refuse_decimal_commas(name: str, rejects: Iterable[Reject], records: Iterable[tuple[Record, Named]]) -> None:
    """Refuse a file with decimal commas in which a point may stand between thousands: 1.010 would count as 1.01.

    Beside a decimal point beyond doubt, a comma is an error of its row.

    Parameters
    ----------
    records
        Read only if a record was rejected for a decimal comma.
    """
    if not any(DECIMAL_COMMA in reject.reason for reject in rejects):
        return
    doubtful: tuple[int, str] | None = None
    for record, named in records:
        for text in (named.get(column, "").strip(" ") for column in ("quantity", "price")):
            if _DECIMAL_POINT.fullmatch(text):
                return
            if doubtful is None and _POINT_BETWEEN_THOUSANDS.fullmatch(text):
                doubtful = record.line_number, text
    if doubtful:
        line_number, text = doubtful
        raise InputError(
            f"{name} has amounts with a decimal comma, and line {line_number} says {shorten(text)}, in which the point "
            "may stand between thousands. Nothing of the file is loaded. Export it with decimal points, or state its "
            "marks in a mapping (numbers.decimal, numbers.thousands)."
        )


@dataclass(slots=True)
class StatedMultipliers:
    """The multipliers that the records of a file state.

    Attributes
    ----------
    by_subject
        Session and symbol to the multiplier, scaled by 1e8, and the line of the first record.
    """

    by_subject: dict[tuple[dt.date, str], tuple[int, int]] = field(default_factory=dict)

    def note(self, good: pd.DataFrame, file_name: str) -> None:
        """Note what good records state; two multipliers of one symbol in a session cannot be right."""
        stated = good[good["multiplier"] > 0].drop_duplicates(["day", "symbol", "multiplier"])
        columns = (stated[name].tolist() for name in ("day", "symbol", "multiplier", "line_number"))
        for day, symbol, multiplier, line_number in zip(*columns, strict=True):
            subject = (dt.date.fromordinal(day), symbol)
            known, first_line = self.by_subject.setdefault(subject, (multiplier, line_number))
            if known != multiplier:
                found = " and ".join(f"{(one * UNIT).normalize():f}" for one in (known, multiplier))
                raise InputError(
                    f"{file_name} states two multipliers of {symbol} on {subject[0]}, {found} (lines {first_line} and "
                    f"{line_number}). Nothing of the file is loaded: correct them and deliver it again."
                )

    def statements(self, through: dt.date | None) -> Iterator[tuple[int, Instrument]]:
        """Yield them as statements about instruments up to a session, each with its line; ``None`` = all."""
        for (day, symbol), (multiplier, line_number) in self.by_subject.items():
            if through is None or day <= through:
                yield line_number, Instrument(day, symbol, multiplier * UNIT, None)
