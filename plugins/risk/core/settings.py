"""Constants of the method, and the settings that an installation may change; thresholds are policy.

Settings come from environment variables ``RISK_<NAME>``, those of one of several desks from ``RISK_<DESK>_<NAME>``
first (see `risk.core.desks`). Each edge of the product (an operator, a command, a web
request, a callback) calls `read_settings` once and passes the object on; nothing is cached for the process.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, ValidationInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from risk.core.desks import VARIABLE as DESKS_VARIABLE
from risk.core.desks import current_desk, effective_variable, listed_desks, own_variable
from risk.core.errors import RequestError
from risk.core.exchange import NEW_YORK, exchange_of
from risk.core.notifiers import NOTIFIERS, Notifiers

PACKAGE_DIR = Path(__file__).resolve().parents[1]
PROJECT_DIR = PACKAGE_DIR.parents[1]
"""The clone; nothing of the wheel is found from here."""

IS_WHEEL = (PACKAGE_DIR / "include").is_dir()
"""Whether this is an installed wheel, which has ``include/`` inside the package (see ``make wheel``)."""

INCLUDE_DIR = PACKAGE_DIR / "include" if IS_WHEEL else PROJECT_DIR / "include"
SQL_DIR = INCLUDE_DIR / "sql"
TEMPLATE_DIR = INCLUDE_DIR / "templates"

VAR_DIR = Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser() / "risk" if IS_WHEEL else PROJECT_DIR / "var"
"""Where folders lie that no setting names."""

RETENTION = dt.timedelta(days=180)
"""How long Airflow's metadata rows and log files are kept; the warehouse keeps everything."""

SHORTEST_DECISION_WINDOW = dt.timedelta(minutes=30)
"""A report that comes late is open for decisions at least so long, beyond the deadline where need be."""

VENDOR_REREAD_SESSIONS = 5
"""Sessions requested again from the vendor: five of the supplied history were restated, all within 3 days."""

VENDOR_REREAD_AFTER = dt.timedelta(hours=6)
"""Minimum age of an answer before it is requested again, so that polls of a waiting run ask for one session only."""

VENDOR_HISTORY_SESSIONS = 250
"""Sessions that a first request covers when RISK_VENDOR_SINCE is not set: one year."""

TAIL_PROBABILITY = 0.05
"""Probability of the forecast quantile: one session in twenty loses more."""


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _iso_date(value: object) -> object:
    # pydantic alone would take 20250813 for seconds since 1970.
    return dt.date.fromisoformat(value) if isinstance(value, str) else value


def _regular_expression(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(str(error)) from None
    return value


def _calendar(code: str) -> str:
    try:
        return exchange_of(code).code
    except RequestError as error:
        raise ValueError(str(error)) from None


def _setting(default: Any, description: str, allowed: str, **more: Any) -> Any:
    """Declare a setting: what it means, for the reference, and what it may be, for the error sentence."""
    return Field(default, description=description, json_schema_extra={"allowed": allowed}, **more)


def _airflow_address() -> str:
    """Return the setting of Airflow itself, where that is a whole address."""
    address = os.environ.get("AIRFLOW__API__BASE_URL", "")
    return address if re.match(WEB_ADDRESS, address) else ""


WEB_ADDRESS = r"^(https?://\S+)?$"
FOLDER = "the path of a folder"
ADDRESSES = "email addresses, separated by commas"

CommaSeparated = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
CommaSeparatedPaths = Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_split)]
Statuses = Annotated[CommaSeparated, AfterValidator(lambda values: tuple(map(str.upper, values)))]


def _only_once(words: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    """Refuse a status that an earlier setting already gives a meaning."""
    if any(word in info.data.get(name, ()) for name in ("live_statuses", "canceled_statuses") for word in words):
        raise ValueError("a status has two meanings")
    return words


OWN_SETTINGS = ("recipients", "fills_dir", "outbound_dir", "owner_dsn", "page_dsn")
"""What no desk of several takes from all: whose executions, database, mail and limits these are."""
UNIQUE_SETTINGS = OWN_SETTINGS[1:]
"""What no two desks may have the same of."""

APPROVAL_SCOPES = ("none", "high", "all")
"""Whose limits a person approves: no one's, those at high risk, all that are cut."""


class Settings(BaseSettings):
    """What an installation may change; frozen.

    The environment variable of a setting is ``RISK_`` and its name in upper case. An empty variable counts as absent.
    """

    model_config = SettingsConfigDict(env_prefix="RISK_", env_ignore_empty=True, extra="ignore", frozen=True)

    desk: str = _setting(
        "desk",
        "Name of the desk, and of its folder of reports. A desk called simulated is the simulated desk: every output "
        "says so. One database holds one desk. With RISK_DESKS each desk has its name there.",
        "lower-case letters, digits, - and _, at most 40, such as desk or simulated",
        pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$",
    )
    desks: CommaSeparated = _setting(
        (),
        "Names of several desks in one Airflow, each with DAGs, warehouse and page of its own; not set: there is one "
        "desk. `RISK_<DESK>_<NAME>` then sets a setting for one of them, `RISK_<NAME>` for all others.",
        "names of lower-case letters, digits and _, separated by commas",
    )
    calendar: Annotated[str, AfterValidator(_calendar)] = _setting(
        NEW_YORK.code,
        "Exchange whose sessions the desk trades: trading days, half days, the zone of days and times, and the times "
        "of the morning, counted from the regular opening. A warehouse keeps the one it started with.",
        "the code of a calendar of exchange_calendars that opens in the morning, such as XNYS or XLON",
    )
    schedule: Literal["off", "sessions"] = _setting(
        "off", "Whether the DAGs run by themselves on every session.", "off or sessions"
    )
    approval: Literal["none", "high", "all"] = _setting(
        "none",
        "Whose limits a person approves after the report: no one's, high-risk traders', all that are cut.",
        "none, high or all",
    )
    dual_control: bool = _setting(
        default=False, description="Whether whoever edits a limit may not approve it.", allowed="1 or 0"
    )
    stand_in_users: CommaSeparated = _setting(
        (),
        "Logins in Airflow, with the role User, that decide about limits from a while before the deadline on, and not "
        "before; not set: whoever has the role decides at any time.",
        "names, separated by commas",
    )
    stand_in_recipients: CommaSeparated = _setting(
        (), "Who is mailed once when limits still wait for an answer then; not set: nobody.", ADDRESSES
    )
    stand_in_minutes: int = _setting(
        30,
        "How long before the deadline the stand-in takes over; never in the first half of the decision window.",
        "minutes, 1 to 600",
        ge=1,
        le=600,
    )
    default_limit_usd: Decimal = _setting(
        Decimal("5000.00"),
        "Default base limit of the policy that a new warehouse starts with, US dollars; later the policy says it.",
        "an amount above zero with at most 2 decimals, such as 5000.00",
        gt=0,
        decimal_places=2,
        max_digits=12,
    )
    fills_dir: str | None = _setting(
        None,
        "Folder of the file drop, or an object store or file server by an Airflow connection; not set when fills come "
        "from the connection risk_vendor or risk_source.",
        "the path of a folder, or an address such as s3://connection@bucket/drop",
    )
    source_query: Path | None = _setting(
        None,
        "File with the query of the connection risk_source, a database of any kind that Airflow has a hook for; not "
        "set: it is a Postgres with the table public.executions.",
        "the path of a file with one SQL statement",
    )
    fills_mapping: str = _setting(
        "",
        "Mapping of files of executions without our columns that no mapping*.toml beside them claims: a preset by name "
        "or a mapping file by path; not set: all have our columns.",
        "a preset, such as das, or the path of a .toml file",
        max_length=500,
    )
    account_pattern: Annotated[str, AfterValidator(_regular_expression)] = _setting(
        "[A-Za-z0-9][A-Za-z0-9 ._-]{0,49}",
        "Regular expression that a whole account name must match.",
        "a regular expression",
    )
    live_statuses: Statuses = _setting(
        (
            *("REGULAR", "EXECUTED", "EXEC", "FILLED", "FILL", "PARTIALLY FILLED", "PARTIAL FILL", "PARTIAL"),
            *("COMPLETE", "COMPLETED", "LIVE", "NORMAL"),
        ),
        "Values of the column Status of a row that is an execution; blank always is. Case does not matter, and blanks, "
        "_ and - are one.",
        "words, separated by commas, each with one meaning",
        min_length=1,
    )
    canceled_statuses: Annotated[Statuses, AfterValidator(_only_once)] = _setting(
        (
            *("CANCEL", "CANCELED", "CANCELLED", "CANC", "CXL", "CXLD", "CXLED", "BUST", "BUSTED", "TRADE BUST"),
            *("TRADE CANCEL", "VOID", "VOIDED"),
        ),
        "Values of the column Status of a row that cancels an execution; case does not matter.",
        "words, separated by commas, each with one meaning",
        min_length=1,
    )
    corrected_statuses: Annotated[Statuses, AfterValidator(_only_once)] = _setting(
        ("CORRECT", "CORRECTED", "CORRECTION", "CORR", "COR", "TRADE CORRECT"),
        "Values of the column Status of a row that corrects an execution; case does not matter. No word may mean two.",
        "words, separated by commas, each with one meaning",
        min_length=1,
    )
    vendor_since: Annotated[dt.date | None, BeforeValidator(_iso_date)] = _setting(
        None,
        "First day to request from the vendor; not set: a year before the first request.",
        "a date, YYYY-MM-DD",
    )
    vendor_report: Literal["summaryByDate", "totalsByDate", "trades", "none"] = _setting(
        "summaryByDate",
        "The vendor's report that our books are compared with.",
        "summaryByDate, totalsByDate, trades or none",
    )
    reports_dir: Path = _setting(
        VAR_DIR / "reports",
        "Folder of the reports' copies on the machine that wrote them: <desk>/<session>/report.* and limits.csv.",
        FOLDER,
    )
    recipients: CommaSeparated = _setting(
        ("risk-manager@localhost",), "Recipients of the report, the digest and the model card.", ADDRESSES
    )
    sender: str = _setting("risk-run@localhost", "Sender of every email.", "one email address")
    base_url: str = Field(
        default_factory=_airflow_address,
        description="Address of the Airflow UI, for links in emails, with its path where it has one; not set: "
        "`AIRFLOW__API__BASE_URL`.",
        json_schema_extra={"allowed": "an address such as https://risk.example.com/airflow"},
        pattern=WEB_ADDRESS,
    )
    alarm_recipients: CommaSeparated = _setting(
        (), "Recipients of alerts; not set: the recipients of the report.", ADDRESSES
    )
    alarm_smtp_uri: str = _setting(
        "",
        "Second mail server, for alerts that the first one does not accept; not set: there is none.",
        "smtp://user:password@host:port, ?starttls=1 for STARTTLS, or smtps://...",
        repr=False,
    )
    alarms_dir: Path = _setting(
        VAR_DIR / "alarms", "Folder that records sent alerts while the warehouse is unreachable.", FOLDER
    )
    notifiers: Notifiers = _setting(
        (),
        "Airflow notifiers that learn of failures, late reports, recoveries, breaches, approvals and limits in force "
        "after the email, each in at most 10 seconds.",
        NOTIFIERS,
        repr=False,
    )
    outbound_dir: str | None = _setting(
        None,
        "Folder that receives the files with published limits, or an object store by an Airflow connection, to which "
        "any worker writes; not set: no file is written.",
        "the path of a folder, or an address such as s3://connection@bucket/limits",
    )
    scratch_dir: Path | None = _setting(
        None, "Folder of temporary files; not set: the folder of the operating system.", FOLDER
    )
    owner_dsn: str = _setting(
        "",
        "Connection of the role that owns the warehouse, for riskctl migrate only.",
        "postgresql://role:password@host:port/database",
        repr=False,
    )
    page_dsn: str = _setting(
        "",
        "Connection of the Risk page's role, for Airflow's API server, riskctl migrate and doctor only. No Airflow "
        "connection, since every task may read those. Not set: the page works as the pipeline.",
        "postgresql://role:password@host:port/database",
        pattern=r"^(postgres(ql)?://[^:/@]+(:[^@]*)?@\S+)?$",
        repr=False,
    )
    reader_role: str = _setting(
        "",
        "Role that reads the warehouse and does nothing else, for notebooks and BI; riskctl migrate grants it that.",
        "the name of a role that exists",
        pattern=r"^[^\s\"']{0,63}$",
    )
    server_dsn: str = _setting(
        "",
        "Connection of a superuser of the database server, for riskctl backup and restore only.",
        "postgresql://role:password@host:port/postgres",
        repr=False,
    )
    backup_key: str = _setting(
        "",
        "Key that seals backups, for riskctl backup and restore only; without it a restore asks for --trusted.",
        "any text, the longer the better",
        repr=False,
    )
    private_files: CommaSeparatedPaths = _setting(
        (),
        "Files with passwords, and folders, that no other user may read; riskctl doctor checks them beside the folders "
        "above.",
        "paths of files and folders, separated by commas",
    )

    @property
    def is_simulated(self) -> bool:
        """Whether this is the simulated desk: every output says so."""
        return self.desk == "simulated"

    @property
    def approval_scopes(self) -> tuple[str, ...]:
        """What a single run may ask: as much approval as the desk asks for, or more, the least first."""
        return APPROVAL_SCOPES[APPROVAL_SCOPES.index(self.approval) :]

    @property
    def asks_approval(self) -> bool:
        """Whether people approve limits before they are published."""
        return self.approval != "none"

    @property
    def alert_recipients(self) -> tuple[str, ...]:
        """Recipients of alerts: those set for alerts, else those of the report."""
        return self.alarm_recipients or self.recipients

    def scratch_folder(self) -> Path | None:
        """Return the folder of temporary files, made where it is missing; ``None`` = the operating system's."""
        if self.scratch_dir is not None:
            make_private(self.scratch_dir)
        return self.scratch_dir

    def report_dir(self, session_date: dt.date) -> Path:
        """Return the folder of a session's report files."""
        return self.reports_dir / self.desk / session_date.isoformat()


def read_settings() -> Settings:
    """Read the settings from the environment, as it is now; of several desks those of the one that is meant.

    Raises
    ------
    RequestError
        If a variable has a value that is not allowed: names the variable, the value and what is allowed. If a desk of
        several lacks what it must have of its own.
    """
    try:
        return Settings(**_own_values())
    except ValidationError as error:
        listed = [_refusal(str(found["loc"][0]), found.get("ctx", {})) for found in error.errors(include_url=False)]
        raise RequestError("\n".join(dict.fromkeys(listed))) from None


def desk_names() -> tuple[str, ...]:
    """Return the names of several desks in this Airflow; empty = there is one desk.

    Raises
    ------
    RequestError
        If RISK_DESKS is wrong, or a setting of one desk would be another setting, too.
    """
    names = listed_desks()
    known = {variable_name(setting): "all desks" for setting in Settings.model_fields}
    for name in names:
        for setting in Settings.model_fields:
            variable = f"RISK_{name}_{setting}".upper()
            if variable in known:
                raise RequestError(
                    f"{DESKS_VARIABLE} must not name a desk {name}: {variable} already is a setting of "
                    f"{known[variable]}. Give it another name."
                )
            known[variable] = f"the desk {name}"
    return names


def _own_values() -> dict[str, Any]:
    """Return what this desk of several does not take from all; nothing where there is one desk."""
    name = current_desk()
    if not name:
        return {}
    own = {setting: os.environ.get(own_variable(setting), "") for setting in Settings.model_fields}
    for setting in OWN_SETTINGS:
        shared = variable_name(setting)
        if not own[setting] and (setting == "recipients" or os.environ.get(shared)):
            raise RequestError(
                f"{own_variable(setting)} is not set. Desks do not share this setting: set it for the desk {name}, and "
                f"leave {shared} unset."
            )
    for setting in UNIQUE_SETTINGS:
        for other in desk_names():
            variable = f"RISK_{other}_{setting}".upper()
            if other != name and own[setting] and os.environ.get(variable) == own[setting]:
                raise RequestError(
                    f"{own_variable(setting)} and {variable} have the same value: give each desk its own."
                )
    return {setting: value for setting, value in own.items() if value} | {"desk": name}


def variable_name(setting: str) -> str:
    """Return the environment variable of a setting, for all desks."""
    return f"RISK_{setting.upper()}"


def _refusal(setting: str, context: Mapping[str, Any]) -> str:
    if setting == "calendar":  # its sentences say why, and which code an alias means
        return str(context["error"]).replace(variable_name(setting), effective_variable(setting), 1)
    field = Settings.model_fields[setting]
    allowed = field.json_schema_extra["allowed"] if isinstance(field.json_schema_extra, dict) else ""
    variable = effective_variable(setting)
    shown = f"={os.environ.get(variable, '')}" if field.repr else ""
    return f"{variable}{shown} is not allowed: set it to {allowed}, or leave it unset."


def make_private(folder: Path) -> None:
    """Make a folder, and what is missing above it, closed to other users; one that exists stays as it is.

    Raises
    ------
    OSError
        If it cannot be made.
    """
    for missing in (*reversed(folder.parents), folder):
        if not missing.exists():
            missing.mkdir(mode=0o700, exist_ok=True)
