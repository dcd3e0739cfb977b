"""The status line: model, mode, context, cost and branch on the left; what is happening now on the right.

It folds events like every pane. Text deltas cost one comparison. A timer runs only while a turn does.
"""

import math
import time
from collections.abc import Callable, Sequence

from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget

from rein_tui.harness.protocol.decisions import Mode
from rein_tui.harness.protocol.events import (
    TURN_ENDS,
    Event,
    Fact,
    HookFired,
    HookStarted,
    PermissionRequested,
    PermissionResolved,
    ProgressDelta,
    QuestionAnswered,
    QuestionAsked,
    RequestRetried,
    StepStarted,
    TextDelta,
    ThinkingDelta,
    ToolCallFinished,
    ToolCallRequested,
    ToolCallStarted,
    ToolInputDelta,
    TurnStarted,
)
from rein_tui.harness.protocol.messages import CACHE_KEPT

from .figures import elapsed
from .safe import safe_text
from .status_figures import Figures, clickable

_FRAME = 1 / 15
"""Seconds between two drawings of what is going on."""
_WAITING = "waiting for you"


class Status(Widget):
    """One line at the bottom. Clicking a part does what its key does."""

    DEFAULT_CSS = """
    Status { height: 1; padding: 0 1; background: $panel; color: $text-muted; }
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, id: str | None = None) -> None:
        super().__init__(id=id)
        self.auto_links = False
        self._clock = clock
        self.figures = Figures()
        self._cooling: Timer | None = None
        self._activity = ""
        self._since = 0.0
        self._calls: dict[str, str] = {}
        self._due = 0.0
        self._queued = 0
        self._paused = False
        self._hint = ""
        self._hooks: set[str] = set()
        self._in_turn = False
        self._ticker: Timer | None = None
        self._later: Timer | None = None
        self._drawn = 0.0

    # --- what the shell tells ---

    def show_queue(self, queued: int, paused: bool) -> None:
        """How many prompts wait, and whether they wait for the person."""
        if (queued, paused) != (self._queued, self._paused):
            self._queued, self._paused = queued, paused
            self.refresh()

    def show_hint(self, text: str) -> None:
        """A short word to the person in place of the activity; empty takes it away."""
        if text != self._hint:
            self._hint = text
            self.refresh()

    def show_branch(self, branch: str) -> None:
        """The git branch of the working directory."""
        self.figures.branch = branch
        self.refresh()

    def show_model(self, model: str) -> None:
        """The model that will answer, before the story says so."""
        self.figures.model = model
        self.refresh()

    def show_mode(self, mode: Mode) -> None:
        """The permission mode in force."""
        self.figures.mode = mode
        self.refresh()

    # --- folding ---

    def load(self, facts: Sequence[Fact]) -> None:
        """Start over from a whole history."""
        self.figures = Figures(branch=self.figures.branch)
        self._rest()
        for fact in facts:
            self._fold(fact)
        if facts and isinstance(facts[-1], TURN_ENDS):
            self._rest()
        self.refresh()

    async def apply(self, event: Event) -> None:
        """Fold one event."""
        self._fold(event)

    def _fold(self, event: Event) -> None:
        match event:
            case TextDelta():
                self._now("writing")
            case ThinkingDelta():
                self._now("thinking")
            case _:
                if self.figures.cache.fold(event) and self.is_attached:
                    if self._cooling is not None:
                        self._cooling.stop()
                    self._cooling = self.set_timer(CACHE_KEPT + 1, self.refresh)
                if self.figures.fold(event):
                    self._draw_soon()
                self._fold_activity(event)

    def _fold_activity(self, event: Event) -> None:
        match event:
            case TurnStarted():
                self._in_turn = True
                self._start_ticking()
                self._now("starting")
            case StepStarted():
                self._now("waiting for the model")
            case ToolInputDelta():
                self._now(f"preparing {event.name}")
            case ToolCallRequested():
                self._calls[event.call_id] = event.summary or event.name
            case ToolCallStarted():
                self._now(self._calls.get(event.call_id, event.name))
            case ToolCallFinished():
                self._calls.pop(event.call_id, None)
            case PermissionRequested() | QuestionAsked():
                self._now(_WAITING)
                self._draw()
            case PermissionResolved() | QuestionAnswered():
                self._now("going on")
            case HookStarted():
                self._hooks.add(event.run_id)
                self._start_ticking()
                self._now(f"hook {event.title}")
            case HookFired():
                self._hooks.discard(event.run.id)
                if not self._hooks and not self._in_turn:
                    self._rest()
            case ProgressDelta(call_id=""):
                self._now(event.text)
            case RequestRetried():
                self._now(f"retry {event.attempt}: {event.reason}")
                self._due = self._clock() + event.delay
            case _ if isinstance(event, TURN_ENDS):
                self._rest()
            case _:
                pass

    def _now(self, activity: str) -> None:
        if activity != self._activity:
            if self._ticker is not None and _WAITING in (activity, self._activity):
                self._tick(60.0 if activity == _WAITING else 1.0)
            self._activity, self._since = activity, self._clock()
            self._due = 0.0
            self._draw_soon()

    def _draw_soon(self) -> None:
        """What it is doing may change a hundred times a second: shown at once if nothing was for a frame."""
        wait = self._drawn + _FRAME - time.monotonic()
        if wait <= 0 or not self.is_mounted:
            self._draw()
        elif self._later is None:
            self._later = self.set_timer(wait, self._draw)

    def _draw(self) -> None:
        if self._later is not None:
            self._later.stop()
            self._later = None
        self._drawn = time.monotonic()
        self.refresh()

    def _rest(self) -> None:
        self._activity, self._in_turn = "", False
        self._hooks.clear()
        self._calls.clear()
        if self._ticker is not None:
            self._ticker.stop()
            self._ticker = None
        self.refresh()

    def _start_ticking(self) -> None:
        if self._ticker is None and self.is_attached:
            self._tick(1.0)

    def _tick(self, seconds: float) -> None:
        if self._ticker is not None:
            self._ticker.stop()
        self._ticker = self.set_interval(seconds, self.refresh)

    # --- drawing ---

    def render(self) -> Content:
        width = self.size.width
        right = self._right()
        left = self._left(max(0, width - right.cell_length - 2))
        return left.append(" " * max(1, width - left.cell_length - right.cell_length)).append(right)

    def _left(self, width: int) -> Content:
        """As many parts as fit; the ones that people miss least go first."""
        parts = self.figures.parts(time.time())
        while True:
            content = Content(" · ").join(part for _, part in parts)
            if content.cell_length <= width or len(parts) <= 1:
                return content.truncate(width, ellipsis=True) if content.cell_length > width else content
            parts.remove(max(parts, key=lambda pair: pair[0]))

    def _right(self) -> Content:
        keys = clickable(Content.assemble(("F1", "$text"), " keys"), "command('keys')")
        parts: list[Content] = []
        if self._hint:
            parts.append(Content.styled(self._hint, "$text-warning"))
        elif self._activity:
            parts.append(self._doing())
        if self._queued:
            word = "paused" if self._paused else "queued"
            parts.append(Content.styled(f"{self._queued} {word}", "$text-accent"))
        return Content("  ").join([*parts, keys])

    def _doing(self) -> Content:
        model, mode = self.figures.parts(time.time())[:2]
        room = max(12, self.size.width - model[1].cell_length - mode[1].cell_length - 32)
        waiting = self._activity == _WAITING
        colour = "bold $text-accent" if waiting else "$text-primary"
        words = Content(safe_text(self._activity, "path")).truncate(room, ellipsis=True)
        took = f" {self._took(waiting)}".rstrip()
        return Content.assemble(("● ", colour), words.stylize(colour if waiting else "$text"), took)

    def _took(self, waiting: bool) -> str:
        now = self._clock()
        if waiting:
            # Whoever is asked need not be hurried, and what lies below a question is costly to paint: minutes will do.
            minutes = int((now - self._since + 1) // 60)
            return f"{minutes}m" if minutes else ""
        left = math.ceil(self._due - now)
        return f"in {elapsed(left)}" if left > 0 else elapsed(now - max(self._since, self._due))
