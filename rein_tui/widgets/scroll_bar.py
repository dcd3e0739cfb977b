"""A vertical scroll bar that paints only the rows that changed.

Textual's own lays out and paints its whole column by way of Rich whenever anything moves; beside a growing text that
was half the cost of a frame.
"""

from typing import cast

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.reactive import Reactive
from textual.scrollbar import ScrollBar, ScrollBarRender
from textual.strip import Strip


class LeanScrollBar(ScrollBar):
    """Looks and feels like Textual's."""

    window_virtual_size: Reactive[int] = Reactive(100, repaint=False)
    window_size: Reactive[int] = Reactive(0, repaint=False)
    position: Reactive[float] = Reactive(0.0, repaint=False)

    def __init__(self, *, thickness: int = 1) -> None:
        super().__init__(vertical=True, name="vertical", thickness=thickness)
        self._cells: list[Segment] = []
        self._cells_of: tuple[object, ...] = ()
        self._strips: dict[Segment, Strip] = {}

    def watch_window_virtual_size(self) -> None:
        """More or less to scroll over."""
        self._paint_changes()

    def watch_window_size(self) -> None:
        """Another size of the view."""
        self._paint_changes()

    def watch_position(self) -> None:
        """The view moved."""
        self._paint_changes()

    def _paint_changes(self) -> None:
        """Have those rows painted that look different now."""
        if not (self.is_attached and self.size.height):
            return
        before = self._cells
        self._look()
        if len(before) != len(self._cells):
            self.refresh()
        elif changed := [y for y, cell in enumerate(self._cells) if cell != before[y]]:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def _look(self) -> None:
        """Bring `_cells` up to date: a segment for every row."""
        bar = cast(ScrollBarRender, self.render())
        style = cast(Style, bar.style)
        state = (self.size, bar.virtual_size, bar.window_size, bar.position, style)
        if state == self._cells_of:
            return
        self._cells_of = state
        assert style.color is not None
        assert style.bgcolor is not None
        drawn = bar.render_bar(
            size=self.size.height,
            virtual_size=bar.virtual_size,
            window_size=bar.window_size,
            position=bar.position,
            thickness=self.size.width,
            vertical=True,
            back_color=style.bgcolor,
            bar_color=style.color,
        )
        self._cells = list(drawn.segments)[: self.size.height]

    def render_lines(self, crop: Region) -> list[Strip]:
        """Rows for the screen: no border, no padding, so Textual's cache of styled lines has nothing to add.

        A new layout may be painted before the bar is told its new height: rows beyond it are blank until then.
        """
        self._look()
        rows = [self._strip(cell) for cell in self._cells[crop.y : crop.bottom]]
        blank = Strip.blank(crop.width, self.visual_style.rich_style)
        return rows + [blank] * (crop.height - len(rows))

    def _strip(self, cell: Segment) -> Strip:
        strip = self._strips.get(cell)
        if strip is None:
            strip = Strip([cell], self.size.width).apply_style(self.visual_style.rich_style)
            for line_filter in self.get_line_filters():
                strip = strip.apply_filter(line_filter, self.background_colors[1])
            self._strips[cell] = strip
        return strip

    def notify_style_update(self) -> None:
        """Another theme or style."""
        self._strips.clear()
        super().notify_style_update()
