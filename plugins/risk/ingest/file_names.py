"""The names under which files of a drop are read; any other file is named, with the name it should have."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from risk.ingest.reference_data import FILE_SPECS
from risk.ingest.rules import FileFinding

PATTERNS: Final = {
    "fills": ("fills*.csv", "fills*.csv.gz"),
    **{spec.name: (f"{spec.name}*.csv",) for spec in FILE_SPECS},
    "manifest": ("manifest.csv",),
}
"""Kind of file to the names it is read under."""

MARKER: Final = "simulated.json"
"""Present in every folder of simulated input, and in no other."""

EXEMPT: Final = (MARKER, "truth.csv", "mapping*.toml")
"""What else belongs into a folder without being read as data of the desk."""

SYNONYMS: Final = dict.fromkeys(("executions", "trades", "transactions"), "fills") | dict.fromkeys(
    ("quotes", "prices", "closes"), "marks"
)
"""Words that others use for a kind of file."""

SYSTEM_FILES: Final = ("thumbs.db", "desktop.ini", "icon\r", "lost+found", "~$*", "*~")
"""What operating systems and office programs leave in a folder, beside hidden files."""

REMEDIES: Final = {
    r"\.(zip|7z|rar|tar|tgz|bz2|xz)": "it is an archive. Unpack it, for example as",
    r"\.gz": "it is packed. Unpack it, for example as",
    r"\.xls[a-z]?": "it is an Excel workbook. Export it as CSV, for example as",
    r"\.(ods|numbers|pdf)": "it is not CSV. Export it as CSV, for example as",
    r"\.(bak|old|orig|copy)": "it looks like a backup copy. Remove it, or name it",
    r"\.(tmp|part|partial|filepart|crdownload)": "it looks like an unfinished copy. Once it is whole, name it",
}
"""Ending of a name to what is wrong with the file and what to do; any other file needs another name only."""

LIKENESS: Final = 0.75
"""From this similarity on a word is taken for a misspelled kind of file (difflib's ratio)."""


def find_unread(listed: Iterable[Path]) -> list[FileFinding]:
    """Name the files of a folder that match no name that is read, in any case of letters; not what is hidden."""
    passed_over = (*(pattern for known in PATTERNS.values() for pattern in known), *SYSTEM_FILES, *EXEMPT)
    return [
        FileFinding(printable(path.name), f"{printable(path.name)} is not read: {_advice(path.name.lower())}", "unread")
        for path in listed
        if not path.name.startswith(".")
        and not any(fnmatchcase(path.name.lower(), pattern) for pattern in passed_over)
        and (path.is_symlink() or not path.is_dir())
    ]


def printable(name: str) -> str:
    """Write a file's name so that it cannot break a line, an email or a terminal."""
    return ascii(name)[1:-1]


def _advice(name: str) -> str:
    """Say what is wrong with a name or file, and what to do."""
    ending = next((ending for ending in REMEDIES if re.search(rf"{ending}$", name)), "")
    stem = re.sub(rf"{ending}$", "", name) if ending else name
    stem = re.sub(r"(\.[a-z]{1,4})+$", "", stem)
    kind, words = _kind(stem)
    if kind is None:
        return f"the names that are read are {_listed(PATTERNS)}. Rename it if it holds such data."
    rest = "_".join(re.findall(r"[a-z0-9.-]+", words))
    example = f"{kind}_{rest}.csv" if rest and kind != "manifest" else f"{kind}.csv"
    problem = REMEDIES.get(ending, f"such files are named {_listed([kind])}. Rename it, for example")
    return f"{problem} {example}."


def _kind(stem: str) -> tuple[str | None, str]:
    """Guess the kind of a file from the words of its name, and return what else the name says."""
    for word in re.findall(r"[a-z]+", stem):
        known = get_close_matches(word, (*PATTERNS, *SYNONYMS), n=1, cutoff=LIKENESS)
        if known:
            kind = SYNONYMS.get(known[0], known[0])
            return kind, stem if known[0] in SYNONYMS else stem.replace(word, "", 1)
    return None, stem


def _listed(kinds: Iterable[str]) -> str:
    return ", ".join(pattern for kind in kinds for pattern in PATTERNS[kind])
