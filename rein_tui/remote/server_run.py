"""Runs a server: uvicorn around the guarded application, on TCP; and the plain Unix socket of a running terminal."""

import asyncio
import errno
import logging
import os
import signal
import socket
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rein_tui.harness.protocol.errors import StartError

from .connection import Channel, Gone, Reception
from .guard import Doors, Guard, Tokens, doors_of, is_loopback
from .hall import Hall

if TYPE_CHECKING:
    import ssl

_GRACE = 15
"""Seconds that connections get to end when the server is told to stop."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Where a server listens. Beyond loopback it needs a certificate. `names` are further Host names."""

    host: str = "127.0.0.1"
    port: int = 8765
    cert: str = ""
    key: str = ""
    names: tuple[str, ...] = ()

    def check(self) -> None:
        """Raises StartError for what cannot work, and for what would send the token in the open."""
        if not 0 <= self.port <= 65535:
            raise StartError(f"{self.port} is no port: they go from 0 (any free one) to 65535.")
        if bool(self.cert) != bool(self.key):
            raise StartError("TLS needs both --tls-cert and --tls-key.")
        for path in filter(None, (self.cert, self.key)):
            if not Path(path).is_file():
                raise StartError("There is no such file.", where=path)
        self.tls()
        if not is_loopback(self.host) and not self.cert:
            raise StartError(
                f"{self.host} can be reached from other machines, and there is no TLS.",
                hint="Give --tls-cert and --tls-key, or stay on 127.0.0.1 and forward the port through ssh.",
            )

    def tls(self) -> "ssl.SSLContext | None":
        """The TLS context, when there is a certificate. Raises StartError for one that cannot be used."""
        if not self.cert:
            return None
        import ssl

        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            context.load_cert_chain(self.cert, self.key)
        except OSError as error:
            hint = "Both are PEM files, and the key belongs to the certificate."
            raise StartError(
                f"TLS cannot use these: {error}", where=f"{self.cert} and {self.key}", hint=hint
            ) from error
        return context

    def bound(self) -> "tuple[socket.socket, Listening]":
        """A socket that listens there, and where that is. Raises StartError when the address is taken."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self.host.strip("[]"), self.port))
            listener.listen(128)
        except OSError as error:
            listener.close()
            hint = "--port 0 takes any free one." if error.errno == errno.EADDRINUSE else ""
            raise StartError(f"Cannot listen: {error.strerror}", where=f"{self.host}:{self.port}", hint=hint) from error
        return listener, replace(self, port=listener.getsockname()[1])

    @property
    def url(self) -> str:
        """As people write it."""
        return f"{'https' if self.cert else 'http'}://{self.host}:{self.port}"

    @property
    def advice(self) -> str:
        """What to do when nobody can call this server by its name: on all addresses it has none of its own."""
        if self.names or self.host.strip("[]") not in ("0.0.0.0", "::"):  # noqa: S104  compared, not bound
            return ""
        return (
            "No name of this machine is answered yet, every request gets 421. "
            f"Give each name or address that others use: --allow-host {socket.gethostname()}\n"
        )

    @property
    def doors(self) -> Doors:
        """Which Host and Origin headers are let in."""
        return doors_of(self.host, self.port, tls=bool(self.cert), extra=self.names)


def guard_of(app: Any, tokens: Tokens, listening: Listening, reception: Reception) -> Guard:
    """The guard in front of an application; first messages are checked by it too."""
    guard = Guard(app, tokens, listening.doors, largest_body=reception.hall.limits.body)
    reception.authenticate = guard.principal
    return guard


async def run_server(guard: Guard, listener: socket.socket, listening: Listening, hall: Hall) -> None:
    """Serve until SIGINT or SIGTERM: then running turns are stopped, and what was told is stored."""
    import uvicorn

    config = uvicorn.Config(
        guard,  # pyright: ignore[reportArgumentType]  an ASGI application by its shape
        ws_max_size=hall.limits.message,
        ws_max_queue=16,
        ws_ping_interval=20,
        ws_ping_timeout=20,
        ws_per_message_deflate=False,
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=_GRACE,
        ssl_certfile=listening.cert or None,
        ssl_keyfile=listening.key or None,
    )
    server = uvicorn.Server(config)
    logging.getLogger("uvicorn.error").addFilter(_is_news)

    def stop() -> None:
        hall.interrupt("the server closes")
        server.handle_exit(signal.SIGTERM, None)

    with listener, _stopping(stop):
        await server._serve([listener])  # pyright: ignore[reportPrivateUsage]  `serve` dies of its signal at the end


def _is_news(record: logging.LogRecord) -> bool:
    """A refused handshake is answered by the guard; whoever knocks must not be able to fill the log."""
    return not record.getMessage().startswith(("ASGI callable returned without", "Invalid HTTP request"))


@contextmanager
def _stopping(stop: Callable[[], None]) -> Generator[None]:
    """SIGINT and SIGTERM end the server in order, so that what comes after it still happens."""
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


# --- the socket of a running terminal -----------------------------------------------------------------------


class _UnixChannel(Channel):
    """connection.Channel over a connection of the websockets library."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def receive(self) -> str | bytes:
        """The next frame. Raises Gone."""
        from websockets.exceptions import ConnectionClosed

        try:
            return await self._connection.recv()
        except ConnectionClosed as error:
            raise Gone from error

    async def send(self, data: str) -> None:
        """Send a frame; waits while the reader is slow. Raises Gone."""
        from websockets.exceptions import ConnectionClosed

        try:
            await self._connection.send(data)
        except ConnectionClosed as error:
            raise Gone from error

    async def close(self, code: int, reason: str) -> None:
        """End the connection."""
        await self._connection.close(code, reason)


def _cleared(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)


@asynccontextmanager
async def attach_socket(path: Path, reception: Reception) -> AsyncGenerator[None]:
    """A Unix socket that only this person may open, for as long as the context lasts. Raises StartError."""
    from websockets.asyncio.server import ServerConnection, unix_serve

    async def serve(connection: ServerConnection) -> None:
        await reception.serve(_UnixChannel(connection), "owner")  # who may open the socket is its owner

    _cleared(path)
    before = os.umask(0o177)
    try:
        server = await unix_serve(serve, str(path), max_size=reception.hall.limits.message, compression=None)
    except OSError as error:
        raise StartError(f"The socket cannot be opened: {error}", where=str(path)) from error
    finally:
        os.umask(before)
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()
        _cleared(path)


def attachable(folder: Path) -> list[Path]:
    """The sockets of terminals that run and can be attached to; those of dead ones are removed."""
    alive: list[Path] = []
    for path in sorted(folder.glob("*.sock")):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(str(path))
            except ConnectionRefusedError:
                path.unlink(missing_ok=True)
            except OSError:
                continue
            else:
                alive.append(path)
    return alive
