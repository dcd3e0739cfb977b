"""A model server that plays scripts: one list of operations an HTTP request, the last one repeating.

Operations: head{status, headers}, send{data | b64}, send_repeat{data, times}, sleep{s}, stall{s}, reset, close,
refuse (the connection is reset before a byte is read), tls_error (what is not TLS answers an https client).
Bodies are delimited by the end of the connection unless the head says otherwise. Every request is kept.
"""

import asyncio
import base64
import json
import socket
import struct
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Op: TypeAlias = dict[str, Any]
Route: TypeAlias = Callable[["Seen"], Sequence[Op]]


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class ModelServer:
    """`url` is where it listens; `requests` what came, `connections` how often someone connected."""

    attempts: Sequence[Sequence[Op]]
    route: Route | None = None
    url: str = ""
    connections: int = 0
    closed_early: int = 0
    requests: list[Seen] = field(default_factory=list[Seen])
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = self.connections
        self.connections += 1
        try:
            script = self._script(number)
            if script and script[0]["op"] == "refuse":
                _reset(writer)
                return
            if script and script[0]["op"] == "tls_error":
                writer.write(b"HTTP/1.1 400 this is not TLS\r\n\r\n")
                return
            seen = await _read_request(reader)
            self.requests.append(seen)
            await self._play(self.route(seen) if self.route else script, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.closed_early += 1
        finally:
            writer.close()

    def _script(self, number: int) -> Sequence[Op]:
        return self.attempts[min(number, len(self.attempts) - 1)] if self.attempts else ()

    async def _play(self, script: Sequence[Op], writer: asyncio.StreamWriter) -> None:
        for op in script:
            match op["op"]:
                case "head":
                    writer.write(_head(op.get("status", 200), op.get("headers", {})))
                case "send":
                    writer.write(base64.b64decode(op["b64"]) if "b64" in op else op["data"].encode())
                case "send_repeat":
                    for _ in range(op["times"]):
                        writer.write(op["data"].encode())
                        await writer.drain()
                case "sleep":
                    await asyncio.sleep(op["s"])
                case "stall":
                    await writer.drain()
                    await self._stall(op["s"])
                case "reset":
                    await writer.drain()
                    _reset(writer)
                    return
                case "close":
                    break
                case other:
                    raise AssertionError(f"unknown operation {other}")
            await writer.drain()

    async def _stall(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self.released.wait()
        except TimeoutError:
            pass


def _head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in headers.items()), "connection: close"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _reset(writer: asyncio.StreamWriter) -> None:
    sock: socket.socket = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _read_request(reader: asyncio.StreamReader) -> Seen:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ", 2)
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Seen(method=method, path=path, headers=headers, body=body)


@asynccontextmanager
async def model_server(
    attempts: Sequence[Sequence[Op]] = (), route: Route | None = None
) -> AsyncGenerator[ModelServer]:
    """A running server on a free loopback port."""
    fake = ModelServer(attempts, route)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await fake.handle(reader, writer)
        finally:
            tasks.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    fake.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield fake
    finally:
        fake.released.set()
        server.close()
        if tasks:
            await asyncio.wait(tasks, timeout=5)


def sse(*events: dict[str, Any] | str) -> str:
    """Events in the wire form of the Messages API (named) or of Chat Completions (data only)."""
    lines: list[str] = []
    for event in events:
        if isinstance(event, str):
            lines.append(f"data: {event}\n\n")
        elif "type" in event:
            lines.append(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n")
        else:
            lines.append(f"data: {json.dumps(event)}\n\n")
    return "".join(lines)


def answer(data: str, kind: str = "text/event-stream", status: int = 200, **headers: str) -> list[Op]:
    """A whole scripted answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return [
        {"op": "head", "status": status, "headers": {"content-type": kind, **named}},
        {"op": "send", "data": data},
        {"op": "close"},
    ]
