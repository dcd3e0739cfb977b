"""What a person changes about a session while it lives: folders, and work that is no longer wanted."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from ..protocol.errors import ConfigError
from ..protocol.events import ContextPrepared, CwdChanged, Event, Notice, SourceKind, SourceSwitched
from ..protocol.ports import AsideAnswer
from ..protocol.tools import Workspace
from ..session import Session
from ..tools.background import Background
from ..turn.moments import follow
from ..turn.parts import Parts
from ..turn.side_requests import answer_aside
from ..turn.subagents import Subagents

AddedFolder = Callable[[Path], Awaitable[None]]
"""Hears that the session works in a further folder."""


class Adjusting:
    """Implements ports.Adjustments for a local session."""

    def __init__(
        self,
        parts: Parts,
        subagents: Subagents,
        background: Background,
        session: Session,
        added_folder: AddedFolder,
    ) -> None:
        self._parts = parts
        self._subagents = subagents
        self._background = background
        self._session = session
        self._added_folder = added_folder

    async def add_folder(self, folder: Path) -> None:
        """Let the session work in a further folder. Raises ConfigError."""
        space = self._parts.workspace
        path = _checked(folder, space)
        space.additional.append(path)
        self._session.tell_aside(Notice(text=f"Works in {path} too, until the session ends", code="folder_added"))
        self._session.whisper(f"The person lets this session work in {path} too.")
        await self._added_folder(path)

    async def change_folder(self, folder: Path) -> Path:
        """Let commands begin in another of the session's folders; which one it is. Raises ConfigError."""
        space = self._parts.workspace
        if self._session.is_running:
            raise ConfigError("a turn is running, and its commands have begun here", hint="Wait for its end, or Esc")
        old, new = space.cwd, _existing(folder, space, "/cd FOLDER")
        if not any(new.is_relative_to(known.resolve()) for known in (space.root, *space.additional)):
            hint = f"Let the session work there first: /add-dir {new}"
            raise ConfigError("this session does not work in that folder", where=str(new), hint=hint)
        if new != old:
            space.cwd = new
            move = CwdChanged(old=str(old), new=str(new))
            self._session.tell_aside(move)
            self._session.whisper(f"The person moved the shell to {new}: commands begin there from now on.")
            await follow(self._parts, move, self._tell)
        return new

    async def _tell(self, event: Event) -> None:
        self._session.tell_aside(event)

    async def ask_aside(self, question: str) -> AsideAnswer:
        """What the model says to a question beside the conversation. Raises ProviderError."""
        facts = reversed(self._session.history())
        prepared = next((fact for fact in facts if isinstance(fact, ContextPrepared) and not fact.parent), None)
        return await answer_aside(self._parts, self._session.conversation().messages(), prepared, question)

    async def switch_source(self, kind: SourceKind, name: str, on: bool) -> None:
        """Take a source out of the window, or put it back, from the next request on."""
        if kind in ("tool", "mcp"):
            (self._parts.withheld.discard if on else self._parts.withheld.add)(name)
        self._session.tell_aside(SourceSwitched(kind=kind, name=name, on=on))

    async def stop_work(self, work_id: str) -> bool:
        """End a subagent by the id of its call, or background work by its own; whether it was running."""
        return self._subagents.stop(work_id) or await self._background.stop(work_id)


def _existing(folder: Path, space: Workspace, hint: str) -> Path:
    """The real folder that was meant, seen from where commands begin. Raises ConfigError."""
    path = (space.cwd / folder.expanduser()).resolve()
    if not path.is_dir():
        raise ConfigError("there is no such folder", where=str(path), hint=hint)
    return path


def _checked(folder: Path, space: Workspace) -> Path:
    """The real folder that was meant. Raises ConfigError."""
    path = _existing(folder, space, "/add-dir FOLDER")
    if any(path.is_relative_to(known.resolve()) for known in (space.root, *space.additional)):
        raise ConfigError("the session works there already", where=str(path))
    return path
