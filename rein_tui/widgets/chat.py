"""The chat: the conversation as one surface, folded from events.

`apply` takes live events one by one, `load` a whole history; both go through the same fold and give the same lines.
Below the surface stands a one-line button while new text waits ("↓ 3 new") and the search bar when it is open.
"""

import asyncio
import gc
import time
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Input, Static

from rein_tui.harness.protocol.events import (
    DELTAS,
    TURN_ENDS,
    Delta,
    Event,
    Fact,
    MessageFinished,
    TextDelta,
    ThinkingDelta,
    ToolOutputDelta,
)

from .below import NewBelow
from .block import Block, Density
from .hints import KeyLine, hint_line
from .stack import Entry
from .surface import Surface

if TYPE_CHECKING:  # imported with the first event: Markdown, diffs and cards are a fiftieth of a start
    from .chat_blocks import ChatBlock
    from .chat_fold import ChatFold
    from .chat_tree import Change

DENSITIES: tuple[Density, ...] = ("grouped", "line", "full")
WHEEL = 2
"""Lines that a step of the wheel scrolls, as Textual's own does."""
BITE = 4000
"""Characters of live text that are laid out in one go."""
PAUSE = 0.0005
"""Seconds between events that show that whoever brings them waits for something: then the loop had its turn."""
BREATH = 0.004
"""Seconds of events after which keys and frames get a turn, however fast the events come."""


class Chat(Vertical):
    """The chat pane."""

    BLANK = True  # its parts cover it

    DEFAULT_CSS = """
    Chat {
        align-horizontal: center;
        & > #chat-empty { width: 1fr; height: 1fr; content-align: center middle; color: $text-muted; padding: 1 2; }
        & > Surface { display: none; max-width: 122; }
        &.-filled > #chat-empty { display: none; }
        &.-filled > Surface { display: block; }
        & > NewBelow {
            display: none; dock: bottom; height: 1; width: 1fr; content-align: center middle;
            color: $text-primary; background: $primary 15%;
            &:hover { background: $primary 30%; }
        }
        &.-unread > NewBelow { display: block; }
        & > #chat-search { display: none; dock: bottom; height: 1; background: $panel; }
        &.-searching > #chat-search { display: block; layout: horizontal; }
        & #chat-needle { width: 1fr; border: none; height: 1; padding: 0 1; background: $panel; }
        & #chat-hits { width: auto; height: 1; padding: 0 1; color: $text-muted; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash,ctrl+f", "search", "Search", show=False, id="chat.search"),
        Binding("escape", "end_search", "End search", show=False, id="chat.end_search"),
        Binding("d", "density", "Density", show=False, id="chat.density"),
        Binding("left_curly_bracket", "turn(-1)", "Previous turn", show=False, id="chat.previous_turn"),
        Binding("right_curly_bracket", "turn(1)", "Next turn", show=False, id="chat.next_turn"),
    ]

    density: reactive[Density] = reactive[Density]("line", init=False)
    """How much of the tool activity shows: grouped, one line each, full."""

    class BlockSelected(Message):
        """The block cursor moved: the inspector may follow. `call_id` is empty for what is no call."""

        def __init__(self, call_id: str, turn: int) -> None:
            super().__init__()
            self.call_id = call_id
            self.turn = turn

    class BlockOpened(BlockSelected):
        """Enter was pressed on a block: show it in the inspector."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.surface = Surface(id="chat-surface")
        self._empty = Static(Content(""), id="chat-empty")
        self._below = NewBelow(Content(""))
        self._needle: Input | None = None
        self._hits = KeyLine(Content(""), id="chat-hits")
        self._entries: dict[ChatBlock, Entry[Block]] = {}
        self._breathed = 0.0
        self._applied = 0.0
        self._unshown = 0
        self._is_first_look = False

    def compose(self) -> ComposeResult:
        yield self._empty
        yield self.surface
        yield self._below

    @cached_property
    def _fold(self) -> "ChatFold":
        return self._new_fold()

    def _new_fold(self) -> "ChatFold":
        from .chat_blocks import Look
        from .chat_fold import ChatFold

        return ChatFold(Look(density=self.density))

    def on_mount(self) -> None:
        """Watch what waits below."""
        self.watch(self.surface, "unread", self._show_unread, init=False)

    # --- story ----------------------------------------------------------------------------------------------

    async def apply(self, event: Event) -> None:
        """Fold one live event in. Yields to keys and frames now and then, so an endless stream starves nobody."""
        started = time.perf_counter()
        is_new = False
        for change in self._fold.apply(event):
            self._show(change)
            is_new = is_new or change.kind == "added"
        if isinstance(event, TURN_ENDS) or (isinstance(event, MessageFinished) and event.message.text):
            self.surface.flush()  # the last words are shown at once; calls without words keep to the frames
        elif is_new and isinstance(event, TextDelta | ThinkingDelta):
            self.surface.flush()  # so are the first ones
        elif isinstance(event, TextDelta | ThinkingDelta | ToolOutputDelta):
            # A stream that is faster than the frames is digested in bites, so that no frame has too much to do.
            self._unshown += len(event.text)
            if self._unshown > BITE:
                self._unshown = 0
                self.surface.digest()
        await self._breathe(started)

    async def _breathe(self, started: float) -> None:
        """Let keys and frames in when events have come without a pause for a while."""
        now = time.perf_counter()
        if started - self._applied > PAUSE:
            self._breathed = started
        if now - self._breathed > BREATH:
            await asyncio.sleep(0)
            self._breathed = now = time.perf_counter()
        self._applied = now

    def show_ending(self, facts: Sequence[Fact]) -> None:
        """Show how a history ends; `load` follows with the whole of it, and holds what is read by then."""
        self.load(facts)
        self._is_first_look = True

    def load(self, facts: Sequence[Fact]) -> None:
        """Show a whole history instead of what was here, from its end."""
        show = self.surface.complete if self._is_first_look else self.surface.load
        self._is_first_look = False
        gc.disable()
        before = self._fold
        try:
            self._fold = fold = self._new_fold()
            fold.tells = False
            for fact in facts:
                if not isinstance(fact, DELTAS):
                    fold.apply(fact)
            fold.tells = True
            blocks = list(fold.walk())
            self._entries = dict(zip(blocks, show(blocks), strict=True))
            before.forget()
        finally:
            gc.enable()
        gc.freeze()  # a history stays: the collector need not walk it again and again while someone types
        self.set_class(bool(blocks), "-filled")

    def catch_up(self, deltas: Sequence[Delta]) -> None:
        """Show what came since the last fact of a history that goes on meanwhile."""
        for delta in deltas:
            for change in self._fold.apply(delta):
                self._show(change)
        if deltas:
            self.surface.flush()

    def _show(self, change: "Change") -> None:
        block = change.block
        if change.kind == "added":
            self.add_class("-filled")
            after = self._entries[change.after] if change.after else None
            self._entries[block] = self.surface.add(block, after)
        elif change.kind == "removed":
            self.surface.remove_entry(self._entries.pop(block))
        else:
            self.surface.touch(self._entries[block])

    # --- looks ----------------------------------------------------------------------------------------------

    def set_empty(self, content: Content) -> None:
        """What stands here before the first message."""
        self._empty.update(content)

    def watch_density(self, density: Density) -> None:
        """Draw all calls in the other density, holding what is being read."""
        self._fold.look.density = density
        self.surface.relay()

    def action_density(self) -> None:
        """The next density."""
        self.density = DENSITIES[(DENSITIES.index(self.density) + 1) % len(DENSITIES)]

    def _show_unread(self, unread: int) -> None:
        self.set_class(unread > 0, "-unread")
        self._below.update(Content(f"↓ {unread} new · ctrl+end"))

    # --- going places ---------------------------------------------------------------------------------------

    def show_call(self, call_id: str) -> bool:
        """Put the cursor on a call; false when it is not in this chat."""
        card = self._fold.cards.get(call_id)
        if card is None:
            return False
        if card.hidden:
            card.run.folded = False
            self.surface.relay()
        self.surface.set_cursor(self._entries[card])
        return True

    def show_turn(self, turn: int) -> bool:
        """Put the cursor on the prompt of a turn; false when it is not in this chat."""
        block = self._fold.turns.get(turn)
        if block is None:
            return False
        self.surface.set_cursor(self._entries[block])
        return True

    def action_turn(self, step: int) -> None:
        """The prompt above or below the cursor, or the view."""
        from .chat_blocks import PromptBlock

        surface = self.surface
        entry = surface.cursor
        if entry is None:
            found = surface.stack.at(round(surface.scroll_y))
            entry = found[0] if found else None
        while entry is not None:
            entry = surface.stack.below(entry) if step > 0 else surface.stack.above(entry)
            if entry is not None and isinstance(entry.block, PromptBlock) and surface.lines_of(entry):
                surface.set_cursor(entry)
                return

    # --- search ---------------------------------------------------------------------------------------------

    async def action_search(self) -> None:
        """Open the search bar; it is made when it is first wanted."""
        self.add_class("-searching")
        if self._needle is None:
            self._needle = Input(placeholder="search the conversation", id="chat-needle")
            self.mount(Vertical(self._needle, self._hits, id="chat-search"))
        self.screen.set_focus(self._needle)  # at once: what is typed while the bar is being made is meant for it
        self._show_hits()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a search there is none to end, and Esc means what it means everywhere."""
        return action != "end_search" or self.has_class("-searching") or self.surface.search is not None

    def action_end_search(self) -> None:
        """Close the search bar; the view stays where the search went."""
        self.remove_class("-searching")
        self.surface.clear_find()
        self.surface.focus()

    @on(Input.Changed, "#chat-needle")
    def _search(self, event: Input.Changed) -> None:
        event.stop()
        self.surface.find(event.value)
        self._show_hits()

    @on(Input.Submitted, "#chat-needle")
    def _search_on(self, event: Input.Submitted) -> None:
        event.stop()
        self.surface.action_find(-1)
        self._show_hits()

    def _show_hits(self) -> None:
        search = self.surface.search
        text = f"{search.tally} · " if search is not None else ""
        self._hits.update(Content(text) + hint_line(("enter", "earlier"), ("esc", "end")))

    # --- upward ---------------------------------------------------------------------------------------------

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel scrolls beside the text, too, where the screen is wider than lines are read well."""
        event.stop()
        self.surface.scroll_relative(y=WHEEL, immediate=True)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The other way."""
        event.stop()
        self.surface.scroll_relative(y=-WHEEL, immediate=True)

    @on(NewBelow.Pressed)
    def _go_down(self, event: NewBelow.Pressed) -> None:
        event.stop()
        self.surface.scroll_to_end()

    @on(Surface.CursorMoved)
    def _select(self, event: Surface.CursorMoved) -> None:
        event.stop()
        self._tell_of(event.block, self.BlockSelected)

    @on(Surface.BlockOpened)
    def _open(self, event: Surface.BlockOpened) -> None:
        event.stop()
        self._tell_of(event.block, self.BlockOpened)

    def _tell_of(self, block: Block | None, message: type[BlockSelected]) -> None:
        from .chat_blocks import ChatBlock
        from .chat_tree import call_of

        if isinstance(block, ChatBlock):
            self.post_message(message(call_of(block), block.turn))
