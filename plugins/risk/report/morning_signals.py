"""The signals of an ordinary morning: limits were broken, limits wait for a person, limits are in force."""

from __future__ import annotations

from risk.core.desks import DAILY_DAG, PUBLICATION_DAG, own_dag, own_page
from risk.core.money import counted
from risk.core.runs import Run
from risk.core.settings import Settings
from risk.core.warehouse import Connection, rows
from risk.limits.approvals import Publication, open_proposals, read_proposals, read_publication
from risk.report.page import ui_address
from risk.report.signals import Signal


def report_signals(connection: Connection, run: Run, settings: Settings, *, asks_approval: bool) -> list[Signal]:
    """Build the signals of a report that was mailed: breaches of its session, and limits that wait for a person."""
    session = run.effective_session.isoformat()
    found = []
    (count,) = rows(connection, "breaches/select_breached_accounts", {"session_date": run.session_date})[0]
    if count:
        title = f"{counted(count, 'trader')} broke a limit on {run.session_date.isoformat()}"
        found.append(
            Signal(
                *("breach", settings.desk, session, run.is_simulated, own_dag(DAILY_DAG), run.dag_run_id),
                title,
                f"{title}. The report and the page Breaches say who, and by how much.",
                ui_address(settings.base_url, f"{own_page()}/breaches"),
            )
        )
    if asks_approval:
        found.extend(_approval_signals(connection, run, settings))
    return found


def _approval_signals(connection: Connection, run: Run, settings: Settings) -> list[Signal]:
    publication = read_publication(connection, run_id=run.run_id)
    waiting = len(open_proposals(publication, read_proposals(connection, publication)))
    if not waiting:
        return []
    session = run.effective_session.isoformat()
    title = f"Approval required for {counted(waiting, 'limit')} for {session}: decide by {publication.deadline_text}"
    return [
        Signal(
            *("approval", settings.desk, session, run.is_simulated, own_dag(PUBLICATION_DAG), publication.dag_run_id),
            title,
            "The page Approval shows what is recommended and why; what nobody answers is decided by the policy.",
            ui_address(settings.base_url, f"{own_page()}/approvals/{publication.publication_id}"),
        )
    ]


def limits_signal(publication: Publication, count: int, settings: Settings) -> Signal:
    """Build the signal of limits that are in force: nothing waits for a person any more."""
    session = publication.effective_session.isoformat()
    title = f"{counted(count, 'limit')} in force for {session}"
    return Signal(
        *("limits", settings.desk, session, settings.is_simulated, own_dag(PUBLICATION_DAG), publication.dag_run_id),
        title,
        f"{title}." if publication.is_live else f"{title}. Dry run: nothing was sent to the trading platform.",
        ui_address(settings.base_url, f"{own_page()}/approvals/{publication.publication_id}"),
        resolves="approval",
    )
