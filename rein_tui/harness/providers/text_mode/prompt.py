"""A request as a model without native calls should see it: tools, one worked example and the history as text."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

from msgspec import structs

from ...protocol.base import JsonObject
from ...protocol.messages import (
    Block,
    ImageBlock,
    Message,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolSpec,
    ToolUseBlock,
)
from ...protocol.models import ModelRequest
from .forms import Form

CORE = ("Bash", "Read", "Edit", "Write", "Grep", "Glob")
"""The built-in tools that a small model gets; tools that a person added stay, and those that say it briefly."""

_MOST_PARAMETERS = 5
_LONGEST_LINE = 160
RESULT = "Tool result for "
_TEMPERATURE = 0.1


def slim(tools: Iterable[ToolSpec]) -> tuple[ToolSpec, ...]:
    """The tools for a small model: few, one line each, flat schemas of at most five parameters."""
    return tuple(_lean(tool) for tool in tools if tool.source != "builtin" or tool.brief or tool.name in CORE)


def _lean(tool: ToolSpec) -> ToolSpec:
    said = tool.brief or _one_line(tool.description)
    return structs.replace(tool, description=said, input_schema=flat(tool.input_schema))


def flat(schema: JsonObject) -> JsonObject:
    """A schema without nesting, unions or descriptions; the required parameters first, five at most."""
    fields = cast(dict[str, JsonObject], schema.get("properties", {}))
    required = [name for name in cast(list[str], schema.get("required", [])) if name in fields]
    names = [*required, *(name for name in fields if name not in required)][: max(_MOST_PARAMETERS, len(required))]
    return {
        "type": "object",
        "properties": {name: _plain(fields[name]) for name in names},
        "required": required,
    }


def _plain(field: JsonObject) -> JsonObject:
    kept: JsonObject = {key: field[key] for key in ("type", "enum") if key in field}
    if kept.get("type") == "array":
        items = cast(JsonObject, field.get("items") or {})
        kept["items"] = {"type": items["type"]} if isinstance(items.get("type"), str) else {}
    if not kept:
        choices = cast(list[JsonObject], field.get("anyOf") or field.get("oneOf") or [{}])
        kept = {"type": choices[0].get("type", "string")}
    return kept


def _one_line(text: str) -> str:
    line = text.strip().partition("\n")[0]
    sentence, dot, _ = line.partition(". ")
    return (sentence + dot.strip())[:_LONGEST_LINE]


def as_text(request: ModelRequest, form: Form, *, small: bool) -> ModelRequest:
    """The request with its tools and calls as text in this form."""
    tools = slim(request.tools) if small else request.tools
    if request.forced_tool:
        tools = tuple(tool for tool in request.tools if tool.name == request.forced_tool)
    constrained = request.forced_schema is not None
    described = describe(tools, form, small=small)
    return structs.replace(
        request,
        system="\n\n".join(part for part in (request.system, described) if part),
        messages=tuple(history(request.messages, form)),
        tools=(),
        forced_tool="",
        temperature=_TEMPERATURE if request.temperature is None else request.temperature,
        stop=request.stop if constrained else (*request.stop, *form.stops, f"\n{RESULT}"),
    )


def both_ways(request: ModelRequest, form: Form) -> ModelRequest:
    """The request with its tools as tools and, in a line each, in the prompt: for a server that may leave them out."""
    described = describe([_lean(tool) for tool in request.tools], form, small=True, lead=_UNHEARD)
    return structs.replace(request, system="\n\n".join(part for part in (request.system, described) if part))


_LEAD = "To call a tool, write the call exactly in this form and stop; its result comes in the next message:"
_UNHEARD = (
    "Call these tools the way you were given them. Only if you were given none: write the call exactly in this form and"
    " stop; its result comes in the next message:"
)


def describe(tools: Sequence[ToolSpec], form: Form, *, small: bool, lead: str = _LEAD) -> str:
    """The part of the system prompt about tools, with one worked example."""
    if not tools:
        return ""
    listed = "\n".join(signature(tool) if small else _whole(tool) for tool in tools)
    shown = next((tool for name in ("Read", "Glob", "Bash") for tool in tools if tool.name == name), tools[0])
    call = form.write([(shown.name, example(shown))])
    return "\n".join(
        (
            "# Tools",
            "",
            listed,
            "",
            lead,
            "",
            call,
            "",
            "Example:",
            "User: What does README.md say?" if shown.name == "Read" else f"User: Use {shown.name}.",
            f"Assistant: {call}",
            f"User: {RESULT}{shown.name}:",
            "# Demo" if shown.name == "Read" else "ok",
            "Assistant: It is the heading “Demo”." if shown.name == "Read" else "Assistant: It worked.",
            "",
            "One call a message, then stop. Never write a result yourself. When the task is done, answer in words.",
        )
    )


def signature(tool: ToolSpec) -> str:
    """A tool in one line: `Read(file_path: string, limit?: integer): what it does`."""
    fields = cast(dict[str, JsonObject], tool.input_schema.get("properties", {}))
    required = cast(list[str], tool.input_schema.get("required", []))
    words = [f"{name}{'' if name in required else '?'}: {_type(field)}" for name, field in fields.items()]
    return f"- {tool.name}({', '.join(words)}): {tool.description}"


def _type(field: JsonObject) -> str:
    if "enum" in field:
        return " | ".join(json.dumps(choice) for choice in field["enum"])
    return str(field.get("type", "any"))


def _whole(tool: ToolSpec) -> str:
    return json.dumps(
        {"name": tool.name, "description": tool.description, "parameters": tool.input_schema}, ensure_ascii=False
    )


_SAMPLES: dict[str, Any] = {
    "file_path": "README.md",
    "command": "ls",
    "pattern": "*.py",
    "path": ".",
    "url": "https://…",
}


def example(tool: ToolSpec) -> JsonObject:
    """Arguments that fit the tool's schema: what is required, with plain values."""
    fields = cast(dict[str, JsonObject], tool.input_schema.get("properties", {}))
    names = cast(list[str], tool.input_schema.get("required", [])) or list(fields)[:1]
    return {name: _sample(name, fields.get(name, {})) for name in names}


def _sample(name: str, field: JsonObject) -> Any:
    if field.get("enum"):
        return field["enum"][0]
    by_type: dict[str, Any] = {"integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}
    kind = str(field.get("type", "string"))
    return by_type[kind] if kind in by_type else _SAMPLES.get(name, "…")


def history(messages: Iterable[Message], form: Form) -> Iterator[Message]:
    """The conversation with calls and results as text."""
    names: dict[str, str] = {}
    for message in messages:
        names |= {call.id: call.name for call in message.tool_uses}
        blocks = tuple(_said(message, form, names))
        if blocks:
            yield structs.replace(message, blocks=blocks)


def _said(message: Message, form: Form, names: dict[str, str]) -> Iterator[Block]:
    calls: list[ToolUseBlock] = []
    for block in message.blocks:
        match block:
            case ToolUseBlock():
                calls.append(block)
            case ToolResultBlock():
                yield from _result(block, names.get(block.tool_use_id, "the tool"))
            case ThinkingBlock():
                pass
            case _:
                yield block
    if calls:
        yield TextBlock(text=form.write([(call.name, call.input) for call in calls]))


def _result(block: ToolResultBlock, name: str) -> Iterator[Block]:
    parts = (TextBlock(text=block.content),) if isinstance(block.content, str) else block.content
    text = "\n".join(part.text for part in parts if isinstance(part, TextBlock)) or "(no output)"
    failed = " (error)" if block.is_error else ""
    yield TextBlock(text=f"{RESULT}{name}{failed}:\n{text}")
    yield from (part for part in parts if isinstance(part, ImageBlock))
