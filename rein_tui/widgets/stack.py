"""A tall stack of blocks with their heights, for tens of thousands of them.

Entries live in chunks that know their own height, so that finding the block at a row, the row of a block, inserting
and changing a height cost a walk over a few hundred numbers at most.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

import msgspec

from .lines import Line

CHUNK = 128
ORDER_STEP = 1 << 12

BlockT = TypeVar("BlockT")


class Entry(msgspec.Struct, Generic[BlockT], eq=False):
    """A block in the stack. `lines` are its rows while they are kept; `exact` says that `height` was measured.

    `order` grows along the stack and does not change when other heights do: selections are kept in it.
    """

    block: BlockT
    height: int
    order: int = 0
    exact: bool = False
    lines: list[Line] | None = None
    chunk: "Chunk[BlockT] | None" = None


class Chunk(msgspec.Struct, Generic[BlockT], eq=False):
    """Some neighbouring entries, their height together, and the chunk's place among the chunks."""

    place: int
    entries: list[Entry[BlockT]] = msgspec.field(default_factory=list[Entry[BlockT]])
    height: int = 0


class Stack(Generic[BlockT]):
    """Entries in reading order."""

    def __init__(self) -> None:
        self._chunks: list[Chunk[BlockT]] = []
        self.height = 0
        """Rows of all entries together."""

    def __iter__(self) -> Iterator[Entry[BlockT]]:
        return (entry for chunk in self._chunks for entry in chunk.entries)

    def __reversed__(self) -> Iterator[Entry[BlockT]]:
        return (entry for chunk in reversed(self._chunks) for entry in reversed(chunk.entries))

    def __bool__(self) -> bool:
        return bool(self._chunks)

    def __len__(self) -> int:
        return sum(len(chunk.entries) for chunk in self._chunks)

    @property
    def last(self) -> Entry[BlockT] | None:
        """The lowest entry."""
        return self._chunks[-1].entries[-1] if self._chunks else None

    @property
    def first(self) -> Entry[BlockT] | None:
        """The topmost entry."""
        return self._chunks[0].entries[0] if self._chunks else None

    def fill(self, entries: Iterable[Entry[BlockT]]) -> None:
        """Replace everything. Entries and chunks hold one another: both let go, or the collector had to find them."""
        for entry in self:
            entry.chunk = None
        them = list(entries)
        for number, entry in enumerate(them):
            entry.order = number * ORDER_STEP
        self._chunks = []
        for place, start in enumerate(range(0, len(them), CHUNK)):
            chunk = Chunk[BlockT](place, them[start : start + CHUNK])
            for entry in chunk.entries:
                entry.chunk = chunk
                chunk.height += entry.height
            self._chunks.append(chunk)
        self.height = sum(chunk.height for chunk in self._chunks)

    def append(self, entry: Entry[BlockT]) -> None:
        """Put an entry at the bottom."""
        last = self.last
        entry.order = last.order + ORDER_STEP if last else 0
        if not self._chunks or len(self._chunks[-1].entries) >= CHUNK:
            self._chunks.append(Chunk(len(self._chunks)))
        self._add(self._chunks[-1], len(self._chunks[-1].entries), entry)

    def insert_after(self, before: Entry[BlockT], entry: Entry[BlockT]) -> None:
        """Put an entry directly below another."""
        below = self.below(before)
        if below is None:
            self.append(entry)
            return
        entry.order = (before.order + below.order) // 2
        chunk = before.chunk
        assert chunk is not None
        self._add(chunk, chunk.entries.index(before) + 1, entry)
        if len(chunk.entries) > 2 * CHUNK:
            self._split(chunk)
        if entry.order == before.order:
            self._renumber()

    def remove(self, entry: Entry[BlockT]) -> None:
        """Take an entry out."""
        chunk = entry.chunk
        assert chunk is not None
        chunk.entries.remove(entry)
        chunk.height -= entry.height
        self.height -= entry.height
        entry.chunk = None
        if not chunk.entries:
            self._chunks.remove(chunk)
            self._place_chunks()

    def resize(self, entry: Entry[BlockT], height: int) -> int:
        """Change an entry's height; returns by how much it grew."""
        grown = height - entry.height
        entry.height = height
        self.height += grown
        if entry.chunk is not None:
            entry.chunk.height += grown
        return grown

    def estimate(self, height_of: Callable[[BlockT], int]) -> None:
        """Give all entries heights that were not measured."""
        for chunk in self._chunks:
            for entry in chunk.entries:
                entry.height = height_of(entry.block)
                entry.exact = False
            chunk.height = sum(entry.height for entry in chunk.entries)
        self.height = sum(chunk.height for chunk in self._chunks)

    def top(self, entry: Entry[BlockT]) -> int:
        """The row where an entry begins."""
        chunk = entry.chunk
        assert chunk is not None
        row = sum(above.height for above in self._chunks[: chunk.place])
        for sibling in chunk.entries:
            if sibling is entry:
                break
            row += sibling.height
        return row

    def at(self, row: int) -> tuple[Entry[BlockT], int] | None:
        """The entry at a row, and how many rows below its top that is; None outside the stack."""
        if row < 0:
            return None
        for chunk in self._chunks:
            if row < chunk.height:
                for entry in chunk.entries:
                    if row < entry.height:
                        return entry, row
                    row -= entry.height
            row -= chunk.height
        return None

    def below(self, entry: Entry[BlockT]) -> Entry[BlockT] | None:
        """The next entry."""
        return self._neighbour(entry, 1)

    def above(self, entry: Entry[BlockT]) -> Entry[BlockT] | None:
        """The previous entry."""
        return self._neighbour(entry, -1)

    def _neighbour(self, entry: Entry[BlockT], step: int) -> Entry[BlockT] | None:
        chunk = entry.chunk
        assert chunk is not None
        index = chunk.entries.index(entry) + step
        if 0 <= index < len(chunk.entries):
            return chunk.entries[index]
        place = chunk.place + step
        if not 0 <= place < len(self._chunks):
            return None
        return self._chunks[place].entries[0 if step > 0 else -1]

    def _add(self, chunk: Chunk[BlockT], index: int, entry: Entry[BlockT]) -> None:
        chunk.entries.insert(index, entry)
        entry.chunk = chunk
        chunk.height += entry.height
        self.height += entry.height

    def _split(self, chunk: Chunk[BlockT]) -> None:
        lower = Chunk[BlockT](chunk.place + 1, chunk.entries[CHUNK:])
        del chunk.entries[CHUNK:]
        for entry in lower.entries:
            entry.chunk = lower
        lower.height = sum(entry.height for entry in lower.entries)
        chunk.height -= lower.height
        self._chunks.insert(lower.place, lower)
        self._place_chunks()

    def _place_chunks(self) -> None:
        for place, chunk in enumerate(self._chunks):
            chunk.place = place

    def _renumber(self) -> None:
        for number, entry in enumerate(self):
            entry.order = number * ORDER_STEP
