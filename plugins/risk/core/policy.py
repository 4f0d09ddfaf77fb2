"""The policy of a desk: what a risk manager may change, its values and what each of them may be.

Calendar, times of day, approvals and dual control are settings of the deployment (`risk.core.settings`): a policy must
not switch off its own control. `risk.core.policy_document` reads and validates the YAML text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

LEVELS = ("high", "moderate", "low")
"""Names of risk levels, most urgent first."""

MeasureName = Literal["active sessions", "drawdown", "large loss", "loss streak", "volatility"]


@dataclass(frozen=True, slots=True)
class MeasureTerms:
    """What the policy needs to know of a measure; ``risk.limits.rules.MEASURES`` computes it.

    Attributes
    ----------
    meaning
        For the reference.
    smallest_window
        Fewest sessions it can be computed from; ``None`` = it takes no window.
    lowest
        Its lowest value; ``None`` = it has none.
    """

    meaning: str
    smallest_window: int | None
    lowest: Decimal | None


MEASURE_TERMS: Mapping[MeasureName, MeasureTerms] = MappingProxyType(
    {
        "active sessions": MeasureTerms("sessions with fills and complete books so far", None, Decimal(0)),
        "drawdown": MeasureTerms(
            "fall of cumulative P&L from its peak in the window, which starts at 0, in typical daily P&L", 1, Decimal(0)
        ),
        "large loss": MeasureTerms(
            "last loss beyond the 5% quantile of the window's sessions before it, US dollars", 2, None
        ),
        "loss streak": MeasureTerms("losing sessions in a row up to the last one", None, Decimal(0)),
        "volatility": MeasureTerms(
            "standard deviation over the window, over that of the three times as many sessions before", 2, Decimal(0)
        ),
    }
)


def _number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise ValueError("not a number")  # noqa: TRY004  (pydantic turns only this into an error of ours)
    return Decimal(value)


def _share(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"[0-9]+(\.[0-9]+)?%", value):
        return Decimal(value[:-1]) / 100
    return _number(value)


def _key(meaning: str, allowed: str, **more: Any) -> Any:
    """Declare a key: what it means, for the reference, and what it may be, for the error sentence."""
    return Field(description=meaning, json_schema_extra={"allowed": allowed}, **more)


SHARE = {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"type": "string", "pattern": r"^\d+(\.\d+)?%$"}]}
Number = Annotated[Decimal, BeforeValidator(_number), WithJsonSchema({"type": "number"})]
Share = Annotated[Decimal, BeforeValidator(_share), Field(ge=0, le=1), WithJsonSchema(SHARE)]
WholeShare = Annotated[Decimal, BeforeValidator(_share), Field(gt=0, le=1, decimal_places=2), WithJsonSchema(SHARE)]
Amount = Annotated[
    Decimal,
    BeforeValidator(_number),
    Field(gt=0, decimal_places=2, max_digits=12),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0}),
]
OptionalAmount = Annotated[
    Amount | None, WithJsonSchema({"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "null"}]})
]
Sessions = Annotated[int, Field(strict=True, ge=1, le=250)]
Address = Annotated[str, Field(pattern=r"^[^@\s,]+@[^@\s,]+$")]
Name = Annotated[str, Field(pattern=r"^[^.\n]{1,40}$")]

AMOUNT = "US dollars above 0 with at most 2 decimals, such as 5000.00"
OPTIONAL_AMOUNT = f"{AMOUNT}, or null for none"
SHARE_TEXT = "a share from 0% to 100%, such as 40% or 0.40"
WHOLE_SHARE_TEXT = "a share above 0% in whole percent, such as 40% or 0.40"
SESSIONS = "a number of sessions from 1 to 250"


class PolicyPart(BaseModel):
    """Base of the policy's sections: frozen, and no key that is not named here."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class AccountTerms(PolicyPart):
    """Which accounts get a limit, and how they are called."""

    default_base_limit_usd: Amount = _key("Daily loss limit of an account without a stated base limit.", AMOUNT)
    active_within_sessions: Sessions = _key("An account that traded within so many sessions gets a limit.", SESSIONS)
    stale_after_sessions: Sessions = _key(
        "Sessions without a fill after which an account is shown as stale.", "fewer sessions than the active window"
    )
    limited_history_sessions: Sessions = _key(
        "With fewer active sessions the history is limited and the forecast has no norm to compare with.", SESSIONS
    )
    legacy_suffix: Annotated[str, Field(min_length=1, max_length=20)] = _key(
        "Ending of account names that are in the books but get no limit.", "a text of 1 to 20 characters, such as _OLD"
    )

    @property
    def coverage_binds(self) -> dict[str, int | str]:
        """Binds of the statements that ask which accounts are expected to trade or get a limit."""
        return {"active_within": self.active_within_sessions, "legacy_suffix": self.legacy_suffix}


class Rule(PolicyPart):
    """A rule: where its measure compares with its bound, it calls for a cut."""

    name: Name = _key("Name, for people and for overrides of groups.", "a name without a point, at most 40 characters")
    measure: MeasureName = _key("What is measured.", "one of: " + ", ".join(MEASURE_TERMS))
    window: Sessions | None = _key(
        "Active sessions that the measure reads; null where it reads all.", "a number of sessions, or null"
    )
    comparison: Literal["above", "at least", "at most", "below"] = _key(
        "How the measure compares with the bound for the rule to fire.", "above, at least, at most or below"
    )
    bound: Number = _key("The threshold, in the unit of the measure.", "a number, such as 3 or 2.5")
    cut: WholeShare = _key("The cut that the rule calls for, as a share of the base limit.", WHOLE_SHARE_TEXT)
    level: Literal["high", "moderate", "low"] = _key("The risk level that the rule means.", "high, moderate or low")


class SmallestLoss(PolicyPart):
    """The loss a rule is about must be at least both of these; 0 switches either off."""

    typical_days: Annotated[Number, Field(ge=0)] = _key(
        "In units of the typical daily P&L.", "a number from 0, such as 0.5"
    )
    base_limit: Share = _key("As a share of the base limit.", SHARE_TEXT)


class LevelBounds(PolicyPart):
    """What a forecast is called, by the share of its loss that is above the usual forecast loss."""

    moderate: Share = _key("Moderate from here; 20% is a forecast loss of 1.25 times the usual.", SHARE_TEXT)
    high: Share = _key("High from here; 40% is a forecast loss of 1.67 times the usual.", "a share above moderate")


class CutTerms(PolicyPart):
    """Bounds of every cut."""

    maximum: Annotated[WholeShare, Field(le=Decimal("0.95"))] = _key(
        "The largest cut, and with it the lowest limit a person may set.", "a share from 1% to 95% in whole percent"
    )
    step: WholeShare = _key("The forecast's cut is rounded down to whole steps.", WHOLE_SHARE_TEXT)


class RestoreTerms(PolicyPart):
    """How a limit rises again after a cut."""

    step: WholeShare = _key("Share of the way back that one session gives; 100% = at once.", WHOLE_SHARE_TEXT)
    without_answer: Annotated[bool, Field(strict=True)] = _key(
        "Whether giving back what a cut took needs no approval; a raise above the base limit always does.",
        "true or false",
    )


class ModelTerms(PolicyPart):
    """What the forecast may do."""

    decides: Annotated[bool, Field(strict=True)] = _key(
        "Whether a forecast that passed its gate decides; otherwise rules alone cut.", "true or false"
    )
    target: Annotated[Number, Field(gt=0, le=10)] = _key(
        "Forecast loss that the cut aims at, in usual forecast losses.", "a number above 0, at most 10, such as 1.00"
    )


class UseTerms(PolicyPart):
    """How the use of a limit is measured."""

    warning_zones: Annotated[tuple[Share, ...], Field(min_length=1)] = _key(
        "Uses from which an account is shown as close to its limit.", "shares in ascending order, such as [70%, 90%]"
    )
    running_pnl: Literal["total", "realized"] = _key(
        "Whether open positions count in the running P&L.", "total or realized"
    )
    fees: Literal["in", "out"] = _key("Whether fees count in the running P&L.", "in or out")
    hit: Literal["at or beyond", "beyond"] = _key(
        "Whether a loss equal to the limit is a limit hit.", "at or beyond, or beyond"
    )
    emailed_counts: Annotated[bool, Field(strict=True)] = _key(
        "Whether a limit counts as in force once it was mailed, before it is published.", "true or false"
    )


class BreachTerms(PolicyPart):
    """What makes a limit hit a breach."""

    tolerance: Share = _key("A loss so much beyond the limit is a breach, as a share of the limit.", SHARE_TEXT)
    minutes: Annotated[int, Field(strict=True, ge=0, le=390)] = _key(
        "Minutes after the limit hit within which the account must be flat.", "whole minutes from 0 to 390"
    )


class FitTerms(PolicyPart):
    """When a base limit does not fit a trader."""

    too_large_from: Share = _key(
        "Losses are too large for the limit if surely more days than this reach it.", SHARE_TEXT
    )
    chance_to_pass: Share = _key("A chance above this to lose more than the limit is a warning.", SHARE_TEXT)
    never_reached_below: Share = _key("A limit is never reached if the largest use stays below this.", SHARE_TEXT)
    never_reached_sessions: Annotated[int, Field(strict=True, ge=1)] = _key(
        "Sessions over which that must hold.", "a number of sessions above 0"
    )
    band: Annotated[tuple[Share, ...], Field(min_length=2, max_length=2)] = _key(
        "A fitting limit is reached on between so many days.", "two shares in ascending order, such as [1%, 5%]"
    )


class FurtherLimits(PolicyPart):
    """Limits that are reported and never cut."""

    desk_usd: OptionalAmount = _key("Loss of the whole desk in a session, judged at the close.", OPTIONAL_AMOUNT)
    loss_from_top_usd: OptionalAmount = _key("Fall from the day's highest running P&L.", OPTIONAL_AMOUNT)
    weekly_usd: OptionalAmount = _key("Loss of a week.", OPTIONAL_AMOUNT)
    monthly_usd: OptionalAmount = _key("Loss of a month.", OPTIONAL_AMOUNT)
    trailing_usd: OptionalAmount = _key("Fall from the highest cumulative P&L.", OPTIONAL_AMOUNT)


class ChangeTerms(PolicyPart):
    """What one person may change alone."""

    largest_alone_usd: Amount = _key("A larger change of a limit needs a second person.", AMOUNT)


class Group(PolicyPart):
    """A group of accounts, named by the roster's column Group: other values, further readers."""

    name: Name = _key("Value of the roster's column Group; case does not matter.", "a name without a point")
    recipients: tuple[Address, ...] = _key("Readers of the group's excerpt.", "a list of email addresses, [] for none")
    overrides: dict[str, Any] = _key(
        "Other values by key: cut.maximum, or rules.losing streak.bound.", "keys with values, {} for none"
    )


class Policy(PolicyPart):
    """Every threshold of a desk, or of a group of it."""

    accounts: AccountTerms = _key("Which accounts get a limit.", "the keys of this section")
    rules: tuple[Rule, ...] = _key("Rules; the largest cut of those that fire applies.", "a list of rules")
    smallest_loss: SmallestLoss = _key("The smallest loss a rule reacts to.", "the keys of this section")
    levels: LevelBounds = _key("What a forecast is called.", "the keys of this section")
    cut: CutTerms = _key("Bounds of every cut.", "the keys of this section")
    restore: RestoreTerms = _key("How a limit rises again.", "the keys of this section")
    model: ModelTerms = _key("What the forecast may do.", "the keys of this section")
    use: UseTerms = _key("How the use of a limit is measured.", "the keys of this section")
    breach: BreachTerms = _key("What makes a limit hit a breach.", "the keys of this section")
    fit: FitTerms = _key("When a base limit does not fit.", "the keys of this section")
    limits: FurtherLimits = _key("Limits that are reported and never cut.", "the keys of this section")
    changes: ChangeTerms = _key("What one person may change alone.", "the keys of this section")
    recipients: tuple[Address, ...] = _key(
        "Further readers of the report.", "a list of email addresses, such as [desk@example.com], [] for none"
    )
    groups: tuple[Group, ...] = _key("Groups of accounts with other values.", "a list of groups, [] for none")

    @cached_property
    def ordered_rules(self) -> tuple[Rule, ...]:
        """The rules by cut, largest first; rules of one cut as they are written."""
        return tuple(sorted(self.rules, key=lambda rule: -rule.cut))
