"""Results in the shapes that hooks and readers of transcripts know. Knows nothing of who asks for them."""

from collections.abc import Sequence

import msgspec

from ..protocol.base import JsonObject
from ..protocol.messages import Block, ImageBlock, ResultContent, TextBlock


def api_block(block: Block) -> JsonObject:
    """A block as Claude's API writes it."""
    if isinstance(block, ImageBlock):
        return {"type": "image", "source": {"type": "base64", "media_type": block.media_type, "data": block.data}}
    plain: JsonObject = msgspec.to_builtins(block)
    if plain["type"] == "tool_use":
        plain.setdefault("input", {})
        plain.pop("malformed", None)
    return plain


def api_content(content: ResultContent, added: Sequence[str] = ()) -> str | list[JsonObject]:
    """What a `tool_result` block holds: the model's text, or blocks; `added` are texts of hooks beside it."""
    if isinstance(content, str):
        return "\n\n".join([content, *added]) if added else content
    return [api_block(block) for block in content] + [{"type": "text", "text": text} for text in added]


def tool_response(tool: str, response: JsonObject | None, content: ResultContent) -> object:
    """The `tool_response` of a call that worked: the tool's own object; of an MCP server's tool its content blocks."""
    if tool.startswith("mcp__") and response is not None and isinstance(response.get("content"), list):
        return response["content"]
    return response if response is not None else {"content": text_of(content)}


def text_of(content: ResultContent) -> str:
    """The text alone, without images."""
    return content if isinstance(content, str) else "\n".join(b.text for b in content if isinstance(b, TextBlock))
