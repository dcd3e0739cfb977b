"""What was heard of a session elsewhere: one line of events in order, and the history of those handed out.

Events arrive whether anybody asks for them or not; here they wait in one line. A turn that this screen began takes
them from the line (its foreground); what happens otherwise comes out of `asides`. A fact joins the history when it is
handed out, so that what is on the screen and what the history says never differ.
"""

import asyncio
import math
from collections import Counter, deque
from collections.abc import AsyncGenerator, Generator, Iterable
from contextlib import contextmanager

from rein_tui.harness.folds import SessionFold
from rein_tui.harness.protocol.decisions import Mode
from rein_tui.harness.protocol.errors import ReinError
from rein_tui.harness.protocol.events import DELTAS, TURN_ENDS, Event, Fact, ModeChanged, TurnStarted
from rein_tui.harness.protocol.ports import SessionInfo

from .calming import calm, calmed
from .wire import Attached, Envelope, encode


class Heard:
    """The story as far as it was told. With `epoch` and `seen`, how far it came, the workbench attaches again."""

    def __init__(self, attached: Attached) -> None:
        self.epoch: str = attached.epoch
        self.seen = 0
        self.mode: Mode = attached.mode
        self.is_running = attached.is_running
        self.failure: ReinError | None = None
        self.fold = SessionFold(attached.info)
        self.facts: list[Fact] = []
        self._attached = attached
        self._line: deque[Envelope] = deque()
        self._known: Counter[bytes] = Counter()
        self._moved = asyncio.Event()
        self._for_asides = math.inf
        self._aside_readers = 0
        self._is_absorbing = False

    # --- what arrives ---------------------------------------------------------------------------------------

    def told(self, events: Iterable[Envelope]) -> None:
        """More of the story arrived."""
        for envelope in events:
            if envelope.seq <= self.seen:
                continue
            self.seen = envelope.seq
            if not self._is_known(envelope.event):
                self._line.append(calmed(envelope))
        if self.seen >= self._attached.seq:
            self._known.clear()
        self._take_absorbed()
        self._stir()

    def put_aside(self, event: Event) -> None:
        """An event that is not of the story joins the line: the connection, the role."""
        self._line.append(Envelope(seq=0, event=event))
        self._stir()

    def reattached(self, attached: Attached) -> None:
        """The link attached again. In a new epoch all facts come once more: those known here are dropped."""
        if attached.epoch != self.epoch:
            facts = [*self.facts, *(e.event for e in self._line if e.seq and not isinstance(e.event, DELTAS))]
            self._known = Counter(encode(fact) for fact in facts)
            self.epoch, self.seen, self.is_running = attached.epoch, 0, attached.is_running
        self._attached, self.mode = attached, attached.mode
        self._stir()

    def fail(self, error: ReinError) -> None:
        """Nothing more will come."""
        self.failure = error
        self._stir()

    async def caught_up(self) -> None:
        """Wait until the past has arrived; it is the history from then on. Raises ReinError when it never will."""
        while self.seen < self._attached.seq and self.failure is None:
            await self.moved()
        if self.failure is not None:
            raise self.failure
        later: deque[Envelope] = deque()
        while self._line:
            envelope = self._line.popleft()
            if envelope.seq > self._attached.seq or isinstance(envelope.event, DELTAS):
                later.append(envelope)
            else:
                self.facts.append(envelope.event)
        self._line = later
        known = SessionInfo(id=self._attached.info.id) if self.facts else self._attached.info
        self.fold = SessionFold(known, self.facts)

    def _is_known(self, event: Event) -> bool:
        if not self._known or isinstance(event, DELTAS):
            return False
        body = encode(calm(event))
        if not self._known[body]:
            return False
        self._known[body] -= 1
        return True

    async def moved(self) -> None:
        """Wait until anything is another."""
        await self._moved.wait()

    def _stir(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    # --- what is handed out ---------------------------------------------------------------------------------

    @contextmanager
    def foreground(self) -> Generator[None]:
        """The time during which a turn of this screen takes all events."""
        self._give_asides(-1)
        try:
            yield
        finally:
            self._give_asides(math.inf)

    @contextmanager
    def background(self) -> Generator[None]:
        """A pause of the foreground: the asides have the events."""
        self._give_asides(math.inf)
        try:
            yield
        finally:
            self._give_asides(-1)

    def next_event(self) -> Event | None:
        """The next event, whosever it is; None when nothing waits."""
        return self._hand_out() if self._line else None

    def next_after(self, seq: int) -> Event | None:
        """The next event of the story after this number; what is older is left to the asides, if anybody reads them."""
        self._give_asides(seq)
        while self._line:
            if self._line[0].seq > seq:
                return self._hand_out()
            if self._aside_readers:
                return None
            self._hand_out()
        return None

    @property
    def waits(self) -> bool:
        """Whether any event stands in the line."""
        return bool(self._line)

    async def asides(self) -> AsyncGenerator[Event]:
        """Whatever happens outside the turns that this screen began, until the session is gone."""
        self._aside_readers += 1
        try:
            while True:
                if self._line and self._line[0].seq <= self._for_asides:
                    yield self._hand_out()
                    self._stir()
                elif self.failure is not None and not self._line:
                    return
                else:
                    await self.moved()
        finally:
            self._aside_readers -= 1
            self._stir()

    def absorb(self) -> None:
        """The rest of a turn that its reader left joins the history without being told, as it does locally."""
        self._is_absorbing = True
        self._take_absorbed()

    def _take_absorbed(self) -> None:
        while self._is_absorbing and self._line:
            event = self._hand_out()
            self._is_absorbing = not (isinstance(event, TURN_ENDS) and not event.parent)

    def is_lost(self, epoch: str) -> bool:
        """Whether a turn begun in that epoch will never end: the server started anew without it."""
        caught_up = self.seen >= self._attached.seq
        return epoch != self.epoch and caught_up and not self._attached.is_running

    def _hand_out(self) -> Event:
        """The next event of the line; a fact joins the history."""
        envelope = self._line.popleft()
        event = envelope.event
        if isinstance(event, TurnStarted) and not event.parent:
            self.is_running = True
        elif isinstance(event, TURN_ENDS) and not event.parent:
            self.is_running = False
            self._stir()
        elif isinstance(event, ModeChanged):
            self.mode = event.mode
        if envelope.seq and not isinstance(event, DELTAS):
            self.facts.append(event)
            self.fold.apply(event)
        return event

    def _give_asides(self, until: float) -> None:
        """Let `asides` have the events up to this number: none while a turn of this screen takes them all."""
        if self._for_asides != until:
            self._for_asides = until
            self._stir()
