"""A modal that shows a page of text: keys, help, status, doctor."""

import re
from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style as RichStyle
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from .hints import hint_line
from .modal import Modal
from .safe import safe_text

_TERM = re.compile(r"\s*\S(?:.*?\S)??\s{2,}(?=\S)|\s+(?:→ )?")
"""What a line's rest hangs behind: its term and the blanks after it, or the blanks that it begins with."""


class _Text(Widget):
    """The page; lines that are too long go on below their words, not below their term."""

    DEFAULT_CSS = "_Text { width: 1fr; height: auto; }"

    def __init__(self, body: Content) -> None:
        super().__init__()
        self._body = body

    def show(self, body: Content) -> None:
        """Another page."""
        self._body = body
        self.refresh(layout=True)

    @property
    def link_style(self) -> RichStyle:
        """None: lines that can be clicked keep their colours."""
        return RichStyle.null()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many rows as the lines need at this width."""
        return hanging(self._body, width).plain.count("\n") + 1

    def render(self) -> Content:
        return hanging(self._body, self.size.width)


class Sheet(Modal[None]):
    """Scrolls with the arrows; Esc, q and Enter close it. `more` are hints beside that of Esc.

    A click on a line that names a key closes the page and presses it where the person was.
    """

    FIRST = "VerticalScroll"

    DEFAULT_CSS = """
    Sheet {
        & > .frame { padding: 1 2; max-width: 96; }
        & VerticalScroll { height: auto; max-height: 80vh; scrollbar-size-vertical: 1; }
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
            frame.border_subtitle = hint_line(*self._more, ("esc", "close"))
            with VerticalScroll():
                yield _Text(self._body)

    def show(self, body: Content) -> None:
        """Put another text on the page."""
        self.query_one(_Text).show(body)

    def action_scroll(self, lines: int) -> None:
        """Scroll by lines."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


def hanging(body: Content, width: int) -> Content:
    """Each line wrapped to `width`, its rest under the column where its words begin."""
    lines: list[Content] = []
    for line in body.split("\n", allow_blank=True):
        found = _TERM.match(line.plain)
        column = Content(found.group()).cell_length if found else 0
        if line.cell_length <= width or found is None or column > width // 2:
            lines += line.wrap(width) if line.cell_length > width > 0 else [line]
            continue
        head, words = line[: found.end()], line[found.end() :]
        for number, part in enumerate(words.wrap(width - column)):
            lines.append((head if not number else Content(" " * column)) + part.rstrip())
    return Content("\n").join(lines)


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
