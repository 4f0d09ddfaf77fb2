"""Whether the trading platform has the limit in force: read back from it, or entered there by a person.

A statement confirms for a month while the limit in force is what it was when the platform was seen. Once another limit
takes effect it says nothing any more, and the new limit is unconfirmed until somebody states it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from risk.core.errors import RequestError
from risk.core.exchange import exchange_zone
from risk.core.money import usd_exact
from risk.core.typed import parsed_amount
from risk.core.warehouse import Connection, execute, records, rows, writing
from risk.limits.approvals import AirflowUser
from risk.limits.in_force import AccountLimits, limit_at, limits_in_session
from risk.limits.register import KnownLimits, limits_in_force, read_known_limits

STATED_WITHIN = dt.timedelta(days=31)
"""An older statement confirms nothing: limits are compared with the platform at least once a month."""

CONFIRMED, UNCONFIRMED, DIFFERENT = "confirmed", "unconfirmed", "different"


@dataclass(frozen=True, slots=True)
class PlatformLimit:
    """The limit that an account has on the trading platform; see ``select_platform_limits.sql``.

    Attributes
    ----------
    limit_usd
        US dollars; 0 = no trading.
    seen_at
        Aware instant at which it was there.
    file_name, user_name
        Who says so: a file that was read back, or a person.
    """

    account_id: str
    limit_usd: Decimal
    seen_at: dt.datetime
    file_name: str | None
    user_name: str | None


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Whether the platform has an account's limit in force.

    Attributes
    ----------
    limit_usd
        The limit in force, US dollars.
    state
        ``CONFIRMED``, ``UNCONFIRMED`` or ``DIFFERENT``.
    stated
        The newest statement; ``None`` = there is none.
    """

    account_id: str
    limit_usd: Decimal
    state: str
    stated: PlatformLimit | None


def confirmation(
    account: AccountLimits, stated: PlatformLimit | None, session_date: dt.date, instant: dt.datetime
) -> tuple[str, Decimal]:
    """Return the state of an account's limit in force at an instant, and that limit, US dollars.

    Parameters
    ----------
    session_date
        Date of the exchange at the instant.
    """
    limit_usd = limit_at(account, instant, session_date).limit_usd
    if stated is None or stated.seen_at < instant - STATED_WITHIN:
        return UNCONFIRMED, limit_usd
    if len(limits_in_session(account, session_date, min(stated.seen_at, instant), instant)) > 1:
        return UNCONFIRMED, limit_usd
    return (CONFIRMED if stated.limit_usd == limit_usd else DIFFERENT), limit_usd


def read_confirmations(connection: Connection, instant: dt.datetime) -> list[Confirmation]:
    """List the state of every named account's limit in force at an instant, by name, as known then."""
    return confirmations(connection, read_known_limits(connection, instant, first_at=instant - STATED_WITHIN))


def confirmations(connection: Connection, known: KnownLimits) -> list[Confirmation]:
    """List the state of every account's limit in force, by name; the limits of the last month must be known."""
    stated = {one.account_id: one for one in _read_platform_limits(connection, known.at)}
    session_date = known.at.astimezone(exchange_zone()).date()
    found = []
    for name, account in known.accounts.items():
        state, limit_usd = confirmation(account, stated.get(name), session_date, known.at)
        found.append(Confirmation(name, limit_usd, state, stated.get(name)))
    return found


def platform_states(connection: Connection, instant: dt.datetime) -> dict[str, str]:
    """Return the state of each account's limit in force at an instant; empty where nobody had stated any by then."""
    if not _read_platform_limits(connection, instant):
        return {}
    return {one.account_id: one.state for one in read_confirmations(connection, instant)}


def enter_platform_limits(connection: Connection, shown: Mapping[str, str], user: AirflowUser) -> None:
    """Store that a person has entered limits on the trading platform.

    Parameters
    ----------
    shown
        The limits in force that the person was shown, by account.

    Raises
    ------
    RequestError
        If one of them is not in force any more; nothing is stored.
    """
    if not shown:
        raise RequestError("No limit is ticked: tick those that are entered on the platform.")
    with writing(connection):
        now = rows(connection, "publish_limits/select_clock")[0][0]
        in_force = limits_in_force(connection, now)
        for account_id, text in sorted(shown.items()):
            limit_usd = parsed_amount(text)
            present = in_force.get(account_id)
            if present is None or present.limit_usd != limit_usd:
                is_now = "it has none" if present is None else f"it is {usd_exact(present.limit_usd)}"
                raise RequestError(
                    f"The limit in force of {account_id} is no longer {usd_exact(limit_usd)}, {is_now}: reload the "
                    "page Limits, enter that on the platform, then confirm it."
                )
            values = {"account_id": account_id, "limit_usd": limit_usd}
            user_values = {"user_id": user.user_id, "user_name": user.user_name}
            execute(connection, "register/insert_platform_limits", {**values, **user_values})


def platform_sentences(connection: Connection, instant: dt.datetime, account_ids: Sequence[str]) -> list[str]:
    """Say which limits in force of some accounts the platform does not have, and of which that is not known.

    Nothing where nobody has ever stated a limit on the platform.
    """
    if not _read_platform_limits(connection, instant):
        return []
    wanted = [one for one in read_confirmations(connection, instant) if one.account_id in set(account_ids)]
    different = [
        f"{one.account_id} {usd_exact(one.stated.limit_usd)} (in force {usd_exact(one.limit_usd)})"
        for one in wanted
        if one.state == DIFFERENT and one.stated
    ]
    unconfirmed = [f"{one.account_id} {usd_exact(one.limit_usd)}" for one in wanted if one.state == UNCONFIRMED]
    sentences = []
    if different:
        sentences.append(f"The trading platform has other limits: {', '.join(different)}. Correct them there.")
    if unconfirmed:
        sentences.append(
            f"Limits not confirmed on the trading platform: {', '.join(unconfirmed)}. Check them there, then confirm "
            "them on the page Limits."
        )
    return sentences


def _read_platform_limits(connection: Connection, instant: dt.datetime) -> list[PlatformLimit]:
    found = records(connection, "register/select_platform_limits", {"as_of": instant})
    return [PlatformLimit(**row) for row in found]
