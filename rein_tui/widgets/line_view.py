"""The engine below a surface: blocks → lines → strips, holding the reading position.

It holds data, not widgets. A block gives pieces, pieces become lines for the width (`Reading`), lines become strips
when they are on screen (`Painter`); each step is done once and kept only near the viewport. What stands in the viewport
is held by naming the block at its top (or the end, while following), so nothing above or below moves what a person
reads. Live blocks are brought up to date by one timer whose rate follows its own cost, and only rows that look
different are painted again.
"""

import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

from textual import events
from textual.app import App
from textual.content import Content, Span
from textual.geometry import Region, Size
from textual.reactive import Reactive, reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from .block import PLAIN, Block, Row
from .lines import Line
from .painter import Painter
from .reading import Reading
from .stack import Entry, Stack

if TYPE_CHECKING:
    from .scroll_bar import LeanScrollBar

FRAME = 1 / 15
SCROLLED_FRAME = 1 / 9
SLOWEST_FRAME = 0.5
COST_SHARE = 4
"""A frame may cost one part in this many of the time between frames."""
_VIRTUAL_SIZE = cast("Reactive[Size]", Widget.virtual_size)


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
        self.reading = Reading()
        self._holding = False
        self._frame = FRAME
        self._painter: Painter | None = None
        self._shown: list[Row] = []
        self._changed: dict[Entry[Block], None] = {}
        self._timer: Timer | None = None
        self._flushed = 0.0
        self._cost = 0.0
        self._fitted = Size(0, 0)

    @property
    def vertical_scrollbar(self) -> "LeanScrollBar":
        """Ours, made when first asked for, as Textual makes its own."""
        from .scroll_bar import LeanScrollBar

        bar = self._vertical_scrollbar
        if not isinstance(bar, LeanScrollBar):
            self._vertical_scrollbar = bar = LeanScrollBar(thickness=self.scrollbar_size_vertical)
            bar.display = False
            cast("Any", self).app._start_widget(self, bar)
        return bar

    @property
    def stack(self) -> Stack[Block]:
        """All blocks in reading order."""
        return self.reading.stack

    @property
    def following(self) -> bool:
        """Whether the reader is at the end and new text keeps them there."""
        return self.reading.following

    def lines_of(self, entry: Entry[Block]) -> list[Line]:
        """The rows of a block, measured now if they are not kept."""
        return self.reading.lines_of(entry)

    def line_at(self, row: int) -> tuple[Entry[Block], int, Line] | None:
        """The line at a row of the whole surface, with its block and place in it."""
        return self.reading.line_at(row)

    # --- contents -------------------------------------------------------------------------------------------

    def load(self, blocks: Iterable[Block]) -> list[Entry[Block]]:
        """Show these blocks instead of all others, from the end; returns their entries in order."""
        self._changed = {}
        self._follow(True)
        entries = self.reading.load(blocks)
        self.settle()
        return entries

    def complete(self, blocks: Iterable[Block]) -> list[Entry[Block]]:
        """Show these blocks, whose end was there already; who reads further up stays there."""
        place = self.reading.place_from_end()
        entries = self.load(blocks)
        if self.reading.go_to_place(place):
            self._follow(False)
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
        self._changed.pop(entry, None)
        self.reading.remove(entry)
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
            if self.reading.width:
                self.reading.update(entry)
            else:
                self.reading.drop(entry)

    def flush(self) -> None:
        """Show all changes now."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        started = time.thread_time()  # not by the clock: what others do on this machine must not slow the frames
        self.digest()
        self.settle()
        self._flushed = time.perf_counter()
        self._cost = time.thread_time() - started

    def _schedule(self) -> None:
        if self._timer is not None or not self.is_mounted:
            return
        wait = self._flushed + min(SLOWEST_FRAME, max(self._frame, COST_SHARE * self._cost)) - time.perf_counter()
        if wait <= 0:
            self.flush()
        else:
            self._timer = self.set_timer(wait, self.flush)

    # --- holding the position -------------------------------------------------------------------------------

    def settle(self) -> None:
        """Measure what is in view, set the scroll bar, hold the reading position, paint rows that changed."""
        width, page = self.reading.width, self.size.height
        if not width:
            return
        self.reading.measure(page)
        size = Size(width, self.stack.height)
        if self.virtual_size != size:
            # Not by assignment: the reactive would lay out the whole screen for every new line.
            self.set_reactive(_VIRTUAL_SIZE, size)
            self.vertical_scrollbar.window_virtual_size = size.height
            self.vertical_scrollbar.window_size = page
        self._holding = True
        self.scroll_target_y = self.scroll_y = self.reading.position(self.max_scroll_y)
        self._holding = False
        self._paint_changes()
        self.reading.trim({row.entry for row in self._shown})

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """The reader moved: follow again at the end, else hold the line that is now on top."""
        self.vertical_scrollbar.position = new_value
        if self._holding:
            return
        row = round(new_value)
        self.reading.top = self.stack.at(row)
        self._follow(row >= self.max_scroll_y)
        self.settle()

    def _follow(self, following: bool) -> None:
        self.reading.following = following
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
        self.reading.top = self.stack.at(max(0, row - height // 3)) or (entry, 0)
        self._follow(False)
        self.settle()
        self._follow(self.scroll_y >= self.max_scroll_y)

    # --- painting -------------------------------------------------------------------------------------------

    def look(self, entry: Entry[Block], offset: int, line: Line) -> tuple[Content, Sequence[Span]]:
        """What lies over a row besides its own content: the bar in column 0, and marks over the body."""
        return PLAIN

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
        strips = [self._row_strip(y) for y in crop.line_range]
        if crop.column_span != (0, self.size.width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def _row_strip(self, y: int) -> Strip:
        if self._painter is None:
            filters, background = self.get_line_filters(), self.background_colors[1]
            self._painter = Painter(self.visual_style, self._theme_variables(), self.size.width, filters, background)
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

    def _size_updated(self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True) -> bool:
        # Textual tells its size to no widget that appears after somebody asked where anything is, and before the
        # layout: its map holds the widget already. Typing while the first block comes is enough.
        changed = super()._size_updated(size, virtual_size, container_size, layout)
        if size != self._fitted:
            self.call_after_refresh(self._fit)
        return changed

    def _fit(self) -> None:
        """Take a size that nobody told."""
        if self.size != self._fitted:
            self.on_resize(events.Resize(self.size, self.virtual_size))

    def on_resize(self, event: events.Resize) -> None:
        """Another size: lay out what is in view again, holding the text on top."""
        self._fitted = event.size
        width = self.scrollable_content_region.width
        self._painter = None
        self._shown = []
        if width and width != self.reading.width:
            self.reading.change_width(width)
        self.settle()
        self.refresh()

    def relay(self) -> None:
        """Lay out everything again, holding the text on top: blocks look different now."""
        self._shown = []
        self.reading.change_width(self.reading.width)
        self.settle()
        self.refresh()
