"""A look at a session without opening it: its chat in a modal."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
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
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "leave", "Close"),
        Binding("escape", "leave", "Close", priority=True),  # what the search that led here found is no search to end
    ]

    def __init__(self, title: str, facts: Sequence[Fact], words: str = "") -> None:
        super().__init__()
        self._title_text = title
        self._facts = facts
        self._words = words

    def compose(self) -> ComposeResult:
        with Vertical(classes="frame") as frame:
            frame.border_title = Content(self._title_text)
            frame.border_subtitle = hint_line(("esc", "close"))
            yield Chat()

    def on_mount(self) -> None:
        """Show the story; after a search, where its words stand."""
        chat = next(iter(self.query(Chat)), None)  # none, where it was closed before it stood
        if chat is None:
            return
        chat.load(self._facts)
        if self._words:
            self.call_after_refresh(self._find)

    def action_leave(self) -> None:
        """Close; an open search bar first."""
        chat = next(iter(self.query(Chat)), None)  # none yet, for keys that are faster than the screen
        if chat is not None and chat.has_class("-searching"):
            chat.action_end_search()
        else:
            super().action_leave()

    def _find(self) -> None:
        """The last place where all of it stands, or any word of it."""
        surface = self.query_one(Chat).surface
        for words in (self._words, *self._words.split()):
            search = surface.find(words.strip('"'))
            if search is not None and search.total:
                return
        surface.clear_find()
