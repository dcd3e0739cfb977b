"""The rows of the session list: keys on the highlighted one, and texts that change a row at a time."""

from collections.abc import Sequence
from typing import Any, ClassVar, cast

from textual import events
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

_ROW = 2
"""Lines of a session."""
_RIGHT = 3


class SessionList(OptionList):
    """The rows; keys on the highlighted session."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "wish('preview')", "Preview", id="sessions.preview"),
        Binding("r", "wish('rename')", "Rename", id="sessions.rename"),
        Binding("d", "wish('delete')", "Delete (twice)", id="sessions.delete"),
        Binding("u", "wish('undo')", "Undo delete", id="sessions.undo"),
        Binding("f", "wish('fork')", "Fork, from its end or a turn", id="sessions.fork"),
        Binding("e", "wish('export')", "Export to a file", id="sessions.export"),
        Binding("n", "wish('new')", "New session", id="sessions.new"),
        Binding("a", "wish('everywhere')", "All folders, or this one", id="sessions.everywhere"),
        Binding("slash", "wish('search')", "Search", id="sessions.search"),
        Binding("escape", "wish('leave')", "Back to the prompt", id="sessions.leave"),
        *(Binding(str(n), f"wish('switch-{n}')", f"Session {n}", show=False) for n in range(1, 10)),
    ]

    class EndNeared(Message):
        """The last rows are, or are about to be, on the screen."""

    class Wished(Message):
        """A key asked for something to be done with the highlighted session."""

        def __init__(self, wish: str) -> None:
            super().__init__()
            self.wish = wish

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Say when the end comes near: there may be more."""
        super().watch_scroll_y(old_value, new_value)
        if new_value > old_value and new_value >= self.max_scroll_y - self.size.height:
            self.post_message(self.EndNeared())

    def on_click(self, event: events.Click) -> None:
        """The right button takes a row up without opening it."""
        index = event.style.meta.get("option")
        if event.button == _RIGHT:
            event.prevent_default()
            if isinstance(index, int):
                self.highlighted = index
                self.focus()

    def renew(self, texts: Sequence[Content]) -> None:
        """Other texts for the same rows, each as high as before: only rows that changed are made and painted again.

        Every message changes one row; Textual would measure and render all of them.
        """
        made: LRUCache[tuple[Option, object, object], object] = cast("Any", self)._option_render_cache
        for index, (option, text) in enumerate(zip(self.options, texts, strict=True)):
            if option.prompt is text:
                continue
            cast("Any", option)._set_prompt(text)
            for key in list(made.keys()):
                if key[0] is option:
                    made.discard(key)
            self.refresh_lines(index * _ROW, _ROW)

    def action_wish(self, wish: str) -> None:
        """Hand the wish to the sidebar."""
        self.post_message(self.Wished(wish))
