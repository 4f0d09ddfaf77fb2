"""Further limits of the policy: desk, day's top, week, month, the highest cumulative P&L.

They are reported like the daily limit, with use and limit hits, and no cut is computed from them. Within the session
the running P&L counts along the account's own fills, so a loss is at least what is stated; earlier sessions count with
their total P&L, net of fees. The desk is judged at the close.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal, localcontext
from typing import Any

from risk.core.money import EXACT, counted, usd, usd_exact
from risk.core.policy import Policy
from risk.core.warehouse import Connection, records
from risk.limits.policy import DeskTerms
from risk.limits.receipts import USE_STEP, ReceiptTerms, warning_zone

DESK = "desk"


@dataclass(frozen=True, slots=True)
class FurtherUse:
    """The use of one further limit in a session.

    Attributes
    ----------
    account_id
        Trading account, or ``desk``.
    kind
        ``loss of the desk``, ``loss from the day's top``, ``weekly loss``, ``monthly loss`` or ``trailing loss``.
    limit_usd
        The limit, US dollars.
    loss_usd
        The largest loss that it is compared with in the session, US dollars, positive; 0 = none.
    use_ratio
        Loss over limit.
    zone_ratio
        Highest warning zone of the policy that the use has reached; ``None`` = none.
    is_hit
        Whether the limit was reached.
    incomplete_count
        Earlier sessions of the period, or accounts of the desk, with incomplete books: they count as 0.
    """

    account_id: str
    kind: str
    limit_usd: Decimal
    loss_usd: Decimal
    use_ratio: Decimal
    zone_ratio: Decimal | None
    is_hit: bool
    incomplete_count: int

    @property
    def is_close(self) -> bool:
        """Whether the limit or a warning zone of it was reached."""
        return self.is_hit or self.zone_ratio is not None

    @property
    def words(self) -> str:
        """The use for people; percentages are rounded down."""
        hit = ", limit hit" if self.is_hit else ""
        # The desk is judged at the close, an account along its own fills.
        what, bound = ("account", "") if self.account_id == DESK else ("day", "at least ")
        missing = ""
        if self.incomplete_count:
            missing = f", not counting {counted(self.incomplete_count, what)} with incomplete books"
        share = f"{int(self.use_ratio * 100):,}%"
        return (
            f"{self.account_id}: {self.kind} {bound}{usd(self.loss_usd)} of {usd_exact(self.limit_usd)} "
            f"({share}){hit}{missing}"
        )


def read_further_uses(
    connection: Connection, terms: DeskTerms, session_date: dt.date, desk_pnl_usd: Decimal | None, incomplete_count: int
) -> list[FurtherUse]:
    """Judge the further limits of a session: the desk's, then each account's by name; none without such limits.

    Parameters
    ----------
    terms
        Policy and groups.
    desk_pnl_usd, incomplete_count
        P&L of the desk at the close, US dollars, gains positive, ``None`` = unknown; accounts that it is without.
    """
    uses = [*_desk_use(terms.document.desk, desk_pnl_usd, incomplete_count)]
    policies = [terms.document.desk, *terms.document.groups.values()]
    if any(limit for policy in policies for limit in account_limits(policy).values()):
        for row in records(connection, "receipts/select_period_losses", {"session_date": session_date}):
            uses.extend(account_uses(row, terms.of(row["account_id"]).policy))
    return uses


def account_limits(policy: Policy) -> dict[str, Decimal | None]:
    """Return an account's further limits by their kind, US dollars; ``None`` = there is none."""
    return {
        "loss from the day's top": policy.limits.loss_from_top_usd,
        "weekly loss": policy.limits.weekly_usd,
        "monthly loss": policy.limits.monthly_usd,
        "trailing loss": policy.limits.trailing_usd,
    }


def _desk_use(policy: Policy, pnl_usd: Decimal | None, incomplete_count: int) -> Iterator[FurtherUse]:
    limit_usd = policy.limits.desk_usd
    if limit_usd is not None and pnl_usd is not None:
        yield _use(policy, (DESK, "loss of the desk"), limit_usd, -pnl_usd, incomplete_count)


def account_uses(row: Mapping[str, Any], policy: Policy) -> Iterator[FurtherUse]:
    """Judge an account's further limits by a row of ``select_period_losses.sql``."""
    with localcontext(EXACT):
        low_usd = -row["largest_loss_usd"]
        fall_usd = row["peak_before_usd"] - (row["cumulative_before_usd"] + low_usd)
        measured = {
            "loss from the day's top": (row["loss_from_top_usd"], 0),
            "weekly loss": (-(row["week_before_usd"] + low_usd), row["week_incomplete_count"]),
            "monthly loss": (-(row["month_before_usd"] + low_usd), row["month_incomplete_count"]),
            # The day's own top may be the highest one.
            "trailing loss": (max(fall_usd, row["loss_from_top_usd"]), row["incomplete_count"]),
        }
    for kind, limit_usd in account_limits(policy).items():
        if limit_usd is not None:
            loss_usd, incomplete_count = measured[kind]
            yield _use(policy, (row["account_id"], kind), limit_usd, loss_usd, incomplete_count)


def _use(
    policy: Policy, key: tuple[str, str], limit_usd: Decimal, loss_usd: Decimal, incomplete_count: int
) -> FurtherUse:
    loss = max(loss_usd, Decimal(0))
    with localcontext(EXACT):
        use = (loss / limit_usd).quantize(USE_STEP, ROUND_DOWN)
    is_hit = ReceiptTerms.of(policy).reaches(loss, limit_usd)
    return FurtherUse(*key, limit_usd, loss, use, warning_zone(use, policy.use.warning_zones), is_hit, incomplete_count)
