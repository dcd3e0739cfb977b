"""A block: one thing on a surface, given as logical lines; and the row that shows one of its lines."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec
from textual.content import Content, Span

from .lines import Line, Piece, lay_out
from .stack import Entry

Density: TypeAlias = Literal["grouped", "line", "full"]
"""Tool activity as one line a group, one line a call, or in full."""

NO_BAR = Content(" ")
PLAIN: tuple[Content, Sequence[Span]] = (NO_BAR, ())


class Block:
    """One thing on a surface. Subclasses give pieces; a block that changes must be told with `LineView.touch`."""

    folded = False
    foldable = False
    selectable = True

    def pieces(self, width: int) -> Sequence[Piece]:
        """The logical lines for a body of `width` cells. Pure apart from caches."""
        raise NotImplementedError

    def lines(self, width: int) -> list[Line]:
        """All rows on `width` cells; the caller owns the list."""
        return lay_out(self.pieces(width), width)

    def grow(self, lines: list[Line], width: int) -> None:
        """Bring `lines` up to date after a change. Growing text overrides this to touch only its end."""
        lines[:] = self.lines(width)

    def estimate(self, width: int) -> int:
        """About how many rows there will be; cheap."""
        source = self.source
        return max(1, len(source) // max(1, width) + source.count("\n"))

    @property
    def source(self) -> str:
        """What copying the block gives."""
        return ""

    @property
    def searched(self) -> str:
        """What a search looks at."""
        return self.source


class Row(msgspec.Struct):
    """One row of the viewport: a line of a block, the bar in column 0, marks over the body."""

    entry: Entry[Block]
    offset: int
    line: Line
    bar: Content
    marks: Sequence[Span]

    def is_like(self, other: "Row") -> bool:
        """Whether the other row looks the same."""
        return self.bar is other.bar and self.marks == other.marks and self.line.is_like(other.line)

    def same_cells(self, other: "Row") -> int:
        """How many cells on the left certainly look the same: where text only grew, all of the old."""
        if self.bar is not other.bar or not self.line.has_gutter_of(other.line):
            return 0
        cells = 1 + self.line.gutter.cell_length
        old = other.line.body.plain
        if self.marks or other.marks or self.line.body.spans or other.line.body.spans or not old.isascii():
            return cells
        return cells + len(old) if self.line.body.plain.startswith(old) else cells

    @property
    def width(self) -> int:
        """Cells up to the end of what is not blank."""
        if self.line.piece.style:
            return 1 << 16
        return 1 + self.line.gutter.cell_length + self.line.body.cell_length
