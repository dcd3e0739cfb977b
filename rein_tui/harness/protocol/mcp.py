"""MCP servers as words: what a screen and `rein-tui mcp list` show of one."""

from collections.abc import Sequence
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from .base import Word
from .decisions import Source
from .workbench import CommandInfo

McpScope: TypeAlias = Literal["managed", "command_line", "local", "project", "user", "plugin"]
"""Where a server is configured."""

McpCondition: TypeAlias = Literal[
    "waiting", "starting", "connected", "failed", "unapproved", "denied", "disabled", "blocked", "needs_login"
]
"""How a server is. `waiting`: it will be tried again; `unapproved`: a person has to say yes; `denied`: one said no;
`disabled`: switched off; `blocked`: the administrator does not allow it; `needs_login`: it wants OAuth."""


class McpToolState(Word, frozen=True, kw_only=True):
    """A tool of a server as the server calls it. `changed`: it is not what it was when a person last used it."""

    name: str
    description: str = ""
    read_only: bool = False
    changed: bool = False
    tokens: int = 0


class McpServerState(Word, frozen=True, kw_only=True):
    """One server as of now. `error` says what is wrong and `hint` what to do; `log` is the tail of what it printed.

    `summary` is its command line or address. `garbage` counts lines of its standard output that were no messages,
    `dropped` messages that came faster than anybody reads. `tokens` is what its tools cost in every request.
    `address` is what a person has to open to log in, while that is waited for. `agent` names the
    subagent that it runs for, while that works; such a server cannot be switched.
    """

    name: str
    scope: McpScope
    state: McpCondition
    transport: Literal["stdio", "http", "sse"] = "stdio"
    summary: str = ""
    source: Source | None = None
    plugin_id: str = ""
    agent: str = ""
    error: str = ""
    hint: str = ""
    version: str = ""
    protocol: str = ""
    instructions: str = ""
    tools: tuple[McpToolState, ...] = ()
    resources: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()
    logged_in: bool = False
    tokens: int = 0
    garbage: int = 0
    dropped: int = 0
    address: str = ""
    log: str = ""


class McpSuggestion(Word, frozen=True, kw_only=True):
    """What may be typed next: `text` takes the place of what was typed, `label` is shown where that is more."""

    text: str
    label: str = ""
    note: str = ""


class McpServers(Protocol):
    """The MCP servers of one session, for people."""

    def states(self) -> Sequence[McpServerState]:
        """All servers, as configured, with what has become of them."""
        ...

    def commands(self) -> Sequence[CommandInfo]:
        """What connected servers offer as slash commands: their prompts."""
        ...

    async def suggest(self, query: str) -> Sequence[McpSuggestion]:
        """What may stand behind an `@` that goes on like this: resources as `server:uri`.

        For a query with a blank, `/mcp__server__prompt words`: what the word being typed may become. Never raises.
        """
        ...

    async def reconnect(self, name: str) -> None:
        """Start a server anew, logging in where it wants that. Returns once it is connected or has failed."""
        ...

    async def log_out(self, name: str) -> None:
        """Forget the login of a server, which is asked for it anew. Raises ConfigError."""
        ...

    async def approve(self, name: str) -> None:
        """Let a project's server run, as it is written now, and start it. Raises ConfigError."""
        ...

    async def deny(self, name: str) -> None:
        """Never run a project's server; ends it. Raises ConfigError."""
        ...

    async def switch(self, name: str, on: bool) -> None:
        """Switch a server off in this project, or on again. Raises ConfigError."""
        ...


@runtime_checkable
class HasMcp(Protocol):
    """A session whose MCP servers can be looked at: a local one."""

    @property
    def mcp(self) -> McpServers | None:
        """Its servers; None where there is nothing to look at."""
        ...
