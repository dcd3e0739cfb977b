"""Work that tells events while it runs, as an async generator.

The generator's consumer sets the pace. A fact is handed over and acknowledged: `tell` returns when the consumer
has come back for more, so whoever told it knows that it is stored. Deltas go into a small buffer in which
neighbours are joined; when it is full, telling waits, so a fast model never starves the screen.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import msgspec

from ..protocol.events import DELTAS, Event, TextDelta, ThinkingDelta, ToolInputDelta, ToolOutputDelta
from ..protocol.ports import Emit
from .interrupt import Interrupt, Interrupted, is_cancelling

_BUFFER_CHARACTERS = 4096
_BUFFER_EVENTS = 64


class _Channel:
    """The hand-over between the work and the consumer; lives inside one `told_by`."""

    def __init__(self) -> None:
        self.queue: deque[tuple[Event, asyncio.Future[None] | None]] = deque()
        self._characters = 0
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()

    async def tell(self, event: Event) -> None:
        if not isinstance(event, DELTAS):
            acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.queue.append((event, acknowledged))
            self._arrived.set()
            await acknowledged
            return
        joined = _join(self.queue[-1][0], event) if self.queue else None
        if joined is None:
            self.queue.append((event, None))
        else:
            self.queue[-1] = (joined, None)
        self._characters += len(event.text) if isinstance(event, TextDelta | ThinkingDelta) else 32
        self._arrived.set()
        while self._characters > _BUFFER_CHARACTERS or len(self.queue) > _BUFFER_EVENTS:
            self._room.clear()
            await self._room.wait()

    def take(self) -> tuple[Event, asyncio.Future[None] | None]:
        item = self.queue.popleft()
        if not self.queue:
            self._characters = 0
            self._room.set()
        return item

    def wake(self, _: object = None) -> None:
        self._arrived.set()

    async def wait(self) -> None:
        await self._arrived.wait()
        self._arrived.clear()


def _join(last: Event, new: Event) -> Event | None:
    """Both as one delta, where that changes nothing; else None."""
    if type(last) is not type(new):
        return None
    if isinstance(last, TextDelta | ThinkingDelta) and isinstance(new, TextDelta | ThinkingDelta):
        return msgspec.structs.replace(last, text=last.text + new.text) if last.parent == new.parent else None
    if isinstance(last, ToolInputDelta | ToolOutputDelta) and isinstance(new, ToolInputDelta | ToolOutputDelta):
        return msgspec.structs.replace(last, text=last.text + new.text) if last.call_id == new.call_id else None
    return None


async def told_by(work: Callable[[Emit], Awaitable[Any]], interrupt: Interrupt) -> AsyncGenerator[Event]:
    """Run `work(tell)` and yield what it tells; ends with the work, raising what it raised.

    Raises Interrupted when the switch is thrown; the work has then been cancelled and has ended. Closing the
    generator early cancels the work too.
    """
    channel = _Channel()

    async def body() -> None:
        await work(channel.tell)

    task = interrupt.watch(asyncio.create_task(body()))
    task.add_done_callback(channel.wake)
    waiting: asyncio.Future[None] | None = None
    try:
        while True:
            while channel.queue:
                event, waiting = channel.take()
                yield event
                if waiting is not None and not waiting.done():
                    waiting.set_result(None)
            if task.done():
                break
            await channel.wait()
        await task
    except asyncio.CancelledError:
        if interrupt.is_set and not is_cancelling():
            raise Interrupted(interrupt.reason) from None
        raise
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait([task])
