"""The servers that an agent's file names: the session's, and those that run for this agent alone."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

from ...protocol.agents import AgentServer, AgentSpec
from ...protocol.events import Notice
from ...protocol.ports import Emit
from ...protocol.tools import Tool
from .approval import Verdict, forbidden
from .asking import NEVER, RUN, ask_approval
from .config import ServerConfig, read_entry
from .connection import Connection
from .host import Desk
from .servers import Guest, Servers
from .sources import agent_entry
from .tools import McpTool, usable, words_of


@dataclass(frozen=True, slots=True)
class AgentServers:
    """Starts and ends what agents bring. `environment` is what entries may refer to."""

    servers: Servers
    environment: Mapping[str, str]

    @asynccontextmanager
    async def of(self, spec: AgentSpec, tools: dict[str, Tool], emit: Emit) -> AsyncGenerator[tuple[str, ...]]:
        """Fill `tools` with those of the agent's servers and keep them up to date; gives the servers' instructions."""
        own: list[Connection] = []
        for named in spec.servers:
            if named.entry is None:
                await self._borrow(named, tools, emit)
            elif (connection := await self._made(named, spec, tools, emit)) is not None:
                own.append(connection)
        guests = [Guest(connection, spec.name, tools) for connection in own]
        self.servers.guests += guests
        try:
            await self._start(spec, own, emit)
            yield tuple(
                f"## {each.config.name}\n{each.greeting.instructions}" for each in own if each.greeting.instructions
            )
        finally:
            self.servers.guests[:] = [guest for guest in self.servers.guests if guest not in guests]
            await asyncio.gather(*(connection.stop() for connection in own))

    async def _borrow(self, named: AgentServer, tools: dict[str, Tool], emit: Emit) -> None:
        """Those of a server that the session has."""
        connection = self.servers.connections.get(named.name)
        if connection is None or not connection.is_connected:
            state = "is not configured" if connection is None else f"is not connected: {connection.error}".rstrip(": ")
            await self._tell(f"The agent's MCP server {named.name} {state}", named, emit)
            return
        tools.update((tool.name, tool) for tool in self.servers.tools_of(named.name))

    async def _made(self, named: AgentServer, spec: AgentSpec, tools: dict[str, Tool], emit: Emit) -> Connection | None:
        """A connection to one that runs for this agent alone, not started yet."""
        config, notices = read_entry(agent_entry(named), self.environment)
        for notice in notices:
            await emit(notice)
        if config is None:
            return None
        if self.servers.closed:
            await self._tell(f"The agent's MCP server {named.name} is not started: {self.servers.closed}", named, emit)
            return None

        async def changed(connection: Connection) -> None:
            self._take(connection, spec, tools)
            self.servers.changed.set()

        servers = self.servers
        return Connection(config, servers.reach.dial(config), Desk(config.name, servers.host), changed)

    async def _start(self, spec: AgentSpec, own: list[Connection], emit: Emit) -> None:
        """Start those that may run, ask about those that nobody judged, wait until each is there or has failed."""
        for connection in own:
            verdict = self._judge(connection.config, spec)
            connection.error, connection.hint = verdict.reason, verdict.hint
            connection.condition = verdict.state or "starting"
        await self._ask(spec, [each for each in own if each.condition == "unapproved"], emit)
        allowed = [connection for connection in own if connection.condition == "starting"]
        for connection in allowed:
            connection.start()
        while any(connection.condition == "starting" for connection in allowed):
            self.servers.changed.clear()
            await self.servers.changed.wait()
        for connection in own:
            if not connection.is_connected:
                text = f"The MCP server {connection.config.name} of the agent {spec.name} is not there"
                source, hint = str(connection.config.source), connection.hint
                said = f"{text}: {connection.error}"
                await emit(Notice(text=said, level="warning", where=source, hint=hint, code="mcp.failed"))

    async def _ask(self, spec: AgentSpec, new: list[Connection], emit: Emit) -> None:
        servers = self.servers
        if not new or not servers.host.interactive or not servers.approvals.settings.trusted:
            return
        for connection, answer in await ask_approval(new, servers.host, emit):
            if answer == RUN:
                servers.approvals.approve(_scoped(connection.config, spec))
                connection.condition, connection.error = "starting", ""
            elif answer == NEVER:
                servers.approvals.deny(_scoped(connection.config, spec))
                connection.condition, connection.error = "denied", "You said no to it."

    def _judge(self, config: ServerConfig, spec: AgentSpec) -> Verdict:
        """Judged under the agent's name: a yes to a project's server of the same name is no yes to this one."""
        approvals = self.servers.approvals
        if reason := forbidden(config, approvals.settings):
            return Verdict("blocked", reason)
        if config.name in (approvals.settings.merged("disabledMcpjsonServers") or ()):
            return Verdict("denied", "disabledMcpjsonServers of the settings names it.")
        return approvals.judge(_scoped(config, spec))

    def _take(self, connection: Connection, spec: AgentSpec, tools: dict[str, Tool]) -> None:
        """Make `tools` hold what the server offers now."""
        servers, name = self.servers, _scoped(connection.config, spec).name
        offered = usable(connection)
        changed = servers.approvals.changed_tools(name, [words_of(tool) for tool in offered])
        for gone in [key for key, tool in tools.items() if isinstance(tool, McpTool) and tool.is_of(connection)]:
            del tools[gone]
        for tool in offered:
            accept = partial(servers.approvals.accept_tool, name)
            made = McpTool(connection, tool, servers.keeping, said_before=changed.get(tool.name), accept=accept)
            tools[made.name] = made

    async def _tell(self, text: str, named: AgentServer, emit: Emit) -> None:
        await emit(Notice(text=text, level="warning", where=str(named.source), code="mcp.agent"))


def _scoped(config: ServerConfig, spec: AgentSpec) -> ServerConfig:
    return replace(config, name=f"{spec.name}/{config.name}")
