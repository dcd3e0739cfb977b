"""Facts read from the pages of a database file, without the trees that lead to them.

Where an inner page is gone SQLite cannot reach what lies below it; the leaves still hold every row. The format is
that of https://www.sqlite.org/fileformat.html. Whatever a page holds, nothing is raised for it.
"""

import mmap
import struct
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

_LEAF = 13
_FACT_COLUMNS = 5  # the first is the key, which stands for itself: NULL in the record
_WIDTHS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}


class FoundFact(NamedTuple):
    """One row of the table of facts."""

    key: int
    type: str
    turn: int
    time: float
    body: bytes


def facts_in_pages(path: Path, page_size: int) -> Iterator[FoundFact]:
    """Every row that looks like a fact, in the order of the pages; one that was moved may come twice.

    Raises OSError.
    """
    if path.stat().st_size < page_size:
        return
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        pages = _Pages(data, page_size)
        for number in range(1, len(data) // page_size + 1):
            for start in pages.cells(number):
                try:
                    fact = _fact(*pages.record(number, start))
                except (IndexError, struct.error, UnicodeDecodeError, _TornError):
                    continue
                if fact is not None:
                    yield fact


class _TornError(Exception):
    """A record whose pages are not all there."""


class _Pages:
    """The file as pages, numbered from 1."""

    def __init__(self, data: mmap.mmap, size: int) -> None:
        self._data, self._size = data, size

    def _page(self, number: int) -> bytes:
        if not 0 < number <= len(self._data) // self._size:
            raise _TornError
        return self._data[(number - 1) * self._size : number * self._size]

    def cells(self, number: int) -> list[int]:
        """Where the cells of a leaf begin; nothing for other pages."""
        page = self._page(number)
        head = 100 if number == 1 else 0
        if page[head] != _LEAF:
            return []
        count = int.from_bytes(page[head + 3 : head + 5], "big")
        pointers = page[head + 8 : head + 8 + 2 * count]
        return [at for (at,) in struct.iter_unpack(">H", pointers[: len(pointers) // 2 * 2]) if at < self._size]

    def record(self, number: int, start: int) -> tuple[int, bytes]:
        """The row's key and its record, with what overflowed to other pages."""
        page = self._page(number)
        length, at = _varint(page, start)
        key, at = _varint(page, at)
        if length > len(self._data):
            raise _TornError
        here = self._kept_here(length)
        parts = [page[at : at + here]]
        rest, following = length - here, int.from_bytes(page[at + here : at + here + 4], "big")
        while rest > 0:
            page = self._page(following)
            following = int.from_bytes(page[:4], "big")
            parts.append(page[4 : 4 + rest])
            rest -= len(parts[-1])
        return key, b"".join(parts)

    def _kept_here(self, length: int) -> int:
        """How many bytes of a record lie in the leaf itself."""
        most, least = self._size - 35, (self._size - 12) * 32 // 255 - 23
        if length <= most:
            return length
        wanted = least + (length - least) % (self._size - 4)
        return wanted if wanted <= most else least


def _fact(key: int, record: bytes) -> FoundFact | None:
    """The record as a fact, if it has the columns of one."""
    head, at = _varint(record, 0)
    kinds: list[int] = []
    while at < head and len(kinds) <= _FACT_COLUMNS:
        kind, at = _varint(record, at)
        kinds.append(kind)
    if len(kinds) != _FACT_COLUMNS or kinds[0] != 0 or kinds[1] % 2 == 0 or kinds[4] < 12 or kinds[4] % 2:
        return None
    ends = [head]
    for kind in kinds:
        ends.append(ends[-1] + _width(kind))
    _, name, turn, time, body = (record[start:end] for start, end in pairwise(ends))
    if ends[-1] != len(record) or body[:1] != b"{" or body[-1:] != b"}":
        return None
    return FoundFact(key, name.decode(), int(_number(kinds[2], turn)), float(_number(kinds[3], time)), body)


def _width(kind: int) -> int:
    if kind >= 12:
        return (kind - 12) // 2
    return 8 if kind == 7 else _WIDTHS.get(kind, 0)


def _number(kind: int, raw: bytes) -> float:
    if kind == 7:
        return struct.unpack(">d", raw)[0]
    return 1 if kind == 9 else int.from_bytes(raw, "big", signed=True)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of one to nine bytes, and where the next thing begins."""
    value = 0
    for count in range(8):
        byte = data[at + count]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + count + 1
    return value << 8 | data[at + 8], at + 9
