"""How one file would be loaded, before anything is: the dry run of ``riskctl map``. Nothing is changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from risk.core.errors import InputError, RequestError
from risk.core.exchange import exchange_zone
from risk.core.money import counted
from risk.core.multipliers import Multipliers
from risk.core.settings import Settings
from risk.ingest.deliveries import FileDeliveries, find_deliveries
from risk.ingest.layout import fitting_presets
from risk.ingest.mapping import FillsMapping
from risk.ingest.mapping_files import MAPPING_PATTERN, choose_mappings, named_mapping, read_mapping
from risk.ingest.parse import SCALE, Parser
from risk.ingest.reasons import summarize
from risk.ingest.reference_data import INSTRUMENTS
from risk.ingest.reference_files import read_reference_files
from risk.ingest.rules import RowRules

SHOWN_ROWS: Final = 10
"""So many rows are shown as they would be loaded."""

SHOWN_NAMES: Final = 20
"""So many accounts and contracts are listed."""

ROW_COLUMNS: Final = (
    *(
        "line",
        "time",
        "account_id",
        "session_date",
        "side",
        "quantity",
        "symbol",
        "price",
        "fees_usd",
        "kind",
        "fill_id",
    ),
)


@dataclass(slots=True)
class Preview:
    """What a file says.

    Attributes
    ----------
    mapping
        What turns its columns into ours; ``None`` = it has ours.
    rows
        The first rows as they would be loaded, by ``ROW_COLUMNS``; times of the exchange.
    counts
        ``rows`` of the file, and how many of them are ``loaded``, ``rejected``, ``repeated`` (one is kept) and
        ``ignored`` because the mapping says so.
    accounts, sessions
        Those of good rows, ascending.
    unknown_contracts
        Symbols whose multiplier nobody states, ascending.
    rejected
        Why rows are rejected, in few sentences.
    """

    file_name: str
    mapping: FillsMapping | None
    rows: list[dict[str, str]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    accounts: list[str] = field(default_factory=list)
    sessions: list[dt.date] = field(default_factory=list)
    unknown_contracts: list[str] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)

    @property
    def facts(self) -> dict[str, Any]:
        """All of it, in few lines however large the file is; for JSON."""
        return {
            "file": self.file_name,
            "mapping": self.mapping.name if self.mapping else None,
            "rows": self.rows,
            "counts": self.counts,
            "account_count": len(self.accounts),
            "accounts": self.accounts[:SHOWN_NAMES],
            "session_count": len(self.sessions),
            "first_session": str(self.sessions[0]) if self.sessions else None,
            "last_session": str(self.sessions[-1]) if self.sessions else None,
            "unknown_contract_count": len(self.unknown_contracts),
            "unknown_contracts": self.unknown_contracts[:SHOWN_NAMES],
            "rejected": self.rejected,
        }

    def sentences(self) -> Iterator[str]:
        """Yield it in sentences."""
        through = f"read through the mapping {self.mapping.name}" if self.mapping else "read with our own columns"
        counts = self.counts
        said = [f"{counts['rows']:,} rows {through}: {counts['loaded']:,} would be loaded"]
        said += [f"{counts[name]:,} {name}" for name in ("rejected", "repeated", "ignored") if counts[name]]
        yield f"{self.file_name}: {', '.join(said)}."
        if self.sessions:
            span = f"{self.sessions[0]} to {self.sessions[-1]}" if len(self.sessions) > 1 else str(self.sessions[0])
            sessions = f"{counted(len(self.sessions), 'session')} ({span})"
            yield f"{sessions}, {counted(len(self.accounts), 'account')}: {_listed(self.accounts)}."
        if self.unknown_contracts:
            yield (
                f"No multiplier is stated of {_listed(self.unknown_contracts)}: their account-sessions stay without "
                "P&L. Write instruments.csv with Date,Symbol,Multiplier; the root of a future, such as /ES, is enough."
            )
        yield from self.rejected


def preview_file(path: Path, settings: Settings) -> Preview:
    """Read a file as a load would, and say what would come of it.

    Parameters
    ----------
    settings
        Its ``fills_mapping`` reads the file, unless a mapping file beside it claims it.

    Raises
    ------
    RequestError
        If there is no such file or mapping.
    InputError
        If the file cannot be used as a whole; names the presets that fit its header.
    """
    if not path.is_file():
        raise RequestError(f"There is no file {path}: name the file to look at with --file.")
    mapping = _mapping_of(path, settings)
    try:
        return _preview(path, settings, mapping)
    except InputError as error:
        fitting = fitting_presets(path) if mapping is None else []
        hint = f" Its header fits the preset {' or '.join(fitting)}: add --mapping {fitting[0]}." if fitting else ""
        raise InputError(f"{error}{hint}") from None


def _mapping_of(path: Path, settings: Settings) -> FillsMapping | None:
    """Choose the mapping of a file as a load of its folder would; one that is named reads any file."""
    if settings.fills_mapping:
        return named_mapping(settings.fills_mapping)
    beside = [read_mapping(found) for found in sorted(path.parent.glob(MAPPING_PATTERN))]
    chosen, contested = choose_mappings((path.name,), beside, None)
    if contested:
        raise InputError(contested[path.name])
    return chosen.get(path.name)


def _preview(path: Path, settings: Settings, mapping: FillsMapping | None) -> Preview:
    rules = RowRules(settings, dt.datetime.now(exchange_zone()).date())
    symbols: set[str] = set()
    first: list[pa.Table] = []

    def note(table: pa.Table) -> None:
        symbols.update(table["symbol"].unique().to_pylist())
        if sum(map(len, first)) < SHOWN_ROWS:
            first.append(table.slice(0, SHOWN_ROWS))

    parsed = Parser(rules).parse(path, note, mapping)
    found = find_deliveries(parsed, rules)
    counts = found.counts[["row_count", "loaded_count", "duplicate_count"]].sum()
    return Preview(
        path.name,
        mapping,
        list(_rows(found, first))[:SHOWN_ROWS],
        {
            "rows": parsed.record_count + parsed.ignored_count,
            "loaded": int(counts["loaded_count"]),
            "rejected": len(found.rejects),
            "repeated": int(counts["duplicate_count"]),
            "ignored": parsed.ignored_count,
        },
        sorted({account_id for account_id, _ in found.places}),
        sorted({session_date for _, session_date in found.places}),
        _unknown(path, found, symbols, rules),
        summarize(one.reject.notice for one in found.rejects),
    )


def _rows(found: FileDeliveries, first: list[pa.Table]) -> Iterator[dict[str, str]]:
    """Write the first executions as they would be loaded."""
    for row in chain.from_iterable(table.to_pylist() for table in first):
        account_id, session_date = list(found.parsed.places)[row["place"]]
        instant = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=row["microsecond"])
        quantity, price, fees = (_plain(row[name]) for name in ("quantity", "price", "fees_usd"))
        time = f"{instant.astimezone(exchange_zone()).replace(tzinfo=None)}"
        stated = (str(row["line_number"]), time, account_id, str(session_date), chr(row["side"]), quantity)
        yield dict(zip(ROW_COLUMNS, (*stated, row["symbol"], price, fees, row["kind"], row["fill_key"]), strict=True))


def _plain(scaled: int) -> str:
    return f"{Decimal(scaled).scaleb(-SCALE).normalize():f}"


def _unknown(path: Path, found: FileDeliveries, symbols: set[str], rules: RowRules) -> list[str]:
    """List the symbols whose multiplier neither the file, nor an instruments file beside it, nor their form tells."""
    stated = [row for _, row in found.parsed.multipliers.statements(None)]
    stated += read_reference_files(INSTRUMENTS, sorted(path.parent.glob(f"{INSTRUMENTS.name}*.csv")), rules)[0]
    scaled = (
        (row.valid_from, row.symbol, None if row.multiplier is None else int(row.multiplier.scaleb(SCALE)))
        for row in stated
    )
    multipliers = Multipliers(scaled, 10**SCALE)
    last = max((session_date for _, session_date in found.places), default=dt.date.min)
    return sorted(symbol for symbol in symbols if multipliers.at(last, symbol) is None)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    return ", ".join(names[:SHOWN_NAMES]) + more
