"""Agent: a subagent does a piece of work, beside or after this one."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Annotated

import msgspec

from ..protocol.agents import AgentSpec
from ..protocol.base import JsonObject
from ..protocol.displays import TextDisplay
from ..protocol.messages import ToolSpec, Usage
from ..protocol.tools import InvalidInput, ToolContext, ToolResult
from ..turn.subagents import AgentResult, Subagents
from .background import Background, Write
from .base import BaseTool, ToolInput, one_line

GENERAL = "general-purpose"
LISTING = 4_000
"""Characters for the descriptions of all agents together."""


class AgentInput(ToolInput, frozen=True, kw_only=True):
    """What to do, and who does it."""

    description: Annotated[str, msgspec.Meta(description="The work in 3 to 5 words")]
    prompt: Annotated[str, msgspec.Meta(description="The whole task", min_length=1)]
    subagent_type: str = GENERAL
    model: str = ""
    run_in_background: bool = False


class Agent(BaseTool[AgentInput]):
    """Runs a subagent. Calls may stand beside others: what a subagent changes passes the gate itself."""

    name = "Agent"
    input_type = AgentInput
    read_only = True

    def __init__(self, subagents: Subagents, background: Background) -> None:
        self._subagents = subagents
        self._background = background

    @property
    def spec(self) -> ToolSpec:
        """With the kinds of agents that there are now."""
        spec = super().spec
        kinds = self._subagents.specs()
        description = spec.description + "\nAgents:\n" + "\n".join(_listed(kinds.values()))
        return msgspec.structs.replace(spec, description=description)

    def check(self, value: AgentInput) -> None:
        """The kind must exist."""
        if self._spec_of(value) is None:
            known = ", ".join(self._subagents.specs())
            raise InvalidInput(f"Agent: there is no agent {value.subagent_type!r}. Agents: {known}.")

    def _spec_of(self, value: AgentInput) -> AgentSpec | None:
        return self._subagents.kind(value.subagent_type)

    def summarize(self, value: AgentInput) -> str:
        """Who, and what in a few words."""
        return one_line(f"Agent {value.subagent_type}: {value.description}")

    async def preview(self, value: AgentInput, context: ToolContext) -> TextDisplay:
        """The whole task."""
        return TextDisplay(text=value.prompt, markdown=True)

    async def run(self, value: AgentInput, context: ToolContext) -> ToolResult:
        """Run it to its rest, or let it go on in the background."""
        spec = self._spec_of(value)
        if spec is None:
            return ToolResult(content=f"There is no agent {value.subagent_type!r}.", is_error=True)
        if value.run_in_background or spec.background:
            return await self._start(spec, value, context)
        result = await self._subagents.run(spec, value.prompt, context, model=value.model)
        if result.failure:
            return ToolResult(content=f"{result.failure}\n{result.text}".strip(), is_error=True)
        return ToolResult(
            content=result.text or "(The agent gave no answer.)",
            display=TextDisplay(text=result.text, markdown=True),
            response=_response(result, value),
        )

    async def _start(self, spec: AgentSpec, value: AgentInput, context: ToolContext) -> ToolResult:
        work = partial(self._subagents.run, spec, value.prompt, model=value.model)
        task_id = await let_go(self._subagents, self._background, value.description, work, context)
        text = f"The agent works in the background as {task_id}. You are told when it ends; TaskOutput reads it."
        response: JsonObject = {
            "status": "async_launched",
            "agentId": task_id,
            "description": value.description,
            "prompt": value.prompt,
            "outputFile": "",
        }
        return ToolResult(content=text, response=response)


async def let_go(
    subagents: Subagents,
    background: Background,
    title: str,
    run: Callable[[ToolContext], Awaitable[AgentResult]],
    context: ToolContext,
) -> str:
    """Let a subagent go on in the background of the call that starts it; gives the id of the work."""
    outside = replace(context, emit=background.emit or context.emit)

    async def work(write: Write) -> int:
        result = await run(outside)
        await write((result.failure or result.text).encode())
        return 1 if result.failure else 0

    def end() -> object:
        return subagents.stop(context.call_id)

    task = await background.start(title, work, context.emit, call_id=context.call_id, kind="agent", end=end)
    return task.id


def _listed(kinds: Iterable[AgentSpec]) -> list[str]:
    """Every name; descriptions as long as there is room, so that a hundred agents do not fill the window."""
    lines: list[str] = []
    room = LISTING
    for kind in kinds:
        line = f"- {kind.name}: {one_line(kind.description, 200)}"
        room -= len(line)
        lines.append(line if room > 0 else f"- {kind.name}")
    return lines


def _response(result: AgentResult, value: AgentInput) -> JsonObject:
    usage: Usage = result.usage
    return {
        "status": "completed",
        "agentId": result.agent_id,
        "agentType": value.subagent_type,
        "content": [{"type": "text", "text": result.text}],
        "totalToolUseCount": result.calls,
        "totalDurationMs": round(result.seconds * 1000),
        "totalTokens": usage.context_tokens,
        "usage": {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens},
        "prompt": value.prompt,
    }
