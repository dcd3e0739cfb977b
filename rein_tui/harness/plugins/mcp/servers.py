"""The MCP servers of one session: started in the background, their tools in the toolbox, their questions to the person.

What people do with them is in `overview`.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from ...places import Places
from ...protocol.base import JsonObject
from ...protocol.events import Notice
from ...protocol.messages import TextBlock
from ...protocol.ports import Emit
from ...protocol.tools import Tool as ToolPort
from ...tools.toolbox import Toolbox
from ..words import ServerDefinition
from .approval import Approvals
from .asking import NEVER, RUN, ask_approval
from .config import ServerConfig
from .connection import Connection
from .failures import McpFailure
from .host import Desk, Host
from .prompts import Prompts
from .reach import Reach
from .results import Keeping, tool_result
from .tools import ListMcpResourcesTool, McpTool, ReadMcpResourceTool, usable, words_of

if TYPE_CHECKING:
    from mcp.types import Tool

Find = Callable[[Sequence[ServerDefinition]], Mapping[str, ServerConfig]]
"""All servers that are configured now, those of the given plugins among them."""

PATIENCE = 3.0
"""Seconds that the first turn waits for servers that still start."""

PATIENCE_ALONE = 15.0
"""The same where no person waits: what is not there then is not there at all."""


@dataclass(frozen=True, slots=True, eq=False)
class Guest:
    """A server that runs for one subagent alone, while that works; `tools` are the agent's."""

    connection: Connection
    agent: str
    tools: Mapping[str, ToolPort]


@dataclass(slots=True, kw_only=True)
class Servers:
    """All servers of a session. Call `start` once the session is open, `close` when it ends.

    `closed` says why no further servers may join those that were found, where that is so; `find_again` looks once more.
    """

    configs: Mapping[str, ServerConfig]
    approvals: Approvals
    reach: Reach
    host: Host
    toolbox: Toolbox
    keeping: Keeping
    find_again: Find
    closed: str = ""
    connections: dict[str, Connection] = field(default_factory=dict[str, Connection])
    guests: list[Guest] = field(default_factory=list["Guest"])
    _tools: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    _settled: bool = False
    _is_fresh: bool = True
    _held: list[Notice] = field(default_factory=list[Notice])
    on_change: list[Callable[[], None]] = field(default_factory=list[Callable[[], None]])

    def __post_init__(self) -> None:
        for config in self.configs.values():
            self._connect(config)

    def _connect(self, config: ServerConfig) -> None:
        desk = Desk(config.name, self.host)
        self.connections[config.name] = Connection(config, self.reach.dial(config), desk, self._news)

    @property
    def places(self) -> Places:
        """Where things are kept."""
        return self.approvals.places

    # --- life -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start every server that may run and does not yet; returns at once."""
        for connection in [each for each in self.connections.values() if each.is_new]:
            verdict = self.approvals.judge(connection.config)
            if verdict.state:
                connection.condition, connection.error, connection.hint = verdict.state, verdict.reason, verdict.hint
            else:
                connection.start()

    async def take_up(self, brought: Sequence[ServerDefinition]) -> None:
        """Plugins came, went or changed: their servers do so, too; all others stay as they are."""
        configs = await asyncio.to_thread(self.find_again, brought)
        gone = [
            connection
            for name, connection in self.connections.items()
            if connection.config.plugin_id and configs.get(name) != connection.config
        ]
        await asyncio.gather(*(connection.stop() for connection in gone))
        for connection in gone:
            del self.connections[connection.config.name]
            await connection.put("disabled")
        for config in configs.values():
            if config.plugin_id and config.name not in self.connections:
                self._connect(config)
                self._is_fresh = True
        self.start()

    async def settle(self, emit: Emit) -> None:
        """Before a turn: ask once about servers that nobody judged, wait a little for those that were just started."""
        if not self._settled:
            await self._ask_about_new(emit)
        if not self._is_fresh:
            return
        patience = PATIENCE if self.host.interactive else PATIENCE_ALONE
        try:
            async with asyncio.timeout(patience):
                while any(c.condition == "starting" for c in self.connections.values()):
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError:
            slow = ", ".join(c.config.name for c in self.connections.values() if c.condition == "starting")
            await emit(Notice(text=f"MCP servers that still start: {slow}. Their tools come later.", code="mcp.slow"))
        self._settled, self._is_fresh = True, False
        for notice in self._held:
            await emit(notice)
        self._held.clear()

    async def _ask_about_new(self, emit: Emit) -> None:
        new = [c for c in self.connections.values() if c.condition == "unapproved"]
        if not new or not self.approvals.settings.trusted:
            return
        if not self.host.interactive:
            for connection in new:
                text = f"The MCP server {connection.config.name} was not started. {connection.error}"
                where = str(connection.config.source)
                hint = "Start rein-tui here and approve it with /mcp."
                await emit(Notice(text=text, level="warning", where=where, hint=hint, code="mcp.unapproved"))
            return
        for connection, answer in await ask_approval(new, self.host, emit):
            if answer == RUN:
                self.approvals.approve(connection.config)
                connection.start()
            elif answer == NEVER:
                self.approvals.deny(connection.config)
                await connection.put("denied", "You said no to it.")

    async def close(self) -> None:
        """End all servers."""
        await asyncio.gather(*(connection.stop() for connection in self.connections.values()))

    async def _news(self, connection: Connection) -> None:
        """A server has a new state or new lists."""
        self._sync_tools(connection)
        self.changed.set()
        for hear in self.on_change:
            hear()
        if connection.error and connection.condition in ("failed", "needs_login", "connected"):
            how = "is not there" if connection.condition != "connected" else "is not wholly there"
            text = f"The MCP server {connection.config.name} {how}: {connection.error}"
            where, hint = str(connection.config.source), connection.hint or "See /mcp for its log."
            notice = Notice(text=text, level="warning", where=where, hint=hint, code="mcp.failed")
            if self._settled:
                await self.host.tell(notice)
            else:  # looking at a session writes nothing: told with its next turn
                self._held.append(notice)

    # --- tools ----------------------------------------------------------------------------------------------

    def _sync_tools(self, connection: Connection) -> None:
        """Make the toolbox hold exactly what the server offers now."""
        name = connection.config.name
        offered = usable(connection)
        changed = self.approvals.changed_tools(name, [words_of(tool) for tool in offered])
        tools = {(made := self._made(connection, tool, changed.get(tool.name))).name: made for tool in offered}
        for gone in set(self._tools.get(name, ())) - set(tools):
            self.toolbox.remove(gone)
        for tool in tools.values():
            self.toolbox.add(tool)
        self._tools[name] = list(tools)
        self._sync_resource_tools()

    def _made(self, connection: Connection, tool: "Tool", said_before: str | None) -> McpTool:
        accept = partial(self.approvals.accept_tool, connection.config.name)
        return McpTool(connection, tool, self.keeping, said_before=said_before, accept=accept)

    def _sync_resource_tools(self) -> None:
        if any(connection.lists.resources or connection.lists.templates for connection in self.connections.values()):
            self.toolbox.add(ListMcpResourcesTool(self.connected))
            self.toolbox.add(ReadMcpResourceTool(self.connections.get, self.keeping))
        else:
            self.toolbox.remove("ListMcpResourcesTool")
            self.toolbox.remove("ReadMcpResourceTool")

    def tools_of(self, server: str) -> list[ToolPort]:
        """What a server brings now."""
        return [tool for name in self._tools.get(server, ()) if (tool := self.toolbox.get(name)) is not None]

    def connected(self) -> Sequence[Connection]:
        """The servers that can be called now."""
        return [connection for connection in self.connections.values() if connection.is_connected]

    async def tell_folders_changed(self) -> None:
        """The session works in other folders than it did."""
        await asyncio.gather(*(connection.tell_folders_changed() for connection in self.connected()))

    @property
    def prompts(self) -> Prompts:
        """What the servers offer as slash commands."""
        return Prompts(self.connected, self.keeping)

    async def call(self, server: str, tool: str, arguments: JsonObject) -> tuple[str, bool]:
        """Call a tool for a hook: its text, and whether it is an error. Raises McpFailure."""
        connection = self.connections.get(server)
        if connection is None:
            raise McpFailure(f"There is no MCP server {server!r}.")
        answer = await tool_result(await connection.call(tool, arguments), self.keeping, tool, None)
        content = answer.content
        text = content if isinstance(content, str) else "\n".join(b.text for b in content if isinstance(b, TextBlock))
        return text, answer.is_error

    def instructions(self) -> dict[str, str]:
        """What connected servers say about their use, by server: for the system prompt."""
        told = {c.config.name: c.greeting.instructions for c in self.connected()}
        return {name: text for name, text in told.items() if text}
