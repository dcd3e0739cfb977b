"""A stored session to look at, as ports.Harness: nothing runs and nothing is added to it.

For sessions that another program recorded, and for those that another process has open: these are followed.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from typing import Protocol

from msgspec import structs

from ..protocol.decisions import Mode
from ..protocol.errors import Failure, StartError
from ..protocol.events import Event, Fact, ModeChanged, Notice, SessionStarted, TurnFailed, TurnStarted
from ..protocol.ports import Permissions, Prompt, SessionInfo
from ..protocol.rewind import Restored, RewindPlan

FOLLOWED = 1.0
"""Seconds between two looks at a session that another process writes."""

_FORK = "/fork goes on in a copy."


class Recorded:
    """ports.Harness over facts; `info.read_only` says why they stay as they are, `hint` what to do instead."""

    def __init__(self, info: SessionInfo, facts: Sequence[Fact], hint: str = _FORK) -> None:
        self.info = info
        self._facts = list(facts)
        self._hint = hint

    @property
    def mode(self) -> Mode:
        """The permission mode at the end of what was told."""
        for fact in reversed(self.history()):
            if isinstance(fact, ModeChanged | SessionStarted):
                return fact.mode
        return "default"

    @property
    def permissions(self) -> Permissions | None:
        """There is nothing to ask."""
        return None

    def history(self) -> Sequence[Fact]:
        """What was told so far."""
        return self._facts

    async def start(self) -> AsyncGenerator[Event]:
        """Nothing: the story holds its own beginning."""
        return
        yield

    async def asides(self) -> AsyncGenerator[Event]:
        """Nothing, for ever."""
        await asyncio.Event().wait()
        yield Notice(text="")

    async def run(self, prompt: Prompt) -> AsyncGenerator[Event]:
        """A turn that fails, saying why."""
        yield TurnStarted(text=prompt.text)
        yield TurnFailed(failure=Failure(message=self.info.read_only, hint=self._hint))

    def interrupt(self, reason: str = "") -> None:
        """Nothing runs."""

    def steer(self, text: str) -> None:
        """Nobody listens."""

    async def set_mode(self, mode: Mode) -> None:
        """Raises StartError."""
        raise self._refusal()

    def rewind_plan(self, to_turn: int) -> RewindPlan:
        """Nothing would be done to any file."""
        return RewindPlan(to_turn=to_turn)

    async def rewind(
        self, to_turn: int, *, conversation: bool = True, code: bool = False, also: frozenset[str] = frozenset()
    ) -> Restored:
        """Raises StartError."""
        raise self._refusal()

    async def compact(self, focus: str = "", from_turn: int = 0) -> AsyncGenerator[Event]:
        """A turn that fails, saying why."""
        async for event in self.run(Prompt(text="/compact")):
            yield event

    def _refusal(self) -> StartError:
        return StartError(self.info.read_only, hint=self._hint)


class Followed(Recorded):
    """A session that another process has open. `more` gives its facts after a number, `is_held` whether it goes on."""

    def __init__(
        self, info: SessionInfo, more: Callable[[int], Sequence[tuple[int, Fact]]], is_held: Callable[[], bool]
    ) -> None:
        facts = more(0)
        super().__init__(info, [fact for _, fact in facts])
        self._seen = facts[-1][0] if facts else 0
        self._more, self._is_held = more, is_held
        self.is_over = False

    async def asides(self) -> AsyncGenerator[Event]:
        """What the other process stores, until it closes the session."""
        while not self.is_over:
            await asyncio.sleep(FOLLOWED)
            held = self._is_held()
            for number, fact in self._more(self._seen):
                self._seen = number
                self._facts.append(fact)
                yield fact
            self.is_over = not held
        yield Notice(text="The other process closed this session.", hint="Open it again to go on with it.")


class Shelf(Protocol):
    """What a store can tell of sessions that are not open here."""

    def info(self, session_id: str) -> SessionInfo:
        """One session's row. Raises StoreError."""
        ...

    def read(self, session_id: str, after: int = 0) -> Iterator[tuple[int, Fact]]:
        """Its facts after a number, in order. Raises StoreError."""
        ...

    def held_elsewhere(self, session_id: str) -> str:
        """Who else has it open just now, in words; empty when nobody has."""
        ...


class Recordings:
    """The sessions of a shelf that can only be looked at, each once."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._known: dict[str, Recorded] = {}

    def find(self, session_id: str) -> Recorded | None:
        """The session, if another program recorded it or another process has it open. Raises StoreError."""
        known = self._known.get(session_id)
        if known is not None and not (isinstance(known, Followed) and known.is_over):
            return known
        self.forget(session_id)
        found = self._made(session_id)
        if found is not None:
            self._known[session_id] = found
        return found

    def forget(self, session_id: str) -> None:
        """It is gone, or goes on."""
        self._known.pop(session_id, None)

    def _made(self, session_id: str) -> Recorded | None:
        shelf, info = self._shelf, self._shelf.info(session_id)

        def more(after: int) -> Sequence[tuple[int, Fact]]:
            return list(shelf.read(session_id, after))

        if info.read_only:
            return Recorded(info, [fact for _, fact in more(0)])
        if why := shelf.held_elsewhere(session_id):
            return Followed(structs.replace(info, read_only=why), more, lambda: bool(shelf.held_elsewhere(session_id)))
        return None
