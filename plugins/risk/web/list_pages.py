"""The lists: traders, sessions, breaches, decisions, changes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, status
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from risk.limits.breaches import CLOSED, OPEN, REMOVED
from risk.web.lists import AskedList, AskedListDep, Choice, Hidden, Listing, answer_list
from risk.web.rendering import root
from risk.web.session_tables import DECISIONS, session_path, trader_column
from risk.web.tables import (
    COUNT,
    DATE,
    FORECAST,
    LEVEL,
    LIMIT,
    LOSS,
    NAME,
    PERCENT,
    PNL,
    TEXT,
    TIME,
    WORDS,
    Column,
)

router = APIRouter()

Row = Mapping[str, Any]

ACTIONS: Final = {"edited": "limit set", **DECISIONS}
CHANGE_STATES: Final = {
    "pending": "pending",
    "approved": "approved",
    "rejected": "rejected",
    "ended": "ended without a decision",
}
BREACH_STATES: Final = {OPEN: "open", CLOSED: "closed", REMOVED: "removed by a restatement"}
STATUSES: Final = ("active", "limited history", "stale", "inactive", "disabled", "legacy")


def _same(*values: str) -> dict[str, str]:
    return {value: value for value in values}


def _breach_path(row: Row) -> str:
    return f"breaches/{row['session_date']}/{quote(row['account_id'])}"


def _closing(row: Row) -> str | None:
    return f"{row['reason']} ({row['sentence']}), {row['user_name']}" if row["state"] == CLOSED else None


def _change_path(row: Row) -> str:
    return f"policy/versions/{row['subject_number']}" if row["kind"] == "policy" else "limits"


TRADERS = Listing(
    name="traders",
    title="Traders",
    intro="Accounts that have traded, with what the newest report says about them.",
    noun=("trader", "traders"),
    statement="risk_page/select_trader_list",
    columns=(
        trader_column(key="account_id"),
        Column("Level", LEVEL, "level", tone=lambda row: row["level"], missing="no limit"),
        Column("Cut", PERCENT, "cut_ratio", missing="", key="cut_ratio"),
        Column("Base limit", LIMIT, "base_limit_usd", key="base_limit_usd"),
        Column("In force", LIMIT, "limit_in_force_usd", key="limit_in_force_usd"),
        Column("New limit", LIMIT, "next_limit_usd", tone=lambda _: "strong", key="next_limit_usd"),
        Column("95% VaR", FORECAST, "value_at_risk_usd", missing="", key="value_at_risk_usd"),
        Column("P&L", PNL, "total_pnl_usd", missing="", key="total_pnl_usd"),
        Column("Use", PERCENT, "use_ratio", missing="", key="use_ratio"),
        Column("Trading days", COUNT, "trading_day_count", key="trading_day_count"),
        Column("Latest", DATE, "latest_session_date", key="latest_session_date"),
        Column("Status", TEXT, "status", key="status"),
    ),
    order="account_id",
    ties=("account_id",),
    searched=("account_id",),
    choices=(
        Choice("level", "Level", {"high": "HIGH", "moderate": "MODERATE", "low": "LOW"}),
        Choice("status", "Status", _same(*STATUSES)),
    ),
    hidden=Hidden("has_no_limit", unless="status"),
    empty="No report knows a trader yet: deliver fills and run a session (make trigger DATE=YYYY-MM-DD).",
)

SESSIONS = Listing(
    name="sessions",
    title="Sessions",
    intro="Every session with a report; P&L, breaches and limit hits are those of the books as they are now.",
    noun=("session", "sessions"),
    statement="risk_page/select_session_list",
    columns=(
        Column("Session", DATE, "session_date", link=lambda row: session_path(row["session_date"]), key="session_date"),
        Column("Limits for", DATE, "effective_session", key="effective_session"),
        Column("P&L", PNL, "total_pnl_usd", key="total_pnl_usd"),
        Column("Traders", COUNT, "trader_count", key="trader_count"),
        Column("High risk", COUNT, "high_count", key="high_count"),
        Column("Cuts", COUNT, "cut_count", key="cut_count"),
        Column("Breaches", COUNT, "breach_count", key="breach_count"),
        Column("Other limit hits", COUNT, "hit_count", key="hit_count"),
        Column("Limits", TEXT, "state", key="state"),
        Column("Revision", COUNT, "revision", key="revision"),
        Column("Reported", TIME, "recorded_at", key="recorded_at"),
    ),
    order="-session_date",
    ties=("session_date",),
    searched=(),
    choices=(Choice("state", "Limits", _same("published", "emailed", "not sent")),),
    dated="session_date",
    empty="No session has a report yet: run one (make trigger DATE=YYYY-MM-DD, or the DAG daily_risk in Airflow).",
)

BREACHES = Listing(
    name="breaches",
    title="Breaches of limits",
    intro="A breach is an item once an email has named it; a person closes it with a reason.",
    noun=("breach", "breaches"),
    statement="breaches/select_items",
    binds={"as_of": "infinity", "through_session": "infinity", "account_id": None},
    columns=(
        Column("Session", DATE, "session_date", link=_breach_path, key="session_date"),
        trader_column(key="account_id"),
        Column(
            "State",
            TEXT,
            lambda row: BREACH_STATES[row["state"]],
            tone=lambda row: "high" if row["state"] == OPEN else "",
            key="state",
        ),
        Column("Limit", LIMIT, "limit_usd", key="limit_usd"),
        Column("Largest loss", LOSS, "largest_loss_usd", key="largest_loss_usd"),
        Column("Closed", WORDS, _closing),
    ),
    order="session_date",
    leading=("state", OPEN),
    ties=("session_date", "account_id"),
    searched=("account_id", "sentence", "user_name"),
    choices=(Choice("state", "State", BREACH_STATES),),
    dated="session_date",
    empty="None: no email has named a breach.",
)

DECISION_LIST = Listing(
    name="decisions",
    title="Decisions about limits",
    intro="Every answer to a recommended limit, and what applied without one; never changed or deleted.",
    noun=("decision", "decisions"),
    statement="risk_page/select_decision_list",
    columns=(
        Column(
            "For session",
            DATE,
            "effective_session",
            link=lambda row: f"approvals/{row['publication_id']}",
            key="effective_session",
        ),
        trader_column(key="account_id"),
        Column("Decision", TEXT, lambda row: ACTIONS[row["action"]], key="action"),
        Column("Limit", LIMIT, "limit_usd", key="limit_usd"),
        Column("By", NAME, "user_name", key="user_name"),
        Column("Reason", WORDS, "reason"),
        Column("On an earlier report", TEXT, "is_carried"),
        Column("Recorded", TIME, "recorded_at", key="recorded_at"),
    ),
    order="-recorded_at",
    ties=("decision_id",),
    searched=("account_id", "user_name", "reason"),
    choices=(Choice("action", "Decision", ACTIONS),),
    dated="effective_session",
    empty="None yet: approvals are off (RISK_APPROVAL), or no report has asked for one.",
)

CHANGES = Listing(
    name="changes",
    title="Changes of limits and policies",
    intro="Every requested change of a limit and every adopted policy; never changed or deleted.",
    noun=("change", "changes"),
    statement="risk_page/select_change_list",
    columns=(
        Column("Change", TEXT, "subject", link=_change_path, key="recorded_at"),
        Column(
            "Trader",
            NAME,
            "account_id",
            link=lambda row: None if row["account_id"] is None else f"traders/{quote(row['account_id'])}",
            missing="all",
            key="account_id",
        ),
        Column("Kind", TEXT, "kind", key="kind"),
        Column("Limit", LIMIT, "limit_usd", key="limit_usd"),
        Column("From", TIME, "starts_at", missing="installation", key="starts_at"),
        Column("Until", TIME, "ends_at", key="ends_at"),
        Column("Requested by", NAME, "requester_name", key="requester_name"),
        Column("State", TEXT, lambda row: CHANGE_STATES[row["state"]], key="state"),
        Column("Decided by", NAME, "decider_name", key="decider_name"),
        Column("Decided", TIME, "decided_at"),
        Column("Reason", WORDS, "reason"),
        Column("Recorded", TIME, "recorded_at"),
    ),
    order="-recorded_at",
    ties=("kind", "subject_number"),
    searched=("account_id", "requester_name", "decider_name", "reason"),
    choices=(
        Choice("kind", "Kind", _same("base", "temporary", "intraday", "policy")),
        Choice("state", "State", CHANGE_STATES),
    ),
    empty="None yet: the form on the page Limits requests one.",
)


class AskedSessions(AskedList):
    """What the list of sessions takes: a date is the one session that a person asks for."""

    date: dt.date | None = None


@router.get("/traders", response_class=HTMLResponse)
def traders(request: Request, asked: AskedListDep) -> Response:
    """List the traders."""
    return answer_list(request, TRADERS, asked)


@router.get("/sessions", response_class=HTMLResponse)
def sessions(request: Request, asked: Annotated[AskedSessions, Query()]) -> Response:
    """List the sessions; the date form of every page is led to the permanent address of a session."""
    if asked.date is not None:
        return RedirectResponse(f"{root(request)}/sessions/{asked.date}", status.HTTP_303_SEE_OTHER)
    return answer_list(request, SESSIONS, asked)


@router.get("/breaches", response_class=HTMLResponse)
def breaches(request: Request, asked: AskedListDep) -> Response:
    """List the breaches that are items, the open ones first."""
    return answer_list(request, BREACHES, asked)


@router.get("/decisions", response_class=HTMLResponse)
def decisions(request: Request, asked: AskedListDep) -> Response:
    """List the decisions about recommended limits."""
    return answer_list(request, DECISION_LIST, asked)


@router.get("/changes", response_class=HTMLResponse)
def changes(request: Request, asked: AskedListDep) -> Response:
    """List the changes of limits and policies."""
    return answer_list(request, CHANGES, asked)
