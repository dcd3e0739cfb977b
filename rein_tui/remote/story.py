"""A session's story with numbers, kept once for all who follow it.

Followers pull: each has its place in the story and takes what comes after, so a slow one holds back nobody and
costs nothing. Facts are kept; deltas only until the fact that makes them void. Who is late misses some animation
and no fact.
"""

import asyncio
import uuid
from bisect import bisect_right
from collections.abc import AsyncGenerator, Callable, Iterable
from heapq import merge
from itertools import islice

from msgspec import structs

from rein_tui.harness.protocol.events import (
    DELTAS,
    TURN_ENDS,
    Delta,
    Event,
    Fact,
    HookFired,
    HookStarted,
    MessageFinished,
    ProgressDelta,
    RequestRetried,
    TextDelta,
    ThinkingDelta,
    ToolCallFinished,
    ToolInputDelta,
    ToolOutputDelta,
)

from .wire import Envelope

LARGEST_PART = 256
"""Events in one part."""
MOST_OPEN_TEXT = 1024 * 1024
"""Characters of open deltas that are kept; beyond that the oldest go."""


class Story:
    """Everything told in one session, numbered from 1. `listeners` are called after every event."""

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        self.epoch = uuid.uuid4().hex
        self.listeners: set[Callable[[], None]] = set()
        self._facts = [Envelope(seq=number, event=fact) for number, fact in enumerate(facts, 1)]
        self._deltas: list[Envelope] = []
        self._open_text = 0
        self.last = len(self._facts)

    def tell(self, event: Event) -> int:
        """Add an event; returns its number."""
        self.last += 1
        envelope = Envelope(seq=self.last, event=event)
        if isinstance(event, DELTAS):
            self._deltas.append(envelope)
            self._open_text += _size(event)
            if self._open_text > MOST_OPEN_TEXT:
                self._keep(self._deltas[len(self._deltas) // 2 :])
        else:
            self._facts.append(envelope)
            if self._deltas:
                self._settle(event)
        for listener in tuple(self.listeners):
            listener()
        return self.last

    def facts(self) -> list[Fact]:
        """All facts so far."""
        return [envelope.event for envelope in self._facts if not isinstance(envelope.event, DELTAS)]

    def after(self, seq: int, limit: int = LARGEST_PART) -> list[Envelope]:
        """The next events after this number, neighbouring deltas joined; empty when there are none."""
        facts = islice(self._facts, bisect_right(self._facts, seq, key=_number), None)
        if not self._deltas:
            return list(islice(facts, limit))
        deltas = islice(self._deltas, bisect_right(self._deltas, seq, key=_number), None)
        return _joined(islice(merge(facts, deltas, key=_number), limit))

    async def follow(self, after: int) -> AsyncGenerator[Event]:
        """All events after this number, those to come included; without end."""
        moved = asyncio.Event()
        self.listeners.add(moved.set)
        try:
            while True:
                moved.clear()
                part = self.after(after)
                for envelope in part:
                    after = envelope.seq
                    yield envelope.event
                if not part:
                    await moved.wait()
        finally:
            self.listeners.discard(moved.set)

    def _settle(self, fact: Fact) -> None:
        """Forget the deltas that this fact makes void."""
        match fact:
            case MessageFinished() | RequestRetried():
                self._keep(
                    e
                    for e in self._deltas
                    if e.event.parent != fact.parent
                    or not isinstance(e.event, TextDelta | ThinkingDelta | ToolInputDelta)
                )
            case ToolCallFinished(call_id=call_id):
                self._keep(e for e in self._deltas if getattr(e.event, "call_id", None) != call_id)
            case HookFired(run=run):
                self._keep(
                    e for e in self._deltas if not (isinstance(e.event, HookStarted) and e.event.run_id == run.id)
                )
            case _ if isinstance(fact, TURN_ENDS) and not fact.parent:
                self._keep(())
            case _:
                pass

    def _keep(self, deltas: Iterable[Envelope]) -> None:
        self._deltas = list(deltas)
        self._open_text = sum(_size(e.event) for e in self._deltas if isinstance(e.event, DELTAS))


def _number(envelope: Envelope) -> int:
    return envelope.seq


def _size(delta: Delta) -> int:
    match delta:
        case HookStarted() | ProgressDelta():
            return 64
        case _:
            return 64 + len(delta.text)


def _joined(envelopes: Iterable[Envelope]) -> list[Envelope]:
    """Neighbouring pieces of one text as one piece, with the number of the last."""
    joined: list[Envelope] = []
    pieces: list[str] = []
    for envelope in envelopes:
        if joined and _continues(joined[-1].event, envelope.event):
            pieces.append(_text(envelope.event))
            joined[-1] = structs.replace(joined[-1], seq=envelope.seq)
            continue
        _close(joined, pieces)
        joined.append(envelope)
        pieces = [_text(envelope.event)]
    _close(joined, pieces)
    return joined


def _close(joined: list[Envelope], pieces: list[str]) -> None:
    if len(pieces) > 1:
        joined[-1] = structs.replace(joined[-1], event=structs.replace(joined[-1].event, text="".join(pieces)))


def _text(event: Event) -> str:
    return event.text if isinstance(event, TextDelta | ThinkingDelta | ToolInputDelta | ToolOutputDelta) else ""


def _continues(one: Event, next_one: Event) -> bool:
    if type(one) is not type(next_one) or one.parent != next_one.parent or one.turn != next_one.turn:
        return False
    match one:
        case TextDelta() | ThinkingDelta():
            return True
        case ToolInputDelta() | ToolOutputDelta():
            return one.call_id == getattr(next_one, "call_id", "")
        case _:
            return False
