"""The memory files of one session: loaded at its start and after a compaction, joined by others as files are read."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..agents import WITHOUT_MEMORY
from ..context.memory import LoadReason, Memory, MemoryFile, MemoryScope
from ..protocol.agents import AgentSpec
from ..protocol.base import JsonObject
from ..protocol.events import Notice
from ..protocol.workbench import MemoryOffer
from .memory_choices import MemoryChoices


class Instructions:
    """What CLAUDE.md files and rules told the model so far; `take_news` gives what nobody has heard of yet."""

    def __init__(self, scope: MemoryScope, choices: MemoryChoices) -> None:
        self._choices = choices
        self._scope = replace(scope, accepted=choices.accepted())
        self._memory = Memory(scope)
        self._reason: LoadReason = "session_start"
        self._loaded: list[MemoryFile] = []
        self._notices: list[Notice] = []
        self._stamp = self._memory.stamp()

    def load(self) -> Sequence[tuple[str, str]]:
        """(path, text) of everything that holds without a file being read; from the second time on, read anew."""
        self._memory = Memory.load(self._scope, self._reason)
        self._reason = "compact"
        self._loaded += self._memory.files
        self._stamp = self._memory.stamp()
        self._take_notices()
        return self._memory.messages()

    def offers(self) -> Sequence[MemoryOffer]:
        """What could be read besides."""
        return tuple(self._memory.offers)

    def accept(self, offer: MemoryOffer) -> Sequence[tuple[str, str]]:
        """Read it from now on in this project: (path, text) of everything that holds now. Raises ConfigError."""
        self._choices.accept(offer)
        self._scope = replace(self._scope, accepted=self._choices.accepted())
        before = {file.path for file in self._memory.files}
        self._memory = Memory.load(self._scope, "include")
        self._stamp = self._memory.stamp()
        self._loaded += [file for file in self._memory.files if file.path not in before]
        self._take_notices()
        return self._memory.messages()

    def changed(self) -> Sequence[tuple[str, str]]:
        """(path, text) of what is other than it was told: files that changed, came or went since."""
        moved = {path for path, *_ in self._memory.stamp() ^ self._stamp}
        if not moved:
            return ()
        before = {file.path: file.text for file in self._memory.files}
        self._memory = Memory.load(self._scope, "session_start")
        self._stamp = self._memory.stamp()
        self._take_notices()
        fresh = [
            file
            for file in self._memory.files
            if before.get(file.path) != file.text and {file.path, file.parent} & (moved | before.keys())
        ]
        self._loaded += fresh
        gone = [path for path in before if path in moved and not Path(path).is_file()]
        return [
            *((file.path, f"This changed. {file.message()}") for file in fresh),
            *((path, f"{path} is gone: what it said holds no longer.") for path in gone),
        ]

    def for_agent(self, spec: AgentSpec) -> Sequence[tuple[str, str]]:
        """(path, text) of what holds now, for a subagent that is told of it; news for nobody else."""
        if spec.name in WITHOUT_MEMORY:
            return ()
        if not self._memory.files:
            return Memory.load(self._scope, self._reason).messages()
        return self._memory.messages()

    def touched(self, tool: str, tool_input: JsonObject) -> Sequence[str]:
        """What holds from now on because this call read a file."""
        path = tool_input.get("file_path")
        if tool != "Read" or not isinstance(path, str):
            return ()
        new = self._memory.touch(Path(path))
        self._stamp = self._memory.stamp() if new else self._stamp
        self._loaded += new
        self._take_notices()
        return [f"<system-reminder>\n{file.message()}\n</system-reminder>" for file in new]

    def take_news(self) -> tuple[Sequence[Notice], Sequence[JsonObject]]:
        """Notices, and what InstructionsLoaded hooks are told, since the last time."""
        news = tuple(self._notices), tuple(file.payload() for file in self._loaded)
        self._notices.clear()
        self._loaded.clear()
        return news

    def _take_notices(self) -> None:
        self._notices += self._memory.notices
        self._memory.notices.clear()
