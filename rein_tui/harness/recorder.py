"""The recorder of one session: every fact is stamped, stored and folded before anybody is told.

Whoever sees a fact may therefore rely on its being kept. Deltas are only stamped.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

from msgspec import structs

from .folds import SessionFold, closing_facts
from .protocol.engines import Journal
from .protocol.events import DELTAS, ContextPrepared, Event, Fact, Notice
from .protocol.ports import SessionInfo
from .turn.conversation import Conversation


class Recorder:
    """The story of one session so far, and the only way to go on with it.

    `past` are the stored facts of a resumed one; what it left open is closed, and stored with the next fact.
    `watchers` see every stored fact. `now` gives epoch seconds.
    """

    def __init__(
        self,
        journal: Journal,
        past: Sequence[Fact],
        watchers: Sequence[Callable[[Fact], None]],
        now: Callable[[], float],
    ) -> None:
        self.facts: list[Fact] = list(past)
        self._unstored: list[Fact] = closing_facts(self.facts)
        self.facts += self._unstored
        self.conversation = Conversation(self.facts)
        self.fold = SessionFold(SessionInfo(id=journal.session_id), self.facts)
        self.prepared = next((f for f in reversed(self.facts) if isinstance(f, ContextPrepared)), None)
        self.last_turn = max((f.turn for f in self.facts), default=0)
        self.saves_hint = ""
        self._current_turn = 0
        self._journal = journal
        self._watchers = watchers
        self._now = now
        self._disk_problem = ""
        self._asides: asyncio.Queue[Event | None] = asyncio.Queue()

    def record(self, event: Event) -> Event:
        """Stamp; store and fold what is a fact."""
        event = structs.replace(event, time=event.time or self._now(), turn=event.turn or self._current_turn)
        if isinstance(event, DELTAS):
            return event
        for fact in [*self._unstored, event]:
            self._journal.append(fact)
        self._unstored = []
        self._watch_disk()
        self.facts.append(event)
        if isinstance(event, ContextPrepared) and not event.parent:
            self.prepared = event
        self.conversation.apply(event)
        self.fold.apply(event)
        for watch in self._watchers:
            watch(event)
        return event

    def begin_turn(self) -> None:
        """What is recorded from now on belongs to a new turn."""
        self.last_turn += 1
        self._current_turn = self.last_turn

    def end_turn(self) -> None:
        """Close what the turn left open; from now on facts belong to none."""
        for fact in closing_facts(self.facts):
            self.record(fact)
        self._current_turn = 0

    def tell_aside(self, event: Event) -> None:
        """Record an event that belongs to no turn and hand it to the reader of `asides`."""
        self._asides.put_nowait(self.record(event))

    async def asides(self) -> AsyncGenerator[Event]:
        """Events that belong to no turn, until the recorder is closed."""
        while (event := await self._asides.get()) is not None:
            yield event

    def close(self) -> None:
        """Let go of the journal, and of the reader of `asides`."""
        self._journal.close()
        self._asides.put_nowait(None)

    def _watch_disk(self) -> None:
        """Say what happened to the store, and once each when facts stop reaching the disk and do so again."""
        for notice in self._journal.take_notices():
            self.tell_aside(notice)
        problem, told = self._journal.problem, self._disk_problem
        if bool(problem) == bool(told):
            return
        self._disk_problem = problem
        if problem:
            hint = f"It goes on in memory and is written as soon as the store takes it.{self.saves_hint}"
            self.tell_aside(Notice(level="error", text=f"This session is not being stored: {problem}", hint=hint))
        else:
            self.tell_aside(Notice(text="The session is being stored again; nothing is missing."))
