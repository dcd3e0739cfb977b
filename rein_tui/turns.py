"""One open session as the screen drives it: one turn at a time, prompts that wait, words for the running turn.

It knows the harness by its port and the screen by three callables; it draws nothing.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import aclosing
from typing import Any, Literal

import msgspec

from rein_tui.harness.protocol.events import (
    Event,
    Notice,
    PermissionRequested,
    PermissionResolved,
    QuestionAnswered,
    QuestionAsked,
    TurnFailed,
    TurnFinished,
    TurnInterrupted,
)
from rein_tui.harness.protocol.ports import Harness, Prompt
from rein_tui.unsettled import Unsettled

_BREATH = 0.008
"""Seconds of events taken in one go before keys get their turn: an unpaced stream must not starve them."""


class Waiting(msgspec.Struct, frozen=True):
    """A prompt that waits; `raw` is how it stood in the composer, chips folded."""

    prompt: Prompt
    raw: str


class Turns:
    """Pumps a harness: `tell` gets every event in order, `changed` hears that the state or the queue moved.

    `start` runs a coroutine beside the message loop and lets its exceptions end the app: they are bugs.
    `has_prompted` says whether a prompt went to the harness, also when nothing was told of its turn yet.
    """

    def __init__(
        self,
        harness: Harness,
        *,
        tell: Callable[["Turns", Event], Awaitable[None]],
        changed: Callable[["Turns"], None],
        start: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        self.harness = harness
        self.waiting: list[Waiting] = []
        self.is_paused = False
        self.is_running = False
        self.unsettled = Unsettled()
        self.has_prompted = False
        self._is_opening = False
        self._asked = 0
        self._tell = tell
        self._changed = changed
        self._start = start

    @property
    def state(self) -> Literal["running", "waiting", "idle"]:
        """What the session list shows."""
        if self._asked:
            return "waiting"
        return "running" if self.is_running else "idle"

    def open(self) -> None:
        """Tell the beginning of the story, then whatever happens outside turns."""
        self._is_opening = True
        self._begin(self._opening())
        self._start(self._pump(self.harness.asides()))

    def submit(self, prompt: Prompt, raw: str) -> None:
        """Run this prompt, or let it wait for its turn."""
        self.waiting.append(Waiting(prompt, raw))
        self.resume()

    def resume(self) -> None:
        """Go on with the prompts that wait."""
        self.is_paused = False
        if self.is_running or not self.waiting:
            self._changed(self)
        else:  # it is never seen to wait: a row that comes and goes at once would be two layouts before the request
            self._begin(self._drain(self.waiting.pop(0).prompt))

    def steer(self, prompt: Prompt, raw: str) -> None:
        """Say this to the running turn; between turns, or with images, it is a prompt like any other."""
        if self.is_running and not prompt.blocks:
            self.harness.steer(prompt.text)
        else:
            self.submit(prompt, raw)

    def take_back(self) -> str | None:
        """Take the last waiting prompt out of the queue; returns how it stood in the composer."""
        if not self.waiting:
            return None
        raw = self.waiting.pop().raw
        self.is_paused = self.is_paused and bool(self.waiting)
        self._changed(self)
        return raw

    def drop(self) -> None:
        """Forget all waiting prompts."""
        self.waiting.clear()
        self.is_paused = False
        self._changed(self)

    def interrupt(self, reason: str = "") -> bool:
        """Stop the running turn; false when none runs. What waits stays, paused."""
        if self.is_running:
            self.harness.interrupt(reason)
        if self._is_opening and self.waiting:  # no turn runs whose end would pause it
            self.is_paused = True
            self._changed(self)
        return self.is_running

    def compact(self, focus: str, from_turn: int = 0) -> bool:
        """Summarise the conversation, as a turn of its own; false while one runs."""
        if self.is_running:
            return False
        self._begin(self._compact(focus, from_turn))
        return True

    async def _compact(self, focus: str, from_turn: int) -> None:
        await self._pump(self.harness.compact(focus, from_turn))
        await self._drain()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self.is_running = True
        self._changed(self)
        self._start(work)

    async def _opening(self) -> None:
        await self._pump(self.harness.start())
        self._is_opening = False
        await self._drain()

    async def _drain(self, first: Prompt | None = None) -> None:
        """Run `first`, then what waits."""
        try:
            if first is not None:
                await self._run(first)
            while self.waiting and not self.is_paused:
                prompt = self.waiting.pop(0).prompt
                self._changed(self)
                await self._run(prompt)
        finally:
            self.is_running = False
            self._asked = 0
            self._changed(self)

    async def _run(self, prompt: Prompt) -> None:
        self.has_prompted = True
        await self._pump(self.harness.run(prompt))

    async def _pump(self, story: AsyncGenerator[Event]) -> None:
        async with aclosing(story) as events:
            breath = time.perf_counter()
            async for event in events:
                self._watch(event)
                self.unsettled.note(event)
                await self._tell(self, event)
                if time.perf_counter() - breath > _BREATH:
                    await asyncio.sleep(0)
                    breath = time.perf_counter()

    def _watch(self, event: Event) -> None:
        match event:
            case Notice(code="wake"):
                self.submit(Prompt(text=event.text, by="hook"), event.text)
                return
            case PermissionRequested() | QuestionAsked():
                self._asked += 1
            case PermissionResolved() | QuestionAnswered():
                self._asked = max(0, self._asked - 1)
            case TurnInterrupted() | TurnFailed():
                self._asked = 0
                self.is_paused = bool(self.waiting)
            case TurnFinished():
                self._asked = 0
            case _:
                return
        self._changed(self)
