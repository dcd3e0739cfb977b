"""How servers are reached from this session: their environment, where they start, and how long each may take."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from ...places import Places
from ...processes.environment import child_environment
from .config import ServerConfig
from .dial import Dial
from .log import ServerLog
from .remote import Remote, remote_transport
from .stdio import Launch, stdio_transport

START = 30.0
SHORTEST_START = 1.0
"""Seconds; the least that MCP_TIMEOUT can make it."""

CALL = 100_000.0
IDLE_LOCAL, IDLE_REMOTE = 1800.0, 300.0


@dataclass(frozen=True, slots=True)
class Reach:
    """What servers get of their surroundings. `ambient` is our own environment, of which they see a harmless part."""

    places: Places
    root: str
    session_id: str
    ambient: Mapping[str, str]
    settings: Mapping[str, str]

    def environment(self, config: ServerConfig) -> dict[str, str]:
        """What a server's process gets: harmless names, those of the settings, the session's, and its own entry's."""
        ours = {"CLAUDE_PROJECT_DIR": self.root, "CLAUDECODE": "1", "CLAUDE_CODE_SESSION_ID": self.session_id}
        return child_environment({**self.settings, **ours, **config.environment}, self.ambient)

    def dial(self, config: ServerConfig) -> Dial:
        """How to start or reach one server."""

        def transport(
            log: ServerLog, ended: Callable[[str], None], refused: Callable[[int], None], login: bool
        ) -> AbstractAsyncContextManager[Any]:
            environment = self.environment(config)
            if config.transport == "stdio":
                return stdio_transport(Launch([config.command, *config.args], self.root, environment), log, ended)
            return remote_transport(
                Remote(config, self.places, environment, self.root, refused, log.wants_opened, login)
            )

        return Dial(
            transport,
            start_timeout=max(_seconds(self._named("MCP_TIMEOUT"), START), SHORTEST_START),
            idle_timeout=IDLE_LOCAL if config.transport == "stdio" else IDLE_REMOTE,
            call_timeout=max(_seconds(self._named("MCP_TOOL_TIMEOUT"), CALL), 1.0),
        )

    @property
    def most_tokens(self) -> int:
        """Tokens of one result, as MAX_MCP_OUTPUT_TOKENS says."""
        wanted = self._named("MAX_MCP_OUTPUT_TOKENS")
        return int(wanted) if wanted.isdecimal() and int(wanted) else 25_000

    def _named(self, name: str) -> str:
        return self.settings.get(name) or self.ambient.get(name, "")


def _seconds(milliseconds: str, default: float) -> float:
    return int(milliseconds) / 1000 if milliseconds.isdecimal() else default
