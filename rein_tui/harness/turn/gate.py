"""The gate: all calls of one message, from asked for to answered.

Reading calls that stand next to one another run side by side, everything else runs alone, in call order. Every
call that was asked for is answered, also when the turn is interrupted in the middle.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from itertools import groupby
from typing import Literal

from ..protocol.base import JsonObject
from ..protocol.events import Event, ToolCallFinished, ToolCallRequested, ToolCallStarted, ToolOutputDelta
from ..protocol.messages import ParseTrace, ToolUseBlock
from ..protocol.ports import Emit
from .call import CallPassage
from .channel import told_by
from .interrupt import Interrupted
from .nested import NestedStories
from .parts import Parts
from .prepared import Prepared, prepare

SIDE_BY_SIDE = 8
"""How many calls of one message may run at once."""

_TAIL = 2000
_NOT_REACHED = "Not run: the person stopped the turn before this call."


class Gate:
    """Passes the calls of one message. After `run_calls`, `stop` says whether the turn must end and why."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._unanswered: dict[str, ToolUseBlock] = {}
        self._tails: dict[str, str] = {}
        self._started: set[str] = set()
        self._nested = NestedStories()
        self.stop: Literal["", "denied", "hook"] = ""
        self.stop_detail = ""
        self._order: list[str] = []
        self._answered: dict[str, JsonObject] = {}

    @property
    def answered(self) -> list[JsonObject]:
        """The calls that passed the gate, in the order of the message, as PostToolBatch hooks read them."""
        return [self._answered[call_id] for call_id in self._order if call_id in self._answered]

    async def run_calls(
        self, uses: Sequence[ToolUseBlock], step: int, parse: ParseTrace | None = None
    ) -> AsyncGenerator[Event]:
        """Request, decide, run and answer these calls. Raises Interrupted after every call is answered."""
        doubts = "; ".join(parse.doubts or parse.repairs) if parse is not None and parse.semantic else ""
        prepared = [prepare(use, self._parts, repaired=doubts) for use in uses]
        self._unanswered = {use.id: use for use in uses}
        self._order = [use.id for use in uses]
        for call in prepared:
            yield _requested(call, step)
        try:
            for batch in _batches(prepared):
                if self.stop:
                    break
                async with aclosing(self._run_batch(batch, prepared)) as events:
                    async for event in events:
                        self._note(event)
                        yield event
        except Interrupted:
            for event in self._nested.closing():
                yield event
            for use in list(self._unanswered.values()):
                yield self._interrupted(use)
            raise
        for use in list(self._unanswered.values()):
            del self._unanswered[use.id]
            yield ToolCallFinished(call_id=use.id, name=use.name, outcome="denied", content=_NOT_REACHED)

    async def _run_batch(self, batch: list[Prepared], everyone: list[Prepared]) -> AsyncGenerator[Event]:
        bound = asyncio.Semaphore(SIDE_BY_SIDE)

        async def one(call: Prepared, tell: Emit) -> None:
            async with bound:
                await self._pass(call, tell, everyone)

        async def work(tell: Emit) -> None:
            if len(batch) == 1:
                await one(batch[0], tell)
                return
            async with asyncio.TaskGroup() as group:
                for call in batch:
                    group.create_task(one(call, tell))

        async with aclosing(told_by(work, self._parts.interrupt)) as events:
            async for event in events:
                yield event

    async def _pass(self, call: Prepared, tell: Emit, everyone: list[Prepared]) -> None:
        if call.problem or call.tool is None:
            await tell(
                ToolCallFinished(call_id=call.use.id, name=call.use.name, outcome="invalid", content=call.problem)
            )
            return
        pending = [c.summary for c in everyone if c.use.id in self._unanswered and c is not call and not c.problem]
        passage = CallPassage(call, call.tool, self._parts, tell, pending)
        await passage.run()
        self._answered[call.use.id] = passage.record
        if passage.call.stop and not self.stop:
            self.stop, self.stop_detail = passage.call.stop, passage.call.stop_detail

    def _note(self, event: Event) -> None:
        if event.parent:
            self._nested.note(event)
            return
        if isinstance(event, ToolCallFinished):
            self._unanswered.pop(event.call_id, None)
            self._tails.pop(event.call_id, None)
        elif isinstance(event, ToolCallStarted):
            self._started.add(event.call_id)
        elif isinstance(event, ToolOutputDelta):
            self._tails[event.call_id] = (self._tails.get(event.call_id, "") + event.text)[-_TAIL:]

    def _interrupted(self, use: ToolUseBlock) -> ToolCallFinished:
        partly = use.id in self._started
        end = "before it was finished; it may have run partly." if partly else "before it began; it did not run."
        content = f"Interrupted by the person {end}"
        if tail := self._tails.get(use.id):
            content += f"\nIts last output:\n{tail}"
        self._unanswered.pop(use.id, None)
        return ToolCallFinished(call_id=use.id, name=use.name, outcome="interrupted", content=content)


def _requested(call: Prepared, step: int) -> ToolCallRequested:
    name = call.tool.name if call.tool is not None else call.use.name
    return ToolCallRequested(
        call_id=call.use.id,
        name=name,
        input=call.input,
        step=step,
        summary=call.summary,
        read_only=call.read_only,
    )


def _batches(calls: list[Prepared]) -> list[list[Prepared]]:
    """Neighbours that only read share a batch; every other call has its own."""
    batches: list[list[Prepared]] = []
    for read_only, group in groupby(calls, key=lambda c: c.read_only and not c.problem):
        members = list(group)
        batches += [members] if read_only else [[m] for m in members]
    return batches
