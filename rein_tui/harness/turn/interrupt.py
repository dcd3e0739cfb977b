"""Interrupting a turn: one switch, and work that stops when it is thrown.

The turn's own task is never cancelled, so its story always has an ending. Only work that was handed to
`guard` or `watch` is cancelled; CancelledError from outside (the app exits) passes through untouched.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Interrupted(Exception):
    """The person stopped the turn. Control flow inside the harness; it never leaves the session."""


class Interrupt:
    """The stop switch of one session."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self.reason: str | None = None

    @property
    def is_set(self) -> bool:
        """Whether the switch was thrown since the last reset."""
        return self.reason is not None

    def trigger(self, reason: str = "") -> None:
        """Throw the switch: cancel all watched work. A second throw adds nothing."""
        self.reason = reason if self.reason is None else self.reason
        for task in self._tasks:
            task.cancel()

    def reset(self) -> None:
        """Ready for the next turn."""
        self.reason = None

    def check(self) -> None:
        """Raise Interrupted if the switch was thrown."""
        if self.is_set:
            raise Interrupted(self.reason)

    def watch(self, task: "asyncio.Task[T]") -> "asyncio.Task[T]":
        """Cancel this task when the switch is thrown."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self.is_set:
            task.cancel()
        return task

    async def guard(self, work: Coroutine[Any, Any, T]) -> T:
        """Await the work; when the switch is thrown, the work is cancelled, has ended, and Interrupted is raised."""
        if self.is_set:
            work.close()
            raise Interrupted(self.reason)
        task = self.watch(asyncio.create_task(work))
        try:
            return await task
        except asyncio.CancelledError:
            if self.is_set and not is_cancelling():
                raise Interrupted(self.reason) from None
            raise


def is_cancelling() -> bool:
    """Whether the running task itself is being cancelled from outside."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
