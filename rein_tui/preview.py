"""A look at a session without opening it: its chat in a modal."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from rein_tui.harness.protocol.events import Fact
from rein_tui.widgets.chat import Chat
from rein_tui.widgets.hints import hint_line
from rein_tui.widgets.modal import Modal


class Preview(Modal[None]):
    """Read only; Space or Esc closes."""

    FIRST = "Surface"
    DEFAULT_CSS = """
    Preview > .frame { height: 90%; max-width: 120; padding: 0; }
    """
    BINDINGS = [("space", "leave", "Close")]  # noqa: RUF012  Textual's own form

    def __init__(self, title: str, facts: Sequence[Fact]) -> None:
        super().__init__()
        self._title_text = title
        self._facts = facts

    def compose(self) -> ComposeResult:
        with Vertical(classes="frame") as frame:
            frame.border_title = Content(self._title_text)
            frame.border_subtitle = hint_line(("esc", "closes"))
            yield Chat()

    def on_mount(self) -> None:
        """Show the story."""
        self.query_one(Chat).load(self._facts)
