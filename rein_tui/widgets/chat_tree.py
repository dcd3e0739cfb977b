"""The tree of a chat's blocks: what stands below what, the gaps between, and what changed since the last event."""

from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

from .chat_blocks import ChatBlock, ProseBlock
from .chat_card import CardBlock

Kind: TypeAlias = Literal["added", "touched", "removed"]
_SPACED = frozenset({"prompt", "prose", "thinking", "boundary", "todos", "end"})


class Change(NamedTuple):
    """What happened to a block. An added block stands below `after` (None: at the very top)."""

    kind: Kind
    block: ChatBlock
    after: ChatBlock | None = None


class ChatTree:
    """Blocks by the calls they stand below; `changes` collects what happened to them, unless nobody asks (`tells`)."""

    def __init__(self) -> None:
        self.roots: list[ChatBlock] = []
        self.cards: dict[str, CardBlock] = {}
        self.changes: list[Change] = []
        self.tells = True

    def walk(self) -> Iterator[ChatBlock]:
        """All blocks in reading order."""
        for root in self.roots:
            if root.children:
                yield from root.walk()
            else:
                yield root

    def forget(self) -> None:
        """Let go of all blocks: they hold one another, and a history is kept from the garbage collector."""
        for block in list(self.walk()):
            block.release()

    def siblings(self, parent: str) -> list[ChatBlock]:
        """The blocks directly below the call `parent`, or the roots."""
        above = self.cards.get(parent)
        return above.children if above else self.roots

    def add(self, block: ChatBlock, parent: str) -> None:
        """Put a block at the end of what is below the call `parent`."""
        above = self.cards.get(parent)
        siblings = above.children if above else self.roots
        before = siblings[-1] if siblings else None
        block.parent = above
        block.spaced = _has_gap(before, block)
        siblings.append(block)
        if isinstance(block, ProseBlock):
            block.open()
        if self.tells:
            self.changes.append(Change("added", block, _last(before) if before else above))

    def touch(self, block: ChatBlock | None) -> None:
        """Say that a block looks different now."""
        if block is not None and self.tells:
            self.changes.append(Change("touched", block))

    def remove(self, block: ChatBlock) -> None:
        """Take a block out; the one below it may lose its gap."""
        siblings = block.parent.children if block.parent else self.roots
        index = siblings.index(block)
        del siblings[index]
        if self.tells:
            self.changes.append(Change("removed", block))
        if index < len(siblings):
            below = siblings[index]
            below.spaced = _has_gap(siblings[index - 1] if index else None, below)
            self.touch(below)


def _has_gap(above: ChatBlock | None, block: ChatBlock) -> bool:
    """Whether a blank line parts two blocks."""
    if above is None:
        return False
    return block.kind in _SPACED or above.kind in _SPACED or (block.kind == "run" and above.kind != "call")


def _last(block: ChatBlock) -> ChatBlock:
    """The lowest block of a subtree."""
    while block.children:
        block = block.children[-1]
    return block


def call_of(block: ChatBlock | None) -> str:
    """The call that a block is, or stands below."""
    while block is not None:
        if isinstance(block, CardBlock):
            return block.call_id
        block = block.parent
    return ""
