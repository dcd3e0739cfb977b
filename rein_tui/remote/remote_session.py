"""A session elsewhere: ports.Harness over a link. What was heard of its story is kept in `heard`."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import cast

from rein_tui.harness.protocol.decisions import Mode
from rein_tui.harness.protocol.errors import ReinError
from rein_tui.harness.protocol.events import (
    TURN_ENDS,
    Event,
    Fact,
    TurnFailed,
    TurnStarted,
)
from rein_tui.harness.protocol.hooks import HookOutcome, HookRun
from rein_tui.harness.protocol.models import WireRequest
from rein_tui.harness.protocol.ports import Adjustments, Prompt, SessionInfo
from rein_tui.harness.protocol.rewind import Restored, RewindPlan

from .calming import complaint
from .errors import Refused
from .heard import Heard
from .link import Link
from .remote_adjustments import RemoteAdjustments
from .remote_mcp import RemoteMcp
from .remote_permissions import RemotePermissions
from .wire import Attached, Role, RunBegun
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
    """ports.Harness elsewhere."""

    def __init__(self, link: Link, attached: Attached) -> None:
        self.id = attached.info.id
        self.role: Role = attached.role
        self.heard = Heard(attached)
        self.mcp = RemoteMcp(link, self.id)
        self.permissions = RemotePermissions(link, self.id) if attached.has_permissions else None
        self.adjustments: Adjustments | None = RemoteAdjustments(link, self.id)
        self.effort, self.thinking = attached.effort, attached.thinking
        self._link = link
        self._sent: dict[tuple[int, int], WireRequest] = {}
        self._is_detached = False

    def tell_aside(self, event: Event) -> None:
        """Something to say that is not of the story: the connection, the role."""
        self.heard.put_aside(event)

    def reattached(self, attached: Attached) -> None:
        """The link attached again."""
        self.role = attached.role
        self.effort, self.thinking = attached.effort, attached.thinking
        self.heard.reattached(attached)

    # --- what a screen asks ---------------------------------------------------------------------------------

    @property
    def info(self) -> SessionInfo:
        """Who this session is, as far as it was told."""
        return self.heard.fold.info

    @property
    def mode(self) -> Mode:
        """The permission mode in force."""
        return self.heard.mode

    def history(self) -> Sequence[Fact]:
        """All facts handed out so far."""
        return self.heard.facts

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
        self.heard.mode = mode

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
        heard, epoch = self.heard, self.heard.epoch
        with heard.foreground():
            while heard.failure is None:
                if (event := heard.next_event()) is not None:
                    yield event
                elif not heard.is_running and (heard.seen >= begun.after or epoch != heard.epoch):
                    return
                else:
                    await heard.moved()

    async def asides(self) -> AsyncGenerator[Event]:
        """Whatever happens outside the turns that this screen began, until the session is gone."""
        async with aclosing(self.heard.asides()) as events:
            async for event in events:
                yield event

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
        heard = self.heard
        with heard.foreground():
            try:
                begun = await self._begun(request)
            except ReinError as error:
                yield TurnStarted(text=text, time=time.time(), turn=self.info.turns + 1)
                yield self._failed(error)
                return
            is_started = has_ended = False
            epoch = heard.epoch
            try:
                while not has_ended:
                    event = heard.next_after(begun.after if epoch == heard.epoch else 0)
                    if event is not None:
                        is_started = is_started or epoch != heard.epoch or isinstance(event, TurnStarted)
                        has_ended = is_started and isinstance(event, TURN_ENDS) and not event.parent
                        yield event
                    elif not heard.waits and (error := self._broken_off(epoch)) is not None:
                        has_ended = True
                        yield self._failed(error)
                    else:
                        await heard.moved()
            finally:
                if not has_ended and not self._is_detached:
                    self._link.say(ask.Interrupt(session=self.id, reason="the screen left the turn"))
                    heard.absorb()

    async def _begun(self, request: Callable[[], ask.Run | ask.Compact]) -> RunBegun:
        """Begin a turn, after the end of the one that runs. Raises ReinError."""
        while True:
            if self.heard.failure is not None:
                raise self.heard.failure
            try:
                return await self._link.ask(request(), RunBegun)
            except Refused as refused:
                if refused.kind != "Busy":
                    raise
            with self.heard.background(), contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if self.heard.is_running else _SOON):
                    await self.heard.moved()

    def _broken_off(self, epoch: str) -> ReinError | None:
        """Why the turn's end will never come, if so."""
        if self.heard.failure is not None:
            return self.heard.failure
        if not self.heard.is_lost(epoch):
            return None
        return ReinError("The server started anew; the turn was lost.", hint="Send it again.")

    def _failed(self, error: ReinError) -> TurnFailed:
        return TurnFailed(failure=error.failure(), time=time.time(), turn=self.info.turns)
