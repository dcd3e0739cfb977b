"""Our request → the body of a Chat Completions request. Pure.

Thinking is left out (templates of local models do not want it back), ids are kept, images become data URLs, or a
note where the model cannot see. Roles alternate, because many chat templates insist on it.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from ..protocol.base import JsonObject
from ..protocol.messages import ImageBlock, Message, TextBlock, ToolResultBlock, ToolSpec, ToolUseBlock
from ..protocol.ports import ModelRequest
from .base import safe_id

DROPPABLE = (
    "stream_options",
    "reasoning_effort",
    "temperature",
    "parallel_tool_calls",
    "tool_choice",
    "max_tokens",
)
"""Fields that a server may refuse without the request losing its sense; `max_tokens` has a younger name."""


def encode_request(request: ModelRequest, *, vision: bool = True, refused: frozenset[str] = frozenset()) -> JsonObject:
    """The body, with `stream`. `refused` are fields that this server has turned down before."""
    body: JsonObject = {
        "model": request.model,
        "messages": encode_messages(request.system, request.messages, vision=vision),
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    tools = [tool for tool in request.tools if not request.forced_tool or tool.name == request.forced_tool]
    if tools:
        body["tools"] = encode_tools(tools)
    if request.forced_tool and tools:
        # A named choice is quietly taken for "auto" by llama.cpp: offer that one tool and require a call.
        body["tool_choice"] = "required"
    if request.forced_schema is not None:
        wanted = {"name": "answer", "schema": request.forced_schema, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": wanted}
    if request.max_tokens:
        body["max_completion_tokens" if "max_tokens" in refused else "max_tokens"] = request.max_tokens
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.effort:
        body["reasoning_effort"] = request.effort
    if request.stop:
        body["stop"] = list(request.stop)
    return {key: value for key, value in body.items() if key not in refused}


def encode_tools(tools: Iterable[ToolSpec]) -> list[JsonObject]:
    """Tools as functions."""
    return [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": tool.input_schema},
        }
        for tool in tools
    ]


def encode_messages(system: str, messages: Iterable[Message], *, vision: bool) -> list[JsonObject]:
    """System prompt first; results as `tool` messages; neighbours of one role joined."""
    encoded: list[JsonObject] = [{"role": "system", "content": system}] if system else []
    for message in messages:
        if message.role == "assistant":
            encoded.extend(_assistant(message))
            continue
        results = [block for block in message.blocks if isinstance(block, ToolResultBlock)]
        encoded.extend(_result(block, vision) for block in results)
        parts = _seen_in(results) if vision else []
        for block in message.blocks:
            if isinstance(block, TextBlock) and block.text.strip():
                parts.append({"type": "text", "text": block.text})
            elif isinstance(block, ImageBlock):
                parts.append(_image(block) if vision else {"type": "text", "text": image_note(block)})
        if parts:
            _join(encoded, parts)
    for message in encoded:
        message["content"] = _plain(message["content"])
    return encoded


def image_note(block: ImageBlock) -> str:
    """What stands for an image where the model cannot see it."""
    return f"[image {block.name or block.media_type}: not shown, this model takes no images]"


def result_text(block: ToolResultBlock, *, vision: bool) -> str:
    """A result as text; images in it are named."""
    if isinstance(block.content, str):
        text = block.content
    else:
        named = "[image: see below]" if vision else ""
        text = "\n".join(b.text if isinstance(b, TextBlock) else named or image_note(b) for b in block.content)
    if block.is_error and not text.lower().startswith("error"):
        text = f"Error: {text}"
    return text


def _assistant(message: Message) -> list[JsonObject]:
    encoded: JsonObject = {"role": "assistant", "content": message.text}
    calls = [_call(block) for block in message.tool_uses]
    if calls:
        encoded["tool_calls"] = calls
    return [encoded] if calls or message.text.strip() else []


def _call(block: ToolUseBlock) -> JsonObject:
    arguments = msgspec.json.encode(block.input).decode()
    return {"id": safe_id(block.id), "type": "function", "function": {"name": block.name, "arguments": arguments}}


def _result(block: ToolResultBlock, vision: bool) -> JsonObject:
    content = result_text(block, vision=vision)
    return {"role": "tool", "tool_call_id": safe_id(block.tool_use_id), "content": content or "(no output)"}


def _seen_in(results: Iterable[ToolResultBlock]) -> list[JsonObject]:
    """Images of results, for a user message after them: `tool` messages hold text only."""
    return [
        _image(block)
        for result in results
        if not isinstance(result.content, str)
        for block in result.content
        if isinstance(block, ImageBlock)
    ]


def _image(block: ImageBlock) -> JsonObject:
    return {"type": "image_url", "image_url": {"url": f"data:{block.media_type};base64,{block.data}"}}


def _join(encoded: list[JsonObject], parts: list[JsonObject]) -> None:
    if encoded and encoded[-1]["role"] == "user":
        encoded[-1]["content"] += parts
    else:
        encoded.append({"role": "user", "content": parts})


def _plain(content: Any) -> Any:
    """Text alone goes as a string: not every server takes parts."""
    if isinstance(content, str) or any(part["type"] != "text" for part in content):
        return content
    return "\n\n".join(part["text"] for part in content)
