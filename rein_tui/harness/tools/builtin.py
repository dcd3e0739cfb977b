"""The tools that every session has, put together from the parts that build makes."""

from dataclasses import dataclass, field

from ..protocol.tools import Tool
from .ask import AskUserQuestion
from .background import Background
from .bash import Bash, Shell
from .edit import Edit
from .file_tool import FileAccess
from .glob import Glob
from .grep import Grep
from .plan import EnterPlanMode, ExitPlanMode, Modes, PlanState
from .read import Read
from .search import SearchEngine
from .tasks import TaskOutput, TaskStop
from .todo import TodoList, TodoWrite
from .web import WebFetch
from .write import Write


@dataclass(slots=True)
class ToolParts:
    """What the tools of one session stand on. Without `modes` there are no plan tools."""

    shell: Shell
    files: FileAccess = field(default_factory=FileAccess)
    background: Background = field(default_factory=Background)
    search: SearchEngine = field(default_factory=SearchEngine)
    todos: TodoList = field(default_factory=TodoList)
    modes: Modes | None = None
    private_addresses: bool = False


def builtin_tools(parts: ToolParts) -> tuple[Tool, ...]:
    """All built-in tools, in the order in which the model sees them. Close `parts.background` in the end."""
    tools: list[Tool] = [
        Bash(parts.shell, parts.background),
        Read(parts.files),
        Edit(parts.files),
        Write(parts.files),
        Grep(parts.search),
        Glob(parts.search),
        TodoWrite(parts.todos),
        WebFetch(private=parts.private_addresses),
        AskUserQuestion(),
        TaskOutput(parts.background),
        TaskStop(parts.background),
    ]
    if parts.modes is not None:
        state = PlanState(parts.modes)
        tools.extend((EnterPlanMode(state), ExitPlanMode(state)))
    return tuple(tools)
