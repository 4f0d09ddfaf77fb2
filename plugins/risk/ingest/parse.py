"""The one parser of executions, for the warehouse and for `riskctl pnl`: a file becomes typed columns and rejects.

A column is reduced to its distinct texts, each of these is given to a rule of `risk.ingest.rules` once, and the rows
take the answers by number. Only plain decimals with many distinct values are read all at once, exactly.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from risk.core.errors import InputError
from risk.core.exchange import at_exchange, exchange, exchange_zone
from risk.core.symbols import kind_of, read_symbol
from risk.ingest.amounts import fits, number
from risk.ingest.evidence import DateEvidence, StatedMultipliers, refuse_decimal_commas
from risk.ingest.layout import ExecutionFile
from risk.ingest.mapping import FillsMapping
from risk.ingest.order import ROW_DTYPES, Rows
from risk.ingest.rules import NO_IDS, Named, Reject, RowRules, currency_of, may_be_execution, multiplier_of, sum_fees
from risk.ingest.streams import Block, Record
from risk.ingest.times import DATE_ORDERS, moment_of, session_at, session_of
from risk.ingest.words import FEE_COLUMNS, IDS, READ_COLUMNS, SAID_COLUMNS, UNNAMED, route_of, side_of

Place = tuple[str, dt.date]
"""An account and a session."""

EXECUTIONS: Final = pa.schema(
    [
        ("place", pa.int32()),
        ("line_number", pa.int64()),
        ("microsecond", pa.int64()),
        ("is_time_unknown", pa.bool_()),
        ("side", pa.uint8()),
        ("quantity", pa.int64()),
        ("price", pa.int64()),
        ("fees_usd", pa.int64()),
        ("symbol", pa.string()),
        ("currency", pa.string()),
        ("fill_key", pa.string()),
        ("order_id", pa.string()),
        ("route", pa.string()),
        ("kind", pa.string()),
    ]
)
"""Good records: ``place`` is the number of an account and session in the file, ``microsecond`` counts from 1970 UTC,
``side`` is an ASCII code, amounts are scaled by 1e8, a blank text is empty."""

SCALE: Final = 8
SMALL_FEE: Final = Decimal(10) ** 9
"""As many fees below it as there are columns, scaled, sum to less than 64 bits hold."""

PLAIN_DECIMAL: Final = r"^[0-9]{1,9}(\.[0-9]{1,8})?$"
MOST_ANSWERS: Final = 100_000
"""Answers of a rule that are kept for the next block."""

UNPLACED: Final = -1

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_DAY_SPAN: Final = 10_000_000
"""More than the ordinal of any day."""

HASHED: Final = (
    *("microsecond", "side", "quantity", "price", "fees_usd"),
    *("symbol_hash", "currency_hash", "kind_hash", "order_hash", "vendor_hash", "fill_hash"),
)
"""What makes two good records of an account and session the same."""

_NO_ID_HASHES: Final = pd.util.hash_array(np.array(NO_IDS, object))
_BLANK_HASH: Final = _NO_ID_HASHES[0]
_ODD_NUMBERS: Final = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64)
"""Keep the hashes of id, order id and symbol apart in their sum."""


execution_table: Final = partial(pa.Table.from_pandas, schema=EXECUTIONS, preserve_index=False)
"""Makes a table of ``EXECUTIONS`` of a frame of good records."""


class RejectedRecord(NamedTuple):
    """A rejected record, its account, session and place as far as these are good, and a hash of what it says.

    ``is_lost``: whether it may be an execution, which its account-session now lacks.
    """

    reject: Reject
    account_id: str | None
    session_date: dt.date | None
    place: int
    content: int
    is_lost: bool = True


@dataclass(slots=True)
class ParsedFile:
    """What the records of one file say, one by one.

    Attributes
    ----------
    mapping
        What turned its columns into ours; ``None`` = it has ours.
    content_sha256
        Hash of its bytes, and of the mapping.
    record_count
        Records, good and bad.
    ignored_count
        Rows beside them that the mapping ignores.
    account_ids
        Well-formed names of accounts.
    places
        Account and session to number.
    counts
        Sums over the good records of a place, in parts: ``row_count`` and ``content``, a hash that does not depend on
        their order.
    corrections
        Good records that cancel or correct an execution, with their ``content``.
    rows
        Executions, in parts: what their order and their ids are found by.
    dates, multipliers
        What its records say together.
    """

    path: Path
    mapping: FillsMapping | None = None
    content_sha256: str = ""
    record_count: int = 0
    ignored_count: int = 0
    account_ids: set[str] = field(default_factory=set)
    places: dict[Place, int] = field(default_factory=dict)
    counts: list[pd.DataFrame] = field(default_factory=list)
    corrections: list[pd.DataFrame] = field(default_factory=list)
    rejects: list[RejectedRecord] = field(default_factory=list)
    rows: list[Rows] = field(default_factory=list)
    dates: DateEvidence = field(default_factory=DateEvidence)
    multipliers: StatedMultipliers = field(default_factory=StatedMultipliers)


class TextRule:
    """A rule about one text, applied to a column: asked once for each distinct text.

    Parameters
    ----------
    judge
        The rule; answers a tuple, first whether the text is good.
    dtypes
        Of the answer's parts.
    """

    def __init__(self, judge: Callable[[str], tuple[Any, ...]], *dtypes: Any) -> None:
        self.judge = judge
        self.dtypes = dtypes
        self._answers: dict[str, tuple[Any, ...]] = {}

    def __call__(self, texts: pd.Series[str]) -> list[NDArray[Any]]:
        """Return the parts of the answers: arrays with a value for each row."""
        codes, distinct = pd.factorize(texts)
        return self.answers(codes, distinct)

    def answers(self, codes: NDArray[Any], distinct: Iterable[str]) -> list[NDArray[Any]]:
        """Return the answers for rows that take the distinct texts by number."""
        if len(self._answers) > MOST_ANSWERS:
            self._answers.clear()
        answers = []
        for text in distinct:
            if text not in self._answers:
                self._answers[text] = self.judge(text)
            answers.append(self._answers[text])
        parts = zip(*answers, strict=True) if answers else ((),) * len(self.dtypes)
        return [np.array(part, dtype)[codes] for part, dtype in zip(parts, self.dtypes, strict=True)]


class AmountRule(TextRule):
    """A rule about amounts: whether each is good, and the amount scaled by 1e8.

    Plain decimals above zero are good by any such rule. Where many differ they are read all at once, and the rule
    judges the others.
    """

    def __init__(self, judge: Callable[[str], tuple[bool, int]]) -> None:
        super().__init__(judge, bool, np.int64)

    def __call__(self, texts: pd.Series[str]) -> list[NDArray[Any]]:
        """Return whether each amount is good, and the amounts."""
        codes, distinct = pd.factorize(texts)
        return self.answers(codes, distinct) if 8 * len(distinct) < len(texts) else self._read(texts)

    def _read(self, texts: pd.Series[str]) -> list[NDArray[Any]]:
        text = pa.array(texts, pa.string())
        is_plain = compute.match_substring_regex(text, PLAIN_DECIMAL)
        decimals = compute.if_else(is_plain, text, "0").cast(pa.decimal128(18, SCALE))
        # A decimal of 128 bits is the scaled integer; that of a plain one fits its lower half.
        amounts = np.frombuffer(decimals.buffers()[1], np.int64)[::2][: len(texts)].copy()
        is_good = np.asarray(is_plain) & (amounts > 0)
        if not is_good.all():
            is_other = ~is_good
            is_good[is_other], amounts[is_other] = self.answers(*pd.factorize(texts[is_other]))
        return [is_good, amounts]


class Parser:
    """Parses files of executions by one set of rules.

    Parameters
    ----------
    rules
        What makes a record a fill.
    """

    def __init__(self, rules: RowRules) -> None:
        self.rules = rules
        self._names: dict[str, int] = {}
        moment = TextRule(self._judge_moment, bool, np.int64, np.int64, np.int64, bool, np.uint8)
        side = TextRule(lambda text: (side_of(text) is not None, ord(side_of(text) or " ")), bool, np.uint8)
        self._multiplier = TextRule(judge_multiplier, bool, np.int64)
        self._blank = TextRule(lambda text: (not text.strip(" "),), bool)
        symbol = TextRule(judge_symbol, bool, object, np.uint64, bool)
        status, currency = (
            TextRule(partial(judge_word, read), bool, object, np.uint64) for read in (rules.kind_of, currency_of)
        )
        quantity, price, self._fee = map(AmountRule, (judge_quantity, judge_price, judge_fee))
        self._columns: dict[str, tuple[TextRule, tuple[str, ...]]] = {
            "date_time": (moment, ("microsecond", "day", "futures_day", "is_time_unknown", "order")),
            "account": (TextRule(self._judge_account, bool, np.int64), ("account",)),
            "side": (side, ("side",)),
            "quantity": (quantity, ("quantity",)),
            "symbol": (symbol, ("symbol", "symbol_hash", "is_future")),
            "price": (price, ("price",)),
            "status": (status, ("kind", "kind_hash")),
            "currency": (currency, ("currency", "currency_hash")),
            "route": (TextRule(lambda text: (True, route_of(text)), bool, object), ("route",)),
        }

    def parse(self, path: Path, store: Callable[[pa.Table], object], mapping: FillsMapping | None = None) -> ParsedFile:
        """Parse one file.

        Parameters
        ----------
        store
            Is given the executions, about 30,000 at a time.
        mapping
            What turns its columns into ours; ``None`` = it has ours.

        Raises
        ------
        InputError
            If the file cannot be right as a whole.
        """
        parsed = ParsedFile(path, mapping)
        # Named once for the file: reading the setting for every row costs more than the row.
        with at_exchange(exchange().code), ExecutionFile(path, mapping) as file:
            for block in file.blocks(READ_COLUMNS.union(UNNAMED)):
                self._add(parsed, file, block, store)
            parsed.content_sha256, parsed.ignored_count = file.sha256, file.ignored_count
        parsed.dates.refuse_day_first(path.name)
        refuse_decimal_commas(path.name, (one.reject for one in parsed.rejects), _records(path, mapping))
        return parsed

    def _add(self, parsed: ParsedFile, file: ExecutionFile, block: Block, store: Callable[[pa.Table], object]) -> None:
        """Add the records of a block to what a file says, and hand over the good ones."""
        frame, is_good = self._read(block)
        parsed.dates.note(block, frame.pop("order").to_numpy())
        frame["place"] = self._number_places(parsed, frame)
        parsed.record_count += len(frame) + len(block.ragged)
        if block.ragged or not is_good.all():
            self._reject_bad(parsed, file, block, frame, is_good)
        good = frame[is_good]
        if "multiplier" in good:
            parsed.multipliers.note(good, parsed.path.name)
        content = pd.util.hash_pandas_object(good[list(HASHED)], index=False).to_numpy()
        counts = pd.DataFrame({"place": good["place"], "row_count": 1, "content": content})
        parsed.counts.append(counts.groupby("place").sum())
        is_live = (good["kind"] == "live").to_numpy()
        good = good.assign(content=content)
        executions = good[is_live]
        table = execution_table(executions)
        store(table)
        texts = (table[name].combine_chunks() for name in ("fill_key", "order_id"))
        parsed.rows.append(Rows(executions[list(ROW_DTYPES)].astype(ROW_DTYPES), *texts))
        if not is_live.all():
            parsed.corrections.append(good[~is_live])

    def _reject_bad(
        self, parsed: ParsedFile, file: ExecutionFile, block: Block, frame: pd.DataFrame, is_good: NDArray[np.bool_]
    ) -> None:
        """Judge the records that are not plainly good one by one: set the bad ones aside, pass over blank ones."""
        for record in block.ragged:
            if _is_blank(record):
                parsed.record_count -= 1
                continue
            ragged = dict(zip(file.names, record.fields, strict=False))
            reason = self.rules.sentence(parsed.path.name, record.line_number, ["ragged"], file.names, record.fields)
            self._reject(parsed, record, ["ragged"], reason, ragged, (UNPLACED, UNPLACED, UNPLACED))
        numbers = frame[["account", "day", "place"]].to_numpy()
        for row in np.flatnonzero(~is_good).tolist():
            record = _record(parsed, block, row)
            if _is_blank(record):
                parsed.record_count -= 1
                continue
            named = file.named(record)
            codes = self.rules.codes_of(named)
            if codes:
                where = (parsed.path.name, record.line_number)
                reason = self.rules.sentence(*where, codes, tuple(named), tuple(named.values()))
                self._reject(parsed, record, codes, reason, named, numbers[row].tolist())
            else:  # Fees that are good together only.
                frame.loc[row, "fees_usd"], is_good[row] = scaled(sum_fees(named)), True

    def _read(self, block: Block) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
        """Apply the rules column by column; return the values, and which records are good as far as these say."""
        texts = block.texts.reindex(columns=sorted(READ_COLUMNS), fill_value="")
        is_good = np.ones(len(texts), bool)
        values: dict[str, Any] = {"line_number": block.line_numbers}
        for name, (rule, parts) in self._columns.items():
            is_right, *answers = rule(texts[name])
            is_good &= is_right
            values |= zip(parts, answers, strict=True)
        values["day"] = np.where(values.pop("is_future"), values.pop("futures_day"), values["day"])
        if "multiplier" in block.texts:
            is_right, values["multiplier"] = self._multiplier(block.texts["multiplier"])
            is_good &= is_right
        for name in block.texts.columns.intersection(list(UNNAMED)):
            is_good &= self._blank(block.texts[name])[0]
        values["fees_usd"] = np.zeros(len(texts), np.int64)
        for name in FEE_COLUMNS:
            if name in block.texts:
                is_right, fees_usd = self._fee(block.texts[name])
                is_good &= is_right
                values["fees_usd"] += fees_usd
        values |= _read_ids(texts, block.texts.columns, values["symbol_hash"])
        is_good &= (values["kind"] == "live") | (values["fill_key"] != "").to_numpy()
        return pd.DataFrame(values), is_good

    def _number_places(self, parsed: ParsedFile, frame: pd.DataFrame) -> NDArray[np.int64]:
        """Return the number of the account and session of each record, where both are good."""
        accounts, days = frame["account"].to_numpy(), frame["day"].to_numpy()
        names = list(self._names)
        parsed.account_ids.update(names[number] for number in np.unique(accounts[accounts != UNPLACED]))
        places = np.full(len(frame), UNPLACED, np.int64)
        is_placed = (accounts != UNPLACED) & (days != UNPLACED)
        codes, distinct = pd.factorize(accounts[is_placed] * _DAY_SPAN + days[is_placed])
        pairs = [(names[pair // _DAY_SPAN], dt.date.fromordinal(pair % _DAY_SPAN)) for pair in distinct.tolist()]
        numbers = [parsed.places.setdefault(pair, len(parsed.places)) for pair in pairs]
        places[is_placed] = np.array(numbers, np.int64)[codes]
        return places

    def _reject(
        self,
        parsed: ParsedFile,
        record: Record,
        codes: list[str],
        reason: str,
        named: Mapping[str, str],
        numbers: Sequence[int],
    ) -> None:
        """Set a record aside; ``numbers`` are those of its account, the day of its session and its place."""
        account, day, place = numbers
        content = sorted((name, text) for name, text in named.items() if text and name in SAID_COLUMNS - {"account"})
        parsed.rejects.append(
            RejectedRecord(
                Reject(parsed.path.name, record.line_number, record.raw_text, reason, ", ".join(codes)),
                None if account == UNPLACED else list(self._names)[account],
                None if day == UNPLACED else dt.date.fromordinal(day),
                place,
                _hash(repr(content)),
                may_be_execution(named),
            )
        )

    def _judge_moment(self, text: str) -> tuple[bool, int, int, int, bool, int]:
        """Judge a Date/Time: microsecond, ordinals of its session and a future's, is it unknown, its date order."""
        moment = moment_of(text, self.rules.today)
        order = DATE_ORDERS.index(moment.order)
        if moment.code:
            return False, 0, UNPLACED, UNPLACED, False, order
        wall_time = moment.wall_time
        microseconds = (wall_time.replace(tzinfo=exchange_zone()) - _EPOCH) // dt.timedelta(microseconds=1)
        day = session_of(wall_time.date()).toordinal()
        futures_day = session_at(wall_time, is_future=True).toordinal()
        return True, microseconds, day, futures_day, moment.is_time_unknown, order

    def _judge_account(self, text: str) -> tuple[bool, int]:
        """Judge an account name: whether it is good, and its number where it is well-formed."""
        name = text.strip(" ")
        code = self.rules.account_code(name)
        return code is None, UNPLACED if code == "account_name" else self._names.setdefault(name, len(self._names))


def judge_multiplier(text: str) -> tuple[bool, int]:
    """Judge a multiplier; 0 where none is stated."""
    value = multiplier_of(text)
    return (False, 0) if value is None else (True, scaled(value))


def judge_quantity(text: str) -> tuple[bool, int]:
    """Judge a quantity."""
    is_good, quantity = judge_price(text)
    return (True, quantity) if is_good and quantity else (False, 0)


def judge_price(text: str) -> tuple[bool, int]:
    """Judge a price: 0 is one, of what expires, is assigned or given."""
    value = number(text)
    return (True, scaled(value)) if value is not None and fits(value) and value >= 0 else (False, 0)


def judge_fee(text: str) -> tuple[bool, int]:
    """Judge a fee by itself; where one is large or fine, all fees of the record are judged together."""
    value = number(text) if text else Decimal(0)
    return (True, scaled(value)) if value is not None and fits(value) and abs(value) < SMALL_FEE else (False, 0)


def scaled(value: Decimal) -> int:
    """Return a value with at most 8 decimals as a number of 1e-8."""
    return int(value.scaleb(SCALE))


def judge_word(read: Callable[[str], str | None], text: str) -> tuple[bool, str, int]:
    """Judge a word by a rule that reads it or answers ``None``: whether it is good, the word, and a hash of it."""
    word = read(text)
    return word is not None, word or "", _hash(word or "")


def judge_symbol(text: str) -> tuple[bool, str, int, bool]:
    """Judge a symbol: whether it is good, the symbol, a hash of it, and whether it is a future by its form."""
    is_good, symbol, content = judge_word(read_symbol, text)
    return is_good, symbol, content, kind_of(symbol) == "future"


def _records(path: Path, mapping: FillsMapping | None) -> Iterator[tuple[Record, Named]]:
    with ExecutionFile(path, mapping) as file:
        yield from file.records()


def _record(parsed: ParsedFile, block: Block, row: int) -> Record:
    """Return one record of a block.

    Raises
    ------
    InputError
        If it has a field that is too long for the csv module.
    """
    try:
        return block.record(row)
    except csv.Error as error:
        raise InputError(
            f"{parsed.path.name} line {block.line_numbers[row]} cannot be read ({error}): it is no CSV of executions. "
            "Replace the file with a new export."
        ) from None


def _is_blank(record: Record) -> bool:
    """Tell whether a record has no text: spreadsheets leave lines of delimiters behind."""
    return not any(text.strip() for text in record.fields)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


def _without_padding(texts: pd.Series[str]) -> pd.Series[str]:
    return texts.str.strip(" ") if texts.str.contains(" ", regex=False).any() else texts


def _read_ids(texts: pd.DataFrame, there: Collection[str], symbol_hash: NDArray[np.uint64]) -> dict[str, Any]:
    """Read the ids of orders and executions, with hashes of them; blanks around them say nothing."""
    texts = texts[list(IDS.values())].apply(_without_padding)
    order_hash, vendor_hash, fill_hash = (
        pd.util.hash_array(texts[name].to_numpy(object), categorize=False)
        if name in there
        else np.full(len(texts), _BLANK_HASH)
        for name in ("order_id", "propreports_id", "fill_id")
    )
    has_vendor_id, has_fill_id = (~np.isin(hashes, _NO_ID_HASHES) for hashes in (vendor_hash, fill_hash))
    has_id, id_hash = has_vendor_id | has_fill_id, np.where(has_vendor_id, vendor_hash, fill_hash)
    fill_key = texts["propreports_id"].where(has_vendor_id, texts["fill_id"])
    whole = id_hash * _ODD_NUMBERS[0] + order_hash * _ODD_NUMBERS[1] + symbol_hash * _ODD_NUMBERS[2]
    return {
        "fill_key": fill_key if has_id.all() else fill_key.where(has_id, ""),
        "order_id": texts["order_id"],
        "order_hash": order_hash,
        "vendor_hash": vendor_hash,
        "fill_hash": fill_hash,
        "key_hash": np.where(has_id, whole | 1, np.uint64(0)),
        "has_own_id": has_id & (id_hash != order_hash),
    }
