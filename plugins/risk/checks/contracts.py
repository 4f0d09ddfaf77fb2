"""Checks that the multiplier of everything traded in a session is known, and that each contract has one spelling."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from risk.core.multipliers import UNITS, Multipliers, double_spelling, double_spellings, unknown_contract
from risk.core.runs import Run
from risk.core.symbols import kind_of
from risk.core.warehouse import Connection, rows

_SCALE: Final[int] = 10**8
"""Of multipliers, as the statement reads them."""


class Finding(NamedTuple):
    """A row of ``session_findings``."""

    check_name: str
    subject: str
    observed: str
    finding: str


def contract_findings(connection: Connection, run: Run, symbols: Iterable[str]) -> Iterator[Finding]:
    """Find the contracts of a run's session whose multiplier is unknown, or that an account trades in two spellings.

    If every account that traded is hit, nothing of the desk's session is money: one more finding says so.

    Parameters
    ----------
    symbols
        What was traded in the session.
    """
    contracts = [symbol for symbol in symbols if kind_of(symbol) not in UNITS]
    if not contracts:
        return
    binds = {"session_date": run.session_date, "as_of": run.as_of, "symbols": contracts}
    accounts: set[str] = set()
    traded: list[tuple[str, str]] = []
    statements: list[tuple[dt.date, str, int | None]] = []
    for kind, account_id, symbol, day, multiplier in rows(connection, "check_fills/select_contracts", binds):
        if kind == "account":
            accounts.add(account_id)
        elif kind == "traded":
            traded.append((account_id, symbol))
        else:
            statements.append((day, symbol, multiplier))
    multipliers = Multipliers(statements, _SCALE)
    unknown = [place for place in traded if multipliers.at(run.session_date, place[1]) is None]
    for account_id, symbol in unknown:
        sentence = unknown_contract(symbol, [account_id], run.session_date)
        yield Finding("contracts_known", f"{account_id} {symbol}", "no multiplier", sentence)
    if double_spellings(contracts):
        yield from _double_spellings(traded, run.session_date)
    if unknown and {account_id for account_id, _ in unknown} == accounts:
        symbol = unknown[0][1]
        named = [account_id for account_id, traded_symbol in unknown if traded_symbol == symbol]
        sentence = (
            f"Every account that traded on {run.session_date} ({len(accounts)}) has a contract whose multiplier is not "
            f"stated, so no result of the desk is known. {unknown_contract(symbol, named, run.session_date)}"
        )
        yield Finding("desk_contracts_known", str(run.session_date), f"{len(accounts)} accounts", sentence)


def _double_spellings(traded: Iterable[tuple[str, str]], session_date: dt.date) -> Iterator[Finding]:
    symbols: defaultdict[str, list[str]] = defaultdict(list)
    for account_id, symbol in traded:
        symbols[account_id].append(symbol)
    for account_id, traded_symbols in symbols.items():
        for names in double_spellings(traded_symbols):
            sentence = double_spelling(account_id, names, session_date)
            yield Finding("contracts_known", f"{account_id} {names[0]}", f"{len(names)} spellings", sentence)
