"""All sessions of a server over one workbench: it opens their hubs and binds each to its principal."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol
from weakref import WeakValueDictionary

from rein_tui.harness.protocol.errors import Failure, StartError, StoreError
from rein_tui.harness.protocol.ports import Harness
from rein_tui.harness.protocol.workbench import Clears, Workbench

from .principals import Principals
from .questions import Patience, Questions, asking
from .sessions import Hub
from .wire import Fault

_KEPT_KEYS = 256


@dataclass(frozen=True, slots=True)
class Limits:
    """What a server bears. `sessions` are those open at once; `message` and `body` are bytes.

    `idle` is for how many seconds a session stays open that nobody looks at and that does nothing.
    """

    sessions: int = 500
    message: int = 1024 * 1024
    body: int = 4 * 1024 * 1024
    idle: float = 1800.0
    patience: Patience = field(default_factory=Patience)


class Bench(Workbench, Protocol):
    """A workbench whose sessions come and go."""

    async def begin(self, session_id: str) -> Harness:
        """A new session under this id. Raises StoreError when it is taken or no id, StartError, ConfigError."""
        ...

    async def release(self, session_id: str) -> bool:
        """Close a session that nobody needs just now; false when that would lose it."""
        ...


class Hall:
    """All sessions of one server over one workbench."""

    def __init__(self, bench: Bench, *, limits: Limits | None = None, principals: Principals | None = None) -> None:
        self.bench = bench
        self.limits = limits or Limits()
        self._principals = principals or Principals()
        self._hubs: dict[str, Hub] = {}
        self._new: OrderedDict[str, str] = OrderedDict()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._opening = 0
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
        return self._principals.of(session_id) == principal

    async def open(
        self,
        session_id: str,
        principal: str,
        questions: Questions | None = None,
        *,
        system_prompt: str | None = None,
        key: str = "",
        anew: bool = False,
    ) -> Hub:
        """The hub of a new, stored or running session; `questions` hears whether the folder is trusted.

        `system_prompt` is for a new one. With `anew`, one that is not stored begins under its id.
        Raises StoreError, StartError, ConfigError.
        """
        async with self._lock(session_id, principal, key):
            known = session_id or self._begun(principal, key)
            if known and not self.may_see(known, principal):
                raise StoreError("There is no such session.", where=session_id)
            if known in self._hubs:
                return self._hubs[known]
            token = asking.set(questions)
            try:
                hub = await self._admitted(lambda: self._harness(known, anew=anew), principal, key)
            finally:
                asking.reset(token)
            if system_prompt and (not known or anew):
                hub.system_prompt = system_prompt
            return hub

    async def _harness(self, session_id: str, *, anew: bool) -> Harness:
        try:
            return await self.bench.open(session_id)
        except StoreError:
            if not anew:
                raise
        return await self.bench.begin(session_id)

    async def fork(self, session_id: str, turn: int, principal: str, key: str = "") -> Hub:
        """The hub of a fork. Raises StoreError, StartError."""
        async with self._lock("", principal, key):
            again = self._begun(principal, key)
            if again in self._hubs:
                return self._hubs[again]
            if not self.may_see(session_id, principal):
                raise StoreError("There is no such session.", where=session_id)
            return await self._admitted(lambda: self.bench.fork(session_id, turn), principal, key)

    async def clear(self, left: Hub, key: str = "") -> Hub:
        """The hub of a new session in the place of one that its owner leaves. Raises StoreError, StartError."""
        bench, principal = self.bench, left.principal
        async with self._lock("", principal, key):
            again = self._begun(principal, key)
            if again in self._hubs:
                return self._hubs[again]
            opening = partial(bench.clear, left.id) if isinstance(bench, Clears) else bench.open
            return await self._admitted(opening, principal, key)

    def _lock(self, session_id: str, principal: str, key: str) -> asyncio.Lock:
        """Held while this session opens: one whose person is asked something holds up nobody else's."""
        name = session_id or self._begun(principal, key) or (f"{principal}/{key}" if key else "")
        return self._locks.setdefault(name, asyncio.Lock()) if name else asyncio.Lock()

    def _begun(self, principal: str, key: str) -> str:
        """The session that began with this wish already; empty when none did."""
        return self._new.get(f"{principal}/{key}", "") if key else ""

    async def _admitted(self, opening: Callable[[], Awaitable[Harness]], principal: str, key: str) -> Hub:
        await self._make_room()
        self._opening += 1
        try:
            harness = await opening()
        finally:
            self._opening -= 1
        self._check_open()
        return self._admit(harness, principal, key)

    def _check_open(self) -> None:
        if self.is_closing:
            raise StartError("The server is closing.")

    async def _make_room(self) -> None:
        """Close what nobody has needed for long, and for a new one the longest unused. Raises StartError."""
        self._check_open()
        unused = sorted((hub for hub in self._hubs.values() if hub.is_unused), key=lambda hub: hub.used)
        now = asyncio.get_running_loop().time()
        for hub in unused:
            if self._is_full or now - hub.used > self.limits.idle:
                await self.release(hub)
        if self._is_full:
            raise StartError(f"{self.limits.sessions} sessions are in use; the server takes no more.")

    @property
    def _is_full(self) -> bool:
        return len(self._hubs) + self._opening >= self.limits.sessions

    async def release(self, hub: Hub) -> None:
        """Close a session that nobody uses; it can be opened again. One that is not stored stays."""
        lock = self._lock(hub.id, hub.principal, "")
        if lock.locked():
            return  # somebody comes to it, or closes it already
        async with lock:
            if self._hubs.get(hub.id) is hub and hub.is_unused and await self.bench.release(hub.id):
                self._hubs.pop(hub.id, None)
                await hub.close("nobody is there")

    def _admit(self, harness: Harness, principal: str, key: str) -> Hub:
        hub = self._hubs.get(harness.info.id)
        if hub is None:
            hub = Hub(harness, principal, self.limits.patience)
            self._hubs[hub.id] = hub
            self._principals.bind(hub.id, principal)
            hub.begin()
        if key:
            self._new[f"{principal}/{key}"] = hub.id
            if len(self._new) > _KEPT_KEYS:
                self._new.popitem(last=False)
        return hub

    async def drop(self, session_id: str, reason: str) -> None:
        """Stop driving a session, and close it."""
        hub = self._hubs.pop(session_id, None)
        if hub is not None:
            await hub.close(reason)
            await self.bench.release(session_id)

    def interrupt(self, reason: str) -> None:
        """Begin to close: take no more, stop every turn."""
        self.is_closing = True
        closing = Fault(failure=Failure(message="The server is closing.", kind="closing"))
        for party in {party for hub in self._hubs.values() for party in hub.seat.audience}:
            party.post(closing)
        for hub in self._hubs.values():
            hub.interrupt(reason)

    async def close(self) -> None:
        """Let every turn come to an ordered end; the workbench is its owner's to close."""
        self.is_closing = True
        await asyncio.gather(*(hub.close("the server closes") for hub in self._hubs.values()))
        self._hubs.clear()
