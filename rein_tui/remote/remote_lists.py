"""Lists of elsewhere that a screen looks at without waiting: told as heard last, and asked for anew meanwhile."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from rein_tui.harness.protocol.errors import ReinError, StoreError
from rein_tui.harness.protocol.ports import MOST_LISTED, SessionInfo
from rein_tui.harness.protocol.workbench import CommandInfo, ExtensionRow

from .link import Link
from .wire import requests as ask

_MOST_LISTS = 64
_SHORTEST_ID = 4
_PATIENCE = 2.0
"""Seconds that the screen waits for what it can do without."""


class RemoteLists:
    """Sessions, commands and extensions of a house elsewhere.

    `changed` is called when a list that was answered from memory turned out to be another.
    """

    def __init__(self, link: Link) -> None:
        self.changed: Callable[[], None] = lambda: None
        self.commands: Sequence[CommandInfo] = ()
        self.extensions: Sequence[ExtensionRow] = ()
        self._link = link
        self._sessions: dict[tuple[str, bool], Sequence[SessionInfo]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def prepare(self) -> None:
        """Hear everything for the first time. Raises ReinError."""
        self._sessions["", False] = await self._asked("", False)
        await self.look_around()

    async def look_around(self) -> None:
        """What files bring there is known once a session is open."""
        self.commands = await self._link.ask(ask.ListCommands(), tuple[CommandInfo, ...])
        with contextlib.suppress(ReinError):  # a house without files to bring anything
            self.extensions = await self._link.ask(ask.ListExtensions(), tuple[ExtensionRow, ...])

    def sessions(self, search: str, everywhere: bool, limit: int) -> Sequence[SessionInfo]:
        """The list as heard last, however long it was asked for then."""
        self._start(self._refresh(search, everywhere, limit))
        return self._sessions.get((search, everywhere), ())

    def info(self, session_id: str) -> SessionInfo:
        """What any list says of this session."""
        listed = (info for infos in self._sessions.values() for info in infos if info.id == session_id)
        return next(listed, SessionInfo(id=session_id))

    async def on_screen(self) -> str:
        """The session that is open there, one whose turn runs before others; empty when there is none."""
        opened = await self._running()
        busy = [info for info in opened if info.state in ("running", "waiting")]
        return next((info.id for info in [*busy, *opened]), "")

    async def named(self, name: str) -> str:
        """The id of the session with this id, or with this beginning of one. Raises StoreError for none or several."""
        listed = await self._asked("", True)
        running = await self._running()
        ids = {info.id for info in [*listed, *running]}
        found = [known for known in ids if known == name or (len(name) >= _SHORTEST_ID and known.startswith(name))]
        if name in ids or len(found) == 1:
            return name if name in ids else found[0]
        text = f"{len(found)} sessions there begin with this." if found else "There is no such session."
        raise StoreError(text, where=name, hint="Without --session a new one begins; F6 there lists them.")

    async def _running(self) -> Sequence[SessionInfo]:
        return await self._link.ask(ask.ListSessions(running=True), tuple[SessionInfo, ...])

    async def _asked(self, search: str, everywhere: bool, limit: int = MOST_LISTED) -> Sequence[SessionInfo]:
        request = ask.ListSessions(search=search, everywhere=everywhere, limit=limit)
        return await self._link.ask(request, tuple[SessionInfo, ...])

    async def _refresh(self, search: str, everywhere: bool, limit: int) -> None:
        try:
            listed = await self._asked(search, everywhere, limit)
        except ReinError:
            return
        if tuple(self._sessions.get((search, everywhere), ())) == listed:
            return
        if len(self._sessions) >= _MOST_LISTS:
            self._sessions.clear()
        self._sessions[search, everywhere] = listed
        self.changed()

    def look_for_commands(self) -> None:
        """Ask for them anew; what is new is there the next time that somebody looks."""
        self._start(self.learn())

    async def learn(self) -> None:
        """See workbench.Elsewhere. A connection that is lost brings nothing new."""
        with contextlib.suppress(ReinError, TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                self.commands = await self._link.ask(ask.ListCommands(), tuple[CommandInfo, ...])

    async def reload_extensions(self) -> Sequence[ExtensionRow]:
        """Find them anew, there. Raises ReinError."""
        self.extensions = await self._link.ask(ask.ReloadExtensions(), tuple[ExtensionRow, ...])
        self.commands = await self._link.ask(ask.ListCommands(), tuple[CommandInfo, ...])
        return self.extensions

    async def close(self) -> None:
        """Ask no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
