"""A modal that shows a page of text: keys, help, status, doctor."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from .hints import hint_line
from .modal import Modal
from .safe import safe_text


class Sheet(Modal[None]):
    """Scrolls with the arrows; Esc, q and Enter close it. `more` are hints beside that of Esc.

    A click on a line that names a key closes the page and presses it where the person was.
    """

    FIRST = "VerticalScroll"

    DEFAULT_CSS = """
    Sheet {
        & > .frame { padding: 1 2; max-width: 96; }
        & VerticalScroll { height: auto; max-height: 80vh; scrollbar-size-vertical: 1; }
        & Static { link-style: none; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,enter,f1", "leave", "Close", show=False),
        Binding("j", "scroll(1)", "Down", show=False),
        Binding("k", "scroll(-1)", "Up", show=False),
    ]

    def __init__(self, title: str, body: Content, *, more: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__()
        self._more = more
        self._title_text = title
        self._body = body

    def compose(self) -> ComposeResult:
        with Vertical(classes="frame") as frame:
            frame.border_title = Content(safe_text(self._title_text, "label"))
            frame.border_subtitle = hint_line(*self._more, ("esc", "closes"))
            with VerticalScroll():
                yield Static(self._body, id="body")

    def show(self, body: Content) -> None:
        """Put another text on the page."""
        self.query_one("#body", Static).update(body)

    def action_scroll(self, lines: int) -> None:
        """Scroll by lines."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


def table(rows: list[tuple[str, str]], *, width: int = 18) -> Content:
    """Two columns: a term, and what there is to say about it."""
    lines = [
        Content.assemble((safe_text(term, "label").ljust(width), "$text-primary"), "  ", safe_text(words, "label"))
        for term, words in rows
    ]
    return Content("\n").join(lines)


def heading(text: str) -> Content:
    """A heading on a line of its own."""
    return Content.styled(text, "bold $text-muted")
