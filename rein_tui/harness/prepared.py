"""A call as parsed: its tool found, its input understood, nothing run yet."""

from dataclasses import dataclass
from typing import Any

from .parts import Parts
from .protocol.base import JsonObject
from .protocol.messages import ToolUseBlock
from .protocol.tools import InvalidInput, Tool


@dataclass(frozen=True, slots=True)
class Prepared:
    """A call as parsed, before anything happened. `problem` is set when it cannot run; then `tool` may be None."""

    use: ToolUseBlock
    input: JsonObject
    tool: Tool | None = None
    value: Any = None
    summary: str = ""
    read_only: bool = False
    repaired: bool = False
    problem: str = ""


def prepare(use: ToolUseBlock, parts: Parts, *, repaired: bool = False) -> Prepared:
    """Look the tool up and parse the input; what is wrong is written for the model."""
    if use.malformed:
        problem = f"The input of {use.name} is not one JSON object, so nothing was run: {use.malformed[:500]}"
        return Prepared(use=use, input={}, summary=use.name, problem=problem)
    tool = parts.tools.get(use.name)
    if tool is None or tool.name in parts.permissions.removed_tools():
        known = ", ".join(s.name for s in parts.tools.specs(parts.permissions.removed_tools()))
        problem = f"There is no tool {use.name!r}. Tools: {known}."
        return Prepared(use=use, input=use.input, summary=use.name, problem=problem)
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
