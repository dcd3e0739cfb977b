"""A turn in which the person runs a command line themselves (`!` and `!!`): no model, no permission question.

Hooks and rules guard what the model does; here the person acts. What the command printed joins the conversation,
unless it was private.
"""

import time
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing

from ..protocol.events import (
    CwdChanged,
    Event,
    PromptAdded,
    ToolCallFinished,
    ToolCallRequested,
    ToolCallStarted,
    ToolOutputDelta,
)
from ..protocol.messages import Message, ResultContent, TextBlock
from ..protocol.ports import Emit, Prompt
from ..protocol.tools import Tool, ToolContext
from .channel import told_by
from .interrupt import Interrupted
from .moments import follow
from .parts import Parts

_TAIL = 2000


class ShellTurn:
    """One command line of the person's."""

    def __init__(self, parts: Parts, prompt: Prompt) -> None:
        self._parts = parts
        self._command = prompt.text
        self._is_private = prompt.kind == "private_shell"
        self._call_id = f"shell_{uuid.uuid4().hex[:12]}"
        self._tail = ""
        self._moved: CwdChanged | None = None
        self._finished: ToolCallFinished | None = None

    async def run(self) -> AsyncGenerator[Event]:
        """Requested, Started, output, Finished; then the message to the model. Raises Interrupted when stopped."""
        tool = self._parts.tools.get("Bash")
        if tool is None:
            return
        tool_input = {"command": self._command}
        yield ToolCallRequested(call_id=self._call_id, name="Bash", input=tool_input, summary=f"Bash {self._command}")
        yield ToolCallStarted(call_id=self._call_id, name="Bash", input=tool_input)
        try:
            async with aclosing(told_by(lambda tell: self._execute(tool, tell), self._parts.interrupt)) as events:
                async for event in events:
                    if isinstance(event, ToolOutputDelta):
                        self._tail = (self._tail + event.text)[-_TAIL:]
                    yield event
        except Interrupted:
            content = f"Interrupted.\n{self._tail}".strip()
            yield ToolCallFinished(call_id=self._call_id, name="Bash", outcome="interrupted", content=content)
            if not self._is_private:
                yield self._said(content)
            raise
        if self._finished is not None and not self._is_private:
            yield self._said(_text(self._finished.content))

    def _emit(self, tell: Emit) -> Emit:
        async def emit(event: Event) -> None:
            if isinstance(event, CwdChanged):
                self._moved = event
            await tell(event)

        return emit

    async def _execute(self, tool: Tool, tell: Emit) -> None:
        parts = self._parts
        value = tool.parse({"command": self._command})
        started = time.perf_counter()
        result = await tool.run(value, ToolContext(self._call_id, parts.workspace, self._emit(tell), parts.prompter))
        await follow(parts, self._moved, tell, call_id=self._call_id)
        outcome = "interrupted" if result.interrupted else "error" if result.is_error else "ok"
        self._finished = ToolCallFinished(
            call_id=self._call_id,
            name="Bash",
            outcome=outcome,
            content=result.content,
            display=result.display,
            response=result.response,
            duration=time.perf_counter() - started,
        )
        await tell(self._finished)

    def _said(self, output: str) -> PromptAdded:
        """What the model is told with the next prompt."""
        text = f"<bash-input>{self._command}</bash-input>\n<bash-output>{output}</bash-output>"
        return PromptAdded(
            message=Message(role="user", blocks=(TextBlock(text=text),)), origin="shell", source=self._call_id
        )


def _text(content: ResultContent) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part.text for part in content if isinstance(part, TextBlock))
