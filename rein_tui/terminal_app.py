"""An app over a real terminal: what it does when that is slow, and when nobody looks at it any more."""

import os
import sys
from collections.abc import Sequence
from typing import Any

from textual import events, on
from textual.app import App, ReturnType
from textual.driver import Driver
from textual.filter import LineFilter
from textual.screen import Screen

from rein_tui.ink import INK, MARKS
from rein_tui.widgets.safe import safe_text


class TerminalApp(App[ReturnType]):
    """Paints no faster than the terminal shows: where that is slow, frames are left out, not piled up."""

    def __init__(self) -> None:
        super().__init__()
        self._is_behind = False
        self._has_missed = False

    def get_driver_class(self) -> type[Driver]:
        """Ours on Unix, where nothing else was asked for."""
        if sys.platform == "win32" or os.environ.get("TEXTUAL_DRIVER"):
            return super().get_driver_class()
        from rein_tui.terminal_driver import TerminalDriver

        return TerminalDriver

    # --- a terminal without colours ---

    def get_line_filters(self) -> Sequence[LineFilter]:
        """No colours where they are not wanted, or where nothing is known of the terminal."""
        if self.no_color or self.console.is_dumb_terminal:
            return INK
        filters = super().get_line_filters()
        return [*filters, *MARKS] if self.native_ansi_color else filters

    # --- a slow terminal ---

    def fall_behind(self) -> None:
        """Let changes gather until the terminal has shown what it was sent."""
        self._is_behind = True
        self._begin_batch()

    def catch_up(self) -> None:
        """Paint what has changed since."""
        self._is_behind = False
        self._end_batch()
        if not self.is_running:
            return
        if self._has_missed:
            self._has_missed = False
            self.screen.refresh()
        for screen in self.screen_stack:
            screen.check_idle()

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        """Textual's way to the terminal; a new size or screen does not ask whether it is time to paint."""
        if self._is_behind and renderable is not None:
            self._has_missed = True
        super()._display(screen, renderable)  # pyright: ignore[reportUnknownMemberType]  Textual leaves it open

    # --- stopped and going on ---

    @on(Driver.SignalResume)
    def _paint_again(self) -> None:
        """After ctrl+z in a shell and `fg` the terminal is empty, which Textual does not think of."""
        self.screen.refresh(layout=True)

    # --- pastes ---

    async def on_event(self, event: events.Event) -> None:
        """No field gets escape sequences from a paste: Textual's own would write them to the terminal."""
        if isinstance(event, events.Paste) and not event.is_forwarded:
            event.text = safe_text(event.text.replace("\r\n", "\n").replace("\r", "\n"), "output")
        await super().on_event(event)

    # --- looking away ---

    def on_app_blur(self, event: events.AppBlur) -> None:
        """The focus goes after the keys that came before: they may still be on their way to who has it."""
        focused = self.screen.focused
        if focused is not None:
            event.prevent_default()
            focused.call_later(self._look_away)

    def _look_away(self) -> None:
        self.app_focus = False
        self.screen.refresh_bindings()
