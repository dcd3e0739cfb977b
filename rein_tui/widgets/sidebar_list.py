"""The rows of the session list: keys on the highlighted one, and texts that change a row at a time."""

from collections.abc import Sequence
from typing import Any, ClassVar, cast

from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

_ROW = 2
"""Lines of a session."""


class SessionList(OptionList):
    """The rows; keys on the highlighted session."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "wish('preview')", "Preview", id="sessions.preview"),
        Binding("r", "wish('rename')", "Rename", id="sessions.rename"),
        Binding("d", "wish('delete')", "Delete (twice)", id="sessions.delete"),
        Binding("u", "wish('undo')", "Undo delete", id="sessions.undo"),
        Binding("f", "wish('fork')", "Fork", id="sessions.fork"),
        Binding("n", "wish('new')", "New session", id="sessions.new"),
        Binding("a", "wish('everywhere')", "All folders, or this one", id="sessions.everywhere"),
        Binding("slash", "wish('search')", "Search", id="sessions.search"),
        Binding("escape", "wish('leave')", "Back to the prompt", id="sessions.leave"),
        *(Binding(str(n), f"wish('switch-{n}')", f"Session {n}", show=False) for n in range(1, 10)),
    ]

    class Wished(Message):
        """A key asked for something to be done with the highlighted session."""

        def __init__(self, wish: str) -> None:
            super().__init__()
            self.wish = wish

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
