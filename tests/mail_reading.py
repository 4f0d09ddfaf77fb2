"""How tests read a mail: as a person does, whatever engine shows it."""

from __future__ import annotations

import html
import re

_CHANGED = re.compile(
    r"Trader ([^:]+): (?:REDUCE LIMIT BY|RAISE LIMIT|REDUCE LIMIT)(?:, CUT NOW)?(?: (\d+)%)?\W+"
    r"New limit: \$([\d,.]*\d) \(was \$([\d,.]*\d)\).*?(?: from the (?:default )?base limit|; base \$([\d,.]*\d))"
)
_STANDING = re.compile(
    r"Trader ([^:]+): (?:CUT OF (\d+)% STANDS|KEEP LIMIT)\. "
    r"(?:Limit stays \$([\d,.]*\d) \(base \$([\d,.]*\d)\)|Limit: \$([\d,.]*\d) \(unchanged\))"
)
_FOLDED = re.compile(r"(?:traders?:|,) ([^,$:]+?) \$([\d,.]*\d)(?: \(cut (\d+)%, base \$([\d,.]*\d)\))?")


def read_aloud(markup: str) -> str:
    """Read HTML as a person does: without styles, tags and line breaks."""
    body = re.sub(r"<style>.*?</style>|<head>.*?</head>", " ", markup, flags=re.DOTALL)
    return plain(html.unescape(re.sub(r"<[^>]+>", "", re.sub(r"<(br|/div|/td|/tr)[^>]*>", " ", body))))


def plain(words: str) -> str:
    """Read words that an engine has broken into lines."""
    return " ".join(words.split())


def limits_in(words: str) -> set[tuple[str, str, str, str]]:
    """Find the limits in a mail: account, cut in percent, new limit and base limit, as digits."""
    said = plain(words)
    found = set()
    for name, percent, new, was, base in _CHANGED.findall(said):
        found.add((name, percent or "0", new.replace(",", ""), (base or was).replace(",", "")))
    for name, percent, new, base, same in _STANDING.findall(said):
        found.add((name, percent or "0", (new or same).replace(",", ""), (base or same).replace(",", "")))
    low = said.partition("LOW RISK, UNCHANGED")[2].partition("HOW LIMITS WERE SET")[0]
    for name, new, percent, base in _FOLDED.findall(low):
        found.add((name, percent or "0", new.replace(",", ""), (base or new).replace(",", "")))
    return found
