"""The completion list above the prompt: draws candidates, holds the highlight, never takes the focus."""

from collections.abc import Sequence

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from ..safe import safe_text
from .sources import Candidate

ROWS = 8


class CompletionPopup(Widget):
    """At most eight rows of candidates; scrolls with the highlight. The prompt steers it."""

    DEFAULT_CSS = """
    CompletionPopup {
        height: auto; max-height: 9; padding: 0 1; background: $panel; color: $text-muted; display: none;
        &.-open { display: block; }
    }
    """

    class Chosen(Message):
        """A row was clicked."""

        def __init__(self, candidate: Candidate) -> None:
            super().__init__()
            self.candidate = candidate

    def __init__(self) -> None:
        super().__init__()
        self._candidates: tuple[Candidate, ...] = ()
        self._selected = 0
        self._top = 0

    @property
    def is_open(self) -> bool:
        """Whether there is anything to choose."""
        return bool(self._candidates)

    @property
    def highlighted(self) -> Candidate | None:
        """The candidate that Enter or Tab would take."""
        return self._candidates[self._selected] if self._candidates else None

    def show(self, candidates: Sequence[Candidate]) -> None:
        """Show these; the highlight stays on the same candidate where it is still there and was moved."""
        kept = self.highlighted.insert if self._selected and self.highlighted else None
        self._candidates = tuple(candidates)
        at = [index for index, candidate in enumerate(self._candidates) if candidate.insert == kept]
        self._selected = at[0] if at else 0
        self._scroll()
        self.set_class(self.is_open, "-open")
        self.refresh(layout=True)

    def close(self) -> None:
        """Show nothing."""
        if self._candidates:
            self._candidates, self._selected, self._top = (), 0, 0
            self.remove_class("-open")

    def move(self, by: int) -> None:
        """Move the highlight, around the ends."""
        if self._candidates:
            self._selected = (self._selected + by) % len(self._candidates)
            self._scroll()
            self.refresh()

    def _scroll(self) -> None:
        self._top = min(self._top, self._selected, max(0, len(self._candidates) - ROWS))
        self._top = max(self._top, self._selected - ROWS + 1)

    def render(self) -> Content:
        shown = self._candidates[self._top : self._top + ROWS]
        widest = max((Content(_label(c)).cell_length for c in shown), default=0)
        column = min(widest, max(24, self.size.width * 2 // 3))
        rows = [self._row(c, self._top + index == self._selected, column) for index, c in enumerate(shown)]
        return Content("\n").join(rows)

    def _row(self, candidate: Candidate, selected: bool, column: int) -> Content:
        label = Content.styled(_label(candidate), "$text")
        for mark in candidate.marks:
            label = label.stylize("bold $text-primary", mark, mark + 1)
        label = label.truncate(column, ellipsis=True, pad=True)
        row = Content.assemble("❯ " if selected else "  ", label, "  ", safe_text(candidate.note, "label"))
        row = row.truncate(self.size.width, ellipsis=True, pad=True)
        return row.stylize("$block-cursor-foreground on $block-cursor-background") if selected else row

    def on_click(self, event: events.Click) -> None:
        """Choose by mouse."""
        index = self._top + event.y
        if index < len(self._candidates):
            self.post_message(self.Chosen(self._candidates[index]))


def _label(candidate: Candidate) -> str:
    return safe_text(candidate.label, "path")
