"""Diffs as pieces: unified or side by side, with line numbers, syntax colours and the words that changed.

The numbers, signs and rules are gutters: copying a diff gives the code alone.
"""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Literal, TypeAlias

import msgspec
from rich.cells import cell_len
from textual.content import Content, Span

from rein_tui.harness.protocol.displays import DiffDisplay, Hunk

from .highlight import code_lines
from .lines import EMPTY, Piece, joined
from .safe import TAB_SIZE, safe_text

DiffStyle: TypeAlias = Literal["unified", "split", "auto"]

SPLIT_FROM = 120
"""Cells from which `auto` shows both sides, where every line of them fits its half."""

ADDED, REMOVED = "on $success 12%", "on $error 12%"
_ADDED_WORD, _REMOVED_WORD = "on $success 30%", "on $error 30%"
_NUMBER = "$text-disabled"
_SIGNS = {"+": "$text-success", "-": "$text-error", " ": ""}
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_ALIKE = 0.4
"""Lines less alike than this are shown as other lines, not as changed words."""


class _Row(msgspec.Struct):
    """One line of a hunk: its sign, its code with colours and marked words, its number on each side (0: none)."""

    sign: str
    code: Content
    old: int
    new: int


def diff_title(diff: DiffDisplay) -> Content:
    """`+3 −1`, or what stands for it."""
    if not diff.old_exists and not diff.removed:
        return Content.assemble(("new file ", "$text-muted"), (f"+{diff.added}", "$text-success"))
    return Content.assemble((f"+{diff.added}", "$text-success"), " ", (f"−{diff.removed}", "$text-error"))


def diff_pieces(diff: DiffDisplay, width: int, style: DiffStyle = "auto", limit: int = 0) -> list[Piece]:
    """All hunks of a change; at most `limit` rows if that is not 0, saying what is left out."""
    split = is_split(diff, width, style)
    digits = _digits(diff)
    pieces: list[Piece] = []
    for number, hunk in enumerate(diff.hunks):
        if number:
            pieces.append(Piece(Content.styled("⋯", _NUMBER), wrap="crop", silent=True))
        rows = _rows(hunk, diff.path)
        pieces += _split(rows, width, digits) if split else _unified(rows, digits)
        if limit and len(pieces) > limit:
            break
    if diff.note:
        pieces.append(Piece(Content.styled(safe_text(diff.note, "label"), "$text-muted"), silent=True))
    if limit and len(pieces) > limit:
        total = sum(len(hunk.lines) for hunk in diff.hunks)
        rest = Content.styled(f"… {max(1, total - limit):,} more lines", "$text-muted")
        return [*pieces[:limit], Piece(rest, wrap="crop", silent=True)]
    return pieces


def is_split(diff: DiffDisplay, width: int, style: DiffStyle = "auto") -> bool:
    """Whether both sides are shown. By itself only what then reads better: a change whose lines need no wrapping."""
    if style != "auto" or width < SPLIT_FROM or not (diff.old_exists and diff.removed and diff.added):
        return style == "split"
    room = _room(width, _digits(diff))
    return all(cell_len(line.expandtabs(TAB_SIZE)) <= room + 1 for hunk in diff.hunks for line in hunk.lines)


def _digits(diff: DiffDisplay) -> int:
    """Cells of the highest line number."""
    return max((len(str(max(h.old_start + h.old_lines, h.new_start + h.new_lines))) for h in diff.hunks), default=1)


def _room(width: int, digits: int) -> int:
    """Cells for the code of each side."""
    return max(12, (width - 2 * (digits + 3) - 3) // 2)


def _rows(hunk: Hunk, path: str) -> list[_Row]:
    """The hunk's lines, coloured as code of each side, with changed words marked."""
    lines = [line if line[:1] in _SIGNS and line else f" {line}" for line in hunk.lines]
    if lines and all(line.endswith("\r") for line in lines):
        lines = [line[:-1] for line in lines]
    old_code = iter(code_lines("\n".join(line[1:] for line in lines if line[0] != "+"), path=path))
    new_code = iter(code_lines("\n".join(line[1:] for line in lines if line[0] != "-"), path=path))
    rows: list[_Row] = []
    old, new = hunk.old_start, hunk.new_start
    for line in lines:
        sign = line[0]
        code = EMPTY
        if sign != "+":
            code = next(old_code, EMPTY)
        if sign != "-":
            code = next(new_code, EMPTY)
        rows.append(_Row(sign, code, old if sign != "+" else 0, new if sign != "-" else 0))
        old += sign != "+"
        new += sign != "-"
    for removed, added in _changes(rows):
        for before, after in zip(removed, added, strict=False):
            before.code, after.code = mark_words(before.code, after.code)
    return rows


def _changes(rows: Sequence[_Row]) -> Iterator[tuple[list[_Row], list[_Row]]]:
    """Runs of removed lines with the added lines directly below them."""
    removed: list[_Row] = []
    added: list[_Row] = []
    for row in [*rows, _Row(" ", EMPTY, 0, 0)]:
        if row.sign == "-" and not added:
            removed.append(row)
        elif row.sign == "+":
            added.append(row)
        else:
            if removed or added:
                yield removed, added
            removed, added = ([row] if row.sign == "-" else []), []


def mark_words(old: Content, new: Content) -> tuple[Content, Content]:
    """Two versions of a line with the words that differ marked, unless hardly anything is the same."""
    if len(old) > 500 or len(new) > 500:
        return old, new
    before, after = _WORDS.findall(old.plain), _WORDS.findall(new.plain)
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return old, new
    old_spans: list[Span] = []
    new_spans: list[Span] = []
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind != "equal":
            old_spans.append(_span(before, a, b, _REMOVED_WORD))
            new_spans.append(_span(after, c, d, _ADDED_WORD))
    return (
        old.add_spans([span for span in old_spans if span.end > span.start]),
        new.add_spans([span for span in new_spans if span.end > span.start]),
    )


def _span(words: Sequence[str], start: int, end: int, style: str) -> Span:
    first = sum(map(len, words[:start]))
    return Span(first, first + sum(map(len, words[start:end])), style)


def _unified(rows: Sequence[_Row], digits: int) -> Iterator[Piece]:
    for row in rows:
        number = f"{row.new or row.old:>{digits}}"
        first = Content.assemble((f"{number} ", _NUMBER), (f"{row.sign} ", _SIGNS[row.sign]))
        rest = Content(" " * (digits + 3))
        yield Piece(row.code, first, rest, "fold", _row_style(row.sign))


def _row_style(sign: str) -> str:
    return ADDED if sign == "+" else REMOVED if sign == "-" else ""


def _split(rows: Sequence[_Row], width: int, digits: int) -> Iterator[Piece]:
    """Old on the left, new on the right; a side without a line stays empty."""
    room = _room(width, digits)
    pending: list[_Row] = []
    for row in [*rows, _Row(" ", EMPTY, -1, -1)]:
        if row.sign != " ":
            pending.append(row)
            continue
        removed = [one for one in pending if one.sign == "-"]
        added = [one for one in pending if one.sign == "+"]
        pending = []
        for index in range(max(len(removed), len(added))):
            left = removed[index] if index < len(removed) else None
            right = added[index] if index < len(added) else None
            yield from _pair(left, right, room, digits)
        if row.old > 0:
            yield from _pair(row, row, room, digits)


def _pair(left: _Row | None, right: _Row | None, room: int, digits: int) -> Iterator[Piece]:
    sides = [_side(left, left.old if left else 0, room, digits), _side(right, right.new if right else 0, room, digits)]
    shown = right or left
    logical = shown.code.plain.rstrip() if shown else ""
    for number in range(max(map(len, sides))):
        cells = [
            side[number] if number < len(side) else _empty(row, room, digits)
            for side, row in zip(sides, (left, right), strict=True)
        ]
        body = joined([cells[0], Content.styled(" │ ", _NUMBER), cells[1]])
        yield Piece(body, wrap="crop", logical=logical if number == 0 else "", silent=number > 0)


def _side(row: _Row | None, number: int, room: int, digits: int) -> list[Content]:
    if row is None:
        return []
    style = _row_style(row.sign)
    cells: list[Content] = []
    for index, part in enumerate(row.code.fold(room) if row.code else [EMPTY]):
        label = f"{number:>{digits}} " if index == 0 else " " * (digits + 1)
        sign = row.sign if index == 0 else " "
        text = joined([Content.styled(label, _NUMBER), Content.styled(f"{sign} ", _SIGNS[row.sign]), part])
        text = joined([text, Content(" " * max(0, room - part.cell_length))])
        cells.append(text.stylize_before(style) if style else text)
    return cells


def _empty(row: _Row | None, room: int, digits: int) -> Content:
    text = Content(" " * (room + digits + 3))
    style = _row_style(row.sign) if row else ""
    return text.stylize_before(style) if style else text
