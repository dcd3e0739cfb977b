"""Where a server is, and how patiently to come back to it."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rein_tui.harness.protocol.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is: a WebSocket URL, or a Unix socket. `token` is asked for at every connection.

    `ca` is a file with the certificate to trust instead of the system's.
    """

    url: str = "ws://127.0.0.1:8765/ws/chat"
    socket: Path | None = None
    token: Callable[[], str] = lambda: ""
    ca: str = ""

    def tls(self) -> Any:
        """The TLS context of a wss URL, or None."""
        if not self.url.startswith("wss:"):
            return None
        import ssl

        return ssl.create_default_context(cafile=self.ca or None)

    @property
    def name(self) -> str:
        """For people."""
        return str(self.socket) if self.socket is not None else self.url

    def check(self) -> None:
        """Refuse what would send the token in the open, or is no address. Raises ConfigError."""
        from .guard import is_loopback

        parts = urlsplit(self.url)
        if self.socket is not None:
            return
        if parts.scheme not in ("ws", "wss") or not parts.hostname:
            raise ConfigError("not a WebSocket URL", where=self.url, hint="It looks like ws://127.0.0.1:8765/ws/chat.")
        if parts.scheme == "ws" and not is_loopback(parts.hostname):
            raise ConfigError(
                "ws:// would send the token in the open.",
                where=self.url,
                hint="Use wss://, or forward the port: ssh -L 8765:127.0.0.1:8765 HOST.",
            )
        if parts.query or parts.username:
            raise ConfigError("A token never goes into the URL.", where=parts.hostname, hint="Use --token-file.")


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before the nth attempt, and when to stop trying; seconds."""

    first: float = 0.25
    longest: float = 10.0
    give_up: float = 900.0

    def delay(self, attempt: int) -> float:
        """Doubled each time, with jitter, so that many clients do not come back at once."""
        return min(self.longest, self.first * 2**attempt) * random.uniform(0.5, 1.0)  # noqa: S311  no secret
