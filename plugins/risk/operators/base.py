"""What the seven operators share: the warehouse connection, the run they work for, and when to try again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psycopg2
from airflow.sdk import BaseHook, BaseOperator, ExceptionRetryPolicy, RetryAction, RetryRule
from airflow.sdk.exceptions import AirflowNotFoundException, AirflowRuntimeError
from psycopg2.extensions import parse_dsn

from risk.core.connections import ServiceConnection, connection_of
from risk.core.desks import at_desk, current_desk, listed_desks, own_connection
from risk.core.errors import CheckError, ConnectionLostError, RequestError
from risk.core.runs import Run, read_run
from risk.core.warehouse import Connection, answering, connect
from risk.operators.lineage import LineageMixin

if TYPE_CHECKING:
    from airflow.sdk import Context, ObjectStoragePath

WAREHOUSE_CONNECTION_ID = "risk_warehouse"
SMTP_CONNECTION_ID = "smtp_default"
UNREADABLE = (AirflowNotFoundException, AirflowRuntimeError, PermissionError, ValueError, psycopg2.ProgrammingError)
"""Why a connection cannot be read: there is none, the secrets backend refuses, or it has another form."""

STATEMENT_TIMEOUT = "10min"
"""While a statement waits inside Postgres, Airflow's time-out cannot interrupt the task: this ends the statement."""

RETRY_BY_ERROR = ExceptionRetryPolicy(
    rules=[
        RetryRule(
            exception=[ConnectionLostError, CheckError, "psycopg2.OperationalError", "psycopg2.InterfaceError"],
            action=RetryAction.RETRY,
            reason="A server was lost: the same task may succeed unchanged.",
        ),
        RetryRule(
            exception=Exception,
            action=RetryAction.FAIL,
            reason="Trying again would find the same: a person has to act first.",
        ),
    ]
)
"""Connection losses are tried again with the task's backoff; wrong data and wrong code are not."""


def warehouse_dsn() -> str:
    """Return the libpq URI of the Airflow connection ``risk_warehouse``, or of this desk's own."""
    return str(BaseHook.get_connection(own_connection(WAREHOUSE_CONNECTION_ID)).get_uri())


def refuse_shared_warehouse() -> None:
    """Refuse to work in the database of another desk, whose executions would be taken for this one's.

    Raises
    ------
    RequestError
        Names both connections.
    """
    own = current_desk()
    places = {own: _warehouse_place()} if own else {}
    for other in {*listed_desks()} - {own}:
        # What is wrong with another desk's connection stops that desk only.
        with at_desk(other), contextlib.suppress(*UNREADABLE):
            places[other] = _warehouse_place()
    for other, place in sorted(places.items()):
        if other != own and place == places[own]:
            names = f"{WAREHOUSE_CONNECTION_ID}_{own} and {WAREHOUSE_CONNECTION_ID}_{other}"
            raise RequestError(f"The connections {names} name the same database: give each desk its own.")


def _warehouse_place() -> tuple[str, ...]:
    known = parse_dsn(warehouse_dsn())
    return known.get("host", ""), known.get("port", "5432"), known.get("dbname", "")


def service_connection(connection_id: str) -> ServiceConnection:
    """Return an Airflow connection in the form that code without Airflow uses.

    Raises
    ------
    AirflowNotFoundException
        If there is none of that name.
    """
    found = BaseHook.get_connection(connection_id)
    names = ("conn_type", "host", "port", "schema", "login", "password", "extra")
    return connection_of({name: getattr(found, name) for name in names})


def store_path(address: str) -> ObjectStoragePath:
    """Return a place in an object store or on a file server, with the rights of the connection that it names only.

    A provider may work with the machine's own credentials where that connection is missing: it is asked for first. And
    only ``path.fs`` may be used: where a connection's file system cannot be attached, the methods of the path itself
    would go on without its credentials.

    Parameters
    ----------
    address
        ``scheme://connection@bucket/folder``.

    Raises
    ------
    AirflowNotFoundException
        If there is no such connection.
    """
    from airflow.sdk import ObjectStoragePath

    connection_id = urlsplit(address).netloc.rpartition("@")[0]
    if connection_id:
        BaseHook.get_connection(connection_id)
    return ObjectStoragePath(address)


def refuse_unknown_keys(context: Context) -> None:
    """Refuse a run whose configuration has keys that its DAG does not know; Airflow itself accepts them and goes on.

    Raises
    ------
    RequestError
        Names the keys, and those that exist.
    """
    known = context["dag"].params
    unknown = sorted(set(context["dag_run"].conf or {}) - set(known))
    if unknown:
        raise RequestError(
            f"The run's configuration has {', '.join(map(repr, unknown))}, which the DAG does not know: nothing was "
            f"done. Start it again with {', '.join(known)} only."
        )


@contextlib.contextmanager
def warehouse() -> Iterator[Connection]:
    """Open the warehouse for one task and close it whatever happens."""
    with answering(), contextlib.closing(connect(warehouse_dsn())) as connection:
        with connection, connection.cursor() as cursor:
            cursor.execute("set statement_timeout = %s", (STATEMENT_TIMEOUT,))
        yield connection


def log_counts(log: Any, run: Run, counts: Mapping[str, Any]) -> dict[str, Any]:
    """Log the counts of a step, and return what every step returns."""
    facts = ", ".join(f"{name}={value}" for name, value in counts.items())
    log.info("session=%s as_of=%s %s", run.session_date, run.as_of.isoformat(), facts)
    return {"run_id": run.run_id, "session_date": run.session_date.isoformat(), **counts}


class RunOperator(LineageMixin, BaseOperator):
    """Base of the six steps that work for the run opened by ``extract_fills``.

    Parameters
    ----------
    run_id
        Key of the run; by default what ``extract_fills`` returned (templated).
    """

    template_fields: Sequence[str] = ("run_id",)

    def __init__(
        self, *, run_id: str = "{{ ti.xcom_pull(task_ids='extract_fills')['run_id'] }}", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.run_id = run_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Do the step for the run and return its counts."""
        with warehouse() as connection:
            run = read_run(connection, int(self.run_id))
            if run.is_point_in_time:
                from risk.report.replay import point_in_time

                with point_in_time(connection, run, self.task_id):
                    counts = self.work(connection, run)
            else:
                counts = self.work(connection, run)
        self.announce(context, run, counts)
        self.done = log_counts(self.log, run, counts)
        return dict(self.done)

    def work(self, connection: Connection, run: Run) -> dict[str, Any]:
        """Do the step; every subclass delegates to one function of its module."""
        raise NotImplementedError

    def announce(self, context: Context, run: Run, counts: Mapping[str, Any]) -> None:
        """Tell other systems what the step has done; most steps have nothing to tell."""
