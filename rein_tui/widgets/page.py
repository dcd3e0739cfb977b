"""A page of details: blocks from their beginning, searched from there; and the leaf, a tab that makes such a page."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from .block import Block
from .passages import Heading
from .stack import Entry
from .surface import Search, Surface


@dataclass(frozen=True, slots=True)
class Leaf:
    """One tab: its number key, its title, how its page is made, and what copying the page gives."""

    number: int
    title: str
    blocks: Callable[[], Iterable[Block]]
    source: Callable[[], str]
    suffix: str = ".txt"


class Page(Surface):
    """Blocks from their beginning; its keys ask the pane around it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "ask('leave')", "Back to the list", show=False, id="details.leave"),
        Binding("left", "ask('previous')", "Previous tab", show=False, id="details.previous_tab"),
        Binding("right", "ask('next')", "Next tab", show=False, id="details.next_tab"),
        *(Binding(str(number), f"ask('tab-{number}')", f"Tab {number}", show=False) for number in range(1, 9)),
        Binding("alt+up,left_square_bracket", "ask('above')", "Row above", show=False, id="details.above"),
        Binding("alt+down,right_square_bracket", "ask('below')", "Row below", show=False, id="details.below"),
        Binding("slash,ctrl+f", "ask('search')", "Search this page", show=False, id="details.search"),
        Binding("y", "ask('copy')", "Copy this page", show=False, id="details.copy"),
        Binding("c", "ask('curl')", "Copy the request as curl", show=False, id="details.curl"),
        Binding("o", "ask('editor')", "Open in $EDITOR", show=False, id="details.editor"),
        Binding("t", "ask('again')", "Run the hook again, dry", show=False, id="details.again"),
        Binding("enter", "ask('jump')", "Show in the chat", show=False, id="details.jump"),
    ]

    class Asked(Message):
        """A key asked for something: see the bindings."""

        def __init__(self, what: str) -> None:
            super().__init__()
            self.what = what

    def action_ask(self, what: str) -> None:
        """Hand it upward."""
        self.post_message(self.Asked(what))

    def load(self, blocks: Iterable[Block]) -> list[Entry[Block]]:
        """Show these from the top."""
        blocks = list(blocks)
        if blocks and isinstance(blocks[0], Heading):
            blocks[0].is_first = True
        entries = super().load(blocks)
        self._hold_top(entries)
        return entries

    def _hold_top(self, entries: list[Entry[Block]]) -> None:
        self.reading.top = (entries[0], 0) if entries else None
        if entries:
            self.lines_of(entries[0])  # its height is known then, and its first row stays on top
        self._follow(False)
        self.settle()

    def reload(self, blocks: Iterable[Block]) -> None:
        """Show these where the view stands: the same page, some news in it."""
        row = self.scroll_y
        self.load(blocks)
        self.scroll_to(y=row, animate=False, immediate=True)

    def find(self, needle: str) -> Search | None:
        """Search the page from its beginning, without regard to case."""
        needle = needle.lower()
        if not needle:
            self.clear_find()
            return None
        entries = [entry for entry in self.stack if needle in entry.block.source.lower()]
        counts = [entry.block.source.lower().count(needle) for entry in entries]
        self.search = Search(needle, entries, counts)
        self.action_find(1)
        self.settle()
        return self.search

    def action_find(self, step: int) -> None:
        """The next or previous hit; the page has no cursor to show for it."""
        super().action_find(step)
        self.cursor = None
        self.settle()
