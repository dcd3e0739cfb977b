"""Logging in to one server without a session: connect, wait for the browser, end the connection."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ...protocol.errors import ConfigError
from ...protocol.ports import Prompter
from .config import ServerConfig
from .connection import Connection
from .host import Desk, Host
from .reach import Reach

_LOOK = 0.2
"""Seconds between two looks at what there is to tell."""


async def log_in(config: ServerConfig, reach: Reach, nobody: Prompter, say: Callable[[str], None]) -> str:
    """Log in; how it went. `say` is told the address to open. Raises ConfigError when it failed."""
    if config.transport == "stdio":
        raise ConfigError("a command needs no login", where=config.name)
    changed = asyncio.Event()

    async def hear(_: Connection) -> None:
        changed.set()

    host = Host(nobody, lambda: [Path(reach.root)], interactive=False)
    connection = Connection(config, reach.dial(config), Desk(config.name, host), hear)
    connection.start(login=True)
    told = 0
    try:
        while connection.condition in ("starting", "waiting"):
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await changed.wait()
            changed.clear()
            lines = connection.log.text.splitlines()
            for line in lines[told:]:
                say(line.strip("[]"))
            told = len(lines)
        if not connection.is_connected:
            raise ConfigError(connection.error or "It is not connected.", where=config.name, hint=connection.hint)
        return f"{config.name} is connected."
    finally:
        await connection.stop()
