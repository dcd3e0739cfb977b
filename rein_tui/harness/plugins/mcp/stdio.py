"""A server as a child process: messages over its pipes, everything else it does kept away from us.

The SDK's own transport reads lines of any length, logs what is no message, and leaves standard error to the
terminal; this one bounds, counts and keeps. Every server has its own session, and goes with all that it started.
"""

import asyncio
import codecs
import secrets
import subprocess
import sys
import time
from asyncio.subprocess import Process, SubprocessStreamProtocol
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from ...processes.descendants import Signal, signal_tree, still_alive
from ...processes.process import MARKER
from .flood import Flood
from .log import ServerLog

if TYPE_CHECKING:
    from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
    from mcp.shared.message import SessionMessage

FRAME = 16 * 1024 * 1024
"""Bytes of one message at most."""

GARBAGE = 64 * 1024 * 1024
"""Bytes that are no messages before a server is given up."""

_PIECE = 64 * 1024
_LINGER = 0.5
"""Seconds between the end of its output and its own end."""

_CLOSING = 0.5
"""Seconds that a server has to end by itself once its standard input is closed: people wait for this."""

_PATIENCE = 2.0
"""Seconds between SIGTERM and SIGKILL."""


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start a server. `environment` is all that it gets."""

    argv: Sequence[str]
    cwd: str
    environment: Mapping[str, str]


@asynccontextmanager
async def stdio_transport(
    launch: Launch, log: ServerLog, ended: Callable[[str], None]
) -> AsyncGenerator[tuple[Any, Any]]:
    """A running server as the two streams of an SDK transport. `ended` is told when and how its output ended.

    Raises OSError when it cannot be started.
    """
    import anyio
    from mcp.shared.message import SessionMessage

    child = _Child(launch, log)
    await child.start()
    to_session, read_stream = anyio.create_memory_object_stream["SessionMessage | Exception"](0)
    write_stream, from_session = anyio.create_memory_object_stream[SessionMessage](0)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(child.read_messages, to_session, ended)
        tasks.start_soon(child.write_messages, from_session)
        tasks.start_soon(child.read_log)
        try:
            yield read_stream, write_stream
        finally:
            with anyio.CancelScope(shield=True):
                read_stream.close()
                write_stream.close()
                await child.stop()
                to_session.close()
                from_session.close()
            tasks.cancel_scope.cancel()


class _Pipes(SubprocessStreamProtocol):
    """The child's pipes, and its exit apart from theirs: a grandchild may hold them for ever."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(limit=2 * _PIECE, loop=loop)
        self.exited = asyncio.Event()

    def process_exited(self) -> None:
        super().process_exited()
        self.exited.set()


class _Child:
    def __init__(self, launch: Launch, log: ServerLog) -> None:
        self._launch = launch
        self._log = log
        self._mark = secrets.token_hex(12)
        self._transport: asyncio.SubprocessTransport
        self._pipes: _Pipes
        self._process: Process
        self._flood = Flood()
        self._wasted = 0

    async def start(self) -> None:
        """Start it. Raises OSError."""
        loop = asyncio.get_running_loop()
        self._transport, self._pipes = await loop.subprocess_exec(
            lambda: _Pipes(loop),
            *self._launch.argv,
            cwd=self._launch.cwd,
            env={**self._launch.environment, MARKER: self._mark},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=sys.platform != "win32",
        )
        self._process = Process(self._transport, self._pipes, loop)

    # --- messages -------------------------------------------------------------------------------------------

    async def read_messages(
        self, to_session: "MemoryObjectSendStream[SessionMessage | Exception]", ended: Callable[[str], None]
    ) -> None:
        """Hand messages on until the output ends; what is none is counted and thrown away."""
        import anyio

        output = self._process.stdout
        assert output is not None
        reason = ""
        async with to_session:
            try:
                buffer = bytearray()
                while piece := await output.read(_PIECE):
                    buffer += piece
                    *lines, rest = buffer.split(b"\n") if b"\n" in piece else [buffer]
                    buffer = rest
                    for line in lines:
                        await self._hand_on(bytes(line), to_session)
                    if len(buffer) > FRAME or self._wasted > GARBAGE:
                        reason = "It printed too much that was no message."
                        break
            except (anyio.ClosedResourceError, anyio.BrokenResourceError):
                return  # the session has gone
            # Before the stream closes, so that whoever sees it closed can say why.
            ended(reason or await self._how_it_ended())

    async def _hand_on(self, line: bytes, to_session: "MemoryObjectSendStream[SessionMessage | Exception]") -> None:
        from mcp.shared.message import SessionMessage
        from mcp.types import jsonrpc_message_adapter

        if not line.strip():
            return
        try:
            kind = msgspec.json.decode(line, type=_Kind)
            pause = self._flood.admit(kind.id is msgspec.UNSET)
            if pause is not None:
                self._log.dropped += 1
                await asyncio.sleep(pause)
                return
            message = jsonrpc_message_adapter.validate_json(line, by_name=False)
        except (msgspec.DecodeError, ValueError):
            self._log.garbage += 1
            self._wasted += len(line)
            if self._log.garbage <= 20:
                self._log.add(f"[no message] {line[:500].decode(errors='replace')}")
            await asyncio.sleep(0)
            return
        await to_session.send(SessionMessage(message))

    async def _how_it_ended(self) -> str:
        try:
            async with asyncio.timeout(_LINGER):
                code = await self._exit()
        except TimeoutError:
            return "It closed its output."
        words = f": {self._log.last_words}" if self._log.last_words else ""
        return f"It was killed by signal {-code}{words}" if code < 0 else f"It ended with exit code {code}{words}"

    async def write_messages(self, from_session: "MemoryObjectReceiveStream[SessionMessage]") -> None:
        """Write the session's messages; a server that does not read them makes the session wait, nobody else."""
        pipe = self._process.stdin
        assert pipe is not None
        with suppress(ConnectionError, OSError, RuntimeError):
            async with from_session:
                async for message in from_session:
                    text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
                    pipe.write(text.encode() + b"\n")
                    await pipe.drain()

    async def read_log(self) -> None:
        """Keep the tail of standard error."""
        errors = self._process.stderr
        assert errors is not None
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while piece := await errors.read(_PIECE):
            self._log.feed(decoder.decode(piece))

    # --- the end --------------------------------------------------------------------------------------------

    async def _exit(self) -> int:
        await self._pipes.exited.wait()
        return self._transport.get_returncode() or 0

    async def stop(self) -> None:
        """Close its input, wait, then end it and everything that it started."""
        marker = f"{MARKER}={self._mark}"
        if self._process.stdin is not None:
            self._process.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSING):
                await self._exit()
        alive = signal_tree(self._transport.get_pid(), marker, Signal.TERM)
        deadline = time.monotonic() + _PATIENCE
        while alive and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
            alive = still_alive(alive)
        for _ in range(50):
            if not signal_tree(self._transport.get_pid(), marker, Signal.KILL):
                break
            await asyncio.sleep(0.01)
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await self._exit()
        self._transport.close()


class _Kind(msgspec.Struct):
    """The little that tells a message from garbage and a notification from an answer, without decoding the rest."""

    jsonrpc: str
    id: Any = msgspec.UNSET
