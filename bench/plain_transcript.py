"""The least a Textual transcript can do: blocks frozen, the open one rendered with Rich fifteen times a second."""

from rich.markdown import Markdown
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

FRAME = 1 / 15


class Transcript(ScrollView, can_focus=False):
    """One line-API widget over a list of strips; everything is painted anew with each frame."""

    DEFAULT_CSS = "Transcript { height: 1fr; scrollbar-gutter: stable; }"

    def __init__(self) -> None:
        super().__init__()
        self._strips: list[Strip] = []
        self._frozen, self._open, self._is_waiting = 0, "", False

    def render_line(self, y: int) -> Strip:
        """A line of it."""
        row, width = self.scroll_offset.y + y, self.size.width
        return self._strips[row].adjust_cell_length(width) if row < len(self._strips) else Strip.blank(width)

    def feed(self, text: str) -> None:
        """More text; shown with the next frame."""
        self._open += text
        if not self._is_waiting:
            self._is_waiting = True
            self.set_timer(FRAME, self._show)

    def end(self) -> None:
        """The text is complete."""
        self._open += "\n\n"
        self._show()

    def _rendered(self, text: str) -> list[Strip]:
        options = self.app.console.options.update(width=max(20, self.size.width - 1), height=None)
        return [Strip(line) for line in self.app.console.render_lines(Markdown(text), options, pad=False)]

    def _cut(self) -> int:
        """Behind the last finished block."""
        end = position = 0
        is_fenced = False
        for line in self._open.splitlines(keepends=True):
            position += len(line)
            if line.startswith("```"):
                is_fenced = not is_fenced
            elif not line.strip() and not is_fenced and line.endswith("\n"):
                end = position
        return end

    def _show(self) -> None:
        self._is_waiting = False
        del self._strips[self._frozen :]
        if end := self._cut():
            self._strips += [*self._rendered(self._open[:end]), Strip.blank(1)]
            self._frozen, self._open = len(self._strips), self._open[end:]
        if self._open.strip():
            self._strips += self._rendered(self._open)
        self.virtual_size = Size(self.size.width, len(self._strips))
        self.scroll_to(y=len(self._strips), animate=False, immediate=True)
        self.refresh()
