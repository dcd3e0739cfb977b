"""One party at the other end of a connection: its requests are answered here, its frames collected.

It knows no sockets: a WebSocket, a Unix socket and the screen in the same process all drive it alike. Small frames
(replies, questions) wait in a bounded outbox; stories are pulled when there is room, each session in its turn.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator

import msgspec

from rein_tui.harness.protocol.errors import Failure, ReinError

from .answers import answer
from .hall import Hall
from .questions import Patience, Questions, Seat
from .sessions import Hub
from .wire import Call, Fault, Reply, ServerFrame, SessionGone, Told, encode, requests

_LONGEST_OUTBOX = 1024
_MOST_CALLS = 32
"""Calls of one party that are worked on at once; further ones wait unread."""
_TRUST_PATIENCE = Patience(answer=120.0, empty=0.0)


class Overrun(Exception):
    """The party takes nothing while more and more is owed to it: its connection has to go."""


class Peer:
    """Implements questions.Party. `principal` is whom the token stands for, `client` this one program."""

    def __init__(self, hall: Hall, principal: str, client: str) -> None:
        self.hall = hall
        self.principal = principal
        self._client = client
        self._outbox: deque[ServerFrame] = deque()
        self._places: dict[str, int] = {}
        self._hubs: dict[str, Hub] = {}
        self._moved = asyncio.Event()
        self._calls: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(_MOST_CALLS)
        self._is_overrun = False
        self._own_seat = Seat("", _TRUST_PATIENCE)
        self._own_seat.sit(self)
        self.questions = Questions(self._own_seat, "", _TRUST_PATIENCE)

    @property
    def client(self) -> str:
        """Which program this is; the same when it connects again."""
        return self._client

    # --- what it is told ------------------------------------------------------------------------------------

    def post(self, frame: ServerFrame) -> None:
        """Send a frame when there is room. Never blocks."""
        if len(self._outbox) >= _LONGEST_OUTBOX:
            self._is_overrun = True
        else:
            self._outbox.append(frame)
        self._moved.set()

    async def frames(self) -> AsyncGenerator[ServerFrame]:
        """Everything for this party, in order, as fast as it is taken. Raises Overrun."""
        while True:
            await self._moved.wait()
            self._moved.clear()
            if self._is_overrun:
                raise Overrun
            while self._outbox:
                yield self._outbox.popleft()
            for session_id, place in tuple(self._places.items()):
                hub = self._hubs.get(session_id)
                part = hub.story.after(place) if hub is not None else []
                if part and session_id in self._places:
                    self._places[session_id] = part[-1].seq
                    self._moved.set()
                    yield Told(session=session_id, events=tuple(part))

    # --- what it asks ---------------------------------------------------------------------------------------

    async def receive(self, call: Call) -> None:
        """Work on a call; its reply is posted. Returns at once unless too many are under way."""
        await self._room.acquire()
        task = asyncio.create_task(self._work(call))
        self._calls.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._calls.discard(task)
        self._room.release()
        if not task.cancelled() and (error := task.exception()) is not None:
            task.get_loop().call_exception_handler({"message": "a call broke", "exception": error, "task": task})

    async def _work(self, call: Call) -> None:
        null = msgspec.Raw(b"null")
        try:
            result = await self.answer(call.request)
        except ReinError as error:
            self.post(Reply(id=call.id, result=null, failure=error.failure()))
        else:
            self.post(Reply(id=call.id, result=msgspec.Raw(encode(result))))

    async def answer(self, request: "requests.Request") -> object:
        """The result of one request. Raises ReinError."""
        return await answer(self, request)

    def fault(self, message: str, *, kind: str = "protocol") -> None:
        """Say that something was wrong which no reply can carry."""
        self.post(Fault(failure=Failure(message=message, kind=kind)))

    # --- the sessions it follows ----------------------------------------------------------------------------

    def follow(self, hub: Hub, after: int) -> None:
        """Tell this party the session's story from there on."""
        self._hubs[hub.id] = hub
        self._places[hub.id] = after
        hub.story.listeners.add(self._wake)
        hub.seat.audience.add(self)
        self._moved.set()

    def unfollow(self, session_id: str, *, gone: str = "", keep: bool = False) -> None:
        """Tell no more of a session; `gone` says why it is over. `keep` the seat: the party may come back."""
        hub = self._hubs.pop(session_id, None)
        self._places.pop(session_id, None)
        if hub is not None:
            hub.story.listeners.discard(self._wake)
            hub.seat.audience.discard(self)
            hub.seat.leave(self, keep=keep)
            hub.used = asyncio.get_running_loop().time()
            if gone:
                self.post(SessionGone(session=session_id, reason=gone))

    def followed(self, session_id: str) -> Hub | None:
        """The session, if this party is attached to it."""
        return self._hubs.get(session_id)

    def _wake(self) -> None:
        self._moved.set()

    async def close(self) -> None:
        """The connection is gone. Sessions go on; the seats are kept for a while."""
        for session_id in tuple(self._hubs):
            self.unfollow(session_id, keep=True)
        self._own_seat.leave(self)
        for task in tuple(self._calls):
            task.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)
