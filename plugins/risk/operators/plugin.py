"""Registers in Airflow what it needs by name; the wheel's entry point, and read by ``plugins/risk_plugin.py``."""

# ruff: noqa: RUF012  (Airflow's base class declares these lists as variables of the instance)

from __future__ import annotations

import gc
import logging
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from airflow.plugins_manager import AirflowPlugin

from risk.core.desks import DAILY_DAG, at_desk, own_dag, own_page
from risk.core.errors import RequestError
from risk.core.settings import desk_names, read_settings
from risk.operators.deadlines import DecisionsClosed, EffectiveMorning
from risk.operators.send_report import ReportLink
from risk.operators.timetables import SessionTimetable, WeeklySessionTimetable

if TYPE_CHECKING:
    from fastapi import FastAPI, Response


log = logging.getLogger(__name__)


@cache
def pages() -> FastAPI:
    """Import our pages, at the first request: every process of Airflow executes this file.

    What the API server has loaded by then stays. Frozen, it is not scanned by the full garbage collections that a long
    table sets off: each took 0.2 s of an answer.
    """
    from risk.web.app import app

    gc.collect()
    gc.freeze()
    return app


def not_configured() -> Response:
    """Answer for a desk whose settings are wrong: not how, since nobody is logged in yet."""
    from fastapi.responses import PlainTextResponse

    sentence = f"This desk is not configured: Airflow's description of the DAG {own_dag(DAILY_DAG)} says what to set.\n"
    return PlainTextResponse(sentence, HTTPStatus.SERVICE_UNAVAILABLE)


class Page:
    """Serves our pages for a desk.

    Parameters
    ----------
    desk
        Its name; empty = the only one.
    """

    def __init__(self, desk: str) -> None:
        self.desk = desk
        with at_desk(desk):
            self.path = own_page()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        with at_desk(self.desk):
            try:
                read_settings()
            except RequestError:
                await not_configured()(scope, receive, send)
            else:
                await pages()(scope, receive, send)

    @property
    def app(self) -> dict[str, Any]:
        """What Airflow mounts."""
        return {"app": self, "url_prefix": self.path, "name": self._name("risk")}

    @property
    def view(self) -> dict[str, str]:
        """The link of Airflow's navigation."""
        name, route = self._name("Risk", " "), self._name("risk-page", "-")
        # Relative to the base element of Airflow's pages, so that it holds below any [api] base_url.
        return {"name": name, "href": f"{self.path[1:]}/", "destination": "nav", "url_route": route}

    def _name(self, name: str, separator: str = "_") -> str:
        return separator.join(filter(None, (name, self.desk)))


def desk_pages() -> list[Page]:
    """Return the pages of all desks; none where ``RISK_DESKS`` is wrong, which the DAG files say."""
    try:
        return [Page(desk) for desk in desk_names() or ("",)]
    except RequestError as error:
        log.error("There is no Risk page: %s", error)  # noqa: TRY400  (the sentence says all)
        return []


PAGES = desk_pages()


class RiskPlugin(AirflowPlugin):
    """Make timetable, deadline, link and page known to the scheduler and the API server."""

    name = "risk"
    timetables: list[Any] = [SessionTimetable, WeeklySessionTimetable]
    deadline_references: list[Any] = [DecisionsClosed, EffectiveMorning]
    operator_extra_links: list[Any] = [ReportLink()]
    fastapi_apps: list[Any] = [page.app for page in PAGES]
    external_views: list[Any] = [page.view for page in PAGES]
