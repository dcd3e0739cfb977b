"""A text area with chips: each stands in the text as a short label, and is one character to keys and to the mouse.

It knows nothing of what a prompt is, or where it goes.
"""

from rich.text import Text
from textual.content import Content
from textual.geometry import Region
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import TextArea
from textual.widgets.text_area import TextAreaTheme

from ..safe import safe_text
from . import chips
from .chips import Chips

_HEAVY = 20_000
"""Characters that a text area still edits without a stall; more becomes a chip."""
_LONG_LINE = 2_000


class ChipArea(TextArea):
    """Soft-wrapped text with `chips`; long text becomes one."""

    def __init__(self, placeholder: str) -> None:
        self._dressed: TextAreaTheme | None = None
        super().__init__(soft_wrap=True, tab_behavior="focus", placeholder=Content(placeholder))
        self.chips = Chips()

    # --- text ---

    def insert_text(self, text: str) -> None:
        """Put text at the cursor, without control characters, folded when it is long."""
        text = safe_text(text, "output")
        shown = self.chips.add_paste(text) if chips.is_long(text) else text
        self.replace(shown, *self.selection)

    def replace_all(self, text: str) -> None:
        """Let the prompt be this text, cursor at the end; undo brings the old one back."""
        text = safe_text(text, "output")
        if len(text) > _HEAVY or any(len(line) > _LONG_LINE for line in text.split("\n")):
            text = self.chips.add_paste(text)
        self.replace(text, (0, 0), self.document.end)
        self.move_cursor(self.document.end)

    def around_chips(self, start: tuple[int, int], end: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
        """This range, with the chips that it touches whole: half a chip would stand for nothing."""
        for first, last in self.chips.spans(self.document.get_line(start[0])):
            if first < start[1] < last and start < end:
                start = (start[0], first)
        for first, last in self.chips.spans(self.document.get_line(end[0])):
            if first < end[1] < last and start < end:
                end = (end[0], last)
        return start, end

    # --- actions ---

    def action_unfold(self) -> None:
        """Put the text of the paste at the cursor in place of its chip."""
        row, column = self.cursor_location
        found = self.chips.paste_at(self.document.get_line(row), column)
        if found is not None:
            (start, end), text = found
            self.replace(text, (row, start), (row, end))

    def action_delete_left(self) -> None:
        """Delete a character, or a whole chip."""
        chip = self._chip_touching(backwards=True)
        if chip is None:
            super().action_delete_left()
        else:
            self.replace("", *chip)

    def action_delete_right(self) -> None:
        """Delete a character, or a whole chip."""
        chip = self._chip_touching(backwards=False)
        if chip is None:
            super().action_delete_right()
        else:
            self.replace("", *chip)

    def action_cursor_left(self, select: bool = False) -> None:
        """Left, over a chip in one step."""
        chip = self._chip_touching(backwards=True)
        if chip is None:
            super().action_cursor_left(select)
        else:
            self.move_cursor(chip[0], select=select)

    def action_cursor_right(self, select: bool = False) -> None:
        """Right, over a chip in one step."""
        chip = self._chip_touching(backwards=False)
        if chip is None:
            super().action_cursor_right(select)
        else:
            self.move_cursor(chip[1], select=select)

    def _chip_touching(self, *, backwards: bool) -> tuple[tuple[int, int], tuple[int, int]] | None:
        if self.selected_text:
            return None
        row, column = self.cursor_location
        for start, end in self.chips.spans(self.document.get_line(row)):
            if (start < column <= end) if backwards else (start <= column < end):
                return ((row, start), (row, end))
        return None

    # --- drawing ---

    def render_lines(self, crop: Region) -> list[Strip]:
        """Paint. Colours are looked up when they changed; Textual does it for each key and each blink."""
        if self._dressed is self._theme:
            return ScrollView.render_lines(self, crop)
        self._dressed = self._theme
        return super().render_lines(crop)

    def notify_style_update(self) -> None:
        """Another theme or style."""
        self._dressed = None
        super().notify_style_update()

    def get_line(self, line_index: int) -> Text:
        """The line with its chips, mentions and command in colour."""
        line = super().get_line(line_index)
        plain = line.plain
        if "[" in plain:
            style = self.get_component_rich_style("prompt--chip", partial=True)
            for start, end in self.chips.spans(plain):
                line.stylize(style, start, end)
        if "@" in plain:
            style = self.get_component_rich_style("prompt--mention", partial=True)
            line.highlight_regex(r"(?:(?<=\s)|^)@(?:\"[^\"]+\"|[^\s\"]+)", style)
        if line_index == 0 and plain.startswith("/"):
            style = self.get_component_rich_style("prompt--command", partial=True)
            line.highlight_regex(r"^/[\w:-]+(?=\s|$)", style)
        return line
