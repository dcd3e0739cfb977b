"""The details of one row: a headline, numbered tabs, the page of the chosen tab, and a search in it.

It shows leaves and posts what the person wants done with them; it knows nothing of what they are about.
"""

from collections.abc import Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.style import Style
from textual.widget import Widget
from textual.widgets import Input, Static

from .dock import Dock
from .hints import KeyLine, hint_line
from .page import Leaf, Page
from .wishes import Copied


class LeafTabs(Widget):
    """Numbered titles on as many lines as they need. A click chooses."""

    DEFAULT_CSS = "LeafTabs { height: auto; padding: 0 1; color: $text-muted; }"

    class Chosen(Message):
        """A title was clicked."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self) -> None:
        super().__init__()
        self._leaves: Sequence[Leaf] = ()
        self._active = 0

    def show(self, leaves: Sequence[Leaf], active: int) -> None:
        """Show these, one of them chosen."""
        same = [leaf.title for leaf in leaves] == [leaf.title for leaf in self._leaves]
        self._leaves, self._active = leaves, active
        self.display = len(leaves) > 1
        self.refresh(layout=not same)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as the titles need."""
        return len(self._lines(width))

    def render(self) -> Content:
        return Content("\n").join(Content("   ").join(line) for line in self._lines(self.size.width))

    def _lines(self, width: int) -> list[list[Content]]:
        lines: list[list[Content]] = [[]]
        used = 0
        for leaf in self._leaves:
            style = "bold underline $text-primary" if leaf.number == self._active else "$text-muted"
            label = Content.assemble((f"{leaf.number} ", "$text-disabled"), (leaf.title, style))
            if used and used + label.cell_length > width:
                lines.append([])
                used = 0
            used += label.cell_length + 3
            lines[-1].append(label.stylize(Style.from_meta({"leaf": leaf.number})))
        return lines

    def on_click(self, event: events.Click) -> None:
        """Choose the title under the mouse."""
        number = event.style.meta.get("leaf")
        if isinstance(number, int):
            self.post_message(self.Chosen(number))


class Details(Vertical):
    """Headline, tabs, page, search bar."""

    DEFAULT_CSS = """
    Details {
        & > #details-head { height: 1; padding: 0 1; background: $surface; }
        & > #details-search { display: none; height: 1; background: $panel; }
        &.-searching > #details-search { display: block; }
        & #details-needle { width: 1fr; border: none; height: 1; padding: 0 1; background: $panel; }
        & #details-hits { width: auto; height: 1; padding: 0 1; color: $text-muted; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Back", show=False)]

    class Left(Message):
        """The person is done here."""

    class Asked(Message):
        """Something that only the pane can do: above, below, jump, curl, again."""

        def __init__(self, what: str) -> None:
            super().__init__()
            self.what = what

    class TabShown(Message):
        """The person chose a tab."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self.active = 0
        self._head = Static(id="details-head")
        self._tabs = LeafTabs()
        self._leaves: Sequence[Leaf] = ()

    def compose(self) -> ComposeResult:
        yield self._head
        yield self._tabs
        yield self.page
        with Horizontal(id="details-search"):
            yield Input(placeholder="search this page", id="details-needle")
            yield KeyLine(Content(""), id="details-hits")

    @property
    def leaf(self) -> Leaf | None:
        """The tab on the screen."""
        return next((leaf for leaf in self._leaves if leaf.number == self.active), None)

    def show(self, head: Content, leaves: Sequence[Leaf], active: int, *, again: bool = False) -> None:
        """Show these tabs, `active` in front (the first one when there is none). `again` keeps the reader's place."""
        self._head.update(head)
        self._leaves = leaves
        numbers = [leaf.number for leaf in leaves]
        same = again and self.active == active
        self.active = active if active in numbers else numbers[0] if numbers else 0
        self._tabs.show(leaves, self.active)
        leaf = self.leaf
        blocks = leaf.blocks() if leaf else ()
        if same:
            self.page.reload(blocks)
        else:
            self._end_search()
            self.page.load(blocks)

    def choose(self, number: int) -> None:
        """Show the tab of that number."""
        leaf = next((leaf for leaf in self._leaves if leaf.number == number), None)
        if leaf is None or number == self.active:
            return
        self.active = number
        self._tabs.show(self._leaves, number)
        self._end_search()
        self.page.load(leaf.blocks())
        self.post_message(self.TabShown(number))

    # --- wishes ---------------------------------------------------------------------------------------------

    @on(LeafTabs.Chosen)
    def _clicked(self, event: LeafTabs.Chosen) -> None:
        event.stop()
        self.choose(event.number)

    @on(Page.Asked)
    def _asked(self, event: Page.Asked) -> None:
        event.stop()
        what, leaf = event.what, self.leaf
        if what == "leave":
            self.action_leave()
        elif what == "search":
            self.add_class("-searching")
            self.query_one("#details-needle", Input).focus()
        elif what == "copy" and leaf is not None:
            self.post_message(Copied(leaf.source()))
        elif what == "editor" and leaf is not None:
            self.post_message(Dock.EditorRequested(leaf.source(), leaf.suffix))
        elif what in {"previous", "next"}:
            self._step(1 if what == "next" else -1)
        elif what.startswith("tab-"):
            self.choose(int(what.removeprefix("tab-")))
        else:
            self.post_message(self.Asked(what))

    def _step(self, step: int) -> None:
        numbers = [leaf.number for leaf in self._leaves]
        if not numbers or (numbers[0] == self.active and step < 0):
            self.post_message(self.Left())
        elif self.active in numbers:
            self.choose(numbers[min(len(numbers) - 1, numbers.index(self.active) + step)])

    def action_leave(self) -> None:
        """End the search, else leave."""
        if self.has_class("-searching"):
            self._end_search()
            self.page.focus()
        else:
            self.post_message(self.Left())

    # --- search ---------------------------------------------------------------------------------------------

    def _end_search(self) -> None:
        self.remove_class("-searching")
        if self.page.search is not None:
            self.page.clear_find()

    @on(Input.Changed, "#details-needle")
    def _search(self, event: Input.Changed) -> None:
        event.stop()
        self.page.find(event.value)
        self._show_hits()

    @on(Input.Submitted, "#details-needle")
    def _search_on(self, event: Input.Submitted) -> None:
        event.stop()
        self.page.action_find(1)
        self._show_hits()

    def _show_hits(self) -> None:
        search = self.page.search
        text = f"{search.tally} · " if search is not None else ""
        hits = Content(text) + hint_line(("enter", "next"), ("esc", "end"))
        self.query_one("#details-hits", KeyLine).update(hits)
