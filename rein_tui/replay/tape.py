"""A recorded session laid out in time: where each fact stands, where a step, a call or a turn begins.

Pure arithmetic; nothing here plays. A position is the number of facts that were told.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal, TypeAlias

import msgspec

from rein_tui.harness.protocol.decisions import PermissionReply, PermissionRequest, QuestionReply, QuestionRequest
from rein_tui.harness.protocol.displays import CommandDisplay
from rein_tui.harness.protocol.events import (
    TURN_ENDS,
    ContextPrepared,
    Delta,
    Fact,
    GrantAdded,
    HooksSkipped,
    MessageFinished,
    PermissionDecided,
    PermissionRequested,
    PermissionResolved,
    QuestionAnswered,
    QuestionAsked,
    StepFinished,
    StepStarted,
    TextDelta,
    ThinkingDelta,
    TitleChanged,
    ToolCallFinished,
    ToolCallRequested,
    ToolInputDelta,
    ToolOutputDelta,
    TurnStarted,
)
from rein_tui.harness.protocol.messages import TextBlock, ThinkingBlock, ToolUseBlock

LONGEST = 4.0
"""Seconds that any wait takes at most, at normal speed."""
FASTEST = 800.0
"""Characters a second that a message takes at least to read, where its recording says nothing about time."""
FRAME = 1 / 25
"""Seconds between two pieces of a message."""
TICK = 0.2
"""Seconds between two moves of the clock while nothing happens."""
LAST = 1e-6

_QUIET = (
    StepStarted,
    StepFinished,
    ContextPrepared,
    HooksSkipped,
    PermissionDecided,
    GrantAdded,
    TitleChanged,
)
"""Facts that a step passes over: by themselves they change little on the screen."""

MarkKind: TypeAlias = Literal["turn", "call", "asked", "bad"]


@dataclass(frozen=True, slots=True)
class Mark:
    """A place worth jumping to: the position just before it, and what is there."""

    position: int
    kind: MarkKind


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that is open at some position, with the answer that was given to it later, if any."""

    request: PermissionRequest | QuestionRequest
    reply: PermissionReply | QuestionReply | None
    waited: float = 0.0


@dataclass(frozen=True)
class Tape:
    """The facts of a session, oldest first."""

    facts: tuple[Fact, ...]

    @cached_property
    def times(self) -> tuple[float, ...]:
        """For each position the seconds of playing until there, at normal speed; one more than there are facts."""
        sums = [0.0]
        for number in range(len(self.facts)):
            sums.append(sums[-1] + self.wait(number))
        return tuple(sums)

    @property
    def length(self) -> float:
        """Seconds that the whole takes at normal speed."""
        return self.times[-1]

    def wait(self, number: int) -> float:
        """Seconds between this fact and the one before, long waits cut and prose given time to be read."""
        fact = self.facts[number]
        gap = fact.time - self.facts[number - 1].time if number else 0.0
        gap = gap if math.isfinite(gap) else 0.0
        least = len(fact.message.text) / FASTEST if isinstance(fact, MessageFinished) else 0.0
        return min(max(gap, least, 0.0), LONGEST)

    def position_at(self, seconds: float) -> int:
        """The position after so many seconds of playing."""
        return min(len(self.facts), max(0, bisect_right(self.times, seconds + LAST) - 1))

    def clock_at(self, position: int, share: float = 0.0) -> float:
        """The recorded time (epoch seconds) at a position, `share` (0 to 1) of the way to the next fact."""
        if not self.facts:
            return 0.0
        now = self.facts[max(0, position - 1)].time
        later = self.facts[position].time if position < len(self.facts) else now
        return now + max(0.0, later - now) * share

    # --- places to go to ------------------------------------------------------------------------------------

    @cached_property
    def marks(self) -> tuple[Mark, ...]:
        """Turns, calls, questions and what went wrong, in order."""
        return tuple(Mark(number, kind) for number, fact in enumerate(self.facts) if (kind := _kind_of(fact)))

    def next_step(self, position: int) -> int:
        """The position after the next fact that shows."""
        while position < len(self.facts):
            position += 1
            if not isinstance(self.facts[position - 1], _QUIET):
                break
        return position

    def previous_step(self, position: int) -> int:
        """The position before the last fact that shows."""
        while position > 0:
            position -= 1
            if not isinstance(self.facts[position], _QUIET):
                break
        return position

    def next_call(self, position: int) -> int:
        """Just after the next call was requested, or the end."""
        return next((n for n in self._after(ToolCallRequested) if n > position), len(self.facts))

    def previous_call(self, position: int) -> int:
        """Just after the call before was requested, or the start."""
        return next((n for n in reversed(self._after(ToolCallRequested)) if n < position), 0)

    def next_turn(self, position: int) -> int:
        """Just after the next turn began, or the end."""
        return next((n for n in self._after(TurnStarted) if n > position), len(self.facts))

    def previous_turn(self, position: int) -> int:
        """Just after this turn began, or the one before, or the start."""
        return next((n for n in reversed(self._after(TurnStarted)) if n < position), 0)

    def _after(self, kind: type[Fact]) -> Sequence[int]:
        return [n for n, fact in enumerate(self.facts, 1) if isinstance(fact, kind)]

    def turn_at(self, position: int) -> int:
        """How many turns began so far."""
        return bisect_left(self._turns, position)

    @cached_property
    def _turns(self) -> list[int]:
        return [n for n, fact in enumerate(self.facts) if isinstance(fact, TurnStarted)]

    @property
    def turns(self) -> int:
        """How many turns there are."""
        return len(self._turns)

    # --- questions ------------------------------------------------------------------------------------------

    def asked_at(self, position: int) -> Asked | None:
        """The oldest question that is open here, with the answer that it will get."""
        waiting: dict[str, PermissionRequest | QuestionRequest] = {}
        for fact in self.facts[self._turns[self.turn_at(position) - 1] if self.turn_at(position) else 0 : position]:
            match fact:
                case PermissionRequested() | QuestionAsked():
                    waiting[fact.request.id] = fact.request
                case PermissionResolved() | QuestionAnswered():
                    waiting.pop(fact.request_id, None)
                case ToolCallFinished():
                    waiting = {name: asked for name, asked in waiting.items() if asked.call_id != fact.call_id}
                case _ if isinstance(fact, TURN_ENDS):
                    waiting.clear()
                case _:
                    pass
        request = next(iter(waiting.values()), None)
        return None if request is None else self._answered(request, position)

    def _answered(self, request: PermissionRequest | QuestionRequest, position: int) -> Asked:
        for fact in self.facts[position:]:
            if isinstance(fact, PermissionResolved | QuestionAnswered) and fact.request_id == request.id:
                return Asked(request, fact.reply, fact.waited)
            if isinstance(fact, TURN_ENDS):
                break
        return Asked(request, None)


def _kind_of(fact: Fact) -> MarkKind | None:
    match fact:
        case TurnStarted():
            return "turn"
        case ToolCallRequested():
            return "call"
        case PermissionRequested() | QuestionAsked():
            return "asked"
        case ToolCallFinished() if fact.is_error:
            return "bad"
        case _:
            return None


# --- what was forgotten -------------------------------------------------------------------------------------


def deltas_of(fact: Fact, seconds: float) -> list[Delta]:
    """Deltas that lead up to a message or to a command's output, as many as `seconds` have room for.

    The recording holds facts only; how the text came in pieces is made up, what came is not.
    """
    room = max(1, round(seconds / FRAME))
    match fact:
        case MessageFinished():
            return _message_deltas(fact, room)
        case ToolCallFinished(display=CommandDisplay(output=output)) if output:
            pieces = _pieces(output, min(room, 1 + output.count("\n")))
            return [_placed(ToolOutputDelta(call_id=fact.call_id, text=text), fact) for text in pieces]
        case _:
            return []


def _message_deltas(fact: MessageFinished, room: int) -> list[Delta]:
    texts: list[tuple[Delta, str]] = []
    for block in fact.message.blocks:
        match block:
            case ThinkingBlock():
                texts.append((ThinkingDelta(text=""), block.thinking))
            case TextBlock():
                texts.append((TextDelta(text=""), block.text))
            case ToolUseBlock():
                written = msgspec.json.encode(block.input).decode()
                texts.append((ToolInputDelta(call_id=block.id, name=block.name, text=""), written))
            case _:
                pass
    total = sum(len(text) for _, text in texts) or 1
    return [
        _placed(delta, fact, text=piece)
        for delta, text in texts
        for piece in _pieces(text, math.ceil(room * len(text) / total))
    ]


def _placed(delta: Delta, fact: Fact, **changes: str) -> Delta:
    return msgspec.structs.replace(delta, time=fact.time, turn=fact.turn, parent=fact.parent, **changes)


def _pieces(text: str, count: int) -> list[str]:
    """The text in about `count` pieces of like length; joined they are the text."""
    count = max(1, min(count, len(text)))
    cuts = [round(len(text) * number / count) for number in range(count + 1)]
    return [text[start:end] for start, end in pairwise(cuts) if end > start]
