"""The errors of the risk run, one class for each remedy.

Every message says what is wrong, where, what was found and what to do next: a log line, an email and a terminal show
it unchanged.
"""

from __future__ import annotations


class RiskError(Exception):
    """Base of every error this project raises on purpose."""


class RequestError(RiskError):
    """The caller requested something that does not exist or is not allowed; correct the request."""


class InputError(RiskError):
    """A delivery of a source cannot be used; fix or replace the named input, then clear the task."""


class FolderError(InputError):
    """The folder of fills is missing, empty or another desk's; name the right one, then clear the task."""


class QualityError(RiskError):
    """Blocking findings on the session's data; read the failed checks, fix the input, then clear extract_fills."""


class CheckError(RiskError):
    """The data could not be checked at all; the same task may succeed unchanged."""


class BooksError(RiskError):
    """Two computations of the same P&L disagree; nothing of this step was stored, call the developers."""


class ConnectionLostError(RiskError):
    """A database, the vendor or a mail server cannot be reached; the same task may succeed unchanged."""


class RefusalError(RiskError):
    """A source refuses a request; correct its connection or contact its owner, then clear the task.

    Attributes
    ----------
    found
        The source's own words, quoted; empty if no request was sent.
    """

    def __init__(self, message: str, found: str = "") -> None:
        super().__init__(message)
        self.found = found


class SchemaError(RiskError):
    """The warehouse's schema and the migration files disagree; restore the files or the database."""


class ReleaseError(RiskError):
    """DAG files and installed code are of two releases; install the wheel the DAG files need, or sync its DAG files."""


class StackError(RiskError):
    """The local stack cannot start, run or stop; the message names the cause and the next command."""


class ModelError(RiskError):
    """A model cannot be fitted or used; rule-based limits apply, run weekly_model for a new one."""


class LeakError(RiskError):
    """A forecast of the past changes with the future; nothing was trained, call the developers."""


class FeatureError(RiskError):
    """Stored features are missing or were computed by other formulas; clear build_features, then the task."""


def in_one_line(error: Exception) -> str:
    """Write an error of a library with its class, for the middle of a sentence."""
    return " ".join([type(error).__name__, *str(error).split()])
