"""The errors of the risk run, one class for each remedy.

Every message says what is wrong, where, what was found and what to do next, so that a
log line, a mail and a terminal can show it as it is.
"""

from __future__ import annotations


class RiskError(Exception):
    """Base of every error this project raises on purpose."""


class RequestError(RiskError):
    """The caller asked for something that does not exist; ask again, corrected."""


class InputError(RiskError):
    """What a source delivered cannot be used; mend or replace the named input, then clear the task."""


class QualityError(RiskError):
    """Blocking findings on the session's data; read the verdicts, mend the input, clear extract_fills."""


class CheckError(RiskError):
    """The data could not be checked at all; the same task may be tried again unchanged."""


class BooksError(RiskError):
    """Two ways of computing the same money disagree; nothing of this step was stored, call the developers."""


class ConnectionLostError(RiskError):
    """A database, the vendor or a mail server cannot be reached; the same task may be tried again unchanged."""


class RefusalError(RiskError):
    """A source refuses what we ask of it; mend its connection or ask its owner, then clear the task.

    Attributes
    ----------
    found
        The source's own words, quoted; empty where it was never asked.
    """

    def __init__(self, message: str, found: str = "") -> None:
        super().__init__(message)
        self.found = found


class SchemaError(RiskError):
    """The warehouse's schema and the migration files disagree; restore the files or the database."""


class StackError(RiskError):
    """The local stack cannot start, run or stop; the message names the cause and the next command."""


class ModelError(RiskError):
    """A model cannot be fitted, or a stored one not be used; rules serve, run the DAG weekly_model for a new one."""


class LeakError(RiskError):
    """A forecast of the past changes with the future; nothing was trained, call the developers."""


class FeatureError(RiskError):
    """Stored features are missing or were computed by other formulas; clear build_features, then the task."""
