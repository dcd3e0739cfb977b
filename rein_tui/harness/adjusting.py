"""What a person changes about a session while it lives: folders, and work that is no longer wanted."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from .parts import Parts
from .protocol.errors import ConfigError
from .protocol.events import Notice
from .protocol.tools import Workspace
from .session import Session
from .subagents import Subagents
from .tools.background import Background

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

    async def stop_work(self, work_id: str) -> bool:
        """End a subagent by the id of its call, or background work by its own; whether it was running."""
        return self._subagents.stop(work_id) or await self._background.stop(work_id)


def _checked(folder: Path, space: Workspace) -> Path:
    """The real folder that was meant. Raises ConfigError."""
    path = (space.cwd / folder.expanduser()).resolve()
    if not path.is_dir():
        raise ConfigError("there is no such folder", where=str(path), hint="/add-dir FOLDER")
    if any(path.is_relative_to(known.resolve()) for known in (space.root, *space.additional)):
        raise ConfigError("the session works there already", where=str(path))
    return path
