"""The text area of the composer: newline keys, chips as one character, pastes that fold, edges that ask for history.

It knows nothing of completion, queues or turns; it posts what a key meant.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from rich.text import Text
from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import TextArea
from textual.widgets.text_area import TextAreaTheme

from ..safe import safe_text
from . import chips
from .chips import Chips

if TYPE_CHECKING:
    from .vim import Mode, Vim

_HEAVY = 20_000
"""Characters that a text area still edits without a stall; more becomes a chip."""
_LONG_LINE = 2_000
_BLINKS = 6
"""Times that the cursor changes, twice a second, after the last key."""


class PromptArea(TextArea):
    """A multi-line prompt. Enter sends; a newline is ctrl+j, shift+enter, or a backslash before Enter."""

    COMPONENT_CLASSES = {"prompt--chip", "prompt--mention", "prompt--command"}  # noqa: RUF012  Textual's own form

    DEFAULT_CSS = """
    PromptArea {
        height: auto; max-height: 14; border: none; padding: 0; background: $background; scrollbar-size-vertical: 1;
        &:focus { border: none; background-tint: $background 0%; }
        & .prompt--chip { color: $accent; text-style: bold; }
        & .prompt--mention { color: $primary; }
        & .prompt--command { color: $primary; text-style: bold; }
        & .text-area--placeholder { color: $text-disabled; }
    }
    """

    BINDINGS: list[BindingType] = [  # noqa: RUF012  Textual's own form
        Binding("enter", "submit", "Send", id="composer.send"),
        Binding("ctrl+j,shift+enter,alt+enter", "newline", "New line", id="composer.newline"),
        Binding("ctrl+enter", "steer", "Steer the running turn", id="composer.steer"),
        Binding("ctrl+r", "search_history", "Search history", id="composer.history"),
        Binding("ctrl+g", "open_editor", "Write in your editor", id="composer.editor"),
        Binding("f7", "stash", "Stash the prompt, or take it back", id="composer.stash", priority=True),
        Binding("ctrl+o", "unfold", "Unfold the paste at the cursor", id="composer.unfold"),
        Binding("pageup", "cursor_page_up", "Scroll the chat", id="scroll.up"),
        Binding("pagedown", "cursor_page_down", "Scroll the chat", id="scroll.down"),
        Binding("ctrl+v", "paste_image", "Paste an image or text", id="composer.paste"),
    ]

    class Meant(Message):
        """A key asked for something: submit, steer, older, newer, history, editor, stash, image, page_up, page_down.

        Or it led to another `mode` of vim's keys. `text` is what is to be sent; the prompt is empty again by then, or
        holds what was typed since.
        """

        def __init__(self, wish: str, text: str = "") -> None:
            super().__init__()
            self.wish, self.text = wish, text

    class Steered(Message):
        """A key for the completion list while it is open: up, down, accept, close."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    class ImageDropped(Message):
        """The path of an image file was pasted, with the cursor `at` this place."""

        def __init__(self, path: Path, at: tuple[int, int]) -> None:
            super().__init__()
            self.path, self.at = path, at

    def __init__(self, placeholder: str) -> None:
        self._dressed: TextAreaTheme | None = None
        super().__init__(soft_wrap=True, tab_behavior="focus", placeholder=Content(placeholder))
        self.highlight_cursor_line = False
        self._blinks = 0
        self.chips = Chips()
        self.is_choosing = False
        self.last_typed = 0.0
        self.mode: Mode = "insert"
        self._vim: Vim | None = None

    def _toggle_cursor_blink_visible(self) -> None:
        """Stop blinking when nobody has typed for a while: what stands still costs nothing."""
        self._blinks += 1
        if self._blinks > _BLINKS:
            self._pause_blink(visible=True)
        else:
            super()._toggle_cursor_blink_visible()

    def _restart_blink(self) -> None:
        """Somebody types, or came back."""
        self._blinks = 0
        super()._restart_blink()

    def set_vim(self, on: bool) -> None:
        """Vim keys, or none."""
        self._vim = None
        if on:
            from .vim import Vim

            self._vim = Vim(self)
        self.show_mode("insert")

    def show_mode(self, mode: "Mode") -> None:
        """Say which mode of vim's keys counts now."""
        self.mode = mode
        self.post_message(self.Meant("mode"))

    def around_chips(self, start: tuple[int, int], end: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
        """This range, with the chips that it touches whole: half a chip would stand for nothing."""
        for first, last in self.chips.spans(self.document.get_line(start[0])):
            if first < start[1] < last and start < end:
                start = (start[0], first)
        for first, last in self.chips.spans(self.document.get_line(end[0])):
            if first < end[1] < last and start < end:
                end = (end[0], last)
        return start, end

    # --- keys ---

    async def on_key(self, event: events.Key) -> None:
        """Take the keys that a text area would misread, before it sees them."""
        key = event.key
        if event.is_printable or key in ("backspace", "delete"):
            self.last_typed = time.monotonic()
        if key == "caps_lock" or (event.character == "\r" and key != "enter"):
            # Terminals with xterm's modifyOtherKeys name the key by its character: `shift+\r`, `ctrl+\r`.
            event.prevent_default()
            event.stop()
            if key.startswith("shift+"):
                self.action_newline()
            elif key.startswith("ctrl+"):
                self.action_steer()
        elif self.is_choosing and key in ("up", "down", "tab", "enter", "escape", "ctrl+p", "ctrl+n"):
            event.prevent_default()
            event.stop()
            self.post_message(self.Steered(key))
        elif self._vim is not None and key != "enter" and self._vim.take(event):
            event.prevent_default()
            event.stop()
        elif not event.is_printable:
            await self._press(event)

    async def _press(self, event: events.Key) -> None:
        """Do what a key of the prompt means at once: letters overtake it on its way to the app, where Textual looks."""
        if event.key == "enter":
            event.prevent_default()
        meant = self.screen.active_bindings.get(event.key)
        if meant is not None and meant.node is self and meant.enabled and not meant.binding.priority:
            event.prevent_default()
            event.stop()
            self._restart_blink()
            await cast("App[object]", cast("Any", self).app).run_action(meant.binding.action, self)

    async def on_paste(self, event: events.Paste) -> None:
        """Insert a paste, folded to a chip when it is long."""
        event.prevent_default()
        event.stop()
        self.last_typed = time.monotonic()
        text = event.text.replace("\r\n", "\n").replace("\r", "\n")
        image = chips.dropped_image(text)
        if image is not None:
            self.post_message(self.ImageDropped(image, self.cursor_location))
        else:
            self.insert_text(text)

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

    # --- actions ---

    def action_submit(self) -> None:
        """Send, unless a backslash before the cursor asks for a new line."""
        row, column = self.cursor_location
        line = self.document.get_line(row)
        if column == len(line) and line.endswith("\\") and not line.endswith("\\\\"):
            self.replace("\n", (row, column - 1), (row, column))
            return
        self._send("submit")

    def _send(self, wish: str) -> None:
        text = self.text
        self.replace_all("")
        self.post_message(self.Meant(wish, text))

    def action_newline(self) -> None:
        """Begin a new line."""
        self.replace("\n", *self.selection)

    def action_steer(self) -> None:
        """Say this to the running turn."""
        self._send("steer")

    def action_search_history(self) -> None:
        """Search old prompts."""
        self.post_message(self.Meant("history"))

    def action_open_editor(self) -> None:
        """Write in the external editor."""
        self.post_message(self.Meant("editor"))

    def action_stash(self) -> None:
        """Put the prompt aside, or take it back."""
        self.post_message(self.Meant("stash"))

    def action_paste_image(self) -> None:
        """Paste from the system clipboard: an image where there is one, else text."""
        self.post_message(self.Meant("image"))

    def action_unfold(self) -> None:
        """Put the text of the paste at the cursor in place of its chip."""
        row, column = self.cursor_location
        found = self.chips.paste_at(self.document.get_line(row), column)
        if found is not None:
            (start, end), text = found
            self.replace(text, (row, start), (row, end))

    def action_cursor_up(self, select: bool = False) -> None:
        """Up; on the first line it asks for an older prompt."""
        if not select and self.navigator.is_first_wrapped_line(self.cursor_location):
            self.post_message(self.Meant("older"))
        else:
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        """Down; on the last line it asks for a newer prompt."""
        if not select and self.navigator.is_last_wrapped_line(self.cursor_location):
            self.post_message(self.Meant("newer"))
        else:
            super().action_cursor_down(select)

    def action_cursor_page_up(self) -> None:
        """A page up, in the chat where the whole prompt is on screen."""
        self._page(super().action_cursor_page_up, "page_up")

    def action_cursor_page_down(self) -> None:
        """A page down, in the chat where the whole prompt is on screen."""
        self._page(super().action_cursor_page_down, "page_down")

    def _page(self, within: Callable[[], None], wish: str) -> None:
        if self.max_scroll_y:
            within()
        else:
            self.post_message(self.Meant(wish))

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
