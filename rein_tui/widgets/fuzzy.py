"""Fuzzy matching of names and paths: a subsequence, scored by where its letters fall.

Better: the whole query in one piece, in the file name, at the start of a word, in a short path. Pure functions.
"""

import re
from functools import lru_cache
from itertools import pairwise

_BOUNDARY = frozenset("/_-. ")


@lru_cache(maxsize=64)
def line_pattern(query: str) -> re.Pattern[str]:
    """Finds each line of a text that holds `query` as a subsequence; linear, case ignored unless typed in capitals."""
    smart = query == query.lower()
    parts: list[str] = []
    for character in query:
        wanted = {character.lower(), character.upper()} if smart else {character}
        letters = "".join(re.escape(c) for c in sorted(wanted) if len(c) == 1) or re.escape(character)
        parts.append(f"[^{letters}\n]*[{letters}]")
    return re.compile(f"^{''.join(parts)}.*$", re.MULTILINE)


def match(query: str, text: str) -> tuple[int, tuple[int, ...]] | None:
    """Score (higher is better) and matched positions of `query` in `text`, or None where it does not match."""
    if not query:
        return (-len(text), ())
    smart = query == query.lower()
    subject = text.lower() if smart and len(text.lower()) == len(text) else text
    name_at = subject.rstrip("/").rfind("/") + 1
    whole = subject.find(query, name_at)
    if whole < 0:
        whole = subject.rfind(query)
    if whole >= 0:
        positions = tuple(range(whole, whole + len(query)))
        score = 1000 + 8 * len(query)
    else:
        found = _scattered(query, subject)
        if found is None:
            return None
        positions = found
        score = 400 - 4 * _gaps(positions) + 20 * sum(_starts_word(text, position) for position in positions)
    score += 200 if positions[0] >= name_at else 0
    score += 120 if positions[0] == name_at else 60 if _starts_word(text, positions[0]) else 0
    return (score - len(text), positions)


def _scattered(query: str, subject: str) -> tuple[int, ...] | None:
    """Positions of a subsequence, taking the start of a word wherever the rest still fits behind it."""
    last: list[int] = []
    end = len(subject)
    for character in reversed(query):
        end = subject.rfind(character, 0, end)
        if end < 0:
            return None
        last.append(end)
    last.reverse()
    positions: list[int] = []
    at = 0
    for character, limit in zip(query, last, strict=True):
        first = best = subject.find(character, at, limit + 1)
        if positions and best == positions[-1] + 1:
            first = best
        else:
            while best >= 0 and not _starts_word(subject, best):
                best = subject.find(character, best + 1, limit + 1)
            first = best if best >= 0 else first
        positions.append(first)
        at = first + 1
    return tuple(positions)


def _gaps(positions: tuple[int, ...]) -> int:
    return sum(min(10, after - before - 1) for before, after in pairwise(positions))


def _starts_word(text: str, position: int) -> bool:
    if position == 0:
        return True
    before, here = text[position - 1], text[position]
    return before in _BOUNDARY or (here.isupper() and not before.isupper())
