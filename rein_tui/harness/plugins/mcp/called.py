"""A server as those see it who call it: they wait for an answer, or learn why there is none."""

import asyncio
import time
from collections.abc import Awaitable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ...protocol.base import JsonObject
from ...protocol.mcp import McpCondition
from .calls import Call, Calls
from .config import ServerConfig
from .dial import Dial
from .failures import McpFailure, in_words, means_lost, sdk_errors

if TYPE_CHECKING:
    from mcp.client import Client
    from mcp.types import (
        CallToolResult,
        CompleteResult,
        GetPromptResult,
        PromptReference,
        ReadResourceResult,
        ResourceTemplateReference,
    )


class Called:
    """The end of a connection that calls go through. An error that means its loss is kept in `_lost`."""

    def __init__(self, config: ServerConfig, dial: Dial) -> None:
        self.config = config
        self.condition: McpCondition = "disabled"
        self.error = ""
        self.hint = ""
        self.client: Client | None = None
        self._dial = dial
        self._calls = Calls(dial.idle_timeout)
        self._wake = asyncio.Event()
        self._lost = ""

    @property
    def is_connected(self) -> bool:
        """Whether it can be called now."""
        return self.condition == "connected" and self.client is not None

    async def call(self, tool: str, arguments: JsonObject, call: Call | None = None) -> "CallToolResult":
        """Run a tool. Raises McpFailure. Cancelling tells the server."""
        client, call = self._ready(), call or Call()
        limit = self.config.call_timeout or self._dial.call_timeout
        return await self._guarded(client.call_tool(tool, arguments, limit, call.progress), call, f"the tool {tool}")

    async def read(self, uri: str) -> "ReadResourceResult":
        """Read a resource. Raises McpFailure."""
        return await self._guarded(self._ready().read_resource(uri), Call(), f"the resource {uri}")

    async def prompt(self, name: str, arguments: dict[str, str]) -> "GetPromptResult":
        """Fill in a prompt. Raises McpFailure."""
        return await self._guarded(self._ready().get_prompt(name, arguments), Call(), f"the prompt {name}")

    async def complete(
        self, reference: "PromptReference | ResourceTemplateReference", name: str, value: str, before: dict[str, str]
    ) -> list[str]:
        """What an argument of a prompt or a template may become, `before` being settled. Raises McpFailure."""
        client = self._ready()
        if client.server_capabilities.completions is None:
            return []
        work = client.complete(reference, {"name": name, "value": value}, before or None)
        answer: CompleteResult = await self._guarded(work, Call(), f"completing {name}")
        return answer.completion.values

    async def tell_folders_changed(self) -> None:
        """The session works in other folders than it did: the server may ask which. It need not care."""
        from mcp.types import RootsListChangedNotification

        if self.client is not None and self.is_connected:
            with suppress(*sdk_errors()):
                await self.client.session.send_notification(RootsListChangedNotification())

    def _ready(self) -> "Client":
        if self.client is None or not self.is_connected:
            state = self.error or self.condition.replace("_", " ")
            raise McpFailure(f"The MCP server {self.config.name} is not connected: {state}", hint="See /mcp.")
        return self.client

    async def _guarded(self, work: Awaitable[Any], call: Call, what: str) -> Any:
        try:
            async with self._calls.running(call):
                return await work
        except sdk_errors() as problem:
            silent = f"nothing was heard of it for {time.monotonic() - call.heard:.0f} s"
            text = silent if isinstance(problem, TimeoutError) else self._lost or in_words(problem)
            if means_lost(problem):
                self._lost = self._lost or text
                self._wake.set()
            raise McpFailure(f"The MCP server {self.config.name} failed at {what}: {text}") from problem
