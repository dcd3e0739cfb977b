"""A surface: lines that a person works with. Block cursor, folding, selecting, links, searching.

Any pane that is a list of lines can stand on it; it knows nothing about chats.
"""

from collections.abc import Iterable, Sequence
from typing import ClassVar

import msgspec
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content, Span
from textual.geometry import Offset
from textual.message import Message
from textual.selection import Selection
from textual.style import Style

from .block import NO_BAR, PLAIN, Block
from .line_view import LineView
from .lines import Line, highlights
from .safe import safe_link
from .stack import Entry
from .wishes import Copied, LinkOpened

__all__ = ["Block", "Surface"]

CURSOR_BAR = Content.styled("▌", "$accent")
CURSOR_LOOK: tuple[Content, Sequence[Span]] = (CURSOR_BAR, ())
FOUND_STYLE = "$text on $warning 30%"
FOUND_HERE_STYLE = "bold $background on $warning"


class Search(msgspec.Struct):
    """A search in progress: blocks with hits in reading order, and the one shown (-1: none yet)."""

    needle: str
    entries: list[Entry[Block]]
    counts: list[int]
    place: int = -1
    inside: int = 0

    @property
    def total(self) -> int:
        """Hits in all blocks."""
        return sum(self.counts)

    @property
    def tally(self) -> str:
        """Where the search stands, in words."""
        return f"{self.current} of {self.total}" if self.total else "nothing found"

    @property
    def current(self) -> int:
        """Number of the hit shown, from 1; 0 before the first."""
        return sum(self.counts[: self.place]) + self.inside + 1 if self.place >= 0 else 0


class Surface(LineView):
    """Blocks as lines with a block cursor, folding, selection, links and search.

    A click takes the focus, a drag that selects does not: whoever copies a line while writing goes on writing.
    """

    FOCUS_ON_CLICK = False

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("alt+up", "cursor(-1)", "Previous block", show=False, id="surface.previous"),
        Binding("alt+down", "cursor(1)", "Next block", show=False, id="surface.next"),
        Binding("space", "fold", "Fold", show=False, id="surface.fold"),
        Binding("y", "copy_block", "Copy block", show=False, id="surface.copy"),
        Binding("enter", "open", "Inspect", show=False, id="surface.open"),
        Binding("o", "links", "Open a link of the block", show=False, id="surface.links"),
        Binding("n", "find(1)", "Next hit", show=False, id="surface.find_next"),
        Binding("N", "find(-1)", "Previous hit", show=False, id="surface.find_previous"),
        Binding("home,g", "scroll_home", "Top", show=False, id="surface.top"),
        Binding("end,G", "end", "End", show=False, id="surface.end"),
    ]

    class CursorMoved(Message):
        """The block cursor stands on another block (None: nowhere)."""

        def __init__(self, surface: "Surface", block: Block | None) -> None:
            super().__init__()
            self.surface = surface
            self.block = block

    class BlockOpened(Message):
        """Enter was pressed on a block."""

        def __init__(self, surface: "Surface", block: Block) -> None:
            super().__init__()
            self.surface = surface
            self.block = block

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.cursor: Entry[Block] | None = None
        self.search: Search | None = None
        self._selection: Selection | None = None
        self._pressed_at: Offset | None = None

    def load(self, blocks: Iterable[Block]) -> list[Entry[Block]]:
        """Show these blocks instead of all others; the cursor and the search go with those."""
        self.cursor = self.search = None
        return super().load(blocks)

    def remove_entry(self, entry: Entry[Block]) -> None:
        """Take a block away, the cursor from it too."""
        if self.cursor is entry:
            self.cursor = None
        super().remove_entry(entry)

    # --- cursor and folding ---------------------------------------------------------------------------------

    def set_cursor(self, entry: Entry[Block] | None, *, show: bool = True) -> None:
        """Put the block cursor on an entry, and that into view."""
        if entry is not self.cursor:
            self.cursor = entry
            self.post_message(self.CursorMoved(self, entry.block if entry else None))
        if entry is not None and show:
            self.show_entry(entry)
        self.settle()

    def action_cursor(self, step: int) -> None:
        """Walk the block cursor; the first step starts from what is on screen."""
        entry = self.cursor
        if entry is None:
            found = self.stack.at(round(self.scroll_y) + (self.size.height - 1 if step < 0 else 0)) or self.stack.at(
                self.stack.height - 1
            )
            entry = found[0] if found else None
        else:
            entry = self.stack.below(entry) if step > 0 else self.stack.above(entry)
        while entry is not None and not (entry.block.selectable and self.lines_of(entry)):
            entry = self.stack.below(entry) if step > 0 else self.stack.above(entry)
        if entry is not None:
            self.set_cursor(entry)

    def action_fold(self) -> None:
        """Fold or unfold the block under the cursor."""
        if self.cursor is not None:
            self.fold(self.cursor)

    def fold(self, entry: Entry[Block], folded: bool | None = None) -> None:
        """Fold, unfold or (None) toggle a block; its first row stays where it is, or comes into view."""
        if not entry.block.foldable:
            return
        top, row = round(self.scroll_y), self.stack.top(entry)
        entry.block.folded = not entry.block.folded if folded is None else folded
        if row < top + self.size.height:
            self.reading.top = self.stack.at(top) if row >= top else (entry, 0)
            self._follow(False)
        self.touch(entry)
        self.flush()
        self._follow(self.scroll_y >= self.max_scroll_y)

    def action_copy_block(self) -> None:
        """Copy the source of the block under the cursor."""
        if self.cursor is not None and (text := self.cursor.block.source):
            self.post_message(Copied(text))

    def action_open(self) -> None:
        """Open the block under the cursor (in the inspector, as the screen decides)."""
        if self.cursor is not None:
            self.post_message(self.BlockOpened(self, self.cursor.block))

    def action_links(self) -> None:
        """Follow a link of the block under the cursor."""
        if self.cursor is not None and (targets := links_of(self.lines_of(self.cursor))):
            self.post_message(LinkOpened(*targets))

    def action_end(self) -> None:
        """Go to the end and follow it."""
        self.scroll_to_end()

    # --- mouse ----------------------------------------------------------------------------------------------

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Remember where, to tell a click from the end of a drag."""
        self._pressed_at = event.screen_offset

    def on_click(self, event: events.Click) -> None:
        """A click opens a link, or moves the cursor, and folds on a header; the second of a double click opens."""
        event.prevent_default()  # Textual's double click would select the whole transcript
        if self.text_selection is not None or event.screen_offset != self._pressed_at:
            return
        target = safe_link(str(event.style.meta.get("link", "")))
        if target:
            self.post_message(LinkOpened(target))
            return
        self.focus(scroll_visible=False)
        found = self.line_at(self.scroll_offset.y + event.y)
        if found is None:
            return
        entry, _, line = found
        if entry.block.selectable:
            self.set_cursor(entry, show=False)
        if event.chain == 2:
            self.action_open()
        elif line.piece.header:
            self.fold(entry)

    def selection_updated(self, selection: Selection | None) -> None:
        """Paint the rows that are selected now or were before."""
        self._selection = selection
        self.settle()

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The logical text under the selection: no soft wraps, gutters, boxes or trailing blanks."""
        first = selection.start.y if selection.start else 0
        last = selection.end.y if selection.end else None
        parts: list[str] = []
        for entry in self.stack:
            if entry.order < first >> 24:
                continue
            if last is not None and entry.order > last >> 24:
                break
            for offset, line in enumerate(self.lines_of(entry)):
                span = selection.get_span((entry.order << 24) + offset)
                if span is not None:
                    parts.append(line.text(span[0], None if span[1] == -1 else span[1]))
        return ("".join(parts).rstrip("\n"), "\n") if parts else None

    def look(self, entry: Entry[Block], offset: int, line: Line) -> tuple[Content, Sequence[Span]]:
        """The cursor's bar, search hits and the selection."""
        selection = self._selection
        if self.search is None and selection is None:
            return CURSOR_LOOK if entry is self.cursor else PLAIN
        marks: list[Span] = []
        if self.search is not None:
            here = self.search.place >= 0 and self.search.entries[self.search.place] is entry
            style = FOUND_HERE_STYLE if here else FOUND_STYLE
            marks = [Span(start, end, style) for start, end in highlights(line, self.search.needle)]
        span = selection.get_span((entry.order << 24) + offset) if selection else None
        if span is not None:
            gutter, length = len(line.gutter), len(line.body)
            start, end = max(0, span[0] - gutter), length if span[1] == -1 else max(0, span[1] - gutter)
            if end > start:
                marks.append(Span(start, min(end, length), "$text on $primary 50%"))
        return (CURSOR_BAR if entry is self.cursor else NO_BAR), marks

    # --- search ---------------------------------------------------------------------------------------------

    def find(self, needle: str) -> Search | None:
        """Search all blocks, without regard to case, and show the last hit above the end of the view."""
        needle = needle.lower()
        if not needle:
            self.clear_find()
            return None
        counts = [(entry, entry.block.searched.lower().count(needle)) for entry in self.stack]
        entries = [entry for entry, count in counts if count]
        self.search = Search(needle, entries, [count for _, count in counts if count])
        if entries:
            bottom = self.stack.at(min(round(self.scroll_y) + self.size.height, self.stack.height) - 1)
            order = bottom[0].order if bottom else 0
            self.search.place = sum(entry.order <= order for entry in entries)
            self.action_find(-1)
        self.settle()
        return self.search

    def action_find(self, step: int) -> None:
        """Show the next (1) or previous (-1) hit, around the ends."""
        search = self.search
        if search is None or not search.entries:
            return
        search.inside += step
        if not (0 <= search.place < len(search.entries) and 0 <= search.inside < search.counts[search.place]):
            search.place = (search.place + step) % len(search.entries)
            search.inside = 0 if step > 0 else search.counts[search.place] - 1
        entry = search.entries[search.place]
        if entry.block.folded:
            self.fold(entry, False)
        rows = [offset for offset, line in enumerate(self.lines_of(entry)) for _ in highlights(line, search.needle)]
        self.cursor = entry
        self.show_entry(entry, rows[min(search.inside, len(rows) - 1)] if rows else 0)
        self.settle()

    def clear_find(self) -> None:
        """End the search."""
        self.search = None
        self.settle()


def links_of(lines: Iterable[Line]) -> list[str]:
    """Where the links in these lines go, each once."""
    styles = (span.style for line in lines for span in line.body.spans)
    targets = (safe_link(str(style.meta.get("link", ""))) for style in styles if isinstance(style, Style))
    return list(dict.fromkeys(target for target in targets if target))
