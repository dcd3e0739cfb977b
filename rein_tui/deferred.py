"""A workbench that is built after the first paint: its import is the heaviest thing between a start and its screen."""

import asyncio
import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from .harness.protocol.events import Fact
from .harness.protocol.models import ModelInfo
from .harness.protocol.ports import MOST_LISTED, Harness, SessionInfo
from .harness.protocol.workbench import CommandInfo, ExportForm, ExtensionRow, FoundServer, ModelChoice, ModelProbe

if TYPE_CHECKING:
    from .harness.session import EndReason
    from .harness.store.journal import Loss
    from .harness.wiring.build import LocalWorkbench

_WARM = (
    "rein_tui.turns",
    "rein_tui.widgets.chat_fold",
    "rein_tui.harness.wiring.build",
    "markdown_it",
    "pygments.lexers",
)
"""What the first turn will need; loaded in a thread once the screen is there."""

_HEAD_START = 0.15
"""Seconds that belong to the screen alone."""


class DeferredWorkbench:
    """workbench.Workbench in front of one that `make` builds on first use. `choice` is known from the start.

    Before it is built there are no sessions and no commands to list. `before` is what must be
    done before it starts a child.
    """

    def __init__(
        self, make: "Callable[[], LocalWorkbench]", choice: ModelChoice | None, *, before: Callable[[], None]
    ) -> None:
        self._make = make
        self._before = before
        self._choice = choice
        self._lock = asyncio.Lock()
        self._bench: LocalWorkbench | None = None

    async def ready(self) -> "LocalWorkbench":
        """The real one. Its modules are imported in a thread, so that keys and frames go on meanwhile."""
        async with self._lock:
            if self._bench is None:
                for name in _WARM:
                    await asyncio.to_thread(importlib.import_module, name)
                self._bench = self._make()
        return self._bench

    async def close(self, reason: "EndReason" = "prompt_input_exit") -> None:
        """Close the real one, if there is one."""
        if self._bench is not None:
            await self._bench.close(reason)

    @property
    def losses(self) -> "Mapping[str, Loss]":
        """What could not be stored of sessions that are closed by now, by their id."""
        return self._bench.store.losses if self._bench is not None else {}

    @property
    def choice(self) -> ModelChoice | None:
        """The model in use."""
        return self._bench.choice if self._bench is not None else self._choice

    async def prepare(self) -> None:
        """Build the real one, a moment later: first the keys of whoever is typing already."""
        if self._bench is None:
            await asyncio.sleep(_HEAD_START)
            self._before()
        await self.ready()

    async def open(self, session_id: str = "") -> Harness:
        """See workbench.Workbench."""
        bench = await self.ready()
        return await bench.open(session_id)

    async def clear(self, session_id: str) -> Harness:
        """See workbench.Clears."""
        bench = await self.ready()
        return await bench.clear(session_id)

    async def fork(self, session_id: str, turn: int) -> Harness:
        """See workbench.Workbench."""
        bench = await self.ready()
        return await bench.fork(session_id, turn)

    def sessions(self, search: str = "", everywhere: bool = False, limit: int = MOST_LISTED) -> Sequence[SessionInfo]:
        """See workbench.Workbench."""
        return self._bench.sessions(search, everywhere, limit) if self._bench is not None else ()

    async def find(self, search: str, everywhere: bool, limit: int) -> Sequence[SessionInfo]:
        """See workbench.Searches."""
        bench = await self.ready()
        return await bench.find(search, everywhere, limit)

    def facts(self, session_id: str) -> Sequence[Fact]:
        """See workbench.Workbench."""
        return self._bench.facts(session_id) if self._bench is not None else ()

    def export(self, session_id: str, form: ExportForm) -> bytes:
        """See workbench.Workbench."""
        return self._bench.export(session_id, form) if self._bench is not None else b""

    def commands(self) -> Sequence[CommandInfo]:
        """See workbench.Workbench."""
        return self._bench.commands() if self._bench is not None else ()

    def extensions(self) -> Sequence[ExtensionRow]:
        """See workbench.Extensible."""
        return self._bench.extensions() if self._bench is not None else ()

    async def reload_extensions(self) -> Sequence[ExtensionRow]:
        """See workbench.Extensible."""
        bench = await self.ready()
        return await bench.reload_extensions()

    def look_for_commands(self) -> None:
        """See workbench.Extensible."""
        if self._bench is not None:
            self._bench.look_for_commands()

    def forget_key(self) -> bool:
        """See workbench.KeepsKey."""
        return self._bench.forget_key() if self._bench is not None else False

    def rename(self, session_id: str, title: str) -> None:
        """See workbench.Workbench."""
        if self._bench is not None:
            self._bench.rename(session_id, title)

    def delete(self, session_id: str) -> None:
        """See workbench.Workbench."""
        if self._bench is not None:
            self._bench.delete(session_id)

    def undelete(self, session_id: str) -> None:
        """See workbench.Workbench."""
        if self._bench is not None:
            self._bench.undelete(session_id)

    async def find_servers(self) -> tuple[FoundServer, ...]:
        """See workbench.Workbench."""
        bench = await self.ready()
        return await bench.find_servers()

    async def models(self) -> tuple[ModelInfo, ...]:
        """See workbench.Workbench."""
        bench = await self.ready()
        return await bench.models()

    async def probe(self) -> ModelProbe:
        """See workbench.ProbesModels."""
        bench = await self.ready()
        return await bench.probe()

    async def choose(self, choice: ModelChoice, api_key: str = "") -> None:
        """See workbench.Workbench."""
        bench = await self.ready()
        await bench.choose(choice, api_key)
