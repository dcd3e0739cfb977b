"""The memory files of one session: loaded at its start and after a compaction, joined by others as files are read."""

from collections.abc import Sequence
from pathlib import Path

from ..agents import WITHOUT_MEMORY
from ..context.memory import LoadReason, Memory, MemoryFile, MemoryScope
from ..protocol.agents import AgentSpec
from ..protocol.base import JsonObject
from ..protocol.events import Notice


class Instructions:
    """What CLAUDE.md files and rules told the model so far; `take_news` gives what nobody has heard of yet."""

    def __init__(self, scope: MemoryScope) -> None:
        self._scope = scope
        self._memory = Memory(scope)
        self._reason: LoadReason = "session_start"
        self._loaded: list[MemoryFile] = []
        self._notices: list[Notice] = []

    def load(self) -> Sequence[tuple[str, str]]:
        """(path, text) of everything that holds without a file being read; from the second time on, read anew."""
        self._memory = Memory.load(self._scope, self._reason)
        self._reason = "compact"
        self._loaded += self._memory.files
        self._take_notices()
        return self._memory.messages()

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
