"""The client's end of a connection: requests with replies, frames as they come, connecting again when it breaks.

A request that was under way when the connection broke is sent again; those that must not happen twice carry a key.
"""

import asyncio
import contextlib
import itertools
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

import msgspec

from rein_tui.harness.protocol.errors import ConfigError, ReinError, StartError

from .address import Address, Backoff
from .errors import error_of
from .wire import (
    PROTOCOL,
    Auth,
    Call,
    Fault,
    Hello,
    Reply,
    Request,
    ServerFrame,
    Welcome,
    WireError,
    decode_server,
    encode,
)

ResultT = TypeVar("ResultT")

_LARGEST_FRAME = 64 * 1024 * 1024
_SHORT_CALL = 10.0
"""Seconds that a call may block the screen, for the few things that it asks without waiting."""


class Link(Protocol):
    """A way to a hall, near or far."""

    @property
    def welcome(self) -> Welcome:
        """What the server said of itself."""
        ...

    async def ask(self, request: Request, kind: type[ResultT]) -> ResultT:
        """The result of a request. Raises ReinError."""
        ...

    def say(self, request: Request) -> None:
        """Send a request whose result does not matter, in order with the others. Never raises; `on_refused` hears."""
        ...

    def ask_now(self, request: Request, kind: type[ResultT]) -> ResultT:
        """The result of a short request, blocking until it is there. Raises ReinError."""
        ...

    async def close(self) -> None:
        """Leave."""
        ...


class SocketLink:
    """A Link over a WebSocket. `on_frame` gets every frame that is no reply, in order.

    `on_refused` hears of what was only said and not done. `on_connected` runs after each later connection, before
    requests that were under way are sent again: there, sessions are attached to again. `on_state` hears in words how
    the connection is.
    """

    def __init__(self, address: Address, client: str, *, backoff: Backoff | None = None) -> None:
        address.check()
        self._address = address
        self._client = client
        self._backoff = backoff or Backoff()
        self._ids = itertools.count(1)
        self._pending: dict[int, tuple[Request, asyncio.Future[msgspec.Raw]]] = {}
        self._socket: Any = None
        self._is_ready = False
        self._welcome = Welcome(protocol=PROTOCOL, version="")
        self._task: asyncio.Task[None] | None = None
        self._sayings: set[asyncio.Task[None]] = set()
        self._is_closing = False
        self.failed: ReinError | None = None
        self.on_frame: Callable[[ServerFrame], None] = lambda frame: None
        self.on_refused: Callable[[Request, ReinError], None] = lambda request, error: None
        self.on_connected: Callable[[], Awaitable[None]] | None = None
        self.on_state: Callable[[str, ReinError | None], None] = lambda text, error: None

    @property
    def name(self) -> str:
        """Where it leads, for people."""
        return self._address.name

    @property
    def welcome(self) -> Welcome:
        """What the server said of itself."""
        return self._welcome

    async def connect(self) -> None:
        """Connect for the first time. Raises StartError."""
        await self._dial()
        self._is_ready = True
        self._task = asyncio.create_task(self._keep())

    async def ask(self, request: Request, kind: type[ResultT]) -> ResultT:
        """See Link."""
        return await self._asked(request, kind, first=False)

    async def ask_first(self, request: Request, kind: type[ResultT]) -> ResultT:
        """The same, from within `on_connected`: ahead of everything that waits."""
        return await self._asked(request, kind, first=True)

    async def _asked(self, request: Request, kind: type[ResultT], *, first: bool) -> ResultT:
        if self.failed is not None:
            raise self.failed
        number = next(self._ids)
        future: asyncio.Future[msgspec.Raw] = asyncio.get_running_loop().create_future()
        data = encode(Call(id=number, request=request))
        if self._welcome.largest_message and len(data) > self._welcome.largest_message:
            raise ConfigError(f"This is larger than the {self._welcome.largest_message} bytes that the server takes.")
        self._pending[number] = (request, future)
        if self._is_ready or first:
            await self._send(data.decode())
        try:
            return msgspec.json.decode(await future, type=kind)
        finally:
            self._pending.pop(number, None)

    def say(self, request: Request) -> None:
        """See Link."""
        task = asyncio.create_task(self._said(request))
        self._sayings.add(task)
        task.add_done_callback(self._sayings.discard)

    async def _said(self, request: Request) -> None:
        try:
            await self.ask(request, object)
        except ReinError as error:
            if error is not self.failed:
                self.on_refused(request, error)

    def ask_now(self, request: Request, kind: type[ResultT]) -> ResultT:
        """See Link: over a connection of its own, unless it is known that nobody answers."""
        from websockets.exceptions import WebSocketException

        if not self._is_ready:
            raise StartError("The connection is lost.", where=self._address.name, hint="Try again when it is back.")

        try:
            with _connected_now(self._address) as socket:
                socket.send(encode(Auth(token=self._address.token())).decode())
                socket.send(encode(Hello(client=f"{self._client}-once")).decode())
                socket.send(encode(Call(id=1, request=request)).decode())
                while True:
                    frame = decode_server(socket.recv(_SHORT_CALL))
                    if isinstance(frame, Reply):
                        return msgspec.json.decode(_result(frame), type=kind)
        except (OSError, WebSocketException, TimeoutError, WireError) as error:
            raise StartError(f"The server does not answer: {_words(error)}", where=self._address.name) from error

    async def close(self) -> None:
        """See Link."""
        self._is_closing = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._socket is not None:
            await self._socket.close()
        self._fail(StartError("The connection is closed."))

    # --- the connection -------------------------------------------------------------------------------------

    async def _dial(self) -> None:
        """Connect and greet. Raises StartError."""
        from ssl import SSLCertVerificationError

        from websockets.asyncio.client import connect, unix_connect
        from websockets.exceptions import InvalidStatus, WebSocketException

        options: dict[str, Any] = {"open_timeout": _SHORT_CALL, "close_timeout": 1, "max_size": _LARGEST_FRAME}
        try:
            if self._address.socket is not None:
                self._socket = await unix_connect(str(self._address.socket), "ws://localhost/", **options)
            else:
                self._socket = await connect(self._address.url, ssl=self._address.tls(), proxy=None, **options)
            await self._send(encode(Auth(token=self._address.token())).decode())
            await self._send(encode(Hello(client=self._client)).decode())
            async with asyncio.timeout(_SHORT_CALL):
                frame = decode_server(await self._socket.recv())
        except InvalidStatus as error:
            raise _Final(_said_no(error), where=self._address.name) from error
        except (OSError, WebSocketException, TimeoutError, WireError) as error:
            if self._address.socket is not None and isinstance(error, FileNotFoundError | ConnectionRefusedError):
                raise _Final("That terminal has ended.", hint="rein-tui --resume goes on with its session.") from error
            if getattr(getattr(error, "rcvd", None), "code", 0) == 4401:
                hint = "Give --token, --token-file or REIN_TUI_TOKEN."
                raise _Final("The server does not know this token.", where=self._address.name, hint=hint) from error
            hint = "--ca FILE trusts a certificate of your own." if isinstance(error, SSLCertVerificationError) else ""
            raise StartError(
                f"The server does not answer: {_words(error)}", where=self._address.name, hint=hint
            ) from error
        if isinstance(frame, Fault):
            raise _Final(frame.failure.message, where=self._address.name)
        if not isinstance(frame, Welcome):
            raise _Final("That is not a server of this protocol.", where=self._address.name)
        self._welcome = frame

    async def _keep(self) -> None:
        reading: asyncio.Task[None] | None = asyncio.create_task(self._read())
        try:
            while reading is not None:
                await reading
                self._is_ready = False
                self.on_state("The connection is lost; trying again.", None)
                reading = await self._again()
        finally:
            if reading is not None:
                reading.cancel()

    async def _again(self) -> "asyncio.Task[None] | None":
        """Connect again, however long it takes within reason; the task that reads, or None when that is over."""
        started, attempt = asyncio.get_running_loop().time(), 0
        while True:
            await asyncio.sleep(self._backoff.delay(attempt))
            attempt = min(attempt + 1, 16)
            try:
                await self._dial()
            except StartError as error:
                waited = asyncio.get_running_loop().time() - started
                if isinstance(error, _Final) or waited > self._backoff.give_up:
                    self._fail(error)
                    return None
                continue
            reading, resuming = asyncio.create_task(self._read()), asyncio.create_task(self._resume())
            await asyncio.wait({reading, resuming}, return_when=asyncio.FIRST_COMPLETED)
            if resuming.done():
                resuming.result()
                self.on_state("Connected again.", None)
                return reading
            resuming.cancel()

    async def _resume(self) -> None:
        """Attach to the sessions again, then send what was under way."""
        if self.on_connected is not None:
            await self.on_connected()
        self._is_ready = True
        for number, (request, _) in list(self._pending.items()):
            await self._send(encode(Call(id=number, request=request)).decode())

    async def _read(self) -> None:
        """Hand on frames until the connection breaks."""
        from websockets.exceptions import WebSocketException

        try:
            async for data in self._socket:
                self._take(decode_server(data))
        except (OSError, WebSocketException, WireError):
            return

    def _take(self, frame: ServerFrame) -> None:
        if not isinstance(frame, Reply):
            self.on_frame(frame)
            return
        _, future = self._pending.get(frame.id, (None, None))
        if future is None or future.done():
            return
        if frame.failure is not None:
            future.set_exception(error_of(frame.failure))
        else:
            future.set_result(frame.result)

    async def _send(self, text: str) -> None:
        from websockets.exceptions import WebSocketException

        with contextlib.suppress(OSError, WebSocketException):  # the reader notices, and it is sent again
            await self._socket.send(text)

    def _fail(self, error: ReinError) -> None:
        self.failed = self.failed or error
        for _, future in list(self._pending.values()):
            if not future.done():
                future.set_exception(error)
        if not self._is_closing:
            self.on_state(error.message, error)


def _connected_now(address: Address) -> Any:
    """A blocking connection; a context manager."""
    from importlib import import_module

    client: Any = import_module("websockets.sync.client")
    options: dict[str, Any] = {"open_timeout": _SHORT_CALL, "close_timeout": 1, "max_size": _LARGEST_FRAME}
    if address.socket is not None:
        return client.unix_connect(str(address.socket), "ws://localhost/", **options)
    return client.connect(address.url, ssl=address.tls(), proxy=None, **options)


class _Final(StartError):
    """Trying again will not help."""


def _result(reply: Reply) -> msgspec.Raw:
    if reply.failure is not None:
        raise error_of(reply.failure)
    return reply.result


def _said_no(error: Any) -> str:
    body = bytes(error.response.body or b"")[:300].decode("utf-8", "replace")
    return f"The server refuses ({error.response.status_code}): {body or 'no reason given'}"


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
