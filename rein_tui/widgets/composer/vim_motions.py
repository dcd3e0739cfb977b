"""Where vim's motions and text objects lead: pure functions over lines of text and a place in them."""

import re
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, TypeAlias

Place: TypeAlias = tuple[int, int]
"""Row and column, from 0."""

Reach: TypeAlias = Literal["exclusive", "inclusive", "lines"]
"""What an operator takes: up to the place, the character there too, or whole lines."""


class Goal(NamedTuple):
    """Where a motion leads, and how far an operator reaches then."""

    place: Place
    reach: Reach = "exclusive"


_WORD, _BIG_WORD = re.compile(r"\w+|[^\w\s]+"), re.compile(r"\S+")
_PAIRS = {"(": "()", ")": "()", "b": "()", "[": "[]", "]": "[]", "{": "{}", "}": "{}", "B": "{}", "<": "<>", ">": "<>"}


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
            row = max(0, min(len(lines) - 1, row + (count if keys == "j" else -count)))
            return Goal((row, min(column, len(lines[row]))), "lines")
        case "0":
            return Goal((row, 0))
        case "^":
            return Goal((row, _indent(line)))
        case "$":
            row = min(len(lines) - 1, row + count - 1)
            return Goal((row, max(0, len(lines[row]) - 1)), "inclusive" if lines[row] else "exclusive")
        case "gg" | "G":
            last = len(lines) - 1
            row = min(count - 1, last) if counted or keys == "gg" else last
            return Goal((row, _indent(lines[row])), "lines")
        case "{" | "}":
            return Goal(_paragraph(lines, at, count, 1 if keys == "}" else -1))
        case "w" | "W":
            return Goal(_times(count, at, lambda place: _next_word(lines, place, big=keys == "W")))
        case "b" | "B":
            return Goal(_times(count, at, lambda place: _word_before(lines, place, big=keys == "B")))
        case "e" | "E":
            return Goal(_times(count, at, lambda place: _word_end(lines, place, big=keys == "E")), "inclusive")
        case "%":
            return _partner(lines, at)
        case _:
            return None


def text_object(keys: str, lines: Sequence[str], at: Place) -> tuple[Place, Place] | None:
    """The first place of `iw`, `a"`, `i(` and their like, and the place behind the last."""
    around, kind = keys[0] == "a", keys[1:]
    row, column = at
    line = lines[row]
    if kind in ("w", "W"):
        return _word_object(line, row, column, around, big=kind == "W")
    if kind in ('"', "'", "`"):
        marks = [match.start() for match in re.finditer(rf"(?<!\\){kind}", line)]
        for first, last in zip(marks[::2], marks[1::2], strict=False):
            if column <= last:
                return ((row, first), (row, last + 1)) if around else ((row, first + 1), (row, last))
        return None
    return _bracketed(lines, at, _PAIRS[kind], around) if kind in _PAIRS else None


def _times(count: int, at: Place, step: Callable[[Place], Place]) -> Place:
    for _ in range(count):
        at = step(at)
    return at


def _indent(line: str) -> int:
    return min(len(line) - len(line.lstrip()), max(0, len(line) - 1))


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


def _paragraph(lines: Sequence[str], at: Place, count: int, step: int) -> Place:
    row = at[0]
    for _ in range(count):
        while 0 <= row + step < len(lines) and not lines[row].strip():
            row += step
        while 0 <= row + step < len(lines) and lines[row].strip():
            row += step
    return (row, len(lines[row]) if step > 0 and row == len(lines) - 1 and lines[row].strip() else 0)


def _word_object(line: str, row: int, column: int, around: bool, big: bool) -> tuple[Place, Place] | None:
    pattern = r"\S+|\s+" if big else r"\w+|\s+|[^\w\s]+"
    spans = [found.span() for found in re.finditer(pattern, line)]
    here = next((number for number, (start, end) in enumerate(spans) if start <= column < end), None)
    if here is None:
        return None
    start, end = spans[here]
    if around and here + 1 < len(spans) and line[spans[here + 1][0]].isspace():
        end = spans[here + 1][1]
    elif around and here and line[spans[here - 1][0]].isspace():
        start = spans[here - 1][0]
    return (row, start), (row, end)


def _bracketed(lines: Sequence[str], at: Place, pair: str, around: bool) -> tuple[Place, Place] | None:
    opens, closes = pair
    row, column = at
    if lines[row][column : column + 1] == closes:
        column -= 1
    start = _unmatched(lines, (row, column + 1), closes, opens, -1)
    end = _unmatched(lines, (start[0], start[1] + 1), opens, closes, 1) if start else None
    if start is None or end is None:
        return None
    return (start, (end[0], end[1] + 1)) if around else ((start[0], start[1] + 1), end)


def _partner(lines: Sequence[str], at: Place) -> Goal | None:
    row, column = at
    found = re.compile(r"[()\[\]{}]").search(lines[row], column)
    if found is None:
        return None
    opens, closes = _PAIRS[found.group()]
    if found.group() == opens:
        place = _unmatched(lines, (row, found.start() + 1), opens, closes, 1)
    else:
        place = _unmatched(lines, (row, found.start()), closes, opens, -1)
    return Goal(place, "inclusive") if place else None


def _unmatched(lines: Sequence[str], at: Place, deeper: str, wanted: str, step: int) -> Place | None:
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
