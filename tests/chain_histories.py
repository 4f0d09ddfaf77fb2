"""Histories of a desk as the product makes them: loads, corrections, reruns, decisions, withdrawals, restores."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from psycopg2.extensions import make_dsn

from risk.books.warehouse import aggregate
from risk.core import backup
from risk.core.calendar import next_session
from risk.core.errors import RequestError
from risk.core.runs import Run, open_run
from risk.core.settings import Settings, read_settings
from risk.core.verify import Witness, read_witnesses
from risk.core.warehouse import Connection, connect
from risk.ingest.load import load_drop
from risk.ingest.withdraw import withdraw
from risk.limits.approvals import (
    APPROVED,
    EDITED,
    REJECTED,
    ApprovalPolicy,
    needs_approval,
    open_publication,
    read_proposals,
)
from risk.limits.decide import apply_rules, predict
from risk.limits.decisions import Decider, Decision, decide
from risk.limits.publish import publish
from risk.model.build_features import store_features
from risk.report.page import Links
from risk.report.send import send_report
from tests.approval_desks import ANN, FAR
from tests.databases import create_database, drop_database
from tests.drops import HEADER

FIRST_SESSION = dt.date(2025, 8, 4)
NUMBERS = itertools.count(1)
TRADERS = ("NET001", "NET002", "NET003")


@dataclass
class History:
    """A warehouse and what happened to it.

    Attributes
    ----------
    witnesses
        Heads that the mails of its reports state, in order; of mails that a restore has made unknown, in ``replaced``.
    """

    server_dsn: str
    template: str
    name: str
    folder: Path
    draw: random.Random
    session: dt.date = FIRST_SESSION
    witnesses: list[Witness] = field(default_factory=list)
    replaced: list[Witness] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    fills: dict[dt.date, list[str]] = field(default_factory=dict)
    backed_up: list[Witness] | None = None
    database: str = ""
    numbers: int = 0

    def start(self) -> None:
        """Begin in an empty warehouse, with a session and its report."""
        self._open(self.template)
        self.load()
        self.report()

    def _open(self, template: str) -> None:
        self.numbers += 1
        self.database = f"{self.name}_{self.numbers}"
        create_database(self.server_dsn, self.database, template)
        self.connection: Connection = connect(make_dsn(self.server_dsn, dbname=self.database))

    def close(self) -> None:
        """Remove its databases."""
        self.connection.close()
        for number in range(1, self.numbers + 1):
            with contextlib.suppress(Exception):
                drop_database(self.server_dsn, f"{self.name}_{number}")
        with contextlib.suppress(Exception):
            drop_database(self.server_dsn, f"{self.name}_backup")

    def step(self) -> None:
        """Let something happen."""
        kinds: tuple[Callable[[], None], ...] = (
            *(self.load, self.correct, self.redeliver, self.withdraw),
            *(self.report, self.decide, self.back_up, self.restore),
        )
        kind = self.draw.choice(kinds)
        self.events.append(kind.__name__)
        kind()

    def load(self) -> None:
        """Load the next session, now and then with a row that is rejected, and closing prices."""
        self.session = next_session(self.session)
        lines = [self._line(trader, number) for trader in TRADERS for number in range(self.draw.randint(1, 5))]
        if self.draw.random() < 0.4:
            lines.append(self._line(TRADERS[0], 99).replace(",100,", ",many,"))
        self.fills[self.session] = lines
        prices = f"{self.session},XYZ,{self.draw.randint(9, 12)}.25"
        (self.folder / f"marks_{self.session}.csv").write_text(f"Date,Symbol,Price\n{prices}\n")
        self._deliver()

    def redeliver(self) -> None:
        """Deliver the newest session again with a fill more."""
        self.fills[self.session].append(self._line(self.draw.choice(TRADERS), 50 + len(self.fills[self.session])))
        self._deliver()

    def correct(self) -> None:
        """Deliver the newest session again with a fill that was canceled."""
        line = self.draw.choice([one for one in self.fills[self.session] if ",,USD" in one and ",many," not in one])
        self.fills[self.session].append(line.replace(",,USD", ",Canceled,USD"))
        self._deliver()

    def _line(self, trader: str, number: int) -> str:
        side, cents = self.draw.choice("BS"), self.draw.randint(0, 99)
        clock = f"{self.session:%m/%d/%Y} 10:{number % 60:02}:00"
        return f"{clock},{trader},{side},100,XYZ,10.{cents:02},1.25,0.25,,USD,{trader}-{number}"

    def _deliver(self) -> None:
        file = self.folder / f"fills_{self.session}.csv"
        file.write_text("\n".join([HEADER, *self.fills[self.session]]) + "\n")
        load_drop(self.connection, self.folder, self.session, Settings())

    def withdraw(self) -> None:
        """Withdraw a delivery, or take that back."""
        account, now, undo = self.draw.choice(TRADERS), dt.datetime.now(dt.UTC), self.draw.random() < 0.3
        with contextlib.suppress(RequestError):
            withdraw(self.connection, account, self.session, "not ours", now, is_undone=undo)

    def report(self) -> Run:
        """Run the newest session, and keep the mail of its report."""
        load = load_drop(self.connection, self.folder, self.session, Settings())
        run = open_run(self.connection, self.session, load.load_id, "history")
        aggregate(self.connection, run)
        store_features(self.connection, run)
        predict(self.connection, run)
        apply_rules(self.connection, run)
        settings = read_settings().model_copy(
            update={"reports_dir": self.folder / "reports", "recipients": ("manager@example.com",)}
        )
        send_report(self.connection, run, None, Links(), settings)
        mail = settings.report_dir(self.session) / "report.eml"
        self.witnesses += read_witnesses(f"mail {len(self.witnesses) + 1}", mail.read_bytes())
        return run

    def decide(self) -> None:
        """Report, then decide about every limit that waits, and publish."""
        run = self.report()
        publication = open_publication(self.connection, run, ApprovalPolicy("all", False), FAR)
        for one in read_proposals(self.connection, publication):
            if one.decided.outcome is None and needs_approval(publication, one):
                action = self.draw.choice((APPROVED, REJECTED, EDITED))
                decision = Decision(one.account_id, action, one.sha256, "calm since", str(one.lowest_limit_usd))
                decide(self.connection, publication.publication_id, decision, Decider(ANN))
        publish(self.connection, publication, None)

    def back_up(self) -> None:
        """Keep a copy of the warehouse."""
        if self.backed_up is None:
            self.connection.rollback()
            self.connection.close()
            create_database(self.server_dsn, f"{self.name}_backup", self.database)
            self.connection = connect(make_dsn(self.server_dsn, dbname=self.database))
            self.backed_up = list(self.witnesses)

    def restore(self) -> None:
        """Put the copy in place of the warehouse, as make restore records it."""
        if self.backed_up is None:
            return
        self.connection.close()
        self._open(f"{self.name}_backup")
        superuser = connect(self.server_dsn)
        superuser.autocommit = True
        owner = superuser.info.user
        with contextlib.closing(superuser), superuser.cursor() as cursor:
            dsn = make_dsn(self.server_dsn, dbname=f"{self.name}_{self.numbers - 1}")
            replaced = backup.read_replaced(cursor, dsn, owner)
            backup.record(cursor, make_dsn(self.server_dsn, dbname=self.database), owner, replaced)
        self.replaced += [one for one in self.witnesses if one not in self.backed_up]
        self.witnesses = list(self.backed_up)


@contextlib.contextmanager
def history(server_dsn: str, template: str, folder: Path, seed: int) -> Iterator[History]:
    """Give the beginning of a history."""
    (place := folder / str(seed)).mkdir()
    made = History(server_dsn, template, f"history_{os.getpid()}_{next(NUMBERS)}", place, random.Random(seed))
    made.start()
    try:
        yield made
    finally:
        made.close()
