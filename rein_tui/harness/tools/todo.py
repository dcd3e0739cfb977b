"""TodoWrite: the model's own list of what is to be done."""

from typing import Literal

from ..protocol.base import JsonObject
from ..protocol.displays import Todo, TodoDisplay
from ..protocol.events import TodosChanged
from ..protocol.tools import ToolContext, ToolResult
from .base import BaseTool, ToolInput


class TodoItem(ToolInput, frozen=True, kw_only=True, rename="camel"):
    """One item."""

    content: str
    status: Literal["pending", "in_progress", "completed"]
    active_form: str = ""


class TodoWriteInput(ToolInput, frozen=True, kw_only=True):
    """The whole list."""

    todos: tuple[TodoItem, ...]


class TodoList:
    """The list as it stands; a resumed session sets it from the last TodosChanged."""

    def __init__(self, todos: tuple[Todo, ...] = ()) -> None:
        self.todos = todos


class TodoWrite(BaseTool[TodoWriteInput]):
    """Replaces the list."""

    name = "TodoWrite"
    input_type = TodoWriteInput

    def __init__(self, todos: TodoList | None = None) -> None:
        self._list = todos or TodoList()

    def is_read_only(self, value: TodoWriteInput) -> bool:
        """It changes nothing outside the conversation, but the order of two lists matters."""
        return False

    def summarize(self, value: TodoWriteInput) -> str:
        """How far it is."""
        done = sum(todo.status == "completed" for todo in value.todos)
        return f"TodoWrite {done} of {len(value.todos)} done"

    async def run(self, value: TodoWriteInput, context: ToolContext) -> ToolResult:
        """Replace it."""
        old = self._list.todos
        new = tuple(Todo(content=t.content, status=t.status, active_form=t.active_form) for t in value.todos)
        self._list.todos = new
        await context.emit(TodosChanged(todos=new))
        return ToolResult(
            content="The list is updated. Go on with what is in progress, if anything.",
            display=TodoDisplay(todos=new),
            response={"oldTodos": _plain(old), "newTodos": _plain(new)},
        )


def _plain(todos: tuple[Todo, ...]) -> list[JsonObject]:
    return [{"content": t.content, "status": t.status, "activeForm": t.active_form} for t in todos]
