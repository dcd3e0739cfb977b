"""Calling for attention, but only where nobody looks: title, notification, and a bell by choice."""

from typing import TYPE_CHECKING

from rein_tui import terminal

if TYPE_CHECKING:
    from rein_tui.app import ReinApp


class Attention:
    """Writes to the terminal of an app that is out of focus; takes the mark back when someone looks again."""

    def __init__(self, app: "ReinApp") -> None:
        self._app = app
        self._called = False

    def call(self, what: str) -> None:
        """A session needs or has something."""
        if self._app.app_focus:
            return
        self._called = True
        self._app.write_escape(terminal.title(f"● rein-tui {what}") + terminal.notification(f"rein-tui {what}"))
        if self._app.preferences.bell:
            self._app.write_escape(terminal.BELL)

    def end(self) -> None:
        """Someone looks."""
        if self._called:
            self._called = False
            self._app.write_escape(terminal.title("rein-tui"))
