"""The deliveries that a parsed file makes: what it says of each account in each session, every id once."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from risk.core.calendar import is_session
from risk.core.errors import InputError
from risk.ingest.layout import ExecutionFile
from risk.ingest.parse import UNPLACED, ParsedFile, Place
from risk.ingest.rules import Named, Reject, RowRules, fill_of, key_of
from risk.ingest.streams import Record

_ODD = np.uint64(0x9E3779B97F4A7C15)
"""Keeps the hashes of one id in two deliveries apart."""


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
        that may be executions), ``content_sha256``.
    dropped_lines
        Lines of executions that repeat an id and do not count.
    rejects
        By line; without those of later sessions.
    """

    parsed: ParsedFile
    places: list[Place]
    numbers: NDArray[np.int64]
    counts: pd.DataFrame
    dropped_lines: NDArray[np.int64]
    rejects: list[PlacedReject]

    def select(self, table: pa.Table, wanted: NDArray[np.bool_]) -> pa.Table:
        """Return the executions of some deliveries that count, ``place`` now being the number of a delivery.

        Parameters
        ----------
        wanted
            Of each delivery, whether its executions are wanted.
        """
        numbers = self.numbers[table["place"].to_numpy()]
        is_kept = np.append(wanted, False)[numbers]  # The last one is for those of later sessions.
        if len(self.dropped_lines):
            is_kept &= ~np.isin(table["line_number"].to_numpy(), self.dropped_lines)
        numbered = table.set_column(0, table.schema.field(0), pa.array(numbers, pa.int32()))
        return numbered if is_kept.all() else numbered.filter(pa.array(is_kept))


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
    counts = _sum_up(parsed, numbers, len(places))
    rejects = []
    for one in parsed.rejects:
        account_id, session_date = one.account_id, one.session_date
        if one.place != UNPLACED:
            account_id, session_date = delivered[one.place]
        if through is None or session_date is None or session_date <= through:
            rejects.append(PlacedReject(one.reject, account_id, session_date))
    found = FileDeliveries(parsed, places, numbers, counts, np.empty(0, np.int64), rejects)
    repeated = _find_repeated_ids(found)
    if repeated:
        _settle_repeated_ids(found, rules, repeated)
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


def _sum_up(parsed: ParsedFile, numbers: NDArray[np.int64], delivery_count: int) -> pd.DataFrame:
    """Count the records of each delivery and hash what they say, in any order.

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
    if parsed.corrections:
        parts.append(_order_of_corrections(parsed))
    counts = pd.concat([*parts, rejected])
    counts["delivery"] = numbers[counts.pop("place").to_numpy(np.int64)]
    sums = counts.groupby("delivery").sum().reindex(range(delivery_count), fill_value=0)
    said = (f"{row_count}:{content}" for row_count, content in zip(sums["row_count"], sums["content"], strict=True))
    digests = [hashlib.sha256(text.encode()).hexdigest() for text in said]
    summed = sums[["row_count", "loaded_count", "lost_count"]]
    return summed.assign(duplicate_count=0, content_sha256=digests)


def _order_of_corrections(parsed: ParsedFile) -> pd.DataFrame:
    """Let the order of several corrections of one id count as content: the last one holds."""
    corrections = pd.concat(parsed.corrections)
    accounts = np.array([account_id for account_id, _ in parsed.places], object)
    corrections["account_id"] = accounts[corrections["place"].to_numpy()]
    corrections["order"] = corrections.groupby(["account_id", "fill_key"]).cumcount()
    again = corrections.loc[corrections["order"] > 0, ["place", "content", "order"]]
    content = pd.util.hash_pandas_object(again[["content", "order"]], index=False).to_numpy()
    return pd.DataFrame(
        {"place": again["place"], "row_count": 0, "content": content, "loaded_count": 0, "lost_count": 0}
    )


def _find_repeated_ids(found: FileDeliveries) -> dict[int, int]:
    """Map the lines of executions whose id repeats in a delivery to that delivery, by hashes; usually there is none."""
    if not found.parsed.keyed:
        return {}
    places, lines, hashes = (np.concatenate(part) for part in zip(*found.parsed.keyed, strict=True))
    deliveries = found.numbers[places]
    ordered = np.sort(hashes + deliveries.astype(np.uint64) * _ODD)
    if not (ordered[1:] == ordered[:-1]).any():
        return {}
    keyed = pd.DataFrame({"delivery": deliveries, "hash": hashes})
    is_repeated = keyed.duplicated(keep=False).to_numpy() & (deliveries != UNPLACED)
    return dict(zip(lines[is_repeated].tolist(), deliveries[is_repeated].tolist(), strict=True))


def _settle_repeated_ids(found: FileDeliveries, rules: RowRules, repeated: dict[int, int]) -> None:
    """Keep one of several equal executions with the same id; reject those that differ under one id.

    Records without an id are never duplicates: two equal ones are two genuine partial fills. Corrections repeat an id
    on purpose.
    """
    duplicates: list[tuple[int, Record]] = []
    contradicting: list[tuple[int, Record]] = []
    for delivery, group in _group_repeated_ids(found.parsed, repeated):
        is_same = len({content for *_, content in group}) == 1
        dropped = duplicates if is_same else contradicting
        dropped += [(delivery, record) for record, *_ in (group[1:] if is_same else group)]
        for record, named, _ in () if is_same else group:
            _reject_repeated(found, rules, record, named, found.places[delivery])
    found.rejects.sort(key=lambda one: one.reject.line_number)
    found.dropped_lines = np.array([record.line_number for _, record in duplicates + contradicting], np.int64)
    for name, sign, dropped in (
        ("duplicate_count", 1, duplicates),
        ("loaded_count", -1, duplicates),
        ("loaded_count", -1, contradicting),
        ("lost_count", 1, contradicting),
    ):
        found.counts[name] += sign * np.bincount(
            np.array([delivery for delivery, _ in dropped], np.int64), minlength=len(found.places)
        )


def _group_repeated_ids(
    parsed: ParsedFile, repeated: dict[int, int]
) -> list[tuple[int, list[tuple[Record, Named, tuple[Any, ...]]]]]:
    """Read the executions whose id repeats again, by delivery and id, with what makes two of them the same."""
    groups: defaultdict[tuple[int, str], list[tuple[Record, Named, tuple[Any, ...]]]] = defaultdict(list)
    with ExecutionFile(parsed.path, parsed.mapping) as file:
        for record, named in file.records():
            if record.line_number in repeated:
                ids = tuple(named.get(name, "") for name in ("order_id", "propreports_id", "fill_id"))
                content = (*fill_of(named, 0), *ids)
                groups[repeated[record.line_number], key_of(named)].append((record, named, content))
    return [(delivery, group) for (delivery, _), group in groups.items()]


def _reject_repeated(found: FileDeliveries, rules: RowRules, record: Record, named: Named, place: Place) -> None:
    name = found.parsed.path.name
    reason = rules.sentence(name, record.line_number, ["repeated_id"], tuple(named), tuple(named.values()))
    reject = Reject(name, record.line_number, record.raw_text, reason, "repeated_id")
    found.rejects.append(PlacedReject(reject, *place))
