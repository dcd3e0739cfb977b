"""A prompt as the page that vim's keys edit: through the area's own actions, so that undo and chips work as without."""

from collections.abc import Callable, Sequence

from textual.widgets.text_area import Selection

from .chip_area import ChipArea
from .vim import Place


class VimPage:
    """vim.Page over an area; `show` is told the mode, empty while letters are typed."""

    def __init__(self, area: ChipArea, show: Callable[[str], None]) -> None:
        self._area = area
        self._show = show

    @property
    def lines(self) -> Sequence[str]:
        """The text."""
        return self._area.document.lines

    @property
    def cursor(self) -> Place:
        """Where the cursor stands."""
        return self._area.cursor_location

    def move(self, to: Place) -> None:
        """Put the cursor there."""
        self._area.move_cursor(to)

    def step(self, key: str) -> None:
        """One step, as the arrow key does it."""
        area = self._area
        steps = {"h": area.action_cursor_left, "l": area.action_cursor_right}
        steps |= {"j": area.action_cursor_down, "k": area.action_cursor_up}
        steps[key]()

    def select(self, anchor: Place, head: Place) -> None:
        """Show this as selected."""
        self._area.selection = Selection(anchor, head)

    def replace(self, text: str, start: Place, end: Place) -> None:
        """Put `text` in the place of what stands there."""
        self._area.replace(text, start, end)

    def whole(self, start: Place, end: Place) -> tuple[Place, Place]:
        """This range, with the chips that it touches whole."""
        return self._area.around_chips(start, end)

    def checkpoint(self) -> None:
        """Let undo stop here."""
        self._area.history.checkpoint()

    def undo(self) -> bool:
        """Take the last edit back."""
        before = self._area.text
        self._area.undo()
        return self._area.text != before

    def redo(self) -> bool:
        """Do it again."""
        before = self._area.text
        self._area.redo()
        return self._area.text != before

    def show_mode(self, mode: str) -> None:
        """Say which mode counts."""
        self._show("" if mode == "insert" else mode)
