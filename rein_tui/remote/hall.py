"""All sessions of a server over one workbench: it opens their hubs and binds each to its principal."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from rein_tui.harness.protocol.errors import StartError, StoreError
from rein_tui.harness.protocol.ports import Harness, Workbench

from .questions import Patience, Questions, asking
from .sessions import Hub

_KEPT_KEYS = 256


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
