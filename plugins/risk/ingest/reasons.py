"""Why rows were rejected, grouped: the same sentences in the run log, the email, the Risk page and the terminal."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from risk.core.money import counted

MOST_CAUSES: Final = 10
"""So many causes are listed; one more sentence counts the others."""

SHOWN_ROWS: Final = 3
"""A cause with no more rows is said with the sentence of each row, one with more with that of the first."""

_VALUE: Final = re.compile(r"'(?:[^'\\]|\\.)*'|[0-9]+(?:[.,:/-][0-9]+)*")


SHOWN_SENTENCES: Final = 20
"""So many files that are not loaded, or lines of a manifest, are named; one more sentence counts the others."""


class Notice(NamedTuple):
    """A sentence about a row of a file, or about the file; ``cause``: what it has in common with others."""

    file_name: str
    cause: str
    sentence: str


@dataclass(slots=True)
class CauseGroup:
    """Rows with one cause.

    Attributes
    ----------
    file_name
        File of the first one.
    row_count
        All of them.
    sentences
        Of the first rows, at most ``SHOWN_ROWS``, in the order of files and lines.
    """

    file_name: str
    row_count: int = 0
    sentences: list[str] = field(default_factory=list)


def group_by_cause(notices: Iterable[Notice]) -> list[CauseGroup]:
    """Group what is said of rows, which come in the order of files and lines."""
    groups: dict[str, CauseGroup] = {}
    for file_name, cause, sentence in notices:
        group = groups.setdefault(cause, CauseGroup(file_name))
        group.row_count += 1
        if len(group.sentences) < SHOWN_ROWS:
            group.sentences.append(sentence)
    return list(groups.values())


def say_causes(groups: Iterable[CauseGroup], happened: str = "rejected") -> Iterator[tuple[str, str]]:
    """Say what happened to rows and why, the most frequent cause first.

    Parameters
    ----------
    happened
        To these rows: ``80 rows rejected; first: fills.csv line 2, ...``.

    Yields
    ------
    file_name, sentence
        The last sentence may be about the causes that are not listed.
    """
    ordered = sorted(groups, key=lambda group: -group.row_count)
    for group in ordered[:MOST_CAUSES]:
        if group.row_count > SHOWN_ROWS:
            yield group.file_name, f"{counted(group.row_count, 'row')} {happened}; first: {group.sentences[0]}"
        else:
            yield from ((group.file_name, sentence) for sentence in group.sentences)
    others = ordered[MOST_CAUSES:]
    if others:
        row_count = counted(sum(group.row_count for group in others), "row")
        yield others[0].file_name, f"{row_count} {happened} for {counted(len(others), 'more reason')}."


def summarize(notices: Iterable[Notice], happened: str = "rejected") -> list[str]:
    """Say what happened to rows and why, in few sentences however many there are; see `say_causes`.

    Parameters
    ----------
    notices
        In the order of files and lines.
    """
    return [sentence for _, sentence in say_causes(group_by_cause(notices), happened)]


def say_first(sentences: Sequence[str], others: str) -> list[str]:
    """Return the first sentences, and one that counts the others where there are more.

    Parameters
    ----------
    others
        What they are about, after their number: ``more files are not loaded.``
    """
    shown = list(sentences[:SHOWN_SENTENCES])
    other_count = len(sentences) - len(shown)
    return [*shown, f"{other_count:,} {others}"] if other_count else shown


def cause_of(clause: str) -> str:
    """Return what clauses about different values have in common."""
    return _VALUE.sub("#", clause)


_EXCEL: Final = "It looks re-saved by Excel: deliver the file as the source wrote it."

_EXCEL_TIME: Final = (
    r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{2}( [0-9]{1,2}:[0-9]{2}(:[0-9]{2})?( ?[AP]M)?)?"
    r"|[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}"
    r"|[0-9]{5}([.][0-9]*)?|[0-9]{1,2}:[0-9]{2}[.][0-9]"
)
_HINTS: Final[Sequence[tuple[frozenset[str], re.Pattern[str], re.Pattern[str], str]]] = tuple(
    (frozenset(codes.split()), re.compile(columns), re.compile(pattern, re.IGNORECASE), hint)
    for codes, columns, pattern, hint in (
        ("date_form date_year date_serial date_no_time", "date_time", _EXCEL_TIME, _EXCEL),
        ("repeated_id", "propreports_id|fill_id", r"[0-9.]+E[+]?[0-9]+", _EXCEL),
    )
)
"""Error codes, columns, what a text in one of these looks like, and what to say of it."""


def hint_of(codes: Collection[str], named: Mapping[str, str]) -> str | None:
    """Name the likely cause of errors in a record, where its texts show it.

    Parameters
    ----------
    codes
        Of its errors, see `risk.ingest.rules.SENTENCES`.
    named
        Its fields by column name.
    """
    for hinted, columns, pattern, hint in _HINTS:
        if not hinted.isdisjoint(codes) and any(
            pattern.fullmatch(text.strip()) for name, text in named.items() if columns.fullmatch(name)
        ):
            return hint
    return None
