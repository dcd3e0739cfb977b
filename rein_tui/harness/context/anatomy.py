"""What fills the window, by source: a fold of facts for the Context pane."""

from collections.abc import Iterable
from typing import NamedTuple

from ..protocol.base import Word
from ..protocol.events import (
    Compacted,
    ContextPrepared,
    Fact,
    MessageFinished,
    ModelChanged,
    Origin,
    PromptAdded,
    Rewound,
    ToolCallFinished,
)
from ..protocol.messages import Block, Message, TextBlock, ThinkingBlock, ToolUseBlock, Usage
from .tokens import TokenGauge, size_of, size_of_tool

_ORIGINS: dict[Origin, str] = {
    "prompt": "Prompts",
    "steer": "Prompts",
    "hook": "Hooks",
    "memory": "Memory",
    "command": "Commands",
    "shell": "Shell",
    "summary": "Summary",
    "system": "Notes",
    "background": "Background",
}


class ContextPart(Word, frozen=True, kw_only=True):
    """One source and its tokens. `group` is what the pane lists it under, `name` the source itself."""

    group: str
    name: str
    tokens: int
    count: int = 1


class Anatomy(Word, frozen=True, kw_only=True):
    """The window: its parts, largest first in each group, their sum, and the window's size (0 when unknown).

    `is_measured` tells that the sum is scaled to what the server counted last.
    """

    parts: tuple[ContextPart, ...]
    tokens: int
    window: int = 0
    is_measured: bool = False
    usage: Usage = Usage()


class _Piece(NamedTuple):
    turn: int
    group: str
    name: str
    characters: int
    images: int


class ContextFold:
    """Feed it every fact; ask it for the anatomy at any time."""

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        self._prepared: list[_Piece] = []
        self._pieces: list[_Piece] = []
        self._earlier: list[tuple[int, list[_Piece]]] = []
        self._usage = Usage()
        self._window = 0
        for fact in facts:
            self.apply(fact)

    def apply(self, fact: Fact) -> None:
        """Take one more fact into account; those of subagents fill windows of their own."""
        if fact.parent:
            return
        match fact:
            case ContextPrepared():
                self._prepared = [_Piece(0, "System prompt", name, size, 0) for name, size in fact.sources.items()]
                rest = len(fact.system) - sum(fact.sources.values())
                if rest > 2 * len(fact.sources):
                    self._prepared.append(_Piece(0, "System prompt", "other", rest, 0))
                self._prepared += [
                    _Piece(0, "Tools" if t.source == "builtin" else f"Tools of {t.source}", t.name, size_of_tool(t), 0)
                    for t in fact.tools
                ]
            case PromptAdded():
                group = _ORIGINS[fact.origin]
                self._add(fact.turn, group, fact.source or group, fact.message)
            case MessageFinished():
                self._usage = fact.usage
                self._answer(fact.turn, fact.message)
            case ToolCallFinished():
                blocks = (TextBlock(text=fact.content),) if isinstance(fact.content, str) else fact.content
                added = tuple(TextBlock(text=text) for text in fact.added)
                self._add(fact.turn, "Tool results", fact.name, Message(role="user", blocks=(*blocks, *added)))
            case Compacted():
                self._earlier.append((fact.turn, self._pieces))
                self._pieces = [_Piece(fact.turn, "Summary", "Summary", len(fact.summary), 0)]
                for message in fact.kept:
                    self._add(fact.turn, "Kept messages", message.role, message)
                self._usage = Usage()
            case Rewound(conversation=True):
                self._rewind(fact.to_turn)
            case ModelChanged():
                self._window = fact.context_window or self._window
            case _:
                pass

    def anatomy(self, gauge: TokenGauge, window: int = 0) -> Anatomy:
        """Everything that the next request would hold."""
        sums: dict[tuple[str, str], tuple[int, int]] = {}
        for piece in (*self._prepared, *self._pieces):
            tokens, count = sums.get((piece.group, piece.name), (0, 0))
            more = gauge.text(piece.characters) + 1600 * piece.images
            sums[piece.group, piece.name] = (tokens + more, count + 1)
        total = sum(tokens for tokens, _ in sums.values())
        measured = self._usage.context_tokens
        scale = measured / total if measured and total else 1.0
        parts = [
            ContextPart(group=group, name=name, tokens=round(tokens * scale), count=count)
            for (group, name), (tokens, count) in sums.items()
        ]
        order = list(dict.fromkeys(part.group for part in parts))
        parts.sort(key=lambda part: (order.index(part.group), -part.tokens))
        return Anatomy(
            parts=tuple(parts),
            tokens=sum(part.tokens for part in parts),
            window=window or self._window,
            is_measured=bool(measured),
            usage=self._usage,
        )

    def _add(self, turn: int, group: str, name: str, message: Message) -> None:
        characters, images = size_of(message)
        self._pieces.append(_Piece(turn, group, name, characters, images))

    def _answer(self, turn: int, message: Message) -> None:
        kinds: dict[str, list[Block]] = {}
        for block in message.blocks:
            if isinstance(block, ToolUseBlock):
                kinds.setdefault(f"Tool calls/{block.name}", []).append(block)
            else:
                kinds.setdefault("Thinking" if isinstance(block, ThinkingBlock) else "Answers", []).append(block)
        for kind, blocks in kinds.items():
            group, _, name = kind.partition("/")
            self._add(turn, group, name or group, Message(role="assistant", blocks=tuple(blocks)))

    def _rewind(self, to_turn: int) -> None:
        while self._earlier and self._earlier[-1][0] > to_turn:
            _, self._pieces = self._earlier.pop()
        self._pieces = [piece for piece in self._pieces if piece.turn <= to_turn]
        self._usage = Usage()
