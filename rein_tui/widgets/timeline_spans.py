"""Where the time went: a fold of facts into spans on four lanes. Data only, no drawing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from rein_tui.harness.protocol import events as ev

Lane: TypeAlias = Literal["model", "tool", "hook", "you"]
LANES: tuple[Lane, ...] = ("model", "tool", "hook", "you")


@dataclass(slots=True, eq=False)
class Span:
    """One stretch of time on a lane, in epoch seconds. `end` is 0 while it goes on."""

    lane: Lane
    words: str
    turn: int
    start: float
    end: float = 0.0
    call_id: str = ""
    note: str = ""
    parent: str = ""

    def length(self, now: float) -> float:
        """Seconds, up to `now` while it goes on."""
        return max(0.0, (self.end or now) - self.start)


@dataclass(slots=True, eq=False)
class TurnSpan:
    """One turn and what took its time."""

    turn: int
    text: str
    start: float
    end: float = 0.0

    def length(self, now: float) -> float:
        """Seconds, up to `now` while it goes on."""
        return max(0.0, (self.end or now) - self.start)


class Spans:
    """All spans of a session, by turn. `apply` says which span an event opened or closed."""

    def __init__(self) -> None:
        self.turns: list[TurnSpan] = []
        self.spans: dict[int, list[Span]] = {}
        self.now = 0.0
        self._open: dict[tuple[str, str], Span] = {}
        self._calls: dict[str, str] = {}
        self._cwd = ""

    @property
    def is_running(self) -> bool:
        """Whether the last turn goes on."""
        return bool(self.turns) and not self.turns[-1].end

    def apply(self, event: ev.Event) -> tuple[Span, bool] | None:
        """The span that this event opened (True) or changed (False); None for events that take no time."""
        self.now = max(self.now, event.time)
        match event:
            case ev.SessionStarted():
                self._cwd = event.cwd
            case ev.TurnStarted() if not event.parent:
                self.turns.append(TurnSpan(event.turn, event.text, event.time))
            case ev.TurnFinished() | ev.TurnInterrupted() | ev.TurnFailed() if self.turns and not event.parent:
                self.turns[-1].end = event.time
                self._close_all(event.time)
            case ev.StepStarted():
                return self._begin(("model", event.parent), event, "model", f"step {event.step}", note=event.model)
            case ev.MessageFinished() | ev.StepFinished():
                return self._finish(("model", event.parent), event.time)
            case ev.HookFired():
                return self._hook(event)
            case _:
                return self._apply_call(event)
        return None

    def _apply_call(self, event: ev.Event) -> tuple[Span, bool] | None:
        match event:
            case ev.ToolCallRequested():
                words = event.summary.replace(f"{self._cwd}/", "") if self._cwd else event.summary
                self._calls[event.call_id] = words if words.startswith(event.name) else f"{event.name} {words}".strip()
            case ev.ToolCallStarted():
                words = self._calls.get(event.call_id, event.name)
                return self._begin(("tool", event.call_id), event, "tool", words, event.call_id)
            case ev.ToolCallFinished():
                return self._finish(("tool", event.call_id), event.time, event.duration, note=event.outcome)
            case ev.PermissionRequested(request=request):
                words = f"{request.tool}: may it run?"
                return self._begin(("you", request.id), event, "you", words, request.call_id)
            case ev.PermissionResolved():
                return self._finish(("you", event.request_id), event.time, event.waited, note=event.reply.answer)
            case ev.QuestionAsked(request=request):
                words = request.title or (request.questions[0].question if request.questions else "a question")
                return self._begin(("you", request.id), event, "you", words, request.call_id)
            case ev.QuestionAnswered():
                return self._finish(("you", event.request_id), event.time, event.waited)
            case _:
                pass
        return None

    def _begin(
        self, key: tuple[str, str], event: ev.BaseEvent, lane: Lane, words: str, call_id: str = "", note: str = ""
    ) -> tuple[Span, bool]:
        span = Span(lane, words, event.turn, event.time, call_id=call_id, note=note, parent=event.parent)
        self._open[key] = span
        self.spans.setdefault(event.turn, []).append(span)
        return span, True

    def _finish(
        self, key: tuple[str, str], at: float, duration: float = 0.0, note: str = ""
    ) -> tuple[Span, bool] | None:
        span = self._open.pop(key, None)
        if span is None:
            return None
        span.end = min(at, span.start + duration) if duration else at
        span.note = note or span.note
        return span, False

    def _hook(self, event: ev.HookFired) -> tuple[Span, bool]:
        run = event.run
        words = f"{run.hook.point} {run.hook.name}"
        span = Span("hook", words, event.turn, run.started, run.started + run.duration, event.call_id, run.result)
        self.spans.setdefault(event.turn, []).append(span)
        return span, True

    def _close_all(self, at: float) -> None:
        for span in self._open.values():
            span.end = at
        self._open.clear()


class Scale:
    """Moments of some turns on one axis: the time between turns takes no place."""

    def __init__(self, turns: Sequence[TurnSpan], now: float) -> None:
        self._turns = turns
        self._offsets: list[float] = []
        self.whole = 0.0
        for turn in turns:
            self._offsets.append(self.whole)
            self.whole += turn.length(now)
        self._now = now
        self._by_turn = {turn.turn: number for number, turn in enumerate(turns)}

    @property
    def borders(self) -> list[float]:
        """Where turns begin, but for the first."""
        return self._offsets[1:]

    def has(self, span: Span) -> bool:
        """Whether the span's turn is on this axis."""
        return span.turn in self._by_turn

    def place(self, span: Span) -> tuple[float, float]:
        """Begin and end of a span in seconds from the left edge."""
        number = self._by_turn[span.turn]
        turn, offset = self._turns[number], self._offsets[number]
        most = turn.length(self._now)
        start = min(max(0.0, span.start - turn.start), most)
        end = min(max(start, (span.end or self._now) - turn.start), most)
        return offset + start, offset + end


def covered(places: Iterable[tuple[float, float]]) -> float:
    """Seconds covered by at least one of these stretches."""
    total = reached = 0.0
    for start, end in sorted(places):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def density(places: Iterable[tuple[float, float]], whole: float, cells: int) -> list[float]:
    """How much of each of `cells` equal stretches is covered, from 0 to 1; overlapping stretches count once."""
    shares = [0.0] * cells
    if whole <= 0:
        return shares
    step, reached = whole / cells, 0.0
    for start, end in sorted(places):
        first = min(cells - 1, int(start / step))
        shares[first] = max(shares[first], 1e-6)
        begin = max(start, reached)
        reached = max(reached, end)
        for cell in range(min(cells - 1, int(begin / step)), min(cells, int(end / step) + 1)):
            shares[cell] += max(0.0, min(end, (cell + 1) * step) - max(begin, cell * step)) / step
    return [min(1.0, share) for share in shares]
