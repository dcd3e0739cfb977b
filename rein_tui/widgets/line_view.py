"""The engine below a surface: blocks → lines → strips, holding the reading position.

It holds data, not widgets. A block gives pieces, pieces become lines for the width, lines become strips when they are
on screen; each step is done once and kept only near the viewport. Heights of blocks that were never near it are
estimates. What stands in the viewport is held by naming the block at its top (or the end, while following), so
nothing that happens above or below moves what a person reads. Live blocks are brought up to date by one timer whose
rate follows its own cost, and only rows that look different are painted again.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from textual import events
from textual.app import App
from textual.content import Content, Span
from textual.geometry import Region, Size
from textual.reactive import Reactive, reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from .lines import Line, Piece, lay_out
from .painter import Painter
from .stack import Entry, Stack

FRAME = 1 / 15
SCROLLED_FRAME = 1 / 9
SLOWEST_FRAME = 0.5
COST_SHARE = 4
"""A frame may cost one part in this many of the time between frames."""
KEPT_LINES = 6000
MEASURED_PAGES = 3
NO_BAR = Content(" ")
PLAIN: tuple[Content, Sequence[Span]] = (NO_BAR, ())
_VIRTUAL_SIZE = cast("Reactive[Size]", Widget.virtual_size)


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
        return max(1, len(self.source) // max(1, width) + self.source.count("\n"))

    @property
    def source(self) -> str:
        """What copying the block gives, and what a search looks at."""
        return ""


@dataclass(slots=True)
class Row:
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


class LineView(ScrollView, can_focus=True):
    """Any number of blocks as lines, following the end or holding what is being read."""

    DEFAULT_CSS = """
    LineView {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
    }
    """

    unread: reactive[int] = reactive(0, repaint=False)
    """Blocks that came while the reader was not at the end."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.stack: Stack[Block] = Stack()
        self.following = True
        self._top: tuple[Entry[Block], int] | None = None
        self._holding = False
        self._frame = FRAME
        self._painter: Painter | None = None
        self._width = 0
        self._shown: list[Row] = []
        self._kept: dict[Entry[Block], None] = {}
        self._kept_lines = 0
        self._changed: dict[Entry[Block], None] = {}
        self._timer: Timer | None = None
        self._flushed = 0.0
        self._cost = 0.0

    # --- contents -------------------------------------------------------------------------------------------

    def load(self, blocks: Iterable[Block]) -> list[Entry[Block]]:
        """Show these blocks instead of all others, from the end; returns their entries in order."""
        self._kept.clear()
        self._kept_lines = 0
        self._changed = {}
        self._top = None
        self._follow(True)
        width = self.body_width
        entries = [Entry(block, block.estimate(width)) for block in blocks]
        self.stack.fill(entries)
        self.settle()
        return entries

    def add(self, block: Block, after: Entry[Block] | None = None) -> Entry[Block]:
        """Put a block at the end, or below `after`."""
        entry = Entry(block, 0)
        if after is None or after is self.stack.last:
            self.stack.append(entry)
        else:
            self.stack.insert_after(after, entry)
        if not self.following and block.selectable:
            self.unread += 1
        self.touch(entry)
        return entry

    def remove_entry(self, entry: Entry[Block]) -> None:
        """Take a block away."""
        if self._top and self._top[0] is entry:
            below = self.stack.below(entry)
            self._top = (below, 0) if below else None
        self._changed.pop(entry, None)
        self._drop(entry)
        self.stack.remove(entry)
        self._schedule()

    def touch(self, entry: Entry[Block]) -> None:
        """Say that a block changed: it is shown at once if nothing was for a frame, else with the next frame."""
        self._changed[entry] = None
        self._schedule()

    def digest(self) -> None:
        """Bring changed blocks up to date without showing them: for streams that outrun the frames."""
        changed, self._changed = self._changed, {}
        for entry in changed:
            if entry.chunk is None:
                continue
            if self._width:
                self._update(entry)
            else:
                self._drop(entry)

    def flush(self) -> None:
        """Show all changes now."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        started = time.perf_counter()
        self.digest()
        self.settle()
        self._flushed = time.perf_counter()
        self._cost = self._flushed - started

    def _schedule(self) -> None:
        if self._timer is not None or not self.is_mounted:
            return
        wait = self._flushed + min(SLOWEST_FRAME, max(self._frame, COST_SHARE * self._cost)) - time.perf_counter()
        if wait <= 0:
            self.flush()
        else:
            self._timer = self.set_timer(wait, self.flush)

    # --- measuring ------------------------------------------------------------------------------------------

    @property
    def body_width(self) -> int:
        """Cells of a line between the bar of the cursor and a margin."""
        return max(1, (self._width or 80) - 2)

    def lines_of(self, entry: Entry[Block]) -> list[Line]:
        """The rows of a block, measured now if they are not kept."""
        if entry.lines is None:
            self._update(entry)
        return entry.lines or []

    def _update(self, entry: Entry[Block]) -> None:
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

    def _drop(self, entry: Entry[Block]) -> None:
        if entry.lines is not None:
            self._kept_lines -= len(entry.lines)
            entry.lines = None
            self._kept.pop(entry, None)

    def _trim(self) -> None:
        """Let go of the rows of blocks that were measured longest ago, those on screen excepted."""
        if self._kept_lines <= KEPT_LINES:
            return
        visible = {row.entry for row in self._shown}
        for entry in list(self._kept):
            if self._kept_lines <= KEPT_LINES // 2:
                break
            if entry not in visible:
                self._drop(entry)

    def _measure_view(self) -> None:
        """Make exact what the viewport shows and a little around it, holding its top."""
        rows = max(1, self.size.height) * MEASURED_PAGES
        if self.following or self._top is None:
            self._measure(self.stack.last, rows, down=False)
            return
        entry, offset = self._top
        if not entry.exact:
            distance = entry.height - offset
            self._update(entry)
            self._top = entry, max(0, entry.height - distance)
        self._measure(self.stack.above(entry), rows, down=False)
        self._measure(entry, rows + offset, down=True)

    def _measure(self, entry: Entry[Block] | None, rows: int, *, down: bool) -> None:
        while entry is not None and rows > 0:
            if not entry.exact:
                self._update(entry)
            rows -= entry.height
            entry = self.stack.below(entry) if down else self.stack.above(entry)

    # --- holding the position -------------------------------------------------------------------------------

    def settle(self) -> None:
        """Measure what is in view, set the scroll bar, hold the reading position, paint rows that changed."""
        if not self._width:
            return
        self._measure_view()
        height = self.stack.height
        if self.virtual_size.height != height or self.virtual_size.width != self._width:
            # Not by assignment: the reactive would lay out the whole screen for every new line.
            self.set_reactive(_VIRTUAL_SIZE, Size(self._width, height))
            self.vertical_scrollbar.window_virtual_size = height
            self.vertical_scrollbar.window_size = self.size.height
        position = self.max_scroll_y
        if not self.following and self._top is not None:
            entry, offset = self._top
            position = min(position, self.stack.top(entry) + min(offset, max(0, entry.height - 1)))
        self._holding = True
        self.scroll_target_y = self.scroll_y = position
        self._holding = False
        self._paint_changes()
        self._trim()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """The reader moved: follow again at the end, else hold the line that is now on top."""
        self.vertical_scrollbar.position = new_value
        if self._holding:
            return
        row = round(new_value)
        self._top = self.stack.at(row)
        self._follow(row >= self.max_scroll_y)
        self.settle()

    def _follow(self, following: bool) -> None:
        self.following = following
        if following:
            self.unread = 0

    def _scroll_to(self, x: float | None = None, y: float | None = None, **options: Any) -> bool:
        # Every scroll of Textual ends here. Lines never glide: a gliding target would be wrong after measuring.
        options["animate"] = False
        return super()._scroll_to(x, y, **options)

    def scroll_to_end(self) -> None:
        """Go to the end and follow it."""
        self._follow(True)
        self.settle()

    def show_entry(self, entry: Entry[Block], offset: int = 0) -> None:
        """Bring a row of a block into view, a third from the top unless it is there already."""
        lines = self.lines_of(entry)
        row = self.stack.top(entry) + offset
        height = self.size.height
        if self.scroll_y <= row and row + min(len(lines) - offset, 3) <= self.scroll_y + height:
            return
        self._top = self.stack.at(max(0, row - height // 3)) or (entry, 0)
        self._follow(False)
        self.settle()
        self._follow(self.scroll_y >= self.max_scroll_y)

    # --- painting -------------------------------------------------------------------------------------------

    def look(self, entry: Entry[Block], offset: int, line: Line) -> tuple[Content, Sequence[Span]]:
        """What lies over a row besides its own content: the bar in column 0, and marks over the body."""
        return PLAIN

    def line_at(self, row: int) -> tuple[Entry[Block], int, Line] | None:
        """The line at a row of the whole surface, with its block and place in it."""
        found = self.stack.at(row)
        if found is None:
            return None
        entry, offset = found
        lines = self.lines_of(entry)
        return (entry, offset, lines[offset]) if offset < len(lines) else None

    def _rows(self) -> list[Row]:
        """What the viewport shows now."""
        rows: list[Row] = []
        found = self.stack.at(round(self.scroll_y))
        entry, offset = found or (None, 0)
        height = self.size.height
        while entry is not None and len(rows) < height:
            lines = self.lines_of(entry)
            for number in range(offset, min(len(lines), offset + height - len(rows))):
                rows.append(Row(entry, number, lines[number], *self.look(entry, number, lines[number])))
            entry, offset = self.stack.below(entry), 0
        return rows

    def _paint_changes(self) -> None:
        """Have those rows painted again that look different now, as far to the right as they differ."""
        before, rows = self._shown, self._rows()
        self._shown = rows
        regions: list[Region] = []
        for y in range(max(len(before), len(rows))):
            old = before[y] if y < len(before) else None
            new = rows[y] if y < len(rows) else None
            if old is None or new is None:
                regions.append(Region(0, y, self.size.width, 1))
            elif not new.is_like(old):
                start = new.same_cells(old)
                end = min(self.size.width, max(old.width, new.width))
                regions.append(Region(start, y, max(1, end - start), 1))
        if regions:
            self.refresh(*regions)
        # Scrolled text is read a little slower than grown text: fewer whole frames are enough.
        self._frame = SCROLLED_FRAME if len(regions) > self.size.height // 2 else FRAME

    def render_lines(self, crop: Region) -> list[Strip]:
        """Paint rows for the screen.

        A surface has no border and no padding, so Textual's cache of styled lines would only make and keep each strip
        once more; ours come with their colours and stay as long as the line does.
        """
        background = self.background_colors[1]
        filters = self.get_line_filters()
        strips: list[Strip] = []
        for y in crop.line_range:
            strip = self._row_strip(y)
            for line_filter in filters:
                strip = strip.apply_filter(line_filter, background)
            strips.append(strip)
        if crop.column_span != (0, self.size.width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def _row_strip(self, y: int) -> Strip:
        if self._painter is None:
            self._painter = Painter(self.visual_style, self._theme_variables(), self.size.width)
        if y >= len(self._shown):
            return self._painter.blank()
        row = self._shown[y]
        return self._painter.strip(row.line, row.bar, row.marks)

    def render_line(self, y: int) -> Strip:
        """One row of the viewport as the mouse sees it: with the offsets that a selection is made of."""
        strip = self._row_strip(y)
        if y >= len(self._shown):
            return strip
        row = self._shown[y]
        return strip.apply_offsets(-1, (row.entry.order << 24) + row.offset)

    def _theme_variables(self) -> dict[str, str]:
        return cast("App[object]", cast("Any", self).app).theme_variables

    def notify_style_update(self) -> None:
        """Another theme or style: paint everything afresh."""
        self._painter = None
        super().notify_style_update()

    def on_resize(self, event: events.Resize) -> None:
        """Another size: lay out what is in view again, holding the text on top."""
        width = self.scrollable_content_region.width
        self._painter = None
        self._shown = []
        if width and width != self._width:
            self._change_width(width)
        self.settle()
        self.refresh()

    def relay(self) -> None:
        """Lay out everything again, holding the text on top: blocks look different now."""
        self._shown = []
        self._change_width(self._width)
        self.settle()
        self.refresh()

    def _change_width(self, width: int) -> None:
        place = self._place_in_text()
        self._width = width
        for entry in list(self._kept):
            self._drop(entry)
        for entry in self.stack:
            entry.exact = False
            self.stack.resize(entry, entry.block.estimate(self.body_width))
        if self._top and place:
            entry = self._top[0]
            self._top = entry, _row_of(self.lines_of(entry), *place)

    def _place_in_text(self) -> tuple[int, int] | None:
        """Which piece of its block the top row belongs to, and where in it: what a new width keeps on top."""
        if self.following or self._top is None or self._top[0].lines is None:
            return None
        entry, offset = self._top
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
