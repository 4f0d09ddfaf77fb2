"""The second person: whoever asks for a change of limits or policy may not approve it where two people have to agree.

A person approves what he was shown: his decision carries the hash of it, and counts only while that is still so.
"""

from __future__ import annotations

import abc
import hashlib
import json
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import astuple
from typing import TYPE_CHECKING, Any

from risk.core.errors import RequestError

if TYPE_CHECKING:
    from risk.limits.approvals import AirflowUser

APPROVED, REJECTED, PENDING = "approved", "rejected", "pending"
"""What becomes of a request."""


class ShownRequest(abc.ABC):
    """A pending request as a person sees it before he decides."""

    __slots__ = ()

    needs_second_person: bool
    """Whether the requester may not approve it."""

    @property
    @abc.abstractmethod
    def name(self) -> str:
        """What it is called in a sentence: ``change 1 of NET001``."""

    @property
    @abc.abstractmethod
    def place(self) -> str:
        """The page that shows it."""

    @property
    @abc.abstractmethod
    def what_moves(self) -> str:
        """What it would replace, and what may have changed since it was shown."""

    @property
    @abc.abstractmethod
    def facts(self) -> Mapping[str, Any]:
        """Everything a person is shown of it."""

    @property
    @abc.abstractmethod
    def requester(self) -> AirflowUser:
        """Who asked."""

    @property
    def sha256(self) -> str:
        """Hash of everything a person is shown of it."""
        return hashlib.sha256(json.dumps(self.facts, sort_keys=True, default=str).encode()).hexdigest()

    def may_approve(self, user: AirflowUser) -> bool:
        """Return whether a person may approve it: anybody, or anybody but its requester."""
        return not (self.needs_second_person and is_same_person(astuple(self.requester), astuple(user)))

    def check_decision(self, action: str, seen_sha256: str, user: AirflowUser) -> None:
        """Check that a person decides on what he was shown, and may.

        Raises
        ------
        RequestError
            If it is no longer what he was shown, or its approval needs somebody else.
        """
        if seen_sha256 != self.sha256:
            raise RequestError(
                f"{self.name[0].upper()}{self.name[1:]} is no longer what you were shown, since {self.what_moves} has "
                f"changed: reload the page {self.place} and decide again."
            )
        if action == APPROVED and not self.may_approve(user):
            raise RequestError(
                f"{user.user_name} requested {self.name} and may not approve it: a second person has to."
            )


def is_same_person(names: Iterable[str], others: Iterable[str]) -> bool:
    """Return whether id and name of one login and those of another may be one person's, however they are written.

    One person may have two logins of one name, or of names that differ in case, blanks and invisible characters only.
    The command line knows the requester as ``user@host``, by his name on that machine only.
    """
    known = {part for name in names for part in (name, name.rpartition("@")[0])}
    return not (set(map(_spelled, known)) - {""}).isdisjoint(map(_spelled, others))


def _spelled(name: str) -> str:
    """Return a name without what does not tell people apart: case, width, blanks, what cannot be seen."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return "".join(sign for sign in plain if sign.isprintable() and not sign.isspace())
