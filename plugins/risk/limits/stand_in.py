"""The stand-in: who decides, too, when limits still wait for an answer shortly before the deadline."""

from __future__ import annotations

import datetime as dt
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from risk.core.calendar import local_time
from risk.core.errors import RequestError
from risk.core.settings import Settings
from risk.limits.second_person import is_same_person

if TYPE_CHECKING:
    from risk.limits.approvals import AirflowUser


@dataclass(frozen=True, slots=True)
class StandInPolicy:
    """Who stands in, by the names of their logins in Airflow, and how long before the deadline they take over."""

    names: tuple[str, ...]
    lead: dt.timedelta

    def starts_at(self, asked_at: dt.datetime, deadline: dt.datetime) -> dt.datetime:
        """Return when they take over: never in the first half of the decision window."""
        return deadline - min(self.lead, (deadline - asked_at) / 2)


def stand_in_policy(settings: Settings) -> StandInPolicy | None:
    """Read who stands in; ``None`` = nobody."""
    if not (settings.stand_in_users or settings.stand_in_recipients):
        return None
    return StandInPolicy(settings.stand_in_users, dt.timedelta(minutes=settings.stand_in_minutes))


@dataclass(frozen=True, slots=True)
class StandIn:
    """Who stands in for a publication, as it was opened.

    Attributes
    ----------
    names
        Names of logins; none = a mail only, and whoever has the role decides.
    starts_at
        Aware instant from which they may decide.
    """

    names: tuple[str, ...]
    starts_at: dt.datetime

    @property
    def starts_text(self) -> str:
        """The instant for people: date and time in the exchange's zone."""
        return local_time(self.starts_at)

    def may_decide(self, user: AirflowUser, now: dt.datetime) -> bool:
        """Return whether a person may decide at an instant: the stand-in not before his time."""
        is_stand_in = any(is_same_person((name,), astuple(user)) for name in self.names)
        return now >= self.starts_at or not is_stand_in

    def check_turn(self, user: AirflowUser, now: dt.datetime) -> None:
        """Check that a person may decide at an instant.

        Raises
        ------
        RequestError
            If it is the stand-in, before his time.
        """
        if not self.may_decide(user, now):
            raise RequestError(
                f"{user.user_name} stands in from {self.starts_text} on, for what nobody has answered by then: until "
                "then the others decide."
            )

    def sentence(self, now: dt.datetime) -> str:
        """Say who may decide at an instant, and who from then on; empty where no names are known."""
        if not self.names:
            return ""
        names = ", ".join(self.names)
        if now < self.starts_at:
            return f"Until {self.starts_text} {names} may not decide, then too: stand-in for whoever does not answer."
        return f"Since {self.starts_text} {names} may decide, too: stand-in for whoever does not answer."
