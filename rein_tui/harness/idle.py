"""Telling Notification hooks that the session has been waiting for the person for a while."""

import asyncio
import contextlib

from .protocol.hooks import HookCall
from .protocol.ports import Emit
from .turn.moments import fire
from .turn.parts import Parts

IDLE_AFTER = 60.0
"""Seconds after a turn's end."""


class IdleNotice:
    """A clock between turns. `tell` takes the facts of the hooks that it fires."""

    def __init__(self, parts: Parts, tell: Emit, seconds: float = IDLE_AFTER) -> None:
        self._parts, self._tell, self._seconds = parts, tell, seconds
        self._waiting: asyncio.Task[None] | None = None

    def start(self) -> None:
        """A turn is over; nothing happens where nobody is there or no hook wants to know."""
        if self._parts.interactive and self._parts.hooks.has("Notification"):
            self._waiting = asyncio.create_task(self._wait())

    async def stop(self) -> None:
        """The person is back, or gone."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await waiting

    async def _wait(self) -> None:
        await asyncio.sleep(self._seconds)
        payload = {
            "message": "rein-tui is waiting for your input",
            "title": "Waiting for you",
            "notification_type": "idle_prompt",
        }
        await fire(self._parts, HookCall(point="Notification", subject="idle_prompt", payload=payload), self._tell)
