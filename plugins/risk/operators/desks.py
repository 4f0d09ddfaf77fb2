"""Several desks in one Airflow: their DAGs, and which one a task or a callback works for."""

from __future__ import annotations

import datetime as dt
import functools
import logging
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from airflow.sdk import DAG, BaseOperator, get_parsing_context

from risk.core.desks import at_desk, desk_of, enter_desk_of, own_dag
from risk.core.errors import RequestError
from risk.core.settings import Settings, desk_names, read_settings

Given = TypeVar("Given")

log = logging.getLogger(__name__)


def each_desk(name: str) -> Iterator[Settings]:
    """Let the loop of a DAG file build a DAG for each desk, with its settings; one desk is one round.

    A desk whose settings are wrong gets a DAG that says so and fails, since an import error would stop all desks: from
    a file that has one Airflow starts no run. A task's process builds the DAG of its own desk only.

    Parameters
    ----------
    name
        Of the DAG, without the desk.

    Raises
    ------
    RequestError
        If ``RISK_DESKS`` is wrong, or the settings of the only desk.
    """
    asked = get_parsing_context().dag_id
    for desk in desk_names() or ("",):
        with at_desk(desk):
            if desk and asked and asked != own_dag(name):
                continue
            try:
                settings = read_settings()
            except RequestError as error:
                if not desk:
                    raise
                log.error("%s", error)  # noqa: TRY400  (the sentence says all)
                _build_placeholder(own_dag(name), str(error))
            else:
                yield settings


def _build_placeholder(dag_id: str, sentence: str) -> None:
    """Build a DAG in place of one that cannot be built."""
    with DAG(dag_id=dag_id, description=sentence, doc_md=sentence, schedule=None, tags=["risk", "not configured"]):
        NotConfiguredOperator(task_id="not_configured", sentence=sentence, execution_timeout=dt.timedelta(minutes=1))


class NotConfiguredOperator(BaseOperator):
    """Fail with what is wrong with the settings of a desk.

    Parameters
    ----------
    sentence
        What is wrong, and what to set.
    """

    def __init__(self, *, sentence: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sentence = sentence

    def execute(self, context: Any) -> None:  # noqa: ARG002  (Airflow's signature)
        """Fail."""
        raise RequestError(self.sentence)


def enter_desk(context: Any) -> None:
    """Let a task's process work for the desk of its DAG from now on."""
    enter_desk_of(context["dag"].dag_id)


TASK_DESK: dict[str, Any] = {"pre_execute": enter_desk}
"""For the ``default_args`` of a DAG."""


def by_desk(callback: Callable[[Given], None]) -> Callable[[Given], None]:
    """Let a callback work for the desk of the DAG that it is called about."""

    @functools.wraps(callback)
    def call(context: Given) -> None:
        given: Any = context
        dag_id = given["dag"].dag_id if "dag" in given else given["dag_run"]["dag_id"]
        with at_desk(desk_of(dag_id)):
            callback(context)

    return call
