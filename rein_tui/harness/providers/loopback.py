"""HTTP/1.1 to a server on this machine, in the clear, over asyncio's streams.

Model servers stream a chunk a token. httpx and h11 decode them chunk by chunk, with code for TLS, proxies and redirects
that do not occur here. The rest of the world is httpx's. Knows answers with a length, in chunks, or until the
connection ends; keeps connections for the next request. Raises only ProviderError.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from .failures import Origin, connection_error, cut_error, malformed_error, stall_error

CONNECT = 10.0
"""Seconds to connect."""

_HEAD = 64 * 1024
_LINE = 4096
_READ = 256 * 1024
_KEPT = 8
"""Connections kept for later requests."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that has begun. Header names are lower case; `close` before the end closes the connection."""

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]
    close: Callable[[], Awaitable[None]]

    async def read(self) -> bytes:
        """The whole body."""
        return b"".join([chunk async for chunk in self.chunks])


class ChunkedBody:
    """Takes the framing off a chunked body, fed in any cut. Pure. Raises ValueError for what is no such body."""

    def __init__(self) -> None:
        self.done = False
        self._tail = b""
        self._left = 0
        self._is_last = False

    def feed(self, data: bytes) -> bytes:
        """The content that these bytes complete, all chunks of it in one piece."""
        data = self._tail + data if self._tail else data
        parts: list[bytes] = []
        at = 0
        while not self.done:
            if self._left > 2:  # content, and the line break after it
                part = data[at : at + self._left - 2]
                parts.append(part)
                at += len(part)
                self._left -= len(part)
                if self._left > 2:
                    break
            if self._left:
                if len(data) - at < self._left:
                    break
                if data[at : at + self._left] != b"\r\n":
                    raise ValueError("a chunk is longer than it says")
                at += self._left
                self._left = 0
            end = data.find(b"\r\n", at)
            if end < 0:
                if len(data) - at > _LINE:
                    raise ValueError("the length of a chunk is no number")
                break
            self._line(data[at:end])
            at = end + 2
        self._tail = data[at:]
        return b"".join(parts)

    @property
    def leftover(self) -> bytes:
        """What came after the end."""
        return self._tail

    def _line(self, line: bytes) -> None:
        """The length of the next chunk, or a line of the trailer."""
        if self._is_last:
            self.done = not line
            return
        size = line.split(b";", 1)[0].strip()
        if not size or len(size) > 15 or size.strip(b"0123456789abcdefABCDEF"):
            raise ValueError("the length of a chunk is no number")
        number = int(size, 16)
        self._is_last = number == 0
        self._left = number + 2 if number else 0


@dataclass(slots=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    answers: int = 0

    @property
    def is_open(self) -> bool:
        return not (self.reader.at_eof() or self.writer.is_closing())


class Loopback:
    """Requests to one server on this machine. `idle` is seconds without a byte before it counts as dead."""

    def __init__(self, root: str, idle: float) -> None:
        parts = urlsplit(root)
        self._host = parts.hostname or ""
        self._port = parts.port or 80
        self._name = parts.netloc
        self._prefix = parts.path
        self._idle = idle
        self._free: list[_Connection] = []

    async def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes, origin: Origin) -> Reply:
        """Send a request; the answer once its head is there."""
        request = self._request(method, path, headers, body, origin)
        while True:
            connection = await self._connection(origin)
            try:
                head = await self._exchange(connection, request, origin)
            except BaseException:
                connection.writer.transport.abort()
                raise
            if head is not None:
                return self._reply(connection, head, origin)
            connection.writer.transport.abort()  # kept too long: the server had closed it already

    async def close(self) -> None:
        """Close what is kept."""
        while self._free:
            self._free.pop().writer.close()

    def _request(self, method: str, path: str, headers: Mapping[str, str], body: bytes, origin: Origin) -> bytes:
        fields = {"host": self._name, "accept-encoding": "identity", "user-agent": "rein-tui", **headers}
        lines = [f"{method} {self._prefix}{path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        if any("\r" in line or "\n" in line or not line.isascii() for line in lines):
            raise malformed_error(origin, "a header holds what no header may hold", retryable=False)
        head = "\r\n".join([*lines, f"content-length: {len(body)}"])
        return head.encode() + b"\r\n\r\n" + body

    async def _connection(self, origin: Origin) -> _Connection:
        while self._free:
            connection = self._free.pop()
            if connection.is_open:
                return connection
            connection.writer.close()
        try:
            async with asyncio.timeout(CONNECT):
                opened = await asyncio.open_connection(self._host, self._port, limit=_HEAD, happy_eyeballs_delay=0.25)
        except TimeoutError as error:
            raise connection_error(origin, "the server does not answer") from error
        except OSError as error:
            raise connection_error(origin, _reason(error)) from error
        return _Connection(*opened)

    async def _exchange(self, connection: _Connection, request: bytes, origin: Origin) -> bytes | None:
        """The head of the answer; None when a kept connection turned out to be closed."""
        try:
            connection.writer.write(request)
            async with asyncio.timeout(self._idle):
                await connection.writer.drain()
                while True:
                    head = await connection.reader.readuntil(b"\r\n\r\n")
                    if not head[8:].startswith(b" 1"):  # 100 Continue and its like
                        return head
        except TimeoutError as error:
            raise stall_error(origin, self._idle) from error
        except asyncio.LimitOverrunError as error:
            raise malformed_error(origin, "the head of the answer has no end", retryable=False) from error
        except asyncio.IncompleteReadError as error:
            if connection.answers and not error.partial:
                return None
            raise cut_error(origin, "the server closed the connection before it answered") from error
        except OSError as error:
            if connection.answers:
                return None
            raise cut_error(origin, _reason(error)) from error

    def _reply(self, connection: _Connection, head: bytes, origin: Origin) -> Reply:
        try:
            status, headers, lasts = _parsed(head)
            length = _length(status, headers)
        except ValueError as error:
            connection.writer.transport.abort()
            raise malformed_error(origin, f"this is no HTTP answer ({error})", retryable=False) from error
        if "transfer-encoding" in headers:
            body = self._chunked(connection, origin, lasts)
        elif length is not None:
            body = self._counted(connection, origin, length, lasts)
        else:
            body = self._endless(connection, origin)
        number = connection.answers

        async def close() -> None:
            if connection.answers == number:  # else the body came to its end, and someone else may use it by now
                connection.writer.transport.abort()

        return Reply(status, headers, body, close)

    async def _chunked(self, connection: _Connection, origin: Origin, lasts: bool) -> AsyncGenerator[bytes]:
        body = ChunkedBody()
        while not body.done:
            data = await self._read(connection, origin, _READ)
            if not data:
                raise cut_error(origin, "the connection was closed")
            try:
                content = body.feed(data)
            except ValueError as error:
                raise cut_error(origin, str(error)) from error
            if content:
                yield content
        self._keep(connection, lasts and not body.leftover)

    async def _counted(
        self, connection: _Connection, origin: Origin, length: int, lasts: bool
    ) -> AsyncGenerator[bytes]:
        while length > 0:
            data = await self._read(connection, origin, _READ)
            if not data:
                raise cut_error(origin, "the connection was closed")
            yield data[:length]
            length -= len(data)
        self._keep(connection, lasts and not length)

    async def _endless(self, connection: _Connection, origin: Origin) -> AsyncGenerator[bytes]:
        while data := await self._read(connection, origin, _READ):
            yield data

    async def _read(self, connection: _Connection, origin: Origin, most: int) -> bytes:
        try:
            async with asyncio.timeout(self._idle):
                return await connection.reader.read(most)
        except TimeoutError as error:
            raise stall_error(origin, self._idle) from error
        except OSError as error:
            raise cut_error(origin, _reason(error)) from error

    def _keep(self, connection: _Connection, lasts: bool) -> None:
        connection.answers += 1
        if lasts and connection.is_open and len(self._free) < _KEPT:
            self._free.append(connection)
        else:
            connection.writer.close()


def _parsed(head: bytes) -> tuple[int, dict[str, str], bool]:
    """Status, headers, and whether the connection lasts. Raises ValueError."""
    first, *lines = head[:-4].decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    if version not in {"HTTP/1.1", "HTTP/1.0"} or not rest[:3].isdigit():
        raise ValueError(first[:80])
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise ValueError(line[:80])
        name = name.strip().lower()
        headers[name] = f"{headers[name]}, {value.strip()}" if name in headers else value.strip()
    said = headers.get("connection", "").lower()
    return int(rest[:3]), headers, "close" not in said if version == "HTTP/1.1" else "keep-alive" in said


def _length(status: int, headers: Mapping[str, str]) -> int | None:
    """How long the body is, if the head tells. Raises ValueError for a body that was not asked for."""
    if headers.get("transfer-encoding", "chunked").lower() != "chunked":
        raise ValueError(f"transfer-encoding: {headers['transfer-encoding'][:80]}")
    if headers.get("content-encoding", "identity") != "identity":
        raise ValueError(f"content-encoding: {headers['content-encoding'][:80]}")
    if status in {204, 304}:
        return 0
    given = headers.get("content-length")
    if given is not None and not given.isdecimal():
        raise ValueError(f"content-length: {given[:80]}")
    return int(given) if given is not None else None


def _reason(error: OSError) -> str:
    return error.strerror or str(error).strip() or type(error).__name__
