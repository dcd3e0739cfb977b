"""The MCP servers of a session elsewhere: answered as heard last, and asked for anew meanwhile."""

import asyncio
from collections.abc import Sequence
from typing import Literal

from rein_tui.harness.protocol.errors import ReinError
from rein_tui.harness.protocol.mcp import McpServerState, McpSuggestion
from rein_tui.harness.protocol.workbench import CommandInfo

from .link import Link
from .wire import insight_requests as ask


class RemoteMcp:
    """mcp.McpServers over a link."""

    def __init__(self, link: Link, session: str) -> None:
        self._link = link
        self._session = session
        self._view = ask.McpView()
        self._task: asyncio.Task[None] | None = None

    def states(self) -> Sequence[McpServerState]:
        """As heard last."""
        self._refresh()
        return self._view.states

    def commands(self) -> Sequence[CommandInfo]:
        """As heard last."""
        self._refresh()
        return self._view.commands

    def _refresh(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self.look())

    async def look(self) -> None:
        """Ask how they are now; when nobody answers, what was heard last stays."""
        try:
            self._view = await self._link.ask(ask.ListMcp(session=self._session), ask.McpView)
        except ReinError:
            return

    async def suggest(self, query: str) -> Sequence[McpSuggestion]:
        """Asked there; nothing when nobody answers."""
        try:
            return await self._link.ask(ask.SuggestMcp(session=self._session, query=query), tuple[McpSuggestion, ...])
        except ReinError:
            return ()

    async def reconnect(self, name: str) -> None:
        """Start a server anew there."""
        await self._do(name, "reconnect")

    async def log_out(self, name: str) -> None:
        """Forget its login there."""
        await self._do(name, "log_out")

    async def approve(self, name: str) -> None:
        """Let a project's server run there."""
        await self._do(name, "approve")

    async def deny(self, name: str) -> None:
        """Never run it there."""
        await self._do(name, "deny")

    async def switch(self, name: str, on: bool) -> None:
        """Switch it off there, or on again."""
        await self._do(name, "on" if on else "off")

    async def _do(self, name: str, action: Literal["reconnect", "log_out", "approve", "deny", "on", "off"]) -> None:
        await self._link.ask(ask.McpDo(session=self._session, name=name, action=action), object)
        await self.look()
