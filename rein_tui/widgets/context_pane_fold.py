"""What fills the window, item by item in the order in which it is sent: a fold of facts. Data only, no drawing.

Sizes are characters, made tokens by what the server counted for the last request. The order matters because caches
hold a beginning: whatever lies within it is cached, the rest is not.
"""

from dataclasses import dataclass, field

import msgspec

from rein_tui.harness.protocol import events as ev
from rein_tui.harness.protocol.messages import (
    Block,
    ImageBlock,
    Message,
    RedactedThinkingBlock,
    ResultContent,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
    Usage,
)

CHARACTERS_A_TOKEN = 3.6
"""Before a server has counted anything."""
IMAGE_CHARACTERS = 5760
"""An image fills about as much as this many characters of text."""

GROUPS = {
    "tool": "Tools",
    "mcp": "Tools of servers",
    "system": "System prompt",
    "memory": "Memory",
    "hook": "Hooks",
    "prompt": "Your prompts",
    "command": "Commands",
    "summary": "Summary",
    "answer": "Answers",
    "thinking": "Thinking",
    "call": "Tool calls",
    "result": "Tool results",
    "other": "Notes",
}
"""Kinds of items, in the order in which they are shown."""

_ORIGINS: dict[ev.Origin, str] = {
    "prompt": "prompt",
    "steer": "prompt",
    "hook": "hook",
    "memory": "memory",
    "command": "command",
    "shell": "prompt",
    "summary": "summary",
    "system": "other",
    "background": "other",
}


@dataclass(slots=True)
class Item:
    """All that one source put into the window. `cached` is the share of it that the server's cache holds, 0 to 1."""

    kind: str
    name: str
    tokens: float = 0.0
    count: int = 0
    cached_tokens: float = 0.0

    @property
    def cached(self) -> float:
        """The share that is cached."""
        return self.cached_tokens / self.tokens if self.tokens else 0.0


@dataclass(frozen=True, slots=True)
class _Piece:
    turn: int
    kind: str
    name: str
    size: int


@dataclass(slots=True)
class Filling:
    """The window as it is: items by kind and name, tokens in all, the window's size (0: unknown), the last request.

    `off` are the items that a person took out, as large as they were then.
    Tools of servers keep within `tool_budget` tokens (0: no limit); `held_back` of them wait to be searched for.
    """

    items: list[Item] = field(default_factory=list[Item])
    tokens: float = 0.0
    window: int = 0
    is_measured: bool = False
    usage: Usage = field(default_factory=Usage)
    turn_cost: float | None = None
    tool_budget: int = 0
    held_back: int = 0
    off: list[Item] = field(default_factory=list[Item])


class Contents:
    """Feed it every fact; ask `filling` for the picture. Subagents fill windows of their own."""

    def __init__(self) -> None:
        self._prepared: list[_Piece] = []
        self._pieces: list[_Piece] = []
        self._earlier: list[tuple[int, list[_Piece]]] = []
        self._usage = Usage()
        self._scale = 0.0
        self._off: dict[tuple[str, str], Item] = {}
        self._turn_cost: float | None = None
        self._tool_limits = (0, 0)
        self.window = 0

    def apply(self, event: ev.Event) -> bool:
        """Take one event into account; whether it changed the picture."""
        if event.parent:
            return False
        match event:
            case ev.ContextPrepared():
                self._prepare(event)
            case ev.PromptAdded():
                kind = _ORIGINS[event.origin]
                self._add(event.turn, kind, event.source or GROUPS[kind], _size(event.message))
            case ev.MessageFinished():
                self._answer(event)
            case ev.ToolCallFinished():
                size = _content_size(event.content) + sum(map(len, event.added))
                self._add(event.turn, "result", event.name, size)
            case ev.Compacted():
                self._earlier.append((event.turn, self._pieces))
                before = [piece for piece in self._pieces if piece.turn < event.from_turn]
                self._pieces = [*before, _Piece(event.turn, "summary", GROUPS["summary"], len(event.summary))]
                for message in event.kept:
                    self._add(event.turn, "prompt" if message.role == "user" else "answer", "kept", _size(message))
                self._usage, self._scale = Usage(), 0.0
            case ev.Rewound(conversation=True):
                self._rewind(event.to_turn)
            case ev.SourceSwitched():
                self._switch((event.kind, event.name), event.on)
            case ev.ModelChanged():
                self.window = event.context_window or self.window
            case ev.TurnFinished() | ev.TurnInterrupted() | ev.TurnFailed():
                self._turn_cost = event.usage.cost_usd
            case _:
                return False
        return True

    def filling(self) -> Filling:
        """The picture: sizes scaled by what the server counted, the beginning that its cache holds marked."""
        scale = self._scale or 1 / CHARACTERS_A_TOKEN
        held = float(self._usage.cache_read_tokens + self._usage.cache_write_tokens)
        items: dict[tuple[str, str], Item] = {}
        total = 0.0
        for piece in self._sent():
            tokens = piece.size * scale
            item = items.setdefault((piece.kind, piece.name), Item(piece.kind, piece.name))
            item.tokens += tokens
            item.count += 1
            item.cached_tokens += min(tokens, max(0.0, held - total))
            total += tokens
        kinds = list(GROUPS)
        ordered = sorted(items.values(), key=lambda item: (kinds.index(item.kind), -item.tokens))
        off, measured = list(self._off.values()), bool(self._scale)
        limits = self._tool_limits
        return Filling(ordered, total, self.window, measured, self._usage, self._turn_cost, *limits, off)

    def _sent(self) -> list[_Piece]:
        """What the next request holds, in order."""
        return [piece for piece in (*self._prepared, *self._pieces) if (piece.kind, piece.name) not in self._off]

    def _switch(self, key: tuple[str, str], on: bool) -> None:
        if on:
            self._off.pop(key, None)
        elif key not in self._off:
            known = (item for item in self.filling().items if (item.kind, item.name) == key)
            self._off[key] = next(known, Item(*key))

    def _prepare(self, event: ev.ContextPrepared) -> None:
        tools = [
            _Piece(0, "tool" if t.source == "builtin" else "mcp", t.name, _tool_size(t.description, t.input_schema))
            for t in event.tools
        ]
        parts = [_Piece(0, "system", name, size) for name, size in event.sources.items()]
        rest = len(event.system) - sum(event.sources.values())
        if rest > 2 * len(event.sources):
            parts.append(_Piece(0, "system", "other", rest))
        self._prepared = [*tools, *parts]
        self._tool_limits = (event.tool_budget, event.held_back)

    def _answer(self, event: ev.MessageFinished) -> None:
        for block in event.message.blocks:
            if isinstance(block, ToolUseBlock):
                self._add(event.turn, "call", block.name, _block_size(block))
            else:
                kind = "thinking" if isinstance(block, ThinkingBlock | RedactedThinkingBlock) else "answer"
                self._add(event.turn, kind, GROUPS[kind], _block_size(block))
        if event.usage.context_tokens:
            self._usage = event.usage
            counted = sum(piece.size for piece in self._sent())
            self._scale = event.usage.context_tokens / counted if counted else 0.0

    def _add(self, turn: int, kind: str, name: str, size: int) -> None:
        self._pieces.append(_Piece(turn, kind, name, size))

    def _rewind(self, to_turn: int) -> None:
        while self._earlier and self._earlier[-1][0] > to_turn:
            _, self._pieces = self._earlier.pop()
        self._pieces = [piece for piece in self._pieces if piece.turn <= to_turn]
        self._usage, self._scale = Usage(), 0.0


def _size(message: Message) -> int:
    return sum(map(_block_size, message.blocks))


def _block_size(block: Block) -> int:
    match block:
        case TextBlock(text=text):
            return len(text)
        case ThinkingBlock(thinking=thinking):
            return len(thinking)
        case RedactedThinkingBlock(data=data):
            return len(data)
        case ImageBlock():
            return IMAGE_CHARACTERS
        case ToolUseBlock():
            return len(block.name) + len(msgspec.json.encode(block.input))
        case ToolResultBlock(content=content):
            return _content_size(content)


def _content_size(content: ResultContent) -> int:
    return len(content) if isinstance(content, str) else sum(map(_block_size, content))


def _tool_size(description: str, schema: dict[str, object]) -> int:
    return len(description) + len(msgspec.json.encode(schema))
