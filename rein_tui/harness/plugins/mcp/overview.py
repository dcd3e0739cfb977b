"""The servers of a session as people see and change them: implements protocol.mcp.McpServers."""

from collections.abc import Callable, Sequence

from ...context.tokens import TokenGauge, size_of_tool
from ...protocol.errors import ConfigError
from ...protocol.mcp import McpServerState, McpSuggestion, McpToolState
from ...protocol.tools import Tool
from ...protocol.workbench import CommandInfo
from .connection import Connection
from .oauth import TokenFile
from .servers import Servers
from .suggestions import Suggestions
from .tools import McpTool, read_only, spec_of


class Overview:
    """What `/mcp` shows, and what its keys do."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._gauge = TokenGauge()

    def commands(self) -> Sequence[CommandInfo]:
        """The prompts of connected servers, as slash commands."""
        return self._servers.prompts.commands()

    async def suggest(self, query: str) -> Sequence[McpSuggestion]:
        """What may stand behind an `@`, or come next in a prompt's arguments."""
        return await Suggestions(self._servers.connected).of(query)

    def states(self) -> Sequence[McpServerState]:
        """All servers, as configured, and those of agents at work."""
        servers = self._servers
        own = [self._state(connection, servers.toolbox.get) for connection in servers.connections.values()]
        guests = [self._state(guest.connection, guest.tools.get, guest.agent) for guest in servers.guests]
        return [*own, *guests]

    def _state(self, connection: Connection, made: Callable[[str], Tool | None], agent: str = "") -> McpServerState:
        config, lists = connection.config, connection.lists
        tools = tuple(self._tool_state(connection, index, made) for index in range(len(lists.tools)))
        return McpServerState(
            name=config.name,
            scope=config.scope,
            state=connection.condition,
            transport=config.transport,
            summary=config.summary,
            source=config.source,
            plugin_id=config.plugin_id,
            agent=agent,
            error=connection.error,
            hint=connection.hint,
            version=connection.greeting.version,
            protocol=connection.greeting.protocol,
            instructions=connection.greeting.instructions,
            tools=tools,
            resources=(
                *(resource.uri for resource in lists.resources),
                *(template.uri_template for template in lists.templates),
            ),
            prompts=tuple(prompt.name for prompt in lists.prompts),
            logged_in=config.transport != "stdio" and TokenFile.of(self._servers.places, config).has_tokens,
            tokens=sum(tool.tokens for tool in tools),
            garbage=connection.log.garbage,
            dropped=connection.log.dropped,
            address=connection.log.address,
            log=connection.log.text,
        )

    def _tool_state(self, connection: Connection, index: int, made_of: Callable[[str], Tool | None]) -> McpToolState:
        tool = connection.lists.tools[index]
        spec = spec_of(connection.config.name, tool)
        made = made_of(spec.name)
        return McpToolState(
            name=tool.name,
            description=spec.description,
            read_only=read_only(tool),
            changed=isinstance(made, McpTool) and made.is_changed,
            tokens=self._gauge.text(size_of_tool(spec)),
        )

    async def reconnect(self, name: str) -> None:
        """Start a server anew; see protocol.mcp. Raises ConfigError for one that may not run."""
        connection = self._known(name)
        verdict = self._servers.approvals.judge(connection.config)
        if verdict.state:
            raise ConfigError(verdict.reason, where=name, hint=verdict.hint)
        login = connection.condition == "needs_login"
        await connection.stop()
        connection.start(login=login)
        while connection.condition in ("starting", "waiting"):
            self._servers.changed.clear()
            await self._servers.changed.wait()

    async def approve(self, name: str) -> None:
        """Let a project's server run, and start it. Raises ConfigError."""
        connection = self._known(name)
        self._servers.approvals.approve(connection.config)
        await self._judge_again(connection)

    async def deny(self, name: str) -> None:
        """Never run a project's server. Raises ConfigError."""
        connection = self._known(name)
        self._servers.approvals.deny(connection.config)
        await self._judge_again(connection)

    async def switch(self, name: str, on: bool) -> None:
        """Switch a server off in this project, or on again. Raises ConfigError."""
        connection = self._known(name)
        self._servers.approvals.switch(name, on)
        await self._judge_again(connection)

    async def log_out(self, name: str) -> None:
        """Forget a login, and connect without it. Raises ConfigError."""
        connection = self._known(name)
        TokenFile.of(self._servers.places, connection.config).forget()
        await connection.stop()
        await self.reconnect(name)

    async def _judge_again(self, connection: Connection) -> None:
        verdict = self._servers.approvals.judge(connection.config)
        if verdict.state:
            await connection.stop()
            await connection.put(verdict.state, verdict.reason, verdict.hint)
        elif not connection.is_connected:
            await self.reconnect(connection.config.name)

    def _known(self, name: str) -> Connection:
        connection = self._servers.connections.get(name)
        if connection is None:
            raise ConfigError(f"There is no MCP server {name!r}.", hint="rein-tui mcp list shows all.")
        return connection
