"""Every point of every step fails: by an exception, a killed process, a lost answer; the next try repairs it all."""

from __future__ import annotations

import collections
import datetime as dt
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import make_dsn

from risk.core.errors import RiskError
from risk.report.mail import SmtpServer
from simulation.writing import simulate
from tests.databases import create_database, drop_database
from tests.faults.line import STEPS, Site, digests, do, files
from tests.faults.points import ANSWERED, KILLED, KINDS, Kind, Points, watched
from tests.smtp_boxes import Box, served

RECIPIENTS = ("rm@example.test", "cro@example.test")
SESSION, EARLIER = dt.date(2025, 8, 15), dt.date(2025, 8, 14)

LOADED_AGAIN = frozenset({"risk.loads", "risk.runs"})
"""An attempt whose last answer was lost has opened load and run: the next one opens others, which say the same."""

_numbers = itertools.count(1)


@dataclass
class Line:
    """The line of one session without faults: the warehouse before each step, and what each step left.

    Attributes
    ----------
    site
        Where the steps work.
    box, root
        Mail that was sent, and the folder of the reports and of the published limits.
    templates, left
        By step: the warehouse before it, and tables, files and mails after it.
    """

    site: Site
    box: Box
    root: Path
    server_dsn: str
    templates: dict[str, str] = field(default_factory=dict)
    left: dict[str, tuple[dict[str, str], dict[str, str]]] = field(default_factory=dict)

    def folder_before(self, step: str) -> Path:
        """Return the folder with the files that the steps before this one have written."""
        return self.root / f"before_{step}"


@pytest.fixture(scope="module")
def line(server_dsn: str, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """Run the line of the session before, then that of the session, and keep the state before each step."""
    root = tmp_path_factory.mktemp("faults")
    drop, box, name = root / "drop", Box(), f"line_{os.getpid()}"
    simulate("medium", 3, 30, 5, drop, last_session=SESSION)
    (drop / "simulated.json").unlink()
    create_database(server_dsn, name, template_database)
    with served(box) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("RISK_RECIPIENTS", ",".join(RECIPIENTS))
        line = Line(_site(server_dsn, name, server, root, drop), box, root, server_dsn)
        _work_in(patch, root / "work")
        for step in STEPS:
            do(step, replace(line.site, session_date=EARLIER))
        for step in STEPS:
            line.templates[step] = f"before_{step}_{os.getpid()}"
            create_database(server_dsn, line.templates[step], name)
            shutil.copytree(root / "work", line.folder_before(step))
            do(step, line.site)
            line.left[step] = digests(line.site.dsn), dict(files(root / "work"))
        yield line
    for database in (name, *line.templates.values()):
        drop_database(server_dsn, database)


def _site(server_dsn: str, database: str, server: SmtpServer, root: Path, drop: Path) -> Site:
    return Site(make_dsn(server_dsn, dbname=database), server, drop, root / "work" / "outbound", SESSION)


def _work_in(patch: pytest.MonkeyPatch, folder: Path) -> None:
    (folder / "outbound").mkdir(parents=True, exist_ok=True)
    patch.setenv("RISK_REPORTS_DIR", str(folder / "reports"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("step", STEPS)
def test_step_survives_a_fault_at_each_of_its_points(
    line: Line, tmp_path: Path, step: str, kind: Kind, record_property: Callable[[str, object], None]
) -> None:
    counted = Points()
    _attempt(line, tmp_path / "count", step, counted)
    tried = [at for at, name in enumerate(counted.names, 1) if kind != "answer lost" or name == ANSWERED]
    diverged = {at: found for at in tried if (found := _attempt(line, tmp_path / str(at), step, Points(kind, at)))}

    named = {at: found for at, found in diverged.items() if step == "extract_fills" and found <= LOADED_AGAIN}
    record_property("faults", (step, kind, len(tried), len(tried) - len(diverged), len(named)))
    assert tried or kind == "answer lost"
    assert {f"{at} {counted.names[at - 1]}": found for at, found in diverged.items() if at not in named} == {}


def _attempt(line: Line, folder: Path, step: str, points: Points) -> set[str]:
    """Do a step with a fault, then again; return the names of what differs from the line without faults."""
    name = f"faults_{os.getpid()}_{next(_numbers)}"
    create_database(line.server_dsn, name, line.templates[step])
    shutil.copytree(line.folder_before(step), folder)
    site = replace(line.site, dsn=make_dsn(line.server_dsn, dbname=name), outbound=folder / "outbound")
    line.box.mails.clear()
    try:
        with pytest.MonkeyPatch.context() as patch:
            _work_in(patch, folder)
            _fail(step, site, points)
            do(step, site)
        return _differences(line, folder, step, digests(site.dsn))
    finally:
        drop_database(line.server_dsn, name)
        shutil.rmtree(folder)


def _fail(step: str, site: Site, points: Points) -> None:
    """Do a step whose planned fault happens; a killed one in a process of its own."""
    if points.kind != "killed":
        try:
            with watched(points):
                do(step, site)
        except (RiskError, psycopg2.Error, OSError):
            assert points.kind
        else:
            # A mail server that fails once is tried again within the step.
            assert points.kind is None or "mail" in points.names
        return
    child = os.fork()
    if child == 0:
        with watched(points):
            do(step, site)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED


def _differences(line: Line, folder: Path, step: str, tables: dict[str, str]) -> set[str]:
    left, written = line.left[step]
    found = {name for name, digest in left.items() if tables[name] != digest}
    if dict(files(folder)) != written:
        found.add("files")
    visible = collections.Counter(to for to, _ in {(str(mail["To"]), mail["Message-ID"]) for mail in line.box.mails})
    if visible != (dict.fromkeys(RECIPIENTS, 1) if step == "send_report" else {}):
        found.add("mails")
    return found
