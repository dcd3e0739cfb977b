"""The right dock: a row of tabs, one pane each, mounted when first shown. It knows nothing of what its panes hold."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec
from textual import events
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.style import Style
from textual.widget import Widget

if TYPE_CHECKING:
    from textual.widgets import ContentSwitcher


class Tab(msgspec.Struct, frozen=True):
    """One tab: its id, its title, the key that shows it, and how its pane is made (once, when first shown)."""

    id: str
    title: str
    key: str
    make: Callable[[], Widget]


class TabRow(Widget):
    """The titles; the active one is underlined. A click shows or folds."""

    DEFAULT_CSS = """
    TabRow { height: 1; padding: 0 1; background: $background; color: $text-muted; }
    """

    class Clicked(Message):
        """A title was clicked."""

        def __init__(self, tab: str) -> None:
            super().__init__()
            self.tab = tab

    def __init__(self, tabs: tuple[Tab, ...]) -> None:
        super().__init__()
        self._tabs = tabs
        self.active = ""

    def render(self) -> Content:
        roomy = self.size.width >= sum(len(t.title) + len(t.key) + 4 for t in self._tabs)
        parts: list[Content] = []
        for tab in self._tabs:
            title = Content.styled(
                tab.title, "bold underline $text-primary" if tab.id == self.active else "$text-muted"
            )
            label = Content.assemble(title, (f" {tab.key}", "$text-disabled")) if roomy else title
            parts.append(label.stylize(Style.from_meta({"tab": tab.id})))
        return Content("   ").join(parts)

    def on_click(self, event: events.Click) -> None:
        """Show the tab under the mouse."""
        tab = event.style.meta.get("tab")
        if isinstance(tab, str):
            self.post_message(self.Clicked(tab))


class Dock(Vertical):
    """Folds away; while folded its panes still hold what they folded."""

    DEFAULT_CSS = """
    Dock {
        width: 2fr; min-width: 44; max-width: 110; display: none;
        border-left: vkey $border-blurred; background: $background;
        & > ContentSwitcher { height: 1fr; }
        &.-open { display: block; }
    }
    """

    class EditorRequested(Message):
        """The person wants to read `text` in their editor; `suffix` is that of the file, such as `.json`."""

        def __init__(self, text: str, suffix: str = ".txt") -> None:
            super().__init__()
            self.text = text
            self.suffix = suffix

    class CallRequested(Message):
        """The person wants to see this call (or, if it has no id, this turn) in the chat."""

        def __init__(self, call_id: str, turn: int = 0) -> None:
            super().__init__()
            self.call_id = call_id
            self.turn = turn

    def __init__(self, tabs: tuple[Tab, ...], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._tabs = {tab.id: tab for tab in tabs}
        self._row = TabRow(tabs)
        self.panes: dict[str, Widget] = {}

    @cached_property
    def _switcher(self) -> "ContentSwitcher":
        from textual.widgets import ContentSwitcher  # loaded by nobody else before the first frame

        return ContentSwitcher()

    @property
    def shown(self) -> str:
        """The id of the open tab; empty while folded."""
        return self._row.active if self.has_class("-open") else ""

    async def show(self, tab: str) -> tuple[Widget, bool]:
        """Unfold on this tab; returns its pane and whether it was made just now, so that it wants its history."""
        if not self._switcher.is_attached:  # nothing of it is made before it is first seen
            await self.mount(self._row, self._switcher)
        pane = self.panes.get(tab)
        fresh = pane is None
        if pane is None:
            pane = self._tabs[tab].make()
            pane.id = f"dock-{tab}"
            self.panes[tab] = pane
            await self._switcher.mount(pane)
        self._switcher.current = pane.id
        self._row.active = tab
        self._row.refresh()
        self.add_class("-open")
        return pane, fresh

    def fold(self) -> None:
        """Fold away."""
        self.remove_class("-open")
