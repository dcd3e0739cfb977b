"""Lines: what a surface shows, as data.

A block gives pieces (logical lines: a gutter, a body, how to wrap it), independent of theme and of where they stand;
`lay_out` cuts pieces into lines for a width. A line remembers which part of which piece it is, so that selecting,
copying and searching work on logical text: no soft wraps, no gutters, no boxes.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Literal, TypeAlias

import msgspec
from msgspec.structs import replace
from rich._wrap import divide_line
from textual.content import Content, Span

Wrap: TypeAlias = Literal["words", "fold", "crop"]
"""Break between words, break anywhere (code), or cut off at the edge (boxes, one-line summaries)."""

EMPTY = Content("")
MIN_BODY = 8
"""Cells that a body gets however deep its gutter is."""


class Piece(msgspec.Struct, frozen=True):
    """One logical line. `first` and `rest` are gutters for its first and later lines; they are never copied.

    `style` lies under the whole row up to the right edge, but for the first `bare` characters of the gutter. `logical`
    replaces the body when whole rows are copied (None: the body itself; "" with `silent`: nothing). `header` marks the
    row that folds its block.
    """

    body: Content = EMPTY
    first: Content = EMPTY
    rest: Content = EMPTY
    wrap: Wrap = "words"
    style: str = ""
    logical: str | None = None
    silent: bool = False
    header: bool = False
    bare: int = 0

    def within(self, gutter: Content) -> "Piece":
        """The same piece with more gutter on its left, which its style does not reach."""
        return replace(self, first=gutter + self.first, rest=gutter + self.rest, bare=self.bare + len(gutter))


BLANK = Piece()


class Line(msgspec.Struct, eq=False):
    """One row: characters `start` to `start + len(body)` of its piece. `soft` when the piece goes on below."""

    piece: Piece
    gutter: Content
    body: Content
    start: int
    soft: bool

    def is_like(self, other: "Line | None") -> bool:
        """Whether the other row looks the same on the screen."""
        if other is None:
            return False
        if self is other:
            return True
        return _same(self.body, other.body) and self.has_gutter_of(other)

    def has_gutter_of(self, other: "Line") -> bool:
        """Whether the gutters and the styles under the rows are the same."""
        return self.piece.style == other.piece.style and _same(self.gutter, other.gutter)

    def text(self, start: int = 0, end: int | None = None) -> str:
        """The logical text of columns `start` to `end` (characters, gutter included) with its line break, if any."""
        gutter = len(self.gutter)
        whole = start <= gutter and (end is None or end >= gutter + len(self.body))
        if whole and self.piece.silent:
            return ""
        if whole and self.piece.logical is not None:
            return f"{self.piece.logical}\n" if self.start == 0 else ""
        stop = None if end is None else max(0, end - gutter)
        text = self.body.plain[max(0, start - gutter) : stop]
        if end is not None and end < gutter + len(self.body):
            return text
        return text if self.soft else text.rstrip() + "\n"


def _same(one: Content, other: Content) -> bool:
    return one is other or (one.plain == other.plain and one.spans == other.spans)


def lay_out(pieces: Iterable[Piece], width: int) -> list[Line]:
    """The rows of `pieces` on `width` cells."""
    lines: list[Line] = []
    for piece in pieces:
        for part in _broken(piece) if "\n" in piece.body.plain else (piece,):
            _lay_out_piece(part, width, lines)
    return lines


def _broken(piece: Piece) -> Iterator[Piece]:
    """The lines of a body that should have been one: a row with a break in it would break the frame around it."""
    first, *rest = piece.body.split("\n", allow_blank=True)
    yield replace(piece, body=first)
    for body in rest:
        yield replace(piece, body=body, first=piece.rest, logical=None, header=False)


def _lay_out_piece(piece: Piece, width: int, lines: list[Line]) -> None:
    room = max(MIN_BODY, width - max(piece.first.cell_length, piece.rest.cell_length))
    body = piece.body
    plain = body.plain
    if piece.wrap == "crop":
        if body.cell_length > room:
            body = body.truncate(room, ellipsis=True)
        lines.append(Line(piece, piece.first, body, 0, soft=False))
        return
    if len(plain) <= room and (plain.isascii() or body.cell_length <= room):
        lines.append(Line(piece, piece.first, body, 0, soft=False))
        return
    cuts = divide_line(plain, room) if piece.wrap == "words" else _fold(plain, room)
    if not cuts:
        lines.append(Line(piece, piece.first, body, 0, soft=False))
        return
    starts = [0, *cuts]
    for number, part in enumerate(body.divide(cuts)):
        gutter = piece.rest if number else piece.first
        lines.append(Line(piece, gutter, part, starts[number], soft=number < len(cuts)))


def _fold(plain: str, room: int) -> list[int]:
    """Where to cut `plain` so that every part fits `room` cells."""
    if plain.isascii():
        return list(range(room, len(plain), room))
    cuts: list[int] = []
    cells = 0
    for index, character in enumerate(plain):
        size = Content(character).cell_length
        if cells + size > room:
            cuts.append(index)
            cells = 0
        cells += size
    return cuts


def hung(first: Content, body: Content, width: int) -> Content:
    """`body` beside `first`, its further lines under its own column; below it where half the width is gone already."""
    if first.cell_length > width // 2:
        return joined([first, Content("\n"), hung(Content("    "), body, width)])
    piece = Piece(body, first, Content(" " * first.cell_length))
    return Content("\n").join(joined([line.gutter, line.body]) for line in lay_out([piece], width))


def highlights(line: Line, needle: str) -> list[tuple[int, int]]:
    """Where the case-folded `needle` stands in the body of `line`, matches that go over a soft wrap included."""
    found: list[tuple[int, int]] = []
    text = line.piece.body.plain.lower()
    position = text.find(needle)
    end = line.start + len(line.body)
    while 0 <= position < end:
        if position + len(needle) > line.start:
            found.append((max(0, position - line.start), min(end, position + len(needle)) - line.start))
        position = text.find(needle, position + len(needle))
    return found


def joined(contents: Sequence[Content]) -> Content:
    """Contents one after the other, without anything between them."""
    text = "".join(content.plain for content in contents)
    spans: list[Span] = []
    offset = 0
    for content in contents:
        spans.extend(Span(span.start + offset, span.end + offset, span.style) for span in content.spans)
        offset += len(content)
    return Content(text, spans)


def intervals(length: int, spans: Sequence[Span]) -> list[tuple[int, int, tuple[object, ...]]]:
    """`spans` flattened: neighbouring stretches of text, each with the styles that hold there."""
    if not spans:
        return [(0, length, ())] if length else []
    points = sorted({0, length, *(min(s.start, length) for s in spans), *(min(s.end, length) for s in spans)})
    return [
        (start, end, tuple(span.style for span in spans if span.start <= start and span.end >= end))
        for start, end in pairwise(points)
    ]
