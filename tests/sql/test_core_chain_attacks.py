"""Attacks of a superuser on witnessed rows are found from three mails, and no honest history is accused."""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from risk.core.chain import PARTS, verify
from tests.chain_attacks import ATTACKS, change_fills, disarm, drop_link, links, reorder, rewrite, truncate, unguard
from tests.chain_histories import History, history
from tests.properties.effort import IS_THOROUGH

SEED = 20250815
ATTACK_COUNT, LATER_COUNT, HISTORY_COUNT = (200, 20, 50) if IS_THOROUGH else (40, 8, 20)
DESKS, LENGTHS = 2, 5
"""Histories that are attacked; and at how many lengths an honest one is verified."""
MAILS = 3
LATER = (rewrite, drop_link, reorder, truncate)
"""Attacks that leave a chain that is consistent in itself: others on later rows are found as any."""


@pytest.fixture(scope="module")
def desks(server_dsn: str, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[History]]:
    """Give histories with corrections, decisions, withdrawals and a restore; rows after the last mail."""
    made = []
    for seed in range(SEED, SEED + DESKS):
        context = history(server_dsn, template_database, tmp_path_factory.mktemp("desk"), seed)
        desk = context.__enter__()
        made.append((context, desk))
        for happens in (desk.load, desk.back_up, desk.correct, desk.restore, desk.redeliver, desk.decide, desk.load):
            happens()
        for happens in (desk.withdraw, desk.report, desk.decide, desk.redeliver):
            happens()
        disarm(desk.connection)
    yield [desk for _, desk in made]
    for context, _ in made:
        context.__exit__(None, None, None)


def test_attacks_on_witnessed_rows_are_found_from_the_last_three_mails(desks: list[History]) -> None:
    missed = []
    for number in range(ATTACK_COUNT):
        desk, attack, draw = (
            desks[number % DESKS],
            ATTACKS[number // DESKS % len(ATTACKS)],
            random.Random(SEED + number),
        )
        mails = desk.witnesses[-MAILS:]
        witnessed = links(desk.connection)[: mails[0].sequence]
        link = draw.choice([one for one in witnessed if attack is not change_fills or one["kind"] in PARTS])
        unguard(desk.connection)
        attack(desk.connection, link, draw)
        verdict = verify(desk.connection, mails)
        desk.connection.rollback()
        if verdict.exit_code != 1:
            missed.append((SEED + number, attack.__name__, link["kind"], link["sequence"], verdict.sentence))
    sys.stdout.write(
        f"{ATTACK_COUNT - len(missed)} of {ATTACK_COUNT} attacks found, seeds {SEED} to {SEED + ATTACK_COUNT - 1}\n"
    )

    assert missed == []
    assert [verify(desk.connection, desk.witnesses).faults for desk in desks] == [()] * DESKS


def test_attacks_on_later_rows_are_in_the_part_that_is_not_yet_witnessed(desks: list[History]) -> None:
    accused = []
    for number in range(LATER_COUNT):
        desk, attack, draw = desks[number % DESKS], LATER[number // DESKS % len(LATER)], random.Random(SEED + number)
        last = desk.witnesses[-1].sequence
        # Links but the first and the last one: something is left to be stated, and to change places with.
        link = draw.choice(links(desk.connection)[last + 1 : -1])
        unguard(desk.connection)
        attack(desk.connection, link, draw)
        verdict = verify(desk.connection, desk.witnesses[-MAILS:])
        desk.connection.rollback()
        stated = f"Mails witness the first {last}; later ones are not yet witnessed."
        if verdict.exit_code or stated not in verdict.sentence:
            accused.append((SEED + number, attack.__name__, link["kind"], link["sequence"], verdict.sentence))
    sys.stdout.write(f"{LATER_COUNT - len(accused)} of {LATER_COUNT} later ones not yet witnessed, seeds from {SEED}\n")

    assert accused == []


def test_honest_histories_are_whole_from_all_their_mails(
    server_dsn: str, template_database: str, tmp_path: Path
) -> None:
    accused, events = [], list[str]()
    for seed in range(SEED, SEED + HISTORY_COUNT // LENGTHS):
        with history(server_dsn, template_database, tmp_path, seed) as honest:
            for _ in range(LENGTHS):
                for _ in range(3):
                    honest.step()
                own = verify(honest.connection, honest.witnesses)
                every = verify(honest.connection, honest.witnesses + honest.replaced)
                if own.exit_code or every.faults or (every.exit_code == 2) != bool(honest.replaced):
                    accused.append((seed, list(honest.events), own.sentence, every.sentence))
            events += honest.events
    counts = dict(sorted(Counter(events).items()))
    sys.stdout.write(f"{HISTORY_COUNT} honest histories, seeds from {SEED}: {len(accused)} accused; {counts}\n")

    assert accused == []
    assert {"correct", "decide", "redeliver", "report", "restore", "withdraw"} <= set(events)
