"""A session elsewhere: ports.Harness over a link.

Events arrive whether anybody asks for them or not; here they wait in one line, in order. A turn that this screen
began takes them from the line; what happens otherwise comes out of `asides`. A fact joins the history when it is
handed out, so that what is on the screen and what the history says never differ.
"""

import asyncio
import contextlib
import math
import time
import uuid
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from typing import cast

from rein_tui.harness.folds import SessionFold
from rein_tui.harness.protocol.decisions import Mode
from rein_tui.harness.protocol.errors import ReinError
from rein_tui.harness.protocol.events import (
    DELTAS,
    TURN_ENDS,
    Event,
    Fact,
    ModeChanged,
    TurnFailed,
    TurnStarted,
)
from rein_tui.harness.protocol.hooks import HookOutcome, HookRun
from rein_tui.harness.protocol.models import WireRequest
from rein_tui.harness.protocol.ports import Adjustments, Prompt, SessionInfo
from rein_tui.harness.protocol.rewind import Restored, RewindPlan

from .calming import calm, calmed, complaint
from .errors import Refused
from .link import Link
from .remote_adjustments import RemoteAdjustments
from .remote_mcp import RemoteMcp
from .remote_permissions import RemotePermissions
from .wire import Attached, Envelope, Role, RunBegun, encode
from .wire import adjust_requests as adjust
from .wire import requests as ask
from .wire.insight_requests import Rehearsed

_SOON = 0.1
"""Seconds until a refused turn is tried again, when the one that is in its way was not heard of yet."""
_MAYBE_SENT = cast("type[WireRequest | None]", WireRequest | None)
_MAYBE_REHEARSED = cast("type[Rehearsed | None]", Rehearsed | None)
LEAVING = "exit"
"""Why a screen that goes away interrupts: here the turn goes on without it."""


class RemoteSession:
    """ports.Harness elsewhere. With `epoch` and `seen`, how far the story came, the workbench attaches again."""

    def __init__(self, link: Link, attached: Attached) -> None:
        self.id = attached.info.id
        self.role: Role = attached.role
        self.epoch: str = attached.epoch
        self.seen = 0
        self.mcp = RemoteMcp(link, self.id)
        self._sent: dict[tuple[int, int], WireRequest] = {}
        self.permissions = RemotePermissions(link, self.id) if attached.has_permissions else None
        self.adjustments: Adjustments | None = RemoteAdjustments(link, self.id)
        self.effort, self.thinking = attached.effort, attached.thinking
        self._link = link
        self._attached = attached
        self._mode: Mode = attached.mode
        self._fold = SessionFold(attached.info)
        self._facts: list[Fact] = []
        self._line: deque[Envelope] = deque()
        self._known: Counter[bytes] = Counter()
        self._moved = asyncio.Event()
        self._is_running = attached.is_running
        self._for_asides = math.inf
        self._aside_readers = 0
        self._is_detached = False
        self._is_absorbing = False
        self._failure: ReinError | None = None

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
        self._absorb()
        self._stir()

    def tell_aside(self, event: Event) -> None:
        """Something to say that is not of the story: the connection, the role."""
        self._line.append(Envelope(seq=0, event=event))
        self._stir()

    def reattached(self, attached: Attached) -> None:
        """The link attached again. In a new epoch all facts come once more: those known here are dropped."""
        if attached.epoch != self.epoch:
            facts = [*self._facts, *(e.event for e in self._line if e.seq and not isinstance(e.event, DELTAS))]
            self._known = Counter(encode(fact) for fact in facts)
            self.epoch, self.seen, self._is_running = attached.epoch, 0, attached.is_running
        self._attached, self.role, self._mode = attached, attached.role, attached.mode
        self.effort, self.thinking = attached.effort, attached.thinking
        self._stir()

    def fail(self, error: ReinError) -> None:
        """Nothing more will come."""
        self._failure = error
        self._stir()

    async def caught_up(self) -> None:
        """Wait until the past has arrived; it is the history from then on."""
        while self.seen < self._attached.seq and self._failure is None:
            await self._moved.wait()
        if self._failure is not None:
            raise self._failure
        later: deque[Envelope] = deque()
        while self._line:
            envelope = self._line.popleft()
            if envelope.seq > self._attached.seq or isinstance(envelope.event, DELTAS):
                later.append(envelope)
            else:
                self._facts.append(envelope.event)
        self._line = later
        self._fold = SessionFold(SessionInfo(id=self.id) if self._facts else self._attached.info, self._facts)

    def _is_known(self, event: Event) -> bool:
        if not self._known or isinstance(event, DELTAS):
            return False
        body = encode(calm(event))
        if not self._known[body]:
            return False
        self._known[body] -= 1
        return True

    def _stir(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    # --- what a screen asks ---------------------------------------------------------------------------------

    @property
    def info(self) -> SessionInfo:
        """Who this session is, as far as it was told."""
        return self._fold.info

    @property
    def mode(self) -> Mode:
        """The permission mode in force."""
        return self._mode

    def history(self) -> Sequence[Fact]:
        """All facts handed out so far."""
        return self._facts

    def interrupt(self, reason: str = "") -> None:
        """Stop the running turn; a screen that only leaves lets it run."""
        if reason == LEAVING:
            self._is_detached = True
        else:
            self._link.say(ask.Interrupt(session=self.id, reason=reason))

    def steer(self, text: str) -> None:
        """Say something to the running turn."""
        self._link.say(ask.Steer(session=self.id, text=text))

    def set_thinking(self, *, effort: str | None = None, thinking: bool | None = None) -> None:
        """From the next request on; what is None stays."""
        self.effort = self.effort if effort is None else effort
        self.thinking = self.thinking if thinking is None else thinking
        self._link.say(adjust.SetThinking(session=self.id, effort=effort, thinking=thinking))

    def request_of(self, turn: int, step: int) -> WireRequest | None:
        """The request of a step; the screen waits for it once."""
        if (turn, step) not in self._sent:
            request = ask.SentRequest(session=self.id, turn=turn, step=step)
            try:
                sent = self._link.ask_now(request, _MAYBE_SENT)
            except ReinError:
                return None
            if sent is None:
                return None
            self._sent[turn, step] = sent
        return self._sent[turn, step]

    async def rehearse(self, run: HookRun) -> tuple[tuple[HookRun, ...], HookOutcome] | None:
        """Run the hooks of a recorded moment again there, dry."""
        try:
            told = await self._link.ask(ask.Rehearse(session=self.id, run=run), _MAYBE_REHEARSED)
        except ReinError:
            return None
        return (told.runs, told.outcome) if told is not None else None

    async def claim(self) -> None:
        """Become the one who prompts and answers. Raises StartError."""
        await self._link.ask(ask.Claim(session=self.id), object)

    async def set_mode(self, mode: Mode) -> None:
        """Change the permission mode. Raises ConfigError for one that policy forbids there."""
        await self._link.ask(ask.SetMode(session=self.id, mode=mode), object)
        self._mode = mode

    def rewind_plan(self, to_turn: int) -> RewindPlan:
        """What going back would do to files there."""
        return self._link.ask_now(ask.PlanRewind(session=self.id, to_turn=to_turn), RewindPlan)

    async def rewind(
        self, to_turn: int, *, conversation: bool = True, code: bool = False, also: frozenset[str] = frozenset()
    ) -> Restored:
        """Go back to the end of that turn. Raises StartError while one runs."""
        request = ask.Rewind(
            session=self.id, to_turn=to_turn, conversation=conversation, code=code, also=tuple(sorted(also))
        )
        return await self._link.ask(request, Restored)

    # --- the story ------------------------------------------------------------------------------------------

    async def start(self) -> AsyncGenerator[Event]:
        """What happens until the session rests: its beginning, or the rest of a turn that runs already."""
        try:
            begun = await self._link.ask(ask.Start(session=self.id), RunBegun)
        except ReinError as error:
            yield complaint(error)
            return
        epoch = self.epoch
        with _Foreground(self):
            while self._failure is None:
                if self._line:
                    yield self._hand_out()
                elif not self._is_running and (self.seen >= begun.after or epoch != self.epoch):
                    return
                else:
                    await self._moved.wait()

    async def asides(self) -> AsyncGenerator[Event]:
        """Whatever happens outside the turns that this screen began, until the session is gone."""
        self._aside_readers += 1
        try:
            while True:
                if self._line and self._line[0].seq <= self._for_asides:
                    yield self._hand_out()
                    self._stir()
                elif self._failure is not None and not self._line:
                    return
                else:
                    await self._moved.wait()
        finally:
            self._aside_readers -= 1
            self._stir()

    async def run(self, prompt: Prompt) -> AsyncGenerator[Event]:
        """One turn; see ports.Harness."""
        key = uuid.uuid4().hex
        turn = self._turn(prompt.text, lambda: ask.Run(session=self.id, prompt=prompt, key=key))
        async with aclosing(turn) as events:
            async for event in events:
                yield event

    async def compact(self, focus: str = "", from_turn: int = 0) -> AsyncGenerator[Event]:
        """Summarise the conversation, as a turn of its own."""
        key = uuid.uuid4().hex
        wish = ask.Compact(session=self.id, focus=focus, from_turn=from_turn, key=key)
        turn = self._turn(f"/compact {focus}".strip(), lambda: wish)
        async with aclosing(turn) as events:
            async for event in events:
                yield event

    async def _turn(self, text: str, request: Callable[[], ask.Run | ask.Compact]) -> AsyncGenerator[Event]:
        with _Foreground(self) as foreground:
            try:
                begun = await self._begun(request, foreground)
            except ReinError as error:
                yield TurnStarted(text=text, time=time.time(), turn=self.info.turns + 1)
                yield self._failed(error)
                return
            is_started = has_ended = False
            epoch = self.epoch
            try:
                while not has_ended:
                    after = begun.after if epoch == self.epoch else 0
                    self.give_asides(after)
                    if self._line and self._line[0].seq > after:
                        event = self._hand_out()
                        is_started = is_started or epoch != self.epoch or isinstance(event, TurnStarted)
                        has_ended = is_started and isinstance(event, TURN_ENDS) and not event.parent
                        yield event
                    elif self._line and not self._aside_readers:
                        self._hand_out()
                    elif not self._line and (error := self._broken_off(epoch)) is not None:
                        has_ended = True
                        yield self._failed(error)
                    else:
                        await self._moved.wait()
            finally:
                if not has_ended and not self._is_detached:
                    self._link.say(ask.Interrupt(session=self.id, reason="the screen left the turn"))
                    self._is_absorbing = True
                    self._absorb()

    async def _begun(self, request: Callable[[], ask.Run | ask.Compact], foreground: "_Foreground") -> RunBegun:
        """Begin a turn, after the end of the one that runs. Raises ReinError."""
        while True:
            if self._failure is not None:
                raise self._failure
            try:
                return await self._link.ask(request(), RunBegun)
            except Refused as refused:
                if refused.kind != "Busy":
                    raise
            foreground.pause()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if self._is_running else _SOON):
                    await self._moved.wait()
            foreground.go_on()

    def _broken_off(self, epoch: str) -> ReinError | None:
        """Why the turn's end will never come, if so."""
        if self._failure is not None:
            return self._failure
        restarted = epoch != self.epoch and self.seen >= self._attached.seq and not self._attached.is_running
        if not restarted:
            return None
        return ReinError("The server started anew; the turn was lost.", hint="Send it again.")

    def _failed(self, error: ReinError) -> TurnFailed:
        return TurnFailed(failure=error.failure(), time=time.time(), turn=self.info.turns)

    def _hand_out(self) -> Event:
        """The next event of the line; a fact joins the history."""
        envelope = self._line.popleft()
        event = envelope.event
        if isinstance(event, TurnStarted) and not event.parent:
            self._is_running = True
        elif isinstance(event, TURN_ENDS) and not event.parent:
            self._is_running = False
            self._stir()
        elif isinstance(event, ModeChanged):
            self._mode = event.mode
        if envelope.seq and not isinstance(event, DELTAS):
            self._facts.append(event)
            self._fold.apply(event)
        return event

    def _absorb(self) -> None:
        """The rest of a turn that its reader left joins the history without being told, as it does locally."""
        while self._is_absorbing and self._line:
            event = self._hand_out()
            self._is_absorbing = not (isinstance(event, TURN_ENDS) and not event.parent)

    def give_asides(self, until: float) -> None:
        """Let `asides` have the events up to this number: none while a turn of this screen takes them all."""
        if self._for_asides != until:
            self._for_asides = until
            self._stir()


class _Foreground:
    """The time during which a turn of this screen takes all events."""

    def __init__(self, session: RemoteSession) -> None:
        self._session = session

    def __enter__(self) -> "_Foreground":
        self.go_on()
        return self

    def __exit__(self, *_: object) -> None:
        self.pause()

    def go_on(self) -> None:
        """Take the events."""
        self._session.give_asides(-1)

    def pause(self) -> None:
        """Leave them to the asides."""
        self._session.give_asides(math.inf)
