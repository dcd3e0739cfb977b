"""A list of one-line rows on the line API: a cursor that keys and mouse move, thousands of rows at the cost of a few.

Rows draw themselves for a width only while they are near the view. The cursor goes along with new rows until a
person moves it away from the last one.
"""

from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal

from textual.binding import Binding, BindingType
from textual.content import Content, Span

from .block import NO_BAR, PLAIN, Block
from .lines import EMPTY, Line, Piece, joined
from .stack import Entry
from .surface import CURSOR_BAR, Surface

_CURSOR_STYLE = "on $primary 22%"
_BLURRED_STYLE = "on $primary 10%"


class ListRow(Block):
    """One row of a list. Subclasses draw it; `hidden` rows take no space."""

    hidden = False

    def draw(self, width: int) -> Content:
        """The row on `width` cells."""
        raise NotImplementedError

    def pieces(self, width: int) -> Sequence[Piece]:
        if self.hidden:
            return ()
        return (Piece(fit(self.draw(width), width), wrap="crop", logical=self.source),)

    def estimate(self, width: int) -> int:
        return 0 if self.hidden else 1


class RowList(Surface):
    """Rows with a cursor. Posts `CursorMoved` and `BlockOpened`, as every surface does."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor(-1)", "Previous row", show=False, id="rows.previous"),
        Binding("down,j", "cursor(1)", "Next row", show=False, id="rows.next"),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home,g", "edge(-1)", "First row", show=False, id="rows.first"),
        Binding("end,G", "edge(1)", "Last row", show=False, id="rows.last"),
        Binding("enter", "open", "Open", show=False, id="rows.open"),
    ]

    follows = True
    """Whether the cursor goes along with new rows while it stands on the last one."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A row has nothing to fold, to follow or to find in itself, and the arrows across are the pane's."""
        return action not in {"fold", "links", "find", "scroll_left", "scroll_right"}

    @property
    def row(self) -> Block | None:
        """The row under the cursor."""
        return self.cursor.block if self.cursor is not None else None

    def load(self, blocks: Iterable[Block]) -> list[Entry[Block]]:
        """Show these rows instead of all others, the cursor on the last one."""
        entries = super().load(blocks)
        self.cursor = self._last()
        self.settle()
        return entries

    def add(self, block: Block, after: Entry[Block] | None = None) -> Entry[Block]:
        """Put a row at the end, or below `after`."""
        goes_along = self.follows and (self.cursor is None or (self.following and self.cursor is self._last()))
        entry = super().add(block, after)
        if goes_along and block.selectable and entry is self.stack.last:
            self.cursor = entry
        return entry

    def hold(self, row: int) -> None:
        """Keep this row on top, whatever the layout does next."""
        self.reading.top = self.stack.at(row)
        self._follow(False)
        self.settle()

    def look(self, entry: Entry[Block], offset: int, line: Line) -> tuple[Content, Sequence[Span]]:
        """The row under the cursor is tinted, stronger while the list has the focus."""
        if entry is not self.cursor:
            return PLAIN
        style = _CURSOR_STYLE if self.has_focus else _BLURRED_STYLE
        return (CURSOR_BAR if self.has_focus else NO_BAR), (Span(0, len(line.body), style),)

    def on_focus(self) -> None:
        """Draw the cursor as it now stands."""
        self.settle()

    def on_blur(self) -> None:
        """Draw the cursor as it now stands."""
        self.settle()

    def action_page(self, step: int) -> None:
        """The cursor goes a view further."""
        self._go(step, max(1, self.size.height - 1))

    def action_edge(self, step: int) -> None:
        """The cursor goes to the first or last row."""
        entry = self._last() if step > 0 else next((e for e in self.stack if _is_row(e)), None)
        self.set_cursor(entry)
        if step > 0:
            self.scroll_to_end()

    def action_cursor(self, step: int) -> None:
        """The cursor goes one row; the view follows the end once it stands there."""
        self._go(step, 1)

    def _go(self, step: int, rows: int) -> None:
        entry = found = self.cursor or (self._last() if step < 0 else None)
        if entry is None:
            self.action_edge(-1)
            return
        while rows and entry is not None:
            entry = self.stack.below(entry) if step > 0 else self.stack.above(entry)
            if entry is not None and _is_row(entry):
                found, rows = entry, rows - 1
        self.set_cursor(found)

    def show_entry(self, entry: Entry[Block], offset: int = 0) -> None:
        """Bring a row into view, moving the view no further than needed."""
        row, height, top = self.stack.top(entry), self.size.height, round(self.scroll_y)
        if not height:  # not on the screen yet: it will begin here
            self.reading.top = entry, 0
            self._follow(entry is self._last())
            return
        if top <= row < top + height:
            return
        self.scroll_to(y=row if row < top else row - height + 1, animate=False, immediate=True)

    def _last(self) -> Entry[Block] | None:
        return next((entry for entry in reversed(self.stack) if _is_row(entry)), None)


def _is_row(entry: Entry[Block]) -> bool:
    return entry.block.selectable and not (isinstance(entry.block, ListRow) and entry.block.hidden)


def fit(content: Content, cells: int, align: Literal["left", "right"] = "left") -> Content:
    """`content` on exactly `cells` cells: cut with an ellipsis, or padded."""
    if content.cell_length > cells:
        content = content.truncate(cells, ellipsis=True)
    space = Content(" " * max(0, cells - content.cell_length))
    return joined([space, content] if align == "right" else [content, space])


def columns(width: int, left: Content, right: Sequence[tuple[Content, int]], gap: int = 2) -> Content:
    """`left` takes what the columns at the right, each (content, cells) and right-aligned, leave of `width`."""
    cells = [(content, size) for content, size in right if size]
    room = max(8, width - sum(size + gap for _, size in cells))
    parts = [fit(left, room)]
    for content, size in cells:
        parts += [Content(" " * gap), fit(content, size, "right")]
    return joined(parts)


def share_bar(share: float, cells: int, style: str) -> Content:
    """A bar that fills `share` (0 to 1) of `cells`, to an eighth of a cell; never empty for a share above 0."""
    eighths = min(cells * 8, max(1 if share > 0 else 0, round(share * cells * 8)))
    whole, rest = divmod(eighths, 8)
    bar = "█" * whole + (" ▏▎▍▌▋▊▉"[rest] if rest else "")
    return joined([Content.styled(bar, style), Content(" " * (cells - len(bar)))]) if cells > 0 else EMPTY
