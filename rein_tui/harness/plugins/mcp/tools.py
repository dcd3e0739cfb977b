"""The tools that servers bring, and the two by which a model looks at their resources."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from ...protocol.base import JsonObject
from ...protocol.messages import ToolSpec
from ...protocol.tools import InvalidInput, ToolContext, ToolResult
from ...tools.base import SchemaTool, failed
from .approval import ToolWords
from .calls import Call
from .connection import Connection
from .failures import McpFailure
from .names import tool_name
from .results import Keeping, resource_block, tool_result
from .schema import flattened

if TYPE_CHECKING:
    from mcp.types import Resource, ResourceTemplate, Tool

LONGEST_DESCRIPTION = 2048
"""Characters of a tool's description, and of a server's instructions."""

_QUOTED = 200


def read_only(tool: "Tool") -> bool:
    """Whether the server says that the tool changes nothing. Decides only what may run side by side."""
    return bool(tool.annotations is not None and tool.annotations.read_only_hint)


def words_of(tool: "Tool") -> ToolWords:
    """What a tool says of itself: a change of it asks a person once more."""
    return ToolWords(tool.name, tool.description or "", tool.input_schema)


def usable(connection: Connection) -> "list[Tool]":
    """The tools of a server that a model can be offered; its log says what is left out, and why."""
    if not connection.is_connected:
        return []
    found: dict[str, Tool] = {}
    for tool in connection.lists.tools:
        name = tool_name(connection.config.name, tool.name)
        if not tool.name.strip():
            why = "it has no name"
        elif name in found:
            why = f"for models it has the name of {found[name].name}"
        elif tool.execution is not None and tool.execution.task_support == "required":
            why = "it runs as a task only, which is not supported"
        else:
            found[name] = tool
            continue
        connection.log.note(f"[the tool {tool.name} is left out: {why}]")
    return list(found.values())


def spec_of(server: str, tool: "Tool") -> ToolSpec:
    """A server's tool as the model sees it."""
    return ToolSpec(
        name=tool_name(server, tool.name),
        description=(tool.description or tool.title or "")[:LONGEST_DESCRIPTION],
        input_schema=flattened(tool.input_schema),
        source=f"mcp:{server}",
    )


class McpTool(SchemaTool):
    """One tool of a server.

    `said_before` is what it said of itself when it was last used, where that was something else (None: it was not):
    a person decides once more then, and `accept` hears of it.
    """

    def __init__(
        self,
        connection: Connection,
        tool: "Tool",
        keeping: Keeping,
        *,
        said_before: str | None = None,
        accept: Callable[[ToolWords], None] = lambda words: None,
    ) -> None:
        can_wait = not connection.config.always_load
        super().__init__(spec_of(connection.config.name, tool), read_only=read_only(tool), can_wait=can_wait)
        self.tool = tool
        self._said_before = said_before
        self._connection = connection
        self._keeping = keeping
        self._accept = accept

    @property
    def is_changed(self) -> bool:
        """Whether it is not what it was when it was last used."""
        return self._said_before is not None

    @property
    def caution(self) -> str:
        """That it has changed, and how."""
        if self._said_before is None:
            return ""
        now = (self.tool.description or "")[:_QUOTED]
        if not self._said_before or self._said_before[:_QUOTED] == now:
            return f"{self.tool.name} is not what it was when it was last used: its description or its values changed."
        return f"{self.tool.name} has changed. It said: “{self._said_before[:_QUOTED]}” Now it says: “{now}”"

    @property
    def requires_person(self) -> bool:
        """Whether the server wants a person asked each time, or the tool has changed since somebody was."""
        return self.is_changed or (self.tool.meta or {}).get("anthropic/requiresUserInteraction") is True

    def is_of(self, connection: Connection) -> bool:
        """Whether this connection offers it."""
        return self._connection is connection

    async def run(self, value: JsonObject, context: ToolContext) -> ToolResult:
        """Call it. What the server says is the result; a server that fails is one too."""
        if self.is_changed:  # it runs, so a person has just said yes to what it is now
            self._said_before = None
            self._accept(words_of(self.tool))
        call = Call(context.call_id, context.emit)
        try:
            answer = await self._connection.call(self.tool.name, value, call)
        except McpFailure as problem:
            return failed(problem.message)
        return await tool_result(answer, self._keeping, self.name, self.tool.meta)


class ListMcpResourcesTool(SchemaTool):
    """Lists the resources of all servers, or of one."""

    def __init__(self, connections: Callable[[], Sequence[Connection]]) -> None:
        schema = {"type": "object", "properties": {"server": {"type": "string", "description": "only of this one"}}}
        text = (
            "Lists the resources that connected MCP servers offer: server, uri, name and description. "
            "A uriTemplate becomes a uri when its {variables} are filled in."
        )
        super().__init__(ToolSpec(name="ListMcpResourcesTool", description=text, input_schema=schema), read_only=True)
        self._connections = connections

    async def run(self, value: JsonObject, context: ToolContext) -> ToolResult:
        """List them."""
        wanted = value.get("server")
        found: list[JsonObject] = []
        for connection in self._connections():
            if not wanted or connection.config.name == wanted:
                found += [_about(connection, "uri", each.uri, each) for each in connection.lists.resources]
                found += [_about(connection, "uriTemplate", t.uri_template, t) for t in connection.lists.templates]
        lines = [msgspec.json.encode(resource).decode() for resource in found]
        return ToolResult(content="\n".join(lines) or "There are no resources.", response={"resources": found})


def _about(connection: Connection, key: str, uri: str, found: "Resource | ResourceTemplate") -> JsonObject:
    about = {"name": found.name, "mimeType": found.mime_type or "", "description": (found.description or "")[:300]}
    return {"server": connection.config.name, key: uri, **about}


class ReadMcpResourceTool(SchemaTool):
    """Reads one resource of a server."""

    def __init__(self, find: Callable[[str], Connection | None], keeping: Keeping) -> None:
        properties = {"server": {"type": "string"}, "uri": {"type": "string"}}
        schema = {"type": "object", "properties": properties, "required": ["server", "uri"]}
        text = "Reads a resource of an MCP server by its uri, as ListMcpResourcesTool lists it."
        super().__init__(ToolSpec(name="ReadMcpResourceTool", description=text, input_schema=schema), read_only=True)
        self._find = find
        self._keeping = keeping

    def parse(self, raw: JsonObject) -> JsonObject:
        """Server and uri, both texts. Raises InvalidInput."""
        value = super().parse(raw)
        if not all(isinstance(value[key], str) for key in ("server", "uri")):
            raise InvalidInput("ReadMcpResourceTool: server and uri must be texts")
        return value

    async def run(self, value: JsonObject, context: ToolContext) -> ToolResult:
        """Read it."""
        connection = self._find(value["server"])
        if connection is None:
            return failed(f"There is no MCP server {value['server']!r}.")
        try:
            answer = await connection.read(value["uri"])
        except McpFailure as problem:
            return failed(problem.message)
        limit = self._keeping.limit(None)
        blocks = [await resource_block(each, self._keeping, "resource", limit) for each in answer.contents]
        return ToolResult(content=tuple(blocks) or "The resource is empty.")
