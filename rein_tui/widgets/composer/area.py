"""The text area of the composer: newline keys, pastes, edges that ask for history.

It knows nothing of completion, queues or turns; it posts what a key meant.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, cast

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.message import Message

from . import chips
from .chip_area import ChipArea

_BLINKS = 6
"""Times that the cursor changes, twice a second, after the last key."""


class Keys(Protocol):
    """Keys that mean something else than typing."""

    def take(self, key: str, character: str | None) -> bool:
        """Handle a key, which types `character` or nothing; false leaves it to the area."""
        ...


class PromptArea(ChipArea):
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

        Or it led to another `mode`. `text` is what is to be sent; the prompt is empty again by then, or
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
        super().__init__(placeholder)
        self.highlight_cursor_line = False
        self._blinks = 0
        self.is_choosing = False
        self.last_typed = 0.0
        self.mode = ""
        self.keys: Keys | None = None

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

    def show_mode(self, mode: str) -> None:
        """Say in which mode the keys are, in place of ordinary typing."""
        self.mode = mode
        self.post_message(self.Meant("mode"))

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
        elif self.keys is not None and self.keys.take(key, event.character if event.is_printable else None):
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
