"""Forgers of an examiner's pack, who know its whole format, and its verifier as a stranger runs it."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from risk.evidence import verify_pack

Row = dict[str, Any]


def check(place: Path, *arguments: str, verifier: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the verifier alone: another folder, no site packages, no environment."""
    command = [sys.executable, "-I", "-S", str(verifier or verify_pack.__file__), str(place), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=place.parent, env={})


def rewrite(folder: Path, name: str, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """Change the rows of a part as a forger does who knows the manifest, but not the rows' own hashes."""
    path = folder / name
    lines = path.read_bytes().split(b"\n")
    rows = [line.rstrip(b",") for line in lines if line.startswith(b'{"')]
    first = lines.index(b'"rows": [')
    path.write_bytes(b"\n".join([*lines[: first + 1], b",\n".join(change(rows)), *lines[first + 1 + len(rows) :]]))
    renew_manifest(folder)


def renew_manifest(folder: Path) -> None:
    """Write the manifest anew."""
    names = sorted(path.name for path in folder.iterdir() if path.name != "manifest.txt")
    lines = "".join(f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names)
    (folder / "manifest.txt").write_text(f"{lines}{hashlib.sha256(lines.encode()).hexdigest()}  manifest.txt\n")


def renumbered(rows: list[bytes]) -> list[bytes]:
    """Number rows again and hash them again, as a forger does who knows the whole format."""
    made = []
    for number, row in enumerate((json.loads(row) for row in rows), 1):
        row.pop("sha256")
        row["row"] = number
        made.append(verify_pack.canonical({**row, "sha256": verify_pack.hashed(row)}))
    return made


def forged(old: str, new: str) -> Callable[[list[bytes]], list[bytes]]:
    """Replace a text in rows, and hash all again."""

    def change(rows: list[bytes]) -> list[bytes]:
        assert any(old.encode() in row for row in rows)
        return renumbered([row.replace(old.encode(), new.encode()) for row in rows])

    return change


def forge(folder: Path, name: str, change: Callable[[Row], None]) -> None:
    """Change each row of a part in place, and hash all again, the number of rows included."""

    def changed(lines: list[bytes]) -> list[bytes]:
        rows = [json.loads(line) for line in lines]
        for row in rows:
            change(row)
        return renumbered([verify_pack.canonical(row) for row in rows])

    rewrite(folder, name, changed)


def edit(folder: Path, name: str, old: bytes, new: bytes) -> None:
    """Replace the first place of a text in a file, and list the file anew."""
    content = (folder / name).read_bytes()
    assert old in content, name
    (folder / name).write_bytes(content.replace(old, new, 1))
    renew_manifest(folder)


def drop_part(folder: Path) -> None:
    (folder / "04-approvals.json").unlink()
    renew_manifest(folder)


def unlink_approval(folder: Path) -> None:
    """Give a decision another person, and no link that would say so."""

    def change(row: Row) -> None:
        if row.get("table") == "limit_decisions" and row["content"]["action"] == "approved":
            del row["link"], row["shown"]
            row["content"]["user_name"] = "Somebody Else"

    forge(folder, "04-approvals.json", change)


def rename_table(folder: Path) -> None:
    forge(folder, "04-approvals.json", lambda row: row.update(table="remarks"))


def recommend_other(folder: Path) -> None:
    rewrite(folder, "01-limits.json", forged('"new_limit_usd":"4000.00"', '"new_limit_usd":"1.00"'))


def use_other(folder: Path) -> None:
    rewrite(folder, "06-use.json", forged('"largest_loss_usd":"1550.00"', '"largest_loss_usd":"15.00"'))


def publish_other(folder: Path) -> None:
    def change(row: Row) -> None:
        if row.get("day", {}).get("published"):
            row["day"]["published"]["limit_usd"] = "1.00"

    forge(folder, "01-limits.json", change)


def move_report(folder: Path) -> None:
    def change(row: Row) -> None:
        if "report" in row:
            row["report"]["effective_session"] = "2025-08-14"

    forge(folder, "02-facts.json", change)


def state_other_digest(folder: Path) -> None:
    def change(row: Row) -> None:
        if "report" in row:
            row["report"]["report_sha256"] = "f" * 64

    forge(folder, "02-facts.json", change)


def call_unproven(folder: Path) -> None:
    """Say of a report that it is too old to be proven, and change it."""

    def change(row: Row) -> None:
        if "leaf" in row:
            row["unproven_leaf"] = json.loads(json.dumps(row.pop("leaf")).replace("4000.00", "1.00"))
            del row["leaf_salt"], row["path"]

    forge(folder, "02-facts.json", change)


def hide_row(folder: Path) -> None:
    """Add a row that JSON has, and that does not begin as the rows of a pack do."""
    edit(folder, "04-approvals.json", b'"rows": [\n', b'"rows": [\n {"table":"limit_decisions","content":{}},\n')


def override_rows(folder: Path) -> None:
    edit(folder, "04-approvals.json", b'\n],\n"row_count"', b'\n],\n"rows":  [ {"forged":1} ],\n"row_count"')


def repeat_key(folder: Path) -> None:
    """State a value twice: one reader takes the first, another one the last."""
    edit(folder, "12-gaps.json", b'{"gap":', b'{"gap":"none","gap":')


def swap_parts(folder: Path) -> None:
    one, other = folder / "07-fit.json", folder / "09-restated.json"
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)
    renew_manifest(folder)


def list_more(folder: Path) -> None:
    (folder / "note.html").write_text("<script>")
    renew_manifest(folder)


def mix_accounts(folder: Path) -> None:
    edit(folder, "06-use.json", b'"account":"NET001"', b'"account":"NETX02"')


def hide_escape(folder: Path) -> None:
    """Name a file so that a terminal shows the sentence of a whole pack only."""
    (folder / f"x\n\x1b[2J\x1b[H{verify_pack.WHOLE}\x1b[8m").write_text("x")


def break_text(folder: Path) -> None:
    """State half a character, which no output can write."""
    path = folder / "12-gaps.json"
    path.write_bytes(re.sub(rb'"row":1,', rb'"row":"\\ud800",', path.read_bytes(), count=1))
    renew_manifest(folder)


FORGERIES: dict[Callable[[Path], None], str] = {
    drop_part: "04-approvals.json is missing.",
    unlink_approval: "04-approvals.json, row 4 names link None, which the pack does not show.",
    rename_table: "04-approvals.json, row 4 is not what link 13 recorded.",
    recommend_other: "01-limits.json, row 5 is not what the reports and linked rows say.",
    use_other: "06-use.json, row 1 is not what the reports and linked rows say.",
    publish_other: "01-limits.json, row 5 is not what the reports and linked rows say.",
    move_report: "02-facts.json, row 2: the report says something else of the account.",
    state_other_digest: "02-facts.json, row 1: the report says something else of the account.",
    call_unproven: "02-facts.json, row 1: the report says something else of the account.",
    hide_row: "04-approvals.json is of another pack, or holds more or less than its 6 rows.",
    override_rows: "04-approvals.json is of another pack, or holds more or less than its 6 rows.",
    repeat_key: "12-gaps.json is of another pack, or holds more or less than its 6 rows.",
    swap_parts: "07-fit.json is of another pack",
    list_more: "note.html is not of this pack",
    mix_accounts: "06-use.json is of another pack",
    hide_escape: r"\x1b[2J",
    break_text: "cannot be read further",
}
"""What a forger does who renews every hash, and what the verifier says of it."""
