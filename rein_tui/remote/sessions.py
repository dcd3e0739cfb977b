"""The sessions of a server: one hub each, which drives the harness and keeps its story for all who follow it.

A hub runs one turn at a time whether anybody watches or not. The hall opens hubs and binds each to its principal.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from rein_tui.harness.protocol.errors import Failure, StartError, StoreError
from rein_tui.harness.protocol.events import TURN_ENDS, Event, Notice, TurnFailed
from rein_tui.harness.protocol.ports import Harness, Prompt, SessionInfo, Workbench

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
        )

    async def begun(self) -> RunBegun:
        """Wait until the beginning of the story is told."""
        await self._begun.wait()
        return RunBegun(after=self.story.last)

    # --- turns ----------------------------------------------------------------------------------------------

    def run(self, prompt: Prompt, key: str = "", *, queue: bool = False) -> RunBegun:
        """Begin a turn, or let it wait in line. Raises Busy while another runs."""
        return self._submit(_Turn(lambda: self.harness.run(prompt)), key, queue)

    def compact(self, focus: str = "", key: str = "") -> RunBegun:
        """Summarise the conversation, as a turn. Raises Busy while another runs."""
        return self._submit(_Turn(lambda: self.harness.compact(focus)), key, queue=False)

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


@dataclass(frozen=True, slots=True)
class Limits:
    """What a server bears. `sessions` are those open at once; `message` and `body` are bytes."""

    sessions: int = 500
    message: int = 1024 * 1024
    body: int = 4 * 1024 * 1024
    patience: Patience = field(default_factory=Patience)


OpenWith = Callable[[str], Awaitable[Harness]]
"""Opens a new session with another system prompt."""


class Hall:
    """All sessions of one server over one workbench."""

    def __init__(
        self, bench: Workbench, *, limits: Limits | None = None, host: str = "owner", open_with: OpenWith | None = None
    ) -> None:
        self.bench = bench
        self.limits = limits or Limits()
        self._host = host
        self._open_with = open_with
        self._hubs: dict[str, Hub] = {}
        self._principals: dict[str, str] = {}
        self._new: OrderedDict[str, str] = OrderedDict()
        self._lock = asyncio.Lock()
        self.is_closing = False

    def hub(self, session_id: str, principal: str) -> Hub:
        """An open session. Raises StoreError when it is not open, or somebody else's."""
        hub = self._hubs.get(session_id)
        if hub is None or hub.principal != principal:
            raise StoreError("There is no such open session.", where=session_id)
        return hub

    def hubs(self, principal: str) -> list[Hub]:
        """The open sessions of a principal."""
        return [hub for hub in self._hubs.values() if hub.principal == principal]

    def may_see(self, session_id: str, principal: str) -> bool:
        """Whether a session is this principal's: their own, or an old one of the person whose server it is."""
        return self._principals.get(session_id, self._host) == principal

    async def open(
        self,
        session_id: str,
        principal: str,
        questions: Questions | None = None,
        *,
        system_prompt: str | None = None,
        key: str = "",
    ) -> Hub:
        """The hub of a new, stored or running session; `questions` hears whether the folder is trusted.

        Raises StoreError, StartError, ConfigError.
        """
        async with self._lock:
            known = session_id or (self._new.get(f"{principal}/{key}", "") if key else "")
            if known and not self.may_see(known, principal):
                raise StoreError("There is no such session.", where=session_id)
            if known in self._hubs:
                return self._hubs[known]
            self._check_room()
            token = asking.set(questions)
            try:
                if system_prompt is not None and self._open_with is not None and not known:
                    harness = await self._open_with(system_prompt)
                else:
                    harness = await self.bench.open(known)
            finally:
                asking.reset(token)
            return self._admit(harness, principal, key)

    async def fork(self, session_id: str, turn: int, principal: str, key: str = "") -> Hub:
        """The hub of a fork. Raises StoreError, StartError."""
        async with self._lock:
            again = self._new.get(f"{principal}/{key}", "") if key else ""
            if again in self._hubs:
                return self._hubs[again]
            if not self.may_see(session_id, principal):
                raise StoreError("There is no such session.", where=session_id)
            self._check_room()
            return self._admit(await self.bench.fork(session_id, turn), principal, key)

    def _check_room(self) -> None:
        if self.is_closing:
            raise StartError("The server is closing.")
        if len(self._hubs) >= self.limits.sessions:
            raise StartError(f"{len(self._hubs)} sessions are open; the server takes no more.")

    def _admit(self, harness: Harness, principal: str, key: str) -> Hub:
        hub = self._hubs.get(harness.info.id)
        if hub is None:
            hub = Hub(harness, principal, self.limits.patience)
            self._hubs[hub.id] = hub
            self._principals[hub.id] = principal
            hub.begin()
        if key:
            self._new[f"{principal}/{key}"] = hub.id
            if len(self._new) > _KEPT_KEYS:
                self._new.popitem(last=False)
        return hub

    async def drop(self, session_id: str, reason: str) -> None:
        """Stop driving a session."""
        hub = self._hubs.pop(session_id, None)
        if hub is not None:
            await hub.close(reason)

    async def close(self) -> None:
        """Let every turn come to an ordered end; the workbench is its owner's to close."""
        self.is_closing = True
        await asyncio.gather(*(hub.close("the server closes") for hub in self._hubs.values()))
        self._hubs.clear()
