"""One open session of a server: its hub drives the harness and keeps its story for all who follow it.

A hub runs one turn at a time whether anybody watches or not.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from msgspec import structs

from rein_tui.harness.protocol.errors import Failure, StartError
from rein_tui.harness.protocol.events import TURN_ENDS, Event, Notice, TurnFailed
from rein_tui.harness.protocol.ports import Harness, Prompt, SessionInfo
from rein_tui.harness.protocol.workbench import Thinks

from .questions import Party, Patience, Questions, Seat, asking
from .story import Story
from .wire import Attached, RunBegun

BUSY = "busy"
"""The kind of the failure of a run while another turn runs."""

_LONGEST_LINE = 32
_KEPT_KEYS = 256
_BREATH = 64
"""Events after which others get their turn, when a harness tells without pause."""
_GOODBYE = 10.0
"""Seconds that a turn gets to end when the server closes."""


class Busy(StartError):
    """A turn runs already."""


class NotYours(StartError):
    """Only the owner of the session may do that."""


@dataclass(frozen=True, slots=True)
class _Turn:
    story: Callable[[], AsyncGenerator[Event]]


class Hub:
    """One open session: its story, its owner, its questions, and the one turn that runs."""

    def __init__(self, harness: Harness, principal: str, patience: Patience) -> None:
        self.harness = harness
        self.principal = principal
        self.id = harness.info.id
        self.story = Story(harness.history())
        self.seat = Seat(self.id, patience)
        self.questions = Questions(self.seat, self.id, patience)
        self.system_prompt: str | None = None
        self.used = asyncio.get_running_loop().time()
        self._expected = 0
        self._line: deque[_Turn] = deque()
        self._keys: OrderedDict[str, RunBegun] = OrderedDict()
        self._came = asyncio.Event()
        self._begun = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def is_running(self) -> bool:
        """Whether a turn runs or waits in line: the end of one more turn will be told."""
        return self._expected > 0

    @property
    def is_unused(self) -> bool:
        """Whether it rests, and nobody follows its story or may come back to its seat."""
        return not (self.is_running or self.story.listeners or self.seat.owner is not None or self.seat.left())

    @property
    def info(self) -> SessionInfo:
        """Who this session is."""
        return self.harness.info

    def begin(self) -> None:
        """Start driving."""
        token = asking.set(self.questions)
        self._tasks = [asyncio.create_task(self._drive()), asyncio.create_task(self._listen())]
        asking.reset(token)
        for task in self._tasks:
            task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """A bug in the harness must be seen, and must not leave anybody waiting for a turn that is over."""
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        task.get_loop().call_exception_handler(
            {"message": f"session {self.id} broke", "exception": error, "task": task}
        )
        failure = Failure(message=f"The session broke: {error!r}", kind="bug", hint="Open it again to go on.")
        self.story.tell(TurnFailed(failure=failure, time=time.time()))
        self._expected = 0
        self._idle.set()
        self._begun.set()

    def attached(self, party: Party) -> Attached:
        """What someone who attaches now is told."""
        return Attached(
            info=self.harness.info,
            mode=self.harness.mode,
            role="owner" if self.seat.owner is party else "observer",
            epoch=self.story.epoch,
            seq=self.story.last,
            is_running=self.is_running,
            has_permissions=self.harness.permissions is not None,
            effort=self.harness.effort if isinstance(self.harness, Thinks) else "",
            thinking=self.harness.thinking if isinstance(self.harness, Thinks) else True,
        )

    async def begun(self) -> RunBegun:
        """Wait until the beginning of the story is told."""
        await self._begun.wait()
        return RunBegun(after=self.story.last)

    # --- turns ----------------------------------------------------------------------------------------------

    def run(self, prompt: Prompt, key: str = "", *, queue: bool = False) -> RunBegun:
        """Begin a turn, or let it wait in line. Raises Busy while another runs."""
        if prompt.system_prompt is None and self.system_prompt is not None:
            prompt = structs.replace(prompt, system_prompt=self.system_prompt)
            self.system_prompt = None
        return self._submit(_Turn(lambda: self.harness.run(prompt)), key, queue)

    def compact(self, focus: str = "", from_turn: int = 0, key: str = "") -> RunBegun:
        """Summarise the conversation, as a turn. Raises Busy while another runs."""
        return self._submit(_Turn(lambda: self.harness.compact(focus, from_turn)), key, queue=False)

    def interrupt(self, reason: str = "") -> None:
        """Stop the running turn; what waits in line is dropped."""
        self._line.clear()
        self.harness.interrupt(reason)

    async def idle(self) -> None:
        """Wait until nothing runs and nothing waits in line."""
        await self._idle.wait()

    def _submit(self, turn: _Turn, key: str, queue: bool) -> RunBegun:
        if key and key in self._keys:
            return self._keys[key]
        if self.is_running and (not queue or len(self._line) >= _LONGEST_LINE):
            raise Busy("A turn is running.", hint="Wait for its end, or interrupt it.")
        begun = RunBegun(after=self.story.last, position=self._expected)
        self._line.append(turn)
        self._expected += 1
        self._idle.clear()
        self._came.set()
        if key:
            self._keys[key] = begun
            if len(self._keys) > _KEPT_KEYS:
                self._keys.popitem(last=False)
        return begun

    async def _drive(self) -> None:
        await self._pump(self.harness.start())
        self._begun.set()
        while True:
            await self._came.wait()
            while self._line:
                await self._pump(self._line.popleft().story())
                self._expected = len(self._line)
            self._came.clear()
            self.used = asyncio.get_running_loop().time()
            self._idle.set()

    async def _listen(self) -> None:
        async with aclosing(self.harness.asides()) as events:
            async for event in events:
                self.story.tell(event)
                if isinstance(event, Notice) and event.code == "wake":
                    self.run(Prompt(text=event.text, by="hook"), queue=True)

    async def _pump(self, story: AsyncGenerator[Event]) -> None:
        async with aclosing(story) as events:
            told = 0
            async for event in events:
                if isinstance(event, TURN_ENDS) and not event.parent:
                    self._expected = max(0, self._expected - 1)
                self.story.tell(event)
                told += 1
                if told % _BREATH == 0:
                    await asyncio.sleep(0)

    # --- the end --------------------------------------------------------------------------------------------

    async def close(self, reason: str) -> None:
        """Interrupt what runs, let its story end, stop driving."""
        if not self._idle.is_set():
            self.interrupt(reason)
            try:
                async with asyncio.timeout(_GOODBYE):
                    await self.idle()
            except TimeoutError:
                pass
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
