"""The part of a question that shows what will happen: lines that scroll, and how far they were seen."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, cast

from textual.app import App
from textual.content import Content
from textual.dom import NoScreen
from textual.errors import NoWidget
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from .later import after_refresh
from .lines import Line, Piece, lay_out
from .painter import Painter

LEAST = 3
"""Rows that what is asked about gets however little room there is."""

Pieces: TypeAlias = Callable[[int], Sequence[Piece]]

_BAR = Content("")
_BAR_WIDTH = 1
"""Cells of the scroll bar, which come and go with it."""


def give_rest(frame: Widget, view: "SeenView", height: int) -> None:
    """Let the view have the rows of a screen that everything else in its frame leaves."""
    others = sum(
        part.outer_size.height + part.styles.margin.height
        for part in frame.children
        if part is not view and part.display
    )
    room = height - others - frame.gutter.height - frame.styles.margin.height - view.styles.margin.height
    view.styles.max_height = max(LEAST, room)
    after_refresh(view, view.note_seen)


class SeenView(ScrollView, can_focus=False):
    """Shows pieces from their beginning. Knows the lowest line that ever stood on the screen.

    `must_see` counts the lines, from the first, that a reader has to have had before their eyes.
    """

    DEFAULT_CSS = """
    SeenView { height: auto; max-height: 3; overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; }
    """

    class Seen(Message):
        """More of it came into view."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: Pieces = lambda _: ()
        self._more: Pieces | None = None
        self._lines: list[Line] = []
        self._width = 0
        self._painter: Painter | None = None
        self._lowest = 0
        self.must_see = 0

    # --- contents -------------------------------------------------------------------------------------------

    def show(self, pieces: Pieces) -> None:
        """Show something else, from its beginning; nothing of it was seen yet."""
        self._pieces = pieces
        self._lowest = 0
        self._relay()
        self.scroll_to(y=0, animate=False, immediate=True, force=True)

    def unfold(self, more: Pieces | None) -> None:
        """Show more below, and go there; None folds it."""
        self._more = more
        self._relay()
        self.scroll_to(y=self.must_see if more else 0, animate=False, immediate=True, force=True)

    def redraw(self) -> None:
        """Lay out again: the same things look different now."""
        self._relay()

    def _relay(self) -> None:
        width = self._width or self.size.width - _BAR_WIDTH
        if width > 0:
            self._lay_out(width)
        self.refresh(layout=True)

    def _lay_out(self, width: int) -> None:
        self._width = width
        self._lines = lay_out(self._pieces(width), width)
        self.must_see = len(self._lines)
        if self._more is not None:
            self._lines += lay_out(self._more(width), width)
        self.virtual_size = Size(width, len(self._lines))

    # --- what was seen --------------------------------------------------------------------------------------

    @property
    def unseen(self) -> int:
        """Lines that were never on the screen."""
        return max(0, self.must_see - self._lowest)

    def note_seen(self) -> None:
        """The screen was painted as it is now."""
        lowest = min(self.must_see, round(self.scroll_offset.y) + self._visible_rows)
        if lowest > self._lowest:
            self._lowest = lowest
            self.post_message(self.Seen())

    @property
    def _visible_rows(self) -> int:
        """Rows from the first one down that really are on the screen, whatever stands around."""
        try:
            visible = self.screen.find_widget(self).visible_region
        except (NoWidget, NoScreen):  # not laid out yet, folded away, or its question is answered and gone
            return 0
        return visible.height if visible.y == self.region.y else 0

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """More came into view."""
        super().watch_scroll_y(old_value, new_value)
        self.note_seen()

    # --- size and paint -------------------------------------------------------------------------------------

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many rows as there are lines beside a scroll bar: under it, the ends of lines would be seen by nobody."""
        width -= _BAR_WIDTH
        if width > 0 and width != self._width:
            self._lay_out(width)
        return len(self._lines)

    def on_resize(self) -> None:
        """Another width: lay out again."""
        width = self.size.width - _BAR_WIDTH
        self._painter = None
        if width > 0 and width != self._width:
            self._lay_out(width)
        after_refresh(self, self.note_seen)

    def notify_style_update(self) -> None:
        """Another theme: paint afresh."""
        self._painter = None
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        """One row."""
        if self._painter is None:
            variables = cast("App[object]", cast("Any", self).app).theme_variables
            self._painter = Painter(self.visual_style, variables, self.scrollable_content_region.width or 1)
        row = round(self.scroll_offset.y) + y
        if row >= len(self._lines):
            return self._painter.blank()
        return self._painter.strip(self._lines[row], _BAR, ())
