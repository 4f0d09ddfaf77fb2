"""Forged packs: who knows the whole format renews every hash, and is found all the same, or nothing is promised."""

from __future__ import annotations

import hashlib
import json
import resource
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from risk.core.warehouse import Connection
from risk.evidence import verify_pack
from risk.evidence.archive import Part
from risk.evidence.later import CHAIN, GAPS, PEOPLE, RESTATED
from risk.evidence.parts import FINAL_PARTS
from tests.pack_desks import lived, make
from tests.pack_forgeries import FORGERIES, Row, check, forge


@pytest.fixture
def pack(connection: Connection, tmp_path: Path) -> Path:
    lived(connection)
    return make(connection, tmp_path / "pack.zip").file


@pytest.fixture
def folder(pack: Path) -> Path:
    with zipfile.ZipFile(pack) as archive:
        archive.extractall(pack.parent / "unzipped")
    return pack.parent / "unzipped"


def newest_head(folder: Path) -> str:
    """Return the newest link as a mail states it."""
    link = json.loads((folder / "13-chain.json").read_bytes())["rows"][-1]["link_row"]
    return f"{link['sequence']} {link['link_sha256'][:16]}"


def zipped(folder: Path, place: Path, *first: tuple[str, bytes]) -> Path:
    """Make an archive of a folder and of what comes before it, and seal it as a pack is."""
    with warnings.catch_warnings(), zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")
        archive.comment = b"0" * 64
        for name, content in (*first, *((path.name, path.read_bytes()) for path in sorted(folder.iterdir()))):
            archive.writestr(name, content)
    content = place.read_bytes()[:-64]
    place.write_bytes(content + hashlib.sha256(content).hexdigest().encode())
    return place


@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda forgery: forgery.__name__)
def test_forgery_with_every_hash_renewed_is_found(folder: Path, forgery: Callable[[Path], None]) -> None:
    head = newest_head(folder)
    forgery(folder)

    found = check(folder, "--head", head)

    assert (found.returncode, found.stderr) == (1, "")
    assert FORGERIES[forgery] in found.stdout
    assert verify_pack.WHOLE not in found.stdout.splitlines()


def test_verifier_names_the_files_that_a_pack_has() -> None:
    parts: list[Part] = [*(part for part, _ in FINAL_PARTS), RESTATED, PEOPLE, GAPS, CHAIN]

    assert sorted(part.file_name for part in parts) == verify_pack.PARTS


def test_second_file_of_a_name_is_found(folder: Path, tmp_path: Path) -> None:
    place = zipped(folder, tmp_path / "twice.zip", ("index.html", b"<h1>forged</h1>"))

    found = check(place, "--head", newest_head(folder))

    assert (found.returncode, found.stdout) == (1, "index.html is not of this pack, or twice in it.\n")


@pytest.mark.parametrize("name", ["manifest.txt", "12-gaps.json"])
def test_file_that_unpacks_to_a_gigabyte_takes_bounded_memory(folder: Path, tmp_path: Path, name: str) -> None:
    (folder / name).unlink()
    place = zipped(folder, tmp_path / "bomb.zip", (name, b"A" * (1 << 29)))
    command = [sys.executable, "-I", "-S", str(verify_pack.__file__), str(place)]

    def bound() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (1 << 29, 1 << 29))

    found = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=bound)

    assert (found.returncode, found.stderr) == (1, "")
    assert "MemoryError" not in found.stdout


def test_each_of_two_heads_with_one_number_is_compared(folder: Path) -> None:
    head = newest_head(folder)

    for heads in ([head, f"{head.split()[0]} {'0' * 16}"], [f"{head.split()[0]} {'0' * 16}", head]):
        found = check(folder, *(argument for one in heads for argument in ("--head", one)))
        assert "is not what a mail states: 0000000000000000" in found.stdout


@pytest.mark.parametrize("cut", [1, 8, 15])
def test_head_with_less_digits_than_a_mail_states_is_refused(folder: Path, cut: int) -> None:
    number, digits = newest_head(folder).split()

    assert check(folder, "--head", f"{number} {digits[:cut]}").returncode == 1


def test_verifier_says_how_many_rows_mails_prove(folder: Path) -> None:
    links = [row["link_row"] for row in json.loads((folder / "13-chain.json").read_bytes())["rows"]]
    heads = {int(link["sequence"]): f"{link['sequence']} {link['link_sha256'][:16]}" for link in links}

    assert "prove 0 of 17 rows with a link, of NET001." in check(folder).stdout
    assert "prove 0 of 17 " in check(folder, "--head", "0 0123456789abcdef").stdout
    assert "prove 12 of 17 " in check(folder, "--head", heads[19]).stdout
    assert "prove 17 of 17 " in check(folder, "--head", heads[19], "--head", heads[28]).stdout


def test_later_head_proves_nothing_of_what_is_before_a_hidden_link(folder: Path) -> None:
    """Nobody can compute the hash of a link without its subject: whoever hides one may have forged all before."""
    head, made = newest_head(folder), dict[str, str]()

    def other_limit(row: Row) -> None:
        if row.get("link") == 12:
            row["content"] = {**row["content"], "limit_usd": "1.00"}
            del row["shown"]
            made["content"] = verify_pack.hashed(row["content"])

    def chain_again(row: Row) -> None:
        link: dict[str, Any] = row["link_row"]
        number = int(link["sequence"])
        link["previous_sha256"] = made.pop("previous", link["previous_sha256"])
        if number == 12:
            link["content_sha256"] = made["content"]
        if number in {12, 13, 14, 15}:
            del link["link_sha256"]
            link["link_sha256"] = made["previous"] = verify_pack.hashed(link)
        if number == 16:
            row["link_row"] = {name: link[name] for name in ("sequence", "previous_sha256", "link_sha256")}

    forge(folder, "04-approvals.json", other_limit)
    forge(folder, "13-chain.json", chain_again)

    found = check(folder, "--head", head).stdout

    assert f"{verify_pack.WHOLE}\nThe mails prove 8 of 17 rows with a link" in found
