"""What-if: past mornings decided again, with what was known then, under another policy, by the product's own `decide`.

Both sides of the comparison are decided again from the same inputs, each with its own recommendations as its past: the
morning's own policy and the other one. So an identical policy changes nothing, whatever has changed in the product
since. How many mornings come out as they were reported is stated beside it.

Limits are compared as recommended, after the policy's restore step: approvals and the register are left out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from risk.core.errors import RequestError
from risk.core.policy import Policy
from risk.core.policy_document import PolicyDocument
from risk.core.warehouse import Connection, rows
from risk.limits.decide import ActiveAccount, decide
from risk.limits.past_mornings import PastInputs, PastMorning, PastReader, past_mornings, read_mornings
from risk.limits.policy import DeskTerms, limit_in_force
from risk.model.walk_forward import ProgressCallback

TRIAL_LABEL = "what-if"
RATIO_STEP = Decimal("0.0001")
REPORTED_COLUMNS = ("account_id", "level", "cut_ratio", "base_limit_usd", "new_limit_usd")


@dataclass(frozen=True, slots=True)
class PastDecision:
    """What a policy recommends for an account in a past morning; US dollars, 0.40 = 40 %.

    Attributes
    ----------
    account_id
        Its name.
    level, cut_ratio, base_limit_usd
        As decided.
    limit_usd
        The limit, after the restore step.
    usual_loss_usd
        The account's usual loss forecast of that morning, positive; ``None`` = too few forecasts.
    policy
        The values that decided.
    """

    account_id: str
    level: str
    cut_ratio: Decimal
    base_limit_usd: Decimal
    limit_usd: Decimal
    usual_loss_usd: Decimal | None
    policy: Policy

    @property
    def kept_cut_ratio(self) -> Decimal:
        """The share of the base limit that the limit is below it: after the restore step, not what was decided."""
        return (1 - self.limit_usd / self.base_limit_usd).quantize(RATIO_STEP)

    @property
    def terms(self) -> tuple[str, Decimal, Decimal]:
        """What is compared: level, cut and limit."""
        return self.level, self.cut_ratio, self.limit_usd


@dataclass(frozen=True, slots=True)
class MorningDecisions:
    """A morning under its own policy and under another one, each by account.

    Attributes
    ----------
    morning
        Which one.
    adopted, other
        By account.
    is_reproduced
        Whether the own policy decides as was reported.
    """

    morning: PastMorning
    adopted: Mapping[str, PastDecision]
    other: Mapping[str, PastDecision]
    is_reproduced: bool

    @property
    def changed(self) -> list[str]:
        """Accounts whose level, cut or limit differ, or that get a limit under one of the two only."""
        names = sorted(self.adopted.keys() | self.other.keys())
        return [name for name in names if _terms(self.adopted, name) != _terms(self.other, name)]


def decide_again(
    connection: Connection,
    mornings: Sequence[PastMorning],
    document: PolicyDocument,
    on_progress: ProgressCallback | None = None,
) -> Iterator[MorningDecisions]:
    """Decide past mornings under their own policies and under another one.

    Parameters
    ----------
    mornings
        Ascending, at least one.
    document
        The other policy.
    on_progress
        Called after each morning with the share that is decided.
    """
    reported = _read_reported(connection, mornings)
    adopted, other = _PolicyLine(), _PolicyLine()
    with past_mornings(connection, mornings) as reader:
        for number, morning in enumerate(mornings, 1):
            known = reader.inputs(morning)
            own = adopted.decide(reader, known, known.terms)
            tried = other.decide(reader, known, replace(known.terms, document=document, label=TRIAL_LABEL))
            is_reproduced = adopted.last_rows == reported.get(morning.run.run_id, [])
            if on_progress is not None:
                on_progress(number / len(mornings))
            yield MorningDecisions(morning, own, tried, is_reproduced)


def mornings_of_range(connection: Connection, first_session: dt.date, last_session: dt.date) -> list[PastMorning]:
    """Read the mornings of a range of effective sessions.

    Raises
    ------
    RequestError
        If the range is empty or nothing was reported in it.
    """
    if first_session > last_session:
        raise RequestError(f"The range begins on {first_session}, after it ends on {last_session}: exchange the two.")
    mornings = read_mornings(connection, first_session, last_session)
    if mornings:
        return mornings
    first, last, count = rows(connection, "what_if/select_reported_range")[0]
    known = f"reports reach from {first} to {last}" if count else "nothing was reported in this warehouse yet"
    raise RequestError(f"No limits were reported for sessions from {first_session} to {last_session}: {known}.")


@dataclass
class _PolicyLine:
    """The mornings of one policy, each with the earlier ones as its past.

    Attributes
    ----------
    past
        Cut and level by session and account.
    limits_usd
        Newest limit by account.
    last_rows
        What was decided last, as it is reported.
    """

    past: dict[tuple[dt.date, str], tuple[Decimal, str]] = field(default_factory=dict)
    limits_usd: dict[str, Decimal] = field(default_factory=dict)
    last_rows: list[tuple[Any, ...]] = field(default_factory=list)

    def decide(self, reader: PastReader, known: PastInputs, terms: DeskTerms) -> dict[str, PastDecision]:
        """Decide a morning."""
        inputs = reader.read(known, terms)
        accounts = [self._with_own_past(account) for account in inputs.accounts]
        usual = {account.account_id: account for account in accounts}
        decided = decide(replace(inputs, accounts=accounts))
        self.last_rows = [tuple(row[name] for name in REPORTED_COLUMNS) for row in decided]
        found = {}
        for row in decided:
            name = row["account_id"]
            found[name] = self._restored(row, usual[name], terms.of(name).policy)
            self.past[known.morning.run.session_date, name] = row["cut_ratio"], row["level"]
            self.limits_usd[name] = found[name].limit_usd
        return found

    def _with_own_past(self, account: ActiveAccount) -> ActiveAccount:
        """Put this policy's own last recommendation in the place of the reported one."""
        if account.last_session_date is None:
            return account
        own = self.past.get((account.last_session_date, account.account_id))
        return account if own is None else replace(account, last_cut_ratio=own[0], last_level=own[1])

    def _restored(self, row: Mapping[str, Any], account: ActiveAccount, policy: Policy) -> PastDecision:
        before, base = self.limits_usd.get(account.account_id), row["base_limit_usd"]
        limit, _ = limit_in_force(row["new_limit_usd"], before, base, row["level"], policy.restore.step)
        usual = account.usual_loss_usd(policy)
        return PastDecision(account.account_id, row["level"], row["cut_ratio"], base, limit, usual, policy)


def _read_reported(connection: Connection, mornings: Sequence[PastMorning]) -> dict[int, list[tuple[Any, ...]]]:
    """Read what was reported, by run."""
    reported: dict[int, list[tuple[Any, ...]]] = {}
    binds = {"run_ids": [morning.run.run_id for morning in mornings]}
    for run_id, *row in rows(connection, "what_if/select_recommendations", binds):
        reported.setdefault(run_id, []).append(tuple(row))
    return reported


def _terms(decisions: Mapping[str, PastDecision], account_id: str) -> tuple[str, Decimal, Decimal] | None:
    found = decisions.get(account_id)
    return None if found is None else found.terms
