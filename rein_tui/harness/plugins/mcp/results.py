"""What a server gives back, as the model gets it: text and images, bounded; what is too much goes to a file."""

import asyncio
import base64
import binascii
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...protocol.base import JsonObject
from ...protocol.displays import TextDisplay
from ...protocol.messages import ImageBlock, ResultContent, TextBlock
from ...protocol.tools import ToolResult
from ...store.files import write_private
from ...tools.documents import IMAGE_BYTES, image_type

if TYPE_CHECKING:
    from mcp.types import BlobResourceContents, CallToolResult, ContentBlock, TextResourceContents

CHARACTERS_A_TOKEN = 3.6
MOST_TOKENS = 25_000
MOST_CHARACTERS = 500_000
"""What a tool's own `anthropic/maxResultSizeChars` may ask for at most."""

_SHOWN = 20_000


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where what is too much goes, and how much text a result may hold."""

    folder: Path
    tokens: int = MOST_TOKENS

    def limit(self, meta: JsonObject | None) -> int:
        """Characters of one result; a tool may ask for more by its `_meta`."""
        wanted = (meta or {}).get("anthropic/maxResultSizeChars")
        own = round(self.tokens * CHARACTERS_A_TOKEN)
        return min(wanted, MOST_CHARACTERS) if isinstance(wanted, int) and wanted > 0 else own


async def tool_result(answer: "CallToolResult", keeping: Keeping, name: str, meta: JsonObject | None) -> ToolResult:
    """A tool's answer. The model sees its content, or its structured content where that is all there is."""
    content = await blocks_of(answer.content, keeping, name, keeping.limit(meta))
    if not content and answer.structured_content is not None:
        text = json.dumps(answer.structured_content, ensure_ascii=False)
        content = (TextBlock(text=await cut(text, keeping, name, keeping.limit(meta))),)
    shown = "\n".join(block.text if isinstance(block, TextBlock) else f"[{block.name}]" for block in content)
    response: JsonObject = {"content": [_as_json(block) for block in content]}
    if answer.structured_content is not None and len(shown) < keeping.limit(meta):
        response["structuredContent"] = answer.structured_content
    return ToolResult(
        content=_plain(content) or "(The tool gave nothing back.)",
        is_error=answer.is_error,
        display=TextDisplay(text=shown[:_SHOWN]),
        response=None if answer.is_error else response,
    )


def _plain(content: Sequence[TextBlock | ImageBlock]) -> ResultContent:
    texts = [block.text for block in content if isinstance(block, TextBlock)]
    return "\n".join(texts) if len(texts) == len(content) else tuple(content)


def _as_json(block: TextBlock | ImageBlock) -> JsonObject:
    if isinstance(block, TextBlock):
        return {"type": "text", "text": block.text}
    return {"type": "image", "mimeType": block.media_type, "data": block.data}


async def blocks_of(
    content: "Sequence[ContentBlock]", keeping: Keeping, name: str, limit: int
) -> tuple[TextBlock | ImageBlock, ...]:
    """Content as blocks: all text together within `limit`, images that models can see, everything else as a note."""
    blocks: list[TextBlock | ImageBlock] = []
    for part in content:
        block = await _block(part, keeping, name)
        last = blocks[-1] if blocks else None
        if isinstance(block, TextBlock) and isinstance(last, TextBlock):
            blocks[-1] = TextBlock(text=f"{last.text}\n{block.text}")
        else:
            blocks.append(block)
    room = limit
    for index, block in enumerate(blocks):
        if isinstance(block, TextBlock):
            blocks[index] = TextBlock(text=await cut(block.text, keeping, name, room))
            room = max(0, room - len(block.text))
    return tuple(block for block in blocks if not isinstance(block, TextBlock) or block.text)


async def _block(part: "ContentBlock", keeping: Keeping, name: str) -> TextBlock | ImageBlock:
    match part.type:
        case "text":
            return TextBlock(text=part.text)
        case "image" | "audio":
            return await _binary(part.data, part.mime_type, part.type, keeping, name)
        case "resource_link":
            about = f": {part.description}" if part.description else ""
            return TextBlock(text=f"[resource {part.name} at {part.uri}{about}]")
        case "resource":
            return await resource_block(part.resource, keeping, name)


async def resource_block(
    resource: "TextResourceContents | BlobResourceContents", keeping: Keeping, name: str, limit: int = MOST_CHARACTERS
) -> TextBlock | ImageBlock:
    """A resource's content with its address."""
    text: str | None = getattr(resource, "text", None)
    if text is not None:
        return TextBlock(text=await cut(f"[{resource.uri}]\n{text}", keeping, name, limit))
    blob: Any = getattr(resource, "blob", "")
    return await _binary(str(blob), resource.mime_type or "application/octet-stream", resource.uri, keeping, name)


async def _binary(data: str, media_type: str, what: str, keeping: Keeping, name: str) -> TextBlock | ImageBlock:
    try:
        content = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return TextBlock(text=f"[{what}: {media_type} that is no base64]")
    if (seen := image_type(content[:64])) and len(content) <= IMAGE_BYTES:
        return ImageBlock(media_type=seen, data=data, name=what)
    path = await _keep(content, keeping, name, _suffix(media_type))
    return TextBlock(text=f"[{what}: {len(content):,} bytes of {media_type}, kept in {path}]")


def _suffix(media_type: str) -> str:
    kind = re.sub(r"[^a-z0-9]", "", media_type.rpartition("/")[2].lower().partition("+")[0])
    return f".{kind[:8] or 'bin'}"


async def cut(text: str, keeping: Keeping, name: str, limit: int) -> str:
    """Text within `limit` characters; the whole of what is longer goes to a file that the model may read."""
    if len(text) <= limit:
        return text
    path = await _keep(text.encode(errors="replace"), keeping, name, ".txt")
    note = f"[{len(text):,} characters are more than fits; the whole is in {path}. Read it in parts, or search it.]"
    return f"{text[:limit]}\n{note}" if limit else note


async def _keep(content: bytes, keeping: Keeping, name: str, suffix: str) -> Path:
    stem = re.sub(r"[^A-Za-z0-9_-]", "_", name)[:80]
    return await asyncio.to_thread(_write, keeping.folder, stem, suffix, content)


def _write(folder: Path, stem: str, suffix: str, content: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    number = 1
    while (path := folder / f"{stem}-{number}{suffix}").exists():
        number += 1
    write_private(path, content)
    return path
