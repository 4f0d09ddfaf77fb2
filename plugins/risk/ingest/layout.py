"""How a file of executions is laid out: our own columns, or those of a mapping turned into ours, text by text."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from risk.core.calendar import first_session
from risk.core.errors import InputError
from risk.core.exchange import exchange_zone
from risk.core.symbols import kind_of, read_symbol
from risk.ingest.amounts import number
from risk.ingest.mapping import FillsMapping, Ignored, Numbers, Symbols, Texts, Time
from risk.ingest.mapping_files import preset, preset_names
from risk.ingest.streams import Block, CsvForm, CsvStream, Record
from risk.ingest.times import day_of, split_zone, stated_time, with_zone
from risk.ingest.words import FEES, REQUIRED, UNNAMED, fold_name, fold_word, mapped_columns, quote_foreign, quote_names

Convert = Callable[..., str]
"""Makes one text of ours of the texts of some columns of the file."""


@dataclass(frozen=True, slots=True)
class Derived:
    """One of our columns: places of the file's columns it is made of, and how."""

    places: tuple[int, ...]
    convert: Convert

    def of_fields(self, fields: Sequence[str]) -> str:
        """Make its text of the fields of a record."""
        return self.convert(*(fields[place] for place in self.places))

    def of_texts(self, texts: pd.DataFrame) -> pd.Series[str]:
        """Make its texts of columns of the file; asked once for each distinct combination."""
        codes = np.zeros(len(texts), np.int64)
        combinations: list[tuple[str, ...]] = [()]
        for place in self.places:
            part, distinct = pd.factorize(texts[str(place)])
            codes, pairs = pd.factorize(codes * len(distinct) + part)
            count = max(len(distinct), 1)
            combinations = [(*combinations[pair // count], distinct[pair % count]) for pair in pairs.tolist()]
        answers = np.array([self.convert(*texts) for texts in combinations], object)
        return pd.Series(answers[codes] if len(texts) else answers[:0], dtype=str)


class ExecutionFile(AbstractContextManager["ExecutionFile"]):
    """A file of executions, open: its records and blocks under our column names, whatever its own are.

    Parameters
    ----------
    path
        The file.
    mapping
        What turns its columns into ours; ``None`` = it has ours.

    Attributes
    ----------
    columns
        Our columns that it has.
    names
        Of its own columns: ours, or their places where a mapping makes ours of them.
    ignored_count
        Rows passed over so far because the mapping says so.

    Raises
    ------
    InputError
        As `CsvStream`, or if its header is not the one that is expected.
    """

    def __init__(self, path: Path, mapping: FillsMapping | None = None) -> None:
        self.mapping = mapping
        self.stream = _open_stream(path, mapping)
        self.ignored_count = 0
        self._derived: dict[str, Derived] = {}
        self._ignored: list[Derived] = []
        with contextlib.ExitStack() as unfinished:
            unfinished.push(self.stream)
            self.names = self._read_columns()
            unfinished.pop_all()
        self.columns = tuple(self._derived) if mapping else self.names

    def _read_columns(self) -> tuple[str, ...]:
        """Name the file's columns: ours, or their places where a mapping makes ours of them."""
        if self.mapping is None:
            return mapped_columns(self.stream.header, self.stream.name)
        self._derived, self._ignored = derive(self.mapping, self.stream.header, self.stream.name)
        return tuple(map(str, range(len(self.stream.header))))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stream.__exit__(kind, error, trace)

    @property
    def sha256(self) -> str:
        """Hash of its bytes and of what its mapping says; complete once everything is read."""
        return mapped_sha256(self.stream.sha256, self.mapping)

    def named(self, record: Record) -> dict[str, str]:
        """Return the texts of a record by our columns; those that a ragged one has."""
        if not self.mapping:
            return dict(zip(self.columns, record.fields, strict=False))
        if len(record.fields) != len(self.names):
            return {}
        return {name: derived.of_fields(record.fields) for name, derived in self._derived.items()}

    def records(self) -> Iterator[tuple[Record, dict[str, str]]]:
        """Yield the records with their texts by our columns, but for those that the mapping ignores."""
        for record in self.stream.records():
            if not self._is_ignored(record):
                yield record, self.named(record)

    def blocks(self, wanted: Collection[str]) -> Iterator[Block]:
        """Yield the records as blocks of our columns; see `CsvStream.blocks`."""
        if not self.mapping:
            yield from self.stream.blocks(self.names, wanted)
            return
        derived = {name: column for name, column in self._derived.items() if name in wanted}
        places = {str(place) for column in (*derived.values(), *self._ignored) for place in column.places}
        for block in self.stream.blocks(self.names, places):
            yield self._translated(block, derived)

    def _translated(self, block: Block, derived: Mapping[str, Derived]) -> Block:
        is_kept = np.ones(len(block.line_numbers), bool)
        for column in self._ignored:
            is_kept &= (column.of_texts(block.texts) == "").to_numpy()
        ragged = [record for record in block.ragged if not self._is_ignored(record)]
        self.ignored_count += int((~is_kept).sum()) + len(block.ragged) - len(ragged)
        kept = block.texts[is_kept].reset_index(drop=True)
        texts = {name: column.of_texts(kept) for name, column in derived.items()}
        return replace(
            block,
            texts=pd.DataFrame(texts, index=kept.index),
            line_numbers=block.line_numbers[is_kept],
            ragged=ragged,
            source=block.select(is_kept),
        )

    def _is_ignored(self, record: Record) -> bool:
        return any(column.of_fields(record.fields) for column in self._ignored if column.places[0] < len(record.fields))


def _open_stream(path: Path, mapping: FillsMapping | None) -> CsvStream:
    if mapping is None:
        return CsvStream(path)
    form = CsvForm(mapping.delimiter, mapping.encoding, mapping.skip_lines)
    stream = CsvStream(path, form)
    if not mapping.skip_lines or not missing_columns(mapping, stream.header):
        return stream
    # The same export without its title: the header stands in the first line.
    stream.__exit__(None, None, None)
    untitled = CsvStream(path, form._replace(skip_lines=0))
    if not missing_columns(mapping, untitled.header):
        return untitled
    untitled.__exit__(None, None, None)
    return CsvStream(path, form)


def mapped_sha256(sha256: str, mapping: FillsMapping | None) -> str:
    """Hash the bytes of a file, given as hash, with what its mapping says: under another one they say other things."""
    return hashlib.sha256(f"{sha256} {mapping.sha256}".encode()).hexdigest() if mapping else sha256


def missing_columns(mapping: FillsMapping, header: Sequence[str]) -> list[str]:
    """List the columns that a mapping needs and a header has not."""
    places = _places(header)
    optional = {fold_name(name) for name in mapping.optional}
    needed = [(texts, True) for texts in mapping.required_columns()] + [
        (texts, not any(fold_name(name) in optional for name in texts)) for texts in mapping.other_columns()
    ]
    missing = [texts[0] for texts, is_needed in needed if is_needed and _place(places, texts) is None]
    return list(dict.fromkeys(missing))


def _presets_for(header: Sequence[str]) -> list[str]:
    return [name for name in preset_names() if not missing_columns(preset(name), header)]


def fitting_presets(path: Path) -> list[str]:
    """List the presets that fit the header of a file, wherever each expects it."""
    fitting = []
    for name in preset_names():
        with contextlib.suppress(InputError), _open_stream(path, preset(name)) as stream:
            if name in _presets_for(stream.header):
                fitting.append(name)
    return fitting


def derive(mapping: FillsMapping, header: Sequence[str], file_name: str) -> tuple[dict[str, Derived], list[Derived]]:
    """Say how our columns are made of those of a file.

    Returns
    -------
    derived, ignored
        By our column name; and columns whose text is blank unless the row is to be ignored.

    Raises
    ------
    InputError
        If the file lacks a column that the mapping names, has one that it does not know, or no date in its name.
    """
    _check_header(mapping, header, file_name)
    places = _places(header)

    def found(texts: Texts) -> tuple[int, ...]:
        place = _place(places, texts)
        return () if place is None else (place,)

    columns, plain = mapping.columns, partial(plain_number, mapping.numbers)
    derived = {
        "date_time": _derive_time(mapping.time, found, file_name),
        "account": Derived(found(columns.account), str.strip) if columns.account else _constant(mapping.account or ""),
        "quantity": Derived(found(columns.quantity), partial(_quantity, plain, has_sign=bool(mapping.quantity_sign))),
        "price": Derived(found(columns.price), plain),
        "symbol": _derive_symbol(mapping.symbols, found(columns.symbol), found),
        "side": (
            Derived(found(columns.side), partial(_word, _folded(mapping.sides)))
            if columns.side
            else Derived(found(columns.quantity), partial(_signed_side, plain))
        ),
    }
    optional: dict[str, tuple[Texts, Convert]] = {
        "status": (columns.status, partial(_word, _folded(mapping.statuses))),
        "currency": (columns.currency, str.strip),
        "multiplier": (columns.multiplier, plain),
    }
    derived |= {name: Derived(found(texts), convert) for name, (texts, convert) in optional.items() if found(texts)}
    derived |= _derive_fees(mapping, found, plain)
    if mapping.currency:
        derived["currency"] = _constant(mapping.currency)
    for name, texts in (("order_id", mapping.order_id), ("fill_id", mapping.fill_id)):
        parts = [place for text in texts for place in found((text,))]
        if parts:
            derived[name] = Derived(tuple(parts), _join)
    ignored = [Derived(found(one.column), partial(_ignores, one)) for one in mapping.ignore if found(one.column)]
    return derived | _unnamed(mapping, header), ignored


def _derive_fees(
    mapping: FillsMapping, found: Callable[[Texts], tuple[int, ...]], plain: Callable[[str], str]
) -> dict[str, Derived]:
    """Say how our columns of fees are made of those of a file that has them."""
    return {
        FEES[name]: Derived(
            (*found(fee.column), *found(fee.currency)), partial(_fee, plain, is_negated=fee.cost == "negative")
        )
        for name, fee in mapping.fees.items()
        if found(fee.column)
    }


def _check_header(mapping: FillsMapping, header: Sequence[str], file_name: str) -> None:
    missing = missing_columns(mapping, header)
    if missing:
        fitting = [name for name in _presets_for(header) if name != mapping.name]
        fits_ours = {fold_name(name) for name in header} >= {fold_name(name) for name in REQUIRED}
        others = [*(f"the preset {name}" for name in fitting), *(["no mapping at all"] if fits_ours else [])]
        remedy = (
            f"Its header fits {' or '.join(others)}." if others else "Correct the mapping, or export the file again."
        )
        raise InputError(
            f"{file_name} lacks the column {quote_names(missing)} that the mapping {mapping.name} names; it has "
            f"{quote_foreign(header)}. {remedy}"
        )
    known = {fold_name(name) for texts in (*mapping.required_columns(), *mapping.other_columns()) for name in texts}
    folded = list(map(fold_name, header))
    twice = [name for name in known if folded.count(name) > 1]
    if twice:
        raise InputError(
            f"{file_name} has the column {quote_names(sorted(twice))} more than once, and the mapping {mapping.name} "
            "names it: nobody knows which one is meant. Export the file again with one of them."
        )
    unknown = [
        name for name in header if name.strip() and fold_name(name) not in known and not _is_unused(mapping, name)
    ]
    if unknown:
        raise InputError(
            f"{file_name} has the column {quote_foreign(unknown)}, of which the mapping {mapping.name} says nothing: "
            "list it under fees if it is one, else under unused. Nothing of the file is loaded."
        )


def _is_unused(mapping: FillsMapping, name: str) -> bool:
    return any(fnmatchcase(fold_name(name), fold_name(pattern)) for pattern in mapping.unused)


def _unnamed(mapping: FillsMapping, header: Sequence[str]) -> dict[str, Derived]:
    """List the columns without a name, whose cells must be blank: one that holds something may be a fee."""
    places = [place for place, name in enumerate(header) if not name.strip() and not _is_unused(mapping, name)]
    return {name: Derived((place,), str.strip) for name, place in zip(UNNAMED, places, strict=False)}


def _places(header: Sequence[str]) -> dict[str, int]:
    """Map the names of a header to their places; the first of several equal ones counts."""
    places: dict[str, int] = {}
    for place, name in enumerate(header):
        places.setdefault(fold_name(name), place)
    return places


def _place(places: Mapping[str, int], texts: Texts) -> int | None:
    return next((places[fold_name(name)] for name in texts if fold_name(name) in places), None)


def _constant(text: str) -> Derived:
    return Derived((), lambda: text)


def _join(*texts: str) -> str:
    return "-".join(text.strip(" ") for text in texts) if any(text.strip(" ") for text in texts) else ""


def _folded(words: Mapping[str, str]) -> dict[str, str]:
    return {fold_word(word): meaning for word, meaning in words.items()}


def _word(words: Mapping[str, str], text: str) -> str:
    """Translate a word; others stay as they are."""
    return words.get(fold_word(text), text)


def unreadable(text: str, why: str) -> str:
    """Return a text that no rule of ours reads, with the reason in parentheses: it is rejected and quoted."""
    return f"{text[:80]} ({why})"


_PLAIN: Final = re.compile(r"[+-]?\$? ?[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_SAME_MARKS: Final = {" ": re.compile("[\u00a0\u2009\u202f]"), "'": re.compile("\u2019")}
"""Marks between thousands to others that stand for them: blanks that never break a line, the typographic apostrophe."""


def plain_number(numbers: Numbers, text: str) -> str:
    """Write an amount with a decimal point and without marks between thousands; blank stays blank."""
    stripped = text.strip(" ")
    if not stripped or (numbers.decimal == "." and not numbers.thousands):
        return stripped
    if numbers.thousands in _SAME_MARKS:
        stripped = _SAME_MARKS[numbers.thousands].sub(numbers.thousands, stripped)
    whole, mark, rest = stripped.partition(numbers.decimal)
    if numbers.thousands and numbers.thousands in whole:
        first, *groups = whole.split(numbers.thousands)
        if any(len(group) != 3 or not group.isdigit() for group in groups) or not first.lstrip("+-$ ").isdigit():
            return unreadable(text, f"no number with {numbers.thousands!r} between thousands")
        whole = first + "".join(groups)
    plain = f"{whole}{'.' if mark else ''}{rest}"
    has_other_mark = numbers.decimal != "." and "." in whole
    if has_other_mark or not _PLAIN.fullmatch(plain):
        return unreadable(text, f"no number with the decimal mark {numbers.decimal!r}")
    return plain


def _quantity(plain: Convert, text: str, *, has_sign: bool) -> str:
    value = number(plain(text))
    return plain(text) if value is None or not has_sign else f"{abs(value):f}"


def _signed_side(plain: Convert, text: str) -> str:
    value = number(plain(text))
    return "" if value is None or value.is_nan() else "S" if value < 0 else "B"


def _fee(plain: Convert, text: str, currency: str = "", *, is_negated: bool) -> str:
    value = number(plain(text))
    if value and currency.strip(" ").upper() not in ("", "USD"):
        return unreadable(text, f"in {currency.strip(' ')}, and fees are US dollars")
    return plain(text) if value is None or not is_negated or value.is_nan() else f"{-value:f}"


def _ignores(ignored: Ignored, text: str) -> str:
    """Return a mark if a row with this text is to be ignored."""
    if ignored.matches is not None:
        return "x" if re.fullmatch(ignored.matches, text.strip(" ")) else ""
    return "x" if fold_name(text) in {fold_name(value) for value in ignored.equals} else ""


def _derive_symbol(symbols: Symbols, symbol: tuple[int, ...], found: Callable[[Texts], tuple[int, ...]]) -> Derived:
    kind = found(symbols.asset_class.column) if symbols.asset_class else ()
    return Derived((*symbol, *kind), partial(_symbol, symbols))


def _symbol(symbols: Symbols, text: str, word: str | None = None) -> str:
    name = text.strip(" ")
    prefix = next((prefix for prefix in symbols.strip_prefixes if name.startswith(prefix)), "")
    name = name.removeprefix(prefix)
    suffix = next((suffix for suffix in symbols.strip_suffixes if name.endswith(suffix)), "")
    name = name.removesuffix(suffix)
    for replacement in symbols.replace:
        name = re.sub(replacement.pattern, replacement.by, name)
    kind: str | None = symbols.all_are
    if word is not None and symbols.asset_class:
        kind = _folded(symbols.asset_class.words).get(fold_word(word))
        if kind is None:
            return unreadable(name, f"unknown asset class {word.strip(' ')!r}")
    if kind == "option" and kind_of(read_symbol(name) or "") == "equity":
        return unreadable(name, "the underlying of an option, without expiry, right and strike")
    mark = {"future": "/", "currency": "@"}.get(kind or "", "")
    if mark and not name.startswith(mark):
        return mark + (re.sub(r"[./ ]", "", name) if kind == "currency" else name)
    return name


def _derive_time(time: Time, found: Callable[[Texts], tuple[int, ...]], file_name: str) -> Derived:
    convert = partial(date_time, time)
    if time.date_column:
        return Derived((*found(time.date_column), *found(time.column)), convert)
    if time.date_in_name is None:
        return Derived(found(time.column), convert)
    return Derived(found(time.column), partial(convert, _day_in(time.date_in_name, file_name).isoformat()))


def _day_in(pattern: str, file_name: str) -> dt.date:
    """Find the one day in the name of a file; numbers of accounts that are no date of a session are passed over."""
    days = {day_of(found[1] or "") for found in re.finditer(pattern, file_name)}
    possible = sorted(day for day in days if day and day >= first_session())
    if len(possible) == 1:
        return possible[0]
    several = (
        f"several dates in its name ({', '.join(map(str, possible))}), and its rows have none: export one day a file"
    )
    none = f"no date in its name as date_in_name of its mapping describes it ({pattern!r}, YYYY-MM-DD or YYYYMMDD)"
    raise InputError(f"{file_name} has {several if possible else none}. Rename the file.")


def date_time(time: Time, *texts: str) -> str:
    """Write a date and time in the form of our own files: the exchange's clock, or with the offset from UTC."""
    text = " ".join(part.strip(" ") for part in texts)
    if not text.strip(" "):
        return ""
    readings = _readings(time.formats, text)
    if len(readings) != 1:
        why = "formats that read it in two ways" if readings else f"none of {', '.join(time.formats)}"
        return unreadable(text, why) if time.formats else text
    stated = readings.pop()
    if stated.tzinfo is not None:
        return stated.isoformat()
    if time.trade_date_cutoff is not None and stated.time() >= time.trade_date_cutoff:
        stated -= dt.timedelta(days=1)
    zone = ZoneInfo(time.zone)
    if zone.key == exchange_zone().key:
        return stated.isoformat(" ")
    if stated.replace(tzinfo=zone, fold=0).utcoffset() != stated.replace(tzinfo=zone, fold=1).utcoffset():
        return unreadable(text, f"clocks of {zone.key} show it twice or never")
    return stated.replace(tzinfo=zone).isoformat()


def _readings(formats: Texts, text: str) -> set[dt.datetime]:
    """Read a time in every way that formats allow, a zone at its end apart; without formats as in our own files."""
    if not formats:
        return {stated for stated in (stated_time(text),) if stated}
    found = {read for read in (_read_format(form, text) for form in formats) if read}
    rest, zone = split_zone(text)
    if found or not zone:
        return found
    zoned = (with_zone(read, zone) for read in (_read_format(form, rest) for form in formats) if read)
    return {read for read in zoned if read}


_JOINED: Final = re.compile("%[A-Za-z]%[A-Za-z]")
_FREE_WIDTH: Final = re.compile("%[fzZ]")


def _read_format(form: str, text: str) -> dt.datetime | None:
    """Read a time of one format; where its parts are not set apart, none may lack its leading zero."""
    try:
        read = dt.datetime.strptime(text, form)  # noqa: DTZ007 - the zone is in the mapping
    except ValueError:
        return None
    if _JOINED.search(form):
        written = read.strftime(_FREE_WIDTH.split(form)[0])
        return read if text.casefold().startswith(written.casefold()) else None
    return read
