"""The commands ``riskctl policy``: check, show, compare, try policies and ask to adopt them."""

from __future__ import annotations

import datetime as dt
import getpass
import json
import re
import socket
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from risk.cli_parts import Commands, JsonFlag, warehouse
from risk.core.errors import RequestError

if TYPE_CHECKING:
    from risk.core.policy_document import PolicyDocument
    from risk.core.policy_store import PolicyVersion

app = typer.Typer(
    cls=Commands, name="policy", help="Check, show, compare, try and adopt policies.", no_args_is_help=True
)

VERSION = re.compile(r"[0-9]+")


@app.command()
def check(file: Annotated[str, typer.Argument(help="A policy file.")], *, as_json: JsonFlag = False) -> None:
    """Validate a policy file; errors name line, key, what was found and what to write."""
    from risk.core.policy_document import default_policy, differences, read_policy_file

    document = read_policy_file(file)
    changed = differences(default_policy(), document)
    facts = {"file": file, "sha256": document.content_sha256, "differences_from_shipped": changed}
    sentence = f"{file} is a valid policy ({document.content_sha256[:12]}) with {len(document.desk.rules)} rules"
    groups = f" and {len(document.groups)} groups" if document.groups else ""
    compared = "as shipped" if not changed else "it differs from the shipped one in:"
    _print(facts, [f"{sentence}{groups}, {compared}", *changed], as_json=as_json)


@app.command()
def show(
    session: Annotated[str, typer.Option("--session", help="Session of the limits; empty: today or the next.")] = "",
    *,
    as_json: JsonFlag = False,
) -> None:
    """Print the policy that applies to a session, with its version, author and reason."""
    from risk.limits.adopt_policy import policy_of_session

    with warehouse() as connection:
        day = _date("--session", session) if session else _today_or_next()
        found = policy_of_session(connection, day, None)
    lines = [f"# {_described(found)}", *_before_history(found), found.document.text.rstrip()]
    _print({"session": str(day), **_facts(found), "text": found.document.text}, lines, as_json=as_json)


@app.command()
def diff(
    first: Annotated[str, typer.Argument(metavar="A", help="A version number or a file.")],
    second: Annotated[str, typer.Argument(metavar="B", help="A version number or a file.")],
    *,
    as_json: JsonFlag = False,
) -> None:
    """List the values in which two policies differ."""
    from risk.core.policy_document import differences

    changed = differences(_document(first), _document(second))
    _print({"differences": changed}, changed or [f"{first} and {second} say the same."], as_json=as_json)


@app.command()
def adopt(
    file: Annotated[str, typer.Argument(help="A policy file.")],
    valid_from: Annotated[str, typer.Option("--from", help="First session it applies to, YYYY-MM-DD.")],
    reason: Annotated[str, typer.Option("--reason", help="Why the policy changes, in a sentence.")],
    *,
    as_json: JsonFlag = False,
) -> None:
    """Ask to adopt a policy from a session on; a person approves it on the page Policy."""
    from risk.core.policy_document import read_policy_file
    from risk.limits.adopt_policy import Adoption, request_adoption
    from risk.limits.approvals import AirflowUser

    person = _person()
    asked = Adoption(read_policy_file(file), _date("--from", valid_from), AirflowUser(person, person), reason)
    with warehouse() as connection:
        requested = request_adoption(connection, asked, dt.datetime.now(dt.UTC))
    _print(requested.facts, [requested.sentence], as_json=as_json)


@app.command()
def what_if(
    file: Annotated[str, typer.Argument(help="A policy file.")],
    first: Annotated[str, typer.Option("--from", help="First session of the limits, YYYY-MM-DD.")],
    last: Annotated[str, typer.Option("--to", help="Last session of the limits, YYYY-MM-DD.")],
    *,
    as_json: JsonFlag = False,
) -> None:
    """Decide past mornings again under another policy, with what was known then; only the trial is stored."""
    from risk.core.policy_document import read_policy_file
    from risk.limits.trials import seal_trial
    from risk.limits.what_if import mornings_of_range
    from risk.limits.what_if_report import run_what_if, what_if_facts, what_if_sentences

    document, sessions = read_policy_file(file), (_date("--from", first), _date("--to", last))
    with warehouse() as connection:
        mornings_of_range(connection, *sessions)
        trial = seal_trial(connection, document, *sessions, _person())
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("Deciding past mornings again", total=1.0)
            found = run_what_if(connection, trial, lambda share: progress.update(task, completed=share))
    _print(what_if_facts(found), what_if_sentences(found), as_json=as_json)


@app.command()
def trials(*, as_json: JsonFlag = False) -> None:
    """List the trials of policies with verdict and progress, from mornings after each was sealed."""
    from risk.limits.trial_verdict import judge_trial
    from risk.limits.trials import read_trials
    from risk.limits.what_if_report import trial_facts, trial_sentence

    with warehouse() as connection:
        judged = [(trial, judge_trial(connection, trial)) for trial in read_trials(connection)]
    lines = [trial_sentence(*one) for one in judged] or ["No policy was tried yet: riskctl policy what-if tries one."]
    _print({"trials": [trial_facts(*one) for one in judged]}, lines, as_json=as_json)


def _person() -> str:
    """Name who types the command: his user and machine."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


def _print(facts: dict[str, Any], lines: list[str], *, as_json: bool) -> None:
    typer.echo(json.dumps(facts, default=str) if as_json else "\n".join(lines))


def _described(version: PolicyVersion) -> str:
    since = "from installation on" if version.valid_from is None else f"from {version.valid_from} on"
    approved = f", approved by {version.approver}" if version.approver else ""
    return (
        f"policy version {version.label}, {since}; by {version.author}{approved} "
        f"at {version.recorded_at:%Y-%m-%d %H:%M} UTC: {version.reason}"
    )


def _before_history(version: PolicyVersion) -> list[str]:
    """Say that a session lies before every adoption."""
    if version.version:
        return []
    return ["# No policy was adopted for this session: the one stored at installation applies."]


def _facts(version: PolicyVersion) -> dict[str, Any]:
    return {
        "version": version.version,
        "sha256": version.document.content_sha256,
        "valid_from": version.valid_from,
        "author": version.author,
        "reason": version.reason,
        "approver": version.approver,
        "recorded_at": version.recorded_at.isoformat(),
    }


def _document(named: str) -> PolicyDocument:
    """Read a policy by the number of its version, else from a file."""
    from risk.core.policy_document import read_policy_file

    if not VERSION.fullmatch(named):
        return read_policy_file(named)
    from risk.limits.adopt_policy import read_version

    with warehouse() as connection:
        return read_version(connection, int(named)).document


def _date(option: str, text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise RequestError(f"{option} {text!r} is not a date: write it as YYYY-MM-DD.") from None


def _today_or_next() -> dt.date:
    from risk.core.calendar import is_session, next_session
    from risk.core.exchange import exchange_zone

    today = dt.datetime.now(exchange_zone()).date()
    return today if is_session(today) else next_session(today)
