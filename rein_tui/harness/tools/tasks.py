"""TaskOutput and TaskStop: looking after work in the background."""

import asyncio
import contextlib
from typing import Annotated

import msgspec

from ..protocol.base import JsonObject
from ..protocol.displays import CommandDisplay
from ..protocol.tools import ToolContext, ToolResult, Workspace
from .background import Background, BackgroundTask
from .base import BaseTool, ToolInput, failed

_LEGACY = ("bash_id", "shell_id", "agentId")


class TaskOutputInput(ToolInput, frozen=True, kw_only=True):
    """Which task, and whether to wait for its end."""

    task_id: str
    block: Annotated[bool, msgspec.Meta(description="Wait for its end (default true)")] = True
    timeout: Annotated[float, msgspec.Meta(description="Milliseconds to wait (default 30000)", ge=0, le=600_000)] = (
        30_000
    )


class TaskStopInput(ToolInput, frozen=True, kw_only=True):
    """Which task."""

    task_id: str


class TaskOutput(BaseTool[TaskOutputInput]):
    """Reads new output of a background task."""

    name = "TaskOutput"
    input_type = TaskOutputInput
    read_only = True

    def __init__(self, background: Background) -> None:
        self._background = background

    def normalize(self, raw: JsonObject, workspace: Workspace) -> JsonObject:
        """Old field names as the new one. Never raises."""
        return _renamed(raw)

    async def run(self, value: TaskOutputInput, context: ToolContext) -> ToolResult:
        """New output and state."""
        task = self._background.get(value.task_id)
        if task is None:
            return failed(_unknown(value.task_id, self._background))
        if value.block:
            task.listeners += 1
            try:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(task.finished.wait(), value.timeout / 1000)
            finally:
                task.listeners -= 1
        output = task.read()
        return ToolResult(
            content=f"{task.id}: {_state(task)}\n{output or '(no new output)'}",
            display=CommandDisplay(command=task.title, output=output, exit_code=task.exit_code, background_id=task.id),
            response={
                "retrieval_status": "success"
                if task.status != "running"
                else "timeout"
                if value.block
                else "not_ready",
                "task": {
                    "task_id": task.id,
                    "status": task.status,
                    "description": task.title,
                    "output": output,
                    "exitCode": task.exit_code,
                },
            },
        )


class TaskStop(BaseTool[TaskStopInput]):
    """Ends a background task."""

    name = "TaskStop"
    input_type = TaskStopInput

    def __init__(self, background: Background) -> None:
        self._background = background

    def normalize(self, raw: JsonObject, workspace: Workspace) -> JsonObject:
        """Old field names as the new one. Never raises."""
        return _renamed(raw)

    async def run(self, value: TaskStopInput, context: ToolContext) -> ToolResult:
        """End it with all its processes."""
        task = self._background.get(value.task_id)
        if task is None:
            return failed(_unknown(value.task_id, self._background))
        stopped = await self._background.stop(task.id)
        text = f"Stopped {task.id} ({task.title})." if stopped else f"{task.id} was over already: {_state(task)}."
        return ToolResult(content=text, response={"message": text, "task_id": task.id, "command": task.title})


def _renamed(raw: JsonObject) -> JsonObject:
    old = next((name for name in _LEGACY if name in raw), None)
    return raw | {"task_id": raw[old]} if old is not None and "task_id" not in raw else raw


def _state(task: BackgroundTask) -> str:
    return task.status if task.exit_code is None else f"{task.status}, exit code {task.exit_code}"


def _unknown(task_id: str, background: Background) -> str:
    known = ", ".join(task.id for task in background) or "none"
    return f"There is no background task {task_id!r} (known: {known})."
