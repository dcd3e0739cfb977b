"""A pane of rows with details: what the inspector and the hook log have in common.

The details open below the list, or in its place where there is little room, and follow its cursor.
"""

from collections.abc import Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from .block import Block
from .details import Details
from .page import Leaf
from .rows import RowList
from .stack import Entry
from .surface import Surface

SHORT = 26
"""Rows below which the details take the place of the list."""


class ListPane(Vertical):
    """Rows above, details of the row under the cursor below. Subclasses say what the details are."""

    DEFAULT_CSS = """
    ListPane {
        & > .summary { height: auto; max-height: 3; padding: 0 1; color: $text-muted; display: none; }
        & > .empty { height: auto; padding: 1 2; color: $text-muted; display: none; }
        &.-empty > .empty { display: block; }
        & > RowList { height: 1fr; }
        & > Details { height: 2fr; display: none; border-top: solid $border-blurred; }
        &.-detailed > Details { display: block; }
        & LeafTabs { margin-bottom: 1; }
        &.-short LeafTabs { margin-bottom: 0; }
        &.-detailed.-short > RowList { display: none; }
        &.-detailed.-short > Details { height: 1fr; border-top: none; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "open_details", "Open the details", show=False, id="list.open"),
    ]

    EMPTY = ""
    """What will appear here."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, classes="-empty")
        self.rows = RowList()
        self.details = Details()
        self.summary = Static(classes="summary")
        self._tab: dict[str, int] = {}

    def compose(self) -> ComposeResult:
        yield self.summary
        yield Static(Content(self.EMPTY), classes="empty")
        yield self.rows
        yield self.details

    # --- what subclasses say --------------------------------------------------------------------------------

    def head(self, row: Block) -> Content:
        """The headline of the details of a row."""
        raise NotImplementedError

    def leaves(self, row: Block) -> Sequence[Leaf]:
        """The tabs of a row."""
        raise NotImplementedError

    def kind(self, row: Block) -> str:
        """Rows of one kind keep the same tab in front."""
        return ""

    def first_tab(self, row: Block) -> int:
        """The tab in front when a row of its kind is opened for the first time."""
        return 1

    # --- details --------------------------------------------------------------------------------------------

    @property
    def is_detailed(self) -> bool:
        """Whether the details are open."""
        return self.has_class("-detailed")

    def open_details(self) -> None:
        """Open the details of the row under the cursor and go there."""
        if self.rows.row is None:
            return
        self.add_class("-detailed")
        self.rows.styles.max_height = max(3, self.rows.stack.height)
        self.rows.follows = False
        self._show_details()
        self.details.page.focus()

    def action_open_details(self) -> None:
        """Open the details."""
        self.open_details()

    def close_details(self) -> None:
        """Back to the list."""
        self.remove_class("-detailed")
        self.rows.styles.max_height = None
        self.rows.follows = True
        self.rows.focus()

    def _show_details(self, *, again: bool = False) -> None:
        row = self.rows.row
        if row is not None:
            tab = self._tab.get(self.kind(row)) or self.first_tab(row)
            self.details.show(self.head(row), self.leaves(row), tab, again=again)

    def changed(self, entry: Entry[Block]) -> None:
        """A row has news: draw it, and its details when they are open."""
        self.rows.touch(entry)
        if self.is_detailed and self.rows.cursor is entry:
            self._show_details(again=True)

    def on_resize(self, event: events.Resize) -> None:
        """Little room: either the list or the details."""
        self.set_class(event.size.height < SHORT, "-short")

    # --- messages -------------------------------------------------------------------------------------------

    @on(Surface.CursorMoved)
    def _follow_cursor(self, event: Surface.CursorMoved) -> None:
        event.stop()
        if event.surface is self.rows and self.is_detailed:
            self._show_details()

    @on(Surface.BlockOpened)
    def _open(self, event: Surface.BlockOpened) -> None:
        event.stop()
        self.open_details()

    @on(Details.TabShown)
    def _remember_tab(self, event: Details.TabShown) -> None:
        event.stop()
        if self.rows.row is not None:
            self._tab[self.kind(self.rows.row)] = event.number

    @on(Details.Left)
    def _left(self, event: Details.Left) -> None:
        event.stop()
        self.close_details()

    @on(Details.Asked)
    def _asked(self, event: Details.Asked) -> None:
        event.stop()
        if event.what in {"above", "below"}:
            self.rows.action_cursor(-1 if event.what == "above" else 1)
        else:
            self.asked(event.what)

    def asked(self, what: str) -> None:
        """A wish of the details that only this pane can grant: jump, curl, again."""
