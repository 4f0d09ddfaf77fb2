"""The excerpt of a report for one group of the policy: its accounts, with everything computed for them alone.

Nothing of an account outside the group is in it, neither its name nor an amount that it is part of: the desk's totals,
its tail and the record of past cuts are left out, warnings about others are only counted.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from decimal import Decimal

from risk.core.money import counted
from risk.core.policy import Group
from risk.core.runs import Run
from risk.core.warehouse import Connection
from risk.limits.change_approvals import pending_sentences
from risk.limits.confirmations import platform_sentences
from risk.limits.policy import DeskTerms
from risk.report.build_facts import account_warnings, read_exposures
from risk.report.facts import AccountFacts, Counts, DeskFacts, ExposureFacts, Facts, WarningFacts
from risk.report.receipt_facts import LimitUseFacts, readable

TRADED = "delivered"
"""State of an account with fills of the session."""


def group_members(group: Group, terms: DeskTerms, account_ids: Collection[str]) -> frozenset[str]:
    """Return those of some accounts that the roster puts into a group."""
    name = group.name.strip().lower()
    return frozenset(one for one in account_ids if terms.groups.get(one, "").strip().lower() == name)


def build_excerpt(connection: Connection, run: Run, facts: Facts, members: frozenset[str]) -> Facts:
    """Return the facts of a report about some accounts alone.

    Parameters
    ----------
    facts
        Of the report.
    members
        The accounts.

    Returns
    -------
    Facts
        The same facts at every attempt.
    """
    accounts = tuple(one for one in facts.accounts if one.account_id in members)
    use = facts.limit_use
    levels = [one.level for one in accounts]
    return replace(
        facts,
        accounts=accounts,
        counts=Counts(
            levels.count("high"),
            levels.count("moderate"),
            levels.count("low"),
            sum(one.cut_ratio > 0 for one in accounts),
        ),
        desk=_totals(accounts),
        warnings=_warnings(connection, run, facts, accounts, members),
        roster=tuple(one for one in facts.roster if one.account_id in members),
        restatements=tuple(one for one in facts.restatements if one.account_id in members),
        fits=tuple(one for one in facts.fits if one.account_id in members),
        exposures=_exposures(connection, run, members),
        limit_use=LimitUseFacts(
            tuple(one for one in use.receipts if one.account_id in members),
            tuple(one for one in use.items if one.account_id in members),
            tuple(one for one in use.further if one.account_id in members),
        ),
        desk_tail=None,
        past_cuts=(),
        contradicted_rules=(),
    )


def _totals(accounts: Sequence[AccountFacts]) -> DeskFacts:
    """Add up the accounts; P&L of those with complete books."""
    traded = [one for one in accounts if one.delivery_state == TRADED]
    complete = [one for one in traded if one.total_pnl_usd is not None]
    booked = [one.adjustments_usd for one in accounts if one.adjustments_usd is not None]
    return DeskFacts(
        traded_account_count=len(traded),
        incomplete_account_count=len(traded) - len(complete),
        fill_count=None,
        net_pnl_usd=sum((one.net_pnl_usd or Decimal(0) for one in complete), Decimal(0)) if complete else None,
        total_pnl_usd=sum((one.total_pnl_usd or Decimal(0) for one in complete), Decimal(0)) if complete else None,
        base_limit_usd=sum((one.base_limit_usd for one in accounts), Decimal(0)),
        new_limit_usd=sum((one.new_limit_usd for one in accounts), Decimal(0)),
        adjustments_usd=sum(booked, Decimal(0)) if booked else None,
    )


def _exposures(connection: Connection, run: Run, members: frozenset[str]) -> tuple[ExposureFacts, ...]:
    """Return the largest exposures of the group; shares are of the desk, which an excerpt does not show."""
    return tuple(
        replace(one, share_ratio=None, share_low_ratio=None, share_high_ratio=None, relief_usd=None)
        for one in read_exposures(connection, run, members)
    )


def _warnings(
    connection: Connection, run: Run, facts: Facts, accounts: Sequence[AccountFacts], members: frozenset[str]
) -> tuple[WarningFacts, ...]:
    """Say again for the group what names its accounts, and count the warnings that may be about others.

    A file, a check or a change may name any account in its sentence.
    """
    own = list(account_warnings(accounts, run))
    said = {
        "register": pending_sentences(connection, run.as_of, members),
        "platform": platform_sentences(connection, run.as_of, sorted(members)),
    }
    own += [
        WarningFacts(kind, "limits", readable(sentence)) for kind, sentences in said.items() for sentence in sentences
    ]
    messages = {one.message for one in own}
    other_count = sum(one.message not in messages for one in facts.warnings)
    if other_count:
        sentence = f"The full report has {counted(other_count, 'further warning')}, about other accounts or the desk."
        own.append(WarningFacts("desk", "desk", sentence))
    return tuple(own)
