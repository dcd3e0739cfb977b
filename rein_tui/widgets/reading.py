"""What is being read: which lines are measured, which one stands on top, and what stays there when things change.

Pure data: knows blocks and lines, and nothing of Textual's widgets.
"""

from collections.abc import Iterable, Sequence
from itertools import islice

from .block import Block
from .lines import Line
from .stack import Entry, Stack

KEPT_LINES = 800
"""Lines that are kept beside those on screen; more would only make the garbage collector slow."""
MEASURED_PAGES = 3


class Reading:
    """Blocks, their lines near the viewport, and the reader's place among them."""

    def __init__(self) -> None:
        self.stack: Stack[Block] = Stack()
        self.width = 0
        self.following = True
        self.top: tuple[Entry[Block], int] | None = None
        self._kept: dict[Entry[Block], None] = {}
        self._kept_lines = 0

    @property
    def body_width(self) -> int:
        """Cells of a line between the bar of the cursor and a margin."""
        return max(1, (self.width or 80) - 2)

    def load(self, blocks: Iterable[Block]) -> list[Entry[Block]]:
        """These blocks instead of all others, read from the end."""
        self._kept.clear()
        self._kept_lines = 0
        self.top = None
        width = self.body_width
        entries = [Entry(block, block.estimate(width)) for block in blocks]
        self.stack.fill(entries)
        return entries

    def place_from_end(self) -> tuple[int, int] | None:
        """Which block stands on top, counted from the last, and which of its rows; None while following."""
        if self.following or self.top is None:
            return None
        entry, offset = self.top
        return next(number for number, each in enumerate(reversed(self.stack)) if each is entry), offset

    def go_to_place(self, place: tuple[int, int] | None) -> bool:
        """Put the block with that number from the last on top; false when there is none."""
        found = [] if place is None else list(islice(reversed(self.stack), place[0], place[0] + 1))
        self.top = (found[0], place[1]) if found and place else None
        return bool(found)

    def remove(self, entry: Entry[Block]) -> None:
        """Take a block away; the one below it takes its place on top."""
        if self.top and self.top[0] is entry:
            below = self.stack.below(entry)
            self.top = (below, 0) if below else None
        self.drop(entry)
        self.stack.remove(entry)

    # --- lines ----------------------------------------------------------------------------------------------

    def lines_of(self, entry: Entry[Block]) -> list[Line]:
        """The rows of a block, measured now if they are not kept."""
        if entry.lines is None:
            self.update(entry)
        return entry.lines or []

    def line_at(self, row: int) -> tuple[Entry[Block], int, Line] | None:
        """The line at a row of the whole surface, with its block and place in it."""
        found = self.stack.at(row)
        if found is None:
            return None
        entry, offset = found
        lines = self.lines_of(entry)
        return (entry, offset, lines[offset]) if offset < len(lines) else None

    def update(self, entry: Entry[Block]) -> None:
        """Lay a block out, or bring its lines up to date."""
        if entry.lines is None:
            entry.lines = entry.block.lines(self.body_width)
            self._kept[entry] = None
            self._kept_lines += len(entry.lines)
        else:
            before = len(entry.lines)
            entry.block.grow(entry.lines, self.body_width)
            self._kept_lines += len(entry.lines) - before
        entry.exact = True
        self.stack.resize(entry, len(entry.lines))

    def drop(self, entry: Entry[Block]) -> None:
        """Let go of a block's lines."""
        if entry.lines is not None:
            self._kept_lines -= len(entry.lines)
            entry.lines = None
            self._kept.pop(entry, None)

    def trim(self, visible: set[Entry[Block]]) -> None:
        """Let go of the lines of blocks that were measured longest ago, those on screen excepted."""
        if self._kept_lines <= KEPT_LINES:
            return
        for entry in list(self._kept):
            if self._kept_lines <= KEPT_LINES // 2:
                break
            if entry not in visible:
                self.drop(entry)

    # --- measuring ------------------------------------------------------------------------------------------

    def measure(self, page: int) -> None:
        """Make exact what a viewport of `page` rows shows and a little around it, holding its top."""
        rows = max(1, page) * MEASURED_PAGES
        if self.following or self.top is None:
            self._measure(self.stack.last, rows, down=False)
            return
        entry, offset = self.top
        if not entry.exact:
            distance = entry.height - offset
            self.update(entry)
            self.top = entry, max(0, entry.height - distance)
        self._measure(self.stack.above(entry), rows, down=False)
        self._measure(entry, rows + offset, down=True)

    def _measure(self, entry: Entry[Block] | None, rows: int, *, down: bool) -> None:
        while entry is not None and rows > 0:
            if not entry.exact:
                self.update(entry)
            rows -= entry.height
            entry = self.stack.below(entry) if down else self.stack.above(entry)

    def position(self, end: int) -> int:
        """The row on top of the viewport; `end` is that when the last row stands at its bottom."""
        if self.following or self.top is None:
            return end
        entry, offset = self.top
        return min(end, self.stack.top(entry) + min(offset, max(0, entry.height - 1)))

    def change_width(self, width: int) -> None:
        """Forget all lines and estimate again, holding the text on top."""
        place = self._place_in_text()
        self.width = width
        for entry in list(self._kept):
            self.drop(entry)
        body = self.body_width
        self.stack.estimate(lambda block: block.estimate(body))
        if self.top and place:
            entry = self.top[0]
            self.top = entry, _row_of(self.lines_of(entry), *place)

    def _place_in_text(self) -> tuple[int, int] | None:
        """Which piece of its block the top row belongs to, and where in it."""
        if self.following or self.top is None or self.top[0].lines is None:
            return None
        entry, offset = self.top
        lines = self.lines_of(entry)[: offset + 1]
        return sum(line.start == 0 for line in lines), lines[-1].start if lines else 0


def _row_of(lines: Sequence[Line], piece: int, start: int) -> int:
    """The row that shows character `start` of the piece with this number (from 1)."""
    row = number = 0
    for index, line in enumerate(lines):
        number += line.start == 0
        if number > piece or (number == piece and line.start > start):
            break
        row = index
    return row
