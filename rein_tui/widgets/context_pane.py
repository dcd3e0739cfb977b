"""The context pane: what fills the model's window, by source, with its share, its cost and whether it is cached."""

from collections.abc import Sequence
from typing import ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from rein_tui.harness.protocol.events import DELTAS, Event, Fact, SourceKind

from .block import Block
from .context_pane_fold import GROUPS, Contents, Filling, Item
from .context_pane_rows import CACHED, FRESH, GroupRow, ItemRow, headline, server_tools
from .figures import short_cost
from .hints import hint
from .rows import ListRow, RowList
from .surface import Surface


class ContextPane(Vertical):
    """Groups of sources with their shares; groups fold. `switchable` kinds can be switched off from here."""

    DEFAULT_CSS = """
    ContextPane {
        & > #context-head { height: auto; padding: 0 1; margin-bottom: 1; }
        & > .empty { height: auto; padding: 1 2; color: $text-muted; display: none; }
        & > RowList { height: 1fr; }
        & > #context-foot { height: auto; padding: 0 1; color: $text-muted; }
        &.-empty > .empty { display: block; }
        &.-empty > #context-head, &.-empty > #context-foot { display: none; }
    }
    """

    EMPTY = (
        "What fills the model's window will stand here after the first request: "
        "the system prompt, each tool, memory files, hooks, messages."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "fold", "Fold or unfold", show=False, id="context.fold"),
        Binding("d", "switch", "Switch off, or on again", show=False, id="context.switch"),
    ]

    class Toggled(Message):
        """The person wants this source out of the window (`on` false), or back in."""

        def __init__(self, kind: SourceKind, name: str, on: bool) -> None:
            super().__init__()
            self.kind: SourceKind = kind
            self.name = name
            self.on = on

    def __init__(self, *, switchable: frozenset[str] = frozenset(), id: str | None = None) -> None:
        super().__init__(id=id, classes="-empty")
        self.switchable = switchable
        self._contents = Contents()
        self._window = 0
        self._folded: set[str] = set()
        self._stale = False
        self._filling = Filling()
        self._head = Static(id="context-head")
        self._foot = Static(id="context-foot")
        self._list = SourceList()

    def compose(self) -> ComposeResult:
        yield self._head
        yield Static(Content(self.EMPTY), classes="empty")
        yield self._list
        yield self._foot

    # --- story ----------------------------------------------------------------------------------------------

    def load(self, facts: Sequence[Fact]) -> None:
        """Start over from a whole history."""
        self._contents = Contents()
        for fact in facts:
            self._contents.apply(fact)
        self._fill()

    async def apply(self, event: Event) -> None:
        """Fold one live event. What changed is drawn once the messages that wait are done."""
        if isinstance(event, DELTAS) or not self._contents.apply(event) or self._stale:
            return
        self._stale = True
        if self.is_on_screen:
            self.call_later(self._fill)

    def on_show(self) -> None:
        """Catch up with what came while nobody looked."""
        if self._stale:
            self._fill()

    def set_window(self, tokens: int) -> None:
        """How many tokens fit; 0 when unknown."""
        self._window = tokens
        self._fill()

    # --- drawing --------------------------------------------------------------------------------------------

    def _fill(self) -> None:
        self._stale = False
        filling = self._contents.filling()
        filling.window = self._window or filling.window
        self.set_class(not filling.items and not filling.off, "-empty")
        chosen, place = self._list.row, round(self._list.scroll_y)
        rows: list[ListRow] = []
        for kind in GROUPS:
            items = [item for item in filling.items if item.kind == kind]
            off = [item for item in filling.off if item.kind == kind]
            if not items and not off:
                continue
            folded = kind in self._folded
            rows.append(GroupRow(kind, items, filling, folded, len(off)))
            if not folded and (off or len(items) > 1 or (items and items[0].name != GROUPS[kind])):
                rows += [ItemRow(item, filling, off=False) for item in items]
                rows += [ItemRow(item, filling, off=True) for item in off]
        entries = self._list.load(rows)
        same = next((entry for entry in entries if _key(entry.block) == _key(chosen)), None)
        self._list.set_cursor(same or (entries[0] if entries else None), show=False)
        self._list.hold(place)
        self._filling = filling
        self._head.update(headline(filling, max(20, self.size.width - 2)))
        self._foot.update(self._legend(filling))

    def on_resize(self) -> None:
        """The bar of the whole window is as wide as the pane."""
        self._head.update(headline(self._filling, max(20, self.size.width - 2)))

    def _legend(self, filling: Filling) -> Content:
        usage = filling.usage
        parts: list[str | Content] = []
        if usage.cache_read_tokens or usage.cache_write_tokens:
            parts.append(f"{CACHED} cached  ◐ in part  {FRESH} new")
        if filling.turn_cost is not None:
            parts.append(f"last turn {short_cost(filling.turn_cost)}")
        if not filling.is_measured:
            parts.append("estimated, no server has counted yet")
        if (item := self._switchable_item) is not None:
            parts.append(hint("d", "puts it back" if item in filling.off else "takes it out"))
        lines = [Content(server_tools(filling)), Content("   ").join(Content.assemble(part) for part in parts)]
        return Content("\n").join(line for line in lines if line.plain)

    @property
    def _switchable_item(self) -> Item | None:
        """What is under the cursor, if it can be switched; what hooks said at no moment of its own cannot."""
        row = self._list.row
        item = row.item if isinstance(row, ItemRow) else None
        return item if item is not None and item.kind in self.switchable and item.name != GROUPS[item.kind] else None

    # --- keys and messages ----------------------------------------------------------------------------------

    def action_fold(self) -> None:
        """Fold or unfold the group under the cursor, or around it."""
        row = self._list.row
        kind = row.kind if isinstance(row, GroupRow) else row.item.kind if isinstance(row, ItemRow) else ""
        self._folded ^= {kind}
        self._fill()
        group = next((e for e in self._list.stack if isinstance(e.block, GroupRow) and e.block.kind == kind), None)
        if group is not None and kind in self._folded:
            self._list.set_cursor(group)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Switching is offered only where the screen says that it is supported."""
        return bool(self.switchable) if action == "switch" else True

    def action_switch(self) -> None:
        """Ask for the source under the cursor to be switched off, or on again."""
        if (item := self._switchable_item) is not None:
            self.post_message(self.Toggled(cast("SourceKind", item.kind), item.name, on=item in self._filling.off))

    @on(Surface.BlockOpened)
    def _open(self, event: Surface.BlockOpened) -> None:
        event.stop()
        self.action_fold()

    @on(Surface.CursorMoved)
    def _moved(self, event: Surface.CursorMoved) -> None:
        event.stop()
        if self.switchable:
            self._foot.update(self._legend(self._filling))


class SourceList(RowList):
    """The rows; Space is the pane's."""

    follows = False


def _key(row: Block | None) -> tuple[str, str]:
    if isinstance(row, ItemRow):
        return row.item.kind, row.item.name
    return (row.kind, "") if isinstance(row, GroupRow) else ("", "")
