"""The clone's ``./riskctl``: the product's command line, with the connections of the local stack in the environment.

The product reads what it needs from the environment alone. Where the user's own environment names a warehouse, or
several desks, nothing is added to it. Else the variables of this clone's servers are, and Postgres is started for a
command that needs it.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
from collections.abc import Mapping, Sequence

from devstack import postgres, stack
from devstack.environment import BASE_URL, PAGE_DSN, Desk, airflow_environment
from devstack.workspace import Workspace, load_secrets, read_json
from risk import cli
from risk.core.connections import METADATA_DSN, WAREHOUSE_CONNECTION
from risk.core.desks import listed_desks
from risk.core.errors import RequestError

POSTGRES_COMMANDS = frozenset(
    {"backup", "breaches", "desk", "examine", "export", "limits", "migrate", "policy", "replay", "restore"}
    | {"track-record", "traders", "use", "verify", "withdraw"}
)
STACK_COMMANDS = POSTGRES_COMMANDS | {"doctor", "watchdog"}


def stack_environment(workspace: Workspace, given: Mapping[str, str] | None = None) -> dict[str, str]:
    """List the variables with which a command of the product finds the local stack, running or not.

    Parameters
    ----------
    workspace
        The clone.
    given
        The user's environment; by default this process's.

    Returns
    -------
    dict
        Empty where the user names a warehouse, or the clone never had servers; it holds secrets.
    """
    given = os.environ if given is None else given
    ports = read_json(workspace.ports)
    if WAREHOUSE_CONNECTION in given or not ports:
        return {}
    passwords, kind = load_secrets(workspace), stack.last_desk(workspace)
    state = read_json(stack.state_file(workspace))
    desk = Desk(kind, None, is_scheduled=state.get("schedule") == "sessions")
    given = {BASE_URL: state.get("base_url", ""), **given}
    every = airflow_environment(workspace, passwords, desk, {"api": 0, **ports}, given)
    shared = {n: v for n, v in every.items() if n.startswith(("RISK_", "AIRFLOW_CONN_")) or n == METADATA_DSN}
    logins = stack.embedded_logins("", passwords, ports.get("postgres", 0), kind)
    private = (workspace.secrets, workspace.login, workspace.var, workspace.airflow_home)
    return shared | {
        "PATH": f"{postgres.programs_dir()}{os.pathsep}{given.get('PATH', '')}",
        "RISK_BACKUP_KEY": passwords.backup,
        "RISK_OWNER_DSN": logins.owner_dsn,
        PAGE_DSN: logins.page_dsn,
        "RISK_READER_ROLE": logins.reader_role,
        "RISK_PRIVATE_FILES": ",".join(map(str, private)),
        "RISK_SERVER_DSN": postgres.server_dsn(
            ports.get("postgres", 0), postgres.SUPERUSER, passwords.superuser, "postgres"
        ),
    }


def needs_postgres(arguments: Sequence[str]) -> bool:
    """Return whether a command line works on a database."""
    if list(arguments[:2]) == ["policy", "check"]:
        return False
    return bool(POSTGRES_COMMANDS & set(arguments[:1])) and "--help" not in arguments


def refuse_beside_containers(workspace: Workspace, arguments: Sequence[str]) -> None:
    """Refuse a command that works on an installation where that is Docker Compose's, whose databases only it reaches.

    Raises
    ------
    RequestError
        If the clone has a .env, and neither servers of its own nor a warehouse in the environment; names the command.
    """
    is_own = WAREHOUSE_CONNECTION in os.environ or workspace.ports.exists()
    if STACK_COMMANDS & set(arguments[:1]) and not is_own and (workspace.root / ".env").exists():
        command = shlex.join(["docker", "compose", "exec", "api-server", "riskctl", *arguments])
        raise RequestError(f"This clone has a .env, so its installation is Docker Compose's: {command}")


def main() -> None:
    """Run the product's command line."""
    workspace, arguments = Workspace(), sys.argv[1:]
    with cli.exit_with_sentence(), contextlib.ExitStack() as held:
        if not listed_desks():
            _find_stack(workspace, arguments, held)
        cli.main()


def _find_stack(workspace: Workspace, arguments: Sequence[str], held: contextlib.ExitStack) -> None:
    refuse_beside_containers(workspace, arguments)
    if WAREHOUSE_CONNECTION not in os.environ and needs_postgres(arguments):
        held.enter_context(stack.embedded_postgres(workspace))
    if STACK_COMMANDS & set(arguments[:1]):
        os.environ.update(stack_environment(workspace))


if __name__ == "__main__":
    main()
