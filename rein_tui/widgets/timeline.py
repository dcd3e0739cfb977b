"""The timeline: where the time of a turn, or of the whole session, went. Four lanes above, every span below.

Folds stored facts. While a turn runs a clock of one beat a second lets open bars grow; at rest there is none.
"""

import time
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from rein_tui.harness.protocol.events import DELTAS, TURN_ENDS, Event, Fact, TurnStarted

from .block import Block
from .dock import Dock
from .rows import RowList
from .stack import Entry
from .surface import Surface
from .timeline_lanes import Axis, Lanes, SpanRow, headline
from .timeline_spans import Scale, Span, Spans, TurnSpan

AT_ONCE = 300
"""Spans up to which news change the whole scale at once; with more, the next beat does."""


class Timeline(Vertical):
    """Lanes with totals, and a waterfall of spans. One turn, or all of them."""

    DEFAULT_CSS = """
    Timeline {
        & > #timeline-head { height: auto; max-height: 3; padding: 0 1; }
        & > .empty { height: auto; padding: 1 2; color: $text-muted; display: none; }
        & > RowList { height: 1fr; }
        &.-empty > .empty { display: block; }
        &.-empty > Lanes, &.-empty > #timeline-head { display: none; }
    }
    """

    EMPTY = "Where the time goes will stand here: the model, tools, hooks, and waiting for you, on one scale."

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("z", "zoom", "One turn, or the session", show=False, id="timeline.zoom"),
        Binding("left,left_square_bracket", "turn(-1)", "Previous turn", show=False, id="timeline.previous"),
        Binding("right,right_square_bracket", "turn(1)", "Next turn", show=False, id="timeline.next"),
    ]

    def __init__(self, *, clock: Callable[[], float] = time.time, id: str | None = None) -> None:
        super().__init__(id=id, classes="-empty")
        self._clock = clock
        self._spans = Spans()
        self._place = -1
        self._whole_session = False
        self._entries: dict[Span, Entry[Block]] = {}
        self._axis = Axis(Scale((), 0.0), 0.0)
        self._beat: Timer | None = None
        self._head = Static(id="timeline-head")
        self._lanes = Lanes()
        self._list = SpanList()

    def compose(self) -> ComposeResult:
        yield self._head
        yield self._lanes
        yield Static(Content(self.EMPTY), classes="empty")
        yield self._list

    # --- story ----------------------------------------------------------------------------------------------

    def load(self, facts: Sequence[Fact]) -> None:
        """Start over from a whole history."""
        self._spans = Spans()
        for fact in facts:
            self._spans.apply(fact)
        self._place = -1
        self._fill()
        self._keep_time()

    async def apply(self, event: Event) -> None:
        """Fold one live event; deltas take no time of their own."""
        if isinstance(event, DELTAS):
            return
        change = self._spans.apply(event)
        if isinstance(event, (TurnStarted, *TURN_ENDS)) and not event.parent:
            if self._place == len(self._spans.turns) - 2:
                self._place = -1
            self._fill()
            self._keep_time()
        elif change is not None:
            self._show(*change)

    def _keep_time(self) -> None:
        if self._beat is not None:
            self._beat.stop()
            self._beat = None
        if self._spans.is_running:
            self._beat = self.set_interval(1, self._tick)

    def _tick(self) -> None:
        self._spans.now = max(self._spans.now, self._clock())
        if self.is_on_screen:
            self._draw()

    # --- drawing --------------------------------------------------------------------------------------------

    @property
    def _turns(self) -> Sequence[TurnSpan]:
        """The turns that are shown."""
        turns = self._spans.turns
        return turns if self._whole_session else turns[self._place :][:1]

    def _shown(self) -> list[Span]:
        return [span for turn in self._turns for span in self._spans.spans.get(turn.turn, ())]

    def _fill(self) -> None:
        chosen = self._list.row
        spans = self._shown()
        self._axis.scale, self._axis.now = Scale(self._turns, self._spans.now), self._spans.now
        rows = [SpanRow(span, self._axis) for span in spans]
        self._entries = dict(zip(spans, self._list.load(rows), strict=True))
        self._draw(rows=False)
        if isinstance(chosen, SpanRow) and chosen.span in self._entries:
            self._list.set_cursor(self._entries[chosen.span])
        self.set_class(not self._spans.turns, "-empty")
        self._mark()

    def _show(self, span: Span, is_new: bool) -> None:
        turns = self._turns
        if not any(turn.turn == span.turn for turn in turns):
            return
        if is_new:
            self._entries[span] = self._list.add(SpanRow(span, self._axis))
        elif span in self._entries:
            self._list.touch(self._entries[span])
        if len(self._entries) < AT_ONCE:
            self._draw()

    def _draw(self, *, rows: bool = True) -> None:
        """Bring lanes, headline and the bars near the view to the present scale."""
        turns, now = self._turns, self._spans.now
        scale = Scale(turns, now)
        self._axis.scale, self._axis.now = scale, now
        spans = list(self._entries)
        self._lanes.show(spans, scale)
        self._head.update(headline(turns, len(self._spans.turns), spans, scale, now))
        if rows:
            self._list.relay()

    def _mark(self) -> None:
        row = self._list.row
        self._lanes.mark(row.span if isinstance(row, SpanRow) else None)

    # --- keys and messages ----------------------------------------------------------------------------------

    def action_zoom(self) -> None:
        """Show one turn, or all of them on one axis."""
        self._whole_session = not self._whole_session
        self._fill()

    def action_turn(self, step: int) -> None:
        """Show the turn before or after."""
        count = len(self._spans.turns)
        if not count or self._whole_session:
            return
        place = self._place % count + step
        if 0 <= place < count:
            self._place = place if place < count - 1 else -1
            self._fill()

    @on(Surface.CursorMoved)
    def _moved(self, event: Surface.CursorMoved) -> None:
        event.stop()
        self._mark()

    @on(Surface.BlockOpened)
    def _open(self, event: Surface.BlockOpened) -> None:
        event.stop()
        if isinstance(event.block, SpanRow):
            span = event.block.span
            self.post_message(Dock.CallRequested(span.call_id or span.parent, span.turn))


class SpanList(RowList):
    """The waterfall."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Show in the chat", show=False, id="timeline.jump"),
    ]
