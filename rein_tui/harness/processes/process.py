"""Running other programs so that nothing is left behind, nothing hangs and nothing floods the memory.

Every child gets its own session and a marker in its environment. When it has to go, its group goes, and so does
whatever escaped the group (setsid, double fork) and still carries the marker. Knows nothing of tools or hooks.
"""

import asyncio
import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from .capture import Capture, OutputLimits
from .descendants import Signal, reap_orphans, signal_tree, still_alive
from .environment import child_environment, hide_from_children, set_child_subreaper
from .spawning import filled_pipe, session_leader, watch_by_kernel

__all__ = [
    "MARKER",
    "Finished",
    "OutputLimits",
    "child_environment",
    "exit_reason",
    "hide_from_children",
    "run_process",
    "set_child_subreaper",
    "uninterrupted",
]

MARKER = "REIN_TUI_RUN"
"""The environment variable by which descendants of one run are found again."""

GRACE = 2.0
"""Seconds between SIGTERM and SIGKILL."""

DRAIN = 0.5
"""Seconds that a finished child's pipes may stay open: a daemon may hold them for ever."""

_BACKLOG = 256 * 1024
"""Bytes that may wait for `on_output` before reading pauses."""

DEFAULT_LIMITS = OutputLimits()

T = TypeVar("T")
OnOutput = Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Finished:
    """How a child ended. `exit_code` is None when a signal ended it (then `signal` is its number).

    `dropped` counts the bytes left out of `stdout` and `stderr`, each marked where they are missing; `spool` is
    the file that holds standard output whole, if it did not fit. `overflowed`: stopped for printing too much.
    `duration` is in seconds.
    """

    exit_code: int | None
    stdout: bytes
    stderr: bytes
    timed_out: bool = False
    signal: int = 0
    dropped: int = 0
    duration: float = 0.0
    spool: Path | None = None
    overflowed: bool = False


async def run_process(
    argv: Sequence[str],
    *,
    cwd: str | Path,
    env: Mapping[str, str],
    stdin: bytes | None = None,
    timeout: float | None = None,  # noqa: ASYNC109 - the whole tree has to be ended, which a caller's timeout cannot
    limits: OutputLimits = DEFAULT_LIMITS,
    on_output: OnOutput | None = None,
    merge_stderr: bool = False,
    spool_folder: Path | None = None,
) -> Finished:
    """Run one program to its end. Raises OSError when it cannot start.

    On timeout, cancellation (re-raised) and overflow the whole tree gets SIGTERM, and SIGKILL two seconds later.
    `on_output` gets standard output as it comes; while it is busy, output waits, and then the child does.
    """
    mark = secrets.token_hex(12)
    marker = f"{MARKER}={mark}"
    child = _Child(limits, on_output is not None, spool_folder)
    started = time.monotonic()
    pump: asyncio.Task[None] | None = None
    try:
        await uninterrupted(child.start(argv, str(cwd), {**env, MARKER: mark}, merge_stderr, stdin))
        if on_output is not None:
            pump = asyncio.create_task(child.pump(on_output))
        timed_out = not await child.wait(timeout, pump)
        if timed_out or child.overflowed:
            await uninterrupted(child.stop(marker))
        await child.drain()
        if pump is not None:
            await pump
        return child.result(time.monotonic() - started, timed_out)
    except BaseException:
        if pump is not None:
            pump.cancel()
        if child.pid:
            await uninterrupted(child.stop(marker))
        raise
    finally:
        child.close()
        reap_orphans()


async def uninterrupted(work: Awaitable[T]) -> T:
    """Await `work` to its end, also when this task is cancelled meanwhile; the cancellation comes afterwards."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        if not task.cancelled():
            task.exception()
        raise cancelled
    return task.result()


class _Child(asyncio.SubprocessProtocol):
    """One child: its pipes, what it printed, and its end."""

    def __init__(self, limits: OutputLimits, streams: bool, folder: Path | None) -> None:
        self._limits = limits
        self._captures = {1: Capture(limits, folder), 2: Capture(limits, None)}
        self._streams = streams
        self._pending = bytearray()
        self._more = asyncio.Event()
        self._open: set[int] = set()
        self._changed = asyncio.Event()
        self._transport: asyncio.SubprocessTransport | None = None
        self._exited = asyncio.Event()
        self._drained = False
        self.pid = 0
        self.overflowed = False

    async def start(self, argv: Sequence[str], cwd: str, env: dict[str, str], merge: bool, stdin: bytes | None) -> None:
        """Start it. Raises OSError."""
        self._open = {1} if merge else {1, 2}
        watch_by_kernel()
        leader = session_leader(argv, env)
        source = subprocess.DEVNULL if stdin is None else filled_pipe(stdin)
        try:
            transport, _ = await asyncio.get_running_loop().subprocess_exec(
                lambda: self,
                *leader,
                *argv,
                cwd=cwd,
                env=env,
                stdin=subprocess.PIPE if source is None else source,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT if merge else subprocess.PIPE,
                start_new_session=not leader and sys.platform != "win32",
            )
        finally:
            if source is not None and source >= 0:
                os.close(source)
        self._transport, self.pid = transport, transport.get_pid()
        pipe = transport.get_pipe_transport(0)
        if stdin is not None and isinstance(pipe, asyncio.WriteTransport):
            pipe.write(stdin)  # never waited for: a child that does not read cannot hang us
            pipe.close()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Keep output; pause reading while too much waits for `on_output`."""
        if self.overflowed:
            return
        self._captures[fd].add(data)
        if fd == 1 and self._streams:
            self._pending += data
            self._more.set()
            if len(self._pending) > _BACKLOG:
                self._reading(False)
        if sum(c.total for c in self._captures.values()) > self._limits.spool:
            self.overflowed = True
            self._changed.set()

    def _reading(self, on: bool) -> None:
        pipe = self._transport.get_pipe_transport(1) if self._transport else None
        if isinstance(pipe, asyncio.ReadTransport) and not pipe.is_closing():
            pipe.resume_reading() if on else pipe.pause_reading()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """A pipe is at its end."""
        self._open.discard(fd)
        self._changed.set()
        self._more.set()

    def process_exited(self) -> None:
        """The child itself is over; its pipes may still be held by its children."""
        self._exited.set()
        self._changed.set()

    async def pump(self, on_output: OnOutput) -> None:
        """Hand output on until there is none left to come."""
        while True:
            await self._more.wait()
            self._more.clear()
            while self._pending:
                data = bytes(self._pending)
                self._pending.clear()
                self._reading(True)
                await on_output(data)
            if self._drained or 1 not in self._open:
                return

    async def wait(self, seconds: float | None, pump: asyncio.Task[None] | None) -> bool:
        """Wait for the exit or an overflow; false when the time was up first. Raises what `on_output` raised."""
        try:
            async with asyncio.timeout(seconds):
                while not (self._exited.is_set() or self.overflowed):
                    self._changed.clear()
                    if pump is not None and pump.done():
                        pump.result()
                        pump = None
                    change = asyncio.ensure_future(self._changed.wait())
                    try:
                        await asyncio.wait({change, pump} if pump else {change}, return_when=asyncio.FIRST_COMPLETED)
                    finally:
                        change.cancel()
        except TimeoutError:
            if pump is not None and pump.done():
                pump.result()
            return False
        return True

    async def drain(self) -> None:
        """Take what is still in the pipes, but wait for their end no longer than DRAIN seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN):
                while self._open and not self.overflowed:
                    self._changed.clear()
                    await self._changed.wait()
        self._drained = True
        self._more.set()

    async def stop(self, marker: str) -> None:
        """End the whole tree: politely, then not."""
        alive = signal_tree(self.pid, marker, Signal.TERM)
        deadline = time.monotonic() + GRACE
        while alive and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
            alive = still_alive(alive) or signal_tree(self.pid, marker, Signal.NONE)
        for _ in range(20):
            if not signal_tree(self.pid, marker, Signal.KILL):
                break
            await asyncio.sleep(0.01)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._exited.wait(), GRACE)

    def result(self, duration: float, timed_out: bool) -> Finished:
        """How it ended."""
        code = self._transport.get_returncode() if self._transport else None
        out, err = self._captures[1], self._captures[2]
        return Finished(
            exit_code=code if code is not None and code >= 0 else None,
            stdout=out.kept,
            stderr=err.kept,
            timed_out=timed_out,
            signal=-code if code is not None and code < 0 else 0,
            dropped=out.dropped + err.dropped,
            duration=duration,
            spool=out.spool,
            overflowed=self.overflowed,
        )

    def close(self) -> None:
        """Let go of pipes and files."""
        if self._transport is not None:
            self._transport.close()
        for capture in self._captures.values():
            capture.close()


def exit_reason(finished: Finished) -> str:
    """How a child ended, in words for a person or a model: `exit code 3`, `killed by SIGKILL`, `timed out`."""
    if finished.timed_out:
        return f"timed out after {finished.duration:.3g} s"
    if finished.overflowed:
        return "stopped for printing too much"
    if finished.signal:
        try:
            return f"killed by {signal.Signals(finished.signal).name}"
        except ValueError:
            return f"killed by signal {finished.signal}"
    return f"exit code {finished.exit_code}"
