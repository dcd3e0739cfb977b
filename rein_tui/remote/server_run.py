"""Runs a server: uvicorn around the guarded application, on TCP; and the plain Unix socket of a running terminal."""

import asyncio
import os
import secrets
import signal
import stat
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rein_tui.harness.protocol.errors import ConfigError, StartError

from .connection import Channel, Gone, Reception
from .guard import Doors, Guard, Tokens, doors_of, is_loopback

if TYPE_CHECKING:
    import uvicorn

_SHORTEST_TOKEN = 16
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
        """Raises StartError for what would send the token in the open."""
        if bool(self.cert) != bool(self.key):
            raise StartError("TLS needs both --tls-cert and --tls-key.")
        for path in filter(None, (self.cert, self.key)):
            if not Path(path).is_file():
                raise StartError("There is no such file.", where=path)
        if not is_loopback(self.host) and not self.cert:
            raise StartError(
                f"{self.host} can be reached from other machines, and there is no TLS.",
                hint="Give --tls-cert and --tls-key, or stay on 127.0.0.1 and forward the port through ssh.",
            )

    @property
    def doors(self) -> Doors:
        """Which Host and Origin headers are let in."""
        return doors_of(self.host, self.port, tls=bool(self.cert), extra=self.names)


def read_tokens(path: Path) -> dict[str, str]:
    """Tokens of a file: one a line, or `name token` for several principals. Raises ConfigError."""
    try:
        mode = path.stat().st_mode
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The token file cannot be read: {error}", where=str(path)) from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError("Others may read the token file.", where=str(path), hint=f"chmod 600 {path}")
    tokens: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words:
            continue
        name, token = ("owner", words[0]) if len(words) == 1 else (words[0], words[-1])
        if len(words) > 2 or name in tokens:
            raise ConfigError("One token a line: TOKEN, or NAME TOKEN.", where=f"{path}:{number}")
        tokens[name] = checked_token(token, f"{path}:{number}")
    if not tokens:
        raise ConfigError("There is no token in the file.", where=str(path))
    return tokens


def checked_token(token: str, where: str) -> str:
    """A token that is long enough. Raises ConfigError."""
    if len(token) < _SHORTEST_TOKEN:
        raise ConfigError(f"A token needs {_SHORTEST_TOKEN} characters.", where=where, hint="openssl rand -hex 32")
    return token


def make_token(path: Path) -> str:
    """A fresh token, in a file that only this person may read. Raises StartError."""
    token = secrets.token_urlsafe(32)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(token + "\n")
    except OSError as error:
        raise StartError(f"The token file cannot be written: {error}", where=str(path)) from error
    return token


def guard_of(app: Any, tokens: Tokens, listening: Listening, reception: Reception) -> Guard:
    """The guard in front of an application; first messages are checked by it too."""
    guard = Guard(app, tokens, listening.doors, largest_body=reception.hall.limits.body)
    reception.authenticate = lambda token: guard.principal(token, "first message")
    return guard


async def run_server(guard: Guard, listening: Listening, limit: int, ready: Callable[[int], None]) -> None:
    """Serve until SIGINT or SIGTERM; `ready` hears the port. Raises StartError when the address is taken."""
    import socket as sockets

    import uvicorn

    family = sockets.AF_INET6 if ":" in listening.host else sockets.AF_INET
    listener = sockets.socket(family, sockets.SOCK_STREAM)
    try:
        listener.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
        listener.bind((listening.host.strip("[]"), listening.port))
    except OSError as error:
        listener.close()
        raise StartError(f"Cannot listen: {error.strerror}", where=f"{listening.host}:{listening.port}") from error
    config = uvicorn.Config(
        guard,  # pyright: ignore[reportArgumentType]  an ASGI application by its shape
        ws_max_size=limit,
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
    listener.listen(128)
    ready(listener.getsockname()[1])
    with listener, _stopping(server):
        await server._serve([listener])  # pyright: ignore[reportPrivateUsage]  `serve` dies of its signal at the end


@contextmanager
def _stopping(server: "uvicorn.Server") -> Generator[None]:
    """SIGINT and SIGTERM end the server in order, so that what comes after it still happens; a second one hurries."""
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, server.handle_exit, number, None)
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
    import socket as sockets

    alive: list[Path] = []
    for path in sorted(folder.glob("*.sock")):
        with sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM) as probe:
            try:
                probe.connect(str(path))
            except ConnectionRefusedError:
                path.unlink(missing_ok=True)
            except OSError:
                continue
            else:
                alive.append(path)
    return alive
