"""What vim's text objects cover: pure functions over lines of text and a place in them."""

import re
from collections.abc import Sequence

from .motions import PAIRS, unmatched
from .page import Place, Span


def text_object(keys: str, lines: Sequence[str], at: Place) -> Span | None:
    """What `iw`, `a(`, `ip` and their like cover; None when they cover nothing here."""
    around, kind = keys[0] == "a", keys[1:]
    if kind in ("w", "W"):
        return _word(lines, at, around, big=kind == "W")
    if kind in ('"', "'", "`"):
        return _quoted(lines, at, kind, around)
    if kind == "p":
        return _paragraph(lines, at[0], around)
    return _bracketed(lines, at, PAIRS[kind], around) if kind in PAIRS else None


def _word(lines: Sequence[str], at: Place, around: bool, big: bool) -> Span | None:
    row, column = at
    line = lines[row]
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
    return Span((row, start), (row, end))


def _quoted(lines: Sequence[str], at: Place, mark: str, around: bool) -> Span | None:
    row, column = at
    line = lines[row]
    marks = [match.start() for match in re.finditer(rf"(?<!\\){mark}", line)]
    for first, last in zip(marks[::2], marks[1::2], strict=False):
        if column > last:
            continue
        if not around:
            return Span((row, first + 1), (row, last))
        end = last + 1
        after = len(line) - len(line[end:].lstrip())
        before = len(line[:first].rstrip())
        return Span((row, first if after > end else before), (row, after))
    return None


def _paragraph(lines: Sequence[str], row: int, around: bool) -> Span:
    """Lines with text, or without; with `around` the other kind that follows, else that goes before, too."""
    first, last = _alike(lines, row)
    if around and last + 1 < len(lines):
        last = _alike(lines, last + 1)[1]
    elif around and first:
        first = _alike(lines, first - 1)[0]
    return Span((first, 0), (last, len(lines[last])), lines=True)


def _alike(lines: Sequence[str], row: int) -> tuple[int, int]:
    first = last = row
    while first and bool(lines[first - 1].strip()) == bool(lines[row].strip()):
        first -= 1
    while last + 1 < len(lines) and bool(lines[last + 1].strip()) == bool(lines[row].strip()):
        last += 1
    return first, last


def _bracketed(lines: Sequence[str], at: Place, pair: str, around: bool) -> Span | None:
    opens, closes = pair
    row, column = at
    if lines[row][column : column + 1] == closes:
        column -= 1
    start = unmatched(lines, (row, column + 1), closes, opens, -1)
    end = unmatched(lines, (start[0], start[1] + 1), opens, closes, 1) if start else None
    if start is None or end is None:
        return None
    return Span(start, (end[0], end[1] + 1)) if around else Span((start[0], start[1] + 1), end)
