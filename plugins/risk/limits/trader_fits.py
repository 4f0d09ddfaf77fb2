"""Whether the base limits of a trader with several accounts fit his losses together.

The running P&L of each account is known along its own fills only, so what several accounts had lost together at one
instant is not stored. The largest loss of their sum lies between two numbers that are: the loss at the close, and the
sum of the accounts' largest losses, as if all had been at their lows at once. Both are reviewed like the losses of one
account (`risk.limits.fit`) against the sum of the base limits; a verdict holds where both give it. The band reaches
from the lower end of the one to the upper end of the other. There is no forecast of a sum, and no proposal: limits are
set per account.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from risk.core.money import counted, percent, usd, usd_exact
from risk.core.runs import Run
from risk.core.warehouse import Connection, execute, rows
from risk.limits.fit import LimitFit, LossRecord, review_limits
from risk.limits.policy import AccountPolicy, DeskTerms

NOT_KNOWN = "not known"


@dataclass(frozen=True, slots=True)
class TraderRecord:
    """What is known of a trader: his accounts, and his losses under either way of adding them up.

    Attributes
    ----------
    trader_name, account_ids
        The person, and his accounts that get a limit, by name.
    at_close, at_lows
        The losses of the accounts' sum at the close, and the sums of their largest losses; base limits added up.
    """

    trader_name: str
    account_ids: tuple[str, ...]
    at_close: LossRecord
    at_lows: LossRecord


@dataclass(frozen=True, slots=True)
class TraderFit:
    """Whether the base limits of a trader fit; a row of the table ``trader_fits``, whose comments say what each is."""

    trader_name: str
    account_ids: tuple[str, ...]
    base_limit_usd: Decimal
    session_count: int
    stopped_count: int
    close_use_ratio: float | None
    lows_use_ratio: float | None
    close_hit_count: int
    lows_hit_count: int
    close_hit_low_ratio: float
    lows_hit_high_ratio: float
    band_low_usd: Decimal | None
    band_high_usd: Decimal | None
    verdict: str
    sentence: str


def review_traders(records: Sequence[TraderRecord]) -> list[TraderFit]:
    """Review the base limits of every trader; the shape of the tail is that of all of them.

    Returns
    -------
    list
        In the order of the records.
    """
    at_close = review_limits([record.at_close for record in records])
    at_lows = review_limits([record.at_lows for record in records])
    return [_fit(*known) for known in zip(records, at_close, at_lows, strict=True)]


def read_trader_records(
    connection: Connection, run: Run, terms: DeskTerms, account_ids: Sequence[str]
) -> list[TraderRecord]:
    """Read the losses of every trader with several of the accounts that get a limit, by name, as a run knows them.

    Parameters
    ----------
    connection
        The warehouse; receipts must be up to date, see `risk.limits.receipt_rows.store_receipts`.
    run
        Whose session is the last one that is known.
    terms
        The policy, and the base limits.
    account_ids
        The accounts that get a limit.
    """
    binds = {"effective_session": run.effective_session, "as_of": run.as_of}
    accounts: dict[str, list[str]] = defaultdict(list)
    for account_id, trader_name in rows(connection, "apply_rules/select_traders", binds):
        if account_id in account_ids:
            accounts[trader_name].append(account_id)
    several = {name: tuple(sorted(own)) for name, own in sorted(accounts.items()) if len(own) > 1}
    listed = [(account_id, name) for name, own in several.items() for account_id in own]
    asked = {
        "account_ids": [account_id for account_id, _ in listed],
        "trader_names": [name for _, name in listed],
        "through_session_date": run.session_date,
    }
    sessions: dict[str, list[tuple[Decimal, Decimal, bool]]] = defaultdict(list)
    for name, *session in rows(connection, "apply_rules/select_trader_sessions", asked) if listed else ():
        sessions[name].append((session[0], session[1], session[2]))
    return [_record(name, own, terms, sessions[name]) for name, own in several.items()]


def store_trader_fits(connection: Connection, run: Run, fits: Sequence[TraderFit]) -> None:
    """Replace what a run says of how the limits of traders fit; the caller holds the write lock."""
    new_rows = json.dumps([asdict(fit) for fit in fits], default=str)
    execute(connection, "apply_rules/replace_trader_fits", {"run_id": run.run_id, "fits": new_rows})


def trader_sentence(row: Mapping[str, Any]) -> str:
    """Say for people who it is, and whether his limits fit: ``T. Jones (NET001, NET002), $10,000 together: fits``."""
    names = ", ".join(row["account_ids"])
    return f"{row['trader_name']} ({names}), {usd_exact(row['base_limit_usd'])} together: {row['sentence']}"


def _record(
    name: str, account_ids: tuple[str, ...], terms: DeskTerms, sessions: Sequence[tuple[Decimal, Decimal, bool]]
) -> TraderRecord:
    own = [terms.of(account_id) for account_id in account_ids]
    # Accounts under different values of the policy are judged together by those of the desk.
    policy = own[0].policy if all(one.policy is own[0].policy for one in own) else terms.document.desk
    together = AccountPolicy(policy, sum((one.base_limit_usd for one in own), Decimal(0)))
    closes = np.array([max(-close_usd, Decimal(0)) for close_usd, _, _ in sessions], np.float64)
    lows = np.array([lows_usd for _, lows_usd, _ in sessions], np.float64)
    is_stopped = np.array([stopped for _, _, stopped in sessions], np.bool_)
    at_close, at_lows = (LossRecord(name, together, losses, is_stopped) for losses in (closes, lows))
    return TraderRecord(name, account_ids, at_close, at_lows)


def _fit(record: TraderRecord, at_close: LimitFit, at_lows: LimitFit) -> TraderFit:
    verdict = at_close.verdict if at_close.verdict == at_lows.verdict else NOT_KNOWN
    return TraderFit(
        trader_name=record.trader_name,
        account_ids=record.account_ids,
        base_limit_usd=at_close.base_limit_usd,
        session_count=at_close.session_count,
        stopped_count=at_close.stopped_count,
        close_use_ratio=at_close.largest_use_ratio,
        lows_use_ratio=at_lows.largest_use_ratio,
        close_hit_count=at_close.hit_count,
        lows_hit_count=at_lows.hit_count,
        close_hit_low_ratio=at_close.hit_low_ratio,
        lows_hit_high_ratio=at_lows.hit_high_ratio,
        band_low_usd=at_close.band_low_usd,
        band_high_usd=at_lows.band_high_usd,
        verdict=verdict,
        sentence=_sentence(verdict, at_close, at_lows),
    )


def _sentence(verdict: str, at_close: LimitFit, at_lows: LimitFit) -> str:
    if verdict in ("limited history", "fits"):
        return at_close.sentence
    days = counted(at_close.session_count, "day")
    if verdict == "never reached":
        return (
            f"never reached: the accounts' lows add up to at most {percent(at_lows.largest_use_ratio or 0)} in {days}"
        )
    reached = (
        f"reached at the close on {at_close.hit_count} of {days}, with every account at its low on {at_lows.hit_count}"
    )
    if verdict == "too large":
        return f"losses too large for the limits together: {reached}{_band(at_close, at_lows)}"
    return f"not known: {reached}; how far their lows coincide is not stored"


def _band(at_close: LimitFit, at_lows: LimitFit) -> str:
    if at_close.band_low_usd is None or at_lows.band_high_usd is None:
        return ""
    least = "at least " if at_lows.is_band_open else ""
    return (
        f". (For information: a fitting limit is {usd(at_close.band_low_usd)} to {least}{usd(at_lows.band_high_usd)}.)"
    )
