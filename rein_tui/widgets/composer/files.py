"""The files of a project for `@`: listed in the background, searched in slices.

A hundred thousand paths are kept as a few dozen joined texts, so that one regular expression skims thousands of
paths at C speed; between slices the loop is free, so a key never waits for a search.
"""

import asyncio
import heapq
import itertools
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence

from rein_tui.harness.protocol.ports import FileFinder

from .. import fuzzy
from .sources import Candidate

CHUNK = 2000
"""Paths in one joined text: about a millisecond of searching."""
STALE_AFTER = 10.0
"""Seconds after which a list is refreshed when it is used."""
FRESH = 1.0
"""Seconds for which a list is good enough for a completion that begins."""
SLICE = 0.004
"""Seconds of work between two pauses."""


class FileIndex:
    """The relative paths of a project, files and folders (folders end in a slash).

    `names` lists its files, those that .gitignore names left out if asked to. `finder` is what the settings of the
    session on the screen say about it.
    """

    def __init__(
        self,
        names: Callable[[bool], Awaitable[Sequence[str]]],
        finder: Callable[[], FileFinder | None] = lambda: None,
    ) -> None:
        self._names = names
        self._finder = finder
        self._hid_ignored = True
        self._chunks: tuple[str, ...] = ()
        self._listed_at = 0.0
        self._listing: asyncio.Task[None] | None = None

    def warm(self, age: float = STALE_AFTER) -> None:
        """Begin listing in the background unless the list is younger than this. Needs a running loop."""
        finder = self._finder()
        hides = finder is None or finder.hides_ignored
        if hides != self._hid_ignored and self._listing is None:
            self._chunks = ()
        fresh = self._chunks and time.monotonic() - self._listed_at < age
        if not fresh and self._listing is None:
            self._hid_ignored = hides
            self._listing = asyncio.create_task(self._list(hides))

    async def close(self) -> None:
        """Stop listing."""
        if self._listing is not None:
            self._listing.cancel()
            await asyncio.gather(self._listing, return_exceptions=True)

    async def complete(self, query: str) -> AsyncGenerator[Sequence[Candidate]]:
        """Paths that match `query`, best first; yields early answers while the search goes on.

        What begins looks for new files too: their answers come once more when the disk was read.
        """
        finder = self._finder()
        found = await finder.suggest(query) if finder is not None else None
        if found is not None:
            yield _candidates([(0, path, ()) for path in found])
            return
        self.warm(STALE_AFTER if query else FRESH)
        listing = self._listing
        if not self._chunks and listing is not None:
            await asyncio.shield(listing)
        async for answer in self._search(query):
            yield answer
        if listing is not None and not listing.done():
            before = self._chunks
            await asyncio.shield(listing)
            if self._chunks != before:
                async for answer in self._search(query):
                    yield answer

    async def _search(self, query: str) -> AsyncGenerator[Sequence[Candidate]]:
        if not query:
            top = self._chunks[0].split("\n")[:50] if self._chunks else []
            yield _candidates([(0, path, ()) for path in top])
            return
        best: list[tuple[int, str, tuple[int, ...]]] = []
        shown = 0.0
        began = time.perf_counter()
        for path in self._matching(query):
            hit = fuzzy.match(query, path) if path else None
            if hit is not None:
                best.append((-hit[0], path, hit[1]))
            if (now := time.perf_counter()) - began > SLICE:
                best = sorted(best)[:50]
                if now - shown > 0.05:
                    shown = now
                    yield _candidates(best)
                await asyncio.sleep(0)
                began = time.perf_counter()
        yield _candidates(sorted(best)[:50])

    def _matching(self, query: str) -> Iterator[str]:
        """Paths that match, and an empty one after each chunk, so that a search without hits pauses too."""
        pattern = fuzzy.line_pattern(query)
        for chunk in self._chunks:
            for found in pattern.finditer(chunk):
                yield found.group()
            yield ""

    async def _list(self, hides_ignored: bool) -> None:
        try:
            names = await self._names(hides_ignored)
            self._chunks = await asyncio.to_thread(_chunked, names)
        finally:
            self._listed_at = time.monotonic()
            self._listing = None


def _candidates(best: list[tuple[int, str, tuple[int, ...]]]) -> list[Candidate]:
    return [Candidate(insert=_quoted(path), label=path, marks=marks) for _, path, marks in best]


def _quoted(path: str) -> str:
    tail = "" if path.endswith("/") else " "
    return f'@"{path}"{tail}' if any(c.isspace() for c in path) else f"@{path}{tail}"


def _chunked(names: Sequence[str]) -> tuple[str, ...]:
    """All paths, their folders among them, in joined texts: those near the top first."""
    folders: set[str] = set()
    for folder in {name.rpartition("/")[0] for name in names}:
        parts = folder.split("/")
        folders.update("/".join(parts[:end]) + "/" for end in range(1, len(parts) + 1) if parts[0])
    by_depth: dict[int, list[str]] = {}
    for path in itertools.chain(names, folders):
        by_depth.setdefault(path.count("/") - path.endswith("/"), []).append(path)
    paths = itertools.chain.from_iterable(_sorted(by_depth[depth]) for depth in sorted(by_depth))
    return tuple("\n".join(chunk) for chunk in iter(lambda: tuple(itertools.islice(paths, CHUNK)), ()))


def _sorted(paths: list[str]) -> Iterator[str]:
    """Sorted in short runs that are then merged: one long sort would keep the interpreter from the event loop."""
    runs = [sorted(paths[at : at + CHUNK]) for at in range(0, len(paths), CHUNK)]
    return (path for path, _ in itertools.groupby(heapq.merge(*runs)))
