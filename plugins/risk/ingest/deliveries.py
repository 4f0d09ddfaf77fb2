"""The deliveries that a parsed file makes: what it says of each account in each session, every id once."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from risk.core.calendar import is_session
from risk.core.errors import InputError
from risk.ingest.layout import ExecutionFile
from risk.ingest.order import (
    RepeatedIds,
    find_repeated,
    join_rows,
    newest_first,
    rank_corrections,
    rank_executions,
)
from risk.ingest.parse import EXECUTIONS, UNPLACED, ParsedFile, Place
from risk.ingest.reasons import Notice, hint_of, summarize
from risk.ingest.rules import Named, Reject, RowRules, shorten
from risk.ingest.streams import Record

SELECTED: Final = EXECUTIONS.append(pa.field("tie_rank", pa.int64()))
"""Executions with their place among those of their account, session and instant, from 0."""


class PlacedReject(NamedTuple):
    """A rejected record, with the account and session it was delivered for as far as these are known."""

    reject: Reject
    account_id: str | None
    session_date: dt.date | None

    @property
    def place(self) -> Place | None:
        """Account and session, where both are known."""
        return (self.account_id, self.session_date) if self.account_id and self.session_date else None


@dataclass(slots=True)
class FileDeliveries:
    """What a file delivers, up to a session.

    Attributes
    ----------
    parsed
        Its records.
    places
        Account and session of each delivery.
    numbers
        Row in ``places`` of each place of the parsed file; -1 = of a later session.
    counts
        A row for each delivery: ``row_count``, ``loaded_count``, ``duplicate_count``, ``lost_count`` (rejected rows
        that may be executions), ``content_sha256``, ``note``.
    dropped_lines
        Lines of executions that repeat an id and do not count.
    ties
        Ascending by line, see `risk.ingest.order.TIES`.
    rejects
        By line; without those of later sessions.
    notices
        Of each delivery, about rows that are not rejected.
    """

    parsed: ParsedFile
    places: list[Place]
    numbers: NDArray[np.int64]
    counts: pd.DataFrame
    dropped_lines: NDArray[np.int64]
    ties: pd.DataFrame
    rejects: list[PlacedReject]
    notices: dict[int, list[Notice]]

    def select(self, table: pa.Table, wanted: NDArray[np.bool_]) -> pa.Table:
        """Return the executions of some deliveries that count, ``place`` now being the number of a delivery.

        Parameters
        ----------
        wanted
            Of each delivery, whether its executions are wanted.

        Returns
        -------
        pa.Table
            Of the schema ``SELECTED``.
        """
        numbers = self.numbers[table["place"].to_numpy()]
        is_kept = np.append(wanted, False)[numbers]  # The last one is for those of later sessions.
        lines = table["line_number"].to_numpy()
        if len(self.dropped_lines):
            is_kept &= ~np.isin(lines, self.dropped_lines)
        numbered = table.set_column(0, table.schema.field(0), pa.array(numbers, pa.int32()))
        ranked = numbered.append_column(SELECTED.field("tie_rank"), pa.array(self.ranks_of(lines)))
        return ranked if is_kept.all() else ranked.filter(pa.array(is_kept))

    def ranks_of(self, line_numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the place of each execution or correction among those of its instant."""
        lines, ranks = (self.ties[name].to_numpy() for name in ("line_number", "tie_rank"))
        if not len(lines):
            return np.zeros(len(line_numbers), np.int64)
        found = np.minimum(np.searchsorted(lines, line_numbers), len(lines) - 1)
        return np.where(lines[found] == line_numbers, ranks[found], 0)


def find_deliveries(
    parsed: ParsedFile, rules: RowRules, named: Collection[Place] | None = None, through: dt.date | None = None
) -> FileDeliveries:
    """Sum a file up to deliveries; what the manifest names and no record mentions is an empty one.

    Parameters
    ----------
    named
        Accounts and sessions that the file's entries in the manifest name; ``None`` = there is no manifest. Days
        without trading are left out.
    through
        Later sessions are left for a later load; ``None`` = none is.

    Raises
    ------
    InputError
        If the file has executions that its entries do not name.
    """
    _place_undated(parsed, named)
    delivered = list(parsed.places) if named is None else _delivered_places(parsed, set(named), through)
    listed = dict.fromkeys((*delivered, *(place for place in named or () if is_session(place[1]))))
    places = [place for place in listed if through is None or place[1] <= through]
    row_of = {place: row for row, place in enumerate(places)}
    numbers = np.array([row_of.get(place, UNPLACED) for place in delivered], np.int64)
    rejects = []
    for one in parsed.rejects:
        account_id, session_date = one.account_id, one.session_date
        if one.place != UNPLACED:
            account_id, session_date = delivered[one.place]
        if through is None or session_date is None or session_date <= through:
            rejects.append(PlacedReject(one.reject, account_id, session_date))
    repeated, ties = _order(parsed, numbers, len(places))
    counts = _sum_up(parsed, numbers, ties, len(places))
    found = FileDeliveries(parsed, places, numbers, counts, repeated.dropped_lines, ties, rejects, {})
    _settle_repeated(found, rules, repeated)
    return found


def _place_undated(parsed: ParsedFile, named: Collection[Place] | None) -> None:
    """Place rejected records without a session in the one that the file delivers of their account, if it is only one.

    Nobody knows what they traded, so that session is incomplete.
    """
    sessions: defaultdict[str, list[dt.date]] = defaultdict(list)
    for account_id, session_date in parsed.places if named is None else named:
        sessions[account_id].append(session_date)
    for number, one in enumerate(parsed.rejects):
        found = sessions[one.account_id] if one.account_id and one.session_date is None else []
        if len(found) == 1 and one.account_id:
            place = parsed.places.setdefault((one.account_id, found[0]), len(parsed.places))
            parsed.rejects[number] = one._replace(session_date=found[0], place=place)


def _delivered_places(parsed: ParsedFile, named: set[Place], through: dt.date | None) -> list[Place]:
    """Place executions of an earlier day in the session that their file delivers.

    The vendor lists the opening execution of an overnight position in the file of the session that closed it, beside
    executions of that session itself: a file with nothing but earlier ones contradicts its entry.
    """
    sessions: defaultdict[str, list[dt.date]] = defaultdict(list)
    for account_id, session_date in sorted(named & parsed.places.keys()):
        sessions[account_id].append(session_date)
    delivered, unnamed = [], []
    for account_id, session_date in parsed.places:
        later = [day for day in sessions[account_id] if day >= session_date]
        delivered.append((account_id, later[0] if later else session_date))
        if not later and (through is None or session_date <= through):
            unnamed.append(f"{account_id} on {session_date}")
    if unnamed:
        raise InputError(
            f"{parsed.path.name} holds executions of account {min(unnamed)}, which its entry in manifest.csv does not "
            "name. Correct the entry or replace the file."
        )
    return delivered


def _order(parsed: ParsedFile, numbers: NDArray[np.int64], delivery_count: int) -> tuple[RepeatedIds, pd.DataFrame]:
    """Find repeated ids, and rank the executions that count, and corrections, of one instant."""
    parsed.rows[:] = [rows := join_rows(parsed.rows)]
    repeated = find_repeated(rows, numbers, delivery_count)
    accounts, names = pd.factorize(np.array([account_id for account_id, _ in parsed.places], object))
    places = rows.numbers["place"].to_numpy()

    @cache
    def turned_accounts() -> NDArray[np.bool_]:
        return newest_first(accounts[places], rows.numbers["microsecond"].to_numpy(), len(names))

    def is_reversed(places: NDArray[np.int64]) -> NDArray[np.bool_]:
        return turned_accounts()[accounts[places]]

    deliveries = np.where(repeated.is_dropped, UNPLACED, numbers[places])
    ties = [rank_executions(rows, deliveries, repeated.has_id, is_reversed)]
    if parsed.corrections:
        corrections = pd.concat(parsed.corrections)
        stated = corrections["place"].to_numpy()
        ties.append(rank_corrections(corrections.assign(delivery=numbers[stated], is_reversed=is_reversed(stated))))
    return repeated, pd.concat(ties).sort_values("line_number")


def _sum_up(parsed: ParsedFile, numbers: NDArray[np.int64], ties: pd.DataFrame, delivery_count: int) -> pd.DataFrame:
    """Count the records of each delivery and hash what they say, in any order; the order of lines where it counts.

    The hash of a multiset is the sum of its records' hashes (Bellare and Micciancio 1997, AdHash).
    """
    placed = [one for one in parsed.rejects if one.place != UNPLACED]
    rejected = pd.DataFrame(
        {
            "place": np.array([one.place for one in placed], np.int64),
            "row_count": np.ones(len(placed), np.int64),
            "loaded_count": np.zeros(len(placed), np.int64),
            "content": np.array([one.content for one in placed], np.uint64),
            "lost_count": np.array([one.is_lost for one in placed], np.int64),
        }
    )
    good = (part.reset_index() for part in parsed.counts)
    parts = [part.assign(loaded_count=part["row_count"], lost_count=0) for part in good]
    counts = pd.concat([*parts, rejected])
    counts["delivery"] = numbers[counts.pop("place").to_numpy(np.int64)]
    ordered = ties[["delivery", "content"]].assign(row_count=0, loaded_count=0, lost_count=0)
    sums = pd.concat([counts, ordered]).groupby("delivery").sum().reindex(range(delivery_count), fill_value=0)
    said = (f"{row_count}:{content}" for row_count, content in zip(sums["row_count"], sums["content"], strict=True))
    digests = [hashlib.sha256(text.encode()).hexdigest() for text in said]
    summed = sums[["row_count", "loaded_count", "lost_count"]]
    return summed.assign(duplicate_count=0, content_sha256=digests, note=None)


def _settle_repeated(found: FileDeliveries, rules: RowRules, repeated: RepeatedIds) -> None:
    """Count executions that repeat another one, and reject those that differ under one id.

    Records without an id are never duplicates: two equal ones are two genuine partial fills. Corrections repeat an id
    on purpose.
    """
    for delivery, line_number, first_line, key in repeated.duplicates:
        account_id, _ = found.places[delivery]
        found.notices.setdefault(delivery, []).append(
            Notice(
                found.parsed.path.name,
                "repeated row",
                f"{found.parsed.path.name} line {line_number}, account {shorten(account_id)}: repeats the execution "
                f"with the id {shorten(key)} in line {first_line}; it counts once. "
                f"{hint_of(('repeated_id',), {'fill_id': key}) or 'If both were executed, give each an id.'}",
            )
        )
    for delivery, notices in found.notices.items():
        found.counts.loc[delivery, "note"] = " ".join(summarize(notices, "affected"))
    conflicts = dict(repeated.conflicts)
    for record, named in _read_records(found.parsed, conflicts):
        _reject_repeated(found, rules, record, named, found.places[conflicts[record.line_number]])
    found.rejects.sort(key=lambda one: one.reject.line_number)
    duplicates = [delivery for delivery, *_ in repeated.duplicates]
    for name, sign, deliveries in (
        ("duplicate_count", 1, duplicates),
        ("loaded_count", -1, duplicates),
        ("loaded_count", -1, list(conflicts.values())),
        ("lost_count", 1, list(conflicts.values())),
    ):
        found.counts[name] += sign * np.bincount(np.array(deliveries, np.int64), minlength=len(found.places))


def _read_records(parsed: ParsedFile, line_numbers: Collection[int]) -> Iterator[tuple[Record, Named]]:
    """Read some records again, with their fields by column name."""
    if line_numbers:
        with ExecutionFile(parsed.path, parsed.mapping) as file:
            yield from ((record, named) for record, named in file.records() if record.line_number in line_numbers)


def _reject_repeated(found: FileDeliveries, rules: RowRules, record: Record, named: Named, place: Place) -> None:
    name = found.parsed.path.name
    reason = rules.sentence(name, record.line_number, ["repeated_id"], tuple(named), tuple(named.values()))
    reject = Reject(name, record.line_number, record.raw_text, reason, "repeated_id")
    found.rejects.append(PlacedReject(reject, *place))
