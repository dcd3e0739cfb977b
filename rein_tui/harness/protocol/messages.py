"""Messages and their blocks, in one shape for every provider.

The shape follows the Messages API (role user or assistant, a list of blocks), because it is the richest;
providers translate at their own edge.
"""

from typing import Any, Literal, TypeAlias

from msgspec import field

from .base import JsonObject, Word

Role: TypeAlias = Literal["user", "assistant"]

StopReason: TypeAlias = Literal[
    "end_turn", "tool_use", "max_tokens", "stop_sequence", "refusal", "pause_turn", "context_full", "incomplete"
]
"""Why the model stopped. `incomplete`: the stream was cut; complete blocks are held, their calls run once, and prose is
held as far as it came."""


class TextBlock(Word, frozen=True, kw_only=True, tag="text"):
    """Prose."""

    text: str


class ThinkingBlock(Word, frozen=True, kw_only=True, tag="thinking"):
    """The model's thinking; sent back unchanged with its `signature` where the API demands it."""

    thinking: str
    signature: str = ""


class RedactedThinkingBlock(Word, frozen=True, kw_only=True, tag="redacted_thinking"):
    """Encrypted thinking: opaque, sent back unchanged."""

    data: str


class ImageBlock(Word, frozen=True, kw_only=True, tag="image"):
    """An image as base64 `data`; `name` is what the person sees in its place."""

    media_type: str
    data: str
    name: str = ""


class ToolUseBlock(Word, frozen=True, kw_only=True, tag="tool_use"):
    """The model asks for a tool. `input` is the parsed JSON object.

    `malformed` holds the raw text when it did not parse: such a call is answered with an error and never run.
    """

    id: str
    name: str
    input: JsonObject = field(default_factory=dict[str, Any])
    malformed: str = ""


ResultContent: TypeAlias = str | tuple[TextBlock | ImageBlock, ...]


class ToolResultBlock(Word, frozen=True, kw_only=True, tag="tool_result"):
    """The one answer to a tool use."""

    tool_use_id: str
    content: ResultContent
    is_error: bool = False


Block: TypeAlias = TextBlock | ThinkingBlock | RedactedThinkingBlock | ImageBlock | ToolUseBlock | ToolResultBlock


class Message(Word, frozen=True, kw_only=True):
    """One message of the conversation."""

    role: Role
    blocks: tuple[Block, ...]
    id: str = ""

    @property
    def text(self) -> str:
        """All prose of the message, blocks joined by nothing."""
        return "".join(b.text for b in self.blocks if isinstance(b, TextBlock))

    @property
    def tool_uses(self) -> tuple[ToolUseBlock, ...]:
        """The calls of the message, in call order."""
        return tuple(b for b in self.blocks if isinstance(b, ToolUseBlock))


CACHE_KEPT = 300.0
"""Seconds that Claude's API keeps a prompt which nobody sends again."""


class Usage(Word, frozen=True, kw_only=True):
    """Tokens of one or several requests. `input_tokens` excludes those read from or written to the cache.

    `cost_usd` is None when no price is known (never 0.0 for "unknown").
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_usd: float | None = None

    @property
    def context_tokens(self) -> int:
        """What the request filled of the window: all input, cached or not, and the answer."""
        return self.input_tokens + self.cache_read_tokens + self.cache_write_tokens + self.output_tokens

    def __add__(self, other: "Usage") -> "Usage":
        costs = [c for c in (self.cost_usd, other.cost_usd) if c is not None]
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cache_read_tokens=self.cache_read_tokens + other.cache_read_tokens,
            cache_write_tokens=self.cache_write_tokens + other.cache_write_tokens,
            cost_usd=sum(costs) if costs else None,
        )


class ToolSpec(Word, frozen=True, kw_only=True):
    """A tool as the model sees it. `source` is where it comes from: builtin, or mcp:SERVER.

    `brief` is one line in place of the description where there is little room, for a tool that is worth it.
    """

    name: str
    description: str
    input_schema: JsonObject
    source: str = "builtin"
    brief: str = ""


class ParseTrace(Word, frozen=True, kw_only=True):
    """How text of a local model became a call: raw text, dialect, and every repair in order.

    `semantic` is true when a repair changed more than syntax; such Bash and Write calls ask. `doubts` are
    those repairs.
    """

    raw: str
    dialect: str
    repairs: tuple[str, ...] = ()
    semantic: bool = False
    doubts: tuple[str, ...] = ()
    call_ids: tuple[str, ...] = ()
    note: str = ""
