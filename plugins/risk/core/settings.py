"""Every setting in one place: constants of the method and what the environment may change.

The constants of forecast and decision lie on measured flat optima (see CONTRIBUTING); what differs
from installation to installation is read from environment variables named ``RISK_*``.
"""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

PROJECT_DIR = Path(__file__).resolve().parents[3]
SQL_DIR = PROJECT_DIR / "include" / "sql"
TEMPLATE_DIR = PROJECT_DIR / "include" / "templates"

EXCHANGE_CALENDAR = "XNYS"
EXCHANGE_ZONE = ZoneInfo("America/New_York")

RETENTION = dt.timedelta(days=180)
"""Airflow's own rows and log files are kept so long; the warehouse keeps everything."""

RUN_AT = dt.time(7)
"""New York time at which the morning run is due."""

WAIT_UNTIL = dt.time(8, 15)
"""New York: a scheduled run waits so long for the executions of expected accounts."""

DECISION_DEADLINE = dt.time(9)
"""New York, effective session: where a person was asked and has not answered, the recommended cut counts."""

LEGACY_SUFFIX = "_OLD"
"""Literal end of the name of a legacy account; such an account is in the books but gets no limit."""

LIMITED_HISTORY_SESSIONS = 20
"""Fewer active sessions than this is *limited history*: the one threshold everywhere."""

ACTIVE_WITHIN_SESSIONS = 30
"""An account that traded within so many sessions gets a limit."""

STALE_AFTER_SESSIONS = 5
"""An account without a fill in so many sessions is shown as *stale*."""

VENDOR_REREAD_SESSIONS = 5
"""The vendor is asked again for so many sessions: of the supplied history five were restated, all within 3 days."""

VENDOR_REREAD_AFTER = dt.timedelta(hours=6)
"""But not sooner than so long after the last answer: the looks of a waiting morning ask for its own session only."""

VENDOR_HISTORY_SESSIONS = 250
"""A first look asks the vendor for so many sessions, where RISK_VENDOR_SINCE names no day: a year."""

HIGH_CUT_RATIO = Decimal("0.40")
MODERATE_CUT_RATIO = Decimal("0.20")
MAXIMUM_CUT_RATIO = Decimal("0.80")
CUT_STEP_RATIO = Decimal("0.05")

TAIL_PROBABILITY = 0.05
"""The forecast quantile: one session in twenty loses more."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What an installation may change.

    Attributes
    ----------
    default_limit_usd
        Base limit of an account without a dated one, US dollars.
    fills_dir
        Folder of the file drop; ``None`` when fills come from the connection ``risk_source``.
    reports_dir
        Folder that receives ``<session_date>/report.*`` and ``limits.csv``.
    recipients
        Addresses of the report.
    sender
        Address the mails come from.
    account_pattern
        Regular expression a whole account name must match.
    is_simulated
        True when the warehouse holds the simulated desk: every output says so.
    base_url
        Where the Airflow UI answers, for links in mails.
    alarm_recipients
        Addresses of failure mails and of the watchdog; those of the report where none are named.
    alarm_smtp_uri
        Second mail server, ``smtp://user:password@host:port`` with ``?starttls=1``, or ``smtps://...``: takes
        alarms that the first one does not; empty where there is none.
    alarms_dir
        Folder that remembers which alarms left while the warehouse did not answer.
    outbound_dir
        Folder of the files with published limits for the trading platform; ``None`` = none is written.
    has_dual_control
        Whether who edits a limit may not approve it.
    canceled_statuses, corrected_statuses
        Spellings of the column ``Status``, upper case, of a row that takes an execution back or states it anew.
    scratch_dir
        Folder of files that last as long as the work on them; ``None`` = the system's.
    vendor_dir
        Folder that keeps the vendor's pages until they are loaded.
    vendor_since
        First day to ask the vendor for; ``None`` = a year before the first look.
    vendor_report
        The vendor's report that our books are compared with, ``summaryByDate``, ``totalsByDate`` or ``trades``;
        ``none`` = none is asked for.
    """

    default_limit_usd: Decimal = Decimal("5000.00")
    fills_dir: Path | None = None
    reports_dir: Path = PROJECT_DIR / "var" / "reports"
    recipients: tuple[str, ...] = ("risk-manager@localhost",)
    sender: str = "risk-run@localhost"
    account_pattern: str = "[A-Za-z0-9][A-Za-z0-9 ._-]{0,49}"
    is_simulated: bool = False
    base_url: str = ""
    alarm_recipients: tuple[str, ...] = ("risk-manager@localhost",)
    alarm_smtp_uri: str = field(default="", repr=False)
    alarms_dir: Path = PROJECT_DIR / "var" / "alarms"
    outbound_dir: Path | None = None
    has_dual_control: bool = False
    canceled_statuses: tuple[str, ...] = ("CANCEL", "CANCELED", "CANCELLED", "CXL", "BUST", "BUSTED")
    corrected_statuses: tuple[str, ...] = ("CORRECT", "CORRECTED", "CORRECTION", "CORR", "COR")
    scratch_dir: Path | None = None
    vendor_dir: Path = PROJECT_DIR / "var" / "vendor"
    vendor_since: dt.date | None = None
    vendor_report: str = "summaryByDate"


@cache
def settings() -> Settings:
    """Read the settings of this process from the environment, once."""
    default = Settings()
    fills_dir = os.environ.get("RISK_FILLS_DIR")
    scratch_dir = os.environ.get("RISK_SCRATCH_DIR")
    recipients = os.environ.get("RISK_RECIPIENTS", ",".join(default.recipients))
    alarm_recipients = _addresses(os.environ.get("RISK_ALARM_RECIPIENTS", ""))
    since = os.environ.get("RISK_VENDOR_SINCE")
    return Settings(
        default_limit_usd=Decimal(os.environ.get("RISK_DEFAULT_LIMIT_USD", str(default.default_limit_usd))),
        fills_dir=Path(fills_dir) if fills_dir else None,
        reports_dir=Path(os.environ.get("RISK_REPORTS_DIR", str(default.reports_dir))),
        recipients=_addresses(recipients),
        sender=os.environ.get("RISK_SENDER", default.sender),
        account_pattern=os.environ.get("RISK_ACCOUNT_PATTERN", default.account_pattern),
        is_simulated=os.environ.get("RISK_SIMULATED", "0") == "1",
        base_url=os.environ.get("RISK_BASE_URL", default.base_url),
        alarm_recipients=alarm_recipients or _addresses(recipients),
        alarm_smtp_uri=os.environ.get("RISK_ALARM_SMTP_URI", default.alarm_smtp_uri),
        alarms_dir=Path(os.environ.get("RISK_ALARMS_DIR", str(default.alarms_dir))),
        outbound_dir=Path(os.environ["RISK_OUTBOUND_DIR"]) if os.environ.get("RISK_OUTBOUND_DIR") else None,
        has_dual_control=os.environ.get("RISK_DUAL_CONTROL", "0") == "1",
        canceled_statuses=_spellings("RISK_CANCELED_STATUSES", default.canceled_statuses),
        corrected_statuses=_spellings("RISK_CORRECTED_STATUSES", default.corrected_statuses),
        scratch_dir=Path(scratch_dir) if scratch_dir else None,
        vendor_dir=Path(os.environ.get("RISK_VENDOR_DIR", str(default.vendor_dir))),
        vendor_since=dt.date.fromisoformat(since) if since else None,
        vendor_report=os.environ.get("RISK_VENDOR_REPORT", default.vendor_report),
    )


def _spellings(name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    listed = os.environ.get(name, "").split(",")
    return tuple(text.strip().upper() for text in listed if text.strip()) or default


def _addresses(listed: str) -> tuple[str, ...]:
    return tuple(address.strip() for address in listed.split(",") if address.strip())
