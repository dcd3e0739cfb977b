"""How many tokens something will be, before any server has counted: characters by a ratio that learns.

The ratio starts at 3.6 characters a token and follows what the server reports for the same text.
"""

from collections.abc import Iterable

import msgspec

from ..protocol.messages import (
    Block,
    ImageBlock,
    Message,
    RedactedThinkingBlock,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolSpec,
    Usage,
)

CHARACTERS_A_TOKEN = 3.6
IMAGE_TOKENS = 1600
_PER_MESSAGE = 12
_LOWEST, _HIGHEST = 1.5, 8.0


class TokenGauge:
    """Estimates, corrected by each usage that a server reports for a request whose size we know."""

    def __init__(self) -> None:
        self.ratio = CHARACTERS_A_TOKEN

    def text(self, characters: int) -> int:
        """Tokens of so many characters."""
        return round(characters / self.ratio)

    def messages(self, messages: Iterable[Message]) -> int:
        """Tokens of these messages."""
        sizes = [size_of(message) for message in messages]
        return self.text(sum(characters for characters, _ in sizes)) + IMAGE_TOKENS * sum(i for _, i in sizes)

    def request(self, system: str, tools: Iterable[ToolSpec], messages: Iterable[Message]) -> int:
        """Tokens of a whole request."""
        return self.text(len(system) + sum(size_of_tool(tool) for tool in tools)) + self.messages(messages)

    def correct(self, estimated: int, usage: Usage) -> None:
        """Learn from a request: what was estimated for its input, and what the server counted."""
        counted = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
        if estimated > 200 and counted > 200:
            ratio = self.ratio * estimated / counted
            self.ratio = min(max(0.5 * self.ratio + 0.5 * ratio, _LOWEST), _HIGHEST)


def size_of(message: Message) -> tuple[int, int]:
    """Characters of a message as it is sent, and its number of images."""
    sizes = [_size_of_block(block) for block in message.blocks]
    return _PER_MESSAGE + sum(characters for characters, _ in sizes), sum(images for _, images in sizes)


def size_of_tool(tool: ToolSpec) -> int:
    """Characters of a tool's schema as it is sent."""
    return len(tool.name) + len(tool.description) + len(msgspec.json.encode(tool.input_schema)) + _PER_MESSAGE


def _size_of_block(block: Block) -> tuple[int, int]:
    match block:
        case TextBlock():
            return len(block.text), 0
        case ThinkingBlock():
            return len(block.thinking) + len(block.signature), 0
        case RedactedThinkingBlock():
            return len(block.data), 0
        case ImageBlock():
            return 0, 1
        case ToolResultBlock():
            if isinstance(block.content, str):
                return len(block.content), 0
            sizes = [_size_of_block(part) for part in block.content]
            return sum(characters for characters, _ in sizes), sum(images for _, images in sizes)
        case _:
            return len(block.name) + (len(block.malformed) or _size_of_json(block.input)) + _PER_MESSAGE, 0


def _size_of_json(value: object) -> int:
    try:
        return len(msgspec.json.encode(value))
    except (UnicodeEncodeError, RecursionError):
        return len(repr(value)) if not isinstance(value, dict) else 1000
