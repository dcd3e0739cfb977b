"""A link to a hall in the same process: no sockets, no JSON. A terminal that others may attach to uses it itself."""

import asyncio
from collections.abc import Callable
from typing import TypeVar, cast

from rein_tui.harness.protocol.errors import ReinError

from .answers import answer_now
from .hall import Hall
from .peers import Peer
from .wire import PROTOCOL, Request, ServerFrame, Welcome

ResultT = TypeVar("ResultT")


class LocalLink:
    """A Link that is a peer of the hall itself."""

    def __init__(self, hall: Hall, client: str, *, principal: str = "owner") -> None:
        self._hall = hall
        self._peer = Peer(hall, principal, client)
        self._tasks: set[asyncio.Task[None]] = set()
        self._pump: asyncio.Task[None] | None = None
        self.on_frame: Callable[[ServerFrame], None] = lambda frame: None
        self.on_refused: Callable[[Request, ReinError], None] = lambda request, error: None

    @property
    def welcome(self) -> Welcome:
        """As a server would greet."""
        return Welcome(protocol=PROTOCOL, version="", choice=self._hall.bench.choice)

    async def connect(self) -> None:
        """Begin to listen, and let the workbench get ready. Raises StartError, ConfigError."""
        self._pump = asyncio.create_task(self._listen())
        await self._hall.bench.prepare()

    async def ask(self, request: Request, kind: type[ResultT]) -> ResultT:
        """See Link."""
        return cast(ResultT, await self._peer.answer(request))

    def say(self, request: Request) -> None:
        """See Link."""
        task = asyncio.create_task(self._said(request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _said(self, request: Request) -> None:
        try:
            await self._peer.answer(request)
        except ReinError as error:
            self.on_refused(request, error)

    def ask_now(self, request: Request, kind: type[ResultT]) -> ResultT:
        """See Link."""
        return cast(ResultT, answer_now(self._peer, request))

    async def _listen(self) -> None:
        async for frame in self._peer.frames():
            self.on_frame(frame)

    async def close(self) -> None:
        """Leave."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)
        await self._peer.close()
