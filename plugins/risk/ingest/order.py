"""The order of executions: by instant, id, order id, and only then by line.

An id is a number (``N``), a number within one (``N-k``) or a text, and they are compared in that order. Lines count for
executions without an id, in a file that lists the newest first the other way round. So the same rows are in the same
order however a file is sorted, unless they have neither an id nor a time of their own: then their lines are content.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

_ODD: Final = np.uint64(0x9E3779B97F4A7C15)
"""Keeps the hashes of one id in two deliveries apart."""

_NUMBER: Final = re.compile(r"0*([0-9]+?)(?:-0*([0-9]+?))?")
_SHORT_NUMBER: Final = r"^[0-9]{1,18}$"


class Rows(NamedTuple):
    """Some good records of a file, ascending by line.

    Attributes
    ----------
    numbers
        A row for each: ``place`` (number of account and session in the file), ``line_number``, ``microsecond`` (from
        1970 UTC), ``content`` (a hash of what it says), ``key_hash`` (of id, order id and symbol together; 0 = no id),
        ``has_own_id`` (whether it has an id that is not its order id).
    fill_keys, order_ids
        The texts, blank where there is none.
    """

    numbers: pd.DataFrame
    fill_keys: pa.Array | pa.ChunkedArray
    order_ids: pa.Array | pa.ChunkedArray


ROW_DTYPES: Final = {
    "place": np.int32,
    **dict.fromkeys(("line_number", "microsecond"), np.int64),
    **dict.fromkeys(("content", "key_hash"), np.uint64),
    "has_own_id": np.bool_,
}
"""Columns of ``numbers``."""

TIES: Final = ("delivery", "line_number", "tie_rank", "content")
"""Columns of what the ranking functions return: rows that are not the first of their instant.

``tie_rank`` counts from 0 for the first one; ``content`` is what the order of lines adds to the hash of the delivery, 0
where lines do not count.
"""


def join_rows(parts: Sequence[Rows]) -> Rows:
    """Put the rows of a file's blocks together."""
    nothing = pd.DataFrame({name: np.empty(0, dtype) for name, dtype in ROW_DTYPES.items()})
    no_text = pa.array([], pa.string())
    numbers, *texts = zip(Rows(nothing, no_text, no_text), *parts, strict=True)
    return Rows(pd.concat(numbers, ignore_index=True), *(pa.chunked_array(chunks, pa.string()) for chunks in texts))


class RepeatedIds(NamedTuple):
    """Executions of one delivery whose id, order id and symbol repeat.

    Attributes
    ----------
    has_id
        Of each row, whether its id says which execution it is.
    is_dropped
        Of each row, whether it does not count.
    dropped_lines
        Of these rows.
    duplicates
        Rows that say the same as an earlier one: delivery, line, line of the first, id.
    conflicts
        Lines that contradict each other under one id, and their deliveries.
    """

    has_id: NDArray[np.bool_]
    is_dropped: NDArray[np.bool_]
    dropped_lines: NDArray[np.int64]
    duplicates: list[tuple[int, int, int, str]]
    conflicts: list[tuple[int, int]]


def find_repeated(rows: Rows, numbers: NDArray[np.int64], delivery_count: int) -> RepeatedIds:
    """Find executions that repeat the id of another one, by hashes; usually there is none.

    Where every id of a delivery is its order id, no id says which execution a row is.

    Parameters
    ----------
    numbers
        Delivery of each place; -1 = none.
    """
    places, lines, contents, key_hashes, has_own_id = (
        rows.numbers[name].to_numpy() for name in ("place", "line_number", "content", "key_hash", "has_own_id")
    )
    deliveries = numbers[places]
    own = np.bincount(deliveries[has_own_id & (deliveries >= 0)], minlength=delivery_count) > 0
    has_id = (key_hashes != 0) & np.append(own, False)[deliveries]
    is_dropped = np.zeros(len(deliveries), bool)
    hashes = (key_hashes + deliveries.astype(np.uint64) * _ODD)[has_id]
    ordered = np.sort(hashes)
    if not (ordered[1:] == ordered[:-1]).any():
        return RepeatedIds(has_id, is_dropped, np.empty(0, np.int64), [], [])
    frame = pd.DataFrame({"row": np.flatnonzero(has_id), "hash": hashes})
    frame = frame[frame.duplicated("hash", keep=False)]
    frame["content"] = contents[frame["row"]]
    by_hash = frame.groupby("hash")
    first = by_hash["row"].transform("first").to_numpy()
    is_same = by_hash["content"].transform("nunique").to_numpy() == 1
    row = frame["row"].to_numpy()
    repeats, conflicts = row[is_same & (row != first)], row[~is_same]
    is_dropped[repeats] = is_dropped[conflicts] = True
    firsts = lines[first[is_same & (row != first)]]
    keys = rows.fill_keys.take(repeats).to_pylist()
    return RepeatedIds(
        has_id,
        is_dropped,
        lines[is_dropped],
        list(zip(deliveries[repeats].tolist(), lines[repeats].tolist(), firsts.tolist(), keys, strict=True)),
        list(zip(lines[conflicts].tolist(), deliveries[conflicts].tolist(), strict=True)),
    )


def rank_executions(
    rows: Rows,
    deliveries: NDArray[np.int64],
    has_id: NDArray[np.bool_],
    is_reversed: Callable[[NDArray[np.int64]], NDArray[np.bool_]],
) -> pd.DataFrame:
    """Rank executions of one delivery and instant.

    Parameters
    ----------
    deliveries
        Number of the delivery of each row; -1 = the row does not count.
    has_id
        Whether its id says which execution it is.
    is_reversed
        Tells of places whether a later line is an earlier execution there; asked where lines count.

    Returns
    -------
    DataFrame
        ``TIES``.
    """
    instants = deliveries * len(deliveries) + pd.factorize(rows.numbers["microsecond"])[0]
    order = np.argsort(instants, kind="stable")
    ordered = instants[order]
    is_repeated = ordered[1:] == ordered[:-1]
    is_tied = np.append(is_repeated, False) | np.append(False, is_repeated)
    tied = order[is_tied & (ordered >= 0)]
    named = has_id[tied]
    places, lines, contents = (rows.numbers[name].to_numpy()[tied] for name in ("place", "line_number", "content"))
    keys = [
        instants[tied],
        rank_ids(pa.array(np.where(named, rows.fill_keys.take(tied).to_numpy(), ""), pa.string())),
        rank_ids(rows.order_ids.take(tied)),
        # Ids of several symbols may be equal: then what is said decides, never the line.
        np.where(named, contents, np.uint64(0)),
    ]
    is_turned = np.zeros(len(tied), bool) if named.all() else is_reversed(places)
    return _rank(deliveries[tied], lines, contents, keys, is_turned)


def rank_corrections(corrections: pd.DataFrame) -> pd.DataFrame:
    """Rank corrections of one delivery, id and instant by line: the last one holds.

    Parameters
    ----------
    corrections
        ``delivery`` (-1 = the row does not count), ``microsecond``, ``line_number``, ``fill_key``, ``content``,
        ``is_reversed``.

    Returns
    -------
    DataFrame
        ``TIES``.
    """
    counted = corrections[corrections["delivery"] >= 0]
    group = counted.groupby(["delivery", "microsecond", "fill_key"]).ngroup().to_numpy(np.int64)
    columns = ("delivery", "line_number", "content")
    delivery, lines, contents = (counted[name].to_numpy() for name in columns)
    return _rank(delivery, lines, contents, [group], counted["is_reversed"].to_numpy(bool))


def _rank(
    deliveries: NDArray[np.int64],
    lines: NDArray[np.int64],
    contents: NDArray[np.uint64],
    keys: Sequence[NDArray[Any]],
    is_reversed: NDArray[np.bool_],
) -> pd.DataFrame:
    """Rank rows within their first key by the others, then by line."""
    order = np.lexsort((np.where(is_reversed, -lines, lines), *reversed(keys)))
    numbers = np.arange(len(order))
    is_first = np.zeros((len(keys), len(order)), bool)
    for is_new, key in zip(is_first, keys, strict=True):
        is_new[:1] = True
        is_new[1:] = key[order][1:] != key[order][:-1]
    ranks, places = (
        numbers - np.maximum.accumulate(np.where(is_new, numbers, 0)) for is_new in (is_first[0], is_first.any(axis=0))
    )
    ranked = pd.DataFrame(
        {"delivery": deliveries[order], "line_number": lines[order], "tie_rank": ranks, "content": contents[order]}
    )
    ordinal = pd.util.hash_pandas_object(pd.DataFrame({"content": contents[order], "place": places}), index=False)
    ranked["content"] = np.where(places > 0, ordinal.to_numpy(), np.uint64(0))
    return ranked[ranks > 0]


def newest_first(accounts: NDArray[np.int64], instants: NDArray[np.int64], account_count: int) -> NDArray[np.bool_]:
    """Tell of each account whether the file lists its newest executions first.

    That is where its times fall and never rise. Where they do neither, it is as with all other accounts.

    Parameters
    ----------
    accounts, instants
        Of each row, ascending by line.
    """
    order = np.argsort(accounts, kind="stable")
    ordered = accounts[order]
    steps = np.where(ordered[1:] == ordered[:-1], np.sign(np.diff(instants[order])), 0)
    rises = np.bincount(ordered[1:][steps > 0], minlength=account_count) > 0
    falls = np.bincount(ordered[1:][steps < 0], minlength=account_count) > 0
    is_newest_first = falls & ~rises
    is_known = rises | falls
    is_newest_first[~is_known] = is_known.any() and is_newest_first[is_known].all()
    return is_newest_first


def rank_ids(texts: pa.Array | pa.ChunkedArray) -> NDArray[np.int64]:
    """Return numbers that compare as ids do: blank ones, numbers (``N`` before ``N-k``), other texts."""
    if compute.all(compute.match_substring_regex(texts, _SHORT_NUMBER)).as_py():
        return np.asarray(texts.cast(pa.int64()))
    codes, distinct = pd.factorize(texts.to_pandas())
    keys = [_id_key(text) for text in distinct]
    ranks = {key: rank for rank, key in enumerate(sorted(set(keys)))}
    return np.array([ranks[key] for key in keys], np.int64)[codes]


def _id_key(text: str) -> tuple[int, int, str, int, str]:
    """Return what an id is compared by: of a number its digits, however many there are, by their count first."""
    found = _NUMBER.fullmatch(text)
    if not found:
        return (2 if text else 0, 0, text, 0, "")
    number, part = found[1], found[2] or ""
    return (1, len(number), number, len(part), part)
