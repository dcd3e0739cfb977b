"""Where vim's motions lead: pure functions over lines of text and a place in them."""

import re
from collections.abc import Callable, Sequence

from .page import Goal, Place, indent

_WORD, _BIG_WORD = re.compile(r"\w+|[^\w\s]+"), re.compile(r"\S+")
PAIRS = {"(": "()", ")": "()", "b": "()", "[": "[]", "]": "[]", "{": "{}", "}": "{}", "B": "{}", "<": "<>", ">": "<>"}


def motion(keys: str, lines: Sequence[str], at: Place, count: int, counted: bool = False) -> Goal | None:
    """Where these keys lead, `count` times; None when nowhere. `counted` says that a person gave the count."""
    row, column = at
    line = lines[row]
    if keys[0] in "fFtT" and len(keys) == 2:
        return _find(keys, line, at, count)
    match keys:
        case "h":
            return Goal((row, max(0, column - count)))
        case "l" | " ":
            return Goal((row, min(len(line), column + count)))
        case "j" | "k":
            below = max(0, min(len(lines) - 1, row + (count if keys == "j" else -count)))
            return Goal((below, min(column, len(lines[below]))), "lines") if below != row else None
        case "+" | "-" | "_":
            below = row + {"+": count, "-": -count, "_": count - 1}[keys]
            return Goal((below, indent(lines[below])), "lines") if 0 <= below < len(lines) else None
        case "0":
            return Goal((row, 0))
        case "^":
            return Goal((row, indent(line)))
        case "$":
            row = min(len(lines) - 1, row + count - 1)
            return Goal((row, max(0, len(lines[row]) - 1)), "inclusive" if lines[row] else "exclusive")
        case "gg" | "G":
            last = len(lines) - 1
            row = min(count - 1, last) if counted or keys == "gg" else last
            return Goal((row, indent(lines[row])), "lines")
        case "{" | "}":
            return Goal(_paragraph(lines, at, count, 1 if keys == "}" else -1))
        case "w" | "W":
            return Goal(_times(count, at, lambda place: _next_word(lines, place, big=keys == "W")))
        case "b" | "B":
            goal = Goal(_times(count, at, lambda place: _word_before(lines, place, big=keys == "B")))
            return goal if goal.place != at else None
        case "ge" | "gE":
            return Goal(_times(count, at, lambda place: _end_before(lines, place, big=keys == "gE")), "inclusive")
        case "e" | "E":
            return Goal(_times(count, at, lambda place: _word_end(lines, place, big=keys == "E")), "inclusive")
        case "%":
            return _partner(lines, at)
        case _:
            return None


def _times(count: int, at: Place, step: Callable[[Place], Place]) -> Place:
    for _ in range(count):
        at = step(at)
    return at


def _find(keys: str, line: str, at: Place, count: int) -> Goal | None:
    kind, wanted = keys
    row, column = at
    for _ in range(count):
        column = line.find(wanted, column + 1) if kind in "ft" else line.rfind(wanted, 0, column)
        if column < 0:
            return None
    if kind in "tT":
        column += -1 if kind == "t" else 1
    return Goal((row, column), "inclusive" if kind in "ft" else "exclusive")


def _spans(line: str, big: bool) -> list[tuple[int, int]]:
    return [found.span() for found in (_BIG_WORD if big else _WORD).finditer(line)]


def _next_word(lines: Sequence[str], at: Place, *, big: bool) -> Place:
    row, column = at
    for start, _ in _spans(lines[row], big):
        if start > column:
            return (row, start)
    for below in range(row + 1, len(lines)):
        spans = _spans(lines[below], big)
        if spans or not lines[below]:
            return (below, spans[0][0] if spans else 0)
    return (row, len(lines[row])) if row == len(lines) - 1 else (len(lines) - 1, len(lines[-1]))


def _word_before(lines: Sequence[str], at: Place, *, big: bool) -> Place:
    row, column = at
    for start, _ in reversed(_spans(lines[row], big)):
        if start < column:
            return (row, start)
    for above in range(row - 1, -1, -1):
        spans = _spans(lines[above], big)
        if spans or not lines[above]:
            return (above, spans[-1][0] if spans else 0)
    return (0, 0)


def _word_end(lines: Sequence[str], at: Place, *, big: bool) -> Place:
    row, column = at
    for here in range(row, len(lines)):
        for _, end in _spans(lines[here], big):
            if here > row or end - 1 > column:
                return (here, end - 1)
    return (len(lines) - 1, max(0, len(lines[-1]) - 1))


def _end_before(lines: Sequence[str], at: Place, *, big: bool) -> Place:
    row, column = at
    for above in range(row, -1, -1):
        for _, end in reversed(_spans(lines[above], big)):
            if above < row or end - 1 < column:
                return (above, end - 1)
    return (0, 0)


def _paragraph(lines: Sequence[str], at: Place, count: int, step: int) -> Place:
    row = at[0]
    for _ in range(count):
        while 0 <= row + step < len(lines) and not lines[row].strip():
            row += step
        while 0 <= row + step < len(lines) and lines[row].strip():
            row += step
    return (row, len(lines[row]) if step > 0 and row == len(lines) - 1 and lines[row].strip() else 0)


def _partner(lines: Sequence[str], at: Place) -> Goal | None:
    row, column = at
    found = re.compile(r"[()\[\]{}]").search(lines[row], column)
    if found is None:
        return None
    opens, closes = PAIRS[found.group()]
    if found.group() == opens:
        place = unmatched(lines, (row, found.start() + 1), opens, closes, 1)
    else:
        place = unmatched(lines, (row, found.start()), closes, opens, -1)
    return Goal(place, "inclusive") if place else None


def unmatched(lines: Sequence[str], at: Place, deeper: str, wanted: str, step: int) -> Place | None:
    """The first `wanted` from here on (or, backwards, before here) that no `deeper` on the way takes."""
    depth = 0
    row, edge = at
    while 0 <= row < len(lines):
        line = lines[row]
        columns = range(edge, len(line)) if step > 0 else range(min(edge, len(line)) - 1, -1, -1)
        for column in columns:
            if line[column] == wanted and depth == 0:
                return (row, column)
            depth += (line[column] == deeper) - (line[column] == wanted)
        row += step
        edge = 0 if step > 0 else len(lines[row]) if row >= 0 else 0
    return None


def seek(lines: Sequence[str], at: Place, pattern: str, *, backwards: bool, count: int = 1) -> Place | None:
    """The next match of a pattern, around the ends; a pattern that is none is looked for as it stands."""
    try:
        wanted = re.compile(pattern)
    except re.error:
        wanted = re.compile(re.escape(pattern))
    found = [(row, match.start()) for row, line in enumerate(lines) for match in wanted.finditer(line) if line]
    if not found:
        return None
    before = sum(place < at for place in found)
    here = at in found
    return found[(before - count if backwards else before - 1 + here + count) % len(found)]


def word_at(line: str, column: int) -> str:
    """The word at or after a column, as a pattern of its own; empty when there is none."""
    found = next((match for match in re.finditer(r"\w+", line) if match.end() > column), None)
    return rf"\b{found.group()}\b" if found else ""
