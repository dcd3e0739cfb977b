"""Our request → the body of a Chat Completions request. Pure.

Thinking is left out (templates of local models do not want it back), ids are kept, images become data URLs, or a
note where the model cannot see. Roles alternate, because many chat templates insist on it.
"""

import re
from collections.abc import Iterable
from itertools import takewhile
from typing import Any

import msgspec

from ..protocol.base import JsonObject
from ..protocol.errors import ProviderError
from ..protocol.messages import ImageBlock, Message, TextBlock, ToolResultBlock, ToolSpec, ToolUseBlock
from ..protocol.models import ModelRequest, ProviderNotice
from .base import safe_id
from .memo import Memo

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
    memo = _MEMOS[vision]
    for message in messages:
        for item in memo.get(message, _with_vision if vision else _without_vision):
            if item["role"] == "user" and encoded and encoded[-1]["role"] == "user":
                encoded[-1] = _joined(encoded[-1]["content"], item["content"])
            else:
                encoded.append(item)
    return encoded


def encode_body(body: JsonObject, *, vision: bool) -> bytes:
    """What `encode_request` made, as bytes for sending."""
    return _MEMOS[vision].body(body)


_MEMOS = {True: Memo(), False: Memo()}


def _with_vision(message: Message) -> list[JsonObject]:
    return _encoded(message, vision=True)


def _without_vision(message: Message) -> list[JsonObject]:
    return _encoded(message, vision=False)


def _encoded(message: Message, *, vision: bool) -> list[JsonObject]:
    """One message: results as `tool` messages, then what else a user message says."""
    if message.role == "assistant":
        return _assistant(message)
    results = [block for block in message.blocks if isinstance(block, ToolResultBlock)]
    encoded = [_result(block, vision) for block in results]
    parts = _seen_in(results) if vision else []
    for block in message.blocks:
        if isinstance(block, TextBlock) and block.text.strip():
            parts.append({"type": "text", "text": block.text})
        elif isinstance(block, ImageBlock):
            parts.append(_image(block) if vision else {"type": "text", "text": image_note(block)})
    return [*encoded, {"role": "user", "content": _plain(parts)}] if parts else encoded


def blind_notice(request: ModelRequest) -> ProviderNotice | None:
    """What a person is told whose model cannot see an image that came since it last answered."""
    since = takewhile(lambda message: message.role == "user", reversed(request.messages))
    shown = [block for message in since for block in message.blocks if isinstance(block, ImageBlock | ToolResultBlock)]
    if not any(isinstance(block, ImageBlock) or _seen_in([block]) for block in shown):
        return None
    return ProviderNotice(
        text=f"{request.model} takes no images: it is told their names only.",
        hint="Choose a model with vision with /model; the image stays in the conversation.",
        code="no_vision",
    )


_ABOUT_IMAGES = re.compile(r"\bimages?\b|image_url|\bvision\b|multi-?modal|mmproj", re.IGNORECASE)


def refuses_images(error: ProviderError, request: ModelRequest) -> bool:
    """Whether the server has just said that this model takes none of the images that it was sent."""
    sent = (block for message in request.messages for block in message.blocks)
    has_any = any(isinstance(b, ImageBlock) or (isinstance(b, ToolResultBlock) and _seen_in([b])) for b in sent)
    return has_any and error.status >= 400 and _ABOUT_IMAGES.search(error.message) is not None


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


def _joined(first: Any, second: Any) -> JsonObject:
    """Two neighbours that the person's side said, as one message."""
    parts: list[Any] = [*_as_parts(first), *_as_parts(second)]
    return {"role": "user", "content": _plain(parts)}


def _as_parts(content: Any) -> list[Any]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def _plain(parts: list[Any]) -> Any:
    """Text alone goes as a string: not every server takes parts."""
    if any(part["type"] != "text" for part in parts):
        return parts
    return "\n\n".join(part["text"] for part in parts)
