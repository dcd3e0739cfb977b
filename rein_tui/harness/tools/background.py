"""Work that goes on while the turn does not wait for it: commands now, agents later."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from typing import Literal

from ..protocol.base import JsonObject
from ..protocol.events import BackgroundFinished, BackgroundStarted
from ..protocol.ports import Emit

_UNREAD = 256 * 1024
"""Bytes that wait to be asked for; of more, the first go."""

_TAIL = 2000

_ORDERLY = 5.0
"""Seconds that work has to end in order before it is cancelled."""

Status = Literal["running", "completed", "failed", "killed"]
Write = Callable[[bytes], Awaitable[None]]


class BackgroundTask:
    """One piece of work, what it said, and how it ended. `exit_code` is None while it runs or when it was killed."""

    def __init__(self, task_id: str, title: str, end: Callable[[], object] | None = None) -> None:
        self.id = task_id
        self.title = title
        self.end = end
        self.started = time.time()
        self.status: Status = "running"
        self.exit_code: int | None = None
        self.dropped = 0
        self._unread = bytearray()
        self._tail = bytearray()
        self.is_stopped = False
        self.listeners = 0
        self.finished = asyncio.Event()

    async def write(self, data: bytes) -> None:
        """Take output."""
        self._unread += data
        self._tail = (self._tail + data)[-_TAIL:]
        if (excess := len(self._unread) - _UNREAD) > 0:
            del self._unread[:excess]
            self.dropped += excess

    def read(self) -> str:
        """Output since the last read."""
        data, dropped = bytes(self._unread), self.dropped
        self._unread.clear()
        self.dropped = 0
        text = data.decode("utf-8", "replace")
        return f"[... {dropped:,} bytes left out ...]\n{text}" if dropped else text

    @property
    def tail(self) -> str:
        """The last output, read or not."""
        return bytes(self._tail).decode("utf-8", "replace")


class Background:
    """All work in the background of a session. `emit` tells when something ends, also between turns.

    `ended` hears of work that came to its end while the model did not wait for it.
    """

    def __init__(self, emit: Emit | None = None) -> None:
        self.emit = emit
        self.ended: Callable[[BackgroundTask], None] | None = None
        self._numbers = itertools.count(1)
        self._tasks: dict[str, BackgroundTask] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    def __iter__(self) -> "itertools.chain[BackgroundTask]":
        return itertools.chain(tuple(self._tasks.values()))

    def rows(self) -> list[JsonObject]:
        """What runs now, as Stop hooks are told."""
        return [
            {
                "id": task.id,
                "type": "shell" if task.id.startswith("shell_") else "subagent",
                "status": task.status,
                "description": task.title,
            }
            for task in self._tasks.values()
            if task.status == "running"
        ]

    def get(self, task_id: str) -> BackgroundTask | None:
        """The work of that id, running or ended."""
        return self._tasks.get(task_id)

    async def start(
        self,
        title: str,
        work: Callable[[Write], Awaitable[int | None]],
        emit: Emit,
        *,
        call_id: str = "",
        kind: Literal["command", "agent"] = "command",
        end: Callable[[], object] | None = None,
    ) -> BackgroundTask:
        """Start `work`; it gets a way to write output, gives its exit code, and is cancelled to end it.

        `end` asks it to end in order, in place of cancelling it.
        """
        prefix = "shell" if kind == "command" else kind
        task = BackgroundTask(f"{prefix}_{next(self._numbers)}", title, end)
        self._tasks[task.id] = task
        await emit(BackgroundStarted(task_id=task.id, title=title, call_id=call_id, kind=kind))
        self._running[task.id] = asyncio.create_task(self._follow(task, work))
        # A task that is cancelled before its first step would end without a word.
        await asyncio.sleep(0)
        return task

    async def _follow(self, task: BackgroundTask, work: Callable[[Write], Awaitable[int | None]]) -> None:
        try:
            task.exit_code = await work(task.write)
            task.status = "killed" if task.is_stopped else "completed" if task.exit_code == 0 else "failed"
        except OSError as error:
            await task.write(str(error).encode())
            task.status = "failed"
        except asyncio.CancelledError:
            task.status = "killed"
            raise
        finally:
            self._running.pop(task.id, None)
            task.finished.set()
            if self.emit is not None:
                status = "failed" if task.status == "running" else task.status
                await self.emit(
                    BackgroundFinished(task_id=task.id, exit_code=task.exit_code, status=status, tail=task.tail)
                )
            if self.ended is not None and task.status != "killed" and not task.listeners:
                self.ended(task)

    async def stop(self, task_id: str) -> bool:
        """End the work and wait until it is over; whether it was running."""
        running = self._running.get(task_id)
        if running is None:
            return False
        end = self._tasks[task_id].end
        if end is not None:
            self._tasks[task_id].is_stopped = True
            end()
            await asyncio.wait({running}, timeout=_ORDERLY)
        running.cancel()
        await asyncio.wait({running})
        return True

    async def close(self) -> None:
        """End everything."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        if running:
            await asyncio.gather(*running, return_exceptions=True)
