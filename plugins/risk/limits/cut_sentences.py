"""The ledger in words."""

from __future__ import annotations

from decimal import Decimal

from risk.core.settings import LIMITED_HISTORY_SESSIONS
from risk.limits.cut_benefits import Interval, Judgment


def sentences(found: Judgment) -> list[str]:
    """Say what past recommendations were worth, the verdict first."""
    if found.verdict == "nothing":
        return ["No cut has met a session whose result is known yet: there is nothing to judge."]
    return [_verdict(found), _totals(found), _controls(found), _made(found)]


def _verdict(found: Judgment) -> str:
    net = _usd(found.own.net_usd)
    if found.verdict == "too few":
        known = "1 session is" if found.session_count == 1 else f"{found.session_count} sessions are"
        return f"No evidence of benefit yet: {known} known, {LIMITED_HISTORY_SESSIONS} are needed to say more."
    if found.verdict == "harm":
        return f"No evidence of benefit: the cuts have cost money, {net} ({_within(found.net)})."
    if found.verdict == "evidence":
        return f"Evidence of benefit: the cuts were worth {net} ({_within(found.net)}), more than either control."
    if found.net is not None and found.net.low_usd > 0:
        return (
            f"No evidence of benefit from choosing whom to cut: {net} ({_within(found.net)}), but cutting everybody "
            "the same, or others at random, does as well."
        )
    return f"No evidence of benefit: the cuts were worth {net}, which chance explains ({_within(found.net)})."


def _totals(found: Judgment) -> str:
    return (
        f"Of {found.entry_count:,} recommendations {found.cut_count:,} cut a limit; they prevented "
        f"{_usd(found.own.prevented_usd)} and cost {_usd(-found.own.forgone_usd)}."
    )


def _controls(found: Judgment) -> str:
    share = f"{found.average_cut_ratio:.1%}".replace("%", " %")
    return (
        f"Everybody cut by {share}: {_usd(found.uniform.net_usd)}. The same cuts given to others at random: "
        f"{_usd(found.chance.net_usd)} on average, at least as much as ours with a probability of "
        f"{found.chance.p_value:.2f}."
    )


def _made(found: Judgment) -> str:
    if found.live_count == found.entry_count:
        return "All were made before their session opened."
    return (
        f"{found.live_count:,} of {found.entry_count:,} were made before their session opened; the others were "
        "computed afterwards, as a backfill does."
    )


def _within(interval: Interval | None) -> str:
    return "" if interval is None else f"95 % interval {_usd(interval.low_usd)} to {_usd(interval.high_usd)}"


def _usd(amount: Decimal) -> str:
    sign = "-" if amount < 0 else ""
    return f"{sign}${abs(amount):,.0f}"
