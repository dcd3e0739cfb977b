"""Our request → the body of a Messages API request. Pure: no SDK, no network.

Cache breakpoints (four are allowed): after the tools, after the system prompt, and at the ends of the last two
user messages, so that the next step reads everything up to here, however many results it adds.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import msgspec

from ..protocol.base import JsonObject
from ..protocol.messages import (
    Block,
    ImageBlock,
    Message,
    RedactedThinkingBlock,
    ResultContent,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
)
from ..protocol.models import ModelRequest
from .base import safe_id
from .memo import Memo

EFFORTS = ("low", "medium", "high", "xhigh", "max")
AuthHeader: TypeAlias = Literal["bearer", "x-api-key", "both"]
"""The header that carries the key; `both` where a gateway may want either."""

_CACHED = {"type": "ephemeral"}
_LEAST_BUDGET = 1024
_THINKING = frozenset({"thinking", "redacted_thinking"})


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the model takes. `refused` may hold adaptive (older models think with a budget), effort, thinking, …"""

    max_tokens: int
    refused: frozenset[str] = frozenset()
    cached: bool = True


def encode_request(request: ModelRequest, dialect: Dialect) -> JsonObject:
    """The body, without `stream`."""
    limit = min(request.max_tokens or dialect.max_tokens, dialect.max_tokens)
    messages = encode_messages(_kept(request.messages, dialect), cached=dialect.cached)
    body: JsonObject = {"model": request.model, "max_tokens": limit, "messages": messages}
    if request.system:
        body["system"] = [_with_cache({"type": "text", "text": request.system}, dialect.cached)]
    if request.tools:
        body["tools"] = _tools(request, dialect.cached)
    if request.forced_tool:
        body["tool_choice"] = {"type": "tool", "name": request.forced_tool}
    elif request.thinking and "thinking" not in dialect.refused:  # a forced tool and thinking exclude each other
        thinking = _thinking(limit, dialect)
        if thinking["type"] == "adaptive" or (limit > _LEAST_BUDGET and _may_begin_to_think(messages)):
            body["thinking"] = thinking
    if output := _output(request, dialect):
        body["output_config"] = output
    if request.stop:
        body["stop_sequences"] = list(request.stop)
    if request.temperature is not None and "thinking" not in body and "temperature" not in dialect.refused:
        body["temperature"] = request.temperature
    return body


def encode_messages(messages: Iterable[Message], *, cached: bool) -> list[JsonObject]:
    """Messages as the API accepts them: roles alternate, no blank text, results first in their message."""
    encoded: list[JsonObject] = []
    for message in messages:
        for item in _MEMO.get(message, _encoded):
            if encoded and encoded[-1]["role"] == item["role"]:
                encoded[-1] = _of(item["role"], [*encoded[-1]["content"], *item["content"]])
            else:
                encoded.append(item)
    if cached:
        for number in [n for n, item in enumerate(encoded) if item["role"] == "user"][-2:]:
            *before, last = encoded[number]["content"]
            encoded[number] = _of("user", [*before, _with_cache(last, cached=True)])
    return encoded


def encode_body(body: JsonObject) -> bytes:
    """What `encode_request` made, as bytes for sending."""
    return _MEMO.body(body)


_MEMO = Memo()


def _encoded(message: Message) -> list[JsonObject]:
    """One message; nothing when it only thinks."""
    content = [part for block in message.blocks if (part := _block(block)) is not None]
    while content and content[-1]["type"] in _THINKING:
        content.pop()  # a message that broke off may end in thinking, which the API refuses
    return [_of(message.role, content)] if content else []


def _of(role: str, content: list[JsonObject]) -> JsonObject:
    return {"role": role, "content": sorted(content, key=_results_first)}


def _kept(messages: tuple[Message, ...], dialect: Dialect) -> tuple[Message, ...]:
    """Without thinking where the model does not take another one's signatures."""
    if "signature" not in dialect.refused:
        return messages
    thinking = (ThinkingBlock, RedactedThinkingBlock)
    return tuple(
        msgspec.structs.replace(m, blocks=tuple(b for b in m.blocks if not isinstance(b, thinking))) for m in messages
    )


def _results_first(part: JsonObject) -> bool:
    return part["type"] != "tool_result"


def _block(block: Block) -> JsonObject | None:
    match block:
        case TextBlock(text=text):
            return {"type": "text", "text": text} if text.strip() else None
        case ImageBlock():
            return _image(block)
        case ToolUseBlock():
            return {"type": "tool_use", "id": safe_id(block.id), "name": block.name, "input": block.input}
        case ToolResultBlock():
            return _result(block)
        case ThinkingBlock(thinking=thinking, signature=signature):
            # Without a signature it is another model's thinking, which the API refuses.
            return {"type": "thinking", "thinking": thinking, "signature": signature} if signature else None
        case RedactedThinkingBlock(data=data):
            return {"type": "redacted_thinking", "data": data}


def _result(block: ToolResultBlock) -> JsonObject:
    encoded: JsonObject = {"type": "tool_result", "tool_use_id": safe_id(block.tool_use_id)}
    if content := _result_content(block.content):
        encoded["content"] = content
    if block.is_error:
        encoded["is_error"] = True
    return encoded


def _result_content(content: ResultContent) -> str | list[JsonObject]:
    if isinstance(content, str):
        return content if content.strip() else ""
    return [part for block in content if (part := _block(block)) is not None]


def _image(block: ImageBlock) -> JsonObject:
    source = {"type": "base64", "media_type": block.media_type, "data": block.data}
    return {"type": "image", "source": source}


def _tools(request: ModelRequest, cached: bool) -> list[JsonObject]:
    tools: list[JsonObject] = [
        {"name": tool.name, "description": tool.description, "input_schema": tool.input_schema}
        for tool in request.tools
    ]
    tools[-1] = _with_cache(tools[-1], cached)
    return tools


def _with_cache(part: JsonObject, cached: bool) -> JsonObject:
    return {**part, "cache_control": _CACHED} if cached else part


def _thinking(limit: int, dialect: Dialect) -> dict[str, Any]:
    if "adaptive" not in dialect.refused:
        return {"type": "adaptive", "display": "summarized"}
    return {"type": "enabled", "budget_tokens": max(_LEAST_BUDGET, min(16_000, limit // 2))}


def _may_begin_to_think(messages: list[JsonObject]) -> bool:
    """Thinking with a budget wants a turn that calls tools to have begun so; one of another model may not have."""
    if len(messages) < 2 or messages[-1]["content"][0]["type"] != "tool_result":
        return True
    return messages[-2]["content"][0]["type"] in _THINKING


def _output(request: ModelRequest, dialect: Dialect) -> JsonObject:
    output: JsonObject = {}
    if request.effort in EFFORTS and "effort" not in dialect.refused:
        output["effort"] = request.effort
    if request.forced_schema is not None:
        output["format"] = {"type": "json_schema", "schema": request.forced_schema}
    return output
