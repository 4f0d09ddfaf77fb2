"""Past mornings as they were: what each reported run knew, read again, so that another policy can decide on it.

Books are kept at the newest knowledge. A morning whose books have not changed since reads them up to its session; one
whose books were restated later has them built again as of its instant, in temporary tables. Forecasts count from the
instant at which they were issued.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from risk.books.warehouse import rebuild_as_of
from risk.core.runs import Run
from risk.core.warehouse import Connection, execute, planning, records, rows
from risk.limits.decide import (
    ActiveAccount,
    GateDecision,
    RunInputs,
    pnl_histories,
    read_active_accounts,
    read_gate_decision,
)
from risk.limits.policy import DeskTerms, read_terms
from risk.limits.rules import PnlHistory, rules_cut_ratios
from risk.model.gate import HISTORICAL, GateInputs, Ladder, PlacedBets, is_eligible, reasons, rules_quantiles
from risk.model.mixture import residual_shape
from risk.model.panel import SCALE_DECAY, FloatMatrix, Panel, ewma_scale, read_panel
from risk.model.walk_forward import BASELINE, MODEL

UNUSED_SHAPE = residual_shape(np.empty((0, 0)), np.empty((0, 0)))
"""Of forecast distributions, which no cut, level or limit depends on."""


@dataclass(frozen=True, slots=True)
class PastMorning:
    """A reported run whose recommendations counted for its effective session; see ``select_mornings.sql``.

    Attributes
    ----------
    run
        The run.
    is_live
        Whether it was reported before the session opened.
    is_restated
        Whether something that its books were built from was recorded after its ``as_of``.
    """

    run: Run
    is_live: bool
    is_restated: bool


@dataclass(frozen=True, slots=True)
class PastInputs:
    """What a morning knew, whatever the policy.

    Attributes
    ----------
    morning
        Which one.
    terms
        Its own policy, and what the roster stated then.
    gate
        Whether the model's cuts applied.
    panel, histories
        Daily results up to its session, and the same by account.
    """

    morning: PastMorning
    terms: DeskTerms
    gate: GateDecision
    panel: Panel
    histories: Mapping[str, PnlHistory]


def read_mornings(connection: Connection, first_session: dt.date, last_session: dt.date) -> list[PastMorning]:
    """Read the mornings that were reported for effective sessions of a range, ascending."""
    binds = {"first_session": first_session, "last_session": last_session}
    mornings = []
    for row in records(connection, "what_if/select_mornings", binds):
        is_live, is_restated = row.pop("is_live"), row.pop("is_restated")
        mornings.append(PastMorning(Run(**row), is_live, is_restated))
    return mornings


@contextlib.contextmanager
def past_mornings(connection: Connection, mornings: Sequence[PastMorning]) -> Iterator[PastReader]:
    """Let a connection read past mornings, ascending; nothing of the warehouse is written.

    Parameters
    ----------
    mornings
        At least one, of ascending sessions.
    """
    with replaced(connection, {"private": "pg_temp"}), connection:
        execute(connection, "what_if/create_tables")
        execute(connection, "what_if/copy_books")
    try:
        yield PastReader(connection, mornings[-1].run.session_date)
    finally:
        connection.rollback()
        with replaced(connection, {"private": "pg_temp"}), connection:
            execute(connection, "what_if/drop_tables")


@contextlib.contextmanager
def replaced(connection: Connection, schemas: Mapping[str, str]) -> Iterator[None]:
    """Let the statements of a connection use other schemas for a while."""
    before, connection.replaced_schemas = connection.replaced_schemas, schemas
    try:
        yield
    finally:
        connection.replaced_schemas = before


class PastReader:
    """Reads mornings one after the other from the temporary tables of a connection.

    Parameters
    ----------
    last_session_date
        Session of the last morning that will be read.
    """

    def __init__(self, connection: Connection, last_session_date: dt.date) -> None:
        self.connection = connection
        self.panel = read_panel(connection, last_session_date)
        self.holds_present = True
        self.known_at: dt.datetime | None = None
        self.accounts: dict[str, list[ActiveAccount]] = {}
        self.gates = PastGates(rows(connection, "what_if/select_issued_forecasts"))

    def inputs(self, morning: PastMorning) -> PastInputs:
        """Give what a morning knew; until the next one `read` reads its accounts."""
        self._issue_forecasts(morning.run.as_of)
        self.accounts = {}
        terms = read_terms(self.connection, morning.run.effective_session, morning.run.as_of)
        gate = read_gate_decision(self.connection, morning.run)
        panel = self._books(morning)
        return PastInputs(morning, terms, gate, panel, pnl_histories(panel))

    def read(self, known: PastInputs, terms: DeskTerms) -> RunInputs:
        """Give what a policy decides on in a morning; the gate compares the model with the policy's own rules."""
        run, gate = known.morning.run, known.gate
        if gate.model_id is not None and not _has_same_rules(known, terms):
            gate = self.gates.decision(known, terms)
        asked = f"{gate.expert} {terms.document.desk.accounts.coverage_binds}"
        if asked not in self.accounts:
            # Temporary tables have no statistics: without them it joins forecasts and results row by row.
            with replaced(self.connection, {"derived": "pg_temp"}), planning(self.connection, enable_nestloop="off"):
                self.accounts[asked] = read_active_accounts(self.connection, run, terms, gate.expert)
        return RunInputs(run.session_date, gate, UNUSED_SHAPE, terms, self.accounts[asked], known.histories)

    def _books(self, morning: PastMorning) -> Panel:
        """Let the temporary tables hold the books as a morning knew them, and give its daily results."""
        session_date = morning.run.session_date
        if not morning.is_restated:
            self._restore_present()
            # Days of the panel are ascending; before its first one nobody has traded yet.
            count = sum(day <= session_date for day in self.panel.session_dates)
            return self.panel.through(count) if count else self.panel.of_accounts(()).through(0)
        with replaced(self.connection, {"derived": "pg_temp", "private": "pg_temp"}):
            if self.holds_present:
                with self.connection:
                    execute(self.connection, "what_if/delete_later_books", {"session_date": session_date})
                self.holds_present = False
            # From the books of the morning before, only what became known since is computed again.
            rebuild_as_of(self.connection, session_date, morning.run.as_of)
            return read_panel(self.connection, session_date)

    def _restore_present(self) -> None:
        """Let the temporary tables hold the books at the newest knowledge."""
        if not self.holds_present:
            with replaced(self.connection, {"private": "pg_temp"}), self.connection:
                execute(self.connection, "what_if/copy_books")
            self.holds_present = True

    def _issue_forecasts(self, as_of: dt.datetime) -> None:
        """Let the temporary forecasts be those that were known at an instant."""
        is_later = self.known_at is not None and self.known_at <= as_of
        binds = {"after": self.known_at if is_later else "-infinity", "as_of": as_of}
        with replaced(self.connection, {"private": "pg_temp"}), self.connection:
            execute(self.connection, "what_if/insert_forecasts", binds)
        self.known_at = as_of


def _has_same_rules(known: PastInputs, terms: DeskTerms) -> bool:
    """Return whether a policy's rules cut every account as those of the morning's own policy do."""
    for account_id in known.panel.account_ids:
        own, other = known.terms.of(account_id), terms.of(account_id)
        if (own.base_limit_usd, own.policy.rules, own.policy.smallest_loss) != (
            other.base_limit_usd, other.policy.rules, other.policy.smallest_loss,
        ):  # fmt: skip
            return False
    return True


IssuedForecasts = Mapping[str, FloatMatrix]
"""By expert, ``(n_sessions, n_accounts)``, US dollars, negative; NaN = none that counts."""

GATE_EXPERTS = (MODEL, BASELINE, HISTORICAL)


@dataclass(frozen=True, slots=True)
class _EvaluatedGate:
    """The gate's bets on the sessions of a panel, and what they came from; matrices ``(n_sessions, n_accounts)``."""

    panel: Panel
    issued: IssuedForecasts
    terms: DeskTerms
    cut_ratios: FloatMatrix
    rules_usd: FloatMatrix
    placed: PlacedBets

    def same_rows(self, panel: Panel, issued: IssuedForecasts, terms: DeskTerms) -> int:
        """Count the first rows up to which it was evaluated from these."""
        if (self.terms, self.panel.account_ids) != (terms, panel.account_ids):
            return 0
        count = min(len(self.panel.session_dates), len(panel.session_dates))
        if self.panel.session_dates[:count] != panel.session_dates[:count]:
            return 0
        is_same = np.ones(count, np.bool_)
        pairs = [(self.issued[name], issued[name]) for name in GATE_EXPERTS]
        for before, now in ((self.panel.total_pnl_usd, panel.total_pnl_usd), *pairs):
            both = before[:count], now[:count]
            is_same &= ((both[0] == both[1]) | (np.isnan(both[0]) & np.isnan(both[1]))).all(axis=1)
        return count if is_same.all() else int(np.argmin(is_same))


class PastGates:
    """Places the gate's bets of past mornings again, against other rules.

    A bet on a session depends on that session and earlier ones only: a morning bets on the rows that are not those of
    the morning before.

    Parameters
    ----------
    issued
        As ``what_if/select_issued_forecasts`` reads them.
    """

    def __init__(self, issued: Sequence[tuple[Any, ...]]) -> None:
        self.issued = issued
        self.evaluated: _EvaluatedGate | None = None

    def decision(self, known: PastInputs, terms: DeskTerms) -> GateDecision:
        """Return a morning's gate, had these rules been those of its policy."""
        panel, issued = known.panel, self._issued(known.panel, known.morning.run)
        before = self.evaluated
        first = 0 if before is None else before.same_rows(panel, issued, terms)
        scale = ewma_scale(panel.total_pnl_usd, SCALE_DECAY)
        cuts = rules_cut_ratios(panel, scale, first, terms=terms)
        placed: PlacedBets = {}
        if before is not None:
            cuts[:first] = before.cut_ratios[:first]
            placed = {row: bets for row, bets in before.placed.items() if row < first}
        rules = rules_quantiles(panel.total_pnl_usd, issued[HISTORICAL], cuts, first)
        if before is not None:
            rules[:first] = before.rules_usd[:first]
        inputs = GateInputs(
            panel.total_pnl_usd, scale, is_eligible(panel), issued[MODEL], issued[BASELINE], issued[HISTORICAL], rules
        )
        ladder = Ladder(inputs, placed)
        self.evaluated = _EvaluatedGate(panel, issued, terms, cuts, rules, ladder.placed)
        has_model = known.gate.model_id is not None
        return replace(
            known.gate, serving=ladder.standing.serving(has_model=has_model), reasons=reasons(ladder.standing)
        )

    def _issued(self, panel: Panel, run: Run) -> IssuedForecasts:
        """Lay out the forecasts as known in a run; those of the ladder's steps only where they were live."""
        found = {name: np.full_like(panel.total_pnl_usd, np.nan) for name in GATE_EXPERTS}
        row_of = {day: number for number, day in enumerate((*panel.session_dates[1:], run.effective_session))}
        column_of = {account_id: number for number, account_id in enumerate(panel.account_ids)}
        for account_id, day, expert, quantile_usd, is_live, known_at in self.issued:
            place = row_of.get(day)
            is_known = known_at <= run.as_of and (is_live or expert == HISTORICAL)
            if place is not None and account_id in column_of and is_known:
                found[expert][place, column_of[account_id]] = quantile_usd
        return found
