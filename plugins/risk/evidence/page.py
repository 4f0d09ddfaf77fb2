"""The page of a pack: what its parts hold, for a reader who has never seen the product."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any

import jinja2

from risk.core import money
from risk.core.exchange import exchange_zone
from risk.evidence.parts import Row
from risk.evidence.reading import Scope
from risk.report.render import new_environment

LISTED_ROWS = 3_000
"""Rows of one kind on the page: ten years of sessions; the JSON has all."""

WITHOUT_PAGE = frozenset({"chain"})
KINDS = (
    "airflow_user",
    "change",
    "code_version",
    "database_role",
    "day",
    "decided_in_range",
    "file_limit",
    "fit",
    "further",
    "gap",
    "item",
    "later_report",
    "mail",
    "model",
    "morning",
    "never",
    "platform_file",
    "policy",
    "receipt",
    "report",
    "request",
    "restated",
)
"""Keys that say what a row is; other rows are of a linked table."""


ACTIONS = {
    "edited": "set another limit",
    "approved": "approved",
    "rejected": "rejected: the limit in force stayed",
    "timed_out": "nobody answered by the deadline",
    "not_required": "needed no approval",
}
"""What was decided about a proposed limit, for people."""


class PageRows:
    """Rows of the parts by what they are, as many as the page lists, and how many there are."""

    def __init__(self) -> None:
        self._rows: dict[str, list[Row]] = defaultdict(list)
        self.counts: Counter[str] = Counter()

    def note(self, part: str, row: Row) -> None:
        """Keep a row for the page."""
        key = f"{part} {next((kind for kind in KINDS if kind in row), row.get('table', 'row'))}"
        self.counts[key] += 1
        if part not in WITHOUT_PAGE and self.counts[key] <= LISTED_ROWS:
            self._rows[key].append({name: value for name, value in row.items() if name not in {"leaf_salt", "path"}})

    def of(self, part: str, kind: str) -> list[Row]:
        """Return the rows of a kind."""
        return self._rows[f"{part} {kind}"]

    def hidden(self, part: str, kind: str) -> int:
        """Return how many more the JSON has."""
        return max(0, self.counts[f"{part} {kind}"] - LISTED_ROWS)


def render_page(scope: Scope, page: PageRows, head: str) -> str:
    """Render index.html."""
    use = [row for row in page.of("use", "receipt") if row["receipt"]["use_ratio"] is not None]
    publications = {row["content"]["publication_id"]: row["content"] for row in page.of("approvals", "publications")}
    shown = {
        "scope": scope,
        "page": page,
        "head": head,
        "breaches": list(_breaches(page)),
        "largest": max(use, key=lambda row: Decimal(row["receipt"]["use_ratio"]), default=None),
        "publications": publications,
        "recipients": Counter(row["mail"]["effective_session"] for row in page.of("delivery", "mail")),
        "actions": ACTIONS,
        "seen": json.loads,
    }
    return _environment().get_template("pack/index.html.j2").render(**shown)


def _breaches(page: PageRows) -> Iterator[dict[str, Any]]:
    """Give each breach and limit hit of the range with what persons entered about it, in time and later."""
    entries = [(row["content"], is_late) for part, is_late in (("use", False), ("restated", True))
               for row in page.of(part, "limit_breach_entries")]  # fmt: skip
    for row in page.of("use", "receipt"):
        if row["receipt"]["outcome"] != "within":
            own = [(entry, late) for entry, late in entries if entry["session_date"] == row["session"]]
            yield {"session": row["session"], "receipt": row["receipt"], "sentence": row["sentence"], "entries": own}


def _dollars(text: str | None) -> str:
    return "-" if text is None else money.usd_exact(Decimal(text))


def _signed_dollars(text: str | None) -> str:
    return "unknown" if text is None else money.signed_usd_cents(Decimal(text))


def _share(text: str | None) -> str:
    return "n/a" if text is None else money.percent(Decimal(text))


def _local(text: str | dt.datetime | None) -> str:
    """Write an instant in the exchange's zone to the second."""
    if text is None:
        return "-"
    instant = dt.datetime.fromisoformat(text) if isinstance(text, str) else text
    return f"{instant.astimezone(exchange_zone()):%Y-%m-%d %H:%M:%S}"


@cache
def _environment() -> jinja2.Environment:
    environment = new_environment()
    environment.filters.update(dollars=_dollars, signed=_signed_dollars, share=_share, local=_local)
    return environment
