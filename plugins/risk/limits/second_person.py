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

    One person may have two logins of one name, or of names that look alike: see `_spelled`. Names without a letter or
    digit do not tell people apart. The command line knows the requester as ``user@host``, by his name on that machine.
    """
    return bool(_spellings(names) & _spellings(others) - {""})


LOOK_ALIKE = str.maketrans(
    "\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445\u0455\u0456\u0458\u04bb\u0501\u051b\u051d"
    "\u03b1\u03b2\u03b5\u03b6\u03b7\u03b9\u03ba\u03bc\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u0131\u0142\u00f8\u0111\u0251\u0261\u0585",
    "abekmhopctyxsijhdqwabezhikmvoptuxilodago",
)
"""Small letters of other alphabets (Cyrillic, Greek, others) that look like a Latin one, small or large."""


def _spellings(names: Iterable[str]) -> set[str]:
    return {_spelled(part) for name in names for part in (name, name.rpartition("@")[0])}


def _spelled(name: str) -> str:
    """Return a name without what does not tell people apart: case, width, accents, alphabet, signs."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold()).translate(LOOK_ALIKE)
    return "".join(filter(str.isalnum, plain)) or ("?" if name else "")
