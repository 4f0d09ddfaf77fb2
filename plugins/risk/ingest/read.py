"""Reading a file drop without a database: the newest version of each account-session."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import compute

from risk.core.entities import Fill, Instrument, Statements
from risk.core.errors import InputError
from risk.core.exchange import exchange_zone
from risk.core.settings import Settings
from risk.core.symbols import kind_of, read_symbol
from risk.ingest.completeness import count_differences, find_incomplete
from risk.ingest.corrections import Renames, apply_corrections
from risk.ingest.deliveries import SELECTED, FileDeliveries, find_deliveries
from risk.ingest.folder import DropFolder, Entry, open_folder
from risk.ingest.layout import ExecutionFile
from risk.ingest.mapping import FillsMapping
from risk.ingest.parse import EXECUTIONS, SCALE, ParsedFile, Parser, Place, TextRule
from risk.ingest.reasons import Notice, say_first
from risk.ingest.reference_data import ACCOUNTS, FILE_SPECS, MARKS
from risk.ingest.reference_files import read_reference_files
from risk.ingest.rules import Reject, RowRules, find_collisions, find_names_alike, shorten
from risk.ingest.times import moment_of, session_at

Parsed = tuple[ParsedFile, list[pa.Table]]
"""A file and its executions."""


class DropExecutions(NamedTuple):
    """The executions of a file drop.

    Attributes
    ----------
    executions
        A row for each: ``account_id``, ``symbol``, ``currency`` (empty = not stated), ``day`` (ordinal of the session),
        ``instant`` (microseconds from 1970 UTC), ``tie_rank``, ``is_time_unknown``, ``line_number``, ``side`` (ASCII
        code), ``quantity``, ``price``, ``fees_usd`` (scaled by 1e8), ``fill_key``, ``file_name``.
    rejects
        In the order of files and lines.
    notices
        Warnings: nothing is lost.
    instruments
        Multipliers that the executions state.
    incomplete
        Account-sessions that lack rows, by the names that accounts have now, and why.
    unread
        Sentences about files under whose names nothing is read.
    """

    executions: pd.DataFrame
    rejects: list[Reject]
    notices: list[Notice]
    instruments: list[Instrument]
    incomplete: dict[Place, str]
    unread: list[str]


def read_drop(folder: Path, settings: Settings, as_of: dt.datetime | None = None) -> DropExecutions:
    """Read the executions of a file drop, the newest version of each account-session.

    Parameters
    ----------
    as_of
        With a manifest only versions with ``published_at <= as_of`` count; ``None`` = all.

    Raises
    ------
    InputError
        If the folder or any file in it cannot be used as a whole, or two files deliver one account-session.
    """
    drop, rules = _open(folder, settings)
    if drop.quarantined:
        raise InputError("\n".join(say_first([item.reason for item in drop.quarantined], "more problems.")))
    newest = _newest_versions(drop.entries, as_of) if drop.entries else None
    chosen = [path for path in drop.fills if newest is None or path.name in newest.values()]
    parsed, rules = _parse(chosen, rules, drop.mappings)
    found = [(find_deliveries(one, rules, drop.entries.get(one.path.name)), tables) for one, tables in parsed]
    owners = newest if newest is not None else _find_owners(found)
    stated, rejects, notices = read_reference_files(ACCOUNTS, drop.reference_files[ACCOUNTS.name], rules)
    renames = Renames(stated)
    executions, waiting = _executions(found, owners, renames)
    rejects = [one.reject for deliveries, _ in found for one in deliveries.rejects] + rejects
    places = [*owners, *((statement.account_id, statement.valid_from) for statement in stated)]
    alike = find_names_alike(renames.current_name(*place) for place in places)
    unread = [item.reason for item in drop.unread]
    instruments = [row for one, _ in parsed for _, row in one.multipliers.statements(None)]
    notices = [
        *(Notice("", "names alike", sentence) for sentence in alike),
        *_repeated_rows(found, owners),
        *waiting,
        *_zero_price_notices(executions),
        *notices,
    ]
    return DropExecutions(
        executions, rejects, notices, instruments, _incomplete(drop, found, owners, Renames(stated)), unread
    )


def _repeated_rows(
    found: Iterable[tuple[FileDeliveries, list[pa.Table]]], owners: Mapping[Place, str]
) -> Iterator[Notice]:
    for deliveries, _ in found:
        for number, notices in deliveries.notices.items():
            if owners.get(deliveries.places[number]) == deliveries.parsed.path.name:
                yield from notices


def _incomplete(
    drop: DropFolder,
    found: Iterable[tuple[FileDeliveries, list[pa.Table]]],
    owners: Mapping[Place, str],
    renames: Renames,
) -> dict[Place, str]:
    """Find which of the account-sessions that count lack rows."""
    incomplete: dict[Place, str] = {}
    for deliveries, _ in found:
        name = deliveries.parsed.path.name
        stated = {place: entry.stated_count for place, entry in drop.entries.get(name, {}).items()}
        lacking = find_incomplete(deliveries, count_differences(deliveries, stated))
        for (account_id, session_date), why in lacking.items():
            if owners.get((account_id, session_date)) == name:
                incomplete[renames.current_name(account_id, session_date), session_date] = why
    return incomplete


def _open(folder: Path, settings: Settings) -> tuple[DropFolder, RowRules]:
    now = dt.datetime.now(dt.UTC)
    rules = RowRules(settings, now.astimezone(exchange_zone()).date())
    return open_folder(folder, now, settings.account_pattern, settings.fills_mapping), rules


def _parse(
    paths: Iterable[Path], rules: RowRules, mappings: Mapping[str, FillsMapping]
) -> tuple[list[Parsed], RowRules]:
    """Parse files; if some of their accounts collide, once more with these names."""
    parsed = _parse_once(paths, rules, mappings)
    collisions = find_collisions({name for one, _ in parsed for name in one.account_ids})
    if not collisions:
        return parsed, rules
    rules = replace(rules, collisions=collisions)
    return _parse_once(paths, rules, mappings), rules


def _parse_once(paths: Iterable[Path], rules: RowRules, mappings: Mapping[str, FillsMapping]) -> list[Parsed]:
    parser, parsed = Parser(rules), []
    for path in paths:
        tables: list[pa.Table] = []
        parsed.append((parser.parse(path, tables.append, mappings.get(path.name)), tables))
    return parsed


def _executions(
    found: Iterable[tuple[FileDeliveries, list[pa.Table]]],
    owners: Mapping[Place, str],
    renames: Renames,
) -> tuple[pd.DataFrame, list[Notice]]:
    """Put the executions that count into one table, under the names that accounts have now."""
    tables, corrections = [SELECTED.empty_table()], [pd.DataFrame(columns=SELECTED.names)]
    places, file_names = list[Place](), list[str]()
    for deliveries, blocks in found:
        name, offset = deliveries.parsed.path.name, len(places)
        is_owned = np.array([owners.get(place) == name for place in deliveries.places], bool)
        for block in blocks:
            table = deliveries.select(block, is_owned)
            tables.append(
                table.set_column(0, EXECUTIONS.field(0), compute.add(table["place"], pa.scalar(offset, pa.int32())))
            )
        blocks.clear()
        for block in deliveries.parsed.corrections:
            numbers = deliveries.numbers[block["place"]]
            ranks = deliveries.ranks_of(block["line_number"].to_numpy())
            listed = block.assign(place=numbers + offset, tie_rank=ranks, file_name=name)
            corrections.append(listed[is_owned[numbers]])
        places += deliveries.places
        file_names += [name] * len(deliveries.places)
    table = pa.concat_tables(tables)
    for name in ("symbol", "currency"):
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, compute.dictionary_encode(table[name]))
    numbers = table["place"].to_numpy()
    executions = _with_accounts(table.drop_columns(["kind"]).to_pandas(), places, renames)
    executions["file_name"] = pd.Categorical(file_names)[numbers] if places else []
    stated = _with_accounts(pd.concat(corrections), places, renames)
    corrected, notices = apply_corrections(executions, stated)
    # Of merged accounts one comes before the other, as their deliveries do in the warehouse.
    ordered = corrected.sort_values("delivered_as", kind="stable", ignore_index=True)
    return ordered.drop(columns=["delivered_as", "order_id"]), notices


def _with_accounts(frame: pd.DataFrame, places: Sequence[Place], renames: Renames) -> pd.DataFrame:
    """Name account and session in place of their number."""
    numbers = frame.pop("place").to_numpy(np.int64)
    frame["instant"] = frame.pop("microsecond").to_numpy(np.int64)
    current = [renames.current_name(*place) for place in places]
    delivered_as, days = [name for name, _ in places], [day.toordinal() for _, day in places]
    return frame.assign(
        account_id=pd.Categorical(current)[numbers] if places else [],
        delivered_as=pd.Categorical(delivered_as)[numbers] if places else [],
        day=np.array(days, np.int64)[numbers],
    )


def _zero_price_notices(executions: pd.DataFrame) -> Iterator[Notice]:
    """Warn of executions at price 0 that are no options; what expires, is assigned or exercised has that price."""
    free = executions[executions["price"] == 0].sort_values(["file_name", "line_number"])
    columns = ("file_name", "line_number", "account_id", "symbol")
    for file_name, line_number, account_id, symbol in zip(*(free[name].tolist() for name in columns), strict=True):
        if kind_of(symbol) != "option":
            sentence = (
                f"{file_name} line {line_number}, account {shorten(account_id)}: price 0 of {symbol}, which is no "
                "option. It counts as received or given for nothing. Correct the price at the source if that is wrong."
            )
            yield Notice(file_name, "price 0", sentence)


def with_multipliers(instruments: Iterable[Instrument], stated: Iterable[Instrument]) -> list[Instrument]:
    """Add the multipliers that executions state; an instruments file has the last word about a symbol and day."""
    by_subject = {(row.valid_from, row.symbol): row for row in stated}
    return list((by_subject | {(row.valid_from, row.symbol): row for row in instruments}).values())


def fills_of(executions: pd.DataFrame) -> Iterator[Fill]:
    """Yield the rows of `read_drop` as fills."""
    names = (
        "account_id",
        "day",
        "instant",
        "tie_rank",
        "side",
        "quantity",
        "symbol",
        "price",
        "currency",
        "fees_usd",
    )
    for account_id, day, instant, tie_rank, side, quantity, symbol, price, currency, fees_usd in zip(
        *(executions[name].tolist() for name in names), strict=True
    ):
        yield Fill(
            account_id,
            dt.date.fromordinal(day),
            dt.datetime.fromtimestamp(instant / 1_000_000, dt.UTC),
            tie_rank,
            chr(side),
            Decimal(quantity).scaleb(-SCALE),
            symbol,
            Decimal(price).scaleb(-SCALE),
            currency or None,
            Decimal(fees_usd).scaleb(-SCALE),
        )


def read_stated(
    folder: Path, settings: Settings, marks: Path | None = None
) -> tuple[Statements, list[Reject], list[Notice]]:
    """Read the reference files of a file drop; they have no publication time.

    Parameters
    ----------
    marks
        File of closing prices in place of those in the folder.

    Raises
    ------
    InputError
        If the folder or any such file cannot be used as a whole.
    """
    drop, rules = _open(folder, settings)
    files = drop.reference_files | ({MARKS.name: (marks.resolve(),)} if marks is not None else {})
    wanted = (*Statements._fields, ACCOUNTS.name)
    specs = [spec for spec in FILE_SPECS if spec.name in wanted]
    read = {spec.name: read_reference_files(spec, files[spec.name], rules) for spec in specs}
    stated = Statements(**{name: read[name][0] for name in Statements._fields})
    renames = Renames(read[ACCOUNTS.name][0])
    rejects = [reject for name in Statements._fields for reject in read[name][1]]
    notices = [notice for name in Statements._fields for notice in read[name][2]]
    return stated._replace(adjustments=[renames.rebooked(each) for each in stated.adjustments]), rejects, notices


def newest_session(folder: Path, settings: Settings) -> dt.date:
    """Return the last session with executions in a file drop.

    Raises
    ------
    InputError
        If the folder does not exist or no file in it holds an execution; names the files that cannot be read.
    """
    drop, rules = _open(folder, settings)
    reasons = [item.reason for item in drop.quarantined]
    days: set[dt.date] = set()
    for newest_possible, path in _newest_first(drop):
        if days and newest_possible is not None and newest_possible <= max(days):
            break
        try:
            days |= _sessions(path, rules.today, drop.mappings.get(path.name))
        except InputError as error:
            reasons.append(str(error))
    if not days:
        listed = "".join(f"\n- {reason}" for reason in say_first(reasons, "more problems."))
        raise InputError(f"No file in {folder} holds an execution: there is no session to run for.{listed}")
    return max(days)


def _newest_first(drop: DropFolder) -> list[tuple[dt.date | None, Path]]:
    """List the files, the ones that may hold the newest session first, with that session where a manifest says it."""
    if not drop.entries:
        return [(None, path) for path in drop.fills]
    listed = [(max(session_date for _, session_date in drop.entries[path.name]), path) for path in drop.fills]
    return sorted(listed, reverse=True)


def _sessions(path: Path, today: dt.date, mapping: FillsMapping | None) -> set[dt.date]:
    """List the sessions in one file."""
    found: set[tuple[str, bool]] = set()
    is_future = TextRule(lambda text: (kind_of(read_symbol(text) or "") == "future",), bool)
    with ExecutionFile(path, mapping) as file:
        for block in file.blocks({"date_time", "symbol"}):
            codes, texts = pd.factorize(block.texts["date_time"])
            pairs = np.unique(2 * codes + is_future(block.texts["symbol"])[0])
            found.update((texts[pair // 2], pair % 2 == 1) for pair in pairs.tolist())
    moments = [(moment_of(text, today), is_a_future) for text, is_a_future in found]
    return {session_at(moment.wall_time, is_future=is_a_future) for moment, is_a_future in moments if not moment.code}


def _newest_versions(entries: Mapping[str, Mapping[Place, Entry]], as_of: dt.datetime | None) -> dict[Place, str]:
    """Pick the file of the newest version of each account-session.

    Raises
    ------
    InputError
        If two versions were published at the same instant.
    """
    versions: defaultdict[Place, list[Entry]] = defaultdict(list)
    for named in entries.values():
        for place, entry in named.items():
            if as_of is None or entry.published_at <= as_of:
                versions[place].append(entry)
    newest = {}
    for place, rivals in versions.items():
        last = max(rivals, key=lambda entry: entry.published_at)
        _reject_rivals(place, [entry.file_name for entry in rivals if entry.published_at == last.published_at])
        newest[place] = last.file_name
    return newest


def _find_owners(found: Iterable[tuple[FileDeliveries, list[pa.Table]]]) -> dict[Place, str]:
    """Name the one file of each account-session, where no manifest does."""
    names: defaultdict[Place, set[str]] = defaultdict(set)
    for deliveries, _ in found:
        for place in deliveries.places:
            names[place].add(deliveries.parsed.path.name)
    for place, files in names.items():
        _reject_rivals(place, files)
    return {place: min(files) for place, files in names.items()}


def _reject_rivals(place: Place, names: Collection[str]) -> None:
    if len(names) > 1:
        raise InputError(
            f"{' and '.join(sorted(names))} both deliver account {place[0]} for session {place[1]} and nothing says "
            "which is newer. Remove one, or name both with published_at in manifest.csv."
        )
