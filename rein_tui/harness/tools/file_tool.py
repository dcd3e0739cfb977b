"""What Read, Write and Edit share: a path that is checked twice, and one way to change a file."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec

from ..processes.process import uninterrupted
from ..protocol.base import JsonObject
from ..protocol.displays import DiffDisplay
from ..protocol.events import FileChanged, Notice
from ..protocol.tools import ToolContext
from .base import BaseTool, ToolInput, one_line
from .files import Loaded, Version, replace
from .ledger import Ledger

BeforeChange = Callable[[Path, bytes | None], str]
"""Called with the real path and what the file holds (None: no file) before a tool changes it; returns a problem."""

FilePath = Annotated[str, msgspec.Meta(description="Absolute path", min_length=1)]


class FileInput(ToolInput, frozen=True, kw_only=True):
    """The input of a tool that works on one file."""

    file_path: FilePath


FileInputT = TypeVar("FileInputT", bound=FileInput)


@dataclass(slots=True)
class FileAccess:
    """What the file tools of a session share."""

    ledger: Ledger = field(default_factory=Ledger)
    before_change: BeforeChange | None = None

    async def change(self, data: bytes, diff: DiffDisplay, old: Loaded | None, context: ToolContext) -> Version:
        """Let the file at the real path `diff.path` hold `data`, and tell it. Raises FileRefusedError.

        Not interrupted halfway: a file that changed is always told.
        """
        return await uninterrupted(self._change(data, diff, old, context))

    async def _change(self, data: bytes, diff: DiffDisplay, old: Loaded | None, context: ToolContext) -> Version:
        if self.before_change is not None:
            problem = self.before_change(Path(diff.path), None if old is None else old.data)
            if problem:
                await context.emit(Notice(level="warning", text=problem, code="store.no_checkpoint"))
        version = await asyncio.to_thread(replace, diff.path, data, old)
        await context.emit(
            FileChanged(
                call_id=context.call_id,
                path=diff.path,
                before="" if old is None else old.version.sha256,
                after=version.sha256,
                added=diff.added,
                removed=diff.removed,
                mode=0 if old is None else old.mode,
            )
        )
        return version


class FileTool(BaseTool[FileInputT]):
    """A tool on one file."""

    path_fields = ("file_path",)

    def __init__(self, access: FileAccess | None = None) -> None:
        self.access = access or FileAccess()

    def parse(self, raw: JsonObject) -> FileInputT:
        """The typed input; from here on the path must lead to where it leads now. Raises InvalidInput."""
        value = super().parse(raw)
        self.access.ledger.checked(value.file_path)
        return value

    def summarize(self, value: FileInputT) -> str:
        """Tool and path."""
        return one_line(f"{self.name} {value.file_path}")
