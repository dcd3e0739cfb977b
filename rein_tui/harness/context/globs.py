"""Globs over paths: `*` and `?` within one segment, `**` over any number of them, `{a,b}` alternatives.

Matching is by segments and never backtracks over a whole path, so that no pattern from a repository can stall us.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import lru_cache

_MOST = 256


def matches(patterns: Iterable[str], path: str) -> bool:
    """Whether any pattern covers the whole path; both use `/`."""
    segments = tuple(part for part in path.split("/") if part)
    return any(_match(_segments(each), segments) for pattern in patterns for each in expand_braces(pattern))


@lru_cache(maxsize=512)
def expand_braces(pattern: str) -> tuple[str, ...]:
    """`a.{b,c}` as `a.b` and `a.c`; nested ones too, at most 256 in all."""
    done: list[str] = []
    waiting = [pattern]
    while waiting and len(done) < _MOST:
        text = waiting.pop()
        group = _first_group(text)
        if group is None:
            done.append(text)
            continue
        start, end, choices = group
        waiting += [text[:start] + choice + text[end:] for choice in reversed(choices)]
    return tuple(done)


def _first_group(text: str) -> tuple[int, int, list[str]] | None:
    """Start, end and choices of the first innermost `{…,…}`."""
    start = -1
    for i, char in enumerate(text):
        if char == "{":
            start = i
        elif char == "}" and start >= 0:
            choices = text[start + 1 : i].split(",")
            if len(choices) > 1:
                return start, i + 1, choices
            start = -1
    return None


@lru_cache(maxsize=512)
def _segments(pattern: str) -> tuple[str, ...]:
    return tuple(part for part in pattern.removeprefix("./").split("/") if part)


def _match(pattern: tuple[str, ...], path: tuple[str, ...]) -> bool:
    """Which prefixes of the path the pattern so far may cover: one row of a table for each pattern segment."""
    reach = [True] + [False] * len(path)
    for part in pattern:
        if part == "**":
            for i in range(len(path)):
                reach[i + 1] = reach[i + 1] or reach[i]
        else:
            reach = [False] + [reach[i] and fnmatchcase(name, part) for i, name in enumerate(path)]
    return reach[-1]
