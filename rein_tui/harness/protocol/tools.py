"""The port to a tool: what it is given, what it is asked for, what it answers."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from .base import JsonObject, Word
from .displays import Display
from .messages import ResultContent, ToolSpec
from .ports import Emit, Prompter


@dataclass(slots=True)
class Workspace:
    """Where a session works. `cwd` moves with the shell; `root` is the folder where the session started."""

    root: Path
    cwd: Path
    home: Path
    additional: list[Path] = field(default_factory=list[Path])
    trusted: bool = False


class ToolResult(Word, frozen=True, kw_only=True):
    """What a tool gives back: `content` for the model, `display` for people, `response` for hooks (compat spec 7.6).

    `facts` are told after the result, before the call is finished.
    """

    content: ResultContent
    is_error: bool = False
    display: Display | None = None
    response: JsonObject | None = None
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What a running call may use. `agent_id` and `agent_type` are set inside a subagent."""

    call_id: str
    workspace: Workspace
    emit: Emit
    prompter: Prompter
    interactive: bool = True
    agent_id: str = ""
    agent_type: str = ""
    depth: int = 0
    approved_by: str = ""


class InvalidInput(Exception):
    """Tool input that does not parse; the text names the field and is written for the model."""


class Tool(Protocol):
    """One tool. Stateless between calls except through what build gave it."""

    @property
    def name(self) -> str:
        """The name that models, rules and hooks use."""
        ...

    @property
    def spec(self) -> ToolSpec:
        """As the model sees it."""
        ...

    @property
    def requires_person(self) -> bool:
        """Whether no rule and no mode may answer for the person (AskUserQuestion)."""
        ...

    @property
    def caution(self) -> str:
        """What a person should know of the tool before they allow a call; mostly empty."""
        ...

    @property
    def asks_itself(self) -> bool:
        """Whether the call is a question to the person, so that no permission is asked before it."""
        ...

    def normalize(self, raw: JsonObject, workspace: Workspace) -> JsonObject:
        """The input as hooks and rules see it: `~` expanded, file paths absolute. Never raises."""
        ...

    def parse(self, raw: JsonObject) -> Any:
        """The typed input. Raises InvalidInput, naming the field."""
        ...

    def is_read_only(self, value: Any) -> bool:
        """Whether this call changes nothing, so that it may run beside others."""
        ...

    def summarize(self, value: Any) -> str:
        """The one line that a person approves and reads later. Plain text, no newline."""
        ...

    async def preview(self, value: Any, context: ToolContext) -> Display | None:
        """What would happen (a diff, a command), without doing it. Never raises for bad input."""
        ...

    async def run(self, value: Any, context: ToolContext) -> ToolResult:
        """Do it. What the model can act on is a result with is_error; cancelling leaves no process behind."""
        ...


class Toolset(Protocol):
    """The tools that a session may call; it can change while the session runs (MCP servers come and go)."""

    def get(self, name: str) -> Tool | None:
        """The tool of that name or legacy alias."""
        ...

    def specs(self, removed: frozenset[str] = frozenset(), *, everything: bool = False) -> tuple[ToolSpec, ...]:
        """The tools as the model sees them, without the removed ones, in a stable order.

        Tools that are held back for lack of room are among them only with `everything`.
        """
        ...
