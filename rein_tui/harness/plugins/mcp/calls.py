"""Calls that run at one server: how long nothing was heard of each, and in which one a server's question belongs."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ...protocol.events import ProgressDelta
from ...protocol.ports import Emit

_BETWEEN = 0.05
"""Seconds between two told pieces of progress."""


@dataclass(slots=True, eq=False)
class Call:
    """One call. `emit` tells inside it; `heard` is when the server last showed that it works on it."""

    call_id: str = ""
    emit: Emit | None = None
    heard: float = 0.0
    touched: Callable[[], None] = lambda: None
    _told: float = 0.0

    async def progress(self, progress: float, total: float | None, message: str | None) -> None:
        """The server tells how far it is; told on, but not as fast as it likes."""
        self.touched()
        if self.emit is None or (self.heard - self._told < _BETWEEN and progress != total):
            return
        self._told = self.heard
        await self.emit(
            ProgressDelta(call_id=self.call_id, done=progress, total=total or 0.0, text=(message or "")[:500])
        )


class Calls:
    """Running calls. A call of which nothing is heard for `idle` seconds raises TimeoutError, unless a person is
    being asked meanwhile."""

    def __init__(self, idle: float) -> None:
        self._idle = idle
        self._running: dict[Call, asyncio.Timeout] = {}
        self._held = 0

    def latest(self) -> tuple[str, Emit | None]:
        """Where a question of the server belongs: in the call that began last."""
        for call in reversed(self._running):
            return call.call_id, call.emit
        return "", None

    def hold(self, held: bool) -> None:
        """A person is asked, or no longer."""
        self._held += 1 if held else -1
        for call, limit in self._running.items():
            self._rearm(call, limit)

    @asynccontextmanager
    async def running(self, call: Call) -> AsyncGenerator[None]:
        """Around one call. Raises TimeoutError."""
        async with asyncio.timeout(None) as limit:
            self._running[call] = limit
            call.touched = lambda: self._rearm(call, limit)
            self._rearm(call, limit)
            try:
                yield
            finally:
                del self._running[call]

    def _rearm(self, call: Call, limit: asyncio.Timeout) -> None:
        call.heard = time.monotonic()
        if not limit.expired():
            limit.reschedule(None if self._held else asyncio.get_running_loop().time() + self._idle)
