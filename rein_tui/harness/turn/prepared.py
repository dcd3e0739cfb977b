"""A call as parsed: its tool found, its input understood, nothing run yet."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from ..protocol.base import JsonObject
from ..protocol.messages import ToolUseBlock
from ..protocol.tools import InvalidInput, Tool
from .parts import Parts

_CLOSEST = 20
"""Tools of a server that a model is told of which asked for one that is not there."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A call as parsed, before anything happened. `problem` is set when it cannot run; then `tool` may be None."""

    use: ToolUseBlock
    input: JsonObject
    tool: Tool | None = None
    value: Any = None
    summary: str = ""
    read_only: bool = False
    repaired: str = ""
    problem: str = ""


def prepare(use: ToolUseBlock, parts: Parts, *, repaired: str = "") -> Prepared:
    """Look the tool up and parse the input; what is wrong is written for the model."""
    if use.malformed:
        problem = f"The input of {use.name} is not one JSON object, so nothing was run: {use.malformed[:500]}"
        return Prepared(use=use, input={}, summary=use.name, problem=problem)
    tool = parts.tools.get(use.name)
    if tool is None or tool.name in parts.removed_tools():
        known = [spec.name for spec in parts.tools.specs(parts.removed_tools())]
        return Prepared(use=use, input=use.input, summary=use.name, problem=_missing(use.name, known))
    raw = tool.normalize(use.input, parts.workspace)
    try:
        value = tool.parse(raw)
    except InvalidInput as error:
        return Prepared(use=use, input=raw, tool=tool, summary=tool.name, problem=str(error))
    return Prepared(
        use=use,
        input=raw,
        tool=tool,
        value=value,
        summary=tool.summarize(value),
        read_only=tool.is_read_only(value),
        repaired=repaired,
    )


def _missing(name: str, known: list[str]) -> str:
    """What a model is told that asked for a tool which is not there; hundreds of servers' tools are not listed."""
    if name.startswith("mcp__"):
        server = name.removeprefix("mcp__").rpartition("__")[0]
        others = [other for other in known if other.startswith(f"mcp__{server}__")]
        if not others:
            return f"There is no tool {name!r}: no MCP server {server!r} is connected now."
        close = get_close_matches(name, others, n=_CLOSEST, cutoff=0) if len(others) > _CLOSEST else others
        more = f", and {len(others) - len(close)} more" if len(others) > len(close) else ""
        return f"There is no tool {name!r}. Tools of that server: {', '.join(close)}{more}."
    own = [other for other in known if not other.startswith("mcp__")]
    more = f", and {len(known) - len(own)} of MCP servers" if len(own) < len(known) else ""
    return f"There is no tool {name!r}. Tools: {', '.join(own)}{more}."
