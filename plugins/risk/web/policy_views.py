"""What the pages about the policy show: versions, requests, trials with their verdicts, and one trial's outcome."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Annotated, Any

from pydantic import BaseModel, Field

from risk.core.calendar import is_session, next_session
from risk.core.errors import RequestError
from risk.core.exchange import exchange_zone
from risk.core.policy_document import PolicyDocument, differences, parse_policy
from risk.core.policy_store import PolicyVersion, read_policies
from risk.core.policy_text import LONGEST_TEXT
from risk.core.warehouse import Connection, rows
from risk.limits.policy_requests import PolicyRequest, ShownPolicy, open_requests, read_requests, show_request
from risk.limits.trial_outcomes import JudgedTrial, StoredOutcome, read_judged_trials, read_outcome, read_trial
from risk.limits.trials import Trial
from risk.web.charts import Chart, curves_chart, wealth_chart

TYPED_NAME = "policy"
"""How errors name a text that was typed into a form."""


class PolicyForm(BaseModel):
    """The form that tries or adopts a policy; the token says to whom it was shown."""

    policy: str = ""
    first: Annotated[str, Field(max_length=40)] = ""
    last: Annotated[str, Field(max_length=40)] = ""
    valid_from: Annotated[str, Field(max_length=40)] = ""
    reason: Annotated[str, Field(max_length=2000)] = ""
    token: str = ""

    @property
    def document(self) -> PolicyDocument:
        """The policy that was typed.

        Raises
        ------
        RequestError
            If anything in it cannot stand: one line for each problem.
        """
        # A browser ends lines as Windows does; the text and its hash are those of a file.
        return parse_policy(self.policy.replace("\r\n", "\n"), TYPED_NAME)

    @property
    def echo(self) -> str:
        """The text to show again; of one that is too long nothing."""
        return self.policy if len(self.policy) <= LONGEST_TEXT else ""


@dataclass(frozen=True, slots=True)
class VersionView:
    """A version with what it changed of the one before; ``None`` = it is the first."""

    version: PolicyVersion
    differences: Sequence[str] | None


@dataclass(frozen=True, slots=True)
class PolicyPage:
    """The page Policy.

    Attributes
    ----------
    session_date
        Session of today, or the next one.
    in_force
        Version that applies to it.
    versions, version_count
        The newest versions, newest first, and how many there are.
    pending
        Requests that somebody may still decide about, oldest first.
    past
        The other requests, newest first.
    trials, trial_count
        The newest trials, newest first, and how many there are.
    reported
        First and last session that limits were reported for; ``None`` = none was.
    """

    session_date: dt.date
    in_force: PolicyVersion
    versions: Sequence[VersionView]
    version_count: int
    pending: Sequence[ShownPolicy]
    past: Sequence[PolicyRequest]
    trials: Sequence[JudgedTrial]
    trial_count: int
    reported: tuple[dt.date, dt.date] | None


@dataclass(frozen=True, slots=True)
class TrialView:
    """The page of a trial.

    Attributes
    ----------
    trial, judged
        The sealed trial, and the newest verdict on its policy.
    trial_count
        How many trials there are by now.
    differences
        What its policy changes of the one in force.
    outcome
        ``None`` = not computed yet.
    nets
        Cumulative net of the cuts by session, under each policy and its equal cut; ``None`` = no session is over.
    wealth
        Wealth after each session since the policy was sealed, against what it needs; ``None`` = no session yet.
    """

    trial: Trial
    judged: JudgedTrial
    trial_count: int
    differences: Sequence[str]
    outcome: StoredOutcome | None
    nets: Chart | None
    wealth: Chart | None


def read_policy_page(connection: Connection, row_count: int, *, has_dual_control: bool) -> PolicyPage:
    """Read the page as it is known now, by the warehouse's clock, with so many versions, requests and trials."""
    now = rows(connection, "publish_limits/select_clock")[0][0]
    session_date = _today_or_next(now)
    versions, requests = read_policies(connection), read_requests(connection)
    waiting = open_requests(requests, now)
    pending = [show_request(connection, request, has_dual_control=has_dual_control) for request in waiting]
    trials = read_judged_trials(connection)
    first, last, count = rows(connection, "what_if/select_reported_range")[0]
    return PolicyPage(
        session_date,
        read_policies(connection, session_date)[0],
        [version_view(versions, one) for one in versions[:row_count]],
        len(versions),
        pending,
        [request for request in requests if request not in waiting][:row_count],
        trials[:row_count],
        len(trials),
        (first, last) if count else None,
    )


def version_view(versions: Sequence[PolicyVersion], shown: PolicyVersion) -> VersionView:
    """Compare a version with the one adopted before it."""
    before = next((one for one in versions if one.version < shown.version), None)
    return VersionView(shown, None if before is None else differences(before.document, shown.document))


def read_trial_page(connection: Connection, trial_number: int) -> TrialView:
    """Read a trial with what its newest run has stored.

    Raises
    ------
    RequestError
        If there is none of this number.
    """
    trial = read_trial(connection, trial_number)
    judged = read_judged_trials(connection, trial_number)[0]
    outcome = read_outcome(connection, trial_number)
    now = rows(connection, "publish_limits/select_clock")[0][0]
    in_force = read_policies(connection, _today_or_next(now))[0]
    nets = _net_rows(outcome.facts["outcomes"]) if outcome else []
    return TrialView(
        trial,
        judged,
        len(read_judged_trials(connection)),
        differences(in_force.document, trial.document),
        outcome,
        _nets_chart(nets),
        _wealth_chart(judged.verdict),
    )


NET_CURVES = ("in force", "everybody by its average", "tried", "everybody by the tried average")


def _net_rows(outcomes: Mapping[str, Any]) -> list[tuple[str, Sequence[float]]]:
    sides = zip(outcomes["adopted"]["nets"], outcomes["other"]["nets"], strict=True)
    return [
        (
            own["effective_session"],
            [float(side[name]) for side in (own, other) for name in ("net_usd", "equal_net_usd")],
        )
        for own, other in sides
    ]


def _nets_chart(nets: Sequence[tuple[str, Sequence[float]]]) -> Chart | None:
    """Draw the sums so far; the table holds the nets of each session."""
    curves = [list(accumulate(values[number] for _, values in nets)) for number in range(len(NET_CURVES))]
    days = [dt.date.fromisoformat(day) for day, _ in nets]
    heading = "Cumulative net of the cuts under each policy"
    chart = curves_chart("nets", heading, days, dict(zip(NET_CURVES, curves, strict=True)), "usd")
    if chart is None:
        return None
    rows = [(day, *values) for day, (_, values) in zip(days, nets, strict=True)]
    caption = "Net of each session, newest first; the chart adds them up."
    table = dataclasses.replace(chart.table, label="Net of the cuts by session", caption=caption, rows=rows[::-1])
    return dataclasses.replace(chart, table=table)


def _wealth_chart(verdict: Mapping[str, Any] | None) -> Chart | None:
    if verdict is None:
        return None
    path = [
        (dt.date.fromisoformat(day), math.log(max(wealth, sys.float_info.min)))
        for day, wealth in verdict["wealth_path"]
    ]
    return wealth_chart("wealth", "Wealth since the policy was sealed", path, verdict["needed_wealth"])


def typed_date(name: str, text: str) -> dt.date:
    """Read a date that a person typed.

    Raises
    ------
    RequestError
        If it is none.
    """
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError:
        raise RequestError(f"{name} {text!r} is not a date: write it as YYYY-MM-DD.") from None


def _today_or_next(now: dt.datetime) -> dt.date:
    today = now.astimezone(exchange_zone()).date()
    return today if is_session(today) else next_session(today)
